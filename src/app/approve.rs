//! What a coach decides about a draft or a doubt. An approval is bound to the hash of what is sent; each
//! decision names the version it saw, so a stale page or a double click changes nothing.

use super::effects::withdraw;
use super::{App, AppError, outcome, turn};
use crate::domain::access::Scope;
use crate::domain::ids::{ActId, MessageId};
use crate::domain::message::{Choice, FormBody, MessageState};
use crate::domain::nudge::Ended;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::store::attempts;
use crate::store::audit::{self, Entry};
use crate::store::contacts::{self, Person};
use crate::store::outbox::{self, Outgoing};
use crate::store::{StoreError, Tx, addresses, flags, nudges};

/// What the coach had before their eyes.
#[derive(Debug, Clone)]
pub struct Seen {
    pub version: i64,
    pub content_hash: String,
}

/// What a coach can say about a message that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It arrived: the person answered, or said so on the phone.
    Arrived,
    /// Send it again; it may come twice, and that is this coach's decision.
    Again,
    /// Leave it: it stays "possibly sent" and holds nothing back any more, neither in the outbox nor in the talk.
    LeaveAlone,
}

/// Lets the draft go, after the seconds in which it can be taken back.
pub async fn approve(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
) -> Result<Timestamp, AppError> {
    let at = app.now().plus_seconds(app.limits.undo_seconds);
    decide(app, scope, id, seen, "approve", at).await
}

/// Lets the draft go, but not before a moment.
pub async fn later(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
    at: Timestamp,
) -> Result<Timestamp, AppError> {
    let first = app.now().plus_seconds(app.limits.undo_seconds);
    decide(app, scope, id, seen, "approve", at.max(first)).await
}

async fn decide(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
    verb: &str,
    at: Timestamp,
) -> Result<Timestamp, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, _) = waiting(&mut tx, scope, id, seen).await?;
    let not_before = at.max(message.not_before);
    if not_before > message.not_after {
        return Err(AppError::No {
            why: "after_its_time",
        });
    }
    outbox::change(&mut tx, &message, MessageState::Approved, None, not_before)
        .await
        .map_err(taken)?;
    note(app, &mut tx, scope, &message, verb, None, now).await?;
    failpoint::hit("approve.before_commit");
    tx.commit().await.map_err(taken)?;
    failpoint::hit("approve.after_commit");
    Ok(not_before)
}

/// Takes an approval back while it still rests.
pub async fn undo(app: &App, scope: &Scope, id: MessageId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, _) = own(&mut tx, scope, id).await?;
    // The other tab was faster: it is a draft again.
    if message.state == MessageState::Waiting {
        return Err(AppError::Overtaken {
            what: "undone_already",
        });
    }
    if message.state != MessageState::Approved || message.attempt > 0 {
        return Err(AppError::Overtaken {
            what: "already_gone",
        });
    }
    outbox::change(&mut tx, &message, MessageState::Waiting, None, now)
        .await
        .map_err(taken)?;
    note(app, &mut tx, scope, &message, "withdraw", None, now).await?;
    Ok(tx.commit().await?)
}

