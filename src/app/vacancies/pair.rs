//! New vacancies meet every search of their organisation. Searches are sealed and have no index, so they are
//! opened in pieces, in memory, and looked up in the words of the vacancies. Of what fits a person the best
//! few are kept: nobody is asked more than three times a week.

use std::collections::{BTreeSet, HashMap};

use super::{App, AppError, House};
use crate::domain::ids::CandidateId;
use crate::domain::matching::{self, Fit, Offered, Ready, Search};
use crate::domain::places::Places;
use crate::store::matches::{self, New};
use crate::store::searches::{self, Kept};
use crate::store::vacancies;

/// Vacancies in one round: what is held in memory.
pub const VACANCIES: u32 = 2_000;
/// Searches in one piece.
const SEARCHES: u32 = 512;
/// New matches that are kept for one person in a round.
pub const KEPT: usize = 5;
/// Open vacancies that are looked at when one search changes, in the time that a coach waits.
const LOOKED_AT: usize = 1_000;

/// Matches the vacancies that were not matched yet; how many vacancies.
pub async fn round(app: &App, house: &House) -> Result<usize, AppError> {
    let mut done = 0;
    loop {
        let mut tx = app.store.read().await?;
        let new = vacancies::unmatched(&mut tx, house.id, None, VACANCIES).await?;
        drop(tx);
        if new.is_empty() {
            return Ok(done);
        }
        let ids: Vec<_> = new.iter().map(|vacancy| vacancy.id).collect();
        // Stems of a few thousand texts are a second of work on a slow machine: not on the threads that
        // answer requests.
        let offered = tokio::task::spawn_blocking(|| Offers::new(new)).await;
        let offered = offered.map_err(|_| AppError::Text("a vacancy without words".into()))?;
        let mut after = None;
        loop {
            let mut tx = app.store.read().await?;
            let (kept, next) = searches::piece(&mut tx, house.id, after, SEARCHES).await?;
            drop(tx);
            let found = found(app, &kept, &offered);
            if !found.is_empty() {
                let mut tx = app.store.write().await?;
                matches::add(&mut tx, &found).await?;
                tx.commit().await?;
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let mut tx = app.store.write().await?;
        vacancies::matched(&mut tx, &ids, app.now()).await?;
        tx.commit().await?;
        done += ids.len();
    }
}

/// The best of what fits each of these people.
fn found(app: &App, kept: &[Kept], offers: &Offers) -> Vec<New> {
    let now = app.now();
    let mut new = Vec::new();
    for one in kept.iter().filter(|one| one.search.is_looking()) {
        for (offered, fit) in offers.best(&one.search, &app.vacancies.places) {
            new.push(New {
                id: app.row_id(now),
                vacancy: offered.vacancy.id,
                candidate: one.candidate,
                score: fit.score,
                reasons: fit.reasons,
                version: one.version,
            });
        }
    }
    new
}

/// Vacancies by their words.
pub struct Offers {
    all: Vec<Offered>,
    by_form: HashMap<String, Vec<usize>>,
}

impl Offers {
    pub fn new(vacancies: Vec<super::Vacancy>) -> Self {
        let all: Vec<Offered> = vacancies.into_iter().map(Offered::new).collect();
        let mut by_form: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, offered) in all.iter().enumerate() {
            for word in offered.title.iter().chain(&offered.text) {
                match by_form.get_mut(word) {
                    Some(places) => places.push(at),
                    None => drop(by_form.insert(word.clone(), vec![at])),
                }
            }
        }
        Self { all, by_form }
    }

    /// The best that fit a search, the best one first.
    pub fn best(&self, search: &Search, places: &Places) -> Vec<(&Offered, Fit)> {
        let ready = Ready::new(search);
        let forms = ready.forms();
        let at: BTreeSet<usize> = forms
            .iter()
            .filter_map(|form| self.by_form.get(*form))
            .flatten()
            .copied()
            .collect();
        let fits = at.into_iter().filter_map(|at| {
            let offered = self.all.get(at)?;
            Some((offered, matching::fit(&ready, offered, places)?))
        });
        let mut best: Vec<(&Offered, Fit)> = fits.collect();
        best.sort_by_key(|(offered, fit)| (std::cmp::Reverse(fit.score), offered.vacancy.id));
        best.truncate(KEPT);
        best
    }
}

/// A search changed: what was found for it is looked at again, and the open vacancies are looked through.
/// In the transaction that saved it.
pub(super) async fn search_changed(
    app: &App,
    tx: &mut crate::store::Tx,
    house: &House,
    candidate: CandidateId,
    search: &Search,
    version: i64,
) -> Result<(), AppError> {
    use crate::domain::nudge::Ended;
    use crate::domain::plan::Subject;
    use crate::store::nudges;

    let now = app.now();
    let ready = Ready::new(search);
    let found = matches::found_of(tx, candidate).await?;
    let mut known = vacancies::by_ids(tx, &matches::vacancies(&found)).await?;
    let mut still = BTreeSet::new();
    for one in &found {
        let offered = known.remove(&one.vacancy).map(Offered::new);
        let fit = offered.and_then(|it| matching::fit(&ready, &it, &app.vacancies.places));
        match fit {
            Some(fit) => {
                if fit.score != one.score || fit.reasons != one.reasons {
                    let (score, reasons) = (fit.score, &fit.reasons);
                    matches::rescored(tx, one.vacancy, candidate, score, reasons).await?;
                }
                still.insert(one.vacancy);
            }
            None => {
                let closed = matches::State::Closed;
                matches::answered(tx, one.vacancy, candidate, closed, None);
                let subject = Subject::Vacancy(one.vacancy);
                nudges::close_subject(tx, candidate, subject, Ended::Withdrawn, now);
            }
        }
    }
    if !search.is_looking() {
        return Ok(());
    }
    let ids = vacancies::with_forms(tx, house.id, &ready.forms()).await?;
    // Ids begin with their moment: of too many the newest are looked at.
    let ids = ids.into_iter().rev().filter(|id| !still.contains(id));
    let ids: BTreeSet<_> = ids.take(LOOKED_AT).collect();
    let open = super::fresh(app, tx, house, ids, now).await?;
    let open = vacancies::by_ids(tx, &open).await?;
    let offers = Offers::new(open.into_values().collect());
    let best = offers.best(search, &app.vacancies.places);
    let again: Vec<_> = best.iter().map(|(offered, _)| offered.vacancy.id).collect();
    let new: Vec<New> = best
        .into_iter()
        .map(|(offered, fit)| New {
            id: app.row_id(now),
            vacancy: offered.vacancy.id,
            candidate,
            score: fit.score,
            reasons: fit.reasons,
            version,
        })
        .collect();
    matches::add(tx, &new).await?;
    // What an earlier change closed, and nobody was asked about, fits again.
    matches::fits_again(tx, candidate, &again).await?;
    Ok(())
}
