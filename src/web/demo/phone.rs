//! One phone: what came in, the answers that can be tapped, and a field to type in.

use std::convert::Infallible;

use axum::Form as Posted;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::phones::{self, Bubble};
use super::{Demo, Form, Refusal, Visitor};
use crate::app::town::{self, Neighbour};
use crate::domain::time::{Timestamp, Tz};
use crate::web::view::{Page, initials};
use crate::web::words::Words;

/// As long as WhatsApp allows.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Serialize)]
pub struct PhonePage {
    pub id: String,
    pub name: String,
    pub number: String,
    pub clock: String,
    /// To whom the person writes: the organisation.
    pub house: String,
    pub initials: String,
    pub coach: String,
    pub bubbles: Vec<Shown>,
    /// The answers below the newest message.
    pub taps: Vec<Tap>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    pub mine: bool,
    pub text: String,
    pub time: String,
    /// The day, where it begins.
    pub day: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Tap {
    pub message: String,
    pub payload: String,
    pub label: String,
}

pub async fn page(
    State(demo): State<Demo>,
    Visitor(words): Visitor,
    Path(candidate): Path<String>,
) -> Result<Response, Refusal> {
    let owner = owner(&demo, &candidate).await?;
    phones::looked(&demo, &owner).await?;
    let house = demo.house()?;
    let now = demo.app.now();
    let talk = demo.phones.of(&owner.number);
    let page = PhonePage {
        clock: words.clock(now, house.zone),
        house: house.name.clone(),
        initials: initials(&house.name),
        coach: owner.coach,
        bubbles: shown(&words, &talk, now, house.zone),
        taps: talk.last().map(taps).unwrap_or_default(),
        number: owner.number,
        name: owner.name,
        id: candidate.clone(),
    };
    let title = words.fill("demo.phone.title", &[("name", &owner.first_name)]);
    demo.page(
        words.locale,
        title,
        format!("/demo/phone/{candidate}/news"),
        &page,
    )
}

fn shown(words: &Words, talk: &[Bubble], now: Timestamp, zone: Tz) -> Vec<Shown> {
    let mut before = None;
    let day_of = |bubble: &Bubble| bubble.at.local_day(zone);
    talk.iter()
        .map(|bubble| {
            let day = day_of(bubble);
            let begins = before.replace(day) != Some(day);
            Shown {
                mine: bubble.mine,
                text: bubble.text.clone(),
                time: words.clock(bubble.at, zone),
                day: if begins {
                    words.near_day(day, now, zone)
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

fn taps(bubble: &Bubble) -> Vec<Tap> {
    bubble
        .taps
        .iter()
        .map(|choice| Tap {
            message: bubble.id.clone(),
            payload: choice.payload.clone(),
            label: choice.label.clone(),
        })
        .collect()
}

async fn owner(demo: &Demo, candidate: &str) -> Result<Neighbour, Refusal> {
    let people = town::neighbours(&demo.app).await?;
    let found = people
        .into_iter()
        .find(|person| person.id.to_string() == candidate);
    found.ok_or(Refusal(StatusCode::NOT_FOUND))
}

/// What the person typed.
pub async fn say(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Path(candidate): Path<String>,
    Posted(form): Posted<Form>,
) -> Result<Redirect, Refusal> {
    demo.proven(&headers, &form)?;
    let owner = owner(&demo, &candidate).await?;
    let text = form.get("tekst").map_or("", |text| text.trim());
    if text.chars().count() > LONGEST {
        return Err(Refusal(StatusCode::BAD_REQUEST));
    }
    if !text.is_empty() {
        phones::typed(&demo, &owner.number, &owner.first_name, text).await?;
    }
    Ok(Redirect::to(&format!("/demo/phone/{candidate}")))
}

/// The answer that the person tapped.
pub async fn tap(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Path(candidate): Path<String>,
    Posted(form): Posted<Form>,
) -> Result<Redirect, Refusal> {
    demo.proven(&headers, &form)?;
    let owner = owner(&demo, &candidate).await?;
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let below = (field("onder"), field("keuze"));
    if phones::tapped(&demo, &owner.number, &owner.first_name, below).await? {
        Ok(Redirect::to(&format!("/demo/phone/{candidate}")))
    } else {
        Err(Refusal(StatusCode::BAD_REQUEST))
    }
}

/// Says that the talk on this phone is old.
pub async fn news(
    State(demo): State<Demo>,
    Path(candidate): Path<String>,
) -> Result<Response, Refusal> {
    let number = owner(&demo, &candidate).await?.number;
    let start = (number, demo.phones.listen());
    let events = stream::unfold(start, |(number, mut heard)| async move {
        loop {
            match heard.recv().await {
                Ok(changed) if changed != number => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return None,
            }
        }
        let event: Result<Event, Infallible> = Ok(Event::default().event("deel").data("talk"));
        Some((event, (number, heard)))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

impl Page for PhonePage {
    const TEMPLATE: &'static str = "phone";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let empty = Self {
            id: "01J00000000000000000000001".into(),
            name: "Samira el Amrani".into(),
            number: "+31610000001".into(),
            clock: "09:41".into(),
            house: "Gemeente Waterstad".into(),
            initials: "GW".into(),
            coach: "Noor Bakker".into(),
            bubbles: Vec::new(),
            taps: Vec::new(),
        };
        let bubble = |mine, text: &str, day: &str| Shown {
            mine,
            text: text.into(),
            time: "09:40".into(),
            day: day.into(),
        };
        let tap = |n: usize, label: &str| Tap {
            message: "sim-1".into(),
            payload: format!("{n}:x"),
            label: label.into(),
        };
        let mut talking = empty.clone();
        talking.bubbles = vec![
            bubble(
                true,
                "<script>alert(1)</script>",
                &words.say("calendar.yesterday"),
            ),
            bubble(
                false,
                "Hoi Samira, is dit gelukt: de wijkschool bellen?",
                &words.say("calendar.today"),
            ),
        ];
        talking.taps = vec![
            tap(1, "Ja, gelukt"),
            tap(2, "Nog niet"),
            tap(3, "Ik wil hulp"),
        ];
        vec![("empty", empty), ("talking", talking)]
    }
}
