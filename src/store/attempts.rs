//! Attempts to send, their outcomes, and the delivery reports about them. The attempt number is a fence:
//! an outcome of an attempt that no longer owns its message changes nothing.

use std::collections::BTreeSet;

use super::Queue;
use super::Serves;
use super::error::StoreError;
use super::outbox::Outgoing;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId, LineId, MessageId, ReceiptId};
use crate::domain::message::MessageState;
use crate::domain::plan::Subject;
use crate::domain::time::Timestamp;
use crate::ports::channel::ReceiptKind;

statements! {
    TO_SENDING = "UPDATE outgoing SET state = 'sending', state_why = NULL, form = $3, attempt = $4, lease_until_at = $5, version = version + 1 WHERE id = $1 AND version = $2 AND state IN ('approved', 'retry')";
    ATTEMPT_ADD = "INSERT INTO attempts (message_id, attempt, position, token_hash, started_at) VALUES ($1, $2, $3, $4, $5)";
    ATTEMPT_END = "UPDATE attempts SET ended_at = $3, outcome = $4, code = $5, provider_hash = $6, provider_sealed = $7 WHERE message_id = $1 AND attempt = $2";
    ATTEMPT_BY_TOKEN = "SELECT message_id, attempt FROM attempts WHERE token_hash = $1";
    BY_TOKENS = { batch: "WITH want (token) AS (", columns: [Text], tail: ") SELECT t.token_hash, t.message_id, t.attempt FROM want w CROSS JOIN attempts t WHERE t.token_hash = w.token" };
    BY_PROVIDERS = { batch: "WITH want (provider) AS (", columns: [Text], tail: ") SELECT t.provider_hash, t.message_id, t.attempt FROM want w CROSS JOIN attempts t WHERE t.provider_hash = w.provider" };
    ATTEMPT_BY_PROVIDER = "SELECT message_id, attempt FROM attempts WHERE provider_hash = $1";
    ATTEMPT_ID = { batch: "WITH told (message_id, attempt, provider_hash, provider_sealed) AS (", columns: [Text, Int, Text, Blob], tail: ") UPDATE attempts SET provider_hash = told.provider_hash, provider_sealed = told.provider_sealed FROM told WHERE attempts.message_id = told.message_id AND attempts.attempt = told.attempt AND attempts.provider_hash IS NULL" };
    ANSWERED_BY = "SELECT o.said FROM attempts t JOIN outgoing o ON o.id = t.message_id WHERE t.provider_hash = $1 AND o.candidate_id = $2";
    OUTCOME = "UPDATE outgoing SET state = $3, state_why = $4, not_before_at = $5, lease_until_at = NULL, form = $6, accepted_at = $7, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'sending'";
    LEASES = {
        sqlite: "SELECT o.id, o.candidate_id, o.subject, o.attempt, o.form, c.coach_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state = 'sending' AND o.lease_until_at < $1 ORDER BY o.lease_until_at LIMIT $2",
        postgres: "SELECT o.id, o.candidate_id, o.subject, o.attempt, o.form, c.coach_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state = 'sending' AND o.lease_until_at < $1 ORDER BY o.lease_until_at LIMIT $2 FOR UPDATE OF o SKIP LOCKED",
    };
    PROVEN = "UPDATE outgoing SET state = 'accepted', state_why = NULL, lease_until_at = NULL, accepted_at = COALESCE(accepted_at, $3), version = version + 1 WHERE id = $1 AND attempt = $2 AND state IN ('in_doubt', 'sending')";
    SEEN_FACTS = { batch: "WITH told (id, delivered_at, read_at, failed_at) AS (", columns: [Text, Int, Int, Int], tail: "), facts (id, delivered_at, read_at, failed_at) AS (SELECT id, MIN(delivered_at), MIN(read_at), MIN(failed_at) FROM told GROUP BY id) UPDATE outgoing SET delivered_at = COALESCE(outgoing.delivered_at, facts.delivered_at), read_at = COALESCE(outgoing.read_at, facts.read_at), failed_at = COALESCE(outgoing.failed_at, facts.failed_at) FROM facts WHERE outgoing.id = facts.id" };
    NEXT_FORM = "UPDATE outgoing SET state = 'retry', state_why = $3, form = $4, not_before_at = $5, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'accepted'";
    FAILED_FOR_GOOD = "UPDATE outgoing SET state = 'rejected', state_why = $3, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'accepted'";
    RECEIPT_ADD = { batch: "INSERT INTO receipts (id, line_id, token_hash, provider_hash, kind, code, at, message_id, created_at)", columns: [Text, Text, Text, Text, Text, Text, Int, Text, Int], tail: "ON CONFLICT (provider_hash, kind) DO NOTHING RETURNING id" };
    ORPHANS = "SELECT id, kind, code, at, provider_hash, token_hash FROM receipts WHERE message_id IS NULL AND (provider_hash = $1 OR token_hash = $2) ORDER BY at, id";
    ADOPT = "UPDATE receipts SET message_id = $2 WHERE id = $1 AND message_id IS NULL";
}

