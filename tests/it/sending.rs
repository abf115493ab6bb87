//! Sending, against a Graph stand-in that misbehaves: what each answer proves, and what then happens.
//! Judged by the stand-in's own count, not by our tables.

use std::time::Duration;

use tussendoor::app::approve::{self, Doubt, Seen};
use tussendoor::app::{AppError, inbox, send, takeover, unpack};
use tussendoor::domain::ids::{CandidateId, MessageId};
use tussendoor::domain::message::MessageState;

use crate::support::database::{Database, on_both};
use crate::support::graph::{self, Behaviour};
use crate::support::house::{House, moment};

const NUMBER: &str = "+31612345678";

on_both!(
    what_each_answer_proves,
    doubt_is_settled_by_a_receipt,
    doubt_is_settled_by_a_coach,
    a_receipt_may_overtake_the_answer_of_its_send,
    a_number_that_moved_is_followed_and_the_old_one_stays_silent,
    an_undeliverable_template_leaves_a_flag_and_no_second_message,
    a_shut_window_takes_the_template,
    stop_between_approval_and_send_wins,
    two_clicks_send_once,
    an_edited_draft_has_another_hash,
    a_paused_line_holds_everything_until_a_start,
    quiet_hours_hold_at_the_last_look,
    a_digit_answers_no_draft_that_nobody_saw,
);

/// A house with one draft that a coach approved; nothing has left.
async fn approved(database: Database) -> (House, CandidateId, MessageId) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let message = house.approve(candidate).await;
    (house, candidate, message)
}

async fn what_each_answer_proves(database: Database) {
    let cases = [
        (Behaviour::Accept, MessageState::Accepted, 1),
        (Behaviour::AcceptThenReset, MessageState::InDoubt, 1),
        (Behaviour::ResetBeforeReading, MessageState::InDoubt, 0),
        (Behaviour::AnswerGarbage2xx, MessageState::InDoubt, 1),
        (Behaviour::AcceptAnd500, MessageState::InDoubt, 1),
        (
            Behaviour::Status(500, graph::error(131_000, "x")),
            MessageState::InDoubt,
            0,
        ),
        (
            Behaviour::Status(503, graph::error(2, "x")),
            MessageState::InDoubt,
            0,
        ),
        (
            Behaviour::Status(400, graph::error(130_429, "x")),
            MessageState::Retry,
            0,
        ),
        (
            Behaviour::Status(400, graph::error(131_056, "x")),
            MessageState::Retry,
            0,
        ),
        (
            Behaviour::Status(429, graph::error(4, "x")),
            MessageState::Retry,
            0,
        ),
        (
            Behaviour::Status(400, graph::error(131_026, "x")),
            MessageState::Rejected,
            0,
        ),
        (
            Behaviour::Status(400, graph::error(132_000, "x")),
            MessageState::Rejected,
            0,
        ),
        (
            Behaviour::Status(401, graph::error(190, "x")),
            MessageState::Retry,
            0,
        ),
    ];
    let (house, first, message) = approved(database).await;
    let mut current = (first, message);
    for (n, (behaviour, state, taken)) in cases.into_iter().enumerate() {
        let before = house.graph.accepted().len();
        house.graph.script(behaviour.clone(), 1);
        house.send().await;
        let found = house.message(current.1).await;
        assert_eq!(found.state, state, "{behaviour:?}");
        assert_eq!(
            house.graph.accepted().len() - before,
            taken,
            "{behaviour:?}"
        );
        // However long we wait within the day: what is in doubt or ended is not sent again by itself.
        if !matches!(state, MessageState::Retry) {
            house.wait(3600);
            house.idle().await;
            assert_eq!(
                house.graph.accepted().len() - before,
                taken,
                "{behaviour:?}, an hour later"
            );
        }
        if n + 1 < 13 {
            current = next(&house, n).await;
        }
    }
}

