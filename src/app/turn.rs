//! A turn: one event handled by one talk. `play` is the only caller of the step, and every event goes
//! through it, in the caller's transaction.

use std::collections::{BTreeSet, VecDeque};

use super::{App, AppError, effects, meetings, signs, slots, vacancies};
use crate::domain::contact::Purpose;
use crate::domain::ids::{CandidateId, VacancyId};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::Effect;
use crate::domain::talk::event::{Change, Event};
use crate::domain::talk::state::{State, Talk, Why};
use crate::domain::talk::step::step;
use crate::domain::talk::world::World;
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Person};
use crate::store::sealed::Sealer;
use crate::store::{Serves, Tx, exercises, flags, nudges, outbox, plans, talks};

/// A plan change among the effects is played as an event of its own; this deep and no deeper.
const DEEP: usize = 8;

/// Moves the talk of this person by an event, and by the plan changes that follow from it.
pub async fn play(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    event: Event,
    now: Timestamp,
) -> Result<(), AppError> {
    let candidate = person.candidate.id;
    let sealer = tx.sealer(person.key).await?;
    let talks::Loaded {
        mut talk,
        mut version,
    } = talks::load(tx, candidate, &sealer).await?;
    let answered = matches!(event, Event::Heard(_));
    let mut events = VecDeque::from([event]);
    let mut played = 0;
    while let Some(event) = events.pop_front() {
        played += 1;
        if played > DEEP {
            let id = app.id(now);
            flags::open(
                tx,
                id,
                candidate,
                person.candidate.coach,
                Why::Stuck,
                Subject::Nothing,
                now,
            );
            break;
        }
        let mut world = world(app, tx, person, &sealer, (&talk, &event), now).await?;
        let about = vacancies::subjects(&talk, &event);
        if !about.is_empty() {
            let house = app.house(person.organisation)?;
            world.open_vacancies = vacancies::fresh(app, tx, house, about, now).await?;
        }
        world.answering = answered && played > 1;
        if app.book.asks_for_exercises(&talk, &event) {
            world.exercised = exercises::done(tx, candidate).await?;
        }
        let before = talk.state.clone();
        let (next, wanted) = step(talk, &event, &world, now);
        effects::left_or_back(tx, candidate, &before, &next.state).await?;
        let agreed = agrees_to_meetings(&world, &wanted);
        let mut more = effects::apply(app, tx, person, &sealer, wanted, &mut world, now).await?;
        if agreed {
            more.extend(meetings::stand(&next, &world.plan, now));
        }
        talks::save(tx, &next, version, &event, &sealer, now);
        version += 1;
        talk = next;
        events.extend(more);
        let alive = match &event {
            Event::Heard(_) => true,
            Event::Changed { what, .. } => *what == Change::SignOfLife,
            _ => false,
        };
        if alive {
            events.extend(signs::needless(app, tx, &before, &talk, now).await?);
        }
    }
    tx.changed(candidate);
    tx.turn_over(&candidate);
    Ok(())
}

/// Does the person agree to hear of meetings with this, who did not before?
fn agrees_to_meetings(world: &World, wanted: &[Effect]) -> bool {
    let agrees = wanted.iter().any(|effect| {
        let Effect::Consent { purpose, given } = effect else {
            return false;
        };
        *given && purpose.is_none_or(|purpose| purpose == Purpose::Meetings)
    });
    agrees && !world.consent.contains(&Purpose::Meetings)
}

/// Fetches ahead what one turn of each of these people asks, in a few statements for all of them. `begun`: the
/// vacancies that some of them are about to hear of.
pub async fn look_ahead(
    tx: &mut Tx,
    candidates: &[CandidateId],
    begun: &[(CandidateId, VacancyId)],
) -> Result<(), AppError> {
    let people = contacts::fetch_ahead(tx, candidates, Serves::OneTurn).await?;
    nudges::policies_ahead(tx, &people.iter().map(|person| person.team).collect()).await?;
    let people: Vec<_> = people
        .iter()
        .map(|person| (person.id, person.key))
        .collect();
    let talks = talks::fetch_ahead(tx, &people).await?;
    let asked: Vec<_> = talks
        .iter()
        .map(|talk| (talk.candidate, question(talk)))
        .collect();
    plans::fetch_ahead(tx, candidates, Serves::OneTurn).await?;
    vacancies::look_ahead(tx, &talks, begun).await?;
    outbox::said_ahead(tx, &asked).await?;
    Ok(outbox::left_ahead(tx, &asked).await?)
}

/// The number of the open question, else of the last thing that was said.
fn question(talk: &Talk) -> u32 {
    talk.front().map_or(talk.said, |(.., said)| said)
}

/// What the step may look at when this event comes, as the database has it now.
pub async fn world(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    sealer: &Sealer,
    (talk, event): (&Talk, &Event),
    now: Timestamp,
) -> Result<World, AppError> {
    let candidate = person.candidate.id;
    let house = app.house(person.organisation)?;
    let plan = plans::plan(tx, sealer, candidate).await?;
    let (flows, newest) = (app.book.flows(), app.book.newest_all());
    let all = (&flows, &newest);
    let (free_slots, older_slots) =
        slots::offered(tx, (person, house.zone), (talk, event), all, &plan, now).await?;
    Ok(World {
        free_slots,
        older_slots,
        plan,
        flows,
        newest,
        consent: contacts::consent(tx, candidate).await?,
        left_up_to: outbox::left_up_to(tx, candidate, question(talk)).await?,
        digital_skill: person.candidate.digital_skill,
        exercised: BTreeSet::new(),
        open_vacancies: BTreeSet::new(),
        answering: false,
        zone: house.zone,
        holidays: house.holidays.clone(),
    })
}

/// The candidate as a turn needs them, or `NotFound`.
pub async fn person(tx: &mut Tx, id: CandidateId) -> Result<Person, AppError> {
    contacts::person(tx, id).await?.ok_or(AppError::NotFound)
}

/// Is there an open question?
pub const fn has_front(talk: &Talk) -> bool {
    matches!(talk.state, State::Asking { .. } | State::Offered { .. })
}
