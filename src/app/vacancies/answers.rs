//! What a person answers about a vacancy: the match remembers it, the search learns from it, and what a
//! search cannot hold becomes a flag for the coach.

use super::{App, AppError, Lesson, pair};
use crate::domain::ids::VacancyId;
use crate::domain::matching::{Prefers, Search};
use crate::domain::talk::effect::{Act, Because};
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::matches::{self, State};
use crate::store::sealed::Sealer;
use crate::store::{Tx, searches, vacancies};

/// Carries out the deed of an answer; why a coach must look, if one must.
pub(in crate::app) async fn heard(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    act: &Act,
    vacancy: VacancyId,
    now: Timestamp,
) -> Result<Option<Why>, AppError> {
    let candidate = person.candidate.id;
    let answered = match act {
        Act::VacancyYes => State::Yes,
        Act::VacancyTooFar => State::TooFar,
        Act::VacancyOtherHours => State::OtherHours,
        Act::VacancyAskCoach => State::AskCoach,
        Act::Prefers(what) => {
            let Some(prefers) = Prefers::parse(what) else {
                return Ok(Some(Why::AsksAboutVacancy));
            };
            // Which other hours: the match has its answer already. Other work is the answer.
            if prefers == Prefers::OtherWork {
                matches::answered(tx, vacancy, candidate, State::No, Some(now));
            }
            return learn(
                app,
                tx,
                person,
                sealer,
                vacancy,
                Taught::Prefers(prefers),
                now,
            )
            .await;
        }
        _ => return Ok(None),
    };
    matches::answered(tx, vacancy, candidate, answered, Some(now));
    match answered {
        State::Yes => Ok(Some(Why::WantsVacancy)),
        State::TooFar => learn(app, tx, person, sealer, vacancy, Taught::TooFar, now).await,
        State::OtherHours => Ok(None),
        _ => Ok(Some(Why::AsksAboutVacancy)),
    }
}

enum Taught {
    TooFar,
    Prefers(Prefers),
}

/// The search narrows by what was said. Where it cannot, "we will mind it" would be a promise of nobody: the
/// coach hears it.
async fn learn(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    vacancy: VacancyId,
    taught: Taught,
    now: Timestamp,
) -> Result<Option<Why>, AppError> {
    let candidate = person.candidate.id;
    let house = app.house(person.organisation)?;
    let Some(vacancy) = vacancies::of(tx, person.organisation, vacancy).await? else {
        return Ok(Some(Why::AsksAboutVacancy));
    };
    let kept = searches::of(tx, sealer, candidate).await?;
    let version = kept.as_ref().map(|kept| kept.version);
    let mut search: Search = kept.map(|kept| kept.search).unwrap_or_default();
    let lesson = match taught {
        Taught::TooFar => search.too_far(&vacancy, &app.vacancies.places, now),
        Taught::Prefers(prefers) => search.prefers(prefers, &vacancy, now),
    };
    let version = searches::save(tx, sealer, candidate, &search, version).await?;
    pair::search_changed(app, tx, house, candidate, &search, version).await?;
    Ok((lesson == Lesson::Nothing).then_some(Why::AsksAboutVacancy))
}

/// A question about a vacancy was written for this person.
pub(in crate::app) fn asked(tx: &mut Tx, person: &Person, vacancy: VacancyId, now: Timestamp) {
    matches::asked(tx, vacancy, person.candidate.id, now);
}

/// The conversation about a vacancy ended; an answer that was given stays what it is.
pub(in crate::app) fn ended(tx: &mut Tx, person: &Person, vacancy: VacancyId, because: Because) {
    let state = match because {
        Because::NoAnswer | Because::Undelivered => State::Silent,
        Because::Overtaken | Because::Refused => State::Closed,
        Because::Answered | Because::Handed => State::AskCoach,
    };
    matches::ended(tx, vacancy, person.candidate.id, state);
}
