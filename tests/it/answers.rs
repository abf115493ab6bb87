//! What a word or a thumb of a person does, as it goes over the wire.

use serde_json::json;
use tussendoor::domain::contact::Purpose;
use tussendoor::domain::ids::CandidateId;
use tussendoor::store::contacts;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    another_language_is_answered_in_that_language,
    a_thumb_under_thanks_is_no_message_that_waits_for_an_answer,
    start_gives_back_what_stop_took_and_no_more,
    who_asked_for_more_time_is_not_asked_about_the_old_day,
    a_row_of_an_old_day_is_withdrawn_when_it_would_start,
);

const NUMBER: &str = "+31612345678";

async fn samira(house: &House) -> CandidateId {
    house.candidate("Samira", NUMBER, true).await
}

/// The answer to these words.
async fn answer(house: &House, words: &str) -> String {
    let before = house.graph.accepted().len();
    house.says(NUMBER, words).await;
    house.wait(10);
    house.idle().await;
    let all = house.graph.accepted();
    assert_eq!(all.len(), before + 1, "one answer to {words}");
    all[before].body["text"]["body"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn another_language_is_answered_in_that_language(database: Database) {
    let house = House::new(database).await;
    samira(&house).await;
    let said = answer(&house, "TAAL EN").await;
    assert!(said.contains("English"), "{said}");
    let said = answer(&house, "TAAL NL").await;
    assert!(said.contains("in het Nederlands"), "{said}");
    // A language without texts of its own: Dutch, and the line that the coach helps.
    let said = answer(&house, "TAAL AR").await;
    assert!(said.contains("مدربك يساعدك"), "{said}");
}

async fn a_thumb_under_thanks_is_no_message_that_waits_for_an_answer(database: Database) {
    let house = House::new(database).await;
    let samira = samira(&house).await;
    house.plan(samira, &[("cv maken", "2026-03-20")]).await;
    answer(&house, "KLAAR 1").await;
    let thanks = house.graph.accepted().pop().unwrap();
    let thumb =
        json!({"type": "reaction", "reaction": {"message_id": thanks.wamid, "emoji": "👍"}});
    let webhook = house.graph.webhook_message(NUMBER, "Samira", thumb);
    assert_eq!(house.deliver(&webhook).await, 200);
    house.idle().await;
    let waits = "SELECT COUNT(*) FROM candidates WHERE unanswered_since_at IS NOT NULL";
    assert_eq!(house.number(waits).await, 0);
    assert_eq!(house.number("SELECT COUNT(*) FROM flags").await, 0);
    // It was heard all the same.
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 2);
}

async fn start_gives_back_what_stop_took_and_no_more(database: Database) {
    let house = House::new(database).await;
    let samira = samira(&house).await;
    answer(&house, "STOP VACATURES").await;
    answer(&house, "STOP").await;
    answer(&house, "START").await;
    let mut tx = house.app.store.read().await.unwrap();
    let consent = contacts::consent(&mut tx, samira).await.unwrap();
    let asked = Purpose::ASKED.into_iter();
    let but_vacancies = asked.filter(|purpose| *purpose != Purpose::Vacancies);
    assert_eq!(consent, but_vacancies.collect());
}

async fn who_asked_for_more_time_is_not_asked_about_the_old_day(database: Database) {
    let house = House::new(database).await;
    let samira = samira(&house).await;
    house.plan(samira, &[("cv maken", "2026-03-04")]).await;
    // The rules look before nudges may go.
    house.turn_to(moment("2026-03-03", 7, 30));
    house.idle().await;
    let rows =
        "SELECT due_on || ' ' || COALESCE(because, 'open') FROM nudges WHERE rule = 'task_due'";
    assert_eq!(house.database.texts(rows).await, ["2026-03-04 open"]);
    let said = answer(&house, "LATER 10").await;
    assert!(said.contains("meer tijd"), "{said}");
    assert_eq!(house.database.texts(rows).await, ["2026-03-04 withdrawn"]);
    house.turn_to(moment("2026-03-03", 9, 30));
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty());
}

/// Whatever changed the day: a row about another one asks nothing.
async fn a_row_of_an_old_day_is_withdrawn_when_it_would_start(database: Database) {
    let house = House::new(database).await;
    let samira = samira(&house).await;
    house.plan(samira, &[("cv maken", "2026-03-04")]).await;
    house.turn_to(moment("2026-03-03", 7, 30));
    house.idle().await;
    let later = "UPDATE tasks SET due_on = '2026-03-25'";
    crate::support::database::execute(&house.database, later).await;
    house.turn_to(moment("2026-03-03", 9, 30));
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty());
    let rows = "SELECT because FROM nudges WHERE rule = 'task_due'";
    assert_eq!(house.database.texts(rows).await, ["withdrawn"]);
}
