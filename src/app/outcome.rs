//! What became of an attempt: the answer's proof is written, and the ledger, the flags and the talk hear
//! it. Also what ends without an answer: a lease that ran out, a time that is over.

use std::collections::BTreeSet;

use super::send::{Back, Job};
use super::{App, AppError, receipts, turn};
use crate::domain::contact::{AddressState, Purpose};
use crate::domain::ids::{CandidateId, MessageId};
use crate::domain::message::MessageState;
use crate::domain::nudge;
use crate::domain::plan::{Meeting, Subject};
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::ports::channel::Outcome;
use crate::store::attempts::{self, Ended};
use crate::store::contacts::{self, Person};
use crate::store::nudges as ledger;
use crate::store::outbox::{self, Form, Outgoing};
use crate::store::{Coming, Tx, addresses, flags, lines, plans, rounds};

/// Writes what the answers prove, as a set, then what follows from each that its attempt still owned.
pub(super) async fn record(
    app: &App,
    tx: &mut Tx,
    backs: &[Back],
    now: Timestamp,
) -> Result<(), AppError> {
    let outcomes: Vec<Outcome> = backs.iter().map(|back| outcome_of(app, back)).collect();
    let owned = prove(tx, backs, &outcomes, now).await?;
    all_accepted(app, tx, &accepted_of(backs, &outcomes), &owned, now).await?;
    for (back, outcome) in backs.iter().zip(&outcomes) {
        let owns = owned.contains(&back.job.message.id);
        follow(app, tx, &back.job, outcome, owns, now).await?;
    }
    Ok(())
}

/// Writes what the answers prove and nothing that follows from it: for a talk that cannot be read.
pub(super) async fn record_untold(
    app: &App,
    tx: &mut Tx,
    backs: &[Back],
    now: Timestamp,
) -> Result<(), AppError> {
    let outcomes: Vec<Outcome> = backs.iter().map(|back| outcome_of(app, back)).collect();
    prove(tx, backs, &outcomes, now).await.map(drop)
}

/// The outcomes, the ledger and the human floor; which messages their attempts still owned.
async fn prove(
    tx: &mut Tx,
    backs: &[Back],
    outcomes: &[Outcome],
    now: Timestamp,
) -> Result<BTreeSet<MessageId>, AppError> {
    let ended: Vec<_> = backs
        .iter()
        .zip(outcomes)
        .map(|(back, outcome)| (ended(&back.job, outcome, now), back.job.person.key))
        .collect();
    let owned = rounds::ended(tx, &ended, now).await?;
    let (mut personal, mut nudges) = (Vec::new(), Vec::new());
    for (job, _) in accepted_of(backs, outcomes) {
        let message = &job.message;
        if !owned.contains(&message.id) {
            continue;
        }
        if message.author.is_some() {
            personal.push(message.candidate);
        } else if job.nudge {
            nudges.push((message.id, message.candidate));
        }
    }
    rounds::personal_lines(tx, &personal).await?;
    rounds::nudges_sent(tx, &nudges, now).await?;
    Ok(owned)
}

/// Those that the provider took, each with the provider's id of it.
fn accepted_of<'a>(backs: &'a [Back], outcomes: &'a [Outcome]) -> Vec<(&'a Job, &'a str)> {
    backs
        .iter()
        .zip(outcomes)
        .filter_map(|(back, outcome)| match outcome {
            Outcome::Accepted { provider_id } => Some((&back.job, provider_id.as_str())),
            _ => None,
        })
        .collect()
}

/// What the answer proves, in the words of its channel.
fn outcome_of(app: &App, back: &Back) -> Outcome {
    let Back { job, answer } = back;
    let form = job.forms.get(job.position);
    let outcome = match form.and_then(|form| app.door_of(form.line)) {
        Some((_, door)) => door.channel.outcome(answer),
        None => Outcome::InDoubt {
            code: "line_gone".to_owned(),
        },
    };
    tracing::info!(message = %job.message.id, attempt = job.attempt, outcome = name(&outcome), "sent");
    outcome
}

