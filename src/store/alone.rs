//! Work that one process at a time does, where several share a PostgreSQL: unpacking, so that
//! what came first is in the inbox first, and the calendar. SQLite has one process and one writer already.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;

statements! {
    ALONE = {
        sqlite: "SELECT 1 AS mine WHERE $1 = $1",
        postgres: "SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS mine",
    };
}

/// What is done by one process at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Unpack = 1,
    Calendar = 2,
    /// What feeds tell, so that the same vacancy from two of them is one.
    Vacancies = 3,
}

/// Is this work ours until the transaction ends? If not, another process is at it right now. The lock ends
/// with the transaction, so a process that dies holds nothing.
pub async fn is_ours(tx: &mut Tx, work: Work) -> Result<bool, StoreError> {
    if !tx.is_postgres() {
        return Ok(true);
    }
    let row = tx.maybe(&ALONE, bind![work as i64]).await?;
    Ok(row.is_some_and(|row| row.int("mine").is_ok_and(|mine| mine == 1)))
}
