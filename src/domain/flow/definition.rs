//! A flow as the step plays it. Reading it from TOML is `parse.rs`, judging it `check.rs`.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveTime;

use crate::domain::contact::Purpose;
use crate::domain::ids::{FlowHash, NodeId};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::{Act, Approve, Because};
use crate::domain::talk::event::Change;
use crate::domain::talk::state::Why;
use crate::domain::time::{Holidays, Timestamp, Tz, add_working_days, local_moment};

/// Something wrong in a file that people write: where it is, what was found, what was expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    pub line: usize,
    pub what: String,
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            file,
            line,
            what,
            expected,
        } = self;
        write!(f, "{file}:{line}: {what}; expected {expected}")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub name: String,
    pub hash: FlowHash,
    pub title: String,
    pub purpose: Purpose,
    pub about: About,
    pub start: NodeId,
    pub lasts: Span,
    pub busy: Busy,
    /// A run about the thing that changed jumps to the node.
    pub on: BTreeMap<Change, NodeId>,
    /// Without a run about it, a run begins at the node.
    pub opens: BTreeMap<Change, NodeId>,
    /// A command that begins a run at the node.
    pub hears: BTreeMap<Hears, NodeId>,
    pub undelivered: Option<NodeId>,
    pub unclear: Option<Unclear>,
    /// Where a run of an older version goes on in this one, by the node it comes to. Every other run
    /// finishes on the version it began with (docs/decisions/0021).
    pub moves: BTreeMap<NodeId, NodeId>,
    pub nodes: BTreeMap<NodeId, Node>,
    /// What people may type for an answer: the labels in every language, folded
    /// (`command::fold`). Filled in from the texts.
    pub labels: BTreeMap<NodeId, BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Ask(Box<Ask>),
    Say(Say),
    Wait {
        until: Moment,
        go: NodeId,
    },
    /// Until this happens to what the run is about, also by a deed of the run itself.
    Await {
        change: Change,
        go: NodeId,
    },
    If {
        fact: Fact,
        yes: NodeId,
        no: NodeId,
    },
    Coach {
        why: Why,
        hands_over: bool,
        /// Where the run goes on after the flag; without it the run ends here.
        go: Option<NodeId>,
    },
    End {
        because: Because,
        deeds: Vec<Deed>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub silent: Silent,
    pub choices: Vec<Choice>,
    pub offer: Option<Offer>,
    pub text: Option<Exit>,
    /// A photo answers it. Without it a photo is for the coach, as a voice note always is.
    pub media: Option<Exit>,
    /// PLAN answers it: what is told and what follows are one message.
    pub command: Option<Exit>,
    pub approve: Option<Approve>,
    pub not_after: Option<Moment>,
    pub undelivered: Option<NodeId>,
    pub unclear: Option<Unclear>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    pub after: Span,
    pub go: NodeId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub id: String,
    pub deeds: Vec<Deed>,
    pub go: NodeId,
}

/// Free moments of the coach, numbered before the choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub count: usize,
    /// Where to go when there is nothing to offer.
    pub none: NodeId,
    pub deeds: Vec<Deed>,
    pub go: NodeId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub deeds: Vec<Deed>,
    pub go: NodeId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// How often the question is put before the coach gets it.
    pub tries: u8,
    pub go: NodeId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    pub go: NodeId,
    pub deeds: Vec<Deed>,
    pub approve: Option<Approve>,
    pub not_after: Option<Moment>,
}

/// What an answer does besides leading somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Act(Act),
    Consent { purposes: Vec<Purpose>, given: bool },
}

/// What a flow is about; its runs have a subject of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Task,
    Meeting,
    Vacancy,
    Nothing,
}

impl About {
    pub const fn fits(self, subject: &Subject) -> bool {
        matches!(
            (self, subject),
            (About::Task, Subject::Task(_))
                | (About::Meeting, Subject::Meeting(_))
                | (About::Vacancy, Subject::Vacancy(_))
                | (About::Nothing, Subject::Nothing)
        )
    }
}

