//! What coaches' pages read. Every function takes the scope first, and every statement names its
//! organisation and its teams, so that no page can reach another's rows.

use super::contacts::name_of;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::contact::{AddressKind, CandidateState, DigitalSkill, Purpose, Track};
use crate::domain::ids::{CandidateId, CoachId, FlagId, IncomingId, LineId, MessageId, TeamId};
use crate::domain::message::{FormBody, MessageState};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::Approve;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::ports::channel::Content;

statements! {
    PEOPLE = "SELECT c.id, c.coach_id, c.key_id, c.name_sealed, c.track, c.digital_skill, c.unanswered_since_at, c.paused_until_on, c.state, t.state AS talk_state, (SELECT MAX(i.at) FROM incoming i WHERE i.candidate_id = c.id) AS heard_at, (SELECT MAX(n.at) FROM notes n WHERE n.candidate_id = c.id AND n.kind = 'sign') AS sign_at FROM candidates c JOIN talks t ON t.candidate_id = c.id WHERE c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) AND c.state <> 'erased' ORDER BY c.id LIMIT 5000";
    COVERED = "SELECT c.id, c.team_id FROM candidates c WHERE c.id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
    DRAFTS = "SELECT o.id, o.candidate_id, o.author_id, o.purpose, o.why, o.state, o.state_why, o.content_hash, o.not_before_at, o.version, c.coach_id, c.key_id, c.name_sealed, c.unanswered_since_at, c.automated_in_row, (SELECT COUNT(*) FROM flags f WHERE f.candidate_id = o.candidate_id AND f.closed_at IS NULL) AS flags, (SELECT COUNT(*) FROM approvals a WHERE a.message_id = o.id AND a.verb IN ('edit', 'hold', 'resend')) AS touched FROM outgoing o JOIN candidates c ON c.id = o.candidate_id WHERE o.state IN ('waiting', 'in_doubt') AND (o.state = 'waiting' OR o.state_why IS NULL OR o.state_why <> 'left_alone') AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY o.not_before_at, o.id LIMIT 300";
    DRAFT_OF = "SELECT o.candidate_id FROM outgoing o JOIN candidates c ON c.id = o.candidate_id WHERE o.id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
    LAST_ATTEMPT = "SELECT t.attempt, t.started_at FROM attempts t JOIN outgoing o ON o.id = t.message_id JOIN candidates c ON c.id = o.candidate_id WHERE t.message_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY t.attempt DESC LIMIT 1";
    FLAGS = "SELECT f.id, f.candidate_id, f.why, f.opened_at, c.coach_id, c.key_id, c.name_sealed FROM flags f CROSS JOIN candidates c WHERE c.id = f.candidate_id AND f.closed_at IS NULL AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY f.opened_at, f.id LIMIT 300";
    FLAG_OF = "SELECT f.candidate_id FROM flags f JOIN candidates c ON c.id = f.candidate_id WHERE f.id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
    INCOMING = "SELECT i.id, a.kind, i.body_sealed, i.marks, i.at FROM incoming i JOIN addresses a ON a.id = i.address_id JOIN candidates c ON c.id = i.candidate_id WHERE i.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY i.at DESC, i.id DESC LIMIT $4";
    OUTGOING = "SELECT o.id, o.author_id, o.subject, o.why, o.state, o.state_why, o.approve, o.form, o.not_before_at, o.accepted_at, o.delivered_at, o.read_at, o.failed_at, o.version, o.created_at FROM outgoing o JOIN candidates c ON c.id = o.candidate_id WHERE o.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY o.created_at DESC, o.id DESC LIMIT $4";
    FORMS = "SELECT f.message_id, f.position, f.body_sealed, f.units, a.kind FROM forms f JOIN addresses a ON a.id = f.address_id JOIN outgoing o ON o.id = f.message_id JOIN candidates c ON c.id = o.candidate_id WHERE o.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY f.message_id, f.position";
    ATTEMPTS = "SELECT t.message_id, t.position, t.started_at, t.outcome, t.code FROM attempts t JOIN outgoing o ON o.id = t.message_id JOIN candidates c ON c.id = o.candidate_id WHERE o.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY t.message_id, t.attempt";
    TURNS = "SELECT t.number, t.event_sealed, t.at FROM turns t JOIN candidates c ON c.id = t.candidate_id WHERE t.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY t.number DESC LIMIT $4";
    CONSENTS = "SELECT k.purpose, k.given, k.at FROM consents k JOIN candidates c ON c.id = k.candidate_id WHERE k.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY k.at, k.id";
    NUDGES = "SELECT n.rule, n.subject, n.due_at FROM nudges n JOIN candidates c ON c.id = n.candidate_id WHERE n.candidate_id = $3 AND n.closed_at IS NULL AND n.message_id IS NULL AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2) ORDER BY n.due_at, n.id";
    LINES = "SELECT id, channel, display, paused_why FROM lines WHERE organisation_id = $1 ORDER BY display, id";
}

