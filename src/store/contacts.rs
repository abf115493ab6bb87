//! Candidates and their consents.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::Serves;
use super::addresses;
use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
pub use crate::domain::contact::How;
use crate::domain::contact::{Candidate, CandidateState, DigitalSkill, Purpose, Track};
use crate::domain::ids::{CandidateId, CoachId, KeyId, OrganisationId, RowId, TeamId};
use crate::domain::time::Timestamp;

statements! {
    INSERT = "INSERT INTO candidates (id, organisation_id, team_id, coach_id, key_id, name_sealed, profile_sealed, language, digital_skill, track, automated_in_row, by_hand, ref_hash, state, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, 0, $14)";
    BY_ID = "SELECT id, organisation_id, team_id, coach_id, key_id, name_sealed, profile_sealed, language, digital_skill, track, automated_in_row, unanswered_since_at, paused_until_on, by_hand, state, version FROM candidates WHERE id = $1 AND state <> 'erased'";
    BY_IDS = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT c.id, c.organisation_id, c.team_id, c.coach_id, c.key_id, c.name_sealed, c.profile_sealed, c.language, c.digital_skill, c.track, c.automated_in_row, c.unanswered_since_at, c.paused_until_on, c.by_hand, c.state, c.version FROM want w JOIN candidates c ON c.id = w.id AND c.state <> 'erased'" };
    BY_REF = "SELECT id FROM candidates WHERE organisation_id = $1 AND ref_hash = $2";
    UPDATE = "UPDATE candidates SET coach_id = $2, team_id = $3, name_sealed = $4, language = $5, digital_skill = $6, track = $7, state = $8, version = version + 1 WHERE id = $1";
    SET_STATE = "UPDATE candidates SET state = $2, version = version + 1 WHERE id = $1";
    SET_LANGUAGE = "UPDATE candidates SET language = $2, version = version + 1 WHERE id = $1";
    SET_SKILL = "UPDATE candidates SET digital_skill = $2, version = version + 1 WHERE id = $1";
    PAUSE = "UPDATE candidates SET paused_until_on = $2, version = version + 1 WHERE id = $1";
    BY_HAND = "UPDATE candidates SET by_hand = $2, version = version + 1 WHERE id = $1";
    UNANSWERED = { batch: "WITH wrote (id, at) AS (", columns: [Text, Int], tail: ") UPDATE candidates SET unanswered_since_at = wrote.at FROM wrote WHERE candidates.id = wrote.id AND candidates.unanswered_since_at IS NULL" };
    ANSWERED = { batch: "WITH answered (id) AS (", columns: [Text], tail: ") UPDATE candidates SET unanswered_since_at = NULL FROM answered WHERE candidates.id = answered.id" };
    AUTOMATED = "UPDATE candidates SET automated_in_row = automated_in_row + 1 WHERE id = $1";
    PERSONAL = "UPDATE candidates SET automated_in_row = 0 WHERE id = $1";
    CONSENT_ADD = "INSERT INTO consents (id, candidate_id, purpose, channel, given, at, how, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    CONSENTS = "SELECT purpose, given, at, how FROM consents WHERE candidate_id = $1 ORDER BY at, id";
    CONSENTS_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT k.candidate_id, k.purpose, k.given, k.at, k.how FROM want w JOIN consents k ON k.candidate_id = w.id ORDER BY k.at, k.id" };
    WATCH = "INSERT INTO watch (candidate_id, organisation_id, look_at) SELECT c.id, c.organisation_id, CAST($2 AS BIGINT) FROM candidates c WHERE c.id = $1 ON CONFLICT (candidate_id) DO UPDATE SET look_at = excluded.look_at";
    COACH_NAMES = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT k.id, k.name FROM want w JOIN coaches k ON k.id = w.id" };
    COACH_NAME = "SELECT name FROM coaches WHERE id = $1";
}

/// A candidate with what the house needs beside the person: key, tenant, pauses.
#[derive(Debug, Clone)]
pub struct Person {
    pub candidate: Candidate,
    pub key: KeyId,
    pub organisation: OrganisationId,
    pub team: TeamId,
    pub unanswered_since: Option<Timestamp>,
    pub paused_until: Option<NaiveDate>,
    pub version: i64,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Name {
    pub(super) first: String,
    pub(super) family: String,
}

/// What is needed to make a candidate.
pub struct NewCandidate<'a> {
    pub id: CandidateId,
    pub organisation: OrganisationId,
    pub team: TeamId,
    pub coach: Option<CoachId>,
    pub first_name: &'a str,
    pub family_name: &'a str,
    pub language: &'a str,
    pub digital_skill: DigitalSkill,
    pub track: Track,
    pub state: CandidateState,
    /// The caller's own id, if they have one.
    pub reference: Option<&'a str>,
}

