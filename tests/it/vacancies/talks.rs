//! From a match to the answer: one question at a time, looked at again before it leaves, and each answer
//! with what it changes and the way back.

use tussendoor::app::vacancies::{self, Lesson, Need, State, take};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::message::MessageState;
use tussendoor::domain::time::Timestamp;
use tussendoor::store::vacancies::Source;
use tussendoor::wire::feeds::Read;

use super::{can, found, has, looking, looks_for, raw, the};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_match_is_asked_and_a_yes_is_for_the_coach,
    too_far_narrows_the_search_says_so_and_can_be_taken_back,
    other_hours_narrow_the_search_and_can_be_taken_back,
    other_days_take_the_times_off_or_are_for_the_coach,
    a_no_refuses_the_work_says_so_and_can_be_taken_back,
    a_no_to_all_that_is_looked_for_is_for_the_coach,
    a_question_for_the_coach_is_a_flag,
    a_vacancy_that_closed_after_approval_is_not_asked,
    who_was_asked_is_told_that_it_is_gone,
    a_talk_that_cannot_hear_that_it_is_gone_holds_up_no_other,
    a_proposal_whose_vacancy_closed_is_withdrawn,
    one_a_day_three_a_week_the_best_first,
    nobody_is_asked_who_did_not_agree_or_whose_talk_is_with_the_coach,
    a_changed_search_lets_go_of_what_fits_no_longer,
    what_no_feed_has_told_of_for_long_is_not_proposed,
);

const NUMBER: &str = "+31612345678";

/// Samira looks for work in a warehouse.
async fn samira(database: Database) -> (House, CandidateId) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    looks_for(&house, candidate, "magazijn").await;
    (house, candidate)
}

/// She is asked about the best vacancy, by a template.
async fn asked(house: &House, candidate: CandidateId) {
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    house.approve(candidate).await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
}

/// She answers with a digit; what we say to that leaves as fast as the provider allows.
async fn answers(house: &House, digit: &str) {
    house.says(NUMBER, digit).await;
    house.wait(10);
    house.idle().await;
}

fn last_text(house: &House) -> String {
    let body = house.graph.accepted().last().unwrap().body.clone();
    let text = match body["type"].as_str() {
        Some("interactive") => &body["interactive"]["body"]["text"],
        _ => &body["text"]["body"],
    };
    text.as_str().unwrap_or_default().to_owned()
}

async fn flags(house: &House) -> Vec<String> {
    let sql = "SELECT why FROM flags WHERE closed_at IS NULL ORDER BY why";
    house.database.texts(sql).await
}

async fn a_match_is_asked_and_a_yes_is_for_the_coach(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    assert_eq!(
        the(&house, candidate, "Magazijnmedewerker").await.state,
        State::Found
    );
    asked(&house, candidate).await;
    let text = house.graph.accepted()[0].body.to_string();
    for part in [
        "Magazijnmedewerker",
        "De Kok",
        "24 tot 32 uur",
        "km in een rechte lijn",
        "geen rijbewijs nodig",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        the(&house, candidate, "Magazijnmedewerker").await.state,
        State::Asked
    );
    answers(&house, "1").await;
    let one = the(&house, candidate, "Magazijnmedewerker").await;
    assert_eq!(one.state, State::Yes);
    assert!(one.answered_at.is_some());
    assert_eq!(flags(&house).await, ["wants_vacancy"]);
}

