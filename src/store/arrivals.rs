//! People, plans and tasks in sets, as an import brings them. One row at a time they live in `contacts`
//! and `plans`.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::contact::{AddressKind, AddressState};
use crate::domain::ids::{AddressId, CandidateId, KeyId, OrganisationId, PlanId, TaskId};
use crate::domain::plan::Task;
use crate::domain::talk::state::Talk;
use crate::domain::time::Timestamp;
use crate::store::contacts::{Name, NewCandidate};

statements! {
    CANDIDATES = { batch: "INSERT INTO candidates (id, organisation_id, team_id, coach_id, key_id, name_sealed, profile_sealed, language, digital_skill, track, automated_in_row, by_hand, ref_hash, state, version, created_at)", columns: [Text, Text, Text, Text, Text, Blob, Blob, Text, Text, Text, Int, Bool, Text, Text, Int, Int], tail: "" };
    TALKS = { batch: "INSERT INTO talks (candidate_id, state, body_sealed, wake_at, version)", columns: [Text, Text, Blob, Int, Int], tail: "" };
    ADDRESSES = { batch: "INSERT INTO addresses (id, candidate_id, kind, value_sealed, value_hash, state, version)", columns: [Text, Text, Text, Blob, Text, Text, Int], tail: "" };
    PLANS = { batch: "INSERT INTO plans (id, candidate_id, goal_sealed, started_on, ref_hash, version)", columns: [Text, Text, Blob, Text, Text, Int], tail: "" };
    TASKS = { batch: "INSERT INTO tasks (id, plan_id, candidate_id, number, title_sealed, state, due_on, done_at, version)", columns: [Text, Text, Text, Int, Blob, Text, Text, Int, Int], tail: "" };
    BY_REFS = { batch: "WITH asked (organisation_id, ref_hash) AS (", columns: [Text, Text], tail: ") SELECT c.id, c.key_id, c.ref_hash FROM asked a CROSS JOIN candidates c WHERE c.organisation_id = a.organisation_id AND c.ref_hash = a.ref_hash" };
    PLANS_BY_REFS = { batch: "WITH asked (ref_hash) AS (", columns: [Text], tail: ") SELECT p.id, p.candidate_id, p.ref_hash, c.key_id FROM asked a CROSS JOIN plans p CROSS JOIN candidates c WHERE p.ref_hash = a.ref_hash AND c.id = p.candidate_id" };
    RUNNING = { batch: "WITH asked (candidate_id) AS (", columns: [Text], tail: ") SELECT p.candidate_id FROM asked a CROSS JOIN plans p WHERE p.candidate_id = a.candidate_id AND p.ended_on IS NULL" };
    TASKS_OF = { batch: "WITH asked (plan_id) AS (", columns: [Text], tail: ") SELECT t.id, t.plan_id, t.number FROM asked a CROSS JOIN tasks t WHERE t.plan_id = a.plan_id" };
}

/// A candidate who is to be made, with the addresses that the caller knows.
pub struct Arrival<'a> {
    pub candidate: NewCandidate<'a>,
    pub addresses: Vec<(AddressId, AddressKind, &'a str)>,
}

/// Makes candidates, each with a key of their own, an idle talk and believed addresses.
pub async fn candidates(
    tx: &mut Tx,
    arrivals: &[Arrival<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let owner = |it: &Arrival<'_>| format!("candidate:{}", it.candidate.id);
    let owners: Vec<String> = arrivals.iter().map(owner).collect();
    let keys = tx.new_keys(&owners, now).await?;
    let (mut people, mut talks, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    for (arrival, key) in arrivals.iter().zip(keys) {
        let new = &arrival.candidate;
        let sealer = tx.sealer(key).await?;
        let id = new.id.to_string();
        let name = Name {
            first: new.first_name.to_owned(),
            family: new.family_name.to_owned(),
        };
        people.push(bind![
            new.id,
            new.organisation,
            new.team,
            new.coach,
            key,
            sealer.seal_json("candidates", "name_sealed", &id, &name),
            sealer.seal("candidates", "profile_sealed", &id, b"{}"),
            new.language,
            new.digital_skill.as_str(),
            new.track.as_str(),
            0_i64,
            false,
            new.reference.map(|text| tx.hash("candidate_ref", text)),
            new.state.as_str(),
            0_i64,
            now
        ]);
        let talk = Talk::new(new.id);
        let body = sealer.seal_json("talks", "body_sealed", &id, &talk);
        talks.push(bind![
            new.id,
            talk.state_name(),
            body,
            talk.wake_at(),
            0_i64
        ]);
        for (address, kind, value) in &arrival.addresses {
            let place = address.to_string();
            addresses.push(bind![
                *address,
                new.id,
                kind.as_str(),
                sealer.seal("addresses", "value_sealed", &place, value.as_bytes()),
                tx.hash(kind.as_str(), value),
                AddressState::Believed.as_str(),
                0_i64
            ]);
        }
    }
    tx.many(&CANDIDATES, people).await?;
    tx.many(&TALKS, talks).await?;
    tx.many(&ADDRESSES, addresses).await.map(drop)
}

/// Who carries the caller's own ids? By the id, for those who are known.
pub async fn by_refs<'a>(
    tx: &mut Tx,
    organisation: OrganisationId,
    references: impl Iterator<Item = &'a str>,
) -> Result<HashMap<&'a str, (CandidateId, KeyId)>, StoreError> {
    let asked: HashMap<String, &str> = references
        .map(|text| (tx.hash("candidate_ref", text), text))
        .collect();
    let rows = asked.keys().map(|hash| bind![organisation, hash]).collect();
    let mut found = HashMap::new();
    for row in tx.find(&BY_REFS, rows).await? {
        if let Some(text) = asked.get(&row.text("ref_hash")?) {
            found.insert(*text, (row.parsed("id")?, row.parsed("key_id")?));
        }
    }
    Ok(found)
}

