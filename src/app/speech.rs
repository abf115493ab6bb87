//! A message is written here, once, in every form in which it may leave: which texts, to which address,
//! who must approve.

use super::{App, AppError, absence, experiments, restore, vacancies};
use crate::domain::approval;
use crate::domain::contact::{Address, AddressKind, Purpose};
use crate::domain::ids::{CoachId, LineId, MessageId, SlotId};
use crate::domain::message::{FormBody, MessageState};
use crate::domain::nudge::{self, Room};
use crate::domain::plan::{MeetingMode, MeetingState, Plan, Subject};
use crate::domain::talk::effect::{Approve, Say, Saying};
use crate::domain::talk::world::World;
use crate::domain::time::{Timestamp, Tz, next_allowed};
use crate::store::Tx;
use crate::store::addresses;
use crate::store::contacts::{self, Person};
use crate::store::meetings;
use crate::store::nudges::{self, Nudge};
use crate::store::outbox::{self, Form, New};
use crate::store::sealed::Sealer;
use crate::store::slots;
use crate::texts::context::{Context, MeetingTold, Step};
use crate::texts::moments;

/// Writes the message in every form it may take; false if the person has no address that a line reaches.
pub(super) async fn speak(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    say: &Say,
    world: &World,
    now: Timestamp,
) -> Result<bool, AppError> {
    let candidate = &person.candidate;
    let house = app.house(person.organisation)?;
    let mut context = context(app, tx, person, &world.plan, say.subject, now).await?;
    if ["new_coach", "coach_away"].contains(&nudge::flow_of(&say.rule)) {
        context = context.colleagues(absence::colleagues(tx, house, person).await?);
    }
    let when = (now, house.zone);
    let wordings = experiments::wordings(app, tx, candidate.id, &say.texts, when);
    context = context.in_other_words(wordings.others.iter().cloned());
    let (options, slots): (&[String], &[SlotId]) = match &say.saying {
        Saying::Ask { options, slots } => (options, slots),
        Saying::Tell | Saying::LastWord => (&[], &[]),
    };
    let (slots, over) = labels(tx, slots, house.zone, &candidate.language).await?;
    // Nobody is asked to choose among moments that are all over; an answer goes at once in any case.
    let not_after = match over {
        Some(over) if !say.direct => over.min(say.not_after),
        _ => say.not_after,
    };
    let rendered = app
        .book
        .render(
            &say.texts,
            say.said,
            options,
            &slots,
            &candidate.language,
            &context,
        )
        .map_err(|error| AppError::Text(error.to_string()))?;
    let bodies: Vec<FormBody> = std::iter::once(rendered.whatsapp)
        .chain(rendered.template)
        .collect();
    let forms = forms(app, tx, person, sealer, &bodies).await?;
    if forms.is_empty() {
        return Ok(false);
    }
    let rule = say.rule.as_str();
    let meetings = &world.plan.meetings;
    let about = (rule, say.subject);
    let room = Room::of(about, meetings, now, house.zone, &house.holidays);
    let floor_reached = !say.direct
        && room != Room::Agreed
        && candidate.automated_in_row >= app.cadence.human_floor.get();
    let policy = nudges::policy(tx, person.team, rule).await?;
    let by_itself = say.direct || say.saying == Saying::LastWord;
    let first_time = policy.unwrap_or(say.approve) == Approve::FirstTime;
    let approve = approval::approval_for(
        Some(say.approve),
        by_itself,
        policy,
        candidate.by_hand && say.saying != Saying::LastWord,
        floor_reached,
        first_time && nudges::approved_before(tx, candidate.id, rule).await?,
    );
    let eyes = restore::eyes(tx, now).await?;
    let approve = match eyes.must_look(by_itself) {
        true => Approve::Coach,
        false => approve,
    };
    let state = if approve == Approve::Auto {
        MessageState::Approved
    } else {
        MessageState::Waiting
    };
    let not_before = if say.direct {
        now
    } else {
        next_allowed(now, house.zone, &app.cadence.quiet, &house.holidays)
    };
    let id: MessageId = app.id(now);
    outbox::add(
        tx,
        sealer,
        &New {
            id,
            candidate: candidate.id,
            said: Some(say.said),
            author: None,
            purpose: say.purpose,
            subject: say.subject,
            why: say.rule.clone(),
            state,
            state_why: floor_reached.then(|| "human_floor".to_owned()),
            approve,
            last_word: say.saying == Saying::LastWord,
            not_before,
            not_after,
            forms,
        },
        now,
    );
    wordings.note(tx, id, candidate.id);
    if !say.direct {
        let today = now.local_day(house.zone);
        let nudge = Nudge {
            id: app.id(now),
            candidate: candidate.id,
            rule: say.rule.clone(),
            subject: say.subject,
            due_on: today,
            due_at: now,
        };
        nudges::said(tx, id, &nudge);
    }
    Ok(true)
}

