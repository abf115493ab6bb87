//! Days, quiet hours and schedules against lists that were not computed here, and over every clock
//! change of Amsterdam from 2024 to 2037.

use proptest::prelude::*;

use super::*;

const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn utc(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

/// The public holidays as the calendars of these years print them.
const PRINTED: [(i32, &str); 7] = [
    (
        2024,
        "01-01 03-31 04-01 04-27 05-05 05-09 05-19 05-20 12-25 12-26",
    ),
    (
        2025,
        "01-01 04-20 04-21 04-26 05-05 05-29 06-08 06-09 12-25 12-26",
    ),
    (
        2026,
        "01-01 04-05 04-06 04-27 05-05 05-14 05-24 05-25 12-25 12-26",
    ),
    (
        2027,
        "01-01 03-28 03-29 04-27 05-05 05-06 05-16 05-17 12-25 12-26",
    ),
    (
        2028,
        "01-01 04-16 04-17 04-27 05-05 05-25 06-04 06-05 12-25 12-26",
    ),
    (
        2029,
        "01-01 04-01 04-02 04-27 05-05 05-10 05-20 05-21 12-25 12-26",
    ),
    (
        2030,
        "01-01 04-21 04-22 04-27 05-05 05-30 06-09 06-10 12-25 12-26",
    ),
];

#[test]
fn the_public_holidays_are_those_of_the_printed_calendars() {
    for (year, printed) in PRINTED {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let computed: Vec<String> = first
            .iter_days()
            .take_while(|day| day.year() == year)
            .filter(|day| Holidays::default().contains(*day))
            .map(|day| day.format("%m-%d").to_string())
            .collect();
        assert_eq!(computed.join(" "), printed, "{year}");
    }
}

#[test]
fn easter_is_right_in_its_earliest_and_latest_years() {
    for (year, date) in [
        (1818, "1818-03-22"),
        (1943, "1943-04-25"),
        (1981, "1981-04-19"),
        (2000, "2000-04-23"),
        (2008, "2008-03-23"),
        (2038, "2038-04-25"),
        (2049, "2049-04-18"),
        (2076, "2076-04-19"),
        (2100, "2100-03-28"),
    ] {
        assert_eq!(easter(year), Some(day(date)));
    }
}

#[test]
fn an_organisation_adds_its_own_days() {
    let bridge = day("2026-05-15");
    assert!(is_working_day(bridge, &Holidays::default()));
    let holidays = Holidays {
        own: [bridge].into(),
    };
    assert!(!is_working_day(bridge, &holidays));
}

#[test]
fn working_days_step_over_weekends_and_holidays() {
    let none = Holidays::default();
    for (from, n, to) in [
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-09", -1, "2026-03-06"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-03-07", 0, "2026-03-07"),
        ("2026-04-02", 1, "2026-04-03"), // Good Friday is no public holiday
        ("2026-04-03", 1, "2026-04-07"), // over Easter
        ("2026-04-24", 1, "2026-04-28"), // over King's Day
        ("2026-05-13", 1, "2026-05-15"), // over Ascension Day
        ("2026-12-24", 2, "2026-12-29"),
        ("2027-01-04", -5, "2026-12-24"),
    ] {
        assert_eq!(
            add_working_days(day(from), n, &none),
            day(to),
            "{from} {n:+}"
        );
    }
    assert_eq!(
        working_days_between(day("2026-04-03"), day("2026-04-08"), &none),
        2
    );
    assert_eq!(
        working_days_between(day("2026-04-08"), day("2026-04-03"), &none),
        0
    );
    assert_eq!(
        working_days_between(day("2026-04-08"), day("2026-04-08"), &none),
        0
    );
}

