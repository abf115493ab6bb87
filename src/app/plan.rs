//! Changes to a plan that do not come from the talk: by an import or a coach. Each ends in an event, so
//! that an open question about the changed thing does not stay open.

use super::{App, AppError, effects, outcome, turn};
use crate::domain::message::MessageState;
use crate::domain::nudge::Ended;
use crate::domain::plan::{DoneBy, Subject, Task, TaskState};
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::{Tx, nudges, outbox, plans};

/// Sets the state of a task and tells the talk. A coach never ticks a step: only imports say "done".
pub async fn set_task_state(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    task: &Task,
    state: TaskState,
    now: Timestamp,
) -> Result<(), AppError> {
    let done = (state == TaskState::Done).then_some((now, DoneBy::Import));
    plans::set_task_state(tx, task, state, done);
    let subject = Subject::Task(task.id);
    let what = match state {
        TaskState::Done => Change::TaskDone,
        TaskState::Dropped => Change::TaskDropped,
        TaskState::Open => return Ok(()),
    };
    nudges::close_subject(tx, person.candidate.id, subject, Ended::Withdrawn, now);
    turn::play(
        app,
        tx,
        person,
        Event::Changed {
            what,
            subject,
            by: None,
        },
        now,
    )
    .await
}

/// A task has another due day. What was to be asked of the old one is taken back: its rows of the ledger, and a
/// question that has not left, also after approval.
pub async fn due_day_changed(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    task: &Task,
    now: Timestamp,
) -> Result<(), AppError> {
    let (candidate, subject) = (person.candidate.id, Subject::Task(task.id));
    nudges::close_subject(tx, candidate, subject, Ended::Withdrawn, now);
    for message in outbox::unsent(tx, candidate).await? {
        let ours = message.author.is_none() && message.subject == subject;
        if ours
            && message.state.may_become(MessageState::Cancelled)
            && nudges::is_nudge(tx, message.id).await?
        {
            effects::withdraw(tx, &message, "overtaken", now);
            outcome::dropped(app, tx, &message, person, now).await?;
        }
    }
    Ok(())
}
