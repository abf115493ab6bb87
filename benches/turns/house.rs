//! The house that is measured: people with a plan, a provider that takes everything, webhooks as Meta signs them.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio_util::sync::CancellationToken;
use tussendoor::app::{App, receive, send, turn};
use tussendoor::assemble;
use tussendoor::domain::contact::{
    AddressKind, AddressState, CandidateState, DigitalSkill, Purpose, Track,
};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::{Subject, Task, TaskState};
use tussendoor::domain::talk::event::Event;
use tussendoor::domain::time::Timestamp;
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::ports::channel::HttpRequest;
use tussendoor::ports::clock::HandClock;
use tussendoor::ports::transport::{Answer, Envelope, Transport};
use tussendoor::settings::Settings;
use tussendoor::store::contacts::{self, How, NewCandidate};
use tussendoor::store::{addresses, plans};

const SECRET: &str = "a-secret-of-the-benchmark";

/// A provider that takes everything at once: nothing of the wire is measured here.
struct Taken(Arc<dyn Chance>);

impl Transport for Taken {
    fn carry<'a>(&'a self, _: Envelope) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        let body = format!(r#"{{"messages":[{{"id":"wamid.{}"}}]}}"#, self.0.token());
        Box::pin(async move {
            Answer::Http {
                status: 200,
                headers: Vec::new(),
                body: body.into_bytes(),
            }
        })
    }
}

pub fn environment(url: &str, folder: &std::path::Path) -> Vec<(String, String)> {
    [
        ("TUSSENDOOR_DATA_DIR", folder.display().to_string()),
        ("DATABASE_URL", url.to_owned()),
        ("TUSSENDOOR_KEYS__MASTER", "11".repeat(32)),
        ("TUSSENDOOR_KEYS__LOOKUP", "22".repeat(32)),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__NAME",
            "Waterstad".into(),
        ),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__TEAMS",
            "Team Werk".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__PROVIDER",
            "whatsapp_meta".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__BASE_URL",
            "http://127.0.0.1:9".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__API_VERSION",
            "v23.0".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET",
            SECRET.into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__VERIFY_TOKEN",
            "v".repeat(20),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__ACCESS_TOKEN",
            "t".repeat(20),
        ),
        (
            "TUSSENDOOR_LINES__WHATSAPP__ORGANISATION",
            "waterstad".into(),
        ),
        ("TUSSENDOOR_LINES__WHATSAPP__ENDPOINT", "meta".into()),
        (
            "TUSSENDOOR_LINES__WHATSAPP__ADDRESS",
            "106540352242922".into(),
        ),
        (
            "TUSSENDOOR_LINES__WHATSAPP__DISPLAY",
            "+31 20 123 4567".into(),
        ),
        ("TUSSENDOOR_SEND__PER_SECOND", "1000".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

pub fn start() -> Timestamp {
    tussendoor::domain::time::local_moment(
        "2026-03-03".parse().expect("a day"),
        10,
        0,
        chrono_tz::Europe::Amsterdam,
    )
}

pub fn number(at: usize) -> String {
    format!("+31612{at:06}")
}

/// Seconds of processor time of this process so far.
pub fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let rest = stat.rsplit(')').next().expect("a name in brackets");
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: f64 =
        fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks");
    ticks / 100.0
}

pub async fn house(url: &str, folder: &std::path::Path) -> (Arc<App>, HandClock) {
    let settings = Settings::load(environment(url, folder)).expect("settings");
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    let clock = HandClock::at(start());
    let store = assemble::store(&settings, chance.clone())
        .await
        .expect("store");
    store.migrate().await.expect("migrations");
    let mut app = assemble::app(&settings, store, Arc::new(clock.clone()), chance.clone())
        .await
        .expect("app");
    app.transport = Arc::new(Taken(chance));
    (Arc::new(app), clock)
}

