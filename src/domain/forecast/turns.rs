//! One turn of a projected talk, and what its effects do to the person: `app/turn.rs` and
//! `app/effects.rs` without a database.

use std::collections::BTreeSet;

use super::{Happens, Projection, Rules, Unsent, What};
use crate::domain::contact::{DigitalSkill, Purpose};
use crate::domain::ids::FlowHash;
use crate::domain::plan::{Meeting, Subject, TaskState};
use crate::domain::talk::effect::{Act, Effect, Say};
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::{Talk, Why};
use crate::domain::talk::step::step;
use crate::domain::talk::world::World;
use crate::domain::time::{Timestamp, next_allowed};

/// A plan change among the effects is an event of its own; this deep and no deeper, as in a turn.
const DEEP: usize = 8;

impl Projection {
    /// One turn of the talk, and those that follow from what it does.
    pub(super) fn play(&mut self, event: Event, now: Timestamp) {
        let answered = matches!(event, Event::Heard(_));
        self.events.push_back(event);
        let mut played = 0;
        while let Some(event) = self.events.pop_front() {
            played += 1;
            if played > DEEP {
                self.events.clear();
                return self.flag(Why::Stuck, Subject::Nothing, now);
            }
            let world = self.world(answered && played > 1, now);
            let talk =
                std::mem::replace(&mut self.stand.talk, Talk::new(self.stand.seen.candidate));
            let (talk, effects) = step(talk, &event, &world, now);
            self.stand.talk = talk;
            let mut stopped = BTreeSet::new();
            for effect in effects {
                self.apply(effect, &mut stopped, now);
            }
        }
    }

    fn world(&self, answering: bool, now: Timestamp) -> World {
        let left = self.stand.unsent.iter().map(|unsent| unsent.said).min();
        World {
            plan: self.stand.plan.clone(),
            free_slots: self.offered(now),
            older_slots: Vec::new(),
            flows: self.rules.flows.clone(),
            newest: self.rules.newest.clone(),
            consent: self.stand.seen.consent.clone(),
            left_up_to: left.map_or(self.stand.talk.said, |said| said.saturating_sub(1)),
            digital_skill: self.stand.seen.skill,
            exercised: self.stand.exercised.clone(),
            answering,
            open_vacancies: self.stand.open_vacancies.clone(),
            zone: self.rules.zone,
            holidays: self.rules.holidays.clone(),
        }
    }

    fn apply(&mut self, effect: Effect, stopped: &mut BTreeSet<Purpose>, now: Timestamp) {
        match effect {
            Effect::Say(say) => self.say(say, now),
            Effect::Withdraw { said: Some(said) } => {
                self.stand.unsent.retain(|unsent| unsent.said != said);
            }
            Effect::Withdraw { said: None } => {
                let gone = |unsent: &Unsent| stopped.contains(&unsent.purpose);
                self.stand.unsent.retain(|unsent| !gone(unsent));
            }
            Effect::Do {
                act,
                subject,
                slot,
                by,
            } => match act {
                Act::MeetingBook | Act::MeetingDecline | Act::MeetingAgain | Act::MeetingCancel => {
                    self.meeting(&act, subject, (slot, by), now)
                }
                _ => self.deed(act, subject, by, now),
            },
            Effect::Consent { purpose, given } => {
                let all = purpose.map_or_else(|| Purpose::ASKED.to_vec(), |one| vec![one]);
                for purpose in all {
                    if given {
                        self.stand.seen.consent.insert(purpose);
                        self.stand.look_at = Some(now);
                    } else {
                        self.stand.seen.consent.remove(&purpose);
                        stopped.insert(purpose);
                    }
                }
            }
            Effect::TaskDone { number } => {
                let task = self.stand.plan.task_numbered(number).map(|task| task.id);
                if let Some(id) = task {
                    self.done(Subject::Task(id), None, now);
                }
            }
            Effect::TaskLater { number, days } => {
                let task = self.stand.plan.task_numbered(number).map(|task| task.id);
                if let Some(id) = task {
                    self.later(Subject::Task(id), days, now);
                }
            }
            Effect::AskCoach { why, subject } => self.flag(why, subject, now),
            Effect::Language { .. } | Effect::Show { .. } | Effect::Close { .. } => {}
        }
    }

    /// As `app/outcome.rs`: a coach hears what a machine will not say of a meeting, and the talk that it
    /// will not.
    pub(super) fn will_not_go(
        &mut self,
        unsent: &Unsent,
        missed: fn(&Meeting, Timestamp) -> bool,
        now: Timestamp,
    ) {
        if let Subject::Meeting(id) = unsent.subject {
            let meeting = self.stand.plan.meeting(id);
            if meeting.is_some_and(|meeting| missed(meeting, now)) {
                self.flag(Why::MeetingUntold, unsent.subject, now);
            }
        }
        self.play(Event::Dropped { said: unsent.said }, now);
    }

    fn say(&mut self, say: Say, now: Timestamp) {
        let Rules {
            cadence,
            holidays,
            zone,
            ..
        } = &self.rules;
        let at = match say.direct {
            true => now,
            false => next_allowed(now, *zone, &cadence.quiet, holidays),
        };
        self.stand.unsent.push(Unsent {
            said: say.said,
            rule: say.rule,
            subject: say.subject,
            purpose: say.purpose,
            direct: say.direct,
            approve: say.approve,
            at,
            not_after: say.not_after,
        });
    }

    fn deed(&mut self, act: Act, subject: Subject, by: FlowHash, now: Timestamp) {
        match act {
            Act::TaskDone => self.done(subject, Some(by), now),
            Act::TaskLater { days } => self.later(subject, days, now),
            Act::Exercise(name) => {
                self.stand.exercised.insert(name);
                // As `effects` has it: three raise the skill of a starter.
                if self.stand.exercised.len() >= 3 && self.stand.seen.skill == DigitalSkill::Starter
                {
                    self.stand.seen.skill = DigitalSkill::Basic;
                }
            }
            // What people want is theirs: a forecast answers no question.
            _ => {}
        }
    }

    fn done(&mut self, subject: Subject, by: Option<FlowHash>, now: Timestamp) {
        let Subject::Task(id) = subject else { return };
        let task = self.stand.plan.tasks.iter_mut().find(|task| task.id == id);
        let Some(task) = task.filter(|task| task.state == TaskState::Open) else {
            return;
        };
        task.state = TaskState::Done;
        task.done_at = Some(now);
        self.stand.seen.last_done = Some(now);
        self.stand.seen.contacts.done.push((now, true));
        self.events.push_back(Event::Changed {
            what: Change::TaskDone,
            subject,
            by,
        });
    }

    fn later(&mut self, subject: Subject, days: u32, now: Timestamp) {
        let Subject::Task(id) = subject else { return };
        let today = now.local_day(self.rules.zone);
        let task = self.stand.plan.tasks.iter_mut().find(|task| task.id == id);
        if let Some(task) = task {
            let from = task.due_on.map_or(today, |due| due.max(today));
            let later = from.checked_add_days(chrono::Days::new(u64::from(days)));
            task.due_on = Some(later.unwrap_or(from));
        }
        self.stand
            .waiting
            .retain(|(nudge, _)| nudge.subject != subject);
    }

    pub(super) fn flag(&mut self, why: Why, subject: Subject, now: Timestamp) {
        match why {
            Why::SilentTooLong | Why::Letter => self.stand.seen.climbed_at = Some(now),
            Why::BlendDrifts => self.stand.seen.drifted_at = Some(now),
            _ => {}
        }
        self.happened.push(Happens {
            at: now,
            subject,
            what: What::Flag(why),
        });
    }
}
