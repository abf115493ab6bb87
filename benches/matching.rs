//! How fast new vacancies find the people whom they fit: 10,000 vacancies against 50,000 sealed searches, on
//! SQLite and, where TEST_POSTGRES_URL names a server, on PostgreSQL.
//! `cargo bench --bench matching [-- VACANCIES SEARCHES]`
//! Searches have no index (docs/decisions/0020-vacancies.md): every round opens them all, so the time must
//! grow with them and with nothing worse. Three runs tell: the whole, and with half of each.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock of the machine"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tussendoor::app::vacancies::take::{self, Taken};
use tussendoor::app::vacancies::{Hours, Search, pair};
use tussendoor::app::{App, House};
use tussendoor::assemble;
use tussendoor::domain::contact::{CandidateState, DigitalSkill, Track};
use tussendoor::domain::vacancy::Raw;
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::ports::clock::SystemClock;
use tussendoor::settings::Settings;
use tussendoor::store::contacts::{self, NewCandidate};
use tussendoor::store::searches;
use tussendoor::store::vacancies::Source;
use tussendoor::wire::feeds::Read;

const TRADES: [&str; 20] = [
    "magazijnmedewerker",
    "kok",
    "bakker",
    "schoonmaker",
    "chauffeur",
    "hovenier",
    "verkoper",
    "timmerman",
    "schilder",
    "verzorgende",
    "receptionist",
    "monteur",
    "kapper",
    "koerier",
    "inpakker",
    "lasser",
    "conciërge",
    "beveiliger",
    "afwasser",
    "administratie",
];
/// From the middle of Amsterdam to Groningen and Maastricht: most of what has the right words is too far.
const PLACES: [&str; 8] = [
    "1012", "1102", "1381", "3511", "3011", "5611", "9711", "6211",
];
const PER_COMMIT: usize = 500;

#[tokio::main]
async fn main() {
    let asked = std::env::args().skip(1);
    let mut asked = asked.filter_map(|text| text.parse::<usize>().ok());
    let vacancies = asked.next().unwrap_or(10_000);
    let searches = asked.next().unwrap_or(50_000);
    let folder = tempfile::tempdir().unwrap();
    let mut databases = vec![("SQLite", None)];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(base) => databases.push(("PostgreSQL", Some(base))),
        Err(_) => println!("TEST_POSTGRES_URL names no server: SQLite only"),
    }
    for (name, server) in databases {
        println!("{name}");
        let whole = run(folder.path(), server.as_deref(), vacancies, searches).await;
        let fewer = run(folder.path(), server.as_deref(), vacancies / 2, searches).await;
        let smaller = run(folder.path(), server.as_deref(), vacancies, searches / 2).await;
        println!(
            "  twice the vacancies take {:.1} times as long, twice the searches {:.1} times",
            whole / fewer,
            whole / smaller
        );
    }
}

/// The seconds of the matching alone, on a database of its own.
async fn run(folder: &Path, server: Option<&str>, vacancies: usize, searches: usize) -> f64 {
    let own = tempfile::tempdir_in(folder).unwrap();
    let name = format!("bench_matching_{}", std::process::id());
    let url = match server {
        None => format!("sqlite://{}", own.path().join("bench.db").display()),
        Some(base) => {
            execute(base, format!("CREATE DATABASE {name}")).await;
            format!("{}/{name}", base.rsplit_once('/').unwrap().0)
        }
    };
    let app = app(&url, own.path()).await;
    let house = app.houses.values().next().unwrap();
    people(&app, house, searches).await;
    feed(&app, house, vacancies).await;
    if server.is_some() {
        // What PostgreSQL's own caretaker does within a minute.
        execute(&url, "ANALYZE".to_owned()).await;
    }
    let began = Instant::now();
    let done = pair::round(&app, house).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(done, vacancies, "every vacancy is matched");
    let found = found(&app, house).await;
    assert!(found > 0, "somebody is found");
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    let (of_vacancies, of_pairs) = (vacancies as f64, (vacancies * searches) as f64);
    println!(
        "  {vacancies} vacancies, {searches} searches: {seconds:.1} s, {:.0} vacancies a second, {:.0} µs each, {:.3} µs a pair; {found} of the first 500 people have a match",
        of_vacancies / seconds,
        1e6 * seconds / of_vacancies,
        1e6 * seconds / of_pairs,
    );
    app.store.close().await;
    drop(app);
    if let Some(base) = server {
        execute(base, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
    seconds
}

async fn execute(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

/// People who each look for two trades, around a place.
async fn people(app: &App, house: &House, count: usize) {
    let now = app.now();
    for piece in (0..count).collect::<Vec<_>>().chunks(PER_COMMIT) {
        let mut tx = app.store.write().await.unwrap();
        for at in piece {
            let new = NewCandidate {
                id: app.id(now),
                organisation: house.id,
                team: house.teams[0].0,
                coach: None,
                first_name: "Samira",
                family_name: "Haddad",
                language: "nl",
                digital_skill: DigitalSkill::Basic,
                track: Track::Participation,
                state: CandidateState::Active,
                reference: None,
            };
            let key = contacts::add(&mut tx, &new, now).await.unwrap();
            let sealer = tx.sealer(key).await.unwrap();
            let word = |at: usize| TRADES[at % TRADES.len()].to_owned();
            let search = Search {
                words: vec![word(*at), word(at / TRADES.len() + at + 1)],
                pc4: PLACES[at % PLACES.len()].to_owned(),
                hours: Hours {
                    least: 8,
                    most: 24 + u32::try_from(at % 3).unwrap() * 8,
                },
                ..Search::default()
            };
            searches::save(&mut tx, &sealer, new.id, &search, None)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Vacancies of a feed, each with a text of some length.
async fn feed(app: &App, house: &House, count: usize) {
    let text = "Je werkt in een leuk team en je leert het vak van een collega. Je kunt goed samenwerken, je bent op tijd en je houdt van aanpakken. Wij bieden een vast contract, reiskosten en een goede sfeer op de werkvloer. ";
    let vacancies = (0..count)
        .map(|at| Raw {
            reference: at.to_string(),
            title: format!("{} {at}", TRADES[at % TRADES.len()]),
            employer: format!("Bedrijf {}", at % 997),
            text: format!("{}{} uur. Nummer {at}.", text.repeat(4), 16 + at % 20),
            postcode: PLACES[(at / 3) % PLACES.len()].to_owned(),
            ..Raw::default()
        })
        .collect();
    let read = Read {
        vacancies,
        unread: 0,
    };
    let source = Source {
        organisation: house.id,
        name: "bench",
    };
    match take::take(app, source, &read, true, 0).await.unwrap() {
        Taken::Done(report) => assert_eq!(report.new, count, "{report:?}"),
        other => panic!("{other:?}"),
    }
}

/// Of the first 500 searches, those with a match.
async fn found(app: &App, house: &House) -> usize {
    let mut tx = app.store.read().await.unwrap();
    let (some, _) = searches::piece(&mut tx, house.id, None, 500).await.unwrap();
    let mut found = 0;
    for one in some {
        let matches = tussendoor::store::matches::found_of(&mut tx, one.candidate);
        found += usize::from(!matches.await.unwrap().is_empty());
    }
    found
}

async fn app(url: &str, folder: &Path) -> App {
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
