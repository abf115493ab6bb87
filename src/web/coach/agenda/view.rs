//! What the page of the agenda shows, and its samples.

use serde::Serialize;

use crate::domain::plan::MeetingMode;
use crate::web::coach::Chip;
use crate::web::view::Page;
use crate::web::words::Words;

#[derive(Debug, Clone, Serialize)]
pub struct AgendaPage {
    pub wide: bool,
    pub heading: String,
    pub about: String,
    pub before: String,
    pub after: String,
    pub monday: String,
    pub coaches: Vec<Choice>,
    pub days: Vec<Day>,
    /// None or one: on the own agenda.
    pub opening: Vec<Opening>,
    /// None or one: on the own agenda.
    pub connect: Vec<Connect>,
}

/// One option of a list to choose from.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    pub value: String,
    pub word: String,
    pub chosen: bool,
}

/// The ways to meet, as options.
pub fn modes(words: &Words, chosen: MeetingMode) -> Vec<Choice> {
    let choice = |mode: MeetingMode| Choice {
        value: mode.as_str().to_owned(),
        word: words.say(&format!("mode.{}", mode.as_str())),
        chosen: mode == chosen,
    };
    MeetingMode::ALL.into_iter().map(choice).collect()
}

#[derive(Debug, Clone, Serialize)]
pub struct Day {
    pub heading: String,
    pub workday: bool,
    pub today: bool,
    pub rows: Vec<Row>,
}

/// A moment or a meeting.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub times: String,
    pub iso: String,
    pub what: String,
    pub small: String,
    /// The page of the meeting; empty for a moment.
    pub href: String,
    pub chips: Vec<Chip>,
    pub gone: bool,
    /// None or one: a moment that can be withdrawn.
    pub withdraw: Vec<Withdraw>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Withdraw {
    pub id: String,
    /// It was made with others, which can be withdrawn with it.
    pub series: bool,
    pub monday: String,
    pub times: String,
}

/// The form that opens moments.
#[derive(Debug, Clone, Serialize)]
pub struct Opening {
    pub teams: Vec<Choice>,
    pub day: String,
    pub least: String,
    pub modes: Vec<Choice>,
}

/// How the coach's own calendar is connected.
#[derive(Debug, Clone, Serialize)]
pub struct Connect {
    /// The new address, on the one answer that shows it.
    pub address: String,
    /// Empty: there is no address.
    pub since: String,
    pub reads: bool,
    pub read: String,
    pub problem: String,
}

impl Page for AgendaPage {
    const TEMPLATE: &'static str = "agenda";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let row = |times: &str, what: &str, small: &str, chip: Chip| Row {
            times: times.to_owned(),
            iso: "2026-11-24T09:00:00".into(),
            what: what.to_owned(),
            small: small.to_owned(),
            href: String::new(),
            chips: vec![chip],
            gone: false,
            withdraw: Vec::new(),
        };
        let mut free = row(
            "09:00–09:30",
            &words.say("mode.office"),
            "Stadhuis, kamer 2",
            Chip::new("good", words.say("agenda.free")),
        );
        free.withdraw = vec![Withdraw {
            id: "01J00000000000000000000002".into(),
            series: true,
            monday: "2026-11-23".into(),
            times: "09:00–09:30".into(),
        }];
        let mut met = row(
            "10:00–10:30",
            "<b>Fatma</b> Yıldız",
            &words.say("meeting.kind.progress"),
            Chip::new("wait", words.say("attendance.fill_in")),
        );
        met.href = "/afspraken/01J00000000000000000000003".into();
        let mut gone = row(
            "11:00–11:30",
            "Yusuf Kaya",
            "https://video.example/a-very-long-address-of-a-room-that-does-not-fit",
            Chip::new("", words.say("attendance.cancelled")),
        );
        gone.gone = true;
        let day = |heading: &str, today: bool, rows: Vec<Row>| Day {
            heading: heading.to_owned(),
            workday: true,
            today,
            rows,
        };
        let own = Self {
            wide: false,
            heading: words.say("agenda.heading"),
            about: words.fill("agenda.week", &[("from", "ma 23 nov"), ("to", "zo 29 nov")]),
            before: "/agenda?week=2026-11-16".into(),
            after: "/agenda?week=2026-11-30".into(),
            monday: "2026-11-23".into(),
            coaches: vec![Choice {
                value: "01J00000000000000000000001".into(),
                word: "Noor Bakker".into(),
                chosen: true,
            }],
            days: vec![
                day("maandag 23 november", false, Vec::new()),
                day("dinsdag 24 november", true, vec![free, met, gone]),
            ],
            opening: vec![Opening {
                teams: vec![Choice {
                    value: "01J00000000000000000000004".into(),
                    word: "Team Werk".into(),
                    chosen: true,
                }],
                day: "2026-11-25".into(),
                least: "2026-11-24".into(),
                modes: modes(words, MeetingMode::Office),
            }],
            connect: vec![Connect {
                address: "https://tussendoor.example/calendar/abc.ics".into(),
                since: words.fill("agenda.feed_since", &[("when", "di 24 nov 09:00")]),
                reads: true,
                read: words.fill("agenda.busy_read", &[("when", "di 24 nov 09:00")]),
                problem: words.say("agenda.busy_problem.no_answer"),
            }],
        };
        let mut other = own.clone();
        other.heading = words.fill("agenda.heading_of", &[("name", "Ilse")]);
        other.opening = Vec::new();
        other.connect = Vec::new();
        let mut fresh = own.clone();
        fresh.connect = vec![Connect {
            address: String::new(),
            since: String::new(),
            reads: false,
            read: String::new(),
            problem: String::new(),
        }];
        vec![("own", own), ("colleague", other), ("fresh", fresh)]
    }
}
