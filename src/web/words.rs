//! The words of the pages, per language, and how a day, a moment and an amount are written.
//! What candidates read is not here: that is `texts`.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Timelike};

use crate::domain::time::{Timestamp, Tz};

/// A language that pages exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    Nl,
    En,
}

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::Nl, Locale::En];

    pub const fn as_str(self) -> &'static str {
        match self {
            Locale::Nl => "nl",
            Locale::En => "en",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.as_str() == text)
    }

    /// The first language of an `Accept-Language` header that pages exist in, by its weight.
    pub fn preferred(header: &str) -> Self {
        let mut best = (Locale::Nl, 0.0_f32);
        for item in header.split(',').take(16) {
            let mut parts = item.trim().split(';');
            let tag = parts.next().unwrap_or("").split('-').next().unwrap_or("");
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .and_then(|q| q.parse::<f32>().ok())
                .unwrap_or(1.0);
            if let Some(locale) = Locale::parse(&tag.to_ascii_lowercase())
                && weight > best.1
            {
                best = (locale, weight);
            }
        }
        best.0
    }
}

/// A file of words is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("templates/web/text/{file}.toml: {problem}")]
pub struct BrokenWords {
    pub file: &'static str,
    pub problem: String,
}

/// All words of one language, by dotted key.
#[derive(Debug, Clone)]
pub struct Words {
    pub locale: Locale,
    texts: BTreeMap<String, String>,
    months: Vec<String>,
    days: Vec<String>,
}

impl Words {
    pub fn parse(locale: Locale, source: &str) -> Result<Self, BrokenWords> {
        let broken = |problem: String| BrokenWords {
            file: locale.as_str(),
            problem,
        };
        let table: toml::Table = source
            .parse()
            .map_err(|e: toml::de::Error| broken(e.message().to_owned()))?;
        let mut texts = BTreeMap::new();
        flatten("", table, &mut texts).map_err(broken)?;
        let list = |key: &str, n: usize| -> Result<Vec<String>, BrokenWords> {
            let words: Vec<String> = texts
                .get(key)
                .map(|line| line.split(' ').map(str::to_owned).collect())
                .unwrap_or_default();
            if words.len() == n {
                Ok(words)
            } else {
                Err(broken(format!("{key} must have {n} words")))
            }
        };
        Ok(Self {
            locale,
            months: list("calendar.months", 12)?,
            days: list("calendar.days", 7)?,
            texts,
        })
    }

    pub fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// The text under a key. A test compares every key in the source with both languages; a key
    /// that slipped through shows itself instead of taking the page down.
    pub fn say(&self, key: &str) -> String {
        self.texts
            .get(key)
            .cloned()
            .unwrap_or_else(|| key.to_owned())
    }

