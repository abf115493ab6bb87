//! What a look at one person must know, read together; the looking itself is `domain/nudge/look.rs`.

use super::{App, AppError, House, send, takeover};
use crate::domain::access::Scope;
use crate::domain::blend::{self, Blend, Contacts, Stands};
use crate::domain::cadence::Band;
use crate::domain::ids::CandidateId;
use crate::domain::nudge::look::{Found, Seen, look};
use crate::domain::nudge::{Since, Standing};
use crate::domain::plan::MeetingState;
use crate::domain::talk::state::{State, Talk, Until};
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Person};
use crate::store::watch::{self, Known};
use crate::store::{Serves, Tx, plans, talks};

/// Everything that the rules may know of this person; `None` for somebody who never agreed to anything.
pub async fn seen(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<Option<Seen>, AppError> {
    let candidate = &person.candidate;
    let Some(known) = watch::known(tx, candidate.id).await? else {
        return Ok(None);
    };
    let Some(since) = known.since else {
        return Ok(None);
    };
    let sealer = tx.sealer(person.key).await?;
    let talk = talks::peek(tx, candidate.id, &sealer).await?;
    let contacts = contacts(app, tx, person, now).await?;
    let standing = match talk.state {
        State::WithCoach { .. } => Standing::WithCoach,
        _ => send::standing(person),
    };
    Ok(Some(Seen {
        candidate: candidate.id,
        skill: candidate.digital_skill,
        track: candidate.track,
        standing,
        consent: contacts::consent(tx, candidate.id).await?,
        since,
        began_in_room: known.began_at.is_some(),
        last_sign: last_sign(&known, &contacts),
        last_sent: known.sent_at,
        open: is_open(&talk),
        waiting: known.waiting,
        climbed_at: known.climbed_at,
        drifted_at: known.drifted_at,
        last_done: known.done_at,
        last: watch::last(tx, candidate.id).await?,
        contacts,
        agreed: known.agreed,
    }))
}

/// The look at this person now; `None` for somebody who never agreed to anything.
pub async fn at(
    app: &App,
    tx: &mut Tx,
    house: &House,
    person: &Person,
    now: Timestamp,
) -> Result<Option<Found>, AppError> {
    let seen = seen(app, tx, person, now).await?;
    Ok(seen.map(|seen| look(&seen, now, house.zone, &app.cadence, &house.holidays)))
}

/// Fetches ahead what looks at these people take.
pub async fn look_ahead(
    app: &App,
    tx: &mut Tx,
    people: &[CandidateId],
    now: Timestamp,
) -> Result<(), AppError> {
    contacts::fetch_ahead(tx, people, Serves::Looks).await?;
    plans::meetings_ahead(tx, people, Serves::Looks).await?;
    talks::peeks_ahead(tx, people).await?;
    watch::known_ahead(tx, people).await?;
    Ok(watch::looks_ahead(tx, people, counted_from(app, now)).await?)
}

/// What a blend counts, and the weeks before it, begin here.
fn counted_from(app: &App, now: Timestamp) -> Timestamp {
    now.plus_days(-14 * i64::from(app.cadence.blend.weeks.get()))
}

/// What was said, done and held in twice the weeks that a blend counts.
pub async fn contacts(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<Contacts, AppError> {
    let candidate = person.candidate.id;
    let since = counted_from(app, now);
    Ok(Contacts {
        wrote: watch::wrote(tx, candidate, since).await?,
        sent: watch::sent(tx, candidate, since).await?,
        meetings: plans::meetings(tx, candidate).await?,
        done: watch::done(tx, candidate, since).await?,
    })
}

/// The blend of a person, for the page of the coach.
pub struct Shares {
    pub now: Blend,
    /// As many weeks before.
    pub before: Blend,
    pub stands: Stands,
    pub agreed: Option<u32>,
    pub band: Band,
}

pub async fn shares(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<Shares, AppError> {
    let zone = app.house(person.organisation)?.zone;
    let numbers = &app.cadence.blend;
    let skill = person.candidate.digital_skill;
    let known = watch::known(tx, person.candidate.id).await?;
    let agreed = known.and_then(|known| known.agreed);
    let contacts = contacts(app, tx, person, now).await?;
    let (lately, before) = Blend::now_and_before(&contacts, now, zone, numbers);
    Ok(Shares {
        stands: blend::stands(&lately, agreed, skill, numbers),
        now: lately,
        before,
        agreed,
        band: numbers.band(skill),
    })
}

/// Coach and candidate agree on an online share, in percent; `None`: what goes for the digital skill.
pub async fn agree(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    percent: Option<u32>,
) -> Result<(), AppError> {
    if percent.is_some_and(|percent| percent > 100) {
        return Err(AppError::No { why: "percent" });
    }
    let now = app.now();
    let mut tx = app.store.write().await?;
    takeover::own(&mut tx, scope, candidate).await?;
    watch::agree(&mut tx, candidate, percent).await?;
    takeover::note(app, &mut tx, scope, candidate, "agree_blend", now).await?;
    tx.changed(candidate);
    Ok(tx.commit().await?)
}

/// What happened since a nudge was written, for `nudge::overtaken`.
pub async fn since(tx: &mut Tx, person: &Person, talk: &Talk) -> Result<Since, AppError> {
    let candidate = person.candidate.id;
    let Some(known) = watch::known(tx, candidate).await? else {
        return Ok(Since::default());
    };
    let meetings = Contacts {
        meetings: plans::meetings(tx, candidate).await?,
        ..Contacts::default()
    };
    Ok(Since {
        sign: last_sign(&known, &meetings),
        sent: known.sent_at,
        open: is_open(talk),
    })
}

/// The last sign of life: a message, a reaction, a task done, a meeting held, or what a coach recorded.
fn last_sign(known: &Known, contacts: &Contacts) -> Option<Timestamp> {
    let held = contacts.meetings.iter();
    let held = held.filter(|meeting| meeting.state == MeetingState::Held);
    let held = held.filter_map(|meeting| meeting.starts_at).max();
    [known.heard_at, known.sign_at, known.done_at, held]
        .into_iter()
        .flatten()
        .max()
}

/// A question is put, or waits for its turn.
fn is_open(talk: &Talk) -> bool {
    let mut waiting = talk.waiting.iter();
    talk.front().is_some() || waiting.any(|waiting| waiting.until == Until::Front)
}
