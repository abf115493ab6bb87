//! `vacancies`: looks at feeds and files by hand, and says what came of it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::{opened, say};
use crate::app::vacancies::fetch::{self, Looked};
use crate::app::vacancies::take::{self, Report, Taken};
use crate::app::vacancies::work;
use crate::settings::Settings;
use crate::store::vacancies::Source;
use crate::wire::feeds::{self, Format, Mapping};

#[derive(Subcommand)]
pub enum VacanciesCommand {
    /// Look at the feeds of the settings now, whatever their schedule.
    Fetch {
        /// Only this feed.
        feed: Option<String>,
        /// Ask for everything, also if nothing changed since the last look.
        #[arg(long)]
        anew: bool,
    },
    /// Take in vacancies from a file: .json, .csv, .xml, .rss or .atom.
    Import(ImportArguments),
}

#[derive(Args)]
pub struct ImportArguments {
    file: PathBuf,
    #[arg(long)]
    organisation: String,
    /// What these vacancies are known by; the same name again replaces what it told before.
    #[arg(long, default_value = "import")]
    source: String,
}

/// Runs a command; exit code 1 if something could not be read.
pub async fn run(command: VacanciesCommand) -> anyhow::Result<ExitCode> {
    match command {
        VacanciesCommand::Fetch { feed, anew } => look(feed.as_deref(), anew).await,
        VacanciesCommand::Import(arguments) => import(&arguments).await,
    }
}

async fn look(name: Option<&str>, anew: bool) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let feeds = &app.vacancies.feeds;
    let wanted: Vec<_> = feeds
        .iter()
        .filter(|feed| name.is_none_or(|name| name == feed.name))
        .collect();
    if let (Some(name), true) = (name, wanted.is_empty()) {
        bail!("the settings have no feed {name}");
    }
    let mut whole = true;
    for feed in wanted {
        let told = match fetch::look(&app, feed, anew).await? {
            Looked::Same => "nothing changed".to_owned(),
            Looked::Took(report) => told(&report),
            Looked::Broken(why) => {
                whole = false;
                format!("does not work: {why}. What is there stays")
            }
            Looked::Busy => "another process looks at it right now".to_owned(),
        };
        say(&format!("{}: {told}", feed.name))?;
    }
    work(&app).await?;
    app.store.close().await;
    Ok(code(whole))
}

async fn import(arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let house = app
        .houses
        .values()
        .find(|house| house.slug == arguments.organisation)
        .with_context(|| {
            format!(
                "the settings have no organisation {}",
                arguments.organisation
            )
        })?;
    if app
        .vacancies
        .feeds
        .iter()
        .any(|feed| feed.name == arguments.source)
    {
        bail!("--source {} is a feed of the settings", arguments.source);
    }
    let ending = arguments.file.extension().and_then(|it| it.to_str());
    let format = match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "json" => Format::Json,
        "csv" => Format::Csv,
        "xml" | "rss" | "atom" => Format::Rss,
        _ => bail!("a file that ends in .json, .csv, .xml, .rss or .atom is expected"),
    };
    let bytes = tokio::fs::read(&arguments.file)
        .await
        .with_context(|| format!("{} cannot be read", arguments.file.display()))?;
    let read = feeds::read(&bytes, format, &Mapping::default())?;
    let source = Source {
        organisation: house.id,
        name: &arguments.source,
    };
    let whole = format != Format::Rss;
    // A file without any vacancy is a mistake, also the first time: it must not close all that is open.
    let had = 1;
    let taken = match take::take(&app, source, &read, whole, had).await? {
        Taken::Done(report) => {
            say(&told(&report))?;
            true
        }
        Taken::Refused(why) => {
            say(&format!("nothing was changed: {why}"))?;
            false
        }
        Taken::Busy => {
            say("nothing was finished: another process takes vacancies in right now")?;
            false
        }
    };
    work(&app).await?;
    app.store.close().await;
    Ok(code(taken))
}

fn code(whole: bool) -> ExitCode {
    match whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn told(report: &Report) -> String {
    let mut told = format!(
        "{} vacancies: {} new, {} changed, {} known from elsewhere, {} told twice, {} closed, {} rows not used",
        report.items,
        report.new,
        report.changed,
        report.elsewhere,
        report.twice,
        report.gone,
        report.skipped
    );
    for (wrong, count) in &report.wrong {
        told.push_str(&format!("\n  {count}: {wrong}"));
    }
    told
}
