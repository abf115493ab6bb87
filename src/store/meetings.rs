//! Meetings: proposed, booked, held, missed, cancelled. What a talk sees of them is read with the plan
//! (`plans.rs`); here they are made and changed, and read for a coach and for calendars.

use std::collections::HashMap;

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, CoachId, KeyId, MeetingId, TeamId};
use crate::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState};
use crate::domain::time::Timestamp;

statements! {
    ADD = "INSERT INTO meetings (id, candidate_id, coach_id, slot_id, kind, mode, starts_at, ends_at, place, state, ics_uid, ics_sequence, version, task_sealed, participants, ref_hash, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13, $14, $15)";
    SAVE = "UPDATE meetings SET coach_id = $3, slot_id = $4, kind = $5, mode = $6, starts_at = $7, ends_at = $8, place = $9, state = $10, ics_sequence = ics_sequence + $11, changed_at = $12, version = version + 1 WHERE id = $1 AND version = $2";
    BY_ID = "SELECT m.id, m.candidate_id, m.coach_id, m.kind, m.mode, m.state, m.slot_id, m.starts_at, m.ends_at, m.place, m.version, m.ics_uid, m.ics_sequence, m.task_sealed, m.participants, m.changed_at, c.key_id, c.team_id FROM meetings m JOIN candidates c ON c.id = m.candidate_id WHERE m.id = $1";
    OF_CANDIDATE = "SELECT m.id, m.candidate_id, m.coach_id, m.kind, m.mode, m.state, m.slot_id, m.starts_at, m.ends_at, m.place, m.version, m.ics_uid, m.ics_sequence, m.task_sealed, m.participants, m.changed_at, c.key_id, c.team_id FROM meetings m JOIN candidates c ON c.id = m.candidate_id WHERE m.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY m.id DESC LIMIT 100";
    OF_COACH = "SELECT m.id, m.candidate_id, m.coach_id, m.kind, m.mode, m.state, m.slot_id, m.starts_at, m.ends_at, m.place, m.version, m.ics_uid, m.ics_sequence, m.task_sealed, m.participants, m.changed_at, c.key_id, c.team_id FROM meetings m JOIN candidates c ON c.id = m.candidate_id WHERE m.coach_id = $3 AND m.starts_at >= $4 AND m.starts_at < $5 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY m.starts_at, m.id LIMIT 1000";
    FOR_CALENDAR = "SELECT m.id, m.candidate_id, m.coach_id, m.kind, m.mode, m.state, m.slot_id, m.starts_at, m.ends_at, m.place, m.version, m.ics_uid, m.ics_sequence, m.task_sealed, m.participants, m.changed_at, c.key_id, c.team_id FROM meetings m JOIN candidates c ON c.id = m.candidate_id WHERE m.coach_id = $1 AND m.starts_at >= $2 AND m.starts_at < $3 AND m.state <> 'proposed' ORDER BY m.starts_at, m.id LIMIT 1000";
    PROPOSED = "SELECT id FROM meetings WHERE candidate_id = $1 AND state = 'proposed' AND kind = $2 ORDER BY id DESC LIMIT 1";
    BY_REFS = { batch: "WITH asked (ref_hash) AS (", columns: [Text], tail: ") SELECT m.id, m.ref_hash FROM asked a CROSS JOIN meetings m WHERE m.ref_hash = a.ref_hash" };
}

/// A meeting with what calendars and coaches need besides.
#[derive(Debug, Clone)]
pub struct MeetingRow {
    pub meeting: Meeting,
    pub candidate: CandidateId,
    pub team: TeamId,
    pub coach: CoachId,
    pub uid: String,
    /// The SEQUENCE of its calendar entry.
    pub sequence: u32,
    /// Its task, sealed under the key of the candidate.
    pub task_sealed: Option<Vec<u8>>,
    pub key: KeyId,
    /// With the coach; two is usual.
    pub participants: u32,
    pub changed_at: Timestamp,
}

fn row_of(row: &Row) -> Result<MeetingRow, StoreError> {
    Ok(MeetingRow {
        meeting: Meeting {
            id: row.parsed("id")?,
            kind: row.word("kind", MeetingKind::parse)?,
            mode: row.word("mode", MeetingMode::parse)?,
            state: row.word("state", MeetingState::parse)?,
            slot: row.maybe_parsed("slot_id")?,
            starts_at: row.maybe_at("starts_at")?,
            ends_at: row.maybe_at("ends_at")?,
            place: row.maybe_text("place")?,
            version: row.int("version")?,
        },
        candidate: row.parsed("candidate_id")?,
        team: row.parsed("team_id")?,
        coach: row.parsed("coach_id")?,
        uid: row.text("ics_uid")?,
        sequence: row.count("ics_sequence")?,
        task_sealed: row.maybe_blob("task_sealed")?,
        key: row.parsed("key_id")?,
        participants: row.count("participants")?,
        changed_at: row.at("changed_at")?,
    })
}

