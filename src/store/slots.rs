//! Slots: the moments that coaches offer. Taking one is one statement, so that of two people who answer in
//! the same second one gets it and the other finds no row.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::ids::{CoachId, OrganisationId, RowId, SlotId, TeamId};
use crate::domain::plan::MeetingMode;
use crate::domain::slots::Slot;
use crate::domain::time::{Timestamp, Tz};

statements! {
    ADD = { batch: "INSERT INTO slots (id, organisation_id, team_id, coach_id, starts_at, ends_at, place, mode, capacity, taken, state, series, ref_hash, version)", columns: [Text, Text, Text, Text, Int, Int, Text, Text, Int, Int, Text, Text, Text, Int], tail: "" };
    FREE = "SELECT s.id, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version, (SELECT k.away_until_on FROM coaches k WHERE k.id = s.coach_id) AS away_until_on FROM slots s WHERE s.team_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3 AND s.state = 'open' AND s.taken < s.capacity AND NOT EXISTS (SELECT 1 FROM busy_times b WHERE b.coach_id = s.coach_id AND b.starts_at < s.ends_at AND b.ends_at > s.starts_at) AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.coach_id = s.coach_id AND m.state = 'booked' AND m.starts_at < s.ends_at AND m.ends_at > s.starts_at AND (m.slot_id IS NULL OR m.slot_id <> s.id)) ORDER BY s.starts_at, s.id LIMIT 500";
    STILL_FREE = { batch: "WITH want (id, at) AS (", columns: [Text, Int], tail: ") SELECT s.id, s.starts_at, (SELECT k.away_until_on FROM coaches k WHERE k.id = s.coach_id) AS away_until_on FROM want w JOIN slots s ON s.id = w.id AND s.starts_at >= w.at AND s.state = 'open' AND s.taken < s.capacity AND NOT EXISTS (SELECT 1 FROM busy_times b WHERE b.coach_id = s.coach_id AND b.starts_at < s.ends_at AND b.ends_at > s.starts_at) AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.coach_id = s.coach_id AND m.state = 'booked' AND m.starts_at < s.ends_at AND m.ends_at > s.starts_at AND (m.slot_id IS NULL OR m.slot_id <> s.id))" };
    THESE = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT s.id, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version FROM want w JOIN slots s ON s.id = w.id" };
    TAKE = "UPDATE slots SET taken = taken + 1, version = version + 1 WHERE id = $1 AND taken < capacity AND state = 'open'";
    GIVE_BACK = "UPDATE slots SET taken = taken - 1, version = version + 1 WHERE id = $1 AND taken > 0";
    OF_COACH = "SELECT s.id, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version FROM slots s WHERE s.coach_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3 ORDER BY s.starts_at, s.id LIMIT 2000";
    SHOWN = "SELECT s.id, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version, s.series FROM slots s WHERE s.team_id = $3 AND s.starts_at >= $4 AND s.starts_at < $5 AND s.organisation_id = $1 AND s.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY s.starts_at, s.id LIMIT 2000";
    ONE = "SELECT s.id, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version, s.series, s.team_id FROM slots s WHERE s.id = $3 AND s.organisation_id = $1 AND s.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
    WITHDRAW = "UPDATE slots SET state = 'withdrawn', version = version + 1 WHERE id = $1 AND state = 'open'";
    WITHDRAW_SERIES = "UPDATE slots SET state = 'withdrawn', version = version + 1 WHERE series = $1 AND starts_at >= $2 AND state = 'open'";
    BY_REFS = { batch: "WITH asked (ref_hash) AS (", columns: [Text], tail: ") SELECT s.id, s.ref_hash, s.coach_id, s.mode, s.starts_at, s.ends_at, s.place, s.capacity, s.taken, s.state, s.version FROM asked a CROSS JOIN slots s WHERE s.ref_hash = a.ref_hash" };
    UPDATE = "UPDATE slots SET coach_id = $3, starts_at = $4, ends_at = $5, place = $6, mode = $7, capacity = $8, state = $9, version = version + 1 WHERE id = $1 AND version = $2";
}

fn slot_of(row: &Row) -> Result<Slot, StoreError> {
    Ok(Slot {
        id: row.parsed("id")?,
        coach: row.parsed("coach_id")?,
        mode: row.word("mode", MeetingMode::parse)?,
        starts_at: row.at("starts_at")?,
        ends_at: row.at("ends_at")?,
        place: row.text("place")?,
        capacity: row.count("capacity")?,
        taken: row.count("taken")?,
        open: row.text("state")? == "open",
        version: row.int("version")?,
    })
}

/// Is the coach of this moment there on its day?
fn is_there(row: &Row, zone: Tz) -> Result<bool, StoreError> {
    let away_until: Option<NaiveDate> = row.maybe_parsed("away_until_on")?;
    let day = row.at("starts_at")?.local_day(zone);
    Ok(away_until.is_none_or(|until| day > until))
}

const fn state(slot: &Slot) -> &'static str {
    if slot.open { "open" } else { "withdrawn" }
}

/// A slot that is to be made.
pub struct NewSlot {
    pub slot: Slot,
    pub organisation: OrganisationId,
    pub team: TeamId,
    /// What was made with it by one form: withdrawn as one.
    pub series: Option<RowId>,
    /// The caller's own id; unique within the organisation.
    pub reference: Option<String>,
}

