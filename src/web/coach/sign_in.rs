//! Signing in and out, the password, the language.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Serialize;

use crate::app::AppError;
use crate::app::sign_in as verb;
use crate::app::sign_in::Refused;
use crate::web::error::WebError;
use crate::web::session::{Visit, set_cookie};
use crate::web::view::{Frame, Page};
use crate::web::words::{Locale, Words};
use crate::web::{At, Desk};

/// A chosen language is remembered by the browser for a year.
const LANGUAGE_SECONDS: u64 = 365 * 24 * 60 * 60;

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    if visit.signed.is_some() {
        return Ok(Redirect::to("/vandaag").into_response());
    }
    let notice = match query.as_deref() {
        Some("weer") => visit.words.say("sign_in.again"),
        Some("uit") => visit.words.say("sign_in.bye"),
        _ => String::new(),
    };
    show(&desk, &visit, "", String::new(), notice, StatusCode::OK)
}

fn show(
    desk: &Desk,
    visit: &Visit,
    mail: &str,
    problem: String,
    notice: String,
    status: StatusCode,
) -> Result<Response, WebError> {
    let mut frame = Frame::bare(visit.words.say("sign_in.title"));
    frame.token.clone_from(&visit.token);
    let page = SignInPage {
        wide: false,
        mail: mail.to_owned(),
        problem,
        notice,
    };
    let mut response = desk.page(visit, &frame, &page)?;
    *response.status_mut() = status;
    Ok(response)
}

pub async fn sign_in(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&["mail", "wachtwoord"])?;
    let mail = visit.fields.text("mail")?;
    let password = SecretString::from(visit.fields.text("wachtwoord")?.to_owned());
    let old = visit.session.as_deref();
    let signed = verb::sign_in(
        &desk.app,
        &desk.gate,
        desk.limits,
        (mail, &password),
        &visit.client,
        old,
    )
    .await?;
    match signed {
        Ok(token) => {
            let mut response = Redirect::to("/vandaag").into_response();
            set_cookie(
                &mut response,
                &desk.cookies.set(desk.cookies.session, &token, None),
            );
            set_cookie(&mut response, &desk.cookies.drop_it(desk.cookies.door));
            Ok(response)
        }
        Err(refused) => {
            let (problem, status) = sentence(&visit.words, refused, "sign_in.wrong");
            show(&desk, &visit, mail, problem, String::new(), status)
        }
    }
}

fn sentence(words: &Words, refused: Refused, wrong: &str) -> (String, StatusCode) {
    match refused {
        Refused::Wrong => (words.say(wrong), StatusCode::UNPROCESSABLE_ENTITY),
        Refused::Slow { minutes } => (
            words.fill("sign_in.slow", &[("minutes", &minutes.to_string())]),
            StatusCode::TOO_MANY_REQUESTS,
        ),
    }
}

pub async fn sign_out(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    if let Some(token) = &visit.session {
        verb::sign_out(&desk.app, token).await?;
    }
    let mut response = Redirect::to("/inloggen?uit").into_response();
    set_cookie(&mut response, &desk.cookies.drop_it(desk.cookies.session));
    Ok(response)
}

/// The language of the pages: the coach's own, or this browser's.
pub async fn language(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    visit.fields.only(&["taal"])?;
    let locale = Locale::parse(visit.fields.text("taal")?).ok_or(WebError::Bad)?;
    if let Some(signed) = &visit.signed {
        verb::set_language(&desk.app, signed.scope.coach, locale.as_str()).await?;
    }
    let mut response = Redirect::to(&back(&desk, &headers)).into_response();
    let cookie = desk.cookies.set(
        desk.cookies.language,
        locale.as_str(),
        Some(LANGUAGE_SECONDS),
    );
    set_cookie(&mut response, &cookie);
    Ok(response)
}

/// The page that the form stood on, if it is one of ours.
fn back(desk: &Desk, headers: &HeaderMap) -> String {
    let from = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok());
    from.and_then(|from| url::Url::parse(from).ok())
        .filter(|from| from.origin() == desk.public_url.origin())
        .map_or_else(|| "/vandaag".to_owned(), |from| from.path().to_owned())
}

pub async fn password_page(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    show_password(&desk, &visit, String::new(), StatusCode::OK).await
}

async fn show_password(
    desk: &Desk,
    visit: &Visit,
    problem: String,
    status: StatusCode,
) -> Result<Response, WebError> {
    let title = visit.words.say("password.title");
    let frame = desk.frame(visit, At::Nowhere, title, String::new()).await?;
    let mut response = desk.page(
        visit,
        &frame,
        &PasswordPage {
            wide: false,
            problem,
        },
    )?;
    *response.status_mut() = status;
    Ok(response)
}

pub async fn password(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&["oud", "nieuw"])?;
    let old = SecretString::from(visit.fields.text("oud")?.to_owned());
    let new = SecretString::from(visit.fields.text("nieuw")?.to_owned());
    let scope = visit.scope()?;
    let changed = verb::change_password(
        &desk.app,
        &desk.gate,
        desk.limits,
        scope,
        (&old, &new),
        &visit.client,
    )
    .await;
    match changed {
        Ok(Ok(token)) => {
            let mut response = Redirect::to("/vandaag?gedaan=password").into_response();
            set_cookie(
                &mut response,
                &desk.cookies.set(desk.cookies.session, &token, None),
            );
            Ok(response)
        }
        Ok(Err(refused)) => {
            let (problem, status) = sentence(&visit.words, refused, "password.wrong");
            show_password(&desk, &visit, problem, status).await
        }
        Err(AppError::No {
            why: "short_password",
        }) => {
            let problem = visit.words.say("password.short");
            show_password(&desk, &visit, problem, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct SignInPage {
    pub wide: bool,
    pub mail: String,
    pub problem: String,
    pub notice: String,
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "sign_in";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let page = |mail: &str, problem: String, notice: String| Self {
            wide: false,
            mail: mail.to_owned(),
            problem,
            notice,
        };
        vec![
            ("first", page("", String::new(), String::new())),
            (
                "wrong",
                page(
                    "noor@rivierdam.example",
                    words.say("sign_in.wrong"),
                    String::new(),
                ),
            ),
            ("again", page("", String::new(), words.say("sign_in.again"))),
        ]
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct PasswordPage {
    pub wide: bool,
    pub problem: String,
}

impl Page for PasswordPage {
    const TEMPLATE: &'static str = "password";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        vec![
            (
                "first",
                Self {
                    wide: false,
                    problem: String::new(),
                },
            ),
            (
                "wrong",
                Self {
                    wide: false,
                    problem: words.say("password.wrong"),
                },
            ),
        ]
    }
}