pub async fn everything_by_itself(url: &str) {
    let text =
        "INSERT INTO policies (team_id, rule, approve) SELECT id, 'task_nudge', 'auto' FROM teams";
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.expect("SQLite");
        connection.execute(text).await.expect("policies");
    } else {
        let mut connection = PgConnection::connect(url).await.expect("PostgreSQL");
        connection.execute(text).await.expect("policies");
    }
}

/// People with a plan of three tasks, each asked whether the first one is done.
pub async fn people(app: &App, count: usize) -> Vec<CandidateId> {
    let now = app.now();
    let house = app.houses.values().next().expect("a house");
    let mut ids = Vec::with_capacity(count);
    for from in (0..count).step_by(200) {
        let mut tx = app.store.write().await.expect("a transaction");
        for at in from..(from + 200).min(count) {
            let id: CandidateId = app.id(now);
            let new = NewCandidate {
                id,
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
            let key = contacts::add(&mut tx, &new, now).await.expect("a person");
            let sealer = tx.sealer(key).await.expect("a key");
            let number = number(at);
            let address = (
                app.id(now),
                AddressKind::Whatsapp,
                number.as_str(),
                AddressState::Believed,
            );
            addresses::add(&mut tx, &sealer, id, address, None)
                .await
                .expect("an address");
            for purpose in Purpose::ASKED {
                let what = (purpose, true, How::Form);
                contacts::record_consent(&mut tx, app.row_id(now), id, what, "whatsapp", now)
                    .await
                    .expect("consent");
            }
            let plan = app.id(now);
            let today = now.local_day(house.zone);
            plans::add(
                &mut tx,
                &sealer,
                plan,
                id,
                "Werk voor de zomer",
                today,
                None,
            )
            .await
            .expect("a plan");
            let mut first = None;
            for (number, title) in (1..).zip(["CV maken", "Vacature zoeken", "Brief schrijven"]) {
                let task = Task {
                    id: app.id(now),
                    number,
                    title: title.to_owned(),
                    state: TaskState::Open,
                    due_on: Some(today),
                    done_at: None,
                    version: 0,
                };
                first.get_or_insert(task.id);
                plans::add_task(&mut tx, &sealer, plan, id, &task)
                    .await
                    .expect("a task");
            }
            let person = turn::person(&mut tx, id).await.expect("a person");
            let event = Event::Start {
                flow: app.book.newest("task_nudge").expect("the flow"),
                subject: Subject::Task(first.expect("a task")),
            };
            turn::play(app, &mut tx, &person, event, now)
                .await
                .expect("a turn");
            ids.push(id);
        }
        tx.commit().await.expect("a commit");
    }
    ids
}

/// Everything that may go goes, until nothing is left.
pub async fn send_all(app: &Arc<App>, clock: &HandClock) -> usize {
    let mut sent = 0;
    for _ in 0..1000 {
        let mut back = Vec::new();
        let mut quiet = true;
        loop {
            let jobs = send::round(app, &mut back, 64).await.expect("a round");
            if jobs.is_empty() && back.is_empty() {
                break;
            }
            quiet = false;
            for job in jobs {
                back.push(send::carry(app.clone(), job).await);
                sent += 1;
            }
        }
        if quiet {
            let mut tx = app.store.read().await.expect("a connection");
            if tussendoor::store::outbox::next_ready(&mut tx)
                .await
                .expect("a look")
                .is_none()
            {
                return sent;
            }
        }
        clock.turn_to(app.now().plus_seconds(7));
    }
    sent
}

pub fn webhook(at: usize, id: usize, words: &str, now: Timestamp) -> (Vec<u8>, String) {
    let from = number(at);
    let from = from.trim_start_matches('+');
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"31201234567","phone_number_id":"106540352242922"}},"contacts":[{{"profile":{{"name":"Samira"}},"wa_id":"{from}"}}],"messages":[{{"from":"{from}","id":"wamid.B{id:020}","timestamp":"{}","type":"text","text":{{"body":"{words}"}}}}]}},"field":"messages"}}]}}]}}"#,
        now.0 / 1_000_000
    )
    .into_bytes();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    (body, signature)
}

