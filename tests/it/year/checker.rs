//! What must be true of a year, computed without a line of the scheduler: the holidays of these two years
//! as a list, the hours by the time zone alone, counts by counting.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Weekday};
use chrono_tz::{Europe::Amsterdam, Tz};

use super::appointments::Appointment;

/// The public holidays, as a calendar on the wall has them.
const HOLIDAYS: [&str; 14] = [
    "2026-04-05", // Easter
    "2026-04-06",
    "2026-04-27", // King's Day
    "2026-05-05",
    "2026-05-14", // Ascension
    "2026-05-24", // Whit Sunday
    "2026-05-25",
    "2026-12-25",
    "2026-12-26",
    "2027-01-01",
    "2027-03-28",
    "2027-03-29",
    "2027-04-27",
    "2027-05-05",
];

/// The ladder ends after 27 days; a look may be due on a day on which the house was down.
const LADDER_DAYS: i64 = 28;
const NEVER_MORE_A_WEEK: usize = 3;
/// No draft lives longer than its flow, and no nudge waits longer than it.
const OPEN_AT_MOST_DAYS: u64 = 45;

/// A nudge that a provider took, at so many microseconds since 1970.
pub struct Nudge {
    pub who: usize,
    pub rule: String,
    pub at: i64,
}

/// A message that reminded somebody of a meeting, at so many microseconds since 1970.
pub struct Reminder {
    pub who: usize,
    pub meeting: String,
    pub at: i64,
}

/// A year, as whoever played it recorded it. Moments are microseconds since 1970.
pub struct Record {
    pub people: usize,
    pub first: NaiveDate,
    pub days: u64,
    /// The days on which nothing ran.
    pub outage: Option<(NaiveDate, NaiveDate)>,
    pub nudges: Vec<Nudge>,
    /// Every message of the machine, none of a coach's own words: to whom and when.
    pub sent: Vec<(usize, i64)>,
    /// Signs of life.
    pub signs: Vec<(usize, i64)>,
    /// When coaches were told of somebody, and until when that stood on their page.
    pub flags: Vec<(usize, i64, i64)>,
    /// When each person said STOP.
    pub stopped: Vec<Option<i64>>,
    /// Whose STOP was not confirmed: as long as it could be, an earlier message was in doubt.
    pub unconfirmed: BTreeSet<usize>,
    /// The ledger's rows that have no end, with the day on which each was written.
    pub open: Vec<(String, NaiveDate)>,
    pub appointments: Vec<Appointment>,
    pub reminders: Vec<Reminder>,
}

/// Everything that was promised and not kept.
pub fn check(record: &Record) -> Vec<String> {
    let mut broken = Vec::new();
    broken.extend(quiet(record));
    broken.extend(caps(record));
    broken.extend(after_outage(record));
    broken.extend(after_stop(record));
    broken.extend(ledger(record));
    broken.extend(alone(record));
    broken.extend(reminded(record));
    broken
}

fn local(micros: i64) -> DateTime<Tz> {
    let utc = DateTime::from_timestamp_micros(micros).unwrap();
    utc.with_timezone(&Amsterdam)
}

fn day(micros: i64) -> NaiveDate {
    local(micros).date_naive()
}

pub fn is_holiday(day: NaiveDate) -> bool {
    HOLIDAYS.contains(&day.to_string().as_str())
}

fn quiet(record: &Record) -> Vec<String> {
    let wrong = record.nudges.iter().filter(|nudge| {
        let at = local(nudge.at);
        !(8..20).contains(&at.hour()) || at.weekday() == Weekday::Sun || is_holiday(at.date_naive())
    });
    wrong
        .map(|nudge| {
            let at = local(nudge.at);
            format!("quiet time: {} to {} at {at}", nudge.rule, nudge.who)
        })
        .collect()
}

/// What a person is told of a meeting that they agreed to: it counts, and nothing holds it up.
fn is_of_an_agreed_meeting(rule: &str) -> bool {
    let texts = [
        "coming",
        "coming_video",
        "coming_phone",
        "planned",
        "planned_video",
        "moved",
        "called_off",
    ];
    rule.strip_prefix("meeting_invite/")
        .is_some_and(|text| texts.contains(&text))
}

