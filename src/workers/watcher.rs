//! Looks at the health of the house every fifteen seconds, so that an alarm stands in the log also where
//! nobody asks for it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pause;
use crate::app::App;
use crate::app::health::{self, Level};

const EVERY: Duration = Duration::from_secs(15);

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut told = Level::Well;
    while !stop.is_cancelled() {
        let health = health::look(&app).await;
        let level = health.level();
        // Once a change: a log that repeats itself every quarter of a minute is not read.
        if level != told {
            for check in health.checks.iter().filter(|it| it.level > Level::Well) {
                let (name, count) = (check.name, check.count);
                let since = check.since.map(|at| at.utc().to_rfc3339());
                tracing::warn!(
                    check = name,
                    level = check.level.as_str(),
                    count,
                    since,
                    "health"
                );
            }
            tracing::info!(level = level.as_str(), "the health of the house changed");
            told = level;
        }
        tokio::select! {
            () = pause(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}
