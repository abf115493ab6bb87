//! A vacancy, as far as we know it: what a feed may say, what it must say, and when two of them are one.

mod needs;

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use self::needs::{Need, needs_from, needs_of, needs_text};
use super::command::fold;
use super::ids::VacancyId;
use super::places::Places;
use super::time::Timestamp;

/// Longest texts that are kept, in characters. A title stands in a message of two SMS parts, so it is cut
/// at a word; a text without end is cut.
const TITLE: usize = 60;
const EMPLOYER: usize = 40;
const TOWN: usize = 40;
const TEXT: usize = 8_000;
/// What no feed needs more of: a longer one is wrong, not cut.
const REFERENCE: usize = 200;
const URL: usize = 500;
/// More hours than a week of work has.
const HOURS: u32 = 60;

/// Hours a week, from and to; `0, 0` if nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hours {
    pub least: u32,
    pub most: u32,
}

impl Hours {
    /// `None` if that is no week of work.
    pub fn new(least: u32, most: u32) -> Option<Self> {
        (least <= most && most <= HOURS).then_some(Self { least, most })
    }

    pub const fn known(self) -> bool {
        self.most > 0
    }

    /// Hours out of a text: "24-32 uur", "32 uur per week", "16 tot 24 hours".
    pub fn of_text(text: &str) -> Self {
        let text = text.to_lowercase();
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for (at, word) in words.iter().enumerate() {
            if !matches!(*word, "uur" | "uren" | "hours") || at == 0 {
                continue;
            }
            let number = |back: usize| {
                let word = words.get(at.checked_sub(back)?)?;
                word.parse::<u32>().ok().filter(|n| (1..=HOURS).contains(n))
            };
            let Some(most) = number(1) else { continue };
            let joined = matches!(
                words.get(at.wrapping_sub(2)),
                Some(&("tot" | "a" | "à" | "to" | "en"))
            );
            let least = number(2).or_else(|| number(3).filter(|_| joined));
            let least = least.filter(|least| *least <= most).unwrap_or(most);
            return Self { least, most };
        }
        Self::default()
    }
}

/// What a feed tells of one vacancy; every field was looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct Posting {
    /// The feed's own id.
    pub reference: String,
    pub title: String,
    pub employer: String,
    pub text: String,
    pub url: Option<String>,
    /// Four digits; empty if nobody knows.
    pub pc4: String,
    pub town: String,
    pub hours: Hours,
    pub needs: BTreeSet<Need>,
    pub closes_on: Option<NaiveDate>,
}

impl fmt::Debug for Posting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Posting({}, {})", self.reference, self.pc4)
    }
}

/// The fields of one vacancy as a feed has them, before anybody looked at them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    pub reference: String,
    pub title: String,
    pub employer: String,
    pub text: String,
    pub url: String,
    /// A postcode, with or without its letters.
    pub postcode: String,
    pub town: String,
    /// "24-32", "24 tot 32 uur", "32".
    pub hours: String,
    /// Words of `Need`, with commas or spaces; read besides what the text says.
    pub needs: String,
    /// `2026-03-31`, or a moment that begins with such a day.
    pub closes: String,
}

/// Which field of a vacancy is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Wrong {
    #[error("no reference of its own, or one of more than {REFERENCE} characters")]
    Reference,
    #[error("no title")]
    Title,
    #[error("no employer")]
    Employer,
    #[error("an address that is not https:// or http://")]
    Url,
    #[error("a postcode that is none")]
    Postcode,
    #[error("hours that are no week of work")]
    Hours,
    #[error("a last day that is no day")]
    Closes,
}

impl Posting {
    /// Looks at every field. What is strange is refused; what is only long is cut at a word.
    pub fn of(raw: &Raw, places: &Places) -> Result<Self, Wrong> {
        let reference = clean(&raw.reference);
        if reference.is_empty() || reference.chars().count() > REFERENCE {
            return Err(Wrong::Reference);
        }
        let title = cut(&line(&raw.title), TITLE);
        if !title.chars().any(char::is_alphabetic) || title.contains("://") {
            return Err(Wrong::Title);
        }
        let employer = cut(&line(&raw.employer), EMPLOYER);
        if !employer.chars().any(char::is_alphanumeric) || employer.contains("://") {
            return Err(Wrong::Employer);
        }
        let text = cut(&clean(&raw.text), TEXT);
        let url = web(&raw.url)?;
        let town = cut(&line(&raw.town), TOWN);
        let pc4 = postcode(&raw.postcode, &town, places)?;
        let town = match places.town(&pc4) {
            Some(known) if town.is_empty() => known.to_owned(),
            _ => town,
        };
        let hours = match raw.hours.trim() {
            "" => Hours::of_text(&format!("{title}. {text}")),
            told => hours(told)?,
        };
        let mut needs = needs_of(&format!("{title}\n{text}"));
        let told = raw.needs.split([',', ';', ' ', '|']);
        needs.extend(told.filter_map(|word| Need::parse(&word.trim().to_lowercase())));
        if !raw.needs.trim().is_empty() {
            needs.extend(needs_of(&raw.needs));
        }
        let closes_on = match raw.closes.trim() {
            "" => None,
            told => {
                let day = told.get(..10).and_then(|day| day.parse().ok());
                Some(day.ok_or(Wrong::Closes)?)
            }
        };
        Ok(Self {
            reference,
            title,
            employer,
            text,
            url,
            pc4,
            town,
            hours,
            needs,
            closes_on,
        })
    }