async fn too_far_narrows_the_search_says_so_and_can_be_taken_back(database: Database) {
    let (house, candidate) = samira(database).await;
    has(
        &house,
        "een",
        &[
            raw("1", "Magazijnmedewerker", "1012"),
            raw("2", "Hulp in een magazijn", "1012"),
        ],
    )
    .await;
    asked(&house, candidate).await;
    let first = found(&house, candidate).await;
    let first = first.iter().find(|one| one.state == State::Asked).unwrap();
    let (first, km) = (
        first.vacancy,
        house.app.vacancies.places.km("1102", "1012").unwrap(),
    );
    answers(&house, "2").await;
    assert_eq!(
        last_text(&house),
        format!("Dank je. We zoeken nu tot {} km van je huis.", km - 1)
    );
    let search = looking(&house, candidate).await.unwrap().search;
    assert_eq!(search.radius_km, km - 1);
    let learned = &search.learned[0];
    assert_eq!(
        learned.lesson,
        Lesson::Nearer {
            from: 15,
            to: km - 1
        }
    );
    // The other one is as far: it fits no longer.
    let all = found(&house, candidate).await;
    let state = |own: bool| {
        all.iter()
            .find(|one| (one.vacancy == first) == own)
            .unwrap()
            .state
    };
    assert_eq!((state(true), state(false)), (State::TooFar, State::Closed));
    // One click on her page.
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get(&format!("/kandidaten/{candidate}")).await;
    let action = format!("/kandidaten/{candidate}/werk/terug");
    let lesson = page.field(&action, "les");
    assert!(page.text().contains("was te ver"), "{}", page.text());
    let page = browser.post(&action, &[("les", &lesson)]).await;
    assert_eq!(page.status, 303);
    let search = looking(&house, candidate).await.unwrap().search;
    assert_eq!(search.radius_km, 15);
    assert!(search.learned[0].undone);
    let all = found(&house, candidate).await;
    let state = |own: bool| {
        all.iter()
            .find(|one| (one.vacancy == first) == own)
            .unwrap()
            .state
    };
    assert_eq!((state(true), state(false)), (State::TooFar, State::Found));
    // Not twice.
    assert_eq!(browser.post(&action, &[("les", &lesson)]).await.status, 409);
}

async fn other_hours_narrow_the_search_and_can_be_taken_back(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    asked(&house, candidate).await;
    answers(&house, "3").await;
    assert!(last_text(&house).contains("Welke uren passen beter?"));
    let one = the(&house, candidate, "Magazijnmedewerker").await;
    assert_eq!(one.state, State::OtherHours);
    answers(&house, "1").await;
    assert_eq!(
        last_text(&house),
        "Dank je. We zoeken nu werk tot 23 uur per week."
    );
    let kept = looking(&house, candidate).await.unwrap();
    assert_eq!((kept.search.hours.least, kept.search.hours.most), (0, 23));
    let at: Timestamp = kept.search.learned[0].at;
    vacancies::search::unlearn(&house.app, &house.scope, candidate, at)
        .await
        .unwrap();
    let kept = looking(&house, candidate).await.unwrap();
    assert!(!kept.search.hours.known());
    assert!(flags(&house).await.is_empty());
}

