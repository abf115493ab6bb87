//! Plans, their tasks, and the meetings a talk looks at.

use chrono::NaiveDate;

use super::Serves;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{Value, bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::ids::{CandidateId, OrganisationId, PlanId, TaskId};
use crate::domain::plan::{
    DoneBy, Meeting, MeetingKind, MeetingMode, MeetingState, Plan, Task, TaskState,
};
use crate::domain::time::Timestamp;

statements! {
    CURRENT = "SELECT id, goal_sealed, started_on, version FROM plans WHERE candidate_id = $1 AND ended_on IS NULL";
    CURRENT_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT p.id, p.candidate_id, p.goal_sealed, p.started_on, p.version FROM want w JOIN plans p ON p.candidate_id = w.id AND p.ended_on IS NULL" };
    INSERT = "INSERT INTO plans (id, candidate_id, goal_sealed, started_on, ref_hash, version) VALUES ($1, $2, $3, $4, $5, 0)";
    BY_REF = "SELECT id, candidate_id, started_on FROM plans WHERE ref_hash = $1";
    GOAL = "UPDATE plans SET goal_sealed = $2, version = version + 1 WHERE id = $1";
    LOCK = "UPDATE plans SET version = version + 1 WHERE candidate_id = $1 AND ended_on IS NULL";
    UPDATE = "UPDATE plans SET goal_sealed = $2, started_on = $3, version = version + 1 WHERE id = $1";
    TASKS = "SELECT id, number, title_sealed, state, due_on, done_at, version FROM tasks WHERE plan_id = $1 ORDER BY number";
    TASKS_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT t.id, t.plan_id, t.number, t.title_sealed, t.state, t.due_on, t.done_at, t.version FROM want w JOIN tasks t ON t.plan_id = w.id ORDER BY t.number" };
    TASK_ADD = "INSERT INTO tasks (id, plan_id, candidate_id, number, title_sealed, state, due_on, done_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
    TASK_STATE = { batch: "WITH next (id, version, state, done_at, done_by) AS (", columns: [Text, Int, Text, Int, Text], tail: ") UPDATE tasks SET state = next.state, done_at = next.done_at, done_by = next.done_by, version = tasks.version + 1 FROM next WHERE tasks.id = next.id AND tasks.version = next.version RETURNING tasks.version" };
    TASK_UPDATE = "UPDATE tasks SET title_sealed = $3, due_on = $4, version = version + 1 WHERE id = $1 AND version = $2";
    TASK_DUE = { batch: "WITH next (id, version, due_on) AS (", columns: [Text, Int, Text], tail: ") UPDATE tasks SET due_on = next.due_on, version = tasks.version + 1 FROM next WHERE tasks.id = next.id AND tasks.version = next.version RETURNING tasks.version" };
    MEETINGS = "SELECT id, kind, mode, state, slot_id, starts_at, ends_at, place, version FROM meetings WHERE candidate_id = $1 AND state IN ('proposed', 'booked', 'held', 'missed') ORDER BY id";
    MEETINGS_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT m.candidate_id, m.id, m.kind, m.mode, m.state, m.slot_id, m.starts_at, m.ends_at, m.place, m.version FROM want w JOIN meetings m ON m.candidate_id = w.id AND m.state IN ('proposed', 'booked', 'held', 'missed') ORDER BY m.id" };
    DUE = "SELECT t.id, t.candidate_id, t.due_on FROM tasks t JOIN candidates c ON c.id = t.candidate_id WHERE t.state = 'open' AND t.due_on >= $1 AND t.due_on <= $2 AND c.organisation_id = $3 AND NOT EXISTS (SELECT 1 FROM nudges n WHERE n.candidate_id = t.candidate_id AND n.rule IN ('task_due', 'task_late') AND n.subject = 'task:' || t.id AND n.due_on = t.due_on) ORDER BY t.due_on, t.id LIMIT $4";
}

fn task_of(row: &Row, sealer: &Sealer) -> Result<Task, StoreError> {
    let id: TaskId = row.parsed("id")?;
    Ok(Task {
        id,
        number: row.count("number")?,
        title: sealer.open_text(
            "tasks",
            "title_sealed",
            &id.to_string(),
            &row.blob("title_sealed")?,
        )?,
        state: row.word("state", TaskState::parse)?,
        due_on: row.maybe_parsed("due_on")?,
        done_at: row.maybe_at("done_at")?,
        version: row.int("version")?,
    })
}

fn meeting_of(row: &Row) -> Result<Meeting, StoreError> {
    let state = row.word("state", MeetingState::parse)?;
    // The moment that somebody gave back stays in the row for calendars only.
    let known = |at| (state != MeetingState::Proposed).then_some(at).flatten();
    Ok(Meeting {
        id: row.parsed("id")?,
        kind: row.word("kind", MeetingKind::parse)?,
        mode: row.word("mode", MeetingMode::parse)?,
        state,
        slot: row.maybe_parsed("slot_id")?,
        starts_at: known(row.maybe_at("starts_at")?),
        ends_at: known(row.maybe_at("ends_at")?),
        place: row.maybe_text("place")?,
        version: row.int("version")?,
    })
}

/// The running plan with its tasks and the person's meetings; an empty plan if there is none.
pub async fn plan(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let current = tx
        .rows_of(&CURRENT, candidate.to_string(), bind![candidate])
        .await?;
    if let Some(row) = current.first() {
        let id: PlanId = row.parsed("id")?;
        plan.goal = sealer.open_text(
            "plans",
            "goal_sealed",
            &id.to_string(),
            &row.blob("goal_sealed")?,
        )?;
        plan.id = Some(id);
        plan.tasks = tasks(tx, sealer, id).await?;
    }
    plan.meetings = meetings(tx, candidate).await?;
    Ok(plan)
}

/// The meetings of this person, coming and past, without those that were called off.
pub async fn meetings(tx: &mut Tx, candidate: CandidateId) -> Result<Vec<Meeting>, StoreError> {
    tx.rows_of(&MEETINGS, candidate.to_string(), bind![candidate])
        .await?
        .iter()
        .map(meeting_of)
        .collect()
}

/// Fetches ahead what `meetings` says of these people, in one statement.
pub async fn meetings_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    serves: Serves,
) -> Result<(), StoreError> {
    let keys = keys(candidates);
    tx.fetch_ahead(&MEETINGS_MANY, &MEETINGS, "candidate_id", keys, serves)
        .await
}

