//! Vacancies that are gone: closed with what was found, and told to those who were asked about them.

use super::{App, AppError, House, today};
use crate::app::unpanicked;
use crate::domain::ids::{CandidateId, VacancyId};
use crate::domain::nudge::Ended;
use crate::domain::plan::Subject;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::store::contacts;
use crate::store::matches::{self, State};
use crate::store::{Tx, flags, nudges, vacancies};

/// Vacancies, or people, in one commit.
const PIECE: u32 = 64;

/// Closes these. Whoever was not asked yet never will be, and a proposal that waits is withdrawn; those who
/// were asked are told by `tell`, from what stands in the database.
pub(super) async fn close(tx: &mut Tx, ids: &[VacancyId], now: Timestamp) -> Result<(), AppError> {
    if ids.is_empty() {
        return Ok(());
    }
    vacancies::close(tx, ids).await?;
    for (candidate, vacancy) in matches::close_found(tx, ids).await? {
        tx.changed(candidate);
        let subject = Subject::Vacancy(vacancy);
        nudges::close_subject(tx, candidate, subject, Ended::Withdrawn, now);
    }
    Ok(())
}

/// Closes vacancies whose last day was before today.
pub(super) async fn over(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let mut done = 0;
    loop {
        let mut tx = app.store.read().await?;
        let ids = vacancies::over(&mut tx, house.id, today(house, now), PIECE).await?;
        drop(tx);
        if ids.is_empty() {
            return Ok(done);
        }
        let mut tx = app.store.write().await?;
        close(&mut tx, &ids, now).await?;
        tx.commit().await?;
        done += ids.len();
    }
}

/// Tells the talks whose open question is about a vacancy that closed.
pub(super) async fn tell(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let mut done = 0;
    loop {
        let mut tx = app.store.read().await?;
        let asked = matches::asked_of_closed(&mut tx, house.id, PIECE).await?;
        drop(tx);
        if asked.is_empty() {
            return Ok(done);
        }
        match unpanicked(together(app, &asked, now)).await {
            Ok(()) => {}
            Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
            Err(_) => {
                for one in &asked {
                    alone(app, one, now).await?;
                }
            }
        }
        done += asked.len();
    }
}

async fn together(
    app: &App,
    asked: &[(CandidateId, VacancyId)],
    now: Timestamp,
) -> Result<(), AppError> {
    let mut tx = app.store.write_in_line().await?;
    for (candidate, vacancy) in asked {
        if let Err(error) = hear(app, &mut tx, (*candidate, *vacancy), now).await {
            return Err(tx.taken_back(error).await);
        }
    }
    Ok(tx.commit().await?)
}

async fn hear(
    app: &App,
    tx: &mut Tx,
    (candidate, vacancy): (CandidateId, VacancyId),
    now: Timestamp,
) -> Result<(), AppError> {
    // Erased meanwhile: their rows are gone with them.
    let Some(person) = contacts::person(tx, candidate).await? else {
        return Ok(());
    };
    matches::answered(tx, vacancy, candidate, State::Closed, None);
    let event = Event::Changed {
        what: Change::VacancyClosed,
        subject: Subject::Vacancy(vacancy),
        by: None,
    };
    crate::app::turn::play(app, tx, &person, event, now).await
}

/// One person by themselves. A talk that cannot hear it is told nothing, now and later, and a coach takes it
/// over: the vacancy is closed whatever the talk says.
async fn alone(app: &App, one: &(CandidateId, VacancyId), now: Timestamp) -> Result<(), AppError> {
    let error = match unpanicked(together(app, std::slice::from_ref(one), now)).await {
        Ok(()) => return Ok(()),
        Err(AppError::Store(error)) if error.may_pass() || error.was_overtaken() => {
            return Err(error.into());
        }
        Err(error) => error,
    };
    let (candidate, vacancy) = *one;
    tracing::error!(%candidate, %error, "the end of a vacancy could not be told");
    let mut tx = app.store.write().await?;
    matches::answered(&mut tx, vacancy, candidate, State::Closed, None);
    let flag = app.id(now);
    flags::open(
        &mut tx,
        flag,
        candidate,
        None,
        Why::Stuck,
        Subject::Nothing,
        now,
    );
    Ok(tx.commit().await?)
}