/// The moments of an offer with their labels, in the order in which they were offered: the same digit
/// must mean the same moment as before, also when somebody took it meanwhile. And when the last of them begins.
async fn labels(
    tx: &mut Tx,
    offered: &[SlotId],
    zone: Tz,
    language: &str,
) -> Result<(Vec<(SlotId, String)>, Option<Timestamp>), AppError> {
    if offered.is_empty() {
        return Ok((Vec::new(), None));
    }
    let known = slots::these(tx, offered).await?;
    let label = |id: &SlotId| {
        let at = known.get(id).map(|slot| slot.starts_at.local(zone));
        at.map(|at| (*id, moments::brief(at.naive_local(), language)))
    };
    let over = known.values().map(|slot| slot.starts_at).max();
    Ok((offered.iter().filter_map(label).collect(), over))
}

/// Every form in which these bodies may leave: the person's best address first, each body in order.
pub async fn forms(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    bodies: &[FormBody],
) -> Result<Vec<Form>, AppError> {
    let mut addresses = addresses::of(tx, sealer, person.candidate.id).await?;
    // Proven before believed; what was heard last first; a number before a user id.
    addresses.retain(|address| address.state.usable());
    addresses.sort_by_key(|address| {
        (
            address.state,
            std::cmp::Reverse(address.heard_at),
            address.kind,
        )
    });
    let lines: Vec<LineId> = app
        .lines_of(person.organisation)
        .map(|(line, _)| line.id)
        .collect();
    let mut forms = Vec::new();
    let reached = addresses
        .iter()
        .find(|address| matches!(address.kind, AddressKind::Whatsapp | AddressKind::Bsuid));
    if let Some(address) = reached
        && let Some(line) = line_for(tx, person, address, &lines).await?
    {
        for body in bodies {
            forms.push(Form {
                line,
                address: address.id,
                to_kind: address.kind,
                to: address.value.clone(),
                to_state: address.state,
                body: body.clone(),
                units: 1,
            });
        }
    }
    Ok(forms)
}

/// The line on which this address was heard last, else the organisation's first.
async fn line_for(
    tx: &mut Tx,
    person: &Person,
    address: &Address,
    lines: &[LineId],
) -> Result<Option<LineId>, AppError> {
    let heard = addresses::windows(tx, person.candidate.id)
        .await?
        .into_iter()
        .filter(|(line, heard, _)| *heard == address.id && lines.contains(line))
        .max_by_key(|(_, _, at)| *at)
        .map(|(line, ..)| line);
    Ok(heard.or_else(|| lines.first().copied()))
}

