//! Times in which a coach is busy elsewhere, read from the coach's own calendar: begin and end and nothing
//! else are kept. What we read is somebody else's file: it is fetched from allowed hosts only, is small or
//! refused, and no rule in it may run for long.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use icalendar::{Calendar, CalendarComponent, CalendarDateTime, Component as _, DatePerhapsTime};
use url::Url;

use crate::app::{App, AppError, trail};
use crate::domain::access::Scope;
use crate::domain::time::{Timestamp, Tz, local_moment};
use crate::ports::transport::Ask;
use crate::store::calendars;
use crate::wire::files::Fetched;

/// The name under which the hosts of calendars are allowed; no endpoint can have it, for its stroke.
pub const ENDPOINT: &str = "busy/calendars";
/// The largest calendar that is read.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Appointments of one calendar that are kept.
const MOST_TIMES: usize = 5_000;
/// Occurrences of one rule that are looked at.
const MOST_OCCURRENCES: u16 = 1_000;
/// Feeds of one round.
const ROUND: u32 = 8;
/// How long after a reading the next one comes, in seconds.
const EVERY: i64 = 15 * 60;
/// As far ahead as moments are offered.
const AHEAD_DAYS: i64 = 60;

/// From now on the times of this calendar are taken.
pub async fn put(app: &App, scope: &Scope, address: &str) -> Result<(), AppError> {
    let no = AppError::No {
        why: "busy_address",
    };
    let Some(url) = address_of(address) else {
        return Err(no);
    };
    let now = app.now();
    let mut tx = app.store.write().await?;
    calendars::put_busy(&mut tx, scope.coach, url.as_str(), now).await?;
    let object = format!("coach:{}", scope.coach);
    trail::by_coach(app, &mut tx, scope, "busy_put", object, now).await?;
    Ok(tx.commit().await?)
}

/// A calendar's address: https, or its other name `webcal`. Nothing of a user in it.
fn address_of(text: &str) -> Option<Url> {
    let text = text.trim();
    let text = match text.strip_prefix("webcal://") {
        Some(rest) => format!("https://{rest}"),
        None => text.to_owned(),
    };
    let url = Url::parse(&text).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    // Plain http only to this machine, where the settings allow that: for a stand-in.
    let scheme = matches!(url.scheme(), "https" | "http");
    (bare && scheme && url.host_str().is_some() && text.len() <= 2000).then_some(url)
}

/// Nothing is read any more.
pub async fn end(app: &App, scope: &Scope) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    calendars::end_busy(&mut tx, scope.coach).await?;
    let object = format!("coach:{}", scope.coach);
    trail::by_coach(app, &mut tx, scope, "busy_end", object, now).await?;
    Ok(tx.commit().await?)
}

