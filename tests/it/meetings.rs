//! Meetings from a free moment to their end: offered, booked, moved, called off, held, missed; what a
//! calendar reads of them. The race for one moment is in `meetings/race.rs`.

mod calendars;
mod exercises;
mod looks;
mod pages;
mod race;
mod rows;
mod talks;
mod team;

use tussendoor::app::meetings::{self as verb, Agreed, To};
use tussendoor::app::slots::{self as moments, Opening};
use tussendoor::app::{AppError, turn};
use tussendoor::domain::ids::{CandidateId, MeetingId, SlotId};
use tussendoor::domain::plan::{MeetingKind, MeetingMode, MeetingState, Plan};
use tussendoor::domain::series::Series;
use tussendoor::domain::slots::Wanted;
use tussendoor::domain::time::Timestamp;
use tussendoor::store::plans;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_series_opens_once_and_is_withdrawn_from_today_on,
    a_coach_books_moves_and_calls_off_and_the_places_follow,
    what_is_over_is_filled_in_once,
    rules_about_kind_mode_and_people_hold,
    an_invitation_is_made_once_and_stands_in_the_ledger,
    a_meeting_that_is_due_is_invited_by_the_calendar,
    an_erased_person_leaves_the_place,
);

/// Every Tuesday from nine to half past ten, in half hours: three moments a week.
fn tuesdays(house: &House, weeks: u32) -> Opening {
    Opening {
        team: *house.scope.teams.first().unwrap(),
        series: Series {
            first: "2026-03-10".parse().unwrap(),
            from: "09:00:00".parse().unwrap(),
            to: "10:30:00".parse().unwrap(),
            minutes: 30,
            weeks,
        },
        mode: MeetingMode::Office,
        place: "Stadhuis, kamer 2".into(),
        capacity: 1,
    }
}

/// What could be offered to somebody now, in the order of the offer.
async fn free(house: &House) -> Vec<SlotId> {
    let mut tx = house.app.store.read().await.unwrap();
    let wanted = Wanted {
        coach: Some(house.scope.coach),
        mode: MeetingMode::Office,
    };
    let team = *house.scope.teams.first().unwrap();
    let zone = chrono_tz::Europe::Amsterdam;
    let free = moments::free(&mut tx, (team, zone), wanted, house.app.now()).await;
    free.unwrap().into_iter().map(|slot| slot.id).collect()
}

async fn plan(house: &House, candidate: CandidateId) -> Plan {
    let mut tx = house.app.store.read().await.unwrap();
    let person = turn::person(&mut tx, candidate).await.unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    plans::plan(&mut tx, &sealer, candidate).await.unwrap()
}

fn agreed(starts_at: Timestamp) -> Agreed<'static> {
    Agreed {
        kind: MeetingKind::Progress,
        mode: MeetingMode::Office,
        starts_at,
        minutes: 30,
        place: "Stadhuis, kamer 2",
        task: "",
        participants: 2,
    }
}

async fn a_series_opens_once_and_is_withdrawn_from_today_on(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    assert_eq!(
        moments::open(app, scope, &tuesdays(&house, 4))
            .await
            .unwrap(),
        12
    );
    // A second click opens nothing twice.
    assert_eq!(
        moments::open(app, scope, &tuesdays(&house, 4))
            .await
            .unwrap(),
        0
    );
    let all = free(&house).await;
    assert_eq!(all.len(), 12);
    moments::withdraw(app, scope, all[0]).await.unwrap();
    assert!(matches!(
        moments::withdraw(app, scope, all[0]).await,
        Err(AppError::Overtaken { .. })
    ));
    house.turn_to(moment("2026-03-18", 12, 0));
    let gone = moments::withdraw_series(app, scope, all[3]).await.unwrap();
    assert_eq!(gone, 6, "what is over stays as it was");
    assert!(free(&house).await.is_empty());
}

async fn a_coach_books_moves_and_calls_off_and_the_places_follow(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    moments::open(app, scope, &tuesdays(&house, 1))
        .await
        .unwrap();
    let all = free(&house).await;
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let what = (MeetingKind::Intake, "");
    let meeting = verb::book_slot(app, scope, samira, all[0], what)
        .await
        .unwrap();
    assert_eq!(free(&house).await, all[1..]);
    // The moment is taken: nobody else is booked in it.
    let yusuf = house.candidate("Yusuf", "+31612345679", true).await;
    assert!(matches!(
        verb::book_slot(app, scope, yusuf, all[0], what).await,
        Err(AppError::Overtaken { what: "slot_taken" })
    ));
    verb::move_to(app, scope, meeting, 0, To::Slot(all[1]))
        .await
        .unwrap();
    assert_eq!(free(&house).await, [all[0], all[2]]);
    // A page that is old changes nothing.
    assert!(matches!(
        verb::cancel(app, scope, meeting, 0).await,
        Err(AppError::Overtaken {
            what: "meeting_changed"
        })
    ));
    let booked = plan(&house, samira).await.meetings[0].clone();
    assert_eq!(booked.starts_at, Some(moment("2026-03-10", 9, 30)));
    assert_eq!(booked.state, MeetingState::Booked);
    verb::cancel(app, scope, meeting, booked.version)
        .await
        .unwrap();
    assert_eq!(free(&house).await, all, "the place is free again");
    let sequence = "SELECT ics_sequence FROM meetings";
    assert_eq!(house.number(sequence).await, 2, "each change raises it");
}

