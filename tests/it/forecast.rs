//! The forecast of the real binary, held against what the service then really does in a fortnight in which
//! nobody answers and a coach approves at once: the same people, the same days, nothing more and nothing less.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use chrono_tz::Europe::Amsterdam;
use tussendoor::app::approve::{self, Seen};
use tussendoor::app::slots::{self, Opening};
use tussendoor::app::{desk, invite};
use tussendoor::domain::contact::DigitalSkill;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::message::MessageState;
use tussendoor::domain::plan::MeetingMode;
use tussendoor::domain::series::Series;
use tussendoor::domain::time::{Timestamp, local_moment};
use tussendoor::store::contacts;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, environment, moment};
use crate::support::running::command;

on_both!(
    a_forecast_says_what_then_happens,
    a_comparison_shows_what_other_numbers_change,
);

const DAYS: u64 = 14;

/// `yyyy-mm-dd`, who, and what: as the forecast says it, without the clock and without what it is about.
type Line = (String, String, String);

/// Six people who began in the room and answered everything; some of them have steps in the coming days.
async fn people(house: &House) -> Vec<CandidateId> {
    let mut all = Vec::new();
    for n in 0..6_usize {
        let number = format!("+3161000000{n}");
        let id = house.candidate(&format!("Mens{n}"), &number, false).await;
        let mut tx = house.app.store.write().await.unwrap();
        let mut person = contacts::person(&mut tx, id).await.unwrap().unwrap();
        person.candidate.digital_skill = match n % 3 {
            0 => DigitalSkill::Starter,
            1 => DigitalSkill::Basic,
            _ => DigitalSkill::Skilled,
        };
        contacts::update(&mut tx, &person).await.unwrap();
        tx.commit().await.unwrap();
        if n > 1 {
            let due = format!("2026-03-{:02}", 6 + 2 * n);
            let later = format!("2026-03-{:02}", 14 + n);
            let tasks = [("Bel de bakker", due.as_str()), ("Maak een cv", &later)];
            house.plan(id, &tasks).await;
        }
        let code = invite::invite(&house.app, &house.scope, id).await.unwrap();
        house.says(&number, &format!("Mijn code is {code}")).await;
        for _ in 0..3 {
            house.wait(20);
            house.idle().await;
            if house.talk(id).await.front().is_some() {
                house.says(&number, "1").await;
            }
        }
        all.push(id);
    }
    let opening = Opening {
        team: *house.scope.teams.first().unwrap(),
        series: Series {
            first: "2026-03-10".parse().unwrap(),
            from: "09:00:00".parse().unwrap(),
            to: "12:00:00".parse().unwrap(),
            minutes: 30,
            weeks: 6,
        },
        mode: MeetingMode::Office,
        place: "Stadhuis".into(),
        capacity: 1,
    };
    let (app, scope) = (&house.app, &house.scope);
    slots::open(app, scope, &opening).await.unwrap();
    house.turn_to(moment("2026-03-05", 21, 0));
    house.idle().await;
    all
}

/// What the binary says on this moment of the house.
fn says(house: &House, more: &[&str]) -> Vec<String> {
    let mut environment = environment(&house.database, &house.graph.base_url);
    let now = house.app.now().0.to_string();
    environment.push(("TUSSENDOOR_CLOCK".into(), now));
    environment.push(("RUST_LOG".into(), "error".into()));
    let days = DAYS.to_string();
    let mut arguments = vec!["forecast", "--days", &days];
    arguments.extend(more);
    let (code, said) = command(&arguments, &environment);
    assert_eq!(code, Some(0), "{said}");
    said.lines().map(str::to_owned).collect()
}

fn read(line: &str) -> Line {
    let mut words = line.split("  ");
    let (at, who) = (words.next().unwrap(), words.next().unwrap());
    let what = words.next().unwrap();
    let what = what.rsplit_once(" (").unwrap().0;
    let what = what.split(", by the rule").next().unwrap();
    (at[..10].to_owned(), who.to_owned(), what.to_owned())
}

