//! What came in: raw bodies as the provider signed them, the memory of what was seen, the parsed items
//! that wait for their turn, and the messages in a person's thread.
//!
//! Raw bodies and items are sealed under a key of the day; a turn seals what it keeps under the
//! person's own key.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use super::{Queue, Store};
use crate::domain::ids::{AddressId, CandidateId, IncomingId, ItemId, KeyId, LineId, RawId};
use crate::domain::time::Timestamp;
use crate::ports::channel::{Content, Item};

statements! {
    RAW_APPEND = { batch: "INSERT INTO raw_bodies (id, endpoint, key_id, head_sealed, body_sealed, state, received_at)", columns: [Text, Text, Text, Blob, Blob, Text, Int], tail: "" };
    RAW_ENDPOINTS = "WITH RECURSIVE waiting (endpoint) AS (SELECT MIN(endpoint) FROM raw_bodies WHERE state = 'new' AND endpoint > '' UNION ALL SELECT (SELECT MIN(r.endpoint) FROM raw_bodies r WHERE r.state = 'new' AND r.endpoint > waiting.endpoint) FROM waiting WHERE waiting.endpoint IS NOT NULL) SELECT endpoint FROM waiting WHERE endpoint IS NOT NULL";
    RAW_NEW = {
        sqlite: "SELECT id, endpoint, key_id, body_sealed FROM raw_bodies WHERE state = 'new' AND endpoint = $2 ORDER BY received_at, id LIMIT $1",
        postgres: "SELECT id, endpoint, key_id, body_sealed FROM raw_bodies WHERE state = 'new' AND endpoint = $2 ORDER BY received_at, id LIMIT $1 FOR UPDATE SKIP LOCKED",
    };
    RAW_DONE = { batch: "WITH done (id, problem) AS (", columns: [Text, Text], tail: ") UPDATE raw_bodies SET state = 'done', problem = done.problem FROM done WHERE raw_bodies.id = done.id AND raw_bodies.state = 'new' RETURNING 1" };
    SEEN = { batch: "INSERT INTO seen (channel, item_hash, at)", columns: [Text, Text, Int], tail: "ON CONFLICT DO NOTHING RETURNING item_hash" };
    ITEM_ADD = { batch: "INSERT INTO inbox (id, raw_id, channel, line_id, kind, sender_hash, item_sealed, key_id, state, tries, due_at, created_at)", columns: [Text, Text, Text, Text, Text, Text, Blob, Text, Text, Int, Int, Int], tail: "" };
    LINES = "WITH RECURSIVE waiting (line_id) AS (SELECT MIN(line_id) FROM inbox WHERE state = 'new' AND due_at > 0 AND line_id IS NOT NULL UNION ALL SELECT (SELECT MIN(i.line_id) FROM inbox i WHERE i.state = 'new' AND i.due_at > 0 AND i.line_id > waiting.line_id) FROM waiting WHERE waiting.line_id IS NOT NULL) SELECT line_id FROM waiting WHERE line_id IS NOT NULL";
    NEXT = {
        sqlite: "SELECT i.id, i.channel, i.line_id, i.kind, i.sender_hash, i.item_sealed, i.key_id, i.tries, i.created_at, (SELECT COUNT(*) FROM (SELECT 1 FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at <= i.created_at AND (e.created_at < i.created_at OR e.id < i.id) LIMIT $3) AS before) AS earlier FROM inbox i WHERE i.state = 'new' AND i.line_id = $4 AND i.due_at <= $1 AND COALESCE((SELECT MAX(e.due_at) FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at < i.created_at), 0) <= $1 ORDER BY i.due_at, i.id LIMIT $2",
        postgres: "SELECT i.id, i.channel, i.line_id, i.kind, i.sender_hash, i.item_sealed, i.key_id, i.tries, i.created_at, (SELECT COUNT(*) FROM (SELECT 1 FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at <= i.created_at AND (e.created_at < i.created_at OR e.id < i.id) LIMIT $3) AS before) AS earlier FROM inbox i WHERE i.state = 'new' AND i.line_id = $4 AND i.due_at <= $1 AND COALESCE((SELECT MAX(e.due_at) FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at < i.created_at), 0) <= $1 ORDER BY i.due_at, i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED",
    };
    NEXT_ELSEWHERE = {
        sqlite: "SELECT i.id, i.channel, i.line_id, i.kind, i.sender_hash, i.item_sealed, i.key_id, i.tries, i.created_at, (SELECT COUNT(*) FROM (SELECT 1 FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at <= i.created_at AND (e.created_at < i.created_at OR e.id < i.id) LIMIT $3) AS before) AS earlier FROM inbox i WHERE i.state = 'new' AND i.line_id IS NULL AND i.due_at <= $1 AND COALESCE((SELECT MAX(e.due_at) FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at < i.created_at), 0) <= $1 ORDER BY i.due_at, i.id LIMIT $2",
        postgres: "SELECT i.id, i.channel, i.line_id, i.kind, i.sender_hash, i.item_sealed, i.key_id, i.tries, i.created_at, (SELECT COUNT(*) FROM (SELECT 1 FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at <= i.created_at AND (e.created_at < i.created_at OR e.id < i.id) LIMIT $3) AS before) AS earlier FROM inbox i WHERE i.state = 'new' AND i.line_id IS NULL AND i.due_at <= $1 AND COALESCE((SELECT MAX(e.due_at) FROM inbox e WHERE e.sender_hash = i.sender_hash AND e.state = 'new' AND e.created_at < i.created_at), 0) <= $1 ORDER BY i.due_at, i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED",
    };
    ITEM_BY_ID = {
        sqlite: "SELECT id, channel, line_id, kind, item_sealed, key_id, tries, created_at FROM inbox WHERE id = $1 AND state = 'new'",
        postgres: "SELECT id, channel, line_id, kind, item_sealed, key_id, tries, created_at FROM inbox WHERE id = $1 AND state = 'new' FOR UPDATE",
    };
    ITEM_DONE = { batch: "WITH done (id, why) AS (", columns: [Text, Text], tail: ") UPDATE inbox SET state = 'done', why = done.why FROM done WHERE inbox.id = done.id AND inbox.state = 'new' RETURNING 1" };
    ITEM_AGAIN = "UPDATE inbox SET tries = tries + 1, due_at = $2, why = $3 WHERE id = $1 AND state = 'new'";
    ITEM_QUARANTINE = "UPDATE inbox SET state = 'quarantined', tries = tries + 1, why = $2 WHERE id = $1 AND state = 'new'";
    INCOMING_ADD = { batch: "INSERT INTO incoming (id, candidate_id, line_id, address_id, body_sealed, marks, answers, provider_sealed, at)", columns: [Text, Text, Text, Text, Blob, Text, Int, Blob, Int], tail: "" };
    NEXT_DUE = "SELECT MIN(due_at) AS due_at FROM inbox WHERE state = 'new' AND due_at > 0";
    OPEN_RAW = "SELECT COUNT(*) AS n FROM raw_bodies WHERE state = 'new' AND endpoint > ''";
}

