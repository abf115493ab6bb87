//! After a restore: what the database does not know any more. Nothing leaves until an operator says so;
//! what could have left since the backup is in doubt; what we begin in the weeks after waits for a coach.
//! Why, and what else was thought of, stands in `docs/decisions/0013-after-a-restore.md`.

use super::AppError;
use crate::domain::ids::{CandidateId, KeyId};
use crate::domain::plan::Subject;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::ports::chance::Chance;
use crate::store::audit::{self, Entry};
use crate::store::{Queue, Store, StoreError, Tx, flags, marks, restored, talks};

/// Set while nothing may leave.
const PAUSED: &str = "outbox_paused";
/// When the last restore was, in microseconds.
const RESTORED: &str = "restored_at";
/// Nudges move by days (caps, quiet hours) and talks wait for days: for so long what we begin may be a
/// repetition of what was begun in the lost time.
const CAREFUL_DAYS: i64 = 14;
/// Numbers of messages that were given out in the lost time must not come back under other messages:
/// a tap on a phone names its message by that number.
const LEAP: u32 = 1000;

/// What was found in a restored database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    pub in_doubt: usize,
    pub talks: usize,
    /// Whose talk cannot be read: it kept its numbers, and a coach hears of it.
    pub unreadable: Vec<CandidateId>,
}

/// Whose eyes a message needs because of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    AsEver,
    /// What we begin needs a coach; a direct answer goes as ever.
    OnWhatWeBegin,
    OnEverything,
}

impl Eyes {
    pub fn must_look(self, direct: bool) -> bool {
        match self {
            Eyes::AsEver => false,
            Eyes::OnWhatWeBegin => !direct,
            Eyes::OnEverything => true,
        }
    }
}

/// Marks a restored database, all at once. Marking twice changes nothing but the moment and the numbers.
pub async fn mark(
    store: &Store,
    chance: &(dyn Chance + 'static),
    now: Timestamp,
) -> Result<Marked, AppError> {
    let mut tx = store.write().await?;
    marks::put(&mut tx, PAUSED, "restored").await?;
    marks::put(&mut tx, RESTORED, &now.0.to_string()).await?;
    let could = restored::doubt(&mut tx, now).await?;
    for message in &could {
        let id = chance.id(now);
        let (candidate, subject) = (message.candidate, message.subject);
        flags::open(
            &mut tx,
            id,
            candidate,
            message.coach,
            Why::InDoubt,
            subject,
            now,
        );
    }
    let people = restored::talks(&mut tx).await?;
    let mut unreadable = Vec::new();
    for (candidate, key) in &people {
        match leap(&mut tx, *candidate, *key).await {
            Ok(()) => {}
            // Everything else must be marked all the same: this is the moment on which nobody can wait.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%candidate, %error, "a talk could not be read after the restore");
                let (flag, why) = (chance.id(now), Why::Stuck);
                flags::open(&mut tx, flag, *candidate, None, why, Subject::Nothing, now);
                unreadable.push(*candidate);
            }
            Err(error) => return Err(error.into()),
        }
    }
    restored::end_sessions(&mut tx).await?;
    note(&mut tx, chance, "restore", now).await?;
    tx.commit().await?;
    Ok(Marked {
        in_doubt: could.len(),
        talks: people.len() - unreadable.len(),
        unreadable,
    })
}

/// The next message of this talk gets a number that was never given out.
async fn leap(tx: &mut Tx, candidate: CandidateId, key: KeyId) -> Result<(), StoreError> {
    let sealer = tx.sealer(key).await?;
    let talks::Loaded { mut talk, version } = talks::load(tx, candidate, &sealer).await?;
    talk.said = talk.said.saturating_add(LEAP);
    restored::keep_talk(tx, &talk, version, &sealer).await
}

/// Messages may leave again; false if they could already.
pub async fn resume(
    store: &Store,
    chance: &(dyn Chance + 'static),
    now: Timestamp,
) -> Result<bool, AppError> {
    let mut tx = store.write().await?;
    if !is_paused(&mut tx).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    marks::remove(&mut tx, PAUSED).await?;
    note(&mut tx, chance, "resume", now).await?;
    tx.wake(Queue::Sender);
    tx.commit().await?;
    Ok(true)
}

async fn note(
    tx: &mut Tx,
    chance: &(dyn Chance + 'static),
    verb: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    let entry = Entry {
        organisation: None,
        actor: "operator:command".into(),
        verb,
        object: "outbox:all".into(),
        content_hash: None,
    };
    Ok(audit::append(tx, chance.id(now), entry, now).await?)
}

/// Does nothing leave at the moment?
pub async fn is_paused(tx: &mut Tx) -> Result<bool, AppError> {
    Ok(marks::get(tx, PAUSED).await?.is_some())
}

/// When the database was last restored.
pub async fn restored_at(tx: &mut Tx) -> Result<Option<Timestamp>, AppError> {
    let text = marks::get(tx, RESTORED).await?;
    Ok(text.and_then(|text| text.parse().ok()).map(Timestamp))
}

/// Must a coach look at what is written now, whatever the policy says?
pub async fn eyes(tx: &mut Tx, now: Timestamp) -> Result<Eyes, AppError> {
    let careful = restored_at(tx)
        .await?
        .is_some_and(|at| now < at.plus_days(CAREFUL_DAYS));
    if !careful {
        return Ok(Eyes::AsEver);
    }
    Ok(match is_paused(tx).await? {
        true => Eyes::OnEverything,
        false => Eyes::OnWhatWeBegin,
    })
}
