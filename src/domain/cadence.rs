//! The numbers behind the rules of `nudge.rs`, as config/cadence.toml holds them.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use chrono::NaiveTime;
use serde::Deserialize;

use super::contact::{DigitalSkill, Track};
use super::nudge::Rule;
use super::time::{Cron, Quiet, Timestamp, Tz, next_occurrence};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cadence {
    pub due_at: NaiveTime,
    pub expires_after_days: NonZeroU32,
    pub human_floor: NonZeroU32,
    pub quiet: Quiet,
    pub caps: Caps,
    pub task_due: TaskDue,
    pub task_late: TaskLate,
    /// When a person is looked at; before `due_at`, so that the drafts lie ready.
    pub looks_at: NaiveTime,
    pub check_in: CheckIn,
    pub silence: Silence,
    pub perspective: Every,
    pub exercises: Every,
    pub practice: Practice,
    pub reassessment: Every,
    pub answer_overdue: AnswerOverdue,
    pub blend: BlendNumbers,
    /// What a track has otherwise.
    #[serde(default)]
    pub tracks: Tracks,
    pub prices: Prices,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    pub a_day: NonZeroU32,
    pub in_seven_days: NonZeroU32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDue {
    pub looks: Cron,
    pub working_days_before: u8,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskLate {
    pub looks: Cron,
    pub working_days_after: u8,
    pub at_most_days: NonZeroU32,
}

/// Days without any message of ours after which a person is asked how it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    pub starter_days: NonZeroU32,
    pub days: NonZeroU32,
}

/// The rungs of the silence ladder, in days since the last sign of life. The first one starts it; the
/// flow climbs in between; at the last one a person must have it, whatever became of the messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    pub days: [u32; 5],
}

impl Silence {
    pub const fn first(&self) -> u32 {
        self.days[0]
    }

    pub const fn last(&self) -> u32 {
        self.days[4]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Every {
    pub days: NonZeroU32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    pub working_days_before: u8,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerOverdue {
    pub looks: Cron,
    pub working_days: u8,
}

/// The blend: which share of the contacts may be online, in percent, by digital skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlendNumbers {
    pub weeks: NonZeroU32,
    /// Below so many contacts a share says nothing.
    pub least_contacts: u32,
    /// An office meeting is proposed at most once in so many days.
    pub every_days: NonZeroU32,
    pub starter: Band,
    pub basic: Band,
    pub skilled: Band,
}

impl BlendNumbers {
    pub const fn band(&self, skill: DigitalSkill) -> Band {
        match skill {
            DigitalSkill::Starter => self.starter,
            DigitalSkill::Basic => self.basic,
            DigitalSkill::Skilled => self.skilled,
        }
    }
}

/// From and to, both included, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Band(pub u32, pub u32);

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tracks {
    pub participation: TrackNumbers,
    pub reintegration: TrackNumbers,
    pub outplacement: TrackNumbers,
}

/// Numbers that hold for one track instead of the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackNumbers {
    pub check_in_days: Option<NonZeroU32>,
    pub perspective_days: Option<NonZeroU32>,
    pub exercises_days: Option<NonZeroU32>,
    pub reassessment_days: Option<NonZeroU32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    sms_part: Price,
    /// By category of the template; what has no price here costs nothing.
    whatsapp: BTreeMap<String, Price>,
}

impl Prices {
    pub fn sms(&self, parts: u32) -> Price {
        Price(self.sms_part.0.saturating_mul(parts))
    }

    /// A text inside the window is free: `None`.
    pub fn whatsapp(&self, category: Option<&str>) -> Price {
        let price = category.and_then(|category| self.whatsapp.get(category));
        price.copied().unwrap_or_default()
    }
}

/// An amount in ten-thousandths of a euro: providers charge by parts of a cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Price(pub u32);

impl TryFrom<String> for Price {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let expected = "expected euros in quotes, such as \"0.075\"";
        let (whole, parts) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(parts) || parts.len() > 4 {
            return Err(expected);
        }
        let price = format!("{whole}{parts:0<4}").parse();
        price.map(Price).map_err(|_| expected)
    }
}

/// Euros with as many decimals as the amount needs, two at least.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (euros, rest) = (self.0 / 10_000, self.0 % 10_000);
        match rest % 100 {
            0 => write!(f, "{euros}.{:02}", rest / 100),
            _ => write!(f, "{euros}.{rest:04}"),
        }
    }
}

