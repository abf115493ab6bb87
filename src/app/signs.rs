//! Signs of life and other reasons for which an unsent nudge is taken back: the person wrote, was met or
//! has a pause. Also after approval; the reason is kept with the message.

use super::effects::withdraw;
use super::{App, AppError, outcome, turn};
use crate::domain::message::MessageState;
use crate::domain::nudge::{Ended, Rule};
use crate::domain::plan::Subject;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::{State, Talk};
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::{Tx, nudges, outbox};

/// The person wrote, or was seen, while a question lay ready that silence had asked for, and did not touch
/// it: a rung of a ladder, or how it goes. It is taken back; the talk must hear of it.
pub(super) async fn needless(
    app: &App,
    tx: &mut Tx,
    before: &State,
    after: &Talk,
    now: Timestamp,
) -> Result<Option<Event>, AppError> {
    let (
        State::Offered { said, .. },
        State::Offered {
            run,
            said: now_said,
            ..
        },
    ) = (before, &after.state)
    else {
        return Ok(None);
    };
    if said != now_said {
        return Ok(None);
    }
    let by_silence = app.book.flow(&run.flow).is_some_and(|flow| {
        [Rule::Silence, Rule::CheckIn]
            .iter()
            .any(|rule| rule.flow() == flow.name)
    });
    if !by_silence && run.unanswered.is_empty() {
        return Ok(None);
    }
    let said = *said;
    let Some(message) = outbox::by_said(tx, after.candidate, said).await? else {
        return Ok(None);
    };
    if !message.state.may_become(MessageState::Cancelled) {
        return Ok(None);
    }
    withdraw(tx, &message, "answered", now);
    Ok(Some(Event::Dropped { said }))
}

/// The person was seen or heard outside their talk. What was asked because of the silence is taken back,
/// as if they had written; whatever else is open stays open and waits as long again.
pub async fn alive(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    let event = Event::Changed {
        what: Change::SignOfLife,
        subject: Subject::Nothing,
        by: None,
    };
    turn::play(app, tx, person, event, now).await
}

/// Takes back every nudge to this person that has not left, and what waits in the ledger. `why` is a
/// reason that pages can show.
pub async fn take_back(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    why: &'static str,
    now: Timestamp,
) -> Result<(), AppError> {
    let candidate = person.candidate.id;
    for message in outbox::unsent(tx, candidate).await? {
        let ours = message.author.is_none() && !message.last_word;
        if ours
            && message.state.may_become(MessageState::Cancelled)
            && nudges::is_nudge(tx, message.id).await?
        {
            withdraw(tx, &message, why, now);
            outcome::dropped(app, tx, &message, person, now).await?;
        }
    }
    Ok(nudges::close_waiting(tx, candidate, Ended::Withdrawn, now).await?)
}
