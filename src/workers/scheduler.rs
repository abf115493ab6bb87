//! The tick, every second: timers, rules, leases, ends. What it does grows with what is due.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, pause};
use crate::app::pulse::Loop;
use crate::app::{App, tick};

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Scheduler);
        // Taken back at a stop, as a batch of turns is.
        match stop.run_until_cancelled(tick::tick(&app)).await {
            Some(Err(error)) => complain("tick", &error),
            Some(Ok(_)) => {}
            None => return,
        }
        tokio::select! {
            () = pause(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
}
