//! What each start of one program with one configuration would find again: that every text can be said to
//! everybody, in its tone, and that every page can be drawn. It is found once; a mark in the database says for
//! which program and which files. `tussendoor check` looks anew, always.

use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use super::listed;
use crate::store::{Store, marks};
use crate::texts::config::{Configuration, Untried};
use crate::web;

/// The name of the mark.
pub const MARK: &str = "tried";

/// Tries texts and pages out, unless this program did so before with these same files.
pub async fn once(untried: Untried, store: &Store) -> anyhow::Result<Configuration> {
    let seal = seal(&untried);
    let mut tx = store.write().await?;
    let found = marks::get(&mut tx, MARK).await?;
    if seal.is_some() && found == seal {
        tx.rollback().await?;
        return Ok(untried.as_tried_before());
    }
    let configuration = untried.tried().map_err(|problems| listed(&problems))?;
    web::check_pages()?;
    if let Some(seal) = seal {
        marks::put(&mut tx, MARK, &seal).await?;
    }
    tx.commit().await?;
    Ok(configuration)
}

/// What the mark says of these files and this program; `None` where the program cannot be told from others,
/// and everything is tried at each start.
pub fn seal(untried: &Untried) -> Option<String> {
    let program = Sha256::new().chain_update(program()?);
    let whole = program.chain_update(untried.fingerprint());
    Some(hex::encode(whole.finalize()))
}

/// What tells this build of the program from every other.
fn program() -> Option<String> {
    let file = std::env::current_exe().ok()?;
    let about = file.metadata().ok()?;
    let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let (version, bytes) = (env!("CARGO_PKG_VERSION"), about.len());
    Some(format!(
        "{version} {bytes} {} {}",
        changed.as_nanos(),
        file.display()
    ))
}
