//! Vacancies from the feed to the answer: what is read and kept, what fits whom, what is asked, and what an
//! answer changes.

mod by_hand;
mod feeds;
mod pages;
mod stand;
mod talks;

use tussendoor::app::vacancies::search::{self, Written};
use tussendoor::app::vacancies::take::{self, Report, Taken};
use tussendoor::app::vacancies::{self, Match, Need, Search};
use tussendoor::domain::ids::{CandidateId, VacancyId};
use tussendoor::domain::vacancy::Raw;
use tussendoor::store::vacancies::Source;
use tussendoor::store::{matches, searches};
use tussendoor::wire::feeds::Read;

use crate::support::house::House;

/// One vacancy in Amsterdam as a feed tells it.
pub fn raw(reference: &str, title: &str, postcode: &str) -> Raw {
    Raw {
        reference: reference.into(),
        title: title.into(),
        employer: "De Kok".into(),
        text: "Je werkt 24 tot 32 uur.".into(),
        postcode: postcode.into(),
        ..Raw::default()
    }
}

/// What a source has now, taken in and matched.
pub async fn has(house: &House, source: &str, told: &[Raw]) -> Report {
    let read = Read {
        vacancies: told.to_vec(),
        unread: 0,
    };
    let source = Source {
        organisation: house.scope.organisation,
        name: source,
    };
    let taken = take::take(&house.app, source, &read, true, 0)
        .await
        .unwrap();
    let Taken::Done(report) = taken else {
        panic!("{taken:?}")
    };
    vacancies::work(&house.app).await.unwrap();
    report
}

/// Noor writes a search for a candidate who lives in 1102, the south-east of Amsterdam.
pub async fn looks_for(house: &House, candidate: CandidateId, words: &str) {
    let kept = looking(house, candidate).await;
    let written = Written {
        words: words.into(),
        not_words: String::new(),
        postcode: "1102 AB".into(),
        radius_km: 15,
        least: 0,
        most: 0,
        has: Search::default().has,
        version: kept.map(|kept| kept.version),
    };
    search::save(&house.app, &house.scope, candidate, &written)
        .await
        .unwrap();
}

pub async fn looking(house: &House, candidate: CandidateId) -> Option<searches::Kept> {
    let mut tx = house.app.store.read().await.unwrap();
    let person = tussendoor::app::turn::person(&mut tx, candidate)
        .await
        .unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    searches::of(&mut tx, &sealer, candidate).await.unwrap()
}

pub async fn found(house: &House, candidate: CandidateId) -> Vec<Match> {
    let mut tx = house.app.store.read().await.unwrap();
    matches::of_person(&mut tx, candidate, 99).await.unwrap()
}

/// The one match with a vacancy of this title.
pub async fn the(house: &House, candidate: CandidateId, title: &str) -> Match {
    let id = id_of(house, title).await;
    let all = found(house, candidate).await;
    let one = all.into_iter().find(|found| found.vacancy == id);
    one.unwrap_or_else(|| panic!("no match with {title}"))
}

pub async fn id_of(house: &House, title: &str) -> VacancyId {
    let sql = format!("SELECT id FROM vacancies WHERE title = '{title}'");
    let ids = house.database.texts(&sql).await;
    assert_eq!(ids.len(), 1, "one vacancy {title}");
    ids[0].parse().unwrap()
}

pub async fn open(house: &House) -> Vec<String> {
    let sql = "SELECT title FROM vacancies WHERE state = 'open' ORDER BY title";
    house.database.texts(sql).await
}

/// What every new search can do, with more.
pub fn can(more: &[Need]) -> std::collections::BTreeSet<Need> {
    let mut has = Search::default().has;
    has.extend(more);
    has
}
