//! Plays turns: woken by everything that was unpacked.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{POLL, complain, rest};
use crate::app::pulse::Loop;
use crate::app::{App, AppError, Queue, inbox};

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Turns);
        // A long batch must not keep the sender from its last outcomes: at a stop it is taken back, and the
        // next start does it.
        let Some(played) = stop.run_until_cancelled(batches(&app)).await else {
            return;
        };
        match played {
            Ok(0) => rest(&app, Queue::Turns, &stop, POLL).await,
            Ok(_) => {}
            Err(error) => {
                complain("turns", &error);
                rest(&app, Queue::Turns, &stop, POLL).await;
            }
        }
    }
}

/// One batch; on PostgreSQL two at once, of different people: while one waits for the database the other plays.
pub async fn batches(app: &App) -> Result<usize, AppError> {
    if !app.store.is_postgres() {
        return inbox::turns(app).await;
    }
    let (one, other) = tokio::join!(inbox::turns(app), inbox::turns(app));
    Ok(one? + other?)
}
