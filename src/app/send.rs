//! Send: choose -> check again -> *sending* -> transport -> outcome. Nothing here tries again by
//! itself: a second attempt is a row in state *retry*, written only after proof of non-acceptance.
//!
//! The loop works in rounds. One commit holds the outcomes that have arrived and the choices of the
//! next round; then the wire. Nobody waits for the slowest.

mod alone;
mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::facts::counted_from;
pub(super) use self::facts::{facts, facts_ahead, room_for, standing};
use super::effects::withdraw;
use super::{App, AppError, outcome, restore, unpanicked, vacancies};
use crate::domain::contact::{CandidateState, Purpose};
use crate::domain::ids::{CandidateId, LineId};
use crate::domain::message::MessageState;
use crate::domain::nudge::{self, PersonFacts, Room};
use crate::domain::talk::effect::Approve;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::domain::window;
use crate::failpoint;
use crate::ports::channel::Outbound;
use crate::ports::transport::Answer;
use crate::store::attempts;
use crate::store::contacts::{self, Person};
use crate::store::nudges as ledger;
use crate::store::outbox::{self, Form, Outgoing};
use crate::store::rounds::{self, Promise, Ready, Way};
use crate::store::{Serves, StoreError, Tx, flags, plans};

/// One attempt on its way: everything the wire and the outcome need.
pub struct Job {
    pub(super) message: Outgoing,
    /// Does the ledger of nudges hold it?
    pub(super) nudge: bool,
    pub(super) person: Person,
    pub(super) forms: Vec<Form>,
    pub(super) position: usize,
    pub(super) attempt: u32,
    pub(super) token: String,
    /// After this nothing may be written to the wire any more: the lease is another's.
    deadline: Instant,
}

/// An attempt with its answer.
pub struct Back {
    pub(super) job: Job,
    pub(super) answer: Answer,
}

/// How many messages left each line in the running second, and for which later second those were put
/// off that did not fit.
#[derive(Default)]
pub struct Rates(Mutex<BTreeMap<LineId, Pace>>);

#[derive(Default)]
struct Pace {
    now: (i64, u32),
    later: (i64, u32),
}

impl Rates {
    /// Takes a place in this second, or says when to ask again: each second is given to as many as fit,
    /// so that a backlog is put off once, not every second anew.
    fn take(&self, line: LineId, now: Timestamp, most: u32) -> Result<(), Timestamp> {
        let second = now.0.div_euclid(1_000_000);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = lines.entry(line).or_default();
        if pace.now.0 != second {
            pace.now = (second, 0);
        }
        if pace.now.1 < most {
            pace.now.1 += 1;
            return Ok(());
        }
        if pace.later.0 <= second {
            pace.later = (second + 1, 0);
        } else if pace.later.1 >= most {
            pace.later = (pace.later.0 + 1, 0);
        }
        pace.later.1 += 1;
        Err(Timestamp(pace.later.0 * 1_000_000))
    }
}

/// Records what came back and chooses what goes next, in one commit; where the rows of one person do not
/// allow that, each message goes alone.
pub async fn round(app: &App, back: &mut Vec<Back>, room: usize) -> Result<Vec<Job>, AppError> {
    match unpanicked(together(app, back, room)).await {
        Err(error) if alone::is_about_rows(&error) => {
            // The key of an erased person is gone, and with it whatever an answer could be written to.
            without_erased(app, back).await?;
            alone::record(app, back).await?;
            alone::chosen(app, room).await
        }
        done => done,
    }
}

/// If the commit's own answer is lost, our attempts are looked up before anything is written to the wire.
async fn together(app: &App, back: &mut Vec<Back>, room: usize) -> Result<Vec<Job>, AppError> {
    let now = app.now();
    let mut tx = app.store.write_in_line().await?;
    let jobs = match written(app, &mut tx, back, room, now).await {
        Ok(jobs) => jobs,
        Err(error) => return Err(tx.taken_back(error).await),
    };
    let committed = tx.commit().await;
    let jobs = match committed {
        Ok(()) => jobs,
        // The outcomes stay in hand and are written again: the fence makes a second writing nothing.
        Err(StoreError::CommitUnknown(why)) => {
            tracing::warn!(%why, "a commit was not confirmed: looking up what became of it");
            return still_ours(app, jobs).await;
        }
        Err(error) => return Err(error.into()),
    };
    if !back.is_empty() {
        failpoint::hit("outcome.after_commit");
    }
    back.clear();
    if !jobs.is_empty() {
        failpoint::hit("choose.after_commit");
    }
    Ok(jobs)
}

