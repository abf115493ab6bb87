//! The addresses of candidates, and the windows that their words open.

use super::Serves;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{Value, bind, statements};
use super::tx::Tx;
use crate::domain::contact::{Address, AddressKind, AddressState};
use crate::domain::ids::{AddressId, CandidateId, LineId};
use crate::domain::time::Timestamp;

statements! {
    ADDRESS_ADD = "INSERT INTO addresses (id, candidate_id, kind, value_sealed, value_hash, state, heard_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (candidate_id, kind, value_hash) DO NOTHING";
    ADDRESSES = "SELECT id, kind, value_sealed, state, heard_at FROM addresses WHERE candidate_id = $1 ORDER BY id";
    ADDRESSES_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT a.id, a.candidate_id, a.kind, a.value_sealed, a.state, a.heard_at FROM want w JOIN addresses a ON a.candidate_id = w.id ORDER BY a.id" };
    ADDRESS_FIND = "SELECT id FROM addresses WHERE candidate_id = $1 AND kind = $2 AND value_hash = $3";
    ADDRESS_STATE = "UPDATE addresses SET state = $2, state_at = $3, version = version + 1 WHERE id = $1";
    ADDRESS_HEARD = { batch: "WITH heard (id, at) AS (", columns: [Text, Int], tail: ") UPDATE addresses SET state = 'proven', heard_at = CASE WHEN addresses.heard_at > heard.at THEN addresses.heard_at ELSE heard.at END, version = addresses.version + 1 FROM heard WHERE addresses.id = heard.id AND addresses.state <> 'dead' AND (addresses.heard_at IS NULL OR addresses.heard_at < heard.at OR addresses.state <> 'proven')" };
    WINDOW_OPEN = { batch: "INSERT INTO windows (line_id, address_id, heard_at)", columns: [Text, Text, Int], tail: "ON CONFLICT (line_id, address_id) DO UPDATE SET heard_at = CASE WHEN excluded.heard_at > windows.heard_at THEN excluded.heard_at ELSE windows.heard_at END" };
    WINDOWS_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT a.candidate_id, w.line_id, w.address_id, w.heard_at FROM want JOIN addresses a ON a.candidate_id = want.id JOIN windows w ON w.address_id = a.id" };
    WINDOWS = "SELECT w.line_id, w.address_id, w.heard_at FROM windows w JOIN addresses a ON a.id = w.address_id WHERE a.candidate_id = $1";
}

/// Adds an address, or finds the one that is there.
pub async fn add(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
    new: (AddressId, AddressKind, &str, AddressState),
    heard_at: Option<Timestamp>,
) -> Result<AddressId, StoreError> {
    let (id, kind, value, state) = new;
    let hash = tx.hash(kind.as_str(), value);
    let sealed = sealer.seal(
        "addresses",
        "value_sealed",
        &id.to_string(),
        value.as_bytes(),
    );
    let added = tx
        .run(
            &ADDRESS_ADD,
            bind![
                id,
                candidate,
                kind.as_str(),
                sealed,
                &hash,
                state.as_str(),
                heard_at
            ],
        )
        .await?;
    if added == 1 {
        return Ok(id);
    }
    tx.maybe(&ADDRESS_FIND, bind![candidate, kind.as_str(), hash])
        .await?
        .ok_or(StoreError::Stale(ADDRESS_FIND.name))?
        .parsed("id")
}

/// Everything under which this person can be reached, or could.
pub async fn of(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
) -> Result<Vec<Address>, StoreError> {
    let rows = tx
        .rows_of(&ADDRESSES, candidate.to_string(), bind![candidate])
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let id: AddressId = row.parsed("id")?;
        let sealed = row.blob("value_sealed")?;
        let mut address = Address {
            id,
            kind: row.word("kind", AddressKind::parse)?,
            value: sealer.open_text("addresses", "value_sealed", &id.to_string(), &sealed)?,
            state: row.word("state", AddressState::parse)?,
            heard_at: row.maybe_at("heard_at")?,
        };
        for (_, _, at) in tx.sets.heard.iter().filter(|(_, heard, _)| *heard == id) {
            if address.state != AddressState::Dead {
                address.state = AddressState::Proven;
                address.heard_at = address.heard_at.max(Some(*at));
            }
        }
        found.push(address);
    }
    Ok(found)
}

/// The state of an address since a moment.
pub async fn set_state(
    tx: &mut Tx,
    id: AddressId,
    state: AddressState,
    since: Timestamp,
) -> Result<(), StoreError> {
    tx.save(&ADDRESS_STATE, bind![id, state.as_str(), since])
        .await
}

/// The person wrote from this address: it is proven, and the window of this line is open from `at`. What is
/// asked of them in this turn is answered accordingly.
pub fn heard(tx: &mut Tx, line: LineId, address: AddressId, at: Timestamp) {
    tx.sets.heard.push((line, address, at));
    tx.later(&ADDRESS_HEARD, bind![address, at]);
    tx.later(&WINDOW_OPEN, bind![line, address, at]);
}

/// When each address of this person was heard last on each line. What was heard in this very turn comes after
/// what was there before.
pub async fn windows(
    tx: &mut Tx,
    candidate: CandidateId,
) -> Result<Vec<(LineId, AddressId, Timestamp)>, StoreError> {
    let rows = tx
        .rows_of(&WINDOWS, candidate.to_string(), bind![candidate])
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        found.push((
            row.parsed("line_id")?,
            row.parsed("address_id")?,
            row.at("heard_at")?,
        ));
    }
    found.extend(tx.sets.heard.iter().copied());
    Ok(found)
}

/// Fetches ahead what `of` and `windows` say of these people.
pub(super) async fn fetch_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    serves: Serves,
) -> Result<(), StoreError> {
    let keys = || -> Vec<(String, Vec<Value>)> {
        let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
        keys.collect()
    };
    tx.fetch_ahead(&ADDRESSES_MANY, &ADDRESSES, "candidate_id", keys(), serves)
        .await?;
    tx.fetch_ahead(&WINDOWS_MANY, &WINDOWS, "candidate_id", keys(), serves)
        .await
}
