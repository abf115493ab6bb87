//! What texts may say to a person about a vacancy. The words are in `texts/work.rs`.

use super::AppError;
use crate::domain::ids::VacancyId;
use crate::store::contacts::Person;
use crate::store::sealed::Sealer;
use crate::store::{Tx, matches, searches, vacancies};
use crate::texts::context::VacancyTold;
use crate::texts::work;

/// What texts may say to this person about a vacancy; `None` if it is not one of their organisation.
pub(in crate::app) async fn told(
    tx: &mut Tx,
    person: &Person,
    id: VacancyId,
) -> Result<Option<VacancyTold>, AppError> {
    let Some(vacancy) = vacancies::of(tx, person.organisation, id).await? else {
        return Ok(None);
    };
    let candidate = person.candidate.id;
    let locale = match person.candidate.language.as_str() {
        "en" => "en",
        _ => "nl",
    };
    let found = matches::of(tx, id, candidate).await?;
    let reasons = found.map(|found| found.reasons).unwrap_or_default();
    let sealer: Sealer = tx.sealer(person.key).await?;
    let kept = searches::of(tx, &sealer, candidate).await?;
    let newest = kept.and_then(|kept| kept.search.learned.last().cloned());
    let learned = newest.filter(|it| it.vacancy == id && !it.undone);
    Ok(Some(VacancyTold {
        town: vacancy.town.clone(),
        hours: work::hours(vacancy.hours, locale),
        why: work::why(&reasons, &vacancy.town, locale),
        learned: work::lesson(learned.as_ref().map(|it| &it.lesson), locale),
        title: vacancy.title,
        employer: vacancy.employer,
    }))
}
