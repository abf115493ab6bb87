//! Several drafts of one rule, approved by a coach in one act. Each message gets its own approval, bound to
//! its own hash; what changed meanwhile, or whose person wrote, stays behind. One way back for all.

use super::approve::{Seen, note, own, taken, waiting};
use super::{App, AppError, desk};
use crate::domain::access::Scope;
use crate::domain::approval::Standing;
use crate::domain::contact::Purpose;
use crate::domain::ids::{ActId, MessageId};
use crate::domain::message::MessageState;
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::store::contacts::Person;
use crate::store::outbox::{self, Outgoing};
use crate::store::{Tx, acts, addresses};

/// As many drafts as a person reads before one button.
pub const MOST: usize = 50;

/// What one act came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    pub act: ActId,
    pub approved: Vec<MessageId>,
    /// What stayed behind, in the order in which it was asked.
    pub left_out: Vec<MessageId>,
}

/// Lets every draft of this rule go that still is as the coach saw it and may be decided with others.
/// A message that is not under these eyes makes the whole request wrong.
pub async fn approve(
    app: &App,
    scope: &Scope,
    rule: &str,
    chosen: &[(MessageId, Seen)],
) -> Result<Together, AppError> {
    let now = app.now();
    let at = now.plus_seconds(app.limits.undo_seconds);
    let mut done = Together {
        act: app.id(now),
        approved: Vec::new(),
        left_out: Vec::new(),
    };
    // By id, so that two coaches with overlapping lists wait for one another in one order.
    let mut chosen: Vec<&(MessageId, Seen)> = chosen.iter().collect();
    chosen.sort_by_key(|(id, _)| *id);
    let mut tx = app.store.write().await?;
    for (id, seen) in chosen {
        let went = match waiting(&mut tx, scope, *id, seen).await {
            Ok((message, person)) => {
                message.why == rule
                    && may_join(app, &mut tx, &message, &person, now).await?
                    && goes(app, &mut tx, scope, &message, done.act, at, now).await?
            }
            Err(AppError::Overtaken { .. }) => false,
            Err(other) => return Err(other),
        };
        match went {
            true => done.approved.push(*id),
            false => done.left_out.push(*id),
        }
    }
    if done.approved.is_empty() {
        tx.rollback().await?;
        return Ok(done);
    }
    failpoint::hit("approve.before_commit");
    tx.commit().await.map_err(taken)?;
    failpoint::hit("approve.after_commit");
    Ok(done)
}

/// Everything that made the draft one of a group, looked at again in the transaction that decides.
async fn may_join(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<bool, AppError> {
    let sealer = tx.sealer(person.key).await?;
    let forms = outbox::forms(tx, &sealer, message.id).await?;
    let windows = addresses::windows(tx, message.candidate).await?;
    let standing = Standing {
        rule: &message.why,
        state_why: message.state_why.as_deref(),
        written_by_coach: message.author.is_some(),
        unread: person.unanswered_since.is_some(),
        flagged: acts::flagged(tx, message.candidate).await?,
        touched: acts::touched(tx, message.id).await?,
        floor_reached: floor_reached(app, message.purpose, person.candidate.automated_in_row),
        has_way: desk::chosen(&forms, &windows, 0, now).is_some(),
    };
    Ok(standing.alone().is_none())
}

/// Whether it was let go; not, if its time would be over or a colleague was faster.
async fn goes(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    message: &Outgoing,
    act: ActId,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, AppError> {
    let not_before = at.max(message.not_before);
    if not_before > message.not_after {
        return Ok(false);
    }
    match outbox::change(tx, message, MessageState::Approved, None, not_before)
        .await
        .map_err(taken)
    {
        Ok(()) => note(app, tx, scope, message, "approve", Some(act), now).await?,
        Err(AppError::Overtaken { .. }) => return Ok(false),
        Err(other) => return Err(other),
    }
    Ok(true)
}

/// The human floor counts nudges: somebody who just wrote is answered.
pub(super) fn floor_reached(app: &App, purpose: Purpose, automated_in_row: u32) -> bool {
    purpose != Purpose::Reply && automated_in_row >= app.cadence.human_floor.get()
}

/// Takes back what still rests of an act. What left already is for the page to name.
pub async fn undo(app: &App, scope: &Scope, act: ActId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let all = acts::of_act(&mut tx, scope, act).await?;
    if all.is_empty() {
        return Err(AppError::NotFound);
    }
    let mut back = 0;
    let mut gone = 0;
    for (id, _) in all.iter().filter(|(_, back)| !back) {
        let (message, _) = own(&mut tx, scope, *id).await?;
        match message.state {
            MessageState::Approved if message.attempt == 0 => {}
            MessageState::Waiting => continue,
            _ => {
                gone += 1;
                continue;
            }
        }
        match outbox::change(&mut tx, &message, MessageState::Waiting, None, now)
            .await
            .map_err(taken)
        {
            Ok(()) => note(app, &mut tx, scope, &message, "withdraw", Some(act), now).await?,
            Err(AppError::Overtaken { .. }) => {
                gone += 1;
                continue;
            }
            Err(other) => return Err(other),
        }
        back += 1;
    }
    if back == 0 {
        return Err(AppError::Overtaken {
            what: if gone == 0 {
                "undone_already"
            } else {
                "already_gone"
            },
        });
    }
    tx.commit().await.map_err(taken)
}

/// A message of an act, as it stands now.
pub struct Part {
    pub message: Outgoing,
    pub person: Person,
    /// Its approval was taken back.
    pub back: bool,
}

/// Where the messages of an act stand now.
pub async fn of_act(app: &App, scope: &Scope, act: ActId) -> Result<Vec<Part>, AppError> {
    let mut tx = app.store.read().await?;
    let mut parts = Vec::new();
    for (id, back) in acts::of_act(&mut tx, scope, act).await? {
        let (message, person) = own(&mut tx, scope, id).await?;
        parts.push(Part {
            message,
            person,
            back,
        });
    }
    Ok(parts)
}

/// Those of these messages that are under these eyes, as they stand now.
pub async fn these(
    app: &App,
    scope: &Scope,
    ids: &[MessageId],
) -> Result<Vec<(Outgoing, Person)>, AppError> {
    let mut tx = app.store.read().await?;
    let mut found = Vec::new();
    for id in ids {
        match own(&mut tx, scope, *id).await {
            Ok(pair) => found.push(pair),
            Err(AppError::NotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}
