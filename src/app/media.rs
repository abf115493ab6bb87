//! A file that a person sent: claim -> fetch -> check -> seal -> keep, or a reason in its place. Fetching
//! is harmless, so whatever breaks on the way is done again, five times in all; the row is there from the
//! turn on and says at every moment where the file stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{App, AppError, Door};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, IncomingId};
use crate::domain::media::{TRIES, Type, Why, pause_seconds};
use crate::failpoint;
use crate::ports::channel::NoFile;
use crate::ports::transport::Ask;
use crate::store::{StoreError, media, pages};
use crate::wire::files::Fetched;

pub use crate::store::media::{Claim, File};

/// An answer that tells where a file lies is a few lines.
const LONGEST_PLACE: usize = 64 * 1024;

/// A whole file of an accepted type.
pub struct Found {
    found: Type,
    bytes: Vec<u8>,
}

/// Why not this time.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    why: Why,
    /// The same question may have another answer later.
    again: bool,
}

impl From<Why> for Failed {
    fn from(why: Why) -> Self {
        let again = why.may_pass();
        Self { why, again }
    }
}

/// Takes up to `room` files that are due. One that was tried five times and never came to an end (the
/// process died each time) ends here.
pub async fn claim(app: &App, room: usize) -> Result<Vec<Claim>, AppError> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let now = app.now();
    let lease_until = now.plus_seconds(app.limits.fetch_lease_seconds);
    let mut tx = app.store.write().await?;
    let claims = media::claim(&mut tx, room, now, lease_until).await?;
    for error in &claims.unreadable {
        tracing::error!(%error, "a wanted file cannot be read about; it is looked at again later");
    }
    if claims.taken.is_empty() && claims.unreadable.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    let (taken, spent): (Vec<_>, Vec<_>) = claims
        .taken
        .into_iter()
        .partition(|claim| claim.tries <= TRIES);
    for claim in &spent {
        tracing::warn!(file = %claim.id, "a file was tried five times and never came to an end");
        media::end(&mut tx, claim, Why::NoAnswer).await?;
    }
    tx.commit().await?;
    Ok(taken)
}

/// Asks where the file lies, then for the file, and looks at what came. Writes nothing.
pub async fn fetch(app: &App, claim: &Claim) -> Result<Found, Failed> {
    // A line that left the settings may come back.
    let (_, door) = app.door_of(claim.line).ok_or(Why::Account)?;
    let kind = claim.kind.ok_or(Why::Type)?;
    let source = &claim.source;
    failpoint::hit("media.before_fetch");
    let place = door.channel.ask_file(&door.endpoint, source);
    let place = asked(app, door, place.ok_or(Why::Address)?, LONGEST_PLACE).await?;
    let at = door.channel.file_at(&door.endpoint, &place);
    let bytes = asked(
        app,
        door,
        at.ok_or(Why::NoAnswer)?,
        app.limits.largest.of(kind),
    )
    .await
    // An address lives for minutes, an id for a week: the next try asks for a new address.
    .map_err(|failed| Failed {
        again: failed.again || failed.why == Why::Expired,
        ..failed
    })?;
    failpoint::hit("media.after_fetch");
    if let Some(told) = &source.sha256
        && !is_hash_of(told, &bytes)
    {
        return Err(Why::Hash.into());
    }
    let found = Type::of(kind, &bytes).ok_or(Why::Type)?;
    Ok(Found { found, bytes })
}

async fn asked(app: &App, door: &Door, ask: Ask, most: usize) -> Result<Vec<u8>, Failed> {
    match app.files.get(&door.endpoint.slug, ask, most).await {
        Fetched::Answer {
            status: 200..=299,
            body,
        } => Ok(body),
        // Somewhere else is never the provider.
        Fetched::Answer {
            status: 300..=399, ..
        }
        | Fetched::NotThere => Err(Why::Address.into()),
        Fetched::Answer { status, body } => Err(match door.channel.no_file(status, &body) {
            NoFile::Gone => Why::Expired,
            NoFile::Account => Why::Account,
            NoFile::Later => Why::NoAnswer,
        }
        .into()),
        Fetched::TooLarge => Err(Why::TooLarge.into()),
        Fetched::Nothing { why } => {
            tracing::info!(%why, "a provider gave no file");
            Err(Why::NoAnswer.into())
        }
    }
}

