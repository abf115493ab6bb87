//! Start in the room: the QR code with which a candidate sends the first message.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use fast_qr::{ECL, QRBuilder};
use serde::{Deserialize, Serialize};

use super::said;
use crate::app::{Door, desk, invite as verb};
use crate::domain::ids::{CandidateId, OrganisationId};
use crate::ports::channel::Medium;
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

/// The code that was just made; it is shown only while it works.
#[derive(Debug, Default, Deserialize)]
pub struct Made {
    #[serde(default)]
    code: String,
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(made): Query<Made>,
) -> Result<Response, WebError> {
    let id: CandidateId = id.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let person = desk::person(&desk.app, scope, id).await?;
    let zone = desk.app.house(scope.organisation)?.zone;
    let mut code = Vec::new();
    if !made.code.is_empty()
        && let Some(until) = verb::works_until(&desk.app, scope, id, &made.code).await?
    {
        let ToSend { word, number, link } =
            words_to_send(&desk, scope.organisation, &made.code, words);
        let (path, size) = if link.is_empty() {
            (String::new(), 0)
        } else {
            drawn(&link)
        };
        let when = words.moment(until, desk.app.now(), zone);
        code.push(Code {
            path,
            size,
            link,
            word,
            number,
            until: words.fill("start.until", &[("when", &when)]),
        });
    }
    let page = StartPage {
        wide: false,
        id: id.to_string(),
        heading: words.fill("start.heading", &[("name", &person.candidate.first_name)]),
        button: words.say(if code.is_empty() {
            "start.make"
        } else {
            "start.again"
        }),
        code,
    };
    let frame = desk
        .frame(
            &visit,
            At::Candidates,
            words.say("start.title"),
            String::new(),
        )
        .await?;
    desk.page(&visit, &frame, &page)
}

pub async fn invite(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    let id: CandidateId = id.parse().map_err(|_| WebError::NotFound)?;
    let code = verb::invite(&desk.app, visit.scope()?, id).await?;
    Ok(Redirect::to(&format!("{}/start?code={code}", said::href(id))).into_response())
}

#[derive(Debug, Clone, Serialize)]
pub struct StartPage {
    pub wide: bool,
    pub id: String,
    pub heading: String,
    pub button: String,
    /// Nobody or one code.
    pub code: Vec<Code>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Code {
    /// The modules of the QR code as one SVG path; empty where there is no link.
    pub path: String,
    pub size: usize,
    pub link: String,
    pub word: String,
    pub number: String,
    pub until: String,
}

/// Light modules around a code, without which a camera does not find it.
const MARGIN: usize = 4;

/// A link as the path and the width of its QR code. Empty for a link that no code can hold.
pub fn drawn(link: &str) -> (String, usize) {
    let (runs, size) = runs(link);
    let mut path = String::new();
    for (x, y, run) in runs {
        path.push_str(&format!("M{x} {y}h{run}v1h-{run}z"));
    }
    (path, size)
}

/// The dark modules of a QR code as stretches of a row: left, top, how many; and the width of the code
/// with its margin. Empty for a link that no code can hold.
pub fn runs(link: &str) -> (Vec<(usize, usize, usize)>, usize) {
    let Ok(code) = QRBuilder::new(link).ecl(ECL::M).build() else {
        return (Vec::new(), 0);
    };
    let mut runs = Vec::new();
    for y in 0..code.size {
        let row = &code[y];
        let mut x = 0;
        while x < code.size {
            let run = row[x..].iter().take_while(|module| module.value()).count();
            if run > 0 {
                runs.push((x + MARGIN, y + MARGIN, run));
            }
            x += run + 1;
        }
    }
    (runs, code.size + 2 * MARGIN)
}

/// What a person sends to begin: the word, and the link that has it ready; empty without a WhatsApp line.
pub fn words_to_send(
    desk: &Desk,
    organisation: OrganisationId,
    code: &str,
    words: &Words,
) -> ToSend {
    let lines = || desk.app.lines_of(organisation);
    let is_whatsapp = |door: &Door| door.channel.medium() == Medium::Whatsapp;
    let whatsapp = lines().find(|(_, door)| is_whatsapp(door));
    let number = whatsapp
        .or_else(|| lines().next())
        .map(|(line, _)| line.display.clone())
        .unwrap_or_default();
    let word = words.fill("start.message", &[("code", code)]);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let link = if whatsapp.is_none() || digits.is_empty() {
        String::new()
    } else {
        let text: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
        format!("https://wa.me/{digits}?text={}", text.replace('+', "%20"))
    };
    ToSend { word, number, link }
}

/// The first message of a person, and where it goes.
pub struct ToSend {
    pub word: String,
    pub number: String,
    pub link: String,
}

impl Page for StartPage {
    const TEMPLATE: &'static str = "start";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let link = "https://wa.me/31970000000?text=START%20KAS7MQ";
        let (path, size) = drawn(link);
        let page = |code: Vec<Code>| Self {
            wide: false,
            id: "01J00000000000000000000001".into(),
            heading: words.fill("start.heading", &[("name", "Layla")]),
            button: words.say(if code.is_empty() {
                "start.make"
            } else {
                "start.again"
            }),
            code,
        };
        let code = Code {
            path,
            size,
            link: link.into(),
            word: "START KAS7MQ".into(),
            number: "+31 97 0000 0000".into(),
            until: words.fill("start.until", &[("when", "di 24 nov 17:00")]),
        };
        let no_link = Code {
            path: String::new(),
            link: String::new(),
            ..code.clone()
        };
        vec![
            ("empty", page(vec![])),
            ("code", page(vec![code])),
            ("word", page(vec![no_link])),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_path_holds_exactly_the_dark_modules() {
        let link = "https://wa.me/31970000000?text=START%20KAS7MQ";
        let code = QRBuilder::new(link).ecl(ECL::M).build().unwrap();
        let dark: usize = (0..code.size)
            .map(|y| code[y][..code.size].iter().filter(|m| m.value()).count())
            .sum();
        let (path, size) = drawn(link);
        let drawn: usize = path
            .split('h')
            .skip(1)
            .step_by(2)
            .map(|part| part.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
        assert_eq!(size, code.size + 8);
    }
}
