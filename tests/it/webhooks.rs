//! Receive, by the real binary: Meta's own examples, forged requests, the handshake.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::database::{Database, on_both};
use crate::support::examples;
use crate::support::graph::{self, GraphStandIn, Webhook};
use crate::support::house::{environment, number};
use crate::support::running::Running;
use crate::support::wait::drained;

on_both!(
    metas_own_examples_three_times_in_shuffled_order,
    forged_requests_leave_no_row,
    signed_but_unreadable_is_kept_for_the_operator,
    the_handshake_answers_only_the_right_token,
    without_its_database_the_provider_is_asked_to_come_again,
    a_duplicate_in_one_post_and_over_posts_has_one_effect,
);

fn start(database: &Database) -> (Running, GraphStandIn) {
    let graph = GraphStandIn::start();
    (
        Running::serve(&environment(database, &graph.base_url), None),
        graph,
    )
}

/// Waits until everything stored is unpacked and played.
async fn settled(database: &Database) {
    let waiting = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') AS BIGINT)";
    let left = drained(database, waiting, 1).await;
    assert_eq!(left, Ok(()), "rows are still waiting");
}

/// The sixteen examples, as they are and with the fields of 2026, each message with an id of its own.
fn sixteen(webhooks: &mut Vec<Webhook>, change: impl Fn(&mut Value), suffix: &str) {
    for (n, (name, example)) in examples::all().into_iter().enumerate() {
        let mut example = example;
        examples::with_own_id(&mut example, &format!("wamid.{suffix}{n:02}"));
        change(&mut example);
        let _ = name;
        let body = graph::escaped(&example.to_string()).into_bytes();
        webhooks.push(graph::sign(body));
    }
}

async fn metas_own_examples_three_times_in_shuffled_order(database: Database) {
    let (running, _graph) = start(&database);
    let mut webhooks = Vec::new();
    sixteen(&mut webhooks, |_| {}, "OLD");
    sixteen(&mut webhooks, examples::with_user_ids, "NEW");
    assert_eq!(webhooks.len(), 32);
    for round in 0..3usize {
        for n in 0..webhooks.len() {
            let at = (n * 7 + round * 11) % webhooks.len();
            let status = running.deliver(&webhooks[at]).await;
            assert_eq!(status, Some(200), "example {at}, round {round}");
        }
    }
    settled(&database).await;
    // Twelve messages of people in each set: all but the number change and the three about groups.
    assert_eq!(number(&database, "SELECT COUNT(*) FROM incoming").await, 24);
    assert_eq!(number(&database, "SELECT COUNT(*) FROM media").await, 2);
    // An event about a group has no id and no person: in both sets it is the same event, kept once.
    let groups = "SELECT COUNT(*) FROM inbox WHERE kind = 'account' AND state = 'done'";
    assert_eq!(number(&database, groups).await, 3);
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM inbox WHERE state = 'quarantined'"
        )
        .await,
        0
    );
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM raw_bodies WHERE problem IS NOT NULL"
        )
        .await,
        0
    );
    // One person, whose old number is dead and whose new one is believed.
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM addresses WHERE kind = 'whatsapp' AND state = 'believed'"
        )
        .await,
        1
    );
    // Whatever came before or after the news of the change: it is all in the thread of one person.
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(DISTINCT candidate_id) FROM incoming"
        )
        .await,
        1
    );
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM addresses WHERE kind = 'whatsapp' AND state = 'dead'"
        )
        .await,
        1
    );
    let flags = "SELECT COUNT(*) FROM flags WHERE why = 'number_changed'";
    assert_eq!(number(&database, flags).await, 1);
    assert_eq!(number(&database, "SELECT COUNT(*) FROM inbox").await, 29);
}

async fn forged_requests_leave_no_row(database: Database) {
    let (running, graph) = start(&database);
    let (body, signature) = graph.webhook_text("31612345678", "Samira", "hallo");
    let hex = signature.trim_start_matches("sha256=").to_owned();
    let mut other = body.clone();
    other.push(b' ');
    let mut tries: Vec<(Vec<u8>, Option<String>)> = vec![
        (body.clone(), None),
        (body.clone(), Some(String::new())),
        (body.clone(), Some("sha256=".into())),
        (body.clone(), Some(hex.clone())),
        (body.clone(), Some(format!("sha1={hex}"))),
        (body.clone(), Some(format!("SHA256={hex}"))),
        (body.clone(), Some(format!("sha256={}", hex.to_uppercase()))),
        (body.clone(), Some(format!("sha256={hex}00"))),
        (body.clone(), Some(format!(" sha256={hex} x"))),
        (body.clone(), Some(format!("sha256={}", "0".repeat(64)))),
        (body.clone(), Some(format!("sha256={}", "g".repeat(64)))),
        (other, Some(signature.clone())),
        (Vec::new(), Some(signature.clone())),
        (body[..body.len() - 1].to_vec(), Some(signature.clone())),
    ];
    // Truncated after every second digit: never "equal as far as it goes".
    for length in (0..64).step_by(3) {
        tries.push((body.clone(), Some(format!("sha256={}", &hex[..length]))));
    }
    // Signed with another secret.
    for secret in ["", "graph-app-secre", "graph-app-secret2", "x"] {
        use hmac::{Hmac, KeyInit, Mac};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&body);
        tries.push((
            body.clone(),
            Some(format!(
                "sha256={}",
                hex::encode(mac.finalize().into_bytes())
            )),
        ));
    }
    assert!(tries.len() >= 40, "{}", tries.len());
    for (n, (body, signature)) in tries.into_iter().enumerate() {
        let mut request = running.client.post(running.url("/in/meta")).body(body);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401, "try {n}");
        assert_eq!(
            answer.bytes().await.unwrap().len(),
            0,
            "try {n} gets no hint"
        );
    }
    assert_eq!(
        number(&database, "SELECT COUNT(*) FROM raw_bodies").await,
        0
    );
    // The real one, and its replay.
    for _ in 0..2 {
        assert_eq!(
            running.deliver(&(body.clone(), signature.clone())).await,
            Some(200)
        );
    }
    settled(&database).await;
    assert_eq!(number(&database, "SELECT COUNT(*) FROM incoming").await, 1);
    // Too large, compressed, to nobody.
    let large = vec![b'x'; 3 * 1024 * 1024 + 1];
    let answer = running
        .client
        .post(running.url("/in/meta"))
        .body(large)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    let answer = running
        .client
        .post(running.url("/in/nobody"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 404);
}

