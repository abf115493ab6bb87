//! Whose address is this? Addresses are looked up by a keyed hash; a shared phone has several owners.

use std::collections::BTreeSet;

use super::Serves;
use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::contact::AddressKind;
use crate::domain::ids::{AddressId, CandidateId, OrganisationId};
use crate::domain::time::Timestamp;

statements! {
    OWNERS = "SELECT a.id, a.candidate_id, c.organisation_id FROM addresses a JOIN candidates c ON c.id = a.candidate_id WHERE a.value_hash = $1 AND a.kind = $2 AND c.state <> 'erased' AND (a.state <> 'dead' OR a.state_at >= $3) ORDER BY a.id";
    OWNERS_MANY = { batch: "WITH want (hash, kind, since) AS (", columns: [Text, Text, Int], tail: ") SELECT a.id, a.candidate_id, a.value_hash, c.organisation_id FROM want w JOIN addresses a ON a.value_hash = w.hash AND a.kind = w.kind JOIN candidates c ON c.id = a.candidate_id WHERE c.state <> 'erased' AND (a.state <> 'dead' OR a.state_at >= w.since) ORDER BY a.id" };
}

/// A number that somebody left is not another's at once: operators keep it out of use for months. Words
/// from it within a month are still theirs (two phones for a while, a late delivery).
const STILL_THEIRS_DAYS: i64 = 30;

/// Whose address is this, for words said at `at`? A shared phone has several owners. A dead address was
/// left by its person: long after that it is a stranger's.
pub async fn owners(
    tx: &mut Tx,
    organisation: OrganisationId,
    kind: AddressKind,
    value: &str,
    at: Timestamp,
) -> Result<Vec<(AddressId, CandidateId)>, StoreError> {
    let hash = tx.hash(kind.as_str(), value);
    let mut found = Vec::new();
    let values = bind![&hash, kind.as_str(), at.plus_days(-STILL_THEIRS_DAYS)];
    for row in tx.rows_of(&OWNERS, hash, values).await?.iter() {
        if row.parsed::<OrganisationId>("organisation_id")? == organisation {
            found.push((row.parsed("id")?, row.parsed("candidate_id")?));
        }
    }
    Ok(found)
}

/// Fetches ahead whose these addresses are, and says who that may be.
pub async fn fetch_ahead(
    tx: &mut Tx,
    senders: &[(AddressKind, &str, Timestamp)],
) -> Result<BTreeSet<CandidateId>, StoreError> {
    let mut keys = Vec::with_capacity(senders.len());
    for (kind, value, at) in senders {
        let hash = tx.hash(kind.as_str(), value);
        let values = bind![&hash, kind.as_str(), at.plus_days(-STILL_THEIRS_DAYS)];
        keys.push((hash, values));
    }
    let hashes: Vec<String> = keys.iter().map(|(hash, _)| hash.clone()).collect();
    tx.fetch_ahead(&OWNERS_MANY, &OWNERS, "value_hash", keys, Serves::Looks)
        .await?;
    let mut owners = BTreeSet::new();
    for hash in hashes {
        for row in tx.rows_of(&OWNERS, hash, Vec::new()).await?.iter() {
            owners.insert(row.parsed("candidate_id")?);
        }
    }
    Ok(owners)
}
