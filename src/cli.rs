//! The command line: what each command does stands in its help. `serve` is the service itself.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::app::import::Asked;
use crate::assemble;
use crate::ports::chance::{Chance, SystemChance};
use crate::ports::clock::{Clock, SystemClock};
use crate::settings::Settings;
use crate::store::Store;
use crate::web;

mod backup;
mod demo;
mod experiment;
mod forecast;
mod inbox;
mod log;
mod people;
mod privacy;
mod serve;
mod talk;
mod vacancies;

/// Keeps contact going between the meetings of a job coach and a candidate.
#[derive(Parser)]
#[command(name = "tussendoor", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve webhooks and pages, and do the work.
    Serve {
        /// Half of it, for processes that share one PostgreSQL.
        #[arg(long, value_enum)]
        only: Option<serve::Only>,
    },
    /// Bring the schema of the database up to date.
    Migrate,
    /// Check settings, flows, texts and rules; print the webhook URLs to configure at providers.
    Check,
    /// Play a flow in the terminal.
    Talk {
        /// The name of the flow: `task_nudge`.
        flow: String,
        /// `nl` or `en`.
        #[arg(long, default_value = "nl")]
        language: String,
        /// Keep what was said as a test, tests/flows/<flow>/<case>.talk.
        #[arg(long, value_name = "CASE")]
        record: Option<String>,
    },
    /// What will go out in the coming days, to whom and why, if nobody answers; changes nothing.
    Forecast(forecast::ForecastArguments),
    /// What came of two wordings of one text (config/experiments.toml); changes nothing.
    Experiment {
        /// One experiment; without it all of them.
        name: Option<String>,
    },
    /// Start on an empty folder with made-up people and phones that are a page.
    Demo {
        /// Where the demo keeps its database.
        #[arg(long, default_value = "data/demo")]
        data_dir: PathBuf,
        /// Where its pages are.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
    },
    /// Import candidates, plans and tasks from CSV files.
    Import {
        /// The organisation whose people these are.
        #[arg(long)]
        organisation: String,
        /// The team of new candidates; may be left out where there is one.
        #[arg(long)]
        team: Option<String>,
        /// Store the good rows of a file where others are wrong, and list the wrong ones.
        #[arg(long)]
        partial: bool,
        /// Say what would be new, changed, unchanged or wrong, and store nothing.
        #[arg(long)]
        dry_run: bool,
        /// candidates.csv, plans.csv, tasks.csv, slots.csv, meetings.csv, or a folder with them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Vacancies: look at the feeds, or take a file in.
    #[command(subcommand)]
    Vacancies(vacancies::VacanciesCommand),
    /// Coaches.
    #[command(subcommand)]
    Coach(CoachCommand),
    /// Write everything that is kept about one person into a file.
    Export(privacy::ExportArguments),
    /// Erase one person: the key is destroyed, what was kept goes, and a report tells when the rest goes.
    Erase(privacy::EraseArguments),
    /// Forbid the erasure of a person while the law has you keep something, or end that.
    Hold(privacy::HoldArguments),
    /// The keys that seal what is kept.
    #[command(subcommand)]
    Keys(privacy::KeysCommand),
    /// The trail of who did what.
    #[command(subcommand)]
    Audit(privacy::AuditCommand),
    /// What was put aside because it could not be handled: which, why and since when.
    Inbox {
        #[command(subcommand)]
        command: Option<inbox::InboxCommand>,
    },
    /// Copy the SQLite database, also while the service runs. Never over a file.
    Backup {
        /// The copy.
        file: PathBuf,
    },
    /// Put a backup in the place of the SQLite database; without a file: mark a database that was
    /// restored by other means (pg_restore). Afterwards nothing is sent until `resume`.
    Restore {
        /// A file that `backup` made.
        file: Option<PathBuf>,
        /// Put a database that is there aside, under another name.
        #[arg(long)]
        replace: bool,
    },
    /// After a restore: messages may leave again.
    Resume,
}

#[derive(Subcommand)]
enum CoachCommand {
    /// Add a coach. The password is asked for, or read from standard input.
    Add {
        #[arg(long)]
        organisation: String,
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// coach, lead or admin.
        #[arg(long, default_value = "coach")]
        role: String,
        /// A team by its name; more than once for more teams. Without it: all teams.
        #[arg(long)]
        team: Vec<String>,
        /// nl or en.
        #[arg(long, default_value = "nl")]
        language: String,
    },
}