/// A name, opened.
#[derive(Clone)]
pub struct Named {
    pub first: String,
    pub family: String,
}

impl Named {
    pub fn full(&self) -> String {
        format!("{} {}", self.first, self.family).trim().to_owned()
    }
}

async fn named(tx: &mut Tx, row: &Row, id_column: &str) -> Result<Named, StoreError> {
    let (first, family) = name_of(tx, row, id_column).await?;
    Ok(Named { first, family })
}

/// A candidate as a list shows them.
pub struct PersonRow {
    pub id: CandidateId,
    pub coach: Option<CoachId>,
    pub name: Named,
    pub track: Track,
    pub skill: DigitalSkill,
    pub unanswered_since: Option<Timestamp>,
    pub paused_until: Option<chrono::NaiveDate>,
    pub state: CandidateState,
    pub with_coach: bool,
    /// The last sign of life: a message, or what a coach recorded.
    pub last_sign: Option<Timestamp>,
}

pub async fn people(tx: &mut Tx, scope: &Scope) -> Result<Vec<PersonRow>, StoreError> {
    let mut people = Vec::new();
    for row in tx
        .all(&PEOPLE, bind![scope.organisation, scope.coach])
        .await?
    {
        people.push(PersonRow {
            id: row.parsed("id")?,
            coach: row.maybe_parsed("coach_id")?,
            name: named(tx, &row, "id").await?,
            track: row.word("track", Track::parse)?,
            skill: row.word("digital_skill", DigitalSkill::parse)?,
            unanswered_since: row.maybe_at("unanswered_since_at")?,
            paused_until: row.maybe_parsed("paused_until_on")?,
            state: row.word("state", CandidateState::parse)?,
            with_coach: row.text("talk_state")? == "with_coach",
            last_sign: row.maybe_at("heard_at")?.max(row.maybe_at("sign_at")?),
        });
    }
    Ok(people)
}