async fn written(
    app: &App,
    tx: &mut Tx,
    back: &[Back],
    room: usize,
    now: Timestamp,
) -> Result<Vec<Job>, AppError> {
    if !back.is_empty() {
        outcome::record(app, tx, back, now).await?;
        failpoint::hit("outcome.before_commit");
    }
    let jobs = choose(app, tx, room, now).await?;
    if !jobs.is_empty() {
        failpoint::hit("choose.before_commit");
    }
    Ok(jobs)
}

/// Lets go of the answers about people who were erased.
async fn without_erased(app: &App, back: &mut Vec<Back>) -> Result<(), AppError> {
    let mut tx = app.store.read().await?;
    for at in (0..back.len()).rev() {
        match contacts::person(&mut tx, back[at].job.message.candidate).await {
            Ok(None) => drop(back.remove(at)),
            Err(error) if error.may_pass() => return Err(error.into()),
            Ok(Some(_)) | Err(_) => {}
        }
    }
    Ok(())
}

async fn still_ours(app: &App, jobs: Vec<Job>) -> Result<Vec<Job>, AppError> {
    let mut tx = app.store.read().await?;
    let mut ours = Vec::new();
    for job in jobs {
        let found = attempts::attempt_of(&mut tx, Some(&job.token), "").await?;
        if found == Some((job.message.id, job.attempt)) {
            ours.push(job);
        }
    }
    Ok(ours)
}

/// Carries one attempt over the wire.
#[expect(
    clippy::disallowed_methods,
    reason = "a lease is compared with a clock that never jumps"
)]
pub async fn carry(app: Arc<App>, job: Job) -> Back {
    let begun = Instant::now();
    app.numbers.leaves();
    let answer = match (job.forms.get(job.position), Instant::now() < job.deadline) {
        (Some(form), true) => match app.door_of(form.line) {
            Some((line, door)) => {
                let outbound = Outbound {
                    line: &line.address,
                    to: &form.to,
                    to_kind: form.to_kind,
                    body: &form.body,
                    token: &job.token,
                };
                let envelope = door.channel.encode(&door.endpoint, &outbound);
                app.transport.carry(envelope).await
            }
            None => Answer::NotSent {
                why: "its line is no longer in the settings".into(),
            },
        },
        (None, _) => Answer::NotSent {
            why: "no such form".into(),
        },
        (_, false) => Answer::NotSent {
            why: "woke after the lease ran out".into(),
        },
    };
    let form = job.forms.get(job.position);
    let (channel, outcome) = match form.and_then(|form| app.door_of(form.line)) {
        Some((_, door)) => (
            door.channel.name(),
            outcome::name(&door.channel.outcome(&answer)),
        ),
        None => ("none", "not sent"),
    };
    app.numbers.is_back(channel, outcome, begun.elapsed());
    Back { job, answer }
}

