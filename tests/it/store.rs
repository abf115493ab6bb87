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
    no_statement_reads_a_growing_table_from_end_to_end,
    a_writer_that_gives_up_leaves_no_transaction_behind,
    what_is_stuck_is_found_by_its_index,
);

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

/// Tables that grow with the number of organisations and colleagues, not with people or time.
const SMALL: [&str; 9] = [
    "organisations",
    "teams",
    "lines",
    "coaches",
    "coach_teams",
    "flows",
    "policies",
    "feeds",
    "marks",
];

/// Statements that may, and why.
const MAY_SCAN: [(&str, &str); 17] = [
    (
        "coaches::SESSIONS_OVER",
        "it keeps the table small itself: a session lasts half a day",
    ),
    (
        "audit::WAITING",
        "it begins at a queue that is emptied every second, and ends at its limit",
    ),
    ("audit::LAST", "it ends at the first row of the index"),
    (
        "audit::LINKED",
        "the queue of the chain is emptied every second",
    ),
    ("audit::LOOSE", "an operator checks the whole chain"),
    ("forget::SESSIONS", "sessions last half a day"),
    ("looking::SWEEP", "a row lives seconds"),
    ("personal::INBOX", "one person's export, by hand"),
    ("personal::INBOX_GONE", "one person's erasure, by hand"),
    ("personal::AUDIT", "one person's export, by hand"),
    (
        "vacancies::NEWEST",
        "it reads its index from the newest on, and ends at its limit",
    ),
    ("pages::PEOPLE", "the page is the list of a team's people"),
    ("restored::COULD_LEAVE", "once, after a restore"),
    ("restored::DOUBT", "once, after a restore"),
    ("restored::ATTEMPTS", "once, after a restore"),
    ("restored::SESSIONS", "once, after a restore"),
    ("restored::TALKS", "once, after a restore"),
];

/// Without an index a statement is fast on the day it is written and slow a year later. A partial index
/// may be read whole: it holds only what is open.
async fn no_statement_reads_a_growing_table_from_end_to_end(database: Database) {
    let store = open(&database).await;
    let schema = Schema::read();
    let (mut wrong, mut indexed) = (Vec::new(), 0);
    for statement in store::statements().into_iter().flatten() {
        let mut tx = store.write().await.unwrap();
        let plan = tx.plan(statement).await.unwrap();
        let scans = match tx.is_postgres() {
            true => schema.scans_of_postgres(&plan),
            false => schema.scans_of_sqlite(&plan, &format!("{:?}", statement.sql)),
        };
        drop(tx);
        indexed += usize::from(
            plan.iter()
                .any(|line| line.to_lowercase().contains("index")),
        );
        let name = statement.name.rsplit("store::").next().unwrap();
        if !scans.is_empty() && !MAY_SCAN.iter().any(|(may, _)| *may == name) {
            wrong.push(format!("{name}: {scans:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(indexed > 100, "only {indexed} plans use an index at all");
}

/// Names out of the migrations.
struct Schema {
    growing: Vec<String>,
    partial: Vec<String>,
}

impl Schema {
    fn read() -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let (mut growing, mut partial) = (Vec::new(), Vec::new());
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for statement in text.split(';') {
                let words: Vec<&str> = statement.split_whitespace().collect();
                let after = |word: &str| {
                    let at = words.iter().position(|found| *found == word)?;
                    words.get(at + 1).map(|name| (*name).to_owned())
                };
                if let Some(table) = after("TABLE").filter(|name| !SMALL.contains(&name.as_str())) {
                    growing.push(table);
                }
                if words.contains(&"WHERE") {
                    partial.extend(after("INDEX"));
                }
            }
        }
        assert!(growing.len() > 20 && partial.len() > 10);
        Self { growing, partial }
    }

    /// The plan names a table by the name that the statement gave it.
    fn scans_of_sqlite(&self, plan: &[String], sql: &str) -> Vec<String> {
        let grows = |alias: &str| {
            self.growing
                .iter()
                .any(|table| table == alias || sql.contains(&format!(" {table} {alias} ")))
        };
        plan.iter()
            .filter(|line| {
                let mut words = line.split_whitespace();
                let whole = match words.next() {
                    Some("SCAN") => true,
                    // Everybody of an organisation or a team is as good as everybody.
                    Some("SEARCH") => {
                        line.ends_with("(organisation_id=?)") || line.ends_with("(team_id=?)")
                    }
                    _ => false,
                };
                whole && words.next().is_some_and(grows) && !self.holds_what_is_open(line)
            })
            .cloned()
            .collect()
    }

    /// Nodes that read a table without a condition on an index.
    fn scans_of_postgres(&self, plan: &[String]) -> Vec<String> {
        let reads = |(at, line): (usize, &String)| {
            let (node, rest) = line.split_once(" on ")?;
            let table = rest.split_whitespace().next()?;
            let found = plan[at + 1..]
                .iter()
                .take_while(|line| !line.contains("->"))
                .any(|line| line.contains("Index Cond") || line.contains("Recheck Cond"));
            let whole = node.contains("Seq Scan")
                || (node.contains("Index") && !node.contains("Bitmap") && !found);
            let grows = self.growing.iter().any(|name| name == table);
            (whole && grows && !self.holds_what_is_open(line)).then(|| line.trim().to_owned())
        };
        plan.iter().enumerate().filter_map(reads).collect()
    }

    fn holds_what_is_open(&self, line: &str) -> bool {
        self.partial
            .iter()
            .any(|index| line.contains(index.as_str()))
    }
}

#[test]
fn a_scan_is_told_from_a_search() {
    let schema = Schema {
        growing: vec!["outgoing".into()],
        partial: vec!["outgoing_open".into()],
    };
    let told = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let sqlite = |line| {
        schema
            .scans_of_sqlite(&told(&[line]), "FROM outgoing o WHERE x")
            .len()
    };
    assert_eq!(sqlite("SCAN o"), 1);
    assert_eq!(sqlite("SCAN outgoing USING INDEX outgoing_by_x"), 1);
    assert_eq!(sqlite("SCAN o USING INDEX outgoing_open"), 0);
    assert_eq!(sqlite("SEARCH o USING INDEX outgoing_by_x (x=?)"), 0);
    assert_eq!(sqlite("SCAN lines"), 0);
    assert_eq!(sqlite("SEARCH o USING INDEX o_by_team (team_id=?)"), 1);
    let narrower = "SEARCH o USING INDEX o_by_team_x (team_id=? AND x<?)";
    assert_eq!(sqlite(narrower), 0);
    let postgres = |lines: &[&str]| schema.scans_of_postgres(&told(lines)).len();
    assert_eq!(
        postgres(&["Seq Scan on outgoing o", "  Filter: (x = $1)"]),
        1
    );
    assert_eq!(
        postgres(&["Index Scan using outgoing_by_x on outgoing o"]),
        1
    );
    let searched = [
        "Index Scan using outgoing_by_x on outgoing o",
        "  Index Cond: (x = $1)",
    ];
    assert_eq!(postgres(&searched), 0);
    assert_eq!(
        postgres(&["Index Only Scan using outgoing_open on outgoing"]),
        0
    );
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
