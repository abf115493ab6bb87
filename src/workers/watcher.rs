//! Looks at the health of the house every fifteen seconds, so that an alarm stands in the log also where
//! nobody asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pause;
use crate::app::App;
use crate::app::health::{self, Check, Level};

const EVERY: Duration = Duration::from_secs(15);

/// The checks whose level is not what was told before; what was never told of is well.
fn changed<'a>(told: &mut BTreeMap<&'static str, Level>, checks: &'a [Check]) -> Vec<&'a Check> {
    let new =
        |check: &&Check| told.insert(check.name, check.level).unwrap_or(Level::Well) != check.level;
    checks.iter().filter(new).collect()
}

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut told = BTreeMap::new();
    while !stop.is_cancelled() {
        let health = health::look(&app).await;
        // Once a change: a log that repeats itself every quarter of a minute is not read.
        let changed = changed(&mut told, &health.checks);
        for check in &changed {
            let (name, level, count) = (check.name, check.level.as_str(), check.count);
            let since = check.since.map(|at| at.utc().to_rfc3339());
            match check.level {
                Level::Well => tracing::info!(check = name, level, "health"),
                _ => tracing::warn!(check = name, level, count, since, "health"),
            }
        }
        if !changed.is_empty() {
            let level = health.level().as_str();
            tracing::info!(level, "the health of the house changed");
        }
        tokio::select! {
            () = pause(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, level: Level) -> Check {
        Check {
            name,
            level,
            count: 1,
            since: None,
        }
    }

    #[test]
    fn an_alarm_is_told_while_another_of_its_level_stands() {
        let mut told = BTreeMap::new();
        let mut names = |checks: &[Check]| -> Vec<&'static str> {
            let changed = changed(&mut told, checks);
            changed.iter().map(|check| check.name).collect()
        };
        let (disk, lines) = (check("disk", Level::Alarm), check("lines", Level::Alarm));
        assert!(names(&[check("disk", Level::Well), check("lines", Level::Well)]).is_empty());
        assert_eq!(names(&[disk, check("lines", Level::Well)]), ["disk"]);
        assert_eq!(names(&[disk, lines]), ["lines"]);
        assert!(names(&[disk, lines]).is_empty());
        assert_eq!(names(&[check("disk", Level::Well), lines]), ["disk"]);
        assert_eq!(
            names(&[check("disk", Level::Well), check("lines", Level::Look)]),
            ["lines"]
        );
    }
}
