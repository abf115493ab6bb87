//! Who did what to which object: append only, ids and hashes only, no text. A row waits in `audit_waiting`
//! until the janitor gives it its place in the chain `audit_links`, where each hash covers the row and the
//! hash before it. A chain in every transaction would queue all writers at its head.

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::RowId;
use crate::domain::time::Timestamp;

statements! {
    APPEND = "INSERT INTO audit (id, organisation, at, actor, verb, object, content_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    WAIT = "INSERT INTO audit_waiting (audit_id) VALUES ($1)";
    WAITING = "SELECT a.id, a.organisation, a.at, a.actor, a.verb, a.object, a.content_hash FROM audit_waiting w JOIN audit a ON a.id = w.audit_id WHERE NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.audit_id = w.audit_id) ORDER BY w.audit_id LIMIT $1";
    LAST = "SELECT seq, hash FROM audit_links ORDER BY seq DESC LIMIT 1";
    LINK = { batch: "INSERT INTO audit_links (seq, audit_id, before_hash, hash)", columns: [Int, Text, Text, Text], tail: "" };
    LINKED = "DELETE FROM audit_waiting WHERE audit_id IN (SELECT audit_id FROM audit_links WHERE seq > $1)";
    CHAIN = "SELECT l.seq, l.audit_id, l.before_hash, l.hash, a.id, a.organisation, a.at, a.actor, a.verb, a.object, a.content_hash FROM audit_links l LEFT JOIN audit a ON a.id = l.audit_id WHERE l.seq > $1 ORDER BY l.seq LIMIT $2";
    LOOSE = "SELECT a.id FROM audit a WHERE NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.audit_id = a.id) AND NOT EXISTS (SELECT 1 FROM audit_waiting w WHERE w.audit_id = a.id) ORDER BY a.id LIMIT 1";
}

/// What stands before the first row.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One entry. `actor` and `object` are `kind:id`.
pub struct Entry<'a> {
    pub organisation: Option<String>,
    pub actor: String,
    pub verb: &'a str,
    pub object: String,
    pub content_hash: Option<String>,
}

pub async fn append(
    tx: &mut Tx,
    id: RowId,
    entry: Entry<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        &APPEND,
        bind![
            id,
            entry.organisation,
            now,
            entry.actor,
            entry.verb,
            entry.object,
            entry.content_hash
        ],
    )
    .await?;
    tx.run(&WAIT, bind![id]).await.map(drop)
}

/// The last link of the chain: its number and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

pub async fn head(tx: &mut Tx) -> Result<Head, StoreError> {
    match tx.maybe(&LAST, bind![]).await? {
        Some(row) => Ok(Head {
            seq: row.int("seq")?,
            hash: row.text("hash")?,
        }),
        None => Ok(Head {
            seq: 0,
            hash: BEGINNING.to_owned(),
        }),
    }
}

/// Gives up to `limit` waiting rows their place; how many. `Conflict` if another hand did so first: the
/// number of a link is unique.
pub async fn link(tx: &mut Tx, limit: u32) -> Result<usize, StoreError> {
    let waiting = tx.all(&WAITING, bind![limit]).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let Head {
        seq: first,
        hash: mut before,
    } = head(tx).await?;
    let mut links = Vec::with_capacity(waiting.len());
    for (seq, row) in (first + 1..).zip(&waiting) {
        let hash = hash_of(row, seq, &before)?;
        links.push(bind![seq, row.text("id")?, before, hash.as_str()]);
        before = hash;
    }
    let count = links.len();
    tx.many(&LINK, links).await?;
    tx.run(&LINKED, bind![first]).await?;
    Ok(count)
}

/// What a link covers: the hash before it, its own number and every column of the row, each with its
/// length, so that nothing can move from one to the next.
fn hash_of(row: &Row, seq: i64, before: &str) -> Result<String, StoreError> {
    let mut hash = Sha256::new();
    let mut cover = |value: Option<&str>| {
        let length = value.map_or(-1, |value| value.len() as i64);
        hash.update(length.to_be_bytes());
        hash.update(value.unwrap_or_default().as_bytes());
    };
    cover(Some(before));
    cover(Some(&seq.to_string()));
    cover(Some(&row.text("id")?));
    cover(row.maybe_text("organisation")?.as_deref());
    cover(Some(&row.int("at")?.to_string()));
    cover(Some(&row.text("actor")?));
    cover(Some(&row.text("verb")?));
    cover(Some(&row.text("object")?));
    cover(row.maybe_text("content_hash")?.as_deref());
    Ok(hex::encode(hash.finalize()))
}

/// Where the trail is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The place in the chain; none for a row that has no place.
    pub seq: Option<i64>,
    /// The id of the row.
    pub row: String,
    pub why: &'static str,
}

/// Follows the chain for up to `limit` links after `from`; moves `from` on and says whether any were left.
pub async fn follow(
    tx: &mut Tx,
    from: &mut Head,
    limit: u32,
    mut passed: impl FnMut(&str),
) -> Result<Result<bool, Broken>, StoreError> {
    let rows = tx.all(&CHAIN, bind![from.seq, limit]).await?;
    for row in &rows {
        let seq = row.int("seq")?;
        let broken = |why| Broken {
            seq: Some(seq),
            row: row.text("audit_id").unwrap_or_default(),
            why,
        };
        if seq != from.seq + 1 {
            return Ok(Err(broken("what stood before this row is gone")));
        }
        if row.maybe_text("id")?.is_none() {
            return Ok(Err(broken("this row is gone")));
        }
        let hash = row.text("hash")?;
        if row.text("before_hash")? != from.hash || hash_of(row, seq, &from.hash)? != hash {
            return Ok(Err(broken(
                "this row was changed, or another row stood in this place",
            )));
        }
        passed(&hash);
        *from = Head { seq, hash };
    }
    Ok(Ok(!rows.is_empty()))
}

/// A row that neither has a place in the chain nor waits for one.
pub async fn loose(tx: &mut Tx) -> Result<Option<Broken>, StoreError> {
    tx.maybe(&LOOSE, bind![])
        .await?
        .map(|row| {
            Ok(Broken {
                seq: None,
                row: row.text("id")?,
                why: "this row was put in by hand: it is not in the chain",
            })
        })
        .transpose()
}
