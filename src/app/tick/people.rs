//! Looks at people: those whose day it is, and those who wait for an answer of a coach.

use super::{BATCH, Due, begin, commit, each, row};
use crate::app::{App, AppError, House, look, meetings};
use crate::domain::ids::CandidateId;
use crate::domain::nudge;
use crate::domain::plan::{MeetingMode, Subject};
use crate::domain::talk::state::Why;
use crate::domain::time::{Timestamp, add_working_days, same_time_on};
use crate::store::{Tx, contacts, flags, nudges, watch};

/// The name of the look at those who wait, in the table of occurrences.
const ANSWERS: &str = "answer_overdue";

/// People who wait for an answer, of whom a day's look tells at most.
const TOLD: u32 = 5000;

/// People whose look is due: what it finds is written down, with the day of the next one. However many
/// days were missed, it is one look.
pub(super) async fn looks(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let due = watch::due(&mut tx, house.id, now, BATCH).await?;
    let due = due.into_iter().map(|person| Due::Look(house, person));
    each(app, tx, &due.collect::<Vec<_>>(), now).await
}

pub(super) async fn look_at(
    app: &App,
    tx: &mut Tx,
    house: &House,
    candidate: CandidateId,
    now: Timestamp,
) -> Result<(), AppError> {
    let Some(person) = contacts::person(tx, candidate).await? else {
        watch::next(tx, candidate, None);
        return Ok(());
    };
    let Some(found) = look::at(app, tx, house, &person, now).await? else {
        watch::next(tx, candidate, None);
        return Ok(());
    };
    let spread =
        nudge::one_after_the_other(found.nudges, house.zone, &app.cadence, &house.holidays);
    for due in spread {
        nudges::add(tx, &row(app, due, now));
    }
    for why in found.flags {
        let (id, about) = (app.id(now), Subject::Nothing);
        let coach = person.candidate.coach;
        flags::open(tx, id, candidate, coach, why, about, now);
    }
    if let Some(kind) = found.invite {
        // What a look invites to is in one room: that is why it invites.
        let room = MeetingMode::Office;
        meetings::invite(app, tx, &person, kind, room, now).await?;
    }
    watch::next(tx, candidate, found.again_at);
    Ok(())
}

/// Who waits for an answer for too long: the coach hears it, and on a later day the whole team. Never
/// the candidate. Once a local day.
pub(super) async fn answers(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let ran = nudges::last_ran(&mut tx, house.id, &[ANSWERS]).await?;
    drop(tx);
    let must = ran
        .get(ANSWERS)
        .is_none_or(|last| app.cadence.must_look_for_answers(*last, now, house.zone));
    if !must {
        return Ok(0);
    }
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let today = now.local_day(house.zone);
    let before = waited_since(app, house, now);
    let waiting = watch::unanswered(&mut tx, house.id, before, TOLD).await?;
    for one in &waiting {
        let why = match one.told_at {
            Some(told) if told.local_day(house.zone) < today => Why::TeamAnswerOverdue,
            _ => Why::AnswerOverdue,
        };
        let (id, about) = (app.id(now), Subject::Nothing);
        flags::open(&mut tx, id, one.candidate, one.coach, why, about, now);
    }
    nudges::occurred(&mut tx, house.id, ANSWERS, today, now).await?;
    commit(tx).await?;
    Ok(waiting.len())
}

/// This time of the day, so many working days ago.
fn waited_since(app: &App, house: &House, now: Timestamp) -> Timestamp {
    let days = i32::from(app.cadence.answer_overdue.working_days);
    let day = add_working_days(now.local_day(house.zone), -days, &house.holidays);
    same_time_on(day, now, house.zone)
}