/// Other words. The text changes in every form that can carry it; a template cannot, so it is dropped,
/// and outside the 24-hour window an edited message cannot go. It counts as a personal line.
pub async fn edit(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
    text: &str,
    go: bool,
) -> Result<(), AppError> {
    let text = clean(text)?;
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, person) = waiting(&mut tx, scope, id, seen).await?;
    let sealer = tx.sealer(person.key).await?;
    let mut forms = outbox::forms(&mut tx, &sealer, id).await?;
    forms.retain(|form| !matches!(form.body, FormBody::Template(_)));
    let windows = addresses::windows(&mut tx, person.candidate.id).await?;
    let open = forms.iter().any(|form| {
        windows.iter().any(|(line, address, at)| {
            *line == form.line
                && *address == form.address
                && crate::domain::window::may_leave(&form.body, form.to_kind, Some(*at), now)
                    .is_ok()
        })
    });
    if !open {
        return Err(AppError::No { why: "window_shut" });
    }
    for form in &mut forms {
        let choices: Vec<Choice> = form.body.choices().to_vec();
        form.body = match &form.body {
            FormBody::Buttons { list_label, .. } => FormBody::Buttons {
                text: text.clone(),
                choices,
                list_label: list_label.clone(),
            },
            _ => FormBody::Text { text: text.clone() },
        };
    }
    let hash = outbox::edit(&mut tx, &sealer, &message, &forms)
        .await
        .map_err(taken)?;
    contacts::personal_line(&mut tx, person.candidate.id).await?;
    let edited = Outgoing {
        version: message.version + 1,
        content_hash: hash,
        ..message
    };
    note(app, &mut tx, scope, &edited, "edit", None, now).await?;
    if go {
        let at = now
            .plus_seconds(app.limits.undo_seconds)
            .max(edited.not_before);
        outbox::change(&mut tx, &edited, MessageState::Approved, None, at)
            .await
            .map_err(taken)?;
    }
    tx.changed(person.candidate.id);
    failpoint::hit("approve.before_commit");
    tx.commit().await?;
    failpoint::hit("approve.after_commit");
    Ok(())
}

/// Keeps the draft back until a moment; then it waits for an eye again.
pub async fn hold(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
    until: Timestamp,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, _) = waiting(&mut tx, scope, id, seen).await?;
    if until > message.not_after {
        return Err(AppError::No {
            why: "after_its_time",
        });
    }
    outbox::change(
        &mut tx,
        &message,
        MessageState::Held,
        Some("by_coach"),
        until,
    )
    .await
    .map_err(taken)?;
    note(app, &mut tx, scope, &message, "hold", None, now).await?;
    Ok(tx.commit().await?)
}

/// Not to be sent, for one of the page's reasons.
pub async fn drop_draft(
    app: &App,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
    reason: &str,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, person) = waiting(&mut tx, scope, id, seen).await?;
    withdraw(&mut tx, &message, reason, now);
    note(app, &mut tx, scope, &message, "withdraw", None, now)
        .await
        .map_err(overtaken)?;
    outcome::dropped(app, &mut tx, &message, &person, now)
        .await
        .map_err(overtaken)?;
    tx.commit().await.map_err(taken)
}

/// A coach decides about a message that may have been sent.
pub async fn resolve_doubt(
    app: &App,
    scope: &Scope,
    id: MessageId,
    version: i64,
    doubt: Doubt,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (message, person) = own(&mut tx, scope, id).await?;
    if message.state != MessageState::InDoubt || message.version != version {
        return Err(AppError::Overtaken {
            what: "doubt_settled",
        });
    }
    match doubt {
        Doubt::Arrived => {
            let sealer = tx.sealer(person.key).await?;
            let (attempt, told) = (message.attempt, format!("by-hand-{id}"));
            attempts::named(&mut tx, &sealer, id, attempt, &told);
            // A report came first, between our reading and our writing: it has told the talk already.
            if !attempts::proven(&mut tx, id, attempt, now).await? {
                let what = "doubt_settled";
                return Err(tx.taken_back(AppError::Overtaken { what }).await);
            }
            note(app, &mut tx, scope, &message, "approve", None, now).await?;
            outcome::accepted(app, &mut tx, &message, &person, now).await?;
        }
        Doubt::Again => {
            if message.not_after < now {
                return Err(AppError::No {
                    why: "after_its_time",
                });
            }
            let at = now.plus_seconds(app.limits.undo_seconds);
            outbox::change(&mut tx, &message, MessageState::Approved, Some("again"), at)
                .await
                .map_err(taken)?;
            note(app, &mut tx, scope, &message, "resend", None, now).await?;
        }
        Doubt::LeaveAlone => {
            outbox::put_off(&mut tx, &message, message.not_before, Some("left_alone"))
                .await
                .map_err(taken)?;
            // Nobody knows, and nobody will: the ledger must not wait for it, and neither may what the person
            // is asked after it. The question counts as put: an answer is heard, and silence leads on.
            nudges::close_message(&mut tx, id, Ended::Held, now);
            if let Some(said) = message.said {
                let event = Event::Accepted { said };
                turn::play(app, &mut tx, &person, event, now).await?;
            }
            note(app, &mut tx, scope, &message, "hold", None, now).await?;
        }
    }
    let by = Some(scope.coach);
    flags::settle(
        &mut tx,
        message.candidate,
        Why::InDoubt,
        message.subject,
        by,
        now,
    )
    .await?;
    outbox::after_doubt(&mut tx, message.candidate, now).await?;
    tx.changed(message.candidate);
    Ok(tx.commit().await?)
}

