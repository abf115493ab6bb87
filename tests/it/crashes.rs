//! The real binary ends at every crash point in turn and is started again. Judged by the stand-in's own
//! count per recipient, and by the list of webhooks that were answered 200: nothing acknowledged is lost,
//! nobody gets a message twice. `cargo nextest run --features failpoints crashes --no-capture` prints the
//! table.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tussendoor::domain::time::Timestamp;
use tussendoor::failpoint;

use crate::support::database::{Database, execute, on_both};
use crate::support::graph::Webhook;
use crate::support::house::{House, environment, moment, number};
use crate::support::pages::Coach;
use crate::support::running::Running;
use crate::support::wait::drained;

on_both!(every_crash_point_ends_well);

const NUMBER: &str = "+31612345678";

struct Outcome {
    point: &'static str,
    found: String,
    then: String,
}

async fn every_crash_point_ends_well(database: Database) {
    if !cfg!(feature = "failpoints") {
        panic!("the crash points are not in this build: --features failpoints");
    }
    let kind = database.kind();
    // Two at a time: most of each is waiting for nothing more to happen.
    let crashes = stream::iter(failpoint::ALL).map(async |point| {
        let database = match kind {
            "SQLite" => Database::sqlite(),
            _ => Database::postgres().await,
        };
        crash(database, point).await
    });
    let table: Vec<Outcome> = crashes.buffered(2).collect().await;
    println!(
        "\n{kind}\n{:<22} {:<46} then",
        "crash point", "found after the crash"
    );
    for Outcome { point, found, then } in &table {
        println!("{point:<22} {found:<46} {then}");
    }
    println!(
        "{} crash points: 0 acknowledged webhooks lost, 0 messages sent twice",
        table.len()
    );
    assert_eq!(table.len(), failpoint::ALL.len());
}

fn at(environment: &mut Vec<(String, String)>, now: Timestamp) {
    environment.retain(|(name, _)| name != "TUSSENDOOR_CLOCK");
    environment.push(("TUSSENDOOR_CLOCK".into(), now.0.to_string()));
}

/// A person whose nudge is due and goes by policy; she also writes while it happens.
async fn crash(database: Database, point: &'static str) -> Outcome {
    let by_hand = point.starts_with("approve");
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    house.idle().await;
    let House {
        app,
        graph,
        database,
        ..
    } = house;
    app.store.close().await;
    drop(app);
    if !by_hand {
        execute(
            &database,
            "INSERT INTO policies (team_id, rule, approve) SELECT team_id, 'task_nudge', 'auto' FROM candidates LIMIT 1",
        )
        .await;
    }
    let mut environment = environment(&database, &graph.base_url);
    let now = moment("2026-03-04", 9, 31);
    graph.set_time(now.0 / 1_000_000);
    at(&mut environment, now);
    if by_hand {
        Coach::add(&environment).await;
    }
    let photo = graph.keeps("image/png", b"\x89PNG\r\n\x1a\n and so on");
    let mut acknowledged = Vec::new();
    let mut written: Vec<Webhook> = Vec::new();
    let mut running = Running::start(&["serve"], &environment, Some(point));
    if let Some(running) = &mut running {
        if by_hand {
            Coach::approves(running, "Samira").await;
        }
        let until = Instant::now() + Duration::from_secs(15);
        while running.ends_within(Duration::from_millis(250)).is_none() {
            assert!(Instant::now() < until, "{point} was never reached");
            // The second of the three is a photo.
            let webhook = match written.len() {
                1 => graph.webhook_file(NUMBER, "image", &photo, ""),
                n => graph.webhook_text(NUMBER, "Samira", &format!("hallo {n}")),
            };
            if written.len() < 3 {
                if running.deliver(&webhook).await == Some(200) {
                    acknowledged.push(written.len());
                }
                written.push(webhook);
            }
        }
    }
    drop(running);
    let found = states(&database).await;
    // An hour later the process is back: leases have run out, the provider delivers again what got no 200.
    let later = now.plus_seconds(3600);
    graph.set_time(later.0 / 1_000_000);
    at(&mut environment, later);
    let running = Running::serve(&environment, None);
    for webhook in &written {
        assert_eq!(running.deliver(webhook).await, Some(200), "{point}");
    }
    if by_hand && found.contains("waiting") {
        Coach::approves(&running, "Samira").await;
    }
    settled(&database, point).await;
    let between = states(&database).await;
    for sent in graph
        .accepted()
        .iter()
        .filter(|sent| sent.recipient == NUMBER)
    {
        let webhook = graph.webhook_status(sent, "delivered");
        assert_eq!(running.deliver(&webhook).await, Some(200));
    }
    settled(&database, point).await;
    let after = states(&database).await;
    let nudges: Vec<_> = graph
        .accepted()
        .into_iter()
        // Where her words came first, the window is open and it leaves as text.
        .filter(|sent| {
            let body = sent.body.to_string();
            body.contains("taak_gelukt") || body.contains("Is dit al gelukt?")
        })
        .collect();
    assert!(
        nudges.len() <= 1,
        "{point}: {} copies of the nudge",
        nudges.len()
    );
    let incoming = number(&database, "SELECT COUNT(*) FROM incoming").await;
    assert_eq!(
        usize::try_from(incoming).unwrap(),
        written.len(),
        "{point}: messages in the thread"
    );
    // Fetched perhaps twice, kept once.
    let photos = i64::from(written.len() > 1);
    let stored = "SELECT COUNT(*) FROM media m JOIN media_files f ON f.media_id = m.id WHERE m.state = 'stored'";
    assert_eq!(number(&database, stored).await, photos, "{point}: photos");
    let doubt = after.contains("in_doubt");
    assert_eq!(nudges.len(), usize::from(!doubt), "{point}: {after}");
    let then = match (between.as_str(), doubt) {
        (between, true) => format!("{between}; never sent, a coach decides"),
        (between, false) if between.contains("in_doubt") => {
            format!("{between}; the receipt settled it: {after}")
        }
        (_, false) => after,
    };
    Outcome {
        point,
        found,
        then: format!("{then}; {} of 3 acknowledged before", acknowledged.len()),
    }
}

