//! Outgoing messages, their forms, attempts, approvals and receipts. Every change of state names the
//! state it leaves, so two hands on one message cannot both win.

use std::collections::BTreeSet;

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use super::{Queue, Serves};
use crate::domain::contact::{AddressKind, AddressState, Purpose};
use crate::domain::ids::{ActId, AddressId, CandidateId, CoachId, LineId, MessageId, RowId};
use crate::domain::message::{FormBody, MessageState};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::Approve;
use crate::domain::time::Timestamp;

statements! {
    INSERT = { batch: "INSERT INTO outgoing (id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, version, created_at)", columns: [Text, Text, Int, Text, Text, Text, Text, Text, Text, Text, Bool, Text, Int, Int, Int, Int, Int, Int], tail: "" };
    FORM_ADD = { batch: "INSERT INTO forms (message_id, position, line_id, address_id, kind, body_sealed, units)", columns: [Text, Int, Text, Text, Text, Blob, Int], tail: "" };
    FORMS_DROP = "DELETE FROM forms WHERE message_id = $1";
    BY_ID = "SELECT id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, delivered_at, read_at, failed_at, version, created_at FROM outgoing WHERE id = $1";
    BY_IDS = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT o.id, o.candidate_id, o.said, o.author_id, o.purpose, o.subject, o.why, o.state, o.state_why, o.approve, o.last_word, o.content_hash, o.form, o.attempt, o.not_before_at, o.not_after_at, o.accepted_at, o.delivered_at, o.read_at, o.failed_at, o.version, o.created_at FROM want w CROSS JOIN outgoing o WHERE o.id = w.id" };
    BY_SAID = "SELECT id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, delivered_at, read_at, failed_at, version, created_at FROM outgoing WHERE candidate_id = $1 AND said = $2";
    BY_SAID_MANY = { batch: "WITH want (candidate_id, said) AS (", columns: [Text, Int], tail: ") SELECT w.candidate_id || '/' || w.said AS wanted, o.id, o.candidate_id, o.said, o.author_id, o.purpose, o.subject, o.why, o.state, o.state_why, o.approve, o.last_word, o.content_hash, o.form, o.attempt, o.not_before_at, o.not_after_at, o.accepted_at, o.delivered_at, o.read_at, o.failed_at, o.version, o.created_at FROM want w CROSS JOIN outgoing o WHERE o.candidate_id = w.candidate_id AND o.said = w.said" };
    UNSENT = "SELECT id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, delivered_at, read_at, failed_at, version, created_at FROM outgoing WHERE candidate_id = $1 AND state IN ('draft', 'waiting', 'approved', 'held', 'retry') ORDER BY id";
    HAS_LEFT = "SELECT id FROM outgoing WHERE candidate_id = $1 AND subject = $2 AND state IN ('sending', 'in_doubt', 'accepted') LIMIT 1";
    NEXT_READY = "SELECT MIN(not_before_at) AS at FROM outgoing WHERE state IN ('approved', 'retry') AND not_before_at > 0";
    FORMS = "SELECT f.position, f.line_id, f.address_id, f.body_sealed, f.units, a.kind, a.value_sealed, a.state AS address_state FROM forms f JOIN addresses a ON a.id = f.address_id WHERE f.message_id = $1 ORDER BY f.position";
    CHANGE = "UPDATE outgoing SET state = $4, state_why = $5, not_before_at = $6, version = version + 1 WHERE id = $1 AND version = $2 AND state = $3";
    CANCEL = { batch: "WITH v (message, was, stood, reason) AS (", columns: [Text, Int, Text, Text], tail: ") UPDATE outgoing SET state = 'cancelled', state_why = v.reason, version = version + 1 FROM v WHERE id = v.message AND version = v.was AND state = v.stood RETURNING id" };
    EDITED = "UPDATE outgoing SET content_hash = $3, form = 0, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'waiting'";
    APPROVAL_ADD = "INSERT INTO approvals (id, message_id, coach_id, verb, content_hash, at, act_id) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LEFT_UP_TO = "SELECT MAX(said) AS said FROM outgoing WHERE candidate_id = $1 AND said <= $2 AND state IN ('sending', 'in_doubt', 'accepted')";
    LEFT_MANY = { batch: "WITH want (candidate_id, said) AS (", columns: [Text, Int], tail: ") SELECT w.candidate_id || '/' || w.said AS wanted, (SELECT MAX(o.said) FROM outgoing o WHERE o.candidate_id = w.candidate_id AND o.said <= w.said AND o.state IN ('sending', 'in_doubt', 'accepted')) AS said FROM want w WHERE w.candidate_id IS NOT NULL" };
    DOUBT = "SELECT id FROM outgoing WHERE candidate_id = $1 AND state = 'in_doubt' AND COALESCE(state_why, '') <> 'left_alone' LIMIT 1";
    DOUBT_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT o.candidate_id, o.id FROM want w CROSS JOIN outgoing o WHERE o.candidate_id = w.id AND o.state = 'in_doubt' AND COALESCE(o.state_why, '') <> 'left_alone'" };
    AFTER_DOUBT = "UPDATE outgoing SET not_before_at = $2, state_why = NULL, version = version + 1 WHERE candidate_id = $1 AND state IN ('approved', 'retry') AND state_why = 'in_doubt'";
    ANY_SENDING = "SELECT id FROM outgoing WHERE state = 'sending' AND lease_until_at > 0 LIMIT 1";
    SENDING = "SELECT id FROM outgoing WHERE candidate_id = $1 AND state = 'sending' LIMIT 1";
    EXPIRED = "SELECT id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, delivered_at, read_at, failed_at, version, created_at FROM outgoing WHERE state IN ('draft', 'waiting', 'approved', 'held', 'retry') AND not_after_at < $1 ORDER BY not_after_at, id LIMIT $2";
    HELD_DUE = "SELECT id, candidate_id, said, author_id, purpose, subject, why, state, state_why, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, delivered_at, read_at, failed_at, version, created_at FROM outgoing WHERE state = 'held' AND not_before_at <= $1 ORDER BY not_before_at, id LIMIT $2";
}