/// Another person with an approved draft, on a later working day; the line is open.
async fn next(house: &House, n: usize) -> (CandidateId, MessageId) {
    let mut tx = house.app.store.write().await.unwrap();
    for line in house.app.lines.keys() {
        tussendoor::store::lines::resume_line(&mut tx, *line)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let number = format!("+316200000{n:02}");
    let candidate = house.candidate("Yusuf", &number, true).await;
    let days = [
        "2026-03-06",
        "2026-03-10",
        "2026-03-11",
        "2026-03-12",
        "2026-03-13",
        "2026-03-17",
        "2026-03-18",
        "2026-03-19",
        "2026-03-20",
        "2026-03-24",
        "2026-03-25",
        "2026-03-26",
    ];
    let eves = [
        "2026-03-05",
        "2026-03-09",
        "2026-03-10",
        "2026-03-11",
        "2026-03-12",
        "2026-03-16",
        "2026-03-17",
        "2026-03-18",
        "2026-03-19",
        "2026-03-23",
        "2026-03-24",
        "2026-03-25",
    ];
    house.plan(candidate, &[("cv maken", days[n])]).await;
    house.turn_to(moment(eves[n], 9, 31));
    house.idle().await;
    (candidate, house.approve(candidate).await)
}

async fn doubt_is_settled_by_a_receipt(database: Database) {
    let (house, candidate, message) = approved(database).await;
    house.graph.script(Behaviour::AcceptThenReset, 1);
    house.send().await;
    assert_eq!(house.message(message).await.state, MessageState::InDoubt);
    let sent = house.graph.accepted().remove(0);
    house.wait(10);
    house.says(NUMBER, "PLAN").await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1, "doubt holds the answer");
    let webhook = house.graph.webhook_status(&sent, "delivered");
    assert_eq!(house.deliver(&webhook).await, 200);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 2, "the answer leaves at once");
    let found = house.message(message).await;
    assert_eq!(found.state, MessageState::Accepted);
    assert!(found.delivered_at.is_some());
    assert_eq!(house.talk(candidate).await.state_name(), "asking");
    assert_eq!(house.graph.count(&sent.recipient, &sent.token), 1);
}

/// With our token in it, and without: then it waits in the receipts until the answer names its id.
async fn a_receipt_may_overtake_the_answer_of_its_send(database: Database) {
    let (house, candidate, message) = approved(database).await;
    for (n, with_token) in [true, false].into_iter().enumerate() {
        let id = if n == 0 {
            message
        } else {
            takeover::take_over(&house.app, &house.scope, candidate)
                .await
                .unwrap();
            house.says(NUMBER, "hallo").await;
            let text = "Ik bel je zo.";
            takeover::write(&house.app, &house.scope, candidate, text, None)
                .await
                .unwrap()
        };
        let before = house.graph.accepted().len();
        house.wait(11);
        house
            .graph
            .script(Behaviour::Hang(Duration::from_millis(600)), 1);
        let mut back = Vec::new();
        let mut jobs = send::round(&house.app, &mut back, 64).await.unwrap();
        assert_eq!(jobs.len(), 1);
        let flying = tokio::spawn(send::carry(house.app.clone(), jobs.remove(0)));
        let graph = &house.graph;
        let taken =
            tokio::task::block_in_place(|| graph.wait_for(before + 1, Duration::from_secs(5)));
        assert!(taken);
        let sent = house.graph.accepted().remove(before);
        let (body, _) = house.graph.webhook_status(&sent, "delivered");
        let body = String::from_utf8(body).unwrap();
        let body = if with_token {
            body
        } else {
            body.replace("biz_opaque_callback_data", "nothing_of_ours")
        };
        assert_eq!(house.deliver(&graph::sign(body.into_bytes())).await, 200);
        unpack::unpack(&house.app).await.unwrap();
        inbox::turns(&house.app).await.unwrap();
        let meanwhile = house.message(id).await.state;
        let expected = if with_token {
            MessageState::Accepted
        } else {
            MessageState::Sending
        };
        assert_eq!(
            meanwhile, expected,
            "before the answer, with token: {with_token}"
        );
        back.push(flying.await.unwrap());
        send::round(&house.app, &mut back, 64).await.unwrap();
        let found = house.message(id).await;
        assert_eq!(found.state, MessageState::Accepted);
        assert!(
            found.delivered_at.is_some(),
            "the receipt is joined, with token: {with_token}"
        );
        assert_eq!(house.graph.count(&sent.recipient, &sent.token), 1);
    }
    assert_eq!(
        house
            .number("SELECT COUNT(*) FROM receipts WHERE message_id IS NULL")
            .await,
        0
    );
}

