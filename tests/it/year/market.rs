//! Work in the town: what people look for, and what a source tells of each week.

use chrono::{Days, NaiveDate};
use tussendoor::app::vacancies::search::{self, Written};
use tussendoor::app::vacancies::take::{self, Taken};
use tussendoor::app::vacancies::{self, Search};
use tussendoor::domain::access::Scope;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::vacancy::Raw;
use tussendoor::store::vacancies::Source;
use tussendoor::wire::feeds::Read;

use crate::support::house::House;

const WORK: [(&str, &str); 4] = [
    ("magazijn", "Magazijnmedewerker"),
    ("schoonmaak", "Schoonmaak op school"),
    ("kok", "Kok in een buurthuis"),
    ("tuin", "Werken in de tuin"),
];

/// A coach writes down what somebody looks for.
pub async fn looks_for(house: &House, scope: &Scope, candidate: CandidateId, n: usize) {
    let written = Written {
        words: WORK[n % WORK.len()].0.into(),
        not_words: String::new(),
        postcode: "1102 AB".into(),
        radius_km: 25,
        least: 0,
        most: 0,
        has: Search::default().has,
        version: None,
    };
    search::save(&house.app, scope, candidate, &written)
        .await
        .unwrap();
}

/// What the source tells in this week: what is new, and what it told the week before.
pub async fn week(house: &House, today: NaiveDate, week: u64) {
    let mut told = Vec::new();
    for of in [week.checked_sub(1), Some(week)].into_iter().flatten() {
        let until = today.checked_add_days(Days::new(9 - 7 * (week - of)));
        let until = until.unwrap().to_string();
        for (at, (_, title)) in WORK.iter().enumerate() {
            for each in 0..2 {
                told.push(Raw {
                    reference: format!("{of}-{at}-{each}"),
                    title: (*title).into(),
                    employer: format!("Bedrijf {of}{at}{each}"),
                    text: "Je werkt 24 tot 32 uur.".into(),
                    postcode: "1012".into(),
                    // Half of it ends by itself, the rest when the source tells it no more.
                    closes: if each == 1 {
                        until.clone()
                    } else {
                        String::new()
                    },
                    ..Raw::default()
                });
            }
        }
    }
    let read = Read {
        vacancies: told,
        unread: 0,
    };
    let source = Source {
        organisation: house.scope.organisation,
        name: "markt",
    };
    let taken = take::take(&house.app, source, &read, true, 0)
        .await
        .unwrap();
    assert!(matches!(taken, Taken::Done(_)), "{taken:?}");
}

/// Everything about vacancies that is due.
pub async fn works(house: &House) {
    vacancies::work(&house.app).await.unwrap();
}
