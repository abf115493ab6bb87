//! `forecast`: what will go out, to whom, when and why, if nobody answers; and what other numbers would
//! change. It reads and changes nothing. People are told by their id: a terminal keeps what it showed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::{opened, say};
use crate::app::forecast::{self, Line, What};
use crate::app::{App, House};
use crate::domain::cadence::Cadence;
use crate::domain::time::Tz;
use crate::settings::Settings;
use crate::store::contacts;

#[derive(Args)]
pub struct ForecastArguments {
    /// How many days ahead.
    #[arg(long, default_value_t = 14)]
    days: u32,
    /// One person only, by the id that an import gave them.
    #[arg(long, value_name = "REF")]
    candidate: Option<String>,
    /// By the numbers of this file instead of the running ones.
    #[arg(long, value_name = "FILE")]
    cadence: Option<PathBuf>,
    /// Show only what the numbers of this file would change: `-` no longer, `+` new.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

pub async fn run(arguments: ForecastArguments) -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let numbers = match &arguments.cadence {
        Some(file) => read(file)?,
        None => app.cadence.clone(),
    };
    for house in app.houses.values() {
        let lines = told(&app, house, &arguments, &numbers).await?;
        let Some(file) = &arguments.compare else {
            for line in &lines {
                say(line)?;
            }
            continue;
        };
        let other = told(&app, house, &arguments, &read(file)?).await?;
        let (before, after): (BTreeSet<&String>, BTreeSet<&String>) =
            (lines.iter().collect(), other.iter().collect());
        // Lines begin with their moment, so that both kinds stand in order of time.
        for line in before.symmetric_difference(&after) {
            let sign = if before.contains(*line) { '-' } else { '+' };
            say(&format!("{sign} {line}"))?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Arc<Cadence>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let cadence = Cadence::parse(&text).with_context(|| file.display().to_string())?;
    Ok(Arc::new(cadence))
}

async fn told(
    app: &App,
    house: &House,
    arguments: &ForecastArguments,
    numbers: &Arc<Cadence>,
) -> anyhow::Result<Vec<String>> {
    let mut tx = app.store.read().await?;
    let Some(reference) = &arguments.candidate else {
        let lines = forecast::of_house(app, &mut tx, house, numbers, arguments.days).await?;
        return Ok(lines.iter().map(|line| tell(line, house.zone)).collect());
    };
    let Some(candidate) = contacts::by_ref(&mut tx, house.id, reference).await? else {
        return Ok(Vec::new());
    };
    let Some(person) = contacts::person(&mut tx, candidate).await? else {
        return Ok(Vec::new());
    };
    let coming = forecast::of(app, &mut tx, &person, numbers, arguments.days).await?;
    Ok(coming
        .into_iter()
        .map(|happens| tell(&Line { candidate, happens }, house.zone))
        .collect())
}

fn tell(line: &Line, zone: Tz) -> String {
    let at = line.happens.at.local(zone).format("%Y-%m-%d %H:%M");
    let what = match &line.happens.what {
        What::Leaves { rule, because, .. } => match because {
            Some(because) => format!("message {rule}, by the rule {}", because.as_str()),
            None => format!("message {rule}"),
        },
        What::Flag(why) => format!("flag {}", why.as_str()),
        What::Ended(rule, ended) => format!("nudge {} ends: {}", rule.as_str(), ended.as_str()),
    };
    format!(
        "{at}  {}  {what} ({})",
        line.candidate, line.happens.subject
    )
}
