//! The agenda: a week of a coach with moments and meetings, the form that opens moments, and how the
//! coach's own calendar is connected. What is on the page is in `agenda/view.rs`.

pub mod view;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{Days, NaiveDate, NaiveTime};
use serde::Deserialize;

use self::view::{AgendaPage, Choice, Connect, Day, Opening, Row};
use super::{Chip, meetings};
use crate::app::calendar::{self, Connected, busy};
use crate::app::meetings::agenda::{self, Shown, SlotRow, Week};
use crate::app::slots as verb;
use crate::domain::ids::{CoachId, SlotId, TeamId};
use crate::domain::plan::{MeetingMode, MeetingState};
use crate::domain::series::Series;
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::words::Words;
use crate::web::{At, Desk};

/// Which week, and whose.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    week: String,
    #[serde(default)]
    coach: String,
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let told = told(&desk, &visit, &done).await?;
    show(&desk, &visit, &asked, told, String::new()).await
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    asked: &Asked,
    told: Vec<crate::web::view::Told>,
    address: String,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let zone = desk.app.house(scope.organisation)?.zone;
    let now = desk.app.now();
    let coach: CoachId = match asked.coach.as_str() {
        "" => scope.coach,
        id => id.parse().map_err(|_| WebError::NotFound)?,
    };
    let day: NaiveDate = match asked.week.as_str() {
        "" => now.local_day(zone),
        day => day.parse().map_err(|_| WebError::NotFound)?,
    };
    let week = agenda::week(&desk.app, scope, coach, day).await?;
    let connected = calendar::connected(&desk.app, scope).await?;
    let telling = Telling { words, now, zone };
    let page = telling.page(&week, coach == scope.coach, &connected, address);
    let title = words.say("agenda.title");
    let mut frame = desk
        .frame(visit, At::Agenda, title, "/nieuws".into())
        .await?;
    frame.told = told;
    desk.page(visit, &frame, &page)
}

fn go(key: &str, week: &str) -> Response {
    let day: Option<NaiveDate> = week.parse().ok();
    let week = day.map_or_else(String::new, |day| format!("&week={day}"));
    Redirect::to(&format!("/agenda?gedaan={key}{week}")).into_response()
}

/// Opens one moment, or a series of them.
pub async fn open(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    let fields = &visit.fields;
    fields.only(&[
        "team", "dag", "van", "tot", "minuten", "weken", "hoe", "plaats", "plekken",
    ])?;
    let time = |name| {
        let text = fields.text(name)?;
        NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| WebError::Bad)
    };
    let first: NaiveDate = fields.parsed("dag")?;
    let opening = verb::Opening {
        team: fields.parsed::<TeamId>("team")?,
        series: Series {
            first,
            from: time("van")?,
            to: time("tot")?,
            minutes: fields.parsed("minuten")?,
            weeks: fields.parsed("weken")?,
        },
        mode: MeetingMode::parse(fields.text("hoe")?).ok_or(WebError::Bad)?,
        place: fields.text("plaats")?.to_owned(),
        capacity: fields.parsed("plekken")?,
    };
    let made = verb::open(&desk.app, visit.scope()?, &opening).await?;
    let key = if made == 0 {
        "slots_none"
    } else {
        "slots_open"
    };
    Ok(go(key, &first.to_string()))
}

pub async fn withdraw(
    State(desk): State<Desk>,
    visit: Visit,
    Path(slot): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["week", "reeks"])?;
    let slot: SlotId = slot.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    match visit.fields.maybe("reeks") {
        "" => verb::withdraw(&desk.app, scope, slot).await?,
        "ja" => {
            verb::withdraw_series(&desk.app, scope, slot).await?;
        }
        _ => return Err(WebError::Bad),
    }
    Ok(go("slots_withdrawn", visit.fields.maybe("week")))
}

