//! The exhaustive match from what a talk asks to what the house does. A plan change comes back as an
//! event, for the turn to play.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{App, AppError, meetings, speech, vacancies};
use crate::domain::contact::{CandidateState, DigitalSkill, Purpose};
use crate::domain::ids::{CandidateId, FlowHash};
use crate::domain::message::MessageState;
use crate::domain::nudge::Ended;
use crate::domain::plan::{DoneBy, Subject, Task, TaskState};
use crate::domain::talk::effect::{Act, Because, Effect};
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::{State, Why};
use crate::domain::talk::world::World;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, How, Person};
use crate::store::nudges::{self};
use crate::store::outbox::{self};
use crate::store::sealed::Sealer;
use crate::store::{Tx, exercises, flags, plans};

/// Carries the effects of one step out, in their order; the events that follow from them.
pub async fn apply(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    effects: Vec<Effect>,
    world: &mut World,
    now: Timestamp,
) -> Result<Vec<Event>, AppError> {
    let candidate = person.candidate.id;
    let coach = person.candidate.coach;
    let mut stopped = BTreeSet::new();
    let mut events = Vec::new();
    let mut person = Cow::Borrowed(person);
    for effect in effects {
        match effect {
            Effect::Say(say) => {
                if !speech::speak(app, tx, &person, sealer, &say, world, now).await? {
                    flags::open(
                        tx,
                        app.id(now),
                        candidate,
                        coach,
                        Why::NoForm,
                        say.subject,
                        now,
                    );
                    events.push(Event::Undelivered { said: say.said });
                } else if let (Subject::Vacancy(id), false) = (say.subject, say.direct) {
                    vacancies::answers::asked(tx, &person, id, now);
                }
            }
            Effect::Withdraw { said: Some(said) } => {
                if let Some(message) = outbox::by_said(tx, candidate, said).await? {
                    withdraw(tx, &message, "overtaken", now);
                }
            }
            Effect::Withdraw { said: None } => {
                for message in outbox::unsent(tx, candidate).await? {
                    if message.author.is_none() && stopped.contains(&message.purpose) {
                        withdraw(tx, &message, "stopped", now);
                    }
                }
                if outbox::is_sending(tx, candidate).await? {
                    let id = app.id(now);
                    flags::open(
                        tx,
                        id,
                        candidate,
                        coach,
                        Why::StoppedWhileSending,
                        Subject::Nothing,
                        now,
                    );
                }
            }
            Effect::Do {
                act:
                    act @ (Act::MeetingBook
                    | Act::MeetingDecline
                    | Act::MeetingAgain
                    | Act::MeetingCancel),
                subject,
                slot,
                by,
            } => {
                let asked = meetings::Asked {
                    act,
                    subject,
                    slot,
                    by,
                };
                let more = meetings::carry_out(app, tx, &person, sealer, asked, world, now);
                events.extend(more.await?);
            }
            Effect::Do {
                act, subject, by, ..
            } => {
                events.extend(deed(app, tx, &person, sealer, act, subject, by, world, now).await?);
            }
            Effect::Consent { purpose, given } => {
                let purposes = purpose.map_or_else(|| Purpose::ASKED.to_vec(), |one| vec![one]);
                for purpose in purposes {
                    if !given {
                        stopped.insert(purpose);
                    }
                    let what = (purpose, given, How::Word);
                    contacts::record_consent(tx, app.row_id(now), candidate, what, "whatsapp", now)
                        .await?;
                }
            }
            Effect::TaskDone { number } => {
                if let Some(task) = world.plan.task_numbered(number)
                    && task.state == TaskState::Open
                {
                    events.push(done(tx, &person, task, None, now));
                }
            }
            Effect::TaskLater { number, days } => {
                if let Some(task) = world.plan.task_numbered(number) {
                    later(tx, candidate, task, days, world, now);
                }
            }
            Effect::Language { code } => {
                contacts::set_language(tx, candidate, &code).await?;
                // What follows is said in that language.
                person.to_mut().candidate.language = code;
            }
            Effect::Show { said } => speech::show(app, tx, &person, sealer, said, now).await?,
            Effect::AskCoach { why, subject } => {
                flags::open(tx, app.id(now), candidate, coach, why, subject, now);
                if waits(why) {
                    contacts::waits_for_answer(tx, candidate, now);
                }
            }
            Effect::Close {
                flow,
                subject,
                because,
            } => {
                let ended = match because {
                    Because::Undelivered => Ended::Undelivered,
                    Because::NoAnswer => Ended::Expired,
                    Because::Answered | Because::Overtaken | Because::Refused | Because::Handed => {
                        Ended::Withdrawn
                    }
                };
                if let Some(flow) = world.flows.get(&flow) {
                    nudges::close_run(tx, candidate, (&flow.name, subject), ended, now);
                }
                if let Subject::Vacancy(id) = subject {
                    vacancies::answers::ended(tx, &person, id, because);
                }
            }
        }
    }
    Ok(events)
}

