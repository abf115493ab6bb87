//! Room for reminders, and what needs none.

use ulid::Ulid;

use super::*;
use crate::domain::ids::MeetingId;
use crate::domain::nudge::tests::{ZONE, anna, cadence, day, none, utc};
use crate::domain::nudge::{Verdict, may_go};
use crate::domain::plan::{MeetingKind, MeetingMode};

#[test]
fn other_nudges_leave_room_for_a_reminder() {
    let meets = |accepted: &[&str]| PersonFacts {
        accepted: accepted.iter().map(|text| utc(text)).collect(),
        room: Room::Leaves(vec![day("2026-03-12")]),
        ..anna()
    };
    let waits = |person: &PersonFacts, now: &str| {
        let now = utc(now);
        match may_go(person, now, ZONE, &cadence(), &none()) {
            Verdict::NotBefore(at, wait) => Some((at.local_day(ZONE).to_string(), wait)),
            Verdict::Go => None,
            other => panic!("{other:?}"),
        }
    };
    // On the day of the reminder nothing else goes, and before it only what leaves the week room.
    let full = Some(("2026-03-13".to_owned(), Wait::DayFull));
    assert_eq!(waits(&meets(&[]), "2026-03-12T08:30:00Z"), full);
    assert_eq!(
        waits(&meets(&["2026-03-09T08:30:00Z"]), "2026-03-10T08:30:00Z"),
        None
    );
    let two = meets(&["2026-03-06T08:30:00Z", "2026-03-09T08:30:00Z"]);
    let later = Some(("2026-03-13".to_owned(), Wait::SevenDaysFull));
    assert_eq!(waits(&two, "2026-03-10T08:30:00Z"), later);
    // The reminder itself goes, however full the week and whatever the human floor says.
    let itself = PersonFacts {
        room: Room::Agreed,
        automated_in_row: 9,
        ..meets(&[
            "2026-03-09T08:30:00Z",
            "2026-03-10T08:30:00Z",
            "2026-03-11T08:30:00Z",
            "2026-03-12T08:30:00Z",
        ])
    };
    assert_eq!(waits(&itself, "2026-03-12T09:00:00Z"), None);
    // But not at night, and not while it is not known whether an earlier one went.
    let night = Some(("2026-03-13".to_owned(), Wait::Quiet));
    assert_eq!(waits(&itself, "2026-03-12T21:00:00Z"), night);
    let doubted = PersonFacts {
        in_doubt: true,
        ..itself
    };
    let doubt = Some(("2026-03-12".to_owned(), Wait::Doubt));
    assert_eq!(waits(&doubted, "2026-03-12T09:00:00Z"), doubt);
    // A meeting on a Monday is reminded of on the Friday.
    let meeting = Meeting {
        id: MeetingId(Ulid(1)),
        kind: MeetingKind::Progress,
        mode: MeetingMode::Office,
        state: MeetingState::Booked,
        slot: None,
        starts_at: Some(utc("2026-03-16T09:00:00Z")),
        ends_at: None,
        place: None,
        version: 0,
    };
    let room = |why: &str, about: Subject, meeting: &Meeting, now: &str| {
        let meetings = std::slice::from_ref(meeting);
        Room::of((why, about), meetings, utc(now), ZONE, &none())
    };
    let other = |now: &str| room("check_in", Subject::Nothing, &meeting, now);
    let leaves = |days: &[&str]| Room::Leaves(days.iter().map(|text| day(text)).collect());
    assert_eq!(other("2026-03-10T08:00:00Z"), leaves(&["2026-03-13"]));
    assert_eq!(other("2026-03-14T08:00:00Z"), leaves(&[]));
    // An invitation is a nudge like any other; what was agreed is not, nor that it is off.
    let (about, now) = (Subject::Meeting(meeting.id), "2026-03-10T08:00:00Z");
    let told = "meeting_invite/coming";
    assert_eq!(room(told, about, &meeting, now), Room::Agreed);
    let proposed = Meeting {
        state: MeetingState::Proposed,
        ..meeting.clone()
    };
    assert_eq!(room("invitation", about, &proposed, now), leaves(&[]));
    let called_off = Subject::Meeting(MeetingId(Ulid(2)));
    assert_eq!(room(told, called_off, &meeting, now), Room::Agreed);
    // Practice is about the meeting too, but nobody agreed to it.
    for why in ["practice", "practice_session/offer"] {
        assert_eq!(room(why, about, &meeting, now), leaves(&["2026-03-13"]));
    }
}
