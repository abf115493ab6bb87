//! What coaches write down about a person: notes that the candidate never sees, and signs of life
//! that did not come through a channel.

use super::error::StoreError;
use super::sealed::Sealer;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::{CandidateId, CoachId, RowId};
use crate::domain::time::Timestamp;

statements! {
    ADD = "INSERT INTO notes (id, candidate_id, coach_id, kind, body_sealed, at) VALUES ($1, $2, $3, $4, $5, $6)";
    OF = "SELECT id, coach_id, kind, body_sealed, at FROM notes WHERE candidate_id = $1 ORDER BY at, id";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Note,
    /// The person was heard or seen outside this service.
    Sign,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Kind::Note => "note",
            Kind::Sign => "sign",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Kind::Note, Kind::Sign]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One note, opened.
pub struct Note {
    pub coach: CoachId,
    pub kind: Kind,
    pub text: String,
    pub at: Timestamp,
}

pub async fn add(
    tx: &mut Tx,
    sealer: &Sealer,
    id: RowId,
    candidate: CandidateId,
    note: &Note,
) -> Result<(), StoreError> {
    let sealed = sealer.seal(
        "notes",
        "body_sealed",
        &id.to_string(),
        note.text.as_bytes(),
    );
    tx.changed(candidate);
    tx.run(
        &ADD,
        bind![
            id,
            candidate,
            note.coach,
            note.kind.as_str(),
            sealed,
            note.at
        ],
    )
    .await
    .map(drop)
}

/// All notes about a person, oldest first.
pub async fn of(
    tx: &mut Tx,
    sealer: &Sealer,
    candidate: CandidateId,
) -> Result<Vec<Note>, StoreError> {
    tx.all(&OF, bind![candidate])
        .await?
        .iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(Note {
                coach: row.parsed("coach_id")?,
                kind: row.word("kind", Kind::parse)?,
                text: sealer.open_text("notes", "body_sealed", &id, &row.blob("body_sealed")?)?,
                at: row.at("at")?,
            })
        })
        .collect()
}
