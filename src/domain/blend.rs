//! The blend of one person: which share of the contacts was online, over the last weeks; and who began
//! them. Pure: the store selects the moments, `Cadence` has the numbers.
//!
//! A contact is a day on which the person wrote, or a meeting that was held. What we send and nobody
//! answers is no contact. Online are messages, phone and video; offline is being in one room.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::cadence::{Band, BlendNumbers};
use super::contact::DigitalSkill;
use super::plan::{Meeting, MeetingState};
use super::time::{Timestamp, Tz};

/// Who writes so long after our last message was not only answering it.
const ANSWER_SECONDS: i64 = 3 * 86_400;

/// What was said and when, and the meetings of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// When the person wrote, in order.
    pub wrote: Vec<Timestamp>,
    /// When messages of ours were accepted, in order.
    pub sent: Vec<Timestamp>,
    pub meetings: Vec<Meeting>,
    /// When tasks were done, and whether the person said so themselves; in order.
    pub done: Vec<(Timestamp, bool)>,
}

/// Contacts counted over a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blend {
    pub online: u32,
    pub offline: u32,
    /// Of the days on which the person wrote: how many they began themselves.
    pub wrote_days: u32,
    pub began: u32,
    /// Tasks done, and how many of them the person ticked.
    pub done: u32,
    pub ticked: u32,
}

impl Blend {
    /// Over `from..to`.
    pub fn between(contacts: &Contacts, from: Timestamp, to: Timestamp, zone: Tz) -> Self {
        let within = |at: &Timestamp| (from..to).contains(at);
        let mut blend = Self::default();
        let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
        for at in contacts.wrote.iter().filter(|at| within(at)) {
            if !days.insert(at.local_day(zone)) {
                continue;
            }
            let answers = contacts.sent.iter().any(|sent| {
                *sent <= *at && at.0.saturating_sub(sent.0) < ANSWER_SECONDS * 1_000_000
            });
            blend.began += u32::from(!answers);
            blend.wrote_days += 1;
            blend.online += 1;
        }
        for meeting in contacts.meetings.iter().filter(|it| held(it)) {
            if meeting.starts_at.as_ref().is_some_and(within) {
                match meeting.mode.offline() {
                    true => blend.offline += 1,
                    false => blend.online += 1,
                }
            }
        }
        for (_, theirs) in contacts.done.iter().filter(|(at, _)| within(at)) {
            blend.done += 1;
            blend.ticked += u32::from(*theirs);
        }
        blend
    }

    /// The last weeks, and as many before them: what the trend is told by.
    pub fn now_and_before(
        contacts: &Contacts,
        now: Timestamp,
        zone: Tz,
        numbers: &BlendNumbers,
    ) -> (Self, Self) {
        let days = i64::from(numbers.weeks.get()) * 7;
        let (middle, first) = (now.plus_days(-days), now.plus_days(-2 * days));
        (
            Self::between(contacts, middle, now, zone),
            Self::between(contacts, first, middle, zone),
        )
    }

    pub const fn contacts(&self) -> u32 {
        self.online + self.offline
    }

    /// The share that was online, in percent; `None` without any contact.
    pub fn share(&self) -> Option<u32> {
        let all = self.contacts();
        // Rounded to the nearest.
        (all > 0).then(|| (self.online * 200 + all) / (all * 2))
    }
}

fn held(meeting: &Meeting) -> bool {
    meeting.state == MeetingState::Held
}

/// How the blend stands to what was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Too few contacts to say anything.
    Unknown,
    Within,
    /// More online than agreed: an office meeting is due.
    TooMuchOnline,
    /// Less online than the band: nothing has to happen.
    LittleOnline,
}

/// `agreed` is the share that coach and candidate agreed on, in percent; without one, the end of the
/// band of this digital skill counts.
pub fn stands(
    blend: &Blend,
    agreed: Option<u32>,
    skill: DigitalSkill,
    numbers: &BlendNumbers,
) -> Stands {
    let Some(share) = blend.share() else {
        return Stands::Unknown;
    };
    if blend.contacts() < numbers.least_contacts {
        return Stands::Unknown;
    }
    let Band(from, to) = numbers.band(skill);
    if share > agreed.unwrap_or(to) {
        Stands::TooMuchOnline
    } else if share < from {
        Stands::LittleOnline
    } else {
        Stands::Within
    }
}

/// Was this person met in one room?
pub fn met(meetings: &[Meeting]) -> bool {
    meetings.iter().any(|it| held(it) && it.mode.offline())
}

#[cfg(test)]
mod tests;