/// When a nudge leaves, nothing went that day and at most two things in the six days before. A meeting is
/// told of all the same, at most twice each: that it is planned, and that it comes.
fn caps(record: &Record) -> Vec<String> {
    let mut all: BTreeMap<usize, Vec<(NaiveDate, bool)>> = BTreeMap::new();
    let mut nudges: Vec<&Nudge> = record.nudges.iter().collect();
    nudges.sort_by_key(|nudge| nudge.at);
    for nudge in nudges {
        let told = is_of_an_agreed_meeting(&nudge.rule);
        all.entry(nudge.who)
            .or_default()
            .push((day(nudge.at), told));
    }
    let mut wrong = Vec::new();
    for (who, days) in all {
        for (at, (day, told)) in days.iter().enumerate() {
            let first = day.checked_sub_days(Days::new(6)).unwrap();
            let until = days[..=at].iter().map(|(other, _)| other);
            let week = until.clone().filter(|other| **other >= first).count();
            let today = until.filter(|other| *other == day).count();
            let (most_today, most_a_week) = match told {
                true => (2, NEVER_MORE_A_WEEK + 2 * stood(record, who, first, *day)),
                false => (1, NEVER_MORE_A_WEEK),
            };
            if today > most_today {
                wrong.push(format!("{today} nudges to {who} on {day}"));
            }
            if week > most_a_week {
                wrong.push(format!("{week} nudges to {who} in the week to {day}"));
            }
        }
    }
    wrong
}

/// While the house is down nothing goes, and on the day it is back nobody gets a burst.
fn after_outage(record: &Record) -> Vec<String> {
    let Some((first, last)) = record.outage else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    let back = last.checked_add_days(Days::new(1)).unwrap();
    let mut seen = BTreeSet::new();
    for nudge in &record.nudges {
        let (day, who) = (day(nudge.at), nudge.who);
        if (first..=last).contains(&day) {
            wrong.push(format!("{} to {who} while the house was down", nudge.rule));
        }
        // What was agreed with two meetings is told of both.
        if day == back && !is_of_an_agreed_meeting(&nudge.rule) && !seen.insert(who) {
            wrong.push(format!("a burst to {who} after the outage"));
        }
    }
    wrong
}

/// After STOP the machine says one thing more: that it was heard. A coach may still answer who writes.
fn after_stop(record: &Record) -> Vec<String> {
    let mut wrong = Vec::new();
    for (who, stopped) in record.stopped.iter().enumerate() {
        let Some(stopped) = stopped else { continue };
        let sent = record.sent.iter();
        let after = sent.filter(|(to, at)| *to == who && at >= stopped).count();
        if after > 1 || (after == 0 && !record.unconfirmed.contains(&who)) {
            wrong.push(format!("{after} messages to {who} after STOP"));
        }
    }
    if record.days > 80 && record.stopped.iter().all(Option::is_none) {
        wrong.push("nobody said STOP: this proves nothing".to_owned());
    }
    wrong
}

/// Every row of the ledger that was due long enough ago is closed, with a reason.
fn ledger(record: &Record) -> Vec<String> {
    let end = record
        .first
        .checked_add_days(Days::new(record.days))
        .unwrap();
    let before = end.checked_sub_days(Days::new(OPEN_AT_MOST_DAYS)).unwrap();
    let open = record.open.iter().filter(|(_, due)| *due < before);
    open.map(|(rule, due)| format!("open since {due}: {rule}"))
        .collect()
}

/// Nobody is without a person for longer than the ladder: within it there was a sign of life, a meeting that
/// somebody made or sat waiting for, or a coach was told.
fn alone(record: &Record) -> Vec<String> {
    let end = record
        .first
        .checked_add_days(Days::new(record.days))
        .unwrap();
    let end = end
        .and_hms_opt(0, 0, 0)
        .unwrap()
        .and_utc()
        .timestamp_micros();
    let mut wrong = Vec::new();
    for who in 0..record.people {
        let of = |list: &[(usize, i64)]| -> Vec<i64> {
            let theirs = list.iter().filter(|(whose, _)| *whose == who);
            theirs.map(|(_, at)| *at).collect()
        };
        let mut moments = of(&record.signs);
        let theirs = record.appointments.iter().filter(|of| of.who == who);
        moments.extend(theirs.flat_map(|of| [of.from, of.until]));
        // Until the end, or until they left.
        let until = record.stopped[who].unwrap_or(end);
        moments.retain(|at| *at <= end);
        moments.push(until);
        moments.sort_unstable();
        let days = |from: i64, to: i64| day(to).signed_duration_since(day(from)).num_days();
        for pair in moments.windows(2) {
            let down = record.outage.is_some_and(|(first, last)| {
                (first..=last).contains(&(day(pair[0]) + Days::new(27)))
            });
            let allowed = LADDER_DAYS + if down { 3 } else { 0 };
            if pair[0] >= until || days(pair[0], pair[1]) <= allowed {
                continue;
            }
            let told = record.flags.iter().any(|(whose, from, until)| {
                *whose == who && *until > pair[0] && days(pair[0], *from) <= allowed
            });
            if !told {
                let (from, to) = (day(pair[0]), day(pair[1]));
                wrong.push(format!("{who} alone from {from} to {to}"));
            }
        }
    }
    wrong
}

