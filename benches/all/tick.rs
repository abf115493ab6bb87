//! The scheduler's tick among few people and among many, with as many of them due: its work must grow
//! with what is due, not with who exists.

use anyhow::Context as _;
use serde_json::{Value, json};
use tussendoor::app::tick;

use crate::support::child::{Role, Talk};
use crate::support::database::{Database, Kind, kinds};
use crate::support::load::begin;
use crate::support::table::{self, median};
use crate::support::{filler, house};

const PEOPLE: [u32; 3] = [1000, 100_000, 1_000_000];
const DUE: usize = 100;
const RUNS: usize = 5;
const IDLE: usize = 500;

pub async fn measure() -> anyhow::Result<()> {
    for kind in kinds() {
        let mut rows = Vec::new();
        let mut first: Option<(f64, f64)> = None;
        for people in PEOPLE {
            let (due, idle) = among(kind, people).await?;
            let (few_due, few_idle) = *first.get_or_insert((due, idle));
            rows.push(table::meanwhile(vec![
                people.to_string(),
                format!("{due:.0}"),
                format!("{:.2}", due / few_due),
                format!("{idle:.2}"),
                format!("{:.2}", idle / few_idle),
            ]));
        }
        table::print(
            &format!(
                "tick, {}, {DUE} nudges due (aim: within a factor of 2 of each other)",
                kind.name()
            ),
            &["people", "ms, due", "ratio", "ms, nothing due", "ratio"],
            &rows,
        );
    }
    Ok(())
}

/// Milliseconds of the ticks in which a hundred nudges start, and of one in which nothing is due.
async fn among(kind: Kind, people: u32) -> anyhow::Result<(f64, f64)> {
    let database = Database::new(kind).await?;
    let mut role = Role::start(
        "ticker",
        &house::order(&database, "http://127.0.0.1:9"),
        &[],
    )?;
    filler::fill(&database, people, 1).await?;
    let mut due = Vec::new();
    let mut idle = Vec::new();
    for run in 0..RUNS {
        role.ask(&format!("due {}", run * DUE))?;
        // The rules look once a day; for a bench the day begins anew.
        database.execute("DELETE FROM occurrences").await?;
        let answer = role.ask("ticks")?;
        let started = database
            .number("SELECT COUNT(*) FROM nudges WHERE started_at IS NOT NULL")
            .await?;
        anyhow::ensure!(
            started == i64::try_from((run + 1) * DUE)?,
            "{started} nudges started"
        );
        due.push(answer.as_f64().context("a time")?);
        idle.push(role.ask("idle")?.as_f64().context("a time")?);
    }
    drop(role);
    database.drop().await?;
    Ok((median(due), median(idle)))
}

/// The process that ticks.
pub async fn ticker(order: &Value, mut talk: Talk) -> anyhow::Result<()> {
    let app = house::open(order).await?;
    talk.say(&json!("ready"))?;
    while let Some(command) = talk.next() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let begun = begin();
        match words.as_slice() {
            ["due", first] => {
                house::people(&app, house::Kind::Due, first.parse()?, DUE).await?;
            }
            ["ticks"] => while tick::tick(&app).await? > 0 {},
            ["idle"] => {
                for _ in 0..IDLE {
                    tick::tick(&app).await?;
                }
            }
            _ => anyhow::bail!("no such command: {command:?}"),
        }
        let times = if words == ["idle"] { IDLE } else { 1 };
        talk.say(&json!(
            begun.elapsed().as_secs_f64() * 1000.0 / times as f64
        ))?;
    }
    Ok(())
}