/// One outgoing message as the database has it, without its text.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub id: MessageId,
    pub candidate: CandidateId,
    /// The talk's number for it; a coach's own message has none.
    pub said: Option<u32>,
    pub author: Option<CoachId>,
    pub purpose: Purpose,
    pub subject: Subject,
    /// The rule, `flow/node`; `coach` for a coach's own message.
    pub why: String,
    pub state: MessageState,
    pub state_why: Option<String>,
    pub approve: Approve,
    pub last_word: bool,
    pub content_hash: String,
    /// The form that is being or was last tried.
    pub form: u32,
    pub attempt: u32,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
}

pub(super) fn outgoing_of(row: &Row) -> Result<Outgoing, StoreError> {
    Ok(Outgoing {
        id: row.parsed("id")?,
        candidate: row.parsed("candidate_id")?,
        said: row
            .maybe_int("said")?
            .map(|said| u32::try_from(said).map_err(|_| row.corrupt("said")))
            .transpose()?,
        author: row.maybe_parsed("author_id")?,
        purpose: row.word("purpose", Purpose::parse)?,
        subject: row.word("subject", Subject::parse)?,
        why: row.text("why")?,
        state: row.word("state", MessageState::parse)?,
        state_why: row.maybe_text("state_why")?,
        approve: row.word("approve", Approve::parse)?,
        last_word: row.flag("last_word")?,
        content_hash: row.text("content_hash")?,
        form: row.count("form")?,
        attempt: row.count("attempt")?,
        not_before: row.at("not_before_at")?,
        not_after: row.at("not_after_at")?,
        accepted_at: row.maybe_at("accepted_at")?,
        delivered_at: row.maybe_at("delivered_at")?,
        read_at: row.maybe_at("read_at")?,
        failed_at: row.maybe_at("failed_at")?,
        version: row.int("version")?,
        created_at: row.at("created_at")?,
    })
}

