//! Experiments with two wordings: who gets which, and what came of it. Below the number of people that was
//! named beforehand nothing is told (docs/decisions/0023-honest-experiments.md).

use super::{App, AppError};
use crate::domain::experiment::{Arm, Difference, Outcome, Share};
use crate::domain::ids::{CandidateId, MessageId};
use crate::domain::talk::effect::TextKey;
use crate::domain::time::{Timestamp, Tz};
use crate::store::Tx;
use crate::store::experiments::{self, Arrived};
use crate::texts::experiments::SetUp;

/// The wordings of one message.
#[derive(Default)]
pub(super) struct Wordings<'a> {
    /// Texts of which the other wording is said.
    pub others: Vec<TextKey>,
    counted: Vec<(&'a SetUp, Arm)>,
}

/// Which wordings of these texts this person gets. After its last day an experiment changes nothing any more.
pub(super) fn wordings<'a>(
    app: &'a App,
    tx: &Tx,
    candidate: CandidateId,
    texts: &[TextKey],
    (now, zone): (Timestamp, Tz),
) -> Wordings<'a> {
    let today = now.local_day(zone);
    let mut wordings = Wordings::default();
    for key in texts {
        let Some(set_up) = app.experiments.about(key) else {
            continue;
        };
        if set_up.experiment.until < today {
            continue;
        }
        let arm = experiments::arm_of(tx, &set_up.terms, candidate);
        if arm == Arm::Other {
            wordings.others.push(key.clone());
        }
        // The same question asked again is no second trial.
        if matches!(key, TextKey::Node { .. }) {
            wordings.counted.push((set_up, arm));
        }
    }
    wordings
}

impl Wordings<'_> {
    /// Notes them with the message that was just written.
    pub(super) fn note(&self, tx: &mut Tx, message: MessageId, candidate: CandidateId) {
        for (set_up, arm) in &self.counted {
            let of = (set_up.experiment.name.as_str(), set_up.terms.as_str());
            experiments::add(tx, message, candidate, of, *arm);
        }
    }
}

/// What came of one wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Came {
    pub share: Share,
    /// Who withdrew a consent within the days.
    pub stopped: u32,
    /// Messages whose words a coach changed before they left. They count: leaving them out would compare
    /// the people whom a coach knows less well.
    pub edited: u32,
}

/// What an experiment may tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    /// Too few people with at least one of the wordings: nothing, also not how many.
    TooFew,
    Result {
        first: Came,
        other: Came,
        difference: Difference,
        /// Somebody may still get either wording, or still has days to answer.
        runs: bool,
    },
}

/// What came of an experiment, up to now.
pub async fn report(app: &App, set_up: &SetUp) -> Result<Told, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let experiment = &set_up.experiment;
    let arrived = experiments::arrived(&mut tx, &experiment.name, &set_up.terms).await?;
    let days = i64::from(experiment.within_days);
    let [mut first, mut other] = [Came::default(); 2];
    let mut last = None;
    let mut waits = false;
    for one in arrived {
        // The first time only: a person counts once.
        if last.replace(one.candidate) == Some(one.candidate) {
            continue;
        }
        let end = one.accepted_at.plus_days(days);
        if end > now {
            waits = true;
            continue;
        }
        let came = match one.arm {
            Arm::First => &mut first,
            Arm::Other => &mut other,
        };
        count(came, &one, experiment.outcome, end);
    }
    let fewest = first.share.people.min(other.share.people);
    if fewest < experiment.least {
        return Ok(Told::TooFew);
    }
    let open = |zone: Tz| now.local_day(zone) <= experiment.until;
    Ok(Told::Result {
        first,
        other,
        difference: Difference::between(first.share, other.share),
        runs: waits || app.houses.values().any(|house| open(house.zone)),
    })
}

fn count(came: &mut Came, one: &Arrived, outcome: Outcome, end: Timestamp) {
    let within = |at: Option<Timestamp>| at.is_some_and(|at| at <= end);
    let stopped = within(one.stopped_at);
    let hit = match outcome {
        // STOP is an answer that no text should win by.
        Outcome::Answered => within(one.answered_at) && !stopped,
        Outcome::Done => within(one.done_at),
    };
    came.share.people += 1;
    came.share.hits += u32::from(hit);
    came.stopped += u32::from(stopped);
    came.edited += u32::from(one.edited);
}
