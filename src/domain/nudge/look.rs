//! One look at one person: what is due by the calendar, what a coach must hear, and the day of the next
//! look. Tasks are found by their day (`due`), vacancies by their match; everything else is found here.
//! Pure: a forecast looks with the same eyes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, Timelike};

use super::{DueNudge, Rule, Standing, due_at};
use crate::domain::blend::{self, Blend, Contacts, Stands};
use crate::domain::cadence::Cadence;
use crate::domain::contact::{DigitalSkill, Purpose, Track};
use crate::domain::ids::CandidateId;
use crate::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Subject};
use crate::domain::talk::state::Why;
use crate::domain::time::{Holidays, Timestamp, Tz, add_working_days, local_moment};

/// Whatever else is due: a person who agreed to anything is looked at once a week.
const MOST_DAYS: u64 = 7;
/// While a question is open its own flow watches; its end brings no look by itself.
const BUSY_DAYS: u64 = 2;
/// Silence before a meeting that is so near is no silence: a person is about to see them.
const MEETING_NEAR_DAYS: u64 = 7;
/// An invitation is not repeated sooner, whatever it was for.
const INVITED_DAYS: u64 = 28;

/// What must be known of one person to look.
#[derive(Debug, Clone)]
pub struct Seen {
    pub candidate: CandidateId,
    pub skill: DigitalSkill,
    pub track: Track,
    pub standing: Standing,
    pub consent: BTreeSet<Purpose>,
    /// The first word of consent: from then on the calendar counts.
    pub since: Timestamp,
    /// Began with a code that the coach showed in the room.
    pub began_in_room: bool,
    /// The last message, reaction, task done, meeting held or sign that a coach recorded.
    pub last_sign: Option<Timestamp>,
    /// When the last message to this person was accepted, whoever wrote it.
    pub last_sent: Option<Timestamp>,
    /// A question is open or about to be put.
    pub open: bool,
    /// Something stands in the ledger and has not begun.
    pub waiting: bool,
    /// When a ladder last ended with the coach (a letter, or silent for too long).
    pub climbed_at: Option<Timestamp>,
    /// When the coach was last told that the blend drifts.
    pub drifted_at: Option<Timestamp>,
    pub last_done: Option<Timestamp>,
    /// The newest due day of each rule in the ledger.
    pub last: BTreeMap<Rule, NaiveDate>,
    /// Of the last weeks; the meetings are all that there are.
    pub contacts: Contacts,
    /// The online share that was agreed, in percent.
    pub agreed: Option<u32>,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub nudges: Vec<DueNudge>,
    /// A meeting at the office that is due and that nobody has planned.
    pub invite: Option<MeetingKind>,
    pub flags: Vec<Why>,
    /// `None`: not before this person agrees to something.
    pub again_at: Option<Timestamp>,
}

/// The look of `now`. Twice on one day it finds the same.
pub fn look(
    seen: &Seen,
    now: Timestamp,
    zone: Tz,
    cadence: &Cadence,
    holidays: &Holidays,
) -> Found {
    let today = now.local_day(zone);
    let mut look = Look {
        seen,
        now,
        today,
        zone,
        cadence,
        holidays,
        next: plus(today, MOST_DAYS),
        found: Found {
            nudges: Vec::new(),
            invite: None,
            flags: Vec::new(),
            again_at: None,
        },
    };
    match seen.standing {
        Standing::Left | Standing::Unknown => return look.found,
        _ if seen.consent.is_empty() => return look.found,
        Standing::Paused { until } if until >= today => look.next = plus(until, 1),
        // A coach has the talk: nothing of ours, but silence is told all the same.
        Standing::WithCoach => look.too_long(),
        Standing::Paused { .. } | Standing::Active => look.everything(),
    }
    let again = look.next.max(plus(today, 1));
    look.found.again_at = Some(look_at(again, zone, cadence));
    look.found
}

/// The moment of a day's looks.
pub fn look_at(day: NaiveDate, zone: Tz, cadence: &Cadence) -> Timestamp {
    let time = cadence.looks_at;
    local_moment(day, time.hour(), time.minute(), zone)
}

fn plus(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

struct Look<'a> {
    seen: &'a Seen,
    now: Timestamp,
    today: NaiveDate,
    zone: Tz,
    cadence: &'a Cadence,
    holidays: &'a Holidays,
    /// The day of the next look.
    next: NaiveDate,
    found: Found,
}

