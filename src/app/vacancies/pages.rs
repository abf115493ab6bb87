//! What the pages about vacancies show: reads only.

use std::collections::{BTreeMap, BTreeSet};

use super::{App, AppError, Match, Search, Standing, Vacancy};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, VacancyId};
use crate::domain::stems;
use crate::store::{feeds, matches, pages, searches, vacancies};

/// Vacancies on the page, and matches of one vacancy or person.
pub const SHOWN: u32 = 100;

/// The vacancies of an organisation.
pub struct Listing {
    pub vacancies: Vec<Vacancy>,
    /// How many are open in all.
    pub open: usize,
    pub feeds: Vec<Standing>,
}

/// The newest vacancies, or the open ones that hold all of these words.
pub async fn list(app: &App, scope: &Scope, words: &str) -> Result<Listing, AppError> {
    let organisation = scope.organisation;
    let mut tx = app.store.read().await?;
    let wanted = stems::wanted(words);
    let vacancies = if words.trim().is_empty() {
        vacancies::newest(&mut tx, organisation, SHOWN).await?
    } else {
        let mut all: Option<BTreeSet<VacancyId>> = None;
        for word in &wanted {
            let forms: BTreeSet<&str> = word.forms.iter().map(String::as_str).collect();
            let found = vacancies::with_forms(&mut tx, organisation, &forms).await?;
            let found: BTreeSet<VacancyId> = found.into_iter().collect();
            all = Some(match all {
                Some(all) => &all & &found,
                None => found,
            });
        }
        // Ids begin with their moment: the newest come last.
        let ids = all.unwrap_or_default().into_iter().rev();
        let ids: BTreeSet<VacancyId> = ids.take(SHOWN as usize).collect();
        let found = vacancies::by_ids(&mut tx, &ids).await?;
        found.into_values().rev().collect()
    };
    Ok(Listing {
        vacancies,
        open: vacancies::open_count(&mut tx, organisation).await?,
        feeds: feeds::all(&mut tx, Some(organisation)).await?,
    })
}

/// One vacancy, and whom it fits.
pub struct One {
    pub vacancy: Vacancy,
    pub sources: Vec<String>,
    /// The best first, with the name.
    pub people: Vec<(Match, String)>,
}

pub async fn one(app: &App, scope: &Scope, id: VacancyId) -> Result<One, AppError> {
    let mut tx = app.store.read().await?;
    let vacancy = vacancies::of(&mut tx, scope.organisation, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let mut people = Vec::new();
    for found in matches::of_vacancy(&mut tx, scope, id, SHOWN).await? {
        let person = crate::app::turn::person(&mut tx, found.candidate).await?;
        let candidate = &person.candidate;
        let name = format!("{} {}", candidate.first_name, candidate.family_name);
        people.push((found, name.trim().to_owned()));
    }
    Ok(One {
        vacancy,
        sources: vacancies::sources(&mut tx, id).await?,
        people,
    })
}

/// What a person looks for, and what was found.
pub struct Looking {
    pub search: Search,
    /// Of the row; `None`: nobody wrote a search yet.
    pub version: Option<i64>,
    pub matches: Vec<(Match, Option<Vacancy>)>,
    /// Titles of the vacancies that taught something.
    pub titles: BTreeMap<VacancyId, String>,
}

pub async fn looking(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Looking, AppError> {
    let mut tx = app.store.read().await?;
    if !pages::covers(&mut tx, scope, candidate).await? {
        return Err(AppError::NotFound);
    }
    let person = crate::app::turn::person(&mut tx, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let kept = searches::of(&mut tx, &sealer, candidate).await?;
    let version = kept.as_ref().map(|kept| kept.version);
    let search = kept.map(|kept| kept.search).unwrap_or_default();
    let found = matches::of_person(&mut tx, candidate, SHOWN).await?;
    let taught = search.learned.iter().map(|it| it.vacancy);
    let ids: BTreeSet<_> = found.iter().map(|it| it.vacancy).chain(taught).collect();
    let known = vacancies::by_ids(&mut tx, &ids).await?;
    let titles = known
        .iter()
        .map(|(id, vacancy)| (*id, vacancy.title.clone()))
        .collect();
    let matches = found
        .into_iter()
        .map(|found| {
            let vacancy = known.get(&found.vacancy).cloned();
            (found, vacancy)
        })
        .collect();
    Ok(Looking {
        search,
        version,
        matches,
        titles,
    })
}
