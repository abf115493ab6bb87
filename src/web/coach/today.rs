//! Today: flags, drafts, who waits for an answer, who goes silent.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Timelike;
use serde::Serialize;

use super::{Callout, said};
use crate::app::desk::{self, PersonRow, Today};
use crate::app::takeover;
use crate::domain::contact::CandidateState;
use crate::domain::ids::FlagId;
use crate::domain::message::MessageState;
use crate::domain::time::{Holidays, Timestamp, Tz, add_working_days, local_moment};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

/// Seconds that one draft takes, for "about so many minutes".
const SECONDS_EACH: usize = 20;
/// Working days within which somebody who wrote hears from a person.
const ANSWER_WITHIN: i32 = 2;

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let house = desk.app.house(scope.organisation)?;
    let (zone, now) = (house.zone, desk.app.now());
    let today = desk::today(&desk.app, scope).await?;
    let name = visit
        .signed
        .as_ref()
        .map_or("", |signed| signed.name.split(' ').next().unwrap_or(""));
    let hour = now.local(zone).hour();
    let greeting = match hour {
        0..12 => "today.morning",
        12..18 => "today.afternoon",
        _ => "today.evening",
    };
    let mine = today
        .people
        .iter()
        .filter(|person| today.team.is_mine(person.coach))
        .count();
    let mut flags = flags(words, &today, now, zone);
    flags.sort_by_key(|flag| !flag.urgent);
    let page = TodayPage {
        wide: false,
        greeting: words.fill(greeting, &[("name", name)]),
        about: words.fill(
            "today.about",
            &[
                ("day", &words.day(now.local_day(zone))),
                ("clock", &words.clock(now, zone)),
                ("people", &words.count("today.people", mine)),
            ],
        ),
        alarms: match desk::healthy(&desk.app).await {
            Ok(()) => Vec::new(),
            Err(_) => {
                vec![Callout::new(
                    "alarm",
                    words.say("today.database"),
                    words.say("today.database_text"),
                )]
            }
        },
        flag_count: flags.len(),
        flags,
        go: go(words, &today),
        waiting: waiting(words, &today, now, zone, &house.holidays),
        silent: silent(words, &today, now, zone),
        channels: channels(words, &today),
    };
    let mut frame = desk
        .frame(
            &visit,
            At::Today,
            words.say("today.title"),
            "/nieuws".into(),
        )
        .await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

/// The coach saw to it.
pub async fn close(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&["terug"])?;
    let flag: FlagId = id.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let candidate = desk::flag(&desk.app, scope, flag).await?;
    takeover::close_flag(&desk.app, scope, candidate, flag).await?;
    let to = match visit.fields.maybe("terug") {
        "kandidaat" => said::href(candidate),
        _ => "/vandaag".to_owned(),
    };
    Ok(Redirect::to(&format!("{to}?gedaan=flag_closed&kandidaat={candidate}")).into_response())
}

fn flags(words: &Words, today: &Today, now: Timestamp, zone: Tz) -> Vec<Flag> {
    today
        .flags
        .iter()
        .map(|flag| Flag {
            id: flag.id.to_string(),
            person_href: said::href(flag.candidate),
            name: flag.name.full(),
            urgent: flag.why.urgent(),
            text: words.say(&format!("flag.{}", flag.why.as_str())),
            when: words.brief(flag.opened_at, now, zone),
            owner: match flag.coach {
                None => words.say("today.unclaimed"),
                Some(coach) if today.team.is_mine(Some(coach)) => String::new(),
                Some(coach) => words.fill("today.owner", &[("name", today.team.name(coach))]),
            },
            phone: match today.numbers.get(&flag.candidate) {
                Some(number) if flag.why.urgent() => format!("tel:{number}"),
                _ => String::new(),
            },
        })
        .collect()
}

fn go(words: &Words, today: &Today) -> Vec<Go> {
    let mine: Vec<_> = today
        .drafts
        .iter()
        .filter(|row| today.team.is_mine(row.coach))
        .collect();
    if mine.is_empty() {
        return Vec::new();
    }
    let doubt = mine
        .iter()
        .filter(|row| row.state == MessageState::InDoubt)
        .count();
    let minutes = (mine.len() * SECONDS_EACH).div_ceil(60).to_string();
    let mut text = words.fill("today.drafts_about", &[("minutes", &minutes)]);
    if doubt > 0 {
        text = format!("{text} {}", words.count("today.drafts_doubt", doubt));
    }
    let heading = words.count("today.drafts", mine.len());
    vec![Go {
        n: mine.len(),
        heading,
        text,
    }]
}

