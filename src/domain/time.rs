//! Moments and local days, working days, quiet hours, schedules. The only place that turns a moment
//! into a local day or back.
//! No clock: `now` is always passed in.

use std::collections::BTreeSet;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
pub use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01 UTC. What the database keeps in every `*_at` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days * 86_400)
    }

    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment as chrono knows it. A moment outside chrono's range becomes its nearest end.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    pub fn local(self, zone: Tz) -> DateTime<Tz> {
        zone.from_utc_datetime(&self.utc().naive_utc())
    }

    pub fn local_day(self, zone: Tz) -> NaiveDate {
        self.local(zone).date_naive()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

/// The days on which nothing is nudged: the Dutch public holidays, computed, and an organisation's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holidays {
    pub own: BTreeSet<NaiveDate>,
}

impl Holidays {
    pub fn contains(&self, day: NaiveDate) -> bool {
        is_public_holiday(day) || self.own.contains(&day)
    }
}

/// 5 May counts every year: the offices of a municipality are closed on it, and the years in which
/// other employers close are for each of them to say.
fn is_public_holiday(day: NaiveDate) -> bool {
    let by_date = match (day.month(), day.day()) {
        (1, 1) | (5, 5) | (12, 25 | 26) => true,
        // King's Day is never on a Sunday.
        (4, 27) => day.weekday() != Weekday::Sun,
        (4, 26) => day.weekday() == Weekday::Sat,
        _ => false,
    };
    by_date || is_easter_bound(day)
}

/// Easter Sunday and Monday, Ascension Day, Whit Sunday and Monday.
fn is_easter_bound(day: NaiveDate) -> bool {
    easter(day.year()).is_some_and(|easter| {
        matches!(
            day.signed_duration_since(easter).num_days(),
            0 | 1 | 39 | 49 | 50
        )
    })
}

/// Easter Sunday: the Sunday after the church's full moon on or after 21 March.
fn easter(year: i32) -> Option<NaiveDate> {
    let century = year.div_euclid(100);
    let golden = year.rem_euclid(19);
    // The moon's age on 1 January, corrected for the leap days that centuries leave out and for
    // the drift of the nineteen-year cycle.
    let drift = (8 * century + 13).div_euclid(25);
    let epact = (century - century.div_euclid(4) - drift + 19 * golden + 15).rem_euclid(30);
    let late = epact == 29 || (epact == 28 && golden > 10);
    let moon = NaiveDate::from_ymd_opt(year, 3, 21)?
        .checked_add_days(Days::new(u64::try_from(epact - i32::from(late)).ok()?))?;
    let to_sunday = 7 - moon.weekday().num_days_from_sunday();
    moon.checked_add_days(Days::new(u64::from(to_sunday)))
}

/// Monday to Friday, and no holiday.
pub fn is_working_day(day: NaiveDate, holidays: &Holidays) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(day)
}

/// The `n`th working day after `day`; before it when `n` is negative; `day` itself when it is zero,
/// whatever day that is. Stops at the ends of the calendar.
pub fn add_working_days(day: NaiveDate, n: i32, holidays: &Holidays) -> NaiveDate {
    let mut at = day;
    let mut left = n.unsigned_abs();
    while left > 0 {
        let next = if n > 0 { at.succ_opt() } else { at.pred_opt() };
        let Some(next) = next else { break };
        at = next;
        if is_working_day(at, holidays) {
            left -= 1;
        }
    }
    at
}

/// How many working days lie after `from`, up to and with `to`; zero when `to` is not later.
pub fn working_days_between(from: NaiveDate, to: NaiveDate, holidays: &Holidays) -> u32 {
    let days = from.iter_days().skip(1).take_while(|day| *day <= to);
    u32::try_from(days.filter(|day| is_working_day(*day, holidays)).count()).unwrap_or(u32::MAX)
}

/// The moment at which the clocks of `zone` show `hour:minute` on `day`. A time that spring skips
/// moves by the offset before the gap (02:30 becomes 03:30); of a time that autumn shows twice the
/// first counts. Hours over 23 and minutes over 59 count as those.
pub fn local_moment(day: NaiveDate, hour: u32, minute: u32, zone: Tz) -> Timestamp {
    let time = NaiveTime::from_hms_opt(hour.min(23), minute.min(59), 0).unwrap_or(NaiveTime::MIN);
    moment_at(day.and_time(time), zone)
}

/// The time that the clocks of `zone` show at `moment`, to the minute, on another day.
pub fn same_time_on(day: NaiveDate, moment: Timestamp, zone: Tz) -> Timestamp {
    let time = moment.local(zone).time();
    local_moment(day, time.hour(), time.minute(), zone)
}

