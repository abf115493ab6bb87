//! The only function that moves a talk: one event in, the next state and what the house must do out.
//! It never fails, never waits and knows no text. What it cannot handle becomes a flag for the coach.
//!
//! Here stands what each event does to the runs of a talk. How a run walks through its flow is
//! `walk.rs`, how an answer is understood `hear.rs`, what commands do `obey.rs`.

mod hear;
mod obey;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::effect::{Because, Effect};
use super::event::{Change, Event};
use super::state::{Asked, Overlapped, Run, State, Talk, Until, Waiting, Why};
use super::world::World;
use crate::domain::contact::Purpose;
use crate::domain::flow::definition::{Ask, Flow};
use crate::domain::ids::{FlowHash, NodeId};
use crate::domain::plan::Subject;
use crate::domain::time::Timestamp;

/// Nodes that one step may visit, over all runs.
const MOST_NODES: u32 = 32;
/// A run that nobody is waiting for begins only with this many left; else it comes next time.
const FRESH_NODES: u32 = 16;
const MOST_WAITING: usize = 16;
/// How many of its unanswered questions a run remembers.
const MOST_UNANSWERED: usize = 8;

pub fn step(talk: Talk, event: &Event, world: &World, now: Timestamp) -> (Talk, Vec<Effect>) {
    let consent = world.consent.clone();
    let mut turn = Turn {
        talk,
        world,
        now,
        consent,
        effects: Vec::new(),
        nodes_left: MOST_NODES,
        alarmed: false,
    };
    match event {
        Event::Start { flow, subject } => turn.start(flow, *subject),
        Event::Heard(heard) => turn.hear(heard),
        Event::Accepted { said } => turn.accepted(*said),
        Event::Undelivered { said } => turn.undelivered(*said),
        Event::Dropped { said } => turn.dropped(*said),
        Event::Woke => turn.woke(),
        Event::Changed { what, subject, by } => turn.changed(*what, *subject, by.as_ref()),
        Event::TakenOver { why } => turn.taken_over(*why),
        Event::GivenBack => turn.given_back(),
    }
    turn.pass_the_front_on();
    (turn.talk, turn.effects)
}

struct Turn<'a> {
    talk: Talk,
    world: &'a World,
    now: Timestamp,
    /// As this step leaves it.
    consent: BTreeSet<Purpose>,
    effects: Vec<Effect>,
    nodes_left: u32,
    /// A flow answers an alarm: it speaks to whoever has the talk, and asks nothing.
    alarmed: bool,
}

/// The open question, taken from the talk: its run goes on elsewhere or ends.
struct Taken {
    run: Run,
    node: NodeId,
    said: u32,
    tries: u8,
}

