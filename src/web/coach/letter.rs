//! A letter to print, for somebody who does not answer any more: a few kind lines in the person's own
//! language, and the code of "start in the room" that works for weeks. As a page, and as a file.

mod pdf;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::said;
use super::start::{ToSend, drawn, runs, words_to_send};
use crate::app::{desk, invite};
use crate::domain::access::Scope;
use crate::domain::contact::Candidate;
use crate::domain::ids::CandidateId;
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::{Locale, Words};
use crate::web::{At, Desk};

/// The code of the letter; it is shown only while it works.
#[derive(Debug, Default, Deserialize)]
pub struct Made {
    #[serde(default)]
    code: String,
}

/// What stands in the letter.
#[derive(Debug, Clone, Serialize)]
pub struct Letter {
    /// Of the letter, which need not be that of the page around it.
    pub lang: &'static str,
    pub organisation: String,
    pub day: String,
    pub before: Vec<String>,
    /// The link, for the code; empty: there is no WhatsApp line.
    pub link: String,
    pub path: String,
    pub size: usize,
    pub or_word: String,
    pub word: String,
    pub after: Vec<String>,
    /// The coach's name.
    pub from: String,
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
    let name = &person.candidate.first_name;
    let letter = written(&desk, &visit, scope, &person.candidate, &made.code).await?;
    let page = LetterPage {
        wide: false,
        id: id.to_string(),
        heading: words.fill("letter.heading", &[("name", name)]),
        button: words.say(if letter.is_some() {
            "letter.again"
        } else {
            "letter.make"
        }),
        code: made.code,
        letter: letter.into_iter().collect(),
    };
    let title = words.say("letter.title");
    let frame = desk
        .frame(&visit, At::Candidates, title, String::new())
        .await?;
    desk.page(&visit, &frame, &page)
}

/// Makes a code for a letter.
pub async fn make(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    let id: CandidateId = id.parse().map_err(|_| WebError::NotFound)?;
    let code = invite::for_letter(&desk.app, visit.scope()?, id).await?;
    Ok(Redirect::to(&format!("{}/brief?code={code}", said::href(id))).into_response())
}

/// The letter as a file; without a code that works, the page that makes one.
pub async fn pdf(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(made): Query<Made>,
) -> Result<Response, WebError> {
    let id: CandidateId = id.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let person = desk::person(&desk.app, scope, id).await?;
    let letter = written(&desk, &visit, scope, &person.candidate, &made.code).await?;
    let Some(letter) = letter else {
        return Ok(Redirect::to(&format!("{}/brief", said::href(id))).into_response());
    };
    let bytes = pdf::file(&letter, &runs(&letter.link)).ok_or(WebError::Panicked)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"brief.pdf\"",
        ),
    ];
    Ok((headers, bytes).into_response())
}

async fn written(
    desk: &Desk,
    visit: &Visit,
    scope: &Scope,
    candidate: &Candidate,
    code: &str,
) -> Result<Option<Letter>, WebError> {
    if code.is_empty() {
        return Ok(None);
    }
    let until = invite::works_until(&desk.app, scope, candidate.id, code).await?;
    let Some(until) = until else {
        return Ok(None);
    };
    let house = desk.app.house(scope.organisation)?;
    let locale = Locale::parse(&candidate.language).unwrap_or(Locale::Nl);
    let words = desk.words(locale);
    let from = visit.signed.as_ref().map_or("", |signed| &signed.name);
    let until = words.day(until.local_day(house.zone));
    let today = words.day(desk.app.now().local_day(house.zone));
    let send = words_to_send(desk, scope.organisation, code, &words);
    let parts = Parts {
        organisation: &house.name,
        first_name: &candidate.first_name,
        from,
        today,
        until,
    };
    Ok(Some(letter(&words, &parts, send)))
}

/// What is different in each letter.
struct Parts<'a> {
    organisation: &'a str,
    first_name: &'a str,
    from: &'a str,
    today: String,
    until: String,
}

fn letter(words: &Words, parts: &Parts<'_>, send: ToSend) -> Letter {
    let ToSend { word, number, link } = send;
    let (path, size) = if link.is_empty() {
        (String::new(), 0)
    } else {
        drawn(&link)
    };
    let mut before = vec![
        words.fill("letter.dear", &[("name", parts.first_name)]),
        words.say("letter.quiet"),
        words.say("letter.talk"),
    ];
    // Only a WhatsApp line has a link, and so a code to scan.
    let or_word = if link.is_empty() {
        words.say("letter.word")
    } else {
        before.push(words.say("letter.how"));
        words.say("letter.or_word")
    };
    let mut after = vec![words.fill("letter.until", &[("when", &parts.until)])];
    if !number.is_empty() {
        after.insert(0, words.fill("letter.number", &[("number", &number)]));
    }
    after.push(words.say("letter.bye"));
    Letter {
        lang: words.locale.as_str(),
        organisation: parts.organisation.to_owned(),
        day: parts.today.clone(),
        before,
        link,
        path,
        size,
        or_word,
        word,
        after,
        from: parts.from.to_owned(),
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct LetterPage {
    pub wide: bool,
    pub id: String,
    pub heading: String,
    pub button: String,
    pub code: String,
    /// None or one.
    pub letter: Vec<Letter>,
}

impl Page for LetterPage {
    const TEMPLATE: &'static str = "letter";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let page = |letter: Vec<Letter>| Self {
            wide: false,
            id: "01J00000000000000000000001".into(),
            heading: words.fill("letter.heading", &[("name", "Yusuf")]),
            button: words.say(if letter.is_empty() {
                "letter.make"
            } else {
                "letter.again"
            }),
            code: "KAS7-MQTR".into(),
            letter,
        };
        vec![
            ("empty", page(Vec::new())),
            ("letter", page(vec![sample(words, true)])),
            ("word", page(vec![sample(words, false)])),
        ]
    }
}

/// With a WhatsApp line, or with a line of another kind.
fn sample(words: &Words, whatsapp: bool) -> Letter {
    let parts = Parts {
        organisation: "Gemeente Rivierdam",
        first_name: "Yusuf <b>O'Neill</b>",
        from: "Noor Bakker",
        today: "dinsdag 24 november".into(),
        until: "dinsdag 22 december".into(),
    };
    let send = ToSend {
        word: words.fill("start.message", &[("code", "KAS7-MQTR")]),
        number: "+31 97 0000 0000".into(),
        link: if whatsapp {
            "https://wa.me/31970000000?text=KAS7-MQTR"
        } else {
            ""
        }
        .into(),
    };
    letter(words, &parts, send)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::view::Pages;

    #[test]
    fn whatsapp_and_a_code_to_scan_are_named_only_where_there_is_a_whatsapp_line() {
        let pages = Pages::load().unwrap();
        for locale in Locale::ALL {
            let words = pages.words(locale);
            for whatsapp in [true, false] {
                let letter = sample(&words, whatsapp);
                assert_eq!(letter.or_word.contains("WhatsApp"), whatsapp);
                let scan = letter.before.contains(&words.say("letter.how"));
                assert_eq!((scan, letter.size > 0), (whatsapp, whatsapp));
                assert!(letter.after[0].contains("+31 97 0000 0000"));
            }
        }
    }
}
