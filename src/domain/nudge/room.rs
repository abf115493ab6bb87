//! Room for one more nudge: the caps of a day and of seven days, and the days that reminders of meetings
//! need for themselves.

use chrono::NaiveDate;

use super::{PersonFacts, Rule, Wait, flow_of};
use crate::domain::cadence::Cadence;
use crate::domain::plan::{Meeting, MeetingState, Subject};
use crate::domain::time::{Holidays, Timestamp, Tz, add_working_days};

/// What the meetings of a person mean for a nudge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// It is about a meeting that the person agreed to: a reminder, a change, that it is off. It cannot wait
    /// for another day, and somebody who hears nothing stands before a closed door: neither the caps nor
    /// the human floor stop it. It counts for those that follow.
    Agreed,
    /// It leaves these days, from today on, to reminders that will go. They count as taken.
    Leaves(Vec<NaiveDate>),
}

impl Room {
    /// For a nudge by this rule or node about this; `meetings` are those of the plan, without the ones that
    /// are called off. Practice before a meeting is about it too, and is no part of what was agreed.
    pub fn of(
        (why, about): (&str, Subject),
        meetings: &[Meeting],
        now: Timestamp,
        zone: Tz,
        holidays: &Holidays,
    ) -> Self {
        let of_the_meeting = flow_of(why) == Rule::Invitation.flow();
        let (Subject::Meeting(id), true) = (about, of_the_meeting) else {
            return Room::Leaves(reminders(meetings, now, zone, holidays));
        };
        let state = meetings.iter().find(|it| it.id == id).map(|it| it.state);
        match state {
            Some(MeetingState::Booked | MeetingState::Cancelled) | None => Room::Agreed,
            Some(MeetingState::Proposed | MeetingState::Held | MeetingState::Missed) => {
                Room::Leaves(Vec::new())
            }
        }
    }
}

/// The days on which this person will be reminded of a meeting: the working day before each, as
/// `meeting_invite` has it.
fn reminders(
    meetings: &[Meeting],
    now: Timestamp,
    zone: Tz,
    holidays: &Holidays,
) -> Vec<NaiveDate> {
    let today = now.local_day(zone);
    let booked = meetings
        .iter()
        .filter(|it| it.state == MeetingState::Booked);
    let starts = booked.filter_map(|it| it.starts_at);
    starts
        .map(|at| add_working_days(at.local_day(zone), -1, holidays))
        .filter(|day| *day >= today)
        .collect()
}

/// As far as a day with room is looked for.
const MOST_AHEAD_DAYS: usize = 60;

/// The first day on which the caps leave room, if today does not.
pub(super) fn full_until(
    person: &PersonFacts,
    today: NaiveDate,
    zone: Tz,
    cadence: &Cadence,
) -> Option<(NaiveDate, Wait)> {
    let Room::Leaves(kept) = &person.room else {
        return None;
    };
    let mut days: Vec<NaiveDate> = person
        .accepted
        .iter()
        .map(|at| at.local_day(zone))
        .collect();
    // Where something went already, the reminder of that day did.
    let kept: Vec<NaiveDate> = kept
        .iter()
        .copied()
        .filter(|day| !days.contains(day))
        .collect();
    days.extend(&kept);
    let over = |count: usize, cap: std::num::NonZeroU32| count as u64 >= u64::from(cap.get());
    let count = |last: NaiveDate, most: i64| {
        let age = |day: &NaiveDate| last.signed_duration_since(*day).num_days();
        days.iter()
            .filter(|day| (0..=most).contains(&age(day)))
            .count()
    };
    let full = |day: NaiveDate| {
        if over(count(day, 0), cadence.caps.a_day) {
            return Some(Wait::DayFull);
        }
        // The seven days that end here, and those that end with a reminder that is still to go.
        let near = |kept: &&NaiveDate| (0..7).contains(&kept.signed_duration_since(day).num_days());
        let mut ends = kept.iter().filter(near).copied().chain([day]);
        ends.any(|last| over(count(last, 6), cadence.caps.in_seven_days))
            .then_some(Wait::SevenDaysFull)
    };
    let wait = full(today)?;
    // Seven days on, nothing that was accepted until now counts any more; reminders go on as far as
    // people are booked ahead.
    let mut coming = today.iter_days().skip(1).take(MOST_AHEAD_DAYS);
    let free = coming.find(|day| full(*day).is_none());
    Some((free.unwrap_or(NaiveDate::MAX), wait))
}

#[cfg(test)]
mod tests;
