//! What is looked at once more: before a message leaves, and before an answer about it is believed.

use tussendoor::app::approve::{self, Doubt, Seen};
use tussendoor::app::{AppError, outcome, send};
use tussendoor::domain::ids::{CandidateId, MessageId};
use tussendoor::domain::message::MessageState;
use tussendoor::store::attempts;
use tussendoor::store::contacts::{self, How};

use crate::support::database::{Database, on_both};
use crate::support::graph::{self, Behaviour};
use crate::support::house::{House, moment};
use crate::support::wait::between_looks;

on_both!(
    a_consent_taken_back_after_approval_stops_it,
    an_approval_of_other_words_is_refused,
    a_send_whose_lease_ran_out_is_never_sent_again_by_itself,
    a_late_answer_of_an_earlier_attempt_changes_nothing,
    a_doubt_that_is_left_alone_holds_up_nothing_that_comes_after,
    a_report_that_comes_first_settles_a_doubt_and_the_coach_hears_so,
);

/// A house with one draft that waits for a coach.
async fn drafted(database: Database) -> (House, CandidateId) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    (house, candidate)
}

async fn a_consent_taken_back_after_approval_stops_it(database: Database) {
    let (house, candidate) = drafted(database).await;
    let id = house.approve(candidate).await;
    let now = house.app.now();
    let what = (house.message(id).await.purpose, false, How::Coach);
    let mut tx = house.app.store.write().await.unwrap();
    let row = house.app.row_id(now);
    contacts::record_consent(&mut tx, row, candidate, what, "whatsapp", now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    house.wait(11);
    house.idle().await;
    let found = house.message(id).await;
    assert_eq!(found.state, MessageState::Cancelled);
    assert_eq!(found.state_why.as_deref(), Some("no_consent"));
    assert_eq!(house.graph.accepted().len(), 0);
}

/// The right version is not enough: the page must have shown these very words.
async fn an_approval_of_other_words_is_refused(database: Database) {
    let (house, candidate) = drafted(database).await;
    let draft = house.waiting(candidate).await;
    let seen = Seen {
        version: draft.version,
        content_hash: "0".repeat(draft.content_hash.len()),
    };
    let refused = approve::approve(&house.app, &house.scope, draft.id, &seen).await;
    assert!(matches!(refused, Err(AppError::Overtaken { .. })));
    assert_eq!(house.message(draft.id).await.state, MessageState::Waiting);
}

/// An attempt that nobody hears of again: its lease runs out and it is in doubt.
async fn lost(house: &House, id: MessageId) {
    house.wait(house.app.limits.lease_seconds + 1);
    assert_eq!(outcome::lost(&house.app).await.unwrap(), 1);
    assert_eq!(house.message(id).await.state, MessageState::InDoubt);
}

async fn a_send_whose_lease_ran_out_is_never_sent_again_by_itself(database: Database) {
    let (house, candidate) = drafted(database).await;
    let id = house.approve(candidate).await;
    house.wait(11);
    let jobs = send::round(&house.app, &mut Vec::new(), 64).await.unwrap();
    // It reached the provider, and then the process was gone.
    for job in jobs {
        send::carry(house.app.clone(), job).await;
    }
    lost(&house, id).await;
    for _ in 0..3 {
        house.wait(3600);
        house.idle().await;
    }
    assert_eq!(house.graph.accepted().len(), 1);
    assert_eq!(house.message(id).await.state, MessageState::InDoubt);
}

/// The first attempt is given up for doubt and a coach says "again". While the second is on its way, the
/// answer of the first comes after all: "try later". That is true of an attempt that is over.
async fn a_late_answer_of_an_earlier_attempt_changes_nothing(database: Database) {
    let (house, candidate) = drafted(database).await;
    let id = house.approve(candidate).await;
    house.wait(11);
    house
        .graph
        .script(Behaviour::Status(429, graph::error(130_429, "x")), 1);
    let mut jobs = send::round(&house.app, &mut Vec::new(), 64).await.unwrap();
    let late = send::carry(house.app.clone(), jobs.remove(0)).await;
    lost(&house, id).await;
    let version = house.message(id).await.version;
    approve::resolve_doubt(&house.app, &house.scope, id, version, Doubt::Again)
        .await
        .unwrap();
    house.wait(11);
    let mut jobs = send::round(&house.app, &mut Vec::new(), 64).await.unwrap();
    assert_eq!(house.message(id).await.attempt, 2);
    send::round(&house.app, &mut vec![late], 64).await.unwrap();
    let found = house.message(id).await;
    assert_eq!((found.state, found.attempt), (MessageState::Sending, 2));
    let back = send::carry(house.app.clone(), jobs.remove(0)).await;
    send::round(&house.app, &mut vec![back], 64).await.unwrap();
    assert_eq!(house.message(id).await.state, MessageState::Accepted);
    house.wait(3600);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
}

/// Perhaps they have the question, perhaps not. It counts as put: an answer to it is heard, and silence leads
/// on to the next rung.
async fn a_doubt_that_is_left_alone_holds_up_nothing_that_comes_after(database: Database) {
    let (house, candidate) = drafted(database).await;
    let id = house.approve(candidate).await;
    house.graph.script(Behaviour::AcceptThenReset, 1);
    house.idle().await;
    let message = house.message(id).await;
    assert_eq!(message.state, MessageState::InDoubt);
    let (app, scope) = (&house.app, &house.scope);
    approve::resolve_doubt(app, scope, id, message.version, Doubt::LeaveAlone)
        .await
        .unwrap();
    house.idle().await;
    assert_eq!(house.message(id).await.state, MessageState::InDoubt);
    house.turn_to(moment("2026-03-10", 9, 31));
    house.idle().await;
    assert_eq!(house.waiting(candidate).await.why, "task_nudge/smaller");
    house.says("+31612345678", "KLAAR 1").await;
    let open = "SELECT COUNT(*) FROM tasks WHERE state = 'open'";
    assert_eq!(house.number(open).await, 0);
    house.idle().await;
    let unended = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL";
    assert_eq!(house.number(unended).await, 0);
}

/// The report is being written while the coach says that it arrived: it counts once. SQLite has one writer, so
/// that the coach reads what the report wrote.
async fn a_report_that_comes_first_settles_a_doubt_and_the_coach_hears_so(database: Database) {
    let (house, candidate) = drafted(database).await;
    let id = house.approve(candidate).await;
    house.graph.script(Behaviour::AcceptThenReset, 1);
    house.idle().await;
    let message = house.message(id).await;
    assert_eq!(message.state, MessageState::InDoubt);
    let (app, scope) = (&house.app, &house.scope);
    let mut tx = app.store.write().await.unwrap();
    let proven = attempts::proven(&mut tx, id, message.attempt, app.now()).await;
    assert!(proven.unwrap());
    let by_hand = approve::resolve_doubt(app, scope, id, message.version, Doubt::Arrived);
    let report = async {
        let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while house.app.store.is_postgres() && house.number(waits).await == 0 {
            between_looks().await;
        }
        tx.commit().await.unwrap();
    };
    let (by_hand, ()) = tokio::join!(by_hand, report);
    let what = "doubt_settled";
    assert!(matches!(by_hand, Err(AppError::Overtaken { what: told }) if told == what));
    let noted = "SELECT COUNT(*) FROM approvals WHERE verb = 'approve'";
    assert_eq!(house.number(noted).await, 1, "of the draft");
}
