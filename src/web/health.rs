//! Is the process alive, and can it do its work? For the machine that watches it; no session, no detail.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Desk;
use crate::app::desk;

/// It works, and an operator has still to look.
const PAUSED: &str =
    "ready; nothing is sent until `tussendoor resume`: the database was restored from a backup";

pub async fn live() -> Response {
    (StatusCode::OK, "live").into_response()
}

/// Ready is: the database can be read and would take a write now.
pub async fn ready(State(desk): State<Desk>) -> Response {
    match desk::healthy(&desk.app).await {
        Ok(()) => match desk::paused(&desk.app).await {
            Ok(true) => (StatusCode::OK, PAUSED).into_response(),
            _ => (StatusCode::OK, "ready").into_response(),
        },
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
                .into_response()
        }
    }
}
