//! The exercises of `digital_comfort` that a person did. What they add up to is `app/effects.rs`.

use std::collections::BTreeSet;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::CandidateId;
use crate::domain::time::Timestamp;

statements! {
    ADD = "INSERT INTO exercises (candidate_id, exercise, done_at) VALUES ($1, $2, $3) ON CONFLICT (candidate_id, exercise) DO NOTHING";
    DONE = "SELECT exercise FROM exercises WHERE candidate_id = $1 ORDER BY exercise";
}

/// True if it was not done before.
pub async fn add(
    tx: &mut Tx,
    candidate: CandidateId,
    exercise: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let added = tx.run(&ADD, bind![candidate, exercise, now]).await?;
    Ok(added > 0)
}

/// The names of those that are done.
pub async fn done(tx: &mut Tx, candidate: CandidateId) -> Result<BTreeSet<String>, StoreError> {
    let rows = tx.all(&DONE, bind![candidate]).await?;
    rows.iter().map(|row| row.text("exercise")).collect()
}
