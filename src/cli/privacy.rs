//! `export`, `erase`, `hold`: what a person may ask of an organisation. `keys rotate` and `audit`: what an
//! operator owes them.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{chance, opened, people, say};
use crate::app::erase::{self, Outcome};
use crate::app::export::{self, Export};
use crate::app::trail::{self, Checked};
use crate::app::{App, keys};
use crate::assemble;
use crate::domain::ids::CandidateId;
use crate::settings::Settings;
use crate::store::holds::Hold;
use crate::store::{Store, coaches, contacts};

/// Whom a command is about.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Whom {
    /// The candidate's id, as in the address of their page.
    #[arg(long, value_name = "ID")]
    candidate: Option<CandidateId>,
    /// The organisation's own reference, as imports have it.
    #[arg(long = "ref", value_name = "REF", requires = "organisation")]
    reference: Option<String>,
}

#[derive(Args)]
pub struct ExportArguments {
    #[command(flatten)]
    whom: Whom,
    /// Whose reference it is.
    #[arg(long)]
    organisation: Option<String>,
    /// The new file; it must not exist yet.
    file: PathBuf,
}

#[derive(Args)]
pub struct EraseArguments {
    #[command(flatten)]
    whom: Whom,
    /// Whose reference it is.
    #[arg(long)]
    organisation: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub struct HoldArguments {
    #[command(flatten)]
    whom: Whom,
    /// Whose reference it is.
    #[arg(long)]
    organisation: Option<String>,
    /// What must be kept: messages, plan, everything.
    #[arg(long, default_value = "everything")]
    class: String,
    /// Why, without anything about the person: it is shown when an erasure is refused.
    #[arg(long, required_unless_present = "end")]
    reason: Option<String>,
    /// The last day; without it until somebody ends the hold.
    #[arg(long)]
    until: Option<NaiveDate>,
    /// The e-mail address of the coach who answers for it.
    #[arg(long, required_unless_present = "end")]
    coach: Option<String>,
    /// End the hold of this class.
    #[arg(long)]
    end: bool,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Wrap every key by the present master; the service may run meanwhile.
    Rotate,
}

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Print the end of the chain, for keeping outside the database: hash, number of entries.
    Head,
    /// Follow the chain, and say at which row it is not what it was.
    Check {
        /// A hash that `audit head` printed before.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
}

/// Writes everything about a person into a new file that only its owner may read.
pub async fn export(arguments: ExportArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let organisation = arguments.organisation.as_deref();
    let candidate = found(&app, &arguments.whom, organisation).await?;
    let file = &arguments.file;
    let mut written = new_file(file)?;
    let told = match export::export(&app, candidate).await {
        Ok(Export::Told(told)) => told,
        other => {
            drop(std::fs::remove_file(file));
            let why = match other? {
                Export::Erased => "is erased: nothing is left to tell",
                Export::Told(_) | Export::NotThere => "is nobody here",
            };
            bail!("{candidate} {why}");
        }
    };
    serde_json::to_writer_pretty(&mut written, &told)?;
    written.write_all(b"\n")?;
    written.sync_all()?;
    say(&format!(
        "{} holds everything about {candidate}: read it before it leaves the house, for what it says of others",
        file.display()
    ))?;
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn new_file(file: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file)
        .with_context(|| format!("cannot make the file {}", file.display()))
}

/// Erases a person, after a yes.
pub async fn erase(arguments: EraseArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let organisation = arguments.organisation.as_deref();
    let candidate = found(&app, &arguments.whom, organisation).await?;
    if let Some(look) = erase::look(&app, candidate).await? {
        let there: Vec<String> = look
            .there
            .iter()
            .map(|(table, count)| format!("{table} {count}"))
            .collect();
        say(&format!("{candidate} of {}", look.organisation))?;
        say(&format!("is kept: {}", there.join(", ")))?;
        if !look.holds.is_empty() {
            return refused(&look.holds);
        }
        if !arguments.yes && !agreed(candidate)? {
            bail!("nothing is erased");
        }
    }
    let code = match erase::erase(&app, candidate).await? {
        Outcome::NotThere => bail!("there is no candidate {candidate}"),
        Outcome::Held(holds) => return refused(&holds),
        Outcome::InFlight => bail!(
            "a message to {candidate} is on its way and nobody knows yet what becomes of it: nothing is erased, try again in a minute"
        ),
        Outcome::Already => {
            say(&format!("{candidate} was erased before"))?;
            ExitCode::SUCCESS
        }
        Outcome::Erased(report) => {
            say(&format!("{candidate} is erased"))?;
            say(&report.to_string())?;
            ExitCode::SUCCESS
        }
    };
    app.store.close().await;
    Ok(code)
}

fn agreed(candidate: CandidateId) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is here to ask: add --yes");
    }
    say("This cannot be undone. Type the id to erase this person:")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == candidate.to_string())
}

