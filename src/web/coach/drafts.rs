//! The drafts: a list, oldest need first, and one draft at a time with everything that a coach needs
//! to decide. How one draft is shown is in `shown`.

mod shown;
pub mod together;
pub mod view;

pub use self::shown::evidence;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Weekday};
use serde::Deserialize;

use self::view::{DraftsPage, Group, Row};
use super::said;
use crate::app::approve::{self, Doubt, Seen};
use crate::app::desk::{self, Listed, Team};
use crate::app::presence;
use crate::domain::access::Scope;
use crate::domain::ids::MessageId;
use crate::domain::message::MessageState;
use crate::domain::time::{Timestamp, Tz, local_moment};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::{At, Desk};

/// Seconds that one draft takes, for "about so many minutes".
const SECONDS_EACH: usize = 20;

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// `team`: everybody's drafts, not only those of one's own candidates.
    #[serde(default)]
    wie: String,
}

pub async fn first(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    show(&desk, &visit, None, &asked, &done, false).await
}

pub async fn one(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    show(&desk, &visit, Some(message(&id)?), &asked, &done, false).await
}

pub async fn editing(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (asked, done) = (Asked::default(), Done::default());
    show(&desk, &visit, Some(message(&id)?), &asked, &done, true).await
}

fn message(id: &str) -> Result<MessageId, WebError> {
    id.parse().map_err(|_| WebError::NotFound)
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    open: Option<MessageId>,
    asked: &Asked,
    done: &Done,
    editing: bool,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let (team, listed) = desk::drafts(&desk.app, scope).await?;
    let (list, whole) = chosen(&team, listed, open, asked.wie == "team");
    let id = open.or_else(|| list.first().map(|item| item.row.id));
    let words = &visit.words;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let at = id.and_then(|id| list.iter().position(|item| item.row.id == id));
    let place = at.map(|at| {
        words.fill(
            "drafts.place",
            &[
                ("n", &(at + 1).to_string()),
                ("all", &list.len().to_string()),
            ],
        )
    });
    let address = |item: &Listed| {
        format!(
            "/concepten/{}{}",
            item.row.id,
            if whole { "?wie=team" } else { "" }
        )
    };
    let mut shown = Vec::new();
    if let Some(id) = id {
        let draft = desk::draft(&desk.app, scope, id).await?;
        let beside = presence::beside(&desk.app, scope, id).await?;
        looks(desk, scope, id);
        let before = at.and_then(|at| list.get(at.checked_sub(1)?));
        let after = at.and_then(|at| list.get(at + 1));
        shown.push(shown::draft(
            desk,
            visit,
            &draft,
            &team,
            shown::Place {
                place: place.clone().unwrap_or_default(),
                previous: before.map(address).unwrap_or_default(),
                next: after.map(address).unwrap_or_default(),
                editing,
                beside,
            },
        )?);
    }
    let row = |item: &Listed| {
        let doubt = item.row.state == MessageState::InDoubt;
        let medium = item
            .form
            .as_ref()
            .map_or("none", |form| said::medium(form.to_kind));
        let wrote = item.row.unanswered_since.is_some();
        Row {
            href: address(item),
            name: item.row.name.full(),
            when: words.brief(item.row.ready_at, now, zone),
            iso: words.iso(item.row.ready_at, zone),
            what: if doubt {
                words.say("drafts.doubt")
            } else {
                said::rule(words, &item.row.rule)
            },
            flag: if wrote && !doubt {
                words.say("drafts.wrote")
            } else {
                String::new()
            },
            alarm: doubt,
            medium,
            medium_word: words.say(&format!("medium.{medium}")),
            current: Some(item.row.id) == id,
        }
    };
    let in_doubt = |item: &&Listed| item.row.state == MessageState::InDoubt;
    let groups = [
        (
            "drafts.first_you",
            list.iter().filter(in_doubt).map(row).collect::<Vec<_>>(),
        ),
        (
            "drafts.ready",
            list.iter()
                .filter(|item| !in_doubt(item))
                .map(row)
                .collect(),
        ),
    ];
    let cost: i64 = list
        .iter()
        .filter_map(|item| item.form.as_ref())
        .map(|form| {
            said::price(
                &form.body,
                said::medium(form.to_kind),
                form.units,
                &desk.app.cadence.prices,
            )
        })
        .sum();
    let minutes = (list.len() * SECONDS_EACH).div_ceil(60).to_string();
    let page = DraftsPage {
        wide: true,
        headline: words.count("drafts.heading", list.len()),
        aside: if list.is_empty() {
            String::new()
        } else {
            words.fill(
                "drafts.aside",
                &[("minutes", &minutes), ("cost", &words.money(cost))],
            )
        },
        whose: words.say(if whole {
            "drafts.only_mine"
        } else {
            "drafts.all_team"
        }),
        whose_href: if whole {
            "/concepten".into()
        } else {
            "/concepten?wie=team".into()
        },
        place: place.unwrap_or_default(),
        together: together::links(words, &list, whole),
        groups: groups
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(heading, rows)| Group {
                heading: words.say(heading),
                rows,
            })
            .collect(),
        draft: shown,
    };
    let title = words.say("drafts.title");
    let news = id.map_or_else(
        || "/nieuws".to_owned(),
        |id| format!("/nieuws?concept={id}"),
    );
    let mut frame = desk.frame(visit, At::Drafts, title, news).await?;
    frame.told = told(desk, visit, done).await?;
    desk.page(visit, &frame, &page)
}

