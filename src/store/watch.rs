//! What the calendar keeps of a person, and everything that a look at one person must know. Nothing here
//! decides: that is `domain/nudge/look.rs`.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Serves;
use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId, OrganisationId};
use crate::domain::nudge::Rule;
use crate::domain::time::Timestamp;

statements! {
    DUE = {
        sqlite: "SELECT w.candidate_id FROM watch w WHERE w.organisation_id = $1 AND w.look_at IS NOT NULL AND w.look_at <= $2 ORDER BY w.look_at, w.candidate_id LIMIT $3",
        postgres: "SELECT w.candidate_id FROM watch w WHERE w.organisation_id = $1 AND w.look_at IS NOT NULL AND w.look_at <= $2 ORDER BY w.look_at, w.candidate_id LIMIT $3 FOR UPDATE OF w SKIP LOCKED",
    };
    DUE_UNTIL = "SELECT w.candidate_id FROM watch w WHERE w.organisation_id = $1 AND w.look_at IS NOT NULL AND w.look_at <= $2 ORDER BY w.look_at, w.candidate_id LIMIT $3";
    LOOK_AT = "SELECT look_at FROM watch WHERE candidate_id = $1";
    NEXT = { batch: "WITH next (id, at) AS (", columns: [Text, Int], tail: ") UPDATE watch SET look_at = next.at FROM next WHERE watch.candidate_id = next.id" };
    SOON = "UPDATE watch SET look_at = $2 WHERE candidate_id = $1 AND look_at IS NOT NULL AND look_at > $2";
    AGREE = "INSERT INTO watch (candidate_id, organisation_id, online_percent) SELECT c.id, c.organisation_id, CAST($2 AS BIGINT) FROM candidates c WHERE c.id = $1 ON CONFLICT (candidate_id) DO UPDATE SET online_percent = excluded.online_percent";
    KNOWN = "SELECT (SELECT w.online_percent FROM watch w WHERE w.candidate_id = c.id) AS online_percent, (SELECT MIN(k.at) FROM consents k WHERE k.candidate_id = c.id AND k.given) AS since_at, (SELECT MAX(i.at) FROM incoming i WHERE i.candidate_id = c.id) AS heard_at, (SELECT MAX(n.at) FROM notes n WHERE n.candidate_id = c.id AND n.kind = 'sign') AS sign_at, (SELECT MAX(t.done_at) FROM tasks t WHERE t.candidate_id = c.id) AS done_at, (SELECT MAX(o.accepted_at) FROM outgoing o WHERE o.candidate_id = c.id) AS sent_at, (SELECT MIN(v.used_at) FROM invites v WHERE v.candidate_id = c.id) AS began_at, (SELECT MAX(f.opened_at) FROM flags f WHERE f.candidate_id = c.id AND f.why IN ('silent_too_long', 'letter')) AS climbed_at, (SELECT MAX(f.opened_at) FROM flags f WHERE f.candidate_id = c.id AND f.why = 'blend_drifts') AS drifted_at, (SELECT COUNT(*) FROM nudges n WHERE n.candidate_id = c.id AND n.closed_at IS NULL AND n.started_at IS NULL) AS waiting FROM candidates c WHERE c.id = $1";
    KNOWN_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT c.id AS candidate_id, (SELECT w.online_percent FROM watch w WHERE w.candidate_id = c.id) AS online_percent, (SELECT MIN(k.at) FROM consents k WHERE k.candidate_id = c.id AND k.given) AS since_at, (SELECT MAX(i.at) FROM incoming i WHERE i.candidate_id = c.id) AS heard_at, (SELECT MAX(n.at) FROM notes n WHERE n.candidate_id = c.id AND n.kind = 'sign') AS sign_at, (SELECT MAX(t.done_at) FROM tasks t WHERE t.candidate_id = c.id) AS done_at, (SELECT MAX(o.accepted_at) FROM outgoing o WHERE o.candidate_id = c.id) AS sent_at, (SELECT MIN(v.used_at) FROM invites v WHERE v.candidate_id = c.id) AS began_at, (SELECT MAX(f.opened_at) FROM flags f WHERE f.candidate_id = c.id AND f.why IN ('silent_too_long', 'letter')) AS climbed_at, (SELECT MAX(f.opened_at) FROM flags f WHERE f.candidate_id = c.id AND f.why = 'blend_drifts') AS drifted_at, (SELECT COUNT(*) FROM nudges n WHERE n.candidate_id = c.id AND n.closed_at IS NULL AND n.started_at IS NULL) AS waiting FROM want CROSS JOIN candidates c WHERE c.id = want.id" };
    LAST = "SELECT rule, MAX(due_on) AS due_on FROM nudges WHERE candidate_id = $1 AND rule IN ('check_in', 'silence', 'perspective', 'exercises', 'practice', 'invitation') GROUP BY rule";
    LAST_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT n.candidate_id, n.rule, MAX(n.due_on) AS due_on FROM want w CROSS JOIN nudges n WHERE n.candidate_id = w.id AND n.rule IN ('check_in', 'silence', 'perspective', 'exercises', 'practice', 'invitation') GROUP BY n.candidate_id, n.rule" };
    WROTE = "SELECT at FROM incoming WHERE candidate_id = $1 AND at >= $2 ORDER BY at";
    WROTE_MANY = { batch: "WITH want (id, since) AS (", columns: [Text, Int], tail: ") SELECT w.id || '/' || w.since AS wanted, i.at FROM want w CROSS JOIN incoming i WHERE i.candidate_id = w.id AND i.at >= w.since ORDER BY i.at" };
    SENT = "SELECT accepted_at AS at FROM outgoing WHERE candidate_id = $1 AND accepted_at >= $2 ORDER BY accepted_at";
    SENT_MANY = { batch: "WITH want (id, since) AS (", columns: [Text, Int], tail: ") SELECT w.id || '/' || w.since AS wanted, o.accepted_at AS at FROM want w CROSS JOIN outgoing o WHERE o.candidate_id = w.id AND o.accepted_at >= w.since ORDER BY o.accepted_at" };
    DONE = "SELECT done_at, done_by FROM tasks WHERE candidate_id = $1 AND done_at >= $2 ORDER BY done_at";
    DONE_MANY = { batch: "WITH want (id, since) AS (", columns: [Text, Int], tail: ") SELECT w.id || '/' || w.since AS wanted, t.done_at, t.done_by FROM want w CROSS JOIN tasks t WHERE t.candidate_id = w.id AND t.done_at >= w.since ORDER BY t.done_at" };
    UNANSWERED = "SELECT c.id, c.coach_id, (SELECT MIN(f.opened_at) FROM flags f WHERE f.candidate_id = c.id AND f.why = 'answer_overdue' AND f.closed_at IS NULL) AS told_at FROM candidates c WHERE c.organisation_id = $1 AND c.unanswered_since_at IS NOT NULL AND c.unanswered_since_at < $2 ORDER BY c.unanswered_since_at LIMIT $3";
}

