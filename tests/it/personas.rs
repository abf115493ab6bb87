//! Nine people play every flow, and a walk goes through every exit of every question. Pure and seeded: no
//! database, no clock. What must hold: nobody is stuck, nobody shouts into the void, a person is two steps
//! away at most, and after STOP there is one confirmation and silence.

mod people;
mod walk;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tussendoor::app::rehearse::Rehearsal;
use tussendoor::assemble;
use tussendoor::domain::ids::NodeId;
use tussendoor::domain::talk::state::State;
use tussendoor::texts::config::Configuration;

static CONFIGURATION: LazyLock<Configuration> = LazyLock::new(|| assemble::builtin().unwrap());

/// How each flow comes to its questions: lines of a `.talk` file.
fn scenes(flow: &str) -> Vec<Vec<&'static str>> {
    const MOMENTS: [&str; 3] = [
        "slot 2026-03-10 10:00",
        "slot 2026-03-11 14:00",
        "slot 2026-03-12 09:00",
    ];
    // For ladders, which offer theirs weeks later.
    const LATER: [&str; 3] = [
        "slot 2026-03-31 10:00",
        "slot 2026-04-01 14:00",
        "slot 2026-04-02 09:00",
    ];
    const VIDEO: &str = "meeting video 2026-03-10 10:00 \"https://video.waterstad.example/noor\"";
    let with_moments = |lines: &[&'static str]| [&MOMENTS[..], lines].concat();
    let with_later = |lines: &[&'static str]| [&LATER[..], lines].concat();
    match flow {
        "meeting_invite" => vec![
            with_moments(&["meeting office", "start"]),
            with_moments(&["meeting video", "start"]),
            with_moments(&["meeting phone", "start"]),
            with_moments(&["meeting office", "booked 2026-03-10 15:00"]),
            with_moments(&["meeting video", "booked 2026-03-10 15:00"]),
            vec!["meeting office", "start"],
        ],
        "task_nudge" => vec![
            with_later(&[
                "task 1 \"cv maken\" due 2026-03-05",
                "task 2 \"bellen\"",
                "start",
            ]),
            vec!["task 1 \"cv maken\"", "start"],
        ],
        "silence" => vec![with_later(&["start"]), vec!["start"]],
        "new_coach" => vec![with_moments(&["transfer Karim"]), vec!["transfer Karim"]],
        "vacancy" => vec![vec!["vacancy \"Hulp in de keuken\"", "start"]],
        "practice_session" => vec![vec![VIDEO, "start"]],
        "digital_comfort" => {
            let exercises = ["photo", "command", "link", "mail", "video"];
            let lines = [
                "exercised photo",
                "exercised command",
                "exercised link",
                "exercised mail",
                "exercised video",
            ];
            (0..=exercises.len())
                .map(|done| [&["skill starter"], &lines[..done], &["start"]].concat())
                .collect()
        }
        "perspective" => vec![vec!["task 1 \"intake\"", "ticked 1", "start"]],
        "task_done" => vec![vec![
            "task 1 \"cv maken\"",
            "task 2 \"bellen\"",
            "in klaar 1",
        ]],
        "coach_away" => vec![vec!["away Karim 2026-03-23"]],
        "number_check" => vec![vec!["in verkeerd nummer"], vec!["start"]],
        "formal_request" => vec![vec!["in ik maak bezwaar"], vec!["start"]],
        "crisis" => vec![
            vec!["in ik wil dood"],
            vec!["in ik maak je af"],
            vec!["start"],
        ],
        "talk_to_coach" => vec![vec!["in hulp"], vec!["in bel mij"], vec!["start"]],
        _ => vec![vec!["start"]],
    }
}

/// A rehearsal at the end of a scene, and what was said on the way.
fn set(flow: &str, scene: &[&str]) -> (Rehearsal<'static>, Vec<String>) {
    let mut rehearsal = Rehearsal::new(&CONFIGURATION, flow, "nl");
    let mut said = Vec::new();
    for line in scene {
        said.extend(play(&mut rehearsal, line));
    }
    (rehearsal, said)
}

fn play(rehearsal: &mut Rehearsal, line: &str) -> Vec<String> {
    let said = rehearsal
        .line(line)
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    for line in &said {
        assert!(
            !line.starts_with("bot   ("),
            "a text cannot be made: {line}"
        );
        assert!(!line.contains("coach stuck"), "stuck after {line}");
    }
    said
}

fn messages(said: &[String]) -> usize {
    said.iter().filter(|line| line.starts_with("bot ")).count()
}

fn to_a_person(said: &[String]) -> bool {
    said.iter().any(|line| line.starts_with("coach "))
}

/// The open question: its flow, its node, and every answer that can be tapped.
fn question(rehearsal: &Rehearsal) -> Option<(String, NodeId, Vec<String>)> {
    let (run, node, _) = rehearsal.talk().front()?;
    let flow = CONFIGURATION.book.flow(&run.flow)?;
    let ask = flow.ask(node)?;
    let slots = run.offered.iter().filter(|_| ask.offer.is_some());
    let slots = slots.map(|slot| format!("slot:{slot}"));
    let choices = ask.choices.iter().map(|choice| choice.id.clone());
    Some((
        flow.name.clone(),
        node.clone(),
        slots.chain(choices).collect(),
    ))
}

fn state(rehearsal: &Rehearsal) -> &'static str {
    rehearsal.talk().state_name()
}

const fn has_left(rehearsal: &Rehearsal) -> bool {
    matches!(rehearsal.talk().state, State::Left { .. })
}

/// Every question of every flow, by flow.
fn all_questions() -> BTreeMap<String, Vec<NodeId>> {
    let book = &CONFIGURATION.book;
    let names = book.names().map(str::to_owned);
    names
        .map(|name| {
            let flow = book.flow(&book.newest(&name).unwrap()).unwrap();
            let asks = flow.nodes.keys().filter(|id| flow.ask(id).is_some());
            let asks = asks.cloned().collect();
            (name, asks)
        })
        .collect()
}
