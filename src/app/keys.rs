//! The master key is changed while the service runs: every data key is wrapped anew, a few in each commit,
//! so that nobody waits. An interruption costs nothing: what is done is done, and the next run goes on.

use super::AppError;
use crate::store::Store;
use crate::store::sealed::UnreadableKey;

/// Keys in one commit.
const BATCH: u32 = 64;

/// Looks at up to 64 keys of an older master; how many that were.
pub async fn rewrap(store: &Store, unreadable: &mut Vec<UnreadableKey>) -> Result<usize, AppError> {
    let mut tx = store.write().await?;
    let count = tx.rewrap(BATCH, unreadable).await?;
    tx.commit().await?;
    Ok(count)
}

/// What a rotation came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    pub wrapped: usize,
    /// Keys that do not open: one flipped bit must not keep the others under an old master.
    pub unreadable: Vec<UnreadableKey>,
}

/// Wraps every key by the present master. Fails if some are left that no master in the settings opens.
pub async fn rotate(store: &Store) -> Result<Rotated, AppError> {
    let mut done = Rotated::default();
    loop {
        let met = done.unreadable.len();
        let count = rewrap(store, &mut done.unreadable).await?;
        if count == 0 {
            break;
        }
        done.wrapped += count - (done.unreadable.len() - met);
    }
    store.read().await?.check_masters().await?;
    Ok(done)
}
