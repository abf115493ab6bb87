//! `serve`: listens, works, and lets go in order. The demo serves in the same way.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use super::{log, opened, say};
use crate::app::numbers::Numbers;
use crate::app::{App, desk};
use crate::assemble;
use crate::settings::Settings;
use crate::store::{backup, disk};
use crate::web;
use crate::workers::Workers;

/// Half of the work, for processes that share one PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Only {
    /// The door: webhooks and pages.
    Web,
    /// What follows: turns, sending, the calendar.
    Workers,
}

/// How long requests may take to finish after a stop; a page that listens for news never ends by itself.
const GOODBYE: Duration = Duration::from_secs(2);
/// Counted from the signal: an answer of a provider within eight seconds is recorded, and ten seconds
/// after the signal the process is gone.
const LAST_ANSWER: Duration = Duration::from_secs(9);
/// For closing the database, and for what does not end by itself (a name lookup that hangs).
pub const LET_GO: Duration = Duration::from_millis(400);
/// Who watches needs few connections.
const WATCHERS: usize = 32;

/// The service, or half of it.
pub async fn run(only: Option<Only>) -> anyhow::Result<()> {
    let mut settings = Settings::from_process()?;
    log::begin(&settings.log);
    if only.is_some() && file(&settings).is_some() {
        bail!(
            "--only is for processes that share a PostgreSQL: a SQLite file has one process, which does everything"
        );
    }
    let listener = match only {
        Some(Only::Workers) => None,
        Some(Only::Web) | None => Some(bound(&mut settings)?),
    };
    let _held = held(&settings)?;
    let (app, _) = opened(&settings).await?;
    if only != Some(Only::Web) && desk::paused(&app).await? {
        say("nothing is sent until `tussendoor resume`: the database was restored from a backup")?;
    }
    let door = match listener {
        Some(listener) => Some((listener, web::router(&app, &web_config(&settings))?)),
        None => None,
    };
    if only != Some(Only::Web) {
        assemble::resume_lines(&app).await?;
    }
    serve(app, &settings, door, only != Some(Only::Web)).await
}

/// The file of the database, where it is one.
fn file(settings: &Settings) -> Option<PathBuf> {
    backup::file_of(settings.database_url.expose_secret())
}

/// A SQLite file is served by one process: two would wake only their own loops, and send twice as fast.
pub fn held(settings: &Settings) -> anyhow::Result<Option<disk::Held>> {
    std::fs::create_dir_all(&settings.data_dir)
        .with_context(|| format!("the folder {} cannot be made", settings.data_dir.display()))?;
    let held = file(settings).map(|file| disk::hold(&file));
    Ok(held.transpose()?)
}

pub fn web_config(settings: &Settings) -> web::Config {
    web::Config {
        public_url: settings.public_url.clone(),
        body_bytes: settings.receive.body_bytes,
        request: Duration::from_secs(settings.http.request_seconds),
        idle: Duration::from_secs(settings.session.idle_minutes * 60),
        absolute: Duration::from_secs(settings.session.absolute_hours * 3600),
    }
}

/// Listens where the settings say; with port 0 the public address gets the port that was free.
fn bound(settings: &mut Settings) -> anyhow::Result<TcpListener> {
    let listener = listening(settings.listen)?;
    let address = listener.local_addr()?;
    if settings.public_url.port() == Some(0)
        && settings.public_url.set_port(Some(address.port())).is_err()
    {
        bail!("public_url cannot carry a port");
    }
    Ok(listener)
}

/// A line long enough for a crowd that comes at once: where it is full, the kernel lets people believe
/// that they are connected, and they come back after seconds.
const LINE: u32 = 4096;

/// What the kernel keeps of an answer that is not read; every connection inherits it. Left alone it takes
/// megabytes in the place of the reader, and nobody sees for half a minute that there is none.
const UNREAD: u32 = 128 * 1024;

fn listening(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for old connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(UNREAD)?;
        socket.bind(address)?;
        socket.listen(LINE)
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}

/// Serves until SIGTERM or SIGINT, then lets go in order: new work, the door, the requests, the workers. Without a
/// door it only works; without work it only takes in.
pub async fn serve(
    app: Arc<App>,
    settings: &Settings,
    door: Option<(TcpListener, axum::Router)>,
    work: bool,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let limits = |connections, numbers: Option<Arc<Numbers>>| web::serve::Door {
        connections,
        header: Duration::from_secs(settings.http.header_seconds),
        body: Duration::from_secs(settings.http.body_seconds),
        answer: Duration::from_secs(settings.http.answer_seconds),
        goodbye: GOODBYE,
        numbers,
    };
    let mut servers = tokio::task::JoinSet::new();
    if let Some(address) = settings.metrics {
        let listener = listening(address)?;
        say(&format!("numbers on http://{}", listener.local_addr()?))?;
        let (router, limits) = (web::metrics::router(&app), limits(WATCHERS, None));
        servers.spawn(web::serve::serve(listener, router, limits, stop.clone()));
    }
    // Before the first send: from here on no signal ends the process without a goodbye.
    let told_to_stop = told_to_stop()?;
    let mut workers = Workers::start(&app, door.is_some(), work);
    let greeting = match &door {
        Some((listener, _)) => format!("ready on http://{}", listener.local_addr()?),
        None => "ready, without a door".to_owned(),
    };
    if let Some((listener, router)) = door {
        let limits = limits(settings.http.connections, Some(app.numbers.clone()));
        servers.spawn(web::serve::serve(listener, router, limits, stop.clone()));
    }
    say(&greeting)?;
    let whole = tokio::select! {
        () = told_to_stop => true,
        () = workers.ended() => false,
    };
    workers.rest();
    stop.cancel();
    let finish = async {
        while servers.join_next().await.is_some() {}
        workers.stop().await;
    };
    if tokio::time::timeout(LAST_ANSWER, finish).await.is_err() {
        tracing::error!("stopped with work in hand: what is not answered will be in doubt");
    }
    drop(tokio::time::timeout(LET_GO, app.store.close()).await);
    if !whole {
        bail!("a worker ended by itself: the log says why, and the service must be started again");
    }
    Ok(())
}

/// Listens for both signals from now on; the future ends with the first of them.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
