//! "Away for a while": a coach names who stands in and until when, and says when they are back; and for
//! whom they stand in themselves. A lasting transfer is on the page of the candidate.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::agenda::view::Choice;
use crate::app::absence::{self, Absence};
use crate::domain::ids::CoachId;
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

#[derive(Debug, Clone, Serialize)]
pub struct AwayPage {
    pub wide: bool,
    /// Until when, and who stands in; empty: the coach is there.
    pub now: String,
    /// For whom this coach stands in, a sentence each.
    pub for_others: Vec<String>,
    /// Who can stand in; empty: nobody is in a team with this coach.
    pub colleagues: Vec<Choice>,
    /// The first day that can be chosen, and the one that stands there.
    pub least: String,
    pub day: String,
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let zone = desk.app.house(scope.organisation)?.zone;
    let today = desk.app.now().local_day(zone);
    let absence = absence::of(&desk.app, scope).await?;
    let mut frame = desk
        .frame(&visit, At::Agenda, words.say("away.title"), String::new())
        .await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &shown(words, &absence, today))
}

fn shown(words: &Words, absence: &Absence, today: NaiveDate) -> AwayPage {
    let told = |key: &str, name: &str, until: NaiveDate| {
        let when = words.day(until);
        words.fill(key, &[("name", name), ("when", &when)])
    };
    let own = absence.own.as_ref();
    let chosen = own.map(|(id, ..)| *id);
    AwayPage {
        wide: false,
        now: own.map_or_else(String::new, |(_, name, until)| {
            told("away.now", name, *until)
        }),
        for_others: absence
            .for_others
            .iter()
            .map(|(name, until)| told("away.for_other", name, *until))
            .collect(),
        colleagues: absence
            .colleagues
            .iter()
            .map(|(id, name)| Choice {
                value: id.to_string(),
                word: name.clone(),
                chosen: Some(*id) == chosen,
            })
            .collect(),
        least: today.to_string(),
        day: own
            .map_or_else(|| today + Days::new(7), |(.., until)| *until)
            .to_string(),
    }
}

/// The coach is away from now on. Whom it matters to, hears it after somebody looked at the words.
pub async fn leave(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&["vervanger", "tot"])?;
    let stand_in: CoachId = visit.fields.parsed("vervanger")?;
    let until: NaiveDate = visit.fields.parsed("tot")?;
    absence::away(&desk.app, visit.scope()?, stand_in, until).await?;
    Ok(Redirect::to("/weg?gedaan=away").into_response())
}

pub async fn back(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    absence::back(&desk.app, visit.scope()?).await?;
    Ok(Redirect::to("/weg?gedaan=back").into_response())
}

impl Page for AwayPage {
    const TEMPLATE: &'static str = "away";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let there = Self {
            wide: false,
            now: String::new(),
            for_others: Vec::new(),
            colleagues: vec![Choice {
                value: "01J00000000000000000000001".into(),
                word: "Ilse van der Berg-Oyelaran".into(),
                chosen: false,
            }],
            least: "2026-11-24".into(),
            day: "2026-12-01".into(),
        };
        let until = [("name", "Ilse"), ("when", "vrijdag 4 december")];
        let mut away = there.clone();
        away.now = words.fill("away.now", &until);
        away.for_others = vec![words.fill("away.for_other", &until)];
        let mut alone = there.clone();
        alone.colleagues = Vec::new();
        vec![("there", there), ("away", away), ("alone", alone)]
    }
}