/// An outcome as a row.
fn ended<'a>(job: &Job, outcome: &'a Outcome, now: Timestamp) -> Ended<'a> {
    let again = |code: &'a str, seconds: i64| {
        let at = now.plus_seconds(seconds);
        (MessageState::Retry, Some(code), Some(code), at)
    };
    let here = u32::try_from(job.position).unwrap_or(0);
    let mut form = here;
    let (state, why, code, not_before) = match outcome {
        Outcome::Accepted { .. } => (MessageState::Accepted, None, None, now),
        Outcome::Later {
            code,
            after_seconds,
        } => again(
            code,
            after_seconds.map_or(5 << job.attempt.min(8), i64::from),
        ),
        Outcome::LaterForThisPerson {
            code,
            after_seconds,
        } => again(
            code,
            i64::from(*after_seconds).saturating_mul(4_i64.pow(job.attempt.min(6) - 1)),
        ),
        Outcome::NextForm { code, dead } if next_usable(&job.forms, job.position, *dead) => {
            form = here + 1;
            again(code, 0)
        }
        Outcome::NextForm { code, .. }
        | Outcome::Rejected { code }
        | Outcome::OptedOut { code } => (
            MessageState::Rejected,
            Some(code.as_str()),
            Some(code.as_str()),
            now,
        ),
        Outcome::Misconfigured { code } => {
            let (state, _, code, at) = again(code, 60);
            (state, Some("line_paused"), code, at)
        }
        Outcome::InDoubt { code } => (
            MessageState::InDoubt,
            Some(code.as_str()),
            Some(code.as_str()),
            now,
        ),
    };
    let provider_id = match outcome {
        Outcome::Accepted { provider_id } => Some(provider_id.as_str()),
        _ => None,
    };
    Ended {
        message: job.message.id,
        candidate: job.message.candidate,
        attempt: job.attempt,
        state,
        why,
        code,
        provider_id,
        not_before,
        form,
    }
}

/// The messages left the house: their talks hear it, then the reports that came before are read.
async fn all_accepted(
    app: &App,
    tx: &mut Tx,
    accepted: &[(&Job, &str)],
    owned: &BTreeSet<MessageId>,
    now: Timestamp,
) -> Result<(), AppError> {
    let hear: Vec<(&Person, u32)> = accepted
        .iter()
        .filter(|(job, _)| owned.contains(&job.message.id))
        .filter_map(|(job, _)| Some((&job.person, job.message.said?)))
        .collect();
    let people: Vec<CandidateId> = hear.iter().map(|(person, _)| person.candidate.id).collect();
    let mut coming = Coming::default();
    for (at, (person, said)) in hear.into_iter().enumerate() {
        if let Some(next) = coming.before(tx, at, people.len()) {
            turn::look_ahead(tx, &people[next], &[]).await?;
        }
        turn::play(app, tx, person, Event::Accepted { said }, now).await?;
    }
    let sent: Vec<_> = accepted
        .iter()
        .map(|(job, provider_id)| (job.message.id, *provider_id, job.token.as_str()))
        .collect();
    let orphaned = rounds::orphaned(tx, &sent).await?;
    for (job, provider_id) in accepted {
        if orphaned.contains(&job.message.id) {
            let ids = (*provider_id, job.token.as_str());
            receipts::adopt(app, tx, &job.message, &job.person, ids, now).await?;
        }
    }
    Ok(())
}

/// What follows from an outcome that is no acceptance. `owns`: the attempt still owned its message.
async fn follow(
    app: &App,
    tx: &mut Tx,
    job: &Job,
    outcome: &Outcome,
    owns: bool,
    now: Timestamp,
) -> Result<(), AppError> {
    let (message, person) = (&job.message, &job.person);
    let form = job.forms.get(job.position);
    match outcome {
        Outcome::Accepted { .. } | Outcome::Later { .. } | Outcome::LaterForThisPerson { .. } => {}
        Outcome::NextForm { dead, .. } => {
            if let (true, Some(form)) = (*dead, form) {
                addresses::set_state(tx, form.address, AddressState::Doubted, now).await?;
            }
            if owns && !next_usable(&job.forms, job.position, *dead) {
                gave_up(app, tx, message, person, Why::NotReachable, now).await?;
            }
        }
        Outcome::Rejected { .. } => {
            if owns {
                gave_up(app, tx, message, person, Why::SendFailed, now).await?;
            }
        }
        Outcome::OptedOut { .. } => {
            if message.purpose != Purpose::Reply {
                let what = (message.purpose, false, contacts::How::Provider);
                let id = app.row_id(now);
                contacts::record_consent(tx, id, message.candidate, what, "whatsapp", now).await?;
            }
            if owns {
                gave_up(app, tx, message, person, Why::Refused, now).await?;
            }
        }
        Outcome::Misconfigured { code } => {
            if let Some(form) = form {
                lines::pause_line(tx, form.line, code, now).await?;
                tracing::error!(line = %form.line, %code, "the provider refuses our account: the line is paused");
            }
        }
        Outcome::InDoubt { .. } => {
            if owns {
                doubt(app, tx, message.candidate, person, message.subject, now).await?;
                let ids = ("", job.token.as_str());
                receipts::adopt(app, tx, message, person, ids, now).await?;
            }
        }
    }
    Ok(())
}

