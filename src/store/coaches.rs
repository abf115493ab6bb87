//! Coaches, their teams and their sessions.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::access::{Role, Scope};
use crate::domain::ids::{CoachId, OrganisationId, TeamId};
use crate::domain::time::Timestamp;

statements! {
    ADD = "INSERT INTO coaches (id, organisation_id, key_id, email, name, role, password, language, state, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', 0) ON CONFLICT (email) DO NOTHING";
    BY_EMAIL = "SELECT id, organisation_id, email, name, role, password, language, state FROM coaches WHERE email = $1";
    BY_ID = "SELECT id, organisation_id, email, name, role, password, language, state FROM coaches WHERE id = $1";
    JOIN = "INSERT INTO coach_teams (coach_id, team_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    TEAMS = "SELECT team_id FROM coach_teams WHERE coach_id = $1 ORDER BY team_id";
    SET_PASSWORD = "UPDATE coaches SET password = $2, version = version + 1 WHERE id = $1 AND password = $3";
    SET_LANGUAGE = "UPDATE coaches SET language = $2, version = version + 1 WHERE id = $1";
    COLLEAGUES = "SELECT id, name, stand_in_id, away_until_on FROM coaches WHERE organisation_id = $1 ORDER BY id";
    SESSION_ADD = "INSERT INTO sessions (token_hash, coach_id, second_factor, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)";
    SESSION = "SELECT s.seen_at, c.id, c.organisation_id, c.email, c.name, c.role, c.password, c.language, c.state FROM sessions s JOIN coaches c ON c.id = s.coach_id WHERE s.token_hash = $1 AND s.ends_at > $2 AND s.seen_at > $3";
    SESSION_SEEN = "UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2";
    SESSION_END = "DELETE FROM sessions WHERE token_hash = $1";
    SESSIONS_END = "DELETE FROM sessions WHERE coach_id = $1";
    SESSIONS_OVER = "DELETE FROM sessions WHERE ends_at <= $1 OR seen_at <= $2";
}

/// A coach as signing in needs them.
pub struct Coach {
    pub id: CoachId,
    pub organisation: OrganisationId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// The hash, in its own notation.
    pub password: String,
    pub language: String,
    pub active: bool,
}

fn coach_of(row: &Row) -> Result<Coach, StoreError> {
    Ok(Coach {
        id: row.parsed("id")?,
        organisation: row.parsed("organisation_id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        password: row.text("password")?,
        language: row.text("language")?,
        active: row.text("state")? == "active",
    })
}

/// What is needed to make a coach. `email` is lower case.
pub struct NewCoach<'a> {
    pub id: CoachId,
    pub organisation: OrganisationId,
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    pub password_hash: &'a str,
    pub language: &'a str,
    pub teams: &'a [TeamId],
}

/// Makes a coach with a key of their own; false if the address is taken.
pub async fn add(tx: &mut Tx, new: &NewCoach<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let key = tx.new_key(&format!("coach:{}", new.id), now).await?;
    let values = bind![
        new.id,
        new.organisation,
        key,
        new.email,
        new.name,
        new.role.as_str(),
        new.password_hash,
        new.language
    ];
    if tx.run(&ADD, values).await? == 0 {
        return Ok(false);
    }
    for team in new.teams {
        tx.run(&JOIN, bind![new.id, *team]).await?;
    }
    Ok(true)
}

pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<Coach>, StoreError> {
    tx.maybe(&BY_EMAIL, bind![email])
        .await?
        .as_ref()
        .map(coach_of)
        .transpose()
}

pub async fn coach(tx: &mut Tx, id: CoachId) -> Result<Option<Coach>, StoreError> {
    tx.maybe(&BY_ID, bind![id])
        .await?
        .as_ref()
        .map(coach_of)
        .transpose()
}

/// What an active coach may see; `None` for somebody else.
pub async fn scope_of(tx: &mut Tx, id: CoachId) -> Result<Option<Scope>, StoreError> {
    let Some(coach) = coach(tx, id).await?.filter(|coach| coach.active) else {
        return Ok(None);
    };
    Ok(Some(Scope {
        organisation: coach.organisation,
        coach: coach.id,
        teams: teams(tx, coach.id).await?,
        role: coach.role,
    }))
}

async fn teams(tx: &mut Tx, id: CoachId) -> Result<BTreeSet<TeamId>, StoreError> {
    tx.all(&TEAMS, bind![id])
        .await?
        .iter()
        .map(|row| row.parsed("team_id"))
        .collect()
}

/// Another password, if the old one is still the one that was checked. Every session ends.
pub async fn set_password(
    tx: &mut Tx,
    coach: &Coach,
    password_hash: &str,
) -> Result<(), StoreError> {
    tx.save(
        &SET_PASSWORD,
        bind![coach.id, password_hash, coach.password.as_str()],
    )
    .await?;
    tx.run(&SESSIONS_END, bind![coach.id]).await.map(drop)
}

pub async fn set_language(tx: &mut Tx, id: CoachId, language: &str) -> Result<(), StoreError> {
    tx.save(&SET_LANGUAGE, bind![id, language]).await
}

/// A coach of the same organisation: a name, and who stands in while they are away.
#[derive(Debug, Clone)]
pub struct Colleague {
    pub id: CoachId,
    pub name: String,
    pub stand_in: Option<CoachId>,
    pub away_until: Option<NaiveDate>,
}

pub async fn colleagues(tx: &mut Tx, scope: &Scope) -> Result<Vec<Colleague>, StoreError> {
    tx.all(&COLLEAGUES, bind![scope.organisation])
        .await?
        .iter()
        .map(|row| {
            Ok(Colleague {
                id: row.parsed("id")?,
                name: row.text("name")?,
                stand_in: row.maybe_parsed("stand_in_id")?,
                away_until: row.maybe_parsed("away_until_on")?,
            })
        })
        .collect()
}

pub async fn add_session(
    tx: &mut Tx,
    token: &str,
    coach: CoachId,
    now: Timestamp,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    let hash = tx.hash("session", token);
    tx.run(&SESSION_ADD, bind![hash, coach, false, now, ends_at])
        .await
        .map(drop)
}

/// A running session: who it is, what they may see, when they were seen.
pub struct Session {
    pub coach: Coach,
    pub scope: Scope,
    pub seen_at: Timestamp,
}

/// The session of a token that is neither over nor idle since `idle_since`.
pub async fn session(
    tx: &mut Tx,
    token: &str,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let hash = tx.hash("session", token);
    let Some(row) = tx.maybe(&SESSION, bind![hash, now, idle_since]).await? else {
        return Ok(None);
    };
    let coach = coach_of(&row)?;
    if !coach.active {
        return Ok(None);
    }
    let scope = Scope {
        organisation: coach.organisation,
        coach: coach.id,
        teams: teams(tx, coach.id).await?,
        role: coach.role,
    };
    Ok(Some(Session {
        coach,
        scope,
        seen_at: row.at("seen_at")?,
    }))
}

pub async fn session_seen(tx: &mut Tx, token: &str, now: Timestamp) -> Result<(), StoreError> {
    let hash = tx.hash("session", token);
    tx.run(&SESSION_SEEN, bind![hash, now]).await.map(drop)
}

pub async fn end_session(tx: &mut Tx, token: &str) -> Result<(), StoreError> {
    let hash = tx.hash("session", token);
    tx.run(&SESSION_END, bind![hash]).await.map(drop)
}

/// Forgets sessions that are over or idle.
pub async fn forget_sessions(
    tx: &mut Tx,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(&SESSIONS_OVER, bind![now, idle_since]).await
}
