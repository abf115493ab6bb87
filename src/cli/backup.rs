//! `backup`, `restore` and `resume`: how an operator keeps a copy and comes back from one.

use std::path::{Path, PathBuf};

use anyhow::bail;
use secrecy::ExposeSecret;

use super::{chance, clock, say};
use crate::app::restore as after;
use crate::assemble;
use crate::domain::time::Timestamp;
use crate::settings::Settings;
use crate::store::{Store, backup as files};

/// Copies the SQLite database.
pub async fn backup(file: &Path) -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    let Some(database) = files::file_of(settings.database_url.expose_secret()) else {
        bail!(
            "a PostgreSQL database is copied by its own program: pg_dump --format=custom --file={} \"$DATABASE_URL\"",
            file.display()
        );
    };
    files::copy(&database, file, clock()?.now()).await?;
    say(&format!(
        "{} is a whole copy of {}",
        file.display(),
        database.display()
    ))
}

/// Puts a backup in the place of the database and marks it; without a file it marks what is there.
pub async fn restore(file: Option<&Path>, replace: bool) -> anyhow::Result<()> {
    let mut settings = Settings::from_process()?;
    let now = clock()?.now();
    let database = files::file_of(settings.database_url.expose_secret());
    match (file, database) {
        (Some(_), None) => bail!(
            "a PostgreSQL database is restored by its own program: stop the service, pg_restore into an empty database, then `tussendoor restore` without a file"
        ),
        (Some(file), Some(database)) => {
            let made = files::check(file).await?;
            files::is_free(&database, replace).await?;
            // It gets the name of the database when it is marked, so that no service starts before.
            let part = files::beside(file, &database)?;
            settings.database_url = format!("sqlite://{}", part.display()).into();
            let store = assemble::store(&settings, chance()).await?;
            let marked = marked(&store, now).await;
            store.close().await;
            marked?;
            let aside = files::take_place(&part, &database, now)?;
            say(&told(made, aside))?;
        }
        (None, database) => {
            if let Some(database) = database.filter(|file| !file.exists()) {
                bail!("there is no database {}", database.display());
            }
            let store = assemble::store(&settings, chance()).await?;
            let marked = marked(&store, now).await;
            store.close().await;
            marked?;
        }
    }
    say("nothing is sent until `tussendoor resume`")
}

async fn marked(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    store.migrate().await?;
    let found = after::mark(store, &*chance(), now).await?;
    for candidate in &found.unreadable {
        say(&format!(
            "the talk of candidate {candidate} cannot be read: a coach has a flag to take it over"
        ))?;
    }
    say(&format!(
        "{} messages may have been sent since the backup was made: a coach decides about each",
        found.in_doubt
    ))
}

fn told(made: Option<Timestamp>, aside: Option<PathBuf>) -> String {
    let made = made.map_or_else(
        || "restored".to_owned(),
        |at| {
            format!(
                "restored as it was on {}",
                at.utc().format("%Y-%m-%d at %H:%M UTC")
            )
        },
    );
    match aside {
        Some(aside) => format!(
            "{made}; the database that was there is now {}",
            aside.display()
        ),
        None => made,
    }
}

/// Messages may leave again.
pub async fn resume() -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    if let Some(database) = files::file_of(settings.database_url.expose_secret())
        && !database.exists()
    {
        bail!("there is no database {}", database.display());
    }
    let store = assemble::store(&settings, chance()).await?;
    store.migrate().await?;
    let resumed = after::resume(&store, &*chance(), clock()?.now()).await;
    store.close().await;
    match resumed? {
        true => say("messages may leave again"),
        false => say("messages could leave already"),
    }
}