/// Appointments that this person had in these days, or in whose place came others; one at least.
fn stood(record: &Record, who: usize, first: NaiveDate, last: NaiveDate) -> usize {
    let theirs = record.appointments.iter().filter(|of| of.who == who);
    let theirs = theirs.filter(|of| day(of.from) <= last && day(of.until) >= first);
    theirs.count().max(1)
}

fn works(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !is_holiday(day)
}

/// Of the appointments that stood from before the day of their reminder until they began: how many, and of
/// how many of them somebody was reminded.
pub fn reminders(record: &Record) -> (usize, usize) {
    let (mut stood, mut reminded) = (0, 0);
    for of in &record.appointments {
        let mut before = local(of.starts_at).date_naive().iter_days().rev().skip(1);
        let before = before.find(|day| works(*day)).unwrap();
        if of.until == of.starts_at && day(of.from) < before {
            stood += 1;
            let mut got = record.reminders.iter();
            reminded += usize::from(got.any(|reminder| {
                reminder.meeting == of.meeting && (of.from..=of.until).contains(&reminder.at)
            }));
        }
    }
    (stood, reminded)
}

/// Of each appointment at most one reminder, and one where it was booked more than a working day ahead and
/// stood until it began, unless a coach had this person before them on that day or the one before. Of one
/// that is off, none.
fn reminded(record: &Record) -> Vec<String> {
    let mut wrong = Vec::new();
    let during = |reminder: &Reminder, of: &Appointment| {
        let same = reminder.who == of.who && reminder.meeting == of.meeting;
        same && (of.from..=of.until).contains(&reminder.at)
    };
    for reminder in &record.reminders {
        if !record.appointments.iter().any(|of| during(reminder, of)) {
            let at = local(reminder.at);
            wrong.push(format!("{} reminded at {at} of nothing", reminder.who));
        }
    }
    for of in &record.appointments {
        let got = record.reminders.iter();
        let got = got.filter(|reminder| during(reminder, of)).count();
        let (who, starts) = (of.who, local(of.starts_at));
        if got > 1 {
            wrong.push(format!("{who} reminded {got} times of {starts}"));
        }
        let mut before = starts.date_naive().iter_days().rev().skip(1);
        let before = before.find(|day| works(*day)).unwrap();
        let stood = of.until == of.starts_at && day(of.from) < before;
        let stopped = record.stopped[who].is_some_and(|at| at < of.starts_at);
        let down = record
            .outage
            .is_some_and(|(first, last)| (first..=last).contains(&before));
        let told = record.flags.iter().any(|(whose, from, until)| {
            *whose == who && day(*from) <= starts.date_naive() && day(*until) >= before
        });
        if got == 0 && stood && !stopped && !down && !told {
            let from = local(of.from);
            wrong.push(format!("{who} not reminded of {starts}, booked at {from}"));
        }
    }
    wrong
}

