//! The meetings of a coach: moments opened for the coming weeks, people invited or simply booked, meetings
//! moved and called off, and afterwards who was there. By the verbs of the pages and nothing else.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Europe::Amsterdam;
use sqlx::Connection as _;
use tussendoor::app::AppError;
use tussendoor::app::meetings::{self as verb, Agreed, To, agenda};
use tussendoor::app::slots::{self, Opening};
use tussendoor::domain::access::Scope;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::{MeetingKind, MeetingMode, MeetingState};
use tussendoor::domain::series::Series;
use tussendoor::domain::time::local_moment;

use super::people::Dice;
use super::town::Year;
use crate::support::database::Database;
use crate::support::house::House;

/// Moments for six weeks, twice a week; every four weeks some more.
pub async fn opens(house: &House, scope: &Scope, today: NaiveDate, video: bool) {
    let office = (MeetingMode::Office, "Stadhuis, kamer 2");
    let second = match video {
        true => (MeetingMode::Video, "https://video.example/kamer"),
        false => office,
    };
    for (days, (mode, place)) in [(6, office), (8, second)] {
        let opening = Opening {
            team: *scope.teams.first().unwrap(),
            series: Series {
                first: today.checked_add_days(Days::new(days)).unwrap(),
                from: "09:00:00".parse().unwrap(),
                to: "16:00:00".parse().unwrap(),
                minutes: 30,
                weeks: 6,
            },
            mode,
            place: place.into(),
            capacity: 1,
        };
        slots::open(&house.app, scope, &opening).await.unwrap();
    }
}

/// A morning with the agenda open. `there`: does this person come to meetings at all?
pub async fn morning(
    house: &House,
    scope: &Scope,
    today: NaiveDate,
    people: &[CandidateId],
    dice: &mut Dice,
    there: impl Fn(CandidateId) -> bool,
) {
    over(house, scope, today, dice, there).await;
    for candidate in people {
        let mode = match dice.below(3) {
            0 => MeetingMode::Video,
            _ => MeetingMode::Office,
        };
        match dice.below(120) {
            0 | 1 => {
                let kind = MeetingKind::Progress;
                let invited = verb::invite_by(&house.app, scope, *candidate, kind, mode).await;
                assert!(matches!(invited, Ok(_) | Err(AppError::No { .. })));
            }
            2 => {
                let day = today
                    .checked_add_days(Days::new(1 + dice.below(9)))
                    .unwrap();
                let starts_at = local_moment(day, 10 + dice.below(6) as u32, 15, Amsterdam);
                let agreed = Agreed {
                    kind: MeetingKind::Progress,
                    mode,
                    starts_at,
                    minutes: 30,
                    place: match mode {
                        MeetingMode::Video => "https://video.example/kamer",
                        _ => "Stadhuis, kamer 2",
                    },
                    task: "Samen je cv nalopen",
                    participants: 2,
                };
                verb::book(&house.app, scope, *candidate, &agreed)
                    .await
                    .unwrap();
            }
            _ => {}
        }
    }
}

/// What was, and what comes: who was there, what moves, what is called off.
async fn over(
    house: &House,
    scope: &Scope,
    today: NaiveDate,
    dice: &mut Dice,
    there: impl Fn(CandidateId) -> bool,
) {
    let now = house.app.now();
    for week in [-4, -3, -2, -1, 0, 1] {
        let day = today + chrono::TimeDelta::days(7 * week);
        let week = agenda::week(&house.app, scope, scope.coach, day)
            .await
            .unwrap();
        let mut shown = week.meetings;
        shown.sort_by_key(|one| (one.row.meeting.starts_at, one.row.candidate));
        for one in shown {
            let (id, version) = (one.row.meeting.id, one.row.meeting.version);
            if one.row.meeting.state != MeetingState::Booked {
                continue;
            }
            let app = &house.app;
            let starts_at = one.row.meeting.starts_at.unwrap();
            let done = match (starts_at < now, dice.below(40)) {
                // Now and then a coach forgets to fill it in, for a day.
                (true, 0..10) => Ok(()),
                (true, 10..30) if there(one.row.candidate) => {
                    verb::held(app, scope, id, version).await
                }
                (true, _) => verb::missed(app, scope, id, version).await,
                (false, 0) => {
                    let to = To::Time {
                        starts_at: starts_at.plus_days(7),
                        minutes: 30,
                        place: one.row.meeting.place.as_deref().unwrap_or_default(),
                    };
                    verb::move_to(app, scope, id, version, to).await
                }
                (false, 1) => verb::cancel(app, scope, id, version).await,
                (false, _) => Ok(()),
            };
            done.unwrap();
        }
    }
}

/// A look at the table of meetings over a connection that stays.
pub enum Eyes {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

const BOOKED: &str = "SELECT candidate_id || '|' || id || '|' || CAST(starts_at AS TEXT) FROM meetings WHERE state = 'booked' ORDER BY id";

impl Eyes {
    pub async fn on(database: &Database) -> Self {
        let url = &database.url;
        match database.kind() {
            "SQLite" => Self::Sqlite(sqlx::SqliteConnection::connect(url).await.unwrap()),
            _ => Self::Postgres(sqlx::PgConnection::connect(url).await.unwrap()),
        }
    }

    /// What is booked: whose, which meeting, and when it begins.
    pub async fn booked(&mut self, year: &Year) -> BTreeMap<(usize, String), i64> {
        let rows: Vec<String> = match self {
            Self::Sqlite(it) => sqlx::query_scalar(BOOKED).fetch_all(it).await.unwrap(),
            Self::Postgres(it) => sqlx::query_scalar(BOOKED).fetch_all(it).await.unwrap(),
        };
        let told = rows.iter().map(|row| {
            let parts: Vec<&str> = row.split('|').collect();
            let key = (year.who(parts[0]), parts[1].to_owned());
            (key, parts[2].parse().unwrap())
        });
        told.collect()
    }
}