/// One verified request, sealed, about to be made durable.
pub struct NewRaw {
    pub id: RawId,
    pub endpoint: String,
    pub key: KeyId,
    pub body_sealed: Vec<u8>,
    pub at: Timestamp,
}

impl NewRaw {
    /// Seals the bytes under the key of the day, before they stand in the line for the writer.
    pub fn sealed(
        id: RawId,
        endpoint: &str,
        (key, sealer): (KeyId, &Sealer),
        body: &[u8],
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            endpoint: endpoint.to_owned(),
            key,
            body_sealed: sealer.seal("raw_bodies", "body_sealed", &id.to_string(), body),
            at,
        }
    }
}

/// The key under which everything received on this UTC day is sealed.
pub async fn day_key(
    store: &Store,
    day: NaiveDate,
    now: Timestamp,
) -> Result<(KeyId, Sealer), StoreError> {
    let mut tx = store.write().await?;
    let key = tx.new_key(&format!("day:{day}"), now).await?;
    let sealer = tx.sealer(key).await?;
    tx.commit().await?;
    Ok((key, sealer))
}

/// One append for all who wait.
pub async fn append(tx: &mut Tx, raws: impl Iterator<Item = NewRaw>) -> Result<(), StoreError> {
    // Of the head nothing is kept: the signature is checked, and no channel has use for the rest.
    let rows = raws
        .map(|raw| {
            let head: Vec<u8> = Vec::new();
            let body = raw.body_sealed;
            bind![raw.id, raw.endpoint, raw.key, head, body, "new", raw.at]
        })
        .collect();
    tx.wake(Queue::Unpack);
    tx.many(&RAW_APPEND, rows).await.map(drop)
}

