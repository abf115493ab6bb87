//! The bytes of a feed become fields: JSON, CSV, RSS and Atom. Nothing is believed here: what the fields mean,
//! and whether they may be kept, is looked at in `domain/vacancy.rs`. A feed that is cut off or is something
//! else is unreadable as a whole.

use std::collections::BTreeMap;

use encoding_rs::WINDOWS_1252;
use feed_rs::model::Entry;
use serde_json::Value as Json;

use crate::domain::vacancy::Raw;

/// More vacancies than any feed has; it bounds the memory.
const MOST_ITEMS: usize = 50_000;
/// Characters of one field.
const LONGEST: usize = 50_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
    /// RSS or Atom.
    Rss,
}

impl Format {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "json" => Format::Json,
            "csv" => Format::Csv,
            "rss" | "atom" => Format::Rss,
            _ => return None,
        })
    }
}

/// Which of a feed's own names holds which field, and what holds where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// JSON: where the list is, as names with points; empty: the whole is the list.
    pub items: String,
    /// By our name of the field: theirs.
    pub fields: BTreeMap<String, String>,
    /// By our name of the field: its value where the feed has none.
    pub always: BTreeMap<String, String>,
}

/// Our names of the fields, and theirs if nobody says otherwise.
pub const FIELDS: [(&str, &str); 10] = [
    ("reference", "id"),
    ("title", "title"),
    ("employer", "employer"),
    ("text", "description"),
    ("url", "url"),
    ("postcode", "postcode"),
    ("town", "town"),
    ("hours", "hours"),
    ("needs", "needs"),
    ("closes", "closes_on"),
];

impl Mapping {
    fn theirs<'a>(&'a self, field: &str, usual: &'a str) -> &'a str {
        self.fields.get(field).map_or(usual, String::as_str)
    }

    /// Fills a vacancy by asking for each of their names.
    fn fill(&self, value: impl Fn(&str) -> String) -> Raw {
        let mut raw = Raw::default();
        for (field, usual) in FIELDS {
            put(&mut raw, field, short(value(self.theirs(field, usual))));
        }
        self.complete(raw)
    }

    fn complete(&self, mut raw: Raw) -> Raw {
        for (field, value) in &self.always {
            if place(&mut raw, field).is_some_and(|place| place.trim().is_empty()) {
                put(&mut raw, field, value.clone());
            }
        }
        raw
    }
}

fn place<'a>(raw: &'a mut Raw, field: &str) -> Option<&'a mut String> {
    Some(match field {
        "reference" => &mut raw.reference,
        "title" => &mut raw.title,
        "employer" => &mut raw.employer,
        "text" => &mut raw.text,
        "url" => &mut raw.url,
        "postcode" => &mut raw.postcode,
        "town" => &mut raw.town,
        "hours" => &mut raw.hours,
        "needs" => &mut raw.needs,
        "closes" => &mut raw.closes,
        _ => return None,
    })
}

fn put(raw: &mut Raw, field: &str, value: String) {
    if let Some(place) = place(raw, field) {
        *place = value;
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// Why a feed cannot be read as a whole. Never holds any of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("this is no JSON, or it is cut off")]
    NotJson,
    #[error("there is no list where the settings say")]
    NoList,
    #[error("this is no CSV with a first line of names")]
    NotCsv,
    #[error("this is neither RSS nor Atom, or it is cut off")]
    NotRss,
    #[error("it has more than {MOST_ITEMS} vacancies")]
    TooMany,
}

/// The vacancies of a feed as they stand there, and how many rows were no row at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    pub vacancies: Vec<Raw>,
    pub unread: usize,
}

pub fn read(bytes: &[u8], format: Format, mapping: &Mapping) -> Result<Read, Unreadable> {
    let read = match format {
        Format::Json => json(bytes, mapping),
        Format::Csv => csv(bytes, mapping),
        Format::Rss => rss(bytes, mapping),
    }?;
    match read.vacancies.len() > MOST_ITEMS {
        true => Err(Unreadable::TooMany),
        false => Ok(read),
    }
}

fn json(bytes: &[u8], mapping: &Mapping) -> Result<Read, Unreadable> {
    let whole: Json = serde_json::from_slice(bytes).map_err(|_| Unreadable::NotJson)?;
    let list = at(&whole, &mapping.items).and_then(Json::as_array);
    let mut read = Read::default();
    for item in list.ok_or(Unreadable::NoList)? {
        if !item.is_object() {
            read.unread += 1;
            continue;
        }
        let value = |name: &str| at(item, name).map(told).unwrap_or_default();
        read.vacancies.push(mapping.fill(value));
    }
    Ok(read)
}

/// What stands at `a.b.c`; the whole for an empty path.
fn at<'a>(whole: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(whole, |value, name| match value {
            Json::Array(list) => list.get(name.parse::<usize>().ok()?),
            value => value.get(name),
        })
}