/// One form in which a message may leave.
#[derive(Clone)]
pub struct Form {
    pub line: LineId,
    pub address: AddressId,
    pub to_kind: AddressKind,
    pub to: String,
    pub to_state: AddressState,
    pub body: FormBody,
    /// SMS parts; 1 elsewhere.
    pub units: u32,
}

/// A message about to be written, with all its forms.
pub struct New {
    pub id: MessageId,
    pub candidate: CandidateId,
    pub said: Option<u32>,
    pub author: Option<CoachId>,
    pub purpose: Purpose,
    pub subject: Subject,
    pub why: String,
    pub state: MessageState,
    pub state_why: Option<String>,
    pub approve: Approve,
    pub last_word: bool,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub forms: Vec<Form>,
}

/// The hash that an approval is bound to: it covers the ordered forms, each with line, address, kind
/// and text, as they will leave.
pub fn content_hash(tx: &Tx, forms: &[Form]) -> String {
    let covered: Vec<_> = forms
        .iter()
        .map(|form| (form.line, form.address, form.to.as_str(), &form.body))
        .collect();
    let text =
        serde_json::to_string(&covered).unwrap_or_else(|_| unreachable!("our own types serialise"));
    tx.hash("content", &text)
}

/// Writes the message. If this turn was already played, what comes next in this transaction is a
/// `Conflict` on `(candidate, said)`.
pub fn add(tx: &mut Tx, sealer: &Sealer, new: &New, now: Timestamp) -> String {
    let hash = content_hash(tx, &new.forms);
    tx.later(
        &INSERT,
        bind![
            new.id,
            new.candidate,
            new.said.map(i64::from),
            new.author,
            new.purpose.as_str(),
            new.subject,
            new.why.as_str(),
            new.state.as_str(),
            new.state_why.as_deref(),
            new.approve.as_str(),
            new.last_word,
            hash.as_str(),
            0i64,
            0i64,
            new.not_before,
            new.not_after,
            0i64,
            now
        ],
    );
    put_forms(tx, sealer, new.id, &new.forms);
    tx.changed(new.candidate);
    if new.state == MessageState::Approved {
        tx.wake(Queue::Sender);
    }
    hash
}

fn put_forms(tx: &mut Tx, sealer: &Sealer, id: MessageId, forms: &[Form]) {
    for (position, form) in forms.iter().enumerate() {
        let place = format!("{id}/{position}");
        let sealed = sealer.seal_json("forms", "body_sealed", &place, &form.body);
        tx.later(
            &FORM_ADD,
            bind![
                id,
                position,
                form.line,
                form.address,
                form.body.kind(),
                sealed,
                form.units
            ],
        );
    }
}

/// Replaces the forms of a waiting message: another text is another hash.
pub async fn edit(
    tx: &mut Tx,
    sealer: &Sealer,
    message: &Outgoing,
    forms: &[Form],
) -> Result<String, StoreError> {
    let hash = content_hash(tx, forms);
    tx.save(&EDITED, bind![message.id, message.version, hash.as_str()])
        .await?;
    tx.run(&FORMS_DROP, bind![message.id]).await?;
    put_forms(tx, sealer, message.id, forms);
    Ok(hash)
}

pub async fn message(tx: &mut Tx, id: MessageId) -> Result<Option<Outgoing>, StoreError> {
    let rows = tx.rows_of(&BY_ID, id.to_string(), bind![id]).await?;
    rows.first().map(outgoing_of).transpose()
}

/// Fetches ahead what `message` says of these; the people to whom they go.
pub async fn messages_ahead(
    tx: &mut Tx,
    messages: &[MessageId],
) -> Result<BTreeSet<CandidateId>, StoreError> {
    let keys = messages.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&BY_IDS, &BY_ID, "id", keys, Serves::Looks)
        .await?;
    let mut people = BTreeSet::new();
    for id in messages {
        for row in tx.ahead(&BY_ID, &id.to_string()).iter() {
            people.insert(row.parsed("candidate_id")?);
        }
    }
    Ok(people)
}

