//! What was put aside, for the operator at the command line: which, why and since when; to have its turn again
//! once the cause is mended, or to end. No text of a candidate.

use super::AppError;
use crate::domain::time::Timestamp;
use crate::ports::chance::Chance;
use crate::store::audit::{self, Entry};
use crate::store::{Store, Tx, stuck};

pub use crate::store::stuck::Stuck;

/// Everything that was put aside, of every organisation.
pub async fn list(store: &Store) -> Result<Vec<Stuck>, AppError> {
    Ok(stuck::aside(&mut store.read().await?).await?)
}

/// It has its turn again, with all its tries; false if nothing of this id was put aside.
pub async fn again(
    store: &Store,
    chance: &(dyn Chance + 'static),
    id: &str,
    now: Timestamp,
) -> Result<bool, AppError> {
    let mut tx = store.write().await?;
    let Some(what) = stuck::again(&mut tx, id, now).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    note(&mut tx, chance, ("again", what, id), now).await?;
    tx.commit().await?;
    Ok(true)
}

/// It is over, and goes with its day; false if nothing of this id was put aside.
pub async fn end(
    store: &Store,
    chance: &(dyn Chance + 'static),
    id: &str,
    now: Timestamp,
) -> Result<bool, AppError> {
    let mut tx = store.write().await?;
    let Some(what) = stuck::end(&mut tx, id).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    note(&mut tx, chance, ("end", what, id), now).await?;
    tx.commit().await?;
    Ok(true)
}

async fn note(
    tx: &mut Tx,
    chance: &(dyn Chance + 'static),
    (verb, what, id): (&str, &str, &str),
    now: Timestamp,
) -> Result<(), AppError> {
    let entry = Entry {
        organisation: None,
        actor: "operator:command".into(),
        verb,
        object: format!("{what}:{id}"),
        content_hash: None,
    };
    Ok(audit::append(tx, chance.id(now), entry, now).await?)
}