/// Reads the calendars that are due; how many that were. Reading twice is harmless.
pub async fn read(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let due = calendars::busy_due(&mut tx, now, ROUND).await?;
    drop(tx);
    let count = due.len();
    for feed in due {
        let found = match (app.house(feed.organisation), &feed.url) {
            (Ok(house), Some(url)) => times(app, url, house.zone, now).await,
            // An organisation that the settings no longer have, an address that does not open.
            (Err(_), _) | (_, None) => Err("unreadable"),
        };
        let mut tx = app.store.write().await?;
        let next = now.plus_seconds(EVERY);
        let kept = match found {
            Ok(times) => calendars::busy_read(&mut tx, &feed, &times, next, now).await,
            Err(problem) => calendars::busy_failed(&mut tx, &feed, problem, next).await,
        };
        match kept {
            Ok(()) => tx.commit().await?,
            // The coach gave another address meanwhile, or another process was faster.
            Err(error) if error.was_overtaken() => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(count)
}

/// What is read, or the word for why not.
async fn times(
    app: &App,
    url: &str,
    zone: Tz,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Timestamp)>, &'static str> {
    let ask = Ask {
        url: url.to_owned(),
        headers: vec![("accept", "text/calendar".to_owned())],
    };
    let body = match app.files.get(ENDPOINT, ask, MOST_BYTES).await {
        Fetched::Answer {
            status: 200..=299,
            body,
        } => body,
        Fetched::NotThere => return Err("not_allowed"),
        Fetched::TooLarge => return Err("too_large"),
        Fetched::Answer { .. } | Fetched::Nothing { .. } => return Err("no_answer"),
    };
    let text = String::from_utf8(body).map_err(|_| "unreadable")?;
    let until = now.plus_days(AHEAD_DAYS);
    // Parsing is work of its own; it must not hold up the loop that sends.
    let read = tokio::task::spawn_blocking(move || busy(&text, zone, now, until));
    read.await.map_err(|_| "unreadable")?.ok_or("unreadable")
}

/// The busy times of a calendar between two moments; `None` if it is none.
pub fn busy(
    text: &str,
    zone: Tz,
    from: Timestamp,
    until: Timestamp,
) -> Option<Vec<(Timestamp, Timestamp)>> {
    if !text.trim_start().starts_with("BEGIN:VCALENDAR") {
        return None;
    }
    let calendar: Calendar = text.parse().ok()?;
    let mut times = BTreeMap::new();
    let events = calendar
        .components
        .iter()
        .filter_map(CalendarComponent::as_event);
    for event in events {
        let value = |name: &str| event.property_value(name).unwrap_or_default();
        let free = value("TRANSP").eq_ignore_ascii_case("TRANSPARENT")
            || value("STATUS").eq_ignore_ascii_case("CANCELLED");
        let Some(begin) = event.get_start().and_then(|at| moment(&at, zone)) else {
            continue;
        };
        if free {
            continue;
        }
        let all_day = matches!(event.get_start(), Some(DatePerhapsTime::Date(_)));
        let usual = begin.plus_seconds(if all_day { 86_400 } else { 1_800 });
        let end = event.get_end().and_then(|at| moment(&at, zone));
        let long = end.filter(|end| *end > begin).unwrap_or(usual).0 - begin.0;
        for at in occurrences(event, begin, zone, (from, until)) {
            let end = Timestamp(at.0.saturating_add(long));
            if end > from && at < until && times.len() < MOST_TIMES {
                times.insert((at, end), ());
            }
        }
    }
    Some(times.into_keys().collect())
}

/// When it happens: once, or by its rule.
fn occurrences(
    event: &icalendar::Event,
    begin: Timestamp,
    zone: Tz,
    (from, until): (Timestamp, Timestamp),
) -> Vec<Timestamp> {
    let Some(rule) = event.property_value("RRULE") else {
        return vec![begin];
    };
    // In local time dressed as UTC, so that nine o'clock stays nine o'clock over the clock change.
    let dressed = |at: Timestamp| at.local(zone).naive_local();
    let mut text = format!(
        "DTSTART:{}\nRRULE:{}",
        dressed(begin).format("%Y%m%dT%H%M%SZ"),
        until_dressed(rule, zone)
    );
    let gone = event.multi_properties().get("EXDATE");
    for date in gone.into_iter().flatten() {
        for value in date.value().split(',') {
            if let Some(at) = read_moment(value, zone) {
                text.push_str(&format!(
                    "\nEXDATE:{}",
                    dressed(at).format("%Y%m%dT%H%M%SZ")
                ));
            }
        }
    }
    let Ok(rules) = text.parse::<rrule::RRuleSet>() else {
        return vec![begin];
    };
    let utc = |at: Timestamp| dressed(at).and_utc().with_timezone(&rrule::Tz::UTC);
    // What began before `from` may still go on.
    let rules = rules.after(utc(from.plus_days(-1))).before(utc(until));
    let found = rules.all(MOST_OCCURRENCES);
    found
        .dates
        .into_iter()
        .map(|at| undressed(at.naive_utc(), zone))
        .collect()
}

/// The end of a rule in local time, as everything else in it.
fn until_dressed(rule: &str, zone: Tz) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some(("UNTIL", value)) => match read_moment(value, zone) {
            Some(at) => format!("UNTIL={}", at.local(zone).format("%Y%m%dT%H%M%SZ")),
            None => part.to_owned(),
        },
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}

fn undressed(local: NaiveDateTime, zone: Tz) -> Timestamp {
    use chrono::Timelike as _;
    local_moment(local.date(), local.hour(), local.minute(), zone)
}

/// A value as it is written: `20260310`, `20260310T100000`, `20260310T090000Z`.
fn read_moment(value: &str, zone: Tz) -> Option<Timestamp> {
    let value = value.trim();
    if let Some(utc) = value.strip_suffix('Z') {
        let at = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?;
        return Some(at.and_utc().into());
    }
    if let Ok(at) = NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S") {
        return Some(undressed(at, zone));
    }
    let day = NaiveDate::parse_from_str(value, "%Y%m%d").ok()?;
    Some(undressed(day.and_time(NaiveTime::MIN), zone))
}

/// The moment of a date in a calendar. A zone that we do not know is the organisation's.
fn moment(at: &DatePerhapsTime, zone: Tz) -> Option<Timestamp> {
    Some(match at {
        DatePerhapsTime::Date(day) => undressed(day.and_time(NaiveTime::MIN), zone),
        DatePerhapsTime::DateTime(CalendarDateTime::Utc(at)) => {
            DateTime::from_timestamp_micros(at.timestamp_micros())?.into()
        }
        DatePerhapsTime::DateTime(CalendarDateTime::Floating(at)) => undressed(*at, zone),
        DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid }) => {
            undressed(*date_time, tzid.parse().unwrap_or(zone))
        }
    })
}