/// Meta says that the person moved: what is sent next goes to the new number, and a stranger who gets
/// the old one months later is a stranger.
async fn a_number_that_moved_is_followed_and_the_old_one_stays_silent(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.says(NUMBER, "hallo").await;
    let moved = house.graph.webhook_message(
        NUMBER,
        "Samira",
        serde_json::json!({"type": "system", "system": {
            "type": "user_changed_number", "wa_id": "31687654321", "body": "User changed"
        }}),
    );
    assert_eq!(house.deliver(&moved).await, 200);
    house.idle().await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    house.approve(candidate).await;
    house.idle().await;
    let sent = house.graph.accepted();
    assert_eq!(sent.last().unwrap().recipient, "+31687654321");
    // Half a year on, somebody else has the old number.
    house.turn_to(moment("2026-09-07", 10, 0));
    house.says(NUMBER, "hoi, wie is dit").await;
    let theirs = house
        .number("SELECT COUNT(*) FROM candidates WHERE state = 'unknown'")
        .await;
    assert_eq!(theirs, 1, "a stranger's words are not the candidate's");
}

async fn doubt_is_settled_by_a_coach(database: Database) {
    let (house, candidate, message) = approved(database).await;
    house.graph.script(Behaviour::AcceptAnd500, 1);
    house.send().await;
    let found = house.message(message).await;
    approve::resolve_doubt(
        &house.app,
        &house.scope,
        message,
        found.version,
        Doubt::Arrived,
    )
    .await
    .unwrap();
    house.idle().await;
    assert_eq!(house.message(message).await.state, MessageState::Accepted);
    assert_eq!(house.talk(candidate).await.state_name(), "asking");
    // The second click gets a sentence, not a second decision.
    let again = approve::resolve_doubt(
        &house.app,
        &house.scope,
        message,
        found.version,
        Doubt::Again,
    )
    .await;
    assert!(matches!(again, Err(AppError::Overtaken { .. })));
    assert_eq!(house.graph.accepted().len(), 1);
}

async fn an_undeliverable_template_leaves_a_flag_and_no_second_message(database: Database) {
    let (house, _, message) = approved(database).await;
    house.send().await;
    let sent = house.graph.accepted().remove(0);
    let webhook = house.graph.webhook_failed(&sent, 131_026);
    assert_eq!(house.deliver(&webhook).await, 200);
    house.wait(60);
    house.idle().await;
    assert_eq!(house.message(message).await.state, MessageState::Rejected);
    assert_eq!(house.graph.accepted().len(), 1);
    let flags = house
        .number("SELECT COUNT(*) FROM flags WHERE why = 'not_reachable' AND closed_at IS NULL")
        .await;
    assert!(flags >= 1);
    let doubted = house
        .number("SELECT COUNT(*) FROM addresses WHERE state = 'doubted'")
        .await;
    assert_eq!(doubted, 1);
}

async fn a_shut_window_takes_the_template(database: Database) {
    let (house, ..) = approved(database).await;
    house.send().await;
    let sent = house.graph.accepted().remove(0);
    assert_eq!(sent.body["type"], "template");
    assert_eq!(sent.recipient, NUMBER);
}

async fn stop_between_approval_and_send_wins(database: Database) {
    let (house, candidate, message) = approved(database).await;
    let stop = house.graph.webhook_text(NUMBER, "Samira", "Stop.");
    assert_eq!(house.deliver(&stop).await, 200);
    tussendoor::app::unpack::unpack(&house.app).await.unwrap();
    tussendoor::app::inbox::turns(&house.app).await.unwrap();
    assert_eq!(house.message(message).await.state, MessageState::Cancelled);
    house.idle().await;
    // The one confirmation, and nothing afterwards.
    assert_eq!(house.graph.accepted().len(), 1);
    assert_eq!(house.talk(candidate).await.state_name(), "left");
    for _ in 0..10 {
        house.wait(86_400);
        house.idle().await;
    }
    assert_eq!(house.graph.accepted().len(), 1);
}

