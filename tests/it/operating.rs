//! What an operator leans on: numbers, the health answer, one process a SQLite file, two processes on one
//! PostgreSQL, a full queue, logs that a machine can read.

use std::time::{Duration, Instant};

use serde_json::Value;
use tussendoor::app::{health, numbers};

use crate::support::database::{Database, on_both};
use crate::support::graph::{GraphStandIn, Webhook};
use crate::support::house::{House, environment, moment, number};
use crate::support::running::{Running, client, command};
use crate::support::wait::{between_looks, drained};

mod checked;
mod slow;

on_both!(
    the_numbers_tell_of_a_real_message_and_of_nobody,
    what_is_stuck_is_told_with_its_age,
    a_full_queue_is_told_at_once_and_nothing_is_lost,
);

const NUMBER: &str = "+31612345678";

/// One value out of the text form; `None` if that line is not there.
fn value(text: &str, line: &str) -> Option<f64> {
    let found = text
        .lines()
        .find_map(|it| it.strip_prefix(line)?.strip_prefix(' '))?;
    found.parse().ok()
}

/// A nudge that went, was answered and brought a second message: every number has moved.
async fn after_a_message(database: Database) -> House {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    house.approve(candidate).await;
    house.idle().await;
    house.says(NUMBER, "help, waar zit jullie kantoor?").await;
    house
}

async fn the_numbers_tell_of_a_real_message_and_of_nobody(database: Database) {
    let house = after_a_message(database).await;
    assert_eq!(house.deliver(&(b"{}".to_vec(), String::new())).await, 401);
    let well = health::look(&house.app).await;
    assert_eq!(well.level(), health::Level::Well, "{well:?}");
    let text = house.app.numbers.text();
    let sent = house.graph.accepted().len();
    assert!(sent >= 1, "something was sent");
    let accepted = "tussendoor_sends_total{channel=\"whatsapp_meta\",outcome=\"accepted\"}";
    assert_eq!(value(&text, accepted), Some(sent as f64), "{text}");
    for line in [
        "tussendoor_send_seconds_count{channel=\"whatsapp_meta\"}",
        "tussendoor_turns_total",
        "tussendoor_turns_batch_seconds_count",
        "tussendoor_receive_batch_size_count",
        "tussendoor_receive_commit_seconds_count",
        "tussendoor_database_bytes{part=\"database\"}",
        "tussendoor_disk_free_bytes",
        "tussendoor_worker_turned_age_seconds{worker=\"receive\"}",
        "process_start_time_seconds",
    ] {
        assert!(
            value(&text, line).is_some_and(|it| it > 0.0),
            "{line}: {text}"
        );
    }
    for line in [
        "tussendoor_sends_in_flight",
        "tussendoor_receive_waiting",
        "tussendoor_inbox_new",
        "tussendoor_inbox_oldest_age_seconds",
        "tussendoor_outbox_messages{state=\"retry\"}",
        "tussendoor_outbox_messages{state=\"in_doubt\"}",
        "tussendoor_nudges_overdue",
        "tussendoor_lines_paused{channel=\"whatsapp_meta\"}",
    ] {
        assert_eq!(value(&text, line), Some(0.0), "{line}: {text}");
    }
    assert_eq!(value(&text, "tussendoor_database_up"), Some(1.0));
    let version = concat!(
        "tussendoor_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"}"
    );
    assert_eq!(value(&text, version), Some(1.0));
    // Nobody can be recognised: no number, no name, no id of ours or of the provider.
    let ids = house.app.lines.keys().map(ToString::to_string);
    let houses = house.app.houses.keys().map(ToString::to_string);
    let people = [
        "31612345678",
        "Samira",
        "Haddad",
        "cv",
        "wamid",
        "waterstad",
    ];
    for word in ids.chain(houses).chain(people.map(str::to_owned)) {
        assert!(!text.contains(&word), "{word}: {text}");
    }
    for label in text.split('"').skip(1).step_by(2) {
        let known = label.len() <= 24 && label.parse::<u64>().is_err();
        assert!(
            known || label.parse::<f64>().is_ok(),
            "a strange label: {label}"
        );
    }
}

#[test]
fn every_number_and_every_check_stands_in_the_handbook() {
    let handbook = include_str!("../../docs/operating.md");
    for number in numbers::ALL {
        assert!(handbook.contains(number.name), "{}", number.name);
    }
    for check in health::NAMES {
        assert!(handbook.contains(&format!("`{check}`")), "{check}");
    }
}