fn waiting(
    words: &Words,
    today: &Today,
    now: Timestamp,
    zone: Tz,
    holidays: &Holidays,
) -> Vec<Waiting> {
    let mut rows: Vec<(Timestamp, &PersonRow)> = today
        .people
        .iter()
        .filter(|person| today.team.is_mine(person.coach))
        .filter_map(|person| Some((person.unanswered_since?, person)))
        .collect();
    rows.sort_by_key(|(since, _)| *since);
    let row = |(since, person): (Timestamp, &PersonRow)| {
        let local = since.local(zone);
        let day = add_working_days(local.date_naive(), ANSWER_WITHIN, holidays);
        let until = local_moment(day, local.hour(), local.minute(), zone);
        let whole = (until.0 - since.0).max(1);
        let percent = ((now.0 - since.0) * 100 / whole).clamp(0, 100);
        let hours = usize::try_from((until.0 - now.0) / 3_600_000_000).unwrap_or(0);
        let left = if now > until {
            words.fill("today.overdue", &[("when", &words.brief(until, now, zone))])
        } else {
            words.count("today.hours_left", hours)
        };
        let newest = today.words.get(&person.id);
        let medium = newest.map_or("none", |incoming| said::medium(incoming.kind));
        Waiting {
            person_href: said::href(person.id),
            name: person.name.full(),
            medium,
            medium_word: words.say(&format!("medium.{medium}")),
            words: newest
                .map(|incoming| said::preview(words, incoming))
                .unwrap_or_default(),
            tone: if now > until { "alarm" } else { "wait" },
            meter_label: words.fill("today.meter", &[("left", &left)]),
            left,
            percent: u32::try_from(percent).unwrap_or(0),
            since: words.brief(since, now, zone),
        }
    };
    rows.into_iter().map(row).collect()
}

/// Days since the last sign of life, once a rung is reached; nobody is "silent" whom we do not write to.
pub fn silent_days(person: &PersonRow, now: Timestamp, zone: Tz) -> Option<usize> {
    if person.state != CandidateState::Active {
        return None;
    }
    let days = now
        .local_day(zone)
        .signed_duration_since(person.last_sign?.local_day(zone))
        .num_days();
    (rung_of(days) > 0).then(|| usize::try_from(days).unwrap_or(0))
}

fn silent(words: &Words, today: &Today, now: Timestamp, zone: Tz) -> Vec<Silent> {
    let mut rows: Vec<(usize, &PersonRow)> = today
        .people
        .iter()
        .filter(|person| today.team.is_mine(person.coach))
        .filter_map(|person| Some((silent_days(person, now, zone)?, person)))
        .collect();
    rows.sort_by_key(|(days, _)| std::cmp::Reverse(*days));
    rows.into_iter()
        .map(|(days, person)| {
            let on = rung_of(i64::try_from(days).unwrap_or(0));
            let last = person.last_sign.map(|at| words.brief(at, now, zone));
            Silent {
                person_href: said::href(person.id),
                name: person.name.full(),
                text: match last {
                    Some(when) => words.fill("today.last_sign", &[("when", &when)]),
                    None => words.say("today.never"),
                },
                rungs_label: words.fill("today.rung", &[("n", &on.to_string())]),
                rungs: stairs(on),
                tone: if on >= 4 { "alarm" } else { "wait" },
                days: words.count("today.days", days),
            }
        })
        .collect()
}

fn channels(words: &Words, today: &Today) -> Vec<Line> {
    let paused: Vec<Line> = today
        .lines
        .iter()
        .filter_map(|line| {
            let why = line.paused_why.as_deref()?;
            let why = said::code(words, why, "");
            let text = words.fill(
                "today.line_paused",
                &[("line", &line.display), ("why", &why)],
            );
            Some(Line { bad: true, text })
        })
        .collect();
    if paused.is_empty() {
        return vec![Line {
            bad: false,
            text: words.say("today.channels_ok"),
        }];
    }
    paused
}

