//! Vacancies, every ten seconds: feeds whose time has come, what is over, what fits whom.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, pause};
use crate::app::pulse::Loop;
use crate::app::{App, vacancies};

/// Nobody waits for a vacancy.
const PAUSE: Duration = Duration::from_secs(10);

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Vacancies);
        // Taken back at a stop: every piece is a commit, and a look that ended half-way is begun again.
        match stop.run_until_cancelled(vacancies::work(&app)).await {
            Some(Err(error)) => complain("vacancies", &error),
            Some(Ok(_)) => {}
            None => return,
        }
        tokio::select! {
            () = pause(PAUSE) => {}
            () = stop.cancelled() => {}
        }
    }
}
