//! The trail of who did what: the janitor gives every row its place in the chain, and `check` finds the row
//! at which the chain is no longer what it was. Whoever holds the database can make a new chain; only a
//! head that was kept elsewhere tells.

use super::{App, AppError};
use crate::domain::access::Scope;
use crate::domain::time::Timestamp;
use crate::store::audit::{self, BEGINNING, Broken, Entry, Head};
use crate::store::{Store, StoreError, Tx};

/// Rows that get their place in one commit.
const LINKS: u32 = 64;
/// Links that are read at once.
const READ: u32 = 500;

/// Writes down what a coach did, and to what: `candidate:01J…`, `coach:01J…`.
pub(super) async fn by_coach(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    verb: &str,
    object: String,
    now: Timestamp,
) -> Result<(), AppError> {
    let entry = Entry {
        organisation: Some(scope.organisation.to_string()),
        actor: format!("coach:{}", scope.coach),
        verb,
        object,
        content_hash: None,
    };
    Ok(audit::append(tx, app.row_id(now), entry, now).await?)
}

/// Gives up to 64 waiting rows their place; how many. None if another instance was faster.
pub async fn link(store: &Store) -> Result<usize, AppError> {
    let mut tx = store.write().await?;
    match audit::link(&mut tx, LINKS).await {
        Ok(0) => {
            tx.rollback().await?;
            Ok(0)
        }
        Ok(linked) => {
            tx.commit().await?;
            Ok(linked)
        }
        Err(StoreError::Conflict(_)) => {
            tx.rollback().await?;
            Ok(0)
        }
        Err(error) => Err(error.into()),
    }
}

/// The end of the chain, for keeping outside the database. What waits gets its place first.
pub async fn head(store: &Store) -> Result<Head, AppError> {
    while link(store).await? > 0 {}
    let mut tx = store.read().await?;
    Ok(audit::head(&mut tx).await?)
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    Whole(Head),
    Broken(Broken),
    /// The chain is whole, but it is another one: the head that was kept is not in it.
    Another(Head),
}

/// Follows the whole chain. `kept` is a head that was kept outside, from any moment.
pub async fn check(store: &Store, kept: Option<&str>) -> Result<Checked, AppError> {
    let mut tx = store.read().await?;
    let mut at = Head {
        seq: 0,
        hash: BEGINNING.to_owned(),
    };
    let mut met = kept.is_none_or(|kept| kept == BEGINNING);
    let passed = |hash: &str, met: &mut bool| *met |= kept == Some(hash);
    loop {
        let followed = audit::follow(&mut tx, &mut at, READ, |hash| passed(hash, &mut met)).await?;
        match followed {
            Ok(true) => {}
            Ok(false) => break,
            Err(broken) => return Ok(Checked::Broken(broken)),
        }
    }
    if let Some(loose) = audit::loose(&mut tx).await? {
        return Ok(Checked::Broken(loose));
    }
    Ok(match met {
        true => Checked::Whole(at),
        false => Checked::Another(at),
    })
}
