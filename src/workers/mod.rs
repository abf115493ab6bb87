//! Start, stop, and the one loop shape: woken, or every two seconds. Which verb, how often, woken by what.

pub mod calendars;
pub mod checkpoints;
pub mod janitor;
pub mod media;
pub mod scheduler;
pub mod sender;
pub mod turns;
pub mod unpacker;
pub mod vacancies;
pub mod watcher;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, AppError, Queue, receive};

/// Everything that runs beside the web server, until told to stop.
pub struct Workers {
    /// No new work: no tick, no turn, no send.
    stop: CancellationToken,
    /// Nobody delivers any more, so the writer of webhooks may go.
    shut: CancellationToken,
    tasks: JoinSet<()>,
}

/// How long a loop sleeps when nobody wakes it: another instance may have written its row.
const POLL: Duration = Duration::from_secs(2);

impl Workers {
    /// `web` is what the door needs, `work` all that follows; a process does one of them or both.
    pub fn start(app: &Arc<App>, web: bool, work: bool) -> Self {
        let stop = CancellationToken::new();
        let shut = CancellationToken::new();
        let mut tasks = JoinSet::new();
        if web {
            tasks.spawn(receive::write_batches(app.clone(), shut.clone()));
        }
        if work {
            tasks.spawn(unpacker::run(app.clone(), stop.clone()));
            tasks.spawn(turns::run(app.clone(), stop.clone()));
            tasks.spawn(sender::run(app.clone(), stop.clone()));
            tasks.spawn(scheduler::run(app.clone(), stop.clone()));
            tasks.spawn(janitor::run(app.clone(), stop.clone()));
            tasks.spawn(media::run(app.clone(), stop.clone()));
            tasks.spawn(vacancies::run(app.clone(), stop.clone()));
            tasks.spawn(calendars::run(app.clone(), stop.clone()));
        }
        if !work {
            tasks.spawn(janitor::forget(app.clone(), stop.clone()));
        }
        if !app.store.is_postgres() {
            tasks.spawn(checkpoints::run(app.clone(), stop.clone()));
        }
        tasks.spawn(watcher::run(app.clone(), stop.clone()));
        Self { stop, shut, tasks }
    }

    /// One of the loops ended although nobody told it to: a bug. The process must not go on half.
    pub async fn ended(&mut self) {
        self.tasks.join_next().await;
    }

    /// Begins nothing new from now on. At once at a stop, while requests still finish: a send that began
    /// later could have its answer later than the process lives.
    pub fn rest(&self) {
        self.stop.cancel();
    }

    /// Finishes what is in hand: webhooks that were delivered, and the outcome of every send in the air.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.shut.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Sleeps until a bell, a stop, or the poll.
async fn rest(app: &App, queue: Queue, stop: &CancellationToken, most: Duration) {
    tokio::select! {
        () = app.store.bells().heard(queue) => {}
        () = stop.cancelled() => {}
        () = pause(most) => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loops are the one place that waits for time to pass"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A verb failed: the database is away or a bug showed. Said once a time; the loop goes on.
fn complain(what: &'static str, error: &AppError) {
    tracing::error!(what, %error, "a worker could not do its work");
}
