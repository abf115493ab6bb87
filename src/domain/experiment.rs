//! Honest experiments: two wordings of one text, an outcome that is named beforehand, and a judgement that
//! says what chance alone can do. Who gets which wording is a keyed hash: `store/experiments.rs`
//! (docs/decisions/0023-honest-experiments.md). Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::flow::definition::Problem;
use super::flow::parse::from_toml;
use super::ids::NodeId;

/// Where experiments are named.
pub const FILE: &str = "config/experiments.toml";
/// Below this nothing is ever told: a small group is a few people whom somebody knows.
pub const FEWEST: u32 = 10;
/// Days within which an outcome may lie.
const WITHIN: std::ops::RangeInclusive<u32> = 1..=60;

/// What counts as success. It is named before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person sent something, whatever it was, and did not stop.
    Answered,
    /// The step that the text is about was done.
    Done,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Done => "done",
        }
    }
}

/// One of the two wordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    /// The text as it stands.
    First,
    /// `other` of the text.
    Other,
}

impl Arm {
    pub const BOTH: [Arm; 2] = [Arm::First, Arm::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Arm::First => "first",
            Arm::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|arm| arm.as_str() == text)
    }

    /// By a hash in hexadecimal digits: half of all hashes each.
    pub fn of_hash(hash: &str) -> Self {
        let first = hash.chars().next().and_then(|digit| digit.to_digit(16));
        match first.is_some_and(|digit| digit % 2 == 1) {
            true => Arm::Other,
            false => Arm::First,
        }
    }
}

/// What was agreed beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    pub name: String,
    /// `task_nudge/done_yet`.
    pub flow: String,
    pub node: NodeId,
    pub outcome: Outcome,
    /// Days of 24 hours after a provider accepted the message.
    pub within_days: u32,
    /// The last local day on which somebody may get the other wording.
    pub until: NaiveDate,
    /// People with each wording, before anything is told.
    pub least: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    text: String,
    outcome: Outcome,
    within_days: u32,
    until: NaiveDate,
    least: u32,
}

/// Reads `config/experiments.toml`: a table an experiment. Whether its text has two wordings is checked
/// where texts are known.
pub fn parse(toml: &str) -> Result<Vec<Experiment>, Vec<Problem>> {
    let written: BTreeMap<String, Written> =
        toml::from_str(toml).map_err(|error| vec![from_toml(FILE, toml, &error)])?;
    let (mut experiments, mut problems) = (Vec::new(), Vec::new());
    let mut texts = BTreeSet::new();
    for (name, written) in written {
        let mut wrong =
            |what: &str, expected: &str| problems.push(problem(toml, &name, what, expected));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(plain) {
            wrong("the name cannot be used", "small letters, digits and _");
        }
        if !WITHIN.contains(&written.within_days) {
            wrong("within_days cannot be used", "1 to 60");
        }
        if written.least < FEWEST {
            wrong(
                "least is too small: so few people are people whom somebody knows",
                "10 or more",
            );
        }
        if !texts.insert(written.text.clone()) {
            wrong(
                "another experiment is about this text too",
                "one experiment a text",
            );
        }
        let Some((flow, node)) = written.text.split_once('/') else {
            wrong("the text cannot be found", "flow/node");
            continue;
        };
        experiments.push(Experiment {
            flow: flow.to_owned(),
            node: NodeId::from(node),
            name,
            outcome: written.outcome,
            within_days: written.within_days,
            until: written.until,
            least: written.least,
        });
    }
    match problems.is_empty() {
        true => Ok(experiments),
        false => Err(problems),
    }
}

/// A problem at the table of this experiment.
pub fn problem(toml: &str, name: &str, what: &str, expected: &str) -> Problem {
    let head = format!("[{name}]");
    let line = toml.lines().position(|line| line.trim() == head);
    Problem {
        file: FILE.to_owned(),
        line: line.map_or(1, |at| at + 1),
        what: format!("{name}: {what}"),
        expected: expected.to_owned(),
    }
}

