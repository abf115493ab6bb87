//! What must hold for every step, whatever happens in whatever order: random events over the real flows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use tussendoor::assemble;
use tussendoor::domain::contact::{DigitalSkill, Purpose};
use tussendoor::domain::flow::definition::About;
use tussendoor::domain::ids::{CandidateId, FlowHash, TaskId};
use tussendoor::domain::plan::{Plan, Subject, Task, TaskState};
use tussendoor::domain::talk::effect::{Act, Effect, Saying};
use tussendoor::domain::talk::event::{Button, Change, Event, Heard};
use tussendoor::domain::talk::state::{State, Talk, Why};
use tussendoor::domain::talk::step::step;
use tussendoor::domain::talk::world::World;
use tussendoor::domain::time::{Holidays, Timestamp};
use tussendoor::texts::config::Configuration;
use ulid::Ulid;

use crate::support::house::moment;

static CONFIGURATION: LazyLock<Configuration> = LazyLock::new(|| assemble::builtin().unwrap());

/// One thing that happens.
#[derive(Debug, Clone)]
enum Move {
    Start(usize, u32),
    Says(&'static str),
    Taps(u32, &'static str),
    Thumb(u32),
    Photo,
    Accepted(u32),
    Undelivered(u32),
    Dropped(u32),
    Waits(i64),
    Changed(u32, bool),
    TakenOver,
    GivenBack,
    StrangeFlow,
}

const WORDS: &[&str] = &[
    "1",
    "2",
    "3",
    "9",
    "ja",
    "nee",
    "nog niet",
    "klaar",
    "KLAAR 1",
    "klaar 2",
    "later 3",
    "plan",
    "hulp",
    "bel mij",
    "taal en",
    "wie",
    "afspraak",
    "verzet",
    "stop",
    "stop taken",
    "STOP ALLES",
    "start",
    "We moeten stoppen met roken",
    "ik wil niet meer leven",
    "bezwaar",
    "blauw",
    "",
    "😀",
    "Ik ben bezig",
    "5d",
];
const CHOICES: &[&str] = &[
    "yes", "not_yet", "help", "week", "busy", "stuck", "done", "all", "nothing", "other", "open",
    "x",
];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0..3usize, 1..4u32).prop_map(|(flow, task)| Move::Start(flow, task)),
        6 => prop::sample::select(WORDS).prop_map(Move::Says),
        3 => (0..4u32, prop::sample::select(CHOICES)).prop_map(|(back, choice)| Move::Taps(back, choice)),
        1 => (0..3u32).prop_map(Move::Thumb),
        1 => Just(Move::Photo),
        6 => (0..2u32).prop_map(Move::Accepted),
        1 => (0..3u32).prop_map(Move::Undelivered),
        1 => (0..3u32).prop_map(Move::Dropped),
        4 => (60..30 * 86_400i64).prop_map(Move::Waits),
        2 => (1..4u32, any::<bool>()).prop_map(|(task, done)| Move::Changed(task, done)),
        1 => Just(Move::TakenOver),
        2 => Just(Move::GivenBack),
        1 => Just(Move::StrangeFlow),
    ];
    prop::collection::vec(one, 1..60)
}

struct Stage {
    talk: Talk,
    tasks: Vec<Task>,
    consent: BTreeSet<Purpose>,
    now: Timestamp,
    left_up_to: u32,
    /// Runs that are on, by flow and subject, counted.
    opened: BTreeMap<(FlowHash, Subject), i64>,
    closed: BTreeMap<(FlowHash, Subject), i64>,
}

fn task_id(number: u32) -> TaskId {
    TaskId(Ulid::from_parts(2, u128::from(number)))
}

