//! Named values that outlive the process and belong to nobody: how far the demo's clock was put forward,
//! whether sending is paused.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;

statements! {
    GET = "SELECT value FROM marks WHERE name = $1";
    PUT = "INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    REMOVE = "DELETE FROM marks WHERE name = $1";
}

/// Read once a transaction: every message that is written asks, and a question has the writes done that
/// were put off.
pub async fn get(tx: &mut Tx, name: &'static str) -> Result<Option<String>, StoreError> {
    if let Some(known) = tx.marks.get(name) {
        return Ok(known.clone());
    }
    let value = tx
        .maybe(&GET, bind![name])
        .await?
        .map(|row| row.text("value"))
        .transpose()?;
    tx.marks.insert(name, value.clone());
    Ok(value)
}

pub async fn put(tx: &mut Tx, name: &'static str, value: &str) -> Result<(), StoreError> {
    tx.marks.remove(name);
    tx.run(&PUT, bind![name, value]).await.map(drop)
}

pub async fn remove(tx: &mut Tx, name: &'static str) -> Result<(), StoreError> {
    tx.marks.remove(name);
    tx.run(&REMOVE, bind![name]).await.map(drop)
}
