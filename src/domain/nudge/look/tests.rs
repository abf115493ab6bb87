//! Looks by example, and every day of fourteen years.

use ulid::Ulid;

use super::super::{Ended, Since, overtaken};
use super::*;
use crate::domain::ids::MeetingId;
use crate::domain::time::next_occurrence;

const ZONE: Tz = Tz::Europe__Amsterdam;

fn cadence() -> Cadence {
    Cadence::parse(include_str!("../../../../config/cadence.toml")).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str, hour: u32) -> Timestamp {
    local_moment(day(text), hour, 0, ZONE)
}

/// Noon on the first of March 2026 and so many days.
fn after(days: u64) -> Timestamp {
    local_moment(plus(day("2026-03-01"), days), 12, 0, ZONE)
}

/// Somebody who began on the first of March, in the room, and agreed to everything.
fn somebody() -> Seen {
    Seen {
        candidate: CandidateId(Ulid(1)),
        skill: DigitalSkill::Basic,
        track: Track::Participation,
        standing: Standing::Active,
        consent: Purpose::ASKED.into(),
        since: after(0),
        began_in_room: true,
        last_sign: Some(after(0)),
        last_sent: Some(after(0)),
        open: false,
        waiting: false,
        climbed_at: None,
        drifted_at: None,
        last_done: None,
        last: BTreeMap::new(),
        contacts: Contacts::default(),
        agreed: None,
    }
}

fn on(seen: &Seen, days: u64) -> Found {
    look(seen, after(days), ZONE, &cadence(), &Holidays::default())
}

fn rules(found: &Found) -> Vec<Rule> {
    found.nudges.iter().map(|nudge| nudge.rule).collect()
}

fn next(found: &Found) -> i64 {
    let again = found.again_at.unwrap().local_day(ZONE);
    (again - day("2026-03-01")).num_days()
}

fn meeting(days: u64, mode: MeetingMode, kind: MeetingKind, state: MeetingState) -> Meeting {
    Meeting {
        id: MeetingId(Ulid(7)),
        kind,
        mode,
        state,
        slot: None,
        starts_at: Some(after(days)),
        ends_at: None,
        place: None,
        version: 0,
    }
}

#[test]
fn silence_starts_its_ladder_on_the_seventh_day_and_once() {
    let mut seen = somebody();
    assert_eq!(rules(&on(&seen, 6)), []);
    assert_eq!(next(&on(&seen, 4)), 7, "the seventh day is looked at");
    let found = on(&seen, 7);
    assert_eq!(rules(&found), [Rule::Silence]);
    assert_eq!(found.nudges[0].due_on, day("2026-03-08"));
    // A Sunday: it goes on Monday morning.
    assert_eq!(found.nudges[0].due_at, at("2026-03-09", 8));
    // Missed days collapse into the same occurrence.
    assert_eq!(on(&seen, 11).nudges[0].due_on, day("2026-03-08"));
    seen.last.insert(Rule::Silence, day("2026-03-08"));
    assert_eq!(rules(&on(&seen, 8)), []);
    // A sign of life begins another silence.
    seen.last_sign = Some(after(9));
    seen.last_sent = Some(after(9));
    assert_eq!(rules(&on(&seen, 15)), []);
    assert_eq!(rules(&on(&seen, 16)), [Rule::Silence]);
}

#[test]
fn an_open_question_has_its_own_ladder() {
    let mut seen = somebody();
    seen.open = true;
    assert_eq!(rules(&on(&seen, 9)), []);
    seen.open = false;
    seen.waiting = true;
    assert_eq!(rules(&on(&seen, 9)), []);
    assert_eq!(next(&on(&seen, 9)), 11);
}

