//! What the pages about meetings show, and their samples.

use serde::Serialize;

use super::kinds;
use crate::domain::plan::{MeetingKind, MeetingMode};
use crate::web::coach::Chip;
use crate::web::coach::agenda::view::{Choice, modes};
use crate::web::view::Page;
use crate::web::words::Words;

/// One meeting in a list, and at the head of its own page.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub href: String,
    pub when: String,
    /// Empty: it has no moment yet.
    pub iso: String,
    pub what: String,
    pub task: String,
    pub chips: Vec<Chip>,
}

#[derive(Debug, Clone, Serialize)]
pub struct AppointmentsPage {
    pub wide: bool,
    pub id: String,
    pub heading: String,
    pub about: String,
    pub meetings: Vec<Line>,
    pub kinds: Vec<Choice>,
    pub modes: Vec<Choice>,
    pub free: Vec<Choice>,
    pub participants: u32,
}

#[derive(Debug, Clone, Serialize)]
pub struct MeetingPage {
    pub wide: bool,
    pub id: String,
    pub version: i64,
    pub heading: String,
    pub line: Line,
    pub coach: String,
    /// Empty: two, as usual.
    pub participants: String,
    pub back: String,
    pub has_moment: bool,
    pub may_settle: bool,
    pub may_move: bool,
    pub move_word: String,
    pub free: Vec<Choice>,
    pub place: String,
}

pub fn sample(words: &Words, chip: Chip) -> Line {
    Line {
        href: "/afspraken/01J00000000000000000000003".into(),
        when: "di 24 nov 10:00".into(),
        iso: "2026-11-24T10:00:00".into(),
        what: format!(
            "{} · {} · Stadhuis, kamer 2",
            words.say("meeting.kind.progress"),
            words.say("mode.office")
        ),
        task: "Je <b>cv</b> nalopen".into(),
        chips: vec![chip],
    }
}

fn free() -> Vec<Choice> {
    vec![Choice {
        value: "01J00000000000000000000002".into(),
        word: "di 24 nov 09:00 · kantoor · Noor Bakker".into(),
        chosen: false,
    }]
}

impl Page for AppointmentsPage {
    const TEMPLATE: &'static str = "appointments";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let mut open = sample(words, Chip::new("wait", words.say("attendance.proposed")));
        open.when = words.say("meetings.no_moment");
        open.iso = String::new();
        let held = sample(words, Chip::new("good", words.say("attendance.held")));
        let some = Self {
            wide: false,
            id: "01J00000000000000000000001".into(),
            heading: words.fill("meetings.heading", &[("name", "Yusuf")]),
            about: words.fill("meetings.about", &[("name", "Yusuf")]),
            meetings: vec![open, held],
            kinds: kinds(words, MeetingKind::Progress),
            modes: modes(words, MeetingMode::Office),
            free: free(),
            participants: 2,
        };
        let mut none = some.clone();
        none.meetings = Vec::new();
        none.free = Vec::new();
        vec![("some", some), ("none", none)]
    }
}

impl Page for MeetingPage {
    const TEMPLATE: &'static str = "meeting";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let booked = Self {
            wide: false,
            id: "01J00000000000000000000003".into(),
            version: 4,
            heading: words.fill("meetings.one", &[("name", "Yusuf")]),
            line: sample(words, Chip::new("brand", words.say("attendance.booked"))),
            coach: words.fill("meetings.with", &[("name", "Noor Bakker")]),
            participants: words.count("meetings.people", 3),
            back: "/kandidaten/01J00000000000000000000001/afspraken".into(),
            has_moment: true,
            may_settle: false,
            may_move: true,
            move_word: words.say("meetings.move"),
            free: free(),
            place: "Stadhuis, kamer 2".into(),
        };
        let mut begun = booked.clone();
        begun.may_settle = true;
        begun.participants = String::new();
        let mut open = booked.clone();
        open.line.iso = String::new();
        open.has_moment = false;
        open.move_word = words.say("meetings.book");
        open.free = Vec::new();
        let mut over = booked.clone();
        over.may_move = false;
        vec![
            ("booked", booked),
            ("begun", begun),
            ("proposed", open),
            ("over", over),
        ]
    }
}
