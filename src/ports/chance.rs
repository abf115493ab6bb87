//! Ids and tokens, from a source that tests seed.

use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use ulid::Ulid;

use crate::domain::time::Timestamp;

pub trait Chance: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Chance {
    /// A new id whose first half is the moment, so that ids sort by age.
    pub fn id<T: From<Ulid>>(&self, now: Timestamp) -> T {
        let mut random = [0u8; 16];
        self.fill(&mut random[..10]);
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        T::from(Ulid::from_parts(millis, u128::from_le_bytes(random)))
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
}

/// The same draws at every run: tests.
#[derive(Debug)]
pub struct SeededChance(Mutex<StdRng>);

impl SeededChance {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut source = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        source.fill_bytes(bytes);
    }
}