async fn two_clicks_send_once(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let draft = house.waiting(candidate).await;
    let seen = Seen {
        version: draft.version,
        content_hash: draft.content_hash,
    };
    let (one, two) = tokio::join!(
        approve::approve(&house.app, &house.scope, draft.id, &seen),
        approve::approve(&house.app, &house.scope, draft.id, &seen),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    let refused = one.err().or(two.err()).unwrap();
    assert!(matches!(
        refused,
        AppError::Overtaken {
            what: "approved_already" | "changed_meanwhile"
        }
    ));
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
}

async fn an_edited_draft_has_another_hash(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.says(NUMBER, "hoi").await;
    house.turn_to(moment("2026-03-04", 7, 45));
    takeover::give_back(&house.app, &house.scope, candidate)
        .await
        .unwrap();
    house.turn_to(moment("2026-03-04", 9, 31));
    house.says(NUMBER, "plan").await;
    let draft = house.waiting(candidate).await;
    let seen = Seen {
        version: draft.version,
        content_hash: draft.content_hash.clone(),
    };
    approve::edit(
        &house.app,
        &house.scope,
        draft.id,
        &seen,
        "Hoi Samira, lukt je cv?",
        true,
    )
    .await
    .unwrap();
    // The page that still shows the old words can decide nothing.
    let stale = approve::approve(&house.app, &house.scope, draft.id, &seen).await;
    assert!(matches!(stale, Err(AppError::Overtaken { .. })));
    house.wait(11);
    house.idle().await;
    let sent = house.graph.accepted();
    let text = sent.last().unwrap().body.to_string();
    assert!(text.contains("lukt je cv?"), "{text}");
    assert_ne!(
        house.message(draft.id).await.content_hash,
        draft.content_hash
    );
}

async fn a_paused_line_holds_everything_until_a_start(database: Database) {
    let (house, _, message) = approved(database).await;
    house
        .graph
        .script(Behaviour::Status(401, graph::error(190, "x")), 1);
    house.send().await;
    for _ in 0..5 {
        house.wait(120);
        house.idle().await;
    }
    assert_eq!(house.graph.accepted().len(), 0);
    let house = house.restart().await;
    house.wait(120);
    house.idle().await;
    assert_eq!(house.message(message).await.state, MessageState::Accepted);
    assert_eq!(house.graph.accepted().len(), 1);
}

async fn quiet_hours_hold_at_the_last_look(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    house.turn_to(moment("2026-03-04", 19, 59));
    let message = {
        let draft = house.waiting(candidate).await;
        let seen = Seen {
            version: draft.version,
            content_hash: draft.content_hash,
        };
        approve::approve(&house.app, &house.scope, draft.id, &seen)
            .await
            .unwrap();
        draft.id
    };
    house.turn_to(moment("2026-03-04", 20, 1));
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0);
    house.turn_to(moment("2026-03-05", 8, 1));
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
    assert_eq!(house.message(message).await.state, MessageState::Accepted);
    assert!(!house.graph.wait_for(2, Duration::from_millis(1)));
}

/// A command is answered at once and passes the draft that waits for a coach. A digit after it is no
/// answer to that draft.
async fn a_digit_answers_no_draft_that_nobody_saw(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let draft = house.waiting(candidate).await;
    house.says(NUMBER, "PLAN").await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1, "the plan left");
    house.says(NUMBER, "1").await;
    house.idle().await;
    let done = "SELECT COUNT(*) FROM tasks WHERE state = 'done'";
    assert_eq!(house.number(done).await, 0, "nobody said that it is done");
    assert_eq!(house.message(draft.id).await.state, MessageState::Waiting);
    let flags = "SELECT COUNT(*) FROM flags WHERE why = 'wrote'";
    assert_eq!(house.number(flags).await, 1, "the coach sees the digit");
}
