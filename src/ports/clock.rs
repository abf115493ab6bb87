//! What time it is. The core never asks: a verb reads the clock once and passes `now` down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::Timestamp;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}

/// A clock that somebody turns by hand: tests.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Turns to a moment. A hand clock never runs backwards.
    pub fn turn_to(&self, now: Timestamp) {
        self.0.fetch_max(now.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that ticks like the machine's from a moment of its own, and can be put forward: the demo.
#[derive(Debug, Clone)]
pub struct ShiftedClock(Arc<AtomicI64>);

impl ShiftedClock {
    pub fn starting_at(moment: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(moment.0 - SystemClock.now().0)))
    }

    pub fn put_forward_to(&self, moment: Timestamp) {
        self.0
            .fetch_max(moment.0 - SystemClock.now().0, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}
