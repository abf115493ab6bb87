//! Waiting for what must happen: the only place where a test sleeps, and only between two looks.

use std::time::Duration;

use tokio::time::Instant;

use super::database::Database;
use super::house::number;

const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(50);

/// Looks until `sql` counts nothing, so many times in a row; the error is what is left when it no longer
/// gets less.
pub async fn drained(database: &Database, sql: &'static str, in_a_row: u32) -> Result<(), i64> {
    let mut until = Instant::now() + PATIENCE;
    let mut quiet = 0;
    let mut least = i64::MAX;
    loop {
        let open = number(database, sql).await;
        if open < least {
            least = open;
            until = Instant::now() + PATIENCE;
        }
        quiet = if open == 0 { quiet + 1 } else { 0 };
        if quiet == in_a_row {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(open);
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// The pause between two looks at something that must come.
pub async fn between_looks() {
    tokio::time::sleep(BETWEEN).await;
}
