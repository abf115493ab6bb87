//! What one round of the sender loads and saves, in sets: what must be known of everybody in the round,
//! the promises before the first byte, and the outcomes. One statement for all rows of a kind; what is
//! done to one message alone stands in `outbox` and `attempts`.

use std::collections::{BTreeMap, BTreeSet};

use super::Queue;
use super::attempts::{self, Ended};
use super::contacts::{self, Person};
use super::error::StoreError;
use super::outbox::{self, Form, Outgoing};
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::contact::{Candidate, CandidateState, DigitalSkill, Track};
use crate::domain::ids::{CandidateId, KeyId, MessageId};
use crate::domain::message::MessageState;
use crate::domain::nudge;
use crate::domain::time::Timestamp;

statements! {
    READY = {
        sqlite: "SELECT o.id, o.candidate_id, o.said, o.author_id, o.purpose, o.subject, o.why, o.state, o.state_why, o.approve, o.last_word, o.content_hash, o.form, o.attempt, o.not_before_at, o.not_after_at, o.accepted_at, o.delivered_at, o.read_at, o.failed_at, o.version, o.created_at, c.organisation_id, c.team_id, c.coach_id, c.key_id, c.name_sealed, c.language, c.digital_skill, c.track, c.automated_in_row, c.unanswered_since_at, c.paused_until_on, c.by_hand, c.state AS person_state, c.version AS person_version, (SELECT n.id FROM nudges n WHERE n.message_id = o.id LIMIT 1) AS nudge, (SELECT d.id FROM outgoing d WHERE d.candidate_id = c.id AND d.state = 'in_doubt' AND COALESCE(d.state_why, '') <> 'left_alone' LIMIT 1) AS doubt, (SELECT MAX((SELECT MAX(t.started_at) FROM attempts t WHERE t.message_id = e.id)) FROM outgoing e WHERE e.candidate_id = c.id) AS last_started_at, (SELECT CASE WHEN n.given THEN n.id END FROM consents n WHERE n.candidate_id = c.id AND n.purpose = o.purpose ORDER BY n.at DESC, n.id DESC LIMIT 1) AS consent, (SELECT a.id FROM addresses a WHERE a.candidate_id = c.id AND a.state IN ('proven', 'believed') LIMIT 1) AS usable FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state IN ('approved', 'retry') AND o.not_before_at <= $1 AND (SELECT s.id FROM outgoing s WHERE s.candidate_id = o.candidate_id AND s.state = 'sending' LIMIT 1) IS NULL ORDER BY o.not_before_at, o.id LIMIT $2",
        postgres: "SELECT o.id, o.candidate_id, o.said, o.author_id, o.purpose, o.subject, o.why, o.state, o.state_why, o.approve, o.last_word, o.content_hash, o.form, o.attempt, o.not_before_at, o.not_after_at, o.accepted_at, o.delivered_at, o.read_at, o.failed_at, o.version, o.created_at, c.organisation_id, c.team_id, c.coach_id, c.key_id, c.name_sealed, c.language, c.digital_skill, c.track, c.automated_in_row, c.unanswered_since_at, c.paused_until_on, c.by_hand, c.state AS person_state, c.version AS person_version, (SELECT n.id FROM nudges n WHERE n.message_id = o.id LIMIT 1) AS nudge, (SELECT d.id FROM outgoing d WHERE d.candidate_id = c.id AND d.state = 'in_doubt' AND COALESCE(d.state_why, '') <> 'left_alone' LIMIT 1) AS doubt, (SELECT MAX((SELECT MAX(t.started_at) FROM attempts t WHERE t.message_id = e.id)) FROM outgoing e WHERE e.candidate_id = c.id) AS last_started_at, (SELECT CASE WHEN n.given THEN n.id END FROM consents n WHERE n.candidate_id = c.id AND n.purpose = o.purpose ORDER BY n.at DESC, n.id DESC LIMIT 1) AS consent, (SELECT a.id FROM addresses a WHERE a.candidate_id = c.id AND a.state IN ('proven', 'believed') LIMIT 1) AS usable FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state IN ('approved', 'retry') AND o.not_before_at <= $1 AND (SELECT s.id FROM outgoing s WHERE s.candidate_id = o.candidate_id AND s.state = 'sending' LIMIT 1) IS NULL ORDER BY o.not_before_at, o.id LIMIT $2 FOR UPDATE OF o SKIP LOCKED",
    };
    OLDEST = {
        sqlite: "SELECT o.id, o.candidate_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state IN ('approved', 'retry') AND o.not_before_at <= $1 AND (SELECT s.id FROM outgoing s WHERE s.candidate_id = o.candidate_id AND s.state = 'sending' LIMIT 1) IS NULL ORDER BY o.not_before_at, o.id LIMIT 1",
        postgres: "SELECT o.id, o.candidate_id FROM outgoing o CROSS JOIN candidates c WHERE c.id = o.candidate_id AND o.state IN ('approved', 'retry') AND o.not_before_at <= $1 AND (SELECT s.id FROM outgoing s WHERE s.candidate_id = o.candidate_id AND s.state = 'sending' LIMIT 1) IS NULL ORDER BY o.not_before_at, o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED",
    };
    LOOK_LATER = "UPDATE outgoing SET not_before_at = $2, version = version + 1 WHERE id = $1 AND state IN ('approved', 'retry')";
    FORMS = { batch: "WITH v (message) AS (", columns: [Text], tail: ") SELECT f.message_id, f.position, f.line_id, f.address_id, f.body_sealed, f.units, a.kind, a.value_sealed, a.state AS address_state, w.heard_at, l.paused_why FROM v CROSS JOIN forms f CROSS JOIN addresses a CROSS JOIN lines l LEFT JOIN windows w ON w.line_id = f.line_id AND w.address_id = f.address_id WHERE f.message_id = v.message AND a.id = f.address_id AND l.id = f.line_id ORDER BY f.message_id, f.position" };
    PUT_OFF = { batch: "WITH v (message, was, moment, reason) AS (", columns: [Text, Int, Int, Text], tail: ") UPDATE outgoing SET not_before_at = v.moment, state_why = v.reason, version = version + 1 FROM v WHERE id = v.message AND version = v.was AND state IN ('approved', 'retry')" };
    TO_SENDING = { batch: "WITH v (message, was, place, number, lease) AS (", columns: [Text, Int, Int, Int, Int], tail: ") UPDATE outgoing SET state = 'sending', state_why = NULL, form = v.place, attempt = v.number, lease_until_at = v.lease, version = version + 1 FROM v WHERE id = v.message AND version = v.was AND state IN ('approved', 'retry') RETURNING id" };
    ATTEMPTS_ADD = { batch: "INSERT INTO attempts (message_id, attempt, position, token_hash, started_at)", columns: [Text, Int, Int, Text, Int], tail: "" };
    OUTCOMES = { batch: "WITH v (message, number, became, reason, moment, place, taken) AS (", columns: [Text, Int, Text, Text, Int, Int, Int], tail: ") UPDATE outgoing SET state = v.became, state_why = v.reason, not_before_at = v.moment, lease_until_at = NULL, form = v.place, accepted_at = v.taken, version = version + 1 FROM v WHERE id = v.message AND attempt = v.number AND state = 'sending' RETURNING id" };
    ATTEMPTS_END = { batch: "WITH v (message, number, moment, came_to, why, hash, sealed) AS (", columns: [Text, Int, Int, Text, Text, Text, Blob], tail: ") UPDATE attempts SET ended_at = v.moment, outcome = v.came_to, code = v.why, provider_hash = v.hash, provider_sealed = v.sealed FROM v WHERE message_id = v.message AND attempt = v.number" };
    ORPHANED = { batch: "WITH v (message, provider, token) AS (", columns: [Text, Text, Text], tail: ") SELECT v.message FROM v CROSS JOIN receipts r WHERE r.message_id IS NULL AND (r.provider_hash = v.provider OR r.token_hash = v.token)" };
    PERSONAL = { batch: "WITH v (candidate) AS (", columns: [Text], tail: ") UPDATE candidates SET automated_in_row = 0 FROM v WHERE id = v.candidate" };
    AUTOMATED = { batch: "WITH v (candidate) AS (", columns: [Text], tail: ") UPDATE candidates SET automated_in_row = automated_in_row + 1 FROM v WHERE id = v.candidate" };
    CLOSE = { batch: "WITH v (message, moment, reason) AS (", columns: [Text, Int, Text], tail: ") UPDATE nudges SET closed_at = v.moment, because = v.reason FROM v WHERE message_id = v.message AND closed_at IS NULL" };
}