#[derive(Debug, Clone, Serialize)]
pub struct TodayPage {
    pub wide: bool,
    pub greeting: String,
    pub about: String,
    pub alarms: Vec<Callout>,
    pub flag_count: usize,
    pub flags: Vec<Flag>,
    /// Nothing, or the one door to the drafts.
    pub go: Vec<Go>,
    pub waiting: Vec<Waiting>,
    pub silent: Vec<Silent>,
    pub channels: Vec<Line>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Flag {
    pub id: String,
    pub person_href: String,
    pub name: String,
    pub urgent: bool,
    pub text: String,
    pub when: String,
    pub owner: String,
    /// A `tel:` link, only where somebody should call now.
    pub phone: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Go {
    pub n: usize,
    pub heading: String,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    pub person_href: String,
    pub name: String,
    pub medium: &'static str,
    pub medium_word: String,
    pub words: String,
    pub tone: &'static str,
    pub left: String,
    pub meter_label: String,
    pub percent: u32,
    pub since: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Silent {
    pub person_href: String,
    pub name: String,
    pub text: String,
    pub rungs_label: String,
    pub rungs: Vec<Rung>,
    pub tone: &'static str,
    pub days: String,
}

/// One bar of the little stairs; drawn by attributes, since the page may have no inline style.
#[derive(Debug, Clone, Serialize)]
pub struct Rung {
    pub class: &'static str,
    pub x: u32,
    pub y: String,
    pub height: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub bad: bool,
    pub text: String,
}

/// Days of silence at which each rung begins.
const RUNGS: [i64; 5] = [7, 12, 17, 22, 27];

/// The highest rung that so many days of silence have reached.
pub fn rung_of(days: i64) -> usize {
    RUNGS.iter().filter(|from| **from <= days).count()
}

/// Five bars, the first `on` of them filled.
pub fn stairs(on: usize) -> Vec<Rung> {
    (0..5_u32)
        .map(|n| {
            let height = 40 + 24 * n;
            Rung {
                class: if (n as usize) < on { "on" } else { "off" },
                x: n * 11,
                y: tenths(140 - height),
                height: tenths(height),
            }
        })
        .collect()
}

fn tenths(n: u32) -> String {
    format!("{}.{}", n / 10, n % 10)
}

impl Page for TodayPage {
    const TEMPLATE: &'static str = "today";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let href = || "/kandidaten/01J00000000000000000000001".to_owned();
        let flag = |name: &str, why: &str, urgent: bool| Flag {
            id: format!("01J-{why}"),
            person_href: href(),
            name: name.into(),
            urgent,
            text: words.say(&format!("flag.{why}")),
            when: format!("{} 07:52", words.say("calendar.today")),
            owner: if urgent {
                String::new()
            } else {
                words.fill("today.owner", &[("name", "Joris")])
            },
            phone: if urgent {
                "tel:+31600000052".into()
            } else {
                String::new()
            },
        };
        let waiting = |name: &str, tone: &'static str, percent: u32| {
            let left = if percent == 100 {
                words.fill("today.overdue", &[("when", "ma 23 nov 15:30")])
            } else {
                words.count("today.hours_left", 7)
            };
            Waiting {
                person_href: href(),
                name: name.into(),
                medium: "whatsapp",
                medium_word: words.say("medium.whatsapp"),
                words: "Mag ik vrijdag ook met de trein? En wie betaalt dat?".into(),
                tone,
                meter_label: words.fill("today.meter", &[("left", &left)]),
                left,
                percent,
                since: "do 19 nov 15:30".into(),
            }
        };
        let silent = |name: &str, days: i64| {
            let on = rung_of(days);
            Silent {
                person_href: href(),
                name: name.into(),
                text: words.fill("today.last_sign", &[("when", "wo 11 nov")]),
                rungs_label: words.fill("today.rung", &[("n", &on.to_string())]),
                rungs: stairs(on),
                tone: if days >= 22 { "alarm" } else { "wait" },
                days: words.count("today.days", usize::try_from(days).unwrap_or(0)),
            }
        };
        let busy = Self {
            wide: false,
            greeting: words.fill("today.morning", &[("name", "Noor")]),
            about: "dinsdag 24 november, 08:52".into(),
            alarms: Vec::new(),
            flag_count: 3,
            flags: vec![
                flag("Sandra Kok", "crisis", true),
                flag("Ilse Groen", "asked_for_help", false),
                flag("Ruben Maas", "said_something_else", false),
            ],
            go: vec![Go {
                n: 25,
                heading: words.say("today.drafts.many"),
                text: words.fill("today.drafts_about", &[("minutes", "9")]),
            }],
            waiting: vec![
                waiting("Carla Meijer", "alarm", 100),
                waiting("Naima el Idrissi", "wait", 82),
            ],
            silent: vec![silent("Karin de Boer", 27), silent("Yusuf Kaya", 13)],
            channels: vec![Line {
                bad: false,
                text: words.say("today.channels_ok"),
            }],
        };
        let calm = Self {
            flag_count: 0,
            flags: Vec::new(),
            go: Vec::new(),
            waiting: Vec::new(),
            silent: Vec::new(),
            ..busy.clone()
        };
        let ill = Self {
            alarms: vec![Callout::new(
                "alarm",
                words.say("today.database"),
                words.say("today.database_text"),
            )],
            channels: vec![Line {
                bad: true,
                text: words.say("today.channels_ok"),
            }],
            ..calm.clone()
        };
        vec![("busy", busy), ("calm", calm), ("ill", ill)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_climbs_a_rung_on_its_day_and_not_before() {
        assert_eq!(
            [6, 7, 11, 12, 17, 26, 27, 90].map(rung_of),
            [0, 1, 1, 2, 3, 4, 5, 5]
        );
        assert_eq!(
            stairs(2).iter().filter(|rung| rung.class == "on").count(),
            2
        );
    }
}
