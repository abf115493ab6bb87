//! Durable webhooks: the house, which appends them in batches, against the same server without storage
//! and against one transaction a request. The load is driven from here, each server is another process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tussendoor::app::{App, receive, unpack};
use tussendoor::domain::ids::KeyId;
use tussendoor::ports::channel::HttpRequest;
use tussendoor::store::inbox::{self, NewRaw};
use tussendoor::store::sealed::Sealer;
use tussendoor::web;

use crate::support::child::{Role, Talk};
use crate::support::database::{Database, Kind, kinds};
use crate::support::house;
use crate::support::load::{Webhooks, drive};
use crate::support::server::Server as OwnServer;
use crate::support::shim;
use crate::support::table::{self, median};

const CONNECTIONS: [usize; 3] = [16, 64, 256];
/// Runs of each way in turn, and requests in one of them.
const RUNS: usize = 3;
const REQUESTS: usize = 20_000;
/// One transaction a request is slow: fewer tell as much.
const REQUESTS_EACH: usize = 2000;
const REQUESTS_SLOW: (usize, usize) = (10_000, 400);

pub async fn measure() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for kind in kinds() {
        full(kind, &mut rows).await?;
    }
    table::print(
        "receive, at full load (aim at 64: 0.50 of no storage on SQLite, 0.40 on PostgreSQL; p99 at most three times)",
        &[
            "database, connections",
            "no storage/s",
            "house/s",
            "ratio",
            "a transaction each/s",
            "p50 p99 ms, no storage",
            "p50 p99 ms, house",
            "µs no storage",
            "µs house",
            "µs database",
        ],
        &rows,
    );
    let mut rows = Vec::new();
    for kind in kinds() {
        rows.push(table::meanwhile(half(kind).await?));
    }
    table::print(
        "receive, at half of full load over 64 connections (aim: p99 of 25 ms)",
        &[
            "database",
            "asked/s",
            "p50 ms",
            "p99 ms",
            "different messages sent",
            "items in the inbox",
        ],
        &rows,
    );
    let mut rows = Vec::new();
    slow(&mut rows).await?;
    table::print(
        "receive, every fsync five milliseconds slower, 64 connections (aim: 40 times)",
        &["database", "house/s", "a transaction each/s", "ratio"],
        &rows,
    );
    Ok(())
}

/// A server in another process.
struct Server {
    role: Role,
    address: String,
}

impl Server {
    fn start(way: &str, database: &Database, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let mut order = house::order(database, "http://127.0.0.1:9");
        order["way"] = json!(way);
        let mut role = Role::start("receiver", &order, variables)?;
        let address = role.ask("address")?;
        Ok(Self {
            address: address.as_str().context("an address")?.to_owned(),
            role,
        })
    }
}

