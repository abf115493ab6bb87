//! The promises of the step over flows that nobody would write. What the check refuses must still not
//! break a talk: an older version may be in the database.

mod flows;
mod moments;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use tussendoor::domain::command::Command;
use tussendoor::domain::contact::{DigitalSkill, Purpose};
use tussendoor::domain::flow::definition::Flow;
use tussendoor::domain::ids::{CandidateId, FlowHash, MeetingId, SlotId};
use tussendoor::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Plan, Subject};
use tussendoor::domain::talk::effect::{Effect, Saying, TextKey};
use tussendoor::domain::talk::event::{Alarm, Button, Change, Event, Heard, HeardKind};
use tussendoor::domain::talk::state::{State, Talk, Until, Why};
use tussendoor::domain::talk::step::step;
use tussendoor::domain::talk::world::World;
use tussendoor::domain::time::{Holidays, Timestamp};
use ulid::Ulid;

use crate::support::house::moment;
use flows::flow;

const FLOWS: usize = 3;
const MEETINGS: u8 = 3;

#[derive(Debug, Clone)]
enum Move {
    Start(usize, u8),
    Says(&'static str),
    Taps(u32, usize),
    Receipt(u32, u8),
    Waits(i64),
    /// Time passes and the timer has not gone off yet.
    Passes(i64),
    Changed(Change, u8, Option<usize>),
    Coach(bool),
    Alarm,
    Photo,
    /// Whether what comes next follows from words of the person.
    Answering(bool),
    Command(Command),
    Slots(u8),
    Meeting(u8, MeetingState, Option<i64>),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let changes = vec![
        Change::MeetingBooked,
        Change::MeetingMoved,
        Change::MeetingCancelled,
        Change::SignOfLife,
    ];
    let states = vec![
        MeetingState::Proposed,
        MeetingState::Booked,
        MeetingState::Held,
        MeetingState::Missed,
        MeetingState::Cancelled,
    ];
    let commands = vec![
        Command::Stop { purpose: None },
        Command::Stop {
            purpose: Some(Purpose::Meetings),
        },
        Command::Start { purpose: None },
        Command::Help,
        Command::Cancel,
        Command::Reschedule,
        Command::WrongNumber,
        Command::Plan,
        Command::Appointment,
        Command::Later {
            days: Some(u32::MAX),
        },
        Command::Done { number: None },
    ];
    let one = prop_oneof![
        6 => (0..FLOWS, 0..MEETINGS).prop_map(|(flow, meeting)| Move::Start(flow, meeting)),
        5 => prop::sample::select(vec!["1", "2", "3", "5", "yes", "woorden", "", "🙂"])
            .prop_map(Move::Says),
        4 => (0..4u32, 0..6usize).prop_map(|(back, choice)| Move::Taps(back, choice)),
        8 => (0..2u32, 0..8u8).prop_map(|(back, what)| Move::Receipt(back, what)),
        6 => (60..12 * 86_400i64).prop_map(Move::Waits),
        2 => (60..12 * 86_400i64).prop_map(Move::Passes),
        3 => (prop::sample::select(changes), 0..MEETINGS, prop::option::of(0..FLOWS))
            .prop_map(|(what, meeting, by)| Move::Changed(what, meeting, by)),
        2 => any::<bool>().prop_map(Move::Coach),
        1 => Just(Move::Alarm),
        2 => prop::sample::select(commands).prop_map(Move::Command),
        1 => Just(Move::Photo),
        1 => any::<bool>().prop_map(Move::Answering),
        2 => (0..5u8).prop_map(Move::Slots),
        2 => (0..MEETINGS, prop::sample::select(states), prop::option::of(-5 * 86_400..20 * 86_400i64))
            .prop_map(|(meeting, state, starts)| Move::Meeting(meeting, state, starts)),
    ];
    prop::collection::vec(one, 1..50)
}

fn meeting_id(number: u8) -> MeetingId {
    MeetingId(Ulid::from_parts(3, u128::from(number)))
}

fn slot(number: u8) -> SlotId {
    SlotId(Ulid::from_parts(4, u128::from(number)))
}

struct Stage {
    talk: Talk,
    world: World,
    now: Timestamp,
}

impl Stage {
    fn new(flows: Vec<Arc<Flow>>) -> Self {
        let newest = flows
            .iter()
            .map(|flow| (flow.name.clone(), flow.hash.clone()));
        let meetings = (0..MEETINGS).map(|number| Meeting {
            id: meeting_id(number),
            kind: MeetingKind::Progress,
            mode: MeetingMode::Office,
            state: MeetingState::Proposed,
            slot: None,
            starts_at: None,
            ends_at: None,
            place: None,
            version: 0,
        });
        let world = World {
            plan: Plan {
                meetings: meetings.collect(),
                ..Plan::default()
            },
            free_slots: Vec::new(),
            older_slots: Vec::new(),
            newest: newest.collect(),
            flows: flows
                .into_iter()
                .map(|flow| (flow.hash.clone(), flow))
                .collect(),
            consent: Purpose::ASKED.into_iter().collect(),
            left_up_to: 0,
            digital_skill: DigitalSkill::Basic,
            exercised: BTreeSet::new(),
            open_vacancies: BTreeSet::new(),
            answering: false,
            zone: chrono_tz::Europe::Amsterdam,
            holidays: Holidays::default(),
        };
        Self {
            talk: Talk::new(CandidateId(Ulid::from_parts(1, 1))),
            world,
            // Over the change to summer time.
            now: moment("2026-03-20", 9, 30),
        }
    }