/// A message that may be tried now, and what the last look at it must know.
pub struct Ready {
    pub message: Outgoing,
    pub person: Person,
    /// Does the ledger of nudges hold it?
    pub nudge: bool,
    /// A message to this person may or may not have gone.
    pub in_doubt: bool,
    /// When the newest attempt to reach this person began.
    pub last_started: Option<Timestamp>,
    /// Is the newest word of this person on the purpose of the message yes?
    pub consent: bool,
    /// Is there an address to which a machine may send, as `AddressState::usable` has it?
    pub usable: bool,
}

/// What may be tried now, oldest first, in the order of the index. What follows another message that is
/// in flight to the same person waits for that one's outcome.
/// Apart, what is left for people who were erased meanwhile.
pub async fn ready(
    tx: &mut Tx,
    now: Timestamp,
    limit: u32,
) -> Result<(Vec<Ready>, Vec<Outgoing>), StoreError> {
    let rows = tx.all(&READY, bind![now, limit]).await?;
    let (mut all, mut erased) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        let message = outbox::outgoing_of(row)?;
        if row.word("person_state", CandidateState::parse)? == CandidateState::Erased {
            erased.push(message);
            continue;
        }
        all.push(Ready {
            message,
            person: person_of(tx, row).await?,
            nudge: row.maybe_text("nudge")?.is_some(),
            in_doubt: row.maybe_text("doubt")?.is_some(),
            last_started: row.maybe_at("last_started_at")?,
            consent: row.maybe_text("consent")?.is_some(),
            usable: row.maybe_text("usable")?.is_some(),
        });
    }
    Ok((all, erased))
}

