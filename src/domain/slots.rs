//! Free moments of coaches: which of them are offered to whom, in which order, and whether a step can need
//! them at all. Pure: the store selects, the talk books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::command::Command;
use super::flow::definition::{Ask, Fact, Flow, Kind};
use super::ids::{CoachId, FlowHash, NodeId, SlotId};
use super::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Plan, Subject};
use super::talk::event::{Change, Event, Heard};
use super::talk::state::{Run, Talk, Until};
use super::time::Timestamp;

/// A moment is offered only if it begins at least this much later: somebody has to get there.
pub const OFFER_AHEAD_SECONDS: i64 = 4 * 3600;
/// A moment that was offered can be taken until this long before it begins.
pub const TAKE_AHEAD_SECONDS: i64 = 3600;
/// How far ahead moments are offered.
pub const OFFER_DAYS: i64 = 42;

/// A time that a coach offers to one person, or to as many as its capacity says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub id: SlotId,
    pub coach: CoachId,
    pub mode: MeetingMode,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The address, or for video the link; may be empty for a call.
    pub place: String,
    pub capacity: u32,
    pub taken: u32,
    /// Withdrawn moments are offered to nobody; meetings in them stay.
    pub open: bool,
    /// Row version, for saving it back.
    pub version: i64,
}

impl Slot {
    pub const fn has_room(&self) -> bool {
        self.open && self.taken < self.capacity
    }
}

/// What kind of moment a person is looking for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The person's own coach: whose moments come first.
    pub coach: Option<CoachId>,
    /// As the invitation has it. Who is invited to the office is offered the office and nothing else.
    pub mode: MeetingMode,
}

impl Wanted {
    /// What fits everything that may be asked in this step: the office, unless all of it is about a meeting
    /// that may be elsewhere. The ladders of silence end in a meeting with a person (domain.md section 4).
    pub fn of(coach: Option<CoachId>, subjects: &[Subject], plan: &Plan) -> Self {
        let mode = |subject: &Subject| match subject {
            Subject::Meeting(id) => plan.meeting(*id).map(mode_of),
            Subject::Task(_) | Subject::Vacancy(_) | Subject::Nothing => None,
        };
        let modes: BTreeSet<&str> = subjects
            .iter()
            .map(|subject| mode(subject).unwrap_or(MeetingMode::Office).as_str())
            .collect();
        let one = modes.iter().next().filter(|_| modes.len() == 1);
        Self {
            coach,
            mode: one
                .and_then(|mode| MeetingMode::parse(mode))
                .unwrap_or(MeetingMode::Office),
        }
    }

    /// Whether this moment may be offered or taken.
    pub fn allows(&self, slot: &Slot) -> bool {
        self.mode != MeetingMode::Office || slot.mode == MeetingMode::Office
    }

    /// The moments in the order in which they are offered: the own coach's before the team's, the wanted
    /// mode before others, the soonest first.
    pub fn in_order(&self, mut slots: Vec<Slot>) -> Vec<Slot> {
        slots.retain(|slot| slot.has_room() && self.allows(slot));
        slots.sort_by_key(|slot| {
            (
                Some(slot.coach) != self.coach,
                slot.mode != self.mode,
                slot.starts_at,
                slot.id,
            )
        });
        slots
    }

    /// Those of them that are offered: of several at one time the best, for an answer names a time and nothing
    /// else.
    pub fn to_offer(&self, slots: Vec<Slot>) -> Vec<Slot> {
        let mut slots = self.in_order(slots);
        let mut times = BTreeSet::new();
        slots.retain(|slot| times.insert(slot.starts_at));
        slots
    }
}

fn mode_of(meeting: &Meeting) -> MeetingMode {
    mode_for(meeting.kind, meeting.mode)
}

/// The mode in which a meeting of this kind may be: some are at the office, by rule.
pub const fn mode_for(kind: MeetingKind, mode: MeetingMode) -> MeetingMode {
    if kind.offline_only() {
        MeetingMode::Office
    } else {
        mode
    }
}

/// What the questions with moments are about that this event can lead to; empty where no step from here
/// looks at moments, which is nearly always: then nobody has to read them.
pub fn needed_by(
    talk: &Talk,
    event: &Event,
    flows: &BTreeMap<FlowHash, Arc<Flow>>,
    newest: &BTreeMap<String, FlowHash>,
    plan: &Plan,
    now: Timestamp,
) -> Vec<Subject> {
    let look = Look {
        talk,
        flows,
        newest,
        plan,
        now,
    };
    let mut subjects = look.subjects(event);
    subjects.sort();
    subjects.dedup();
    subjects
}

struct Look<'a> {
    talk: &'a Talk,
    flows: &'a BTreeMap<FlowHash, Arc<Flow>>,
    newest: &'a BTreeMap<String, FlowHash>,
    plan: &'a Plan,
    now: Timestamp,
}

