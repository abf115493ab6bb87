//! `import` and `coach add`: how people come in.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::{opened, say};
use crate::app::import::{self as engine, Asked, Place};
use crate::app::{House, sign_in};
use crate::domain::access::Role;
use crate::domain::ids::TeamId;
use crate::settings::Settings;
use crate::store::coaches::{self, NewCoach};

/// Imports the files; exit code 1 if a row of them is wrong or was not stored.
pub async fn import(
    organisation: &str,
    team: Option<&str>,
    files: &[PathBuf],
    asked: Asked,
) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process()?;
    let (app, _) = opened(&settings).await?;
    let house = house(app.houses.values(), organisation)?;
    let team = match team {
        Some(name) => self::team(house, name)?,
        None => match house.teams.as_slice() {
            [(only, _)] => *only,
            _ => bail!("{organisation} has several teams: name one with --team"),
        },
    };
    let sheets = match engine::sheets(files) {
        Ok(sheets) => sheets,
        Err(problem) => bail!("{problem}"),
    };
    let place = Place {
        organisation: house.id,
        team,
    };
    // Draws on a terminal only, and there on standard error: the report can go through a pipe.
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{msg}: line {pos} of {len} {wide_bar} {eta}",
    )?);
    let watch = |file: &str, line: u64, of: u64| {
        bar.set_message(file.to_owned());
        bar.set_length(of);
        bar.set_position(line.min(of));
    };
    let reports = engine::import(&app, place, sheets, asked, &watch).await?;
    bar.finish_and_clear();
    let mut whole = true;
    for report in reports {
        if let Some(reading) = &report.reading {
            say(&format!("{}: read as {reading}", report.file))?;
        }
        say(&report.to_string())?;
        whole &= report.is_whole();
    }
    app.store.close().await;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Adds a coach; the password comes from standard input.
pub async fn add_coach(
    organisation: &str,
    email: &str,
    name: &str,
    role: &str,
    teams: &[String],
    language: &str,
) -> anyhow::Result<()> {
    let settings = Settings::from_process()?;
    let role = Role::parse(role).context("--role is coach, lead or admin")?;
    if !["nl", "en"].contains(&language) {
        bail!("--language is nl or en");
    }
    if std::io::stdin().is_terminal() {
        say("Password (at least 12 characters):")?;
    }
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let (app, _) = opened(&settings).await?;
    let house = house(app.houses.values(), organisation)?;
    let teams: Vec<TeamId> = match teams {
        [] => house.teams.iter().map(|(id, _)| *id).collect(),
        named => named
            .iter()
            .map(|name| team(house, name))
            .collect::<anyhow::Result<_>>()?,
    };
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() < sign_in::SHORTEST {
        bail!(
            "the password must have at least {} characters",
            sign_in::SHORTEST
        );
    }
    let hash = sign_in::hash_password(&*app.chance, password)?;
    let now = app.now();
    let email = email.trim().to_lowercase();
    let new = NewCoach {
        id: app.id(now),
        organisation: house.id,
        email: &email,
        name,
        role,
        password_hash: &hash,
        language,
        teams: &teams,
    };
    let mut tx = app.store.write().await?;
    if !coaches::add(&mut tx, &new, now).await? {
        bail!("there is a coach with the address {email} already");
    }
    tx.commit().await?;
    say(&format!("{name} can sign in at {}", settings.public_url))?;
    app.store.close().await;
    Ok(())
}

pub fn house<'a>(
    mut houses: impl Iterator<Item = &'a House>,
    slug: &str,
) -> anyhow::Result<&'a House> {
    houses
        .find(|house| house.slug == slug)
        .with_context(|| format!("the settings have no organisation {slug}"))
}

fn team(house: &House, name: &str) -> anyhow::Result<TeamId> {
    house
        .teams
        .iter()
        .find(|(_, known)| known == name)
        .map(|(id, _)| *id)
        .with_context(|| format!("{} has no team {name}", house.slug))
}