/// Reads the arguments and runs the command; an error is one sentence and exit code 1.
pub fn main() -> ExitCode {
    log::about_panics();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = runtime.block_on(run(arguments.command));
    // Not by dropping it: that would wait for a name lookup that hangs.
    runtime.shutdown_timeout(serve::LET_GO);
    match done {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    // Nobody to tell if standard error is gone.
    drop(writeln!(std::io::stderr(), "tussendoor: {error:#}"));
    ExitCode::FAILURE
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { only } => serve::run(only).await?,
        Command::Migrate => {
            let settings = Settings::from_process()?;
            let store = assemble::store(&settings, chance()).await?;
            migrate(&store).await?;
            say("the schema is up to date")?;
        }
        Command::Check => return check(),
        Command::Talk {
            flow,
            language,
            record,
        } => {
            let configuration = assemble::builtin()?;
            let mut output = std::io::stdout();
            let input = std::io::stdin().lock();
            let path = record.map(|case| PathBuf::from(format!("tests/flows/{flow}/{case}.talk")));
            talk::interactive(&configuration, &flow, &language, input, &mut output, path)?;
        }
        Command::Forecast(arguments) => forecast::run(arguments).await?,
        Command::Experiment { name } => experiment::run(name.as_deref()).await?,
        Command::Demo { data_dir, listen } => demo::run(&data_dir, listen).await?,
        Command::Import {
            organisation,
            team,
            partial,
            dry_run,
            files,
        } => {
            let asked = Asked {
                partial,
                dry: dry_run,
            };
            return people::import(&organisation, team.as_deref(), &files, asked).await;
        }
        Command::Vacancies(command) => return vacancies::run(command).await,
        Command::Inbox { command } => inbox::run(command).await?,
        Command::Backup { file } => backup::backup(&file).await?,
        Command::Restore { file, replace } => backup::restore(file.as_deref(), replace).await?,
        Command::Resume => backup::resume().await?,
        Command::Coach(CoachCommand::Add {
            organisation,
            email,
            name,
            role,
            team,
            language,
        }) => {
            people::add_coach(&organisation, &email, &name, &role, &team, &language).await?;
        }
        Command::Export(arguments) => return privacy::export(arguments).await,
        Command::Erase(arguments) => return privacy::erase(arguments).await,
        Command::Hold(arguments) => return privacy::hold(arguments).await,
        Command::Keys(command) => return privacy::keys(command).await,
        Command::Audit(command) => return privacy::audit(command).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn chance() -> Arc<dyn Chance> {
    Arc::new(SystemChance)
}

/// The App on an up-to-date database, with the machine's clock.
async fn opened(settings: &Settings) -> anyhow::Result<(Arc<App>, Arc<dyn Clock>)> {
    let clock = clock()?;
    let texts = assemble::configuration_meanwhile(settings);
    let store = assemble::store(settings, chance()).await?;
    migrate(&store).await?;
    let texts = assemble::tried::once(texts.await??, &store).await?;
    let app = assemble::app_of(settings, texts, store, clock.clone(), chance()).await?;
    Ok((Arc::new(app), clock))
}

/// Brings the schema up to date. A build for tests can plant a migration, to see what becomes of one that
/// is killed: `TUSSENDOOR_PLANTED` names its file.
#[cfg(feature = "failpoints")]
#[expect(
    clippy::disallowed_methods,
    reason = "a migration for tests is no setting"
)]
async fn migrate(store: &Store) -> anyhow::Result<()> {
    let planted = match std::env::var("TUSSENDOOR_PLANTED") {
        Ok(file) => vec![(9999, std::fs::read_to_string(file)?)],
        Err(_) => Vec::new(),
    };
    Ok(store.migrate_with(planted).await?)
}

#[cfg(not(feature = "failpoints"))]
async fn migrate(store: &Store) -> anyhow::Result<()> {
    Ok(store.migrate().await?)
}

/// The machine's clock. A build for tests can begin at another moment, so that a whole conversation with
/// its days fits a test: `TUSSENDOOR_CLOCK` holds microseconds since 1970.
#[cfg(feature = "failpoints")]
#[expect(
    clippy::disallowed_methods,
    reason = "a clock for tests is set before any setting is read"
)]
fn clock() -> anyhow::Result<Arc<dyn Clock>> {
    use crate::domain::time::Timestamp;
    use crate::ports::clock::ShiftedClock;
    Ok(match std::env::var("TUSSENDOOR_CLOCK") {
        Ok(moment) => Arc::new(ShiftedClock::starting_at(Timestamp(moment.parse()?))),
        Err(_) => Arc::new(SystemClock),
    })
}

#[cfg(not(feature = "failpoints"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the build for tests can fail here"
)]
fn clock() -> anyhow::Result<Arc<dyn Clock>> {
    Ok(Arc::new(SystemClock))
}

fn check() -> anyhow::Result<ExitCode> {
    let configuration = assemble::builtin()?;
    web::check_pages()?;
    let names: Vec<&str> = configuration.book.names().collect();
    say(&format!(
        "flows and texts are in order: {}",
        names.join(", ")
    ))?;
    let settings = match Settings::from_process() {
        Ok(settings) => settings,
        Err(error) if Settings::any_in_process() => return Err(error.into()),
        // A checkout without settings can still check its flows; a service cannot start like this.
        Err(error) => {
            say(&format!("settings: {error}"))?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    settings.check(&assemble::providers())?;
    assemble::configuration(&settings)?;
    for slug in settings.endpoints.keys() {
        say(&format!(
            "webhook of {slug}: {}in/{slug}",
            settings.public_url
        ))?;
    }
    say("settings are in order")?;
    Ok(ExitCode::SUCCESS)
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