/// The checker itself must be able to see.
#[test]
fn each_broken_promise_is_seen() {
    let at = |text: &str| {
        let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        let local = local.and_local_timezone(Amsterdam).earliest().unwrap();
        local.timestamp_micros()
    };
    let fine = || Record {
        people: 1,
        first: "2026-03-03".parse().unwrap(),
        days: 79,
        outage: Some(("2026-04-20".parse().unwrap(), "2026-04-22".parse().unwrap())),
        nudges: Vec::new(),
        sent: Vec::new(),
        signs: (3..11)
            .map(|week| (0, at("2026-03-03 12:00") + week * 7 * 86_400_000_000))
            .chain([(0, at("2026-03-03 12:00"))])
            .collect(),
        flags: Vec::new(),
        unconfirmed: BTreeSet::new(),
        stopped: vec![None],
        open: Vec::new(),
        appointments: Vec::new(),
        reminders: Vec::new(),
    };
    assert_eq!(check(&fine()), Vec::<String>::new());
    let broken = |change: &dyn Fn(&mut Record)| {
        let mut record = fine();
        change(&mut record);
        check(&record).join("; ")
    };
    let nudge = |text: &str| Nudge {
        who: 0,
        rule: "x".to_owned(),
        at: at(text),
    };
    for (moments, expected) in [
        (&["2026-03-10 07:59"][..], "quiet"),
        (&["2026-03-10 20:00"], "quiet"),
        (&["2026-03-15 12:00"], "quiet"),
        (&["2026-04-06 12:00"], "quiet"),
        (&["2026-03-10 08:00"], ""),
        (&["2026-03-30 08:00"], ""),
        (
            &["2026-03-10 09:00", "2026-03-10 19:00"],
            "2 nudges to 0 on",
        ),
        (
            &[
                "2026-03-09 09:00",
                "2026-03-10 09:00",
                "2026-03-13 09:00",
                "2026-03-14 09:00",
            ],
            "4 nudges",
        ),
        (
            &[
                "2026-03-09 09:00",
                "2026-03-10 09:00",
                "2026-03-13 09:00",
                "2026-03-16 09:00",
            ],
            "",
        ),
        (&["2026-04-21 09:00"], "while the house was down"),
        (&["2026-04-23 09:00", "2026-04-23 10:00"], "a burst"),
    ] {
        let found = broken(&|record| {
            record.nudges = moments.iter().map(|text| nudge(text)).collect();
        });
        assert!(found.contains(expected), "{moments:?}: {found}");
        assert_eq!(
            found.is_empty(),
            expected.is_empty(),
            "{moments:?}: {found}"
        );
    }
    // What is told of a meeting comes on top, and what follows it waits.
    let told = |after: &[&str]| {
        broken(&|record| {
            let moments = ["2026-03-09 09:00", "2026-03-10 09:00", "2026-03-11 09:00"];
            record.nudges = moments.iter().map(|text| nudge(text)).collect();
            record.nudges.push(Nudge {
                rule: "meeting_invite/coming".to_owned(),
                ..nudge("2026-03-12 10:00")
            });
            record.nudges.extend(after.iter().map(|text| nudge(text)));
        })
    };
    assert_eq!(told(&[]), "");
    assert_eq!(told(&["2026-03-17 09:00"]), "");
    assert!(told(&["2026-03-16 09:00"]).contains("4 nudges to 0 in the week"));
    let stopped = |messages: usize| {
        broken(&|record| {
            record.stopped = vec![Some(at("2026-05-10 10:00"))];
            record.sent = vec![(0, at("2026-05-10 10:00")); messages];
        })
    };
    assert_eq!(stopped(1), "");
    assert!(stopped(2).contains("2 messages") && stopped(0).contains("0 messages"));
    let open =
        |due: &str| broken(&|record| record.open = vec![("x".to_owned(), due.parse().unwrap())]);
    assert!(open("2026-03-10").contains("open since") && open("2026-05-10").is_empty());
    let gap = |flag: Option<&str>| {
        broken(&|record| {
            record
                .signs
                .retain(|(_, sign)| *sign < at("2026-04-01 00:00"));
            record.flags = flag
                .iter()
                .map(|text| (0, at(text), at(text) + 1))
                .collect();
        })
    };
    assert!(gap(None).contains("alone from"));
    assert_eq!(gap(Some("2026-04-25 06:05")), "");
    assert!(gap(Some("2026-05-05 06:05")).contains("alone from"));
    let still_told = broken(&|record| {
        record
            .signs
            .retain(|(_, sign)| *sign < at("2026-04-01 00:00"));
        let (from, until) = (at("2026-03-20 10:00"), at("2026-04-10 10:00"));
        record.flags = vec![(0, from, until)];
    });
    assert_eq!(still_told, "");
    let met = |from: &str, until: &str| {
        broken(&|record| {
            record
                .signs
                .retain(|(_, sign)| *sign < at("2026-04-01 00:00"));
            record.appointments.push(Appointment {
                who: 0,
                meeting: "m".to_owned(),
                starts_at: at("2026-06-01 10:00"),
                from: at(from),
                until: at(until),
            });
        })
    };
    assert_eq!(met("2026-04-20 10:00", "2026-05-10 10:00"), "");
    assert!(met("2026-04-20 10:00", "2026-04-21 10:00").contains("alone from"));
    each_broken_reminder_is_seen(&fine, &at);
}

fn each_broken_reminder_is_seen(fine: &dyn Fn() -> Record, at: &dyn Fn(&str) -> i64) {
    // Booked on a Wednesday for the Tuesday after.
    let booked = |until: &str, reminders: &[&str]| {
        let mut record = fine();
        record.appointments.push(Appointment {
            who: 0,
            meeting: "m".to_owned(),
            starts_at: at("2026-03-10 10:00"),
            from: at("2026-03-04 12:00"),
            until: at(until),
        });
        let reminders = reminders.iter().map(|text| Reminder {
            who: 0,
            meeting: "m".to_owned(),
            at: at(text),
        });
        record.reminders.extend(reminders);
        check(&record).join("; ")
    };
    let (stands, off) = ("2026-03-10 10:00", "2026-03-06 10:00");
    assert_eq!(booked(stands, &["2026-03-09 10:00"]), "");
    assert_eq!(booked(off, &[]), "");
    assert!(booked(stands, &[]).contains("not reminded"));
    let twice = ["2026-03-06 10:00", "2026-03-09 10:00"];
    assert!(booked(stands, &twice).contains("2 times"));
    assert!(booked(off, &["2026-03-09 10:00"]).contains("of nothing"));
}
