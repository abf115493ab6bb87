//! One page a person, and what a coach can do there: write, take over, give back, record, pause. How
//! thread, plan and forecast are shown is in `shown`.

pub mod file;
mod mix;
mod shown;
mod thread;
pub mod view;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::NaiveDate;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::drafts::moment_of;
use super::said::candidate_of;
use super::{said, work};
use crate::app::{AppError, absence, desk, look, note, takeover};
use crate::domain::ids::{CandidateId, CoachId, IncomingId};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::{At, Desk};

/// Which hidden text was opened, and the proof that it was by the button that the log knows of.
#[derive(Debug, Default, Deserialize)]
pub struct Opened {
    #[serde(default)]
    open: String,
    #[serde(default)]
    zegel: String,
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
    Query(opened): Query<Opened>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let case = desk::case(&desk.app, visit.scope()?, id).await?;
    let open: Option<IncomingId> = opened
        .open
        .parse()
        .ok()
        .filter(|open| sealed(&visit, *open, &opened.zegel));
    let mut page = shown::page(&desk, &visit, &case, open)?;
    page.work = vec![work::part(&desk, &visit, id).await?];
    let news = format!("/nieuws?kandidaat={id}");
    let mut frame = desk
        .frame(&visit, At::Candidates, page.name.clone(), news)
        .await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

fn go(id: CandidateId, key: &str) -> Response {
    Redirect::to(&format!("{}?gedaan={key}&kandidaat={id}", said::href(id))).into_response()
}

/// A message in the coach's own words, now or at a moment. The talk stays with whoever has it.
pub async fn write(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit
        .fields
        .only(&["versie", "tekst", "moment", "wanneer"])?;
    let scope = visit.scope()?;
    let at = match visit.fields.maybe("wanneer") {
        "later" => {
            let zone = desk.app.house(scope.organisation)?.zone;
            Some(moment_of(visit.fields.text("moment")?, zone)?)
        }
        "nu" | "" => None,
        _ => return Err(WebError::Bad),
    };
    let text = visit.fields.text("tekst")?;
    let message = takeover::write(&desk.app, scope, id, text, at).await?;
    let key = if at.is_some() { "planned" } else { "written" };
    Ok(Redirect::to(&format!(
        "{}?gedaan={key}&bericht={message}#schrijf",
        said::href(id)
    ))
    .into_response())
}

pub async fn take_over(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["versie", "tekst", "moment"])?;
    takeover::take_over(&desk.app, visit.scope()?, id).await?;
    Ok(go(id, "taken"))
}

pub async fn give_back(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["versie", "tekst", "moment"])?;
    takeover::give_back(&desk.app, visit.scope()?, id).await?;
    Ok(go(id, "given_back"))
}

pub async fn sign_of_life(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&[])?;
    note::sign_of_life(&desk.app, visit.scope()?, id).await?;
    Ok(go(id, "sign"))
}

pub async fn note(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["tekst"])?;
    note::note(&desk.app, visit.scope()?, id, visit.fields.text("tekst")?).await?;
    Ok(go(id, "noted"))
}

pub async fn pause(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["versie", "tot", "dag"])?;
    let scope = visit.scope()?;
    if visit.fields.text("tot")? == "nu" {
        takeover::pause(&desk.app, scope, id, None).await?;
        return Ok(go(id, "resumed"));
    }
    let day = match visit.fields.text("tot")? {
        "" => visit.fields.text("dag")?,
        day => day,
    };
    let until: NaiveDate = day.parse().map_err(|_| WebError::Bad)?;
    let zone = desk.app.house(scope.organisation)?.zone;
    if until < desk.app.now().local_day(zone) {
        return Err(AppError::No { why: "past" }.into());
    }
    takeover::pause(&desk.app, scope, id, Some(until)).await?;
    Ok(go(id, "paused"))
}

/// Another online share is agreed; an empty field is what goes for the digital skill.
pub async fn agree(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["deel"])?;
    let percent = match visit.fields.text("deel")?.trim() {
        "" => None,
        text => Some(text.parse().map_err(|_| WebError::Bad)?),
    };
    look::agree(&desk.app, visit.scope()?, id, percent).await?;
    Ok(go(id, "agreed"))
}

/// Another coach for good: the new one is introduced to the person by name.
pub async fn transfer(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["coach"])?;
    let to: CoachId = visit.fields.parsed("coach")?;
    absence::transfer(&desk.app, visit.scope()?, id, to).await?;
    Ok(go(id, "transferred"))
}

/// Opens one hidden text, for this session and this page; the log says who did.
pub async fn open(
    State(desk): State<Desk>,
    visit: Visit,
    Path((id, incoming)): Path<(String, String)>,
) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    let id = candidate_of(&id)?;
    let incoming: IncomingId = incoming.parse().map_err(|_| WebError::NotFound)?;
    let case = desk::case(&desk.app, visit.scope()?, id).await?;
    if !case.incoming.iter().any(|row| row.id == incoming) {
        return Err(WebError::NotFound);
    }
    note::opened(&desk.app, visit.scope()?, id, incoming).await?;
    let to = format!(
        "{}?open={incoming}&zegel={}&gedaan=opened&kandidaat={id}#b-{incoming}",
        said::href(id),
        seal(&visit, incoming)
    );
    Ok(Redirect::to(&to).into_response())
}

/// Only this session, after the form above, can name this text as opened.
fn seal(visit: &Visit, incoming: IncomingId) -> String {
    let secret = visit.session.as_deref().unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(format!("open|{incoming}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn sealed(visit: &Visit, incoming: IncomingId, given: &str) -> bool {
    bool::from(seal(visit, incoming).as_bytes().ct_eq(given.as_bytes()))
}
