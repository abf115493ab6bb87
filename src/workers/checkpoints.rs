//! Copies SQLite's log into the file, every second.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{complain, pause};
use crate::app::App;

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    if let Err(error) = app.store.checkpoints_apart().await {
        // The writer copies by itself then, as before.
        complain("checkpoints", &error.into());
    }
    while !stop.is_cancelled() {
        tokio::select! {
            () = pause(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
        if let Err(error) = app.store.checkpoint().await {
            complain("checkpoint", &error.into());
        }
    }
}