/// This coach is seen at the draft, with script or without. The page does not wait for it, and does not
/// fail with it.
fn looks(desk: &Desk, scope: &Scope, id: MessageId) {
    let (desk, scope) = (desk.clone(), scope.clone());
    tokio::spawn(async move {
        if let Err(error) = presence::look(&desk.app, &scope, id).await {
            tracing::debug!(%error, "who looks at a draft was not written down");
        }
    });
}

/// Doubts first, then oldest need first; one's own, unless the team's are asked for or the open
/// draft is another's.
fn chosen(
    team: &Team,
    mut listed: Vec<Listed>,
    open: Option<MessageId>,
    whole: bool,
) -> (Vec<Listed>, bool) {
    let others = listed
        .iter()
        .any(|item| Some(item.row.id) == open && !team.is_mine(item.row.coach));
    let whole = whole || others;
    if !whole {
        listed.retain(|item| team.is_mine(item.row.coach));
    }
    listed.sort_by_key(|item| item.row.state != MessageState::InDoubt);
    (listed, whole)
}

fn seen(visit: &Visit, more: &[&str]) -> Result<Seen, WebError> {
    let names: Vec<&str> = ["versie", "vingerafdruk"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    visit.fields.only(&names)?;
    Ok(Seen {
        version: visit.fields.parsed("versie")?,
        content_hash: visit.fields.text("vingerafdruk")?.to_owned(),
    })
}

/// Back to the list: the draft after this one, as it was before the decision.
async fn next_of(desk: &Desk, visit: &Visit, id: MessageId) -> Result<String, WebError> {
    let (team, listed) = desk::drafts(&desk.app, visit.scope()?).await?;
    let (list, whole) = chosen(&team, listed, Some(id), false);
    let at = list.iter().position(|item| item.row.id == id);
    let next = at.and_then(|at| list.get(at + 1).or_else(|| list.get(at.checked_sub(1)?)));
    let path = next.map_or_else(
        || "/concepten".to_owned(),
        |item| format!("/concepten/{}", item.row.id),
    );
    Ok(format!("{path}?{}", if whole { "wie=team&" } else { "" }))
}

fn go(to: &str, key: &str, id: MessageId) -> Response {
    Redirect::to(&format!("{to}gedaan={key}&bericht={id}")).into_response()
}

pub async fn approve(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (id, seen) = (message(&id)?, seen(&visit, &[])?);
    let next = next_of(&desk, &visit, id).await?;
    approve::approve(&desk.app, visit.scope()?, id, &seen).await?;
    Ok(go(&next, "approved", id))
}

pub async fn edit(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (id, seen) = (message(&id)?, seen(&visit, &["tekst"])?);
    let next = next_of(&desk, &visit, id).await?;
    approve::edit(
        &desk.app,
        visit.scope()?,
        id,
        &seen,
        visit.fields.text("tekst")?,
        true,
    )
    .await?;
    Ok(go(&next, "edited", id))
}

pub async fn later(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (id, seen) = (message(&id)?, seen(&visit, &["op", "moment"])?);
    let op = visit.fields.maybe("op");
    let moment = if op.is_empty() {
        visit.fields.text("moment")?
    } else {
        op
    };
    let at = moment_of(moment, desk.app.house(visit.scope()?.organisation)?.zone)?;
    let next = next_of(&desk, &visit, id).await?;
    approve::later(&desk.app, visit.scope()?, id, &seen, at).await?;
    Ok(go(&next, "planned", id))
}

pub async fn hold(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (id, seen) = (message(&id)?, seen(&visit, &["tot"])?);
    let until: NaiveDate = visit.fields.parsed("tot")?;
    let zone = desk.app.house(visit.scope()?.organisation)?.zone;
    if until < desk.app.now().local_day(zone) {
        return Err(crate::app::AppError::No { why: "past" }.into());
    }
    let after = until.succ_opt().ok_or(WebError::Bad)?;
    let next = next_of(&desk, &visit, id).await?;
    approve::hold(
        &desk.app,
        visit.scope()?,
        id,
        &seen,
        local_moment(after, 8, 0, zone),
    )
    .await?;
    Ok(go(&next, "held", id))
}

pub async fn drop_it(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let (id, seen) = (message(&id)?, seen(&visit, &["reden"])?);
    let reason = ["discussed", "not_now", "wrong", "too_many", "other"]
        .into_iter()
        .find(|reason| *reason == visit.fields.maybe("reden"))
        .ok_or(WebError::Bad)?;
    let next = next_of(&desk, &visit, id).await?;
    approve::drop_draft(&desk.app, visit.scope()?, id, &seen, reason).await?;
    Ok(go(&next, "dropped", id))
}

pub async fn undo(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["versie"])?;
    let id = message(&id)?;
    approve::undo(&desk.app, visit.scope()?, id).await?;
    Ok(go(&format!("/concepten/{id}?"), "undone", id))
}