fn moment_at(local: NaiveDateTime, zone: Tz) -> Timestamp {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) => moment.to_utc().into(),
        MappedLocalTime::Ambiguous(one, other) => one.min(other).to_utc().into(),
        MappedLocalTime::None => {
            // The widest gap on record is a whole day (Samoa, 30 December 2011).
            let before = (1..=25).find_map(|hours| {
                let earlier = local.checked_sub_signed(TimeDelta::hours(hours))?;
                zone.offset_from_local_datetime(&earlier).latest()
            });
            let seconds = before.map_or(0, |offset| offset.fix().local_minus_utc());
            Timestamp::from(local.and_utc()).plus_seconds(-i64::from(seconds))
        }
    }
}

/// The hours in which no nudge leaves, on every day. Sundays and holidays are quiet all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    pub from: NaiveTime,
    pub to: NaiveTime,
}

impl Quiet {
    /// From 20:00 to 08:00.
    pub const USUAL: Quiet = Quiet {
        from: NaiveTime::MIN
            .overflowing_add_signed(TimeDelta::hours(20))
            .0,
        to: NaiveTime::MIN.overflowing_add_signed(TimeDelta::hours(8)).0,
    };

    fn covers(&self, time: NaiveTime) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

pub fn is_quiet(now: Timestamp, zone: Tz, quiet: &Quiet, holidays: &Holidays) -> bool {
    let local = now.local(zone);
    let day = local.date_naive();
    day.weekday() == Weekday::Sun || holidays.contains(day) || quiet.covers(local.time())
}

/// `now` if nudges may leave now, else the first moment at which they may: in the usual case the
/// end of the quiet hours on the next day that is neither Sunday nor holiday.
pub fn next_allowed(now: Timestamp, zone: Tz, quiet: &Quiet, holidays: &Holidays) -> Timestamp {
    if !is_quiet(now, zone, quiet, holidays) {
        return now;
    }
    let days = now.local_day(zone).iter_days();
    // Quiet ends at `to`, or at midnight after a Sunday whose next night is not quiet.
    days.flat_map(|day| [day.and_time(NaiveTime::MIN), day.and_time(quiet.to)])
        .map(|local| moment_at(local, zone))
        .find(|moment| *moment > now && !is_quiet(*moment, zone, quiet, holidays))
        .unwrap_or(now)
}

/// When something recurs: six fields, second minute hour day month weekday, in local time.
/// Weekdays are written as names, because 1 is Sunday here and Monday elsewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Cron(cron::Schedule);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASchedule {
    #[error("expected six fields: second minute hour day month weekday")]
    Fields,
    #[error("not a schedule; an example is \"0 30 9 * * MON-FRI\"")]
    Unreadable,
    #[error("write weekdays as names (MON-FRI): 1 means Sunday to some and Monday to others")]
    NumberedWeekday,
    #[error("day of month and weekday together: leave one of them at *")]
    DayAndWeekday,
    #[error("there is no such day")]
    Never,
}

impl Cron {
    pub fn parse(text: &str) -> Result<Self, NotASchedule> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [.., day, _, weekday] = fields[..] else {
            return Err(NotASchedule::Fields);
        };
        if fields.len() != 6 {
            return Err(NotASchedule::Fields);
        }
        let any = |field: &str| field == "*" || field == "?";
        if !any(day) && !any(weekday) {
            return Err(NotASchedule::DayAndWeekday);
        }
        if weekday.contains(|c: char| c.is_ascii_digit()) {
            return Err(NotASchedule::NumberedWeekday);
        }
        let schedule: cron::Schedule = text.parse().map_err(|_| NotASchedule::Unreadable)?;
        if schedule.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err(NotASchedule::Never);
        }
        Ok(Self(schedule))
    }

    pub fn as_str(&self) -> &str {
        self.0.source()
    }
}

impl TryFrom<String> for Cron {
    type Error = NotASchedule;
    fn try_from(text: String) -> Result<Self, NotASchedule> {
        Self::parse(&text)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// The next moment of a schedule after `after`, by the clocks of `zone`: once on the day on which a
/// time is skipped, once on the day on which it comes twice. `None` when the schedule has no more
/// moments: the calendar of the `cron` crate ends in 2100.
///
/// The schedule is asked for local times as if they were UTC, from two hours back, and we map them
/// ourselves: given a zone, `cron` 0.17 answers in the past during the repeated hour of autumn.
pub fn next_occurrence(schedule: &Cron, after: Timestamp, zone: Tz) -> Option<Timestamp> {
    let local = after.local(zone).naive_local();
    let from = local.checked_sub_signed(TimeDelta::hours(2))?.and_utc();
    schedule
        .0
        .after(&from)
        .map(|dressed| moment_at(dressed.naive_utc(), zone))
        .find(|moment| *moment > after)
}

#[cfg(test)]
mod tests;
