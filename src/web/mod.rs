//! HTTP in: every route on one screen, the deadlines and the headers around them.

pub mod coach;
pub mod demo;
pub mod error;
pub mod files;
pub mod health;
mod helpers;
pub mod metrics;
pub mod news;
pub mod serve;
pub mod session;
pub mod told;
pub mod view;
pub mod webhooks;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use self::coach::{
    agenda, away, candidate, candidates, drafts, letter, meetings, operator, plan, sign_in, start,
    today, vacancies, work,
};
use self::error::{Failure, ProblemPage, WebError};
use self::session::{Cookies, Visit, guard};
use self::view::{BrokenPages, Frame, Page, Pages};
use self::words::{Locale, Words};
use crate::app::App;
use crate::app::sign_in::{Gate, Limits, Signed};
use crate::domain::access::Deed;

/// What the pages need from the settings.
#[derive(Debug, Clone)]
pub struct Config {
    pub public_url: Url,
    /// The largest webhook.
    pub body_bytes: usize,
    pub request: Duration,
    /// How long a session may rest, and last.
    pub idle: Duration,
    pub absolute: Duration,
}

/// Who may come in by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nobody needs to be known.
    Anyone,
    /// A coach whose role may do this.
    Coach(Deed),
}

/// One route. A table of them, so that a test can ask each one who may come in.
#[derive(Clone, Copy)]
pub struct Route {
    pub verb: &'static str,
    pub path: &'static str,
    pub who: Who,
    handler: fn() -> MethodRouter<Desk>,
}

const COACH: Who = Who::Coach(Deed::Coach);
const OPERATE: Who = Who::Coach(Deed::Operate);

