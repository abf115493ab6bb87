//! Flags: what a coach must look at. One open flag a person, reason and subject.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId, FlagId};
use crate::domain::plan::Subject;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;

statements! {
    OPEN = { batch: "INSERT INTO flags (id, candidate_id, coach_id, why, subject, opened_at)", columns: [Text, Text, Text, Text, Text, Int], tail: "ON CONFLICT (candidate_id, why, subject) WHERE closed_at IS NULL DO NOTHING" };
    CLOSE = "UPDATE flags SET closed_at = $2, closed_by_id = $3 WHERE id = $1 AND candidate_id = $4 AND closed_at IS NULL";
    CLOSE_WHY = "UPDATE flags SET closed_at = $4, closed_by_id = $5 WHERE candidate_id = $1 AND why = $2 AND subject = $3 AND closed_at IS NULL";
    CLOSE_ALL = { batch: "WITH over (candidate_id, why, at, coach_id) AS (", columns: [Text, Text, Int, Text], tail: ") UPDATE flags SET closed_at = over.at, closed_by_id = over.coach_id FROM over WHERE flags.candidate_id = over.candidate_id AND flags.why = over.why AND flags.closed_at IS NULL" };
}

/// Opens a flag, unless the same one is open.
pub fn open(
    tx: &mut Tx,
    id: FlagId,
    candidate: CandidateId,
    coach: Option<CoachId>,
    why: Why,
    subject: Subject,
    now: Timestamp,
) {
    tx.changed(candidate);
    tx.later(
        &OPEN,
        bind![id, candidate, coach, why.as_str(), subject, now],
    );
}

pub async fn close(
    tx: &mut Tx,
    id: FlagId,
    candidate: CandidateId,
    by: CoachId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(&CLOSE, bind![id, now, by, candidate]).await
}

/// Closes the open flag for one reason and subject: the reason is gone.
pub async fn settle(
    tx: &mut Tx,
    candidate: CandidateId,
    why: Why,
    subject: Subject,
    by: Option<CoachId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&CLOSE_WHY, bind![candidate, why.as_str(), subject, now, by])
        .await
        .map(drop)
}

/// Closes every open flag of these reasons.
pub fn settle_all(
    tx: &mut Tx,
    candidate: CandidateId,
    whys: &[Why],
    by: Option<CoachId>,
    now: Timestamp,
) {
    for why in whys {
        tx.later(&CLOSE_ALL, bind![candidate, why.as_str(), now, by]);
    }
}