    /// The same vacancy has the same key in whatever feed: employer, title and place without capitals,
    /// signs and legal forms. Without a place two of one employer may be two, so the reference is in it.
    pub fn same_as(&self) -> String {
        let employer = fold(&self.employer);
        let forms = ["bv", "b v", "nv", "n v", "vof", "stichting"];
        let employer: Vec<&str> = employer
            .split(' ')
            .filter(|word| !forms.contains(word) && word.len() > 1)
            .collect();
        let place = if self.pc4.is_empty() {
            format!("ref {}", self.reference)
        } else {
            self.pc4.clone()
        };
        format!("{}|{}|{place}", employer.join(" "), fold(&self.title))
    }

    /// Everything that it says, in one line: two that say the same are the same.
    pub fn content(&self) -> String {
        let needs: Vec<&str> = self.needs.iter().map(|need| need.as_str()).collect();
        let closes = self
            .closes_on
            .map(|day| day.to_string())
            .unwrap_or_default();
        [
            self.title.as_str(),
            &self.employer,
            &self.text,
            self.url.as_deref().unwrap_or_default(),
            &self.pc4,
            &self.town,
            &format!("{}-{}", self.hours.least, self.hours.most),
            &needs.join(" "),
            &closes,
        ]
        .join("\u{1f}")
    }
}

/// A vacancy that we keep.
#[derive(Clone, PartialEq, Eq)]
pub struct Vacancy {
    pub id: VacancyId,
    pub title: String,
    pub employer: String,
    pub text: String,
    pub url: Option<String>,
    pub pc4: String,
    pub town: String,
    pub hours: Hours,
    pub needs: BTreeSet<Need>,
    pub open: bool,
    /// When a feed last had it.
    pub checked_at: Timestamp,
    pub closes_on: Option<NaiveDate>,
}

impl fmt::Debug for Vacancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vacancy({}, open: {})", self.id, self.open)
    }
}

impl Vacancy {
    /// May somebody be asked about it: open, not over, and seen by its feed since a moment?
    pub fn is_fresh(&self, today: NaiveDate, seen_since: Timestamp) -> bool {
        let over = self.closes_on.is_some_and(|last| last < today);
        self.open && !over && self.checked_at >= seen_since
    }
}

/// Without what is not shown or turns writing around; line ends stay.
fn clean(text: &str) -> String {
    let hidden = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let text = text.replace("\r\n", "\n").replace(['\r', '\t'], " ");
    text.chars()
        .filter(|c| !hidden(c))
        .collect::<String>()
        .trim()
        .to_owned()
}

/// On one line.
fn line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, cut before a word.
fn cut(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text.to_owned();
    };
    let kept = text.get(..end).unwrap_or_default();
    let word = kept
        .rfind(char::is_whitespace)
        .filter(|at| *at > 0)
        .unwrap_or(end);
    kept.get(..word)
        .unwrap_or(kept)
        .trim_end_matches(|c: char| !c.is_alphanumeric() && c != ')')
        .to_owned()
}

fn web(text: &str) -> Result<Option<String>, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let url = url::Url::parse(text).map_err(|_| Wrong::Url)?;
    let bare = url.username().is_empty() && url.password().is_none();
    let kept = url.to_string();
    match matches!(url.scheme(), "https" | "http") && bare && kept.len() <= URL {
        true => Ok(Some(kept)),
        false => Err(Wrong::Url),
    }
}

/// Four digits out of "1012 AB"; without one, the middle of the town.
fn postcode(text: &str, town: &str, places: &Places) -> Result<String, Wrong> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() {
        return Ok(places.of_town(town).unwrap_or_default().to_owned());
    }
    let (digits, letters) = text.split_at_checked(4).ok_or(Wrong::Postcode)?;
    let real = digits.chars().all(|c| c.is_ascii_digit()) && !digits.starts_with('0');
    let tail = letters.is_empty()
        || (letters.len() == 2 && letters.chars().all(|c| c.is_ascii_alphabetic()));
    match real && tail {
        true => Ok(digits.to_owned()),
        false => Err(Wrong::Postcode),
    }
}

/// "24-32", "24 tot 32 uur", "32", "32.0".
fn hours(text: &str) -> Result<Hours, Wrong> {
    let numbers: Vec<u32> = text
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter(|part| part.chars().any(|c| c.is_ascii_digit()))
        .map(|part| {
            part.split('.')
                .next()
                .unwrap_or_default()
                .parse()
                .map_err(|_| Wrong::Hours)
        })
        .collect::<Result<_, _>>()?;
    let (least, most) = match numbers[..] {
        [only] => (only, only),
        [least, most] => (least, most),
        _ => return Err(Wrong::Hours),
    };
    Hours::new(least, most).ok_or(Wrong::Hours)
}

#[cfg(test)]
mod tests;