/// First and family name out of a row that carries `id`, `key_id` and `name_sealed`.
pub(super) async fn name_of(
    tx: &mut Tx,
    row: &Row,
    id_column: &str,
) -> Result<(String, String), StoreError> {
    let sealer = tx.sealer(row.parsed("key_id")?).await?;
    let id = row.text(id_column)?;
    let name: Name =
        sealer.open_json("candidates", "name_sealed", &id, &row.blob("name_sealed")?)?;
    Ok((name.first, name.family))
}

async fn person_of(tx: &mut Tx, row: &Row) -> Result<Person, StoreError> {
    let id: CandidateId = row.parsed("id")?;
    let key: KeyId = row.parsed("key_id")?;
    let sealer = tx.sealer(key).await?;
    let name: Name = sealer.open_json(
        "candidates",
        "name_sealed",
        &id.to_string(),
        &row.blob("name_sealed")?,
    )?;
    Ok(Person {
        candidate: Candidate {
            id,
            first_name: name.first,
            family_name: name.family,
            language: row.text("language")?,
            digital_skill: row.word("digital_skill", DigitalSkill::parse)?,
            track: row.word("track", Track::parse)?,
            coach: row.maybe_parsed("coach_id")?,
            state: row.word("state", CandidateState::parse)?,
            automated_in_row: row.count("automated_in_row")?,
            by_hand: row.flag("by_hand")?,
        },
        key,
        organisation: row.parsed("organisation_id")?,
        team: row.parsed("team_id")?,
        unanswered_since: row.maybe_at("unanswered_since_at")?,
        paused_until: row.maybe_parsed("paused_until_on")?,
        version: row.int("version")?,
    })
}

/// The candidate, names opened. Nobody finds an erased person again.
pub async fn person(tx: &mut Tx, id: CandidateId) -> Result<Option<Person>, StoreError> {
    match tx.rows_of(&BY_ID, id.to_string(), bind![id]).await?.first() {
        Some(row) => Ok(Some(person_of(tx, row).await?)),
        None => Ok(None),
    }
}

/// Somebody who was fetched ahead, with the key and the team that the next look needs.
#[derive(Debug, Clone, Copy)]
pub struct Ahead {
    pub id: CandidateId,
    pub key: KeyId,
    pub team: TeamId,
    coach: Option<CoachId>,
}

/// Fetches ahead what a turn asks about these people: who they are and their keys, consents, addresses,
/// windows and coaches.
pub async fn fetch_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    serves: Serves,
) -> Result<Vec<Ahead>, StoreError> {
    let found = people_ahead(tx, candidates, serves).await?;
    coaches_ahead(tx, &found.iter().filter_map(|one| one.coach).collect()).await?;
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&CONSENTS_MANY, &CONSENTS, "candidate_id", keys, serves)
        .await?;
    addresses::fetch_ahead(tx, candidates, serves).await?;
    Ok(found)
}

/// Fetches ahead who these people are, with their keys.
pub async fn people_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    serves: Serves,
) -> Result<Vec<Ahead>, StoreError> {
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&BY_IDS, &BY_ID, "id", keys, serves).await?;
    let mut found = Vec::new();
    for id in candidates {
        for row in tx.ahead(&BY_ID, &id.to_string()).iter() {
            found.push(Ahead {
                id: *id,
                key: row.parsed("key_id")?,
                team: row.parsed("team_id")?,
                coach: row.maybe_parsed("coach_id")?,
            });
        }
    }
    let keys: Vec<KeyId> = found.iter().map(|one| one.key).collect();
    tx.open_keys(&keys).await?;
    Ok(found)
}

async fn coaches_ahead(tx: &mut Tx, coaches: &BTreeSet<CoachId>) -> Result<(), StoreError> {
    let keys = coaches
        .iter()
        .map(|id| (id.to_string(), bind![id]))
        .collect();
    tx.fetch_ahead(&COACH_NAMES, &COACH_NAME, "id", keys, Serves::Looks)
        .await
}

/// Makes a candidate with a key of their own and an idle talk.
pub async fn add(tx: &mut Tx, new: &NewCandidate<'_>, now: Timestamp) -> Result<KeyId, StoreError> {
    let key = tx.new_key(&format!("candidate:{}", new.id), now).await?;
    let sealer = tx.sealer(key).await?;
    let row = new.id.to_string();
    let name = sealer.seal_json(
        "candidates",
        "name_sealed",
        &row,
        &Name {
            first: new.first_name.to_owned(),
            family: new.family_name.to_owned(),
        },
    );
    let profile = sealer.seal("candidates", "profile_sealed", &row, b"{}");
    let reference = new.reference.map(|text| tx.hash("candidate_ref", text));
    tx.run(
        &INSERT,
        bind![
            new.id,
            new.organisation,
            new.team,
            new.coach,
            key,
            name,
            profile,
            new.language,
            new.digital_skill.as_str(),
            new.track.as_str(),
            false,
            reference,
            new.state.as_str(),
            now
        ],
    )
    .await?;
    super::talks::create(tx, new.id, &sealer).await?;
    Ok(key)
}