/// A new address for the coach's own calendar. It is on this one answer and nowhere else.
pub async fn connect(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&["wat"])?;
    let scope = visit.scope()?;
    match visit.fields.maybe("wat") {
        "" => {
            let token = calendar::renew(&desk.app, scope).await?;
            let path = format!("calendar/{token}.ics");
            let address = desk
                .public_url
                .join(&path)
                .map_or_else(|_| format!("/{path}"), String::from);
            show(&desk, &visit, &Asked::default(), Vec::new(), address).await
        }
        "stop" => {
            calendar::end(&desk.app, scope).await?;
            Ok(go("calendar_end", ""))
        }
        _ => Err(WebError::Bad),
    }
}

/// Where the coach's other appointments are read.
pub async fn read_busy(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    visit.fields.only(&["adres", "wat"])?;
    let scope = visit.scope()?;
    match visit.fields.maybe("wat") {
        "" => {
            busy::put(&desk.app, scope, visit.fields.text("adres")?).await?;
            Ok(go("busy_put", ""))
        }
        "stop" => {
            busy::end(&desk.app, scope).await?;
            Ok(go("busy_end", ""))
        }
        _ => Err(WebError::Bad),
    }
}

struct Telling<'a> {
    words: &'a Words,
    now: Timestamp,
    zone: Tz,
}