#[test]
fn a_skipped_time_moves_on_and_a_doubled_one_takes_the_first() {
    for (date, hour, minute, moment) in [
        ("2026-03-29", 1, 59, "2026-03-29T00:59:00Z"),
        ("2026-03-29", 2, 30, "2026-03-29T01:30:00Z"), // 03:30 summer time
        ("2026-03-29", 3, 0, "2026-03-29T01:00:00Z"),
        ("2026-10-25", 2, 30, "2026-10-25T00:30:00Z"), // still summer time
        ("2026-10-25", 3, 0, "2026-10-25T02:00:00Z"),
        ("2026-07-01", 9, 30, "2026-07-01T07:30:00Z"),
    ] {
        assert_eq!(
            local_moment(day(date), hour, minute, AMSTERDAM),
            utc(moment),
            "{date}"
        );
    }
    let samoa = local_moment(day("2011-12-30"), 9, 0, Tz::Pacific__Apia);
    assert_eq!(samoa.local_day(Tz::Pacific__Apia), day("2011-12-31"));
}

#[test]
fn nights_sundays_and_holidays_are_quiet() {
    let none = Holidays::default();
    for (now, allowed) in [
        ("2026-03-02T06:59:59Z", "2026-03-02T07:00:00Z"), // Monday before 08:00
        ("2026-03-02T07:00:00Z", "2026-03-02T07:00:00Z"),
        ("2026-03-02T18:59:59Z", "2026-03-02T18:59:59Z"),
        ("2026-03-02T19:00:00Z", "2026-03-03T07:00:00Z"), // 20:00
        ("2026-03-07T12:00:00Z", "2026-03-07T12:00:00Z"), // Saturday
        ("2026-03-07T20:00:00Z", "2026-03-09T07:00:00Z"), // over the Sunday
        ("2026-03-28T19:30:00Z", "2026-03-30T06:00:00Z"), // over the change to summer time
        ("2026-04-04T19:00:00Z", "2026-04-07T06:00:00Z"), // over Easter
        ("2026-04-27T10:00:00Z", "2026-04-28T06:00:00Z"), // King's Day
        ("2026-10-24T20:00:00Z", "2026-10-26T07:00:00Z"), // over the change to winter time
    ] {
        let next = next_allowed(utc(now), AMSTERDAM, &Quiet::USUAL, &none);
        assert_eq!(next, utc(allowed), "{now}");
        assert_eq!(
            is_quiet(utc(now), AMSTERDAM, &Quiet::USUAL, &none),
            now != allowed,
            "{now}"
        );
    }
}

#[test]
fn hours_that_do_not_span_midnight_are_quiet_too() {
    let siesta = Quiet {
        from: "12:00".parse().unwrap(),
        to: "14:00".parse().unwrap(),
    };
    let next = |now| next_allowed(utc(now), AMSTERDAM, &siesta, &Holidays::default());
    assert_eq!(next("2026-03-02T12:30:00Z"), utc("2026-03-02T13:00:00Z"));
    assert_eq!(next("2026-03-02T20:30:00Z"), utc("2026-03-02T20:30:00Z"));
    // After a Sunday the day begins at midnight.
    assert_eq!(next("2026-03-01T12:30:00Z"), utc("2026-03-01T23:00:00Z"));
}

#[test]
fn a_schedule_fires_once_every_local_day_over_all_clock_changes() {
    for (text, hour, minute) in [("0 30 2 * * *", 2, 30), ("0 30 9 * * *", 9, 30)] {
        let schedule = Cron::parse(text).unwrap();
        let mut now = local_moment(day("2024-01-01"), 0, 0, AMSTERDAM);
        for expected in day("2024-01-01")
            .iter_days()
            .take_while(|day| day.year() < 2038)
        {
            let next = next_occurrence(&schedule, now, AMSTERDAM).unwrap();
            assert!(next > now);
            assert_eq!(next.local_day(AMSTERDAM), expected);
            assert_eq!(next, local_moment(expected, hour, minute, AMSTERDAM));
            now = next;
        }
    }
}

