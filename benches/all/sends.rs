//! Sends through the real sender, *sending* durable before the first byte of each, against the same HTTP
//! client without a database. Both run in one other process, in turn; the provider is a stand-in here.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tussendoor::app::App;
use tussendoor::domain::contact::AddressKind;
use tussendoor::domain::message::FormBody;
use tussendoor::ports::channel::Outbound;
use tussendoor::workers;

use crate::support::child::{Role, Talk};
use crate::support::database::{Database, Kind, kinds};
use crate::support::house;
use crate::support::load::begin;
use crate::support::standin::StandIn;
use crate::support::table::{self, median};

/// Messages in one run, and runs of each kind in turn.
const RUN: usize = 2000;
const RUNS: usize = 3;
/// In the air at once, as the settings have it.
const IN_FLIGHT: usize = 64;
/// More than any run sends.
const NO_LIMIT: u32 = 1_000_000;

pub async fn measure() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for kind in kinds() {
        for what in ["words", "nudge"] {
            rows.push(table::meanwhile(against_the_wire(kind, what).await?));
        }
        rows.push(table::meanwhile(paced(kind).await?));
    }
    table::print(
        "sends (aim: 0.45 of the client alone; 1,000 a second in 100 µs of processor time each)",
        &[
            "database, what",
            "client alone/s",
            "sends/s",
            "ratio",
            "µs client",
            "µs send",
            "µs database",
            "doubled",
        ],
        &rows,
    );
    Ok(())
}

struct Figure {
    rate: f64,
    /// Processor time of the process that sends, and of the database's own, in microseconds an item.
    own: f64,
    database: f64,
}

/// Runs a command in the role and takes its rate and cost.
async fn run(role: &mut Role, database: &Database, command: &str) -> anyhow::Result<Figure> {
    let (own, theirs) = (role.cpu(), database.cpu().await?);
    let seconds = role.ask(command)?.as_f64().context("seconds")?;
    let count = RUN as f64;
    Ok(Figure {
        rate: count / seconds,
        own: (role.cpu() - own) / count,
        database: (database.cpu().await? - theirs) / count,
    })
}

async fn against_the_wire(kind: Kind, what: &str) -> anyhow::Result<Vec<String>> {
    let database = Database::new(kind).await?;
    let standin = StandIn::start(Duration::ZERO)?;
    let mut order = house::order(&database, &standin.base_url);
    order["per_second"] = json!(NO_LIMIT);
    let mut role = Role::start("sender", &order, &[])?;
    let (mut alone, mut sends) = (Vec::new(), Vec::new());
    let mut doubled = 0;
    for turn in 0..RUNS {
        standin.forget();
        alone.push(run(&mut role, &database, &format!("wire {RUN}")).await?);
        role.ask(&format!("seed {what} {} {RUN}", turn * RUN))?;
        database.settle().await?;
        standin.forget();
        sends.push(run(&mut role, &database, "send").await?);
        doubled += checked(&standin)?;
    }
    drop(role);
    let of =
        |figures: &[Figure], get: fn(&Figure) -> f64| median(figures.iter().map(get).collect());
    let ratios = sends.iter().zip(&alone).map(|(a, b)| a.rate / b.rate);
    let row = vec![
        format!("{}, {what}", kind.name()),
        format!("{:.0}", of(&alone, |figure| figure.rate)),
        format!("{:.0}", of(&sends, |figure| figure.rate)),
        format!("{:.2}", median(ratios.collect())),
        format!("{:.0}", of(&alone, |figure| figure.own)),
        format!("{:.0}", of(&sends, |figure| figure.own)),
        format!("{:.0}", of(&sends, |figure| figure.database)),
        doubled.to_string(),
    ];
    database.drop().await?;
    Ok(row)
}

/// Everybody got one message, and nobody two.
fn checked(standin: &StandIn) -> anyhow::Result<u64> {
    let (taken, doubled) = standin.count();
    anyhow::ensure!(taken == RUN as u64, "{taken} of {RUN} messages arrived");
    Ok(doubled)
}

/// A thousand a second, no more: what that costs.
async fn paced(kind: Kind) -> anyhow::Result<Vec<String>> {
    let database = Database::new(kind).await?;
    let standin = StandIn::start(Duration::from_millis(20))?;
    let mut order = house::order(&database, &standin.base_url);
    order["per_second"] = json!(1000);
    let mut role = Role::start("sender", &order, &[])?;
    role.ask(&format!("seed nudge 0 {RUN}"))?;
    database.settle().await?;
    let sent = run(&mut role, &database, "send").await?;
    let doubled = checked(&standin)?;
    drop(role);
    let row = vec![
        format!("{}, nudge, 1,000 a second", kind.name()),
        String::new(),
        format!("{:.0}", sent.rate),
        String::new(),
        String::new(),
        format!("{:.0}", sent.own),
        format!("{:.0}", sent.database),
        doubled.to_string(),
    ];
    database.drop().await?;
    Ok(row)
}

/// The process that is measured: it sends on command.
pub async fn sender(order: &Value, mut talk: Talk) -> anyhow::Result<()> {
    let mut app = house::open(order).await?;
    app.limits.per_line_second = u32::try_from(order["per_second"].as_u64().unwrap_or(80))?;
    app.limits.pair_seconds = 0;
    let app = Arc::new(app);
    talk.say(&json!("ready"))?;
    while let Some(command) = talk.next() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let answer = match words.as_slice() {
            ["seed", what, first, count] => {
                let what = house::Kind::parse(what).context("words or nudge")?;
                house::people(&app, what, first.parse()?, count.parse()?).await?;
                json!("seeded")
            }
            ["wire", count] => json!(wire(&app, count.parse()?).await?),
            ["send"] => json!(send(&app).await?),
            _ => anyhow::bail!("no such command: {command:?}"),
        };
        talk.say(&answer)?;
    }
    Ok(())
}

/// The client alone: the same requests, as many in the air, no database.
async fn wire(app: &Arc<App>, count: usize) -> anyhow::Result<f64> {
    let line = *app.lines.keys().next().context("one line")?;
    let begun = begin();
    let mut flying = JoinSet::new();
    for number in 0..count {
        if flying.len() == IN_FLIGHT {
            flying.join_next().await;
        }
        let app = app.clone();
        flying.spawn(async move {
            let (line, door) = app.door_of(line)?;
            let token = app.chance.token();
            let body = FormBody::Text {
                text: format!("Hoi Samira, morgen bel ik je om tien uur. ({number})"),
            };
            let envelope = door.channel.encode(
                &door.endpoint,
                &Outbound {
                    line: &line.address,
                    to: &house::phone(number),
                    to_kind: AddressKind::Whatsapp,
                    body: &body,
                    token: &token,
                },
            );
            let answer = app.transport.carry(envelope).await;
            Some(door.channel.outcome(&answer))
        });
    }
    while flying.join_next().await.is_some() {}
    Ok(begun.elapsed().as_secs_f64())
}

/// The real sender, until nothing is left to send.
async fn send(app: &Arc<App>) -> anyhow::Result<f64> {
    let begun = begin();
    let stop = CancellationToken::new();
    let sender = tokio::spawn(workers::sender::run(app.clone(), stop.clone()));
    loop {
        let mut tx = app.store.read().await?;
        let open = tussendoor::store::outbox::next_ready(&mut tx)
            .await?
            .is_some()
            || tussendoor::store::outbox::any_sending(&mut tx).await?;
        drop(tx);
        if !open {
            break;
        }
        pause().await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.cancel();
    sender.await?;
    Ok(seconds)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how far the sender is, is looked at now and then"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}