/// The message, if it is this coach's to decide about.
pub(super) async fn own(
    tx: &mut Tx,
    scope: &Scope,
    id: MessageId,
) -> Result<(Outgoing, Person), AppError> {
    let message = outbox::message(tx, id).await?.ok_or(AppError::NotFound)?;
    let person = turn::person(tx, message.candidate).await?;
    if !scope.covers(person.organisation, person.team) {
        return Err(AppError::NotFound);
    }
    Ok((message, person))
}

/// The draft as the coach saw it, still waiting; else a sentence that says what happened.
pub(super) async fn waiting(
    tx: &mut Tx,
    scope: &Scope,
    id: MessageId,
    seen: &Seen,
) -> Result<(Outgoing, Person), AppError> {
    let (message, person) = own(tx, scope, id).await?;
    let what = match message.state {
        MessageState::Waiting
            if message.version == seen.version && message.content_hash == seen.content_hash =>
        {
            return Ok((message, person));
        }
        MessageState::Waiting => "changed_meanwhile",
        MessageState::Approved
        | MessageState::Sending
        | MessageState::Retry
        | MessageState::Accepted => "approved_already",
        MessageState::Cancelled => "withdrawn_already",
        MessageState::Expired => "expired_already",
        MessageState::Held => "held_already",
        MessageState::InDoubt => "in_doubt_already",
        MessageState::Rejected => "rejected_already",
        MessageState::Draft => "changed_meanwhile",
    };
    Err(AppError::Overtaken { what })
}

/// The coach's decision about one message, in the message's own list and in the log.
pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    message: &Outgoing,
    verb: &str,
    act: Option<ActId>,
    now: Timestamp,
) -> Result<(), AppError> {
    let approval = outbox::Approval {
        id: app.row_id(now),
        message: message.id,
        coach: scope.coach,
        verb,
        content_hash: &message.content_hash,
        act,
    };
    outbox::add_approval(tx, &approval, now).await?;
    let entry = Entry {
        organisation: Some(scope.organisation.to_string()),
        actor: format!("coach:{}", scope.coach),
        verb,
        object: format!("message:{}", message.id),
        content_hash: Some(message.content_hash.clone()),
    };
    Ok(audit::append(tx, app.row_id(now), entry, now).await?)
}

/// Text as a person may send it: no control characters but line breaks, not empty, not endless.
pub fn clean(text: &str) -> Result<String, AppError> {
    let text: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect();
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(AppError::No { why: "empty" });
    }
    if text.chars().count() > 1000 {
        return Err(AppError::No { why: "too_long" });
    }
    Ok(text)
}

/// As `taken`, for what is an error of a verb already.
fn overtaken(error: AppError) -> AppError {
    match error {
        AppError::Store(error) => taken(error),
        other => other,
    }
}

/// Somebody was faster.
pub(super) fn taken(error: StoreError) -> AppError {
    match error {
        StoreError::Stale(_) | StoreError::Conflict(_) => AppError::Overtaken {
            what: "changed_meanwhile",
        },
        other => other.into(),
    }
}
