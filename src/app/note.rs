//! What a coach writes down: a note that the candidate never sees, and a sign of life that came by
//! phone or in the street. A sign of life ends what was asked because of the silence.

use super::{App, AppError, approve, signs, takeover, trail};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, IncomingId};
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::store::contacts::Person;
use crate::store::notes::{self, Kind, Note};
use crate::store::{Tx, contacts, flags};

pub async fn note(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    text: &str,
) -> Result<(), AppError> {
    let text = approve::clean(text)?;
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let note = Note {
        coach: scope.coach,
        kind: Kind::Note,
        text,
        at: now,
    };
    notes::add(&mut tx, &sealer, app.row_id(now), candidate, &note).await?;
    trail::by_coach(
        app,
        &mut tx,
        scope,
        "note",
        format!("candidate:{candidate}"),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// The person was heard or seen outside this service.
pub async fn sign_of_life(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    alive(app, &mut tx, scope, &person, now).await?;
    trail::by_coach(
        app,
        &mut tx,
        scope,
        "sign_of_life",
        format!("candidate:{candidate}"),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// Writes a sign of life down, and ends what was asked because of the silence.
pub(super) async fn alive(
    app: &App,
    tx: &mut Tx,
    scope: &Scope,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    let candidate = person.candidate.id;
    let sealer = tx.sealer(person.key).await?;
    let note = Note {
        coach: scope.coach,
        kind: Kind::Sign,
        text: String::new(),
        at: now,
    };
    notes::add(tx, &sealer, app.row_id(now), candidate, &note).await?;
    signs::alive(app, tx, person, now).await?;
    contacts::was_answered(tx, candidate);
    contacts::personal_line(tx, candidate).await?;
    let over = [
        Why::SilentTooLong,
        Why::InvitationUnanswered,
        Why::HumanFloor,
        Why::AsksCall,
        Why::AnswerOverdue,
        Why::TeamAnswerOverdue,
    ];
    flags::settle_all(tx, candidate, &over, Some(scope.coach), now);
    Ok(())
}

/// A coach opens a text that is hidden by default: the log says so.
pub async fn opened(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    incoming: IncomingId,
) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    takeover::own(&mut tx, scope, candidate).await?;
    trail::by_coach(
        app,
        &mut tx,
        scope,
        "open",
        format!("incoming:{incoming}"),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}