/// The states of all outgoing nudges, as one line.
async fn states(database: &Database) -> String {
    let mut said = Vec::new();
    for state in [
        "waiting",
        "approved",
        "sending",
        "retry",
        "in_doubt",
        "accepted",
        "cancelled",
        "expired",
    ] {
        let sql = match state {
            "waiting" => "SELECT COUNT(*) FROM outgoing WHERE state = 'waiting'",
            "approved" => "SELECT COUNT(*) FROM outgoing WHERE state = 'approved'",
            "sending" => "SELECT COUNT(*) FROM outgoing WHERE state = 'sending'",
            "retry" => "SELECT COUNT(*) FROM outgoing WHERE state = 'retry'",
            "in_doubt" => "SELECT COUNT(*) FROM outgoing WHERE state = 'in_doubt'",
            "accepted" => "SELECT COUNT(*) FROM outgoing WHERE state = 'accepted'",
            "cancelled" => "SELECT COUNT(*) FROM outgoing WHERE state = 'cancelled'",
            _ => "SELECT COUNT(*) FROM outgoing WHERE state = 'expired'",
        };
        let count = number(database, sql).await;
        if count > 0 {
            said.push(format!("{count} {state}"));
        }
    }
    let raw = number(
        database,
        "SELECT COUNT(*) FROM raw_bodies WHERE state = 'new'",
    )
    .await;
    if raw > 0 {
        said.push(format!("{raw} raw"));
    }
    let wanted = "SELECT COUNT(*) FROM media WHERE state = 'wanted'";
    let wanted = number(database, wanted).await;
    if wanted > 0 {
        said.push(format!("{wanted} wanted"));
    }
    if said.is_empty() {
        "nothing".into()
    } else {
        said.join(", ")
    }
}

/// Waits until the running house has nothing left that it could do by itself.
async fn settled(database: &Database, point: &str) {
    let waiting = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') + (SELECT COUNT(*) FROM outgoing o WHERE state = 'sending' OR (state = 'approved' AND NOT EXISTS (SELECT 1 FROM outgoing d WHERE d.candidate_id = o.candidate_id AND d.state = 'in_doubt'))) + (SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL AND message_id IS NULL) + (SELECT COUNT(*) FROM media WHERE state = 'wanted') AS BIGINT)";
    // What doubt holds back waits for a person.
    // A second and a half of nothing, since between two rounds there is nothing to count either.
    if let Err(open) = drained(database, waiting, 30).await {
        panic!(
            "{point}: {open} rows are still waiting: {}",
            states(database).await
        );
    }
}