/// A plan that is to be made, for a candidate who has none running.
pub struct NewPlan<'a> {
    pub id: PlanId,
    pub candidate: CandidateId,
    pub key: KeyId,
    pub goal: &'a str,
    pub started_on: NaiveDate,
    pub reference: String,
}

pub async fn plans(tx: &mut Tx, new: &[NewPlan<'_>]) -> Result<(), StoreError> {
    let keys: Vec<KeyId> = new.iter().map(|plan| plan.key).collect();
    tx.open_keys(&keys).await?;
    let mut rows = Vec::new();
    for plan in new {
        let sealer = tx.sealer(plan.key).await?;
        let id = plan.id.to_string();
        tx.changed(plan.candidate);
        rows.push(bind![
            plan.id,
            plan.candidate,
            sealer.seal("plans", "goal_sealed", &id, plan.goal.as_bytes()),
            plan.started_on,
            tx.hash("plan_ref", &plan.reference),
            0_i64
        ]);
    }
    tx.many(&PLANS, rows).await.map(drop)
}

/// A plan that carries the caller's own id.
#[derive(Debug, Clone, Copy)]
pub struct KnownPlan {
    pub id: PlanId,
    pub candidate: CandidateId,
    pub key: KeyId,
}

pub async fn plans_by_refs(
    tx: &mut Tx,
    references: impl Iterator<Item = String>,
) -> Result<HashMap<String, KnownPlan>, StoreError> {
    let asked: HashMap<String, String> = references
        .map(|text| (tx.hash("plan_ref", &text), text))
        .collect();
    let rows = asked.keys().map(|hash| bind![hash]).collect();
    let mut found = HashMap::new();
    for row in tx.find(&PLANS_BY_REFS, rows).await? {
        if let Some(text) = asked.get(&row.text("ref_hash")?) {
            let plan = KnownPlan {
                id: row.parsed("id")?,
                candidate: row.parsed("candidate_id")?,
                key: row.parsed("key_id")?,
            };
            found.insert(text.clone(), plan);
        }
    }
    Ok(found)
}

/// Those of these candidates who have a running plan.
pub async fn with_running_plan(
    tx: &mut Tx,
    candidates: impl Iterator<Item = CandidateId>,
) -> Result<HashSet<CandidateId>, StoreError> {
    let rows = candidates.map(|id| bind![id]).collect();
    tx.find(&RUNNING, rows)
        .await?
        .iter()
        .map(|row| row.parsed("candidate_id"))
        .collect()
}

/// The tasks of these plans, by plan and number.
pub async fn tasks_of(
    tx: &mut Tx,
    plans: &HashSet<PlanId>,
) -> Result<HashMap<(PlanId, u32), TaskId>, StoreError> {
    let rows = plans.iter().map(|id| bind![*id]).collect();
    tx.find(&TASKS_OF, rows)
        .await?
        .iter()
        .map(|row| {
            let place = (row.parsed("plan_id")?, row.count("number")?);
            Ok((place, row.parsed("id")?))
        })
        .collect()
}

/// Makes tasks, each in its plan.
pub async fn tasks(tx: &mut Tx, new: &[(KnownPlan, Task)]) -> Result<(), StoreError> {
    let keys: Vec<KeyId> = new.iter().map(|(plan, _)| plan.key).collect();
    tx.open_keys(&keys).await?;
    let mut rows = Vec::new();
    for (plan, task) in new {
        let sealer = tx.sealer(plan.key).await?;
        let id = task.id.to_string();
        tx.changed(plan.candidate);
        rows.push(bind![
            task.id,
            plan.id,
            plan.candidate,
            task.number,
            sealer.seal("tasks", "title_sealed", &id, task.title.as_bytes()),
            task.state.as_str(),
            task.due_on,
            task.done_at,
            0_i64
        ]);
    }
    tx.many(&TASKS, rows).await.map(drop)
}
