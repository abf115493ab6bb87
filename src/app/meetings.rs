//! Meetings: invited, booked, moved, called off, held, missed; by a person's answer or by a coach. Each
//! change of the plan is told to the talk as an event, so that `meeting_invite` takes it from there.

pub mod agenda;
mod answers;
mod imported;
mod invitations;

use super::slots::place;
use super::{App, AppError, effects, note, takeover, trail, turn};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, CoachId, MeetingId, SlotId};
use crate::domain::nudge::Ended;
use crate::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Plan, Subject};
use crate::domain::slots::Slot;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::{Talk, Why};
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::meetings::{self, MeetingRow, NewMeeting};
use crate::store::{Tx, flags, nudges, outbox, slots, talks, watch};

pub(super) use self::answers::{Asked, carry_out};
pub(super) use self::imported::{arrived, changed};
use self::invitations::propose;
pub use self::invitations::{invite, invite_by};

/// Two people are in a meeting, unless the coach says otherwise (domain.md section 1).
pub const USUAL_PARTICIPANTS: u32 = 2;
/// The most people of one meeting.
pub const MOST_PARTICIPANTS: u32 = 50;
/// How long a meeting may take, in minutes.
pub const MINUTES: std::ops::RangeInclusive<u32> = 5..=480;

/// What a coach agrees with somebody.
pub struct Agreed<'a> {
    pub kind: MeetingKind,
    pub mode: MeetingMode,
    pub starts_at: Timestamp,
    pub minutes: u32,
    /// The address, or for video the link.
    pub place: &'a str,
    /// What will be done in it; may be empty, but for video.
    pub task: &'a str,
    /// With the coach.
    pub participants: u32,
}

impl Agreed<'_> {
    /// The house's rules about meetings: three kinds are at the office, a video meeting has something to do
    /// and two people in it, unless the coach says otherwise.
    fn checked(&self, coach: CoachId, id: MeetingId) -> Result<(Meeting, CoachId), AppError> {
        let no = |why| Err(AppError::No { why });
        if self.kind.offline_only() && self.mode != MeetingMode::Office {
            return no("only_office");
        }
        if !MINUTES.contains(&self.minutes) {
            return no("minutes");
        }
        if !(2..=MOST_PARTICIPANTS).contains(&self.participants) {
            return no("participants");
        }
        task_of(self.mode, self.task)?;
        let place = place(self.mode, self.place)?;
        let meeting = Meeting {
            state: MeetingState::Booked,
            starts_at: Some(self.starts_at),
            ends_at: Some(self.starts_at.plus_seconds(i64::from(self.minutes) * 60)),
            place: Some(place).filter(|place| !place.is_empty()),
            ..blank(id, self.kind, self.mode)
        };
        Ok((meeting, coach))
    }
}

/// Books for a person what was agreed with them. They are told.
pub async fn book(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    agreed: &Agreed<'_>,
) -> Result<MeetingId, AppError> {
    let now = app.now();
    let (meeting, coach) = agreed.checked(scope.coach, app.id(now))?;
    if agreed.starts_at <= now {
        return Err(AppError::No { why: "past" });
    }
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    put(&mut tx, &person, (&meeting, coach), agreed, now).await?;
    let told = (meeting.id, Change::MeetingBooked);
    tell(app, &mut tx, &person, told, now).await?;
    let object = format!("candidate:{candidate}");
    trail::by_coach(app, &mut tx, scope, "meeting_book", object, now).await?;
    tx.commit().await?;
    Ok(meeting.id)
}

/// For somebody who agrees to hear of meetings from now on: those that were booked before, as if each were
/// booked now. In the office the next meeting is often agreed before the code is sent.
pub(super) fn stand(talk: &Talk, plan: &Plan, now: Timestamp) -> Vec<Event> {
    let known = |meeting: &Meeting| {
        let mut runs = talk.runs();
        runs.any(|run| run.subject == Subject::Meeting(meeting.id))
    };
    let stand = plan.meetings.iter().filter(|meeting| {
        meeting.state == MeetingState::Booked && meeting.is_coming(now) && !known(meeting)
    });
    let told = |meeting: &Meeting| Event::Changed {
        what: Change::MeetingBooked,
        subject: Subject::Meeting(meeting.id),
        by: None,
    };
    stand.map(told).collect()
}