/// Meta writes a hash in base64 in a webhook, and in hexadecimal elsewhere.
fn is_hash_of(told: &str, bytes: &[u8]) -> bool {
    let ours = Sha256::digest(bytes);
    let theirs = match told.len() {
        64 => hex::decode(told).ok(),
        _ => STANDARD.decode(told).ok(),
    };
    theirs.is_some_and(|theirs| theirs == ours.as_slice())
}

/// Writes down what came of a claim, in one commit. If somebody else did, or the person is forgotten,
/// what came is dropped.
pub async fn keep(
    app: &App,
    claim: &Claim,
    fetched: Result<Found, Failed>,
) -> Result<(), AppError> {
    let sealed = match &fetched {
        Ok(file) => match app.store.read().await?.sealer(claim.key).await {
            Ok(sealer) => media::sealed(&sealer, claim, &file.bytes),
            // Erased meanwhile, and the row with it. Were it another master's key, the row falls due again.
            Err(StoreError::Corrupt { .. }) => {
                dropped(claim);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        },
        Err(_) => Vec::new(),
    };
    let now = app.now();
    let mut tx = app.store.write().await?;
    let written = match &fetched {
        Ok(Found { found, bytes }) => {
            media::keep(&mut tx, claim, *found, bytes.len(), sealed).await
        }
        Err(Failed { why, again: true }) if claim.tries < TRIES => {
            let due = now.plus_seconds(pause_seconds(claim.tries));
            media::later(&mut tx, claim, *why, due).await
        }
        Err(Failed { why, .. }) => media::end(&mut tx, claim, *why).await,
    };
    match written {
        Ok(()) => {}
        Err(StoreError::Stale(_)) => {
            dropped(claim);
            return Ok(tx.rollback().await?);
        }
        Err(error) => return Err(error.into()),
    }
    failpoint::hit("media.before_commit");
    tx.commit().await?;
    failpoint::hit("media.after_commit");
    match fetched {
        Ok(file) => tracing::info!(file = %claim.id, bytes = file.bytes.len(), "a file is kept"),
        Err(Failed { why, .. }) => {
            tracing::info!(file = %claim.id, tries = claim.tries, why = why.as_str(), "a file is not kept");
        }
    }
    Ok(())
}

fn dropped(claim: &Claim) {
    tracing::info!(file = %claim.id, "a fetched file was no longer ours to keep");
}

/// The process stops before an answer: the file is due again at once, and not counted as tried.
pub async fn let_go(app: &App, claim: &Claim) -> Result<(), AppError> {
    let mut tx = app.store.write().await?;
    match media::let_go(&mut tx, claim, app.now()).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(StoreError::Stale(_)) => Ok(tx.rollback().await?),
        Err(error) => Err(error.into()),
    }
}

/// A kept file for a coach who may see this person.
pub async fn open(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    id: IncomingId,
) -> Result<File, AppError> {
    let mut tx = app.store.read().await?;
    if !pages::covers(&mut tx, scope, candidate).await? {
        return Err(AppError::NotFound);
    }
    let file = media::file(&mut tx, scope, candidate, id).await?;
    file.ok_or(AppError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_in_both_spellings_and_nothing_else() {
        let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let base64 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        for told in [hex, base64, &hex.to_uppercase()] {
            assert!(is_hash_of(told, b"hello"), "{told}");
            assert!(!is_hash_of(told, b"hello "), "{told}");
        }
        for odd in ["", "=", &hex[..62], &base64[..40], "LPJN", "zz"] {
            assert!(!is_hash_of(odd, b"hello"), "{odd}");
        }
    }
}