/// The talk's state `Left` and the person's are one fact in two places.
pub async fn left_or_back(
    tx: &mut Tx,
    candidate: CandidateId,
    before: &State,
    after: &State,
) -> Result<(), AppError> {
    let was = matches!(before, State::Left { .. });
    let is = matches!(after, State::Left { .. });
    if is && !was {
        contacts::set_state(tx, candidate, CandidateState::Left).await?;
    }
    if was && !is {
        contacts::set_state(tx, candidate, CandidateState::Active).await?;
    }
    Ok(())
}

/// Does the person expect a human's answer after this?
const fn waits(why: Why) -> bool {
    matches!(
        why,
        Why::SaidSomethingElse
            | Why::AskedForHelp
            | Why::OtherMoment
            | Why::AsksCall
            | Why::Wrote
            | Why::Crisis
            | Why::Threat
            | Why::FormalRequest
            | Why::WantsVacancy
            | Why::NotWell
            | Why::AsksAboutVacancy
            | Why::CalledOff
            | Why::UnknownSender
    )
}

/// Takes back a message that has not left, with its reason.
pub fn withdraw(tx: &mut Tx, message: &outbox::Outgoing, why: &str, now: Timestamp) {
    if message.state.may_become(MessageState::Cancelled) {
        outbox::cancel(tx, message, why);
        nudges::close_message(tx, message.id, Ended::Withdrawn, now);
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a choice's deed needs who, what, by whom and when"
)]
async fn deed(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    act: Act,
    subject: Subject,
    by: FlowHash,
    world: &World,
    now: Timestamp,
) -> Result<Option<Event>, AppError> {
    let candidate = person.candidate.id;
    let task = match subject {
        Subject::Task(id) => world.plan.task(id),
        _ => None,
    };
    let why = match act {
        Act::TaskDone => {
            return match task {
                Some(task) if task.state == TaskState::Open => {
                    Ok(Some(done(tx, person, task, Some(by), now)))
                }
                _ => Ok(None),
            };
        }
        Act::TaskLater { days } => {
            if let Some(task) = task {
                later(tx, candidate, task, days, world, now);
            }
            return Ok(None);
        }
        Act::TaskSmaller => Why::SmallerStep,
        // Carried out in `meetings`.
        Act::MeetingBook | Act::MeetingDecline | Act::MeetingAgain | Act::MeetingCancel => {
            return Ok(None);
        }
        Act::Exercise(name) => {
            return exercised(app, tx, person, &name, now).await.map(|()| None);
        }
        Act::VacancyYes
        | Act::VacancyTooFar
        | Act::VacancyOtherHours
        | Act::VacancyAskCoach
        | Act::Prefers(_) => {
            let Subject::Vacancy(id) = subject else {
                return Ok(None);
            };
            let heard = vacancies::answers::heard(app, tx, person, sealer, &act, id, now).await?;
            match heard {
                Some(why) => why,
                None => return Ok(None),
            }
        }
    };
    flags::open(
        tx,
        app.id(now),
        candidate,
        person.candidate.coach,
        why,
        subject,
        now,
    );
    Ok(None)
}

/// Done exercises before somebody counts as at ease, and before a coach is asked whether they are skilled.
const FOR_BASIC: usize = 3;
const FOR_SKILLED: usize = 5;

/// An exercise is done, once: enough of them raise the digital skill by one rung. What is more than that
/// is the coach's to say.
async fn exercised(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    exercise: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    let (candidate, skill) = (person.candidate.id, person.candidate.digital_skill);
    if !exercises::add(tx, candidate, exercise, now).await? {
        return Ok(());
    }
    let done = exercises::done(tx, candidate).await?.len();
    if done >= FOR_BASIC && skill == DigitalSkill::Starter {
        contacts::set_skill(tx, candidate, DigitalSkill::Basic).await?;
    }
    if done == FOR_SKILLED && skill != DigitalSkill::Skilled {
        flags::open(
            tx,
            app.id(now),
            candidate,
            person.candidate.coach,
            Why::SkillGrown,
            Subject::Nothing,
            now,
        );
    }
    Ok(())
}

fn done(tx: &mut Tx, person: &Person, task: &Task, by: Option<FlowHash>, now: Timestamp) -> Event {
    plans::set_task_state(tx, task, TaskState::Done, Some((now, DoneBy::Candidate)));
    tx.changed(person.candidate.id);
    Event::Changed {
        what: Change::TaskDone,
        subject: Subject::Task(task.id),
        by,
    }
}

/// Some days later than today or than its day, whichever is later. What the ledger still has of the old day has
/// no reason any more.
fn later(
    tx: &mut Tx,
    candidate: CandidateId,
    task: &Task,
    days: u32,
    world: &World,
    now: Timestamp,
) {
    let today = now.local_day(world.zone);
    let from = task.due_on.map_or(today, |due| due.max(today));
    let due = from
        .checked_add_days(chrono::Days::new(u64::from(days)))
        .unwrap_or(from);
    plans::set_due(tx, task, due);
    let subject = Subject::Task(task.id);
    nudges::close_subject(tx, candidate, subject, Ended::Withdrawn, now);
}
