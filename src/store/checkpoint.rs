//! SQLite's log is copied into the file beside the writer, on a connection of its own. A commit that has
//! to do it itself stands still meanwhile, and so does everybody who waits for that commit.

use sqlx::{Connection, Row as _, SqliteConnection, SqlitePool};

use super::error::StoreError;

/// Pages that the log may hold (of 4 KiB) before the writer is asked to wait for the rest of the copying,
/// so that the log can start anew. Under a steady stream of commits it would otherwise grow for ever.
const LOG_PAGES: i64 = 16_384;

fn unavailable(error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("checkpoint: {error}"))
}

pub(super) async fn apart(write: &SqlitePool) -> Result<(), StoreError> {
    let options = (*write.connect_options())
        .clone()
        .pragma("wal_autocheckpoint", "0");
    write.set_connect_options(options);
    sqlx::query("PRAGMA wal_autocheckpoint = 0")
        .execute(write)
        .await
        .map(drop)
        .map_err(|error| unavailable(&error))
}

pub(super) async fn run(write: &SqlitePool) -> Result<u64, StoreError> {
    let mut beside = SqliteConnection::connect_with(&write.connect_options())
        .await
        .map_err(|error| unavailable(&error))?;
    let mut left = passive(&mut beside).await;
    if let Ok((log, _)) = left
        && log > LOG_PAGES
    {
        // While this connection is in our hands nobody writes: little is left to copy.
        let quiet = write.acquire().await.map_err(|error| unavailable(&error))?;
        left = passive(&mut beside).await;
        drop(quiet);
    }
    beside.close().await.map_err(|error| unavailable(&error))?;
    let (log, copied) = left?;
    Ok(u64::try_from(log - copied).unwrap_or(0))
}

/// Pages in the log, and those of them that are copied. Waits for nobody.
async fn passive(beside: &mut SqliteConnection) -> Result<(i64, i64), StoreError> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(beside)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok((row.get(1), row.get(2)))
}