/// The promise before the first byte: *sending*, with the attempt as its fence. `Conflict` if another
/// message to this person is in flight.
pub async fn to_sending(
    tx: &mut Tx,
    message: &Outgoing,
    position: u32,
    token: &str,
    lease_until: Timestamp,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let attempt = message.attempt + 1;
    tx.save(
        &TO_SENDING,
        bind![message.id, message.version, position, attempt, lease_until],
    )
    .await?;
    let token = tx.hash("token", token);
    tx.run(
        &ATTEMPT_ADD,
        bind![message.id, attempt, position, token, now],
    )
    .await?;
    tx.changed(message.candidate);
    Ok(attempt)
}

/// What an attempt came to.
pub struct Ended<'a> {
    pub message: MessageId,
    pub candidate: CandidateId,
    pub attempt: u32,
    pub state: MessageState,
    pub why: Option<&'a str>,
    pub code: Option<&'a str>,
    pub provider_id: Option<&'a str>,
    pub not_before: Timestamp,
    /// The form to try next, or the one that went.
    pub form: u32,
}

/// Writes an outcome; false if the fence says that this attempt no longer owns the message.
pub async fn ended(
    tx: &mut Tx,
    sealer: &Sealer,
    ended: &Ended<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let accepted = (ended.state == MessageState::Accepted).then_some(now);
    let touched = tx
        .run(
            &OUTCOME,
            bind![
                ended.message,
                ended.attempt,
                ended.state.as_str(),
                ended.why,
                ended.not_before,
                ended.form,
                accepted
            ],
        )
        .await?;
    let outcome = outcome_of(ended.state);
    let (hash, sealed) = provider(tx, sealer, ended.message, ended.attempt, ended.provider_id);
    tx.run(
        &ATTEMPT_END,
        bind![
            ended.message,
            ended.attempt,
            now,
            outcome,
            ended.code,
            hash,
            sealed
        ],
    )
    .await?;
    tx.changed(ended.candidate);
    if ended.state == MessageState::Retry {
        tx.wake(Queue::Sender);
    }
    Ok(touched == 1)
}

/// The name in `attempts.outcome` of an attempt after which its message is in this state.
pub(super) const fn outcome_of(state: MessageState) -> &'static str {
    match state {
        MessageState::Accepted => "accepted",
        MessageState::Retry => "retry",
        MessageState::InDoubt => "in_doubt",
        _ => "rejected",
    }
}

/// The provider's id as it is kept: a hash to find it by, and sealed.
pub(super) fn provider(
    tx: &Tx,
    sealer: &Sealer,
    message: MessageId,
    attempt: u32,
    id: Option<&str>,
) -> (Option<String>, Option<Vec<u8>>) {
    match id {
        Some(id) => (
            Some(tx.hash("provider", id)),
            Some(sealer.seal(
                "attempts",
                "provider_sealed",
                &format!("{message}/{attempt}"),
                id.as_bytes(),
            )),
        ),
        None => (None, None),
    }
}

