//! What is stuck and since when: one look for the operator's page, the health answer and the numbers. A
//! check that needs a person, but nobody tonight, is *look*; one that says that the service does not do
//! its work is *alarm*.

use std::time::Duration;

use super::numbers::{self, as_float};
use super::{App, AppError};
use crate::domain::ids::OrganisationId;
use crate::domain::time::Timestamp;
use crate::store::disk;
use crate::store::stuck::{self, Moments, Tallies, Tally};

/// What is received is played within seconds; an item that fails five times needs less than three minutes.
const INBOX_SECONDS: i64 = 300;
/// The sender takes what is due at once; a long line drains within the rate of the provider.
const OUTBOX_SECONDS: i64 = 900;
/// The scheduler looks every second.
const NUDGE_SECONDS: i64 = 300;
/// A lease that ran out becomes doubt at the next tick.
const LEASE_SECONDS: i64 = 60;
/// Below this there is no room for a bad night.
const FREE_BYTES: u64 = 1 << 30;
/// A log that is folded into the database stays far below this.
const WAL_BYTES: u64 = 512 << 20;
/// A busy database gives up on a writer after five seconds; who watches waits a little longer.
const PATIENCE: Duration = Duration::from_secs(8);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Well,
    /// A person should look, at office hours.
    Look,
    /// The service does not do its work.
    Alarm,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Look => "look",
            Self::Alarm => "alarm",
        }
    }
}

/// One check: how many, and since when the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// One of `NAMES`.
    pub name: &'static str,
    pub level: Level,
    pub count: u64,
    pub since: Option<Timestamp>,
}

/// Every check, in the order in which it is told.
pub const NAMES: [&str; 13] = [
    "database",
    "inbox",
    "quarantined",
    "unreadable",
    "outbox",
    "sending",
    "doubt",
    "nudges",
    "lines",
    "feeds",
    "workers",
    "disk",
    "wal",
];

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub at: Timestamp,
    pub checks: Vec<Check>,
}

impl Health {
    /// As bad as the worst.
    pub fn level(&self) -> Level {
        let levels = self.checks.iter().map(|check| check.level);
        levels.max().unwrap_or(Level::Well)
    }
}

/// A look at everything. It never fails: a database that does not answer is its first finding.
pub async fn look(app: &App) -> Health {
    let now = app.now();
    let asked = async {
        let tallies = tallies(app, None, now).await?;
        // And would it take a write? Nothing is written.
        app.store.write().await?.rollback().await?;
        Ok::<_, AppError>(tallies)
    };
    let tallied = tokio::time::timeout(PATIENCE, asked).await;
    let mut checks = match tallied {
        Ok(Ok(tallies)) => {
            app.numbers.set(numbers::UP, &[], 1.0);
            note(app, &tallies, now);
            let mut checks = vec![well("database")];
            checks.extend(of_database(app, &tallies, now));
            checks
        }
        failed => {
            app.numbers.set(numbers::UP, &[], 0.0);
            let why = match failed {
                Ok(Err(error)) => error.to_string(),
                _ => "no answer in time".to_owned(),
            };
            tracing::warn!(why, "the database does not answer");
            vec![Check {
                name: "database",
                level: Level::Alarm,
                count: 1,
                since: None,
            }]
        }
    };
    checks.extend(of_machine(app, now));
    for check in &checks {
        let level = f64::from(check.level as u8);
        app.numbers
            .set(numbers::CHECKS, &[("check", check.name)], level);
    }
    Health { at: now, checks }
}

/// What an operator of one organisation may see: its own messages, and the machine.
pub async fn look_for(app: &App, organisation: OrganisationId) -> Result<Health, AppError> {
    let now = app.now();
    let tallies = tallies(app, Some(organisation), now).await?;
    let mut checks = of_database(app, &tallies, now);
    checks.extend(of_machine(app, now));
    Ok(Health { at: now, checks })
}

async fn tallies(
    app: &App,
    organisation: Option<OrganisationId>,
    now: Timestamp,
) -> Result<Tallies, AppError> {
    let moments = Moments {
        due: now,
        lease: now.plus_seconds(-LEASE_SECONDS),
        nudge: now.plus_seconds(-NUDGE_SECONDS),
    };
    let mut tx = app.store.read().await?;
    Ok(stuck::tallies(&mut tx, organisation, &moments).await?)
}

