//! A storm: many webhooks wait, and others write meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tussendoor::app::{App, receive, unpack};
use tussendoor::ports::channel::HttpRequest;
use tussendoor::workers;

use super::house::{asked, store_webhooks, webhook};
use super::{pause, play};

/// Webhooks of people who write meanwhile: so many a second.
const MEANWHILE: u64 = 200;

/// Delivers webhooks at a steady pace until told to stop; how long each waited until it was durable, in
/// milliseconds from the moment at which it should have gone out.
async fn meanwhile(
    app: Arc<App>,
    people: usize,
    first: usize,
    stop: CancellationToken,
) -> Vec<f64> {
    let (begun, now) = (Instant::now(), app.now());
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0.. {
        let due = begun + Duration::from_secs(1) * at / u32::try_from(MEANWHILE).expect("few");
        tokio::time::sleep_until(due.into()).await;
        if stop.is_cancelled() {
            break;
        }
        let app = app.clone();
        let at = at as usize;
        tasks.spawn(async move {
            let (body, signature) = webhook(at % people, first + at, "Hoi", now);
            let headers = vec![("x-hub-signature-256".to_owned(), signature.into_bytes())];
            let request = HttpRequest {
                query: "",
                headers: &headers,
                body: &body,
            };
            receive::receive(&app, "meta", &request)
                .await
                .expect("stored");
            due.elapsed().as_secs_f64() * 1000.0
        });
    }
    let mut times = tasks.join_all().await;
    times.sort_by(f64::total_cmp);
    times
}

/// A storm: so many webhooks wait, four of each person, as after an outage. How long until all are played, and
/// how long those waited who wrote before it and beside it.
pub async fn storm(name: &str, url: &str, folder: &std::path::Path, count: usize) {
    let people = count / 4;
    let (app, _) = asked(url, folder, people).await;
    let stop = CancellationToken::new();
    let calm = tokio::spawn(meanwhile(app.clone(), people, 8_000_000, stop.clone()));
    let playing = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { play(&app, |_| stop.is_cancelled()).await }
    });
    pause(Duration::from_secs(5)).await;
    stop.cancel();
    let calm = calm.await.expect("no panic");
    playing.await.expect("no panic");
    play_rest(&app).await;
    for (round, words) in ["2", "1", "Hoi", "Dank je"].into_iter().enumerate() {
        store_webhooks(&app, 0..people, (round + 1) * 1_000_000, words).await;
    }
    let stop = CancellationToken::new();
    let live = tokio::spawn(meanwhile(app.clone(), people, 9_000_000, stop.clone()));
    let begun = Instant::now();
    let played = play(&app, |played| played >= people * 4).await;
    let seconds = begun.elapsed().as_secs_f64();
    stop.cancel();
    let live = live.await.expect("no panic");
    let at = |times: &[f64], share: usize| times[times.len() * share / 100];
    println!(
        "{name:<11} {played:>8} {seconds:>9.1} {:>12.1} {:>9.1} {:>13.1} {:>9.1}",
        at(&calm, 50),
        at(&calm, 99),
        at(&live, 50),
        at(&live, 99)
    );
    app.store.close().await;
}

async fn play_rest(app: &App) {
    while unpack::unpack(app).await.expect("unpack") > 0 {}
    while workers::turns::batches(app).await.expect("turns") > 0 {}
}
