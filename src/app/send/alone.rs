//! One message at a time: for a round in which the rows of one person cannot be read or played. That person's
//! message comes later or ends without its talk, a coach hears of it, and the others go on.

use super::{Back, Job, choose, still_ours};
use crate::app::{App, AppError, outcome, unpanicked};
use crate::domain::ids::CandidateId;
use crate::domain::plan::Subject;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, Tx, flags, rounds};

/// A message that could not be chosen is looked at again after this.
const AGAIN_SECONDS: i64 = 3600;

/// Would the next try meet the same? Not where the database was away or somebody else was faster.
pub(super) const fn is_about_rows(error: &AppError) -> bool {
    match error {
        AppError::Store(error) => !error.may_pass() && !error.was_overtaken(),
        _ => true,
    }
}

/// Records each answer in a transaction of its own. What an answer proves is kept whether or not its talk
/// can hear it.
pub(super) async fn record(app: &App, back: &mut Vec<Back>) -> Result<(), AppError> {
    let now = app.now();
    while let Some(last) = back.pop() {
        let one = std::slice::from_ref(&last);
        let told = recorded(app, one, now).await;
        let Err(error) = told else { continue };
        let written = match is_about_rows(&error) {
            true => only(app, one, &error, now).await,
            false => Err(error),
        };
        if let Err(error) = written {
            // It stays in the air until its lease runs out, and is in doubt then.
            if is_about_rows(&error) {
                tracing::error!(message = %one[0].job.message.id, %error, "an answer could not be kept");
                continue;
            }
            back.push(last);
            return Err(error);
        }
    }
    Ok(())
}

async fn recorded(app: &App, one: &[Back], now: Timestamp) -> Result<(), AppError> {
    let mut tx = app.store.write_in_line().await?;
    match unpanicked(outcome::record(app, &mut tx, one, now)).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) => Err(tx.taken_back(error).await),
    }
}

/// The outcome alone, without what its talk makes of it.
async fn only(app: &App, one: &[Back], error: &AppError, now: Timestamp) -> Result<(), AppError> {
    let Job { message, .. } = &one[0].job;
    tracing::error!(%message.id, %error, "the talk could not hear of an answer");
    let mut tx = app.store.write_in_line().await?;
    outcome::record_untold(app, &mut tx, one, now).await?;
    stuck(app, &mut tx, message.candidate, message.subject, now);
    Ok(tx.commit().await?)
}

/// Chooses one message after the other; one that cannot be chosen comes again in an hour. What was promised to
/// the wire before an error goes all the same.
pub(super) async fn chosen(app: &App, room: usize) -> Result<Vec<Job>, AppError> {
    let mut jobs = Vec::new();
    match choose_each(app, room, &mut jobs).await {
        Err(error) if jobs.is_empty() => Err(error),
        Ok(()) | Err(_) => Ok(jobs),
    }
}

async fn choose_each(app: &App, room: usize, jobs: &mut Vec<Job>) -> Result<(), AppError> {
    let now = app.now();
    for _ in 0..room {
        let mut tx = app.store.write_in_line().await?;
        let Some((message, candidate)) = rounds::oldest(&mut tx, now).await? else {
            return Ok(tx.rollback().await?);
        };
        let error = match unpanicked(choose(app, &mut tx, 1, now)).await {
            Ok(chosen) => {
                match tx.commit().await {
                    Ok(()) => jobs.extend(chosen),
                    Err(StoreError::CommitUnknown(_)) => {
                        jobs.extend(still_ours(app, chosen).await?);
                    }
                    Err(error) => return Err(error.into()),
                }
                continue;
            }
            Err(error) => tx.taken_back(error).await,
        };
        if !is_about_rows(&error) {
            return Err(error);
        }
        tracing::error!(%message, %error, "a message could not be chosen");
        let mut tx = app.store.write_in_line().await?;
        rounds::look_later(&mut tx, message, now.plus_seconds(AGAIN_SECONDS)).await?;
        stuck(app, &mut tx, candidate, Subject::Nothing, now);
        tx.commit().await?;
    }
    Ok(())
}

fn stuck(app: &App, tx: &mut Tx, candidate: CandidateId, about: Subject, now: Timestamp) {
    flags::open(tx, app.id(now), candidate, None, Why::Stuck, about, now);
}