    /// What happens to the world, and the event that tells the talk.
    fn event(&mut self, happens: &Move) -> Option<Event> {
        let hash = |flow: usize| FlowHash(format!("hash{flow}"));
        let back = |n: u32| self.talk.said.saturating_sub(n);
        let heard = |words: &str| Heard {
            words: words.to_owned(),
            kind: HeardKind::Words,
            button: None,
            command: None,
            alarm: None,
            assent: None,
        };
        Some(match happens {
            Move::Start(flow, meeting) => Event::Start {
                flow: hash(*flow),
                subject: Subject::Meeting(meeting_id(*meeting)),
            },
            Move::Says(words) => Event::Heard(heard(words)),
            Move::Taps(n, choice) => {
                let choices = ["yes", "no", "open", "odd"].map(str::to_owned);
                let slots = (0..3u8).map(|number| format!("slot:{}", slot(number)));
                let choice = choices.into_iter().chain(slots).nth(*choice)?;
                Event::Heard(Heard::tap(
                    Button {
                        to: back(*n),
                        choice,
                    },
                    "knop",
                ))
            }
            Move::Receipt(n, 0) => Event::Undelivered { said: back(*n) },
            Move::Receipt(n, 1) => Event::Dropped { said: back(*n) },
            Move::Receipt(n, _) => {
                self.world.left_up_to = self.world.left_up_to.max(back(*n));
                Event::Accepted { said: back(*n) }
            }
            Move::Waits(seconds) => {
                self.now = self.now.plus_seconds(*seconds);
                Event::Woke
            }
            Move::Passes(seconds) => {
                self.now = self.now.plus_seconds(*seconds);
                return None;
            }
            Move::Changed(what, meeting, by) => Event::Changed {
                what: *what,
                subject: Subject::Meeting(meeting_id(*meeting)),
                by: by.map(hash),
            },
            Move::Coach(true) => Event::TakenOver {
                why: Why::TakenOver,
            },
            Move::Coach(false) => Event::GivenBack,
            Move::Alarm => Event::Heard(Heard {
                alarm: Some(Alarm::Crisis),
                ..heard("113")
            }),
            Move::Photo => Event::Heard(Heard {
                kind: HeardKind::Photo,
                ..heard("")
            }),
            Move::Answering(answering) => {
                self.world.answering = *answering;
                return None;
            }
            Move::Command(command) => Event::Heard(Heard {
                command: Some(command.clone()),
                ..heard("x")
            }),
            Move::Slots(free) => {
                self.world.free_slots = (0..*free).map(slot).collect();
                return None;
            }
            Move::Meeting(number, state, starts) => {
                let starts_at = starts.map(|seconds| self.now.plus_seconds(seconds));
                let meeting = self.world.plan.meetings.get_mut(usize::from(*number))?;
                (meeting.state, meeting.starts_at) = (*state, starts_at);
                return None;
            }
        })
    }

    fn runs(&self) -> BTreeMap<(FlowHash, Subject), usize> {
        let mut runs = BTreeMap::new();
        for run in self.talk.runs() {
            *runs.entry((run.flow.clone(), run.subject)).or_insert(0) += 1;
        }
        runs
    }

