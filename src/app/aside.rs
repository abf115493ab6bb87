//! What was put aside, for the operator at the command line: which, why and since when; to have its turn again
//! once the cause is mended, or to end. No text of a candidate.

use super::AppError;
use crate::domain::time::Timestamp;
use crate::ports::chance::Chance;
use crate::store::audit::{self, Entry};
use crate::store::{Store, stuck};

pub use crate::store::stuck::Stuck;

/// Everything that was put aside, of every organisation.
pub async fn list(store: &Store) -> Result<Vec<Stuck>, AppError> {
    Ok(stuck::aside(&mut store.read().await?).await?)
}

/// What an operator does about one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It has its turn again, with all its tries.
    Again,
    /// It is over, and goes with its day.
    End,
}

/// Carries it out; false if nothing of this id was put aside.
pub async fn decide(
    store: &Store,
    chance: &(dyn Chance + 'static),
    (decision, id): (Decision, &str),
    now: Timestamp,
) -> Result<bool, AppError> {
    let mut tx = store.write().await?;
    let (verb, found) = match decision {
        Decision::Again => ("again", stuck::again(&mut tx, id, now).await?),
        Decision::End => ("end", stuck::end(&mut tx, id).await?),
    };
    let Some(what) = found else {
        tx.rollback().await?;
        return Ok(false);
    };
    let entry = Entry {
        organisation: None,
        actor: "operator:command".into(),
        verb,
        object: format!("{what}:{id}"),
        content_hash: None,
    };
    audit::append(&mut tx, chance.id(now), entry, now).await?;
    tx.commit().await?;
    Ok(true)
}
