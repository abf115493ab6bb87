//! The ledger: every due nudge is a row, and every row ends with a reason.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::Serves;
use super::error::StoreError;
use super::statement::{Value, bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::ids::{CandidateId, MessageId, NudgeId, OrganisationId, TeamId};
use crate::domain::nudge::{Ended, flow_of};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::Approve;
use crate::domain::time::Timestamp;

statements! {
    ADD = { batch: "INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at, flow)", columns: [Text, Text, Text, Text, Text, Int, Text], tail: "ON CONFLICT DO NOTHING RETURNING id" };
    WAITING = {
        sqlite: "SELECT n.id, n.candidate_id, n.rule, n.subject, n.due_on, n.due_at, n.started_at, n.message_id FROM nudges n CROSS JOIN candidates c WHERE c.id = n.candidate_id AND n.closed_at IS NULL AND n.started_at IS NULL AND n.due_at <= $1 AND c.organisation_id = $2 ORDER BY n.due_at, n.id LIMIT $3",
        postgres: "SELECT n.id, n.candidate_id, n.rule, n.subject, n.due_on, n.due_at, n.started_at, n.message_id FROM nudges n CROSS JOIN candidates c WHERE c.id = n.candidate_id AND n.closed_at IS NULL AND n.started_at IS NULL AND n.due_at <= $1 AND c.organisation_id = $2 ORDER BY n.due_at, n.id LIMIT $3 FOR UPDATE OF n SKIP LOCKED",
    };
    STARTED = { batch: "WITH begun (id, at) AS (", columns: [Text, Int], tail: ") UPDATE nudges SET started_at = begun.at FROM begun WHERE nudges.id = begun.id AND nudges.started_at IS NULL AND nudges.closed_at IS NULL RETURNING nudges.id" };
    MOVE = { batch: "WITH moved (id, due_at) AS (", columns: [Text, Int], tail: ") UPDATE nudges SET due_at = moved.due_at FROM moved WHERE nudges.id = moved.id AND nudges.closed_at IS NULL" };
    CLOSE = { batch: "WITH ended (id, at, because) AS (", columns: [Text, Int, Text], tail: ") UPDATE nudges SET closed_at = ended.at, because = ended.because FROM ended WHERE nudges.id = ended.id AND nudges.closed_at IS NULL" };
    CLOSE_MESSAGE = { batch: "WITH ended (message, at, because) AS (", columns: [Text, Int, Text], tail: ") UPDATE nudges SET closed_at = ended.at, because = ended.because FROM ended WHERE nudges.message_id = ended.message AND nudges.closed_at IS NULL" };
    CLOSE_SUBJECT = { batch: "WITH ended (candidate_id, subject, at, because) AS (", columns: [Text, Text, Int, Text], tail: ") UPDATE nudges SET closed_at = ended.at, because = ended.because FROM ended WHERE nudges.candidate_id = ended.candidate_id AND nudges.subject = ended.subject AND nudges.closed_at IS NULL AND nudges.message_id IS NULL" };
    CLOSE_WAITING = "UPDATE nudges SET closed_at = $2, because = $3 WHERE candidate_id = $1 AND closed_at IS NULL AND started_at IS NULL";
    CLOSE_RUN = { batch: "WITH ended (candidate_id, subject, flow, at, because) AS (", columns: [Text, Text, Text, Int, Text], tail: ") UPDATE nudges SET closed_at = ended.at, because = ended.because FROM ended WHERE nudges.candidate_id = ended.candidate_id AND nudges.subject = ended.subject AND nudges.flow = ended.flow AND nudges.closed_at IS NULL AND nudges.message_id IS NULL" };
    LINK = { batch: "WITH said (candidate_id, message_id, subject, flow) AS (", columns: [Text, Text, Text, Text], tail: "), begun (message_id, id) AS MATERIALIZED (SELECT s.message_id, (SELECT n.id FROM nudges n WHERE n.candidate_id = s.candidate_id AND n.subject = s.subject AND n.flow = s.flow AND n.message_id IS NULL AND n.started_at IS NOT NULL AND n.closed_at IS NULL ORDER BY n.due_at, n.id LIMIT 1) FROM said s) UPDATE nudges SET message_id = begun.message_id FROM begun WHERE nudges.id = begun.id" };
    ADD_SAID = { batch: "WITH said (id, candidate_id, rule, subject, due_on, due_at, message_id, flow) AS (", columns: [Text, Text, Text, Text, Text, Int, Text, Text], tail: ") INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at, started_at, message_id, flow) SELECT s.id, s.candidate_id, s.rule, s.subject, s.due_on, s.due_at, s.due_at, s.message_id, s.flow FROM said s WHERE s.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nudges n WHERE n.message_id = s.message_id) ON CONFLICT (candidate_id, rule, subject, due_on) DO NOTHING" };
    OF_PERSON = "SELECT id, candidate_id, rule, subject, due_on, due_at FROM nudges WHERE candidate_id = $1 AND closed_at IS NULL AND started_at IS NULL ORDER BY due_at, id";
    TASK_DAYS = "SELECT subject, due_on FROM nudges WHERE candidate_id = $1 AND rule IN ('task_due', 'task_late')";
    IS_NUDGE = "SELECT id FROM nudges WHERE message_id = $1 LIMIT 1";
    ACCEPTED_SINCE = "SELECT o.accepted_at FROM nudges n JOIN outgoing o ON o.id = n.message_id WHERE n.candidate_id = $1 AND o.accepted_at IS NOT NULL AND o.accepted_at >= $2 ORDER BY o.accepted_at";
    ACCEPTED_MANY = { batch: "WITH want (id, since) AS (", columns: [Text, Int], tail: ") SELECT w.id || '/' || w.since AS wanted, o.accepted_at FROM want w CROSS JOIN nudges n CROSS JOIN outgoing o WHERE n.candidate_id = w.id AND o.id = n.message_id AND o.accepted_at IS NOT NULL AND o.accepted_at >= w.since ORDER BY o.accepted_at" };
    APPROVED_BEFORE = "SELECT 1 AS n FROM outgoing o JOIN approvals a ON a.message_id = o.id WHERE o.candidate_id = $1 AND o.why = $2 AND a.verb IN ('approve', 'edit') LIMIT 1";
    POLICIES = "SELECT rule, approve FROM policies WHERE team_id = $1";
    POLICIES_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT p.team_id, p.rule, p.approve FROM want w JOIN policies p ON p.team_id = w.id" };
    OCCURRENCE = "INSERT INTO occurrences (organisation_id, rule, due_on, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    OCCURRED = "SELECT at FROM occurrences WHERE organisation_id = $1 AND rule = $2 ORDER BY due_on DESC LIMIT 1";
}

/// One open row of the ledger.
#[derive(Debug, Clone)]
pub struct Nudge {
    pub id: NudgeId,
    pub candidate: CandidateId,
    pub rule: String,
    pub subject: Subject,
    pub due_on: NaiveDate,
    pub due_at: Timestamp,
}

impl Nudge {
    /// When the ledger got this row: its id carries the moment. What was due while nobody was there to
    /// write it counts from then on, so that a long outage does not expire everything.
    pub const fn written_at(&self) -> Timestamp {
        Timestamp((self.id.0.timestamp_ms() as i64) * 1000)
    }
}

fn nudge_of(row: &Row) -> Result<Nudge, StoreError> {
    Ok(Nudge {
        id: row.parsed("id")?,
        candidate: row.parsed("candidate_id")?,
        rule: row.text("rule")?,
        subject: row.word("subject", Subject::parse)?,
        due_on: row.parsed("due_on")?,
        due_at: row.at("due_at")?,
    })
}

/// Writes a due nudge into the ledger, at the latest with the commit; an occurrence that is there already
/// stays as it is.
pub fn add(tx: &mut Tx, nudge: &Nudge) {
    tx.later(&ADD, row_of(nudge));
}

/// The same at once; the ids of those that were not there already.
pub async fn add_now(tx: &mut Tx, due: &[Nudge]) -> Result<BTreeSet<NudgeId>, StoreError> {
    let added = tx.many(&ADD, due.iter().map(row_of).collect()).await?;
    added.iter().map(|row| row.parsed("id")).collect()
}

fn row_of(nudge: &Nudge) -> Vec<Value> {
    bind![
        nudge.id,
        nudge.candidate,
        nudge.rule.as_str(),
        nudge.subject,
        nudge.due_on,
        nudge.due_at,
        flow_of(&nudge.rule)
    ]
}

/// Due nudges that no talk has taken up yet, oldest first.
pub async fn waiting(
    tx: &mut Tx,
    organisation: OrganisationId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Nudge>, StoreError> {
    tx.all(&WAITING, bind![now, organisation, limit])
        .await?
        .iter()
        .map(nudge_of)
        .collect()
}

/// A talk takes it up. If it is no longer there to be taken, what comes next in this transaction is `Stale`.
pub fn started(tx: &mut Tx, id: NudgeId, now: Timestamp) {
    tx.save_later(&STARTED, bind![id, now]);
}

/// It may not go now; this is when it may be looked at again. A row that ended meanwhile stays as it is.
pub fn move_to(tx: &mut Tx, id: NudgeId, due_at: Timestamp) {
    tx.later(&MOVE, bind![id, due_at]);
}

/// It ends with its reason, unless it ended before.
pub fn close(tx: &mut Tx, id: NudgeId, ended: Ended, now: Timestamp) {
    tx.later(&CLOSE, bind![id, now, ended.as_str()]);
}

/// The message of a nudge came to an end.
pub fn close_message(tx: &mut Tx, message: MessageId, ended: Ended, now: Timestamp) {
    tx.later(&CLOSE_MESSAGE, bind![message, now, ended.as_str()]);
}

/// The reason of these nudges went away before a message was written.
pub fn close_subject(
    tx: &mut Tx,
    candidate: CandidateId,
    subject: Subject,
    ended: Ended,
    now: Timestamp,
) {
    tx.later(
        &CLOSE_SUBJECT,
        bind![candidate, subject, now, ended.as_str()],
    );
}

/// The reason of everything that this person still waits for went away.
pub async fn close_waiting(
    tx: &mut Tx,
    candidate: CandidateId,
    ended: Ended,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&CLOSE_WAITING, bind![candidate, now, ended.as_str()])
        .await
        .map(drop)
}

/// A run of a flow ended: what it was started for ends with it.
pub fn close_run(
    tx: &mut Tx,
    candidate: CandidateId,
    (flow, subject): (&str, Subject),
    ended: Ended,
    now: Timestamp,
) {
    tx.later(
        &CLOSE_RUN,
        bind![candidate, subject, flow, now, ended.as_str()],
    );
}

/// A flow wrote a message that is a nudge: it belongs to the open row that started the run, or gets a
/// row of its own (a later rung of the flow).
pub fn said(tx: &mut Tx, message: MessageId, nudge: &Nudge) {
    let flow = flow_of(&nudge.rule);
    tx.later(&LINK, bind![nudge.candidate, message, nudge.subject, flow]);
    tx.later(
        &ADD_SAID,
        bind![
            nudge.id,
            nudge.candidate,
            nudge.rule.as_str(),
            nudge.subject,
            nudge.due_on,
            nudge.due_at,
            message,
            flow
        ],
    );
}

/// What this person still waits for, in the order of its moments.
pub async fn of_person(tx: &mut Tx, candidate: CandidateId) -> Result<Vec<Nudge>, StoreError> {
    tx.all(&OF_PERSON, bind![candidate])
        .await?
        .iter()
        .map(nudge_of)
        .collect()
}

/// The tasks and due days of this person for which the ledger has a row.
pub async fn task_days(
    tx: &mut Tx,
    candidate: CandidateId,
) -> Result<BTreeSet<(Subject, NaiveDate)>, StoreError> {
    tx.all(&TASK_DAYS, bind![candidate])
        .await?
        .iter()
        .map(|row| Ok((row.word("subject", Subject::parse)?, row.parsed("due_on")?)))
        .collect()
}

pub async fn is_nudge(tx: &mut Tx, message: MessageId) -> Result<bool, StoreError> {
    Ok(tx.maybe(&IS_NUDGE, bind![message]).await?.is_some())
}

/// When this person's nudges were accepted, since a moment.
pub async fn accepted_since(
    tx: &mut Tx,
    candidate: CandidateId,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let key = format!("{candidate}/{}", since.0);
    tx.rows_of(&ACCEPTED_SINCE, key, bind![candidate, since])
        .await?
        .iter()
        .map(|row| row.at("accepted_at"))
        .collect()
}

/// Fetches ahead what `accepted_since` says of these people.
pub async fn accepted_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    since: Timestamp,
) -> Result<(), StoreError> {
    let key = |id: &CandidateId| (format!("{id}/{}", since.0), bind![id, since]);
    let keys = candidates.iter().map(key).collect();
    tx.fetch_ahead(
        &ACCEPTED_MANY,
        &ACCEPTED_SINCE,
        "wanted",
        keys,
        Serves::Looks,
    )
    .await
}

