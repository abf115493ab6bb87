//! The conversation about a meeting, as it goes over the wire: the invitation, the answer, the reminder, a
//! change by either side, a miss.

use icalendar::{Calendar, CalendarComponent, Component as _};
use tussendoor::app::calendar;
use tussendoor::app::invite;
use tussendoor::app::meetings::{self as verb, To};
use tussendoor::app::slots as moments;
use tussendoor::app::{inbox, unpack};
use tussendoor::domain::ids::{CandidateId, MeetingId, SlotId};
use tussendoor::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState, Subject};
use tussendoor::store::nudges::{self, Nudge};

use super::{agreed, free, plan, tuesdays};
use crate::support::database::{Database, execute, on_both, texts};
use crate::support::house::{House, moment};

on_both!(
    an_invitation_is_answered_with_one_digit_and_confirmed,
    the_reminder_comes_on_the_working_day_before_and_once,
    what_was_agreed_before_the_first_yes_is_told_after_it_and_reminded_of,
    a_second_row_about_a_talk_that_is_under_way_ends_with_it,
    an_invitation_to_another_meeting_leaves_the_reminder_of_this_one,
    an_invitation_that_ends_another_in_one_tick_is_no_trouble,
    two_meetings_of_one_day_are_each_reminded_of,
    who_cannot_come_chooses_again_or_calls_off,
    who_was_missed_hears_of_it_after_an_hour_and_chooses_again,
    a_video_meeting_tells_what_people_will_do_in_it,
    what_a_coach_changes_is_told_and_keeps_its_entry,
    two_who_want_one_moment_by_message_get_one_each_and_nobody_waits,
);

const NUMBER: &str = "+31612345678";
const OTHER: &str = "+31612345679";

/// Tuesday 3 March, 09:31: Noor opened the moments of next Tuesday, and Samira was asked about them.
async fn invited(database: Database) -> (House, CandidateId, Vec<SlotId>) {
    let house = House::new(database).await;
    opened(&house, 2).await;
    let all = free(&house).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    invites(&house, &[samira]).await;
    (house, samira, all)
}

async fn opened(house: &House, weeks: u32) {
    moments::open(&house.app, &house.scope, &tuesdays(house, weeks))
        .await
        .unwrap();
}

async fn invites(house: &House, people: &[CandidateId]) {
    let (app, scope) = (&house.app, &house.scope);
    for candidate in people {
        let what = (MeetingKind::Progress, MeetingMode::Office);
        verb::invite_by(app, scope, *candidate, what.0, what.1)
            .await
            .unwrap();
    }
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    for candidate in people {
        house.approve(*candidate).await;
    }
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), people.len(), "all were asked");
}

/// Somebody answers; what we say to that leaves as fast as the provider allows.
async fn answers(house: &House, number: &str, words: &str) {
    house.says(number, words).await;
    house.wait(10);
    house.idle().await;
}

/// What stood in the last message to this number, whatever its form.
fn last(house: &House, number: &str) -> String {
    let all = house.graph.accepted();
    let theirs = all.iter().rfind(|one| one.recipient == number);
    theirs.map_or_else(String::new, |one| one.body.to_string())
}

/// How many messages hold these words.
fn count(house: &House, words: &str) -> usize {
    let all = house.graph.accepted();
    all.iter()
        .filter(|one| one.body.to_string().contains(words))
        .count()
}

async fn the_meeting(house: &House, candidate: CandidateId) -> Meeting {
    let meetings = plan(house, candidate).await.meetings;
    assert_eq!(meetings.len(), 1);
    meetings[0].clone()
}

async fn flags(house: &House) -> Vec<String> {
    let sql = "SELECT why FROM flags WHERE closed_at IS NULL ORDER BY why";
    house.database.texts(sql).await
}