/// The message that `ready` with a limit of one gives, and nothing opened.
pub async fn oldest(
    tx: &mut Tx,
    now: Timestamp,
) -> Result<Option<(MessageId, CandidateId)>, StoreError> {
    tx.maybe(&OLDEST, bind![now])
        .await?
        .map(|row| Ok((row.parsed("id")?, row.parsed("candidate_id")?)))
        .transpose()
}

/// Another moment for a message that could not be chosen.
pub async fn look_later(
    tx: &mut Tx,
    message: MessageId,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&LOOK_LATER, bind![message, until]).await.map(drop)
}

async fn person_of(tx: &mut Tx, row: &Row) -> Result<Person, StoreError> {
    let (first_name, family_name) = contacts::name_of(tx, row, "candidate_id").await?;
    Ok(Person {
        candidate: Candidate {
            id: row.parsed("candidate_id")?,
            first_name,
            family_name,
            language: row.text("language")?,
            digital_skill: row.word("digital_skill", DigitalSkill::parse)?,
            track: row.word("track", Track::parse)?,
            coach: row.maybe_parsed("coach_id")?,
            state: row.word("person_state", CandidateState::parse)?,
            automated_in_row: row.count("automated_in_row")?,
            by_hand: row.flag("by_hand")?,
        },
        key: row.parsed("key_id")?,
        organisation: row.parsed("organisation_id")?,
        team: row.parsed("team_id")?,
        unanswered_since: row.maybe_at("unanswered_since_at")?,
        paused_until: row.maybe_parsed("paused_until_on")?,
        version: row.int("person_version")?,
    })
}

/// A form with what decides whether it may leave now.
pub struct Way {
    pub form: Form,
    /// When its address was last heard on its line.
    pub heard: Option<Timestamp>,
    /// Its line waits for an operator.
    pub paused: bool,
}

/// The forms of these messages, each in its order.
pub async fn ways(
    tx: &mut Tx,
    messages: &[(MessageId, KeyId)],
) -> Result<BTreeMap<MessageId, Vec<Way>>, StoreError> {
    let keys: BTreeMap<MessageId, KeyId> = messages.iter().copied().collect();
    let rows = keys.keys().map(|id| bind![*id]).collect();
    let mut all: BTreeMap<MessageId, Vec<Way>> = BTreeMap::new();
    for row in tx.many(&FORMS, rows).await? {
        let id: MessageId = row.parsed("message_id")?;
        if let Some(key) = keys.get(&id) {
            let sealer = tx.sealer(*key).await?;
            all.entry(id).or_default().push(Way {
                form: outbox::form_of(&row, &sealer, id)?,
                heard: row.maybe_at("heard_at")?,
                paused: row.maybe_text("paused_why")?.is_some(),
            });
        }
    }
    Ok(all)
}

/// Another moment for messages that stay in their state. One that changed meanwhile stays as it is.
pub async fn put_off(
    tx: &mut Tx,
    messages: &[(&Outgoing, Timestamp, &str)],
) -> Result<(), StoreError> {
    let rows = messages
        .iter()
        .map(|(message, at, why)| bind![message.id, message.version, *at, *why])
        .collect();
    tx.many(&PUT_OFF, rows).await.map(drop)
}

