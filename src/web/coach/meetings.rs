//! The meetings of one person, and one meeting: invite, book, move, call off, say whether it took place.
//! What is on these pages is in `meetings/view.rs`.

pub mod view;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use self::view::{AppointmentsPage, Line, MeetingPage};
use super::agenda::view::{Choice, modes};
use super::drafts::moment_of;
use super::said::candidate_of;
use super::{Chip, said};
use crate::app::meetings::agenda::{self, Shown};
use crate::app::meetings::{self as verb, Agreed, To};
use crate::app::{AppError, calendar};
use crate::domain::ids::{CandidateId, MeetingId};
use crate::domain::plan::{Meeting, MeetingKind, MeetingMode, MeetingState};
use crate::domain::slots::Slot;
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::{Fields, Visit};
use crate::web::told::{Done, told};
use crate::web::words::Words;
use crate::web::{At, Desk};

/// A name as pages write it.
pub fn full_name((first, family): &(String, String)) -> String {
    format!("{first} {family}").trim().to_owned()
}

/// What a meeting is, where it is: `voortgang · op kantoor · Stadhuis, kamer 2`.
pub fn meeting(words: &Words, meeting: &Meeting) -> String {
    let kind = words.say(&format!("meeting.kind.{}", meeting.kind.as_str()));
    let mode = words.say(&format!("mode.{}", meeting.mode.as_str()));
    match &meeting.place {
        Some(place) => format!("{kind} · {mode} · {place}"),
        None => format!("{kind} · {mode}"),
    }
}

/// Where it stands; a booked one that began asks whether somebody was there.
pub fn attendance(words: &Words, meeting: &Meeting, now: Timestamp) -> Vec<Chip> {
    let begun = meeting.starts_at.is_some_and(|at| at <= now);
    vec![match meeting.state {
        MeetingState::Proposed => Chip::new("wait", words.say("attendance.proposed")),
        MeetingState::Booked if begun => Chip::new("wait", words.say("attendance.fill_in")),
        MeetingState::Booked => Chip::new("brand", words.say("attendance.booked")),
        MeetingState::Held => Chip::new("good", words.say("attendance.held")),
        MeetingState::Missed => Chip::new("alarm", words.say("attendance.missed")),
        MeetingState::Cancelled => Chip::new("", words.say("attendance.cancelled")),
    }]
}

/// A calendar file as a download.
pub fn calendar_file(text: String, name: &str) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/calendar; charset=utf-8".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, text).into_response()
}

fn href(meeting: MeetingId) -> String {
    format!("/afspraken/{meeting}")
}

fn list(candidate: CandidateId) -> String {
    format!("{}/afspraken", said::href(candidate))
}

fn go(to: &str, key: &str, candidate: CandidateId) -> Response {
    Redirect::to(&format!("{to}?gedaan={key}&kandidaat={candidate}")).into_response()
}

/// Everything that was agreed with one person, and the forms that add to it.
pub async fn list_page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let zone = desk.app.house(scope.organisation)?.zone;
    let now = desk.app.now();
    let found = agenda::appointments(&desk.app, scope, id).await?;
    let name = &found.person.candidate.first_name;
    let all = found.meetings.iter();
    let page = AppointmentsPage {
        wide: false,
        id: id.to_string(),
        heading: words.fill("meetings.heading", &[("name", name)]),
        about: words.fill("meetings.about", &[("name", name)]),
        meetings: all.map(|one| line(words, one, now, zone)).collect(),
        kinds: kinds(words, MeetingKind::Progress),
        modes: modes(words, MeetingMode::Office),
        free: moments(words, &found.free, &found.team, zone),
        participants: verb::USUAL_PARTICIPANTS,
    };
    let mut frame = desk
        .frame(&visit, At::Candidates, page.heading.clone(), String::new())
        .await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