impl Turn<'_> {
    /// A second start about the same thing changes nothing.
    fn start(&mut self, hash: &FlowHash, subject: Subject) {
        let Some(flow) = self.world.flows.get(hash).cloned() else {
            self.flag(Why::Stuck, subject);
            return self.close(hash.clone(), subject, Because::Handed);
        };
        if self.has_run(&flow.name, subject) {
            return;
        }
        if !flow.about.fits(&subject) {
            self.flag(Why::Stuck, subject);
            return self.close(hash.clone(), subject, Because::Handed);
        }
        // A flow that only replies is started because the person wrote.
        let direct = flow.purpose == Purpose::Reply || self.world.answering;
        self.begin(&flow, subject, flow.start.clone(), direct);
    }

    fn begin(&mut self, flow: &Arc<Flow>, subject: Subject, node: NodeId, direct: bool) {
        if matches!(self.talk.state, State::Left { .. }) && !self.alarmed {
            return self.close(flow.hash.clone(), subject, Because::Refused);
        }
        let run = Run {
            flow: flow.hash.clone(),
            subject,
            ends_at: flow
                .lasts
                .after(self.now, self.world.zone, &self.world.holidays),
            offered: Vec::new(),
            picked: None,
            unanswered: Vec::new(),
        };
        self.walk(run, node, direct, Vec::new());
    }

    fn accepted(&mut self, accepted: u32) {
        match std::mem::replace(&mut self.talk.state, State::Idle) {
            State::Offered {
                run,
                node,
                said,
                tries,
            } if said == accepted => {
                let Some((_, ask)) = self.ask_at(&run, &node) else {
                    return self.stuck(run);
                };
                let (zone, holidays) = (self.world.zone, &self.world.holidays);
                let silent_at = ask.silent.after.after(self.now, zone, holidays);
                let since = self.now;
                self.talk.state = State::Asking {
                    run,
                    node,
                    said,
                    since,
                    silent_at,
                    tries,
                };
            }
            other => self.talk.state = other,
        }
    }

    fn undelivered(&mut self, said: u32) {
        if self.talk.front().is_none_or(|(.., front)| front != said) {
            return;
        }
        let Some(mut taken) = self.take_front() else {
            return;
        };
        self.go_on(&mut taken.run);
        let exit = self.ask_at(&taken.run, &taken.node);
        match exit.and_then(|(flow, ask)| flow.undelivered(&ask)) {
            Some(node) => self.walk(taken.run, node, false, Vec::new()),
            None => {
                self.flag(Why::NotReachable, taken.run.subject);
                self.close_run(taken.run, Because::Undelivered);
            }
        }
    }

    /// The question will not leave, so nobody can answer it.
    fn dropped(&mut self, dropped: u32) {
        let is_it = matches!(&self.talk.state, State::Offered { said, .. } if *said == dropped);
        if let Some(taken) = is_it.then(|| self.take_front()).flatten() {
            self.close_run(taken.run, Because::Refused);
        }
    }

    fn woke(&mut self) {
        if self
            .talk
            .front()
            .is_some_and(|(run, ..)| run.ends_at <= self.now)
        {
            self.end_front(Because::NoAnswer);
        } else if matches!(&self.talk.state, State::Asking { silent_at, .. } if *silent_at <= self.now)
        {
            self.silent();
        }
        // What finds too few nodes left stays due: the timer goes off again at once.
        while self.nodes_left >= FRESH_NODES {
            let Some(waiting) = self.take_due() else {
                break;
            };
            if waiting.run.ends_at <= self.now {
                self.close_run(waiting.run, Because::NoAnswer);
            } else {
                self.walk(waiting.run, waiting.node, false, Vec::new());
            }
        }
    }

    fn silent(&mut self) {
        let Some(Taken {
            mut run,
            node,
            said,
            ..
        }) = self.take_front()
        else {
            return;
        };
        let Some((_, ask)) = self.ask_at(&run, &node) else {
            return self.stuck(run);
        };
        remember(&mut run, said, node);
        self.walk(run, ask.silent.go, false, Vec::new());
    }

    fn take_due(&mut self) -> Option<Waiting> {
        let due = |waiting: &Waiting| match waiting.until {
            Until::Time(at) => at.min(waiting.run.ends_at),
            Until::Front | Until::Change(_) => waiting.run.ends_at,
        };
        let all = self.talk.waiting.iter().map(due).enumerate();
        let (index, _) = all
            .filter(|(_, at)| *at <= self.now)
            .min_by_key(|(_, at)| *at)?;
        Some(self.talk.waiting.remove(index))
    }

    /// Runs about the thing jump; without one, a run begins where a flow says so. The run that
    /// caused the change knows it already, unless it waits for just that.
    fn changed(&mut self, what: Change, subject: Subject, by: Option<&FlowHash>) {
        let (world, direct) = (self.world, self.world.answering);
        if what == Change::SignOfLife {
            self.hear_silence_anew();
            return self.show_life(self.talk.front().map(|(.., said)| said));
        }
        let jump = |run: &Run| {
            let concerned = run.subject == subject && Some(&run.flow) != by;
            let flow = world.flows.get(&run.flow).filter(|_| concerned)?;
            flow.jump(what).cloned()
        };
        let opening: Vec<(Arc<Flow>, NodeId)> = self.openings(what, subject, by);
        let mut jumps = Vec::new();
        if let Some(node) = self.talk.front().and_then(|(run, ..)| jump(run)) {
            let withdrawn = self.take_unanswered_front();
            jumps.extend(withdrawn.map(|run| (run, node)));
        }
        for waiting in std::mem::take(&mut self.talk.waiting) {
            let awaited = waiting.run.subject == subject && waiting.until == Until::Change(what);
            if awaited {
                jumps.push((waiting.run, waiting.node));
            } else if let Some(node) = jump(&waiting.run) {
                jumps.push((waiting.run, node));
            } else {
                self.talk.waiting.push(waiting);
            }
        }
        for (run, node) in jumps {
            self.walk_or_park(run, node, direct);
        }
        for (flow, node) in opening {
            self.begin(&flow, subject, node, direct);
        }
    }

    /// Whoever was just heard is not silent: the open question waits as long again.
    fn hear_silence_anew(&mut self) {
        let (zone, holidays) = (self.world.zone, &self.world.holidays);
        if let State::Asking {
            run,
            node,
            silent_at,
            ..
        } = &mut self.talk.state
            && let Some(flow) = self.world.flows.get(&run.flow)
            && let Some(ask) = flow.ask(node)
        {
            *silent_at = ask.silent.after.after(self.now, zone, holidays);
        }
    }

    fn openings(
        &self,
        what: Change,
        subject: Subject,
        by: Option<&FlowHash>,
    ) -> Vec<(Arc<Flow>, NodeId)> {
        if matches!(self.talk.state, State::Left { .. }) {
            return Vec::new();
        }
        let cause = by
            .and_then(|hash| self.world.flows.get(hash))
            .map(|flow| flow.name.as_str());
        let newest = self
            .world
            .newest
            .values()
            .filter_map(|hash| self.world.flows.get(hash));
        newest
            .filter(|flow| flow.about.fits(&subject) && cause != Some(flow.name.as_str()))
            .filter(|flow| !self.has_run(&flow.name, subject))
            .filter_map(|flow| Some((flow.clone(), flow.opens.get(&what)?.clone())))
            .collect()
    }

    /// A coach takes the talk, or it is handed over. What waits for a time keeps waiting and becomes
    /// a flag if it falls due before the talk is given back.
    fn taken_over(&mut self, why: Why) {
        if matches!(
            self.talk.state,
            State::Left { .. } | State::WithCoach { .. }
        ) {
            return;
        }
        self.end_front(Because::Handed);
        self.talk.state = State::WithCoach {
            since: self.now,
            why,
            warned: None,
        };
    }

    fn given_back(&mut self) {
        if matches!(self.talk.state, State::WithCoach { .. }) {
            self.talk.state = State::Idle;
        }
    }

    /// The front is free: whoever waited longest for it may ask.
    fn pass_the_front_on(&mut self) {
        while matches!(self.talk.state, State::Idle) {
            let mut waiting = self.talk.waiting.iter();
            let Some(first) = waiting.position(|waiting| waiting.until == Until::Front) else {
                return;
            };
            let Waiting { run, node, .. } = self.talk.waiting.remove(first);
            if run.ends_at <= self.now {
                self.close_run(run, Because::NoAnswer);
            } else {
                self.walk_or_park(run, node, false);
            }
        }
    }

    /// Takes the open question away; the caller decides how its run goes on.
    fn take_front(&mut self) -> Option<Taken> {
        match std::mem::replace(&mut self.talk.state, State::Idle) {
            State::Offered {
                run,
                node,
                said,
                tries,
            } => Some(Taken {
                run,
                node,
                said,
                tries,
            }),
            State::Asking {
                run,
                node,
                said,
                since,
                tries,
                ..
            } => {
                self.talk.overlapped = Some(Overlapped {
                    said,
                    asked_at: since,
                });
                Some(Taken {
                    run,
                    node,
                    said,
                    tries,
                })
            }
            other => {
                self.talk.state = other;
                None
            }
        }
    }

    /// As `take_front`, for a question that is no longer wanted: unsent it is taken back.
    fn take_unanswered_front(&mut self) -> Option<Run> {
        let unsent = matches!(self.talk.state, State::Offered { .. });
        let Taken {
            mut run,
            node,
            said,
            ..
        } = self.take_front()?;
        if unsent {
            self.effects.push(Effect::Withdraw { said: Some(said) });
        } else {
            remember(&mut run, said, node);
        }
        Some(run)
    }

    fn end_front(&mut self, because: Because) {
        if let Some(run) = self.take_unanswered_front() {
            self.close_run(run, because);
        }
    }

    fn ask_at(&self, run: &Run, node: &NodeId) -> Option<(Arc<Flow>, Ask)> {
        let flow = self.world.flows.get(&run.flow)?;
        Some((flow.clone(), flow.ask(node)?.clone()))
    }

    /// Does a run of this flow, in any version, go on about this subject?
    fn has_run(&self, name: &str, subject: Subject) -> bool {
        let mut runs = self.talk.runs().filter(|run| run.subject == subject);
        runs.any(|run| {
            self.world
                .flows
                .get(&run.flow)
                .is_some_and(|flow| flow.name == name)
        })
    }

    fn stuck(&mut self, run: Run) {
        self.flag(Why::Stuck, run.subject);
        self.close_run(run, Because::Handed);
    }

    fn flag(&mut self, why: Why, subject: Subject) {
        let flag = Effect::AskCoach { why, subject };
        if !self.effects.contains(&flag) {
            self.effects.push(flag);
        }
    }

    fn close_run(&mut self, run: Run, because: Because) {
        self.close(run.flow, run.subject, because);
    }

    fn close(&mut self, flow: FlowHash, subject: Subject, because: Because) {
        self.effects.push(Effect::Close {
            flow,
            subject,
            because,
        });
    }
}

fn remember(run: &mut Run, said: u32, node: NodeId) {
    if run.unanswered.len() == MOST_UNANSWERED {
        run.unanswered.remove(0);
    }
    run.unanswered.push(Asked { said, node });
}
