//! The file, its mistakes and its defaults.

use super::*;

const FILE: &str = include_str!("../../../config/cadence.toml");

#[test]
fn the_file_holds_the_numbers_of_the_domain() {
    let cadence = Cadence::parse(FILE).unwrap();
    assert_eq!(cadence.quiet, Quiet::USUAL);
    assert_eq!(cadence.due_at, "09:30:00".parse().unwrap());
    assert_eq!(
        (cadence.caps.a_day.get(), cadence.caps.in_seven_days.get()),
        (1, 3)
    );
    assert_eq!(cadence.human_floor.get(), 5);
    assert_eq!(cadence.task_due.working_days_before, 1);
    assert_eq!(cadence.task_late.working_days_after, 2);
    assert_eq!(cadence.silence.days, [7, 12, 17, 22, 27]);
    for track in [
        Track::Participation,
        Track::Reintegration,
        Track::Outplacement,
    ] {
        assert_eq!(cadence.check_in_days(DigitalSkill::Starter, track), 7);
        assert_eq!(cadence.check_in_days(DigitalSkill::Skilled, track), 14);
        assert_eq!(cadence.perspective_days(track), 28);
    }
    assert_eq!(cadence.answer_overdue.working_days, 2);
    assert_eq!(cadence.blend.weeks.get(), 8);
    assert_eq!(cadence.prices.sms(2), Price(1500));
    assert_eq!(cadence.prices.whatsapp(Some("utility")), Price(456));
    assert_eq!(cadence.prices.whatsapp(None), Price(0));
}

#[test]
fn a_mistake_is_named_by_its_line() {
    let line = |of: &str| FILE.lines().position(|line| line.starts_with(of)).unwrap() + 1;
    for (what, by, at, why) in [
        (
            "due_at = \"09:30\"",
            "due_at = \"half ten\"",
            "due_at",
            "input",
        ),
        (
            "due_at = \"09:30\"",
            "due_at = \"07:59\"",
            "due_at",
            "outside the quiet hours",
        ),
        ("to = \"08:00\"", "to = \"20:00\"", "to =", "quiet hours"),
        (
            "looks_at = \"06:00\"",
            "looks_at = \"10:00\"",
            "looks_at",
            "before due_at",
        ),
        (
            "days = [7, 12, 17, 22, 27]",
            "days = [7, 12, 17, 17, 27]",
            "days = [",
            "each later",
        ),
        (
            "days = [7, 12, 17, 22, 27]",
            "days = [7, 12, 17, 22]",
            "days = [",
            "array of length 5",
        ),
        (
            "basic = [30, 70]",
            "basic = [70, 30]",
            "basic",
            "percentages",
        ),
        (
            "basic = [30, 70]",
            "basic = [30, 170]",
            "basic",
            "percentages",
        ),
        ("a_day = 1", "a_day = 0", "a_day", "nonzero"),
        ("a_day = 1", "a_day = 4", "in_seven_days", "at least a_day"),
        (
            "a_day = 1",
            "a_day = 1\na_month = 1",
            "in_seven_days",
            "unknown field `a_month`",
        ),
        ("working_days_after = 2", "", "[task_late]", "missing field"),
        ("\"0.0750\"", "0.075", "sms_part", "string"),
        ("\"0.0750\"", "\"0,075\"", "sms_part", "euros in quotes"),
        (
            "\"0 0 6 * * *\"",
            "\"0 0 6 1 * MON\"",
            "looks =",
            "day of month and weekday",
        ),
        (
            "\"0 0 6 * * *\"",
            "\"0 0 6 31 2 *\"",
            "looks =",
            "no such day",
        ),
        (
            "expires_after_days = 5",
            "expires_after_days = 5\nexpires_after_days = 6",
            "expires",
            "duplicate",
        ),
    ] {
        assert!(FILE.contains(what), "{what}");
        let error = Cadence::parse(&FILE.replacen(what, by, 1)).unwrap_err();
        assert!(error.why.contains(why), "{by}: {error}");
        assert!(
            error.line.abs_diff(line(at)) <= 1,
            "{by}: {error}, not {}",
            line(at)
        );
    }
}

#[test]
fn a_price_shows_parts_of_a_cent_only_when_there_are_any() {
    for (text, shown) in [
        ("0.0750", "0.0750"),
        ("1", "1.00"),
        ("0.1", "0.10"),
        ("12.05", "12.05"),
    ] {
        assert_eq!(Price::try_from(text.to_owned()).unwrap().to_string(), shown);
    }
    for text in ["", ".", "1.", "-1", "0.00001", "1e3", "99999999999"] {
        assert!(Price::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn a_track_can_have_its_own_numbers() {
    let text = FILE.replace(
        "[tracks.outplacement]",
        "[tracks.outplacement]\ncheck_in_days = 21",
    );
    let cadence = Cadence::parse(&text).unwrap();
    let days = |skill, track| cadence.check_in_days(skill, track);
    assert_eq!(days(DigitalSkill::Basic, Track::Outplacement), 21);
    assert_eq!(days(DigitalSkill::Starter, Track::Outplacement), 7);
    assert_eq!(days(DigitalSkill::Basic, Track::Participation), 14);
}

#[test]
fn after_downtime_a_rule_looks_once() {
    let cadence = Cadence::parse(FILE).unwrap();
    let zone = Tz::Europe__Amsterdam;
    let at = |text: &str| Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    let looks = |last, now| cadence.must_look(Rule::TaskDue, at(last), at(now), zone);
    assert!(!looks("2026-03-02T05:00:00Z", "2026-03-03T04:59:59Z"));
    assert!(looks("2026-03-02T05:00:00Z", "2026-03-03T05:00:00Z"));
    assert!(looks("2026-03-02T05:00:00Z", "2026-03-20T12:00:00Z"));
    assert!(!looks("2026-03-20T12:00:00Z", "2026-03-20T12:00:01Z"));
}
