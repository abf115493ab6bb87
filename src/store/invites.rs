//! Invites: the code of a QR, kept as a keyed hash. It works once, until its moment.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId};
use crate::domain::time::Timestamp;

statements! {
    INVITE_ADD = "INSERT INTO invites (code_hash, candidate_id, coach_id, ends_at) VALUES ($1, $2, $3, $4)";
    INVITE = "SELECT candidate_id, coach_id, ends_at, used_at FROM invites WHERE code_hash = $1";
    INVITE_USED = "UPDATE invites SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL";
}

/// An invite: the code of a QR, kept as a keyed hash.
pub struct Invite {
    pub candidate: CandidateId,
    pub coach: CoachId,
    pub ends_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

pub async fn add_invite(
    tx: &mut Tx,
    code: &str,
    candidate: CandidateId,
    coach: CoachId,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    let hash = tx.hash("invite", code);
    tx.run(&INVITE_ADD, bind![hash, candidate, coach, ends_at])
        .await
        .map(drop)
}

pub async fn invite(tx: &mut Tx, code: &str) -> Result<Option<Invite>, StoreError> {
    let hash = tx.hash("invite", code);
    tx.maybe(&INVITE, bind![hash])
        .await?
        .map(|row| {
            Ok(Invite {
                candidate: row.parsed("candidate_id")?,
                coach: row.parsed("coach_id")?,
                ends_at: row.at("ends_at")?,
                used_at: row.maybe_at("used_at")?,
            })
        })
        .transpose()
}

pub async fn use_invite(tx: &mut Tx, code: &str, now: Timestamp) -> Result<(), StoreError> {
    let hash = tx.hash("invite", code);
    tx.run(&INVITE_USED, bind![hash, now]).await.map(drop)
}