async fn choose(app: &App, tx: &mut Tx, room: usize, now: Timestamp) -> Result<Vec<Job>, AppError> {
    if room == 0 || restore::is_paused(tx).await? {
        return Ok(Vec::new());
    }
    let limit = u32::try_from(room).unwrap_or(64);
    let (mut ready, erased) = rounds::ready(tx, now, limit).await?;
    for message in erased {
        // Erased while somebody was writing to them.
        let (to, at) = (MessageState::Cancelled, message.not_before);
        outbox::change(tx, &message, to, Some("erased"), at).await?;
    }
    // One message in flight a person: the next one waits for the outcome of this one.
    let mut people = BTreeSet::new();
    ready.retain(|ready| people.insert(ready.message.candidate));
    let nudged: Vec<CandidateId> = ready
        .iter()
        .filter(|ready| ready.nudge)
        .map(|ready| ready.message.candidate)
        .collect();
    ledger::accepted_ahead(tx, &nudged, counted_from(now)).await?;
    let stale = vacancies::stale(app, tx, &ready, now).await?;
    // For `room_for`, which asks the same of each.
    let asked = ready
        .iter()
        .filter(|ready| ready.nudge && !stale.contains(&ready.message.id));
    let asked: Vec<CandidateId> = asked.map(|ready| ready.message.candidate).collect();
    plans::meetings_ahead(tx, &asked, Serves::Looks).await?;
    let (mut going, mut later) = (Vec::new(), Vec::new());
    for ready in ready {
        if stale.contains(&ready.message.id) {
            withdraw(tx, &ready.message, "vacancy_gone", now);
            outcome::dropped(app, tx, &ready.message, &ready.person, now).await?;
            continue;
        }
        let (accepted, room) = match ready.nudge {
            true => {
                let about = (ready.message.why.as_str(), ready.message.subject);
                let candidate = ready.message.candidate;
                (
                    ledger::accepted_since(tx, candidate, counted_from(now)).await?,
                    room_for(app, tx, &ready.person, about, now).await?,
                )
            }
            false => (Vec::new(), Room::Leaves(Vec::new())),
        };
        match verdict(app, &ready, (accepted, room), now)? {
            Verdict::Go => going.push(ready),
            Verdict::Later(at, why) => later.push((ready.message, at, why)),
            Verdict::Withdraw(why) => {
                withdraw(tx, &ready.message, why, now);
                outcome::untold(app, tx, &ready.message, &ready.person, now).await?;
                outcome::dropped(app, tx, &ready.message, &ready.person, now).await?;
            }
            Verdict::Expire => {
                outcome::expire(app, tx, &ready.message, &ready.person, now).await?;
            }
        }
    }
    promise(app, tx, going, later, now).await
}

