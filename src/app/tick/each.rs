//! What is due of one kind goes in one transaction: first everything is looked at, with what that takes fetched
//! for all at once, then the talks that it starts are played. Where one of it cannot be done, each goes alone,
//! and the one that cannot comes again later while a coach hears of it: one person never holds up the others.

use std::collections::BTreeSet;

use super::{begin, commit, expires, people, start};
use crate::app::{App, AppError, House, look, turn, unpanicked};
use crate::domain::ids::{CandidateId, VacancyId};
use crate::domain::message::MessageState;
use crate::domain::plan::Subject;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::store::nudges::{self, Nudge};
use crate::store::outbox::{self, Outgoing};
use crate::store::{Coming, Tx, flags, talks, watch};

/// What could not be done comes again after this.
const AGAIN_SECONDS: i64 = 3600;
/// The same where another instance was faster with this person: that says nothing of what is due.
const SOON_SECONDS: i64 = 60;

/// One thing that is due.
pub(super) enum Due<'a> {
    /// A message whose time is over.
    Overdue(Outgoing),
    /// A talk whose timer went off.
    Timer(CandidateId),
    /// A person whose day it is.
    Look(&'a House, CandidateId),
    Nudge(&'a House, Nudge),
}

impl Due<'_> {
    const fn candidate(&self) -> CandidateId {
        match self {
            Self::Overdue(message) => message.candidate,
            Self::Timer(candidate) | Self::Look(_, candidate) => *candidate,
            Self::Nudge(_, nudge) => nudge.candidate,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Overdue(_) => "an end",
            Self::Timer(_) => "a timer",
            Self::Look(..) => "a look",
            Self::Nudge(..) => "a nudge",
        }
    }
}

/// Does all of this in `tx`, or each alone; how many there were.
pub(super) async fn each(
    app: &App,
    tx: Tx,
    due: &[Due<'_>],
    now: Timestamp,
) -> Result<usize, AppError> {
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let mut spoken = BTreeSet::new();
    match unpanicked(together(app, tx, due, &mut spoken, now)).await {
        Ok(()) => {}
        Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
        Err(_) => {
            spoken.clear();
            for one in due {
                alone(app, one, &mut spoken, now).await?;
            }
        }
    }
    Ok(due.len())
}

/// `spoken`: the people to whom this tick has begun to speak.
async fn together(
    app: &App,
    mut tx: Tx,
    due: &[Due<'_>],
    spoken: &mut BTreeSet<CandidateId>,
    now: Timestamp,
) -> Result<(), AppError> {
    if let Err(error) = play(app, &mut tx, due, spoken, now).await {
        return Err(tx.taken_back(error).await);
    }
    commit(tx).await
}

async fn play(
    app: &App,
    tx: &mut Tx,
    due: &[Due<'_>],
    spoken: &mut BTreeSet<CandidateId>,
    now: Timestamp,
) -> Result<(), AppError> {
    let (mut people, mut events, mut coming) = (Vec::new(), Vec::new(), Coming::default());
    for (at, one) in due.iter().enumerate() {
        if let Some(next) = coming.before(tx, at, due.len()) {
            look_ahead(app, tx, &due[next], now).await?;
        }
        let candidate = one.candidate();
        if let Some(event) = looked(app, tx, one, spoken, now).await? {
            people.push(candidate);
            events.push(event);
        }
        tx.turn_over(&candidate);
    }
    tx.looked();
    let (begun, mut coming) = (begun(&people, &events), Coming::default());
    for (at, event) in events.into_iter().enumerate() {
        if let Some(next) = coming.before(tx, at, people.len()) {
            turn::look_ahead(tx, &people[next], &begun).await?;
        }
        let person = turn::person(tx, people[at]).await?;
        turn::play(app, tx, &person, event, now).await?;
    }
    Ok(())
}

/// The vacancies that talks are about to speak of.
fn begun(people: &[CandidateId], events: &[Event]) -> Vec<(CandidateId, VacancyId)> {
    let vacancy = |(candidate, event): (&CandidateId, &Event)| match event {
        Event::Start {
            subject: Subject::Vacancy(id),
            ..
        } => Some((*candidate, *id)),
        _ => None,
    };
    people.iter().zip(events).filter_map(vacancy).collect()
}

/// Fetches ahead what looking at these takes; they are of one kind.
async fn look_ahead(
    app: &App,
    tx: &mut Tx,
    due: &[Due<'_>],
    now: Timestamp,
) -> Result<(), AppError> {
    let people: Vec<CandidateId> = due.iter().map(Due::candidate).collect();
    match due.first() {
        Some(Due::Look(..)) => look::look_ahead(app, tx, &people, now).await,
        Some(Due::Nudge(..)) => start::look_ahead(tx, &people, now).await,
        Some(Due::Overdue(_) | Due::Timer(_)) | None => Ok(()),
    }
}

/// What this comes to, and the event that the talk hears of it.
async fn looked(
    app: &App,
    tx: &mut Tx,
    one: &Due<'_>,
    spoken: &mut BTreeSet<CandidateId>,
    now: Timestamp,
) -> Result<Option<Event>, AppError> {
    match one {
        Due::Overdue(message) => expires(app, tx, message, now).await.map(|()| None),
        Due::Timer(_) => Ok(Some(Event::Woke)),
        Due::Look(house, candidate) => {
            let looked = people::look_at(app, tx, house, *candidate, now).await;
            looked.map(|()| None)
        }
        Due::Nudge(house, nudge) => start::start(app, tx, house, nudge, spoken, now).await,
    }
}

/// One in a transaction of its own, or later.
async fn alone(
    app: &App,
    one: &Due<'_>,
    spoken: &mut BTreeSet<CandidateId>,
    now: Timestamp,
) -> Result<(), AppError> {
    let Some(tx) = begin(app).await? else {
        return Ok(());
    };
    let one_alone = std::slice::from_ref(one);
    let error = match unpanicked(together(app, tx, one_alone, spoken, now)).await {
        Ok(()) => return Ok(()),
        Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
        Err(error) => error,
    };
    let candidate = one.candidate();
    let overtaken = matches!(&error, AppError::Store(error) if error.was_overtaken());
    let mut tx = app.store.write().await?;
    let again = match overtaken {
        true => SOON_SECONDS,
        false => {
            tracing::error!(%candidate, %error, "{} could not be played", one.name());
            let id = app.id(now);
            flags::open(
                &mut tx,
                id,
                candidate,
                None,
                Why::Stuck,
                Subject::Nothing,
                now,
            );
            AGAIN_SECONDS
        }
    };
    put_off(&mut tx, one, now.plus_seconds(again), overtaken).await?;
    Ok(tx.commit().await?)
}

async fn put_off(
    tx: &mut Tx,
    one: &Due<'_>,
    until: Timestamp,
    overtaken: bool,
) -> Result<(), AppError> {
    match one {
        // It may not leave any more, whether its talk can hear so or not.
        Due::Overdue(message) if !overtaken => {
            let (to, why) = (MessageState::Expired, Some("too_late"));
            outbox::change(tx, message, to, why, message.not_before).await?;
        }
        Due::Overdue(_) => {}
        Due::Timer(candidate) => talks::wake_later(tx, *candidate, until).await?,
        Due::Look(_, candidate) => watch::next(tx, *candidate, Some(until)),
        Due::Nudge(_, nudge) => nudges::move_to(tx, nudge.id, until),
    }
    Ok(())
}
