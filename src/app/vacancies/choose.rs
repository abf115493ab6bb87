//! Which vacancy is proposed to whom, and when: the best one that is still there, at most one a day and a
//! few a week, and only one on its way. It becomes a row of the ledger; the tick starts it.

use std::collections::BTreeSet;

use chrono::Timelike;

use super::{App, AppError, House, today};
use crate::domain::nudge::Rule;
use crate::domain::plan::Subject;
use crate::domain::time::{Timestamp, local_moment, next_allowed};
use crate::store::nudges::{self, Nudge};
use crate::store::vacancies;
use crate::store::{Tx, matches};

/// People in one commit.
const PIECE: u32 = 200;
/// Of what was found for a person the best so many are looked at.
const FIRST: usize = 5;

/// Proposes, when something new was found and once a local day; how many.
pub(super) async fn choose(app: &App, house: &House, new: bool) -> Result<usize, AppError> {
    let now = app.now();
    let today = today(house, now);
    let rule = Rule::Vacancy.as_str();
    let mut tx = app.store.read().await?;
    let ran = nudges::last_ran(&mut tx, house.id, &[rule]).await?;
    drop(tx);
    let looked = ran
        .get(rule)
        .is_some_and(|at| at.local_day(house.zone) >= today);
    if looked && !new {
        return Ok(0);
    }
    let mut after = None;
    let mut done = 0;
    loop {
        let mut tx = app.store.write().await?;
        let people = matches::people(&mut tx, house.id, after, PIECE).await?;
        let Some(last) = people.last().copied() else {
            nudges::occurred(&mut tx, house.id, rule, today, now).await?;
            tx.commit().await?;
            return Ok(done);
        };
        done += propose(app, &mut tx, house, &people, now).await?;
        tx.commit().await?;
        after = Some(last);
    }
}

async fn propose(
    app: &App,
    tx: &mut Tx,
    house: &House,
    people: &[crate::domain::ids::CandidateId],
    now: Timestamp,
) -> Result<usize, AppError> {
    let today = today(house, now);
    let limits = &app.vacancies.limits;
    let week = today
        .checked_sub_days(chrono::Days::new(6))
        .unwrap_or(today);
    let since = local_moment(week, 0, 0, house.zone);
    let mut of = matches::of_people(tx, people, since).await?;
    of.retain(|_, (_, asked)| {
        let in_day = asked.iter().filter(|at| at.local_day(house.zone) == today);
        in_day.count() < limits.a_day && asked.len() < limits.in_seven_days
    });
    let first = |found: &[matches::Match]| -> Vec<_> {
        found.iter().take(FIRST).map(|one| one.vacancy).collect()
    };
    let wanted: BTreeSet<_> = of.values().flat_map(|(found, _)| first(found)).collect();
    let since = super::seen_since(app, now);
    let known = vacancies::by_ids(tx, &wanted).await?;
    let mut due = Vec::new();
    for (candidate, (found, _)) in of {
        let best = first(&found).into_iter().find(|id| {
            known
                .get(id)
                .is_some_and(|vacancy| vacancy.is_fresh(today, since))
        });
        let Some(vacancy) = best else { continue };
        due.push(Nudge {
            id: app.id(now),
            candidate,
            rule: Rule::Vacancy.as_str().to_owned(),
            subject: Subject::Vacancy(vacancy),
            due_on: today,
            due_at: due_at(app, house, now),
        });
    }
    let added = nudges::add_now(tx, &due).await?;
    for nudge in due.iter().filter(|nudge| added.contains(&nudge.id)) {
        tx.changed(nudge.candidate);
    }
    Ok(added.len())
}

/// What is due on a day is due at one time; later on that day at once, and never in quiet hours.
fn due_at(app: &App, house: &House, now: Timestamp) -> Timestamp {
    let time = app.cadence.due_at;
    let at = local_moment(today(house, now), time.hour(), time.minute(), house.zone);
    next_allowed(at.max(now), house.zone, &app.cadence.quiet, &house.holidays)
}