fn keys(candidates: &[CandidateId]) -> Vec<(String, Vec<Value>)> {
    let key = |id: &CandidateId| (id.to_string(), bind![id]);
    candidates.iter().map(key).collect()
}

/// Fetches ahead the running plans of these people, with tasks and meetings.
pub async fn fetch_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    serves: Serves,
) -> Result<(), StoreError> {
    let keys = keys(candidates);
    tx.fetch_ahead(&CURRENT_MANY, &CURRENT, "candidate_id", keys, serves)
        .await?;
    meetings_ahead(tx, candidates, serves).await?;
    let mut plans = Vec::with_capacity(candidates.len());
    for id in candidates {
        for row in tx.ahead(&CURRENT, &id.to_string()).iter() {
            let plan = row.text("id")?;
            plans.push((plan.clone(), bind![plan]));
        }
    }
    tx.fetch_ahead(&TASKS_MANY, &TASKS, "plan_id", plans, serves)
        .await
}

/// The tasks of a plan, running or ended, by their number.
pub async fn tasks(tx: &mut Tx, sealer: &Sealer, plan: PlanId) -> Result<Vec<Task>, StoreError> {
    tx.rows_of(&TASKS, plan.to_string(), bind![plan])
        .await?
        .iter()
        .map(|row| task_of(row, sealer))
        .collect()
}

/// A plan for a candidate who has none running. `reference` is the caller's own id.
pub async fn add(
    tx: &mut Tx,
    sealer: &Sealer,
    id: PlanId,
    candidate: CandidateId,
    goal: &str,
    started_on: NaiveDate,
    reference: Option<&str>,
) -> Result<(), StoreError> {
    let sealed = sealer.seal("plans", "goal_sealed", &id.to_string(), goal.as_bytes());
    let hash = reference.map(|text| tx.hash("plan_ref", text));
    tx.changed(candidate);
    tx.run(&INSERT, bind![id, candidate, sealed, started_on, hash])
        .await
        .map(drop)
}

