//! Files that people sent: what is wanted, who fetches it now, what was kept, and why something was not.
//! A claim is a row whose next due moment lies behind the longest fetch: whoever claimed and died leaves
//! a row that falls due again. The version fences: what an old claim brings is written nowhere.
//! The bytes stand sealed in a table of their own, so that no list ever reads them.

use super::Queue;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, IncomingId, KeyId, LineId};
use crate::domain::media::{Kind, State, Type, Why};
use crate::domain::time::Timestamp;
use crate::ports::channel::Media;

statements! {
    WANT = { batch: "INSERT INTO media (id, candidate_id, incoming_id, kind, mime, bytes, source_sealed, state, tries, due_at, version)", columns: [Text, Text, Text, Text, Text, Int, Blob, Text, Int, Int, Int], tail: "" };
    DUE = {
        sqlite: "SELECT m.id, m.candidate_id, m.kind, m.source_sealed, m.tries, m.version, i.line_id, c.key_id FROM media m JOIN incoming i ON i.id = m.incoming_id JOIN candidates c ON c.id = m.candidate_id WHERE m.state = 'wanted' AND m.due_at <= $1 ORDER BY m.due_at, m.id LIMIT $2",
        postgres: "SELECT m.id, m.candidate_id, m.kind, m.source_sealed, m.tries, m.version, i.line_id, c.key_id FROM media m JOIN incoming i ON i.id = m.incoming_id JOIN candidates c ON c.id = m.candidate_id WHERE m.state = 'wanted' AND m.due_at <= $1 ORDER BY m.due_at, m.id LIMIT $2 FOR UPDATE OF m SKIP LOCKED",
    };
    CLAIM = "UPDATE media SET tries = tries + 1, due_at = $3, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    PUT_OFF = "UPDATE media SET due_at = $3, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    LET_GO = "UPDATE media SET tries = tries - 1, due_at = $3, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    LATER = "UPDATE media SET due_at = $3, why = $4, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    END = "UPDATE media SET state = $3, why = $4, due_at = NULL, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    OWNER = {
        sqlite: "SELECT id FROM candidates WHERE id = $1 AND state <> 'erased'",
        postgres: "SELECT id FROM candidates WHERE id = $1 AND state <> 'erased' FOR SHARE",
    };
    STORED = "UPDATE media SET state = 'stored', mime = $3, bytes = $4, why = NULL, due_at = NULL, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'wanted'";
    FILE_ADD = "INSERT INTO media_files (media_id, body_sealed) VALUES ($1, $2)";
    OF_CANDIDATE = "SELECT m.id, m.kind, m.mime, m.bytes, m.state, m.why FROM media m JOIN candidates c ON c.id = m.candidate_id WHERE m.candidate_id = $3 AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
    FILE = "SELECT m.id, m.kind, m.mime, f.body_sealed, i.marks, i.at, c.key_id FROM media m JOIN media_files f ON f.media_id = m.id JOIN incoming i ON i.id = m.incoming_id JOIN candidates c ON c.id = m.candidate_id WHERE m.id = $4 AND m.candidate_id = $3 AND m.state = 'stored' AND c.organisation_id = $1 AND c.team_id IN (SELECT team_id FROM coach_teams WHERE coach_id = $2)";
}

/// A message came with a file: it is wanted from now on. It bears the id of its message, and is written
/// after it.
pub fn want(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
    incoming: IncomingId,
    media: &Media,
    now: Timestamp,
) {
    let id = incoming.to_string();
    let source = sealer.seal_json("media", "source_sealed", &id, media);
    let row = bind![
        &id,
        candidate,
        &id,
        media.kind.as_str(),
        media.mime.as_str(),
        0_i64,
        source,
        State::Wanted.as_str(),
        0_i64,
        now,
        0_i64
    ];
    tx.later(&WANT, row);
    tx.wake(Queue::Media);
}

/// A file that is this process's to fetch until its row falls due again.
pub struct Claim {
    pub id: IncomingId,
    pub candidate: CandidateId,
    pub line: LineId,
    pub key: KeyId,
    /// `None`: a kind that no version of this program writes.
    pub kind: Option<Kind>,
    pub source: Media,
    /// This one included.
    pub tries: u32,
    version: i64,
}

/// What one look at the queue gives.
#[derive(Default)]
pub struct Claims {
    pub taken: Vec<Claim>,
    /// Rows that do not open (another master key?): put off until `lease_until`, and not counted as tried.
    pub unreadable: Vec<StoreError>,
}

