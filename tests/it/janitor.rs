//! The janitor: what is over goes when the settings say, in small commits, and what is open stays.

use std::sync::Arc;

use tussendoor::app::{erase, janitor};
use tussendoor::store::StoreError;
use tussendoor::workers::Workers;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, environment, moment, start};
use crate::support::running::Running;
use crate::support::wait::{between_looks, drained};

on_both!(
    webhooks_go_after_their_days_and_the_key_of_the_day_with_them,
    what_is_open_or_put_aside_keeps_its_day,
    the_memory_of_what_was_delivered_lasts_longer,
    what_ended_goes_and_what_runs_stays,
    a_backlog_goes_in_small_commits,
    the_service_does_it_by_itself,
    the_door_alone_forgets_the_key_of_who_was_erased_too,
);

const NUMBER: &str = "+31612345678";

/// Rounds until nothing is left to do; how many.
async fn clean(house: &House) -> usize {
    let mut rounds = 1;
    while janitor::round(&house.app).await.unwrap() {
        rounds += 1;
    }
    rounds
}

async fn left(house: &House) -> (i64, i64, i64) {
    (
        house.number("SELECT COUNT(*) FROM raw_bodies").await,
        house.number("SELECT COUNT(*) FROM inbox").await,
        house
            .number("SELECT COUNT(*) FROM keys WHERE owner LIKE 'day:%' AND destroyed_at IS NULL")
            .await,
    )
}

async fn webhooks_go_after_their_days_and_the_key_of_the_day_with_them(database: Database) {
    let house = House::new(database).await;
    house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    house.turn_to(moment("2026-03-05", 9, 0));
    house.says(NUMBER, "nog eens").await;
    // Seven days after the first, less a minute.
    house.turn_to(start().plus_days(7).plus_seconds(-60));
    clean(&house).await;
    assert_eq!(left(&house).await, (2, 2, 2));
    house.turn_to(start().plus_days(7).plus_seconds(60));
    clean(&house).await;
    assert_eq!(
        left(&house).await,
        (1, 1, 2),
        "the day of the first is not over for seven days"
    );
    house.turn_to(moment("2026-03-11", 1, 1));
    clean(&house).await;
    assert_eq!(left(&house).await, (1, 1, 1));
    let destroyed = house
        .database
        .texts(match house.database.is_sqlite() {
            true => "SELECT owner || hex(wrapped) FROM keys WHERE destroyed_at IS NOT NULL",
            false => {
                "SELECT owner || encode(wrapped, 'hex') FROM keys WHERE destroyed_at IS NOT NULL"
            }
        })
        .await;
    assert_eq!(destroyed, [format!("day:2026-03-03{}", "00".repeat(73))]);
    house.turn_to(moment("2026-03-13", 1, 1));
    clean(&house).await;
    assert_eq!(left(&house).await, (0, 0, 0));
    // What was said is in the thread for as long as the person is there.
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 2);
}

async fn what_is_open_or_put_aside_keeps_its_day(database: Database) {
    let house = House::new(database).await;
    house.candidate("Samira", NUMBER, true).await;
    for text in ["een", "twee", "drie"] {
        house.says(NUMBER, text).await;
    }
    let unreadable = crate::support::graph::sign(b"{\"object\": 5}".to_vec());
    assert_eq!(house.deliver(&unreadable).await, 200);
    house.idle().await;
    let ids = house
        .database
        .texts("SELECT id FROM inbox ORDER BY id")
        .await;
    house
        .database
        .execute(&format!(
            "UPDATE inbox SET state = 'new', due_at = {} WHERE id = '{}'",
            i64::MAX,
            ids[0]
        ))
        .await;
    house
        .database
        .execute(&format!(
            "UPDATE inbox SET state = 'quarantined' WHERE id = '{}'",
            ids[1]
        ))
        .await;
    house.turn_to(start().plus_days(60));
    clean(&house).await;
    assert_eq!(
        left(&house).await,
        (3, 2, 1),
        "two items, their webhooks and the unreadable one"
    );
    // What nobody ended goes by its own age; what has not had its turn never does.
    house.turn_to(start().plus_days(91));
    clean(&house).await;
    assert_eq!(left(&house).await, (1, 1, 1));
    house
        .database
        .execute(&format!(
            "UPDATE inbox SET state = 'done' WHERE id = '{}'",
            ids[0]
        ))
        .await;
    clean(&house).await;
    assert_eq!(left(&house).await, (0, 0, 0));
}

async fn the_memory_of_what_was_delivered_lasts_longer(database: Database) {
    let house = House::new(database).await;
    house.candidate("Samira", NUMBER, true).await;
    let webhook = house.graph.webhook_text(NUMBER, "Samira", "hallo");
    assert_eq!(house.deliver(&webhook).await, 200);
    house.idle().await;
    house.turn_to(start().plus_days(29));
    clean(&house).await;
    assert_eq!(house.deliver(&webhook).await, 200);
    house.idle().await;
    assert_eq!(
        house.number("SELECT COUNT(*) FROM incoming").await,
        1,
        "seen before"
    );
    house.turn_to(start().plus_days(31));
    clean(&house).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM seen").await, 0);
}