#[derive(Default)]
struct Figures {
    rate: Vec<f64>,
    cpu: Vec<f64>,
    database: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Figures {
    async fn take(
        &mut self,
        server: &Server,
        database: &Database,
        webhooks: &Webhooks,
        connections: usize,
        count: usize,
    ) -> anyhow::Result<()> {
        let (own, theirs) = (server.role.cpu(), database.cpu().await?);
        let went = drive(&server.address, webhooks, connections, None).await?;
        self.rate.push(went.rate);
        self.cpu.push((server.role.cpu() - own) / count as f64);
        self.database
            .push((database.cpu().await? - theirs) / count as f64);
        self.p50.push(went.times.at(0.5));
        self.p99.push(went.times.at(0.99));
        Ok(())
    }

    fn spread(&self) -> String {
        let (p50, p99) = (median(self.p50.clone()), median(self.p99.clone()));
        format!("{p50:.1} {p99:.1}")
    }
}

async fn full(kind: Kind, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let database = Database::new(kind).await?;
    let ours = Server::start("house", &database, &[])?;
    let none = Server::start("none", &database, &[])?;
    let each_database = Database::new(kind).await?;
    let each = Server::start("each", &each_database, &[])?;
    let mut sent = 0;
    let mut at_64 = 0.0;
    for connections in CONNECTIONS {
        let (mut without, mut with, mut one) =
            (Figures::default(), Figures::default(), Figures::default());
        for _ in 0..RUNS {
            let webhooks = Webhooks::new(sent, REQUESTS)?;
            without
                .take(&none, &database, &webhooks, connections, REQUESTS)
                .await?;
            with.take(&ours, &database, &webhooks, connections, REQUESTS)
                .await?;
            sent += webhooks.distinct;
        }
        let few = Webhooks::new(sent, REQUESTS_EACH)?;
        one.take(&each, &each_database, &few, connections, REQUESTS_EACH)
            .await?;
        let ratios = with.rate.iter().zip(&without.rate).map(|(a, b)| a / b);
        let rate = median(with.rate.clone());
        if connections == 64 {
            at_64 = rate;
        }
        rows.push(table::meanwhile(vec![
            format!("{}, {connections}", kind.name()),
            format!("{:.0}", median(without.rate.clone())),
            format!("{rate:.0}"),
            format!("{:.2}", median(ratios.collect())),
            format!("{:.0}", median(one.rate)),
            without.spread(),
            with.spread(),
            format!("{:.0}", median(without.cpu)),
            format!("{:.0}", median(with.cpu)),
            format!("{:.0}", median(with.database)),
        ]));
        if connections == 256 {
            println!(
                "{}: at 256 connections {:.2} of the rate at 64 (aim: 0.95)",
                kind.name(),
                rate / at_64
            );
        }
    }
    drop((ours, none, each));
    each_database.drop().await?;
    database.drop().await
}

/// At half of full load; then all that came is unpacked, and its effects are as many as its messages.
async fn half(kind: Kind) -> anyhow::Result<Vec<String>> {
    let database = Database::new(kind).await?;
    let mut server = Server::start("house", &database, &[])?;
    let first = Webhooks::new(0, REQUESTS)?;
    let full = drive(&server.address, &first, 64, None).await?.rate;
    let second = Webhooks::new(REQUESTS, REQUESTS)?;
    let went = drive(&server.address, &second, 64, Some(full / 2.0)).await?;
    server.role.ask("unpack")?;
    let effects = database.number("SELECT COUNT(*) FROM inbox").await?;
    let distinct = first.distinct + second.distinct;
    anyhow::ensure!(
        effects == i64::try_from(distinct)?,
        "{effects} items for {distinct} messages on {}",
        kind.name()
    );
    drop(server);
    database.drop().await?;
    Ok(vec![
        kind.name().to_owned(),
        format!("{:.0}", full / 2.0),
        format!("{:.1}", went.times.at(0.5)),
        format!("{:.1}", went.times.at(0.99)),
        distinct.to_string(),
        effects.to_string(),
    ])
}

async fn slow(rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let shim = shim::slow_fsync(folder.path())?;
    // SQLite makes durable in our process, PostgreSQL in its own.
    let preload = [("LD_PRELOAD", shim.display().to_string())];
    rows.push(slow_on(None, &preload).await?);
    if let Some(server) = OwnServer::start(&shim).await? {
        rows.push(slow_on(Some(server.url.clone()), &[]).await?);
    }
    Ok(())
}

async fn slow_on(
    server: Option<String>,
    variables: &[(&str, String)],
) -> anyhow::Result<Vec<String>> {
    let (many, few) = REQUESTS_SLOW;
    let (mut rates, mut name) = (Vec::new(), "");
    for (way, count) in [("house", many), ("each", few)] {
        let database = Database::on(server.clone()).await?;
        name = database.kind.name();
        let server = Server::start(way, &database, variables)?;
        let webhooks = Webhooks::new(0, count)?;
        rates.push(drive(&server.address, &webhooks, 64, None).await?.rate);
        drop(server);
        database.drop().await?;
    }
    Ok(table::meanwhile(vec![
        name.to_owned(),
        format!("{:.0}", rates[0]),
        format!("{:.0}", rates[1]),
        format!("{:.0}", rates[0] / rates[1]),
    ]))
}

/// The process that is measured: a server that treats a webhook in one of three ways.
pub async fn receiver(order: &Value, mut talk: Talk) -> anyhow::Result<()> {
    let app = Arc::new(house::open(order).await?);
    let stop = CancellationToken::new();
    let router = match order["way"].as_str() {
        Some("house") => {
            tokio::spawn(receive::write_batches(app.clone(), stop.clone()));
            web::router(&app, &config()?)?
        }
        Some("none") => bare(app.clone(), false).await?,
        Some("each") => bare(app.clone(), true).await?,
        other => anyhow::bail!("no such way: {other:?}"),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let door = web::serve::Door {
        connections: 512,
        header: Duration::from_secs(10),
        body: Duration::from_secs(10),
        answer: Duration::from_secs(10),
        goodbye: Duration::from_secs(2),
        numbers: Some(app.numbers.clone()),
    };
    tokio::spawn(web::serve::serve(listener, router, door, stop));
    talk.say(&json!("ready"))?;
    while let Some(command) = talk.next() {
        let answer = match command.first().map(String::as_str) {
            Some("address") => json!(address),
            Some("unpack") => {
                while unpack::unpack(&app).await? > 0 {}
                json!("unpacked")
            }
            _ => anyhow::bail!("no such command: {command:?}"),
        };
        talk.say(&answer)?;
    }
    Ok(())
}

fn config() -> anyhow::Result<web::Config> {
    Ok(web::Config {
        public_url: "http://127.0.0.1".parse()?,
        body_bytes: 3_145_728,
        request: Duration::from_secs(30),
        idle: Duration::from_secs(60),
        absolute: Duration::from_secs(60),
    })
}

struct Bare {
    app: Arc<App>,
    key: KeyId,
    sealer: Sealer,
    store: bool,
}

/// The server without what makes it durable: it verifies, parses and seals. With `store` each request
/// has a transaction of its own. As many layers as the house has.
async fn bare(app: Arc<App>, store: bool) -> anyhow::Result<Router> {
    let now = app.now();
    let (key, sealer) = inbox::day_key(&app.store, now.utc().date_naive(), now).await?;
    let state = Arc::new(Bare {
        app,
        key,
        sealer,
        store,
    });
    let mut router = Router::new()
        .route("/in/{endpoint}", post(deliver))
        .with_state(state)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(30),
        ));
    for name in ["a", "b", "c", "d", "e", "f"] {
        router = router.layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static(name),
            HeaderValue::from_static("nothing of note"),
        ));
    }
    Ok(router)
}

