//! Unpacks raw bodies: woken by every stored webhook.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{POLL, complain, rest};
use crate::app::pulse::Loop;
use crate::app::{App, Queue, unpack};

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        app.pulse.beat(Loop::Unpack);
        // At a stop a long batch is taken back, and the next start does it.
        let Some(unpacked) = stop.run_until_cancelled(unpack::unpack(&app)).await else {
            return;
        };
        match unpacked {
            Ok(0) => rest(&app, Queue::Unpack, &stop, POLL).await,
            Ok(_) => {}
            Err(error) => {
                complain("unpack", &error);
                rest(&app, Queue::Unpack, &stop, POLL).await;
            }
        }
    }
}
