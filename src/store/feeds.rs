//! How every feed fares: when it was last looked at, since when it does not work, and the version that we
//! have of it.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::OrganisationId;
use crate::domain::time::Timestamp;

statements! {
    ALL_OF = "SELECT name, looked_at, worked_at, broken_since_at, problem, etag, last_modified, items, skipped, version FROM feeds WHERE CAST($1 AS TEXT) IS NULL OR organisation_id = $1 ORDER BY name";
    OF = "SELECT name, looked_at, worked_at, broken_since_at, problem, etag, last_modified, items, skipped, version FROM feeds WHERE name = $1";
    FIRST = "INSERT INTO feeds (name, organisation_id, looked_at, items, skipped, version) VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT DO NOTHING";
    LOOK = "UPDATE feeds SET looked_at = $2, organisation_id = $4, version = version + 1 WHERE name = $1 AND version = $3";
    WORKED = "UPDATE feeds SET worked_at = $2, broken_since_at = NULL, problem = NULL, etag = $3, last_modified = $4, items = $5, skipped = $6, version = version + 1 WHERE name = $1";
    SAME = "UPDATE feeds SET worked_at = $2, broken_since_at = NULL, problem = NULL, version = version + 1 WHERE name = $1";
    BROKEN = "UPDATE feeds SET broken_since_at = COALESCE(broken_since_at, $2), problem = $3, version = version + 1 WHERE name = $1";
    FORGET = "UPDATE feeds SET etag = NULL, last_modified = NULL, version = version + 1 WHERE name = $1";
}

/// One feed as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub name: String,
    pub looked_at: Timestamp,
    pub worked_at: Option<Timestamp>,
    pub broken_since: Option<Timestamp>,
    /// What is wrong, in English, without any word of the feed.
    pub problem: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// Vacancies that it had, and rows that could not be used.
    pub items: u32,
    pub skipped: u32,
    pub version: i64,
}

fn standing_of(row: &Row) -> Result<Standing, StoreError> {
    Ok(Standing {
        name: row.text("name")?,
        looked_at: row.at("looked_at")?,
        worked_at: row.maybe_at("worked_at")?,
        broken_since: row.maybe_at("broken_since_at")?,
        problem: row.maybe_text("problem")?,
        etag: row.maybe_text("etag")?,
        last_modified: row.maybe_text("last_modified")?,
        items: row.count("items")?,
        skipped: row.count("skipped")?,
        version: row.int("version")?,
    })
}

/// The feeds of one organisation, or of all.
pub async fn all(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<Vec<Standing>, StoreError> {
    let rows = tx.all(&ALL_OF, bind![organisation]).await?;
    rows.iter().map(standing_of).collect()
}

pub async fn of(tx: &mut Tx, name: &str) -> Result<Option<Standing>, StoreError> {
    let row = tx.maybe(&OF, bind![name]).await?;
    row.as_ref().map(standing_of).transpose()
}

/// Takes a feed into hand; false if another process was faster.
pub async fn take(
    tx: &mut Tx,
    name: &str,
    organisation: OrganisationId,
    seen: Option<i64>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let taken = match seen {
        None => tx.run(&FIRST, bind![name, organisation, now]).await?,
        Some(version) => {
            let values = bind![name, now, version, organisation];
            tx.run(&LOOK, values).await?
        }
    };
    Ok(taken == 1)
}

/// The feed has this version, these vacancies and rows that could not be used.
pub async fn worked(
    tx: &mut Tx,
    name: &str,
    (etag, last_modified): (Option<&str>, Option<&str>),
    (items, skipped): (usize, usize),
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = bind![name, now, etag, last_modified, items, skipped];
    tx.run(&WORKED, values).await.map(drop)
}

/// The feed is as it was.
pub async fn same(tx: &mut Tx, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.run(&SAME, bind![name, now]).await.map(drop)
}

/// The feed does not work, since now if it did before.
pub async fn broken(
    tx: &mut Tx,
    name: &str,
    problem: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&BROKEN, bind![name, now, problem]).await.map(drop)
}

/// The next look asks for everything, whatever the version.
pub async fn forget_version(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.run(&FORGET, bind![name]).await.map(drop)
}
