//! Several coaches in one team: whose moments are offered, and who is named; and what a coach does to a
//! meeting while the question about it is still open.

use tussendoor::app::absence;
use tussendoor::app::meetings as verb;
use tussendoor::app::slots as moments;
use tussendoor::domain::access::Scope;
use tussendoor::domain::ids::{CandidateId, SlotId};
use tussendoor::domain::message::MessageState;
use tussendoor::domain::plan::{MeetingKind, MeetingMode, MeetingState};

use super::{free, plan, tuesdays};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    two_coaches_at_one_time_are_one_moment_of_an_offer,
    who_is_met_is_named_and_who_calls_back,
    on_days_on_which_a_coach_is_away_nobody_is_offered_theirs,
    an_old_moment_after_the_coach_booked_is_booked_and_confirmed,
    an_invitation_that_never_left_is_called_off_in_silence,
    an_invitation_that_left_is_taken_back_in_words,
    of_a_meeting_that_is_off_its_moment_can_be_told,
    an_unanswered_invitation_leaves_the_silence_to_its_own_day,
    nobody_is_asked_to_choose_among_moments_that_are_over,
    who_lost_the_last_moment_is_told_how_it_goes_on,
);

const NUMBER: &str = "+31612345678";

async fn opens(house: &House, scope: &Scope) {
    moments::open(&house.app, scope, &tuesdays(house, 2))
        .await
        .unwrap();
}

/// Tuesday 3 March, 09:31: Samira, who is Noor's, is about to be asked.
async fn drafted(house: &House) -> CandidateId {
    let samira = house.candidate("Samira", NUMBER, true).await;
    let what = (MeetingKind::Progress, MeetingMode::Office);
    verb::invite_by(&house.app, &house.scope, samira, what.0, what.1)
        .await
        .unwrap();
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    samira
}

async fn invited(house: &House) -> CandidateId {
    let samira = drafted(house).await;
    house.approve(samira).await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1, "she was asked");
    samira
}

async fn answers(house: &House, words: &str) -> String {
    house.says(NUMBER, words).await;
    settles(house).await
}

/// What is under way leaves; the last message.
async fn settles(house: &House) -> String {
    house.wait(10);
    house.idle().await;
    let all = house.graph.accepted();
    all.last()
        .map_or_else(String::new, |one| one.body.to_string())
}

/// Whose slot that is.
async fn coach_of(house: &House, slot: SlotId) -> String {
    let rows = house
        .database
        .texts("SELECT id || ' ' || coach_id FROM slots")
        .await;
    let slot = slot.to_string();
    let mut rows = rows.iter().filter_map(|row| row.split_once(' '));
    rows.find(|(id, _)| *id == slot).unwrap().1.to_owned()
}

async fn two_coaches_at_one_time_are_one_moment_of_an_offer(database: Database) {
    let house = House::new(database).await;
    let (karim, joris) = (
        house.colleague("Karim Aydin").await,
        house.colleague("Joris de Vries").await,
    );
    opens(&house, &karim).await;
    opens(&house, &joris).await;
    let samira = invited(&house).await;
    let offered = house.talk(samira).await.front().unwrap().0.offered.clone();
    assert_eq!(offered.len(), 3);
    answers(&house, "1").await;
    // Both have time at each of these moments: she is asked about each once, and the question leaves.
    let asked = answers(&house, "VERZET").await;
    let first = asked.matches("di 10 mrt 09:30").count();
    assert_eq!(first, 1, "{asked}");
    assert!(house.drafts(samira).await.is_empty());

    // Noor's own come in the place of theirs.
    opens(&house, &house.scope).await;
    answers(&house, "hm").await;
    answers(&house, "2").await;
    answers(&house, "VERZET").await;
    let offered = house.talk(samira).await.front().unwrap().0.offered.clone();
    for slot in offered {
        assert_eq!(coach_of(&house, slot).await, house.scope.coach.to_string());
    }
}