async fn what_is_stuck_is_told_with_its_age(database: Database) {
    let house = House::new(database).await;
    let (candidate, other) = (
        house.candidate("Samira", NUMBER, true).await,
        house.candidate("Yusuf", "+31687654321", true).await,
    );
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.plan(other, &[("cv maken", "2026-03-05")]).await;
    let begun = moment("2026-03-04", 9, 31);
    house.turn_to(begun);
    house.idle().await;
    // Approved, and the sender does not run.
    house.approve(candidate).await;
    let approved = house.app.now();
    // Received, and nobody plays it.
    let webhook = house.graph.webhook_text(NUMBER, "Samira", "hallo");
    assert_eq!(house.deliver(&webhook).await, 200);
    // The line stands still.
    let line = *house.app.lines.keys().next().unwrap();
    let mut tx = house.app.store.write().await.unwrap();
    tussendoor::store::lines::pause_line(&mut tx, line, "190", approved)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let told = |health: &health::Health, name: &str| {
        *health.checks.iter().find(|it| it.name == name).unwrap()
    };
    let soon = health::look(&house.app).await;
    assert_eq!(told(&soon, "inbox").level, health::Level::Well);
    assert_eq!(told(&soon, "inbox").count, 1);
    assert_eq!(told(&soon, "outbox").count, 1);
    house.wait(16 * 60);
    for found in [
        health::look(&house.app).await,
        health::look_for(&house.app, house.scope.organisation)
            .await
            .unwrap(),
    ] {
        assert_eq!(found.level(), health::Level::Alarm);
        for name in ["inbox", "outbox", "lines"] {
            let check = told(&found, name);
            assert_eq!(check.level, health::Level::Alarm, "{name}");
            assert_eq!(check.count, 1, "{name}");
            let since = check.since.unwrap();
            assert!(
                since >= begun && since <= approved.plus_seconds(1),
                "{name}"
            );
        }
        for name in ["quarantined", "unreadable", "sending", "doubt", "nudges"] {
            assert_eq!(told(&found, name).level, health::Level::Well, "{name}");
        }
    }
    // Another organisation sees nothing of it.
    let stranger = house.app.id(house.app.now());
    let found = health::look_for(&house.app, stranger).await.unwrap();
    assert_eq!(told(&found, "inbox").count, 0);
    assert_eq!(told(&found, "outbox").count, 0);
    assert_eq!(told(&found, "lines").count, 0);
    // Everybody goes home: nothing is left to be stuck.
    let mut tx = house.app.store.write().await.unwrap();
    tussendoor::store::lines::resume_line(&mut tx, line)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    house.idle().await;
    let well = health::look(&house.app).await;
    assert_eq!(well.level(), health::Level::Well, "{well:?}");
}

/// The writer is held up: two wait, the next are told at once to come back, and whoever was told that all
/// is well has a row.
async fn a_full_queue_is_told_at_once_and_nothing_is_lost(database: Database) {
    let graph = GraphStandIn::start();
    let mut environment = environment(&database, &graph.base_url);
    environment.push(("TUSSENDOOR_RECEIVE__QUEUE".into(), "2".into()));
    environment.push(("TUSSENDOOR_METRICS__LISTEN".into(), "127.0.0.1:0".into()));
    let running = Running::serve(&environment, None);
    let webhooks: Vec<Webhook> = (0..12)
        .map(|n| graph.webhook_text(NUMBER, "Samira", &format!("hallo {n}")))
        .collect();
    // The key of the day is made by the first one.
    let first = graph.webhook_text(NUMBER, "Samira", "goedemorgen");
    assert_eq!(running.deliver(&first).await, Some(200));
    let lock = Lock::on_what_comes_in(&database).await;
    let begun = Instant::now();
    let mut answers: futures_util::stream::FuturesUnordered<_> = webhooks
        .iter()
        .map(|webhook| running.deliver(webhook))
        .collect();
    use futures_util::StreamExt as _;
    // Two in the hand of each writer at most, and two that wait.
    let writers = if database.kind() == "PostgreSQL" {
        2
    } else {
        1
    };
    for _ in 0..12 - 2 * writers - 2 {
        assert_eq!(answers.next().await, Some(Some(503)));
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "told at once");
    lock.end().await;
    let mut taken = 0;
    while let Some(answer) = answers.next().await {
        match answer {
            Some(200) => taken += 1,
            other => assert_eq!(other, Some(503)),
        }
    }
    assert!(taken >= 2, "{taken} were taken in");
    let rows = "SELECT COUNT(*) FROM raw_bodies";
    assert_eq!(number(&database, rows).await, taken + 1);
    let text = numbers_of(&running).await;
    let line = |result: &str| {
        let line =
            format!("tussendoor_webhooks_total{{channel=\"whatsapp_meta\",result=\"{result}\"}}");
        value(&text, &line).unwrap_or_else(|| panic!("{line}: {text}"))
    };
    assert_eq!(line("accepted"), (taken + 1) as f64);
    assert_eq!(line("queue_full"), 12.0 - taken as f64);
}

