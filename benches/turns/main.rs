//! From a stored webhook to the message it leads to: turns a second and processor time a turn, on SQLite
//! and on PostgreSQL, against the pure step alone; then a storm, and what it does to those who write meanwhile.
//!
//! `cargo bench --bench turns` prints two tables; it judges nothing. PostgreSQL is measured where
//! `TEST_POSTGRES_URL` names a server on which databases may be made. `TURNS_PEOPLE` sets how many people
//! answer (10,000), `TURNS_STORM` how many webhooks wait in the storm (100,000).

#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures how long it takes, and is told by its environment where"
)]

mod house;
mod storm;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tussendoor::app::{App, turn, unpack};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::talk::event::{Event, Heard};
use tussendoor::domain::talk::step::step;
use tussendoor::store::talks;
use tussendoor::workers;

use house::{asked, databases, dropped, processor, send_all, store_webhooks};
use storm::storm;

/// What waits is unpacked and played, by loops side by side as in the program, until so many turns are enough; how
/// many that were.
async fn play(app: &Arc<App>, enough: impl Fn(usize) -> bool) -> usize {
    let stop = CancellationToken::new();
    let unpacking = tokio::spawn(unpack_all(app.clone(), stop.clone()));
    let mut played = 0;
    while !enough(played) {
        let some = workers::turns::batches(app).await.expect("turns");
        if some == 0 {
            pause(Duration::from_millis(1)).await;
        }
        played += some;
    }
    stop.cancel();
    unpacking.await.expect("no panic");
    played
}

async fn unpack_all(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if unpack::unpack(&app).await.expect("unpack") == 0 {
            pause(Duration::from_millis(1)).await;
        }
    }
}

async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Microseconds of one pure step, for the event that the first round plays.
async fn pure_step(app: &App, candidate: CandidateId) -> f64 {
    let mut tx = app.store.read().await.expect("a connection");
    let person = turn::person(&mut tx, candidate).await.expect("a person");
    let sealer = tx.sealer(person.key).await.expect("a key");
    let talk = talks::peek(&mut tx, candidate, &sealer)
        .await
        .expect("a talk");
    let event = Event::Heard(Heard::words("2", &app.vocabulary));
    let of = (&talk, &event);
    let world = turn::world(app, &mut tx, &person, &sealer, of, app.now())
        .await
        .expect("a world");
    let before = processor();
    const TIMES: u32 = 100_000;
    for _ in 0..TIMES {
        std::hint::black_box(step(talk.clone(), &event, &world, app.now()));
    }
    (processor() - before) * 1e6 / f64::from(TIMES)
}

async fn measure(name: &str, url: &str, folder: &std::path::Path, count: usize) {
    let (app, clock) = asked(url, folder, count).await;
    for (round, words) in ["2", "1"].into_iter().enumerate() {
        store_webhooks(&app, 0..count, (round + 1) * 1_000_000, words).await;
        let (begun, before) = (Instant::now(), processor());
        let played = play(&app, |played| played >= count).await;
        assert_eq!(played, count, "every webhook had its turn");
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let n = count as f64;
        println!(
            "{name:<11} {words:>7} {:>10.0} {:>14.0}",
            n / begun.elapsed().as_secs_f64(),
            (processor() - before) * 1e6 / n,
        );
        let answered = send_all(&app, &clock).await;
        assert_eq!(answered, count, "everybody was answered once");
    }
    app.store.close().await;
}

fn many(name: &str, usual: usize) -> usize {
    let told = std::env::var(name).ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::main]
async fn main() {
    println!("database     answer  turns/s   own µs a turn");
    for (name, url, folder) in databases("turns").await {
        measure(name, &url, folder.path(), many("TURNS_PEOPLE", 10_000)).await;
        dropped(&url).await;
    }
    let count = many("TURNS_STORM", 100_000);
    if count == 0 {
        return;
    }
    println!("             a storm                   calm, ms              beside it, ms");
    println!("database      played   seconds          p50       p99           p50       p99");
    for (name, url, folder) in databases("storm").await {
        storm(name, &url, folder.path(), count).await;
        dropped(&url).await;
    }
}