pub async fn doubt(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["versie", "uitkomst", "terug"])?;
    let id = message(&id)?;
    let (doubt, key) = match visit.fields.text("uitkomst")? {
        "aangekomen" => (Doubt::Arrived, "arrived"),
        "opnieuw" => (Doubt::Again, "again"),
        "laten" => (Doubt::LeaveAlone, "left"),
        _ => return Err(WebError::Bad),
    };
    let next = if visit.fields.maybe("terug") == "kandidaat" {
        let (person, _) = desk::message(&desk.app, visit.scope()?, id).await?;
        format!("{}?", said::href(person.candidate.id))
    } else {
        next_of(&desk, &visit, id).await?
    };
    let version = visit.fields.parsed("versie")?;
    approve::resolve_doubt(&desk.app, visit.scope()?, id, version, doubt).await?;
    Ok(go(&next, key, id))
}

/// A moment as a browser's field gives it, in the organisation's zone.
pub fn moment_of(text: &str, zone: Tz) -> Result<Timestamp, WebError> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").map_err(|_| WebError::Bad)?;
    Ok(local_moment(
        local.date(),
        local.hour(),
        local.minute(),
        zone,
    ))
}

/// The moments that are offered: this afternoon, tomorrow morning, monday.
pub fn moments(now: Timestamp, zone: Tz) -> Vec<(&'static str, NaiveDateTime)> {
    let local = now.local(zone).naive_local();
    let today = local.date();
    let mut list = Vec::new();
    if local.hour() < 13
        && let Some(at) = today.and_hms_opt(14, 0, 0)
    {
        list.push(("later.this_afternoon", at));
    }
    if let Some(at) = today.succ_opt().and_then(|day| day.and_hms_opt(9, 0, 0)) {
        list.push(("later.tomorrow_morning", at));
    }
    let monday = today
        .iter_days()
        .skip(1)
        .take(7)
        .find(|day| day.weekday() == Weekday::Mon);
    if let Some(at) = monday
        .filter(|day| Some(*day) != today.succ_opt())
        .and_then(|day| day.and_hms_opt(9, 0, 0))
    {
        list.push(("later.monday", at));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = Tz::Europe__Amsterdam;

    fn at(text: &str) -> Timestamp {
        moment_of(text, ZONE).unwrap()
    }

    #[test]
    fn the_moments_offered_lie_ahead_and_monday_is_not_named_twice() {
        let keys = |text: &str| {
            let now = at(text);
            let list = moments(now, ZONE);
            assert!(
                list.iter()
                    .all(|(_, moment)| *moment > now.local(ZONE).naive_local())
            );
            list.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        let all = [
            "later.this_afternoon",
            "later.tomorrow_morning",
            "later.monday",
        ];
        assert_eq!(keys("2026-11-24T08:52"), all);
        assert_eq!(keys("2026-11-24T16:00"), all[1..]);
        assert_eq!(keys("2026-11-29T08:52"), all[..2]);
    }

    #[test]
    fn a_moment_out_of_a_form_is_local_and_nothing_else_is_taken() {
        assert_eq!(
            at("2026-11-26T09:00").utc().to_rfc3339(),
            "2026-11-26T08:00:00+00:00"
        );
        assert_eq!(
            at("2026-07-26T09:00").utc().to_rfc3339(),
            "2026-07-26T07:00:00+00:00"
        );
        assert!(moment_of("2026-11-26", ZONE).is_err());
        assert!(moment_of("", ZONE).is_err());
    }
}
