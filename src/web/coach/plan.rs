//! The page on which a coach writes down what was agreed: the goal, and the steps towards it. A coach adds,
//! changes and drops steps; only the candidate says that one is done.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::NaiveDate;
use serde::Serialize;

use super::said::{self, candidate_of};
use crate::app::plan::{self, Written};
use crate::app::{AppError, desk};
use crate::domain::ids::{CandidateId, TaskId};
use crate::domain::plan::TaskState;
use crate::web::error::WebError;
use crate::web::session::{Fields, Visit};
use crate::web::told::{Done, told};
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let case = desk::case(&desk.app, scope, id).await?;
    let name = [("name", case.person.candidate.first_name.as_str())];
    let today = desk
        .app
        .now()
        .local_day(desk.app.house(scope.organisation)?.zone);
    let steps = case.plan.tasks.iter().map(|task| Step {
        person: id.to_string(),
        id: task.id.to_string(),
        version: task.version,
        number: task.number,
        title: task.title.clone(),
        day: task.due_on.map(|day| day.to_string()).unwrap_or_default(),
        open: task.state == TaskState::Open,
        done: task.state == TaskState::Done,
        dropped: task.state == TaskState::Dropped,
        state: match task.state {
            TaskState::Open => String::new(),
            TaskState::Done => words.say("plan.task_done"),
            TaskState::Dropped => words.say("plan.task_dropped"),
        },
    });
    let page = PlanPage {
        wide: false,
        id: id.to_string(),
        heading: words.fill("plan.of", &name),
        about: words.fill("plan.about", &name),
        goal: case.plan.goal.clone(),
        begun: case.plan.id.is_some(),
        today: today.to_string(),
        steps: steps.collect(),
    };
    let news = format!("/nieuws?kandidaat={id}");
    let title = page.heading.clone();
    let mut frame = desk.frame(&visit, At::Candidates, title, news).await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

pub async fn goal(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["doel"])?;
    plan::set_goal(&desk.app, visit.scope()?, id, visit.fields.text("doel")?).await?;
    Ok(go(id, "goal_set"))
}

pub async fn add(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["stap", "dag"])?;
    let step = written(&visit.fields)?;
    plan::add_step(&desk.app, visit.scope()?, id, &step).await?;
    Ok(go(id, "step_added"))
}

pub async fn change(
    State(desk): State<Desk>,
    visit: Visit,
    Path((id, task)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["versie", "stap", "dag"])?;
    let step = written(&visit.fields)?;
    let seen = seen(&visit.fields, &task)?;
    plan::change_step(&desk.app, visit.scope()?, id, seen, &step).await?;
    Ok(go(id, "step_changed"))
}

pub async fn drop_it(
    State(desk): State<Desk>,
    visit: Visit,
    Path((id, task)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["versie", "stap", "dag"])?;
    let seen = seen(&visit.fields, &task)?;
    plan::drop_step(&desk.app, visit.scope()?, id, seen).await?;
    Ok(go(id, "step_dropped"))
}

/// Which step, and as the coach saw it.
fn seen(fields: &Fields, task: &str) -> Result<(TaskId, i64), WebError> {
    let task = task.parse().map_err(|_| WebError::NotFound)?;
    Ok((task, fields.parsed("versie")?))
}

fn written(fields: &Fields) -> Result<Written<'_>, WebError> {
    let due_on: Option<NaiveDate> = match fields.maybe("dag").trim() {
        "" => None,
        day => Some(day.parse().map_err(|_| AppError::No { why: "day" })?),
    };
    Ok(Written {
        title: fields.text("stap")?,
        due_on,
    })
}

fn go(id: CandidateId, key: &str) -> Response {
    let to = format!("{}/plan?gedaan={key}&kandidaat={id}", said::href(id));
    Redirect::to(&to).into_response()
}

#[derive(Debug, Clone, Serialize)]
pub struct PlanPage {
    pub wide: bool,
    pub id: String,
    pub heading: String,
    pub about: String,
    pub goal: String,
    /// There is a plan; without one there is only a goal to write.
    pub begun: bool,
    pub today: String,
    pub steps: Vec<Step>,
}

/// A step that can be changed while it is open.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub person: String,
    pub id: String,
    pub version: i64,
    pub number: u32,
    pub title: String,
    /// "2026-03-05", or empty.
    pub day: String,
    pub open: bool,
    pub done: bool,
    pub dropped: bool,
    /// What became of it; empty: it is open.
    pub state: String,
}

impl Page for PlanPage {
    const TEMPLATE: &'static str = "plan";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let person = "01J00000000000000000000001";
        let step = |number: u32, title: &str, day: &str, state: &str| Step {
            person: person.into(),
            id: format!("01J0000000000000000000001{number}"),
            version: 2,
            number,
            title: title.into(),
            day: day.into(),
            open: state.is_empty(),
            done: number == 1,
            dropped: number == 4,
            state: state.into(),
        };
        let full = Self {
            wide: false,
            id: person.into(),
            heading: words.fill("plan.of", &[("name", "Samira")]),
            about: words.fill("plan.about", &[("name", "Samira")]),
            goal: "werk als kapper".into(),
            begun: true,
            today: "2026-03-04".into(),
            steps: vec![
                step(1, "cv maken", "2026-03-02", &words.say("plan.task_done")),
                step(2, "<b>bellen</b> met O'Neill & Zn.", "2026-03-05", ""),
                step(3, "een proefles", "", ""),
                step(4, "foto's maken", "", &words.say("plan.task_dropped")),
            ],
        };
        let bare = Self {
            goal: String::new(),
            begun: false,
            steps: Vec::new(),
            ..full.clone()
        };
        vec![("full", full), ("none", bare)]
    }
}