/// A stored request that nobody unpacked yet.
pub struct Raw {
    pub id: RawId,
    pub endpoint: String,
    pub key: KeyId,
    /// `None`: what stands there does not open.
    pub body: Option<Vec<u8>>,
}

/// The oldest of every endpoint, in equal parts: a storm on one delays no other. At most about `limit`.
pub async fn raw_new(tx: &mut Tx, limit: usize) -> Result<Vec<Raw>, StoreError> {
    let endpoints = tx.all(&RAW_ENDPOINTS, bind![]).await?;
    let each = limit / endpoints.len().max(1) + 1;
    let mut raws = Vec::new();
    for endpoint in endpoints {
        let endpoint = endpoint.text("endpoint")?;
        for row in tx.all(&RAW_NEW, bind![each, endpoint]).await? {
            let id: RawId = row.parsed("id")?;
            let key: KeyId = row.parsed("key_id")?;
            let body = match body_of(tx, key, id, &row).await {
                Ok(body) => Some(body),
                Err(StoreError::Corrupt { .. }) => None,
                Err(error) => return Err(error),
            };
            raws.push(Raw {
                id,
                endpoint: row.text("endpoint")?,
                key,
                body,
            });
        }
    }
    Ok(raws)
}

async fn body_of(tx: &mut Tx, key: KeyId, id: RawId, row: &Row) -> Result<Vec<u8>, StoreError> {
    let sealed = row.blob("body_sealed")?;
    let sealer = tx.sealer(key).await?;
    sealer.open("raw_bodies", "body_sealed", &id.to_string(), &sealed)
}

/// `problem` says, without content, why it could not be read; it stays for the operator.
pub fn raw_done(tx: &mut Tx, id: RawId, problem: Option<&str>) {
    tx.save_later(&RAW_DONE, bind![id, problem]);
}

/// Remembers these identities; gives back the hashes of those that were new. The list must be
/// distinct: two copies in one statement were measured to double rows on SQLite.
pub async fn first_seen(
    tx: &mut Tx,
    channel: &str,
    hashes: &[String],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let rows = hashes
        .iter()
        .map(|hash| bind![channel, hash, now])
        .collect();
    tx.many(&SEEN, rows)
        .await?
        .iter()
        .map(|row| row.text("item_hash"))
        .collect()
}

/// A parsed item on its way to a turn.
pub struct NewItem {
    pub id: ItemId,
    pub raw: RawId,
    pub channel: &'static str,
    pub line: Option<LineId>,
    pub kind: &'static str,
    pub sender_hash: Option<String>,
    pub item: Item,
    /// Its place in the order in which the provider told them; not after now.
    pub at: Timestamp,
}

pub async fn add_items(tx: &mut Tx, key: KeyId, items: Vec<NewItem>) -> Result<(), StoreError> {
    let sealer = tx.sealer(key).await?;
    let rows = items
        .into_iter()
        .map(|new| {
            let id = new.id.to_string();
            let sealed = sealer.seal_json("inbox", "item_sealed", &id, &new.item);
            bind![
                id,
                new.raw,
                new.channel,
                new.line,
                new.kind,
                new.sender_hash,
                sealed,
                key,
                "new",
                0i64,
                new.at,
                new.at
            ]
        })
        .collect();
    tx.wake(Queue::Turns);
    tx.many(&ITEM_ADD, rows).await.map(drop)
}

/// An item whose turn it is.
pub struct Waiting {
    pub id: ItemId,
    pub channel: String,
    pub line: Option<LineId>,
    pub kind: String,
    pub tries: u32,
    pub item: Item,
}

async fn waiting_of(tx: &mut Tx, row: &Row) -> Result<Waiting, StoreError> {
    let id: ItemId = row.parsed("id")?;
    let sealer = tx.sealer(row.parsed("key_id")?).await?;
    Ok(Waiting {
        id,
        channel: row.text("channel")?,
        line: row.maybe_parsed("line_id")?,
        kind: row.text("kind")?,
        tries: row.count("tries")?,
        item: sealer.open_json(
            "inbox",
            "item_sealed",
            &id.to_string(),
            &row.blob("item_sealed")?,
        )?,
    })
}

/// Items whose turn it is.
#[derive(Default)]
pub struct Next {
    pub items: Vec<Waiting>,
    /// Those that do not open, how often that was tried, and the error.
    pub unreadable: Vec<(ItemId, u32, StoreError)>,
}