/// A lease that ran out while *sending*: nobody knows whether it left.
pub struct Lost {
    pub message: MessageId,
    pub candidate: CandidateId,
    pub coach: Option<CoachId>,
    pub subject: Subject,
    attempt: u32,
    form: u32,
}

pub async fn lost_leases(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Lost>, StoreError> {
    tx.all(&LEASES, bind![now, limit])
        .await?
        .iter()
        .map(|row| {
            Ok(Lost {
                message: row.parsed("id")?,
                candidate: row.parsed("candidate_id")?,
                coach: row.maybe_parsed("coach_id")?,
                subject: row.word("subject", Subject::parse)?,
                attempt: row.count("attempt")?,
                form: row.count("form")?,
            })
        })
        .collect()
}

/// Nobody knows what became of it: *in doubt*. Nothing is opened for that. False if the attempt no longer
/// owned its message.
pub async fn lost(tx: &mut Tx, lost: &Lost, now: Timestamp) -> Result<bool, StoreError> {
    let state = MessageState::InDoubt;
    let (why, none) = ("crash", None::<i64>);
    let (message, attempt) = (lost.message, lost.attempt);
    let values = bind![message, attempt, state.as_str(), why, now, lost.form, none];
    let touched = tx.run(&OUTCOME, values).await?;
    let (hash, sealed) = (None::<String>, None::<Vec<u8>>);
    let values = bind![message, attempt, now, outcome_of(state), why, hash, sealed];
    tx.run(&ATTEMPT_END, values).await?;
    tx.changed(lost.candidate);
    Ok(touched == 1)
}

/// The attempt that a receipt speaks of: by our token, else by the provider's id.
pub async fn attempt_of(
    tx: &mut Tx,
    token: Option<&str>,
    provider_id: &str,
) -> Result<Option<(MessageId, u32)>, StoreError> {
    let pair = |row: &Row| Ok::<_, StoreError>((row.parsed("message_id")?, row.count("attempt")?));
    if let Some(token) = token {
        let hash = tx.hash("token", token);
        let rows = tx
            .rows_of(&ATTEMPT_BY_TOKEN, hash.clone(), bind![hash])
            .await?;
        if let Some(row) = rows.first() {
            return pair(row).map(Some);
        }
    }
    let hash = tx.hash("provider", provider_id);
    let rows = tx
        .rows_of(&ATTEMPT_BY_PROVIDER, hash.clone(), bind![hash])
        .await?;
    rows.first().map(pair).transpose()
}

/// Fetches ahead what `attempt_of` says of these tokens and provider's ids.
pub async fn attempts_ahead(
    tx: &mut Tx,
    receipts: &[(Option<&str>, &str)],
) -> Result<(), StoreError> {
    let key = |hash: String| (hash.clone(), bind![hash]);
    let tokens = receipts.iter().filter_map(|(token, _)| *token);
    let tokens = tokens.map(|token| key(tx.hash("token", token))).collect();
    tx.fetch_ahead(
        &BY_TOKENS,
        &ATTEMPT_BY_TOKEN,
        "token_hash",
        tokens,
        Serves::Looks,
    )
    .await?;
    let ids = receipts.iter().map(|(_, id)| key(tx.hash("provider", id)));
    let ids = ids.collect();
    tx.fetch_ahead(
        &BY_PROVIDERS,
        &ATTEMPT_BY_PROVIDER,
        "provider_hash",
        ids,
        Serves::Looks,
    )
    .await
}

/// The talk's number of our message that carries this provider id.
pub async fn said_of(
    tx: &mut Tx,
    candidate: CandidateId,
    provider_id: &str,
) -> Result<Option<u32>, StoreError> {
    let hash = tx.hash("provider", provider_id);
    match tx.maybe(&ANSWERED_BY, bind![hash, candidate]).await? {
        Some(row) => Ok(row
            .maybe_int("said")?
            .and_then(|said| u32::try_from(said).ok())),
        None => Ok(None),
    }
}

/// The provider's own id of this attempt, unless its answer told it already.
pub fn named(tx: &mut Tx, sealer: &Sealer, message: MessageId, attempt: u32, provider_id: &str) {
    let (hash, sealed) = provider(tx, sealer, message, attempt, Some(provider_id));
    tx.later(&ATTEMPT_ID, bind![message, attempt, hash, sealed]);
}

/// A receipt proves that the provider took this attempt; true if that settled a doubt or overtook the
/// answer.
pub async fn proven(
    tx: &mut Tx,
    message: MessageId,
    attempt: u32,
    at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.run(&PROVEN, bind![message, attempt, at]).await? == 1)
}

