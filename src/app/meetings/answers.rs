//! What a person's answer does to a meeting: books it, gives it back, asks for another, calls it off.
//! A moment that is gone by then is `Stale`: the turn starts over and offers what is free.

use super::{USUAL_PARTICIPANTS, blank, call_off, into, propose};
use crate::app::{App, AppError};
use crate::domain::ids::{FlowHash, SlotId};
use crate::domain::plan::{Meeting, MeetingKind, MeetingState, Subject};
use crate::domain::slots::{Slot, mode_for};
use crate::domain::talk::effect::Act;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::Why;
use crate::domain::talk::world::World;
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::meetings::{self, MeetingRow, NewMeeting};
use crate::store::sealed::Sealer;
use crate::store::{StoreError, Tx, flags, slots, watch};

/// One deed of a flow about a meeting.
pub struct Asked {
    pub act: Act,
    pub subject: Subject,
    /// The moment that was picked.
    pub slot: Option<SlotId>,
    pub by: FlowHash,
}

/// Carries it out, shows it in the world that the texts of this step are written from, and gives the
/// events that follow.
pub async fn carry_out(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    asked: Asked,
    world: &mut World,
    now: Timestamp,
) -> Result<Vec<Event>, AppError> {
    let known = match asked.subject {
        Subject::Meeting(id) => meetings::meeting(tx, id)
            .await?
            .filter(|row| row.candidate == person.candidate.id),
        Subject::Task(_) | Subject::Vacancy(_) | Subject::Nothing => None,
    };
    watch::soon(tx, person.candidate.id, now).await?;
    match (&asked.act, known) {
        (Act::MeetingBook, known) => {
            let slot = match asked.slot {
                Some(slot) => slots::these(tx, &[slot]).await?.remove(&slot),
                None => None,
            };
            let Some(slot) = slot else {
                flag(app, tx, person, Why::NoSlots, asked.subject, now);
                return Ok(Vec::new());
            };
            book(app, tx, person, sealer, (asked, known, slot), world, now).await
        }
        (Act::MeetingDecline, Some(row)) if row.meeting.state == MeetingState::Booked => {
            let mut meeting = row.meeting;
            if let Some(slot) = meeting.slot.take() {
                slots::give_back(tx, slot).await?;
            }
            meeting.state = MeetingState::Proposed;
            // Its moment stays in the row: the calendar entry that goes is the one of that moment.
            meetings::save(tx, &meeting, row.coach, true, now).await?;
            (meeting.starts_at, meeting.ends_at) = (None, None);
            Ok(changed(
                world,
                meeting,
                Change::MeetingCancelled,
                Some(asked.by),
            ))
        }
        (Act::MeetingCancel, Some(row))
            if matches!(
                row.meeting.state,
                MeetingState::Booked | MeetingState::Proposed
            ) =>
        {
            let mut meeting = row.meeting;
            call_off(tx, &mut meeting, row.coach, now).await?;
            flag(app, tx, person, Why::CalledOff, asked.subject, now);
            Ok(changed(
                world,
                meeting,
                Change::MeetingCancelled,
                Some(asked.by),
            ))
        }
        (Act::MeetingAgain, Some(row)) => again(app, tx, person, &row, now).await,
        // The meeting is over or gone: there is nothing to carry out, and a person looks at it.
        _ => {
            flag(app, tx, person, Why::Attendance, asked.subject, now);
            Ok(Vec::new())
        }
    }
}

async fn book(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    (asked, known, slot): (Asked, Option<MeetingRow>, Slot),
    world: &mut World,
    now: Timestamp,
) -> Result<Vec<Event>, AppError> {
    // A meeting that is over stays as it was; what is booked after it is a new one.
    let open = known.filter(|row| {
        matches!(
            row.meeting.state,
            MeetingState::Proposed | MeetingState::Booked
        )
    });
    let kind = open
        .as_ref()
        .map_or(MeetingKind::Progress, |row| row.meeting.kind);
    if mode_for(kind, slot.mode) != slot.mode {
        // The offer was of the office only; nobody is booked elsewhere by an old button.
        return Err(StoreError::Stale("a moment of another mode").into());
    }
    slots::take(tx, slot.id).await?;
    let Some(row) = open else {
        let mut meeting = blank(app.id(now), kind, slot.mode);
        into(&mut meeting, &slot);
        let new = NewMeeting {
            meeting: &meeting,
            candidate: person.candidate.id,
            coach: slot.coach,
            task: "",
            participants: USUAL_PARTICIPANTS,
            reference: None,
        };
        meetings::add(tx, sealer, &new, now).await?;
        // No run is about it yet: whichever flow opens with a booking begins one.
        return Ok(changed(world, meeting, Change::MeetingBooked, None));
    };
    let mut meeting = row.meeting;
    if let Some(old) = meeting.slot {
        slots::give_back(tx, old).await?;
    }
    into(&mut meeting, &slot);
    meetings::save(tx, &meeting, slot.coach, true, now).await?;
    // Also where it was booked already, as when a coach did so while the question was still open: the person
    // chose this moment, and the run waits to tell them that they have it.
    Ok(changed(
        world,
        meeting,
        Change::MeetingBooked,
        Some(asked.by),
    ))
}

/// A new invitation for what was missed, of the same kind and in the same mode. The person asked for it,
/// so that it waits for no rule.
async fn again(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    row: &MeetingRow,
    now: Timestamp,
) -> Result<Vec<Event>, AppError> {
    let coach = person.candidate.coach.unwrap_or(row.coach);
    let like = (row.meeting.kind, row.meeting.mode);
    let id = propose(app, tx, person, coach, like, now).await?;
    let flow = app
        .book
        .newest(crate::domain::nudge::Rule::Invitation.flow());
    Ok(flow
        .map(|flow| Event::Start {
            flow,
            subject: Subject::Meeting(id),
        })
        .into_iter()
        .collect())
}

fn changed(
    world: &mut World,
    mut meeting: Meeting,
    what: Change,
    by: Option<FlowHash>,
) -> Vec<Event> {
    let subject = Subject::Meeting(meeting.id);
    let all = &mut world.plan.meetings;
    match all.iter_mut().find(|known| known.id == meeting.id) {
        Some(known) => {
            meeting.version += 1;
            *known = meeting;
        }
        None => all.push(meeting),
    }
    vec![Event::Changed { what, subject, by }]
}

fn flag(app: &App, tx: &mut Tx, person: &Person, why: Why, subject: Subject, now: Timestamp) {
    let candidate = person.candidate.id;
    flags::open(
        tx,
        app.id(now),
        candidate,
        person.candidate.coach,
        why,
        subject,
        now,
    );
}