/// Text, numbers, and lists of them.
fn told(value: &Json) -> String {
    match value {
        Json::String(text) => plain(text),
        Json::Number(number) => number.to_string(),
        Json::Array(list) => {
            let each: Vec<String> = list.iter().map(told).collect();
            each.join(", ")
        }
        Json::Bool(_) | Json::Null | Json::Object(_) => String::new(),
    }
}

fn csv(bytes: &[u8], mapping: &Mapping) -> Result<Read, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    let head = text.lines().next().unwrap_or_default();
    let count = |sign| head.matches(sign).count();
    let delimiter = if count(';') > count(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::Headers)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(|_| Unreadable::NotCsv)?.clone();
    let place = |name: &str| {
        names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
    };
    let needed = ["reference", "title"].map(|field| {
        let usual = FIELDS.iter().find(|(ours, _)| *ours == field);
        mapping.theirs(field, usual.map_or(field, |(_, usual)| usual))
    });
    if needed.iter().any(|name| place(name).is_none()) {
        return Err(Unreadable::NotCsv);
    }
    let mut read = Read::default();
    for row in reader.records() {
        match row {
            Ok(row) => {
                let value = |name: &str| place(name).and_then(|at| row.get(at)).unwrap_or_default();
                read.vacancies.push(mapping.fill(|name| plain(value(name))));
            }
            Err(_) => read.unread += 1,
        }
        if read.vacancies.len() > MOST_ITEMS {
            return Err(Unreadable::TooMany);
        }
    }
    Ok(read)
}

fn rss(bytes: &[u8], mapping: &Mapping) -> Result<Read, Unreadable> {
    let feed = feed_rs::parser::parse(bytes).map_err(|_| Unreadable::NotRss)?;
    let vacancies = feed.entries.iter().map(|entry| entry_of(entry, mapping));
    Ok(Read {
        vacancies: vacancies.collect(),
        unread: 0,
    })
}

fn entry_of(entry: &Entry, mapping: &Mapping) -> Raw {
    let body = entry
        .content
        .as_ref()
        .and_then(|content| content.body.as_deref());
    let summary = entry.summary.as_ref().map(|text| text.content.as_str());
    let text = short(plain(body.or(summary).unwrap_or_default()));
    let title = entry.title.as_ref().map(|text| plain(&text.content));
    let mut title = title.unwrap_or_default();
    let author = entry.authors.first().and_then(|person| person.name.clone());
    let mut employer = author.unwrap_or_default().trim().to_owned();
    // "Kok bij De Gouden Lepel": who tells no author often tells it in the title.
    if employer.is_empty() && !mapping.always.contains_key("employer") {
        let split = [" bij ", " at "]
            .iter()
            .find_map(|word| title.split_once(word));
        let split = split.map(|(left, right)| (left.trim().to_owned(), right.trim().to_owned()));
        if let Some((left, right)) = split {
            (title, employer) = (left, right);
        }
    }
    mapping.complete(Raw {
        reference: entry.id.clone(),
        title,
        employer,
        postcode: postcode_in(&text),
        text,
        url: entry
            .links
            .first()
            .map(|link| link.href.clone())
            .unwrap_or_default(),
        ..Raw::default()
    })
}

/// The first Dutch postcode in a text: four digits and two capitals.
fn postcode_in(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let digits = |word: &str| {
        word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) && !word.starts_with('0')
    };
    let letters = |word: &str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_uppercase());
    for (at, word) in words.iter().enumerate() {
        if digits(word) && words.get(at + 1).is_some_and(|next| letters(next)) {
            return (*word).to_owned();
        }
        if let Some((first, second)) = word.split_at_checked(4)
            && digits(first)
            && letters(second)
        {
            return first.to_owned();
        }
    }
    String::new()
}

/// Text out of HTML: tags become space, the usual names of characters become themselves. It is shown
/// escaped whatever is left of it.
fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        text.push_str(before);
        let named = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find('>').filter(|_| named) {
            Some(end) => {
                let block = ["<br", "<p", "</p", "<li", "<div", "</div", "<h"];
                let lower = tag
                    .get(..6.min(end))
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                text.push(if block.iter().any(|it| lower.starts_with(it)) {
                    '\n'
                } else {
                    ' '
                });
                rest = &tag[end + 1..];
            }
            None => {
                text.push('<');
                rest = &tag[1..];
            }
        }
    }
    text.push_str(rest);
    for (name, sign) in [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&euro;", "€"),
        ("&eacute;", "é"),
        ("&euml;", "ë"),
        ("&iuml;", "ï"),
        ("&amp;", "&"),
    ] {
        text = text.replace(name, sign);
    }
    text
}

#[cfg(test)]
mod tests;