    fn play(&mut self, event: &Event) -> Result<Vec<Effect>, TestCaseError> {
        let (said, runs) = (self.talk.said, self.runs());
        let with_coach = matches!(self.talk.state, State::WithCoach { .. })
            && !matches!(event, Event::GivenBack);
        let (talk, effects) = step(self.talk.clone(), event, &self.world, self.now);
        let stored = serde_json::to_string(&talk).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Talk>(&stored).unwrap(), &talk);
        prop_assert!(talk.said >= said);
        prop_assert!(talk.waiting.len() <= 16);
        self.talk = talk;

        let mut messages = 0;
        let mut consent = self.world.consent.clone();
        for effect in &effects {
            match effect {
                Effect::Consent { purpose, given } => {
                    for purpose in purpose.map_or(Purpose::ASKED.to_vec(), |one| vec![one]) {
                        if *given {
                            consent.insert(purpose);
                        } else {
                            consent.remove(&purpose);
                        }
                    }
                }
                Effect::Say(say) => {
                    messages += 1;
                    prop_assert_eq!(say.said, said + messages);
                    prop_assert!(!say.texts.is_empty());
                    prop_assert!(say.not_after > self.now, "it can still leave: {say:?}");
                    let flow_speaks = say
                        .texts
                        .iter()
                        .any(|key| !matches!(key, TextKey::Common(_)));
                    let alarm = matches!(event, Event::Heard(heard) if heard.alarm.is_some());
                    prop_assert!(
                        !(with_coach && flow_speaks && !alarm),
                        "a flow spoke over the coach"
                    );
                    if say.purpose != Purpose::Reply && say.saying != Saying::LastWord {
                        prop_assert!(consent.contains(&say.purpose), "without consent: {say:?}");
                    }
                }
                _ => {}
            }
        }
        self.world.consent = consent;

        // Whoever comes new stays or leaves in the same step; whoever leaves is closed, once.
        let mut closed: BTreeMap<(FlowHash, Subject), usize> = BTreeMap::new();
        for effect in &effects {
            if let Effect::Close { flow, subject, .. } = effect {
                *closed.entry((flow.clone(), *subject)).or_insert(0) += 1;
            }
        }
        let after = self.runs();
        let begins = matches!(event, Event::Start { .. } | Event::Changed { .. })
            || matches!(event, Event::Heard(heard) if heard.command.is_some() || heard.alarm.is_some());
        let keys: BTreeSet<_> = runs
            .keys()
            .chain(after.keys())
            .chain(closed.keys())
            .collect();
        for key in keys {
            let count = |of: &BTreeMap<_, usize>| of.get(key).copied().unwrap_or(0);
            let came = (count(&after) + count(&closed)).checked_sub(count(&runs));
            let came = came.ok_or_else(|| TestCaseError::fail("a run left without a Close"))?;
            prop_assert!(
                came <= usize::from(begins),
                "a run was closed twice: {key:?}"
            );
            prop_assert!(count(&after) <= 1, "the same thing twice: {key:?}");
        }
        let idle = matches!(self.talk.state, State::Idle);
        let queued = self
            .talk
            .waiting
            .iter()
            .any(|waiting| waiting.until == Until::Front);
        prop_assert!(!(idle && queued), "somebody waits for a front that is free");
        Ok(effects)
    }

    /// The timer goes off until nothing is due: it must come to rest.
    fn rest(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..40 {
            if self.talk.wake_at().is_none_or(|at| at > self.now) {
                return Ok(());
            }
            self.play(&Event::Woke)?;
        }
        Err(TestCaseError::fail("the timer never comes to rest"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds_over_flows_that_nobody_would_write(
        flows in (flow(0), flow(1), flow(2)),
        list in moves(),
    ) {
        let mut stage = Stage::new(vec![flows.0, flows.1, flows.2]);
        for happens in &list {
            if let Some(event) = stage.event(happens) {
                stage.play(&event)?;
                stage.rest()?;
            }
        }
    }

    #[test]
    fn a_flow_that_disappeared_strands_nobody(
        flows in (flow(0), flow(1), flow(2)),
        list in moves(),
        after in moves(),
    ) {
        let mut stage = Stage::new(vec![flows.0, flows.1, flows.2]);
        for happens in &list {
            if let Some(event) = stage.event(happens) {
                stage.play(&event)?;
            }
        }
        stage.world.flows.clear();
        for happens in &after {
            if let Some(event) = stage.event(happens) {
                stage.play(&event)?;
                stage.rest()?;
            }
        }
        stage.now = stage.now.plus_days(20_000);
        stage.play(&Event::Woke)?;
        stage.rest()?;
        prop_assert_eq!(stage.talk.runs().count(), 0, "{:?}", stage.talk);
    }
}
