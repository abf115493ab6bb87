//! How fast people come in: 100,000 candidates, then their plans and steps, on SQLite and, where
//! TEST_POSTGRES_URL names a server, on PostgreSQL. `cargo bench --bench import [-- ROWS]`
//! The first run must stay under a minute for each file, and a second run must change nothing.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock of the machine"
)]

#[path = "../tests/it/support/crowd.rs"]
mod crowd;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tussendoor::app::App;
use tussendoor::app::import::{self, Asked, Counts, Place};
use tussendoor::assemble;
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::ports::clock::SystemClock;
use tussendoor::settings::Settings;

const MINUTE: f64 = 60.0;

#[tokio::main]
async fn main() -> ExitCode {
    let asked = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let rows: u32 = asked.unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let mut slow = false;
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    slow |= measure("sqlite", &sqlite, folder.path(), rows).await;
    if let Ok(base) = std::env::var("TEST_POSTGRES_URL") {
        let name = format!("bench_import_{}", std::process::id());
        let mut connection = PgConnection::connect(&base).await.unwrap();
        let make = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(make).await.unwrap();
        let (server, _) = base.rsplit_once('/').unwrap();
        slow |= measure("postgres", &format!("{server}/{name}"), folder.path(), rows).await;
        let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
        connection.execute(drop).await.unwrap();
    }
    if slow {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Whether a first run took more than a minute for a file.
async fn measure(database: &str, url: &str, folder: &Path, rows: u32) -> bool {
    let app = house(url, folder).await;
    let files = folder.join(database);
    std::fs::create_dir_all(&files).unwrap();
    crowd::candidates(&files, rows, None);
    let mut slow = false;
    let all = rows as usize;
    for (what, changed, expected) in [
        ("candidates, new", None, (all, 0)),
        ("candidates, the same again", None, (0, 0)),
        (
            "candidates, one in ten changed",
            Some(10),
            (0, all.div_ceil(10)),
        ),
    ] {
        crowd::candidates(&files, rows, changed);
        slow |= run(&app, &files, database, what, &[expected]).await;
    }
    std::fs::remove_file(files.join("candidates.csv")).unwrap();
    crowd::plans(&files, rows);
    for (what, expected) in [
        ("plans and steps, new", (all, 0)),
        ("plans and steps, the same again", (0, 0)),
    ] {
        slow |= run(&app, &files, database, what, &[expected, expected]).await;
    }
    println!("{database}: at most {} MB of memory", peak_mb());
    app.store.close().await;
    slow
}

async fn run(
    app: &App,
    files: &Path,
    database: &str,
    what: &str,
    expected: &[(usize, usize)],
) -> bool {
    let house = app.houses.values().next().unwrap();
    let place = Place {
        organisation: house.id,
        team: house.teams[0].0,
    };
    let sheets = import::sheets(&[files.to_owned()]).unwrap();
    let began = Instant::now();
    let reports = import::import(app, place, sheets, Asked::default(), &|_, _, _| {})
        .await
        .unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let mut rows = 0;
    assert_eq!(reports.len(), expected.len());
    for (report, (new, changed)) in reports.iter().zip(expected) {
        assert!(report.is_whole(), "{report}");
        let Counts {
            created,
            updated,
            unchanged,
        } = report.counts;
        assert_eq!((created, updated), (*new, *changed), "{what}");
        rows += created + updated + unchanged;
    }
    let rate = rows as f64 / seconds;
    println!("{database}: {what}: {rows} rows in {seconds:.1} s, {rate:.0} rows a second");
    seconds > MINUTE * reports.len() as f64
}

async fn house(url: &str, folder: &Path) -> App {
    let pairs = [
        ("TUSSENDOOR_DATA_DIR", folder.display().to_string()),
        ("DATABASE_URL", url.to_owned()),
        ("TUSSENDOOR_KEYS__MASTER", "11".repeat(32)),
        ("TUSSENDOOR_KEYS__LOOKUP", "22".repeat(32)),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__NAME",
            "Gemeente Waterstad".into(),
        ),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__TEAMS",
            "Team Werk".into(),
        ),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    let settings = Settings::load(pairs).unwrap();
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    let store = assemble::store(&settings, chance.clone()).await.unwrap();
    store.migrate().await.unwrap();
    assemble::app(&settings, store, Arc::new(SystemClock), chance)
        .await
        .unwrap()
}

/// The most memory this process ever held; nothing where the system does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
