//! The master key is changed while the service runs: every data key is wrapped anew, a few in each commit,
//! so that nobody waits. An interruption costs nothing: what is done is done, and the next run goes on.

use super::AppError;
use crate::store::Store;

/// Keys in one commit.
const BATCH: u32 = 64;

/// Wraps up to 64 keys of an older master by the present one; how many that were.
pub async fn rewrap(store: &Store) -> Result<usize, AppError> {
    let mut tx = store.write().await?;
    let count = tx.rewrap(BATCH).await?;
    tx.commit().await?;
    Ok(count)
}

/// Wraps every key by the present master; how many were not. Fails if some are left that no master in the
/// settings opens.
pub async fn rotate(store: &Store) -> Result<usize, AppError> {
    let mut total = 0;
    loop {
        let count = rewrap(store).await?;
        if count == 0 {
            break;
        }
        total += count;
    }
    store.read().await?.check_masters().await?;
    Ok(total)
}
