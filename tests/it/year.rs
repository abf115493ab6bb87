//! A simulated year of one team: nine personas, three coaches, a provider with faults, an outage of three
//! days, both clock changes and all holidays, played by the real code on a clock that is turned by hand.
//! Afterwards a checker that shares no code with the scheduler reads what was sent and what the database
//! says.

mod agenda;
mod appointments;
mod checker;
mod coaches;
mod market;
mod people;
mod pure;
mod record;
mod town;

use crate::support::database::{Database, on_both};
use town::{Stretch, Town, Year};

on_both!(
    easter_and_summer_time,
    a_summer_with_holidays,
    winter_time_and_christmas,
);

/// A number that the command sets, else the one that suits every run of the tests.
fn number(name: &str, usual: u32) -> u32 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => usual,
    }
}

async fn fresh(like: &str) -> Database {
    match like {
        "SQLite" => Database::sqlite(),
        _ => Database::postgres().await,
    }
}

/// A quarter of its own, or with `YEARS` so many years of `YEAR_PEOPLE` people and `YEAR_DAYS` days from the seed
/// `YEAR_SEED` on, which the first of the three plays.
fn stretches(seed: u64, first: &'static str) -> Vec<Stretch> {
    let whole = number("YEARS", 0);
    if whole == 0 {
        return vec![Stretch {
            seed,
            people: 9,
            first,
            days: 91,
        }];
    }
    let (people, days) = (number("YEAR_PEOPLE", 240), number("YEAR_DAYS", 365));
    let years = if seed == 0 { u64::from(whole) } else { 0 };
    let year = |seed| Stretch {
        seed,
        people,
        first: "2026-03-03",
        days: u64::from(days),
    };
    let first = u64::from(number("YEAR_SEED", 0));
    (first..first + years).map(year).collect()
}

async fn easter_and_summer_time(database: Database) {
    every_promise_is_kept(database, 0, "2026-03-03").await;
}

async fn a_summer_with_holidays(database: Database) {
    every_promise_is_kept(database, 1, "2026-06-30").await;
}

async fn winter_time_and_christmas(database: Database) {
    every_promise_is_kept(database, 2, "2026-10-06").await;
}

async fn every_promise_is_kept(database: Database, seed: u64, first: &'static str) {
    let kind = database.kind();
    let mut database = Some(database);
    let mut all_broken = Vec::new();
    for stretch in stretches(seed, first) {
        let fresh = match database.take() {
            Some(first) => first,
            None => fresh(kind).await,
        };
        let mut year = Town::passes(fresh, stretch).await;
        year.told();
        if let Ok(file) = std::env::var("YEAR_LOG") {
            std::fs::write(file, &year.log).unwrap();
        }
        let record = record::read(&mut year).await;
        let (stood, reminded) = checker::reminders(&record);
        println!("{reminded} of {stood} meetings reminded of");
        let mut broken = checker::check(&record);
        broken.extend(record::of_the_house(&year, &record).await);
        for what in broken {
            let told = format!("seed {}: {what}", stretch.seed);
            println!("{told}");
            all_broken.push(told);
        }
        year.house.app.store.close().await;
    }
    let many = all_broken.len();
    assert_eq!(many, 0, "broken promises:\n{}", all_broken.join("\n"));
}

/// The same seed once more, and on the other database, byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_replays_byte_for_byte_on_both_databases() {
    let stretch = Stretch {
        seed: 7,
        people: 9,
        first: "2026-03-10",
        days: 40,
    };
    let mut logs: Vec<(&str, String)> = Vec::new();
    for database in [
        Database::sqlite(),
        Database::sqlite(),
        Database::postgres().await,
    ] {
        let kind = database.kind();
        let Year { log, .. } = Town::passes(database, stretch).await;
        logs.push((kind, log));
    }
    assert!(logs[0].1.lines().count() > 80, "{}", logs[0].1);
    for (kind, log) in &logs[1..] {
        let mut lines = log.lines().zip(logs[0].1.lines());
        let other = lines.find(|(here, there)| here != there);
        assert_eq!(other, None, "{kind}");
        assert_eq!(log.len(), logs[0].1.len(), "{kind}");
    }
}
