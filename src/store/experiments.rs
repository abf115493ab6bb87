//! Which wording of a text under an experiment which message has, and what became of it.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::experiment::Arm;
use crate::domain::ids::{CandidateId, MessageId};
use crate::domain::time::Timestamp;

statements! {
    ADD = { batch: "INSERT INTO experiment_arms (message_id, experiment, terms, candidate_id, arm)", columns: [Text, Text, Text, Text, Text], tail: "" };
    ARRIVED = "SELECT e.candidate_id, e.arm, o.accepted_at, (SELECT COUNT(*) FROM approvals a WHERE a.message_id = o.id AND a.verb = 'edit') AS edits, (SELECT MIN(i.at) FROM incoming i WHERE i.candidate_id = e.candidate_id AND i.at >= o.accepted_at) AS answered_at, (SELECT MIN(k.at) FROM consents k WHERE k.candidate_id = e.candidate_id AND NOT k.given AND k.at >= o.accepted_at) AS stopped_at, (SELECT t.done_at FROM tasks t WHERE t.id = substr(o.subject, 6) AND t.done_at >= o.accepted_at) AS done_at FROM experiment_arms e JOIN outgoing o ON o.id = e.message_id WHERE e.experiment = $1 AND e.terms = $2 AND o.accepted_at IS NOT NULL ORDER BY e.candidate_id, o.accepted_at";
    OF_MESSAGE = "SELECT experiment, arm FROM experiment_arms WHERE message_id = $1 ORDER BY experiment";
}

/// The wording that a person gets under these terms: always the same one, and nobody without the secret can
/// tell which.
pub fn arm_of(tx: &Tx, terms: &str, candidate: CandidateId) -> Arm {
    Arm::of_hash(&tx.hash("experiment", &format!("{terms}/{candidate}")))
}

/// Notes the wording of a message that is written in this transaction.
pub fn add(
    tx: &mut Tx,
    message: MessageId,
    candidate: CandidateId,
    (experiment, terms): (&str, &str),
    arm: Arm,
) {
    tx.later(
        &ADD,
        bind![message, experiment, terms, candidate, arm.as_str()],
    );
}

/// A message with one of the wordings that a provider accepted, and what came first after that.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub candidate: CandidateId,
    pub arm: Arm,
    pub accepted_at: Timestamp,
    /// A coach changed the words before they left.
    pub edited: bool,
    pub answered_at: Option<Timestamp>,
    /// A consent was withdrawn.
    pub stopped_at: Option<Timestamp>,
    pub done_at: Option<Timestamp>,
}

fn arrived_of(row: &Row) -> Result<Arrived, StoreError> {
    Ok(Arrived {
        candidate: row.parsed("candidate_id")?,
        arm: row.word("arm", Arm::parse)?,
        accepted_at: row.at("accepted_at")?,
        edited: row.int("edits")? > 0,
        answered_at: row.maybe_at("answered_at")?,
        stopped_at: row.maybe_at("stopped_at")?,
        done_at: row.maybe_at("done_at")?,
    })
}

/// Every message under these terms that left, by person and then by moment.
pub async fn arrived(
    tx: &mut Tx,
    experiment: &str,
    terms: &str,
) -> Result<Vec<Arrived>, StoreError> {
    let rows = tx.all(&ARRIVED, bind![experiment, terms]).await?;
    rows.iter().map(arrived_of).collect()
}

/// The experiments that a message is part of, with its wording.
pub async fn of_message(tx: &mut Tx, message: MessageId) -> Result<Vec<(String, Arm)>, StoreError> {
    let rows = tx.all(&OF_MESSAGE, bind![message]).await?;
    rows.iter()
        .map(|row| Ok((row.text("experiment")?, row.word("arm", Arm::parse)?)))
        .collect()
}
