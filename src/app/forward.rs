//! Time that is put forward by hand, as the demo does: after each step everything that fell due is done.
//! The sender carries in its own loop; here is only said whether it still has something in hand.

use super::{App, AppError, inbox as turns, tick, unpack};
use crate::domain::time::Timestamp;
use crate::store::{Queue, Store, inbox, marks, outbox};

/// How far the demo's clock is ahead of the machine's, in microseconds.
const SHIFT: &str = "demo_clock_shift";
/// Rounds of work at one moment. More is a circle, and a step must end.
const ROUNDS: usize = 200;

/// Does what is due now; true if nothing is left to do at this moment.
pub async fn settle(app: &App) -> Result<bool, AppError> {
    for _ in 0..ROUNDS {
        let mut done = unpack::unpack(app).await?;
        done += turns::turns(app).await?;
        done += tick::tick(app).await?;
        if done == 0 {
            break;
        }
    }
    let now = app.now();
    let mut tx = app.store.read().await?;
    let ready = outbox::next_ready(&mut tx)
        .await?
        .is_some_and(|at| at <= now);
    if ready {
        app.store.bells().ring(Queue::Sender);
    }
    Ok(!(ready || outbox::any_sending(&mut tx).await? || inbox::has_work(&mut tx, now).await?))
}

/// Keeps how far the clock is ahead, so that after a restart no moment comes twice.
pub async fn keep_shift(app: &App, machine: Timestamp) -> Result<(), AppError> {
    let shift = app.now().0.saturating_sub(machine.0);
    let mut tx = app.store.write().await?;
    marks::put(&mut tx, SHIFT, &shift.to_string()).await?;
    Ok(tx.commit().await?)
}

/// Where the clock starts: as far ahead as it was kept, or at `first` on a new database.
pub async fn starts_at(
    store: &Store,
    machine: Timestamp,
    first: Timestamp,
) -> Result<Timestamp, AppError> {
    let mut tx = store.read().await?;
    let kept = marks::get(&mut tx, SHIFT).await?;
    let shift = kept.and_then(|text| text.parse::<i64>().ok());
    Ok(shift.map_or(first, |shift| Timestamp(machine.0.saturating_add(shift))))
}
