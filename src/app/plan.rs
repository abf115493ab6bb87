//! Changes to a plan that do not come from the talk: by an import or a coach. Each ends in an event, so
//! that an open question about the changed thing does not stay open.

use super::{App, AppError, turn};
use crate::domain::nudge::Ended;
use crate::domain::plan::{DoneBy, Subject, Task, TaskState};
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::nudges;
use crate::store::{Tx, plans};

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