/// The days pass; nobody answers, and a coach approves whatever lies ready.
async fn passes(house: &House, from: NaiveDate) {
    for n in 1..=DAYS {
        let day = from.checked_add_days(Days::new(n)).unwrap();
        let moments = [(6, 5), (9, 31)].into_iter();
        for (hour, minute) in moments.chain((10..20).map(|hour| (hour, 5))) {
            house.turn_to(local_moment(day, hour, minute, Amsterdam));
            house.idle().await;
            approves(house).await;
            house.wait(15);
            house.idle().await;
        }
    }
}

async fn approves(house: &House) {
    let (_, listed) = desk::drafts(&house.app, &house.scope).await.unwrap();
    for item in listed {
        let row = item.row;
        if row.state != MessageState::Waiting {
            continue;
        }
        let seen = Seen {
            version: row.version,
            content_hash: row.content_hash,
        };
        approve::approve(&house.app, &house.scope, row.id, &seen)
            .await
            .unwrap();
    }
}

async fn happened(house: &House, since: Timestamp) -> BTreeSet<Line> {
    let since = since.0;
    let sql = format!(
        "SELECT CAST(accepted_at AS TEXT) || '|' || candidate_id || '|message ' || why FROM outgoing WHERE accepted_at > {since} UNION ALL SELECT CAST(opened_at AS TEXT) || '|' || candidate_id || '|flag ' || why FROM flags WHERE opened_at > {since}"
    );
    let rows = house.database.texts(&sql).await;
    let lines = rows.iter().map(|row| {
        let parts: Vec<&str> = row.split('|').collect();
        let at = Timestamp(parts[0].parse().unwrap());
        let day = at.local_day(Amsterdam).to_string();
        (day, parts[1].to_owned(), parts[2].to_owned())
    });
    lines.collect()
}

async fn a_forecast_says_what_then_happens(database: Database) {
    let house = House::new(database).await;
    people(&house).await;
    let now = house.app.now();
    let told: BTreeSet<Line> = says(&house, &[]).iter().map(|line| read(line)).collect();
    passes(&house, now.local_day(Amsterdam)).await;
    let last = now.plus_days(14).local_day(Amsterdam).to_string();
    let keep = |lines: BTreeSet<Line>| -> BTreeSet<Line> {
        let kept = lines.into_iter();
        // The last day is not whole, and how a nudge ends without a message is no message.
        kept.filter(|(day, _, what)| *day < last && !what.starts_with("nudge"))
            .collect()
    };
    let (told, happened) = (keep(told), keep(happened(&house, now).await));
    let only = |these: &BTreeSet<Line>, those: &BTreeSet<Line>| -> Vec<String> {
        let only = these.difference(those);
        only.map(|(day, who, what)| format!("{day} {who} {what}"))
            .collect()
    };
    let (forecast, real) = (only(&told, &happened), only(&happened, &told));
    assert!(
        forecast.is_empty() && real.is_empty(),
        "only in the forecast:\n{}\nonly in the days that came:\n{}",
        forecast.join("\n"),
        real.join("\n")
    );
    let messages = told.iter().filter(|(.., what)| what.starts_with("message"));
    assert!(messages.count() > 8, "too little to prove anything");
}

async fn a_comparison_shows_what_other_numbers_change(database: Database) {
    let house = House::new(database).await;
    people(&house).await;
    let running = std::fs::read_to_string("config/cadence.toml").unwrap();
    let file = |name: &str, text: &str| {
        let path = house.database.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let same = file("same.toml", &running);
    assert_eq!(says(&house, &["--compare", &same]), Vec::<String>::new());
    // Two days before instead of one.
    let other = running.replacen("working_days_before = 1", "working_days_before = 2", 1);
    assert_ne!(other, running);
    let other = file("other.toml", &other);
    let before: BTreeSet<String> = says(&house, &[]).into_iter().collect();
    let after: BTreeSet<String> = says(&house, &["--cadence", &other]).into_iter().collect();
    let told = says(&house, &["--compare", &other]);
    let signed = |sign: &str| -> BTreeSet<String> {
        let lines = told.iter().filter_map(|line| line.strip_prefix(sign));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(signed("- "), before.difference(&after).cloned().collect());
    assert_eq!(signed("+ "), after.difference(&before).cloned().collect());
    assert!(!signed("- ").is_empty() && !signed("+ ").is_empty());
    // It only looked.
    let sql = "SELECT COUNT(*) FROM nudges WHERE rule = 'task_due'";
    assert_eq!(house.number(sql).await, 0);
}