/// A message about to be promised to the wire.
pub struct Promise<'a> {
    pub message: &'a Outgoing,
    pub attempt: u32,
    pub position: usize,
    pub token: &'a str,
    pub lease_until: Timestamp,
}

/// The promises before the first byte: *sending*, with the attempt as its fence. Gives back which of
/// them are ours; one that changed meanwhile is not. `Conflict` if another message to one of these
/// people is in flight.
pub async fn to_sending(
    tx: &mut Tx,
    promises: &[Promise<'_>],
    now: Timestamp,
) -> Result<BTreeSet<MessageId>, StoreError> {
    let rows = promises
        .iter()
        .map(|promise| {
            let message = promise.message;
            bind![
                message.id,
                message.version,
                promise.position,
                promise.attempt,
                promise.lease_until
            ]
        })
        .collect();
    let ours = ids(&tx.many(&TO_SENDING, rows).await?)?;
    let mut rows = Vec::with_capacity(promises.len());
    for promise in promises
        .iter()
        .filter(|promise| ours.contains(&promise.message.id))
    {
        let token = tx.hash("token", promise.token);
        rows.push(bind![
            promise.message.id,
            promise.attempt,
            promise.position,
            token,
            now
        ]);
        tx.changed(promise.message.candidate);
    }
    tx.many(&ATTEMPTS_ADD, rows).await?;
    Ok(ours)
}

/// Writes outcomes, each with the key of its person; gives back the messages that their attempt still
/// owned, as `attempts::ended` does for one.
pub async fn ended(
    tx: &mut Tx,
    outcomes: &[(Ended<'_>, KeyId)],
    now: Timestamp,
) -> Result<BTreeSet<MessageId>, StoreError> {
    let rows = outcomes
        .iter()
        .map(|(ended, _)| {
            let accepted = (ended.state == MessageState::Accepted).then_some(now);
            bind![
                ended.message,
                ended.attempt,
                ended.state.as_str(),
                ended.why,
                ended.not_before,
                ended.form,
                accepted
            ]
        })
        .collect();
    let owned = ids(&tx.many(&OUTCOMES, rows).await?)?;
    let mut rows = Vec::with_capacity(outcomes.len());
    for (ended, key) in outcomes {
        let sealer = tx.sealer(*key).await?;
        let id = ended.provider_id;
        let (hash, sealed) = attempts::provider(tx, &sealer, ended.message, ended.attempt, id);
        let outcome = attempts::outcome_of(ended.state);
        rows.push(bind![
            ended.message,
            ended.attempt,
            now,
            outcome,
            ended.code,
            hash,
            sealed
        ]);
        tx.changed(ended.candidate);
        if ended.state == MessageState::Retry {
            tx.wake(Queue::Sender);
        }
    }
    tx.many(&ATTEMPTS_END, rows).await?;
    Ok(owned)
}

/// Which of these messages a receipt waits for, by the provider's id or by our token.
pub async fn orphaned(
    tx: &mut Tx,
    sent: &[(MessageId, &str, &str)],
) -> Result<BTreeSet<MessageId>, StoreError> {
    let rows = sent
        .iter()
        .map(|(message, provider_id, token)| {
            let (provider, token) = (tx.hash("provider", provider_id), tx.hash("token", token));
            bind![*message, provider, token]
        })
        .collect();
    tx.many(&ORPHANED, rows)
        .await?
        .iter()
        .map(|row| row.parsed("message"))
        .collect()
}

/// Coaches said something in their own words to these people.
pub async fn personal_lines(tx: &mut Tx, candidates: &[CandidateId]) -> Result<(), StoreError> {
    let rows = candidates.iter().map(|id| bind![*id]).collect();
    tx.many(&PERSONAL, rows).await.map(drop)
}

/// These nudges were accepted: the ledger closes them, and each person has had one more without a
/// personal line of the coach.
pub async fn nudges_sent(
    tx: &mut Tx,
    nudges: &[(MessageId, CandidateId)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let people = nudges.iter().map(|(_, candidate)| bind![*candidate]);
    tx.many(&AUTOMATED, people.collect()).await?;
    let sent = nudge::Ended::Sent.as_str();
    let rows = nudges.iter().map(|(message, _)| bind![*message, now, sent]);
    tx.many(&CLOSE, rows.collect()).await.map(drop)
}

fn ids(rows: &[Row]) -> Result<BTreeSet<MessageId>, StoreError> {
    rows.iter().map(|row| row.parsed("id")).collect()
}