async fn numbers_of(running: &Running) -> String {
    let address = running.numbers.as_ref().unwrap();
    let answer = client()
        .get(format!("http://{address}/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    answer.text().await.unwrap()
}

/// Somebody else holds what the writer needs.
enum Lock {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Lock {
    async fn on_what_comes_in(database: &Database) -> Self {
        use sqlx::{Connection as _, Executor as _};
        if database.url.starts_with("sqlite") {
            let mut other = sqlx::SqliteConnection::connect(&database.url)
                .await
                .unwrap();
            other.execute("BEGIN IMMEDIATE").await.unwrap();
            return Self::Sqlite(other);
        }
        let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
        other
            .execute("BEGIN; LOCK TABLE raw_bodies IN EXCLUSIVE MODE")
            .await
            .unwrap();
        Self::Postgres(other)
    }

    async fn end(self) {
        use sqlx::Executor as _;
        match self {
            Self::Sqlite(mut other) => drop(other.execute("ROLLBACK").await.unwrap()),
            Self::Postgres(mut other) => drop(other.execute("ROLLBACK").await.unwrap()),
        }
    }
}

/// The numbers and the health answer are on their own address and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_watches_the_machine_has_a_door_of_its_own() {
    let database = Database::sqlite();
    let graph = GraphStandIn::start();
    let mut environment = environment(&database, &graph.base_url);
    let quiet = Running::serve(&environment, None);
    assert_eq!(quiet.numbers, None, "not set is nowhere");
    quiet.stop();
    environment.push(("TUSSENDOOR_METRICS__LISTEN".into(), "127.0.0.1:0".into()));
    let running = Running::serve(&environment, None);
    for path in ["/metrics", "/health"] {
        let answer = running.client.get(running.url(path)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path} on the public door");
    }
    let private = format!("http://{}", running.numbers.as_ref().unwrap());
    for path in ["/vandaag", "/inloggen", "/in/meta"] {
        let answer = client()
            .get(format!("{private}{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path} on the private door");
    }
    let health = || async {
        let answer = client()
            .get(format!("{private}/health"))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (status, well) = health().await;
    assert_eq!((status, &well["status"]), (200, &Value::from("well")));
    let names: Vec<_> = well["checks"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names
        .iter()
        .map(|it| it["check"].as_str().unwrap())
        .collect();
    assert_eq!(names, health::NAMES);
    // A database that does not answer is told within seconds.
    let lock = Lock::on_what_comes_in(&database).await;
    let (status, ill) = health().await;
    assert_eq!(
        (status, &ill["checks"][0]["status"]),
        (503, &Value::from("alarm"))
    );
    lock.end().await;
    assert!(
        numbers_of(&running)
            .await
            .contains("tussendoor_database_up 1")
    );
}

/// A second process on the same file would send twice as fast and wake nobody: one sentence, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_is_served_by_one_process() {
    let database = Database::sqlite();
    let graph = GraphStandIn::start();
    let mut environment = environment(&database, &graph.base_url);
    let first = Running::serve(&environment, None);
    environment.push(("LISTEN_ADDR".into(), "127.0.0.1:0".into()));
    let (code, said) = command(&["serve"], &environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another process serves from"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // By another name for the same file too.
    let link = database.folder.path().join("link.db");
    std::os::unix::fs::symlink(database.folder.path().join("tussendoor.db"), &link).unwrap();
    let mut linked = environment.clone();
    linked.retain(|(name, _)| name != "DATABASE_URL");
    linked.push((
        "DATABASE_URL".into(),
        format!("sqlite://{}", link.display()),
    ));
    let (code, said) = command(&["serve"], &linked);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another process serves from"), "{said}");
    // Half a service on a file is no service.
    for half in ["web", "workers"] {
        let (code, said) = command(&["serve", "--only", half], &environment);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("share a PostgreSQL"), "{said}");
    }
    // When the first is gone, however it went, the next one starts.
    drop(first);
    environment.pop();
    Running::serve(&environment, None).stop();
}

/// The house is empty; what it knew stays.
async fn gone(house: House) -> (GraphStandIn, Database) {
    let House {
        app,
        graph,
        database,
        ..
    } = house;
    app.store.close().await;
    (graph, database)
}

/// One process takes in, two do the work, on one PostgreSQL; nothing is played or sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_one_postgresql() {
    let house = House::new(Database::postgres().await).await;
    let people: Vec<String> = (10..34).map(|n| format!("+316123456{n}")).collect();
    for person in &people {
        house.candidate("Samira", person, true).await;
    }
    let (graph, database) = gone(house).await;
    let mut environment = environment(&database, &graph.base_url);
    let now = moment("2026-03-04", 10, 0);
    graph.set_time(now.0 / 1_000_000);
    environment.push(("TUSSENDOOR_CLOCK".into(), now.0.to_string()));
    environment.push(("TUSSENDOOR_METRICS__LISTEN".into(), "127.0.0.1:0".into()));
    let web = Running::serve_only("web", &environment);
    for person in &people {
        let webhook = graph.webhook_text(person, "Iemand", "stop");
        assert_eq!(web.deliver(&webhook).await, Some(200));
    }
    let waiting = "SELECT COUNT(*) FROM raw_bodies WHERE state = 'new'";
    assert_eq!(
        number(&database, waiting).await,
        i64::try_from(people.len()).unwrap(),
        "the door plays nothing"
    );
    let workers = [
        Running::serve_only("workers", &environment),
        Running::serve_only("workers", &environment),
    ];
    let open = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') + (SELECT COUNT(*) FROM outgoing WHERE state IN ('approved', 'retry', 'sending')) AS BIGINT)";
    assert_eq!(drained(&database, open, 10).await, Ok(()));
    for person in &people {
        let heard = graph
            .accepted()
            .iter()
            .filter(|it| it.recipient == *person)
            .count();
        assert_eq!(heard, 1, "{person} hears once that it stops");
    }
    let incoming = "SELECT COUNT(*) FROM incoming";
    assert_eq!(
        number(&database, incoming).await,
        i64::try_from(people.len()).unwrap()
    );
    for worker in &workers {
        let text = numbers_of(worker).await;
        assert_eq!(value(&text, "tussendoor_inbox_new"), Some(0.0));
    }
    for worker in workers {
        worker.stop();
    }
    web.stop();
}

/// Without a terminal every line of the log is one JSON object, and no line knows a person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_for_machines_is_json_and_names_nobody() {
    let house = House::new(Database::sqlite()).await;
    house.candidate("Samira", NUMBER, true).await;
    let (graph, database) = gone(house).await;
    let mut environment = environment(&database, &graph.base_url);
    let now = moment("2026-03-04", 10, 0);
    graph.set_time(now.0 / 1_000_000);
    environment.push(("TUSSENDOOR_CLOCK".into(), now.0.to_string()));
    let path = database.folder.path().join("log");
    let file = std::fs::File::create(&path).unwrap();
    let running = Running::launch(&["serve"], &environment, None, "debug", file.into()).unwrap();
    let webhook = graph.webhook_text(NUMBER, "Samira", "stop");
    assert_eq!(running.deliver(&webhook).await, Some(200));
    let until = Instant::now() + Duration::from_secs(20);
    while graph.accepted().is_empty() {
        assert!(Instant::now() < until, "nothing was sent");
        between_looks().await;
    }
    running.stop();
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(
        log.contains("a message came in") && log.contains("sent"),
        "{log}"
    );
    for line in log.lines() {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(
            object["timestamp"].is_string() && object["level"].is_string(),
            "{line}"
        );
    }
    for word in ["31612345678", "Samira", "berichten", "wamid."] {
        assert!(!log.contains(word), "the log holds {word}");
    }
}