/// What the page of a person shows of them: the newest few, those to come first.
pub fn lines(words: &Words, all: &[Meeting], now: Timestamp, zone: Tz) -> Vec<Line> {
    let mut all: Vec<&Meeting> = all.iter().collect();
    all.sort_by_key(|meeting| meeting.starts_at);
    let (over, coming): (Vec<&Meeting>, Vec<&Meeting>) = all
        .into_iter()
        .partition(|meeting| meeting.starts_at.is_some_and(|at| at < now));
    let newest = over.into_iter().rev().take(2);
    let shown = coming.into_iter().chain(newest);
    shown
        .map(|meeting| of(words, meeting, String::new(), now, zone))
        .collect()
}

fn line(words: &Words, shown: &Shown, now: Timestamp, zone: Tz) -> Line {
    of(words, &shown.row.meeting, shown.task.clone(), now, zone)
}

fn of(words: &Words, meeting: &Meeting, task: String, now: Timestamp, zone: Tz) -> Line {
    let known = meeting
        .starts_at
        .filter(|_| meeting.state != MeetingState::Proposed);
    Line {
        href: href(meeting.id),
        when: known.map_or_else(
            || words.say("meetings.no_moment"),
            |at| words.moment(at, now, zone),
        ),
        iso: known.map_or_else(String::new, |at| words.iso(at, zone)),
        what: self::meeting(words, meeting),
        task,
        chips: attendance(words, meeting, now),
    }
}

/// The kinds of meeting, as options.
pub fn kinds(words: &Words, chosen: MeetingKind) -> Vec<Choice> {
    let choice = |kind: MeetingKind| Choice {
        value: kind.as_str().to_owned(),
        word: words.say(&format!("meeting.kind.{}", kind.as_str())),
        chosen: kind == chosen,
    };
    MeetingKind::ALL.into_iter().map(choice).collect()
}

/// Free moments, as options: `di 10 mrt 10:00 · op kantoor · Noor`.
fn moments(words: &Words, free: &[Slot], team: &crate::app::desk::Team, zone: Tz) -> Vec<Choice> {
    let choice = |slot: &Slot| {
        let day = words.short_day(slot.starts_at.local_day(zone));
        let clock = words.clock(slot.starts_at, zone);
        let mode = words.say(&format!("mode.{}", slot.mode.as_str()));
        Choice {
            value: slot.id.to_string(),
            word: format!("{day} {clock} · {mode} · {}", team.name(slot.coach)),
            chosen: false,
        }
    };
    free.iter().map(choice).collect()
}

fn kind_of(fields: &Fields) -> Result<MeetingKind, WebError> {
    MeetingKind::parse(fields.text("soort")?).ok_or(WebError::Bad)
}

fn mode_of(fields: &Fields) -> Result<MeetingMode, WebError> {
    MeetingMode::parse(fields.text("hoe")?).ok_or(WebError::Bad)
}

/// Invites the person to choose a moment.
pub async fn invite(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["soort", "hoe"])?;
    let (kind, mode) = (kind_of(&visit.fields)?, mode_of(&visit.fields)?);
    verb::invite_by(&desk.app, visit.scope()?, id, kind, mode).await?;
    Ok(go(&list(id), "invited", id))
}

const AGREED: [&str; 8] = [
    "soort", "hoe", "moment", "minuten", "plaats", "taak", "mensen", "vrij",
];

fn agreed<'a>(fields: &'a Fields, zone: Tz) -> Result<Agreed<'a>, WebError> {
    Ok(Agreed {
        kind: kind_of(fields)?,
        mode: mode_of(fields)?,
        starts_at: moment_of(fields.text("moment")?, zone)?,
        minutes: fields.parsed("minuten")?,
        place: fields.text("plaats")?,
        task: fields.text("taak")?,
        participants: fields.parsed("mensen")?,
    })
}

/// Books what was agreed: in a free moment, or at a time of its own.
pub async fn book(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&AGREED)?;
    let scope = visit.scope()?;
    let meeting = match visit.fields.maybe("vrij") {
        "" => {
            let zone = desk.app.house(scope.organisation)?.zone;
            let agreed = agreed(&visit.fields, zone)?;
            verb::book(&desk.app, scope, id, &agreed).await?
        }
        slot => {
            let slot = slot.parse().map_err(|_| WebError::Bad)?;
            let what = (kind_of(&visit.fields)?, visit.fields.maybe("taak"));
            verb::book_slot(&desk.app, scope, id, slot, what).await?
        }
    };
    Ok(go(&href(meeting), "booked", id))
}