/// Is this candidate under these eyes?
pub async fn covers(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<bool, StoreError> {
    let found = tx
        .maybe(&COVERED, bind![scope.organisation, scope.coach, candidate])
        .await?;
    match found {
        Some(row) => Ok(scope.teams.contains(&row.parsed::<TeamId>("team_id")?)),
        None => Ok(false),
    }
}

/// A message that waits for an eye, or that is in doubt.
pub struct DraftRow {
    pub id: MessageId,
    pub candidate: CandidateId,
    pub coach: Option<CoachId>,
    pub name: Named,
    pub author: Option<CoachId>,
    pub purpose: Purpose,
    pub rule: String,
    pub state: MessageState,
    pub state_why: Option<String>,
    pub content_hash: String,
    pub version: i64,
    pub ready_at: Timestamp,
    pub unanswered_since: Option<Timestamp>,
    pub automated_in_row: u32,
    /// Is a flag about the person open?
    pub flagged: bool,
    /// Did a coach decide something about this text before?
    pub touched: bool,
}

/// Oldest need first.
pub async fn drafts(tx: &mut Tx, scope: &Scope) -> Result<Vec<DraftRow>, StoreError> {
    let mut drafts = Vec::new();
    for row in tx
        .all(&DRAFTS, bind![scope.organisation, scope.coach])
        .await?
    {
        drafts.push(DraftRow {
            id: row.parsed("id")?,
            candidate: row.parsed("candidate_id")?,
            coach: row.maybe_parsed("coach_id")?,
            name: named(tx, &row, "candidate_id").await?,
            author: row.maybe_parsed("author_id")?,
            purpose: row.word("purpose", Purpose::parse)?,
            rule: row.text("why")?,
            state: row.word("state", MessageState::parse)?,
            state_why: row.maybe_text("state_why")?,
            content_hash: row.text("content_hash")?,
            version: row.int("version")?,
            ready_at: row.at("not_before_at")?,
            unanswered_since: row.maybe_at("unanswered_since_at")?,
            automated_in_row: row.count("automated_in_row")?,
            flagged: row.int("flags")? > 0,
            touched: row.int("touched")? > 0,
        });
    }
    Ok(drafts)
}

/// Whose message is this, if it is under these eyes?
pub async fn owner_of_message(
    tx: &mut Tx,
    scope: &Scope,
    message: MessageId,
) -> Result<Option<CandidateId>, StoreError> {
    tx.maybe(&DRAFT_OF, bind![scope.organisation, scope.coach, message])
        .await?
        .map(|row| row.parsed("candidate_id"))
        .transpose()
}

/// The last attempt: its number and when it began.
pub async fn last_attempt(
    tx: &mut Tx,
    scope: &Scope,
    message: MessageId,
) -> Result<Option<(u32, Timestamp)>, StoreError> {
    tx.maybe(
        &LAST_ATTEMPT,
        bind![scope.organisation, scope.coach, message],
    )
    .await?
    .map(|row| Ok((row.count("attempt")?, row.at("started_at")?)))
    .transpose()
}

pub struct FlagRow {
    pub id: FlagId,
    pub candidate: CandidateId,
    pub coach: Option<CoachId>,
    pub name: Named,
    pub why: Why,
    pub opened_at: Timestamp,
}

pub async fn flags(tx: &mut Tx, scope: &Scope) -> Result<Vec<FlagRow>, StoreError> {
    let mut flags = Vec::new();
    for row in tx
        .all(&FLAGS, bind![scope.organisation, scope.coach])
        .await?
    {
        flags.push(FlagRow {
            id: row.parsed("id")?,
            candidate: row.parsed("candidate_id")?,
            coach: row.maybe_parsed("coach_id")?,
            name: named(tx, &row, "candidate_id").await?,
            why: row.word("why", Why::parse)?,
            opened_at: row.at("opened_at")?,
        });
    }
    Ok(flags)
}

/// Whose flag is this, if it is under these eyes?
pub async fn owner_of_flag(
    tx: &mut Tx,
    scope: &Scope,
    flag: FlagId,
) -> Result<Option<CandidateId>, StoreError> {
    tx.maybe(&FLAG_OF, bind![scope.organisation, scope.coach, flag])
        .await?
        .map(|row| row.parsed("candidate_id"))
        .transpose()
}

/// A received message.
pub struct IncomingRow {
    pub id: IncomingId,
    pub kind: AddressKind,
    pub content: Content,
    pub marks: String,
    pub at: Timestamp,
}

/// The newest first.
pub async fn incoming(
    tx: &mut Tx,
    scope: &Scope,
    sealer: &Sealer,
    candidate: CandidateId,
    limit: u32,
) -> Result<Vec<IncomingRow>, StoreError> {
    tx.all(
        &INCOMING,
        bind![scope.organisation, scope.coach, candidate, limit],
    )
    .await?
    .iter()
    .map(|row| {
        let id = row.text("id")?;
        let body = row.blob("body_sealed")?;
        Ok(IncomingRow {
            content: sealer.open_json("incoming", "body_sealed", &id, &body)?,
            id: row.parsed("id")?,
            kind: row.word("kind", AddressKind::parse)?,
            marks: row.text("marks")?,
            at: row.at("at")?,
        })
    })
    .collect()
}

/// A sent or waiting message, as the thread shows it.
pub struct OutgoingRow {
    pub id: MessageId,
    pub author: Option<CoachId>,
    pub subject: Subject,
    pub rule: String,
    pub state: MessageState,
    pub state_why: Option<String>,
    pub approve: Approve,
    pub form: u32,
    pub not_before: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
}

/// The newest first.
pub async fn outgoing(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
    limit: u32,
) -> Result<Vec<OutgoingRow>, StoreError> {
    tx.all(
        &OUTGOING,
        bind![scope.organisation, scope.coach, candidate, limit],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(OutgoingRow {
            id: row.parsed("id")?,
            author: row.maybe_parsed("author_id")?,
            subject: row.word("subject", Subject::parse)?,
            rule: row.text("why")?,
            state: row.word("state", MessageState::parse)?,
            state_why: row.maybe_text("state_why")?,
            approve: row.word("approve", Approve::parse)?,
            form: row.count("form")?,
            not_before: row.at("not_before_at")?,
            accepted_at: row.maybe_at("accepted_at")?,
            delivered_at: row.maybe_at("delivered_at")?,
            read_at: row.maybe_at("read_at")?,
            failed_at: row.maybe_at("failed_at")?,
            version: row.int("version")?,
            created_at: row.at("created_at")?,
        })
    })
    .collect()
}