/// Books a free moment of the team for a person, for this kind of meeting and with this task.
pub async fn book_slot(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    slot: SlotId,
    (kind, task): (MeetingKind, &str),
) -> Result<MeetingId, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    let slot = fitting(&mut tx, scope, kind, slot, now).await?;
    slots::take(&mut tx, slot.id).await?;
    let mut meeting = blank(app.id(now), kind, slot.mode);
    into(&mut meeting, &slot);
    let new = NewMeeting {
        meeting: &meeting,
        candidate,
        coach: slot.coach,
        task: task_of(slot.mode, task)?,
        participants: USUAL_PARTICIPANTS,
        reference: None,
    };
    let sealer = tx.sealer(person.key).await?;
    meetings::add(&mut tx, &sealer, &new, now).await?;
    let told = (meeting.id, Change::MeetingBooked);
    tell(app, &mut tx, &person, told, now).await?;
    trail::by_coach(app, &mut tx, scope, "meeting_book", object(&person), now).await?;
    tx.commit().await?;
    Ok(meeting.id)
}

/// What will be done: short, and for video something that both work on (domain.md section 1).
fn task_of(mode: MeetingMode, task: &str) -> Result<&str, AppError> {
    let task = task.trim();
    match mode {
        _ if task.chars().count() > 500 => Err(AppError::No {
            why: "meeting_task",
        }),
        MeetingMode::Video if task.is_empty() => Err(AppError::No { why: "video_task" }),
        _ => Ok(task),
    }
}

/// A meeting without a moment.
const fn blank(id: MeetingId, kind: MeetingKind, mode: MeetingMode) -> Meeting {
    Meeting {
        id,
        kind,
        mode,
        state: MeetingState::Proposed,
        slot: None,
        starts_at: None,
        ends_at: None,
        place: None,
        version: 0,
    }
}

/// A meeting in a room or a call that happened without being booked here: a sign of life.
pub async fn happened(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    agreed: &Agreed<'_>,
) -> Result<MeetingId, AppError> {
    let now = app.now();
    let (mut meeting, coach) = agreed.checked(scope.coach, app.id(now))?;
    if agreed.starts_at > now {
        return Err(AppError::No { why: "not_yet" });
    }
    meeting.state = MeetingState::Held;
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    put(&mut tx, &person, (&meeting, coach), agreed, now).await?;
    note::alive(app, &mut tx, scope, &person, now).await?;
    let object = format!("candidate:{candidate}");
    trail::by_coach(app, &mut tx, scope, "meeting_held", object, now).await?;
    tx.commit().await?;
    Ok(meeting.id)
}

async fn put(
    tx: &mut Tx,
    person: &Person,
    (meeting, coach): (&Meeting, CoachId),
    agreed: &Agreed<'_>,
    now: Timestamp,
) -> Result<(), AppError> {
    let new = NewMeeting {
        meeting,
        candidate: person.candidate.id,
        coach,
        task: agreed.task.trim(),
        participants: agreed.participants,
        reference: None,
    };
    let sealer = tx.sealer(person.key).await?;
    Ok(meetings::add(tx, &sealer, &new, now).await?)
}

/// Where a meeting moves to.
pub enum To<'a> {
    /// A free moment of the team.
    Slot(SlotId),
    Time {
        starts_at: Timestamp,
        minutes: u32,
        place: &'a str,
    },
}

