//! Calendar files (RFC 5545, RFC 5546): our own writer, because the same meeting must give the same bytes
//! twice, so that a calendar program never takes one for two. A meeting keeps its UID for life; whatever
//! changes raises its SEQUENCE.

use std::fmt::Write as _;

use super::time::{Timestamp, Tz};

/// The longest line in octets, without its end (RFC 5545 section 3.1).
const LINE: usize = 75;

/// What a file asks the calendar program to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Show these: a feed, or a file for somebody whose mail address nobody knows.
    Publish,
    /// Put this into the calendar, in the place of what has the same UID.
    Request,
    /// Take this out.
    Cancel,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Method::Publish => "PUBLISH",
            Method::Request => "REQUEST",
            Method::Cancel => "CANCEL",
        }
    }
}

/// Somebody with a mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub email: String,
}

/// One meeting, as a calendar shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub uid: String,
    pub sequence: u32,
    /// When it was last changed: the same until it changes again.
    pub changed_at: Timestamp,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub summary: String,
    /// Empty: none.
    pub description: String,
    /// The address; empty: none.
    pub location: String,
    /// Only a link that is one.
    pub url: Option<String>,
    pub organizer: Option<Party>,
    pub attendees: Vec<Party>,
    pub cancelled: bool,
}

/// A file with these meetings. `name` is how a calendar program calls a feed.
pub fn calendar(method: Method, name: Option<&str>, entries: &[Entry], zone: Tz) -> String {
    let mut file = File(String::new());
    file.line("BEGIN:VCALENDAR");
    file.line("VERSION:2.0");
    file.line("PRODID:-//Tussendoor//Tussendoor//NL");
    file.line("CALSCALE:GREGORIAN");
    file.line(&format!("METHOD:{}", method.as_str()));
    if let Some(name) = name {
        file.text("X-WR-CALNAME", name);
    }
    if zone == AMSTERDAM {
        for line in VTIMEZONE {
            file.line(line);
        }
    }
    for entry in entries {
        file.entry(method, entry, zone);
    }
    file.line("END:VCALENDAR");
    file.0
}

const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

/// The rule of the European Union since 1996 (directive 2000/84/EC). Written out here and not taken from a
/// library: the bytes must not change with its version.
const VTIMEZONE: [&str; 17] = [
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Amsterdam",
    "BEGIN:DAYLIGHT",
    "DTSTART:19960331T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "TZNAME:CEST",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "DTSTART:19961027T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "TZNAME:CET",
    "END:STANDARD",
    "END:VTIMEZONE",
];

struct File(String);

impl File {
    fn entry(&mut self, method: Method, entry: &Entry, zone: Tz) {
        let gone = entry.cancelled || method == Method::Cancel;
        self.line("BEGIN:VEVENT");
        self.text("UID", &entry.uid);
        self.line(&format!("SEQUENCE:{}", entry.sequence));
        self.line(&format!("DTSTAMP:{}", utc(entry.changed_at)));
        self.line(&moment("DTSTART", entry.starts_at, zone));
        self.line(&moment("DTEND", entry.ends_at, zone));
        self.text("SUMMARY", &entry.summary);
        if !entry.description.is_empty() {
            self.text("DESCRIPTION", &entry.description);
        }
        if !entry.location.is_empty() {
            self.text("LOCATION", &entry.location);
        }
        if let Some(url) = &entry.url {
            self.line(&format!("URL:{}", plain(url)));
        }
        if let Some(party) = &entry.organizer {
            self.party("ORGANIZER", "", party);
        }
        let role = ";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED";
        for party in &entry.attendees {
            self.party("ATTENDEE", role, party);
        }
        self.line(if gone {
            "STATUS:CANCELLED"
        } else {
            "STATUS:CONFIRMED"
        });
        self.line("END:VEVENT");
    }

    fn party(&mut self, name: &str, more: &str, party: &Party) {
        // A name in quotes may hold everything but a quote (RFC 5545 section 3.2).
        let called = plain(&party.name).replace('"', "'");
        let address = plain(&party.email);
        self.line(&format!("{name};CN=\"{called}\"{more}:mailto:{address}"));
    }

    /// A property whose value is text: what means something there is escaped (section 3.3.11).
    fn text(&mut self, name: &str, value: &str) {
        let mut line = format!("{name}:");
        for c in value.replace("\r\n", "\n").chars() {
            match c {
                '\\' => line.push_str("\\\\"),
                ';' => line.push_str("\\;"),
                ',' => line.push_str("\\,"),
                '\n' => line.push_str("\\n"),
                c if c.is_control() => {}
                c => line.push(c),
            }
        }
        self.line(&line);
    }

    /// One content line, folded: no piece is longer than 75 octets and no letter is cut in two.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for c in line.chars() {
            let octets = c.len_utf8();
            if length + octets > LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(c);
            length += octets;
        }
        self.0.push_str("\r\n");
    }
}

/// Nothing that could begin a line of its own.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn utc(at: Timestamp) -> String {
    at.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