async fn an_invitation_is_answered_with_one_digit_and_confirmed(database: Database) {
    let (house, samira, all) = invited(database).await;
    assert!(
        last(&house, NUMBER).contains("di 10 mrt 09:00"),
        "{}",
        last(&house, NUMBER)
    );
    answers(&house, NUMBER, "1").await;
    let text = last(&house, NUMBER);
    assert!(
        text.contains("Afgesproken: dinsdag 10 maart om 09:00") && text.contains("kamer 2"),
        "{text}"
    );
    let meeting = the_meeting(&house, samira).await;
    assert_eq!(meeting.state, MeetingState::Booked);
    assert_eq!(meeting.slot, Some(all[0]));
    assert_eq!(free(&house).await, all[1..]);
    assert!(flags(&house).await.is_empty());
    // Its row of the ledger ended with the message that went.
    let open = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL";
    assert_eq!(house.number(open).await, 0);
}

async fn the_reminder_comes_on_the_working_day_before_and_once(database: Database) {
    let (house, _, _) = invited(database).await;
    answers(&house, NUMBER, "1").await;
    // The machine has said enough for anything but this.
    let floor = "UPDATE candidates SET automated_in_row = 9";
    assert_eq!(execute(&house.database, floor).await, 1);
    let reminder = "gesprek_morgen";
    for (day, hour, minute) in [
        ("2026-03-06", 12, 0),
        ("2026-03-08", 12, 0),
        ("2026-03-09", 9, 59),
    ] {
        house.turn_to(moment(day, hour, minute));
        house.idle().await;
        assert_eq!(count(&house, reminder), 0, "{day} {hour}:{minute}");
    }
    house.turn_to(moment("2026-03-09", 10, 0));
    house.idle().await;
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, reminder), 1, "{}", last(&house, NUMBER));
    let house = house.restart().await;
    for (day, hour) in [("2026-03-09", 15), ("2026-03-09", 19), ("2026-03-10", 8)] {
        house.turn_to(moment(day, hour, 30));
        house.idle().await;
    }
    assert_eq!(count(&house, reminder), 1, "once");
}

/// The calendar finds the same invitation due once more while its question is still open.
async fn a_second_row_about_a_talk_that_is_under_way_ends_with_it(database: Database) {
    let (house, samira, _) = invited(database).await;
    let meeting = the_meeting(&house, samira).await.id;
    let now = moment("2026-03-04", 9, 31);
    house.turn_to(now);
    let again = Nudge {
        id: house.app.id(now),
        candidate: samira,
        rule: "invitation".to_owned(),
        subject: Subject::Meeting(meeting),
        due_on: "2026-03-04".parse().unwrap(),
        due_at: now,
    };
    let mut tx = house.app.store.write().await.unwrap();
    assert_eq!(nudges::add_now(&mut tx, &[again]).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    house.idle().await;
    let ended = "SELECT because FROM nudges WHERE rule = 'invitation' ORDER BY due_at";
    assert_eq!(texts(&house.database, ended).await, ["sent", "merged"]);
}

/// Tuesday's meeting stands; on Friday the person is asked about another, and does not answer.
async fn an_invitation_to_another_meeting_leaves_the_reminder_of_this_one(database: Database) {
    let house = House::new(database).await;
    opened(&house, 3).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let (app, scope) = (&house.app, &house.scope);
    let tuesday = agreed(moment("2026-03-10", 13, 15));
    verb::book(app, scope, samira, &tuesday).await.unwrap();
    house.idle().await;
    house.turn_to(moment("2026-03-06", 8, 35));
    let (kind, mode) = (MeetingKind::Progress, MeetingMode::Office);
    verb::invite_by(app, scope, samira, kind, mode)
        .await
        .unwrap();
    house.turn_to(moment("2026-03-06", 9, 31));
    house.idle().await;
    house.approve(samira).await;
    house.idle().await;
    house.turn_to(moment("2026-03-09", 11, 0));
    house.idle().await;
    assert_eq!(count(&house, "gesprek_morgen"), 1);
}

/// In the office: the next meeting is agreed first, then the person sends the code from the screen.
async fn what_was_agreed_before_the_first_yes_is_told_after_it_and_reminded_of(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", NUMBER, false).await;
    let next = agreed(moment("2026-03-10", 10, 0));
    verb::book(app, scope, samira, &next).await.unwrap();
    house.idle().await;
    assert_eq!(house.graph.taken(), 0, "she agreed to nothing yet");
    let code = invite::invite(app, scope, samira).await.unwrap();
    answers(&house, NUMBER, &format!("Mijn code is {code}")).await;
    answers(&house, NUMBER, "1").await;
    let told = last(&house, NUMBER);
    assert!(told.contains("je hebt een afspraak"), "{told}");
    house.turn_to(moment("2026-03-09", 10, 0));
    house.idle().await;
    assert_eq!(
        count(&house, "gesprek_morgen"),
        1,
        "{}",
        last(&house, NUMBER)
    );
    // A second yes tells nothing anew.
    answers(&house, NUMBER, "START").await;
    assert_eq!(count(&house, "je hebt een afspraak"), 1);
    // Whoever comes back hears it again.
    answers(&house, NUMBER, "STOP").await;
    answers(&house, NUMBER, "START").await;
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, "je hebt een afspraak"), 2);
}

