//! The janitor, every second: what was done gets its place in the trail, and keys that are gone are
//! forgotten. Once a minute it looks for what is over, and goes on at once while there is more.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, pause};
use crate::app::pulse::Loop;
use crate::app::{App, janitor};

/// Seconds between two looks for what is over.
const LOOK: u32 = 60;

/// Only that keys which are gone are forgotten: what a process owes that leaves the rest to others.
pub async fn forget(app: Arc<App>, stop: CancellationToken) {
    let mut watch = janitor::Watch::new(&app);
    while !stop.is_cancelled() {
        if let Err(error) = watch.forget(&app).await {
            complain("forgetting keys", &error);
        }
        tokio::select! {
            () = pause(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
}

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    // A start has better things to do first.
    let mut seconds = 5;
    let mut watch = janitor::Watch::new(&app);
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Janitor);
        if let Err(error) = watch.second(&app).await {
            complain("janitor", &error);
        }
        if seconds == 0 {
            match janitor::round(&app).await {
                // The next second goes on; in between everybody else has their turn.
                Ok(true) => {}
                Ok(false) => seconds = LOOK,
                Err(error) => {
                    complain("janitor", &error);
                    seconds = LOOK;
                }
            }
        } else {
            seconds -= 1;
        }
        tokio::select! {
            () = pause(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
}