/// Takes what is due and nobody else is fetching, oldest first.
pub async fn claim(
    tx: &mut Tx,
    most: usize,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Claims, StoreError> {
    let mut claims = Claims::default();
    for row in tx.all(&DUE, bind![now, most]).await? {
        let place = bind![row.text("id")?, row.int("version")?, lease_until];
        match claimed(tx, &row).await {
            Ok(claim) => {
                tx.save(&CLAIM, place).await?;
                claims.taken.push(claim);
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                tx.save(&PUT_OFF, place).await?;
                claims.unreadable.push(error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(claims)
}

async fn claimed(tx: &mut Tx, row: &Row) -> Result<Claim, StoreError> {
    let key = row.parsed("key_id")?;
    let sealer = tx.sealer(key).await?;
    let id = row.text("id")?;
    let source = row.blob("source_sealed")?;
    Ok(Claim {
        id: row.parsed("id")?,
        candidate: row.parsed("candidate_id")?,
        line: row.parsed("line_id")?,
        key,
        kind: Kind::parse(&row.text("kind")?),
        source: sealer.open_json("media", "source_sealed", &id, &source)?,
        tries: row.count("tries")? + 1,
        version: row.int("version")? + 1,
    })
}

/// Gives a claim back unused: the process stops. It counts as no try.
pub async fn let_go(tx: &mut Tx, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
    tx.save(&LET_GO, bind![claim.id, claim.version, now]).await
}

/// Not this time; `due` says when again.
pub async fn later(tx: &mut Tx, claim: &Claim, why: Why, due: Timestamp) -> Result<(), StoreError> {
    tx.changed(claim.candidate);
    tx.save(&LATER, bind![claim.id, claim.version, due, why.as_str()])
        .await
}

/// It will not come; the reason stays.
pub async fn end(tx: &mut Tx, claim: &Claim, why: Why) -> Result<(), StoreError> {
    tx.changed(claim.candidate);
    let values = bind![
        claim.id,
        claim.version,
        why.ends_in().as_str(),
        why.as_str()
    ];
    tx.save(&END, values).await
}

/// A file sealed for its row, under the person's own key.
pub fn sealed(sealer: &Sealer, claim: &Claim, bytes: &[u8]) -> Vec<u8> {
    sealer.seal("media_files", "body_sealed", &claim.id.to_string(), bytes)
}

/// Keeps a file of so many bytes. An erasure comes before it or after it, never in between.
pub async fn keep(
    tx: &mut Tx,
    claim: &Claim,
    found: Type,
    bytes: usize,
    sealed: Vec<u8>,
) -> Result<(), StoreError> {
    let owner = tx.maybe(&OWNER, bind![claim.candidate]).await?;
    owner.ok_or(StoreError::Stale(OWNER.name))?;
    tx.changed(claim.candidate);
    let values = bind![claim.id, claim.version, found.mime(), bytes];
    tx.save(&STORED, values).await?;
    tx.run(&FILE_ADD, bind![claim.id, sealed]).await.map(drop)
}

/// A file as the thread shows it.
pub struct Shown {
    pub id: IncomingId,
    pub kind: String,
    pub mime: String,
    pub bytes: u64,
    pub state: State,
    pub why: Option<Why>,
}

/// The files of one person under these eyes, whatever became of them.
pub async fn of(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<Vec<Shown>, StoreError> {
    let values = bind![scope.organisation, scope.coach, candidate];
    tx.all(&OF_CANDIDATE, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Shown {
                id: row.parsed("id")?,
                kind: row.text("kind")?,
                mime: row.text("mime")?,
                bytes: u64::try_from(row.int("bytes")?).map_err(|_| row.corrupt("bytes"))?,
                state: row.word("state", State::parse)?,
                why: row.maybe_text("why")?.as_deref().and_then(Why::parse),
            })
        })
        .collect()
}

/// A kept file, opened.
pub struct File {
    pub kind: String,
    pub found: Type,
    /// Of its message.
    pub marks: String,
    pub at: Timestamp,
    pub bytes: Vec<u8>,
}

/// One file of one person, if both are under these eyes and it is there.
pub async fn file(
    tx: &mut Tx,
    scope: &Scope,
    candidate: CandidateId,
    id: IncomingId,
) -> Result<Option<File>, StoreError> {
    let values = bind![scope.organisation, scope.coach, candidate, id];
    let Some(row) = tx.maybe(&FILE, values).await? else {
        return Ok(None);
    };
    let sealer = tx.sealer(row.parsed("key_id")?).await?;
    let sealed = row.blob("body_sealed")?;
    Ok(Some(File {
        kind: row.text("kind")?,
        found: row.word("mime", Type::parse)?,
        marks: row.text("marks")?,
        at: row.at("at")?,
        bytes: sealer.open("media_files", "body_sealed", &row.text("id")?, &sealed)?,
    }))
}