/// Who carries the caller's own id?
pub async fn by_ref(
    tx: &mut Tx,
    organisation: OrganisationId,
    reference: &str,
) -> Result<Option<CandidateId>, StoreError> {
    let hash = tx.hash("candidate_ref", reference);
    tx.maybe(&BY_REF, bind![organisation, hash])
        .await?
        .map(|row| row.parsed("id"))
        .transpose()
}

/// Writes back what an import or a coach may change about the person.
pub async fn update(tx: &mut Tx, person: &Person) -> Result<(), StoreError> {
    let candidate = &person.candidate;
    let sealer = tx.sealer(person.key).await?;
    let name = sealer.seal_json(
        "candidates",
        "name_sealed",
        &candidate.id.to_string(),
        &Name {
            first: candidate.first_name.clone(),
            family: candidate.family_name.clone(),
        },
    );
    tx.changed(candidate.id);
    tx.save(
        &UPDATE,
        bind![
            candidate.id,
            candidate.coach,
            person.team,
            name,
            candidate.language.as_str(),
            candidate.digital_skill.as_str(),
            candidate.track.as_str(),
            candidate.state.as_str()
        ],
    )
    .await
}

pub async fn set_state(
    tx: &mut Tx,
    id: CandidateId,
    state: CandidateState,
) -> Result<(), StoreError> {
    tx.save(&SET_STATE, bind![id, state.as_str()]).await
}

pub async fn set_language(tx: &mut Tx, id: CandidateId, code: &str) -> Result<(), StoreError> {
    tx.save(&SET_LANGUAGE, bind![id, code]).await
}

pub async fn set_skill(
    tx: &mut Tx,
    id: CandidateId,
    skill: DigitalSkill,
) -> Result<(), StoreError> {
    tx.save(&SET_SKILL, bind![id, skill.as_str()]).await
}

/// Nothing automatic until and including this day; `None` ends the pause.
pub async fn pause(
    tx: &mut Tx,
    id: CandidateId,
    until: Option<NaiveDate>,
) -> Result<(), StoreError> {
    tx.save(&PAUSE, bind![id, until]).await
}

/// Everything to this person is approved by hand.
pub async fn set_by_hand(tx: &mut Tx, id: CandidateId, by_hand: bool) -> Result<(), StoreError> {
    tx.save(&BY_HAND, bind![id, by_hand]).await
}

/// The person waits for an answer of a human since this moment, unless they already did.
pub fn waits_for_answer(tx: &mut Tx, id: CandidateId, since: Timestamp) {
    tx.later(&UNANSWERED, bind![id, since]);
}

/// A coach answered.
pub fn was_answered(tx: &mut Tx, id: CandidateId) {
    tx.later(&ANSWERED, bind![id]);
}

/// One more nudge without a personal line of the coach.
pub async fn one_more_automated(tx: &mut Tx, id: CandidateId) -> Result<(), StoreError> {
    tx.run(&AUTOMATED, bind![id]).await.map(drop)
}

/// The coach said something in their own words.
pub async fn personal_line(tx: &mut Tx, id: CandidateId) -> Result<(), StoreError> {
    tx.run(&PERSONAL, bind![id]).await.map(drop)
}

pub async fn record_consent(
    tx: &mut Tx,
    id: RowId,
    candidate: CandidateId,
    what: (Purpose, bool, How),
    channel: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (purpose, given, how) = what;
    if given {
        // From now on there may be something due: the calendar looks.
        tx.run(&WATCH, bind![candidate, now]).await?;
    }
    tx.run(
        &CONSENT_ADD,
        bind![
            id,
            candidate,
            purpose.as_str(),
            channel,
            given,
            now,
            how.as_str(),
            None::<String>
        ],
    )
    .await
    .map(drop)
}

/// The purposes for which the newest word of this person is yes.
pub async fn consent(tx: &mut Tx, candidate: CandidateId) -> Result<BTreeSet<Purpose>, StoreError> {
    let mut given = BTreeSet::new();
    let rows = tx
        .rows_of(&CONSENTS, candidate.to_string(), bind![candidate])
        .await?;
    for row in rows.iter() {
        let purpose = row.word("purpose", Purpose::parse)?;
        if row.flag("given")? {
            given.insert(purpose);
        } else {
            given.remove(&purpose);
        }
    }
    Ok(given)
}

pub async fn coach_name(tx: &mut Tx, coach: CoachId) -> Result<Option<String>, StoreError> {
    tx.rows_of(&COACH_NAME, coach.to_string(), bind![coach])
        .await?
        .first()
        .map(|row| row.text("name"))
        .transpose()
}
