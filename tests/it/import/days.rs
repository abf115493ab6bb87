//! A due day that the caller changed: what was to be asked of the old one is not asked.

use tussendoor::app::import::sheet::Kind;
use tussendoor::domain::contact::Purpose;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::message::MessageState;
use tussendoor::store::contacts::{self, How};

use super::{bring_in, candidate, edited, files};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_draft_about_a_day_that_moved_is_taken_back,
    a_row_about_a_day_that_moved_starts_nothing,
);

/// Samira's first step is due on 4 March; she agreed to hear of steps.
async fn begun(database: Database) -> (House, CandidateId) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let samira = candidate(&house, "k-101").await;
    let now = house.app.now();
    let row = house.app.row_id(now);
    let what = (Purpose::Tasks, true, How::Coach);
    let mut tx = house.app.store.write().await.unwrap();
    contacts::record_consent(&mut tx, row, samira, what, "whatsapp", now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (house, samira)
}

async fn moves(house: &House) {
    let later = edited(Kind::Tasks, &[("2026-03-04,open", "2026-03-16,open")]);
    let report = bring_in(house, later).await;
    assert_eq!(report, "tasks.csv: 0 created, 1 updated, 3 unchanged\n");
}

async fn of_the_first(house: &House) -> Vec<String> {
    let sql = "SELECT n.due_on || ' ' || COALESCE(n.because, 'open') FROM nudges n JOIN tasks t ON n.subject = 'task:' || t.id JOIN candidates c ON c.id = t.candidate_id WHERE t.number = 1 AND c.digital_skill = 'starter' ORDER BY n.due_on";
    house.database.texts(sql).await
}

async fn a_draft_about_a_day_that_moved_is_taken_back(database: Database) {
    let (house, samira) = begun(database).await;
    house.turn_to(moment("2026-03-03", 9, 30));
    house.idle().await;
    let draft = house.waiting(samira).await.id;
    moves(&house).await;
    let draft = house.message(draft).await;
    assert_eq!(draft.state, MessageState::Cancelled);
    assert_eq!(draft.state_why.as_deref(), Some("overtaken"));
    assert!(house.talk(samira).await.runs().next().is_none());
    assert_eq!(of_the_first(&house).await, ["2026-03-04 withdrawn"]);
    house.turn_to(moment("2026-03-05", 9, 30));
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty());
    // The working day before the new day is another day.
    house.turn_to(moment("2026-03-13", 9, 30));
    house.idle().await;
    assert_eq!(
        of_the_first(&house).await,
        ["2026-03-04 withdrawn", "2026-03-16 open"]
    );
}

async fn a_row_about_a_day_that_moved_starts_nothing(database: Database) {
    let (house, samira) = begun(database).await;
    // The rules look before nudges may go.
    house.turn_to(moment("2026-03-03", 7, 30));
    house.idle().await;
    assert_eq!(of_the_first(&house).await, ["2026-03-04 open"]);
    moves(&house).await;
    assert_eq!(of_the_first(&house).await, ["2026-03-04 withdrawn"]);
    house.turn_to(moment("2026-03-03", 9, 30));
    house.idle().await;
    assert!(house.drafts(samira).await.is_empty());
}
