//! GET and POST /in/{endpoint}: where providers reach us. No cookie, no session; the channel decides who
//! speaks and what it is answered.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::app::receive::{self, Refused, Taken};
use crate::ports::channel::{HttpRequest, Reply};

/// The two routes; `body_bytes` is the largest webhook.
pub fn routes(body_bytes: usize) -> Router<Arc<App>> {
    Router::new()
        .route("/in/{endpoint}", get(greet).post(deliver))
        .layer(DefaultBodyLimit::max(body_bytes))
}

async fn greet(
    State(app): State<Arc<App>>,
    Path(endpoint): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    match receive::greet(&app, &endpoint, query.as_deref().unwrap_or_default()) {
        Ok(reply) => answer(reply),
        Err(refused) => refuse(refused),
    }
}

async fn deliver(
    State(app): State<Arc<App>>,
    Path(endpoint): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let channel = receive::channel(&app, &endpoint);
    // Nothing that providers send is compressed; a compressed body is a bomb until proven otherwise.
    if headers.contains_key(header::CONTENT_ENCODING) {
        app.numbers.webhook(channel, "compressed");
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let body = match body {
        Ok(body) => body,
        Err(unread) => {
            let unread = unread.into_response();
            let large = unread.status() == StatusCode::PAYLOAD_TOO_LARGE;
            app.numbers
                .webhook(channel, if large { "too_large" } else { "unread" });
            return unread;
        }
    };
    let done = match taken(&app, endpoint, query, headers, body).await {
        Ok(taken) => taken.durable().await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(reply) => {
            app.numbers.webhook(channel, "accepted");
            answer(reply)
        }
        Err(refused) => {
            app.numbers.webhook(channel, refused.as_str());
            refuse(refused)
        }
    }
}

/// All that came with the request ends here: who waits for the writer holds none of it.
async fn taken(
    app: &App,
    endpoint: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Taken, Refused> {
    let headers: Vec<(String, Vec<u8>)> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let request = HttpRequest {
        query: query.as_deref().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    receive::take(app, &endpoint, &request).await
}

fn answer(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, reply.content_type)],
        reply.body,
    )
        .into_response()
}

/// No hint: the body is empty.
fn refuse(refused: Refused) -> Response {
    match refused {
        Refused::NoSuchEndpoint => StatusCode::NOT_FOUND.into_response(),
        Refused::Unverified => StatusCode::UNAUTHORIZED.into_response(),
        Refused::Full | Refused::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