/// Is there a form after this one that could still be tried? With a dead address only another address.
fn next_usable(forms: &[Form], here: usize, dead: bool) -> bool {
    let Some(address) = forms.get(here).map(|form| form.address) else {
        return false;
    };
    (here + 1..forms.len()).any(|at| !dead || forms[at].address != address)
}

/// The message left the house: the ledger, the human floor and the talk hear it. Called once a message.
pub async fn accepted(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    if message.author.is_some() {
        contacts::personal_line(tx, message.candidate).await?;
    } else if ledger::is_nudge(tx, message.id).await? {
        contacts::one_more_automated(tx, message.candidate).await?;
        ledger::close_message(tx, message.id, nudge::Ended::Sent, now);
    }
    match message.said {
        Some(said) => turn::play(app, tx, person, Event::Accepted { said }, now).await,
        None => Ok(()),
    }
}

/// Proven not delivered, and no form is left.
pub async fn gave_up(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    why: Why,
    now: Timestamp,
) -> Result<(), AppError> {
    ledger::close_message(tx, message.id, nudge::Ended::Undelivered, now);
    let (id, coach) = (app.id(now), person.candidate.coach);
    flags::open(tx, id, message.candidate, coach, why, message.subject, now);
    match message.said {
        Some(said) => turn::play(app, tx, person, Event::Undelivered { said }, now).await,
        None => Ok(()),
    }
}

/// The message's time is over: it ends where people can see it.
pub async fn expire(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    outbox::change(
        tx,
        message,
        MessageState::Expired,
        Some("too_late"),
        message.not_before,
    )
    .await?;
    ledger::close_message(tx, message.id, nudge::Ended::Expired, now);
    let meeting = meeting_of(tx, message).await?;
    if meeting.is_some_and(|meeting| meeting.waits_for_word(now)) {
        tell(app, tx, message, person, now);
    }
    dropped(app, tx, message, person, now).await
}

/// The meeting that this message is about, if it is in the plan.
async fn meeting_of(tx: &mut Tx, message: &Outgoing) -> Result<Option<Meeting>, AppError> {
    let Subject::Meeting(id) = message.subject else {
        return Ok(None);
    };
    let meetings = plans::meetings(tx, message.candidate).await?;
    Ok(meetings.into_iter().find(|meeting| meeting.id == id))
}

fn tell(app: &App, tx: &mut Tx, message: &Outgoing, person: &Person, now: Timestamp) {
    let (id, coach) = (app.id(now), person.candidate.coach);
    let (why, about) = (Why::MeetingUntold, message.subject);
    flags::open(tx, id, message.candidate, coach, why, about, now);
}

/// A meeting stands, and a machine will not say what was to be said of it: a coach hears it in time.
pub async fn untold(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    let meeting = meeting_of(tx, message).await?;
    if meeting.is_some_and(|meeting| meeting.is_coming(now)) {
        tell(app, tx, message, person, now);
    }
    Ok(())
}

/// Tells the talk that a message will not go.
pub async fn dropped(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    match message.said {
        Some(said) => turn::play(app, tx, person, Event::Dropped { said }, now).await,
        None => Ok(()),
    }
}

async fn doubt(
    app: &App,
    tx: &mut Tx,
    candidate: CandidateId,
    person: &Person,
    subject: Subject,
    now: Timestamp,
) -> Result<(), AppError> {
    let (id, coach) = (app.id(now), person.candidate.coach);
    flags::open(tx, id, candidate, coach, Why::InDoubt, subject, now);
    Ok(())
}

/// *Sending* whose lease ran out: a crash, or a frozen process. Never retried, always doubt.
pub async fn lost(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.store.write_in_line().await?;
    let lost = attempts::lost_leases(&mut tx, now, 64).await?;
    if lost.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    for gone in &lost {
        if attempts::lost(&mut tx, gone, now).await? {
            let (id, why) = (app.id(now), Why::InDoubt);
            flags::open(
                &mut tx,
                id,
                gone.candidate,
                gone.coach,
                why,
                gone.subject,
                now,
            );
        }
    }
    tx.commit().await?;
    Ok(lost.len())
}

pub(super) const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Later { .. } => "later",
        Outcome::LaterForThisPerson { .. } => "later for this person",
        Outcome::NextForm { .. } => "next form",
        Outcome::Rejected { .. } => "rejected",
        Outcome::OptedOut { .. } => "opted out",
        Outcome::Misconfigured { .. } => "misconfigured",
        Outcome::InDoubt { .. } => "in doubt",
    }
}
