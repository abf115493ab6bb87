//! What is stuck and since when: the checks of the health answer, webhooks that could not be read, items
//! set aside, lines that stand still.
//! References only; no text of a candidate is opened here.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::Callout;
use crate::app::desk::{self, Stuck};
use crate::app::health::{self, Check};
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

pub async fn page(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let database = match desk::healthy(&desk.app).await {
        Ok(()) => Callout::new("good", words.say("operator.database_ok"), ""),
        Err(error) => Callout::new(
            "alarm",
            words.say("operator.database_strong"),
            error.to_string(),
        ),
    };
    let mut database = vec![database];
    if desk::paused(&desk.app).await.unwrap_or(false) {
        database.push(Callout::new(
            "wait",
            words.say("operator.restored_strong"),
            words.say("operator.restored_text"),
        ));
    }
    let stuck = desk::operation(&desk.app, scope).await?;
    let health = health::look_for(&desk.app, scope.organisation).await?;
    let checks = health.checks.iter();
    let checks = checks.map(|check| told(words, check, now, zone)).collect();
    let lines = stuck
        .lines
        .iter()
        .map(|line| {
            let state = match &line.paused_why {
                Some(why) => format!("{} · {why}", words.say("operator.paused")),
                None => words.say("operator.works"),
            };
            Cells {
                cells: vec![line.display.clone(), line.channel.clone(), state],
            }
        })
        .collect();
    let page = OperatorPage {
        wide: false,
        database,
        sections: vec![
            section(
                words,
                "health",
                &["check", "level", "count", "since"],
                checks,
            ),
            section(
                words,
                "raw",
                &["at", "id", "endpoint", "why"],
                rows(words, &stuck.raw, now, zone),
            ),
            section(
                words,
                "quarantined",
                &["at", "id", "channel", "why"],
                rows(words, &stuck.quarantined, now, zone),
            ),
            section(
                words,
                "kept",
                &["at", "id", "channel", "why"],
                rows(words, &stuck.kept, now, zone),
            ),
            section(words, "lines", &["line", "channel", "state"], lines),
        ],
    };
    let frame = desk
        .frame(
            &visit,
            At::Operator,
            words.say("operator.title"),
            String::new(),
        )
        .await?;
    desk.page(&visit, &frame, &page)
}

fn section(words: &Words, id: &'static str, columns: &[&str], rows: Vec<Cells>) -> Section {
    Section {
        id,
        heading: words.say(&format!("operator.{id}")),
        about: words.say(&format!("operator.{id}_about")),
        count: rows.len(),
        columns: columns
            .iter()
            .map(|column| words.say(&format!("operator.{column}")))
            .collect(),
        rows,
    }
}

/// One check in words; what is well needs no number.
fn told(words: &Words, check: &Check, now: Timestamp, zone: Tz) -> Cells {
    let mut cells = vec![
        words.say(&format!("operator.check_{}", check.name)),
        words.say(&format!("operator.level_{}", check.level.as_str())),
    ];
    cells.push(check.count.to_string());
    cells.push(
        check
            .since
            .map_or_else(String::new, |since| words.moment(since, now, zone)),
    );
    Cells { cells }
}

fn rows(words: &Words, stuck: &[Stuck], now: Timestamp, zone: Tz) -> Vec<Cells> {
    stuck
        .iter()
        .map(|row| Cells {
            cells: vec![
                words.moment(row.at, now, zone),
                row.id.clone(),
                row.by.clone(),
                row.why.clone(),
            ],
        })
        .collect()
}

#[derive(Debug, Clone, Serialize)]
pub struct OperatorPage {
    pub wide: bool,
    pub database: Vec<Callout>,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub id: &'static str,
    pub heading: String,
    pub about: String,
    pub count: usize,
    pub columns: Vec<String>,
    pub rows: Vec<Cells>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Cells {
    pub cells: Vec<String>,
}

impl Page for OperatorPage {
    const TEMPLATE: &'static str = "operator";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let section = |id: &'static str, rows: Vec<Cells>| Section {
            id,
            heading: words.say(&format!("operator.{id}")),
            about: words.say(&format!("operator.{id}_about")),
            count: rows.len(),
            columns: vec![
                words.say("operator.at"),
                words.say("operator.id"),
                words.say("operator.why"),
            ],
            rows,
        };
        let row = Cells {
            cells: vec![
                "di 24 nov 08:52".into(),
                "01J00000000000000000000001".into(),
                "not_json".into(),
            ],
        };
        let well = Self {
            wide: false,
            database: vec![Callout::new("good", words.say("operator.database_ok"), "")],
            sections: vec![section("raw", vec![]), section("quarantined", vec![])],
        };
        let ill = Self {
            wide: false,
            database: vec![Callout::new(
                "alarm",
                words.say("operator.database_strong"),
                "NEXT: code 13",
            )],
            sections: vec![
                section("raw", vec![row.clone()]),
                section("lines", vec![row]),
            ],
        };
        vec![("well", well), ("ill", ill)]
    }
}