impl Telling<'_> {
    fn page(&self, week: &Week, mine: bool, connected: &Connected, address: String) -> AgendaPage {
        let words = self.words;
        let last = week.monday + Days::new(6);
        let link = |monday: NaiveDate| {
            let coach = if mine {
                String::new()
            } else {
                format!("&coach={}", week.coach)
            };
            format!("/agenda?week={monday}{coach}")
        };
        let colleagues = week.team.colleagues.iter().map(|known| Choice {
            value: known.id.to_string(),
            word: known.name.clone(),
            chosen: known.id == week.coach,
        });
        AgendaPage {
            wide: false,
            heading: if mine {
                words.say("agenda.heading")
            } else {
                let name = week.team.name(week.coach);
                words.fill("agenda.heading_of", &[("name", name)])
            },
            about: words.fill(
                "agenda.week",
                &[
                    ("from", &words.short_day(week.monday)),
                    ("to", &words.short_day(last)),
                ],
            ),
            before: link(week.monday - Days::new(7)),
            after: link(week.monday + Days::new(7)),
            monday: week.monday.to_string(),
            coaches: colleagues.collect(),
            days: (0..7)
                .map(|n| week.monday + Days::new(n))
                .map(|day| self.day(day, week, mine))
                .filter(|day| day.workday || !day.rows.is_empty())
                .collect(),
            opening: mine
                .then(|| self.opening(week))
                .into_iter()
                .filter(|opening| !opening.teams.is_empty())
                .collect(),
            connect: mine
                .then(|| self.connect(connected, address))
                .into_iter()
                .collect(),
        }
    }

    fn day(&self, day: NaiveDate, week: &Week, mine: bool) -> Day {
        let on = |at: Timestamp| at.local_day(self.zone) == day;
        let meetings = week.meetings.iter().filter_map(|shown| {
            let at = shown.row.meeting.starts_at?;
            on(at).then(|| (at, self.meeting(shown, at)))
        });
        let slots = week.slots.iter().filter(|row| on(row.slot.starts_at));
        // A moment in which one person is booked is that meeting; it has no row of its own.
        let slots = slots
            .filter(|row| row.slot.capacity > 1 || row.slot.taken == 0)
            .map(|row| (row.slot.starts_at, self.slot(row, mine)));
        let mut rows: Vec<(Timestamp, Row)> = meetings.chain(slots).collect();
        rows.sort_by_key(|(at, _)| *at);
        Day {
            heading: self.words.day(day),
            workday: chrono::Datelike::weekday(&day).num_days_from_monday() < 5,
            today: day == self.now.local_day(self.zone),
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }

    fn times(&self, from: Timestamp, to: Option<Timestamp>) -> String {
        let clock = |at| self.words.clock(at, self.zone);
        match to {
            Some(to) => format!("{}–{}", clock(from), clock(to)),
            None => clock(from),
        }
    }

    fn meeting(&self, shown: &Shown, at: Timestamp) -> Row {
        let meeting = &shown.row.meeting;
        Row {
            times: self.times(at, meeting.ends_at),
            iso: self.words.iso(at, self.zone),
            what: meetings::full_name(&shown.name),
            small: meetings::meeting(self.words, meeting),
            href: format!("/afspraken/{}", meeting.id),
            chips: meetings::attendance(self.words, meeting, self.now),
            gone: meeting.state == MeetingState::Cancelled,
            withdraw: Vec::new(),
        }
    }

    fn slot(&self, row: &SlotRow, mine: bool) -> Row {
        let words = self.words;
        let slot = &row.slot;
        let (taken, all) = (slot.taken.to_string(), slot.capacity.to_string());
        let chip = match slot.open {
            false => Chip::new("", words.say("agenda.withdrawn")),
            true if slot.capacity > 1 => Chip::new(
                "good",
                words.fill("agenda.places", &[("taken", &taken), ("all", &all)]),
            ),
            true => Chip::new("good", words.say("agenda.free")),
        };
        let coming = slot.open && mine && slot.starts_at > self.now;
        Row {
            times: self.times(slot.starts_at, Some(slot.ends_at)),
            iso: words.iso(slot.starts_at, self.zone),
            what: words.say(&format!("mode.{}", slot.mode.as_str())),
            small: slot.place.clone(),
            href: String::new(),
            chips: vec![chip],
            gone: !slot.open,
            withdraw: coming
                .then(|| view::Withdraw {
                    id: slot.id.to_string(),
                    series: row.series.is_some(),
                    monday: agenda::monday(slot.starts_at.local_day(self.zone)).to_string(),
                    times: self.times(slot.starts_at, Some(slot.ends_at)),
                })
                .into_iter()
                .collect(),
        }
    }

    fn opening(&self, week: &Week) -> Opening {
        let today = self.now.local_day(self.zone);
        let tomorrow = today + Days::new(1);
        Opening {
            teams: week
                .teams
                .iter()
                .enumerate()
                .map(|(at, (id, name))| Choice {
                    value: id.to_string(),
                    word: name.clone(),
                    chosen: at == 0,
                })
                .collect(),
            day: tomorrow.max(week.monday).to_string(),
            least: today.to_string(),
            modes: view::modes(self.words, MeetingMode::Office),
        }
    }

    fn connect(&self, connected: &Connected, address: String) -> Connect {
        let words = self.words;
        let when = |at: Timestamp| words.moment(at, self.now, self.zone);
        let (reads, read, problem) = match &connected.busy {
            None => (false, String::new(), String::new()),
            Some((at, problem)) => (
                true,
                match at {
                    Some(at) => words.fill("agenda.busy_read", &[("when", &when(*at))]),
                    None => words.say("agenda.busy_unread"),
                },
                problem.as_ref().map_or_else(String::new, |problem| {
                    words.say(&format!("agenda.busy_problem.{problem}"))
                }),
            ),
        };
        Connect {
            address,
            since: connected.feed_since.map_or_else(String::new, |at| {
                words.fill("agenda.feed_since", &[("when", &when(at))])
            }),
            reads,
            read,
            problem,
        }
    }
}

/// The coach's own calendar program asks here, with nothing but the address. Nobody is told why not.
pub async fn feed(
    State(desk): State<Desk>,
    Path(file): Path<String>,
) -> Result<Response, WebError> {
    let token = file.strip_suffix(".ics").ok_or(WebError::NotFound)?;
    let text = calendar::feed(&desk.app, token).await?;
    Ok(meetings::calendar_file(text, "tussendoor.ics"))
}