async fn who_is_met_is_named_and_who_calls_back(database: Database) {
    let house = House::new(database).await;
    let karim = house.colleague("Karim Aydin").await;
    opens(&house, &karim).await;
    let samira = invited(&house).await;
    let asked = house.graph.accepted()[0].body.to_string();
    assert!(asked.contains("Noor"), "who invites: {asked}");
    let told = answers(&house, "1").await;
    assert!(told.contains("Je spreekt dan met Karim"), "{told}");
    let told = answers(&house, "AFSPRAAK").await;
    assert!(told.contains("Je afspraak met Karim"), "{told}");
    // What is passed on comes to her own coach.
    let told = answers(&house, "HULP").await;
    assert!(told.contains("Noor") && !told.contains("Karim"), "{told}");
    tussendoor::app::takeover::give_back(&house.app, &house.scope, samira)
        .await
        .unwrap();
    house.turn_to(moment("2026-03-09", 10, 1));
    house.idle().await;
    let told = settles(&house).await;
    assert!(
        told.contains("gesprek_morgen") && told.contains("Karim"),
        "{told}"
    );
    answers(&house, "AFZEGGEN").await;
    let told = answers(&house, "ja, afzeggen").await;
    assert!(told.contains("Noor schrijft of belt je"), "{told}");
}

async fn on_days_on_which_a_coach_is_away_nobody_is_offered_theirs(database: Database) {
    let house = House::new(database).await;
    let karim = house.colleague("Karim Aydin").await;
    opens(&house, &karim).await;
    let samira = invited(&house).await;
    assert_eq!(free(&house).await.len(), 6);
    // Away until and with the first of the two Tuesdays.
    let until = "2026-03-10".parse().unwrap();
    absence::away(&house.app, &karim, house.scope.coach, until)
        .await
        .unwrap();
    let left = free(&house).await;
    assert_eq!(left.len(), 3);
    // Neither what stands in the open question.
    let asked = answers(&house, "1").await;
    assert!(
        asked.contains("Dat moment is net bezet") && asked.contains("di 17 mrt 09:00"),
        "{asked}"
    );
    let offered = house.talk(samira).await.front().unwrap().0.offered.clone();
    assert_eq!(offered, left);
    absence::back(&house.app, &karim).await.unwrap();
    assert_eq!(free(&house).await.len(), 6);
}

async fn an_old_moment_after_the_coach_booked_is_booked_and_confirmed(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    let all = free(&house).await;
    let samira = invited(&house).await;
    // Asked again in other words, and now with buttons.
    answers(&house, "hm").await;
    let asked = house.graph.accepted().pop().unwrap();
    let meeting = plan(&house, samira).await.meetings[0].clone();
    let to = verb::To::Slot(all[4]);
    verb::move_to(&house.app, &house.scope, meeting.id, meeting.version, to)
        .await
        .unwrap();
    let told = settles(&house).await;
    assert!(
        told.contains("je hebt een afspraak: dinsdag 17 maart"),
        "{told}"
    );

    let tap = house.graph.webhook_tap(NUMBER, &asked, 0);
    assert_eq!(house.deliver(&tap).await, 200);
    house.idle().await;
    let told = settles(&house).await;
    assert!(
        told.contains("Afgesproken: dinsdag 10 maart om 09:00"),
        "{told}"
    );
    let meetings = plan(&house, samira).await.meetings;
    assert_eq!(meetings.len(), 1);
    assert_eq!(meetings[0].state, MeetingState::Booked);
    assert_eq!(meetings[0].slot, Some(all[0]));
    assert_eq!(free(&house).await, all[1..]);
    // And she is reminded of it.
    house.turn_to(moment("2026-03-09", 10, 1));
    house.idle().await;
    let told = settles(&house).await;
    assert!(
        told.contains("gesprek_morgen") && told.contains("09:00"),
        "{told}"
    );
}

