//! The vacancies of the organisation: a list to search in, one vacancy with whom it fits, and how the feeds
//! fare that they come from.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Callout, Chip, said, work};
use crate::app::vacancies::pages::{self, Listing, One};
use crate::app::vacancies::{Standing, Vacancy};
use crate::domain::ids::VacancyId;
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    woorden: String,
}

pub async fn list(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let Listing {
        vacancies,
        open,
        feeds,
    } = pages::list(&desk.app, scope, &asked.woorden).await?;
    let page = VacanciesPage {
        wide: false,
        asked: asked.woorden.trim().to_owned(),
        count: words.count("vacancies.count", open),
        callouts: feeds
            .iter()
            .filter_map(|feed| broken(words, feed, now, zone))
            .collect(),
        rows: vacancies
            .iter()
            .map(|vacancy| row(words, vacancy, now, zone))
            .collect(),
    };
    let title = words.say("vacancies.title");
    let frame = desk
        .frame(&visit, At::Vacancies, title, String::new())
        .await?;
    desk.page(&visit, &frame, &page)
}

/// A feed that does not work: since when, and why.
fn broken(words: &Words, feed: &Standing, now: Timestamp, zone: Tz) -> Option<Callout> {
    let since = words.moment(feed.broken_since?, now, zone);
    let values = [("feed", feed.name.as_str()), ("when", since.as_str())];
    let why = feed.problem.clone().unwrap_or_default();
    Some(Callout::new(
        "wait",
        words.fill("vacancies.broken_strong", &values),
        words.fill("vacancies.broken_text", &[("why", &why)]),
    ))
}

fn row(words: &Words, vacancy: &Vacancy, now: Timestamp, zone: Tz) -> Row {
    Row {
        href: format!("/vacatures/{}", vacancy.id),
        name: vacancy.title.clone(),
        facts: facts(words, vacancy),
        chips: chips(words, vacancy, now, zone),
    }
}

fn facts(words: &Words, vacancy: &Vacancy) -> String {
    let mut facts = vec![vacancy.employer.clone()];
    if !vacancy.town.is_empty() {
        facts.push(vacancy.town.clone());
    }
    if vacancy.hours.known() {
        facts.push(work::hours(words, vacancy.hours));
    }
    facts.join(" · ")
}

fn chips(words: &Words, vacancy: &Vacancy, now: Timestamp, zone: Tz) -> Vec<Chip> {
    if !vacancy.open {
        return vec![Chip::new("", words.say("vacancies.closed"))];
    }
    let until = vacancy.closes_on.map(|day| {
        let when = words.near_day(day, now, zone);
        Chip::new("", words.fill("vacancies.until", &[("when", &when)]))
    });
    until.into_iter().collect()
}

pub async fn one(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id: VacancyId = id.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let One {
        vacancy,
        sources,
        people,
    } = pages::one(&desk.app, scope, id).await?;
    let needs: Vec<String> = vacancy
        .needs
        .iter()
        .map(|need| work::need(words, *need))
        .collect();
    let checked = words.moment(vacancy.checked_at, now, zone);
    let page = VacancyPage {
        wide: false,
        title: vacancy.title.clone(),
        facts: facts(words, &vacancy),
        chips: chips(words, &vacancy, now, zone),
        needs: needs.join(", "),
        url: vacancy.url.clone().unwrap_or_default(),
        text: vacancy.text.clone(),
        checked: words.fill(
            "vacancies.checked",
            &[("when", &checked), ("sources", &sources.join(", "))],
        ),
        people: people
            .iter()
            .map(|(found, name)| PersonRow {
                href: said::href(found.candidate),
                name: name.clone(),
                about: work::reasons(words, &found.reasons),
                chips: vec![work::became(words, found.state)],
                when: work::when(words, found, now, zone),
            })
            .collect(),
    };
    let frame = desk
        .frame(&visit, At::Vacancies, vacancy.title.clone(), String::new())
        .await?;
    desk.page(&visit, &frame, &page)
}

#[derive(Debug, Clone, Serialize)]
pub struct VacanciesPage {
    pub wide: bool,
    pub asked: String,
    pub count: String,
    pub callouts: Vec<Callout>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub facts: String,
    pub chips: Vec<Chip>,
}

#[derive(Debug, Clone, Serialize)]
pub struct VacancyPage {
    pub wide: bool,
    pub title: String,
    pub facts: String,
    pub chips: Vec<Chip>,
    pub needs: String,
    /// At the employer's; empty: nowhere.
    pub url: String,
    pub text: String,
    pub checked: String,
    pub people: Vec<PersonRow>,
}

#[derive(Debug, Clone, Serialize)]
pub struct PersonRow {
    pub href: String,
    pub name: String,
    pub about: String,
    pub chips: Vec<Chip>,
    pub when: String,
}

impl Page for VacanciesPage {
    const TEMPLATE: &'static str = "vacancies";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let row = |name: &str, chips: Vec<Chip>| Row {
            href: "/vacatures/01J00000000000000000000001".into(),
            name: name.to_owned(),
            facts: "De Kok · Amsterdam · 24–32".into(),
            chips,
        };
        let values = [("feed", "werkplein"), ("when", "di 24 nov")];
        vec![
            (
                "some",
                Self {
                    wide: false,
                    asked: String::new(),
                    count: words.count("vacancies.count", 2),
                    callouts: vec![Callout::new(
                        "wait",
                        words.fill("vacancies.broken_strong", &values),
                        words.fill(
                            "vacancies.broken_text",
                            &[("why", "the server answered 500")],
                        ),
                    )],
                    rows: vec![
                        row("Magazijnmedewerker", Vec::new()),
                        row(
                            "<b>Kok</b> \"avond\"",
                            vec![Chip::new("", words.say("vacancies.closed"))],
                        ),
                    ],
                },
            ),
            (
                "none",
                Self {
                    wide: false,
                    asked: "xyz".into(),
                    count: words.count("vacancies.count", 0),
                    callouts: Vec::new(),
                    rows: Vec::new(),
                },
            ),
        ]
    }
}

impl Page for VacancyPage {
    const TEMPLATE: &'static str = "vacancy";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let full = Self {
            wide: false,
            title: "Magazijnmedewerker".into(),
            facts: "De Kok · Amsterdam · 24–32".into(),
            chips: vec![Chip::new(
                "",
                words.fill("vacancies.until", &[("when", "vr 11 dec")]),
            )],
            needs: words.say("need.vog"),
            url: "https://werk.example/1".into(),
            text: "Orders verzamelen.\n<script>alert(1)</script>".into(),
            checked: words.fill(
                "vacancies.checked",
                &[("when", "06:00"), ("sources", "werkplein")],
            ),
            people: vec![PersonRow {
                href: "/kandidaten/01J00000000000000000000001".into(),
                name: "Yusuf Kaya".into(),
                about: words.fill("reason.km", &[("km", "6")]),
                chips: vec![work::became(words, crate::app::vacancies::State::Asked)],
                when: "08:31".into(),
            }],
        };
        let mut bare = full.clone();
        bare.needs = String::new();
        bare.url = String::new();
        bare.text = String::new();
        bare.people = Vec::new();
        vec![("full", full), ("bare", bare)]
    }
}