async fn what_ended_goes_and_what_runs_stays(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let coach = house.scope.coach;
    let day = 86_400_000_000;
    let now = start().plus_days(200);
    let at = |days: i64| now.0 + days * day;
    let line = house.database.texts("SELECT id FROM lines").await.remove(0);
    for (name, ends, seen) in [("over", -1, 0), ("idle", 1, -1), ("runs", 1, 0)] {
        house.database.execute(&format!("INSERT INTO sessions (token_hash, coach_id, second_factor, created_at, seen_at, ends_at) VALUES ('{name}', '{coach}', FALSE, {}, {}, {})", at(-2), at(seen), at(ends))).await;
    }
    for (name, ends) in [("over", -8), ("just", -1), ("runs", 1)] {
        house.database.execute(&format!("INSERT INTO invites (code_hash, candidate_id, coach_id, ends_at) VALUES ('{name}', '{candidate}', '{coach}', {})", at(ends))).await;
    }
    for (name, came) in [("orphan", -91), ("young", -89)] {
        house.database.execute(&format!("INSERT INTO receipts (id, line_id, provider_hash, kind, at, created_at) VALUES ('{name}', '{line}', '{name}', 'sent', 1, {})", at(came))).await;
    }
    house.turn_to(now);
    clean(&house).await;
    assert_eq!(
        house
            .database
            .texts("SELECT token_hash FROM sessions")
            .await,
        ["runs"]
    );
    assert_eq!(
        house
            .database
            .texts("SELECT code_hash FROM invites ORDER BY code_hash")
            .await,
        ["just", "runs"]
    );
    assert_eq!(
        house.database.texts("SELECT id FROM receipts").await,
        ["young"]
    );
}

async fn a_backlog_goes_in_small_commits(database: Database) {
    let house = House::new(database).await;
    let rows: Vec<String> = (0..450)
        .map(|number| format!("('meta', 'h{number}', 1)"))
        .collect();
    house
        .database
        .execute(&format!(
            "INSERT INTO seen (channel, item_hash, at) VALUES {}",
            rows.join(", ")
        ))
        .await;
    assert!(janitor::round(&house.app).await.unwrap(), "there is more");
    assert_eq!(
        house.number("SELECT COUNT(*) FROM seen").await,
        250,
        "one commit takes 200"
    );
    assert_eq!(clean(&house).await, 2);
    assert_eq!(house.number("SELECT COUNT(*) FROM seen").await, 0);
}

async fn the_service_does_it_by_itself(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    tussendoor::app::note::note(&house.app, &house.scope, candidate, "notitie")
        .await
        .unwrap();
    let mut environment = environment(&house.database, &house.graph.base_url);
    environment.push((
        "TUSSENDOOR_CLOCK".into(),
        start().plus_days(40).0.to_string(),
    ));
    let key = house
        .database
        .texts("SELECT key_id FROM raw_bodies")
        .await
        .remove(0);
    let running = Running::serve(&environment, None);
    let sql = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies) + (SELECT COUNT(*) FROM inbox) + (SELECT COUNT(*) FROM seen) + (SELECT COUNT(*) FROM audit_waiting) AS BIGINT)";
    drained(&house.database, sql, 2).await.unwrap();
    assert_eq!(house.number("SELECT COUNT(*) FROM audit_links").await, 1);
    running.stop();
    let mut tx = house.app.store.read().await.unwrap();
    tx.forget_destroyed(start()).await.unwrap();
    let gone = tx.sealer(key.parse().unwrap()).await;
    assert!(matches!(gone, Err(StoreError::Corrupt { .. })));
}

/// `serve --only web` has pages, and so keys in mind; the erasure is a command of another process.
async fn the_door_alone_forgets_the_key_of_who_was_erased_too(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let web = Arc::new(house.process().await);
    let workers = Workers::start(&web, true, false);
    let key = house.database.texts("SELECT key_id FROM candidates").await;
    let key = key[0].parse().unwrap();
    assert!(web.store.read().await.unwrap().sealer(key).await.is_ok());
    let outcome = erase::erase(&house.app, candidate).await.unwrap();
    assert!(matches!(outcome, erase::Outcome::Erased(_)));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while web.store.read().await.unwrap().sealer(key).await.is_ok() {
        assert!(std::time::Instant::now() < until, "it is kept in mind");
        between_looks().await;
    }
    workers.stop().await;
}

/// A trail that cannot be linked is no reason to keep a key in mind.
#[tokio::test]
async fn a_trail_that_cannot_be_linked_keeps_no_key_in_mind() {
    let house = House::new(Database::sqlite()).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let other = house.process().await;
    let mut watch = janitor::Watch::new(&other);
    let key = house.database.texts("SELECT key_id FROM candidates").await;
    let key = key[0].parse().unwrap();
    assert!(other.store.read().await.unwrap().sealer(key).await.is_ok());
    erase::erase(&house.app, candidate).await.unwrap();
    house
        .database
        .execute("ALTER TABLE audit_waiting RENAME TO elsewhere")
        .await;
    assert!(watch.second(&other).await.is_err());
    assert!(other.store.read().await.unwrap().sealer(key).await.is_err());
}
