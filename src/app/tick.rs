//! The tick: what became due since the last one. Leases that ran out, messages whose time is over,
//! holds that end, timers of talks, rules of the calendar (`people`), nudges that may start (`start`). What
//! cannot be done holds up nothing else (`each`).
//! Its work grows with what is due, not with who exists: every query reads an index in the order of its
//! time.

mod each;
mod people;
mod start;

use self::each::{Due, each};
use super::{App, AppError, House, outcome};
use crate::domain::message::MessageState;
use crate::domain::nudge::{self, DueNudge, Rule, TaskFact};
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::store::alone::{self, Work};
use crate::store::nudges::{self, Nudge};
use crate::store::outbox::{self, Outgoing};
use crate::store::{Tx, contacts, plans, talks};

/// Rows of one kind in one transaction.
const BATCH: u32 = 64;
/// Due tasks that one look of a rule writes into the ledger at once.
const LOOK: u32 = 500;

/// One tick, until nothing is due; how much was done.
pub async fn tick(app: &App) -> Result<usize, AppError> {
    let mut done = outcome::lost(app).await?;
    done += ends(app).await?;
    done += timers(app).await?;
    for house in app.houses.values() {
        done += rules(app, house).await?;
        done += people::looks(app, house).await?;
        done += people::answers(app, house).await?;
        done += start::nudges(app, house).await?;
    }
    Ok(done)
}

/// A transaction for the calendar; `None` while another process is at it.
async fn begin(app: &App) -> Result<Option<Tx>, AppError> {
    let mut tx = app.store.write_in_line().await?;
    if alone::is_ours(&mut tx, Work::Calendar).await? {
        return Ok(Some(tx));
    }
    tx.rollback().await?;
    Ok(None)
}

async fn commit(tx: Tx) -> Result<(), AppError> {
    failpoint::hit("tick.before_commit");
    tx.commit().await?;
    failpoint::hit("tick.after_commit");
    Ok(())
}

/// Unsent messages whose time is over expire; holds of coaches end.
async fn ends(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let overdue = outbox::overdue(&mut tx, now, BATCH).await?;
    let overdue: Vec<Due> = overdue.into_iter().map(Due::Overdue).collect();
    let mut done = each(app, tx, &overdue, now).await?;
    let Some(mut tx) = begin(app).await? else {
        return Ok(done);
    };
    let held = outbox::held_until_now(&mut tx, now, BATCH).await?;
    if held.is_empty() {
        tx.rollback().await?;
        return Ok(done);
    }
    for message in &held {
        outbox::change(&mut tx, message, MessageState::Waiting, None, now).await?;
    }
    done += held.len();
    commit(tx).await?;
    Ok(done)
}

async fn expires(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    now: Timestamp,
) -> Result<(), AppError> {
    // The talk may have taken it back while the others expired.
    let Some(message) = outbox::message(tx, message.id).await? else {
        return Ok(());
    };
    if !message.state.may_become(MessageState::Expired) {
        return Ok(());
    }
    match contacts::person(tx, message.candidate).await? {
        Some(person) => outcome::expire(app, tx, &message, &person, now).await,
        // Erased while somebody was writing to them.
        None => {
            let (to, at) = (MessageState::Expired, message.not_before);
            Ok(outbox::change(tx, &message, to, Some("erased"), at).await?)
        }
    }
}

/// Timers of talks that went off.
async fn timers(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let due = talks::due(&mut tx, now, BATCH).await?;
    let due: Vec<Due> = due.into_iter().map(Due::Timer).collect();
    each(app, tx, &due, now).await
}

/// Rules look at the calendar once a local day; what is due becomes a row of the ledger. Missed days
/// collapse: a look finds each task once.
async fn rules(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let today = now.local_day(house.zone);
    let mut tx = app.store.read().await?;
    let names = Rule::BY_CALENDAR.map(Rule::as_str);
    let ran = nudges::last_ran(&mut tx, house.id, &names).await?;
    drop(tx);
    let must: Vec<Rule> = Rule::BY_CALENDAR
        .into_iter()
        .filter(|rule| {
            ran.get(rule.as_str())
                .is_none_or(|last| app.cadence.must_look(*rule, *last, now, house.zone))
        })
        .collect();
    if must.is_empty() {
        return Ok(0);
    }
    let (first, last) = nudge::due_range(today, &app.cadence, &house.holidays);
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let found = plans::due(&mut tx, house.id, first, last, LOOK).await?;
    let more = found.len() == usize::try_from(LOOK).unwrap_or(0);
    let facts: Vec<TaskFact> = found
        .iter()
        .map(|due| TaskFact {
            task: due.task,
            candidate: due.candidate,
            due_on: due.due_on,
        })
        .collect();
    let due = nudge::due(&facts, today, house.zone, &app.cadence, &house.holidays);
    let due = nudge::one_after_the_other(due, house.zone, &app.cadence, &house.holidays);
    let count = due.len();
    for due in due {
        nudges::add(&mut tx, &row(app, due, now));
    }
    if !more {
        for rule in &must {
            nudges::occurred(&mut tx, house.id, rule.as_str(), today, now).await?;
        }
    }
    commit(tx).await?;
    Ok(count + usize::from(more))
}

fn row(app: &App, due: DueNudge, now: Timestamp) -> Nudge {
    Nudge {
        id: app.id(now),
        candidate: due.candidate,
        rule: due.rule.as_str().to_owned(),
        subject: due.subject,
        due_on: due.due_on,
        due_at: due.due_at,
    }
}
