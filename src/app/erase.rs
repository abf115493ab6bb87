//! Erase: a person's key is destroyed, what was kept about them is removed or emptied, and what waited for
//! them ends (GDPR, article 17). A hold forbids it, and so does a message that is in flight. Whoever
//! writes from the same number afterwards is somebody new.

use std::fmt;

use chrono::NaiveDate;

use super::export::{by_operator, senders};
use super::{App, AppError};
use crate::domain::ids::{CandidateId, CoachId};
use crate::domain::time::Timestamp;
use crate::store::audit;
use crate::store::contacts;
use crate::store::holds::{self, Hold};
use crate::store::personal::{self, Erased, Table};

/// What an erasure would meet.
pub struct Look {
    pub organisation: String,
    pub holds: Vec<Hold>,
    /// What is there now, table by table.
    pub there: Vec<(&'static str, usize)>,
}

/// What an erasure came to.
pub enum Outcome {
    NotThere,
    /// It was done before.
    Already,
    Held(Vec<Hold>),
    /// A message is on its way: nobody knows yet what becomes of it.
    InFlight,
    Erased(Report),
}

/// What is gone, what stays, and when the rest goes.
pub struct Report {
    pub removed: Vec<(&'static str, u64)>,
    pub emptied: Vec<(&'static str, u64)>,
    pub stays: Vec<(&'static str, &'static str)>,
    pub messages: u64,
    pub nudges: u64,
    /// Whether the database's own files are clean of it already.
    pub scrubbed: bool,
    /// The first day on which no key of a day is left that could open a raw webhook of this person.
    pub raw_on: NaiveDate,
    pub backups_on: NaiveDate,
}

/// Looks, and changes nothing. `None` if there is nobody to erase.
pub async fn look(app: &App, candidate: CandidateId) -> Result<Option<Look>, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let Some(whose) = personal::whose(&mut tx, candidate).await? else {
        return Ok(None);
    };
    let Some(person) = contacts::person(&mut tx, candidate).await? else {
        return Ok(None);
    };
    let today = now.local_day(app.house(person.organisation)?.zone);
    let sealer = tx.sealer(person.key).await?;
    let senders = senders(&mut tx, &sealer, &person, now).await?;
    let counts = personal::counts(&mut tx, candidate, &senders).await?;
    Ok(Some(Look {
        organisation: whose.organisation,
        holds: holds::active(&mut tx, candidate, today).await?,
        there: counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(table, count)| (table.name, count))
            .collect(),
    }))
}

/// Erases a person.
pub async fn erase(app: &App, candidate: CandidateId) -> Result<Outcome, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let Some((key, already)) = personal::lock(&mut tx, candidate).await? else {
        tx.rollback().await?;
        return Ok(Outcome::NotThere);
    };
    if already {
        tx.rollback().await?;
        app.store.scrub().await?;
        return Ok(Outcome::Already);
    }
    let person = contacts::person(&mut tx, candidate)
        .await?
        .ok_or(AppError::NotFound)?;
    let today = now.local_day(app.house(person.organisation)?.zone);
    let holds = holds::active(&mut tx, candidate, today).await?;
    if !holds.is_empty() {
        tx.rollback().await?;
        return Ok(Outcome::Held(holds));
    }
    let sealer = tx.sealer(person.key).await?;
    let senders = senders(&mut tx, &sealer, &person, now).await?;
    let Some(ended) = personal::erase(&mut tx, candidate, &senders, now).await? else {
        tx.rollback().await?;
        return Ok(Outcome::InFlight);
    };
    tx.destroy_key(key, now).await?;
    let entry = by_operator("erase", &person);
    audit::append(&mut tx, app.row_id(now), entry, now).await?;
    tx.commit().await?;
    let counted = |wanted: fn(&Erased) -> bool| {
        let rows = ended
            .removed
            .iter()
            .filter(move |(table, count)| *count > 0 && wanted(&table.erased));
        rows.map(|(table, count)| (table.name, *count)).collect()
    };
    Ok(Outcome::Erased(Report {
        removed: counted(|erased| matches!(erased, Erased::Gone(_))),
        emptied: counted(|erased| matches!(erased, Erased::Emptied(_))),
        stays: personal::TABLES.iter().filter_map(stays).collect(),
        messages: ended.messages,
        nudges: ended.nudges,
        scrubbed: app.store.scrub().await?,
        raw_on: day_after(now, app.retention.raw_days + 1),
        backups_on: day_after(now, app.retention.backup_days),
    }))
}

fn stays(table: &Table) -> Option<(&'static str, &'static str)> {
    match table.erased {
        Erased::Stays(why) => Some((table.name, why)),
        _ => None,
    }
}

fn day_after(now: Timestamp, days: i64) -> NaiveDate {
    now.plus_days(days).utc().date_naive()
}

/// Sets a hold on a person, in the name of a coach.
pub async fn hold(
    app: &App,
    candidate: CandidateId,
    hold: &Hold,
    coach: CoachId,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = super::turn::person(&mut tx, candidate).await?;
    holds::put(&mut tx, candidate, hold, coach).await?;
    let entry = by_operator("hold", &person);
    audit::append(&mut tx, app.row_id(now), entry, now).await?;
    Ok(tx.commit().await?)
}

/// Ends a hold; false if there was none of this class.
pub async fn end_hold(app: &App, candidate: CandidateId, class: &str) -> Result<bool, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = super::turn::person(&mut tx, candidate).await?;
    let ended = holds::end(&mut tx, candidate, class).await?;
    let entry = by_operator("end_hold", &person);
    audit::append(&mut tx, app.row_id(now), entry, now).await?;
    tx.commit().await?;
    Ok(ended)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = |rows: &[(&str, u64)]| {
            let each: Vec<String> = rows
                .iter()
                .map(|(table, count)| format!("{table} {count}"))
                .collect();
            each.join(", ")
        };
        writeln!(f, "the key is destroyed: what it sealed cannot be opened")?;
        writeln!(f, "removed: {}", rows(&self.removed))?;
        writeln!(f, "emptied: {}", rows(&self.emptied))?;
        writeln!(
            f,
            "messages that had not left, cancelled: {}",
            self.messages
        )?;
        writeln!(f, "open reminders, closed as withdrawn: {}", self.nudges)?;
        for (table, why) in &self.stays {
            writeln!(f, "stays: {table}: {why}")?;
        }
        match self.scrubbed {
            true => writeln!(f, "the files of the database are clean of what was removed")?,
            false => writeln!(
                f,
                "the database gives the room of what was removed to something else in its own time; `tussendoor keys rotate` with a new master key makes an end at once"
            )?,
        }
        writeln!(
            f,
            "webhooks as they came in go on {}, with the key of their day (retention.raw_days); of a day with something put aside, when that goes (retention.aside_days)",
            self.raw_on
        )?;
        write!(
            f,
            "backups forget on {} (retention.backup_days); a new master key, with the old one thrown away, closes them sooner",
            self.backups_on
        )
    }
}