/// A coach as texts name them; nobody is empty.
async fn first_name_of(tx: &mut Tx, coach: Option<CoachId>) -> Result<String, AppError> {
    let name = match coach {
        Some(coach) => contacts::coach_name(tx, coach).await?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(name.split(' ').next().unwrap_or_default().to_owned())
}

/// What texts may say to this person about this subject.
pub async fn context(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    plan: &Plan,
    subject: Subject,
    now: Timestamp,
) -> Result<Context, AppError> {
    let house = app.house(person.organisation)?;
    let own_coach = first_name_of(tx, person.candidate.coach).await?;
    let step = |task: &crate::domain::plan::Task| Step {
        number: task.number,
        title: task.title.clone(),
    };
    let task = match subject {
        Subject::Task(id) => plan.task(id).map(step),
        _ => None,
    };
    let next = plan
        .meetings
        .iter()
        .filter(|meeting| meeting.state == MeetingState::Booked && meeting.starts_at > Some(now))
        .min_by_key(|meeting| meeting.starts_at);
    let about = match subject {
        Subject::Meeting(id) => meetings::meeting(tx, id).await?,
        _ => None,
    };
    let about = about.filter(|row| row.candidate == person.candidate.id);
    let meeting = match subject {
        // What was called off stands in no plan.
        Subject::Meeting(id) => plan.meeting(id).or_else(|| {
            let off = about.as_ref().map(|row| &row.meeting);
            off.filter(|meeting| meeting.state == MeetingState::Cancelled)
        }),
        _ => next,
    };
    // Whom the person meets. An invitation is their own coach's, whoever was to be met before.
    let met = about.as_ref().filter(|row| {
        let other = Some(row.coach) != person.candidate.coach;
        other && meeting.is_some_and(|meeting| meeting.state != MeetingState::Proposed)
    });
    let met = match met {
        Some(row) => Some(first_name_of(tx, Some(row.coach)).await?),
        None => None,
    };
    // Only with a picture there is something that people do together; the others need no more than a place.
    let do_together = match meeting {
        Some(meeting) if meeting.mode == MeetingMode::Video => {
            let sealer = tx.sealer(person.key).await?;
            let found = match &about {
                Some(row) => Some(row.clone()),
                None => meetings::meeting(tx, meeting.id).await?,
            };
            found.map(|row| row.task(&sealer)).transpose()?
        }
        _ => None,
    };
    let meeting = meeting.map(|meeting| MeetingTold {
        starts_at: meeting
            .starts_at
            .map(|at| at.local(house.zone).naive_local()),
        place: meeting.place.clone(),
        mode: Some(meeting.mode),
        task: do_together.unwrap_or_default(),
    });
    let vacancy = match subject {
        Subject::Vacancy(id) => vacancies::told::told(tx, person, id).await?,
        _ => None,
    };
    Ok(
        Context::new(&person.candidate.first_name, &own_coach, &house.name)
            .met_by(met)
            .about(task)
            .steps(
                plan.open().map(step).collect(),
                plan.done().map(step).collect(),
            )
            .meeting(meeting.unwrap_or_default())
            .vacancy(vacancy),
    )
}

/// An announcement was opened: the text that stood behind it goes as a direct answer.
pub(super) async fn show(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    said: u32,
    now: Timestamp,
) -> Result<(), AppError> {
    let Some(message) = outbox::by_said(tx, person.candidate.id, said).await? else {
        return Ok(());
    };
    let forms = outbox::forms(tx, sealer, message.id).await?;
    let text: Vec<Form> = forms
        .into_iter()
        .filter(|form| !matches!(form.body, FormBody::Template(_)))
        .collect();
    if text.is_empty() {
        return Ok(());
    }
    let (state, approve) = match restore::eyes(tx, now).await?.must_look(true) {
        true => (MessageState::Waiting, Approve::Coach),
        false => (MessageState::Approved, Approve::Auto),
    };
    outbox::add(
        tx,
        sealer,
        &New {
            id: app.id(now),
            candidate: person.candidate.id,
            said: None,
            author: None,
            purpose: Purpose::Reply,
            subject: message.subject,
            why: message.why,
            state,
            state_why: None,
            approve,
            last_word: false,
            not_before: now,
            not_after: now.plus_days(1),
            forms: text,
        },
        now,
    );
    Ok(())
}
