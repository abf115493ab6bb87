//! The start page: the clock and the people beside one phone and the coach's own pages, each in a frame.

use std::convert::Infallible;
use std::time::Duration;

use axum::Form as Posted;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use futures_util::stream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;

use super::clock::{self, Goal};
use super::{Demo, Form, Refusal, Visitor};
use crate::app::seed;
use crate::app::sign_in;
use crate::app::town::{self, Neighbour, Standing};
use crate::web::session::set_cookie;
use crate::web::view::{Page, initials};
use crate::web::words::Words;

/// The clock on the page is read again at least this often.
const TICK: Duration = Duration::from_secs(20);
/// How each coach's button is known.
const KEYS: [&str; 2] = ["noor", "joris"];

#[derive(Debug, Clone, Serialize)]
pub struct DemoPage {
    pub day: String,
    pub time: String,
    pub password: String,
    pub coaches: Vec<CoachButton>,
    pub people: Vec<Phone>,
    pub phone: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct CoachButton {
    pub key: String,
    pub name: String,
    pub mail: String,
}

/// One person in the list of phones.
#[derive(Debug, Clone, Serialize)]
pub struct Phone {
    pub id: String,
    pub name: String,
    pub initials: String,
    pub tone: &'static str,
    pub standing: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    telefoon: String,
}

pub async fn page(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Visitor(words): Visitor,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Refusal> {
    // `localhost` is another origin than 127.0.0.1, and forms would be refused from there.
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    if host.is_some_and(|host| host.starts_with("localhost"))
        && demo.public_url.host_str() != Some("localhost")
        && let Ok(there) = demo.public_url.join("demo")
    {
        return Ok(Redirect::to(there.as_str()).into_response());
    }
    let people = town::neighbours(&demo.app).await?;
    let zone = demo.house()?.zone;
    let now = demo.app.now();
    let first = people
        .iter()
        .find(|person| person.id.to_string() == chosen.telefoon);
    let first = first
        .or(people.first())
        .ok_or(Refusal(StatusCode::NOT_FOUND))?;
    let page = DemoPage {
        day: words.day(now.local_day(zone)),
        time: words.clock(now, zone),
        password: seed::PASSWORD.to_owned(),
        coaches: coaches(),
        phone: first.id.to_string(),
        people: people.iter().map(|person| listed(&words, person)).collect(),
    };
    demo.page(
        words.locale,
        words.say("demo.title"),
        "/demo/news".into(),
        &page,
    )
}

fn coaches() -> Vec<CoachButton> {
    KEYS.iter()
        .zip(seed::coach_names())
        .map(|(key, (name, mail))| CoachButton {
            key: (*key).to_owned(),
            name: name.to_owned(),
            mail: mail.to_owned(),
        })
        .collect()
}

fn listed(words: &Words, person: &Neighbour) -> Phone {
    let tone = match person.standing {
        Standing::Draft => "brand",
        Standing::Wrote | Standing::WithCoach | Standing::Unknown => "wait",
        Standing::Left => "alarm",
        Standing::Asked | Standing::Steps if person.steps > 0 && person.done == person.steps => {
            "good"
        }
        _ => "",
    };
    let key = format!("demo.standing.{}", person.standing.as_str());
    let (done, steps) = (person.done.to_string(), person.steps.to_string());
    let name = if person.name.is_empty() {
        &person.number
    } else {
        &person.name
    };
    Phone {
        id: person.id.to_string(),
        name: name.clone(),
        initials: initials(name),
        tone,
        standing: words.fill(&key, &[("done", &done), ("steps", &steps)]),
    }
}

/// What stands in the coach's frame until somebody is signed in: the sign-in page would take the focus,
/// and on a small screen scroll the start page away.
#[derive(Debug, Clone, Serialize)]
pub struct DeskPage {
    pub wide: bool,
    pub text: String,
}

impl DeskPage {
    fn new(words: &Words) -> Self {
        let [(name, _), _] = seed::coach_names();
        Self {
            wide: false,
            text: words.fill("demo.desk.signed_out", &[("name", name)]),
        }
    }
}

impl Page for DeskPage {
    const TEMPLATE: &'static str = "desk";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        vec![("signed-out", Self::new(words))]
    }
}

pub async fn desk(
    State(demo): State<Demo>,
    jar: CookieJar,
    Visitor(words): Visitor,
) -> Result<Response, Refusal> {
    if let Some(cookie) = jar.get(demo.cookies.session)
        && sign_in::session(&demo.app, demo.limits, cookie.value())
            .await?
            .is_some()
    {
        return Ok(Redirect::to("/vandaag").into_response());
    }
    let title = words.say("demo.desk.heading");
    demo.page(words.locale, title, String::new(), &DeskPage::new(&words))
}

/// Puts the clock forward.
pub async fn clock(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Posted(form): Posted<Form>,
) -> Result<Redirect, Refusal> {
    demo.proven(&headers, &form)?;
    let goal = form.get("to").and_then(|to| Goal::parse(to));
    let goal = goal.ok_or(Refusal(StatusCode::BAD_REQUEST))?;
    let zone = demo.house()?.zone;
    clock::forward(&demo, goal, zone).await?;
    Ok(Redirect::to("/demo"))
}

/// Signs one of the two coaches in, as the sign-in page would.
pub async fn sign_in(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Posted(form): Posted<Form>,
) -> Result<Response, Refusal> {
    demo.proven(&headers, &form)?;
    let wanted = form.get("coach").map_or("", String::as_str);
    let coach = coaches().into_iter().find(|coach| coach.key == wanted);
    let coach = coach.ok_or(Refusal(StatusCode::BAD_REQUEST))?;
    let password = SecretString::from(seed::PASSWORD.to_owned());
    let credentials = (coach.mail.as_str(), &password);
    let signed = sign_in::sign_in(
        &demo.app,
        &demo.gate,
        demo.limits,
        credentials,
        "demo",
        None,
    )
    .await?;
    let mut response = Redirect::to("/vandaag").into_response();
    match signed {
        Ok(token) => {
            set_cookie(
                &mut response,
                &demo.cookies.set(demo.cookies.session, &token, None),
            );
            Ok(response)
        }
        // Somebody chose another password: then they know it.
        Err(_) => Ok(Redirect::to("/inloggen").into_response()),
    }
}

/// Says that clock and people are old, whenever something changed and now and then.
pub async fn news(State(demo): State<Demo>) -> Response {
    let heard = demo.app.store.bells().listen();
    let events = stream::unfold(heard, |mut heard| async move {
        if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(TICK, heard.recv()).await {
            return None;
        }
        // What changed together is told once.
        while heard.try_recv().is_ok() {}
        let event: Result<Event, Infallible> =
            Ok(Event::default().event("deel").data("clock people"));
        Some((event, heard))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl Page for DemoPage {
    const TEMPLATE: &'static str = "demo";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let person = |n: usize, name: &str, tone: &'static str, key: &str| Phone {
            id: format!("01J0000000000000000000000{n}"),
            name: name.to_owned(),
            initials: initials(name),
            tone,
            standing: words.fill(key, &[("done", "1"), ("steps", "3")]),
        };
        let page = Self {
            day: words.day(chrono::NaiveDate::default()),
            time: "08:52".into(),
            password: seed::PASSWORD.into(),
            coaches: coaches(),
            phone: "01J00000000000000000000001".into(),
            people: vec![
                person(1, "Samira el Amrani", "", "demo.standing.steps"),
                person(
                    2,
                    "<script>alert(1)</script>",
                    "brand",
                    "demo.standing.draft",
                ),
                person(3, "Fatma Yildiz", "alarm", "demo.standing.left"),
            ],
        };
        vec![("town", page)]
    }
}
