//! What the demo's pages know about its people: who has which phone, how they stand, and what was said
//! on it before. Reads only. It stands beside the stage and sees the whole town, so it is for no other
//! page.

use super::{App, AppError, seed, turn};
use crate::domain::access::Scope;
use crate::domain::contact::{AddressKind, CandidateState};
use crate::domain::ids::CandidateId;
use crate::domain::message::{Choice, MessageState};
use crate::domain::talk::state::State;
use crate::domain::time::Timestamp;
use crate::ports::channel::Content;
use crate::store::outbox::{self, Outgoing};
use crate::store::{Tx, addresses, coaches, contacts, pages, plans, talks};

/// Messages of each direction that a phone shows from before.
const BEFORE: u32 = 20;

/// Someone with a phone in the demo.
pub struct Neighbour {
    pub id: CandidateId,
    pub first_name: String,
    pub name: String,
    /// Their number, as the provider knows it.
    pub number: String,
    /// Whom they would be writing to.
    pub coach: String,
    pub standing: Standing,
    pub steps: usize,
    pub done: usize,
}

/// The one thing about a person that the start page tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Left,
    Paused,
    WithCoach,
    Wrote,
    Draft,
    Asked,
    NoConsent,
    NoPlan,
    Steps,
    Unknown,
}

impl Standing {
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Left => "left",
            Standing::Paused => "paused",
            Standing::WithCoach => "with_coach",
            Standing::Wrote => "wrote",
            Standing::Draft => "draft",
            Standing::Asked => "asked",
            Standing::NoConsent => "no_consent",
            Standing::NoPlan => "no_plan",
            Standing::Steps => "steps",
            Standing::Unknown => "unknown",
        }
    }
}

/// Everybody of the demo, in the order in which they came.
pub async fn neighbours(app: &App) -> Result<Vec<Neighbour>, AppError> {
    let mut tx = app.store.read().await?;
    let scope = eyes(app, &mut tx).await?;
    let today = app.now().local_day(app.house(scope.organisation)?.zone);
    let mut found = Vec::new();
    for row in pages::people(&mut tx, &scope).await? {
        let person = turn::person(&mut tx, row.id).await?;
        let sealer = tx.sealer(person.key).await?;
        let addresses = addresses::of(&mut tx, &sealer, row.id).await?;
        let Some(address) = addresses
            .into_iter()
            .find(|it| it.kind == AddressKind::Whatsapp)
        else {
            continue;
        };
        let plan = plans::plan(&mut tx, &sealer, row.id).await?;
        let talk = talks::peek(&mut tx, row.id, &sealer).await?;
        let waits = |message: &Outgoing| message.state == MessageState::Waiting;
        let standing = if person.candidate.state == CandidateState::Left {
            Standing::Left
        } else if person.candidate.state == CandidateState::Unknown {
            Standing::Unknown
        } else if person.paused_until.is_some_and(|until| until >= today) {
            Standing::Paused
        } else if outbox::unsent(&mut tx, row.id).await?.iter().any(waits) {
            Standing::Draft
        } else if matches!(talk.state, State::WithCoach { .. }) {
            Standing::WithCoach
        } else if person.unanswered_since.is_some() {
            Standing::Wrote
        } else if matches!(talk.state, State::Asking { .. }) {
            Standing::Asked
        } else if contacts::consent(&mut tx, row.id).await?.is_empty() {
            Standing::NoConsent
        } else if plan.id.is_none() {
            Standing::NoPlan
        } else {
            Standing::Steps
        };
        let coach = match person.candidate.coach {
            Some(coach) => contacts::coach_name(&mut tx, coach)
                .await?
                .unwrap_or_default(),
            None => String::new(),
        };
        found.push(Neighbour {
            id: row.id,
            first_name: person.candidate.first_name,
            name: row.name.full(),
            number: address.value,
            coach,
            standing,
            steps: plan.tasks.len(),
            done: plan.done().count(),
        });
    }
    found.sort_by_key(|neighbour| neighbour.id);
    Ok(found)
}

/// One message that was on a phone before the demo's process began.
pub struct Told {
    pub mine: bool,
    pub text: String,
    pub choices: Vec<Choice>,
    pub at: Timestamp,
}

/// What was said on this phone until a moment, oldest first.
pub async fn told(app: &App, id: CandidateId, until: Timestamp) -> Result<Vec<Told>, AppError> {
    let mut tx = app.store.read().await?;
    let scope = eyes(app, &mut tx).await?;
    let person = turn::person(&mut tx, id).await?;
    let sealer = tx.sealer(person.key).await?;
    let mut told = Vec::new();
    for row in pages::incoming(&mut tx, &scope, &sealer, id, BEFORE).await? {
        let text = match row.content {
            Content::Text { body } => body,
            Content::Button { label, .. } => label,
            _ => continue,
        };
        told.push(Told {
            mine: true,
            text,
            choices: Vec::new(),
            at: row.at,
        });
    }
    for row in pages::outgoing(&mut tx, &scope, id, BEFORE).await? {
        let Some(at) = row.accepted_at else { continue };
        let forms = outbox::forms(&mut tx, &sealer, row.id).await?;
        let went = usize::try_from(row.form)
            .ok()
            .and_then(|form| forms.get(form));
        told.extend(went.map(|form| Told {
            mine: false,
            text: form.body.shown().to_owned(),
            choices: form.body.choices().to_vec(),
            at,
        }));
    }
    told.retain(|told| told.at <= until);
    told.sort_by_key(|told| (told.at, !told.mine));
    Ok(told)
}

async fn eyes(app: &App, tx: &mut Tx) -> Result<Scope, AppError> {
    let [(_, email), _] = seed::coach_names();
    let coach = coaches::by_email(tx, email)
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(seed::scope(
        app.house(coach.organisation)?,
        coach.id,
        coach.role,
    ))
}