/// What an ask does while another run holds the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Busy {
    /// Its turn comes when the front is free.
    #[default]
    Wait,
    /// What it asks for is left out.
    Skip,
    /// It takes the front; but it waits for a question of its own flow that leaves by itself and has not left.
    Replace,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    TaskOpen,
    MeetingBooked,
    MeetingHeld,
    MeetingMissed,
    /// The meeting is by video.
    MeetingVideo,
    /// The meeting is a phone call.
    MeetingPhone,
    /// The meeting is today or on the next working day: too late for a reminder.
    MeetingSoon,
    VacancyOpen,
    SlotsFree,
    DigitalStarter,
    /// An open step is left, other than the one this is about.
    MoreSteps,
    /// At least one step is done.
    StepsDone,
    /// `{ exercised = "photo" }`: this exercise of `digital_comfort` is done.
    Exercised(String),
}

/// The commands and alarms that a flow can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hears {
    Help,
    CallMe,
    /// KLAAR: about the task that is done now.
    Done,
    /// VERZET and AFZEGGEN: about the next meeting.
    Reschedule,
    Cancel,
    Crisis,
    Threat,
    FormalRequest,
    /// VERKEERD NUMMER.
    WrongNumber,
}

impl Hears {
    pub const ALL: [Hears; 9] = [
        Hears::Help,
        Hears::CallMe,
        Hears::Done,
        Hears::Reschedule,
        Hears::Cancel,
        Hears::Crisis,
        Hears::Threat,
        Hears::FormalRequest,
        Hears::WrongNumber,
    ];

    /// Words that no conversation may handle: say where the door is, and hand over.
    pub const ALARMS: [Hears; 3] = [Hears::Crisis, Hears::Threat, Hears::FormalRequest];

    /// What a flow that hears it is about.
    pub const fn about(self) -> About {
        match self {
            Hears::Done => About::Task,
            Hears::Reschedule | Hears::Cancel => About::Meeting,
            Hears::Help
            | Hears::CallMe
            | Hears::Crisis
            | Hears::Threat
            | Hears::FormalRequest
            | Hears::WrongNumber => About::Nothing,
        }
    }
}

/// A stretch of time as people plan it: `20m`, `36h`, `3d`, `3wd` (working days).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Minutes(u32),
    Hours(u32),
    Days(u32),
    WorkingDays(u32),
}

impl Span {
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        // A hundred years of minutes still fit; longer spans are typing errors.
        let number: u32 = number.parse().ok().filter(|n| (1..=5_000).contains(n))?;
        Some(match unit {
            "m" => Span::Minutes(number),
            "h" => Span::Hours(number),
            "d" => Span::Days(number),
            "wd" => Span::WorkingDays(number),
            _ => return None,
        })
    }

    pub fn after(self, from: Timestamp, zone: Tz, holidays: &Holidays) -> Timestamp {
        self.shift(from, 1, zone, holidays)
    }

    pub fn before(self, from: Timestamp, zone: Tz, holidays: &Holidays) -> Timestamp {
        self.shift(from, -1, zone, holidays)
    }

    /// Days are days on the wall: the clock shows the same time after them, in summer and winter.
    fn shift(self, from: Timestamp, sign: i32, zone: Tz, holidays: &Holidays) -> Timestamp {
        let same_time_on = |day: chrono::NaiveDate| {
            let time = from.local(zone).time();
            at_local(day, time, zone)
        };
        let day = from.local_day(zone);
        let signed = |n: u32| i64::from(n) * i64::from(sign);
        match self {
            Span::Minutes(n) => from.plus_seconds(signed(n) * 60),
            Span::Hours(n) => from.plus_seconds(signed(n) * 3600),
            Span::Days(n) => {
                let moved = day.checked_add_signed(chrono::TimeDelta::days(signed(n)));
                moved.map_or(from, same_time_on)
            }
            Span::WorkingDays(n) => {
                let n = i32::try_from(n).unwrap_or(i32::MAX).saturating_mul(sign);
                same_time_on(add_working_days(day, n, holidays))
            }
        }
    }
}

fn at_local(day: chrono::NaiveDate, time: NaiveTime, zone: Tz) -> Timestamp {
    use chrono::Timelike as _;
    let minute = local_moment(day, time.hour(), time.minute(), zone);
    Timestamp(minute.0 + i64::from(time.second()) * 1_000_000 + i64::from(time.nanosecond() / 1000))
}

/// A moment that a node names. `at` moves it to that local time on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub from: Anchor,
    pub at: Option<NaiveTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    In(Span),
    BeforeMeeting(Span),
    AfterMeeting(Span),
}