#[test]
fn on_the_last_rung_a_person_has_it_whatever_became_of_the_messages() {
    let mut seen = somebody();
    seen.open = true;
    assert_eq!(on(&seen, 26).flags, []);
    assert_eq!(on(&seen, 27).flags, [Why::SilentTooLong]);
    // Without consent for check-ins, and before a first meeting, too.
    seen.consent = [Purpose::Tasks].into();
    seen.began_in_room = false;
    assert_eq!(on(&seen, 27).flags, [Why::SilentTooLong]);
    seen.climbed_at = Some(after(20));
    assert_eq!(on(&seen, 27).flags, []);
    seen.last_sign = Some(after(21));
    assert_eq!(on(&seen, 47).flags, []);
    assert_eq!(on(&seen, 48).flags, [Why::SilentTooLong]);
}

#[test]
fn a_check_in_comes_when_nothing_else_was_sent() {
    let mut seen = somebody();
    seen.last_sign = Some(after(12));
    assert_eq!(rules(&on(&seen, 13)), []);
    assert_eq!(rules(&on(&seen, 14)), [Rule::CheckIn]);
    seen.last_sent = Some(after(5));
    assert_eq!(rules(&on(&seen, 18)), []);
    assert_eq!(rules(&on(&seen, 19)), [Rule::CheckIn]);
    // Who is silent gets the ladder, not a check-in beside it.
    seen.last_sign = Some(after(1));
    seen.last_sent = Some(after(12));
    assert_eq!(rules(&on(&seen, 14)), [Rule::Silence]);
    // A starter is asked every week, and that is the first rung.
    seen.skill = DigitalSkill::Starter;
    seen.last_sent = Some(after(7));
    assert_eq!(rules(&on(&seen, 14)), [Rule::CheckIn]);
    seen.last.insert(Rule::CheckIn, day("2026-03-15"));
    seen.last_sent = Some(after(14));
    assert_eq!(rules(&on(&seen, 16)), [Rule::Silence]);
}

#[test]
fn before_a_first_meeting_in_one_room_nothing_online_begins() {
    let mut seen = somebody();
    seen.began_in_room = false;
    assert_eq!(rules(&on(&seen, 14)), []);
    seen.contacts.meetings = vec![meeting(
        1,
        MeetingMode::Video,
        MeetingKind::Progress,
        MeetingState::Held,
    )];
    assert_eq!(rules(&on(&seen, 14)), []);
    seen.contacts.meetings[0].mode = MeetingMode::Office;
    assert_eq!(rules(&on(&seen, 14)), [Rule::CheckIn]);
}

/// Heard and written to on this day.
fn lately(seen: &mut Seen, days: u64) {
    seen.last_sign = Some(after(days));
    seen.last_sent = Some(after(days));
}

#[test]
fn a_look_back_comes_after_four_weeks_in_which_something_was_done() {
    let mut seen = somebody();
    lately(&mut seen, 27);
    assert_eq!(rules(&on(&seen, 28)), []);
    seen.last_done = Some(after(20));
    assert_eq!(rules(&on(&seen, 28)), [Rule::Perspective]);
    seen.last.insert(Rule::Perspective, day("2026-03-29"));
    lately(&mut seen, 55);
    assert_eq!(rules(&on(&seen, 56)), [], "nothing new was done");
    seen.last_done = Some(after(50));
    assert_eq!(rules(&on(&seen, 56)), [Rule::Perspective]);
}

/// After a long time the days that were missed are one, and it is the newest of them.
#[test]
fn missed_periods_collapse_into_the_newest_day() {
    let mut seen = somebody();
    seen.last_done = Some(after(100));
    lately(&mut seen, 119);
    let found = on(&seen, 120);
    assert_eq!(rules(&found), [Rule::Perspective]);
    let due_on = found.nudges[0].due_on;
    assert_eq!(due_on, plus(day("2026-03-01"), 4 * 28));
    // A day later and a week later there is nothing to show again.
    seen.last.insert(Rule::Perspective, due_on);
    for days in [121, 127, 139, 140] {
        lately(&mut seen, days - 1);
        assert_eq!(rules(&on(&seen, days)), [], "day {days}");
    }
    // What was done in the period before is what one looks back at.
    seen.last.clear();
    seen.last_done = Some(after(20));
    lately(&mut seen, 119);
    assert_eq!(rules(&on(&seen, 120)), []);

    seen.skill = DigitalSkill::Starter;
    let found = on(&seen, 120);
    assert_eq!(rules(&found), [Rule::Exercises]);
    let due_on = found.nudges[0].due_on;
    assert_eq!(due_on, plus(day("2026-03-01"), 8 * 14));
    seen.last.insert(Rule::Exercises, due_on);
    lately(&mut seen, 124);
    assert_eq!(rules(&on(&seen, 125)), []);
    assert_eq!(rules(&on(&seen, 126)), [Rule::Exercises]);
}