async fn signed_but_unreadable_is_kept_for_the_operator(database: Database) {
    let (running, _graph) = start(&database);
    let deep = format!("{{\"entry\":{}{}}}", "[".repeat(70), "]".repeat(70));
    for body in [
        &b"{\"object\":\"whats"[..],
        b"[]",
        deep.as_bytes(),
        b"\xff\xfe",
    ] {
        assert_eq!(
            running.deliver(&graph::sign(body.to_vec())).await,
            Some(200)
        );
    }
    settled(&database).await;
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM raw_bodies WHERE problem IS NOT NULL"
        )
        .await,
        4
    );
    assert_eq!(number(&database, "SELECT COUNT(*) FROM incoming").await, 0);
}

async fn the_handshake_answers_only_the_right_token(database: Database) {
    let (running, _graph) = start(&database);
    let get = |query: String| {
        running
            .client
            .get(running.url(&format!("/in/meta?{query}")))
            .send()
    };
    let right = format!(
        "hub.mode=subscribe&hub.challenge=11586&hub.verify_token={}",
        graph::VERIFY_TOKEN
    );
    let answer = get(right.clone()).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().await.unwrap(), "11586");
    for wrong in [
        right.replace("subscribe", "unsubscribe"),
        right.replace("verify-token", "verify-toke"),
        right.replace("graph", "Graph"),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        String::new(),
    ] {
        let answer = get(wrong.clone()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{wrong}");
    }
}

async fn a_duplicate_in_one_post_and_over_posts_has_one_effect(database: Database) {
    let (running, graph) = start(&database);
    let (body, _) = graph.webhook_text("31612345678", "Samira", "hallo");
    let mut value: Value = serde_json::from_slice(&body).unwrap();
    let messages = value["entry"][0]["changes"][0]["value"]["messages"]
        .as_array_mut()
        .unwrap();
    let again = messages[0].clone();
    messages.push(again);
    let doubled = graph::sign(graph::escaped(&value.to_string()).into_bytes());
    let single = graph::sign(body);
    let answers = futures_util::future::join_all(
        (0..40).map(|n| running.deliver(if n % 2 == 0 { &doubled } else { &single })),
    )
    .await;
    assert!(
        answers.iter().all(|status| *status == Some(200)),
        "{answers:?}"
    );
    settled(&database).await;
    assert_eq!(number(&database, "SELECT COUNT(*) FROM incoming").await, 1);
    assert_eq!(
        number(&database, "SELECT COUNT(*) FROM raw_bodies").await,
        40
    );
}

/// The database is locked, or gone: 503 and nothing acknowledged, not ready; and all by itself 200 when it
/// is back.
async fn without_its_database_the_provider_is_asked_to_come_again(database: Database) {
    let (running, graph) = start(&database);
    let lost = graph.webhook_text("31612345678", "Samira", "hallo");
    let ready = || async {
        let answer = running
            .client
            .get(running.url("/health/ready"))
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    };
    assert_eq!(ready().await, 200);
    let away = Away::begin(&database).await;
    assert_eq!(running.deliver(&lost).await, Some(503));
    assert_eq!(ready().await, 503);
    away.end().await;
    // The provider comes again, as 503 asks it to; ten seconds are promised.
    let until = Instant::now() + Duration::from_secs(10);
    while running.deliver(&lost).await != Some(200) {
        assert!(Instant::now() < until, "still not back");
    }
    assert_eq!(ready().await, 200);
    settled(&database).await;
    assert_eq!(number(&database, "SELECT COUNT(*) FROM incoming").await, 1);
}

/// A database that is out of reach: SQLite behind somebody's lock, PostgreSQL behind closed doors.
pub enum Away {
    Locked(sqlx::SqliteConnection),
    Closed(sqlx::PgConnection, String),
}

impl Away {
    pub async fn begin(database: &Database) -> Self {
        use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
        if database.url.starts_with("sqlite") {
            let mut other = sqlx::SqliteConnection::connect(&database.url)
                .await
                .unwrap();
            other.execute("BEGIN EXCLUSIVE").await.unwrap();
            return Self::Locked(other);
        }
        let (server, name) = database.url.rsplit_once('/').unwrap();
        let mut other = sqlx::PgConnection::connect(&format!("{server}/postgres"))
            .await
            .unwrap();
        let closed = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        other.execute(AssertSqlSafe(closed)).await.unwrap();
        let ended = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        other.execute(AssertSqlSafe(ended)).await.unwrap();
        Self::Closed(other, name.to_owned())
    }

    pub async fn end(self) {
        use sqlx::{AssertSqlSafe, Executor as _};
        match self {
            Self::Locked(mut other) => {
                other.execute("ROLLBACK").await.unwrap();
            }
            Self::Closed(mut other, name) => {
                let open = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
                other.execute(AssertSqlSafe(open)).await.unwrap();
            }
        }
    }
}