/// Every route but the webhooks, the files and what watches the machine.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route { verb: "GET",  path: "/",                                who: Who::Anyone, handler: || get(|| async { Redirect::to("/vandaag") }) },
    Route { verb: "GET",  path: "/inloggen",                        who: Who::Anyone, handler: || get(sign_in::page) },
    Route { verb: "POST", path: "/inloggen",                        who: Who::Anyone, handler: || post(sign_in::sign_in) },
    Route { verb: "POST", path: "/uitloggen",                       who: Who::Anyone, handler: || post(sign_in::sign_out) },
    Route { verb: "POST", path: "/taal",                            who: Who::Anyone, handler: || post(sign_in::language) },
    Route { verb: "GET",  path: "/wachtwoord",                      who: COACH,       handler: || get(sign_in::password_page) },
    Route { verb: "POST", path: "/wachtwoord",                      who: COACH,       handler: || post(sign_in::password) },
    Route { verb: "GET",  path: "/nieuws",                          who: COACH,       handler: || get(news::news) },
    Route { verb: "GET",  path: "/vandaag",                         who: COACH,       handler: || get(today::page) },
    Route { verb: "POST", path: "/seintjes/{flag}/klaar",           who: COACH,       handler: || post(today::close) },
    Route { verb: "GET",  path: "/concepten",                       who: COACH,       handler: || get(drafts::first) },
    Route { verb: "GET",  path: "/concepten/samen",                 who: COACH,       handler: || get(drafts::together::page) },
    Route { verb: "POST", path: "/concepten/samen",                 who: COACH,       handler: || post(drafts::together::approve) },
    Route { verb: "POST", path: "/concepten/samen/{act}/terug",     who: COACH,       handler: || post(drafts::together::undo) },
    Route { verb: "GET",  path: "/concepten/{message}",             who: COACH,       handler: || get(drafts::one) },
    Route { verb: "GET",  path: "/concepten/{message}/bewerken",    who: COACH,       handler: || get(drafts::editing) },
    Route { verb: "POST", path: "/concepten/{message}/goedkeuren",  who: COACH,       handler: || post(drafts::approve) },
    Route { verb: "POST", path: "/concepten/{message}/tekst",       who: COACH,       handler: || post(drafts::edit) },
    Route { verb: "POST", path: "/concepten/{message}/later",       who: COACH,       handler: || post(drafts::later) },
    Route { verb: "POST", path: "/concepten/{message}/vasthouden",  who: COACH,       handler: || post(drafts::hold) },
    Route { verb: "POST", path: "/concepten/{message}/niet",        who: COACH,       handler: || post(drafts::drop_it) },
    Route { verb: "POST", path: "/concepten/{message}/terug",       who: COACH,       handler: || post(drafts::undo) },
    Route { verb: "POST", path: "/concepten/{message}/twijfel",     who: COACH,       handler: || post(drafts::doubt) },
    Route { verb: "GET",  path: "/kandidaten",                      who: COACH,       handler: || get(candidates::page) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}",          who: COACH,       handler: || get(candidate::page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/berichten", who: COACH,      handler: || post(candidate::write) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/overnemen", who: COACH,      handler: || post(candidate::take_over) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/teruggeven", who: COACH,     handler: || post(candidate::give_back) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/teken",    who: COACH,       handler: || post(candidate::sign_of_life) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/notities", who: COACH,       handler: || post(candidate::note) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/pauze",    who: COACH,       handler: || post(candidate::pause) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/mix",      who: COACH,       handler: || post(candidate::agree) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/coach",    who: COACH,       handler: || post(candidate::transfer) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/lees/{incoming}", who: COACH, handler: || post(candidate::open) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/bestanden/{file}", who: COACH, handler: || get(candidate::file::get) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/start",    who: COACH,       handler: || get(start::page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/start",    who: COACH,       handler: || post(start::invite) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/werk",     who: COACH,       handler: || get(work::page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/werk",     who: COACH,       handler: || post(work::save) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/werk/terug", who: COACH,     handler: || post(work::undo) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/plan",     who: COACH,       handler: || get(plan::page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/plan",     who: COACH,       handler: || post(plan::goal) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/stappen",  who: COACH,       handler: || post(plan::add) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/stappen/{task}", who: COACH, handler: || post(plan::change) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/stappen/{task}/vervalt", who: COACH, handler: || post(plan::drop_it) },
    Route { verb: "GET",  path: "/vacatures",                       who: COACH,       handler: || get(vacancies::list) },
    Route { verb: "GET",  path: "/vacatures/{vacancy}",             who: COACH,       handler: || get(vacancies::one) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/brief",    who: COACH,       handler: || get(letter::page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/brief",    who: COACH,       handler: || post(letter::make) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/brief.pdf", who: COACH,      handler: || get(letter::pdf) },
    Route { verb: "GET",  path: "/kandidaten/{candidate}/afspraken", who: COACH,      handler: || get(meetings::list_page) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/afspraken", who: COACH,      handler: || post(meetings::book) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/uitnodigen", who: COACH,     handler: || post(meetings::invite) },
    Route { verb: "POST", path: "/kandidaten/{candidate}/geweest",  who: COACH,       handler: || post(meetings::happened) },
    Route { verb: "GET",  path: "/afspraken/{meeting}",             who: COACH,       handler: || get(meetings::page) },
    Route { verb: "GET",  path: "/afspraken/{meeting}/agenda.ics",  who: COACH,       handler: || get(meetings::file) },
    Route { verb: "POST", path: "/afspraken/{meeting}/verzetten",   who: COACH,       handler: || post(meetings::move_it) },
    Route { verb: "POST", path: "/afspraken/{meeting}/afzeggen",    who: COACH,       handler: || post(meetings::cancel) },
    Route { verb: "POST", path: "/afspraken/{meeting}/geweest",     who: COACH,       handler: || post(meetings::settle) },
    Route { verb: "GET",  path: "/agenda",                          who: COACH,       handler: || get(agenda::page) },
    Route { verb: "POST", path: "/agenda/momenten",                 who: COACH,       handler: || post(agenda::open) },
    Route { verb: "POST", path: "/agenda/momenten/{slot}/intrekken", who: COACH,      handler: || post(agenda::withdraw) },
    Route { verb: "POST", path: "/agenda/koppeling",                who: COACH,       handler: || post(agenda::connect) },
    Route { verb: "POST", path: "/agenda/bezet",                    who: COACH,       handler: || post(agenda::read_busy) },
    Route { verb: "GET",  path: "/weg",                             who: COACH,       handler: || get(away::page) },
    Route { verb: "POST", path: "/weg",                             who: COACH,       handler: || post(away::leave) },
    Route { verb: "POST", path: "/weg/terug",                       who: COACH,       handler: || post(away::back) },
    Route { verb: "GET",  path: "/beheer",                          who: OPERATE,     handler: || get(operator::page) },
];

/// Everything that handlers share. Cloning it is cheap.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

pub struct Shared {
    pub app: Arc<App>,
    pub pages: Pages,
    pub gate: Gate,
    pub limits: Limits,
    pub cookies: Cookies,
    pub public_url: Url,
}

impl std::ops::Deref for Desk {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The whole service over HTTP. Fails if a template or a file of words is broken.
pub fn router(app: &Arc<App>, config: &Config) -> Result<Router, BrokenPages> {
    let desk = Desk(Arc::new(Shared {
        app: app.clone(),
        pages: Pages::load()?,
        gate: Gate::default(),
        limits: Limits {
            idle: config.idle,
            absolute: config.absolute,
        },
        cookies: Cookies::new(&config.public_url),
        public_url: config.public_url.clone(),
    }));
    let guarded = |who: Who| {
        let desk = desk.clone();
        middleware::from_fn(move |request: Request, next: Next| {
            guard(desk.clone(), who, request, next)
        })
    };
    let mut pages = Router::new();
    for route in ROUTES {
        // A bug in one page is a page about it, not a connection that breaks off.
        let handler = (route.handler)().layer(CatchPanicLayer::custom(panicked));
        pages = pages.route(route.path, handler.layer(guarded(route.who)));
    }
    let pages = pages
        .fallback_service(
            get(missing)
                .post(missing)
                .layer(guarded(Who::Anyone))
                .with_state(desk.clone()),
        )
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(desk.clone());
    let files = Router::new()
        .route("/static/{file}", get(file))
        .route("/calendar/{file}", get(agenda::feed))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(desk);
    let hooks = webhooks::routes(config.body_bytes).with_state(app.clone());
    let mut all = pages
        .merge(files)
        .merge(hooks)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            config.request,
        ));
    for (name, value) in headers(config.public_url.scheme() == "https") {
        // A file that somebody sent brings a policy of its own, tighter than the one of pages.
        all = if name == header::CONTENT_SECURITY_POLICY {
            all.layer(SetResponseHeaderLayer::if_not_present(name, value))
        } else {
            all.layer(SetResponseHeaderLayer::overriding(name, value))
        };
    }
    Ok(all)
}

/// Compiles the template of every page, which a start puts off until the first of them is drawn.
pub fn check_pages() -> Result<(), BrokenPages> {
    Pages::load()?.check()
}

/// No script or style but our own files, no frame around us, no guess at a type. The referrer stays
/// at home: `no-referrer` would also blank the origin of our own forms, which we check.
fn headers(https: bool) -> Vec<(HeaderName, HeaderValue)> {
    let mut list = vec![
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    if https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        list.push((header::STRICT_TRANSPORT_SECURITY, year));
    }
    list
}

fn panicked(_words: Box<dyn std::any::Any + Send>) -> Response {
    WebError::Panicked.into_response()
}

async fn missing() -> WebError {
    WebError::NotFound
}

async fn file(State(desk): State<Desk>, Path(name): Path<String>) -> Response {
    desk.pages.files.serve(&name)
}

/// Where in the menu a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Today,
    Drafts,
    Candidates,
    Vacancies,
    Agenda,
    Operator,
    Nowhere,
}

