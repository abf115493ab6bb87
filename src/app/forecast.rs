//! What will go out to a person in the coming days, and why: the rules themselves, played forward on how
//! the person stands now, if nobody answers and every draft is approved at once. Nothing is changed.

use std::sync::Arc;

use super::{App, AppError, House, look, send, slots, vacancies};
use crate::domain::cadence::Cadence;
use crate::domain::contact::Purpose;
use crate::domain::forecast::{self, Happens, Rules, Stand, Unsent};
use crate::domain::ids::{CandidateId, VacancyId};
use crate::domain::nudge::{DueNudge, Rule};
use crate::domain::plan::{MeetingMode, Subject};
use crate::domain::slots::Wanted;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Person};
use crate::store::{Tx, exercises, nudges, outbox, plans, talks, watch};

pub use crate::domain::forecast::What;

/// People in one forecast.
const MOST: u32 = 10_000;

/// What will happen to this person in so many days, by these numbers. Empty for somebody who never
/// agreed to anything.
pub async fn of(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    cadence: &Arc<Cadence>,
    days: u32,
) -> Result<Vec<Happens>, AppError> {
    let now = app.now();
    let house = app.house(person.organisation)?;
    let Some(stand) = stand(app, tx, house, person, now).await? else {
        return Ok(Vec::new());
    };
    let rules = Rules {
        flows: app.book.flows(),
        newest: app.book.newest_all(),
        cadence: cadence.clone(),
        holidays: house.holidays.clone(),
        zone: house.zone,
    };
    let end = now.plus_days(i64::from(days));
    Ok(forecast::forecast(stand, rules, now, end))
}

/// How the person stands, as far as a forecast can know.
async fn stand(
    app: &App,
    tx: &mut Tx,
    house: &House,
    person: &Person,
    now: Timestamp,
) -> Result<Option<Stand>, AppError> {
    let candidate = person.candidate.id;
    let Some(seen) = look::seen(app, tx, person, now).await? else {
        return Ok(None);
    };
    let sealer = tx.sealer(person.key).await?;
    let facts = send::facts(tx, person, Purpose::Tasks, now).await?;
    let mut unsent = Vec::new();
    for message in outbox::unsent(tx, candidate).await? {
        let Some(said) = message.said else { continue };
        unsent.push(Unsent {
            said,
            direct: !nudges::is_nudge(tx, message.id).await?,
            rule: message.why,
            subject: message.subject,
            purpose: message.purpose,
            approve: message.approve,
            at: message.not_before.max(now),
            not_after: message.not_after,
        });
    }
    let waiting = nudges::of_person(tx, candidate).await?;
    let waiting = waiting.into_iter().filter_map(|nudge| {
        let written_at = nudge.written_at();
        let due = DueNudge {
            candidate,
            rule: Rule::parse(&nudge.rule)?,
            subject: nudge.subject,
            due_on: nudge.due_on,
            due_at: nudge.due_at,
        };
        Some((due, written_at))
    });
    let waiting: Vec<_> = waiting.collect();
    let talk = talks::peek(tx, candidate, &sealer).await?;
    let of_talk = talk.runs().map(|run| run.subject);
    let all = of_talk.chain(waiting.iter().map(|(due, _)| due.subject));
    let about: Vec<VacancyId> = all
        .filter_map(|subject| match subject {
            Subject::Vacancy(id) => Some(id),
            Subject::Task(_) | Subject::Meeting(_) | Subject::Nothing => None,
        })
        .collect();
    let office = Wanted {
        coach: person.candidate.coach,
        mode: MeetingMode::Office,
    };
    let free = office.to_offer(slots::free(tx, (person.team, house.zone), office, now).await?);
    let names = [Rule::TaskDue.as_str()];
    let looked = nudges::last_ran(tx, house.id, &names).await?;
    Ok(Some(Stand {
        address_usable: facts.address_usable,
        automated_in_row: facts.automated_in_row,
        in_doubt: facts.in_doubt,
        accepted: facts.accepted,
        talk,
        plan: plans::plan(tx, &sealer, candidate).await?,
        exercised: exercises::done(tx, candidate).await?,
        open_vacancies: vacancies::fresh(app, tx, house, about, now).await?,
        free: free.iter().map(|slot| (slot.id, slot.starts_at)).collect(),
        coached: person.candidate.coach.is_some(),
        waiting,
        known: nudges::task_days(tx, candidate).await?,
        unsent,
        look_at: watch::look_at(tx, candidate).await?,
        looked_at: looked.values().copied().max().unwrap_or(now),
        seen,
    }))
}

/// One line of a forecast over people.
pub struct Line {
    pub candidate: CandidateId,
    pub happens: Happens,
}

/// What will happen to everybody of a house whom the calendar looks at in these days, in order of time.
pub async fn of_house(
    app: &App,
    tx: &mut Tx,
    house: &House,
    cadence: &Arc<Cadence>,
    days: u32,
) -> Result<Vec<Line>, AppError> {
    let until = app.now().plus_days(i64::from(days));
    let mut lines = Vec::new();
    for candidate in watch::due_until(tx, house.id, until, MOST).await? {
        if let Some(person) = contacts::person(tx, candidate).await? {
            let coming = of(app, tx, &person, cadence, days).await?;
            lines.extend(
                coming
                    .into_iter()
                    .map(|happens| Line { candidate, happens }),
            );
        }
    }
    lines.sort_by_key(|line| (line.happens.at, line.candidate));
    Ok(lines)
}
