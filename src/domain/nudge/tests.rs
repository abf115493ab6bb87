//! The rules by example, then by weeks that nobody chose.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use ulid::Ulid;

use super::*;
use crate::domain::time::is_quiet;

pub(super) const ZONE: Tz = Tz::Europe__Amsterdam;

pub(super) fn cadence() -> Cadence {
    Cadence::parse(include_str!("../../../config/cadence.toml")).unwrap()
}

pub(super) fn none() -> Holidays {
    Holidays::default()
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn utc(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

fn task(number: u128, candidate: u128, due_on: NaiveDate) -> TaskFact {
    TaskFact {
        task: TaskId(Ulid(number)),
        candidate: CandidateId(Ulid(candidate)),
        due_on,
    }
}

fn due_today(due_on: &str, today: &str) -> Option<(Rule, Timestamp)> {
    let tasks = [task(1, 1, day(due_on))];
    let nudges = due(&tasks, day(today), ZONE, &cadence(), &none());
    nudges.first().map(|nudge| (nudge.rule, nudge.due_at))
}

#[test]
fn a_task_is_nudged_one_working_day_before_and_late_two_after() {
    let (before, late) = (Rule::TaskDue, Rule::TaskLate);
    for (due_on, today, expected) in [
        ("2026-03-11", "2026-03-09", None),
        (
            "2026-03-11",
            "2026-03-10",
            Some((before, "2026-03-10T08:30:00Z")),
        ),
        (
            "2026-03-11",
            "2026-03-11",
            Some((before, "2026-03-11T08:30:00Z")),
        ),
        (
            "2026-03-11",
            "2026-03-12",
            Some((before, "2026-03-12T08:30:00Z")),
        ),
        (
            "2026-03-11",
            "2026-03-13",
            Some((late, "2026-03-13T08:30:00Z")),
        ),
        // Over a weekend: Monday's task on Friday; found on Sunday it goes on Monday morning.
        ("2026-03-09", "2026-03-05", None),
        (
            "2026-03-09",
            "2026-03-06",
            Some((before, "2026-03-06T08:30:00Z")),
        ),
        (
            "2026-03-09",
            "2026-03-08",
            Some((before, "2026-03-09T07:00:00Z")),
        ),
        // Over Easter, and over the change to summer time.
        (
            "2026-04-07",
            "2026-04-03",
            Some((before, "2026-04-03T07:30:00Z")),
        ),
        (
            "2026-03-30",
            "2026-03-29",
            Some((before, "2026-03-30T06:00:00Z")),
        ),
        // Imported long overdue; too long.
        (
            "2025-12-01",
            "2026-03-13",
            Some((late, "2026-03-13T08:30:00Z")),
        ),
        ("2025-03-01", "2026-03-13", None),
    ] {
        let expected = expected.map(|(rule, at)| (rule, utc(at)));
        assert_eq!(due_today(due_on, today), expected, "{due_on} on {today}");
    }
}

#[test]
fn an_organisations_own_holiday_counts() {
    let holidays = Holidays {
        own: [day("2026-03-10")].into(),
    };
    let tasks = [task(1, 1, day("2026-03-11"))];
    let nudges = due(&tasks, day("2026-03-09"), ZONE, &cadence(), &holidays);
    assert_eq!(nudges[0].due_at, utc("2026-03-09T08:30:00Z"));
}

#[test]
fn the_older_need_goes_first_and_the_others_wait_a_day_each() {
    let friday = day("2026-03-13");
    let tasks = [
        task(1, 1, day("2026-03-16")),
        task(2, 1, day("2026-03-02")),
        task(3, 1, day("2026-03-15")),
        task(4, 2, day("2026-03-16")),
    ];
    let nudges = due(&tasks, friday, ZONE, &cadence(), &none());
    let spread = one_after_the_other(nudges, ZONE, &cadence(), &none());
    let told: Vec<(u128, &str)> = spread
        .iter()
        .map(|nudge| {
            let Subject::Task(id) = nudge.subject else {
                panic!()
            };
            let at = nudge.due_at.utc().format("%m-%d %H:%M").to_string();
            (id.0.0, &*at.leak())
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, "03-13 08:30"),
            (3, "03-14 08:30"),
            (1, "03-16 07:00"), // over Sunday: Monday at the end of the quiet hours
            (4, "03-13 08:30"),
        ]
    );
}

pub(super) fn anna() -> PersonFacts {
    PersonFacts {
        standing: Standing::Active,
        consent: true,
        address_usable: true,
        automated_in_row: 0,
        in_doubt: false,
        accepted: vec![],
        room: Room::Leaves(Vec::new()),
    }
}

fn asked(person: &PersonFacts, now: &str) -> Verdict {
    may_go(person, utc(now), ZONE, &cadence(), &none())
}

#[test]
fn who_is_left_alone() {
    let tuesday = "2026-03-10T09:00:00Z";
    let paused = |until| Standing::Paused { until: day(until) };
    for (person, verdict) in [
        (anna(), Verdict::Go),
        (
            PersonFacts {
                standing: Standing::Left,
                ..anna()
            },
            Verdict::Never(Reason::Left),
        ),
        (
            PersonFacts {
                standing: Standing::Unknown,
                ..anna()
            },
            Verdict::Never(Reason::NotKnown),
        ),
        (
            PersonFacts {
                standing: Standing::WithCoach,
                ..anna()
            },
            Verdict::Never(Reason::WithCoach),
        ),
        (
            PersonFacts {
                standing: paused("2026-03-10"),
                ..anna()
            },
            Verdict::Never(Reason::Paused),
        ),
        (
            PersonFacts {
                standing: paused("2026-03-09"),
                ..anna()
            },
            Verdict::Go,
        ),
        (
            PersonFacts {
                consent: false,
                ..anna()
            },
            Verdict::Never(Reason::NoConsent),
        ),
        (
            PersonFacts {
                address_usable: false,
                ..anna()
            },
            Verdict::Never(Reason::NoAddress),
        ),
        (
            PersonFacts {
                automated_in_row: 4,
                ..anna()
            },
            Verdict::Go,
        ),
        (
            PersonFacts {
                automated_in_row: 5,
                ..anna()
            },
            Verdict::AskCoachHumanFloor,
        ),
        (
            PersonFacts {
                in_doubt: true,
                ..anna()
            },
            Verdict::NotBefore(utc("2026-03-10T10:00:00Z"), Wait::Doubt),
        ),
    ] {
        assert_eq!(asked(&person, tuesday), verdict, "{person:?}");
    }
    let doubted = PersonFacts {
        in_doubt: true,
        ..anna()
    };
    assert_eq!(
        asked(&doubted, "2026-03-10T18:30:00Z"),
        Verdict::NotBefore(utc("2026-03-11T07:00:00Z"), Wait::Doubt)
    );
}

#[test]
fn caps_count_local_days() {
    let accepted = |moments: &[&str]| PersonFacts {
        accepted: moments.iter().map(|at| utc(at)).collect(),
        ..anna()
    };
    for (moments, now, verdict) in [
        (
            &["2026-03-10T08:00:00Z"][..],
            "2026-03-10T09:00:00Z",
            Verdict::NotBefore(utc("2026-03-11T08:30:00Z"), Wait::DayFull),
        ),
        (
            &["2026-03-09T18:00:00Z"],
            "2026-03-10T09:00:00Z",
            Verdict::Go,
        ),
        // 23:30 UTC is the next day here.
        (
            &["2026-03-09T23:30:00Z"],
            "2026-03-10T09:00:00Z",
            Verdict::NotBefore(utc("2026-03-11T08:30:00Z"), Wait::DayFull),
        ),
        (
            &[
                "2026-03-04T09:00:00Z",
                "2026-03-06T09:00:00Z",
                "2026-03-09T09:00:00Z",
            ],
            "2026-03-10T09:00:00Z",
            Verdict::NotBefore(utc("2026-03-11T08:30:00Z"), Wait::SevenDaysFull),
        ),
        (
            &[
                "2026-03-03T09:00:00Z",
                "2026-03-06T09:00:00Z",
                "2026-03-09T09:00:00Z",
            ],
            "2026-03-10T09:00:00Z",
            Verdict::Go,
        ),
        // The first free day is a Sunday: Monday at the end of the quiet hours.
        (
            &[
                "2026-03-08T09:00:00Z",
                "2026-03-09T09:00:00Z",
                "2026-03-10T09:00:00Z",
            ],
            "2026-03-11T09:00:00Z",
            Verdict::NotBefore(utc("2026-03-16T07:00:00Z"), Wait::SevenDaysFull),
        ),
        (
            &["2026-03-10T08:00:00Z"],
            "2026-03-10T20:00:00Z",
            Verdict::NotBefore(utc("2026-03-11T07:00:00Z"), Wait::Quiet),
        ),
    ] {
        assert_eq!(asked(&accepted(moments), now), verdict, "{moments:?} {now}");
    }
}

#[test]
fn a_nudge_expires() {
    let due_at = utc("2026-03-10T08:30:00Z");
    assert_eq!(expires_at(due_at, &cadence()), utc("2026-03-15T08:30:00Z"));
}

#[test]
fn every_reason_ends_the_row() {
    assert_eq!(Reason::Paused.ended(), Ended::Withdrawn);
    assert_eq!(Reason::NoAddress.ended(), Ended::Held);
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.as_str()), Some(rule));
    }
}

