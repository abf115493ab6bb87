//! "Every Tuesday from 9 to 12, in half hours, four weeks long": a series of moments, made at once.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta, Timelike};

use super::time::{Holidays, Timestamp, Tz, local_moment};

/// The longest series that is made at once: a quarter of a year.
pub const MOST_WEEKS: u32 = 13;
/// The shortest and the longest moment, in minutes.
pub const MINUTES: std::ops::RangeInclusive<u32> = 10..=480;

/// One morning or afternoon, cut into moments, repeated by the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    pub first: NaiveDate,
    pub from: NaiveTime,
    /// No moment ends later than this, by the clock on the wall.
    pub to: NaiveTime,
    /// Of one moment.
    pub minutes: u32,
    /// One is only the first day.
    pub weeks: u32,
}

impl Series {
    /// Its moments, first to last, begin and end. A day without work has none. Empty if the numbers make
    /// no sense: an end before the begin, a moment that does not fit.
    pub fn moments(&self, zone: Tz, holidays: &Holidays) -> Vec<(Timestamp, Timestamp)> {
        if !MINUTES.contains(&self.minutes) || !(1..=MOST_WEEKS).contains(&self.weeks) {
            return Vec::new();
        }
        let days = (0..self.weeks)
            .filter_map(|week| self.first.checked_add_days(Days::new(u64::from(week) * 7)))
            .filter(|day| !holidays.contains(*day));
        days.flat_map(|day| self.of_day(day, zone)).collect()
    }

    fn of_day(&self, day: NaiveDate, zone: Tz) -> Vec<(Timestamp, Timestamp)> {
        let step = TimeDelta::minutes(i64::from(self.minutes));
        let mut moments = Vec::new();
        let mut from = day.and_time(self.from);
        while let Some(to) = from.checked_add_signed(step) {
            if to > day.and_time(self.to) {
                break;
            }
            let begin = local_moment(day, from.hour(), from.minute(), zone);
            moments.push((begin, begin.plus_seconds(i64::from(self.minutes) * 60)));
            from = to;
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = Tz::Europe__Amsterdam;

    fn series(first: &str, from: &str, to: &str, minutes: u32, weeks: u32) -> Series {
        Series {
            first: first.parse().unwrap(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            minutes,
            weeks,
        }
    }

    fn told(series: &Series) -> Vec<String> {
        let moments = series.moments(ZONE, &Holidays::default());
        let local = |at: Timestamp| at.local(ZONE).format("%m-%d %H:%M").to_string();
        moments.into_iter().map(|(from, _)| local(from)).collect()
    }

    #[test]
    fn a_morning_is_cut_into_moments_that_fit() {
        let morning = series("2026-03-10", "09:00:00", "10:15:00", 30, 1);
        assert_eq!(told(&morning), ["03-10 09:00", "03-10 09:30"]);
    }

    #[test]
    fn a_series_keeps_its_hour_over_the_clock_change() {
        let weeks = series("2026-03-24", "09:00:00", "09:30:00", 30, 2);
        assert_eq!(told(&weeks), ["03-24 09:00", "03-31 09:00"]);
    }

    #[test]
    fn a_holiday_has_no_moments() {
        // 27 April 2026, King's Day, is a Monday.
        let mondays = series("2026-04-20", "09:00:00", "10:00:00", 60, 3);
        assert_eq!(told(&mondays), ["04-20 09:00", "05-04 09:00"]);
    }

    #[test]
    fn numbers_that_make_no_sense_make_no_moments() {
        for series in [
            series("2026-03-10", "10:00:00", "09:00:00", 30, 1),
            series("2026-03-10", "09:00:00", "09:20:00", 30, 1),
            series("2026-03-10", "09:00:00", "12:00:00", 0, 1),
            series("2026-03-10", "09:00:00", "12:00:00", 30, 99),
        ] {
            assert!(told(&series).is_empty(), "{series:?}");
        }
    }
}