impl MeetingRow {
    /// What will be done in it; empty: nothing was agreed.
    pub fn task(&self, sealer: &Sealer) -> Result<String, StoreError> {
        match &self.task_sealed {
            Some(sealed) => sealer.open_text(
                "meetings",
                "task_sealed",
                &self.meeting.id.to_string(),
                sealed,
            ),
            None => Ok(String::new()),
        }
    }
}

/// A meeting that is to be made.
pub struct NewMeeting<'a> {
    pub meeting: &'a Meeting,
    pub candidate: CandidateId,
    pub coach: CoachId,
    /// What will be done in it; empty: nothing yet.
    pub task: &'a str,
    pub participants: u32,
    /// The caller's own id, from an import.
    pub reference: Option<&'a str>,
}

pub async fn add(
    tx: &mut Tx,
    sealer: &Sealer,
    new: &NewMeeting<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let meeting = new.meeting;
    let id = meeting.id.to_string();
    let task = match new.task {
        "" => None,
        task => Some(sealer.seal("meetings", "task_sealed", &id, task.as_bytes())),
    };
    let hash = new.reference.map(|text| tx.hash("meeting_ref", text));
    tx.changed(new.candidate);
    let values = bind![
        meeting.id,
        new.candidate,
        new.coach,
        meeting.slot,
        meeting.kind.as_str(),
        meeting.mode.as_str(),
        meeting.starts_at,
        meeting.ends_at,
        meeting.place.as_deref(),
        meeting.state.as_str(),
        format!("{id}@tussendoor"),
        task,
        new.participants,
        hash,
        now
    ];
    tx.run(&ADD, values).await.map(drop)
}

/// Saves a meeting as it is now. `told`: calendars must hear of it, so its SEQUENCE goes up. `Stale` if
/// somebody changed it meanwhile.
pub async fn save(
    tx: &mut Tx,
    meeting: &Meeting,
    coach: CoachId,
    told: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = bind![
        meeting.id,
        meeting.version,
        coach,
        meeting.slot,
        meeting.kind.as_str(),
        meeting.mode.as_str(),
        meeting.starts_at,
        meeting.ends_at,
        meeting.place.as_deref(),
        meeting.state.as_str(),
        i64::from(told),
        now
    ];
    tx.save(&SAVE, values).await
}

/// A meeting by its id; whose eyes may see it is for the caller.
pub async fn meeting(tx: &mut Tx, id: MeetingId) -> Result<Option<MeetingRow>, StoreError> {
    tx.maybe(&BY_ID, bind![id])
        .await?
        .map(|row| row_of(&row))
        .transpose()
}

/// Everything about one person under these eyes, newest first.
pub async fn of_candidate(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Vec<MeetingRow>, StoreError> {
    tx.all(
        &OF_CANDIDATE,
        bind![scope.organisation, scope.coach, candidate],
    )
    .await?
    .iter()
    .map(row_of)
    .collect()
}

/// The meetings of one coach with people under these eyes, in a stretch of time, first to last.
pub async fn of_coach(
    tx: &mut Tx,
    scope: &Scope,
    coach: CoachId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<MeetingRow>, StoreError> {
    tx.all(
        &OF_COACH,
        bind![scope.organisation, scope.coach, coach, from, until],
    )
    .await?
    .iter()
    .map(row_of)
    .collect()
}

/// What the coach's own calendar shows: also what was called off, so that it goes from there too.
pub async fn for_calendar(
    tx: &mut Tx,
    coach: CoachId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<MeetingRow>, StoreError> {
    tx.all(&FOR_CALENDAR, bind![coach, from, until])
        .await?
        .iter()
        .map(row_of)
        .collect()
}

/// The open invitation of this kind, if there is one.
pub async fn proposed(
    tx: &mut Tx,
    candidate: CandidateId,
    kind: MeetingKind,
) -> Result<Option<MeetingId>, StoreError> {
    tx.maybe(&PROPOSED, bind![candidate, kind.as_str()])
        .await?
        .map(|row| row.parsed("id"))
        .transpose()
}

/// The meetings that carry these ids of the caller's own.
pub async fn by_refs(
    tx: &mut Tx,
    references: impl Iterator<Item = String>,
) -> Result<HashMap<String, MeetingId>, StoreError> {
    let asked: HashMap<String, String> = references
        .map(|text| (tx.hash("meeting_ref", &text), text))
        .collect();
    let rows = asked.keys().map(|hash| bind![hash]).collect();
    let mut found = HashMap::new();
    for row in tx.find(&BY_REFS, rows).await? {
        if let Some(text) = asked.get(&row.text("ref_hash")?) {
            found.insert(text.clone(), row.parsed("id")?);
        }
    }
    Ok(found)
}