impl Look<'_> {
    fn everything(&mut self) {
        if self.seen.open || self.seen.waiting {
            self.sooner(plus(self.today, BUSY_DAYS));
        }
        let met = self.seen.began_in_room || blend::met(&self.seen.contacts.meetings);
        // No online track before people have met: until then only what the plan itself asks, and the
        // coach hears of silence all the same.
        if met {
            let asked = self.check_in();
            self.silence(asked);
            self.practice();
            self.exercises();
            self.perspective();
            self.office();
        }
        self.too_long();
    }

    fn check_in(&mut self) -> Option<NaiveDate> {
        let days = self.cadence.check_in_days(self.seen.skill, self.seen.track);
        let sent = self.day(self.seen.last_sent.unwrap_or(self.seen.since));
        let due_on = plus(self.since_last(Rule::CheckIn, sent), u64::from(days));
        let free = !self.busy() && self.seen.consent.contains(&Purpose::CheckIns);
        match self.is_due(due_on) {
            // Before a meeting that is near there is nothing to ask.
            true if free && !self.meeting_near() => {
                self.nudge(Rule::CheckIn, Subject::Nothing, due_on);
                Some(due_on)
            }
            true => None,
            false => Some(due_on),
        }
    }

    /// The ladder starts when nothing is open: an open question has its own rungs. On the day on which a
    /// check-in is due as well, that question is the first rung.
    fn silence(&mut self, asked: Option<NaiveDate>) {
        let due_on = self.silent_on(self.cadence.silence.first());
        let once = self.seen.last.get(&Rule::Silence) == Some(&due_on);
        if !self.is_due(due_on) || once || self.climbed() || self.meeting_near() {
            return;
        }
        let asks = asked.is_some_and(|asked| asked <= self.today);
        if !self.busy() && !asks && self.seen.consent.contains(&Purpose::CheckIns) {
            self.nudge(Rule::Silence, Subject::Nothing, due_on);
        }
    }

    /// Whatever became of the messages: on the day of the last rung a person has it.
    fn too_long(&mut self) {
        let due_on = self.silent_on(self.cadence.silence.last());
        if self.is_due(due_on) && !self.climbed() && !self.meeting_near() {
            self.found.flags.push(Why::SilentTooLong);
        }
    }

    fn practice(&mut self) {
        let meetings = &self.seen.contacts.meetings;
        let knows_how = meetings.iter().any(|it| {
            it.state == MeetingState::Held
                && (it.mode == MeetingMode::Video || it.kind == MeetingKind::Practice)
        });
        if self.seen.skill != DigitalSkill::Starter || knows_how {
            return;
        }
        let video = |it: &&Meeting| it.mode == MeetingMode::Video;
        let first = self.coming().filter(video).min_by_key(|it| it.starts_at);
        let Some((id, at)) = first.and_then(|it| Some((it.id, it.starts_at?))) else {
            return;
        };
        let before = i32::from(self.cadence.practice.working_days_before);
        let due_on = add_working_days(self.day(at), -before, self.holidays);
        let agreed = self.seen.consent.contains(&Purpose::Meetings);
        if self.is_due(due_on) && agreed && self.seen.last.get(&Rule::Practice) != Some(&due_on) {
            self.nudge(Rule::Practice, Subject::Meeting(id), due_on);
        }
    }

    fn exercises(&mut self) {
        let starter = self.seen.skill == DigitalSkill::Starter;
        if !starter || !self.seen.consent.contains(&Purpose::CheckIns) {
            return;
        }
        let days = self.cadence.exercises_days(self.seen.track);
        let due_on = self.newest(Rule::Exercises, days);
        if self.is_due(due_on) && !self.busy() && self.found.nudges.is_empty() && !self.silent() {
            self.nudge(Rule::Exercises, Subject::Nothing, due_on);
        }
    }

    fn perspective(&mut self) {
        let days = self.cadence.perspective_days(self.seen.track);
        let due_on = self.newest(Rule::Perspective, days);
        let done = self
            .seen
            .last_done
            .is_some_and(|at| plus(self.day(at), u64::from(days)) >= due_on);
        let agreed = self.seen.consent.contains(&Purpose::Tasks);
        if self.is_due(due_on) && done && agreed && !self.silent() {
            self.nudge(Rule::Perspective, Subject::Nothing, due_on);
        }
    }

    /// Meetings in one room that are due: because the blend drifts, or because of their kind.
    fn office(&mut self) {
        let invited = self.seen.last.get(&Rule::Invitation);
        let mut open = self.seen.contacts.meetings.iter();
        let planned = open.any(|it| {
            let coming = match it.state {
                // One that nobody answers does not stand in the way for ever: it is asked once more.
                MeetingState::Proposed => invited.is_none() || self.busy(),
                MeetingState::Booked => it.starts_at > Some(self.now),
                _ => false,
            };
            coming && it.mode.offline()
        });
        if planned || invited.is_some_and(|day| plus(*day, INVITED_DAYS) > self.today) {
            return;
        }
        let assessed = |it: &&Meeting| it.state == MeetingState::Held && it.kind.offline_only();
        let last = self.seen.contacts.meetings.iter().filter(assessed);
        let last = last.filter_map(|it| it.starts_at).max();
        let days = self.cadence.reassessment_days(self.seen.track);
        let due_on = plus(self.day(last.unwrap_or(self.seen.since)), u64::from(days));
        if self.is_due(due_on) {
            self.found.invite = Some(MeetingKind::Reassessment);
            return;
        }
        let numbers = &self.cadence.blend;
        let told = self.seen.drifted_at.map(|at| self.day(at));
        let quiet = u64::from(numbers.every_days.get());
        if told.is_some_and(|day| plus(day, quiet) > self.today) {
            return;
        }
        let (blend, _) = Blend::now_and_before(&self.seen.contacts, self.now, self.zone, numbers);
        if blend::stands(&blend, self.seen.agreed, self.seen.skill, numbers)
            == Stands::TooMuchOnline
        {
            self.found.flags.push(Why::BlendDrifts);
            self.found.invite = Some(MeetingKind::Progress);
        }
    }

    fn nudge(&mut self, rule: Rule, subject: Subject, due_on: NaiveDate) {
        self.found.nudges.push(DueNudge {
            candidate: self.seen.candidate,
            rule,
            subject,
            due_on,
            due_at: due_at(self.today, self.zone, self.cadence, self.holidays),
        });
    }

    /// A day that is still to come is a day to look again.
    fn is_due(&mut self, due_on: NaiveDate) -> bool {
        if due_on > self.today {
            self.sooner(due_on);
        }
        due_on <= self.today
    }

    fn sooner(&mut self, day: NaiveDate) {
        self.next = self.next.min(day);
    }

    fn day(&self, at: Timestamp) -> NaiveDate {
        at.local_day(self.zone)
    }

    fn since_last(&self, rule: Rule, from: NaiveDate) -> NaiveDate {
        let last = self.seen.last.get(&rule);
        last.map_or(from, |day| from.max(*day))
    }

    /// The newest day of a rule that comes every so many days: those that were missed collapse into it. The first
    /// one is perhaps still to come.
    fn newest(&self, rule: Rule, every: u32) -> NaiveDate {
        let from = self.since_last(rule, self.day(self.seen.since));
        let every = u64::from(every.max(1));
        let passed = u64::try_from((self.today - from).num_days()).unwrap_or(0);
        plus(from, (passed / every).max(1) * every)
    }

    fn busy(&self) -> bool {
        self.seen.open || self.seen.waiting
    }

    fn last_sign(&self) -> Timestamp {
        let since = self.seen.since;
        self.seen.last_sign.map_or(since, |sign| sign.max(since))
    }

    /// Nobody is silent in a pause that a coach set.
    fn silent_on(&self, days: u32) -> NaiveDate {
        let sign = self.day(self.last_sign());
        let from = match self.seen.standing {
            Standing::Paused { until } => sign.max(until),
            _ => sign,
        };
        plus(from, u64::from(days))
    }

    fn silent(&self) -> bool {
        self.silent_on(self.cadence.silence.first()) <= self.today
    }

    /// Did the ladder of this silence end already?
    fn climbed(&self) -> bool {
        let sign = self.last_sign();
        self.seen.climbed_at.is_some_and(|at| at >= sign)
    }

    fn coming(&self) -> impl Iterator<Item = &Meeting> {
        let now = self.now;
        let meetings = self.seen.contacts.meetings.iter();
        meetings.filter(move |it| it.state == MeetingState::Booked && it.starts_at > Some(now))
    }

    fn meeting_near(&self) -> bool {
        let near = plus(self.today, MEETING_NEAR_DAYS);
        let mut starts = self.coming().filter_map(|it| it.starts_at);
        starts.any(|at| self.day(at) <= near)
    }
}

#[cfg(test)]
mod tests;