fn refused(holds: &[Hold]) -> anyhow::Result<ExitCode> {
    for hold in holds {
        let until = match hold.until {
            Some(day) => format!("until and including {day}"),
            None => "until somebody ends it".to_owned(),
        };
        say(&format!(
            "{} must be kept {until}: {}",
            hold.class, hold.reason
        ))?;
    }
    bail!("a hold forbids it: nothing is erased");
}

/// Sets or ends a hold.
pub async fn hold(arguments: HoldArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let organisation = arguments.organisation.as_deref();
    let candidate = found(&app, &arguments.whom, organisation).await?;
    let class = arguments.class.trim().to_owned();
    if arguments.end {
        if !erase::end_hold(&app, candidate, &class).await? {
            bail!("there is no hold on {class} of {candidate}");
        }
        say(&format!("the hold on {class} of {candidate} is over"))?;
    } else {
        let email = arguments.coach.unwrap_or_default().trim().to_lowercase();
        let coach = coaches::by_email(&mut app.store.read().await?, &email)
            .await?
            .with_context(|| format!("there is no coach with the address {email}"))?;
        let hold = Hold {
            class: class.clone(),
            until: arguments.until,
            reason: arguments.reason.unwrap_or_default(),
        };
        erase::hold(&app, candidate, &hold, coach.id).await?;
        say(&format!("{class} of {candidate} is kept"))?;
    }
    app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn found(app: &App, whom: &Whom, organisation: Option<&str>) -> anyhow::Result<CandidateId> {
    match (whom.candidate, &whom.reference, organisation) {
        (Some(candidate), ..) => Ok(candidate),
        (None, Some(reference), Some(organisation)) => {
            let house = people::house(app.houses.values(), organisation)?;
            let mut tx = app.store.read().await?;
            contacts::by_ref(&mut tx, house.id, reference)
                .await?
                .with_context(|| format!("{organisation} has nobody with this reference"))
        }
        _ => bail!("say whom: --candidate ID, or --ref REF with --organisation"),
    }
}

/// Wraps every key by the present master.
pub async fn keys(command: KeysCommand) -> anyhow::Result<ExitCode> {
    let KeysCommand::Rotate = command;
    let settings = Settings::from_process()?;
    let store = store(&settings).await?;
    let done = keys::rotate(&store).await?;
    store.close().await;
    let count = done.wrapped;
    if done.unreadable.is_empty() {
        say(&format!(
            "{count} keys are wrapped anew, and none is left that another master wraps: keys.master_old may go"
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    for key in &done.unreadable {
        say(&format!(
            "the key {} of {} does not open: what it sealed cannot be read",
            key.id, key.owner
        ))?;
    }
    say(&format!(
        "{count} keys are wrapped anew, {} could not be: a start asks for keys.master_old as long as they are there. Take them from a backup, or erase whose they are",
        done.unreadable.len()
    ))?;
    Ok(ExitCode::FAILURE)
}

/// The trail of who did what.
pub async fn audit(command: AuditCommand) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let store = store(&settings).await?;
    let mut whole = true;
    match command {
        AuditCommand::Head => {
            let head = trail::head(&store).await?;
            say(&format!("{} {}", head.hash, head.seq))?;
        }
        AuditCommand::Check { head } => match trail::check(&store, head.as_deref()).await? {
            Checked::Whole(at) => say(&format!(
                "the chain of {} entries is whole: {}",
                at.seq, at.hash
            ))?,
            Checked::Another(_) => {
                whole = false;
                say(
                    "the head that was kept outside is not in this chain: its end was cut off, or it was made anew",
                )?;
            }
            Checked::Broken(broken) => {
                whole = false;
                let place = match broken.seq {
                    Some(seq) => format!("at entry {seq}, "),
                    None => String::new(),
                };
                say(&format!(
                    "the chain is broken {place}row {}: {}",
                    broken.row, broken.why
                ))?;
            }
        },
    }
    store.close().await;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(super) async fn store(settings: &Settings) -> anyhow::Result<Store> {
    let store = assemble::store(settings, chance()).await?;
    store.migrate().await?;
    Ok(store)
}
