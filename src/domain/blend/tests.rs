//! Counting by example.

use ulid::Ulid;

use super::*;
use crate::domain::cadence::Cadence;
use crate::domain::ids::MeetingId;
use crate::domain::plan::{MeetingKind, MeetingMode};
use crate::domain::time::local_moment;

const ZONE: Tz = Tz::Europe__Amsterdam;

fn at(day: &str, hour: u32) -> Timestamp {
    local_moment(day.parse().unwrap(), hour, 0, ZONE)
}

fn meeting(day: &str, mode: MeetingMode, state: MeetingState) -> Meeting {
    Meeting {
        id: MeetingId(Ulid(1)),
        kind: MeetingKind::Progress,
        mode,
        state,
        slot: None,
        starts_at: Some(at(day, 10)),
        ends_at: None,
        place: None,
        version: 0,
    }
}

fn numbers() -> BlendNumbers {
    let text = include_str!("../../../config/cadence.toml");
    Cadence::parse(text).unwrap().blend
}

#[test]
fn a_day_of_writing_is_one_contact_and_only_held_meetings_count() {
    let contacts = Contacts {
        wrote: vec![
            at("2026-03-02", 9),
            at("2026-03-02", 21),
            at("2026-03-05", 9),
        ],
        sent: vec![at("2026-03-02", 8)],
        meetings: vec![
            meeting("2026-03-03", MeetingMode::Office, MeetingState::Held),
            meeting("2026-03-04", MeetingMode::Video, MeetingState::Held),
            meeting("2026-03-06", MeetingMode::Office, MeetingState::Missed),
            meeting("2026-03-20", MeetingMode::Office, MeetingState::Booked),
        ],
        done: vec![(at("2026-03-05", 9), true), (at("2026-03-06", 9), false)],
    };
    let blend = Blend::between(&contacts, at("2026-03-01", 0), at("2026-04-01", 0), ZONE);
    assert_eq!((blend.online, blend.offline), (3, 1));
    assert_eq!(blend.share(), Some(75));
    // On the 2nd they answered; on the 5th, three days later, they began.
    assert_eq!((blend.wrote_days, blend.began), (2, 1));
    assert_eq!((blend.done, blend.ticked), (2, 1));
    let none = Blend::between(&contacts, at("2026-04-01", 0), at("2026-05-01", 0), ZONE);
    assert_eq!((none.share(), none.contacts()), (None, 0));
}

#[test]
fn the_band_follows_the_digital_skill_and_an_agreement_goes_before_it() {
    let blend = |online, offline| Blend {
        online,
        offline,
        ..Blend::default()
    };
    let (starter, basic, skilled) = (
        DigitalSkill::Starter,
        DigitalSkill::Basic,
        DigitalSkill::Skilled,
    );
    for (blend, agreed, skill, expected) in [
        (blend(6, 4), None, starter, Stands::Within),
        (blend(7, 3), None, starter, Stands::TooMuchOnline),
        (blend(7, 3), None, basic, Stands::Within),
        (blend(8, 2), None, basic, Stands::TooMuchOnline),
        (blend(8, 2), None, skilled, Stands::Within),
        (blend(9, 1), None, skilled, Stands::TooMuchOnline),
        (blend(8, 2), Some(60), skilled, Stands::TooMuchOnline),
        (blend(8, 2), Some(85), basic, Stands::Within),
        (blend(1, 9), None, skilled, Stands::LittleOnline),
        (blend(3, 0), None, starter, Stands::Unknown),
        (blend(0, 0), None, starter, Stands::Unknown),
    ] {
        let found = stands(&blend, agreed, skill, &numbers());
        assert_eq!(found, expected, "{blend:?} {agreed:?} {skill:?}");
    }
}

#[test]
fn the_trend_compares_two_stretches_of_eight_weeks() {
    let contacts = Contacts {
        wrote: vec![
            at("2026-01-05", 9),
            at("2026-03-02", 9),
            at("2026-03-03", 9),
        ],
        ..Contacts::default()
    };
    let (now, before) = Blend::now_and_before(&contacts, at("2026-03-20", 9), ZONE, &numbers());
    assert_eq!((now.wrote_days, before.wrote_days), (2, 1));
}

#[test]
fn met_is_being_in_one_room() {
    let held = |mode| vec![meeting("2026-03-03", mode, MeetingState::Held)];
    assert!(met(&held(MeetingMode::Office)));
    assert!(met(&held(MeetingMode::Elsewhere)));
    assert!(!met(&held(MeetingMode::Video)));
    let booked = meeting("2026-03-03", MeetingMode::Office, MeetingState::Booked);
    assert!(!met(&[booked]));
}
