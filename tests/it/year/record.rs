//! A year out of what the stand-in of the provider took and what the database says, for the checker.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};

use super::checker::{Nudge, Record, Reminder};
use super::coaches::OWN_WORDS;
use super::people::Persona;
use super::town::Year;
use crate::support::database::texts;

/// A moment after every year: nobody closed it.
const STANDS_STILL: i64 = 4_000_000_000_000_000;

fn split(row: &str) -> Vec<&str> {
    row.split('|').collect()
}

/// Rows of `candidate|…|moment`: who, and the moment in the last place.
fn moments(year: &Year, rows: &[String]) -> Vec<(usize, i64)> {
    let found = rows.iter().map(|row| {
        let parts = split(row);
        let who = year.who(parts[0]);
        (who, parts.last().unwrap().parse().unwrap())
    });
    found.collect()
}

/// A row of the ledger and the day on which it was written: its id carries the moment.
fn written(rule: &str, id: &str) -> (String, NaiveDate) {
    let millis = ulid::Ulid::from_string(id).unwrap().timestamp_ms();
    let at = DateTime::from_timestamp_millis(i64::try_from(millis).unwrap()).unwrap();
    (rule.to_owned(), at.date_naive())
}

pub async fn read(year: &mut Year) -> Record {
    let appointments = std::mem::take(&mut year.diary).closed(year.house.app.now().0);
    let year = &*year;
    let database = &year.house.database;
    let nudged = texts(
        database,
        "SELECT DISTINCT n.candidate_id || '|' || o.why || '|' || o.id || '|' || CAST(o.accepted_at AS TEXT) FROM nudges n JOIN outgoing o ON o.id = n.message_id WHERE o.accepted_at IS NOT NULL",
    )
    .await;
    let nudges = nudged.iter().zip(moments(year, &nudged));
    let nudges = nudges.map(|(row, (who, at))| Nudge {
        who,
        rule: split(row)[1].to_owned(),
        at,
    });
    let signs = texts(
        database,
        "SELECT candidate_id || '|' || CAST(at AS TEXT) FROM incoming UNION ALL SELECT candidate_id || '|' || CAST(at AS TEXT) FROM notes WHERE kind = 'sign' UNION ALL SELECT candidate_id || '|' || CAST(done_at AS TEXT) FROM tasks WHERE done_at IS NOT NULL UNION ALL SELECT candidate_id || '|' || CAST(starts_at AS TEXT) FROM meetings WHERE state = 'held'",
    )
    .await;
    let flags = texts(
        database,
        "SELECT candidate_id || '|' || CAST(opened_at AS TEXT) || '|' || COALESCE(CAST(closed_at AS TEXT), '') FROM flags",
    )
    .await;
    let flags = flags.iter().map(|row| {
        let parts = split(row);
        let until = parts[2].parse().unwrap_or(STANDS_STILL);
        (year.who(parts[0]), parts[1].parse().unwrap(), until)
    });
    let open = texts(
        database,
        "SELECT candidate_id || '|' || rule || ' about ' || subject || ', message ' || COALESCE(message_id, 'none') || '|' || id FROM nudges WHERE closed_at IS NULL",
    )
    .await;
    let reminders = texts(
        database,
        "SELECT candidate_id || '|' || subject || '|' || CAST(accepted_at AS TEXT) FROM outgoing WHERE why LIKE 'meeting_invite/coming%' AND accepted_at IS NOT NULL AND id IN (SELECT message_id FROM nudges)",
    )
    .await;
    let reminders = reminders.iter().zip(moments(year, &reminders));
    let reminders = reminders.map(|(row, (who, at))| Reminder {
        who,
        meeting: split(row)[1].trim_start_matches("meeting:").to_owned(),
        at,
    });
    let unconfirmed = texts(
        database,
        "SELECT o.candidate_id FROM outgoing o WHERE o.why = '_common/stopped' AND o.state = 'expired' AND EXISTS (SELECT 1 FROM flags f WHERE f.candidate_id = o.candidate_id AND f.why = 'in_doubt' AND f.opened_at <= o.created_at AND COALESCE(f.closed_at, o.not_after_at) >= o.not_after_at)",
    )
    .await;
    let sent = year.sent.iter().filter(|sent| sent.text != OWN_WORDS);
    Record {
        appointments,
        reminders: reminders.collect(),
        people: year.people.len(),
        first: year.first,
        days: year.days,
        outage: year.outage,
        nudges: nudges.collect(),
        sent: sent.map(|sent| (sent.who, sent.at.0)).collect(),
        signs: moments(year, &signs),
        flags: flags.collect(),
        stopped: year
            .people
            .iter()
            .map(|one| one.stopped_at.map(|at| at.0))
            .collect(),
        unconfirmed: unconfirmed.iter().map(|id| year.who(id)).collect(),
        open: open
            .iter()
            .map(|row| {
                let parts = split(row);
                let what = format!("{} of {}", parts[1], year.who(parts[0]));
                written(&what, parts[2])
            })
            .collect(),
    }
}

/// What only the whole house can break: a message twice, one that nobody knows of, a nudge that the
/// provider never saw, a year in which nothing happened.
pub async fn of_the_house(year: &Year, record: &Record) -> Vec<String> {
    let mut broken = Vec::new();
    let mut tokens = BTreeSet::new();
    for sent in year.sent.iter().filter(|sent| !tokens.insert(&sent.token)) {
        broken.push(format!(
            "{} twice to {}: {}",
            sent.at.0, sent.who, sent.text
        ));
    }
    let taken: BTreeSet<(usize, i64)> = record.sent.iter().copied().collect();
    for nudge in &record.nudges {
        // A report may prove later what the answer could not; then the moments differ.
        if !taken.contains(&(nudge.who, nudge.at)) && !year.doubtful(nudge.who) {
            broken.push(format!(
                "{} to {} never reached the provider",
                nudge.rule, nudge.who
            ));
        }
    }
    let database = &year.house.database;
    let count = |rows: Vec<String>| rows[0].parse::<usize>().unwrap();
    let accepted = "SELECT CAST(COUNT(*) AS TEXT) FROM outgoing WHERE accepted_at IS NOT NULL";
    let doubt = "SELECT CAST(COUNT(*) AS TEXT) FROM outgoing WHERE state = 'in_doubt'";
    let accepted = count(texts(database, accepted).await);
    let doubt = count(texts(database, doubt).await);
    let all = year.sent.len();
    if !(accepted..=accepted + doubt).contains(&all) {
        broken.push(format!(
            "{all} were taken, {accepted} are known, {doubt} in doubt"
        ));
    }
    let rows = texts(
        database,
        "SELECT rule || ' ' || COALESCE(because, 'open') FROM nudges",
    )
    .await;
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for row in &rows {
        *ends.entry(row.as_str()).or_default() += 1;
    }
    println!("the ledger: {ends:?}");
    if record.nudges.len() < year.people.len() * 3 {
        let nudges = record.nudges.len();
        broken.push(format!("only {nudges} nudges in all: this proves nothing"));
    }
    let stops = year
        .people
        .iter()
        .filter(|one| one.persona == Persona::Stops);
    let deaf = stops.filter(|one| one.stopped_at.is_none()).count();
    if deaf > 0 {
        broken.push(format!(
            "{deaf} people never said STOP: this proves nothing"
        ));
    }
    broken
}
