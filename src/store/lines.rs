//! Organisations, their teams and their lines: what the settings say, brought up to date at the start.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{LineId, OrganisationId, TeamId};
use crate::domain::time::Timestamp;

statements! {
    ORGANISATION_PUT = "INSERT INTO organisations (id, slug, name, zone) VALUES ($1, $2, $3, $4) ON CONFLICT (slug) DO UPDATE SET name = excluded.name, zone = excluded.zone";
    ORGANISATION_BY_SLUG = "SELECT id FROM organisations WHERE slug = $1";
    TEAM_PUT = "INSERT INTO teams (id, organisation_id, name) VALUES ($1, $2, $3) ON CONFLICT (organisation_id, name) DO NOTHING";
    TEAM_BY_NAME = "SELECT id FROM teams WHERE organisation_id = $1 AND name = $2";
    LINE_PUT = "INSERT INTO lines (id, organisation_id, endpoint, channel, address, display, version) VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (channel, address) DO UPDATE SET endpoint = excluded.endpoint, display = excluded.display";
    LINE_BY_ADDRESS = "SELECT id, organisation_id FROM lines WHERE channel = $1 AND address = $2";
    LINE_PAUSE = "UPDATE lines SET paused_why = $2, paused_at = COALESCE(paused_at, $3), version = version + 1 WHERE id = $1";
    LINE_RESUME = "UPDATE lines SET paused_why = NULL, paused_at = NULL, version = version + 1 WHERE id = $1";
}

/// Makes the organisation, or brings its name and zone up to date.
pub async fn put_organisation(
    tx: &mut Tx,
    id: OrganisationId,
    slug: &str,
    name: &str,
    zone: &str,
) -> Result<OrganisationId, StoreError> {
    tx.run(&ORGANISATION_PUT, bind![id, slug, name, zone])
        .await?;
    tx.maybe(&ORGANISATION_BY_SLUG, bind![slug])
        .await?
        .ok_or(StoreError::Stale(ORGANISATION_BY_SLUG.name))?
        .parsed("id")
}

pub async fn put_team(
    tx: &mut Tx,
    id: TeamId,
    organisation: OrganisationId,
    name: &str,
) -> Result<TeamId, StoreError> {
    tx.run(&TEAM_PUT, bind![id, organisation, name]).await?;
    tx.maybe(&TEAM_BY_NAME, bind![organisation, name])
        .await?
        .ok_or(StoreError::Stale(TEAM_BY_NAME.name))?
        .parsed("id")
}

/// A line as the settings have it.
pub struct NewLine<'a> {
    pub id: LineId,
    pub organisation: OrganisationId,
    pub endpoint: &'a str,
    pub channel: &'a str,
    pub address: &'a str,
    pub display: &'a str,
}

pub async fn put_line(tx: &mut Tx, line: &NewLine<'_>) -> Result<LineId, StoreError> {
    tx.run(
        &LINE_PUT,
        bind![
            line.id,
            line.organisation,
            line.endpoint,
            line.channel,
            line.address,
            line.display
        ],
    )
    .await?;
    tx.maybe(&LINE_BY_ADDRESS, bind![line.channel, line.address])
        .await?
        .ok_or(StoreError::Stale(LINE_BY_ADDRESS.name))?
        .parsed("id")
}

/// Stops all sending from a line until an operator looks.
pub async fn pause_line(
    tx: &mut Tx,
    line: LineId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.save(&LINE_PAUSE, bind![line, why, now]).await
}

/// Lets a line go on.
pub async fn resume_line(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    tx.save(&LINE_RESUME, bind![line]).await
}
