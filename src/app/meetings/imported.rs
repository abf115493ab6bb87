//! Meetings that another system knows: they come and change by an import, and the talk hears of it as of
//! any other change.

use super::tell;
use crate::app::{App, AppError};
use crate::domain::plan::{Meeting, MeetingState};
use crate::domain::talk::event::Change;
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::meetings::{self, MeetingRow, NewMeeting};
use crate::store::{Tx, slots};

/// A meeting that was not known here. One that is still to come is told to the person; what is over is
/// written down and no more.
pub async fn arrived(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    new: &NewMeeting<'_>,
    now: Timestamp,
) -> Result<(), AppError> {
    let sealer = tx.sealer(person.key).await?;
    meetings::add(tx, &sealer, new, now).await?;
    let comes = new.meeting.starts_at > Some(now);
    if new.meeting.state == MeetingState::Booked && comes {
        let told = (new.meeting.id, Change::MeetingBooked);
        tell(app, tx, person, told, now).await?;
    }
    Ok(())
}

/// A meeting as the other system has it now, and as it was.
pub async fn changed(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    (before, row): (&Meeting, &MeetingRow),
    now: Timestamp,
) -> Result<(), AppError> {
    let mut after = row.meeting.clone();
    let moved = before.starts_at != after.starts_at;
    let gone = before.state == MeetingState::Booked && after.state != MeetingState::Booked;
    // A moment of ours is left when the meeting leaves it.
    if let Some(slot) = after.slot.filter(|_| moved || gone)
        && before.state == MeetingState::Booked
        && (moved || after.state == MeetingState::Cancelled)
    {
        slots::give_back(tx, slot).await?;
        after.slot = None;
    }
    meetings::save(tx, &after, row.coach, true, now).await?;
    let comes = after.starts_at > Some(now);
    let what = match (before.state, after.state) {
        (MeetingState::Booked, MeetingState::Booked) if moved && comes => Change::MeetingMoved,
        (MeetingState::Booked, MeetingState::Cancelled) => Change::MeetingCancelled,
        (MeetingState::Booked, MeetingState::Missed) => Change::MeetingMissed,
        (MeetingState::Proposed | MeetingState::Cancelled, MeetingState::Booked) if comes => {
            Change::MeetingBooked
        }
        _ => {
            tx.changed(person.candidate.id);
            return Ok(());
        }
    };
    tell(app, tx, person, (after.id, what), now).await
}
