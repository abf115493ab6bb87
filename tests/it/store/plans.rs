//! How the databases would find the rows of every statement: by an index, on the day of the first row and on the
//! day of the millionth.

use sqlx::{Connection as _, Executor as _};
use tussendoor::store;

use super::open;
use crate::support::database::{Database, on_both};

on_both!(
    no_statement_reads_a_growing_table_from_end_to_end,
    no_statement_reads_a_queue_from_end_to_end_after_a_quiet_night,
);

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

/// Queues with a long past in which nothing waits: what PostgreSQL's statistics see in most nights.
const QUIET_NIGHT: [&str; 9] = [
    "INSERT INTO raw_bodies (id, endpoint, key_id, head_sealed, body_sealed, state, received_at) SELECT 'a' || n, 'meta', 'k', '', '', 'done', n FROM generate_series(1, 2000) n",
    "INSERT INTO inbox (id, raw_id, channel, line_id, kind, sender_hash, item_sealed, key_id, state, tries, due_at, created_at) SELECT 'a' || n, 'a' || n, 'whatsapp', 'l', 'heard', 's' || n % 300, '', 'k', 'done', 0, n, n FROM generate_series(1, 2000) n",
    "INSERT INTO outgoing (id, candidate_id, said, purpose, subject, why, state, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, version, created_at) SELECT 'a' || n, 'c' || n % 300, n, 'tasks', '', 'task_due', 'accepted', 'auto', false, '', 0, 1, n, n, 1, n FROM generate_series(1, 2000) n",
    "INSERT INTO attempts (message_id, attempt, position, token_hash, started_at) SELECT 'a' || n, 1, 0, 't' || n, n FROM generate_series(1, 2000) n",
    "INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at, message_id, started_at, closed_at, because) SELECT 'a' || n, 'c' || n % 300, 'task_due', 'task:' || n, '2026-03-03', n, 'a' || n, n, n, 'sent' FROM generate_series(1, 2000) n",
    "INSERT INTO flags (id, candidate_id, coach_id, why, subject, opened_at, closed_at) SELECT 'a' || n, 'c' || n % 300, 'k' || n % 3, 'silent', '', n, n FROM generate_series(1, 2000) n",
    "INSERT INTO talks (candidate_id, state, body_sealed, version) SELECT 'c' || n, 'idle', '', 1 FROM generate_series(1, 300) n",
    "INSERT INTO watch (candidate_id, organisation_id, look_at) SELECT 'c' || n, 'o', NULL FROM generate_series(1, 300) n",
    "INSERT INTO media (id, candidate_id, incoming_id, kind, mime, bytes, source_sealed, state, tries, version) SELECT 'a' || n, 'c' || n % 300, 'a' || n, 'image', 'image/jpeg', 1, '', 'stored', 0, 1 FROM generate_series(1, 2000) n",
];

/// The tables in which work waits among all that is done.
const QUEUES: [&str; 4] = ["raw_bodies", "inbox", "outgoing", "nudges"];

/// Statements that read an index of what waits as far as they need, or all of it at times, and why.
const WALKS: [(&str, &str); 13] = [
    (
        "forget::ITEMS_ASIDE",
        "what was put aside is for an operator, and little",
    ),
    (
        "forget::RAW_ASIDE",
        "what could not be read is for an operator, and little",
    ),
    (
        "inbox::NEXT_DUE",
        "whether anything waits at all: at a look by hand",
    ),
    ("pages::DRAFTS", "the page is the list of what waits"),
    (
        "stuck::RAW",
        "the page is the list of what could not be read",
    ),
    (
        "stuck::QUARANTINED",
        "the page is the list of what was put aside",
    ),
    (
        "stuck::ASIDE",
        "the command is the list of what was put aside",
    ),
    (
        "stuck::ASIDE_RAW",
        "the command is the list of what could not be read",
    ),
    ("stuck::AGAIN", "one of what was put aside, by hand"),
    ("stuck::END", "one of what was put aside, by hand"),
    ("stuck::TALLY_ITEMS", "how many wait"),
    ("stuck::TALLY_QUARANTINED", "how many were put aside"),
    ("stuck::TALLY_UNREADABLE", "how many could not be read"),
];

/// PostgreSQL plans by what its statistics last saw. In a night in which nothing waits every index of what waits
/// looks empty, so that one seems as good as another; the next morning a storm is in it. Each must therefore be of
/// use to its own statements only. SQLite keeps no statistics.
async fn no_statement_reads_a_queue_from_end_to_end_after_a_quiet_night(database: Database) {
    let store = open(&database).await;
    if !store.is_postgres() {
        return;
    }
    let mut server = sqlx::PgConnection::connect(&database.url).await.unwrap();
    server
        .execute("SET session_replication_role = replica")
        .await
        .unwrap();
    for text in QUIET_NIGHT {
        server.execute(text).await.unwrap();
    }
    server.execute("ANALYZE").await.unwrap();
    let schema = Schema::read();
    let mut wrong = Vec::new();
    for statement in store::statements().into_iter().flatten() {
        let mut tx = store.write().await.unwrap();
        let plan = tx.plan(statement).await.unwrap();
        drop(tx);
        let name = statement.name.rsplit("store::").next().unwrap();
        let walks = schema.walks_of_postgres(&plan);
        if !walks.is_empty() && !WALKS.iter().any(|(may, _)| *may == name) {
            wrong.push(format!("{name}: {walks:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names out of the migrations.
struct Schema {
    growing: Vec<String>,
    /// Indexes of what is open, each with its first column.
    partial: Vec<(String, String)>,
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
                if let (Some(name), Some(table)) = (after("INDEX"), after("ON"))
                    && words.contains(&"WHERE")
                {
                    let columns = statement.split_once(&format!(" {table} (")).unwrap().1;
                    let first = columns.split([',', ')']).next().unwrap();
                    partial.push((name, first.to_owned()));
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

    /// Nodes that read an index of what waits without a condition on its first column.
    fn walks_of_postgres(&self, plan: &[String]) -> Vec<String> {
        let walks = |(at, line): (usize, &String)| {
            let (_, index) = line
                .split_once(" using ")
                .or(line.split_once("Bitmap Index Scan on "))?;
            let index = index.split_whitespace().next()?;
            if !QUEUES
                .iter()
                .any(|queue| index.starts_with(&format!("{queue}_by_")))
            {
                return None;
            }
            let first = &self.partial.iter().find(|(name, _)| name == index)?.1;
            let found = plan[at + 1..]
                .iter()
                .take_while(|line| !line.contains("->"))
                .any(|line| line.contains("Index Cond") && line.contains(&format!("({first} ")));
            (!found).then(|| line.trim().to_owned())
        };
        plan.iter().enumerate().filter_map(walks).collect()
    }

    fn holds_what_is_open(&self, line: &str) -> bool {
        self.partial
            .iter()
            .any(|(index, _)| line.contains(index.as_str()))
    }
}

#[test]
fn a_scan_is_told_from_a_search() {
    let schema = Schema {
        growing: vec!["outgoing".into()],
        partial: vec![("outgoing_open".into(), "x".into())],
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
