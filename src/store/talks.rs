//! Talks and their turns. Loading a talk locks its row; saving it checks the version, so no turn is
//! ever built on an old one.

use super::Serves;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::{CandidateId, KeyId};
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Talk;
use crate::domain::time::Timestamp;

statements! {
    CREATE = "INSERT INTO talks (candidate_id, state, body_sealed, wake_at, version) VALUES ($1, $2, $3, $4, 0)";
    LOAD = {
        sqlite: "SELECT body_sealed, version FROM talks WHERE candidate_id = $1",
        postgres: "SELECT body_sealed, version FROM talks WHERE candidate_id = $1 FOR UPDATE",
    };
    PEEK = "SELECT body_sealed, version FROM talks WHERE candidate_id = $1";
    PEEK_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT t.candidate_id, t.body_sealed, t.version FROM want w JOIN talks t ON t.candidate_id = w.id" };
    LOAD_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT t.candidate_id, t.body_sealed, t.version FROM talks t WHERE t.candidate_id IN (SELECT id FROM want) ORDER BY t.candidate_id", postgres: "FOR UPDATE OF t" };
    SAVE = { batch: "WITH next (candidate_id, version, state, body_sealed, wake_at) AS (", columns: [Text, Int, Text, Blob, Int], tail: ") UPDATE talks SET state = next.state, body_sealed = next.body_sealed, wake_at = next.wake_at, version = talks.version + 1 FROM next WHERE talks.candidate_id = next.candidate_id AND talks.version = next.version RETURNING talks.version" };
    TURN = { batch: "INSERT INTO turns (candidate_id, number, event_sealed, at)", columns: [Text, Int, Blob, Int], tail: "" };
    WAKE_LATER = "UPDATE talks SET wake_at = $2 WHERE candidate_id = $1";
    DUE = "SELECT candidate_id FROM talks WHERE wake_at IS NOT NULL AND wake_at <= $1 ORDER BY wake_at LIMIT $2";
}

/// A talk as loaded, with the version it must still have when it is saved.
pub struct Loaded {
    pub talk: Talk,
    pub version: i64,
}

pub async fn create(
    tx: &mut Tx,
    candidate: CandidateId,
    sealer: &Sealer,
) -> Result<(), StoreError> {
    let talk = Talk::new(candidate);
    let body = sealer.seal_json("talks", "body_sealed", &candidate.to_string(), &talk);
    tx.run(
        &CREATE,
        bind![candidate, talk.state_name(), body, talk.wake_at()],
    )
    .await
    .map(drop)
}

pub async fn load(
    tx: &mut Tx,
    candidate: CandidateId,
    sealer: &Sealer,
) -> Result<Loaded, StoreError> {
    let rows = tx
        .rows_of(&LOAD, candidate.to_string(), bind![candidate])
        .await?;
    let row = rows.first().ok_or(StoreError::Stale(LOAD.name))?;
    Ok(Loaded {
        talk: open(sealer, candidate, row)?,
        version: row.int("version")?,
    })
}

/// Locks and fetches ahead the talks of these people, in the order of their ids, so that two instances never
/// wait for each other. Gives back how they stand.
pub async fn fetch_ahead(
    tx: &mut Tx,
    people: &[(CandidateId, KeyId)],
) -> Result<Vec<Talk>, StoreError> {
    let keys = people
        .iter()
        .map(|(id, _)| (id.to_string(), bind![id]))
        .collect();
    tx.fetch_ahead(&LOAD_MANY, &LOAD, "candidate_id", keys, Serves::OneTurn)
        .await?;
    let mut talks = Vec::with_capacity(people.len());
    for (candidate, key) in people {
        let sealer = tx.sealer(*key).await?;
        for row in tx.ahead(&LOAD, &candidate.to_string()).iter() {
            talks.push(open(&sealer, *candidate, row)?);
        }
    }
    Ok(talks)
}

fn open(sealer: &Sealer, candidate: CandidateId, row: &Row) -> Result<Talk, StoreError> {
    let body = row.blob("body_sealed")?;
    sealer.open_json("talks", "body_sealed", &candidate.to_string(), &body)
}

/// The talk without a lock: for pages and for the sender's last look.
pub async fn peek(
    tx: &mut Tx,
    candidate: CandidateId,
    sealer: &Sealer,
) -> Result<Talk, StoreError> {
    let rows = tx
        .rows_of(&PEEK, candidate.to_string(), bind![candidate])
        .await?;
    let row = rows.first().ok_or(StoreError::Stale(PEEK.name))?;
    open(sealer, candidate, row)
}

/// Fetches ahead what `peek` says of these people.
pub async fn peeks_ahead(tx: &mut Tx, candidates: &[CandidateId]) -> Result<(), StoreError> {
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&PEEK_MANY, &PEEK, "candidate_id", keys, Serves::Looks)
        .await
}

/// Saves the talk and keeps the event that moved it, for replay. If another turn was faster, what comes
/// next in this transaction is `Stale`.
pub fn save(
    tx: &mut Tx,
    talk: &Talk,
    version: i64,
    event: &Event,
    sealer: &Sealer,
    now: Timestamp,
) {
    let id = talk.candidate.to_string();
    let body = sealer.seal_json("talks", "body_sealed", &id, talk);
    tx.save_later(
        &SAVE,
        bind![
            talk.candidate,
            version,
            talk.state_name(),
            body,
            talk.wake_at()
        ],
    );
    let sealed = sealer.seal_json("turns", "event_sealed", &format!("{id}/{version}"), event);
    tx.later(&TURN, bind![talk.candidate, version, sealed, now]);
}

/// The timer of this talk goes off once more, at `until`: what it was for could not be done.
pub async fn wake_later(
    tx: &mut Tx,
    candidate: CandidateId,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&WAKE_LATER, bind![candidate, until]).await.map(drop)
}

/// Talks whose timer went off, longest ago first.
pub async fn due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<CandidateId>, StoreError> {
    tx.all(&DUE, bind![now, limit])
        .await?
        .iter()
        .map(|row| row.parsed("candidate_id"))
        .collect()
}
