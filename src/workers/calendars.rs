//! Reads the calendars of coaches, so that nobody is offered a moment that is taken elsewhere.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, pause};
use crate::app::App;
use crate::app::calendar::busy;
use crate::app::pulse::Loop;

/// How long it rests: a coach who gave an address sees within half a minute whether it can be read.
const REST: Duration = Duration::from_secs(20);

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Calendars);
        match stop.run_until_cancelled(busy::read(&app)).await {
            Some(Err(error)) => complain("calendars", &error),
            // More may be due.
            Some(Ok(read)) if read > 0 => continue,
            Some(Ok(_)) => {}
            None => return,
        }
        tokio::select! {
            () = pause(REST) => {}
            () = stop.cancelled() => {}
        }
    }
}
