//! The hand clock: next hour, next morning, next week. It goes in steps of an hour at most, and after
//! each everything that fell due is done, so that a week of moments is lived and not skipped.

use std::time::Duration;

use chrono::{Days, Timelike};
use tokio::sync::broadcast::error::RecvError;

use super::Demo;
use crate::app::{AppError, forward};
use crate::domain::time::{Timestamp, Tz, local_moment};
use crate::ports::clock::{Clock, SystemClock};

/// The longest step.
const STEP_SECONDS: i64 = 3600;
/// How long one step may wait for its messages to leave, and a whole turn of the clock may last.
const STEP_TAKES: Duration = Duration::from_secs(3);
const TURN_TAKES: Duration = Duration::from_secs(25);
/// How long to wait for news before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// Where the clock is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Hour,
    Morning,
    Week,
}

impl Goal {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "hour" => Goal::Hour,
            "morning" => Goal::Morning,
            "week" => Goal::Week,
            _ => return None,
        })
    }

    /// The next full hour; the next 09:30, when what is due on a day falls due; this time in a week.
    fn after(self, now: Timestamp, zone: Tz) -> Timestamp {
        let local = now.local(zone);
        match self {
            Goal::Hour => {
                let gone = i64::from(local.minute()) * 60 + i64::from(local.second());
                now.plus_seconds(STEP_SECONDS - gone)
            }
            Goal::Morning => {
                let today = local_moment(local.date_naive(), 9, 30, zone);
                if today > now {
                    today
                } else {
                    other_day(now, 1, 9, 30, zone)
                }
            }
            Goal::Week => other_day(now, 7, local.hour(), local.minute(), zone),
        }
    }
}

fn other_day(now: Timestamp, days: u64, hour: u32, minute: u32, zone: Tz) -> Timestamp {
    let today = now.local_day(zone);
    local_moment(
        today.checked_add_days(Days::new(days)).unwrap_or(today),
        hour,
        minute,
        zone,
    )
}

/// Puts the clock forward and does what falls due on the way. If that takes too long, it stays where
/// it came to.
pub async fn forward(demo: &Demo, goal: Goal, zone: Tz) -> Result<(), AppError> {
    let _only_one = demo.turning.lock().await;
    let target = goal.after(demo.app.now(), zone);
    let turned = tokio::time::timeout(TURN_TAKES, steps(demo, target)).await;
    forward::keep_shift(&demo.app, SystemClock.now()).await?;
    match turned {
        Ok(result) => result,
        Err(_) => {
            tracing::warn!("the clock stopped on the way: there was too much to do");
            Ok(())
        }
    }
}

async fn steps(demo: &Demo, target: Timestamp) -> Result<(), AppError> {
    loop {
        let now = demo.app.now();
        if now >= target {
            return Ok(());
        }
        demo.clock
            .put_forward_to(now.plus_seconds(STEP_SECONDS).min(target));
        if let Ok(result) = tokio::time::timeout(STEP_TAKES, settled(demo)).await {
            result?;
        }
    }
}

/// Until nothing is left to do at this moment.
async fn settled(demo: &Demo) -> Result<(), AppError> {
    let mut news = demo.app.store.bells().listen();
    while !forward::settle(&demo.app).await? {
        if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(LOOK_AGAIN, news.recv()).await {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Amsterdam;

    use super::*;

    fn at(day: &str, hour: u32, minute: u32) -> Timestamp {
        local_moment(day.parse().unwrap(), hour, minute, Amsterdam)
    }

    #[test]
    fn the_next_morning_is_the_next_half_past_nine() {
        let next = |now| Goal::Morning.after(now, Amsterdam);
        assert_eq!(next(at("2026-11-24", 8, 52)), at("2026-11-24", 9, 30));
        assert_eq!(next(at("2026-11-24", 9, 30)), at("2026-11-25", 9, 30));
        assert_eq!(next(at("2026-11-24", 23, 0)), at("2026-11-25", 9, 30));
        // The night in which the clocks change.
        assert_eq!(next(at("2027-03-27", 12, 0)), at("2027-03-28", 9, 30));
    }

    #[test]
    fn an_hour_ends_on_the_hour_and_a_week_at_the_same_time() {
        let now = at("2026-11-24", 8, 52);
        assert_eq!(Goal::Hour.after(now, Amsterdam), at("2026-11-24", 9, 0));
        assert_eq!(
            Goal::Hour.after(at("2026-11-24", 9, 0), Amsterdam),
            at("2026-11-24", 10, 0)
        );
        assert_eq!(Goal::Week.after(now, Amsterdam), at("2026-12-01", 8, 52));
        assert_eq!(
            Goal::Week.after(at("2027-03-24", 8, 52), Amsterdam),
            at("2027-03-31", 8, 52)
        );
    }
}