impl Look<'_> {
    fn subjects(&self, event: &Event) -> Vec<Subject> {
        let mut found = Vec::new();
        match event {
            Event::Accepted { .. } | Event::TakenOver { .. } => return found,
            Event::Start { flow, subject } => {
                if let Some(flow) = self.flows.get(flow)
                    && reaches(flow, [flow.start.clone()])
                {
                    found.push(*subject);
                }
            }
            Event::Heard(heard) => found.extend(self.heard(heard)),
            Event::Undelivered { .. } => found.extend(self.front(|flow, ask| {
                let exit = flow.undelivered(ask);
                reaches(flow, exit)
            })),
            Event::Woke => {
                found.extend(self.front(|flow, ask| reaches(flow, [ask.silent.go.clone()])));
            }
            Event::Changed {
                what: Change::SignOfLife,
                ..
            } => found.extend(self.cleared()),
            Event::Changed { what, subject, .. } => {
                let on = |flow: &Flow| reaches(flow, flow.jump(*what).cloned());
                let opens = |flow: &Flow| reaches(flow, flow.opens.get(what).cloned());
                let mut runs = self.talk.runs().filter(|run| run.subject == *subject);
                let begins = || self.newest_flows().any(|flow| opens(flow));
                if runs.any(|run| self.flow(run).is_some_and(|flow| on(flow))) || begins() {
                    found.push(*subject);
                }
            }
            Event::Dropped { .. } | Event::GivenBack => {}
        }
        // Whoever waits for the front, or for a time that has come, goes on in the same step.
        for waiting in &self.talk.waiting {
            let due = match (waiting.until, event) {
                (Until::Front, _) => true,
                (_, Event::Changed { subject, .. }) => waiting.run.subject == *subject,
                (Until::Time(at), Event::Woke) => at <= self.now,
                _ => false,
            };
            if due
                && let Some(flow) = self.flow(&waiting.run)
                && reaches(flow, [waiting.node.clone()])
            {
                found.push(waiting.run.subject);
            }
        }
        found
    }

    /// What a sign of life ends goes on where its flow says, whatever it is about.
    fn cleared(&self) -> impl Iterator<Item = Subject> {
        let on = |flow: &Flow| reaches(flow, flow.on.get(&Change::SignOfLife).cloned());
        let runs = self.talk.runs();
        let runs = runs.filter(move |run| self.flow(run).is_some_and(|flow| on(flow)));
        runs.map(|run| run.subject)
    }

    fn heard(&self, heard: &Heard) -> Vec<Subject> {
        let mut found: Vec<Subject> = self
            .front(|flow, ask| ask.offer.is_some() || reaches(flow, answers(flow, ask)))
            .into_iter()
            .chain(self.cleared())
            .collect();
        if heard.button.is_some() {
            for run in self.talk.runs() {
                let Some(flow) = self.flow(run) else {
                    continue;
                };
                let asked = run.unanswered.iter();
                let mut asks = asked.filter_map(|asked| flow.ask(&asked.node));
                if asks.any(|ask| ask.offer.is_some() || reaches(flow, answers(flow, ask))) {
                    found.push(run.subject);
                }
            }
        }
        if heard.command.is_some() || heard.alarm.is_some() {
            let hears = |flow: &Arc<Flow>| reaches(flow, flow.hears.values().cloned());
            if self.newest_flows().any(hears) {
                found.push(self.meant(heard.command.as_ref()));
            }
        }
        found
    }

    /// What a command is about: VERZET and AFZEGGEN mean the next meeting.
    fn meant(&self, command: Option<&Command>) -> Subject {
        let moves = matches!(command, Some(Command::Reschedule | Command::Cancel));
        let booked = self.plan.meetings.iter().filter(|meeting| {
            meeting.state == MeetingState::Booked && meeting.starts_at > Some(self.now)
        });
        let next = booked.min_by_key(|meeting| meeting.starts_at);
        next.filter(|_| moves)
            .map_or(Subject::Nothing, |meeting| Subject::Meeting(meeting.id))
    }

    /// The subject of the open question, if its ask is one of these.
    fn front(&self, is: impl Fn(&Flow, &Ask) -> bool) -> Option<Subject> {
        let (run, node, _) = self.talk.front()?;
        let flow = self.flow(run)?;
        let ask = flow.ask(node)?;
        is(flow, ask).then_some(run.subject)
    }

    fn flow(&self, run: &Run) -> Option<&Arc<Flow>> {
        self.flows.get(&run.flow)
    }

    fn newest_flows(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.newest.values().filter_map(|hash| self.flows.get(hash))
    }
}

/// Where an answer to this question can lead.
fn answers(flow: &Flow, ask: &Ask) -> Vec<NodeId> {
    let choices = ask.choices.iter().map(|choice| choice.go.clone());
    let exits = ask.text.iter().chain(&ask.command);
    let text = exits.map(|exit| exit.go.clone());
    let offer = ask.offer.iter().map(|offer| offer.go.clone());
    let unclear = flow.unclear(ask).map(|unclear| unclear.go);
    choices.chain(text).chain(offer).chain(unclear).collect()
}

