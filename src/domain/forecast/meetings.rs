//! Meetings of a projected person: invited by a look, and booked, given back and called off by answers
//! (`app/meetings/`). What becomes of one on its day is for people.

use ulid::Ulid;

use super::Projection;
use crate::domain::ids::{FlowHash, MeetingId, SlotId};
use crate::domain::nudge::{DueNudge, Rule};
use crate::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Subject};
use crate::domain::slots::{OFFER_AHEAD_SECONDS, OFFER_DAYS};
use crate::domain::talk::effect::Act;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::Why;
use crate::domain::time::{Timestamp, next_allowed};

impl Projection {
    /// Moments that can be offered now, best first.
    pub(super) fn offered(&self, now: Timestamp) -> Vec<SlotId> {
        let (from, to) = (
            now.plus_seconds(OFFER_AHEAD_SECONDS),
            now.plus_days(OFFER_DAYS),
        );
        let free = self.stand.free.iter();
        let free = free.filter(|(_, starts_at)| (from..=to).contains(starts_at));
        free.map(|(id, _)| *id).collect()
    }

    /// As `app/meetings/invitations.rs`: one open invitation of a kind, and a row of the ledger.
    pub(super) fn invite(&mut self, kind: MeetingKind, now: Timestamp) {
        if !self.stand.coached {
            return;
        }
        let mut known = self.stand.plan.meetings.iter();
        let open = known.find(|it| it.kind == kind && it.state == MeetingState::Proposed);
        let id = match open {
            Some(meeting) => meeting.id,
            None => self.propose(kind, now),
        };
        let zone = self.rules.zone;
        let quiet = &self.rules.cadence.quiet;
        let due = DueNudge {
            candidate: self.stand.seen.candidate,
            rule: Rule::Invitation,
            subject: Subject::Meeting(id),
            due_on: now.local_day(zone),
            due_at: next_allowed(now, zone, quiet, &self.rules.holidays),
        };
        self.enter(vec![due], now);
    }

    fn propose(&mut self, kind: MeetingKind, now: Timestamp) -> MeetingId {
        // Nobody else has one of these, and of one person each is told apart by its number.
        let number = self.stand.plan.meetings.len() as u128;
        let id = MeetingId(Ulid::from_parts(now.0.unsigned_abs() / 1000, number));
        self.stand.plan.meetings.push(Meeting {
            id,
            kind,
            mode: MeetingMode::Office,
            state: MeetingState::Proposed,
            slot: None,
            starts_at: None,
            ends_at: None,
            place: None,
            version: 0,
        });
        self.known_meetings();
        id
    }

    /// A coach says who was there.
    pub fn took_place(&mut self, id: MeetingId, there: bool, now: Timestamp) {
        self.change(id, |meeting| {
            meeting.state = match there {
                true => MeetingState::Held,
                false => MeetingState::Missed,
            };
        });
        if there {
            return self.met(now);
        }
        let event = Event::Changed {
            what: Change::MeetingMissed,
            subject: Subject::Meeting(id),
            by: None,
        };
        self.play(event, now);
    }

    /// What an answer does to a meeting.
    pub(super) fn meeting(
        &mut self,
        act: &Act,
        subject: Subject,
        (slot, by): (Option<SlotId>, FlowHash),
        now: Timestamp,
    ) {
        let known = match subject {
            Subject::Meeting(id) => self.stand.plan.meeting(id).cloned(),
            Subject::Task(_) | Subject::Vacancy(_) | Subject::Nothing => None,
        };
        match (act, known) {
            (Act::MeetingBook, known) => {
                let free = &mut self.stand.free;
                let Some(at) = free.iter().position(|(id, _)| Some(*id) == slot) else {
                    return self.flag(Why::NoSlots, subject, now);
                };
                let (slot, starts_at) = free.remove(at);
                self.book(known, (slot, starts_at), by, now);
            }
            (Act::MeetingDecline, Some(meeting)) if meeting.state == MeetingState::Booked => {
                self.leaves(&meeting, MeetingState::Proposed, by);
            }
            (Act::MeetingCancel, Some(meeting))
                if matches!(meeting.state, MeetingState::Booked | MeetingState::Proposed) =>
            {
                self.flag(Why::CalledOff, subject, now);
                self.leaves(&meeting, MeetingState::Cancelled, by);
            }
            (Act::MeetingAgain, Some(meeting)) => {
                let id = self.propose(meeting.kind, now);
                if let Some(flow) = self.rules.newest.get(Rule::Invitation.flow()).cloned() {
                    let subject = Subject::Meeting(id);
                    self.events.push_back(Event::Start { flow, subject });
                }
            }
            _ => self.flag(Why::Attendance, subject, now),
        }
    }

    fn book(
        &mut self,
        known: Option<Meeting>,
        (slot, starts_at): (SlotId, Timestamp),
        by: FlowHash,
        now: Timestamp,
    ) {
        let open =
            known.filter(|it| matches!(it.state, MeetingState::Proposed | MeetingState::Booked));
        let (id, what, by) = match open {
            None => (
                self.propose(MeetingKind::Progress, now),
                Change::MeetingBooked,
                None,
            ),
            Some(meeting) => (meeting.id, Change::MeetingBooked, Some(by)),
        };
        self.change(id, |meeting| {
            meeting.state = MeetingState::Booked;
            meeting.slot = Some(slot);
            meeting.starts_at = Some(starts_at);
            meeting.ends_at = Some(starts_at.plus_seconds(1800));
        });
        let subject = Subject::Meeting(id);
        self.events.push_back(Event::Changed { what, subject, by });
    }

    fn leaves(&mut self, meeting: &Meeting, to: MeetingState, by: FlowHash) {
        self.change(meeting.id, |meeting| {
            meeting.state = to;
            meeting.slot = None;
            if to == MeetingState::Proposed {
                (meeting.starts_at, meeting.ends_at) = (None, None);
            }
        });
        self.events.push_back(Event::Changed {
            what: Change::MeetingCancelled,
            subject: Subject::Meeting(meeting.id),
            by: Some(by),
        });
    }

    fn change(&mut self, id: MeetingId, change: impl FnOnce(&mut Meeting)) {
        let mut meetings = self.stand.plan.meetings.iter_mut();
        if let Some(meeting) = meetings.find(|meeting| meeting.id == id) {
            change(meeting);
        }
        self.known_meetings();
    }

    /// The look reads the meetings of the plan.
    fn known_meetings(&mut self) {
        self.stand
            .seen
            .contacts
            .meetings
            .clone_from(&self.stand.plan.meetings);
    }
}
