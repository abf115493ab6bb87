//! Fills an empty database with the made-up people of the demo. What happened before the demo begins is played through the same verbs as everything after it.

mod offers;
mod people;

use std::collections::BTreeMap;

use chrono::Days;

use self::people::{ACTORS, Actor, COACHES, Deed, Scene, Step};
use super::{App, AppError, House, opt_in, outcome, sign_in, takeover, turn};
use crate::domain::access::{Role, Scope};
use crate::domain::contact::{AddressKind, AddressState, CandidateState, Purpose};
use crate::domain::ids::{CandidateId, CoachId, LineId};
use crate::domain::message::MessageState;
use crate::domain::plan::{Subject, Task, TaskState};
use crate::domain::talk::event::Event;
use crate::domain::time::{Timestamp, add_working_days, local_moment};
use crate::domain::window;
use crate::ports::channel::{Content, Heard, ReceiptKind, Sender};
use crate::store::attempts;
use crate::store::contacts::{self, How, NewCandidate, Person};
use crate::store::outbox::{self, Outgoing};
use crate::store::sealed::Sealer;
use crate::store::{Tx, addresses, coaches, plans, talks};

/// The password of both coaches; the start page shows it.
pub const PASSWORD: &str = "samen-vooruit-2026";

/// Fills the database, unless it has been filled before.
pub async fn seed(app: &App, now: Timestamp) -> Result<(), AppError> {
    let house = app.houses.values().next().ok_or(AppError::NotFound)?;
    let (line, _) = app.lines_of(house.id).next().ok_or(AppError::NotFound)?;
    let line = line.id;
    let hash = sign_in::hash_password(app.chance.as_ref(), PASSWORD)?;
    let mut tx = app.store.write().await?;
    if coaches::by_email(&mut tx, COACHES[0].1).await?.is_some() {
        return Ok(tx.rollback().await?);
    }
    let mut scopes = Vec::new();
    for (name, email, leads) in COACHES {
        let role = if leads { Role::Lead } else { Role::Coach };
        scopes.push(coach(app, &mut tx, house, (name, email, role), &hash, now).await?);
    }
    let mut later = Vec::new();
    let mut everybody = BTreeMap::new();
    for actor in &ACTORS {
        let scope = scopes.get(actor.coach).ok_or(AppError::NotFound)?;
        let stage = Stage {
            app,
            house,
            line,
            scope,
        };
        let candidate = stage.enter(&mut tx, actor, now).await?;
        everybody.insert(actor.first, (actor.coach, candidate));
        for scene in actor.story {
            match scene.what {
                Deed::TakenOver(words) => later.push((scope, candidate, words)),
                _ => stage.play(&mut tx, candidate, actor, scene, now).await?,
            }
        }
    }
    tx.commit().await?;
    for (scope, candidate, words) in later {
        takeover::take_over(app, scope, candidate).await?;
        takeover::write(app, scope, candidate, words, None).await?;
    }
    offers::open(app, house, &scopes, &everybody, now).await
}

/// Both coaches, with the address under which they sign in.
pub fn coach_names() -> [(&'static str, &'static str); 2] {
    COACHES.map(|(name, email, _)| (name, email))
}

pub(super) fn scope(house: &House, coach: CoachId, role: Role) -> Scope {
    let teams = house.teams.iter().map(|(team, _)| *team).collect();
    Scope {
        organisation: house.id,
        coach,
        teams,
        role,
    }
}

async fn coach(
    app: &App,
    tx: &mut Tx,
    house: &House,
    (name, email, role): (&str, &str, Role),
    password_hash: &str,
    now: Timestamp,
) -> Result<Scope, AppError> {
    let id: CoachId = app.id(now);
    let scope = scope(house, id, role);
    let teams: Vec<_> = scope.teams.iter().copied().collect();
    coaches::add(
        tx,
        &coaches::NewCoach {
            id,
            organisation: house.id,
            email,
            name,
            role,
            password_hash,
            language: "nl",
            teams: &teams,
        },
        now,
    )
    .await?;
    Ok(scope)
}

