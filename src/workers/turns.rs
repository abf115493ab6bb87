//! Unpacks raw bodies and plays turns: woken by every stored webhook.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{POLL, complain, rest};
use crate::app::pulse::Loop;
use crate::app::{App, Queue, inbox, unpack};

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Turns);
        // A long batch must not keep the sender from its last outcomes: at a stop it is taken back, and the
        // next start does it.
        let Some(worked) = stop.run_until_cancelled(work(&app)).await else {
            return;
        };
        if !worked {
            rest(&app, Queue::Turns, &stop, POLL).await;
        }
    }
}

/// One batch of each; was there anything to do?
async fn work(app: &App) -> bool {
    match unpack::unpack(app).await {
        Ok(unpacked) => match inbox::turns(app).await {
            Ok(played) => unpacked + played > 0,
            Err(error) => {
                complain("turns", &error);
                false
            }
        },
        Err(error) => {
            complain("unpack", &error);
            false
        }
    }
}