pub async fn add(tx: &mut Tx, new: Vec<NewSlot>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for NewSlot {
        slot,
        organisation,
        team,
        series,
        reference,
    } in new
    {
        let hash = reference.map(|text| tx.hash("slot_ref", &text));
        rows.push(bind![
            slot.id,
            organisation,
            team,
            slot.coach,
            slot.starts_at,
            slot.ends_at,
            slot.place.as_str(),
            slot.mode.as_str(),
            slot.capacity,
            slot.taken,
            state(&slot),
            series,
            hash,
            0_i64
        ]);
    }
    tx.many(&ADD, rows).await.map(drop)
}

/// The moments of a team that can be offered: open, with room, in no time that their coach has given away
/// elsewhere, on no day on which their coach is away; soonest first.
pub async fn free(
    tx: &mut Tx,
    (team, zone): (TeamId, Tz),
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Slot>, StoreError> {
    let mut free = Vec::new();
    for row in tx.all(&FREE, bind![team, from, until]).await? {
        if is_there(&row, zone)? {
            free.push(slot_of(&row)?);
        }
    }
    Ok(free)
}

/// Those of these moments that can still be taken, beginning at `from` or later.
pub async fn still_free(
    tx: &mut Tx,
    slots: &[SlotId],
    from: Timestamp,
    zone: Tz,
) -> Result<Vec<SlotId>, StoreError> {
    let rows = slots.iter().map(|id| bind![*id, from]).collect();
    let mut free = Vec::new();
    for row in tx.find(&STILL_FREE, rows).await? {
        if is_there(&row, zone)? {
            free.push(row.parsed("id")?);
        }
    }
    Ok(free)
}

/// These moments, whatever became of them.
pub async fn these(tx: &mut Tx, slots: &[SlotId]) -> Result<HashMap<SlotId, Slot>, StoreError> {
    let rows = slots.iter().map(|id| bind![*id]).collect();
    tx.find(&THESE, rows)
        .await?
        .iter()
        .map(|row| slot_of(row).map(|slot| (slot.id, slot)))
        .collect()
}

/// One place in it is taken; `Stale` if there is none left: somebody was faster, and whoever asked starts over.
pub async fn take(tx: &mut Tx, slot: SlotId) -> Result<(), StoreError> {
    tx.save(&TAKE, bind![slot]).await
}

/// The place is free again.
pub async fn give_back(tx: &mut Tx, slot: SlotId) -> Result<(), StoreError> {
    tx.run(&GIVE_BACK, bind![slot]).await.map(drop)
}

/// A coach's own moments in a stretch of time, withdrawn ones too.
pub async fn of_coach(
    tx: &mut Tx,
    coach: CoachId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Slot>, StoreError> {
    tx.all(&OF_COACH, bind![coach, from, until])
        .await?
        .iter()
        .map(slot_of)
        .collect()
}

/// A slot on a page, with the series it was made in.
pub struct SlotRow {
    pub slot: Slot,
    pub series: Option<RowId>,
}

fn row_of(row: &Row) -> Result<SlotRow, StoreError> {
    Ok(SlotRow {
        slot: slot_of(row)?,
        series: row.maybe_parsed("series")?,
    })
}

/// The moments of one team under these eyes, in a stretch of time.
pub async fn shown(
    tx: &mut Tx,
    scope: &Scope,
    team: TeamId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<SlotRow>, StoreError> {
    tx.all(
        &SHOWN,
        bind![scope.organisation, scope.coach, team, from, until],
    )
    .await?
    .iter()
    .map(row_of)
    .collect()
}

/// One moment, if it is of a team under these eyes.
pub async fn one(tx: &mut Tx, scope: &Scope, slot: SlotId) -> Result<Option<SlotRow>, StoreError> {
    let found = tx
        .maybe(&ONE, bind![scope.organisation, scope.coach, slot])
        .await?;
    match found {
        Some(row) if scope.teams.contains(&row.parsed::<TeamId>("team_id")?) => {
            row_of(&row).map(Some)
        }
        _ => Ok(None),
    }
}

/// Offered to nobody any more; meetings in it stay. `Stale` if it was withdrawn already.
pub async fn withdraw(tx: &mut Tx, slot: SlotId) -> Result<(), StoreError> {
    tx.save(&WITHDRAW, bind![slot]).await
}

/// The same for what is still to come of a series; how many that were.
pub async fn withdraw_series(
    tx: &mut Tx,
    series: RowId,
    from: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(&WITHDRAW_SERIES, bind![series, from]).await
}

/// The slots that carry these ids of the caller's own.
pub async fn by_refs(
    tx: &mut Tx,
    references: impl Iterator<Item = String>,
) -> Result<HashMap<String, Slot>, StoreError> {
    let asked: HashMap<String, String> = references
        .map(|text| (tx.hash("slot_ref", &text), text))
        .collect();
    let rows = asked.keys().map(|hash| bind![hash]).collect();
    let mut found = HashMap::new();
    for row in tx.find(&BY_REFS, rows).await? {
        if let Some(text) = asked.get(&row.text("ref_hash")?) {
            found.insert(text.clone(), slot_of(&row)?);
        }
    }
    Ok(found)
}

/// Saves what an import changed; `Stale` if somebody took a place meanwhile.
pub async fn update(tx: &mut Tx, slot: &Slot) -> Result<(), StoreError> {
    tx.save(
        &UPDATE,
        bind![
            slot.id,
            slot.version,
            slot.coach,
            slot.starts_at,
            slot.ends_at,
            slot.place.as_str(),
            slot.mode.as_str(),
            slot.capacity,
            state(slot)
        ],
    )
    .await
}