/// The people of an organisation whose look is due, the longest first.
pub async fn due(
    tx: &mut Tx,
    organisation: OrganisationId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CandidateId>, StoreError> {
    tx.all(&DUE, bind![organisation, now, limit])
        .await?
        .iter()
        .map(|row| row.parsed("candidate_id"))
        .collect()
}

/// As `due`, for whoever only wants to know.
pub async fn due_until(
    tx: &mut Tx,
    organisation: OrganisationId,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<CandidateId>, StoreError> {
    tx.all(&DUE_UNTIL, bind![organisation, until, limit])
        .await?
        .iter()
        .map(|row| row.parsed("candidate_id"))
        .collect()
}

/// When the calendar looks at this person next.
pub async fn look_at(tx: &mut Tx, candidate: CandidateId) -> Result<Option<Timestamp>, StoreError> {
    match tx.maybe(&LOOK_AT, bind![candidate]).await? {
        Some(row) => row.maybe_at("look_at"),
        None => Ok(None),
    }
}

/// The next look; `None`: not before the person agrees to something.
pub fn next(tx: &mut Tx, candidate: CandidateId, at: Option<Timestamp>) {
    tx.later(&NEXT, bind![candidate, at]);
}

/// Something happened that the calendar did not know of: a look at `at`, if none comes sooner.
pub async fn soon(tx: &mut Tx, candidate: CandidateId, at: Timestamp) -> Result<(), StoreError> {
    tx.run(&SOON, bind![candidate, at]).await.map(drop)
}

/// The online share that coach and candidate agreed on, in percent; `None`: what goes for their digital
/// skill.
pub async fn agree(
    tx: &mut Tx,
    candidate: CandidateId,
    percent: Option<u32>,
) -> Result<(), StoreError> {
    tx.run(&AGREE, bind![candidate, percent.map(i64::from)])
        .await
        .map(drop)
}

/// What one statement knows of a person.
pub struct Known {
    pub agreed: Option<u32>,
    /// The first word of consent.
    pub since: Option<Timestamp>,
    pub heard_at: Option<Timestamp>,
    /// A sign that a coach recorded.
    pub sign_at: Option<Timestamp>,
    pub done_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    /// A code that a coach showed was sent in.
    pub began_at: Option<Timestamp>,
    pub climbed_at: Option<Timestamp>,
    pub drifted_at: Option<Timestamp>,
    /// Something stands in the ledger and has not begun.
    pub waiting: bool,
}

pub async fn known(tx: &mut Tx, candidate: CandidateId) -> Result<Option<Known>, StoreError> {
    let rows = tx
        .rows_of(&KNOWN, candidate.to_string(), bind![candidate])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let percent = row.maybe_int("online_percent")?;
    Ok(Some(Known {
        agreed: percent.and_then(|percent| u32::try_from(percent).ok()),
        since: row.maybe_at("since_at")?,
        heard_at: row.maybe_at("heard_at")?,
        sign_at: row.maybe_at("sign_at")?,
        done_at: row.maybe_at("done_at")?,
        sent_at: row.maybe_at("sent_at")?,
        began_at: row.maybe_at("began_at")?,
        climbed_at: row.maybe_at("climbed_at")?,
        drifted_at: row.maybe_at("drifted_at")?,
        waiting: row.int("waiting")? > 0,
    }))
}

/// The newest due day of each rule that looks at people.
pub async fn last(
    tx: &mut Tx,
    candidate: CandidateId,
) -> Result<BTreeMap<Rule, NaiveDate>, StoreError> {
    tx.rows_of(&LAST, candidate.to_string(), bind![candidate])
        .await?
        .iter()
        .map(|row| Ok((row.word("rule", Rule::parse)?, row.parsed("due_on")?)))
        .collect()
}

/// When this person wrote, since a moment, in order.
pub async fn wrote(
    tx: &mut Tx,
    candidate: CandidateId,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    tx.rows_of(&WROTE, since_of(candidate, since), bind![candidate, since])
        .await?
        .iter()
        .map(|row| row.at("at"))
        .collect()
}

/// When messages to this person were accepted, since a moment, in order.
pub async fn sent(
    tx: &mut Tx,
    candidate: CandidateId,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    tx.rows_of(&SENT, since_of(candidate, since), bind![candidate, since])
        .await?
        .iter()
        .map(|row| row.at("at"))
        .collect()
}

/// When tasks were done, since a moment, and whether the person said so themselves.
pub async fn done(
    tx: &mut Tx,
    candidate: CandidateId,
    since: Timestamp,
) -> Result<Vec<(Timestamp, bool)>, StoreError> {
    tx.rows_of(&DONE, since_of(candidate, since), bind![candidate, since])
        .await?
        .iter()
        .map(|row| {
            let by = row.maybe_text("done_by")?;
            Ok((row.at("done_at")?, by.as_deref() == Some("candidate")))
        })
        .collect()
}

/// Fetches ahead what `known` says of these people.
pub async fn known_ahead(tx: &mut Tx, candidates: &[CandidateId]) -> Result<(), StoreError> {
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&KNOWN_MANY, &KNOWN, "candidate_id", keys, Serves::Looks)
        .await
}

/// Fetches ahead what a look asks beside it: `last`, and since a moment `wrote`, `sent` and `done`.
pub async fn looks_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    since: Timestamp,
) -> Result<(), StoreError> {
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&LAST_MANY, &LAST, "candidate_id", keys, Serves::Looks)
        .await?;
    for (many, one) in [
        (&WROTE_MANY, &WROTE),
        (&SENT_MANY, &SENT),
        (&DONE_MANY, &DONE),
    ] {
        let keys = candidates.iter();
        let keys = keys.map(|id| (since_of(*id, since), bind![id, since]));
        let keys = keys.collect();
        tx.fetch_ahead(many, one, "wanted", keys, Serves::Looks)
            .await?;
    }
    Ok(())
}

/// Under which what was asked of somebody since a moment is found again.
fn since_of(candidate: CandidateId, since: Timestamp) -> String {
    format!("{candidate}/{}", since.0)
}

/// Somebody who waits for a coach's answer.
pub struct Unanswered {
    pub candidate: CandidateId,
    pub coach: Option<CoachId>,
    /// When the coach was told so.
    pub told_at: Option<Timestamp>,
}

/// Who waits since before `before`, the longest first.
pub async fn unanswered(
    tx: &mut Tx,
    organisation: OrganisationId,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Unanswered>, StoreError> {
    tx.all(&UNANSWERED, bind![organisation, before, limit])
        .await?
        .iter()
        .map(|row| {
            Ok(Unanswered {
                candidate: row.parsed("id")?,
                coach: row.maybe_parsed("coach_id")?,
                told_at: row.maybe_at("told_at")?,
            })
        })
        .collect()
}