pub async fn by_said(
    tx: &mut Tx,
    candidate: CandidateId,
    said: u32,
) -> Result<Option<Outgoing>, StoreError> {
    let rows = tx
        .rows_of(
            &BY_SAID,
            format!("{candidate}/{said}"),
            bind![candidate, said],
        )
        .await?;
    rows.first().map(outgoing_of).transpose()
}

/// Fetches ahead what `by_said` gives for these.
pub async fn said_ahead(tx: &mut Tx, asked: &[(CandidateId, u32)]) -> Result<(), StoreError> {
    let keys = asked
        .iter()
        .map(|(id, said)| (format!("{id}/{said}"), bind![id, i64::from(*said)]))
        .collect();
    tx.fetch_ahead(&BY_SAID_MANY, &BY_SAID, "wanted", keys, Serves::OneTurn)
        .await
}

/// Everything to this person that has not left.
pub async fn unsent(tx: &mut Tx, candidate: CandidateId) -> Result<Vec<Outgoing>, StoreError> {
    tx.all(&UNSENT, bind![candidate])
        .await?
        .iter()
        .map(outgoing_of)
        .collect()
}

/// When the next message may be tried.
pub async fn next_ready(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx
        .maybe(&NEXT_READY, bind![])
        .await?
        .map(|row| row.maybe_at("at"))
        .transpose()?
        .flatten())
}

/// Is any message between the promise and its outcome?
pub async fn any_sending(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx.maybe(&ANY_SENDING, bind![]).await?.is_some())
}

pub async fn forms(tx: &mut Tx, sealer: &Sealer, id: MessageId) -> Result<Vec<Form>, StoreError> {
    tx.all(&FORMS, bind![id])
        .await?
        .iter()
        .map(|row| form_of(row, sealer, id))
        .collect()
}

pub(super) fn form_of(row: &Row, sealer: &Sealer, id: MessageId) -> Result<Form, StoreError> {
    let position = row.int("position")?;
    let address: AddressId = row.parsed("address_id")?;
    Ok(Form {
        line: row.parsed("line_id")?,
        address,
        to_kind: row.word("kind", AddressKind::parse)?,
        to: sealer.open_text(
            "addresses",
            "value_sealed",
            &address.to_string(),
            &row.blob("value_sealed")?,
        )?,
        to_state: row.word("address_state", AddressState::parse)?,
        body: sealer.open_json(
            "forms",
            "body_sealed",
            &format!("{id}/{position}"),
            &row.blob("body_sealed")?,
        )?,
        units: row.count("units")?,
    })
}

/// Moves a message to another state. `Stale` if it is no longer as it was read.
pub async fn change(
    tx: &mut Tx,
    message: &Outgoing,
    to: MessageState,
    why: Option<&str>,
    not_before: Timestamp,
) -> Result<(), StoreError> {
    if !message.state.may_become(to) {
        return Err(StoreError::Stale(CHANGE.name));
    }
    tx.changed(message.candidate);
    if matches!(to, MessageState::Approved | MessageState::Retry) {
        tx.wake(Queue::Sender);
    }
    tx.save(
        &CHANGE,
        bind![
            message.id,
            message.version,
            message.state.as_str(),
            to.as_str(),
            why,
            not_before
        ],
    )
    .await
}

/// Takes back a message that has not left. If it changed meanwhile, the next statement or the commit is `Stale`.
pub fn cancel(tx: &mut Tx, message: &Outgoing, why: &str) {
    tx.changed(message.candidate);
    tx.save_later(
        &CANCEL,
        bind![message.id, message.version, message.state.as_str(), why],
    );
}