#[test]
fn asked_at_any_minute_of_a_clock_change_a_schedule_answers_the_next_firing() {
    for (text, hour, minute) in [("0 30 2 * * *", 2, 30), ("0 30 9 * * *", 9, 30)] {
        let schedule = Cron::parse(text).unwrap();
        for year in 2024..2038 {
            for month in [3, 10] {
                let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap();
                let sunday = last - Days::new(u64::from(last.weekday().num_days_from_sunday()));
                let firings: Vec<Timestamp> = (sunday - Days::new(1))
                    .iter_days()
                    .take(4)
                    .map(|day| local_moment(day, hour, minute, AMSTERDAM))
                    .collect();
                let begin = local_moment(sunday, 0, 0, AMSTERDAM);
                for minutes in 0..720 {
                    let now = begin.plus_seconds(minutes * 60);
                    let expected = firings.iter().find(|firing| **firing > now).copied();
                    assert_eq!(
                        next_occurrence(&schedule, now, AMSTERDAM),
                        expected,
                        "{now:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_weekday_schedule_knows_its_weekdays() {
    let schedule = Cron::parse("0 0 7 ? * MON-FRI").unwrap();
    let friday = utc("2026-03-06T06:00:00Z");
    assert_eq!(
        next_occurrence(&schedule, friday, AMSTERDAM),
        Some(utc("2026-03-09T06:00:00Z"))
    );
}

#[test]
fn a_schedule_that_misleads_is_refused() {
    for (text, error) in [
        ("", NotASchedule::Fields),
        ("30 9 * * *", NotASchedule::Fields),
        ("0 30 9 * * * 2026", NotASchedule::Fields),
        ("0 30 25 * * *", NotASchedule::Unreadable),
        ("0 30 nine * * *", NotASchedule::Unreadable),
        ("0 30 9 * * 1-5", NotASchedule::NumberedWeekday),
        ("0 30 9 1 * MON", NotASchedule::DayAndWeekday),
        ("0 30 9 31 2 *", NotASchedule::Never),
    ] {
        assert_eq!(Cron::parse(text).unwrap_err(), error, "{text}");
    }
    assert!(Cron::parse("0 30 9 29 2 *").is_ok());
}

prop_compose! {
    fn some_moment()(seconds in 1_700_000_000_i64..2_150_000_000) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }
}

prop_compose! {
    fn some_quiet()(from in 0_u32..1440, length in 1_u32..1380) -> Quiet {
        let time = |minutes: u32| {
            let minutes = minutes % 1440;
            NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap()
        };
        Quiet { from: time(from), to: time(from + length) }
    }
}

proptest! {
    #[test]
    fn the_next_allowed_moment_is_never_quiet_and_never_earlier(
        now in some_moment(),
        quiet in some_quiet(),
        own in prop::collection::btree_set(0_u64..3, 0..3),
    ) {
        let today = now.local_day(AMSTERDAM);
        let holidays = Holidays { own: own.into_iter().map(|ahead| today + Days::new(ahead)).collect() };
        let next = next_allowed(now, AMSTERDAM, &quiet, &holidays);
        prop_assert!(next >= now);
        prop_assert!(!is_quiet(next, AMSTERDAM, &quiet, &holidays));
        // And it is the first: every full minute before it is quiet.
        let mut minute = now;
        while minute < next {
            prop_assert!(is_quiet(minute, AMSTERDAM, &quiet, &holidays));
            minute = minute.plus_seconds(60);
        }
    }

    #[test]
    fn working_days_there_and_back(ahead in 0_u64..5000, n in 1_i32..60) {
        let none = Holidays::default();
        let from = add_working_days(day("2024-01-01") + Days::new(ahead), 1, &none);
        let there = add_working_days(from, n, &none);
        prop_assert!(is_working_day(there, &none));
        prop_assert_eq!(working_days_between(from, there, &none), n.unsigned_abs());
        prop_assert_eq!(add_working_days(there, -n, &none), from);
    }
}