async fn deliver(State(bare): State<Arc<Bare>>, headers: HeaderMap, body: Bytes) -> Response {
    match taken(&bare, &headers, &body).await {
        Ok(status) => status.into_response(),
        Err(error) => {
            eprintln!("{error:#}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn taken(bare: &Bare, headers: &HeaderMap, body: &Bytes) -> anyhow::Result<StatusCode> {
    let headers: Vec<(String, Vec<u8>)> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let request = HttpRequest {
        query: "",
        headers: &headers,
        body,
    };
    let door = bare.app.doors.get("meta").context("one endpoint")?;
    let Ok(verified) = door.channel.verify(&door.endpoint, &request) else {
        return Ok(StatusCode::UNAUTHORIZED);
    };
    let now = bare.app.now();
    let (slug, key) = (&door.endpoint.slug, (bare.key, &bare.sealer));
    let raw = NewRaw::sealed(bare.app.id(now), slug, key, verified.bytes(), now);
    if bare.store {
        let mut tx = bare.app.store.write().await?;
        inbox::append(&mut tx, std::iter::once(raw)).await?;
        tx.commit().await?;
    } else {
        let items = door.channel.parse(verified);
        anyhow::ensure!(items.is_ok_and(|items| items.len() == 1), "one message");
    }
    Ok(StatusCode::OK)
}
