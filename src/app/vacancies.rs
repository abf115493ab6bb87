//! Vacancies: read out of feeds (`fetch`, `take`), closed when they are gone (`close`), compared with what people look
//! for (`pair`), and proposed to one person one at a time (`choose`). What people answer is in `answers`,
//! what a coach writes in `search`, how it is told in `told`.

pub mod answers;
pub mod choose;
pub mod close;
pub mod fetch;
pub mod pages;
pub mod pair;
pub mod search;
pub mod take;
pub mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::NaiveDate;

use super::{App, AppError, House, unpanicked};
use crate::domain::ids::{CandidateId, MessageId, OrganisationId, VacancyId};
use crate::domain::places::Places;
use crate::domain::plan::Subject;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Talk;
use crate::domain::time::{Cron, Timestamp};
use crate::store::rounds::Ready;
use crate::store::{Tx, matches, searches, talks, vacancies};
use crate::wire::feeds::{Format, Mapping};
use crate::wire::files::Files;

pub use crate::domain::matching::{Learned, Lesson, Reason, Search};
pub use crate::domain::vacancy::{Hours, Need, Vacancy};
pub use crate::store::feeds::Standing;
pub use crate::store::matches::{Match, State};

/// What the verbs of vacancies need besides the store.
pub struct Setup {
    pub feeds: Vec<Feed>,
    /// The way to the feeds; each may ask its own host only, by its name.
    pub wire: Files,
    pub places: Places,
    pub limits: Limits,
}

/// Numbers from the settings.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest feed.
    pub body_bytes: usize,
    /// A vacancy that no feed has told of for so many days is not proposed any more.
    pub fresh_days: i64,
    /// Questions about vacancies to one person, by local days.
    pub a_day: usize,
    pub in_seven_days: usize,
}

/// One feed of the settings.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its slug; also the `source` of its vacancies.
    pub name: String,
    pub organisation: OrganisationId,
    pub place: Place,
    pub format: Format,
    pub looks: Cron,
    /// Does it tell every vacancy each time? Then what it no longer tells is gone.
    pub whole: bool,
    pub mapping: Mapping,
}

/// Where a feed is.
#[derive(Debug, Clone)]
pub enum Place {
    Url(String),
    File(PathBuf),
}

/// Everything about vacancies that is due: feeds, closings, matches, proposals. How much was done.
pub async fn work(app: &App) -> Result<usize, AppError> {
    let mut done = fetch::due(app).await?;
    let mut failed = None;
    for house in app.houses.values() {
        match unpanicked(of_house(app, house)).await {
            Ok(count) => done += count,
            Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
            // One organisation holds up no other.
            Err(error) => {
                tracing::error!(house = house.slug, %error, "the vacancies of an organisation stand still");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(done), Err)
}

async fn of_house(app: &App, house: &House) -> Result<usize, AppError> {
    let mut done = close::over(app, house).await?;
    done += close::tell(app, house).await?;
    let matched = pair::round(app, house).await?;
    done += matched;
    done += choose::choose(app, house, matched > 0).await?;
    Ok(done)
}

/// Feeds must have told of a vacancy since then, for it to be proposed.
pub(super) fn seen_since(app: &App, now: Timestamp) -> Timestamp {
    now.plus_days(-app.vacancies.limits.fresh_days)
}

/// Of these vacancies those about which somebody may be asked now.
pub(super) async fn fresh(
    app: &App,
    tx: &mut Tx,
    house: &House,
    ids: impl IntoIterator<Item = VacancyId>,
    now: Timestamp,
) -> Result<BTreeSet<VacancyId>, AppError> {
    let ids: BTreeSet<VacancyId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(ids);
    }
    let (today, since) = (today(house, now), seen_since(app, now));
    let found = vacancies::by_ids(tx, &ids).await?;
    Ok(found
        .into_values()
        .filter(|vacancy| vacancy.is_fresh(today, since))
        .map(|vacancy| vacancy.id)
        .collect())
}

/// Questions about a vacancy that is no longer there, whatever was true when they were approved. What is
/// said about one to somebody who just wrote still may be.
pub(super) async fn stale(
    app: &App,
    tx: &mut Tx,
    ready: &[Ready],
    now: Timestamp,
) -> Result<BTreeSet<MessageId>, AppError> {
    let mut about: BTreeMap<OrganisationId, Vec<(VacancyId, &Ready)>> = BTreeMap::new();
    for ready in ready.iter().filter(|ready| ready.nudge) {
        if let Subject::Vacancy(id) = ready.message.subject {
            let all = about.entry(ready.person.organisation).or_default();
            all.push((id, ready));
        }
    }
    let mut stale = BTreeSet::new();
    for (organisation, told) in about {
        let ids = told.iter().map(|(id, _)| *id);
        let fresh = fresh(app, tx, app.house(organisation)?, ids, now).await?;
        for (_, ready) in told.iter().filter(|(id, _)| !fresh.contains(id)) {
            // Only a question: the word that it is gone is about one that is gone.
            let sealer = tx.sealer(ready.person.key).await?;
            let talk = talks::peek(tx, ready.message.candidate, &sealer).await?;
            let asked = talk.front().map(|(.., said)| said);
            if asked.is_some() && asked == ready.message.said {
                stale.insert(ready.message.id);
            }
        }
    }
    Ok(stale)
}

fn today(house: &House, now: Timestamp) -> NaiveDate {
    now.local_day(house.zone)
}

/// The vacancies that a turn is about: those of the talk's runs, and of the run that this event begins.
pub(super) fn subjects(talk: &Talk, event: &Event) -> Vec<VacancyId> {
    let begun = match event {
        Event::Start { subject, .. } => Some(*subject),
        _ => None,
    };
    let runs = talk.runs().map(|run| run.subject);
    runs.chain(begun).filter_map(vacancy).collect()
}

const fn vacancy(subject: Subject) -> Option<VacancyId> {
    match subject {
        Subject::Vacancy(id) => Some(id),
        Subject::Task(_) | Subject::Meeting(_) | Subject::Nothing => None,
    }
}

/// Fetches ahead what turns of these talks ask about vacancies; `begun` are about to be spoken of.
pub(super) async fn look_ahead(
    tx: &mut Tx,
    talks: &[Talk],
    begun: &[(CandidateId, VacancyId)],
) -> Result<(), AppError> {
    let told = talks.iter().flat_map(Talk::runs);
    let told = told.filter_map(|run| vacancy(run.subject));
    let all = told.chain(begun.iter().map(|(_, id)| *id)).collect();
    vacancies::fetch_ahead(tx, &all).await?;
    matches::fetch_ahead(tx, begun).await?;
    let people: Vec<CandidateId> = begun.iter().map(|(candidate, _)| *candidate).collect();
    Ok(searches::fetch_ahead(tx, &people).await?)
}
