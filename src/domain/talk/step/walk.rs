//! How a run walks through its flow until it asks, waits or ends. What it says on the way becomes
//! one message.

use std::sync::Arc;

use super::{FRESH_NODES, MOST_NODES, MOST_WAITING, Turn};
use crate::domain::contact::{DigitalSkill, Purpose};
use crate::domain::flow::definition::{Ask, Busy, Deed, Fact, Flow, Kind, Moment};
use crate::domain::ids::NodeId;
use crate::domain::plan::{Meeting, MeetingMode, MeetingState, Subject, TaskState};
use crate::domain::talk::effect::{Approve, Because, Effect, Say, Saying, TextKey};
use crate::domain::talk::state::{Run, State, Until, Waiting, Why};
use crate::domain::talk::world::World;
use crate::domain::time::{Timestamp, add_working_days};

/// The text of a question or answer to a coach when the flow itself says nothing.
const PASSED_ON: &str = "passed_on";
/// A moment was taken by somebody else; what follows says how it goes on.
pub(super) const SLOT_TAKEN: &str = "slot_taken";

/// What one run says in one step.
struct Speech {
    texts: Vec<TextKey>,
    direct: bool,
    approve: Approve,
    not_after: Timestamp,
    rule: String,
}

/// Where a node leads.
enum Led {
    To(NodeId),
    /// The run asks, waits or has ended.
    Away,
}

enum Voice {
    Free,
    /// The coach has the talk.
    Taken,
    /// The person did not agree to this purpose, or left.
    Refused,
}