/// Did a coach ever approve a message of this rule for this person?
pub async fn approved_before(
    tx: &mut Tx,
    candidate: CandidateId,
    rule: &str,
) -> Result<bool, StoreError> {
    Ok(tx
        .maybe(&APPROVED_BEFORE, bind![candidate, rule])
        .await?
        .is_some())
}

/// The team's policy for a rule (`flow/node`, or the flow alone).
pub async fn policy(tx: &mut Tx, team: TeamId, rule: &str) -> Result<Option<Approve>, StoreError> {
    let rows = tx.rows_of(&POLICIES, team.to_string(), bind![team]).await?;
    let flow = rule.split('/').next().unwrap_or(rule);
    for name in [rule, flow] {
        for row in rows.iter() {
            if row.text("rule")? == name {
                return row.word("approve", Approve::parse).map(Some);
            }
        }
    }
    Ok(None)
}

/// Fetches ahead the policies of these teams.
pub async fn policies_ahead(tx: &mut Tx, teams: &BTreeSet<TeamId>) -> Result<(), StoreError> {
    let keys = teams.iter().map(|id| (id.to_string(), bind![id])).collect();
    tx.fetch_ahead(&POLICIES_MANY, &POLICIES, "team_id", keys, Serves::Looks)
        .await
}

/// A rule ran for this local day; false if it already had.
pub async fn occurred(
    tx: &mut Tx,
    organisation: OrganisationId,
    rule: &str,
    due_on: NaiveDate,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx
        .run(&OCCURRENCE, bind![organisation, rule, due_on, now])
        .await?
        == 1)
}

/// When each of these rules last ran.
pub async fn last_ran(
    tx: &mut Tx,
    organisation: OrganisationId,
    rules: &[&'static str],
) -> Result<BTreeMap<&'static str, Timestamp>, StoreError> {
    let mut ran = BTreeMap::new();
    for rule in rules {
        if let Some(row) = tx.maybe(&OCCURRED, bind![organisation, *rule]).await? {
            ran.insert(*rule, row.at("at")?);
        }
    }
    Ok(ran)
}
