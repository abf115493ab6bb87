//! A coach is away for a while, or a person gets another coach. Drafts and urgent handovers of an absent
//! coach lie with the stand-in (`desk::Team`); people to whom it matters are told by the flow `coach_away`.
//! A lasting transfer is told by the flow `new_coach`, and takes back what was written in the old name.

use chrono::NaiveDate;

use super::desk::Team;
use super::{App, AppError, House, signs, takeover, trail, turn};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, CoachId};
use crate::domain::plan::Subject;
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::{Timestamp, add_working_days, local_moment};
use crate::store::contacts::Person;
use crate::store::{Tx, absences, coaches};
use crate::texts::context::Colleagues;

/// What a coach's own page about absence tells.
pub struct Absence {
    /// Who stands in for this coach, and the last day of the absence; `None`: they are there.
    pub own: Option<(CoachId, String, NaiveDate)>,
    /// Colleagues for whom this coach stands in, until when.
    pub for_others: Vec<(String, NaiveDate)>,
    /// Who can stand in, by name.
    pub colleagues: Vec<(CoachId, String)>,
}

pub async fn of(app: &App, scope: &Scope) -> Result<Absence, AppError> {
    let today = app.now().local_day(app.house(scope.organisation)?.zone);
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    let away = team.colleagues.iter().filter_map(|colleague| {
        let until = colleague.away_until.filter(|until| *until >= today)?;
        Some((colleague, colleague.stand_in?, until))
    });
    let (mut own, mut for_others) = (None, Vec::new());
    for (colleague, stand_in, until) in away {
        if colleague.id == scope.coach {
            own = Some((stand_in, team.name(stand_in).to_owned(), until));
        } else if stand_in == scope.coach {
            for_others.push((colleague.name.clone(), until));
        }
    }
    Ok(Absence {
        own,
        for_others,
        colleagues: absences::fellows(&mut tx, scope.coach).await?,
    })
}

/// The coach of this scope is away until and including a day; `stand_in` has a team with them in common.
/// How many people are told. Refused (`No`): a day that is past, or nobody who can stand in.
pub async fn away(
    app: &App,
    scope: &Scope,
    stand_in: CoachId,
    until: NaiveDate,
) -> Result<usize, AppError> {
    let now = app.now();
    let house = app.house(scope.organisation)?;
    if until < now.local_day(house.zone) {
        return Err(AppError::No { why: "past" });
    }
    let mut tx = app.store.write().await?;
    colleague(&mut tx, scope, stand_in).await?;
    absences::set_away(&mut tx, scope.coach, Some((stand_in, until))).await?;
    let end = local_moment(until, 23, 59, house.zone);
    let concerned = absences::concerned(&mut tx, scope.coach, now, end).await?;
    for candidate in &concerned {
        let person = turn::person(&mut tx, *candidate).await?;
        changed(app, &mut tx, &person, Change::CoachAway, now).await?;
    }
    trail::by_coach(
        app,
        &mut tx,
        scope,
        "away",
        format!("coach:{stand_in}"),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(concerned.len())
}

/// The coach is back: what was not done lies with them again.
pub async fn back(app: &App, scope: &Scope) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    absences::set_away(&mut tx, scope.coach, None).await?;
    let object = format!("coach:{}", scope.coach);
    trail::by_coach(app, &mut tx, scope, "back", object, now).await?;
    Ok(tx.commit().await?)
}

/// Another coach for good. What was written in the name of the old one is taken back, and the new one is
/// told of by name.
pub async fn transfer(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    to: CoachId,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let mut person = takeover::own(&mut tx, scope, candidate).await?;
    if person.candidate.coach == Some(to) {
        return Ok(());
    }
    let new = coaches::scope_of(&mut tx, to)
        .await?
        .ok_or(AppError::NotFound)?;
    if !new.covers(person.organisation, person.team) {
        return Err(AppError::NotFound);
    }
    let from = person.candidate.coach;
    moved(app, &mut tx, &mut person, (from, to), now).await?;
    let object = format!("candidate:{candidate}");
    trail::by_coach(app, &mut tx, scope, "transfer", object, now).await?;
    Ok(tx.commit().await?)
}

/// What follows for the talk when a person has another coach, by a page or by an import.
pub async fn moved(
    app: &App,
    tx: &mut Tx,
    person: &mut Person,
    (from, to): (Option<CoachId>, CoachId),
    now: Timestamp,
) -> Result<(), AppError> {
    let (id, candidate) = (app.row_id(now), person.candidate.id);
    absences::transfer(tx, id, candidate, from, to, now).await?;
    signs::take_back(app, tx, person, "coach_changed", now).await?;
    person.candidate.coach = Some(to);
    changed(app, tx, person, Change::CoachChanged, now).await
}

async fn changed(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    what: Change,
    now: Timestamp,
) -> Result<(), AppError> {
    let event = Event::Changed {
        what,
        subject: Subject::Nothing,
        by: None,
    };
    turn::play(app, tx, person, event, now).await
}

/// The people around this person's coach, as texts tell them: the coach before, who stands in, and the
/// first working day after an absence.
pub(super) async fn colleagues(
    tx: &mut Tx,
    house: &House,
    person: &Person,
) -> Result<Colleagues, AppError> {
    let first = |name: Option<String>| {
        let name = name.unwrap_or_default();
        name.split(' ').next().unwrap_or_default().to_owned()
    };
    let before = absences::before(tx, person.candidate.id).await?;
    let (until, stand_in) = match person.candidate.coach {
        Some(coach) => absences::of_coach(tx, coach).await?,
        None => (None, None),
    };
    Ok(Colleagues {
        old_coach: first(before),
        stand_in: first(stand_in),
        back_on: until.map(|day| add_working_days(day, 1, &house.holidays)),
    })
}

/// A colleague who works in one of the same teams.
async fn colleague(tx: &mut Tx, scope: &Scope, other: CoachId) -> Result<(), AppError> {
    let theirs = coaches::scope_of(tx, other).await?;
    let fits = theirs.is_some_and(|theirs| {
        other != scope.coach
            && theirs.organisation == scope.organisation
            && !theirs.teams.is_disjoint(&scope.teams)
    });
    if fits {
        Ok(())
    } else {
        Err(AppError::NotFound)
    }
}
