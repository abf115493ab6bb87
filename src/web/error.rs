//! The one place where an error becomes a status, and the page that says what happened and what to do.
//! Ids only, never a text.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::view::Page;
use super::words::Words;
use crate::app::AppError;

/// Why a page cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(transparent)]
    App(#[from] AppError),
    /// Not there, or another team's: the same answer, on purpose.
    #[error("not found")]
    NotFound,
    #[error("a form that none of our pages makes")]
    Bad,
    #[error("a form from elsewhere")]
    Forged,
    #[error("nobody is signed in")]
    SignedOut,
    #[error("not for this role")]
    NotYours,
    #[error("too large")]
    TooLarge,
    /// A bug; where, the log says.
    #[error("a handler panicked")]
    Panicked,
    #[error("a page could not be made: {0}")]
    Page(#[from] handlebars::RenderError),
}

/// What the page about it needs; it travels with the empty answer to the layer that knows the
/// language.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The key under `problem`.
    kind: &'static str,
    /// A key of a sentence that says it closer, or nothing.
    sentence: String,
    /// For the log, if it is our fault: our own words and ids.
    pub log: String,
}

impl WebError {
    fn failure(&self) -> (StatusCode, &'static str, String) {
        let none = String::new;
        match self {
            WebError::NotFound | WebError::App(AppError::NotFound) => {
                (StatusCode::NOT_FOUND, "not_found", none())
            }
            WebError::Bad => (StatusCode::BAD_REQUEST, "bad", none()),
            WebError::Forged => (StatusCode::FORBIDDEN, "forged", none()),
            WebError::SignedOut => (StatusCode::UNAUTHORIZED, "signed_out", none()),
            WebError::NotYours => (StatusCode::FORBIDDEN, "not_yours", none()),
            WebError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", none()),
            WebError::App(AppError::Overtaken { what }) => {
                (StatusCode::CONFLICT, "stale", format!("overtaken.{what}"))
            }
            WebError::App(AppError::No { why }) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                format!("no.{why}"),
            ),
            WebError::App(AppError::Store(error)) if error.may_pass() => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", none())
            }
            WebError::App(AppError::Store(error)) if error.was_overtaken() => {
                (StatusCode::CONFLICT, "stale", none())
            }
            WebError::App(AppError::Store(_) | AppError::Text(_))
            | WebError::Page(_)
            | WebError::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "broken", none()),
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, kind, sentence) = self.failure();
        let log = if status.is_server_error() {
            self.to_string()
        } else {
            String::new()
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Failure {
            kind,
            sentence,
            log,
        });
        response
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct ProblemPage {
    pub wide: bool,
    pub heading: String,
    pub happened: String,
    pub what_to_do: String,
    pub reference: String,
    pub href: String,
    pub link: String,
}

impl ProblemPage {
    pub fn of(words: &Words, failure: &Failure, reference: String) -> Self {
        let kind = failure.kind;
        let (href, link) = match kind {
            "signed_out" => ("/inloggen", "problem.to_sign_in"),
            "stale" => ("/concepten", "problem.to_drafts"),
            _ => ("/vandaag", "problem.to_today"),
        };
        let closer = (!failure.sentence.is_empty() && words.has(&failure.sentence))
            .then(|| words.say(&failure.sentence));
        Self {
            wide: false,
            heading: words.say(&format!("problem.{kind}.heading")),
            happened: closer.unwrap_or_else(|| words.say(&format!("problem.{kind}.happened"))),
            what_to_do: words.say(&format!("problem.{kind}.what_to_do")),
            reference,
            href: href.to_owned(),
            link: words.say(link),
        }
    }
}

impl Page for ProblemPage {
    const TEMPLATE: &'static str = "problem";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let page = |error: WebError| {
            let (_, kind, sentence) = error.failure();
            Self::of(
                words,
                &Failure {
                    kind,
                    sentence,
                    log: String::new(),
                },
                String::new(),
            )
        };
        let what = "approved_already";
        let mut broken = page(AppError::Text(String::new()).into());
        broken.reference = "500".into();
        vec![
            ("stale", page(AppError::Overtaken { what }.into())),
            ("refused", page(AppError::No { why: "window_shut" }.into())),
            ("away", page(WebError::SignedOut)),
            ("missing", page(WebError::NotFound)),
            ("broken", broken),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::web::view::Pages;
    use crate::web::words::Locale;

    /// Every "no" and every "too late" of the verbs has its own sentence.
    #[test]
    fn every_refusal_of_a_verb_has_its_sentence() {
        let words = Pages::load().unwrap().words(Locale::Nl);
        let mut found = 0;
        for entry in fs::read_dir(Path::new("src/app")).unwrap() {
            let path = entry.unwrap().path();
            let Ok(source) = fs::read_to_string(&path) else {
                continue;
            };
            for (group, start) in [
                ("no", "AppError::No {"),
                ("overtaken", "AppError::Overtaken {"),
            ] {
                for rest in source.split(start).skip(1) {
                    let inside = rest.split('}').next().unwrap_or_default();
                    let Some(key) = inside.split('"').nth(1) else {
                        continue;
                    };
                    assert!(
                        words.has(&format!("{group}.{key}")),
                        "no sentence {group}.{key}"
                    );
                    found += 1;
                }
            }
            for key in source.split('"').filter(|word| word.ends_with("_already")) {
                assert!(
                    words.has(&format!("overtaken.{key}")),
                    "no sentence overtaken.{key}"
                );
                found += 1;
            }
        }
        assert!(found > 10, "only {found} refusals found");
    }
}