/// The second invitation takes the place of the first, and with it ends what still waited about the first: the
/// same tick meets that row too.
async fn an_invitation_that_ends_another_in_one_tick_is_no_trouble(database: Database) {
    let (house, samira, _) = invited(database).await;
    let first = the_meeting(&house, samira).await.id;
    let now = moment("2026-03-05", 9, 31);
    house.turn_to(now);
    let (app, scope) = (&house.app, &house.scope);
    let what = (MeetingKind::Diagnosis, MeetingMode::Office);
    verb::invite_by(app, scope, samira, what.0, what.1)
        .await
        .unwrap();
    let again = Nudge {
        id: app.id(now),
        candidate: samira,
        rule: "invitation".to_owned(),
        subject: Subject::Meeting(first),
        due_on: "2026-03-05".parse().unwrap(),
        due_at: now.plus_seconds(1),
    };
    let mut tx = app.store.write().await.unwrap();
    assert_eq!(nudges::add_now(&mut tx, &[again]).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    house.wait(2);
    house.idle().await;
    let ended = "SELECT because FROM nudges WHERE rule = 'invitation' AND closed_at IS NOT NULL ORDER BY due_at";
    let ended = texts(&house.database, ended).await;
    assert_eq!(ended, ["sent", "withdrawn"]);
}

/// Both fall due in one moment: the second waits for an answer to the first, or for its silence.
async fn two_meetings_of_one_day_are_each_reminded_of(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    for number in [NUMBER, OTHER] {
        let person = house.candidate("Samira", number, true).await;
        for hour in [11, 15] {
            let next = agreed(moment("2026-03-10", hour, 15));
            verb::book(app, scope, person, &next).await.unwrap();
        }
    }
    house.idle().await;
    house.turn_to(moment("2026-03-09", 10, 0));
    house.idle().await;
    house.wait(10);
    house.idle().await;
    assert_eq!(
        count(&house, "gesprek_morgen"),
        2,
        "{}",
        last(&house, NUMBER)
    );
    let second = "om 15:15 zie je Noor";
    answers(&house, NUMBER, "1").await;
    house.wait(60);
    house.idle().await;
    assert!(
        last(&house, NUMBER).contains(second),
        "{}",
        last(&house, NUMBER)
    );
    // Who answers nothing can still do so in the evening: the other reminder leaves the next morning.
    house.turn_to(moment("2026-03-10", 8, 1));
    house.idle().await;
    assert_eq!(
        count(&house, "gesprek_morgen"),
        3,
        "{}",
        last(&house, OTHER)
    );
    assert!(
        last(&house, OTHER).contains("15:15"),
        "{}",
        last(&house, OTHER)
    );
}

async fn who_cannot_come_chooses_again_or_calls_off(database: Database) {
    let (house, samira, all) = invited(database).await;
    answers(&house, NUMBER, "1").await;
    let first = the_meeting(&house, samira).await;
    let (_, uid, before) = entry(&house, first.id).await;
    answers(&house, NUMBER, "VERZET").await;
    assert_eq!(free(&house).await, all, "the place is free again");
    assert_eq!(
        the_meeting(&house, samira).await.state,
        MeetingState::Proposed
    );
    let asked = house.talk(samira).await;
    let offered = asked.front().unwrap().0.offered.clone();
    assert_eq!(offered, all[1..4], "not the one that they cannot");
    answers(&house, NUMBER, "2").await;
    let moved = the_meeting(&house, samira).await;
    assert_eq!((moved.id, moved.slot), (first.id, Some(all[2])));
    assert!(last(&house, NUMBER).contains("om 10:00"));
    let (_, same, sequence) = entry(&house, moved.id).await;
    assert_eq!(
        (same, sequence),
        (uid, before + 2),
        "taken back, and booked"
    );

    answers(&house, NUMBER, "AFZEGGEN").await;
    assert_eq!(
        the_meeting(&house, samira).await.state,
        MeetingState::Booked,
        "asked once before a place is given away"
    );
    answers(&house, NUMBER, "1").await;
    let state = house.database.texts("SELECT state FROM meetings").await;
    assert_eq!(state, ["cancelled"]);
    assert_eq!(free(&house).await, all);
    assert!(last(&house, NUMBER).contains("gaat niet door"));
    assert!(flags(&house).await.contains(&"called_off".to_owned()));
    // Nothing reminds of a meeting that will not be.
    house.turn_to(moment("2026-03-09", 10, 30));
    house.idle().await;
    assert_eq!(count(&house, "gesprek_morgen"), 0);
}

async fn who_was_missed_hears_of_it_after_an_hour_and_chooses_again(database: Database) {
    let (house, samira, all) = invited(database).await;
    answers(&house, NUMBER, "1").await;
    let meeting = the_meeting(&house, samira).await;
    house.turn_to(moment("2026-03-10", 9, 10));
    house.idle().await;
    let (app, scope) = (&house.app, &house.scope);
    let version = the_meeting(&house, samira).await.version;
    verb::missed(app, scope, meeting.id, version).await.unwrap();
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty(), "not at once");
    house.turn_to(moment("2026-03-10", 9, 59));
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty(), "not within the hour");
    house.turn_to(moment("2026-03-10", 10, 0));
    house.idle().await;
    house.approve(samira).await;
    house.idle().await;
    let text = last(&house, NUMBER);
    assert!(text.contains("gesprek_nieuw"), "{text}");
    answers(&house, NUMBER, "1").await;
    let asked = house.talk(samira).await;
    assert_eq!(asked.front().unwrap().0.offered, all[3..6]);
    let meetings = plan(&house, samira).await.meetings;
    let states: Vec<_> = meetings.iter().map(|it| it.state).collect();
    assert_eq!(states, [MeetingState::Missed, MeetingState::Proposed]);
    assert!(last(&house, NUMBER).contains("di 17 mrt 09:00"));
}

