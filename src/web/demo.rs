//! The demo's own pages: phone, coach and clock side by side, and the phones of the made-up people.
//! They stand in front of the service, which stays as it is but for one header: here, and only here,
//! its pages may stand in a frame of our own.

mod clock;
mod phone;
mod phones;
mod start;

pub use phone::PhonePage;
pub use start::{DemoPage, DeskPage};

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::CookieJar;
use subtle::ConstantTimeEq;
use url::Url;

use self::phones::Phones;
use super::Config;
use super::session::Cookies;
use super::view::{BrokenPages, Frame, Page, Pages};
use super::words::{Locale, Words};
use crate::app::receive::Refused;
use crate::app::sign_in::{Gate, Limits};
use crate::app::{App, AppError, Door, House};
use crate::domain::time::Timestamp;
use crate::ports::clock::ShiftedClock;

/// A form of the demo: a message of a phone, written as percents.
const FORM_BYTES: usize = 64 * 1024;

/// Everything that the demo's handlers share. Cloning it is cheap.
#[derive(Clone)]
pub struct Demo(Arc<Shared>);

pub struct Shared {
    app: Arc<App>,
    clock: ShiftedClock,
    pages: Pages,
    phones: Phones,
    gate: Gate,
    limits: Limits,
    cookies: Cookies,
    public_url: Url,
    /// The proof in every form of the demo.
    token: String,
    /// What was said before this moment of the demo's clock is read from the database.
    began: Timestamp,
    /// Held while the clock is being put forward.
    turning: tokio::sync::Mutex<()>,
}

impl std::ops::Deref for Demo {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The demo in front of `site`, the service itself.
pub fn router(
    site: Router,
    app: &Arc<App>,
    clock: ShiftedClock,
    config: &Config,
) -> Result<Router, BrokenPages> {
    let demo = Demo(Arc::new(Shared {
        app: app.clone(),
        clock,
        pages: Pages::load()?,
        phones: Phones::default(),
        gate: Gate::default(),
        limits: Limits {
            idle: config.idle,
            absolute: config.absolute,
        },
        cookies: Cookies::new(&config.public_url),
        public_url: config.public_url.clone(),
        token: app.chance.token(),
        began: app.now(),
        turning: tokio::sync::Mutex::default(),
    }));
    let pages = Router::new()
        .route("/", get(|| async { Redirect::to("/demo") }))
        .route("/demo", get(start::page))
        .route("/demo/desk", get(start::desk))
        .route("/demo/news", get(start::news))
        .route("/demo/clock", post(start::clock))
        .route("/demo/sign-in", post(start::sign_in))
        .route("/demo/phone/{candidate}", get(phone::page))
        .route("/demo/phone/{candidate}/news", get(phone::news))
        .route("/demo/phone/{candidate}/say", post(phone::say))
        .route("/demo/phone/{candidate}/tap", post(phone::tap))
        .route("/simulator/messages", post(phones::messages))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .with_state(demo);
    Ok(pages
        .fallback_service(site)
        .layer(middleware::from_fn(framed)))
}

/// Pages may stand in a frame of our own, and of nobody else.
async fn framed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'self'",
        ),
    );
    headers.insert(
        header::X_FRAME_OPTIONS,
        HeaderValue::from_static("SAMEORIGIN"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

impl Demo {
    /// The demo has one organisation.
    fn house(&self) -> Result<&House, AppError> {
        self.app.houses.values().next().ok_or(AppError::NotFound)
    }

    /// The endpoint of the phones; settings refuse every other provider.
    fn door(&self) -> Option<Door> {
        self.app
            .doors
            .values()
            .find(|door| door.channel.name() == "simulator")
            .cloned()
    }

    /// The number to which the phones write.
    fn line(&self) -> String {
        self.app
            .lines
            .values()
            .next()
            .map(|line| line.address.clone())
            .unwrap_or_default()
    }

    fn page<P: Page>(
        &self,
        locale: Locale,
        title: String,
        news: String,
        page: &P,
    ) -> Result<Response, Refusal> {
        let mut frame = Frame::bare(title);
        frame.organisation.clone_from(&self.house()?.name);
        frame.token.clone_from(&self.token);
        frame.news = news;
        let html = self.pages.render(locale, &frame, page).map_err(|error| {
            tracing::error!(%error, "a page of the demo could not be made");
            Refusal(StatusCode::INTERNAL_SERVER_ERROR)
        })?;
        Ok(Html(html).into_response())
    }

    /// Did this form come from one of our pages?
    fn proven(&self, headers: &HeaderMap, form: &Form) -> Result<(), Refusal> {
        let origin = headers
            .get(header::ORIGIN)
            .and_then(|value| value.to_str().ok());
        let ours = self.public_url.origin().ascii_serialization();
        let proof = form.get("bewijs").map_or("", String::as_str);
        let right = bool::from(proof.as_bytes().ct_eq(self.token.as_bytes()));
        if right && origin == Some(ours.as_str()) {
            Ok(())
        } else {
            Err(Refusal(StatusCode::FORBIDDEN))
        }
    }
}

type Form = BTreeMap<String, String>;

/// The language of the visitor, and its words.
struct Visitor(Arc<Words>);

impl FromRequestParts<Demo> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, demo: &Demo) -> Result<Self, Self::Rejection> {
        let jar = CookieJar::from_headers(&parts.headers);
        let kept = jar
            .get(demo.cookies.language)
            .and_then(|cookie| Locale::parse(cookie.value()));
        let locale = kept.unwrap_or_else(|| {
            let accepted = parts.headers.get(header::ACCEPT_LANGUAGE);
            Locale::preferred(
                accepted
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default(),
            )
        });
        Ok(Self(demo.pages.words(locale)))
    }
}

/// A status and nothing else.
struct Refusal(StatusCode);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let reason = self.0.canonical_reason().unwrap_or_default();
        (self.0, reason).into_response()
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        if matches!(error, AppError::NotFound) {
            return Self(StatusCode::NOT_FOUND);
        }
        tracing::error!(%error, "the demo could not do its work");
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Refused> for Refusal {
    fn from(_: Refused) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE)
    }
}