fn moment(name: &str, at: Timestamp, zone: Tz) -> String {
    let mut line = name.to_owned();
    // Writing into a string cannot fail.
    let _ = if zone == AMSTERDAM {
        let local = at.local(zone).format("%Y%m%dT%H%M%S");
        write!(line, ";TZID=Europe/Amsterdam:{local}")
    } else {
        write!(line, ":{}", utc(at))
    };
    line
}

#[cfg(test)]
mod tests {
    use icalendar::{Calendar, CalendarComponent, Component as _, EventLike as _};

    use super::*;
    use crate::domain::time::local_moment;

    fn at(day: &str, hour: u32) -> Timestamp {
        local_moment(day.parse().unwrap(), hour, 0, AMSTERDAM)
    }

    fn entry() -> Entry {
        Entry {
            uid: "01J00000000000000000000001@tussendoor".into(),
            sequence: 2,
            changed_at: at("2026-03-01", 12),
            starts_at: at("2026-03-10", 10),
            ends_at: at("2026-03-10", 11),
            summary: "Afspraak met Zoë; vraag, en \\ antwoord".into(),
            description: "Neem mee:\nje cv\r\nBEGIN:VEVENT".into(),
            location: "Stadhuis, kamer 2".into(),
            url: Some("https://video.example/a?b=1\r\nX-EVIL:1".into()),
            organizer: Some(Party {
                name: "Noor \"N\" Bakker".into(),
                email: "noor@waterstad.example".into(),
            }),
            attendees: vec![Party {
                name: "Zoë".into(),
                email: "zoe@example.nl".into(),
            }],
            cancelled: false,
        }
    }

    /// Another's parser reads what we wrote, and finds it as it was meant.
    #[test]
    fn an_independent_parser_reads_every_word() {
        let file = calendar(Method::Request, Some("Noor"), &[entry()], AMSTERDAM);
        let read: Calendar = file.parse().unwrap();
        let events: Vec<_> = read
            .components
            .iter()
            .filter_map(CalendarComponent::as_event)
            .collect();
        assert_eq!(events.len(), 1, "a line of a text became an event: {file}");
        let event = events[0];
        assert_eq!(event.get_uid(), Some(entry().uid.as_str()));
        assert_eq!(event.get_summary(), Some(entry().summary.as_str()));
        assert_eq!(event.get_location(), Some(entry().location.as_str()));
        let told = "Neem mee:\nje cv\nBEGIN:VEVENT";
        assert_eq!(event.get_description(), Some(told));
        assert_eq!(event.property_value("SEQUENCE"), Some("2"));
        assert_eq!(event.property_value("DTSTART"), Some("20260310T100000"));
        assert_eq!(event.property_value("X-EVIL"), None);
        let zone = event.properties()["DTSTART"].params()["TZID"].value();
        assert_eq!(zone, "Europe/Amsterdam");
    }

    #[test]
    fn the_same_meeting_gives_the_same_bytes_and_a_later_one_a_higher_sequence() {
        let one = calendar(Method::Request, None, &[entry()], AMSTERDAM);
        let again = calendar(Method::Request, None, &[entry()], AMSTERDAM);
        assert_eq!(one, again);
        let gone = calendar(Method::Cancel, None, &[entry()], AMSTERDAM);
        assert!(gone.contains("METHOD:CANCEL\r\n"));
        assert!(gone.contains("STATUS:CANCELLED\r\n"));
        assert!(gone.contains(&entry().uid));
    }

    #[test]
    fn no_line_is_longer_than_75_octets_and_no_letter_is_cut() {
        let mut long = entry();
        long.description = "Größe ✓ ".repeat(60);
        let file = calendar(Method::Publish, None, &[long.clone()], AMSTERDAM);
        assert!(file.ends_with("END:VCALENDAR\r\n"));
        for line in file.split("\r\n") {
            assert!(line.len() <= 75, "{} octets: {line}", line.len());
            assert!(!line.contains(['\r', '\n']));
        }
        let unfolded = file.replace("\r\n ", "");
        assert!(unfolded.contains(&long.description));
    }

    /// What the fixed rule says is what the clocks of Amsterdam do.
    #[test]
    fn the_fixed_zone_is_the_zone_of_the_library() {
        for year in 2024..=2037 {
            let last_sunday = |month: u32, last: u32| {
                let mut day = chrono::NaiveDate::from_ymd_opt(year, month, last).unwrap();
                while chrono::Datelike::weekday(&day) != chrono::Weekday::Sun {
                    day = day.pred_opt().unwrap();
                }
                day
            };
            for (day, before, after) in [
                (last_sunday(3, 31), "+0100", "+0200"),
                (last_sunday(10, 31), "+0200", "+0100"),
            ] {
                let offset = |day, hour| {
                    let at = local_moment(day, hour, 0, AMSTERDAM);
                    at.local(AMSTERDAM).format("%z").to_string()
                };
                assert_eq!(offset(day, 1), before, "{day}");
                assert_eq!(offset(day, 4), after, "{day}");
            }
        }
    }

    #[test]
    fn another_zone_is_told_in_universal_time() {
        let file = calendar(Method::Publish, None, &[entry()], Tz::America__Curacao);
        assert!(file.contains("DTSTART:20260310T090000Z\r\n"), "{file}");
        assert!(!file.contains("VTIMEZONE"));
    }
}
