//! When each loop of this process last turned. Read by the health answer: a loop that stands still is
//! seen before its work piles up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The loops of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    Receive,
    Unpack,
    Turns,
    Sender,
    Scheduler,
    Janitor,
    Media,
    Vacancies,
    Calendars,
}

impl Loop {
    pub const ALL: [Self; 9] = [
        Self::Receive,
        Self::Unpack,
        Self::Turns,
        Self::Sender,
        Self::Scheduler,
        Self::Janitor,
        Self::Media,
        Self::Vacancies,
        Self::Calendars,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Unpack => "unpack",
            Self::Turns => "turns",
            Self::Sender => "sender",
            Self::Scheduler => "scheduler",
            Self::Janitor => "janitor",
            Self::Media => "media",
            Self::Vacancies => "vacancies",
            Self::Calendars => "calendars",
        }
    }

    /// Longer than one turn of it may take. What people wait for turns within seconds; what asks others for
    /// files waits for them.
    pub const fn most(self) -> Duration {
        Duration::from_secs(match self {
            Self::Receive | Self::Unpack | Self::Turns | Self::Sender | Self::Scheduler => 60,
            Self::Janitor | Self::Media | Self::Calendars => 15 * 60,
            Self::Vacancies => 60 * 60,
        })
    }
}

/// The beats of this process, by a clock that never jumps.
pub struct Pulse {
    since: Instant,
    /// Milliseconds from `since`, plus one; 0 is a loop that another process runs.
    beats: [AtomicU64; 9],
}

impl Default for Pulse {
    #[expect(
        clippy::disallowed_methods,
        reason = "a pulse is felt with a clock that never jumps"
    )]
    fn default() -> Self {
        Self {
            since: Instant::now(),
            beats: Default::default(),
        }
    }
}

impl Pulse {
    /// This loop turned.
    pub fn beat(&self, turned: Loop) {
        let at = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1;
        self.beats[turned as usize].store(at, Ordering::Relaxed);
    }

    /// How long each loop of this process has been still.
    pub fn still(&self) -> impl Iterator<Item = (Loop, Duration)> + '_ {
        let now = self.since.elapsed();
        Loop::ALL.into_iter().filter_map(move |turned| {
            let beat = self.beats[turned as usize].load(Ordering::Relaxed);
            let at = Duration::from_millis(beat.checked_sub(1)?);
            Some((turned, now.saturating_sub(at)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loops_that_ever_turned_are_still() {
        let pulse = Pulse::default();
        assert_eq!(pulse.still().count(), 0);
        pulse.beat(Loop::Sender);
        let still: Vec<_> = pulse.still().collect();
        assert_eq!(still.len(), 1);
        assert_eq!(still[0].0, Loop::Sender);
        assert!(still[0].1 < Duration::from_secs(5));
    }
}