impl Turn<'_> {
    /// Plays a run from a node. `opening` are texts that go before its own.
    pub(super) fn walk(&mut self, run: Run, node: NodeId, direct: bool, opening: Vec<TextKey>) {
        let Some(mut flow) = self.world.flows.get(&run.flow).cloned() else {
            return self.stuck(run);
        };
        if !direct && run.ends_at <= self.now {
            return self.close_run(run, Because::NoAnswer);
        }
        let mut speech = Speech {
            texts: opening,
            direct,
            approve: Approve::Auto,
            not_after: run.ends_at,
            rule: flow.rule(&node),
        };
        let (mut run, mut node) = (Some(run), node);
        while let Some(mut walking) = run.take() {
            if self.nodes_left == 0 {
                return self.stuck(walking);
            }
            self.nodes_left -= 1;
            if let Some((newer, to)) = self.moved(&flow, &walking, &node) {
                walking.flow = newer.hash.clone();
                (flow, node) = (newer, to);
            }
            let Some(found) = flow.node(&node) else {
                return self.stuck(walking);
            };
            let led = match &found.kind {
                Kind::Ask(ask) => self.ask(&flow, &mut run, walking, &node, ask, &mut speech),
                Kind::Say(say) => {
                    self.perform(&walking, &say.deeds);
                    match self.voice(flow.purpose) {
                        Voice::Free => match self.latest(&walking, say.not_after) {
                            Latest::At(at) if at <= self.now => {}
                            Latest::At(at) => speech.add(&flow, &node, say.approve, at),
                            Latest::Unknown => return self.stuck(walking),
                        },
                        Voice::Taken => self.flag(Why::NudgeWhileTaken, walking.subject),
                        Voice::Refused => return self.close_run(walking, Because::Refused),
                    }
                    run = Some(walking);
                    Led::To(say.go.clone())
                }
                Kind::Wait { until, go } => match self.latest(&walking, Some(*until)) {
                    Latest::At(at) if at <= self.now => {
                        run = Some(walking);
                        Led::To(go.clone())
                    }
                    Latest::At(at) => {
                        self.tell(&flow, &walking, &mut speech);
                        self.wait(walking, go.clone(), Until::Time(at));
                        Led::Away
                    }
                    Latest::Unknown => return self.stuck(walking),
                },
                Kind::Await { change, go } => {
                    self.tell(&flow, &walking, &mut speech);
                    self.wait(walking, go.clone(), Until::Change(*change));
                    Led::Away
                }
                Kind::If { fact, yes, no } => {
                    let holds = self.holds(fact, &walking.subject);
                    run = Some(walking);
                    Led::To(if holds { yes.clone() } else { no.clone() })
                }
                // The coach looks, the run goes on: what it says here leaves with what it says next.
                Kind::Coach {
                    why, go: Some(go), ..
                } => {
                    self.flag(*why, walking.subject);
                    run = Some(walking);
                    Led::To(go.clone())
                }
                Kind::Coach {
                    why, hands_over, ..
                } => {
                    let free = matches!(self.voice(flow.purpose), Voice::Free);
                    let told = |key: &TextKey| *key != TextKey::Common(SLOT_TAKEN.to_owned());
                    if free && speech.direct && !speech.texts.iter().any(told) {
                        speech.texts.push(TextKey::Common(PASSED_ON.to_owned()));
                    }
                    self.tell(&flow, &walking, &mut speech);
                    self.flag(*why, walking.subject);
                    self.close_run(walking, Because::Handed);
                    if *hands_over {
                        self.taken_over(*why);
                    }
                    Led::Away
                }
                Kind::End { because, deeds } => {
                    self.perform(&walking, deeds);
                    self.tell(&flow, &walking, &mut speech);
                    self.close_run(walking, *because);
                    Led::Away
                }
            };
            match led {
                Led::To(next) => node = next,
                Led::Away => return,
            }
        }
    }

    /// Where the newest version takes this run over, if it says so. Only between two nodes: an open
    /// question is answered in the version that asked it, whose digits the person sees.
    fn moved(&self, flow: &Flow, run: &Run, node: &NodeId) -> Option<(Arc<Flow>, NodeId)> {
        let hash = self.world.newest.get(&flow.name)?;
        let newer = self.world.flows.get(hash).filter(|_| *hash != flow.hash)?;
        let to = newer.moves.get(node)?;
        let fits = newer.about.fits(&run.subject) && newer.purpose == flow.purpose;
        fits.then(|| (newer.clone(), to.clone()))
    }

    /// For runs that nobody is waiting for: with too few nodes left they come next time.
    pub(super) fn walk_or_park(&mut self, run: Run, node: NodeId, direct: bool) {
        let late = self.nodes_left < FRESH_NODES.min(MOST_NODES);
        if late && self.talk.waiting.len() < MOST_WAITING {
            self.wait(run, node, Until::Time(self.now));
        } else {
            self.walk(run, node, direct, Vec::new());
        }
    }

    /// Is the open question one of this same flow that leaves by itself and has not left? It weighs as much:
    /// of two reminders that fall due together one waits for the other, and neither is taken back.
    fn is_about_to_be_asked(&self, flow: &Flow) -> bool {
        let State::Offered { run, node, .. } = &self.talk.state else {
            return false;
        };
        let asked = self.ask_at(run, node);
        asked.is_some_and(|(of, ask)| of.name == flow.name && ask.approve == Some(Approve::Auto))
    }

    fn ask(
        &mut self,
        flow: &Arc<Flow>,
        back: &mut Option<Run>,
        mut run: Run,
        node: &NodeId,
        ask: &Ask,
        speech: &mut Speech,
    ) -> Led {
        match self.voice(flow.purpose) {
            // Nobody in danger is asked something by a flow.
            Voice::Free if self.alarmed => {
                self.tell(flow, &run, speech);
                self.stuck(run);
                return Led::Away;
            }
            Voice::Free => {}
            Voice::Taken => {
                self.flag(Why::NudgeWhileTaken, run.subject);
                self.close_run(run, Because::Handed);
                return Led::Away;
            }
            Voice::Refused => {
                self.close_run(run, Because::Refused);
                return Led::Away;
            }
        }
        let not_after = match self.latest(&run, ask.not_after) {
            // Too late to ask: as good as no answer.
            Latest::At(at) if at <= self.now => {
                *back = Some(run);
                return Led::To(ask.silent.go.clone());
            }
            Latest::At(at) => at,
            Latest::Unknown => {
                self.stuck(run);
                return Led::Away;
            }
        };
        if self.talk.front().is_some() {
            match flow.busy {
                Busy::Replace if !self.is_about_to_be_asked(flow) => {
                    self.end_front(Because::Overtaken);
                }
                Busy::Replace | Busy::Wait => {
                    self.tell(flow, &run, speech);
                    self.wait(run, node.clone(), Until::Front);
                    return Led::Away;
                }
                Busy::Skip => {
                    self.tell(flow, &run, speech);
                    self.close_run(run, Because::Overtaken);
                    return Led::Away;
                }
            }
        }
        if let Some(offer) = &ask.offer {
            run.offered = self
                .world
                .free_slots
                .iter()
                .take(offer.count)
                .copied()
                .collect();
            if run.offered.is_empty() {
                *back = Some(run);
                return Led::To(offer.none.clone());
            }
        }
        speech.add(flow, node, ask.approve, not_after);
        self.put(flow, run, node.clone(), ask, 1, speech);
        Led::Away
    }

    /// Puts the question once more, as a direct answer to words that did not answer it.
    pub(super) fn ask_again(&mut self, run: Run, node: NodeId, tries: u8, texts: Vec<TextKey>) {
        let Some((flow, ask)) = self.ask_at(&run, &node) else {
            return self.stuck(run);
        };
        let mut speech = Speech {
            texts,
            direct: true,
            approve: Approve::Auto,
            not_after: run.ends_at,
            rule: flow.rule(&node),
        };
        self.put(&flow, run, node, &ask, tries, &mut speech);
    }

    fn put(
        &mut self,
        flow: &Flow,
        run: Run,
        node: NodeId,
        ask: &Ask,
        tries: u8,
        speech: &mut Speech,
    ) {
        let saying = Saying::Ask {
            options: ask.choices.iter().map(|choice| choice.id.clone()).collect(),
            slots: match &ask.offer {
                Some(_) => run.offered.clone(),
                None => Vec::new(),
            },
        };
        let said = self.say(flow.purpose, run.subject, speech, saying);
        self.talk.state = State::Offered {
            run,
            node,
            said,
            tries,
        };
    }

    fn tell(&mut self, flow: &Flow, run: &Run, speech: &mut Speech) {
        // On the way the person may have stopped this purpose.
        let refused = matches!(self.voice(flow.purpose), Voice::Refused);
        if !refused && !speech.texts.is_empty() {
            self.say(flow.purpose, run.subject, speech, Saying::Tell);
        }
    }

    fn say(
        &mut self,
        purpose: Purpose,
        subject: Subject,
        speech: &mut Speech,
        saying: Saying,
    ) -> u32 {
        let said = self.talk.said.saturating_add(1);
        self.talk.said = said;
        self.effects.push(Effect::Say(Say {
            said,
            texts: std::mem::take(&mut speech.texts),
            subject,
            purpose,
            approve: speech.approve,
            direct: speech.direct,
            rule: speech.rule.clone(),
            not_after: speech.not_after,
            saying,
        }));
        said
    }

    /// A reply that every flow shares.
    pub(super) fn reply(&mut self, key: &str, subject: Subject, purpose: Purpose, saying: Saying) {
        let mut speech = Speech {
            texts: vec![TextKey::Common(key.to_owned())],
            direct: true,
            approve: Approve::Auto,
            not_after: self.now.plus_days(1),
            rule: format!("_common/{key}"),
        };
        self.say(purpose, subject, &mut speech, saying);
    }

    fn wait(&mut self, run: Run, node: NodeId, until: Until) {
        if self.talk.waiting.len() >= MOST_WAITING {
            return self.stuck(run);
        }
        self.talk.waiting.push(Waiting { run, node, until });
    }

    pub(super) fn perform(&mut self, run: &Run, deeds: &[Deed]) {
        for deed in deeds {
            match deed {
                Deed::Act(act) => self.effects.push(Effect::Do {
                    act: act.clone(),
                    subject: run.subject,
                    slot: run.picked,
                    by: run.flow.clone(),
                }),
                Deed::Consent { purposes, given } => {
                    for purpose in purposes {
                        self.consent(*purpose, *given);
                    }
                }
            }
        }
    }

    pub(super) fn consent(&mut self, purpose: Purpose, given: bool) {
        if given {
            self.consent.insert(purpose);
        } else {
            self.consent.remove(&purpose);
        }
        self.effects.push(Effect::Consent {
            purpose: Some(purpose),
            given,
        });
    }

    fn voice(&self, purpose: Purpose) -> Voice {
        match self.talk.state {
            _ if self.alarmed && purpose == Purpose::Reply => Voice::Free,
            State::WithCoach { .. } => Voice::Taken,
            State::Left { .. } => Voice::Refused,
            _ if purpose == Purpose::Reply || self.consent.contains(&purpose) => Voice::Free,
            _ => Voice::Refused,
        }
    }

    fn latest(&self, run: &Run, moment: Option<Moment>) -> Latest {
        let Some(moment) = moment else {
            return Latest::At(run.ends_at);
        };
        let starts_at = self
            .meeting(&run.subject)
            .and_then(|meeting| meeting.starts_at);
        let World { zone, holidays, .. } = self.world;
        match moment.resolve(self.now, starts_at, *zone, holidays) {
            Some(at) => Latest::At(at),
            None => Latest::Unknown,
        }
    }

    fn meeting(&self, subject: &Subject) -> Option<&Meeting> {
        match subject {
            Subject::Meeting(id) => self.world.plan.meeting(*id),
            _ => None,
        }
    }

    fn holds(&self, fact: &Fact, subject: &Subject) -> bool {
        let meeting_is = |state| self.meeting(subject).is_some_and(|m| m.state == state);
        let meeting_by = |mode| self.meeting(subject).is_some_and(|m| m.mode == mode);
        match (fact, subject) {
            (Fact::TaskOpen, Subject::Task(id)) => {
                let task = self.world.plan.task(*id);
                task.is_some_and(|task| task.state == TaskState::Open)
            }
            (Fact::VacancyOpen, Subject::Vacancy(id)) => self.world.open_vacancies.contains(id),
            (Fact::TaskOpen | Fact::VacancyOpen, _) => false,
            (Fact::MeetingBooked, _) => meeting_is(MeetingState::Booked),
            (Fact::MeetingHeld, _) => meeting_is(MeetingState::Held),
            (Fact::MeetingMissed, _) => meeting_is(MeetingState::Missed),
            (Fact::MeetingVideo, _) => meeting_by(MeetingMode::Video),
            (Fact::MeetingPhone, _) => meeting_by(MeetingMode::Phone),
            (Fact::MeetingSoon, _) => {
                let World { zone, holidays, .. } = self.world;
                let last = add_working_days(self.now.local_day(*zone), 1, holidays);
                let starts_at = self.meeting(subject).and_then(|meeting| meeting.starts_at);
                starts_at.is_some_and(|at| at.local_day(*zone) <= last)
            }
            (Fact::SlotsFree, _) => !self.world.free_slots.is_empty(),
            (Fact::DigitalStarter, _) => self.world.digital_skill == DigitalSkill::Starter,
            (Fact::MoreSteps, _) => {
                let mut open = self.world.plan.open();
                open.any(|task| Subject::Task(task.id) != *subject)
            }
            (Fact::StepsDone, _) => self.world.plan.done().next().is_some(),
            (Fact::Exercised(name), _) => self.world.exercised.contains(name),
        }
    }
}

enum Latest {
    At(Timestamp),
    /// It hangs on a meeting that has no time.
    Unknown,
}

impl Speech {
    /// The strictest approval and the earliest end of all parts hold for the whole.
    fn add(&mut self, flow: &Flow, node: &NodeId, approve: Option<Approve>, not_after: Timestamp) {
        let usual = if self.direct {
            Approve::Auto
        } else {
            Approve::Coach
        };
        self.approve = self.approve.max(approve.unwrap_or(usual));
        self.not_after = self.not_after.min(not_after);
        self.rule = flow.rule(node);
        self.texts.push(TextKey::Node {
            flow: flow.hash.clone(),
            node: node.clone(),
        });
    }
}