/// Facts beside the state: the first moment of each is kept, none is ever taken back.
pub fn fact(tx: &mut Tx, message: MessageId, kind: ReceiptKind, at: Timestamp) {
    let at = Some(at);
    let (delivered, read, failed) = match kind {
        ReceiptKind::Sent => return,
        ReceiptKind::Delivered => (at, None, None),
        ReceiptKind::Read => (at, at, None),
        ReceiptKind::Failed => (None, None, at),
    };
    tx.later(&SEEN_FACTS, bind![message, delivered, read, failed]);
}

/// Accepted, then proven undeliverable: the next form, once; false if the message moved on.
pub async fn next_form(
    tx: &mut Tx,
    message: MessageId,
    attempt: u32,
    why: &str,
    form: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.wake(Queue::Sender);
    Ok(tx
        .run(&NEXT_FORM, bind![message, attempt, why, form, now])
        .await?
        == 1)
}

/// Accepted, then proven undeliverable, and no form is left.
pub async fn failed_for_good(
    tx: &mut Tx,
    message: MessageId,
    attempt: u32,
    why: &str,
) -> Result<bool, StoreError> {
    Ok(tx
        .run(&FAILED_FOR_GOOD, bind![message, attempt, why])
        .await?
        == 1)
}

/// A delivery report, kept once a kind. Without a message it waits for its send's answer.
pub struct NewReceipt<'a> {
    pub id: ReceiptId,
    pub line: LineId,
    pub token: Option<&'a str>,
    pub provider_id: &'a str,
    pub kind: ReceiptKind,
    pub code: Option<&'a str>,
    pub at: Timestamp,
    pub message: Option<MessageId>,
}

/// Keeps these reports; the ids of those that were not there yet.
pub async fn add_receipts(
    tx: &mut Tx,
    new: &[NewReceipt<'_>],
    now: Timestamp,
) -> Result<BTreeSet<ReceiptId>, StoreError> {
    let rows = new.iter().map(|new| {
        let token = new.token.map(|token| tx.hash("token", token));
        let provider = tx.hash("provider", new.provider_id);
        bind![
            new.id,
            new.line,
            token,
            provider,
            new.kind.as_str(),
            new.code,
            new.at,
            new.message,
            now
        ]
    });
    let rows = rows.collect();
    let added = tx.many(&RECEIPT_ADD, rows).await?;
    added.iter().map(|row| row.parsed("id")).collect()
}

/// A receipt that came before its send's answer.
pub struct Orphan {
    pub id: ReceiptId,
    pub kind: ReceiptKind,
    pub code: Option<String>,
    pub at: Timestamp,
}

pub async fn orphans(
    tx: &mut Tx,
    provider_id: &str,
    token: &str,
) -> Result<Vec<Orphan>, StoreError> {
    let provider = tx.hash("provider", provider_id);
    let token = tx.hash("token", token);
    tx.all(&ORPHANS, bind![provider, token])
        .await?
        .iter()
        .map(|row| {
            Ok(Orphan {
                id: row.parsed("id")?,
                kind: row.word("kind", ReceiptKind::parse)?,
                code: row.maybe_text("code")?,
                at: row.at("at")?,
            })
        })
        .collect()
}

pub async fn adopt(tx: &mut Tx, receipt: ReceiptId, message: MessageId) -> Result<(), StoreError> {
    tx.run(&ADOPT, bind![receipt, message]).await.map(drop)
}
