//! Who stands in for whom and until when, and which coach a person had before.

use chrono::NaiveDate;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::{CandidateId, CoachId, RowId, TeamId};
use crate::domain::time::Timestamp;

statements! {
    AWAY = "UPDATE coaches SET stand_in_id = $2, away_until_on = $3, version = version + 1 WHERE id = $1";
    OF_COACH = "SELECT k.away_until_on, s.name AS stand_in FROM coaches k LEFT JOIN coaches s ON s.id = k.stand_in_id WHERE k.id = $1";
    // Whom it matters to: who waits for an answer, and who would meet this coach meanwhile.
    CONCERNED = "SELECT c.id FROM candidates c WHERE c.coach_id = $1 AND c.state = 'active' AND (c.unanswered_since_at IS NOT NULL OR EXISTS (SELECT 1 FROM meetings m WHERE m.candidate_id = c.id AND m.state = 'booked' AND m.starts_at >= $2 AND m.starts_at <= $3)) ORDER BY c.id";
    MOVED = "INSERT INTO transfers (id, candidate_id, from_coach_id, to_coach_id, at) VALUES ($1, $2, $3, $4, $5)";
    BEFORE = "SELECT k.name FROM transfers t JOIN coaches k ON k.id = t.from_coach_id WHERE t.candidate_id = $1 ORDER BY t.at DESC, t.id DESC LIMIT 1";
    FELLOWS = "SELECT DISTINCT k.id, k.name FROM coach_teams m JOIN coach_teams o ON o.team_id = m.team_id JOIN coaches k ON k.id = o.coach_id WHERE m.coach_id = $1 AND k.id <> $1 AND k.state = 'active' ORDER BY k.name, k.id";
    OF_TEAM = "SELECT k.id, k.name FROM coach_teams o JOIN coaches k ON k.id = o.coach_id WHERE o.team_id = $1 AND k.state = 'active' ORDER BY k.name, k.id";
    COACH_OF = "UPDATE candidates SET coach_id = $2, version = version + 1 WHERE id = $1";
}

/// Names a stand-in until and including a day; `None` ends the absence.
pub async fn set_away(
    tx: &mut Tx,
    coach: CoachId,
    absence: Option<(CoachId, NaiveDate)>,
) -> Result<(), StoreError> {
    let (stand_in, until) = (absence.map(|(id, _)| id), absence.map(|(_, day)| day));
    tx.save(&AWAY, bind![coach, stand_in, until]).await
}

/// Until when this coach is away, and the name of who stands in.
pub async fn of_coach(
    tx: &mut Tx,
    coach: CoachId,
) -> Result<(Option<NaiveDate>, Option<String>), StoreError> {
    match tx.maybe(&OF_COACH, bind![coach]).await? {
        Some(row) => Ok((
            row.maybe_parsed("away_until_on")?,
            row.maybe_text("stand_in")?,
        )),
        None => Ok((None, None)),
    }
}

/// The people of this coach to whom an absence matters.
pub async fn concerned(
    tx: &mut Tx,
    coach: CoachId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<CandidateId>, StoreError> {
    tx.all(&CONCERNED, bind![coach, from, until])
        .await?
        .iter()
        .map(|row| row.parsed("id"))
        .collect()
}

/// Another coach for good.
pub async fn transfer(
    tx: &mut Tx,
    id: RowId,
    candidate: CandidateId,
    from: Option<CoachId>,
    to: CoachId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&MOVED, bind![id, candidate, from, to, now]).await?;
    tx.changed(candidate);
    tx.save(&COACH_OF, bind![candidate, to]).await
}

/// The name of the coach whom this person had before.
pub async fn before(tx: &mut Tx, candidate: CandidateId) -> Result<Option<String>, StoreError> {
    tx.maybe(&BEFORE, bind![candidate])
        .await?
        .map(|row| row.text("name"))
        .transpose()
}

/// The active coaches who have a team with this one in common, by name.
pub async fn fellows(tx: &mut Tx, coach: CoachId) -> Result<Vec<(CoachId, String)>, StoreError> {
    named(&tx.all(&FELLOWS, bind![coach]).await?)
}

/// The active coaches of a team, by name.
pub async fn of_team(tx: &mut Tx, team: TeamId) -> Result<Vec<(CoachId, String)>, StoreError> {
    named(&tx.all(&OF_TEAM, bind![team]).await?)
}

fn named(rows: &[Row]) -> Result<Vec<(CoachId, String)>, StoreError> {
    let one = |row: &Row| Ok((row.parsed("id")?, row.text("name")?));
    rows.iter().map(one).collect()
}