impl Moment {
    /// `None`: the moment hangs on a meeting that has no time.
    pub fn resolve(
        &self,
        now: Timestamp,
        meeting: Option<Timestamp>,
        zone: Tz,
        holidays: &Holidays,
    ) -> Option<Timestamp> {
        let moment = match self.from {
            Anchor::In(span) => span.after(now, zone, holidays),
            Anchor::BeforeMeeting(span) => span.before(meeting?, zone, holidays),
            Anchor::AfterMeeting(span) => span.after(meeting?, zone, holidays),
        };
        Some(match self.at {
            Some(time) => at_local(moment.local_day(zone), time, zone),
            None => moment,
        })
    }
}

impl Flow {
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// Where a run goes when this happens to its subject. A version that knows no withdrawn invitation hears of a
    /// meeting that is off.
    pub fn jump(&self, what: Change) -> Option<&NodeId> {
        let off = || match what {
            Change::InvitationWithdrawn => self.on.get(&Change::MeetingCancelled),
            _ => None,
        };
        self.on.get(&what).or_else(off)
    }

    pub fn ask(&self, id: &NodeId) -> Option<&Ask> {
        match &self.nodes.get(id)?.kind {
            Kind::Ask(ask) => Some(ask.as_ref()),
            _ => None,
        }
    }

    /// The exit of this ask when no form of its message could be delivered.
    pub fn undelivered(&self, ask: &Ask) -> Option<NodeId> {
        ask.undelivered.clone().or_else(|| self.undelivered.clone())
    }

    pub fn unclear(&self, ask: &Ask) -> Option<Unclear> {
        ask.unclear.clone().or_else(|| self.unclear.clone())
    }

    /// Does any node look at exercises?
    pub fn asks_for_exercises(&self) -> bool {
        let looks = |node: &Node| {
            matches!(
                &node.kind,
                Kind::If {
                    fact: Fact::Exercised(_),
                    ..
                }
            )
        };
        self.nodes.values().any(looks)
    }

    /// The name under which policies and the ledger know a node.
    pub fn rule(&self, node: &NodeId) -> String {
        format!("{}/{node}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = Tz::Europe__Amsterdam;

    fn at(day: &str, hour: u32, minute: u32) -> Timestamp {
        local_moment(day.parse().unwrap(), hour, minute, ZONE)
    }

    #[test]
    fn days_are_days_on_the_wall_over_both_clock_changes() {
        let none = Holidays::default();
        for (from, to) in [("2026-03-28", "2026-03-31"), ("2026-10-24", "2026-10-27")] {
            let after = Span::Days(3).after(at(from, 9, 30), ZONE, &none);
            assert_eq!(after, at(to, 9, 30));
            assert_eq!(Span::Days(3).before(after, ZONE, &none), at(from, 9, 30));
            let hours = Span::Hours(72).after(at(from, 9, 30), ZONE, &none);
            assert_ne!(hours, at(to, 9, 30), "hours are hours");
        }
    }

    #[test]
    fn working_days_pass_over_easter() {
        let none = Holidays::default();
        // Good Friday is a working day, Easter Monday is none.
        let after = Span::WorkingDays(3).after(at("2026-04-02", 9, 30), ZONE, &none);
        assert_eq!(after, at("2026-04-08", 9, 30));
    }

    #[test]
    fn a_moment_before_a_meeting_can_have_an_hour_of_its_own() {
        let none = Holidays::default();
        let moment = Moment {
            from: Anchor::BeforeMeeting(Span::Days(1)),
            at: NaiveTime::from_hms_opt(10, 0, 0),
        };
        let now = at("2026-03-02", 9, 0);
        let meeting = Some(at("2026-03-10", 15, 45));
        let resolved = moment.resolve(now, meeting, ZONE, &none);
        assert_eq!(resolved, Some(at("2026-03-09", 10, 0)));
        assert_eq!(moment.resolve(now, None, ZONE, &none), None);
    }

    #[test]
    fn only_spans_that_somebody_can_mean() {
        for (text, span) in [
            ("20m", Some(Span::Minutes(20))),
            ("36h", Some(Span::Hours(36))),
            ("3wd", Some(Span::WorkingDays(3))),
            ("0d", None),
            ("-3d", None),
            ("3", None),
            ("d", None),
            ("3 d", None),
            ("99999999999d", None),
        ] {
            assert_eq!(Span::parse(text), span, "{text}");
        }
    }
}