#[test]
fn starters_exercise_and_practise_before_their_first_video_meeting() {
    let mut seen = somebody();
    seen.skill = DigitalSkill::Starter;
    seen.last_sign = Some(after(13));
    seen.last_sent = Some(after(13));
    assert_eq!(rules(&on(&seen, 14)), [Rule::Exercises]);
    seen.last.insert(Rule::Exercises, day("2026-03-15"));
    assert_eq!(rules(&on(&seen, 14)), []);
    let video = meeting(
        19,
        MeetingMode::Video,
        MeetingKind::Progress,
        MeetingState::Booked,
    );
    seen.contacts.meetings = vec![video.clone()];
    // Friday 20 March: three working days before is Tuesday the 17th.
    assert_eq!(rules(&on(&seen, 15)), []);
    let found = on(&seen, 16);
    assert_eq!(rules(&found), [Rule::Practice]);
    assert_eq!(found.nudges[0].subject, Subject::Meeting(video.id));
    seen.last.insert(Rule::Practice, found.nudges[0].due_on);
    assert_eq!(rules(&on(&seen, 17)), []);
    seen.last.remove(&Rule::Practice);
    let mut practised = meeting(
        10,
        MeetingMode::Video,
        MeetingKind::Practice,
        MeetingState::Held,
    );
    practised.id = MeetingId(Ulid(8));
    seen.contacts.meetings.push(practised);
    assert_eq!(rules(&on(&seen, 17)), []);
    seen.contacts.meetings.pop();
    seen.skill = DigitalSkill::Basic;
    assert_eq!(rules(&on(&seen, 17)), []);
}

#[test]
fn a_drifting_blend_asks_for_the_office_once() {
    let mut seen = somebody();
    seen.skill = DigitalSkill::Starter;
    seen.contacts.wrote = (1..6).map(after).collect();
    seen.last_sign = Some(after(5));
    seen.last_sent = Some(after(5));
    let found = on(&seen, 6);
    assert_eq!(found.flags, [Why::BlendDrifts]);
    assert_eq!(found.invite, Some(MeetingKind::Progress));
    seen.drifted_at = Some(after(6));
    assert_eq!(on(&seen, 7).invite, None);
    seen.drifted_at = None;
    let office = |state| {
        let mut office = meeting(20, MeetingMode::Office, MeetingKind::Progress, state);
        office.id = MeetingId(Ulid(9));
        office
    };
    for planned in [MeetingState::Proposed, MeetingState::Booked] {
        seen.contacts.meetings = vec![office(planned)];
        assert_eq!(on(&seen, 6).invite, None, "{planned:?}");
    }
    // An invitation that nobody answered is asked once more after four weeks, unless a question is open.
    seen.contacts.meetings = vec![office(MeetingState::Proposed)];
    seen.last.insert(Rule::Invitation, after(0).local_day(ZONE));
    seen.contacts.wrote = (23..28).map(after).collect();
    assert_eq!(on(&seen, 27).invite, None);
    assert_eq!(on(&seen, 28).invite, Some(MeetingKind::Progress));
    seen.open = true;
    assert_eq!(on(&seen, 28).invite, None);
    seen.open = false;
    seen.last.clear();
    seen.contacts.wrote = (1..6).map(after).collect();
    seen.contacts.meetings = vec![office(MeetingState::Missed)];
    assert_eq!(on(&seen, 6).invite, Some(MeetingKind::Progress));
    seen.agreed = Some(100);
    assert_eq!(on(&seen, 6).invite, None);
}

