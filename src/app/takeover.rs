//! A coach takes a talk over, writes in it, and gives it back. While a coach has the talk, no flow speaks.

use chrono::NaiveDate;

use super::{App, AppError, approve, signs, speech, trail, turn};
use crate::domain::access::Scope;
use crate::domain::contact::{CandidateState, Purpose};
use crate::domain::ids::{CandidateId, FlagId, MessageId};
use crate::domain::message::{FormBody, MessageState};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::Approve;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::domain::window;
use crate::store::contacts::{self, Person};
use crate::store::outbox::{self, New};
use crate::store::{Tx, addresses, flags, watch};

/// The coach has the talk from now on.
pub async fn take_over(app: &App, scope: &Scope, candidate: CandidateId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = own(&mut tx, scope, candidate).await?;
    turn::play(
        app,
        &mut tx,
        &person,
        Event::TakenOver {
            why: Why::TakenOver,
        },
        now,
    )
    .await?;
    note(app, &mut tx, scope, candidate, "take_over", now).await?;
    Ok(tx.commit().await?)
}

/// The talk goes on by itself.
pub async fn give_back(app: &App, scope: &Scope, candidate: CandidateId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = own(&mut tx, scope, candidate).await?;
    turn::play(app, &mut tx, &person, Event::GivenBack, now).await?;
    note(app, &mut tx, scope, candidate, "give_back", now).await?;
    Ok(tx.commit().await?)
}

/// A message in the coach's own words, now or at a moment. Only inside the 24-hour window: outside it
/// WhatsApp takes nothing but templates. Whoever said STOP gets an answer each time they write, and no more.
pub async fn write(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    text: &str,
    at: Option<Timestamp>,
) -> Result<MessageId, AppError> {
    let text = approve::clean(text)?;
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = own(&mut tx, scope, candidate).await?;
    if person.candidate.state == CandidateState::Left && person.unanswered_since.is_none() {
        return Err(AppError::No { why: "said_stop" });
    }
    let sealer = tx.sealer(person.key).await?;
    let body = FormBody::Text { text };
    let forms = speech::forms(app, &mut tx, &person, &sealer, std::slice::from_ref(&body)).await?;
    if forms.is_empty() {
        return Err(AppError::No { why: "no_address" });
    }
    let not_before = now
        .plus_seconds(app.limits.undo_seconds)
        .max(at.unwrap_or(now));
    let windows = addresses::windows(&mut tx, candidate).await?;
    let open = forms.iter().any(|form| {
        windows.iter().any(|(line, address, heard)| {
            *line == form.line
                && *address == form.address
                && window::may_leave(&form.body, form.to_kind, Some(*heard), not_before).is_ok()
        })
    });
    if !open {
        return Err(AppError::No { why: "window_shut" });
    }
    let id = app.id(now);
    outbox::add(
        &mut tx,
        &sealer,
        &New {
            id,
            candidate,
            said: None,
            author: Some(scope.coach),
            purpose: Purpose::Reply,
            subject: Subject::Nothing,
            why: "coach".into(),
            state: MessageState::Approved,
            state_why: None,
            approve: Approve::Auto,
            last_word: false,
            not_before,
            not_after: not_before.plus_days(1),
            forms,
        },
        now,
    );
    contacts::was_answered(&mut tx, candidate);
    let over = [
        Why::Wrote,
        Why::SaidSomethingElse,
        Why::HumanFloor,
        Why::AnswerOverdue,
        Why::TeamAnswerOverdue,
    ];
    flags::settle_all(&mut tx, candidate, &over, Some(scope.coach), now);
    note(app, &mut tx, scope, candidate, "write", now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Nothing automatic until and including a day; `None` ends the pause. The person can always write.
pub async fn pause(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    until: Option<NaiveDate>,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = own(&mut tx, scope, candidate).await?;
    contacts::pause(&mut tx, candidate, until).await?;
    match until {
        Some(_) => signs::take_back(app, &mut tx, &person, "paused", now).await?,
        None => watch::soon(&mut tx, candidate, now).await?,
    }
    note(app, &mut tx, scope, candidate, "pause", now).await?;
    tx.changed(candidate);
    Ok(tx.commit().await?)
}

/// Everything to this person waits for a coach's eye, or no longer.
pub async fn by_hand(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    on: bool,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    own(&mut tx, scope, candidate).await?;
    contacts::set_by_hand(&mut tx, candidate, on).await?;
    note(
        app,
        &mut tx,
        scope,
        candidate,
        if on { "by_hand" } else { "by_policy" },
        now,
    )
    .await?;
    tx.changed(candidate);
    Ok(tx.commit().await?)
}

/// The coach saw to it.
pub async fn close_flag(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    flag: FlagId,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    own(&mut tx, scope, candidate).await?;
    if flags::close(&mut tx, flag, candidate, scope.coach, now).await? == 0 {
        return Err(AppError::Overtaken {
            what: "flag_closed",
        });
    }
    note(app, &mut tx, scope, candidate, "close_flag", now).await?;
    tx.changed(candidate);
    Ok(tx.commit().await?)
}

/// The candidate, if this coach may see them.
pub async fn own(tx: &mut Tx, scope: &Scope, candidate: CandidateId) -> Result<Person, AppError> {
    let person = turn::person(tx, candidate).await?;
    if !scope.covers(person.organisation, person.team) {
        return Err(AppError::NotFound);
    }
    Ok(person)
}

pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
    verb: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    let object = format!("candidate:{candidate}");
    trail::by_coach(app, tx, scope, verb, object, now).await
}
