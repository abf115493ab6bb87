//! What the database holds about one person: a rule for every column of the schema (`rules.rs`), the
//! reads of an export and the statements of an erasure, both driven by those rules. A test reads the real
//! schema and fails where a column has no rule.

mod messages;
mod rules;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

pub use rules::TABLES;

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{Stmt, bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::{CandidateId, KeyId};
use crate::domain::time::Timestamp;

statements! {
    CANDIDATES = "SELECT x.* FROM candidates x WHERE x.id = $1";
    CANDIDATES_EMPTY = { sqlite: "UPDATE candidates SET coach_id = NULL, name_sealed = x'', profile_sealed = x'', language = 'nl', digital_skill = 'basic', track = 'participation', automated_in_row = 0, unanswered_since_at = NULL, paused_until_on = NULL, by_hand = FALSE, ref_hash = NULL, state = 'erased', version = version + 1 WHERE id = $1", postgres: "UPDATE candidates SET coach_id = NULL, name_sealed = '', profile_sealed = '', language = 'nl', digital_skill = 'basic', track = 'participation', automated_in_row = 0, unanswered_since_at = NULL, paused_until_on = NULL, by_hand = FALSE, ref_hash = NULL, state = 'erased', version = version + 1 WHERE id = $1" };
    ADDRESSES = "SELECT x.* FROM addresses x WHERE x.candidate_id = $1 ORDER BY x.id";
    ADDRESSES_GONE = "DELETE FROM addresses WHERE candidate_id = $1";
    WINDOWS = "SELECT x.* FROM windows x JOIN addresses a ON a.id = x.address_id WHERE a.candidate_id = $1 ORDER BY x.heard_at";
    WINDOWS_GONE = "DELETE FROM windows WHERE address_id IN (SELECT id FROM addresses WHERE candidate_id = $1)";
    CONSENTS = "SELECT x.* FROM consents x WHERE x.candidate_id = $1 ORDER BY x.at, x.id";
    CONSENTS_GONE = "DELETE FROM consents WHERE candidate_id = $1";
    INVITES = "SELECT x.* FROM invites x WHERE x.candidate_id = $1 ORDER BY x.ends_at";
    INVITES_GONE = "DELETE FROM invites WHERE candidate_id = $1";
    PLANS = "SELECT x.* FROM plans x WHERE x.candidate_id = $1 ORDER BY x.id";
    PLANS_GONE = "DELETE FROM plans WHERE candidate_id = $1";
    TASKS = "SELECT x.* FROM tasks x WHERE x.candidate_id = $1 ORDER BY x.plan_id, x.number";
    TASKS_GONE = "DELETE FROM tasks WHERE candidate_id = $1";
    SEARCHES = "SELECT x.* FROM searches x WHERE x.candidate_id = $1";
    SEARCHES_GONE = "DELETE FROM searches WHERE candidate_id = $1";
    NOTES = "SELECT x.* FROM notes x WHERE x.candidate_id = $1 ORDER BY x.at, x.id";
    NOTES_GONE = "DELETE FROM notes WHERE candidate_id = $1";
    PLACES_FREE = "UPDATE slots SET taken = taken - (SELECT COUNT(*) FROM meetings m WHERE m.slot_id = slots.id AND m.candidate_id = $1 AND m.state = 'booked') WHERE id IN (SELECT slot_id FROM meetings WHERE candidate_id = $1 AND state = 'booked')";
    MEETINGS = "SELECT x.* FROM meetings x WHERE x.candidate_id = $1 ORDER BY x.id";
    MEETINGS_GONE = "DELETE FROM meetings WHERE candidate_id = $1";
    MATCHES = "SELECT x.* FROM matches x WHERE x.candidate_id = $1 ORDER BY x.id";
    MATCHES_GONE = "DELETE FROM matches WHERE candidate_id = $1";
    EXERCISES = "SELECT x.* FROM exercises x WHERE x.candidate_id = $1 ORDER BY x.done_at, x.exercise";
    EXERCISES_GONE = "DELETE FROM exercises WHERE candidate_id = $1";
    TALKS = "SELECT x.* FROM talks x WHERE x.candidate_id = $1";
    TALKS_GONE = "DELETE FROM talks WHERE candidate_id = $1";
    TURNS = "SELECT x.* FROM turns x WHERE x.candidate_id = $1 ORDER BY x.number";
    TURNS_GONE = "DELETE FROM turns WHERE candidate_id = $1";
    INBOX = "SELECT x.* FROM inbox x JOIN lines l ON l.id = x.line_id JOIN candidates c ON c.organisation_id = l.organisation_id WHERE x.sender_hash = $1 AND c.id = $2 ORDER BY x.id";
    INBOX_GONE = "DELETE FROM inbox WHERE sender_hash = $1 AND line_id IN (SELECT l.id FROM lines l JOIN candidates c ON c.organisation_id = l.organisation_id WHERE c.id = $2)";
    INCOMING = "SELECT x.* FROM incoming x WHERE x.candidate_id = $1 ORDER BY x.at, x.id";
    INCOMING_GONE = "DELETE FROM incoming WHERE candidate_id = $1";
    MEDIA = "SELECT x.* FROM media x WHERE x.candidate_id = $1 ORDER BY x.id";
    MEDIA_GONE = "DELETE FROM media WHERE candidate_id = $1";
    MEDIA_FILES = "SELECT x.* FROM media_files x JOIN media m ON m.id = x.media_id WHERE m.candidate_id = $1 ORDER BY x.media_id";
    MEDIA_FILES_GONE = "DELETE FROM media_files WHERE media_id IN (SELECT id FROM media WHERE candidate_id = $1)";
    OUTGOING = "SELECT x.* FROM outgoing x WHERE x.candidate_id = $1 ORDER BY x.created_at, x.id";
    OUTGOING_EMPTY = "UPDATE outgoing SET subject = 'nothing', delivered_at = NULL, read_at = NULL, failed_at = NULL, version = version + 1 WHERE candidate_id = $1";
    EXPERIMENT_ARMS = "SELECT x.* FROM experiment_arms x WHERE x.candidate_id = $1 ORDER BY x.message_id, x.experiment";
    EXPERIMENT_ARMS_GONE = "DELETE FROM experiment_arms WHERE candidate_id = $1";
    FORMS = "SELECT x.* FROM forms x JOIN outgoing o ON o.id = x.message_id WHERE o.candidate_id = $1 ORDER BY x.message_id, x.position";
    FORMS_GONE = "DELETE FROM forms WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = $1)";
    ATTEMPTS = "SELECT x.* FROM attempts x JOIN outgoing o ON o.id = x.message_id WHERE o.candidate_id = $1 ORDER BY x.message_id, x.attempt";
    ATTEMPTS_GONE = "DELETE FROM attempts WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = $1)";
    RECEIPTS = "SELECT x.* FROM receipts x JOIN outgoing o ON o.id = x.message_id WHERE o.candidate_id = $1 ORDER BY x.at, x.id";
    RECEIPTS_GONE = "DELETE FROM receipts WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = $1)";
    APPROVALS = "SELECT x.* FROM approvals x JOIN outgoing o ON o.id = x.message_id WHERE o.candidate_id = $1 ORDER BY x.at, x.id";
    NUDGES = "SELECT x.* FROM nudges x WHERE x.candidate_id = $1 ORDER BY x.due_at, x.id";
    TRANSFERS = "SELECT x.* FROM transfers x WHERE x.candidate_id = $1 ORDER BY x.at, x.id";
    TRANSFERS_GONE = "DELETE FROM transfers WHERE candidate_id = $1";
    WATCH = "SELECT x.* FROM watch x WHERE x.candidate_id = $1";
    WATCH_GONE = "DELETE FROM watch WHERE candidate_id = $1";
    FLAGS = "SELECT x.* FROM flags x WHERE x.candidate_id = $1 ORDER BY x.opened_at, x.id";
    FLAGS_GONE = "DELETE FROM flags WHERE candidate_id = $1";
    HOLDS = "SELECT x.* FROM holds x WHERE x.candidate_id = $1 ORDER BY x.class";
    HOLDS_GONE = "DELETE FROM holds WHERE candidate_id = $1";
    AUDIT = "SELECT x.* FROM audit x WHERE x.object = 'candidate:' || $1 OR x.object IN (SELECT 'message:' || id FROM outgoing WHERE candidate_id = $1) OR x.object IN (SELECT 'incoming:' || id FROM incoming WHERE candidate_id = $1) OR x.object IN (SELECT 'flag:' || id FROM flags WHERE candidate_id = $1) OR x.object IN (SELECT 'task:' || id FROM tasks WHERE candidate_id = $1) ORDER BY x.id";
    MARKS = "SELECT x.* FROM marks x WHERE x.name = 'import|candidate:' || $1 OR x.name IN (SELECT 'import|plan:' || id FROM plans WHERE candidate_id = $1) OR x.name IN (SELECT 'import|task:' || id FROM tasks WHERE candidate_id = $1) OR x.name IN (SELECT 'import|meeting:' || id FROM meetings WHERE candidate_id = $1) ORDER BY x.name";
    MARKS_GONE = "DELETE FROM marks WHERE name = 'import|candidate:' || $1 OR name IN (SELECT 'import|plan:' || id FROM plans WHERE candidate_id = $1) OR name IN (SELECT 'import|task:' || id FROM tasks WHERE candidate_id = $1) OR name IN (SELECT 'import|meeting:' || id FROM meetings WHERE candidate_id = $1)";
    LOCK = {
        sqlite: "SELECT key_id, state FROM candidates WHERE id = $1",
        postgres: "SELECT key_id, state FROM candidates WHERE id = $1 FOR UPDATE",
    };
    WHOSE = "SELECT c.state, o.name FROM candidates c JOIN organisations o ON o.id = c.organisation_id WHERE c.id = $1";
    UNSENT_CANCEL = "UPDATE outgoing SET state = 'cancelled', state_why = 'erased', version = version + 1 WHERE candidate_id = $1 AND state IN ('draft', 'waiting', 'approved', 'held', 'retry')";
    DOUBT_LEAVE = "UPDATE outgoing SET state_why = 'left_alone', version = version + 1 WHERE candidate_id = $1 AND state = 'in_doubt'";
    IN_FLIGHT = "SELECT id FROM outgoing WHERE candidate_id = $1 AND state = 'sending' LIMIT 1";
    NUDGES_CLOSE = "UPDATE nudges SET closed_at = $2, because = 'withdrawn' WHERE candidate_id = $1 AND closed_at IS NULL";
}

/// How a column of an export is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    Text,
    Number,
    Moment,
    Flag,
    SealedText,
    /// A sealed value of one of our types.
    SealedValue,
    /// A sealed file; told in base64.
    SealedBytes,
}

