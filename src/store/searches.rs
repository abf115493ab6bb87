//! What people look for: one sealed row a person. There is no index of its words, on purpose: who holds the
//! database without the keys learns that somebody looks for work, and nothing about which
//! (docs/decisions/0020-vacancies.md).

use super::Serves;
use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, KeyId, OrganisationId};
use crate::domain::matching::Search;

statements! {
    OF = "SELECT body_sealed, version FROM searches WHERE candidate_id = $1";
    OF_MANY = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT s.candidate_id, s.body_sealed, s.version FROM want w CROSS JOIN searches s WHERE s.candidate_id = w.id" };
    PUT = "INSERT INTO searches (candidate_id, body_sealed, version) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
    SAVE = "UPDATE searches SET body_sealed = $2, version = version + 1 WHERE candidate_id = $1 AND version = $3";
    PIECE = "SELECT s.candidate_id, s.body_sealed, s.version, c.key_id FROM searches s CROSS JOIN candidates c WHERE s.candidate_id > $2 AND c.id = s.candidate_id AND c.organisation_id = $1 AND c.state = 'active' ORDER BY s.candidate_id LIMIT $3";
}

const TABLE: &str = "searches";
const COLUMN: &str = "body_sealed";

/// A search with its row's version, for saving it back.
pub struct Kept {
    pub candidate: CandidateId,
    pub search: Search,
    pub version: i64,
}

/// What this person looks for; `None` if nobody ever said.
pub async fn of(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
) -> Result<Option<Kept>, StoreError> {
    let rows = tx
        .rows_of(&OF, candidate.to_string(), bind![candidate])
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let sealed = row.blob(COLUMN)?;
    Ok(Some(Kept {
        candidate,
        search: sealer.open_json(TABLE, COLUMN, &candidate.to_string(), &sealed)?,
        version: row.int("version")?,
    }))
}

/// Saves a search over the version that was read (`None`: there was none); `Stale` if it changed meanwhile.
/// The version that it has now.
pub async fn save(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
    search: &Search,
    version: Option<i64>,
) -> Result<i64, StoreError> {
    let sealed = sealer.seal_json(TABLE, COLUMN, &candidate.to_string(), search);
    tx.changed(candidate);
    match version {
        None => tx.save(&PUT, bind![candidate, sealed]).await.map(|()| 0),
        Some(version) => tx
            .save(&SAVE, bind![candidate, sealed, version])
            .await
            .map(|()| version + 1),
    }
}

/// Fetches ahead the searches of these people, for one turn of each.
pub async fn fetch_ahead(tx: &mut Tx, people: &[CandidateId]) -> Result<(), StoreError> {
    let keys = people.iter().map(|id| (id.to_string(), bind![id]));
    let keys = keys.collect();
    tx.fetch_ahead(&OF_MANY, &OF, "candidate_id", keys, Serves::OneTurn)
        .await
}

/// The next searches of an organisation's active people, opened, and where to go on; `None`: that was all.
/// One that cannot be opened is left out and said in the log by its id.
pub async fn piece(
    tx: &mut Tx,
    organisation: OrganisationId,
    after: Option<CandidateId>,
    limit: u32,
) -> Result<(Vec<Kept>, Option<CandidateId>), StoreError> {
    let from = after.map_or_else(String::new, |id| id.to_string());
    let rows = tx.all(&PIECE, bind![organisation, from, limit]).await?;
    let keys: Vec<KeyId> = rows
        .iter()
        .map(|row| row.parsed("key_id"))
        .collect::<Result<_, _>>()?;
    tx.open_keys(&keys).await?;
    let (mut kept, mut last) = (Vec::with_capacity(rows.len()), None);
    for (row, key) in rows.iter().zip(keys) {
        let candidate: CandidateId = row.parsed("candidate_id")?;
        last = Some(candidate);
        let sealer = tx.sealer(key).await?;
        match sealer.open_json(TABLE, COLUMN, &candidate.to_string(), &row.blob(COLUMN)?) {
            Ok(search) => kept.push(Kept {
                candidate,
                search,
                version: row.int("version")?,
            }),
            Err(error) => tracing::error!(%error, "a search cannot be opened"),
        }
    }
    let whole = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    Ok((kept, last.filter(|_| whole)))
}
