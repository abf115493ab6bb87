//! A coach's own calendar: the address at which it is read, and the times that are taken elsewhere.

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::{CoachId, KeyId, OrganisationId};
use crate::domain::time::Timestamp;

statements! {
    PUT = "INSERT INTO calendars (coach_id, token_hash, made_at) VALUES ($1, $2, $3) ON CONFLICT (coach_id) DO UPDATE SET token_hash = excluded.token_hash, made_at = excluded.made_at";
    END = "DELETE FROM calendars WHERE coach_id = $1";
    MADE = "SELECT made_at FROM calendars WHERE coach_id = $1";
    WHOSE = "SELECT k.id, k.name, k.organisation_id, k.language FROM calendars a JOIN coaches k ON k.id = a.coach_id WHERE a.token_hash = $1 AND k.state = 'active'";
    KEY = "SELECT key_id FROM coaches WHERE id = $1";
    BUSY_PUT = "INSERT INTO busy_feeds (coach_id, url_sealed, due_at, version) VALUES ($1, $2, $3, 0) ON CONFLICT (coach_id) DO UPDATE SET url_sealed = excluded.url_sealed, due_at = excluded.due_at, fetched_at = NULL, problem = NULL, version = busy_feeds.version + 1";
    BUSY_END = "DELETE FROM busy_feeds WHERE coach_id = $1";
    BUSY_CLEAR = "DELETE FROM busy_times WHERE coach_id = $1";
    BUSY_ADD = { batch: "INSERT INTO busy_times (coach_id, starts_at, ends_at)", columns: [Text, Int, Int], tail: "ON CONFLICT DO NOTHING" };
    BUSY_DUE = "SELECT f.coach_id, f.url_sealed, f.version, k.key_id, k.organisation_id FROM busy_feeds f JOIN coaches k ON k.id = f.coach_id WHERE f.due_at <= $1 ORDER BY f.due_at LIMIT $2";
    BUSY_DONE = "UPDATE busy_feeds SET due_at = $3, fetched_at = $4, problem = NULL, version = version + 1 WHERE coach_id = $1 AND version = $2";
    BUSY_FAILED = "UPDATE busy_feeds SET due_at = $3, problem = $4, version = version + 1 WHERE coach_id = $1 AND version = $2";
    BUSY_OF = "SELECT fetched_at, problem FROM busy_feeds WHERE coach_id = $1";
}

/// A new address for this coach; the one before it shows nothing from now on.
pub async fn renew(
    tx: &mut Tx,
    coach: CoachId,
    token: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hash = tx.hash("calendar", token);
    tx.run(&PUT, bind![coach, hash, now]).await.map(drop)
}

/// There is no address any more.
pub async fn end(tx: &mut Tx, coach: CoachId) -> Result<(), StoreError> {
    tx.run(&END, bind![coach]).await.map(drop)
}

/// Since when this coach has an address.
pub async fn made_at(tx: &mut Tx, coach: CoachId) -> Result<Option<Timestamp>, StoreError> {
    tx.maybe(&MADE, bind![coach])
        .await?
        .map(|row| row.at("made_at"))
        .transpose()
}

/// Whose calendar an address shows.
pub struct Owner {
    pub coach: CoachId,
    pub name: String,
    pub organisation: OrganisationId,
    pub language: String,
}

/// Nobody's, if the coach was blocked or has another address by now.
pub async fn whose(tx: &mut Tx, token: &str) -> Result<Option<Owner>, StoreError> {
    let hash = tx.hash("calendar", token);
    tx.maybe(&WHOSE, bind![hash])
        .await?
        .map(|row| {
            Ok(Owner {
                coach: row.parsed("id")?,
                name: row.text("name")?,
                organisation: row.parsed("organisation_id")?,
                language: row.text("language")?,
            })
        })
        .transpose()
}

/// Where the other appointments of a coach are read.
pub struct BusyFeed {
    pub coach: CoachId,
    /// `None`: what stands there does not open.
    pub url: Option<String>,
    pub organisation: OrganisationId,
    version: i64,
}

/// The key of a coach, with which what is theirs is sealed.
async fn sealer(tx: &mut Tx, coach: CoachId) -> Result<Option<Sealer>, StoreError> {
    match tx.maybe(&KEY, bind![coach]).await? {
        Some(row) => Ok(Some(tx.sealer(row.parsed("key_id")?).await?)),
        None => Ok(None),
    }
}

/// From now on the other appointments of this coach are read here. An address like that is a secret.
pub async fn put_busy(
    tx: &mut Tx,
    coach: CoachId,
    url: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(sealer) = sealer(tx, coach).await? else {
        return Ok(());
    };
    let sealed = sealer.seal(
        "busy_feeds",
        "url_sealed",
        &coach.to_string(),
        url.as_bytes(),
    );
    tx.run(&BUSY_CLEAR, bind![coach]).await?;
    tx.run(&BUSY_PUT, bind![coach, sealed, now]).await.map(drop)
}

/// Nothing is read any more, and no time is taken by it.
pub async fn end_busy(tx: &mut Tx, coach: CoachId) -> Result<(), StoreError> {
    tx.run(&BUSY_CLEAR, bind![coach]).await?;
    tx.run(&BUSY_END, bind![coach]).await.map(drop)
}

/// What is to be read now, longest due first.
pub async fn busy_due(
    tx: &mut Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<BusyFeed>, StoreError> {
    let mut feeds = Vec::new();
    for row in tx.all(&BUSY_DUE, bind![now, limit]).await? {
        let coach: CoachId = row.parsed("coach_id")?;
        let url = match url_of(tx, coach, &row).await {
            Ok(url) => Some(url),
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        feeds.push(BusyFeed {
            coach,
            url,
            organisation: row.parsed("organisation_id")?,
            version: row.int("version")?,
        });
    }
    Ok(feeds)
}

async fn url_of(tx: &mut Tx, coach: CoachId, row: &Row) -> Result<String, StoreError> {
    let sealed = row.blob("url_sealed")?;
    let sealer = tx.sealer(row.parsed::<KeyId>("key_id")?).await?;
    sealer.open_text("busy_feeds", "url_sealed", &coach.to_string(), &sealed)
}

/// What was read, in the place of what was known; `Stale` if the coach gave another address meanwhile.
pub async fn busy_read(
    tx: &mut Tx,
    feed: &BusyFeed,
    times: &[(Timestamp, Timestamp)],
    next: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.save(&BUSY_DONE, bind![feed.coach, feed.version, next, now])
        .await?;
    tx.run(&BUSY_CLEAR, bind![feed.coach]).await?;
    let rows = times
        .iter()
        .map(|(from, to)| bind![feed.coach, *from, *to])
        .collect();
    tx.many(&BUSY_ADD, rows).await.map(drop)
}

/// It could not be read; what was known stays. `problem` is one of our own words.
pub async fn busy_failed(
    tx: &mut Tx,
    feed: &BusyFeed,
    problem: &str,
    next: Timestamp,
) -> Result<(), StoreError> {
    tx.save(&BUSY_FAILED, bind![feed.coach, feed.version, next, problem])
        .await
}

/// How the reading goes: when it last worked, and what is wrong since. `None`: nothing is read.
pub async fn busy_of(
    tx: &mut Tx,
    coach: CoachId,
) -> Result<Option<(Option<Timestamp>, Option<String>)>, StoreError> {
    tx.maybe(&BUSY_OF, bind![coach])
        .await?
        .map(|row| Ok((row.maybe_at("fetched_at")?, row.maybe_text("problem")?)))
        .transpose()
}