/// STATUS, UID and SEQUENCE of the file of a meeting.
async fn entry(house: &House, meeting: MeetingId) -> (String, String, u32) {
    let file = calendar::file(&house.app, &house.scope, meeting).await;
    let file = file.unwrap();
    let read: Calendar = file.parse().unwrap();
    let mut events = read
        .components
        .iter()
        .filter_map(CalendarComponent::as_event);
    let event = events.next_back().unwrap();
    let sequence = event.property_value("SEQUENCE").unwrap_or("0");
    let uid = event.get_uid().unwrap().to_owned();
    let status = event.property_value("STATUS").unwrap_or_default();
    (status.to_owned(), uid, sequence.parse().unwrap())
}

async fn a_video_meeting_tells_what_people_will_do_in_it(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let (app, scope) = (&house.app, &house.scope);
    house.turn_to(moment("2026-03-03", 10, 0));
    let agreed = verb::Agreed {
        mode: MeetingMode::Video,
        place: "https://video.waterstad.example/noor",
        task: "Oefenen met drie vragen.",
        ..agreed(moment("2026-03-05", 10, 0))
    };
    verb::book(app, scope, samira, &agreed).await.unwrap();
    house.idle().await;
    house.wait(10);
    house.idle().await;
    let said = last(&house, NUMBER);
    // Outside the window it is the template, with the task as its last value and without its full stop.
    assert!(said.contains("\"Oefenen met drie vragen\""), "{said}");
}

