//! Plans and their tasks. A plan belongs to a candidate whom the house knows, a task to such a plan.

use std::collections::HashSet;

use super::{Changed, Differs, Mode, Run};
use crate::app::import::sheet::{Kind, Line, PlanRow, TaskRow};
use crate::app::{AppError, plan, turn};
use crate::domain::ids::PlanId;
use crate::domain::plan::{Task, TaskState};
use crate::store::arrivals::{self, KnownPlan, NewPlan};
use crate::store::imports::{self, Saying};
use crate::store::{Tx, plans};

impl Run<'_> {
    pub(super) async fn plans(
        &mut self,
        tx: &mut Tx,
        lines: &[Line<PlanRow>],
    ) -> Result<(), AppError> {
        let refs = lines.iter().map(|line| line.row.candidate_ref.as_str());
        let people = arrivals::by_refs(tx, self.organisation, refs).await?;
        let ids = people.values().map(|(id, _)| *id);
        let running = arrivals::with_running_plan(tx, ids).await?;
        let refs = lines.iter().map(|line| self.plan_ref(&line.row.reference));
        let found = arrivals::plans_by_refs(tx, refs).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for line in lines {
            let row = &line.row;
            let person = people.get(row.candidate_ref.as_str()).copied();
            if person.is_none() && !self.ahead.candidates.contains(&row.candidate_ref) {
                let expected = "the ref of a candidate who is known";
                self.wrong(line.line, "candidate_ref", expected);
                continue;
            }
            match found.get(&self.plan_ref(&row.reference)) {
                Some(plan) if person.is_none_or(|(id, _)| id != plan.candidate) => {
                    let expected = "the candidate whose plan this is";
                    self.wrong(line.line, "candidate_ref", expected);
                }
                Some(plan) => known.push((line, *plan)),
                None => {
                    let runs = person.is_some_and(|(id, _)| running.contains(&id));
                    if runs || !self.ahead.planned.insert(row.candidate_ref.clone()) {
                        let expected = "a candidate without another running plan";
                        self.wrong(line.line, "candidate_ref", expected);
                    } else {
                        new.push((line, person));
                    }
                }
            }
        }
        if self.mode == Mode::Check {
            return Ok(());
        }
        let says = |(line, plan): &(&Line<PlanRow>, KnownPlan)| {
            Saying::of(tx, &format!("plan:{}", plan.id), &line.cells)
        };
        let sayings: Vec<Saying> = known.iter().map(says).collect();
        let changed = imports::changed(tx, &sayings).await?;
        let mut news = Vec::new();
        for (((line, plan), saying), cells) in known.into_iter().zip(sayings).zip(changed) {
            let changed = Changed::of(Kind::Plans, &cells);
            if changed.is_empty() {
                self.counts.unchanged += 1;
                continue;
            }
            news.push(saying);
            self.known_plan(tx, line, plan, &changed).await?;
        }
        self.counts.created += new.len();
        let mut made = Vec::new();
        for (line, person) in new {
            self.ahead.plans.insert(line.row.reference.clone());
            let (Mode::Store, Some((candidate, key))) = (self.mode, person) else {
                continue;
            };
            let id: PlanId = self.app.id(self.now);
            news.push(Saying::of(tx, &format!("plan:{id}"), &line.cells));
            made.push(NewPlan {
                id,
                candidate,
                key,
                goal: &line.row.goal,
                started_on: line.row.started_on,
                reference: self.plan_ref(&line.row.reference),
            });
        }
        arrivals::plans(tx, &made).await?;
        self.remember(tx, news).await
    }

    async fn known_plan(
        &mut self,
        tx: &mut Tx,
        line: &Line<PlanRow>,
        plan: KnownPlan,
        changed: &Changed,
    ) -> Result<(), AppError> {
        let row = &line.row;
        let sealer = tx.sealer(plan.key).await?;
        let running = plans::plan(tx, &sealer, plan.candidate).await?;
        let known = plans::by_ref(tx, &self.plan_ref(&row.reference)).await?;
        let mut started_on = known.map_or(row.started_on, |(_, _, day)| day);
        // The goal of a plan that has ended is not read any more, so the caller's is taken.
        let mut goal = if running.id == Some(plan.id) {
            running.goal
        } else {
            row.goal.clone()
        };
        let mut differs = Differs::new(changed);
        differs.set("goal", &mut goal, &row.goal);
        differs.set("started_on", &mut started_on, &row.started_on);
        if self.mode == Mode::Store && differs.any() {
            plans::update(tx, &sealer, plan.id, &goal, started_on).await?;
            tx.changed(plan.candidate);
        }
        self.count(line.line, differs.columns);
        Ok(())
    }

    /// A plan's ref is the caller's own, and two organisations may count alike.
    fn plan_ref(&self, reference: &str) -> String {
        format!("{}|{reference}", self.organisation)
    }

    pub(super) async fn tasks(
        &mut self,
        tx: &mut Tx,
        lines: &[Line<TaskRow>],
    ) -> Result<(), AppError> {
        let refs = lines.iter().map(|line| self.plan_ref(&line.row.plan_ref));
        let found = arrivals::plans_by_refs(tx, refs).await?;
        let ids: HashSet<PlanId> = found.values().map(|plan| plan.id).collect();
        let there = arrivals::tasks_of(tx, &ids).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for line in lines {
            let row = &line.row;
            let Some(plan) = found.get(&self.plan_ref(&row.plan_ref)).copied() else {
                if self.ahead.plans.contains(&row.plan_ref) {
                    self.counts.created += 1;
                } else {
                    self.wrong(line.line, "plan_ref", "the ref of a plan that is known");
                }
                continue;
            };
            match there.get(&(plan.id, row.number)) {
                Some(id) => known.push((line, plan, *id)),
                None => new.push((line, plan)),
            }
        }
        if self.mode == Mode::Check {
            return Ok(());
        }
        let says = |(line, _, id): &(&Line<TaskRow>, KnownPlan, _)| {
            Saying::of(tx, &format!("task:{id}"), &line.cells)
        };
        let sayings: Vec<Saying> = known.iter().map(says).collect();
        let changed = imports::changed_since(tx, &sayings).await?;
        let mut news = Vec::new();
        for (((line, plan, _), saying), cells) in known.into_iter().zip(sayings).zip(changed) {
            let Some(cells) = cells else {
                let expected = "a number that no coach gave to a step of their own";
                self.wrong(line.line, "number", expected);
                continue;
            };
            let changed = Changed::of(Kind::Tasks, &cells);
            if changed.is_empty() {
                self.counts.unchanged += 1;
                continue;
            }
            news.push(saying);
            self.known_task(tx, line, plan, &changed).await?;
        }
        self.counts.created += new.len();
        let mut made = Vec::new();
        for (line, plan) in new.into_iter().filter(|_| self.mode == Mode::Store) {
            let row = &line.row;
            let task = Task {
                id: self.app.id(self.now),
                number: row.number,
                title: row.title.clone(),
                state: row.state,
                due_on: row.due_on,
                done_at: (row.state == TaskState::Done).then_some(self.now),
                version: 0,
            };
            news.push(Saying::of(tx, &format!("task:{}", task.id), &line.cells));
            made.push((plan, task));
        }
        arrivals::tasks(tx, &made).await?;
        self.remember(tx, news).await
    }

    /// The task is read anew: what a talk did with the plan after a row before this one counts.
    async fn known_task(
        &mut self,
        tx: &mut Tx,
        line: &Line<TaskRow>,
        plan: KnownPlan,
        changed: &Changed,
    ) -> Result<(), AppError> {
        let row = &line.row;
        let sealer = tx.sealer(plan.key).await?;
        let tasks = plans::tasks(tx, &sealer, plan.id).await?;
        let Some(mut task) = tasks.into_iter().find(|task| task.number == row.number) else {
            self.wrong(
                line.line,
                "number",
                "a task that is not taken away meanwhile",
            );
            return Ok(());
        };
        let mut differs = Differs::new(changed);
        let due_on = task.due_on;
        differs.set("title", &mut task.title, &row.title);
        differs.set("due_on", &mut task.due_on, &row.due_on);
        if self.mode == Mode::Store && differs.any() {
            plans::update_task(tx, &sealer, &task).await?;
            task.version += 1;
            tx.changed(plan.candidate);
            if task.due_on != due_on {
                let person = turn::person(tx, plan.candidate).await?;
                plan::due_day_changed(self.app, tx, &person, &task, self.now).await?;
            }
        }
        if changed.has("state") && task.state != row.state {
            differs.columns.push("state");
            if self.mode == Mode::Store {
                let person = turn::person(tx, plan.candidate).await?;
                plan::set_task_state(self.app, tx, &person, &task, row.state, self.now).await?;
            }
        }
        self.count(line.line, differs.columns);
        Ok(())
    }
}
