//! Holds: what the law has an organisation keep about a person, and until when. A hold forbids an erasure.

use chrono::NaiveDate;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId};

statements! {
    PUT = "INSERT INTO holds (candidate_id, class, until_on, reason, coach_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (candidate_id, class) DO UPDATE SET until_on = excluded.until_on, reason = excluded.reason, coach_id = excluded.coach_id";
    END = "DELETE FROM holds WHERE candidate_id = $1 AND class = $2";
    ACTIVE = "SELECT class, until_on, reason FROM holds WHERE candidate_id = $1 AND (until_on IS NULL OR until_on >= $2) ORDER BY class";
}

/// What must be kept: `messages`, `plan`, `everything`, or whatever the organisation calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub class: String,
    /// The last day; none is until somebody ends it.
    pub until: Option<NaiveDate>,
    pub reason: String,
}

/// Sets a hold, or changes the one of this class.
pub async fn put(
    tx: &mut Tx,
    candidate: CandidateId,
    hold: &Hold,
    coach: CoachId,
) -> Result<(), StoreError> {
    let values = bind![
        candidate,
        hold.class.as_str(),
        hold.until,
        hold.reason.as_str(),
        coach
    ];
    tx.run(&PUT, values).await.map(drop)
}

/// Ends a hold; false if there was none.
pub async fn end(tx: &mut Tx, candidate: CandidateId, class: &str) -> Result<bool, StoreError> {
    Ok(tx.run(&END, bind![candidate, class]).await? == 1)
}

/// The holds that are in force on this day.
pub async fn active(
    tx: &mut Tx,
    candidate: CandidateId,
    today: NaiveDate,
) -> Result<Vec<Hold>, StoreError> {
    tx.all(&ACTIVE, bind![candidate, today])
        .await?
        .iter()
        .map(|row| {
            Ok(Hold {
                class: row.text("class")?,
                until: row.maybe_parsed("until_on")?,
                reason: row.text("reason")?,
            })
        })
        .collect()
}