/// Moves a booked meeting, or books a proposed one. The person is told the new time; the calendar entry
/// keeps its UID.
pub async fn move_to(
    app: &App,
    scope: &Scope,
    id: MeetingId,
    version: i64,
    to: To<'_>,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (person, row) = seen(&mut tx, scope, id, version).await?;
    let mut meeting = row.meeting.clone();
    let change = match meeting.state {
        MeetingState::Booked => Change::MeetingMoved,
        MeetingState::Proposed => Change::MeetingBooked,
        _ => return Err(settled()),
    };
    let mut coach = row.coach;
    let old = meeting.slot;
    match to {
        To::Slot(slot) => {
            let slot = fitting(&mut tx, scope, meeting.kind, slot, now).await?;
            slots::take(&mut tx, slot.id).await?;
            coach = slot.coach;
            into(&mut meeting, &slot);
        }
        To::Time {
            starts_at,
            minutes,
            place: at,
        } => {
            if starts_at <= now {
                return Err(AppError::No { why: "past" });
            }
            if !MINUTES.contains(&minutes) {
                return Err(AppError::No { why: "minutes" });
            }
            let place = place(meeting.mode, at)?;
            meeting.slot = None;
            meeting.starts_at = Some(starts_at);
            meeting.ends_at = Some(starts_at.plus_seconds(i64::from(minutes) * 60));
            meeting.place = Some(place).filter(|place| !place.is_empty());
        }
    }
    meeting.state = MeetingState::Booked;
    if let Some(old) = old {
        slots::give_back(&mut tx, old).await?;
    }
    meetings::save(&mut tx, &meeting, coach, true, now).await?;
    tell(app, &mut tx, &person, (id, change), now).await?;
    trail::by_coach(app, &mut tx, scope, "meeting_move", object(&person), now).await?;
    Ok(tx.commit().await?)
}

/// Calls a meeting off; its place is free again and the person is told, if they knew of it: of what was agreed in
/// any case, of an invitation only once it has left.
pub async fn cancel(app: &App, scope: &Scope, id: MeetingId, version: i64) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (person, row) = seen(&mut tx, scope, id, version).await?;
    let mut meeting = row.meeting.clone();
    if !matches!(meeting.state, MeetingState::Booked | MeetingState::Proposed) {
        return Err(settled());
    }
    let change = match meeting.state {
        MeetingState::Booked => Change::MeetingCancelled,
        _ => Change::InvitationWithdrawn,
    };
    call_off(&mut tx, &mut meeting, row.coach, now).await?;
    tell(app, &mut tx, &person, (id, change), now).await?;
    trail::by_coach(app, &mut tx, scope, "meeting_cancel", object(&person), now).await?;
    Ok(tx.commit().await?)
}

/// It took place: the strongest sign of life there is.
pub async fn held(app: &App, scope: &Scope, id: MeetingId, version: i64) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (person, row) = seen(&mut tx, scope, id, version).await?;
    begun(&row, now)?;
    let mut meeting = row.meeting.clone();
    meeting.state = MeetingState::Held;
    meetings::save(&mut tx, &meeting, row.coach, false, now).await?;
    settle(&mut tx, scope, &person, now);
    note::alive(app, &mut tx, scope, &person, now).await?;
    tx.changed(row.candidate);
    trail::by_coach(app, &mut tx, scope, "meeting_held", object(&person), now).await?;
    Ok(tx.commit().await?)
}

/// The person was not there. No blame: the flow offers something new.
pub async fn missed(app: &App, scope: &Scope, id: MeetingId, version: i64) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let (person, row) = seen(&mut tx, scope, id, version).await?;
    begun(&row, now)?;
    let mut meeting = row.meeting.clone();
    meeting.state = MeetingState::Missed;
    meetings::save(&mut tx, &meeting, row.coach, false, now).await?;
    settle(&mut tx, scope, &person, now);
    tell(app, &mut tx, &person, (id, Change::MeetingMissed), now).await?;
    trail::by_coach(app, &mut tx, scope, "meeting_missed", object(&person), now).await?;
    Ok(tx.commit().await?)
}

/// The meeting and its person, if they are under these eyes and the page was not old.
async fn seen(
    tx: &mut Tx,
    scope: &Scope,
    id: MeetingId,
    version: i64,
) -> Result<(Person, MeetingRow), AppError> {
    let (person, row) = own(tx, scope, id).await?;
    if row.meeting.version != version {
        return Err(AppError::Overtaken {
            what: "meeting_changed",
        });
    }
    Ok((person, row))
}

/// The meeting and its person, if they are under these eyes.
pub(super) async fn own(
    tx: &mut Tx,
    scope: &Scope,
    id: MeetingId,
) -> Result<(Person, MeetingRow), AppError> {
    let row = meetings::meeting(tx, id).await?.ok_or(AppError::NotFound)?;
    let person = takeover::own(tx, scope, row.candidate).await?;
    Ok((person, row))
}

