//! The search of a person, written by the coach: checked, sealed, and compared at once with what is open.
//! What an answer changed is taken back here too.

use std::collections::BTreeSet;

use super::{App, AppError, Hours, Need, Search, pair};
use crate::app::takeover;
use crate::domain::access::Scope;
use crate::domain::ids::CandidateId;
use crate::domain::matching::{LONGEST_REFUSAL, LONGEST_WORD, MOST_REFUSALS, MOST_WORDS, RADIUS};
use crate::domain::time::Timestamp;
use crate::store::{StoreError, searches};

/// What a coach wrote into the form.
pub struct Written {
    /// Words or short phrases, with commas or on lines of their own.
    pub words: String,
    pub not_words: String,
    /// A postcode, with or without its letters; empty: anywhere.
    pub postcode: String,
    pub radius_km: u32,
    /// `0` leaves an end open.
    pub least: u32,
    pub most: u32,
    pub has: BTreeSet<Need>,
    /// The version that the form was made from; `None`: there was no search.
    pub version: Option<i64>,
}

/// Saves what was written.
///
/// `No` with `search_words`, `search_place`, `search_radius` or `search_hours` where a field cannot be used,
/// and `Overtaken` with `search` where it has changed since.
pub async fn save(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    written: &Written,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let kept = searches::of(&mut tx, &sealer, candidate).await?;
    if kept.as_ref().map(|kept| kept.version) != written.version {
        return Err(AppError::Overtaken { what: "search" });
    }
    let before = kept.map(|kept| kept.search).unwrap_or_default();
    let search = checked(app, written, before)?;
    let saved = searches::save(&mut tx, &sealer, candidate, &search, written.version).await;
    let version = overtaken(saved)?;
    let house = app.house(person.organisation)?;
    pair::search_changed(app, &mut tx, house, candidate, &search, version).await?;
    takeover::note(app, &mut tx, scope, candidate, "search", now).await?;
    Ok(tx.commit().await?)
}

/// Takes back what the answer of this moment changed.
///
/// `Overtaken` with `search` if that was done already, or if the search has changed since.
pub async fn unlearn(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    at: Timestamp,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let kept = searches::of(&mut tx, &sealer, candidate).await?;
    let Some(mut kept) = kept else {
        return Err(AppError::Overtaken { what: "search" });
    };
    if !kept.search.unlearn(at) {
        return Err(AppError::Overtaken { what: "search" });
    }
    let (search, version) = (&kept.search, Some(kept.version));
    let saved = searches::save(&mut tx, &sealer, candidate, search, version).await;
    let version = overtaken(saved)?;
    let house = app.house(person.organisation)?;
    pair::search_changed(app, &mut tx, house, candidate, search, version).await?;
    takeover::note(app, &mut tx, scope, candidate, "unlearn", now).await?;
    Ok(tx.commit().await?)
}

fn overtaken(saved: Result<i64, StoreError>) -> Result<i64, AppError> {
    saved.map_err(|error| match error {
        StoreError::Stale(_) => AppError::Overtaken { what: "search" },
        error => error.into(),
    })
}

/// What was written, field by field; what answers taught stays.
fn checked(app: &App, written: &Written, before: Search) -> Result<Search, AppError> {
    let words = |text: &str, most: usize, longest: usize| -> Result<Vec<String>, AppError> {
        let words: Vec<String> = text
            .split([',', '\n', ';'])
            .map(|word| word.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|word| !word.is_empty())
            .collect();
        let long = |word: &String| word.chars().count() > longest;
        match words.len() > most || words.iter().any(long) {
            true => Err(AppError::No {
                why: "search_words",
            }),
            false => Ok(words),
        }
    };
    let postcode: String = written
        .postcode
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let pc4 = postcode.get(..4).unwrap_or(&postcode).to_owned();
    let known = pc4.is_empty() || app.vacancies.places.town(&pc4).is_some();
    let tail = postcode.get(pc4.len()..).unwrap_or_default();
    let letters = tail.len() == 2 && tail.chars().all(|c| c.is_ascii_alphabetic());
    if !known || !(tail.is_empty() || letters) {
        return Err(AppError::No {
            why: "search_place",
        });
    }
    if !RADIUS.contains(&written.radius_km) {
        return Err(AppError::No {
            why: "search_radius",
        });
    }
    let most = match (written.least, written.most) {
        (0, 0) => 0,
        (least, 0) => least.max(40),
        (_, most) => most,
    };
    let hours = Hours::new(written.least, most).ok_or(AppError::No {
        why: "search_hours",
    })?;
    Ok(Search {
        words: words(&written.words, MOST_WORDS, LONGEST_WORD)?,
        not_words: words(&written.not_words, MOST_REFUSALS, LONGEST_REFUSAL)?,
        pc4,
        radius_km: written.radius_km,
        hours,
        has: written.has.clone(),
        learned: before.learned,
    })
}
