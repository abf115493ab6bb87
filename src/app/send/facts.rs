//! What the rules must know of a person before a machine speaks to them.

use crate::app::{App, AppError};
use crate::domain::contact::{CandidateState, Purpose};
use crate::domain::ids::CandidateId;
use crate::domain::nudge::{PersonFacts, Room, Standing};
use crate::domain::plan::Subject;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Person};
use crate::store::nudges as ledger;
use crate::store::{Tx, addresses, outbox, plans};

pub(in crate::app) const fn standing(person: &Person) -> Standing {
    match (person.candidate.state, person.paused_until) {
        (CandidateState::Left | CandidateState::Erased, _) => Standing::Left,
        (CandidateState::Unknown, _) => Standing::Unknown,
        (_, Some(until)) => Standing::Paused { until },
        (CandidateState::Active | CandidateState::Paused, None) => Standing::Active,
    }
}

/// What the rules must know of a person before a nudge starts. When its message would leave they look
/// once more, in `verdict`.
pub(in crate::app) async fn facts(
    tx: &mut Tx,
    person: &Person,
    purpose: Purpose,
    now: Timestamp,
) -> Result<PersonFacts, AppError> {
    let candidate = &person.candidate;
    let sealer = tx.sealer(person.key).await?;
    let addresses = addresses::of(tx, &sealer, candidate.id).await?;
    Ok(PersonFacts {
        standing: standing(person),
        consent: contacts::consent(tx, candidate.id)
            .await?
            .contains(&purpose),
        address_usable: addresses.iter().any(|address| address.state.usable()),
        automated_in_row: candidate.automated_in_row,
        in_doubt: outbox::has_doubt(tx, candidate.id).await?,
        accepted: ledger::accepted_since(tx, candidate.id, counted_from(now)).await?,
        room: Room::Leaves(Vec::new()),
    })
}

/// Fetches ahead what `facts` asks beside the person: doubts, and what was accepted lately.
pub(in crate::app) async fn facts_ahead(
    tx: &mut Tx,
    people: &[CandidateId],
    now: Timestamp,
) -> Result<(), AppError> {
    outbox::doubts_ahead(tx, people).await?;
    Ok(ledger::accepted_ahead(tx, people, counted_from(now)).await?)
}

/// The caps look back a week and the hours that a local week may be longer.
pub(super) const fn counted_from(now: Timestamp) -> Timestamp {
    now.plus_days(-8)
}

/// What the meetings of this person mean for a nudge about this.
pub(in crate::app) async fn room_for(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    about: (&str, Subject),
    now: Timestamp,
) -> Result<Room, AppError> {
    let house = app.house(person.organisation)?;
    let meetings = plans::meetings(tx, person.candidate.id).await?;
    let (zone, holidays) = (house.zone, &house.holidays);
    Ok(Room::of(about, &meetings, now, zone, holidays))
}