    /// The text with its `{names}` filled in.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(&self.say(key), values)
    }

    /// `key.one` or `key.many`, with `{n}`.
    pub fn count(&self, key: &str, n: usize) -> String {
        let form = if n == 1 { "one" } else { "many" };
        self.fill(&format!("{key}.{form}"), &[("n", &n.to_string())])
    }

    /// `dinsdag 24 november`
    pub fn day(&self, day: NaiveDate) -> String {
        format!("{} {} {}", self.weekday(day), day.day(), self.month(day))
    }

    /// `di 24 nov`
    pub fn short_day(&self, day: NaiveDate) -> String {
        let cut = |word: &str, n: usize| word.chars().take(n).collect::<String>();
        let letters = if self.locale == Locale::Nl { 2 } else { 3 };
        let month = match (self.locale, day.month()) {
            (Locale::Nl, 3) => "mrt".to_owned(),
            _ => cut(self.month(day), 3),
        };
        format!("{} {} {month}", cut(self.weekday(day), letters), day.day())
    }

    /// `08:52`
    pub fn clock(&self, at: Timestamp, zone: Tz) -> String {
        let local = at.local(zone);
        format!("{:02}:{:02}", local.hour(), local.minute())
    }

    /// `vandaag 08:52`, `gisteren 16:10`, `di 24 nov 09:30`
    pub fn moment(&self, at: Timestamp, now: Timestamp, zone: Tz) -> String {
        format!(
            "{} {}",
            self.near_day(at.local_day(zone), now, zone),
            self.clock(at, zone)
        )
    }

    /// In a narrow list: the time for today, else the day.
    pub fn brief(&self, at: Timestamp, now: Timestamp, zone: Tz) -> String {
        if at.local_day(zone) == now.local_day(zone) {
            self.clock(at, zone)
        } else {
            self.near_day(at.local_day(zone), now, zone)
        }
    }

    /// `vandaag`, `gisteren`, `morgen`, `di 24 nov`
    pub fn near_day(&self, day: NaiveDate, now: Timestamp, zone: Tz) -> String {
        match (day - now.local_day(zone)).num_days() {
            0 => self.say("calendar.today"),
            1 => self.say("calendar.tomorrow"),
            -1 => self.say("calendar.yesterday"),
            _ => self.short_day(day),
        }
    }

    /// The value of a `datetime` attribute.
    pub fn iso(&self, at: Timestamp, zone: Tz) -> String {
        at.local(zone).format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// An amount in thousandths of a euro: `€ 0,075`, `€ 0,04`, `€ 1,20`.
    pub fn money(&self, mills: i64) -> String {
        let comma = if self.locale == Locale::Nl { ',' } else { '.' };
        let (euros, rest) = (mills / 1000, (mills % 1000).abs());
        if rest % 10 == 0 {
            format!("€ {euros}{comma}{:02}", rest / 10)
        } else {
            format!("€ {euros}{comma}{rest:03}")
        }
    }

    /// The size of a file: `900 B`, `240 kB`, `1,2 MB`.
    pub fn size(&self, bytes: u64) -> String {
        let comma = if self.locale == Locale::Nl { ',' } else { '.' };
        match bytes {
            0..1000 => format!("{bytes} B"),
            1000..1_000_000 => format!("{} kB", bytes / 1000),
            _ => format!("{}{comma}{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        }
    }

    fn weekday(&self, day: NaiveDate) -> &str {
        let index = day.weekday().num_days_from_monday() as usize;
        self.days.get(index).map_or("", String::as_str)
    }

    fn month(&self, day: NaiveDate) -> &str {
        self.months
            .get(day.month0() as usize)
            .map_or("", String::as_str)
    }
}

/// Puts values where `{name}` stands. Values are put in once: braces inside them stay text.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let value = from.find('}').and_then(|close| {
            let name = from.get(1..close)?;
            let value = values.iter().find(|(key, _)| *key == name)?.1;
            Some((value, from.get(close + 1..)?))
        });
        match value {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn flatten(
    prefix: &str,
    table: toml::Table,
    texts: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::String(text) => {
                texts.insert(key, text);
            }
            toml::Value::Table(table) => flatten(&key, table, texts)?,
            _ => return Err(format!("{key} must be a text")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(locale: Locale) -> Words {
        let source = match locale {
            Locale::Nl => include_str!("../../templates/web/text/nl.toml"),
            Locale::En => include_str!("../../templates/web/text/en.toml"),
        };
        Words::parse(locale, source).unwrap()
    }

    #[test]
    fn days_and_amounts_read_as_in_each_language() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        assert_eq!(words(Locale::Nl).day(day), "dinsdag 24 november");
        assert_eq!(words(Locale::Nl).short_day(day), "di 24 nov");
        assert_eq!(words(Locale::En).short_day(day), "Tue 24 Nov");
        let march = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        assert_eq!(words(Locale::Nl).short_day(march), "ma 2 mrt");
        assert_eq!(words(Locale::Nl).money(75), "€ 0,075");
        assert_eq!(words(Locale::Nl).money(40), "€ 0,04");
        assert_eq!(words(Locale::En).money(1200), "€ 1.20");
        assert_eq!(words(Locale::Nl).size(999), "999 B");
        assert_eq!(words(Locale::Nl).size(240_900), "240 kB");
        assert_eq!(words(Locale::Nl).size(16_777_216), "16,7 MB");
        assert_eq!(words(Locale::En).size(1_000_000), "1.0 MB");
    }

    #[test]
    fn a_value_with_braces_is_not_filled_again() {
        let text = fill(
            "Dag {name}, {what} en {nothing}",
            &[("name", "{what}"), ("what", "hoi")],
        );
        assert_eq!(text, "Dag {what}, hoi en {nothing}");
    }

    #[test]
    fn the_heaviest_language_that_exists_wins() {
        assert_eq!(Locale::preferred("de, en;q=0.7, nl;q=0.3"), Locale::En);
        assert_eq!(Locale::preferred("nl-NL,nl;q=0.9,en;q=0.8"), Locale::Nl);
        assert_eq!(Locale::preferred("fr"), Locale::Nl);
        assert_eq!(Locale::preferred(""), Locale::Nl);
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_names_to_fill() {
        let (nl, en) = (words(Locale::Nl), words(Locale::En));
        assert_eq!(nl.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
        for key in nl.keys() {
            assert_eq!(names(&nl.say(key)), names(&en.say(key)), "{key}");
        }
    }

    fn names(text: &str) -> std::collections::BTreeSet<String> {
        text.split('{')
            .skip(1)
            .filter_map(|t| t.split('}').next())
            .map(str::to_owned)
            .collect()
    }
}
