//! Draws `docs/states.md` from the code: which state may follow which. For a message the code says so;
//! for a talk the step is walked from every state with every event, and what it does is drawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use tussendoor::domain::command::Vocabulary;
use tussendoor::domain::contact::{DigitalSkill, Purpose};
use tussendoor::domain::flow::definition::Flow;
use tussendoor::domain::flow::parse::parse;
use tussendoor::domain::ids::{CandidateId, FlowHash, TaskId};
use tussendoor::domain::message::MessageState;
use tussendoor::domain::plan::{Plan, Subject, Task, TaskState};
use tussendoor::domain::talk::event::{Change, Event, Heard};
use tussendoor::domain::talk::state::{Talk, Why};
use tussendoor::domain::talk::step::step;
use tussendoor::domain::talk::world::World;
use tussendoor::domain::time::{Holidays, Timestamp, Tz};

use crate::golden::{golden, read};

#[test]
fn the_page_of_states_is_fresh() {
    let page = format!(
        "# States\n\n\
         A test writes this page from the code (`tests/it/states.rs`); `UPDATE_GOLDEN=1` rewrites it.\n\n\
         {}\n{}",
        outgoing(),
        talk()
    );
    golden("docs/states.md", &page);
}

#[test]
fn only_sending_leads_to_acceptance_or_doubt() {
    for from in MessageState::ALL {
        for to in MessageState::ALL
            .into_iter()
            .filter(|to| from.may_become(*to))
        {
            assert!(
                !from.ended() || from == MessageState::Accepted,
                "{from:?} is an end"
            );
            match to {
                MessageState::InDoubt => assert_eq!(from, MessageState::Sending),
                MessageState::Accepted => {
                    assert!(matches!(
                        from,
                        MessageState::Sending | MessageState::InDoubt
                    ));
                }
                MessageState::Sending => {
                    assert!(matches!(from, MessageState::Approved | MessageState::Retry));
                }
                MessageState::Draft => panic!("{from:?} becomes a draft again"),
                _ => {}
            }
        }
    }
}

fn outgoing() -> String {
    let mut page = String::from(
        "## An outgoing message\n\n\
         *Accepted* is left only when a report proves that the message cannot be delivered and another\n\
         form may be tried, once. *In doubt* is left by proof or by a person. A restore from a backup puts\n\
         *approved*, *sending* and *retry* in doubt, all at once.\n\n\
         ```mermaid\nstateDiagram-v2\n",
    );
    for first in [
        MessageState::Draft,
        MessageState::Waiting,
        MessageState::Approved,
    ] {
        writeln!(page, "    [*] --> {}", first.as_str()).unwrap();
    }
    for from in MessageState::ALL {
        for to in MessageState::ALL
            .into_iter()
            .filter(|to| from.may_become(*to))
        {
            writeln!(page, "    {} --> {}", from.as_str(), to.as_str()).unwrap();
        }
        if from.ended() {
            writeln!(page, "    {} --> [*]", from.as_str()).unwrap();
        }
    }
    page.push_str("```\n");
    page
}

fn talk() -> String {
    let mut page = String::from(
        "## A talk\n\n\
         Drawn by walking the step with the flow `task_nudge`. *Offered* has not left the house, so nobody\n\
         can be silent yet. While a coach has the talk, no flow speaks.\n\n\
         ```mermaid\nstateDiagram-v2\n    [*] --> idle\n",
    );
    for ((from, to), causes) in walked() {
        let causes: Vec<&str> = causes.into_iter().collect();
        writeln!(page, "    {from} --> {to}: {}", causes.join(", ")).unwrap();
    }
    page.push_str("```\n");
    page
}

/// How deep the walk goes: no state or cause appears first beyond it.
const DEPTH: usize = 7;

/// From state to state, and what caused it.
fn walked() -> BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>> {
    let world = world();
    let vocabulary = vocabulary();
    let start = Timestamp(1_772_442_000_000_000);
    let mut found: BTreeMap<_, BTreeSet<&'static str>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut ahead = VecDeque::from([(Talk::new(CandidateId(1.into())), start, 0)]);
    while let Some((talk, now, depth)) = ahead.pop_front() {
        for (cause, event) in events(&talk, &world, &vocabulary) {
            let now = match event {
                Event::Woke => talk.wake_at().unwrap_or(now).max(now),
                _ => now,
            };
            let from = talk.state_name();
            let (next, _) = step(talk.clone(), &event, &world, now);
            let to = next.state_name();
            if from != to {
                found.entry((from, to)).or_default().insert(cause);
            }
            let mut shape = next.clone();
            shape.said = 0;
            if depth + 1 < DEPTH && seen.insert(format!("{shape:?}")) {
                ahead.push_back((next, now, depth + 1));
            }
        }
    }
    found
}

fn events(talk: &Talk, world: &World, vocabulary: &Vocabulary) -> Vec<(&'static str, Event)> {
    let task = Subject::Task(TaskId(2.into()));
    let said = talk.said;
    let heard = |words: &str| Event::Heard(Heard::words(words, vocabulary));
    let flow = world.newest["task_nudge"].clone();
    let mut events = vec![
        (
            "start",
            Event::Start {
                flow,
                subject: task,
            },
        ),
        ("accepted", Event::Accepted { said }),
        ("undelivered", Event::Undelivered { said }),
        ("dropped", Event::Dropped { said }),
        ("answer", heard("1")),
        ("other words", heard("mijn fiets is blauw")),
        ("HULP", heard("HULP")),
        ("STOP", heard("STOP ALLES")),
        ("START", heard("START")),
        ("alarm", heard("ik wil niet meer leven")),
        (
            "plan changed",
            Event::Changed {
                what: Change::TaskDone,
                subject: task,
                by: None,
            },
        ),
        (
            "taken over",
            Event::TakenOver {
                why: Why::TakenOver,
            },
        ),
        ("given back", Event::GivenBack),
    ];
    if talk.wake_at().is_some() {
        events.push(("timer", Event::Woke));
    }
    events
}

fn world() -> World {
    let mut flows: BTreeMap<FlowHash, Arc<Flow>> = BTreeMap::new();
    let mut newest = BTreeMap::new();
    for name in ["task_nudge", "talk_to_coach", "welcome"] {
        let hash = FlowHash(name.to_owned());
        let file = format!("config/flows/{name}.toml");
        let flow = parse(&file, name, hash.clone(), &read(&file)).unwrap();
        flows.insert(hash.clone(), Arc::new(flow));
        newest.insert(name.to_owned(), hash);
    }
    let task = Task {
        id: TaskId(2.into()),
        number: 2,
        title: "cv".to_owned(),
        state: TaskState::Open,
        due_on: None,
        done_at: None,
        version: 1,
    };
    World {
        plan: Plan {
            tasks: vec![task],
            ..Plan::default()
        },
        free_slots: Vec::new(),
        older_slots: Vec::new(),
        flows,
        newest,
        consent: Purpose::ASKED.into_iter().collect(),
        left_up_to: u32::MAX,
        digital_skill: DigitalSkill::Basic,
        exercised: BTreeSet::new(),
        open_vacancies: BTreeSet::new(),
        answering: false,
        zone: Tz::Europe__Amsterdam,
        holidays: Holidays::default(),
    }
}

fn vocabulary() -> Vocabulary {
    let (commands, alarms) = ("config/commands.toml", "config/alarms.toml");
    Vocabulary::parse((commands, &read(commands)), (alarms, &read(alarms))).unwrap()
}
