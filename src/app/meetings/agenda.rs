//! What pages about meetings read: a week of a coach, the meetings of one person, one meeting.

use chrono::{Datelike, Days, NaiveDate};

use super::own;
use crate::app::desk::Team;
use crate::app::{App, AppError, slots as moments, takeover};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, CoachId, MeetingId, TeamId};
use crate::domain::plan::MeetingMode;
use crate::domain::slots::{Slot, Wanted, mode_for};
use crate::domain::time::{Timestamp, Tz, local_moment};
use crate::store::contacts::{self, Person};
use crate::store::{Tx, meetings, slots};

pub use crate::store::meetings::MeetingRow;
pub use crate::store::slots::SlotRow;

/// Moments that a page offers to choose from.
const CHOICES: usize = 40;

/// A meeting with what a coach may read of it.
pub struct Shown {
    pub row: MeetingRow,
    /// The person's first and family name.
    pub name: (String, String),
    /// What will be done in it; may be empty.
    pub task: String,
}

/// One week of one coach.
pub struct Week {
    pub team: Team,
    /// Teams in which moments can be opened, by name.
    pub teams: Vec<(TeamId, String)>,
    pub coach: CoachId,
    pub monday: NaiveDate,
    pub slots: Vec<SlotRow>,
    pub meetings: Vec<Shown>,
}

/// The Monday of the week of this day.
pub fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

/// The week around a day, of oneself or of a colleague in the own teams.
pub async fn week(
    app: &App,
    scope: &Scope,
    coach: CoachId,
    day: NaiveDate,
) -> Result<Week, AppError> {
    let house = app.house(scope.organisation)?;
    let monday = monday(day);
    let (from, until) = bounds(monday, 7, house.zone);
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    if !team.colleagues.iter().any(|known| known.id == coach) {
        return Err(AppError::NotFound);
    }
    let teams: Vec<(TeamId, String)> = house
        .teams
        .iter()
        .filter(|(id, _)| scope.teams.contains(id))
        .cloned()
        .collect();
    let mut found = Vec::new();
    for (id, _) in &teams {
        found.extend(slots::shown(&mut tx, scope, *id, from, until).await?);
    }
    found.retain(|row| row.slot.coach == coach);
    found.sort_by_key(|row| (row.slot.starts_at, row.slot.id));
    let mut shown = Vec::new();
    for row in meetings::of_coach(&mut tx, scope, coach, from, until).await? {
        shown.extend(show(&mut tx, row).await?);
    }
    Ok(Week {
        team,
        teams,
        coach,
        monday,
        slots: found,
        meetings: shown,
    })
}

fn bounds(first: NaiveDate, days: u64, zone: Tz) -> (Timestamp, Timestamp) {
    let at = |day| local_moment(day, 0, 0, zone);
    (at(first), at(first + Days::new(days)))
}

/// `None` for somebody who was erased.
async fn show(tx: &mut Tx, row: MeetingRow) -> Result<Option<Shown>, AppError> {
    let Some(person) = contacts::person(tx, row.candidate).await? else {
        return Ok(None);
    };
    shown(tx, &person, row).await.map(Some)
}

async fn shown(tx: &mut Tx, person: &Person, row: MeetingRow) -> Result<Shown, AppError> {
    let sealer = tx.sealer(person.key).await?;
    let candidate = &person.candidate;
    Ok(Shown {
        task: row.task(&sealer)?,
        name: (candidate.first_name.clone(), candidate.family_name.clone()),
        row,
    })
}

/// The meetings of one person, newest first, and the moments that can be booked for them.
pub struct Appointments {
    pub person: Person,
    pub meetings: Vec<Shown>,
    pub free: Vec<Slot>,
    pub team: Team,
}

pub async fn appointments(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Appointments, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    let mut all = Vec::new();
    for row in meetings::of_candidate(&mut tx, scope, candidate).await? {
        all.push(shown(&mut tx, &person, row).await?);
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.row.meeting.starts_at));
    Ok(Appointments {
        free: free(app, &mut tx, &person, MeetingMode::Video, now).await?,
        team: Team::read(app, &mut tx, scope).await?,
        meetings: all,
        person,
    })
}

/// One meeting, and the moments to which it can move.
pub struct One {
    pub person: Person,
    pub meeting: Shown,
    pub free: Vec<Slot>,
    pub team: Team,
}

pub async fn one(app: &App, scope: &Scope, id: MeetingId) -> Result<One, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let (person, row) = own(&mut tx, scope, id).await?;
    let mode = mode_for(row.meeting.kind, MeetingMode::Video);
    Ok(One {
        free: free(app, &mut tx, &person, mode, now).await?,
        meeting: shown(&mut tx, &person, row).await?,
        team: Team::read(app, &mut tx, scope).await?,
        person,
    })
}

/// In the order of time: a coach knows which one is meant.
async fn free(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    mode: MeetingMode,
    now: Timestamp,
) -> Result<Vec<Slot>, AppError> {
    let zone = app.house(person.organisation)?.zone;
    let wanted = Wanted {
        coach: person.candidate.coach,
        mode,
    };
    let mut free = moments::free(tx, (person.team, zone), wanted, now).await?;
    free.truncate(CHOICES);
    free.sort_by_key(|slot| (slot.starts_at, slot.id));
    Ok(free)
}
