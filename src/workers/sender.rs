//! Sends in rounds: one commit for the outcomes that arrived and the next choices, then the wire.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{POLL, complain, pause, rest};
use crate::app::pulse::Loop;
use crate::app::send::Back;
use crate::app::{App, AppError, Queue, send};

/// A commit costs the same for one outcome as for many: after the first answer the next ones get this
/// long to go along. A person who waits for a message does not notice.
const GATHER: Duration = Duration::from_millis(5);

pub async fn run(app: Arc<App>, stop: CancellationToken) {
    // Tasks of their own: what is on the wire goes on while a round waits for its commit.
    let mut flying = JoinSet::new();
    let mut back = Vec::new();
    loop {
        app.pulse.beat(Loop::Sender);
        let stopping = stop.is_cancelled();
        let room = if stopping {
            0
        } else {
            app.limits.in_flight.saturating_sub(flying.len())
        };
        match send::round(&app, &mut back, room).await {
            Ok(jobs) => {
                for job in jobs {
                    flying.spawn(send::carry(app.clone(), job));
                }
            }
            Err(AppError::Store(error)) if error.was_overtaken() => {
                // Another instance was faster with one of these people: the next look knows.
                tracing::debug!(%error, "a round starts over");
                pause(GATHER).await;
            }
            Err(error) => {
                // Outcomes stay in hand and are written when the database is back; nothing is resent.
                complain("send", &error);
                pause(Duration::from_millis(500)).await;
            }
        }
        if flying.is_empty() {
            if stopping && back.is_empty() {
                return;
            }
            if back.is_empty() {
                rest(
                    &app,
                    Queue::Sender,
                    &stop,
                    Duration::from_millis(500).min(POLL),
                )
                .await;
            }
            continue;
        }
        tokio::select! {
            Some(answered) = flying.join_next() => back.extend(arrived(answered)),
            () = app.store.bells().heard(Queue::Sender) => {}
            () = stop.cancelled(), if !stopping => {}
            // What another process made ready must not wait for the slowest answer.
            () = pause(POLL) => {}
        }
        gather(&mut flying, &mut back).await;
    }
}

/// Waits until half of what was in the air has arrived, but not for the slowest.
async fn gather(flying: &mut JoinSet<Back>, back: &mut Vec<Back>) {
    let enough = flying.len().div_ceil(2);
    let time_is_up = pause(GATHER);
    tokio::pin!(time_is_up);
    while back.len() < enough {
        tokio::select! {
            Some(answered) = flying.join_next() => back.extend(arrived(answered)),
            () = &mut time_is_up => break,
        }
    }
    while let Some(answered) = flying.try_join_next() {
        back.extend(arrived(answered));
    }
}

/// An attempt that panicked leaves no answer: its lease runs out, and then it is in doubt.
fn arrived(answered: Result<Back, JoinError>) -> Option<Back> {
    // A panic's own words may quote a person, and a `JoinError` says them; where it was, the log has.
    answered
        .inspect_err(|_| tracing::error!("an attempt ended without an answer"))
        .ok()
}