/// Stores one webhook a person; nothing is played yet.
pub async fn store_webhooks(
    app: &Arc<App>,
    people: Range<usize>,
    first: usize,
    words: &'static str,
) {
    let now = app.now();
    let mut tasks = tokio::task::JoinSet::new();
    for at in people {
        let app = app.clone();
        tasks.spawn(async move {
            let (body, signature) = webhook(at, first + at, words, now);
            let headers = vec![("x-hub-signature-256".to_owned(), signature.into_bytes())];
            let request = HttpRequest {
                query: "",
                headers: &headers,
                body: &body,
            };
            receive::receive(&app, "meta", &request).await.is_ok()
        });
        if tasks.len() >= 256 {
            assert!(
                tasks.join_next().await.expect("a task").expect("no panic"),
                "stored"
            );
        }
    }
    while let Some(stored) = tasks.join_next().await {
        assert!(stored.expect("no panic"), "stored");
    }
}

/// What PostgreSQL's own caretaker does within a minute. Without it the planner knows nothing of what was just
/// filled.
pub async fn settle(url: &str) {
    if !url.starts_with("sqlite:") {
        let mut connection = PgConnection::connect(url).await.expect("PostgreSQL");
        connection.execute("ANALYZE").await.expect("statistics");
    }
}

/// So many others wrote before: no table is new.
const PAST: usize = 1000;

/// A house in which so many people were asked whether a task is done.
pub async fn asked(url: &str, folder: &std::path::Path, count: usize) -> (Arc<App>, HandClock) {
    let (app, clock) = house(url, folder).await;
    let stop = CancellationToken::new();
    tokio::spawn(receive::write_batches(app.clone(), stop));
    everything_by_itself(url).await;
    let ids = people(&app, count + PAST).await;
    settle(url).await;
    assert_eq!(
        send_all(&app, &clock).await,
        count + PAST,
        "everybody was asked"
    );
    let step = super::pure_step(&app, ids[0]).await;
    println!("                                   a pure step takes {step:.1} µs");
    store_webhooks(&app, count..count + PAST, 7_000_000, "Hoi").await;
    super::play(&app, |played| played >= PAST).await;
    send_all(&app, &clock).await;
    settle(url).await;
    (app, clock)
}

/// A fresh SQLite, and a PostgreSQL where there is a server.
pub async fn databases(what: &str) -> Vec<(&'static str, String, tempfile::TempDir)> {
    let folder = || tempfile::tempdir().expect("a folder");
    let file = folder();
    let url = format!("sqlite://{}", file.path().join("bench.db").display());
    let mut all = vec![("SQLite", url, file)];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(base) => {
            let name = format!("{what}_{}", std::process::id());
            let mut server = PgConnection::connect(&base)
                .await
                .expect("PostgreSQL answers");
            let text = format!("CREATE DATABASE {name}");
            server
                .execute(AssertSqlSafe(text))
                .await
                .expect("a database");
            let (at, _) = base.rsplit_once('/').expect("an address");
            all.push(("PostgreSQL", format!("{at}/{name}"), folder()));
        }
        Err(_) => println!("PostgreSQL   not measured: TEST_POSTGRES_URL names no server"),
    }
    all
}

pub async fn dropped(url: &str) {
    if let Ok(base) = std::env::var("TEST_POSTGRES_URL")
        && !url.starts_with("sqlite:")
    {
        let (_, name) = url.rsplit_once('/').expect("an address");
        let mut server = PgConnection::connect(&base)
            .await
            .expect("PostgreSQL answers");
        let text = format!("DROP DATABASE {name}");
        server.execute(AssertSqlSafe(text)).await.expect("dropped");
    }
}
