//! What stands in a `.talk` file: one thing that happens on each line.

use chrono::NaiveDate;

use super::ZONE;
use crate::domain::contact::DigitalSkill;
use crate::domain::flow::definition::Span;
use crate::domain::plan::MeetingMode;
use crate::domain::time::{Timestamp, local_moment};

/// One line of a `.talk` file that makes something happen, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// `on 2026-03-04 09:30`
    On(Timestamp),
    /// `task 2 "cv maken" due 2026-03-05`
    Task(u32, String, Option<NaiveDate>),
    /// `meeting video`: one that is proposed; `meeting office 2026-03-10 10:00 "Stadhuis, kamer 2"`: one
    /// that is booked.
    Meeting(MeetingMode, Option<(Timestamp, String)>),
    /// `slot 2026-03-06 10:00`: a free moment of the coach.
    Slot(Timestamp),
    /// `gone_slot`: somebody else takes the first free moment.
    SlotGone,
    /// `vacancy "Hulp in de keuken"`
    Vacancy(String),
    /// `skill starter`
    Skill(DigitalSkill),
    /// `exercised photo`
    Exercised(String),
    /// `start`: the flow begins, about the first thing that it can be about.
    Start,
    /// `in 1`
    In(String),
    /// `tap yes`: the choice under the newest question; `tap yes @2` under message 2.
    Tap(String, Option<u32>),
    /// `thumb`: a 👍 under the newest message.
    Thumb,
    /// `photo`: a photo without words.
    Photo,
    /// `voice`: a voice note.
    Voice,
    /// `wait 3d`
    Wait(Span),
    /// `next`: time passes until something happens by itself.
    Next,
    /// `undelivered`: the newest message is proven undelivered.
    Undelivered,
    /// `dropped`: the coach does not send the newest draft.
    Dropped,
    Taken,
    Given,
    /// `ticked 2`, `skipped 2`: the coach closes a task.
    Ticked(u32),
    Skipped(u32),
    /// `booked 2026-03-10 10:00`, `moved …`: the coach books or moves the first meeting.
    Booked(Timestamp),
    Moved(Timestamp),
    /// `cancelled`, `missed`, `held`: the coach says so of the first meeting.
    Cancelled,
    Missed,
    Held,
    /// `closed`: the vacancy is gone.
    Closed,
    /// `life`: the house learns otherwise that the person is there.
    Life,
    /// `transfer Karim`: another coach for good.
    Transfer(String),
    /// `away Karim 2026-03-20`: who stands in, and from when the coach is back.
    Away(String, NaiveDate),
    Back,
}

/// `2026-03-04 09:30`, local time.
fn moment(text: &str) -> Result<Timestamp, String> {
    let (day, time) = text
        .trim()
        .split_once(' ')
        .ok_or("expected `yyyy-mm-dd hh:mm`")?;
    let (hour, minute) = time.trim().split_once(':').ok_or("expected a time")?;
    let number = |text: &str| text.parse().map_err(|_| "expected a time".to_owned());
    Ok(local_moment(
        self::day(day)?,
        number(hour)?,
        number(minute)?,
        ZONE,
    ))
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.trim().parse().map_err(|_| "expected a day".to_owned())
}

fn number(text: &str) -> Result<u32, String> {
    text.trim()
        .parse()
        .map_err(|_| "expected a number".to_owned())
}

/// What stands before, within and after the first two quotes.
fn quoted(text: &str) -> Result<(&str, String, &str), String> {
    let mut parts = text.splitn(3, '"');
    let before = parts.next().unwrap_or_default();
    let within = parts.next().ok_or("expected words in quotes")?;
    Ok((
        before.trim(),
        within.to_owned(),
        parts.next().unwrap_or_default().trim(),
    ))
}

impl Line {
    pub(super) fn parse(line: &str) -> Result<Option<Self>, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        Ok(Some(match word {
            "on" => Line::On(moment(rest)?),
            "task" => {
                let (before, title, after) = quoted(rest)?;
                let due = after.strip_prefix("due ").map(day).transpose()?;
                Line::Task(number(before)?, title, due)
            }
            "meeting" => {
                let (mode, at) = rest.split_once(' ').unwrap_or((rest, ""));
                let mode =
                    MeetingMode::parse(mode).ok_or("expected office, phone, video, elsewhere")?;
                let booked = match at.is_empty() {
                    true => None,
                    false => {
                        let (at, place, _) = quoted(at)?;
                        Some((moment(at)?, place))
                    }
                };
                Line::Meeting(mode, booked)
            }
            "slot" => Line::Slot(moment(rest)?),
            "gone_slot" => Line::SlotGone,
            "vacancy" => Line::Vacancy(quoted(rest)?.1),
            "skill" => {
                Line::Skill(DigitalSkill::parse(rest).ok_or("expected starter, basic, skilled")?)
            }
            "exercised" => Line::Exercised(rest.to_owned()),
            "start" => Line::Start,
            "in" => Line::In(rest.to_owned()),
            "tap" => match rest.split_once('@') {
                Some((choice, said)) => Line::Tap(choice.trim().to_owned(), Some(number(said)?)),
                None => Line::Tap(rest.to_owned(), None),
            },
            "thumb" => Line::Thumb,
            "photo" => Line::Photo,
            "voice" => Line::Voice,
            "wait" => Line::Wait(Span::parse(rest).ok_or("expected a span: 3d, 2wd, 36h, 20m")?),
            "next" => Line::Next,
            "undelivered" => Line::Undelivered,
            "dropped" => Line::Dropped,
            "taken" => Line::Taken,
            "given" => Line::Given,
            "ticked" => Line::Ticked(number(rest)?),
            "skipped" => Line::Skipped(number(rest)?),
            "booked" => Line::Booked(moment(rest)?),
            "moved" => Line::Moved(moment(rest)?),
            "cancelled" => Line::Cancelled,
            "missed" => Line::Missed,
            "held" => Line::Held,
            "closed" => Line::Closed,
            "life" => Line::Life,
            "transfer" => Line::Transfer(rest.to_owned()),
            "away" => {
                let (who, back) = rest
                    .split_once(' ')
                    .ok_or("expected `away Karim yyyy-mm-dd`")?;
                Line::Away(who.to_owned(), day(back)?)
            }
            "back" => Line::Back,
            // What the house said: for the reader, and what is compared.
            "bot" | "coach" | "now" | "end" | "gone" | "" | "#" => return Ok(None),
            other => return Err(format!("{other} is no line of a talk")),
        }))
    }
}