async fn what_is_over_is_filled_in_once(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let at = moment("2026-03-10", 10, 0);
    let meeting = verb::book(app, scope, samira, &agreed(at)).await.unwrap();
    assert!(matches!(
        verb::missed(app, scope, meeting, 0).await,
        Err(AppError::No { why: "not_yet" })
    ));
    house.turn_to(moment("2026-03-10", 10, 40));
    verb::held(app, scope, meeting, 0).await.unwrap();
    let version = plan(&house, samira).await.meetings[0].version;
    assert!(matches!(
        verb::missed(app, scope, meeting, version).await,
        Err(AppError::Overtaken {
            what: "meeting_settled"
        })
    ));
    // What took place elsewhere is written down, and is a sign of life.
    let signs = "SELECT COUNT(*) FROM notes WHERE kind = 'sign'";
    let before = house.number(signs).await;
    let at = moment("2026-03-09", 15, 0);
    verb::happened(app, scope, samira, &agreed(at))
        .await
        .unwrap();
    assert_eq!(house.number(signs).await, before + 1);
    let held = plan(&house, samira).await.meetings;
    assert!(held.iter().all(|it| it.state == MeetingState::Held));
    assert_eq!(held.len(), 2);
}

async fn rules_about_kind_mode_and_people_hold(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let at = moment("2026-03-10", 10, 0);
    let video = Agreed {
        mode: MeetingMode::Video,
        place: "https://video.example/kamer",
        task: "Samen je cv nalopen",
        ..agreed(at)
    };
    let wrong = [
        (
            "only_office",
            Agreed {
                kind: MeetingKind::Diagnosis,
                ..video
            },
        ),
        ("video_task", Agreed { task: " ", ..video }),
        (
            "video_link",
            Agreed {
                place: "Stadhuis",
                ..video
            },
        ),
        (
            "participants",
            Agreed {
                participants: 1,
                ..video
            },
        ),
        (
            "past",
            Agreed {
                starts_at: moment("2026-03-02", 10, 0),
                ..video
            },
        ),
        (
            "place",
            Agreed {
                place: "",
                ..agreed(at)
            },
        ),
    ];
    for (expected, agreed) in &wrong {
        match verb::book(app, scope, samira, agreed).await {
            Err(AppError::No { why }) => assert_eq!(why, *expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    assert_eq!(house.number("SELECT COUNT(*) FROM meetings").await, 0);
    verb::book(app, scope, samira, &video).await.unwrap();
    // The moments of somebody who is invited to the office are of the office.
    let other = Opening {
        mode: MeetingMode::Video,
        place: "https://video.example/kamer".into(),
        ..tuesdays(&house, 1)
    };
    moments::open(app, scope, &other).await.unwrap();
    assert!(free(&house).await.is_empty());
}

async fn an_invitation_is_made_once_and_stands_in_the_ledger(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let (kind, mode) = (MeetingKind::Progress, MeetingMode::Office);
    let first: MeetingId = verb::invite_by(app, scope, samira, kind, mode)
        .await
        .unwrap();
    let again = verb::invite_by(app, scope, samira, kind, mode)
        .await
        .unwrap();
    assert_eq!(first, again);
    let open = "SELECT COUNT(*) FROM nudges WHERE rule = 'invitation' AND closed_at IS NULL";
    assert_eq!(house.number(open).await, 1);
    let proposed = &plan(&house, samira).await.meetings;
    assert_eq!(proposed.len(), 1);
    assert_eq!(proposed[0].state, MeetingState::Proposed);
    // Booked by the coach before the invitation went: its reason is gone.
    let to = To::Time {
        starts_at: moment("2026-03-10", 10, 0),
        minutes: 30,
        place: "Stadhuis",
    };
    verb::move_to(app, scope, first, 0, to).await.unwrap();
    assert_eq!(house.number(open).await, 0);
}

/// Half a year after the intake the calendar itself asks for a reassessment, once.
async fn a_meeting_that_is_due_is_invited_by_the_calendar(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let intake = Agreed {
        kind: MeetingKind::Intake,
        ..agreed(moment("2026-03-02", 10, 0))
    };
    verb::happened(app, scope, samira, &intake).await.unwrap();
    let proposed =
        "SELECT COUNT(*) FROM meetings WHERE kind = 'reassessment' AND state = 'proposed'";
    let due = "SELECT COUNT(*) FROM nudges WHERE rule = 'invitation'";
    house.turn_to(moment("2026-08-29", 6, 5));
    house.idle().await;
    assert_eq!(house.number(proposed).await, 0);
    for day in ["2026-08-31", "2026-09-07"] {
        house.turn_to(moment(day, 6, 5));
        house.idle().await;
        assert_eq!(house.number(proposed).await, 1, "{day}");
        assert_eq!(house.number(due).await, 1, "{day}");
    }
}

async fn an_erased_person_leaves_the_place(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    moments::open(app, scope, &tuesdays(&house, 1))
        .await
        .unwrap();
    let all = free(&house).await;
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let what = (MeetingKind::Progress, "");
    verb::book_slot(app, scope, samira, all[0], what)
        .await
        .unwrap();
    assert_eq!(free(&house).await.len(), 2);
    tussendoor::app::erase::erase(app, samira).await.unwrap();
    assert_eq!(free(&house).await, all);
    assert_eq!(house.number("SELECT COUNT(*) FROM meetings").await, 0);
}