proptest! {
    /// One person who has much due, asked at any moments of two months: whatever goes keeps the
    /// quiet hours and the caps, and who is told to wait is told a later moment without quiet.
    #[test]
    fn what_goes_keeps_quiet_and_caps(
        start in 1_767_000_000_i64..1_800_000_000,
        steps in prop::collection::vec(60_i64..200_000, 1..80),
    ) {
        let (cadence, holidays) = (cadence(), none());
        let mut person = anna();
        let mut now = Timestamp::from_seconds(start);
        for step in steps {
            now = now.plus_seconds(step);
            match may_go(&person, now, ZONE, &cadence, &holidays) {
                Verdict::Go => {
                    prop_assert!(!is_quiet(now, ZONE, &cadence.quiet, &holidays));
                    person.accepted.push(now);
                }
                Verdict::NotBefore(then, _) => {
                    prop_assert!(then > now);
                    prop_assert!(!is_quiet(then, ZONE, &cadence.quiet, &holidays));
                    // Nothing else happens: then it goes.
                    let verdict = may_go(&person, then, ZONE, &cadence, &holidays);
                    prop_assert!(
                        matches!(verdict, Verdict::Go | Verdict::NotBefore(..)),
                        "{verdict:?}"
                    );
                    if let Verdict::NotBefore(later, _) = verdict {
                        // Quiet ended on a day that the caps had filled: no circle.
                        prop_assert_eq!(
                            may_go(&person, later, ZONE, &cadence, &holidays),
                            Verdict::Go
                        );
                    }
                }
                verdict => prop_assert!(false, "{verdict:?}"),
            }
        }
        let days: Vec<NaiveDate> = person.accepted.iter().map(|at| at.local_day(ZONE)).collect();
        prop_assert_eq!(days.iter().collect::<BTreeSet<_>>().len(), days.len());
        for first in &days {
            let week = days.iter().filter(|day| (0..7).contains(&(**day - *first).num_days()));
            prop_assert!(week.count() <= 3);
        }
    }

    /// A house that is down on any days, over a quarter: every open task gets one row for its due
    /// day, found whenever the house is up again, and never a second.
    #[test]
    fn every_occurrence_is_found_once(
        dues in prop::collection::vec((0_u64..60, 0_u128..4), 1..12),
        up in prop::collection::vec(any::<bool>(), 70),
    ) {
        let (cadence, holidays) = (cadence(), none());
        let begin = day("2026-03-01");
        let tasks: Vec<TaskFact> = (1..)
            .zip(&dues)
            .map(|(number, (ahead, candidate))| task(number, *candidate, begin + Days::new(*ahead)))
            .collect();
        let mut ledger: BTreeMap<(Subject, NaiveDate), NaiveDate> = BTreeMap::new();
        for (ahead, up) in (0..).zip(up.into_iter().chain([true])) {
            if !up {
                continue;
            }
            let today = begin + Days::new(ahead);
            let (first, last) = due_range(today, &cadence, &holidays);
            let selected: Vec<TaskFact> = tasks
                .iter()
                .filter(|fact| (first..=last).contains(&fact.due_on))
                .filter(|fact| !ledger.contains_key(&(Subject::Task(fact.task), fact.due_on)))
                .copied()
                .collect();
            let nudges = due(&selected, today, ZONE, &cadence, &holidays);
            prop_assert_eq!(nudges.len(), selected.len(), "all that is selected is due");
            for nudge in &nudges {
                let known = ledger.insert((nudge.subject, nudge.due_on), today);
                prop_assert_eq!(known, None);
                prop_assert!(today >= add_working_days(nudge.due_on, -1, &holidays));
                prop_assert!(!is_quiet(nudge.due_at, ZONE, &cadence.quiet, &holidays));
            }
            let spread = one_after_the_other(nudges, ZONE, &cadence, &holidays);
            let days: BTreeSet<_> = spread
                .iter()
                .map(|nudge| (nudge.candidate, nudge.due_at.local_day(ZONE)))
                .collect();
            prop_assert_eq!(days.len(), spread.len(), "one a day");
        }
        prop_assert_eq!(ledger.len(), tasks.len());
    }
}
