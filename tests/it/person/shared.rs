//! One number of two people: what the other wrote is in no export of this one, and no erasure takes it.

use tussendoor::app::export::{self, Export};
use tussendoor::app::{erase, unpack};
use tussendoor::domain::contact::AddressState;
use tussendoor::domain::ids::CandidateId;
use tussendoor::store::addresses;

use crate::support::database::{Database, on_both};
use crate::support::graph::{self, Webhook, sign};
use crate::support::house::House;

on_both!(
    what_came_in_for_another_organisation_is_not_this_ones,
    what_came_from_a_shared_phone_may_be_the_others,
    what_came_from_a_number_that_was_left_long_ago_is_a_strangers,
    what_only_this_person_can_have_written_is_theirs,
);

const NUMBER: &str = "+31612345678";
const OTHER_LINE: &str = "206540352242922";
const OTHER_HOUSE: &[(&str, &str)] = &[
    (
        "TUSSENDOOR_ORGANISATIONS__ZEESTAD__NAME",
        "Gemeente Zeestad",
    ),
    ("TUSSENDOOR_ORGANISATIONS__ZEESTAD__TEAMS", "Team Zee"),
    ("TUSSENDOOR_LINES__ZEE__ORGANISATION", "zeestad"),
    ("TUSSENDOOR_LINES__ZEE__ENDPOINT", "meta"),
    ("TUSSENDOOR_LINES__ZEE__ADDRESS", OTHER_LINE),
    ("TUSSENDOOR_LINES__ZEE__DISPLAY", "+31 20 765 4321"),
];
const WAITS: &str = "SELECT COUNT(*) FROM inbox WHERE state = 'new'";

async fn told(house: &House, candidate: CandidateId) -> String {
    match export::export(&house.app, candidate).await.unwrap() {
        Export::Told(told) => told.to_string(),
        _ => panic!("there is something to tell"),
    }
}

async fn erased(house: &House, candidate: CandidateId) {
    let outcome = erase::erase(&house.app, candidate).await.unwrap();
    assert!(matches!(outcome, erase::Outcome::Erased(_)));
}

/// Delivered and unpacked; nobody heard it yet.
async fn waits(house: &House, webhook: &Webhook) {
    assert_eq!(house.deliver(webhook).await, 200);
    unpack::unpack(&house.app).await.unwrap();
    assert_eq!(house.number(WAITS).await, 1);
}

/// The same message, on the line of the other organisation.
fn on_the_other_line((body, _): &Webhook) -> Webhook {
    let body = String::from_utf8(body.clone()).unwrap();
    assert!(body.contains(graph::LINE));
    sign(body.replace(graph::LINE, OTHER_LINE).into_bytes())
}

async fn what_came_in_for_another_organisation_is_not_this_ones(database: Database) {
    let house = House::set(database, OTHER_HOUSE).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    // Zeestad knows the number too.
    let hello = house.graph.webhook_text(NUMBER, "Samira", "dag Zeestad");
    assert_eq!(house.deliver(&on_the_other_line(&hello)).await, 200);
    house.idle().await;
    let said = house.graph.webhook_text(NUMBER, "Samira", "zwaluw");
    waits(&house, &on_the_other_line(&said)).await;

    assert!(!told(&house, samira).await.contains("zwaluw"));
    erased(&house, samira).await;
    assert_eq!(house.number(WAITS).await, 1);
    house.idle().await;
    let heard = "SELECT COUNT(*) FROM incoming i JOIN candidates c ON c.id = i.candidate_id JOIN organisations o ON o.id = c.organisation_id WHERE o.name = 'Gemeente Zeestad'";
    assert_eq!(house.number(heard).await, 2);
}

async fn what_came_from_a_shared_phone_may_be_the_others(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let daan = house.candidate("Daan", NUMBER, true).await;
    waits(&house, &house.graph.webhook_text(NUMBER, "Daan", "zwaluw")).await;
    assert!(!told(&house, samira).await.contains("zwaluw"));
    erased(&house, samira).await;
    assert_eq!(house.number(WAITS).await, 1);
    house.idle().await;
    assert!(told(&house, daan).await.contains("zwaluw"));
}

async fn what_came_from_a_number_that_was_left_long_ago_is_a_strangers(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    let mut tx = house.app.store.write().await.unwrap();
    let person = tussendoor::app::turn::person(&mut tx, samira)
        .await
        .unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    for address in addresses::of(&mut tx, &sealer, samira).await.unwrap() {
        addresses::set_state(&mut tx, address.id, AddressState::Dead, house.app.now())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    house.wait(31 * 24 * 3600);
    waits(&house, &house.graph.webhook_text(NUMBER, "Daan", "zwaluw")).await;
    assert!(!told(&house, samira).await.contains("zwaluw"));
    erased(&house, samira).await;
    assert_eq!(house.number(WAITS).await, 1);
}

async fn what_only_this_person_can_have_written_is_theirs(database: Database) {
    let house = House::set(database, OTHER_HOUSE).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    waits(
        &house,
        &house.graph.webhook_text(NUMBER, "Samira", "zwaluw"),
    )
    .await;
    assert!(told(&house, samira).await.contains("zwaluw"));
    erased(&house, samira).await;
    assert_eq!(house.number(WAITS).await, 0);
}