/// Of so many people so many with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub people: u32,
    pub hits: u32,
}

/// 97.5 % of a normal distribution lies below it: intervals hold 95 times in 100.
const Z: f64 = 1.959_964;

impl Share {
    /// Between 0 and 1; of nobody 0.
    pub fn rate(self) -> f64 {
        match self.people {
            0 => 0.0,
            people => f64::from(self.hits) / f64::from(people),
        }
    }

    /// Wilson's interval: it stays inside 0 and 1 for few people and rare outcomes too.
    fn interval(self) -> (f64, f64) {
        let (n, p) = (f64::from(self.people.max(1)), self.rate());
        let middle = p + Z * Z / (2.0 * n);
        let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        ((middle - spread) / whole, (middle + spread) / whole)
    }
}

/// By how much the other wording does better, and between which bounds the true difference lies, 95 times
/// in 100. Newcombe's tenth method (Statistics in Medicine 17, 1998).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub by: f64,
    pub from: f64,
    pub to: f64,
}

impl Difference {
    pub fn between(first: Share, other: Share) -> Self {
        let ((a, (a_low, a_high)), (b, (b_low, b_high))) = (
            (other.rate(), other.interval()),
            (first.rate(), first.interval()),
        );
        let by = a - b;
        Self {
            by,
            from: by - ((a - a_low).powi(2) + (b_high - b).powi(2)).sqrt(),
            to: by + ((a_high - a).powi(2) + (b - b_low).powi(2)).sqrt(),
        }
    }

    /// Can chance alone have made it?
    pub fn may_be_chance(self) -> bool {
        self.from <= 0.0 && self.to >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [kind_words]
        text = "task_nudge/done_yet"
        outcome = "answered"
        within_days = 3
        until = "2027-03-01"
        least = 40
    "#;

    #[test]
    fn an_experiment_is_read_and_a_wrong_one_is_told_with_its_line() {
        let read = parse(GOOD).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].flow.as_str(), read[0].least), ("task_nudge", 40));
        for (from, to, told) in [
            ("least = 40", "least = 9", "10 or more"),
            ("within_days = 3", "within_days = 0", "1 to 60"),
            ("task_nudge/done_yet", "task_nudge", "flow/node"),
            ("kind_words", "Kind-Words", "small letters"),
            ("\"answered\"", "\"smiled\"", "answered"),
            ("least = 40", "", "least"),
        ] {
            let wrong = GOOD.replace(from, to);
            let problems = parse(&wrong).unwrap_err();
            assert!(problems[0].expected.contains(told), "{to}: {problems:?}");
            assert!(problems[0].line > 1 || to.is_empty(), "{to}: {problems:?}");
        }
        let twice = format!("{GOOD}\n{}", GOOD.replace("kind_words", "other_words"));
        let problems = parse(&twice).unwrap_err();
        assert_eq!(problems[0].expected, "one experiment a text");
    }

    #[test]
    fn half_of_the_hashes_get_each_wording() {
        let other = "0123456789abcdef"
            .chars()
            .filter(|digit| Arm::of_hash(&format!("{digit}0")) == Arm::Other);
        assert_eq!(other.count(), 8);
    }

    /// The example of the paper itself: 56 of 70 against 48 of 80.
    #[test]
    fn the_difference_of_the_paper_has_the_bounds_of_the_paper() {
        let share = |hits, people| Share { people, hits };
        let told = Difference::between(share(48, 80), share(56, 70));
        assert!((told.by - 0.2).abs() < 1e-9);
        assert!((told.from - 0.0524).abs() < 5e-5, "{told:?}");
        assert!((told.to - 0.3339).abs() < 5e-5, "{told:?}");
        assert!(!told.may_be_chance());
        assert!(Difference::between(share(5, 10), share(6, 10)).may_be_chance());
        let none = Difference::between(share(0, 10), share(0, 10));
        assert!(none.may_be_chance() && none.from > -1.0 && none.to < 1.0);
    }
}
