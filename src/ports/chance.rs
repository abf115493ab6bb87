//! Ids and tokens, from a source that tests seed.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ulid::Ulid;

use crate::domain::time::Timestamp;

pub trait Chance: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);

    /// The newest id that this source gave.
    fn newest(&self) -> &Mutex<Newest>;
}

/// The two halves of an id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Newest {
    millis: u64,
    random: u128,
}

/// The second half of an id has 80 bits, of which the first is left free for those of the same millisecond.
const RANDOM_BITS: u32 = 79;
/// By so much at most the second half grows within a millisecond: nobody can tell the next id.
const STEP_BITS: u32 = 40;

impl dyn Chance {
    /// A new id whose first half is the moment, so that ids sort by age; of one millisecond and one process
    /// too (the monotonic ids of the ULID specification). What two rows of one moment are about has an order:
    /// the words of a person, the messages of a turn.
    pub fn id<T: From<Ulid>>(&self, now: Timestamp) -> T {
        let mut random = [0u8; 16];
        self.fill(&mut random[..10]);
        let random = u128::from_le_bytes(random);
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let mut newest = self.newest().lock().unwrap_or_else(PoisonError::into_inner);
        let random = match newest.millis == millis {
            true => newest.random + 1 + (random >> (80 - STEP_BITS)),
            false => random >> (80 - RANDOM_BITS),
        };
        *newest = Newest { millis, random };
        T::from(Ulid::from_parts(millis, random))
    }

    /// 160 random bits as 32 letters and digits: session tokens, callback tokens.
    pub fn token(&self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut random = [0u8; 32];
        self.fill(&mut random);
        random
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
            .collect()
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that draws real randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }

    /// Of the whole process: its parts each have a `SystemChance`, and write into one database.
    fn newest(&self) -> &Mutex<Newest> {
        static NEWEST: Mutex<Newest> = Mutex::new(Newest {
            millis: 0,
            random: 0,
        });
        &NEWEST
    }
}

/// The same draws at every run: tests.
#[derive(Debug)]
pub struct SeededChance(Mutex<StdRng>, Mutex<Newest>);

impl SeededChance {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)), Mutex::default())
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        source.fill_bytes(bytes);
    }

    fn newest(&self) -> &Mutex<Newest> {
        &self.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_sort_in_the_order_in_which_they_were_given() {
        for chance in [&SeededChance::new(1) as &dyn Chance, &SystemChance] {
            let moment = |n: i64| Timestamp(1_772_535_600_000_000 + 500 * n);
            let ids: Vec<Ulid> = (0..10_000).map(|n| chance.id(moment(n / 100))).collect();
            assert!(ids.is_sorted_by(|one, next| one < next));
            assert_eq!(ids[0].timestamp_ms(), ids[99].timestamp_ms());
            assert!(
                ids[1].random() - ids[0].random() > 1,
                "none follows from the one before"
            );
        }
    }
}