#[test]
fn a_reassessment_is_due_by_its_own_calendar() {
    let mut seen = somebody();
    seen.track = Track::Reintegration;
    seen.last_sign = Some(after(90));
    seen.last_sent = Some(after(90));
    assert_eq!(on(&seen, 90).invite, None);
    assert_eq!(on(&seen, 91).invite, Some(MeetingKind::Reassessment));
    let held = |days| {
        meeting(
            days,
            MeetingMode::Office,
            MeetingKind::Diagnosis,
            MeetingState::Held,
        )
    };
    seen.contacts.meetings = vec![held(20)];
    assert_eq!(on(&seen, 91).invite, None);
    assert_eq!(on(&seen, 111).invite, Some(MeetingKind::Reassessment));
    seen.last.insert(Rule::Invitation, day("2026-06-10"));
    assert_eq!(on(&seen, 111).invite, None);
}

#[test]
fn who_left_or_agreed_to_nothing_is_not_looked_at_again() {
    let mut seen = somebody();
    seen.consent.clear();
    assert_eq!(on(&seen, 40).again_at, None);
    let mut seen = somebody();
    seen.standing = Standing::Left;
    assert_eq!(on(&seen, 40).again_at, None);
    seen.standing = Standing::Paused {
        until: day("2026-04-20"),
    };
    let found = on(&seen, 40);
    assert_eq!((rules(&found), found.flags.len()), (Vec::new(), 0));
    assert_eq!(found.again_at, Some(at("2026-04-21", 6)));
    // The pause was no silence: its ladder starts a week after.
    seen.last_sent = Some(after(50));
    assert_eq!(rules(&on(&seen, 56)), []);
    assert_eq!(rules(&on(&seen, 57)), [Rule::Silence]);
}

#[test]
fn a_nudge_that_something_overtook_ends_with_its_reason() {
    let nothing = Since::default();
    let sign = Since {
        sign: Some(after(2)),
        ..nothing
    };
    let sent = Since {
        sent: Some(after(2)),
        ..nothing
    };
    let open = Since {
        open: true,
        ..nothing
    };
    for (rule, since, expected) in [
        (Rule::CheckIn, nothing, None),
        (Rule::CheckIn, sign, Some(Ended::Withdrawn)),
        (Rule::CheckIn, sent, Some(Ended::Merged)),
        (Rule::CheckIn, open, Some(Ended::Merged)),
        (Rule::Silence, sign, Some(Ended::Withdrawn)),
        (Rule::Silence, sent, None),
        (Rule::Silence, open, Some(Ended::Merged)),
        (Rule::TaskDue, sign, None),
        (Rule::TaskDue, open, None),
        (Rule::Perspective, open, None),
    ] {
        assert_eq!(overtaken(rule, after(1), &since), expected, "{rule:?}");
        assert_eq!(overtaken(rule, after(3), &nothing), None);
    }
}

/// All clock changes from 2024 to 2037: whoever must be looked at every day is looked at once on each
/// local day, and so does every rule with a schedule, also one that sits in the hour that is skipped
/// or comes twice.
#[test]
fn every_local_day_of_fourteen_years_has_one_look() {
    let cadence = cadence();
    let (first, last) = (day("2024-01-01"), day("2037-12-31"));
    let mut moment = local_moment(first, 0, 0, ZONE);
    for day in first.iter_days().take_while(|day| *day <= last) {
        let look = look_at(day, ZONE, &cadence);
        assert_eq!(look.local_day(ZONE), day);
        assert!(look > moment);
        moment = look;
    }
    for schedule in [
        "0 0 6 * * *",
        "0 30 2 * * *",
        "0 0 3 * * *",
        "59 59 1 * * *",
    ] {
        let cron = crate::domain::time::Cron::parse(schedule).unwrap();
        let mut moment = local_moment(first.pred_opt().unwrap(), 23, 0, ZONE);
        for day in first.iter_days().take_while(|day| *day <= last) {
            let next = next_occurrence(&cron, moment, ZONE).unwrap();
            assert_eq!(next.local_day(ZONE), day, "{schedule}");
            moment = next;
        }
    }
}