fn of_database(app: &App, tallies: &Tallies, now: Timestamp) -> Vec<Check> {
    let alarm = |name, tally: Tally, seconds| {
        let old = tally
            .since
            .is_some_and(|since| since.plus_seconds(seconds) < now);
        check(name, if old { Level::Alarm } else { Level::Well }, tally)
    };
    let some = |name, level, tally: Tally| {
        let level = if tally.count > 0 { level } else { Level::Well };
        check(name, level, tally)
    };
    let mut paused = Tally::default();
    // A line that the settings no longer have stands still for good.
    for line in tallies
        .paused
        .iter()
        .filter(|line| app.lines.contains_key(&line.id))
    {
        paused = both(
            paused,
            Tally {
                count: 1,
                since: line.since,
            },
        );
    }
    vec![
        alarm("inbox", both(tallies.raw, tallies.items), INBOX_SECONDS),
        some("quarantined", Level::Look, tallies.quarantined),
        some("unreadable", Level::Look, tallies.unreadable),
        alarm("outbox", tallies.due, OUTBOX_SECONDS),
        some("sending", Level::Alarm, tallies.lost),
        some("doubt", Level::Look, tallies.doubt),
        some("nudges", Level::Alarm, tallies.overdue),
        some("lines", Level::Alarm, paused),
        some("feeds", Level::Look, of_feeds(app, tallies)),
    ]
}

/// Feeds of the settings that do not work; one that the settings no longer have is no trouble.
fn of_feeds(app: &App, tallies: &Tallies) -> Tally {
    let known = |name: &str| app.vacancies.feeds.iter().any(|feed| feed.name == name);
    let broken = tallies.feeds.iter().filter(|(name, _)| known(name));
    broken.fold(Tally::default(), |sum, (_, since)| {
        both(
            sum,
            Tally {
                count: 1,
                since: Some(*since),
            },
        )
    })
}

fn of_machine(app: &App, now: Timestamp) -> Vec<Check> {
    let mut still = Tally::default();
    for (turned, age) in app.pulse.still() {
        let seconds = age.as_secs_f64();
        app.numbers
            .set(numbers::LOOP_AGE, &[("worker", turned.as_str())], seconds);
        if age > turned.most() {
            let ago = i64::try_from(age.as_secs()).unwrap_or(i64::MAX / 2_000_000);
            still = both(
                still,
                Tally {
                    count: 1,
                    since: Some(now.plus_seconds(-ago)),
                },
            );
        }
    }
    let mut checks = vec![check(
        "workers",
        if still.count > 0 {
            Level::Alarm
        } else {
            Level::Well
        },
        still,
    )];
    if let Some(free) = disk::free_bytes(&app.data_dir) {
        app.numbers.set(numbers::FREE, &[], as_float(free));
        checks.push(when("disk", Level::Alarm, free < FREE_BYTES));
    }
    if let Some(wal) = app.store.wal_bytes() {
        app.numbers
            .set(numbers::BYTES, &[("part", "wal")], as_float(wal));
        checks.push(when("wal", Level::Look, wal > WAL_BYTES));
    }
    checks
}

/// Everything counted becomes a number, also where it is nothing: a line that is not drawn looks well.
fn note(app: &App, tallies: &Tallies, now: Timestamp) {
    let numbers = &app.numbers;
    let age = |since: Option<Timestamp>| {
        since.map_or(0.0, |since| as_float((now.0 - since.0).max(0)) / 1e6)
    };
    let inbox = both(tallies.raw, tallies.items);
    numbers.set(numbers::INBOX, &[], as_float(inbox.count));
    numbers.set(numbers::INBOX_AGE, &[], age(inbox.since));
    for state in ["draft", "waiting", "approved", "held", "retry"] {
        let found = tallies.outbox.iter().find(|(name, _)| name == state);
        let count = found.map_or(0, |(_, count)| *count);
        numbers.set(numbers::OUTBOX, &[("state", state)], as_float(count));
    }
    let doubt = as_float(tallies.doubt.count);
    numbers.set(numbers::OUTBOX, &[("state", "in_doubt")], doubt);
    numbers.set(numbers::OUTBOX_AGE, &[], age(tallies.due.since));
    numbers.set(numbers::NUDGES, &[], as_float(tallies.nudges.count));
    numbers.set(numbers::OVERDUE, &[], as_float(tallies.overdue.count));
    numbers.set(
        numbers::BYTES,
        &[("part", "database")],
        as_float(tallies.bytes),
    );
    for door in app.doors.values() {
        let channel = door.channel.name();
        let still = tallies.paused.iter();
        let still =
            still.filter(|line| line.channel == channel && app.lines.contains_key(&line.id));
        numbers.set(
            numbers::PAUSED,
            &[("channel", channel)],
            as_float(still.count()),
        );
    }
}

const fn check(name: &'static str, level: Level, tally: Tally) -> Check {
    Check {
        name,
        level,
        count: tally.count,
        since: tally.since,
    }
}

const fn well(name: &'static str) -> Check {
    check(
        name,
        Level::Well,
        Tally {
            count: 0,
            since: None,
        },
    )
}

fn when(name: &'static str, level: Level, so: bool) -> Check {
    let level = if so { level } else { Level::Well };
    check(
        name,
        level,
        Tally {
            count: u64::from(so),
            since: None,
        },
    )
}

fn both(one: Tally, other: Tally) -> Tally {
    Tally {
        count: one.count + other.count,
        since: match (one.since, other.since) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        },
    }
}