/// A mistake in the file, with its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct CadenceError {
    pub line: usize,
    pub why: String,
}

impl Cadence {
    pub fn parse(text: &str) -> Result<Self, CadenceError> {
        let cadence: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            CadenceError {
                line: before.unwrap_or_default().matches('\n').count() + 1,
                why: error.message().replace('\n', " "),
            }
        })?;
        cadence.coheres().map_err(|(key, why)| CadenceError {
            line: line_of(text, key),
            why: why.to_owned(),
        })?;
        Ok(cadence)
    }

    fn coheres(&self) -> Result<(), (&'static str, &'static str)> {
        let (Quiet { from, to }, due) = (self.quiet, self.due_at);
        let quiet = if from < to {
            (from..to).contains(&due)
        } else {
            due >= from || due < to
        };
        if from == to {
            return Err(("to", "expected quiet hours: they begin when they end"));
        }
        if quiet {
            return Err(("due_at", "expected a time outside the quiet hours"));
        }
        if self.caps.in_seven_days < self.caps.a_day {
            return Err(("in_seven_days", "expected at least a_day"));
        }
        if self.looks_at > due {
            return Err(("looks_at", "expected a time before due_at"));
        }
        let rungs = self.silence.days;
        if rungs[0] == 0 || rungs.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err((
                "[silence]",
                "expected five days, each later than the one before",
            ));
        }
        for (key, Band(from, to)) in [
            ("starter", self.blend.starter),
            ("basic", self.blend.basic),
            ("skilled", self.blend.skilled),
        ] {
            if from > to || to > 100 {
                return Err((key, "expected two percentages, the lower one first"));
            }
        }
        Ok(())
    }

    const fn track(&self, track: Track) -> &TrackNumbers {
        match track {
            Track::Participation => &self.tracks.participation,
            Track::Reintegration => &self.tracks.reintegration,
            Track::Outplacement => &self.tracks.outplacement,
        }
    }

    /// Days between two questions how it goes.
    pub fn check_in_days(&self, skill: DigitalSkill, track: Track) -> u32 {
        match skill {
            DigitalSkill::Starter => self.check_in.starter_days.get(),
            DigitalSkill::Basic | DigitalSkill::Skilled => {
                let own = self.track(track).check_in_days;
                own.unwrap_or(self.check_in.days).get()
            }
        }
    }

    /// Days between two looks back at what was done.
    pub fn perspective_days(&self, track: Track) -> u32 {
        let own = self.track(track).perspective_days;
        own.unwrap_or(self.perspective.days).get()
    }

    /// Days between two exercises.
    pub fn exercises_days(&self, track: Track) -> u32 {
        let own = self.track(track).exercises_days;
        own.unwrap_or(self.exercises.days).get()
    }

    /// Days after which a person is assessed anew, at the office.
    pub fn reassessment_days(&self, track: Track) -> u32 {
        let own = self.track(track).reassessment_days;
        own.unwrap_or(self.reassessment.days).get()
    }

    /// When the rule looks for work; `None`: it does not look by the calendar.
    pub const fn looks(&self, rule: Rule) -> Option<&Cron> {
        match rule {
            Rule::TaskDue => Some(&self.task_due.looks),
            Rule::TaskLate => Some(&self.task_late.looks),
            _ => None,
        }
    }

    /// Must this rule look now, if it last looked at `last`? However long that is ago: once.
    pub fn must_look(&self, rule: Rule, last: Timestamp, now: Timestamp, zone: Tz) -> bool {
        self.looks(rule)
            .is_some_and(|cron| passed(cron, last, now, zone))
    }

    /// The same for people who wait for an answer.
    pub fn must_look_for_answers(&self, last: Timestamp, now: Timestamp, zone: Tz) -> bool {
        passed(&self.answer_overdue.looks, last, now, zone)
    }
}

fn passed(cron: &Cron, last: Timestamp, now: Timestamp, zone: Tz) -> bool {
    next_occurrence(cron, last, zone).is_some_and(|next| next <= now)
}

fn line_of(text: &str, key: &str) -> usize {
    let is_it = |line: &str| {
        line.split('=')
            .next()
            .is_some_and(|name| name.trim() == key)
    };
    text.lines().position(is_it).map_or(1, |before| before + 1)
}

#[cfg(test)]
mod tests;
