//! Attempts to send, their outcomes, and the delivery reports about them. The attempt number is a fence:
//! an outcome of an attempt that no longer owns its message changes nothing.

use super::Queue;
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
    ATTEMPT_BY_PROVIDER = "SELECT message_id, attempt FROM attempts WHERE provider_hash = $1";
    ATTEMPT_ID = "UPDATE attempts SET provider_hash = $3, provider_sealed = $4 WHERE message_id = $1 AND attempt = $2 AND provider_hash IS NULL";
    ANSWERED_BY = "SELECT o.said FROM attempts t JOIN outgoing o ON o.id = t.message_id WHERE t.provider_hash = $1 AND o.candidate_id = $2";
    OUTCOME = "UPDATE outgoing SET state = $3, state_why = $4, not_before_at = $5, lease_until_at = NULL, form = $6, accepted_at = $7, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'sending'";
    LEASES = {
        sqlite: "SELECT o.id, o.candidate_id, o.subject, o.attempt, o.form, c.coach_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state = 'sending' AND o.lease_until_at < $1 ORDER BY o.lease_until_at LIMIT $2",
        postgres: "SELECT o.id, o.candidate_id, o.subject, o.attempt, o.form, c.coach_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state = 'sending' AND o.lease_until_at < $1 ORDER BY o.lease_until_at LIMIT $2 FOR UPDATE OF o SKIP LOCKED",
    };
    PROVEN = "UPDATE outgoing SET state = 'accepted', state_why = NULL, lease_until_at = NULL, accepted_at = COALESCE(accepted_at, $3), version = version + 1 WHERE id = $1 AND attempt = $2 AND state IN ('in_doubt', 'sending')";
    SEEN_FACTS = "UPDATE outgoing SET delivered_at = COALESCE(delivered_at, $2), read_at = COALESCE(read_at, $3), failed_at = COALESCE(failed_at, $4) WHERE id = $1";
    NEXT_FORM = "UPDATE outgoing SET state = 'retry', state_why = $3, form = $4, not_before_at = $5, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'accepted'";
    FAILED_FOR_GOOD = "UPDATE outgoing SET state = 'rejected', state_why = $3, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'accepted'";
    RECEIPT_ADD = "INSERT INTO receipts (id, line_id, token_hash, provider_hash, kind, code, at, message_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (provider_hash, kind) DO NOTHING";
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
        if let Some(row) = tx.maybe(&ATTEMPT_BY_TOKEN, bind![hash]).await? {
            return pair(&row).map(Some);
        }
    }
    let hash = tx.hash("provider", provider_id);
    tx.maybe(&ATTEMPT_BY_PROVIDER, bind![hash])
        .await?
        .as_ref()
        .map(pair)
        .transpose()
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

/// A receipt proves that the provider took this attempt; true if that settled a doubt or overtook the
/// answer.
pub async fn proven(
    tx: &mut Tx,
    sealer: &Sealer,
    message: MessageId,
    attempt: u32,
    provider_id: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let (hash, sealed) = provider(tx, sealer, message, attempt, Some(provider_id));
    tx.run(&ATTEMPT_ID, bind![message, attempt, hash, sealed])
        .await?;
    Ok(tx.run(&PROVEN, bind![message, attempt, at]).await? == 1)
}

/// Facts beside the state: the first moment of each is kept, none is ever taken back.
pub async fn fact(
    tx: &mut Tx,
    message: MessageId,
    kind: ReceiptKind,
    at: Timestamp,
) -> Result<(), StoreError> {
    let at = Some(at);
    let (delivered, read, failed) = match kind {
        ReceiptKind::Sent => return Ok(()),
        ReceiptKind::Delivered => (at, None, None),
        ReceiptKind::Read => (at, at, None),
        ReceiptKind::Failed => (None, None, at),
    };
    tx.save(&SEEN_FACTS, bind![message, delivered, read, failed])
        .await
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

pub async fn add_receipt(
    tx: &mut Tx,
    new: &NewReceipt<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let token = new.token.map(|token| tx.hash("token", token));
    let provider = tx.hash("provider", new.provider_id);
    let added = tx
        .run(
            &RECEIPT_ADD,
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
            ],
        )
        .await?;
    Ok(added == 1)
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
