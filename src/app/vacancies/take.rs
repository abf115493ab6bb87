//! What a source tells becomes rows: new vacancies, changed ones, those that are back, and those that are
//! gone. The same vacancy from two sources is one row. Written in pieces, each a commit: a look that ends
//! half-way is begun again and changes nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{App, AppError, close};
use crate::domain::ids::VacancyId;
use crate::domain::stems;
use crate::domain::time::Timestamp;
use crate::domain::vacancy::{Posting, Wrong};
use crate::store::alone::{self, Work};
use crate::store::matches;
use crate::store::vacancies::{self, Known, Put, Source};
use crate::wire::feeds::Read;

/// Vacancies in one commit.
const PIECE: usize = 200;

/// What a look at a source came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Vacancies that the source has.
    pub items: usize,
    pub new: usize,
    pub changed: usize,
    /// Told twice by this source.
    pub twice: usize,
    /// Known from another source already.
    pub elsewhere: usize,
    /// Closed because no source has them any more.
    pub gone: usize,
    /// Rows that could not be used: no row at all, or with a wrong field.
    pub skipped: usize,
    pub wrong: BTreeMap<Wrong, usize>,
}

/// Why a source is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it has no vacancy at all")]
    Empty,
    #[error("more than half of its rows cannot be used")]
    MostlyWrong,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Done(Report),
    /// Nothing was changed.
    Refused(Refused),
    /// Another process is at it right now.
    Busy,
}

/// Takes in what a source has now. `whole`: what it does not tell is gone; `had`: how many it had before.
pub async fn take(
    app: &App,
    source: Source<'_>,
    read: &Read,
    whole: bool,
    had: usize,
) -> Result<Taken, AppError> {
    let now = app.now();
    let mut report = Report {
        skipped: read.unread,
        ..Report::default()
    };
    let mut references = BTreeSet::new();
    let mut postings = Vec::new();
    for raw in &read.vacancies {
        match Posting::of(raw, &app.vacancies.places) {
            Ok(posting) if references.insert(posting.reference.clone()) => postings.push(posting),
            Ok(_) => report.twice += 1,
            Err(wrong) => {
                report.skipped += 1;
                *report.wrong.entry(wrong).or_default() += 1;
            }
        }
    }
    report.items = postings.len();
    if report.skipped > report.items {
        return Ok(Taken::Refused(Refused::MostlyWrong));
    }
    if postings.is_empty() && had > 0 && whole {
        return Ok(Taken::Refused(Refused::Empty));
    }
    for piece in postings.chunks(PIECE) {
        if !put(app, source, piece, &mut report, now).await? {
            return Ok(Taken::Busy);
        }
    }
    // A source that tells only its newest loses what it has not told for long.
    let before = match whole {
        true => now,
        false => super::seen_since(app, now),
    };
    let mut tx = app.store.write().await?;
    let gone = vacancies::gone(&mut tx, source, before, now).await?;
    report.gone = gone.len();
    close::close(&mut tx, &gone, now).await?;
    tx.commit().await?;
    Ok(Taken::Done(report))
}

/// One piece in one commit; false if another process is at it.
async fn put(
    app: &App,
    source: Source<'_>,
    piece: &[Posting],
    report: &mut Report,
    now: Timestamp,
) -> Result<bool, AppError> {
    let mut tx = app.store.write().await?;
    if !alone::is_ours(&mut tx, Work::Vacancies).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    let references: Vec<&str> = piece.iter().map(|it| it.reference.as_str()).collect();
    let known = vacancies::by_references(&mut tx, source, &references).await?;
    let keys: Vec<String> = piece.iter().map(Posting::same_as).collect();
    let mut alike = vacancies::by_keys(&mut tx, source.organisation, &keys).await?;
    let (mut new, mut changed, mut back) = (Vec::new(), Vec::new(), Vec::new());
    let (mut seen, mut words) = (Vec::new(), Vec::new());
    for (posting, key) in piece.iter().zip(keys) {
        let content = hex::encode(Sha256::digest(posting.content()));
        let reference = posting.reference.as_str();
        let before = known.get(reference).or_else(|| alike.get(&key)).cloned();
        let put = |id: VacancyId| Put {
            id,
            posting,
            key: key.clone(),
            content: content.clone(),
        };
        let id = match before {
            None => {
                let id: VacancyId = app.id(now);
                new.push(put(id));
                words.push((
                    id,
                    stems::of_title(&posting.title),
                    stems::of_text(&posting.text),
                ));
                let kept = Known {
                    id,
                    open: true,
                    first: true,
                    content,
                };
                alike.insert(key, kept);
                id
            }
            Some(before) => {
                let ours = known.contains_key(reference);
                if !ours {
                    report.elsewhere += 1;
                }
                // Two sources may tell one vacancy in two ways: who told it first says what it says, for
                // else it would change at every look.
                if !before.open || (before.first && ours && before.content != content) {
                    changed.push(put(before.id));
                    words.push((
                        before.id,
                        stems::of_title(&posting.title),
                        stems::of_text(&posting.text),
                    ));
                }
                if !before.open {
                    back.push(before.id);
                }
                before.id
            }
        };
        seen.push((reference, id));
    }
    report.new += new.len();
    report.changed += changed.len();
    vacancies::add(&mut tx, source, &new, now).await?;
    vacancies::change(&mut tx, &changed).await?;
    vacancies::put_words(&mut tx, &words).await?;
    vacancies::seen(&mut tx, source, &seen, now).await?;
    matches::reopen(&mut tx, &back).await?;
    tx.commit().await?;
    Ok(true)
}