/// One form of one message to a person.
pub struct FormRow {
    pub message: MessageId,
    pub position: u32,
    pub kind: AddressKind,
    pub body: FormBody,
    pub units: u32,
}

pub async fn forms(
    tx: &mut Tx,
    scope: &Scope,
    sealer: &Sealer,
    candidate: CandidateId,
) -> Result<Vec<FormRow>, StoreError> {
    tx.all(&FORMS, bind![scope.organisation, scope.coach, candidate])
        .await?
        .iter()
        .map(|row| {
            let place = format!("{}/{}", row.text("message_id")?, row.int("position")?);
            Ok(FormRow {
                message: row.parsed("message_id")?,
                position: row.count("position")?,
                kind: row.word("kind", AddressKind::parse)?,
                body: sealer.open_json(
                    "forms",
                    "body_sealed",
                    &place,
                    &row.blob("body_sealed")?,
                )?,
                units: row.count("units")?,
            })
        })
        .collect()
}

/// One attempt at one message to a person, oldest first within a message.
pub struct AttemptRow {
    pub message: MessageId,
    pub position: u32,
    pub started_at: Timestamp,
    pub outcome: Option<String>,
    pub code: Option<String>,
}

pub async fn attempts(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Vec<AttemptRow>, StoreError> {
    tx.all(&ATTEMPTS, bind![scope.organisation, scope.coach, candidate])
        .await?
        .iter()
        .map(|row| {
            Ok(AttemptRow {
                message: row.parsed("message_id")?,
                position: row.count("position")?,
                started_at: row.at("started_at")?,
                outcome: row.maybe_text("outcome")?,
                code: row.maybe_text("code")?,
            })
        })
        .collect()
}

/// The events that moved the talk, newest first.
pub async fn events(
    tx: &mut Tx,
    scope: &Scope,
    sealer: &Sealer,
    candidate: CandidateId,
    limit: u32,
) -> Result<Vec<(Event, Timestamp)>, StoreError> {
    tx.all(
        &TURNS,
        bind![scope.organisation, scope.coach, candidate, limit],
    )
    .await?
    .iter()
    .map(|row| {
        let place = format!("{candidate}/{}", row.int("number")?);
        let sealed = row.blob("event_sealed")?;
        Ok((
            sealer.open_json("turns", "event_sealed", &place, &sealed)?,
            row.at("at")?,
        ))
    })
    .collect()
}

/// Every word of a person about consent, oldest first.
pub async fn consents(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Vec<(Purpose, bool, Timestamp)>, StoreError> {
    tx.all(&CONSENTS, bind![scope.organisation, scope.coach, candidate])
        .await?
        .iter()
        .map(|row| {
            Ok((
                row.word("purpose", Purpose::parse)?,
                row.flag("given")?,
                row.at("at")?,
            ))
        })
        .collect()
}

/// What the ledger still has open for a person and no message has taken up.
pub async fn nudges(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Vec<(String, Subject, Timestamp)>, StoreError> {
    tx.all(&NUDGES, bind![scope.organisation, scope.coach, candidate])
        .await?
        .iter()
        .map(|row| {
            Ok((
                row.text("rule")?,
                row.word("subject", Subject::parse)?,
                row.at("due_at")?,
            ))
        })
        .collect()
}

pub struct LineRow {
    pub id: LineId,
    pub channel: String,
    pub display: String,
    pub paused_why: Option<String>,
}

pub async fn lines(tx: &mut Tx, scope: &Scope) -> Result<Vec<LineRow>, StoreError> {
    tx.all(&LINES, bind![scope.organisation])
        .await?
        .iter()
        .map(|row| {
            Ok(LineRow {
                id: row.parsed("id")?,
                channel: row.text("channel")?,
                display: row.text("display")?,
                paused_why: row.maybe_text("paused_why")?,
            })
        })
        .collect()
}