enum Verdict {
    Go,
    Later(Timestamp, &'static str),
    Withdraw(&'static str),
    Expire,
}

/// The last look, on what the transaction that enters *sending* has read: opt-out, pause, doubt, quiet
/// hours, caps and pair rate are checked again whatever was true at approval.
fn verdict(
    app: &App,
    ready: &Ready,
    (accepted, room): (Vec<Timestamp>, Room),
    now: Timestamp,
) -> Result<Verdict, AppError> {
    let (message, person) = (&ready.message, &ready.person);
    let house = app.house(person.organisation)?;
    if message.not_after < now {
        return Ok(Verdict::Expire);
    }
    if let Some(last) = ready.last_started {
        let free = last.plus_seconds(app.limits.pair_seconds);
        if free > now {
            return Ok(Verdict::Later(free, "pair_rate"));
        }
    }
    // A coach's own words wait for nothing else.
    if message.author.is_some() {
        return Ok(Verdict::Go);
    }
    if ready.in_doubt {
        return Ok(Verdict::Later(now.plus_seconds(60), "in_doubt"));
    }
    if message.last_word {
        return Ok(Verdict::Go);
    }
    if message.purpose != Purpose::Reply {
        if person.candidate.state == CandidateState::Left {
            return Ok(Verdict::Withdraw("stopped"));
        }
        if !ready.consent {
            return Ok(Verdict::Withdraw("no_consent"));
        }
    }
    if !ready.nudge {
        return Ok(Verdict::Go);
    }
    let facts = PersonFacts {
        standing: standing(person),
        consent: ready.consent,
        address_usable: ready.usable,
        // What a coach has approved is no automatic message: the human floor does not stop it.
        automated_in_row: match message.approve {
            Approve::Coach => 0,
            Approve::FirstTime | Approve::Auto => person.candidate.automated_in_row,
        },
        in_doubt: ready.in_doubt,
        accepted,
        room,
    };
    // A question that hands over may still be said; that a coach has the talk is the talk's to know.
    match nudge::may_go(&facts, now, house.zone, &app.cadence, &house.holidays) {
        nudge::Verdict::Go => Ok(Verdict::Go),
        nudge::Verdict::NotBefore(at, why) => Ok(Verdict::Later(at, waits_for(why))),
        nudge::Verdict::Never(reason) => Ok(Verdict::Withdraw(reason.as_str())),
        nudge::Verdict::AskCoachHumanFloor => Ok(Verdict::Withdraw("human_floor")),
    }
}

const fn waits_for(why: nudge::Wait) -> &'static str {
    match why {
        nudge::Wait::Quiet => "quiet",
        nudge::Wait::DayFull | nudge::Wait::SevenDaysFull => "cap",
        nudge::Wait::Doubt => "in_doubt",
    }
}

/// Takes for each message the first form that is legal now and promises it to the wire; what has none
/// is held, what finds no room in its line goes later.
async fn promise(
    app: &App,
    tx: &mut Tx,
    going: Vec<Ready>,
    mut later: Vec<(Outgoing, Timestamp, &'static str)>,
    now: Timestamp,
) -> Result<Vec<Job>, AppError> {
    let lease_until = now.plus_seconds(app.limits.lease_seconds);
    let deadline = deadline(app.limits.lease_seconds);
    let mut jobs: Vec<Job> = Vec::with_capacity(going.len());
    let keys: Vec<_> = going
        .iter()
        .map(|ready| (ready.message.id, ready.person.key))
        .collect();
    let mut ways = rounds::ways(tx, &keys).await?;
    for ready in going {
        let message = ready.message;
        let ways = ways.remove(&message.id).unwrap_or_default();
        let Some(position) = legal(&message, &ways, now) else {
            hold(app, tx, &message, &ready.person, now).await?;
            continue;
        };
        let way = &ways[position];
        if way.paused {
            later.push((message, now.plus_seconds(60), "line_paused"));
            continue;
        }
        let line = way.form.line;
        if let Err(at) = app.rates.take(line, now, app.limits.per_line_second) {
            later.push((message, at, "throughput"));
            continue;
        }
        jobs.push(Job {
            attempt: message.attempt + 1,
            message,
            nudge: ready.nudge,
            person: ready.person,
            forms: ways.into_iter().map(|way| way.form).collect(),
            position,
            token: app.chance.token(),
            deadline,
        });
    }
    let later: Vec<_> = later
        .iter()
        .map(|(message, at, why)| (message, *at, *why))
        .collect();
    rounds::put_off(tx, &later).await?;
    let promises: Vec<_> = jobs
        .iter()
        .map(|job| Promise {
            message: &job.message,
            attempt: job.attempt,
            position: job.position,
            token: &job.token,
            lease_until,
        })
        .collect();
    let ours = rounds::to_sending(tx, &promises, now).await?;
    drop(promises);
    jobs.retain(|job| ours.contains(&job.message.id));
    Ok(jobs)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a lease is compared with a clock that never jumps"
)]
fn deadline(lease_seconds: i64) -> Instant {
    Instant::now() + Duration::from_secs(u64::try_from(lease_seconds).unwrap_or(60) / 2)
}

/// The first form that may leave now, from the one on that the message stands at.
fn legal(message: &Outgoing, ways: &[Way], now: Timestamp) -> Option<usize> {
    let first = usize::try_from(message.form).unwrap_or(0);
    (first..ways.len()).find(|at| {
        let Way { form, heard, .. } = &ways[*at];
        form.to_state.usable() && window::may_leave(&form.body, form.to_kind, *heard, now).is_ok()
    })
}

/// No form may leave now: the coach hears it.
async fn hold(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    let until = now.plus_days(30);
    outbox::change(tx, message, MessageState::Held, Some("no_form"), until).await?;
    let (id, coach) = (app.id(now), person.candidate.coach);
    let (why, subject) = (Why::NoForm, message.subject);
    flags::open(tx, id, message.candidate, coach, why, subject, now);
    Ok(())
}