async fn what_a_coach_changes_is_told_and_keeps_its_entry(database: Database) {
    let house = House::new(database).await;
    opened(&house, 2).await;
    let all = free(&house).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let (app, scope) = (&house.app, &house.scope);
    house.turn_to(moment("2026-03-03", 10, 0));
    let what = (MeetingKind::Progress, "");
    let id = verb::book_slot(app, scope, samira, all[3], what)
        .await
        .unwrap();
    house.idle().await;
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, "gesprek_gepland"), 1);
    let (_, uid, first) = entry(&house, id).await;

    house.turn_to(moment("2026-03-04", 10, 0));
    let version = the_meeting(&house, samira).await.version;
    verb::move_to(app, scope, id, version, To::Slot(all[4]))
        .await
        .unwrap();
    house.idle().await;
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, "gesprek_verzet"), 1);
    let (_, same, second) = entry(&house, id).await;
    assert_eq!(same, uid);
    assert!(second > first, "{second} after {first}");

    house.turn_to(moment("2026-03-05", 10, 0));
    let version = the_meeting(&house, samira).await.version;
    verb::cancel(app, scope, id, version).await.unwrap();
    house.idle().await;
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, "gesprek_gaat_niet_door"), 1);
    let (status, same, third) = entry(&house, id).await;
    assert_eq!((status.as_str(), same), ("CANCELLED", uid));
    assert!(third > second, "{third} after {second}");
    assert_eq!(free(&house).await, all);
}

async fn two_who_want_one_moment_by_message_get_one_each_and_nobody_waits(database: Database) {
    let house = House::new(database).await;
    opened(&house, 2).await;
    let all = free(&house).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let yusuf = house.candidate("Yusuf", OTHER, true).await;
    invites(&house, &[samira, yusuf]).await;
    // Both answer in the same second, and two workers play what came.
    for number in [NUMBER, OTHER] {
        let webhook = house.graph.webhook_text(number, "Wie", "1");
        assert_eq!(house.deliver(&webhook).await, 200);
    }
    while unpack::unpack(&house.app).await.unwrap() > 0 {}
    let (one, two) = tokio::join!(inbox::turns(&house.app), inbox::turns(&house.app));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    // Whatever had to start over did so without time passing.
    while inbox::turns(&house.app).await.unwrap() > 0 {}
    let (mut winners, mut others) = (0, 0);
    for candidate in [samira, yusuf] {
        let meeting = the_meeting(&house, candidate).await;
        let talk = house.talk(candidate).await;
        if meeting.state == MeetingState::Booked {
            assert_eq!(meeting.slot, Some(all[0]));
            winners += 1;
        } else {
            assert_eq!(talk.front().unwrap().0.offered, all[1..4]);
            others += 1;
        }
    }
    assert_eq!((winners, others), (1, 1));
    house.wait(10);
    house.idle().await;
    assert_eq!(count(&house, "Afgesproken"), 1);
    assert_eq!(
        count(&house, "di 10 mrt 09:30"),
        3,
        "asked twice, and once anew"
    );
}