/// Whether somebody was there is known once it has begun.
fn begun(row: &MeetingRow, now: Timestamp) -> Result<(), AppError> {
    if row.meeting.state != MeetingState::Booked {
        return Err(settled());
    }
    if row.meeting.starts_at > Some(now) {
        return Err(AppError::No { why: "not_yet" });
    }
    Ok(())
}

const fn settled() -> AppError {
    AppError::Overtaken {
        what: "meeting_settled",
    }
}

/// A moment under these eyes that such a meeting may be in.
async fn fitting(
    tx: &mut Tx,
    scope: &Scope,
    kind: MeetingKind,
    slot: SlotId,
    now: Timestamp,
) -> Result<Slot, AppError> {
    let row = slots::one(tx, scope, slot).await?;
    let slot = row.ok_or(AppError::NotFound)?.slot;
    if slot.starts_at <= now {
        return Err(AppError::No { why: "past" });
    }
    if kind.offline_only() && slot.mode != MeetingMode::Office {
        return Err(AppError::No { why: "only_office" });
    }
    if !slot.has_room() {
        return Err(AppError::Overtaken { what: "slot_taken" });
    }
    Ok(slot)
}

/// The meeting is in this moment from now on; its place must be taken already.
fn into(meeting: &mut Meeting, slot: &Slot) {
    meeting.state = MeetingState::Booked;
    meeting.slot = Some(slot.id);
    meeting.mode = slot.mode;
    meeting.starts_at = Some(slot.starts_at);
    meeting.ends_at = Some(slot.ends_at);
    meeting.place = Some(slot.place.clone()).filter(|place| !place.is_empty());
}

/// Ends a meeting that will not be; a moment that it took is free again.
async fn call_off(
    tx: &mut Tx,
    meeting: &mut Meeting,
    coach: CoachId,
    now: Timestamp,
) -> Result<(), AppError> {
    let slot = meeting.slot.take();
    if meeting.state == MeetingState::Booked
        && let Some(slot) = slot
    {
        slots::give_back(tx, slot).await?;
    }
    // Without a moment there was never an entry, and a cancelled row must have one: the one of its end.
    meeting.starts_at = Some(meeting.starts_at.unwrap_or(now));
    meeting.state = MeetingState::Cancelled;
    Ok(meetings::save(tx, meeting, coach, true, now).await?)
}

/// Tells the talk, and takes back what it had said about the meeting and not sent: the reason is gone.
async fn tell(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    (id, what): (MeetingId, Change),
    now: Timestamp,
) -> Result<(), AppError> {
    let candidate = person.candidate.id;
    let subject = Subject::Meeting(id);
    watch::soon(tx, candidate, now).await?;
    nudges::close_subject(tx, candidate, subject, Ended::Withdrawn, now);
    let mut old = about(tx, candidate, subject).await?;
    let unheard_of =
        what == Change::InvitationWithdrawn && !outbox::has_left(tx, candidate, subject).await?;
    let event = Event::Changed {
        what,
        subject,
        by: None,
    };
    turn::play(app, tx, person, event, now).await?;
    if unheard_of {
        // Nobody is told that something is off of which they never heard.
        old = about(tx, candidate, subject).await?;
    }
    let sealer = tx.sealer(person.key).await?;
    let talk = talks::peek(tx, candidate, &sealer).await?;
    let asked = talk.front().map(|(.., said)| said);
    for message in old {
        let open = message.said.is_some() && message.said == asked;
        if let Some(message) = outbox::message(tx, message.id).await?.filter(|_| !open) {
            effects::withdraw(tx, &message, "overtaken", now);
        }
    }
    Ok(())
}

/// What the machine has written about this and not sent.
async fn about(
    tx: &mut Tx,
    candidate: CandidateId,
    subject: Subject,
) -> Result<Vec<outbox::Outgoing>, AppError> {
    let mut unsent = outbox::unsent(tx, candidate).await?;
    unsent.retain(|message| message.subject == subject && message.author.is_none());
    Ok(unsent)
}

/// What the coach was asked about attendance is answered.
fn settle(tx: &mut Tx, scope: &Scope, person: &Person, now: Timestamp) {
    let (candidate, coach) = (person.candidate.id, Some(scope.coach));
    flags::settle_all(tx, candidate, &[Why::Attendance], coach, now);
}

fn object(person: &Person) -> String {
    format!("candidate:{}", person.candidate.id)
}
