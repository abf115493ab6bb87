//! The program itself on a database with a million messages: from start to ready, and its memory when
//! idle, busy, and with a thousand requests that wait for the database.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::child::Role;
use crate::support::database::{Database, Kind, kinds};
use crate::support::load::{Webhooks, drive};
use crate::support::serve::Serving;
use crate::support::table::{self, median};
use crate::support::{filler, house};

const PEOPLE: u32 = 100_000;
const MESSAGES_EACH: u32 = 10;
const STARTS: usize = 5;
const BUSY: usize = 256;
const WAITING: usize = 1000;
const REQUESTS: usize = 20_000;

pub async fn measure() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for kind in kinds() {
        rows.push(table::meanwhile(one(kind).await?));
    }
    table::print(
        "start and memory with 1,000,000 messages (aims: 50 ms; 25, 60 and 30 MB)",
        &[
            "database",
            "ms to ready",
            "MB idle",
            "MB, 256 busy",
            "MB more, 1,000 waiting",
        ],
        &rows,
    );
    Ok(())
}

async fn one(kind: Kind) -> anyhow::Result<Vec<String>> {
    let database = Database::new(kind).await?;
    let order = house::order(&database, "http://127.0.0.1:9");
    // A role opens the house once, so that the schema is there.
    drop(Role::start("ticker", &order, &[])?);
    filler::fill(&database, PEOPLE, MESSAGES_EACH).await?;
    let mut environment = house::environment(&order)?;
    environment.insert("TUSSENDOOR_HTTP__CONNECTIONS".into(), "2000".into());
    environment.insert("TUSSENDOOR_RECEIVE__QUEUE".into(), "2000".into());
    let mut ready = Vec::new();
    for _ in 0..STARTS {
        let serving = Serving::start(&environment)?;
        ready.push(serving.ready.as_secs_f64() * 1000.0);
    }
    let serving = Serving::start(&environment)?;
    pause(Duration::from_secs(3)).await;
    let idle = serving.memory()?;
    let waiting = waiting(&serving, &database).await?;
    // A process of its own: what the thousand left behind is not what the busy ones take.
    drop(serving);
    let serving = Serving::start(&environment)?;
    let busy = busy(&serving).await?;
    drop(serving);
    database.drop().await?;
    Ok(vec![
        kind.name().to_owned(),
        format!("{:.0}", median(ready)),
        format!("{idle:.0}"),
        format!("{busy:.0}"),
        format!("{:.0}", waiting - idle),
    ])
}

/// The most that it held while 256 connections were busy.
async fn busy(serving: &Serving) -> anyhow::Result<f64> {
    let webhooks = Webhooks::new(WAITING, REQUESTS)?;
    let load = drive(&serving.address, &webhooks, BUSY, None);
    tokio::pin!(load);
    let mut most: f64 = 0.0;
    loop {
        tokio::select! {
            went = &mut load => {
                went?;
                return Ok(most.max(serving.memory()?));
            }
            () = pause(Duration::from_millis(50)) => most = most.max(serving.memory()?),
        }
    }
}

/// A thousand webhooks arrive while somebody else holds the database.
async fn waiting(serving: &Serving, database: &Database) -> anyhow::Result<f64> {
    match database.kind {
        Kind::Sqlite => {
            let mut held = SqliteConnection::connect(&database.url).await?;
            held.execute("BEGIN IMMEDIATE").await?;
            let most = arrive(serving).await?;
            held.execute("ROLLBACK").await?;
            Ok(most)
        }
        Kind::Postgres => {
            let mut held = PgConnection::connect(&database.url).await?;
            held.execute("BEGIN").await?;
            held.execute("LOCK TABLE raw_bodies IN EXCLUSIVE MODE")
                .await?;
            let most = arrive(serving).await?;
            held.execute("ROLLBACK").await?;
            Ok(most)
        }
    }
}

async fn arrive(serving: &Serving) -> anyhow::Result<f64> {
    let webhooks = Webhooks::new(0, WAITING)?;
    let mut open = Vec::with_capacity(WAITING);
    for request in webhooks.requests() {
        let mut stream = TcpStream::connect(&serving.address).await?;
        stream.write_all(request).await?;
        open.push(stream);
    }
    pause(Duration::from_secs(2)).await;
    serving.memory()
}

#[expect(
    clippy::disallowed_methods,
    reason = "memory is looked at now and then"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
