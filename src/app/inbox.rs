//! What waits in the inbox gets its turn, up to 256 items in one transaction: words go to `opt_in`, reports
//! to `receipts`, what the provider says of the account is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::{App, AppError, opt_in, receipts, unpanicked};
use crate::domain::ids::{CandidateId, ItemId};
use crate::domain::plan::Subject;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::ports::channel::What;
use crate::store::inbox::{self, Next, Waiting};
use crate::store::{Coming, StoreError, Tx, flags};

/// Items in one transaction.
const BATCH: usize = 256;

/// After this many tries an item is put aside for an operator.
const TRIES: u32 = 5;

/// Plays what waits in the inbox; how many items that were. All in one transaction; if one of them
/// cannot be played, each goes alone, so that it delays nobody else.
pub async fn turns(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.store.write_beside().await?;
    let Next { items, unreadable } = inbox::next(&mut tx, now, BATCH).await?;
    let mut count = unreadable.len();
    if items.is_empty() {
        tx.rollback().await?;
    } else {
        count += readable(app, tx, items, now).await?;
    }
    for (id, tries, error) in unreadable {
        later(app, id, tries, &error.into(), now).await?;
    }
    Ok(count)
}

async fn readable(
    app: &App,
    tx: Tx,
    items: Vec<Waiting>,
    now: Timestamp,
) -> Result<usize, AppError> {
    let begun = clock();
    let ids: Vec<(ItemId, u32)> = items.iter().map(|item| (item.id, item.tries)).collect();
    match unpanicked(together(app, tx, items, now)).await {
        Ok(played) => {
            app.numbers.turned(played, begun.elapsed());
            Ok(played)
        }
        Err(AppError::Store(error)) if error.may_pass() => Err(error.into()),
        Err(_) => {
            for (id, tries) in &ids {
                alone(app, *id, *tries, now).await?;
            }
            app.numbers.turned(ids.len(), begun.elapsed());
            Ok(ids.len())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a turn takes is a number to watch"
)]
fn clock() -> Instant {
    Instant::now()
}

async fn together(
    app: &App,
    mut tx: Tx,
    items: Vec<Waiting>,
    now: Timestamp,
) -> Result<usize, AppError> {
    let played = match play(app, &mut tx, items, now).await {
        Ok(played) => played,
        Err(error) => return Err(tx.taken_back(error).await),
    };
    failpoint::hit("turn.before_commit");
    tx.commit().await?;
    failpoint::hit("turn.after_commit");
    Ok(played)
}

/// How many were played: what is left over keeps its turn.
async fn play(
    app: &App,
    tx: &mut Tx,
    items: Vec<Waiting>,
    now: Timestamp,
) -> Result<usize, AppError> {
    let mut people = BTreeMap::new();
    // Reports first: they are about other things than the words, and what they write would make what is
    // fetched ahead for the words old.
    let (heard, other): (Vec<Waiting>, Vec<Waiting>) = items
        .into_iter()
        .partition(|item| matches!(item.item.what, What::Heard(_)));
    let reports: Vec<_> = other
        .iter()
        .filter_map(|item| match (&item.item.what, item.line) {
            (What::Receipt(receipt), Some(line)) => Some((line, receipt)),
            _ => None,
        })
        .collect();
    receipts::receipts(app, tx, &reports, now).await?;
    for item in &other {
        handle(app, tx, item, &mut people, now).await?;
    }
    let mut coming = Coming::default();
    for (at, item) in heard.iter().enumerate() {
        if coming.enough() {
            return Ok(other.len() + at);
        }
        if let Some(next) = coming.before(tx, at, heard.len()) {
            opt_in::look_ahead(tx, heard[next].iter().map(|item| &item.item)).await?;
        }
        handle(app, tx, item, &mut people, now).await?;
    }
    Ok(other.len() + heard.len())
}

async fn alone(app: &App, id: ItemId, tries: u32, now: Timestamp) -> Result<(), AppError> {
    let mut tx = app.store.write_in_line().await?;
    let Some(item) = inbox::item(&mut tx, id).await? else {
        return Ok(tx.rollback().await?);
    };
    match unpanicked(together(app, tx, vec![item], now)).await {
        Ok(_) => Ok(()),
        Err(AppError::Store(error)) if error.may_pass() => Err(error.into()),
        Err(error) => later(app, id, tries, &error, now).await,
    }
}

/// It comes again later. After its last try it is put aside, and a coach of whoever wrote it hears that there
/// is something that could not be read.
async fn later(
    app: &App,
    id: ItemId,
    tries: u32,
    error: &AppError,
    now: Timestamp,
) -> Result<(), AppError> {
    let why = error.to_string();
    tracing::error!(item = %id, tries = tries + 1, error = %why, "an item could not be played");
    let mut tx = app.store.write().await?;
    if tries + 1 < TRIES {
        inbox::again(&mut tx, id, now.plus_seconds(5 << tries), &why).await?;
        return Ok(tx.commit().await?);
    }
    // Of an item that does not open nobody knows whose it is: it stands on the operator's page only.
    let item = match inbox::item(&mut tx, id).await {
        Ok(item) => item,
        Err(StoreError::Corrupt { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let whose = match item.as_ref().map(|item| (&item.item.what, item.line)) {
        Some((What::Heard(heard), Some(line))) => {
            opt_in::owners_of(app, &mut tx, line, heard).await?
        }
        _ => BTreeSet::new(),
    };
    inbox::quarantine(&mut tx, id, &why).await?;
    for candidate in whose {
        let flag = app.id(now);
        let (why, subject) = (Why::Stuck, Subject::Nothing);
        flags::open(&mut tx, flag, candidate, None, why, subject, now);
    }
    Ok(tx.commit().await?)
}

/// People found during one batch, so that an unknown sender with two messages is made once.
pub type Found = BTreeMap<String, CandidateId>;

async fn handle(
    app: &App,
    tx: &mut Tx,
    item: &Waiting,
    people: &mut Found,
    now: Timestamp,
) -> Result<(), AppError> {
    let why = match (&item.item.what, item.line) {
        (What::Account(account), line) => {
            if let (Some((old, new)), Some(line)) = (&account.moved, line) {
                opt_in::moved(app, tx, line, (old, new), now, now).await?;
            }
            Some(account.summary.clone())
        }
        (_, None) => Some("it came in on a line that the settings do not have".to_owned()),
        (What::Heard(heard), Some(line)) => {
            opt_in::heard(app, tx, line, heard, people, now).await?;
            None
        }
        // Read with the others, in `play`.
        (What::Receipt(_), Some(_)) => None,
    };
    inbox::done(tx, item.id, why.as_deref());
    tx.turn_over(&item.id);
    Ok(())
}
