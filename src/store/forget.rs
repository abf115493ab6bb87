//! What is over, removed in batches. Each function removes at most `limit` rows and says how many, so that
//! no commit holds the writer for long. Ids carry their moment, so the oldest rows come first in their
//! own order.

use ulid::Ulid;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{ItemId, RawId};
use crate::domain::time::Timestamp;

statements! {
    SEEN = "DELETE FROM seen WHERE (channel, item_hash) IN (SELECT channel, item_hash FROM seen WHERE at < $1 ORDER BY at LIMIT $2)";
    ITEMS = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < $1 AND state = 'done' ORDER BY id LIMIT $2)";
    ITEMS_ASIDE = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < $1 AND state = 'quarantined' ORDER BY id LIMIT $2) RETURNING id";
    RAW = "DELETE FROM raw_bodies WHERE id IN (SELECT r.id FROM raw_bodies r WHERE r.id < $1 AND r.state = 'done' AND r.problem IS NULL AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.raw_id = r.id) ORDER BY r.id LIMIT $2)";
    RAW_ASIDE = "DELETE FROM raw_bodies WHERE id IN (SELECT r.id FROM raw_bodies r WHERE r.id < $1 AND r.state = 'done' AND r.problem IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.raw_id = r.id) ORDER BY r.id LIMIT $2) RETURNING id";
    RECEIPTS = "DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE message_id IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2)";
    INVITES = "DELETE FROM invites WHERE code_hash IN (SELECT code_hash FROM invites WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)";
    SESSIONS = "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions WHERE ends_at <= $1 OR seen_at <= $2 LIMIT $3)";
    DAYS = "SELECT k.id FROM keys k WHERE k.owner >= 'day:' AND k.owner < $1 AND k.destroyed_at IS NULL AND NOT EXISTS (SELECT 1 FROM raw_bodies r WHERE r.key_id = k.id) AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.key_id = k.id) ORDER BY k.owner LIMIT $2";
}

/// The id before every id of this moment.
fn first_at(moment: Timestamp) -> Ulid {
    Ulid::from_parts(u64::try_from(moment.millis()).unwrap_or(0), 0)
}

/// The memory of what a provider delivered, older than `before`.
pub async fn seen(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    count(tx.run(&SEEN, bind![before, limit]).await)
}

/// Items that had their turn.
pub async fn items(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    count(tx.run(&ITEMS, bind![ItemId(first_at(before)), limit]).await)
}

/// Raw webhooks of which no item is left.
pub async fn raw(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    count(tx.run(&RAW, bind![RawId(first_at(before)), limit]).await)
}

/// What was put aside and no operator ended: items that could not be played, webhooks that could not be
/// read. Their ids, for the log: this is the one place where something unhandled goes by age.
pub async fn aside(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
    let first = first_at(before);
    let mut gone = tx.all(&ITEMS_ASIDE, bind![ItemId(first), limit]).await?;
    gone.extend(tx.all(&RAW_ASIDE, bind![RawId(first), limit]).await?);
    gone.iter().map(|row| row.text("id")).collect()
}

/// Delivery reports whose message never came.
pub async fn receipts(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    count(tx.run(&RECEIPTS, bind![before, limit]).await)
}

/// Codes of invitations that ended.
pub async fn invites(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    count(tx.run(&INVITES, bind![before, limit]).await)
}

/// Sessions that ended, or in which nobody did anything since `idle_since`.
pub async fn sessions(
    tx: &mut Tx,
    now: Timestamp,
    idle_since: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    count(tx.run(&SESSIONS, bind![now, idle_since, limit]).await)
}

/// Destroys the keys of days that ended before `before` and of which nothing is left.
pub async fn days(
    tx: &mut Tx,
    before: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let first_kept = format!("day:{}", before.utc().date_naive());
    let keys = tx.all(&DAYS, bind![first_kept, limit]).await?;
    for row in &keys {
        tx.destroy_key(row.parsed("id")?, now).await?;
    }
    Ok(keys.len())
}

fn count(touched: Result<u64, StoreError>) -> Result<usize, StoreError> {
    Ok(usize::try_from(touched?).unwrap_or(usize::MAX))
}
