//! Commands: heard before the flow, inside any flow. Each is answered once, and the open question
//! stays open unless the command is about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Turn;
use crate::domain::command::Command;
use crate::domain::contact::Purpose;
use crate::domain::flow::definition::{Flow, Hears};
use crate::domain::ids::NodeId;
use crate::domain::plan::{Meeting, MeetingState, Subject, Task, TaskState};
use crate::domain::talk::effect::{Because, Effect, Saying};
use crate::domain::talk::state::{Run, State, Why};

/// LATER without a number.
const USUAL_DAYS: u32 = 7;
const MOST_DAYS: u32 = 60;

impl Turn<'_> {
    pub(super) fn obey(&mut self, command: &Command) {
        match command {
            Command::Stop { purpose: None } => return self.stop_everything(),
            Command::Stop {
                purpose: Some(purpose),
            } => return self.stop(*purpose),
            Command::Start { purpose } => return self.start_again(*purpose),
            _ => {}
        }
        let silent = self.holds_its_tongue();
        if silent {
            self.flag(Why::Wrote, Subject::Nothing);
        }
        match command {
            Command::Stop { .. } | Command::Start { .. } => {}
            Command::Done { number } => self.done(*number),
            Command::Later { days } => self.later(*days),
            Command::Plan | Command::Appointment => {
                let (key, subject) = self.told(command);
                // Only PLAN is what a question can want.
                let wanted = matches!(command, Command::Plan) && self.answered_by_command(key);
                if !wanted {
                    self.answer(key, subject);
                }
            }
            Command::Reschedule => self.about_the_meeting(Hears::Reschedule, silent),
            Command::Cancel => self.about_the_meeting(Hears::Cancel, silent),
            Command::Help => self.call_a_person(Hears::Help, Why::AskedForHelp, silent),
            Command::CallMe => self.call_a_person(Hears::CallMe, Why::AsksCall, silent),
            Command::WrongNumber => {
                self.call_a_person(Hears::WrongNumber, Why::NumberChanged, silent);
            }
            Command::Language { code: Some(code) } => {
                self.effects.push(Effect::Language { code: code.clone() });
                self.answer("language_set", Subject::Nothing);
            }
            Command::Language { code: None } => self.answer("which_language", Subject::Nothing),
            // What we keep of a person is theirs to ask, also after STOP.
            Command::Who => self.reply("who", Subject::Nothing, Purpose::Reply, Saying::Tell),
        }
    }

    /// What somebody is told who asks for the plan or the next meeting.
    fn told(&self, command: &Command) -> (&'static str, Subject) {
        match (command, self.next_meeting()) {
            (Command::Appointment, Some(meeting)) => ("appointment", Subject::Meeting(meeting.id)),
            (Command::Appointment, None) => ("no_appointment", Subject::Nothing),
            _ if self.world.plan.open().next().is_some() => ("plan", Subject::Nothing),
            _ => ("plan_empty", Subject::Nothing),
        }
    }

    /// A reply, unless the talk is with the coach or the person left.
    fn answer(&mut self, key: &str, subject: Subject) {
        if !self.holds_its_tongue() {
            self.reply(key, subject, Purpose::Reply, Saying::Tell);
        }
    }

    fn done(&mut self, number: Option<u32>) {
        let plan = &self.world.plan;
        let meant = match number {
            Some(number) => plan.task_numbered(number),
            None => self.task_in_question().or_else(|| {
                let mut open = plan.open();
                open.next().filter(|_| open.next().is_none())
            }),
        };
        // One that was dropped is no step of theirs any more.
        let meant = meant.filter(|task| task.state != TaskState::Dropped);
        match meant.map(|task| (task.id, task.number, task.state)) {
            Some((id, number, TaskState::Open)) => {
                self.effects.push(Effect::TaskDone { number });
                let subject = Subject::Task(id);
                match self.hearing(Hears::Done) {
                    Some((flow, node)) if !self.holds_its_tongue() => {
                        self.begin(&flow, subject, node, true);
                    }
                    _ => self.answer("task_done", subject),
                }
            }
            Some((id, ..)) => self.answer("task_closed", Subject::Task(id)),
            None if plan.open().next().is_some() => self.answer("which_task", Subject::Nothing),
            None => self.answer("plan_empty", Subject::Nothing),
        }
    }

    /// The task moves, and what asked about it is answered.
    fn later(&mut self, days: Option<u32>) {
        let days = days.unwrap_or(USUAL_DAYS).clamp(1, MOST_DAYS);
        let next = || {
            self.world
                .plan
                .open()
                .min_by_key(|task| (task.due_on.is_none(), task.due_on))
        };
        let Some(task) = self.task_in_question().or_else(next) else {
            return self.answer("plan_empty", Subject::Nothing);
        };
        let (number, subject) = (task.number, Subject::Task(task.id));
        self.end_runs(Because::Answered, |_, run| run.subject == subject);
        self.effects.push(Effect::TaskLater { number, days });
        self.answer("task_later", subject);
    }

    /// The open task that the open question is about.
    fn task_in_question(&self) -> Option<&Task> {
        match self.talk.front()?.0.subject {
            Subject::Task(id) => self
                .world
                .plan
                .task(id)
                .filter(|task| task.state == TaskState::Open),
            _ => None,
        }
    }

    fn next_meeting(&self) -> Option<&Meeting> {
        let booked = self.world.plan.meetings.iter();
        let booked = booked.filter(|meeting| meeting.state == MeetingState::Booked);
        booked
            .filter(|m| m.starts_at > Some(self.now))
            .min_by_key(|m| m.starts_at)
    }

    /// Does the bot hold its tongue?
    const fn holds_its_tongue(&self) -> bool {
        matches!(
            self.talk.state,
            State::WithCoach { .. } | State::Left { .. }
        )
    }

    /// The flow, in its newest version, that hears this command or alarm.
    pub(super) fn hearing(&self, hears: Hears) -> Option<(Arc<Flow>, NodeId)> {
        let flows = self.world.newest.values();
        let mut flows = flows.filter_map(|hash| self.world.flows.get(hash));
        flows.find_map(|flow| Some((flow.clone(), flow.hears.get(&hears)?.clone())))
    }

    /// VERZET, AFZEGGEN: the run about the next meeting goes there, or one begins. The version that
    /// the run plays must know the way, else a person does it.
    fn about_the_meeting(&mut self, hears: Hears, silent: bool) {
        let subject = self
            .next_meeting()
            .map_or(Subject::Nothing, |meeting| Subject::Meeting(meeting.id));
        let heard = self.hearing(hears).filter(|(flow, _)| {
            let agreed = flow.purpose == Purpose::Reply || self.consent.contains(&flow.purpose);
            !silent && agreed && flow.about.fits(&subject)
        });
        if let Some((flow, node)) = heard {
            if !self.has_run(&flow.name, subject) {
                return self.begin(&flow, subject, node, true);
            }
            if let Some((mut run, node)) = self.take_run(&flow.name, subject, hears) {
                self.go_on(&mut run);
                return self.walk(run, node, true, Vec::new());
            }
        }
        self.answer("passed_on", subject);
        self.flag(Why::AskedForHelp, subject);
    }

    /// Takes the run of this flow about this thing from wherever it is, with the node at which its
    /// version hears the command.
    fn take_run(&mut self, name: &str, subject: Subject, hears: Hears) -> Option<(Run, NodeId)> {
        let flows = &self.world.flows;
        let knows = |run: &Run| {
            let flow = flows.get(&run.flow)?;
            let meant = flow.name == name && run.subject == subject;
            flow.hears.get(&hears).filter(|_| meant).cloned()
        };
        if let Some(node) = self.talk.front().and_then(|(run, ..)| knows(run)) {
            return Some((self.take_unanswered_front()?, node));
        }
        let mut waiting = self.talk.waiting.iter().enumerate();
        let (index, node) =
            waiting.find_map(|(index, waiting)| Some((index, knows(&waiting.run)?)))?;
        Some((self.talk.waiting.remove(index).run, node))
    }

    /// The flow that hears this command says what happens; without one, the coach is asked.
    fn call_a_person(&mut self, hears: Hears, why: Why, silent: bool) {
        match self.hearing(hears) {
            Some((flow, node)) if !silent && !self.has_run(&flow.name, Subject::Nothing) => {
                self.begin(&flow, Subject::Nothing, node, true);
            }
            _ => {
                self.answer("passed_on", Subject::Nothing);
                self.flag(why, Subject::Nothing);
            }
        }
    }

    /// STOP: nothing automatic any more, on no channel. Said once; a second STOP gets no answer.
    fn stop_everything(&mut self) {
        if matches!(self.talk.state, State::Left { .. }) {
            return;
        }
        let had = std::mem::take(&mut self.consent);
        let warned = self.talk.warned();
        self.effects.push(Effect::Consent {
            purpose: None,
            given: false,
        });
        self.effects.push(Effect::Withdraw { said: None });
        self.end_runs(Because::Refused, |_, _| true);
        self.talk.state = State::Left {
            since: self.now,
            warned,
            had,
        };
        self.reply(
            "stopped",
            Subject::Nothing,
            Purpose::Reply,
            Saying::LastWord,
        );
    }

    fn stop(&mut self, purpose: Purpose) {
        if matches!(self.talk.state, State::Left { .. }) {
            return;
        }
        self.consent(purpose, false);
        self.effects.push(Effect::Withdraw { said: None });
        self.end_runs(Because::Refused, |turn, run| {
            turn.world
                .flows
                .get(&run.flow)
                .is_some_and(|flow| flow.purpose == purpose)
        });
        let key = format!("stopped_{}", purpose.as_str());
        self.reply(&key, Subject::Nothing, purpose, Saying::LastWord);
    }

    /// START gives back what STOP took; everything, if nothing is known to have been taken.
    fn start_again(&mut self, purpose: Option<Purpose>) {
        let had = match &mut self.talk.state {
            State::Left { had, .. } => std::mem::take(had),
            _ => BTreeSet::new(),
        };
        match purpose {
            Some(purpose) => self.consent(purpose, true),
            None if !had.is_empty() => {
                for purpose in had {
                    self.consent(purpose, true);
                }
            }
            None => {
                self.consent.extend(Purpose::ASKED);
                self.effects.push(Effect::Consent {
                    purpose: None,
                    given: true,
                });
            }
        }
        if matches!(self.talk.state, State::Left { .. }) {
            self.talk.state = State::Idle;
        }
        self.reply("started", Subject::Nothing, Purpose::Reply, Saying::Tell);
    }

    pub(super) fn end_runs(&mut self, because: Because, ends: impl Fn(&Self, &Run) -> bool) {
        if self.talk.front().is_some_and(|(run, ..)| ends(self, run)) {
            self.end_front(because);
        }
        for waiting in std::mem::take(&mut self.talk.waiting) {
            if ends(self, &waiting.run) {
                self.close_run(waiting.run, because);
            } else {
                self.talk.waiting.push(waiting);
            }
        }
    }
}