/// The oldest items whose turn it is, of every line in equal parts: a busy organisation delays no other.
/// At most about `limit`, and of each line one. An item waits for the earlier ones of its sender: for one that
/// is tried again later, and for one that another instance has in hand.
pub async fn next(tx: &mut Tx, now: Timestamp, limit: usize) -> Result<Next, StoreError> {
    let lines = tx.all(&LINES, bind![]).await?;
    let each = (limit / lines.len().max(1)).max(1);
    let mut rows = Vec::new();
    for line in &lines {
        let line: LineId = line.parsed("line_id")?;
        rows.extend(tx.all(&NEXT, bind![now, each, limit, line]).await?);
    }
    rows.extend(tx.all(&NEXT_ELSEWHERE, bind![now, limit, limit]).await?);
    let mut taken: HashMap<String, i64> = HashMap::new();
    let mut next = Next::default();
    for row in &rows {
        let sender = row.maybe_text("sender_hash")?;
        if let Some(sender) = &sender {
            let before = taken.get(sender).copied().unwrap_or_default();
            if row.int("earlier")? != before {
                continue;
            }
        }
        match waiting_of(tx, row).await {
            Ok(item) => next.items.push(item),
            // It is not in hand: what comes after it from this sender waits for it.
            Err(error @ StoreError::Corrupt { .. }) => {
                next.unreadable
                    .push((row.parsed("id")?, row.count("tries")?, error));
                continue;
            }
            Err(error) => return Err(error),
        }
        if let Some(sender) = sender {
            *taken.entry(sender).or_default() += 1;
        }
    }
    Ok(next)
}

/// One item by its id, if its turn is still to come.
pub async fn item(tx: &mut Tx, id: ItemId) -> Result<Option<Waiting>, StoreError> {
    match tx.maybe(&ITEM_BY_ID, bind![id]).await? {
        Some(row) => Ok(Some(waiting_of(tx, &row).await?)),
        None => Ok(None),
    }
}

/// The item had its turn. If another instance was faster, the commit is `Stale`.
pub fn done(tx: &mut Tx, id: ItemId, why: Option<&str>) {
    tx.save_later(&ITEM_DONE, bind![id, why]);
}

pub async fn again(
    tx: &mut Tx,
    id: ItemId,
    due_at: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    tx.save(&ITEM_AGAIN, bind![id, due_at, why]).await
}

/// Put aside for an operator after its last try.
pub async fn quarantine(tx: &mut Tx, id: ItemId, why: &str) -> Result<(), StoreError> {
    tx.save(&ITEM_QUARANTINE, bind![id, why]).await
}

/// Is anything left to unpack or to play now?
pub async fn has_work(tx: &mut Tx, now: Timestamp) -> Result<bool, StoreError> {
    if tx
        .maybe(&OPEN_RAW, bind![])
        .await?
        .map(|row| row.int("n"))
        .transpose()?
        .unwrap_or(0)
        > 0
    {
        return Ok(true);
    }
    let due = tx
        .maybe(&NEXT_DUE, bind![])
        .await?
        .map(|row| row.maybe_at("due_at"))
        .transpose()?
        .flatten();
    Ok(due.is_some_and(|due| due <= now))
}

/// A message in a person's thread.
pub struct NewIncoming<'a> {
    pub id: IncomingId,
    pub candidate: CandidateId,
    pub line: LineId,
    pub address: AddressId,
    pub content: &'a Content,
    /// Words separated by spaces: `bsn`, `health`, `alarm`, `forwarded`.
    pub marks: String,
    /// The number of our message that it answers.
    pub answers: Option<u32>,
    pub provider_id: &'a str,
    pub at: Timestamp,
}

pub async fn keep(tx: &mut Tx, sealer: &Sealer, new: &NewIncoming<'_>) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let body = sealer.seal_json("incoming", "body_sealed", &id, new.content);
    let provider = sealer.seal(
        "incoming",
        "provider_sealed",
        &id,
        new.provider_id.as_bytes(),
    );
    tx.changed(new.candidate);
    tx.later(
        &INCOMING_ADD,
        bind![
            &id,
            new.candidate,
            new.line,
            new.address,
            body,
            new.marks.as_str(),
            new.answers.map(i64::from),
            provider,
            new.at
        ],
    );
    Ok(())
}
