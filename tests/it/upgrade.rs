//! A migration that was killed, one that fails, one that changed, and a schema of a newer program: the
//! next start finishes or refuses with one sentence, and never serves on half a schema.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::{Database, execute, on_both};
use crate::support::house::{environment, number};
use crate::support::running::{Running, command};
use crate::support::wait::between_looks;

on_both!(
    a_migration_that_was_killed_is_begun_again,
    a_schema_that_is_not_this_programs_is_refused,
);

type Variables = Vec<(String, String)>;

/// Two tables, with long work between them.
const SQLITE: &str = "CREATE TABLE planted_one (n BIGINT);\n\
    INSERT INTO planted_one WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 6000000) SELECT n FROM c;\n\
    CREATE TABLE planted_two (n BIGINT);";
const POSTGRES: &str = "CREATE TABLE planted_one (n BIGINT);\n\
    INSERT INTO planted_one SELECT 1 FROM pg_sleep(3);\n\
    CREATE TABLE planted_two (n BIGINT);";

fn planted(database: &Database, sql: &str) -> Variables {
    let file = database.folder.path().join("planted.sql");
    fs::write(&file, sql).unwrap();
    let mut environment = environment(database, "http://127.0.0.1:9");
    environment.push(("TUSSENDOOR_PLANTED".into(), file.display().to_string()));
    environment
}

fn start(environment: &Variables) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tussendoor"))
        .arg("serve")
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Is the planted migration in the middle of its long work?
async fn is_busy(database: &Database) -> bool {
    if database.kind() == "PostgreSQL" {
        let busy = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%planted_one%' AND wait_event = 'PgSleep'";
        return number(database, busy).await > 0;
    }
    // Enough of it that it was written out beside the database already.
    let wal = database.folder.path().join("tussendoor.db-wal");
    fs::metadata(wal).is_ok_and(|wal| wal.len() > 20_000_000)
}

async fn tables(database: &Database) -> i64 {
    let sql = match database.kind() {
        "SQLite" => "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'planted%'",
        _ => "SELECT COUNT(*) FROM pg_tables WHERE tablename LIKE 'planted%'",
    };
    number(database, sql).await
}

async fn a_migration_that_was_killed_is_begun_again(database: Database) {
    let without = environment(&database, "http://127.0.0.1:9");
    assert_eq!(command(&["migrate"], &without).0, Some(0));
    let sql = match database.kind() {
        "SQLite" => SQLITE,
        _ => POSTGRES,
    };
    let with = planted(&database, sql);
    let mut child = start(&with);
    let until = Instant::now() + Duration::from_secs(20);
    while !is_busy(&database).await {
        assert!(Instant::now() < until, "the migration never came so far");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        between_looks().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The program before it finds its own schema, whole: nothing of the other is there.
    let running = Running::serve(&without, None);
    assert_eq!(tables(&database).await, 0);
    running.stop();
    // The program with it begins it again and finishes it, once.
    for _ in 0..2 {
        let (code, said) = command(&["migrate"], &with);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(tables(&database).await, 2);
    }
    Running::serve(&with, None).stop();
}

fn refused(environment: &Variables, why: &str) {
    for arguments in [&["serve"][..], &["migrate"]] {
        let (code, said) = command(arguments, environment);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(why), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
}

async fn a_schema_that_is_not_this_programs_is_refused(database: Database) {
    let mut without = environment(&database, "http://127.0.0.1:9");
    // One that fails half-way leaves nothing of itself.
    let broken = "CREATE TABLE planted_one (n BIGINT);\nINSERT INTO nowhere VALUES (1);";
    let mut with = planted(&database, broken);
    for environment in [&mut without, &mut with] {
        environment.push(("LISTEN_ADDR".into(), "127.0.0.1:0".into()));
        environment.push(("RUST_LOG".into(), "error".into()));
    }
    refused(&with, "migration 9999 failed");
    assert_eq!(tables(&database).await, 0);
    Running::serve(&without, None).stop();
    // A newer program was here.
    let whole = "CREATE TABLE planted_one (n BIGINT);";
    fs::write(database.folder.path().join("planted.sql"), whole).unwrap();
    assert_eq!(command(&["migrate"], &with).0, Some(0));
    refused(&without, "start the newer version");
    // Its migration was another one.
    let other = "CREATE TABLE planted_one (n BIGINT, m BIGINT);";
    fs::write(database.folder.path().join("planted.sql"), other).unwrap();
    refused(&with, "is not the one of this program");
    // Something else than this program left one half-way.
    let left = "UPDATE _sqlx_migrations SET success = (1 = 0) WHERE version = 9999";
    assert_eq!(execute(&database, left).await, 1);
    refused(&with, "was left half-way");
}
