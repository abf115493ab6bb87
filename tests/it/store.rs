//! Every statement is understood by both databases; the two doors; sealing.

use std::sync::Arc;

use tussendoor::ports::chance::{Chance, SeededChance};
use tussendoor::store::{self, Secrets, Store, StoreError};
use zeroize::Zeroizing;

use crate::support::database::{Database, on_both};

on_both!(
    every_statement_is_understood,
    a_transaction_that_is_dropped_leaves_nothing,
    a_sealed_value_opens_only_in_its_own_place,
    the_read_door_cannot_write,
    a_writer_that_gives_up_leaves_no_transaction_behind,
    what_is_stuck_is_found_by_its_index,
);

mod plans;

async fn open(database: &Database) -> Store {
    let secrets = Secrets {
        master: Zeroizing::new([1; 32]),
        older: Vec::new(),
        lookup: Zeroizing::new([2; 32]),
    };
    let chance: Arc<dyn Chance> = Arc::new(SeededChance::new(7));
    let store = Store::open(&database.url, secrets, chance).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn every_statement_is_understood(database: Database) {
    let store = open(&database).await;
    let mut count = 0;
    let mut wrong = Vec::new();
    for statements in store::statements() {
        for statement in statements {
            let mut tx = store.write().await.unwrap();
            if let Err(problem) = tx.prepare(statement).await {
                wrong.push(problem);
            }
            drop(tx);
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "only {count} statements are in the lists");
}

async fn a_transaction_that_is_dropped_leaves_nothing(database: Database) {
    let store = open(&database).await;
    let now = crate::support::house::start();
    let mut tx = store.write().await.unwrap();
    tx.new_key("candidate:x", now).await.unwrap();
    drop(tx);
    let count = crate::support::house::number(&database, "SELECT COUNT(*) FROM keys").await;
    assert_eq!(count, 0);
    // The pool lives on.
    let mut tx = store.write().await.unwrap();
    tx.new_key("candidate:x", now).await.unwrap();
    tx.commit().await.unwrap();
    let count = crate::support::house::number(&database, "SELECT COUNT(*) FROM keys").await;
    assert_eq!(count, 1);
}

async fn a_sealed_value_opens_only_in_its_own_place(database: Database) {
    let store = open(&database).await;
    let mut tx = store.write().await.unwrap();
    let key = tx
        .new_key("candidate:x", crate::support::house::start())
        .await
        .unwrap();
    let sealer = tx.sealer(key).await.unwrap();
    let sealed = sealer.seal("tasks", "title_sealed", "row", b"cv maken");
    assert!(!sealed.windows(2).any(|pair| pair == b"cv"));
    assert_eq!(
        sealer
            .open("tasks", "title_sealed", "row", &sealed)
            .unwrap(),
        b"cv maken"
    );
    for (table, column, row) in [
        ("plans", "title_sealed", "row"),
        ("tasks", "goal_sealed", "row"),
        ("tasks", "title_sealed", "other"),
    ] {
        let opened = sealer.open(table, column, row, &sealed);
        assert!(
            matches!(opened, Err(StoreError::Corrupt { .. })),
            "{table}.{column} {row}"
        );
    }
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(
        sealer
            .open("tasks", "title_sealed", "row", &changed)
            .is_err()
    );
    tx.commit().await.unwrap();
}

async fn the_read_door_cannot_write(database: Database) {
    let store = open(&database).await;
    let mut tx = store.read().await.unwrap();
    let refused = tx
        .new_key("candidate:x", crate::support::house::start())
        .await;
    assert!(refused.is_err());
}

async fn a_writer_that_gives_up_leaves_no_transaction_behind(database: Database) {
    let store = open(&database).await;
    // A client that hangs up drops the future of its request wherever it is.
    for wait in 0..300 {
        let wait = std::time::Duration::from_micros(wait * 7);
        if let Ok(begun) = tokio::time::timeout(wait, store.write()).await {
            begun.unwrap().rollback().await.unwrap();
        }
    }
    // SQLite refuses to begin twice on one connection; PostgreSQL only warns, and can be asked.
    for _ in 0..10 {
        store.write().await.unwrap().rollback().await.unwrap();
    }
    if database.kind() == "PostgreSQL" {
        let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(crate::support::house::number(&database, open).await, 0);
    }
}

/// What the machine is asked every few seconds must not read tables that only grow.
async fn what_is_stuck_is_found_by_its_index(database: Database) {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
    use tussendoor::store::statement::Sql;
    drop(open(&database).await);
    let sqlite = database.url.starts_with("sqlite");
    let mut asked = 0;
    for statement in store::stuck::ALL {
        let Sql::One(text) = statement.sql else {
            continue;
        };
        if !statement.name.contains("TALLY") {
            continue;
        }
        asked += 1;
        let plan: Vec<String> = if sqlite {
            let mut connection = sqlx::SqliteConnection::connect(&database.url)
                .await
                .unwrap();
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            rows.iter().map(|row| row.get("detail")).collect()
        } else {
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            // Empty tables are read whole; what a full one would do is asked for.
            connection
                .execute("SET enable_seqscan = off")
                .await
                .unwrap();
            let values = text.replace("$1", "NULL").replace("$2", "1");
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN {values}")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        };
        let whole = plan.iter().find(|line| match sqlite {
            true => line.contains("SCAN") && !line.contains("USING"),
            false => line.contains("Seq Scan"),
        });
        assert!(whole.is_none(), "{}: {plan:#?}", statement.name);
        assert!(
            plan.iter().any(|line| line.contains("_new")
                || line.contains("_set")
                || line.contains("_quarantined")
                || line.contains("_sending")
                || line.contains("_open")
                || line.contains("_waiting")
                || line.contains("_retry")
                || line.contains("_in_doubt")),
            "{}: {plan:#?}",
            statement.name
        );
    }
    assert_eq!(asked, 10);
}
