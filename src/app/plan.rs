//! Changes to a plan that do not come from the talk: by an import or a coach. Each ends in an event, so
//! that an open question about the changed thing does not stay open.

use chrono::NaiveDate;

use super::{App, AppError, effects, outcome, takeover, turn};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, TaskId};
use crate::domain::message::MessageState;
use crate::domain::nudge::Ended;
use crate::domain::plan::{DoneBy, Plan, Subject, Task, TaskState};
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::sealed::Sealer;
use crate::store::{Tx, nudges, outbox, plans};

/// Characters of a goal or a step, as in an import.
const LONGEST: usize = 200;

/// A step as a coach writes it down.
pub struct Written<'a> {
    pub title: &'a str,
    pub due_on: Option<NaiveDate>,
}

/// A plan in the hands of a coach who is about to change it.
struct Hands {
    tx: Tx,
    person: Person,
    sealer: Sealer,
    plan: Plan,
    now: Timestamp,
}

impl Hands {
    async fn take(app: &App, scope: &Scope, candidate: CandidateId) -> Result<Self, AppError> {
        let mut tx = app.store.write().await?;
        let person = takeover::own(&mut tx, scope, candidate).await?;
        let sealer = tx.sealer(person.key).await?;
        // Nobody else gives a step a number until this is over.
        plans::lock(&mut tx, candidate).await?;
        let plan = plans::plan(&mut tx, &sealer, candidate).await?;
        Ok(Self {
            tx,
            person,
            sealer,
            plan,
            now: app.now(),
        })
    }

    /// The open step, as the coach saw it.
    fn open(&self, id: TaskId, version: i64) -> Result<Task, AppError> {
        let task = self.plan.task(id).ok_or(AppError::NotFound)?;
        if task.version != version || task.state != TaskState::Open {
            return Err(AppError::Overtaken { what: "step" });
        }
        Ok(task.clone())
    }

    fn today(&self, app: &App) -> Result<NaiveDate, AppError> {
        Ok(self
            .now
            .local_day(app.house(self.person.organisation)?.zone))
    }

    /// A day that is over is no day to do something on, unless it stood there before.
    fn day(
        &self,
        app: &App,
        day: Option<NaiveDate>,
        stood: Option<NaiveDate>,
    ) -> Result<(), AppError> {
        let today = self.today(app)?;
        if day != stood && day.is_some_and(|day| day < today) {
            return Err(AppError::No { why: "past" });
        }
        Ok(())
    }

    async fn done(mut self, app: &App, scope: &Scope, verb: &str) -> Result<(), AppError> {
        let candidate = self.person.candidate.id;
        takeover::note(app, &mut self.tx, scope, candidate, verb, self.now)
            .await
            .map_err(overtaken)?;
        self.tx.changed(candidate);
        Ok(self.tx.commit().await?)
    }
}

/// What the plan is for; the first goal begins a plan.
pub async fn set_goal(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    goal: &str,
) -> Result<(), AppError> {
    let goal = one_line(goal)?;
    let mut hands = Hands::take(app, scope, candidate).await?;
    let today = hands.today(app)?;
    let (tx, sealer) = (&mut hands.tx, &hands.sealer);
    match hands.plan.id {
        Some(id) => plans::set_goal(tx, sealer, id, &goal).await?,
        None => {
            let id = app.id(hands.now);
            plans::add(tx, sealer, id, candidate, &goal, today, None).await?;
        }
    }
    hands.done(app, scope, "plan_goal").await
}

/// A new step, with the next number of this plan: a number that somebody knows never means something else.
pub async fn add_step(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    step: &Written<'_>,
) -> Result<(), AppError> {
    let title = one_line(step.title)?;
    let mut hands = Hands::take(app, scope, candidate).await?;
    hands.day(app, step.due_on, None)?;
    let Some(plan) = hands.plan.id else {
        return Err(AppError::No { why: "no_plan" });
    };
    let numbers = hands.plan.tasks.iter().map(|task| task.number);
    let task = Task {
        id: app.id(hands.now),
        number: numbers.max().unwrap_or(0) + 1,
        title,
        state: TaskState::Open,
        due_on: step.due_on,
        done_at: None,
        version: 0,
    };
    plans::add_task(&mut hands.tx, &hands.sealer, plan, candidate, &task).await?;
    hands.done(app, scope, "step_add").await
}

/// Other words or another day for an open step. With another day, what was to be said about the old one is not.
pub async fn change_step(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    (id, version): (TaskId, i64),
    step: &Written<'_>,
) -> Result<(), AppError> {
    let title = one_line(step.title)?;
    let mut hands = Hands::take(app, scope, candidate).await?;
    let mut task = hands.open(id, version)?;
    hands.day(app, step.due_on, task.due_on)?;
    let moved = task.due_on != step.due_on;
    task.title = title;
    task.due_on = step.due_on;
    plans::update_task(&mut hands.tx, &hands.sealer, &task)
        .await
        .map_err(|error| overtaken(error.into()))?;
    if moved {
        let (tx, person) = (&mut hands.tx, &hands.person);
        due_day_changed(app, tx, person, &task, hands.now)
            .await
            .map_err(overtaken)?;
    }
    hands.done(app, scope, "step_change").await
}

/// The step need not be done any more. It keeps its number.
pub async fn drop_step(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    (id, version): (TaskId, i64),
) -> Result<(), AppError> {
    let mut hands = Hands::take(app, scope, candidate).await?;
    let task = hands.open(id, version)?;
    let (tx, person) = (&mut hands.tx, &hands.person);
    set_task_state(app, tx, person, &task, TaskState::Dropped, hands.now)
        .await
        .map_err(overtaken)?;
    hands.done(app, scope, "step_drop").await
}

/// The candidate was faster: with KLAAR, or LATER.
fn overtaken(error: AppError) -> AppError {
    match error {
        AppError::Store(error) if error.was_overtaken() => AppError::Overtaken { what: "step" },
        other => other,
    }
}

fn one_line(text: &str) -> Result<String, AppError> {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let text = text.trim();
    match text.chars().count() {
        0 => Err(AppError::No { why: "empty" }),
        1..=LONGEST => Ok(text.to_owned()),
        _ => Err(AppError::No { why: "step_long" }),
    }
}

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