async fn other_days_take_the_times_off_or_are_for_the_coach(database: Database) {
    let (house, candidate) = samira(database).await;
    let mut weekend = raw("1", "Magazijnmedewerker", "1012");
    weekend.text = "Je werkt 16 uur in het weekend.".into();
    has(&house, "een", &[weekend]).await;
    asked(&house, candidate).await;
    answers(&house, "3").await;
    answers(&house, "3").await;
    let kept = looking(&house, candidate).await.unwrap();
    assert!(!kept.search.has.contains(&Need::Weekend));
    assert_eq!(
        last_text(&house),
        "Dank je. We zoeken nu werk op andere tijden."
    );
    // One without times teaches nothing: a promise would be nobody's.
    house.turn_to(moment("2026-03-04", 9, 0));
    has(&house, "een", &[raw("2", "Hulp in een magazijn", "1012")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    house.approve(candidate).await;
    house.idle().await;
    answers(&house, "3").await;
    answers(&house, "3").await;
    let kept = looking(&house, candidate).await.unwrap();
    assert_eq!(kept.search.learned[1].lesson, Lesson::Nothing);
    assert_eq!(flags(&house).await, ["asks_about_vacancy"]);
}

async fn a_no_refuses_the_work_says_so_and_can_be_taken_back(database: Database) {
    let (house, candidate) = samira(database).await;
    has(
        &house,
        "een",
        &[
            raw("1", "Magazijnmedewerker, avond", "1102"),
            raw("2", "Magazijnmedewerker avond", "1012"),
            raw("3", "Hulp in een magazijn", "1012"),
        ],
    )
    .await;
    asked(&house, candidate).await;
    let state = async |title| the(&house, candidate, title).await.state;
    assert_eq!(state("Magazijnmedewerker, avond").await, State::Asked);
    answers(&house, "5").await;
    assert_eq!(last_text(&house), "Dank je. We zoeken nu ander werk.");
    let one = the(&house, candidate, "Magazijnmedewerker, avond").await;
    assert_eq!(one.state, State::No);
    assert!(one.answered_at.is_some());
    assert!(flags(&house).await.is_empty(), "nothing to look at");
    // What has the same words is not asked; the rest is.
    assert_eq!(state("Magazijnmedewerker avond").await, State::Closed);
    assert_eq!(state("Hulp in een magazijn").await, State::Found);
    let search = looking(&house, candidate).await.unwrap().search;
    assert_eq!(search.not_words, ["magazijnmedewerker avond"]);
    // The coach sees it in words, can save the page as it is, and takes it back by one click.
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get(&format!("/kandidaten/{candidate}")).await;
    let text = page.text();
    assert!(text.contains("was niet het goede werk"), "{text}");
    assert!(text.contains("wil dit niet"), "{text}");
    let action = format!("/kandidaten/{candidate}/werk/terug");
    let lesson = page.field(&action, "les");
    assert_eq!(browser.post(&action, &[("les", &lesson)]).await.status, 303);
    let search = looking(&house, candidate).await.unwrap().search;
    assert!(search.not_words.is_empty() && search.learned[0].undone);
    assert_eq!(state("Magazijnmedewerker avond").await, State::Found);
    assert_eq!(state("Magazijnmedewerker, avond").await, State::No);
}

async fn a_no_to_all_that_is_looked_for_is_for_the_coach(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijn", "1012")]).await;
    asked(&house, candidate).await;
    answers(&house, "5").await;
    assert_eq!(last_text(&house), "Dank je. We vertellen het je coach.");
    assert_eq!(the(&house, candidate, "Magazijn").await.state, State::No);
    assert_eq!(flags(&house).await, ["asks_about_vacancy"]);
    let search = looking(&house, candidate).await.unwrap().search;
    assert!(search.not_words.is_empty());
}

async fn a_question_for_the_coach_is_a_flag(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    asked(&house, candidate).await;
    answers(&house, "4").await;
    let one = the(&house, candidate, "Magazijnmedewerker").await;
    assert_eq!(one.state, State::AskCoach);
    assert_eq!(flags(&house).await, ["asks_about_vacancy"]);
}

async fn a_vacancy_that_closed_after_approval_is_not_asked(database: Database) {
    let (house, candidate) = samira(database).await;
    let mut one = raw("1", "Magazijnmedewerker", "1012");
    one.closes = "2026-03-03".into();
    has(&house, "een", &[one]).await;
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    let id = house.approve(candidate).await;
    // Overnight its last day passed, and nobody has looked yet.
    house.turn_to(moment("2026-03-04", 9, 0));
    house.idle().await;
    let message = house.message(id).await;
    assert_eq!(message.state, MessageState::Cancelled);
    assert_eq!(message.state_why.as_deref(), Some("vacancy_gone"));
    assert_eq!(house.graph.accepted().len(), 0);
    let open = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL";
    assert_eq!(house.number(open).await, 0);
    assert_ne!(
        the(&house, candidate, "Magazijnmedewerker").await.state,
        State::Asked
    );
}

async fn who_was_asked_is_told_that_it_is_gone(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    asked(&house, candidate).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    has(&house, "een", &[raw("2", "Bakker", "1012")]).await;
    house.idle().await;
    let one = the(&house, candidate, "Magazijnmedewerker").await;
    assert_eq!(one.state, State::Closed);
    let drafts = house.drafts(candidate).await;
    let told: Vec<&str> = drafts.iter().map(|it| it.why.as_str()).collect();
    assert_eq!(told, ["vacancy/closed"]);
    assert!(house.talk(candidate).await.front().is_none());
    // Told once.
    vacancies::work(&house.app).await.unwrap();
    assert_eq!(house.drafts(candidate).await.len(), 1);
}

async fn a_talk_that_cannot_hear_that_it_is_gone_holds_up_no_other(database: Database) {
    let house = House::set(
        database,
        &[(
            "TUSSENDOOR_ORGANISATIONS__ZEESTAD__NAME",
            "Gemeente Zeestad",
        )],
    )
    .await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    looks_for(&house, candidate, "magazijn").await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    asked(&house, candidate).await;
    house.wait(60);
    let spoil = "UPDATE talks SET body_sealed = (SELECT name_sealed FROM candidates WHERE id = candidate_id)";
    house.database.execute(spoil).await;
    // The other organisation comes after this one.
    let other = *house.app.houses.keys().last().unwrap();
    assert!(other > house.scope.organisation);
    let source = Source {
        organisation: other,
        name: "twee",
    };
    let read = Read {
        vacancies: vec![raw("1", "Tuinman", "1012")],
        unread: 0,
    };
    take::take(&house.app, source, &read, true, 0)
        .await
        .unwrap();
    has(&house, "een", &[raw("2", "Bakker", "1012")]).await;
    let left = "SELECT COUNT(*) FROM vacancies WHERE matched_at IS NULL";
    assert_eq!(house.number(left).await, 0);
    assert_eq!(flags(&house).await, ["stuck"]);
    let one = the(&house, candidate, "Magazijnmedewerker").await;
    assert_eq!(one.state, State::Closed);
}

async fn a_proposal_whose_vacancy_closed_is_withdrawn(database: Database) {
    let (house, candidate) = samira(database).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    let waits = "SELECT COUNT(*) FROM nudges WHERE rule = 'vacancy' AND closed_at IS NULL";
    assert_eq!(house.number(waits).await, 1);
    house.wait(60);
    has(&house, "een", &[raw("2", "Bakker", "1012")]).await;
    let closed = "SELECT because FROM nudges WHERE rule = 'vacancy'";
    assert_eq!(house.database.texts(closed).await, ["withdrawn"]);
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    assert!(house.drafts(candidate).await.is_empty());
}

async fn one_a_day_three_a_week_the_best_first(database: Database) {
    let (house, candidate) = samira(database).await;
    let near = raw("1", "Magazijnmedewerker", "1102");
    let far = raw("2", "Hulp in een magazijn", "1012");
    let mut all = vec![far, near];
    for n in 3..8 {
        let mut text_only = raw(&n.to_string(), &format!("Medewerker {n}"), "1012");
        text_only.text = "Je werkt in het magazijn.".into();
        all.push(text_only);
    }
    has(&house, "een", &all).await;
    let scores: Vec<u32> = found(&house, candidate)
        .await
        .iter()
        .map(|it| it.score)
        .collect();
    assert_eq!(scores.len(), 5, "the best five are kept");
    let mut asked = Vec::new();
    for day in 3..10 {
        house.turn_to(moment(&format!("2026-03-{day:02}"), 9, 31));
        vacancies::work(&house.app).await.unwrap();
        house.idle().await;
        let waiting = house.drafts(candidate).await;
        assert!(waiting.len() <= 1, "one at a time");
        for draft in &waiting {
            if !asked.contains(&draft.subject) {
                asked.push(draft.subject);
            }
            house.approve(candidate).await;
            house.idle().await;
            answers(&house, "1").await;
        }
    }
    assert_eq!(asked.len(), 3, "three in seven days");
    let best = super::id_of(&house, "Magazijnmedewerker").await;
    assert_eq!(asked[0], tussendoor::domain::plan::Subject::Vacancy(best));
}

async fn nobody_is_asked_who_did_not_agree_or_whose_talk_is_with_the_coach(database: Database) {
    let house = House::new(database).await;
    let without = house.candidate("Samira", NUMBER, false).await;
    let taken = house.candidate("Daan", "+31687654321", true).await;
    for candidate in [without, taken] {
        looks_for(&house, candidate, "magazijn").await;
    }
    tussendoor::app::takeover::take_over(&house.app, &house.scope, taken)
        .await
        .unwrap();
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    for candidate in [without, taken] {
        assert_eq!(found(&house, candidate).await.len(), 1);
    }
    let all = "SELECT COUNT(*) FROM nudges WHERE rule = 'vacancy'";
    assert_eq!(house.number(all).await, 0);
}

async fn a_changed_search_lets_go_of_what_fits_no_longer(database: Database) {
    let (house, candidate) = samira(database).await;
    has(
        &house,
        "een",
        &[
            raw("1", "Magazijnmedewerker", "1012"),
            raw("2", "Bakker", "1012"),
        ],
    )
    .await;
    assert_eq!(
        the(&house, candidate, "Magazijnmedewerker").await.state,
        State::Found
    );
    looks_for(&house, candidate, "bakker").await;
    assert_eq!(
        the(&house, candidate, "Magazijnmedewerker").await.state,
        State::Closed
    );
    assert_eq!(the(&house, candidate, "Bakker").await.state, State::Found);
    let waits = "SELECT COUNT(*) FROM nudges WHERE rule = 'vacancy' AND closed_at IS NULL";
    assert_eq!(house.number(waits).await, 0);
    assert!(can(&[Need::DrivingB]).contains(&Need::DrivingB));
}

async fn what_no_feed_has_told_of_for_long_is_not_proposed(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    house.turn_to(moment("2026-03-18", 9, 31));
    looks_for(&house, candidate, "magazijn").await;
    vacancies::work(&house.app).await.unwrap();
    assert!(found(&house, candidate).await.is_empty());
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    looks_for(&house, candidate, "magazijn").await;
    assert_eq!(found(&house, candidate).await.len(), 1);
}