/// Writes down a meeting that took place without being booked here.
pub async fn happened(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&AGREED)?;
    let scope = visit.scope()?;
    let zone = desk.app.house(scope.organisation)?.zone;
    let agreed = agreed(&visit.fields, zone)?;
    verb::happened(&desk.app, scope, id, &agreed).await?;
    Ok(go(&list(id), "meeting_held", id))
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let id: MeetingId = id.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let zone = desk.app.house(scope.organisation)?.zone;
    let now = desk.app.now();
    let found = agenda::one(&desk.app, scope, id).await?;
    let row = &found.meeting.row;
    let begun = row.meeting.starts_at.is_some_and(|at| at <= now);
    let open = matches!(
        row.meeting.state,
        MeetingState::Booked | MeetingState::Proposed
    );
    let name = &found.person.candidate.first_name;
    let page = MeetingPage {
        wide: false,
        id: id.to_string(),
        version: row.meeting.version,
        heading: words.fill("meetings.one", &[("name", name)]),
        line: line(words, &found.meeting, now, zone),
        coach: words.fill("meetings.with", &[("name", found.team.name(row.coach))]),
        participants: if row.participants == verb::USUAL_PARTICIPANTS {
            String::new()
        } else {
            words.count("meetings.people", row.participants as usize)
        },
        back: list(row.candidate),
        has_moment: row.meeting.starts_at.is_some(),
        may_settle: row.meeting.state == MeetingState::Booked && begun,
        may_move: open,
        move_word: words.say(if row.meeting.state == MeetingState::Proposed {
            "meetings.book"
        } else {
            "meetings.move"
        }),
        free: moments(words, &found.free, &found.team, zone),
        place: row.meeting.place.clone().unwrap_or_default(),
    };
    let mut frame = desk
        .frame(&visit, At::Candidates, page.heading.clone(), String::new())
        .await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

async fn about(desk: &Desk, visit: &Visit, id: &str) -> Result<(MeetingId, CandidateId), WebError> {
    let id: MeetingId = id.parse().map_err(|_| WebError::NotFound)?;
    let found = agenda::one(&desk.app, visit.scope()?, id).await?;
    Ok((id, found.meeting.row.candidate))
}

pub async fn move_it(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let fields = &visit.fields;
    fields.only(&["versie", "vrij", "moment", "minuten", "plaats"])?;
    let (id, person) = about(&desk, &visit, &id).await?;
    let scope = visit.scope()?;
    let to = match fields.maybe("vrij") {
        "" => {
            let zone = desk.app.house(scope.organisation)?.zone;
            To::Time {
                starts_at: moment_of(fields.text("moment")?, zone)?,
                minutes: fields.parsed("minuten")?,
                place: fields.text("plaats")?,
            }
        }
        slot => To::Slot(slot.parse().map_err(|_| WebError::Bad)?),
    };
    verb::move_to(&desk.app, scope, id, fields.parsed("versie")?, to).await?;
    Ok(go(&href(id), "moved", person))
}

pub async fn cancel(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["versie"])?;
    let (id, person) = about(&desk, &visit, &id).await?;
    let version = visit.fields.parsed("versie")?;
    verb::cancel(&desk.app, visit.scope()?, id, version).await?;
    Ok(go(&href(id), "cancelled", person))
}

/// Whether somebody was there.
pub async fn settle(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["versie", "was"])?;
    let (id, person) = about(&desk, &visit, &id).await?;
    let version = visit.fields.parsed("versie")?;
    let scope = visit.scope()?;
    match visit.fields.text("was")? {
        "er" => verb::held(&desk.app, scope, id, version).await?,
        "er_niet" => verb::missed(&desk.app, scope, id, version).await?,
        _ => return Err(WebError::Bad),
    }
    Ok(go(&href(id), "settled", person))
}

/// The calendar file, for the person.
pub async fn file(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id: MeetingId = id.parse().map_err(|_| WebError::from(AppError::NotFound))?;
    let text = calendar::file(&desk.app, visit.scope()?, id).await?;
    Ok(calendar_file(text, "afspraak.ics"))
}
