//! Several approvals by one press of a button: what belongs to one act, and whether a draft may be in one.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::ids::{ActId, CandidateId, MessageId};

statements! {
    TOUCHED = "SELECT COUNT(*) AS n FROM approvals WHERE message_id = $1 AND verb IN ('edit', 'hold', 'resend')";
    FLAGGED = "SELECT COUNT(*) AS n FROM flags WHERE candidate_id = $1 AND closed_at IS NULL";
    OF_ACT = "SELECT a.message_id, CAST(MAX(CASE WHEN a.verb = 'withdraw' THEN 1 ELSE 0 END) AS BIGINT) AS back FROM approvals a JOIN outgoing o ON o.id = a.message_id JOIN candidates c ON c.id = o.candidate_id WHERE a.act_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) GROUP BY a.message_id ORDER BY a.message_id";
}

/// Did a coach decide something about this text before, other than to let it go or take that back?
pub async fn touched(tx: &mut Tx, message: MessageId) -> Result<bool, StoreError> {
    match tx.maybe(&TOUCHED, bind![message]).await? {
        Some(row) => Ok(row.int("n")? > 0),
        None => Ok(false),
    }
}

/// Is any flag about this person open?
pub async fn flagged(tx: &mut Tx, candidate: CandidateId) -> Result<bool, StoreError> {
    match tx.maybe(&FLAGGED, bind![candidate]).await? {
        Some(row) => Ok(row.int("n")? > 0),
        None => Ok(false),
    }
}

/// The messages of an act that are under these eyes, each with whether its approval was taken back.
pub async fn of_act(
    tx: &mut Tx,
    scope: &Scope,
    act: ActId,
) -> Result<Vec<(MessageId, bool)>, StoreError> {
    tx.all(&OF_ACT, bind![scope.organisation, scope.coach, act])
        .await?
        .iter()
        .map(|row| Ok((row.parsed("message_id")?, row.int("back")? > 0)))
        .collect()
}