/// Does a walk from one of these nodes come by a question with moments, or by one about them, before it
/// must stop?
fn reaches(flow: &Flow, from: impl IntoIterator<Item = NodeId>) -> bool {
    let mut open: Vec<NodeId> = from.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let Some(node) = flow.node(&id).filter(|_| seen.insert(id.clone())) else {
            continue;
        };
        match &node.kind {
            Kind::Ask(ask) if ask.offer.is_some() => return true,
            // Too late to ask is as good as no answer.
            Kind::Ask(ask) if ask.not_after.is_some() => open.push(ask.silent.go.clone()),
            Kind::Say(say) => open.push(say.go.clone()),
            Kind::Wait { go, .. } => open.push(go.clone()),
            Kind::If { fact, yes, no } => {
                if *fact == Fact::SlotsFree {
                    return true;
                }
                open.push(yes.clone());
                open.push(no.clone());
            }
            Kind::Coach { go: Some(go), .. } => open.push(go.clone()),
            // Here a run asks, rests or ends.
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    fn slot(number: u128, coach: u128, mode: MeetingMode, hour: i64) -> Slot {
        Slot {
            id: SlotId(Ulid::from_parts(1, number)),
            coach: CoachId(Ulid::from_parts(2, coach)),
            mode,
            starts_at: Timestamp::from_seconds(hour * 3600),
            ends_at: Timestamp::from_seconds(hour * 3600 + 1800),
            place: "Stadhuis".into(),
            capacity: 1,
            taken: 0,
            open: true,
            version: 0,
        }
    }

    fn order(wanted: Wanted, slots: Vec<Slot>) -> Vec<u128> {
        let ids = wanted.in_order(slots).into_iter();
        ids.map(|slot| slot.id.0.random()).collect()
    }

    #[test]
    fn the_own_coach_comes_first_and_then_the_soonest() {
        let wanted = Wanted {
            coach: Some(CoachId(Ulid::from_parts(2, 1))),
            mode: MeetingMode::Office,
        };
        let office = MeetingMode::Office;
        let slots = vec![
            slot(1, 2, office, 10),
            slot(2, 1, office, 30),
            slot(3, 1, office, 20),
        ];
        assert_eq!(order(wanted, slots), [3, 2, 1]);
    }

    #[test]
    fn of_several_moments_at_one_time_the_own_coachs_is_offered_alone() {
        let wanted = Wanted {
            coach: Some(CoachId(Ulid::from_parts(2, 2))),
            mode: MeetingMode::Office,
        };
        let office = MeetingMode::Office;
        let slots = || {
            vec![
                slot(1, 1, office, 10),
                slot(2, 2, office, 10),
                slot(3, 1, office, 20),
                slot(4, 3, office, 20),
            ]
        };
        let offered = wanted.to_offer(slots());
        let offered: Vec<u128> = offered.iter().map(|slot| slot.id.0.random()).collect();
        assert_eq!(offered, [2, 3]);
        // A coach sees them all.
        assert_eq!(order(wanted, slots()), [2, 1, 3, 4]);
    }

    #[test]
    fn the_office_is_offered_alone_and_video_only_before_the_others() {
        let slots = || {
            vec![
                slot(1, 1, MeetingMode::Office, 10),
                slot(2, 1, MeetingMode::Video, 20),
                slot(3, 1, MeetingMode::Phone, 30),
            ]
        };
        let wanted = |mode| Wanted { coach: None, mode };
        assert_eq!(order(wanted(MeetingMode::Office), slots()), [1]);
        assert_eq!(order(wanted(MeetingMode::Video), slots()), [2, 1, 3]);
    }

    #[test]
    fn what_is_full_or_withdrawn_is_not_offered() {
        let office = MeetingMode::Office;
        let full = Slot {
            taken: 1,
            ..slot(1, 1, office, 10)
        };
        let withdrawn = Slot {
            open: false,
            ..slot(2, 1, office, 10)
        };
        let room = Slot {
            capacity: 2,
            taken: 1,
            ..slot(3, 1, office, 10)
        };
        let wanted = Wanted {
            coach: None,
            mode: office,
        };
        assert_eq!(order(wanted, vec![full, withdrawn, room]), [3]);
    }

    #[test]
    fn an_intake_is_looked_for_at_the_office_whatever_was_asked() {
        for (kind, mode, found) in [
            (MeetingKind::Intake, MeetingMode::Video, MeetingMode::Office),
            (
                MeetingKind::Progress,
                MeetingMode::Video,
                MeetingMode::Video,
            ),
        ] {
            assert_eq!(mode_for(kind, mode), found);
        }
        // A task's ladder ends in a room; and of two meetings the stricter one counts.
        let plan = Plan::default();
        let wanted = Wanted::of(None, &[Subject::Nothing], &plan);
        assert_eq!(wanted.mode, MeetingMode::Office);
    }
}
