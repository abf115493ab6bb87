//! Fetches the files that people sent, a few at a time: woken by the turn that told of one.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{POLL, complain, rest};
use crate::app::media::{self, Claim};
use crate::app::pulse::Loop;
use crate::app::{App, AppError, Queue};

/// Files in hand at once, each of at most 16 MiB and as much again sealed.
const AT_ONCE: usize = 4;

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    // Tasks of their own: one that has the door to write in its hand must go on while the next are claimed,
    // or this loop waits for itself.
    let mut fetching = JoinSet::new();
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Media);
        match media::claim(&app, AT_ONCE.saturating_sub(fetching.len())).await {
            Ok(claims) => {
                for claim in claims {
                    fetching.spawn(one(app.clone(), claim, stop.clone()));
                }
            }
            Err(error) => complain("media", &error),
        }
        if fetching.is_empty() {
            rest(&app, Queue::Media, &stop, POLL).await;
            continue;
        }
        tokio::select! {
            Some(done) = fetching.join_next() => said(done),
            () = app.store.bells().heard(Queue::Media) => {}
            () = stop.cancelled() => {}
        }
    }
    while let Some(done) = fetching.join_next().await {
        said(done);
    }
}

/// One file from its claim to its row. A stop does not wait for a provider: the claim goes back.
async fn one(app: Arc<App>, claim: Claim, stop: CancellationToken) -> Result<(), AppError> {
    tokio::select! {
        fetched = media::fetch(&app, &claim) => media::keep(&app, &claim, fetched).await,
        () = stop.cancelled() => media::let_go(&app, &claim).await,
    }
}

/// A fetch that panicked leaves its claim: the lease runs out, and it is tried again.
fn said(done: Result<Result<(), AppError>, JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => complain("media", &error),
        // A panic's own words may quote a person, and a `JoinError` says them; where it was, the log has.
        Err(_) => tracing::error!("a fetch ended without a result"),
    }
}