/// The plan that carries the caller's own id: plan, candidate, first day.
pub async fn by_ref(
    tx: &mut Tx,
    reference: &str,
) -> Result<Option<(PlanId, CandidateId, NaiveDate)>, StoreError> {
    let hash = tx.hash("plan_ref", reference);
    tx.maybe(&BY_REF, bind![hash])
        .await?
        .map(|row| {
            Ok((
                row.parsed("id")?,
                row.parsed("candidate_id")?,
                row.parsed("started_on")?,
            ))
        })
        .transpose()
}

pub async fn update(
    tx: &mut Tx,
    sealer: &Sealer,
    id: PlanId,
    goal: &str,
    started_on: NaiveDate,
) -> Result<(), StoreError> {
    let sealed = sealer.seal("plans", "goal_sealed", &id.to_string(), goal.as_bytes());
    tx.save(&UPDATE, bind![id, sealed, started_on]).await
}

/// What the plan is for, in other words.
pub async fn set_goal(
    tx: &mut Tx,
    sealer: &Sealer,
    id: PlanId,
    goal: &str,
) -> Result<(), StoreError> {
    let sealed = sealer.seal("plans", "goal_sealed", &id.to_string(), goal.as_bytes());
    tx.save(&GOAL, bind![id, sealed]).await
}

/// The running plan is this transaction's until its end: whoever comes second waits, then reads what the first wrote.
pub async fn lock(tx: &mut Tx, candidate: CandidateId) -> Result<(), StoreError> {
    tx.run(&LOCK, bind![candidate]).await.map(drop)
}

pub async fn add_task(
    tx: &mut Tx,
    sealer: &Sealer,
    plan: PlanId,
    candidate: CandidateId,
    task: &Task,
) -> Result<(), StoreError> {
    let sealed = sealer.seal(
        "tasks",
        "title_sealed",
        &task.id.to_string(),
        task.title.as_bytes(),
    );
    tx.changed(candidate);
    tx.run(
        &TASK_ADD,
        bind![
            task.id,
            plan,
            candidate,
            task.number,
            sealed,
            task.state.as_str(),
            task.due_on,
            task.done_at
        ],
    )
    .await
    .map(drop)
}

/// Title and due day as the task has them now.
pub async fn update_task(tx: &mut Tx, sealer: &Sealer, task: &Task) -> Result<(), StoreError> {
    let sealed = sealer.seal(
        "tasks",
        "title_sealed",
        &task.id.to_string(),
        task.title.as_bytes(),
    );
    tx.save(
        &TASK_UPDATE,
        bind![task.id, task.version, sealed, task.due_on],
    )
    .await
}

/// If the task is no longer as it was read, what comes next in this transaction is `Stale`.
pub fn set_task_state(
    tx: &mut Tx,
    task: &Task,
    state: TaskState,
    done: Option<(Timestamp, DoneBy)>,
) {
    let (at, by) = (done.map(|(at, _)| at), done.map(|(_, by)| by.as_str()));
    tx.save_later(
        &TASK_STATE,
        bind![task.id, task.version, state.as_str(), at, by],
    );
}

/// As `set_task_state`.
pub fn set_due(tx: &mut Tx, task: &Task, due_on: NaiveDate) {
    tx.save_later(&TASK_DUE, bind![task.id, task.version, due_on]);
}

/// An open task whose due day lies in a range and for which that day has no row in the ledger yet.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub task: TaskId,
    pub candidate: CandidateId,
    pub due_on: NaiveDate,
}

/// Read in the order of the index on (state, due_on): the work grows with what is due.
pub async fn due(
    tx: &mut Tx,
    organisation: OrganisationId,
    from: NaiveDate,
    to: NaiveDate,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    tx.all(&DUE, bind![from, to, organisation, limit])
        .await?
        .iter()
        .map(|row| {
            Ok(Due {
                task: row.parsed("id")?,
                candidate: row.parsed("candidate_id")?,
                due_on: row.parsed("due_on")?,
            })
        })
        .collect()
}
