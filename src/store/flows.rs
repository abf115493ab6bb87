//! Versions of flows with their texts. Never deleted: a run finishes on the version it began with.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::FlowHash;
use crate::domain::time::Timestamp;

statements! {
    PUT = "INSERT INTO flows (hash, name, definition, texts, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING";
    ALL_VERSIONS = "SELECT hash, name, definition, texts FROM flows ORDER BY created_at, hash";
}

/// One stored version: its sources as they were.
pub struct Version {
    pub hash: FlowHash,
    pub name: String,
    pub definition: String,
    pub texts: String,
}

pub async fn put(tx: &mut Tx, version: &Version, now: Timestamp) -> Result<(), StoreError> {
    tx.run(
        &PUT,
        bind![
            version.hash.0.as_str(),
            version.name.as_str(),
            version.definition.as_str(),
            version.texts.as_str(),
            now
        ],
    )
    .await
    .map(drop)
}

pub async fn all(tx: &mut Tx) -> Result<Vec<Version>, StoreError> {
    tx.all(&ALL_VERSIONS, bind![])
        .await?
        .iter()
        .map(|row| {
            Ok(Version {
                hash: FlowHash(row.text("hash")?),
                name: row.text("name")?,
                definition: row.text("definition")?,
                texts: row.text("texts")?,
            })
        })
        .collect()
}
