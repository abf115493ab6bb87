//! What a restored database must be told: which messages may have left since its backup was made, and
//! talks whose numbers were used since.

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId, KeyId, MessageId};
use crate::domain::plan::Subject;
use crate::domain::talk::state::Talk;
use crate::domain::time::Timestamp;

statements! {
    COULD_LEAVE = "SELECT o.id, o.candidate_id, o.subject, c.coach_id FROM outgoing o JOIN candidates c ON c.id = o.candidate_id WHERE o.state IN ('approved', 'sending', 'retry') ORDER BY o.id";
    DOUBT = "UPDATE outgoing SET state = 'in_doubt', state_why = 'restored', lease_until_at = NULL, version = version + 1 WHERE state IN ('approved', 'sending', 'retry')";
    ATTEMPTS = "UPDATE attempts SET ended_at = $1, outcome = 'in_doubt', code = 'restored' WHERE outcome IS NULL";
    SESSIONS = "DELETE FROM sessions";
    TALKS = "SELECT t.candidate_id, c.key_id FROM talks t JOIN candidates c ON c.id = t.candidate_id JOIN keys k ON k.id = c.key_id WHERE k.destroyed_at IS NULL ORDER BY t.candidate_id";
    TALK = "UPDATE talks SET body_sealed = $3, version = version + 1 WHERE candidate_id = $1 AND version = $2";
}

/// A message that the machine could have sent after the backup was made.
pub struct CouldLeave {
    pub message: MessageId,
    pub candidate: CandidateId,
    pub subject: Subject,
    pub coach: Option<CoachId>,
}

/// Puts every message that could have left by itself in doubt; which they were.
pub async fn doubt(tx: &mut Tx, now: Timestamp) -> Result<Vec<CouldLeave>, StoreError> {
    let could = tx
        .all(&COULD_LEAVE, bind![])
        .await?
        .iter()
        .map(|row| {
            Ok(CouldLeave {
                message: row.parsed("id")?,
                candidate: row.parsed("candidate_id")?,
                subject: row.word("subject", Subject::parse)?,
                coach: row.maybe_parsed("coach_id")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    tx.run(&DOUBT, bind![]).await?;
    tx.run(&ATTEMPTS, bind![now]).await?;
    Ok(could)
}

/// Everybody signs in again: a session that ended after the backup would be back.
pub async fn end_sessions(tx: &mut Tx) -> Result<(), StoreError> {
    tx.run(&SESSIONS, bind![]).await.map(drop)
}

/// Every person with a talk that can still be read, and their key.
pub async fn talks(tx: &mut Tx) -> Result<Vec<(CandidateId, KeyId)>, StoreError> {
    tx.all(&TALKS, bind![])
        .await?
        .iter()
        .map(|row| Ok((row.parsed("candidate_id")?, row.parsed("key_id")?)))
        .collect()
}

/// Keeps a talk to which nothing happened but the restore.
pub async fn keep_talk(
    tx: &mut Tx,
    talk: &Talk,
    version: i64,
    sealer: &Sealer,
) -> Result<(), StoreError> {
    let body = sealer.seal_json("talks", "body_sealed", &talk.candidate.to_string(), talk);
    tx.save(&TALK, bind![talk.candidate, version, body]).await
}