/// Another moment for a message that stays in its state.
pub async fn put_off(
    tx: &mut Tx,
    message: &Outgoing,
    not_before: Timestamp,
    why: Option<&str>,
) -> Result<(), StoreError> {
    tx.save(
        &CHANGE,
        bind![
            message.id,
            message.version,
            message.state.as_str(),
            message.state.as_str(),
            why,
            not_before
        ],
    )
    .await
}

/// Doubt about this person is over: what it held back may be looked at again now.
pub async fn after_doubt(
    tx: &mut Tx,
    candidate: CandidateId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&AFTER_DOUBT, bind![candidate, now]).await?;
    tx.wake(Queue::Sender);
    Ok(())
}

/// What a coach decided about a message.
pub struct Approval<'a> {
    pub id: RowId,
    pub message: MessageId,
    pub coach: CoachId,
    /// approve, edit, hold, withdraw, resend, not_sent
    pub verb: &'a str,
    pub content_hash: &'a str,
    /// The act, if several messages were decided about at once.
    pub act: Option<ActId>,
}

pub async fn add_approval(
    tx: &mut Tx,
    approval: &Approval<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        &APPROVAL_ADD,
        bind![
            approval.id,
            approval.message,
            approval.coach,
            approval.verb,
            approval.content_hash,
            now,
            approval.act
        ],
    )
    .await
    .map(drop)
}

/// The newest message of the talk that left, or may have left, looking no further than number `said`:
/// a reply to a command passes the question that waits for a coach.
pub async fn left_up_to(tx: &mut Tx, candidate: CandidateId, said: u32) -> Result<u32, StoreError> {
    let values = bind![candidate, i64::from(said)];
    let said = tx
        .rows_of(&LEFT_UP_TO, format!("{candidate}/{said}"), values)
        .await?
        .first()
        .map(|row| row.maybe_int("said"))
        .transpose()?;
    Ok(said
        .flatten()
        .and_then(|said| u32::try_from(said).ok())
        .unwrap_or(0))
}

/// Fetches `left_up_to` ahead for these people and numbers.
pub async fn left_ahead(tx: &mut Tx, asked: &[(CandidateId, u32)]) -> Result<(), StoreError> {
    let keys = asked
        .iter()
        .map(|(id, said)| (format!("{id}/{said}"), bind![id, i64::from(*said)]))
        .collect();
    tx.fetch_ahead(&LEFT_MANY, &LEFT_UP_TO, "wanted", keys, Serves::OneTurn)
        .await
}

pub async fn has_doubt(tx: &mut Tx, candidate: CandidateId) -> Result<bool, StoreError> {
    let rows = tx
        .rows_of(&DOUBT, candidate.to_string(), bind![candidate])
        .await?;
    Ok(!rows.is_empty())
}

/// Fetches ahead what `has_doubt` says of these people.
pub async fn doubts_ahead(tx: &mut Tx, candidates: &[CandidateId]) -> Result<(), StoreError> {
    let keys = candidates.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&DOUBT_MANY, &DOUBT, "candidate_id", keys, Serves::Looks)
        .await
}

/// Did a message about this leave the house, or perhaps leave it?
pub async fn has_left(
    tx: &mut Tx,
    candidate: CandidateId,
    subject: Subject,
) -> Result<bool, StoreError> {
    let values = bind![candidate, subject];
    Ok(tx.maybe(&HAS_LEFT, values).await?.is_some())
}

pub async fn is_sending(tx: &mut Tx, candidate: CandidateId) -> Result<bool, StoreError> {
    Ok(tx.maybe(&SENDING, bind![candidate]).await?.is_some())
}

/// Unsent messages whose time is over.
pub async fn overdue(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
    tx.all(&EXPIRED, bind![now, limit])
        .await?
        .iter()
        .map(outgoing_of)
        .collect()
}

/// Held messages whose hold is over.
pub async fn held_until_now(
    tx: &mut Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Outgoing>, StoreError> {
    tx.all(&HELD_DUE, bind![now, limit])
        .await?
        .iter()
        .map(outgoing_of)
        .collect()
}
