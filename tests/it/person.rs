//! A person's data: the rules for every column, an export, an erasure, holds.

mod erased;
mod full;
mod shared;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tussendoor::app::export::{self, Export};
use tussendoor::domain::ids::CandidateId;
use tussendoor::store::personal::{As, Rows, TABLES, Told};

use self::full::{Full, fill};
use crate::support::database::{Database, on_both};
use crate::support::house::House;

on_both!(
    every_column_has_a_rule_and_every_rule_a_column,
    an_export_tells_every_personal_column_and_nothing_of_another_person,
    an_export_reads_the_same_for_a_person_about_whom_little_is_known,
    what_is_sealed_lies_nowhere_in_the_clear,
);

async fn every_column_has_a_rule_and_every_rule_a_column(database: Database) {
    let house = House::new(database).await;
    let real = house.database.columns().await;
    let mut ruled: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in TABLES {
        let columns: Vec<&str> = table.columns().collect();
        let distinct: BTreeSet<String> = columns.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(
            columns.len(),
            distinct.len(),
            "{}: a column has two rules",
            table.name
        );
        for line in table.told {
            assert!(Told::parse(line).is_some(), "{}: {line}", table.name);
        }
        let twice = ruled.insert(table.name.to_owned(), distinct);
        assert!(twice.is_none(), "{} stands there twice", table.name);
    }
    let missing: Vec<String> = differences(&real, &ruled);
    let made_up: Vec<String> = differences(&ruled, &real);
    assert!(
        missing.is_empty(),
        "columns without a rule in store/personal/rules.rs: {missing:?}"
    );
    assert!(made_up.is_empty(), "rules without a column: {made_up:?}");
}

/// `table.column` of what is in the first and not in the second.
fn differences(
    one: &BTreeMap<String, BTreeSet<String>>,
    other: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let nothing = BTreeSet::new();
    one.iter()
        .flat_map(|(table, columns)| {
            let known = other.get(table).unwrap_or(&nothing);
            columns
                .difference(known)
                .map(move |column| format!("{table}.{column}"))
        })
        .collect()
}

#[test]
fn what_is_sealed_is_read_as_sealed_and_bound_to_its_row() {
    for table in TABLES {
        for told in table.told() {
            let sealed = matches!(
                told.read,
                As::SealedText | As::SealedValue | As::SealedBytes
            );
            let place = (table.name, told.column);
            assert_eq!(sealed, told.column.ends_with("_sealed"), "{place:?}");
            assert!(!sealed || !table.sealed_to.is_empty(), "{place:?}");
            assert!(!told.nl.is_empty() && !told.en.is_empty(), "{place:?}");
            assert!(!told.column.ends_with("_hash"), "{place:?}");
        }
        let exported = !table.told.is_empty();
        assert_eq!(exported, table.title != " | ", "{}", table.name);
        assert!(
            !exported || !matches!(table.rows, Rows::None),
            "{}",
            table.name
        );
    }
}

async fn told(house: &House, candidate: CandidateId) -> Value {
    match export::export(&house.app, candidate).await.unwrap() {
        Export::Told(told) => told,
        _ => panic!("there is something to tell"),
    }
}

async fn an_export_tells_every_personal_column_and_nothing_of_another_person(database: Database) {
    let house = House::new(database).await;
    let [one, other] = fill(&house, [Full::SAMIRA, Full::DAAN]).await;
    let told = told(&house, one.candidate).await;
    let mut silent = Vec::new();
    for table in TABLES.iter().filter(|table| !table.told.is_empty()) {
        let part = told["parts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|part| part["name"] == table.name)
            .unwrap_or_else(|| panic!("no part {}", table.name));
        for title in [&part["title"]["nl"], &part["title"]["en"]] {
            assert!(
                title.as_str().is_some_and(|title| !title.is_empty()),
                "{}",
                table.name
            );
        }
        let rows = part["rows"].as_array().unwrap();
        for column in table.told() {
            assert_eq!(part["fields"][column.name()]["nl"], column.nl);
            assert_eq!(part["fields"][column.name()]["en"], column.en);
            if !rows.iter().any(|row| !row[column.name()].is_null()) {
                silent.push(format!("{}.{}", table.name, column.column));
            }
        }
    }
    assert!(silent.is_empty(), "nothing is told of {silent:?}");
    let text = told.to_string();
    for words in one.words() {
        assert!(text.contains(&words), "{words} is not told");
    }
    for words in other.words() {
        assert!(!text.contains(&words), "{words} is somebody else's");
    }
    for id in house.database.texts(&other.ids()).await {
        assert!(!text.contains(&id), "{id} is somebody else's");
    }
    let coach = house.scope.coach.to_string();
    assert!(!text.contains(&coach), "a coach is not the candidate");
    let hash = house.app.store.hash("sender", Full::SAMIRA.number);
    assert!(!text.contains(&hash) && !text.contains("_hash"));
}

async fn an_export_reads_the_same_for_a_person_about_whom_little_is_known(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", false).await;
    let told = told(&house, candidate).await;
    let parts = told["parts"].as_array().unwrap();
    let exported = TABLES.iter().filter(|table| !table.told.is_empty());
    assert_eq!(parts.len(), exported.count());
    assert_eq!(told["organisation"], "Gemeente Waterstad");
    let nobody: CandidateId = house.app.id(house.app.now());
    let nothing = export::export(&house.app, nobody).await.unwrap();
    assert!(matches!(nothing, Export::NotThere));
}

/// What a person is called and what was said by and about them stands in no row as it was said: not as
/// text, not as bytes.
async fn what_is_sealed_lies_nowhere_in_the_clear(database: Database) {
    let house = House::new(database).await;
    let [one] = fill(&house, [Full::SAMIRA]).await;
    let Full { name, number, word } = one.who;
    let said = [
        "stap", "schrijft", "notitie", "zoekt", "wacht", "coach", "profiel",
    ]
    .map(|end| format!("{word}-{end}"));
    let dump = house.database.dump().await;
    for word in said.iter().map(String::as_str).chain([name, number]) {
        let bytes = hex::encode(word);
        for (table, rows) in &dump {
            for row in rows {
                // A blob is told in hex, in the case that the database likes.
                let found = row.contains(word) || row.to_lowercase().contains(&bytes);
                assert!(!found, "{table} says {word:?}: {row}");
            }
        }
    }
}
