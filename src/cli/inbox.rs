//! `inbox`: what was put aside, to be tried again or ended.

use anyhow::bail;
use clap::Subcommand;
use ulid::Ulid;

use super::{chance, clock, privacy, say};
use crate::app::aside::{self, Decision};
use crate::settings::Settings;

#[derive(Subcommand)]
pub enum InboxCommand {
    /// It has its turn again, with all its tries: after its cause was mended.
    Again {
        /// The id, as `inbox` prints it.
        id: Ulid,
    },
    /// Nobody will look at it any more: it goes with its day.
    End {
        /// The id, as `inbox` prints it.
        id: Ulid,
    },
}

/// Lists what was put aside, or decides about one of it.
pub async fn run(command: Option<InboxCommand>) -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    let store = privacy::store(&settings).await?;
    let now = clock()?.now();
    match command {
        None => {
            let aside = aside::list(&store).await?;
            for one in &aside {
                let since = one.at.utc().format("%Y-%m-%d %H:%M UTC");
                let hours = (now.0 - one.at.0) / 3_600_000_000;
                say(&format!(
                    "{} {} on {} since {since} ({hours} hours): {}",
                    one.id, one.kind, one.by, one.why
                ))?;
            }
            say(&format!("{} put aside", aside.len()))?;
        }
        Some(command) => {
            let (decision, id, done) = match command {
                InboxCommand::Again { id } => (Decision::Again, id, "has its turn again"),
                InboxCommand::End { id } => (Decision::End, id, "is over"),
            };
            if !aside::decide(&store, &*chance(), (decision, &id.to_string()), now).await? {
                bail!("nothing with the id {id} was put aside");
            }
            say(&format!("{id} {done}"))?;
        }
    }
    store.close().await;
    Ok(())
}
