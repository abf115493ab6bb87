//! For whoever watches the machine, on an address of its own: numbers in the text form of Prometheus, and
//! what is stuck as JSON. Never on the public door; counts and moments only.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::health::live;
use crate::app::App;
use crate::app::health::{self, Health, Level};
use crate::domain::time::Timestamp;

/// The routes of the second address.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/health/live", get(live))
        .with_state(app.clone())
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    // What is read from the database is as old as this question, not as the last one.
    health::look(&app).await;
    let text = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], app.numbers.text()).into_response()
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let health = health::look(&app).await;
    let status = match health.level() {
        Level::Well | Level::Look => StatusCode::OK,
        Level::Alarm => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(Answer::of(&health))).into_response()
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    version: &'static str,
    at: String,
    checks: Vec<CheckAnswer>,
}

#[derive(Serialize)]
struct CheckAnswer {
    check: &'static str,
    status: &'static str,
    count: u64,
    oldest_at: Option<String>,
}

impl Answer {
    fn of(health: &Health) -> Self {
        Self {
            status: health.level().as_str(),
            version: env!("CARGO_PKG_VERSION"),
            at: written(health.at),
            checks: health
                .checks
                .iter()
                .map(|check| CheckAnswer {
                    check: check.name,
                    status: check.level.as_str(),
                    count: check.count,
                    oldest_at: check.since.map(written),
                })
                .collect(),
        }
    }
}

fn written(at: Timestamp) -> String {
    at.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
