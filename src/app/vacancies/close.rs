//! Vacancies that are gone: closed with what was found, and told to those who were asked about them.

use super::{App, AppError, House, today};
use crate::domain::ids::VacancyId;
use crate::domain::nudge::Ended;
use crate::domain::plan::Subject;
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::Timestamp;
use crate::store::contacts;
use crate::store::matches::{self, State};
use crate::store::{Tx, nudges, vacancies};

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
        let mut tx = app.store.write_in_line().await?;
        for (candidate, vacancy) in &asked {
            let (candidate, vacancy) = (*candidate, *vacancy);
            // Erased meanwhile: their rows are gone with them.
            let Some(person) = contacts::person(&mut tx, candidate).await? else {
                continue;
            };
            matches::answered(&mut tx, vacancy, candidate, State::Closed, None);
            let event = Event::Changed {
                what: Change::VacancyClosed,
                subject: Subject::Vacancy(vacancy),
                by: None,
            };
            crate::app::turn::play(app, &mut tx, &person, event, now).await?;
        }
        tx.commit().await?;
        done += asked.len();
    }
}