/// Where one person's story is played.
struct Stage<'a> {
    app: &'a App,
    house: &'a House,
    line: LineId,
    scope: &'a Scope,
}

impl Stage<'_> {
    /// The person with address, consent and plan.
    async fn enter(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<CandidateId, AppError> {
        let app = self.app;
        let (team, _) = self.house.teams.first().ok_or(AppError::NotFound)?;
        // They came some weeks ago, one after the other.
        let came = now.plus_days(-30).plus_seconds(number_of(actor));
        let id: CandidateId = app.id(came);
        let key = contacts::add(
            tx,
            &NewCandidate {
                id,
                organisation: self.house.id,
                team: *team,
                coach: Some(self.scope.coach),
                first_name: actor.first,
                family_name: actor.family,
                language: actor.language,
                digital_skill: actor.skill,
                track: actor.track,
                state: CandidateState::Active,
                reference: Some(actor.number),
            },
            came,
        )
        .await?;
        let sealer = tx.sealer(key).await?;
        let address = (
            app.id(came),
            AddressKind::Whatsapp,
            actor.number,
            AddressState::Proven,
        );
        addresses::add(tx, &sealer, id, address, Some(came)).await?;
        if actor.consent {
            for purpose in Purpose::ASKED {
                let given = (purpose, true, How::Qr);
                contacts::record_consent(tx, app.row_id(came), id, given, "whatsapp", came).await?;
            }
        }
        if !actor.goal.is_empty() {
            self.plan(tx, &sealer, id, actor, (came, now)).await?;
        }
        Ok(id)
    }

    async fn plan(
        &self,
        tx: &mut Tx,
        sealer: &Sealer,
        candidate: CandidateId,
        actor: &Actor,
        (came, now): (Timestamp, Timestamp),
    ) -> Result<(), AppError> {
        let today = now.local_day(self.house.zone);
        let plan = self.app.id(came);
        let started = came.local_day(self.house.zone);
        plans::add(tx, sealer, plan, candidate, actor.goal, started, None).await?;
        for (number, (title, step)) in (1..).zip(actor.steps) {
            // What a story ticks off is open until it does.
            let ticked = actor.story.iter().any(
                |scene| matches!(scene.what, Deed::Asked { step } if step == number && scene.days > 0),
            );
            let (done_at, due_on) = match *step {
                Step::Done(days) => (
                    Some(now.plus_days(-days)),
                    today.checked_sub_days(Days::new(days.unsigned_abs())),
                ),
                Step::Due(days) => (
                    None,
                    Some(add_working_days(today, days, &self.house.holidays)),
                ),
                Step::Someday => (None, None),
            };
            let done_at = done_at.filter(|_| !ticked);
            let task = Task {
                id: self.app.id(came),
                number,
                title: (*title).to_owned(),
                state: if done_at.is_some() {
                    TaskState::Done
                } else {
                    TaskState::Open
                },
                due_on,
                done_at,
                version: 0,
            };
            plans::add_task(tx, sealer, plan, candidate, &task).await?;
        }
        Ok(())
    }

    /// One scene, with everything that followed from it at once.
    async fn play(
        &self,
        tx: &mut Tx,
        candidate: CandidateId,
        actor: &Actor,
        scene: &Scene,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let today = now.local_day(self.house.zone);
        let day = today
            .checked_sub_days(Days::new(scene.days.unsigned_abs()))
            .unwrap_or(today);
        let at = local_moment(day, scene.at.0, scene.at.1, self.house.zone).min(now);
        let person = turn::person(tx, candidate).await?;
        match scene.what {
            Deed::Says(words) => {
                self.hear(
                    tx,
                    actor,
                    Content::Text {
                        body: words.to_owned(),
                    },
                    at,
                )
                .await?;
            }
            Deed::Taps { choice, label } => {
                let sealer = tx.sealer(person.key).await?;
                let said = talks::peek(tx, candidate, &sealer).await?.said;
                let payload = format!("{said}:{choice}");
                let tap = Content::Button {
                    payload,
                    label: label.to_owned(),
                };
                self.hear(tx, actor, tap, at).await?;
            }
            Deed::Asked { step } => {
                let sealer = tx.sealer(person.key).await?;
                let plan = plans::plan(tx, &sealer, candidate).await?;
                let task = plan.task_numbered(step).ok_or(AppError::NotFound)?;
                let flow = self
                    .app
                    .book
                    .newest("task_nudge")
                    .ok_or_else(|| AppError::Text("no flow task_nudge".into()))?;
                let start = Event::Start {
                    flow,
                    subject: Subject::Task(task.id),
                };
                turn::play(self.app, tx, &person, start, at).await?;
            }
            Deed::Paused { days } => {
                let until = today.checked_add_days(Days::new(days));
                contacts::pause(tx, candidate, until).await?;
            }
            Deed::TakenOver(_) => {}
        }
        self.carry(tx, &person, at).await
    }

    async fn hear(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        content: Content,
        at: Timestamp,
    ) -> Result<(), AppError> {
        let heard = Heard {
            provider_id: self.app.chance.token(),
            from: Sender {
                number: Some(actor.number.to_owned()),
                user_id: None,
                name: Some(actor.first.to_owned()),
            },
            at,
            content,
            quotes: None,
            forwarded: false,
        };
        opt_in::heard(self.app, tx, self.line, &heard, &mut BTreeMap::new(), at).await
    }

    /// What was to be sent at this moment was approved, went, arrived and was read.
    async fn carry(&self, tx: &mut Tx, person: &Person, at: Timestamp) -> Result<(), AppError> {
        let candidate = person.candidate.id;
        let sealer = tx.sealer(person.key).await?;
        while let Some(message) = ready(outbox::unsent(tx, candidate).await?) {
            let message = self.approved(tx, message, at).await?;
            let forms = outbox::forms(tx, &sealer, message.id).await?;
            let windows = addresses::windows(tx, candidate).await?;
            let goes = forms.iter().position(|form| {
                let heard = windows
                    .iter()
                    .find(|(line, address, _)| *line == form.line && *address == form.address)
                    .map(|(.., heard)| *heard);
                window::may_leave(&form.body, form.to_kind, heard, at).is_ok()
            });
            let Some(form) = goes.and_then(|form| u32::try_from(form).ok()) else {
                return Err(AppError::No { why: "window_shut" });
            };
            let token = self.app.chance.token();
            let lease = at.plus_seconds(self.app.limits.lease_seconds);
            let attempt = attempts::to_sending(tx, &message, form, &token, lease, at).await?;
            let ended = attempts::Ended {
                message: message.id,
                candidate,
                attempt,
                state: MessageState::Accepted,
                why: None,
                code: None,
                provider_id: Some(&token),
                not_before: at,
                form,
            };
            attempts::ended(tx, &sealer, &ended, at).await?;
            attempts::fact(tx, message.id, ReceiptKind::Delivered, at);
            attempts::fact(tx, message.id, ReceiptKind::Read, at.plus_seconds(60));
            outcome::accepted(self.app, tx, &message, person, at).await?;
        }
        Ok(())
    }

    async fn approved(
        &self,
        tx: &mut Tx,
        message: Outgoing,
        at: Timestamp,
    ) -> Result<Outgoing, AppError> {
        if message.state == MessageState::Approved {
            return Ok(message);
        }
        outbox::change(tx, &message, MessageState::Approved, None, at).await?;
        let approval = outbox::Approval {
            id: self.app.row_id(at),
            message: message.id,
            coach: self.scope.coach,
            verb: "approve",
            content_hash: &message.content_hash,
            act: None,
        };
        outbox::add_approval(tx, &approval, at).await?;
        outbox::message(tx, message.id)
            .await?
            .ok_or(AppError::NotFound)
    }
}

fn ready(unsent: Vec<Outgoing>) -> Option<Outgoing> {
    unsent.into_iter().find(|message| {
        matches!(
            message.state,
            MessageState::Waiting | MessageState::Approved
        )
    })
}

fn number_of(actor: &Actor) -> i64 {
    actor
        .number
        .get(9..)
        .and_then(|end| end.parse().ok())
        .unwrap_or_default()
}