async fn calls_off(house: &House, samira: CandidateId) {
    let meeting = plan(house, samira).await.meetings[0].clone();
    assert_eq!(meeting.state, MeetingState::Proposed);
    verb::cancel(&house.app, &house.scope, meeting.id, meeting.version)
        .await
        .unwrap();
    house.idle().await;
    settles(house).await;
}

async fn an_invitation_that_never_left_is_called_off_in_silence(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    let samira = drafted(&house).await;
    house.waiting(samira).await;
    calls_off(&house, samira).await;
    assert_eq!(house.graph.accepted().len(), 0, "she never heard of it");
    assert!(house.drafts(samira).await.is_empty());
    assert!(house.talk(samira).await.runs().next().is_none());
    let open = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL";
    assert_eq!(house.number(open).await, 0);
}

async fn an_invitation_that_left_is_taken_back_in_words(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    let samira = invited(&house).await;
    calls_off(&house, samira).await;
    let told = settles(&house).await;
    assert_eq!(house.graph.accepted().len(), 2);
    assert!(told.contains("gesprek_niet_kiezen"), "{told}");
    // No moment was agreed that could be named.
    assert!(!told.contains("gesprek_gaat_niet_door"), "{told}");
}

/// It stands in no plan any more.
async fn of_a_meeting_that_is_off_its_moment_can_be_told(database: Database) {
    let house = House::new(database).await;
    let karim = house.colleague("Karim Aydin").await;
    opens(&house, &karim).await;
    let samira = invited(&house).await;
    answers(&house, "1").await;
    let meeting = plan(&house, samira).await.meetings[0].clone();
    verb::cancel(&house.app, &house.scope, meeting.id, meeting.version)
        .await
        .unwrap();
    let told = settles(&house).await;
    let said = "je afspraak met Karim op dinsdag 10 maart gaat niet door. Noor";
    assert!(told.contains(said), "{told}");
    assert!(plan(&house, samira).await.meetings.is_empty());
}

/// The flag about the invitation is no end of the ladder: on the 27th day a coach hears of the silence.
async fn an_unanswered_invitation_leaves_the_silence_to_its_own_day(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    invited(&house).await;
    let flags = "SELECT why FROM flags WHERE why IN ('invitation_unanswered', 'silent_too_long') ORDER BY why";
    for day in 4..=29 {
        house.turn_to(moment(&format!("2026-03-{day:02}"), 9, 31));
        house.idle().await;
    }
    let unanswered = house.database.texts(flags).await;
    assert_eq!(unanswered, ["invitation_unanswered"]);
    house.turn_to(moment("2026-03-30", 9, 31));
    house.idle().await;
    let both = house.database.texts(flags).await;
    assert_eq!(both, ["invitation_unanswered", "silent_too_long"]);
}

/// The draft lay until its moments had passed: it does not go, and a coach hears that nobody was asked.
async fn nobody_is_asked_to_choose_among_moments_that_are_over(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    let samira = drafted(&house).await;
    let draft = house.waiting(samira).await;
    house.turn_to(moment("2026-03-17", 11, 0));
    house.idle().await;
    let state = house.message(draft.id).await.state;
    assert_eq!(state, MessageState::Expired);
    let flags = "SELECT why FROM flags WHERE why LIKE 'meeting%'";
    assert_eq!(house.database.texts(flags).await, ["meeting_untold"]);
    assert_eq!(house.graph.taken(), 0);
}

async fn who_lost_the_last_moment_is_told_how_it_goes_on(database: Database) {
    let house = House::new(database).await;
    opens(&house, &house.scope).await;
    invited(&house).await;
    house
        .database
        .execute("UPDATE slots SET taken = capacity, version = version + 1")
        .await;
    let told = answers(&house, "1").await;
    for words in ["Dat moment is net bezet.", "Ik geef het door aan Noor."] {
        assert!(told.contains(words), "{told}");
    }
}
