//! Free moments: what a turn may offer, and how coaches make and withdraw them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{App, AppError, trail};
use crate::domain::access::Scope;
use crate::domain::flow::definition::Flow;
use crate::domain::ids::{FlowHash, RowId, SlotId, TeamId};
use crate::domain::plan::{MeetingMode, Plan};
use crate::domain::series::Series;
use crate::domain::slots::{self as rules, OFFER_AHEAD_SECONDS, OFFER_DAYS, Slot, Wanted};
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Talk;
use crate::domain::time::{Timestamp, Tz};
use crate::store::Tx;
use crate::store::contacts::Person;
use crate::store::slots::{self, NewSlot, SlotRow};

/// Moments that one form makes at most.
const MOST: usize = 400;
/// People in one moment at most.
pub const MOST_CAPACITY: u32 = 50;

/// The moments that a step may offer now, best first, and those of older questions that it may still give
/// away; without a question about moments in reach of this event none, and nothing is read.
pub(super) async fn offered(
    tx: &mut Tx,
    (person, zone): (&Person, Tz),
    (talk, event): (&Talk, &Event),
    (flows, newest): (&BTreeMap<FlowHash, Arc<Flow>>, &BTreeMap<String, FlowHash>),
    plan: &Plan,
    now: Timestamp,
) -> Result<(Vec<SlotId>, Vec<SlotId>), AppError> {
    let subjects = rules::needed_by(talk, event, flows, newest, plan, now);
    if subjects.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let wanted = Wanted::of(person.candidate.coach, &subjects, plan);
    let free = wanted.to_offer(free(tx, (person.team, zone), wanted, now).await?);
    let ids: Vec<SlotId> = free.iter().map(|slot| slot.id).collect();
    let mut asked: Vec<SlotId> = talk.runs().flat_map(|run| run.offered.clone()).collect();
    asked.retain(|id| !ids.contains(id));
    let from = now.plus_seconds(rules::TAKE_AHEAD_SECONDS);
    let older = slots::still_free(tx, &asked, from, zone).await?;
    Ok((ids, older))
}

/// What is free for somebody of this team who wants this, best first; several coaches at one time too.
pub async fn free(
    tx: &mut Tx,
    of: (TeamId, Tz),
    wanted: Wanted,
    now: Timestamp,
) -> Result<Vec<Slot>, AppError> {
    let from = now.plus_seconds(OFFER_AHEAD_SECONDS);
    let found = slots::free(tx, of, from, now.plus_days(OFFER_DAYS)).await?;
    Ok(wanted.in_order(found))
}

/// What a coach opens with one form.
pub struct Opening {
    pub team: TeamId,
    pub series: Series,
    pub mode: MeetingMode,
    /// The address, or for video the link.
    pub place: String,
    pub capacity: u32,
}

/// Makes the moments of a series, each where this coach offers none yet; how many that were.
pub async fn open(app: &App, scope: &Scope, opening: &Opening) -> Result<usize, AppError> {
    if !scope.teams.contains(&opening.team) {
        return Err(AppError::NotFound);
    }
    let place = place(opening.mode, &opening.place)?;
    if !(1..=MOST_CAPACITY).contains(&opening.capacity) {
        return Err(AppError::No {
            why: "slot_numbers",
        });
    }
    let now = app.now();
    let house = app.house(scope.organisation)?;
    let mut moments = opening.series.moments(house.zone, &house.holidays);
    if moments.is_empty() || moments.len() > MOST {
        return Err(AppError::No {
            why: "slot_numbers",
        });
    }
    moments.retain(|(from, _)| *from > now);
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return Err(AppError::No { why: "past" });
    };
    let (first, last) = (first.0.plus_days(-1), last.1);
    let mut tx = app.store.write().await?;
    let there = slots::of_coach(&mut tx, scope.coach, first, last).await?;
    let overlaps = |(from, to): &(Timestamp, Timestamp)| {
        let mut open = there.iter().filter(|slot| slot.open);
        open.any(|slot| slot.starts_at < *to && slot.ends_at > *from)
    };
    moments.retain(|moment| !overlaps(moment));
    let series: Option<RowId> = (moments.len() > 1).then(|| app.row_id(now));
    let new: Vec<NewSlot> = moments
        .into_iter()
        .map(|(starts_at, ends_at)| NewSlot {
            slot: Slot {
                id: app.id(now),
                coach: scope.coach,
                mode: opening.mode,
                starts_at,
                ends_at,
                place: place.clone(),
                capacity: opening.capacity,
                taken: 0,
                open: true,
                version: 0,
            },
            organisation: scope.organisation,
            team: opening.team,
            series,
            reference: None,
        })
        .collect();
    let made = new.len();
    if made > 0 {
        slots::add(&mut tx, new).await?;
        let object = format!("team:{}", opening.team);
        trail::by_coach(app, &mut tx, scope, "slots_open", object, now).await?;
    }
    tx.commit().await?;
    Ok(made)
}

/// Offers this moment to nobody any more. A meeting in it stays: to call that off is a verb of its own.
pub async fn withdraw(app: &App, scope: &Scope, slot: SlotId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let row = own(&mut tx, scope, slot).await?;
    if !row.slot.open {
        return Err(AppError::Overtaken {
            what: "slot_withdrawn",
        });
    }
    slots::withdraw(&mut tx, slot).await?;
    let object = format!("slot:{slot}");
    trail::by_coach(app, &mut tx, scope, "slot_withdraw", object, now).await?;
    Ok(tx.commit().await?)
}

/// The same for everything that is still to come of the series of this moment; how many that were.
pub async fn withdraw_series(app: &App, scope: &Scope, slot: SlotId) -> Result<u64, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let row = own(&mut tx, scope, slot).await?;
    let Some(series) = row.series else {
        return Err(AppError::NotFound);
    };
    let gone = slots::withdraw_series(&mut tx, series, now).await?;
    if gone == 0 {
        return Err(AppError::Overtaken {
            what: "slot_withdrawn",
        });
    }
    let object = format!("slot:{slot}");
    trail::by_coach(app, &mut tx, scope, "slot_withdraw", object, now).await?;
    tx.commit().await?;
    Ok(gone)
}

async fn own(tx: &mut Tx, scope: &Scope, slot: SlotId) -> Result<SlotRow, AppError> {
    slots::one(tx, scope, slot).await?.ok_or(AppError::NotFound)
}

/// Where to be, on one line: needed where people meet in a room, a link for video.
pub(super) fn place(mode: MeetingMode, text: &str) -> Result<String, AppError> {
    let text = text.trim();
    let odd = text.chars().any(char::is_control) || text.chars().count() > 200;
    let is_link = || {
        url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.host_str().is_some())
    };
    match mode {
        _ if odd => Err(AppError::No { why: "place" }),
        MeetingMode::Video if !is_link() => Err(AppError::No { why: "video_link" }),
        MeetingMode::Office | MeetingMode::Elsewhere if text.is_empty() => {
            Err(AppError::No { why: "place" })
        }
        _ => Ok(text.to_owned()),
    }
}