/// A column that the person may see: its rule is "exported".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub column: &'static str,
    pub read: As,
    pub nl: &'static str,
    pub en: &'static str,
}

impl Told {
    /// `column | how it is read | Dutch label | English label`.
    pub fn parse(line: &'static str) -> Option<Self> {
        let mut parts = line.split('|').map(str::trim);
        let (column, read) = (parts.next()?, parts.next()?);
        let (nl, en) = (parts.next()?, parts.next()?);
        let read = match read {
            "text" => As::Text,
            "number" => As::Number,
            "moment" => As::Moment,
            "flag" => As::Flag,
            "sealed_text" => As::SealedText,
            "sealed_value" => As::SealedValue,
            "sealed_bytes" => As::SealedBytes,
            _ => return None,
        };
        Some(Self {
            column,
            read,
            nl,
            en,
        })
    }

    /// Its name in an export: a reader has no use for how it is kept.
    pub fn name(&self) -> &'static str {
        self.column.strip_suffix("_sealed").unwrap_or(self.column)
    }
}

/// How the rows of one person are found.
#[derive(Clone, Copy)]
pub enum Rows {
    /// No row is about a candidate.
    None,
    /// By the candidate's id.
    Of(&'static Stmt),
    /// By the keyed hash of each address that only this person writes from, on the lines of their
    /// organisation.
    OfSender(&'static Stmt),
}

/// What an erasure does to a table.
#[derive(Clone, Copy)]
pub enum Erased {
    /// Nothing of a person is in it.
    Untouched,
    /// The person's rows are removed.
    Gone(&'static Stmt),
    /// The rows stay without what was said in them: references and figures need them.
    Emptied(&'static Stmt),
    /// Cannot be found by person; unreadable from the day on which the day's key is destroyed.
    WithItsDay,
    /// Stays, and why that is right.
    Stays(&'static str),
}

/// The rules for one table. Every column stands in exactly one of the lists.
pub struct Table {
    pub name: &'static str,
    /// Its heading in an export, Dutch and English: `Uw plan | Your plan`.
    pub title: &'static str,
    /// Exported: lines that `Told::parse` reads.
    pub told: &'static [&'static str],
    /// Ids and references: the way to the rows.
    pub ways: &'static str,
    /// Keyed hashes of something personal.
    pub hashes: &'static str,
    /// About a coach or another professional: theirs, not the candidate's.
    pub coach: &'static str,
    /// Key material and content under the key of a day: never exported.
    pub secret: &'static str,
    /// The service's own bookkeeping: says nothing about a person.
    pub house: &'static str,
    /// What a sealed column is bound to, beside its name: columns joined by `/`.
    pub sealed_to: &'static str,
    pub rows: Rows,
    pub erased: Erased,
}

impl Table {
    /// A table without anything of a candidate.
    const OTHERS: Self = Self {
        name: "",
        title: " | ",
        told: &[],
        ways: "",
        hashes: "",
        coach: "",
        secret: "",
        house: "",
        sealed_to: "",
        rows: Rows::None,
        erased: Erased::Untouched,
    };

    /// A table about the service or the organisation only.
    const fn of_the_house(name: &'static str, house: &'static str) -> Self {
        Self {
            name,
            house,
            ..Self::OTHERS
        }
    }

    /// A table about coaches: theirs, and not the candidate's.
    const fn of_coaches(name: &'static str, coach: &'static str) -> Self {
        Self {
            name,
            coach,
            ..Self::OTHERS
        }
    }

    /// The columns of an export.
    pub fn told(&self) -> impl Iterator<Item = Told> + use<> {
        self.told.iter().filter_map(|line| Told::parse(line))
    }

    /// The columns that have a rule, in no order.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        let lists = [self.ways, self.hashes, self.coach, self.secret, self.house];
        let listed = lists.into_iter().flat_map(str::split_whitespace);
        self.told().map(|told| told.column).chain(listed)
    }
}

/// What one table holds about a person, opened.
pub struct Part {
    pub table: &'static Table,
    pub rows: Vec<Map<String, Json>>,
}

/// Whose data, and where that person stands.
pub struct Whose {
    pub organisation: String,
    pub erased: bool,
}

pub async fn whose(tx: &mut Tx, candidate: CandidateId) -> Result<Option<Whose>, StoreError> {
    tx.maybe(&WHOSE, bind![candidate])
        .await?
        .map(|row| {
            Ok(Whose {
                organisation: row.text("name")?,
                erased: row.text("state")? == "erased",
            })
        })
        .transpose()
}

/// Everything that is exported about a person, table by table. `senders` are the keyed hashes of the
/// addresses that they alone write from.
pub async fn parts(
    tx: &mut Tx,
    candidate: CandidateId,
    sealer: &Sealer,
    senders: &[String],
) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    for table in TABLES.iter().filter(|table| !table.told.is_empty()) {
        let mut rows = Vec::new();
        for row in rows_of(tx, table, candidate, senders).await? {
            let own = match table.rows {
                Rows::OfSender(_) => Some(tx.sealer(row.parsed::<KeyId>("key_id")?).await?),
                _ => None,
            };
            rows.push(told(table, &row, own.as_ref().unwrap_or(sealer))?);
        }
        parts.push(Part { table, rows });
    }
    Ok(parts)
}

async fn rows_of(
    tx: &mut Tx,
    table: &Table,
    candidate: CandidateId,
    senders: &[String],
) -> Result<Vec<Row>, StoreError> {
    match table.rows {
        Rows::None => Ok(Vec::new()),
        Rows::Of(read) => tx.all(read, bind![candidate]).await,
        Rows::OfSender(read) => {
            let mut rows = Vec::new();
            for sender in senders {
                rows.extend(tx.all(read, bind![sender, candidate]).await?);
            }
            Ok(rows)
        }
    }
}

fn told(table: &Table, row: &Row, sealer: &Sealer) -> Result<Map<String, Json>, StoreError> {
    let mut place = Vec::new();
    for column in table.sealed_to.split('/').filter(|it| !it.is_empty()) {
        place.push(match row.text(column) {
            Ok(text) => text,
            Err(_) => row.int(column)?.to_string(),
        });
    }
    let place = place.join("/");
    let mut values = Map::new();
    for told in table.told() {
        let Told { column, read, .. } = told;
        let value = match read {
            As::Text => row.maybe_text(column)?.map(Json::from),
            As::Number => row.maybe_int(column)?.map(Json::from),
            As::Moment => row
                .maybe_at(column)?
                .map(|at| Json::from(at.utc().to_rfc3339())),
            As::Flag => Some(Json::from(row.flag(column)?)),
            As::SealedText => match row.maybe_blob(column)? {
                Some(sealed) => Some(Json::from(
                    sealer.open_text(table.name, column, &place, &sealed)?,
                )),
                None => None,
            },
            As::SealedValue => match row.maybe_blob(column)? {
                Some(sealed) => Some(sealer.open_json(table.name, column, &place, &sealed)?),
                None => None,
            },
            As::SealedBytes => match row.maybe_blob(column)? {
                Some(sealed) => Some(Json::from(
                    STANDARD.encode(sealer.open(table.name, column, &place, &sealed)?),
                )),
                None => None,
            },
        };
        values.insert(told.name().to_owned(), value.unwrap_or(Json::Null));
    }
    Ok(values)
}

/// How many rows each table holds about a person.
pub async fn counts(
    tx: &mut Tx,
    candidate: CandidateId,
    senders: &[String],
) -> Result<Vec<(&'static Table, usize)>, StoreError> {
    let mut counts = Vec::new();
    for table in TABLES {
        let rows = rows_of(tx, table, candidate, senders).await?;
        counts.push((table, rows.len()));
    }
    Ok(counts)
}

/// The key of a person, with their row locked until the end of the transaction: on PostgreSQL nobody can
/// add a row about them meanwhile, since each of those refers to this one. `None` if there is no such person.
pub async fn lock(
    tx: &mut Tx,
    candidate: CandidateId,
) -> Result<Option<(KeyId, bool)>, StoreError> {
    tx.maybe(&LOCK, bind![candidate])
        .await?
        .map(|row| Ok((row.parsed("key_id")?, row.text("state")? == "erased")))
        .transpose()
}

/// What an erasure ended, beside the rows that it removed.
pub struct Ended {
    pub messages: u64,
    pub nudges: u64,
    pub removed: Vec<(&'static Table, u64)>,
}

/// Ends what waits and removes what is kept about a person; the caller holds the lock and destroys the key.
/// `None` if a message to them is in flight: nobody knows yet what becomes of it.
pub async fn erase(
    tx: &mut Tx,
    candidate: CandidateId,
    senders: &[String],
    now: Timestamp,
) -> Result<Option<Ended>, StoreError> {
    let messages = tx.run(&UNSENT_CANCEL, bind![candidate]).await?;
    if tx.maybe(&IN_FLIGHT, bind![candidate]).await?.is_some() {
        return Ok(None);
    }
    tx.run(&DOUBT_LEAVE, bind![candidate]).await?;
    let nudges = tx.run(&NUDGES_CLOSE, bind![candidate, now]).await?;
    tx.run(&PLACES_FREE, bind![candidate]).await?;
    let mut removed = Vec::new();
    // The table of rules stands in the order of the schema: what refers comes after what it refers to.
    for table in TABLES.iter().rev() {
        let (Erased::Gone(statement) | Erased::Emptied(statement)) = table.erased else {
            continue;
        };
        let mut count = 0;
        match table.rows {
            Rows::OfSender(_) => {
                for sender in senders {
                    count += tx.run(statement, bind![sender, candidate]).await?;
                }
            }
            Rows::Of(_) | Rows::None => count = tx.run(statement, bind![candidate]).await?,
        }
        removed.push((table, count));
    }
    removed.reverse();
    tx.changed(candidate);
    Ok(Some(Ended {
        messages,
        nudges,
        removed,
    }))
}
