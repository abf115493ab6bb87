//! Nudges of the ledger whose moment has come: each starts its flow, moves to a later moment, or ends with
//! its reason.

use std::collections::BTreeSet;

use super::{BATCH, Due, begin, each};
use crate::app::{App, AppError, House, look, send};
use crate::domain::ids::CandidateId;
use crate::domain::nudge::{self, Ended, Rule, Standing, Verdict};
use crate::domain::plan::Subject;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::{Run, State, Why};
use crate::domain::time::Timestamp;
use crate::store::nudges::{self, Nudge};
use crate::store::{Serves, Tx, contacts, flags, plans, talks, watch};

/// Due nudges that may go start their flow; the others move, or end with their reason.
pub(super) async fn nudges(app: &App, house: &House) -> Result<usize, AppError> {
    let now = app.now();
    let Some(mut tx) = begin(app).await? else {
        return Ok(0);
    };
    let mut waiting = nudges::waiting(&mut tx, house.id, now, BATCH).await?;
    // Of several of one person the weightiest goes, and the others wait for their day.
    waiting.sort_by_key(|nudge| Rule::parse(&nudge.rule).map(Rule::rank));
    let due = waiting.into_iter().map(|nudge| Due::Nudge(house, nudge));
    each(app, tx, &due.collect::<Vec<_>>(), now).await
}

/// Fetches ahead what `start` looks at.
pub(super) async fn look_ahead(
    tx: &mut Tx,
    people: &[CandidateId],
    now: Timestamp,
) -> Result<(), AppError> {
    contacts::fetch_ahead(tx, people, Serves::Looks).await?;
    plans::fetch_ahead(tx, people, Serves::Looks).await?;
    talks::peeks_ahead(tx, people).await?;
    watch::known_ahead(tx, people).await?;
    send::facts_ahead(tx, people, now).await
}

/// What becomes of a due nudge: it moves, it ends, or its flow starts with this event.
pub(super) async fn start(
    app: &App,
    tx: &mut Tx,
    house: &House,
    nudge: &Nudge,
    spoken: &mut BTreeSet<CandidateId>,
    now: Timestamp,
) -> Result<Option<Event>, AppError> {
    let ends = |tx: &mut Tx, ended: Ended| {
        nudges::close(tx, nudge.id, ended, now);
        Ok(None)
    };
    // Erased while a rule wrote this row.
    let Some(person) = contacts::person(tx, nudge.candidate).await? else {
        return ends(tx, Ended::Withdrawn);
    };
    // A rule that this program no longer knows.
    let Some(rule) = Rule::parse(&nudge.rule) else {
        return ends(tx, Ended::Withdrawn);
    };
    let sealer = tx.sealer(person.key).await?;
    // One of this person's started in this very tick: the ledger moves on by a day, as the caps would.
    if spoken.contains(&nudge.candidate) {
        nudges::move_to(tx, nudge.id, now.plus_days(1));
        return Ok(None);
    }
    let plan = plans::plan(tx, &sealer, nudge.candidate).await?;
    let open = match nudge.subject {
        Subject::Task(id) => plan
            .task(id)
            .is_some_and(|task| nudge::may_ask_of(rule, task, nudge.due_on)),
        Subject::Meeting(id) => plan
            .meeting(id)
            .is_some_and(|meeting| nudge::may_speak_of(rule, meeting, now)),
        Subject::Vacancy(_) | Subject::Nothing => true,
    };
    if !open {
        return ends(tx, Ended::Withdrawn);
    }
    if nudge::expires_at(nudge.written_at(), &app.cadence) < now {
        return ends(tx, Ended::Expired);
    }
    let talk = talks::peek(tx, nudge.candidate, &sealer).await?;
    // Its flow speaks of this very thing already.
    let under_way = |run: &Run| {
        let flow = app.book.flow(&run.flow);
        run.subject == nudge.subject && flow.is_some_and(|flow| flow.name == rule.flow())
    };
    if talk.runs().any(under_way) {
        return ends(tx, Ended::Merged);
    }
    let since = look::since(tx, &person, &talk).await?;
    if let Some(ended) = nudge::overtaken(rule, nudge.written_at(), &since) {
        return ends(tx, ended);
    }
    let mut facts = send::facts(tx, &person, rule.purpose(), now).await?;
    if matches!(talk.state, State::WithCoach { .. }) {
        facts.standing = Standing::WithCoach;
    }
    let about = (rule.as_str(), nudge.subject);
    facts.room = send::room_for(app, tx, &person, about, now).await?;
    let coach = person.candidate.coach;
    match nudge::may_go(&facts, now, house.zone, &app.cadence, &house.holidays) {
        Verdict::Go => {
            let Some(flow) = app.book.newest(rule.flow()) else {
                tracing::error!(flow = rule.flow(), "a rule has no flow: its nudge is held");
                return ends(tx, Ended::Held);
            };
            nudges::started(tx, nudge.id, now);
            spoken.insert(nudge.candidate);
            Ok(Some(Event::Start {
                flow,
                subject: nudge.subject,
            }))
        }
        Verdict::NotBefore(at, _) => {
            nudges::move_to(tx, nudge.id, at);
            Ok(None)
        }
        Verdict::Never(reason) => {
            if reason == nudge::Reason::WithCoach {
                let id = app.id(now);
                flags::open(
                    tx,
                    id,
                    nudge.candidate,
                    coach,
                    Why::NudgeWhileTaken,
                    nudge.subject,
                    now,
                );
            }
            ends(tx, reason.ended())
        }
        Verdict::AskCoachHumanFloor => {
            let id = app.id(now);
            flags::open(
                tx,
                id,
                nudge.candidate,
                coach,
                Why::HumanFloor,
                Subject::Nothing,
                now,
            );
            ends(tx, Ended::Held)
        }
    }
}