impl Stage {
    fn new() -> Self {
        let task = |number: u32| Task {
            id: task_id(number),
            number,
            title: "stap".into(),
            state: TaskState::Open,
            due_on: None,
            done_at: None,
            version: 0,
        };
        Self {
            talk: Talk::new(CandidateId(Ulid::from_parts(1, 1))),
            tasks: (1..4).map(task).collect(),
            consent: Purpose::ASKED.into_iter().collect(),
            now: moment("2026-03-04", 9, 30),
            left_up_to: 0,
            opened: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    fn world(&self) -> World {
        let book = &CONFIGURATION.book;
        World {
            plan: Plan {
                id: None,
                goal: String::new(),
                tasks: self.tasks.clone(),
                meetings: Vec::new(),
            },
            free_slots: Vec::new(),
            older_slots: Vec::new(),
            flows: book.flows(),
            newest: book.newest_all(),
            consent: self.consent.clone(),
            left_up_to: self.left_up_to,
            digital_skill: DigitalSkill::Basic,
            exercised: BTreeSet::new(),
            open_vacancies: BTreeSet::new(),
            answering: false,
            zone: chrono_tz::Europe::Amsterdam,
            holidays: Holidays::default(),
        }
    }

    fn runs(&self) -> BTreeMap<(FlowHash, Subject), i64> {
        let mut runs = BTreeMap::new();
        for run in self.talk.runs() {
            *runs.entry((run.flow.clone(), run.subject)).or_insert(0) += 1;
        }
        runs
    }

    fn event(&self, happens: &Move) -> Event {
        let book = &CONFIGURATION.book;
        let words = &CONFIGURATION.vocabulary;
        let back = |n: u32| self.talk.said.saturating_sub(n);
        match happens {
            Move::Start(flow, task) => {
                let name = book.names().nth(*flow).unwrap();
                let hash = book.newest(name).unwrap();
                let about = book.flow(&hash).unwrap().about;
                let subject = if about == About::Task {
                    Subject::Task(task_id(*task))
                } else {
                    Subject::Nothing
                };
                Event::Start {
                    flow: hash,
                    subject,
                }
            }
            Move::StrangeFlow => Event::Start {
                flow: FlowHash("nobody-knows".into()),
                subject: Subject::Nothing,
            },
            Move::Says(text) => Event::Heard(Heard::words(text, words)),
            Move::Taps(n, choice) => {
                let button = Button {
                    to: back(*n),
                    choice: (*choice).to_owned(),
                };
                Event::Heard(Heard::tap(button, "knop"))
            }
            Move::Thumb(n) => {
                let mut heard = Heard::reaction("👍");
                heard.button = Some(Button {
                    to: back(*n),
                    choice: "yes".into(),
                });
                Event::Heard(heard)
            }
            Move::Photo => Event::Heard(Heard::media("", words)),
            Move::Accepted(n) => Event::Accepted { said: back(*n) },
            Move::Undelivered(n) => Event::Undelivered { said: back(*n) },
            Move::Dropped(n) => Event::Dropped { said: back(*n) },
            Move::Waits(_) => Event::Woke,
            Move::Changed(task, done) => Event::Changed {
                what: if *done {
                    Change::TaskDone
                } else {
                    Change::TaskDropped
                },
                subject: Subject::Task(task_id(*task)),
                by: None,
            },
            Move::TakenOver => Event::TakenOver {
                why: Why::TakenOver,
            },
            Move::GivenBack => Event::GivenBack,
        }
    }

    /// One event, with every promise checked.
    fn play(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let (before, runs_before) = (self.talk.clone(), self.runs());
        let (talk, effects) = step(before.clone(), event, &self.world(), self.now);
        // The same step twice is the same: nothing but its arguments decides.
        prop_assert_eq!(
            &step(before.clone(), event, &self.world(), self.now).0,
            &talk
        );
        let bytes = serde_json::to_vec(&talk).unwrap();
        prop_assert_eq!(
            &serde_json::from_slice::<Talk>(&bytes).unwrap(),
            &talk,
            "stored and read back"
        );
        prop_assert!(talk.said >= before.said, "said only grows");
        prop_assert!(talk.waiting.len() <= 16, "sixteen wait at most");
        prop_assert!(effects.len() <= 64, "a step does not run away");
        let mut said = before.said;
        let mut stopped: BTreeSet<Purpose> = BTreeSet::new();
        let with_coach = matches!(before.state, State::WithCoach { .. });
        for effect in &effects {
            match effect {
                Effect::Say(say) => {
                    said += 1;
                    prop_assert_eq!(say.said, said, "every message has the next number");
                    prop_assert!(!say.texts.is_empty(), "no empty message");
                    if say.saying != Saying::LastWord {
                        prop_assert!(
                            !stopped.contains(&say.purpose),
                            "nothing after STOP but the last word"
                        );
                    }
                    if say.purpose != Purpose::Reply && say.saying != Saying::LastWord {
                        let agreed = self.consent.contains(&say.purpose) || !stopped.is_empty();
                        prop_assert!(agreed, "nothing without consent: {:?}", say);
                    }
                    if with_coach && !matches!(event, Event::GivenBack) {
                        let alarm = matches!(event, Event::Heard(heard) if heard.alarm.is_some());
                        let last = say.saying == Saying::LastWord;
                        let starts_again = say
                            .texts
                            .iter()
                            .any(|key| format!("{key:?}").contains("started"));
                        let who = say
                            .texts
                            .iter()
                            .any(|key| format!("{key:?}").contains("who"));
                        prop_assert!(
                            alarm || last || starts_again || who,
                            "a flow speaks while the coach has the talk: {say:?}"
                        );
                    }
                }
                Effect::Consent { purpose, given } => {
                    for purpose in purpose.map_or_else(|| Purpose::ASKED.to_vec(), |one| vec![one])
                    {
                        if *given {
                            self.consent.insert(purpose);
                            stopped.remove(&purpose);
                        } else {
                            self.consent.remove(&purpose);
                            stopped.insert(purpose);
                        }
                    }
                }
                Effect::Close { flow, subject, .. } => {
                    *self.closed.entry((flow.clone(), *subject)).or_insert(0) += 1;
                }
                _ => {}
            }
        }
        prop_assert_eq!(talk.said, said, "numbers are used for messages only");
        self.talk = talk;
        let runs = self.runs();
        // Whoever was on and no longer is, left with exactly one Close more than came new.
        for (key, count) in &runs_before {
            let now_on = runs.get(key).copied().unwrap_or(0);
            let closes = effects
                .iter()
                .filter(|effect| matches!(effect, Effect::Close { flow, subject, .. } if (flow, subject) == (&key.0, &key.1)))
                .count();
            let left = count - now_on;
            prop_assert!(
                left <= i64::try_from(closes).unwrap(),
                "a run left without a Close"
            );
        }
        for (key, count) in runs {
            *self.opened.entry(key).or_insert(0) += count;
        }
        for effect in effects {
            let done = match effect {
                Effect::TaskDone { number } => Some(number),
                Effect::Do {
                    act: Act::TaskDone,
                    subject: Subject::Task(id),
                    ..
                } => self
                    .tasks
                    .iter()
                    .find(|task| task.id == id)
                    .map(|task| task.number),
                _ => None,
            };
            if let Some(task) =
                done.and_then(|number| self.tasks.iter_mut().find(|task| task.number == number))
            {
                task.state = TaskState::Done;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds_in_every_order(list in moves()) {
        let mut stage = Stage::new();
        for happens in &list {
            if let Move::Waits(seconds) = happens {
                stage.now = stage.now.plus_seconds(*seconds);
            }
            if let Move::Accepted(back) = happens {
                stage.left_up_to = stage.left_up_to.max(stage.talk.said.saturating_sub(*back));
            }
            let event = stage.event(happens);
            stage.play(&event)?;
        }
    }

    /// Receipts that come late or belong to nobody, and timers that go off too early, change nothing.
    #[test]
    fn a_late_or_foreign_event_changes_nothing(list in moves(), far in 1_000..2_000u32) {
        let mut stage = Stage::new();
        for happens in &list {
            if let Move::Waits(seconds) = happens {
                stage.now = stage.now.plus_seconds(*seconds);
            }
            let event = stage.event(happens);
            stage.play(&event)?;
            for foreign in [Event::Accepted { said: far }, Event::Undelivered { said: far }, Event::Dropped { said: far }] {
                let (talk, effects) = step(stage.talk.clone(), &foreign, &stage.world(), stage.now);
                prop_assert_eq!(&talk, &stage.talk);
                prop_assert!(effects.is_empty(), "{:?}", effects);
            }
            if stage.talk.wake_at().is_none_or(|at| at > stage.now) {
                let (talk, effects) = step(stage.talk.clone(), &Event::Woke, &stage.world(), stage.now);
                prop_assert_eq!(&talk, &stage.talk);
                prop_assert!(effects.is_empty(), "{:?}", effects);
            }
        }
    }

    /// After STOP nothing is said for as long as nobody writes: whatever falls due, whatever changes.
    #[test]
    fn after_stop_there_is_one_confirmation_and_silence(list in moves(), later in prop::collection::vec(60..20 * 86_400i64, 1..12)) {
        let mut stage = Stage::new();
        for happens in &list {
            if let Move::Waits(seconds) = happens {
                stage.now = stage.now.plus_seconds(*seconds);
            }
            let event = stage.event(happens);
            stage.play(&event)?;
        }
        stage.play(&Event::Heard(Heard::words("STOP", &CONFIGURATION.vocabulary)))?;
        let left = matches!(stage.talk.state, State::Left { .. });
        prop_assert!(left);
        let said = stage.talk.said;
        for (n, seconds) in later.into_iter().enumerate() {
            stage.now = stage.now.plus_seconds(seconds);
            stage.play(&Event::Woke)?;
            let start = stage.event(&Move::Start(n % 3, 1));
            stage.play(&start)?;
            stage.play(&Event::Changed { what: Change::TaskDone, subject: Subject::Task(task_id(1)), by: None })?;
        }
        prop_assert_eq!(stage.talk.said, said, "something was said after STOP");
    }
}
