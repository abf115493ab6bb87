//! The accept loop. A cap on connections, where whoever has been idle longest makes room; deadlines for
//! the header (the framework's own loop sets none), the body and a reader that does not read; and a stop
//! that lets requests finish.

mod guests;
mod patience;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::guests::{Guests, Held};
use self::patience::{InTime, Patient, breathe};
use crate::app::numbers::Numbers;

/// Limits of the door.
#[derive(Clone)]
pub struct Door {
    /// Connections at once.
    pub connections: usize,
    /// How long a client may take for its header, also when it says nothing at all.
    pub header: Duration,
    /// How long it may take for its body.
    pub body: Duration,
    /// How long it may take to read the next piece of an answer.
    pub answer: Duration,
    /// How long running requests may take after a stop.
    pub goodbye: Duration,
    /// Where the connections of this door are counted.
    pub numbers: Option<Arc<Numbers>>,
}

/// Serves until told to stop, then until running requests are done.
pub async fn serve(listener: TcpListener, router: Router, door: Door, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(door.connections));
    let guests = Guests::default();
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file handles, or a client that left already: others must not suffer.
                    tracing::warn!(%error, "accept");
                    guests.make_room();
                    breathe().await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        if places.available_permits() == 0
            && guests.make_room()
            && let Some(numbers) = &door.numbers
        {
            numbers.sent_away();
        }
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let Ok(place) = place else { break };
        if let Some(numbers) = &door.numbers {
            numbers.connections(door.connections - places.available_permits());
        }
        // Small answers must not wait for a full packet.
        drop(stream.set_nodelay(true));
        let guest = guests.enter();
        let told_to_leave = guest.told_to_leave();
        let body = door.body;
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = guest.busy();
            let router = router.clone();
            let mut request = request.map(|incoming| Body::new(InTime::new(incoming, body)));
            // Who asks, for counting tries to sign in.
            request.extensions_mut().insert(ConnectInfo(peer));
            async move {
                let answer = router.oneshot(request).await?;
                Ok::<_, Infallible>(answer.map(|body| Held::new(body, busy)))
            }
        });
        let stream = Patient::new(stream, door.answer);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(door.header)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        let (numbers, places, connections) =
            (door.numbers.clone(), places.clone(), door.connections);
        tokio::spawn(async move {
            tokio::select! {
                // A client that breaks off is no event.
                done = connection => drop(done),
                () = told_to_leave.cancelled() => {}
            }
            drop(place);
            if let Some(numbers) = numbers {
                numbers.connections(connections - places.available_permits());
            }
        });
    }
    drop(listener);
    drop(tokio::time::timeout(door.goodbye, graceful.shutdown()).await);
}