impl Desk {
    pub fn words(&self, locale: Locale) -> Arc<Words> {
        self.pages.words(locale)
    }

    /// What stands around a page for the coach who is signed in.
    pub async fn frame(
        &self,
        visit: &Visit,
        at: At,
        title: String,
        news: String,
    ) -> Result<Frame, WebError> {
        let signed = visit.signed.as_ref().ok_or(WebError::SignedOut)?;
        let counts = crate::app::desk::counts(&self.app, &signed.scope).await?;
        let mut frame = self.still_frame(signed, at, title)?;
        if let Some(me) = frame.me.first_mut() {
            me.drafts = counts.drafts;
            me.flags = counts.flags;
        }
        frame.token.clone_from(&visit.token);
        frame.news = news;
        frame.paused = counts.paused;
        Ok(frame)
    }

    /// The frame without anything that must be counted.
    fn still_frame(&self, signed: &Signed, at: At, title: String) -> Result<Frame, WebError> {
        let mut frame = Frame::bare(title);
        frame
            .organisation
            .clone_from(&self.app.house(signed.scope.organisation)?.name);
        frame.me = vec![view::Me {
            name: signed.name.clone(),
            initials: view::initials(&signed.name),
            operates: signed.scope.may(Deed::Operate),
            at_today: at == At::Today,
            at_drafts: at == At::Drafts,
            at_candidates: at == At::Candidates,
            at_vacancies: at == At::Vacancies,
            at_agenda: at == At::Agenda,
            at_operator: at == At::Operator,
            drafts: 0,
            flags: 0,
        }];
        Ok(frame)
    }

    pub fn page<P: Page>(
        &self,
        visit: &Visit,
        frame: &Frame,
        page: &P,
    ) -> Result<Response, WebError> {
        Ok(Html(self.pages.render(visit.locale(), frame, page)?).into_response())
    }

    /// The page about a failure. It asks the database for nothing: that may be what failed.
    fn problem(
        &self,
        words: &Words,
        signed: Option<&Signed>,
        token: String,
        failure: Failure,
        status: StatusCode,
    ) -> Response {
        let mut reference = String::new();
        if !failure.log.is_empty() {
            reference = self.app.row_id(self.app.now()).to_string();
            tracing::error!(reference, error = failure.log, "a page failed");
        }
        let page = ProblemPage::of(words, &failure, reference);
        let title = page.heading.clone();
        let mut frame = signed
            .and_then(|signed| self.still_frame(signed, At::Nowhere, title.clone()).ok())
            .unwrap_or_else(|| Frame::bare(title));
        frame.token = token;
        match self.pages.render(words.locale, &frame, &page) {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page about a problem could not be made");
                status.into_response()
            }
        }
    }
}
