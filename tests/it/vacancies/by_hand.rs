//! The commands of vacancies, by the real binary: a file is taken in, a feed is looked at, and what goes
//! wrong is a sentence and exit code 1.

use std::fs;

use crate::support::database::{Database, on_both};
use crate::support::house::{environment, number};
use crate::support::running::command;

on_both!(a_file_is_taken_in_by_hand, feeds_are_looked_at_by_hand,);

const OPEN: &str = "SELECT COUNT(*) FROM vacancies WHERE state = 'open'";
const TWO: &str =
    "id;title;employer;postcode;hours\n1;Kok;De Kok;1012 AB;24-32\n2;Bakker;De Kok;1012 AB;16\n";

async fn a_file_is_taken_in_by_hand(database: Database) {
    let environment = environment(&database, "http://127.0.0.1:9");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let import = |path: &str, organisation: &str| {
        let arguments = ["vacancies", "import", path, "--organisation", organisation];
        command(&arguments, &environment)
    };
    let csv = file("vacatures.csv", TWO);
    let (code, said) = import(&csv, "waterstad");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 vacancies: 2 new, 0 changed"), "{said}");
    assert_eq!(number(&database, OPEN).await, 2);
    // The same again changes nothing; one that is gone is closed.
    let (_, said) = import(&csv, "waterstad");
    assert!(said.contains("2 vacancies: 0 new, 0 changed"), "{said}");
    let one = TWO.lines().take(2).collect::<Vec<_>>().join("\n");
    let (_, said) = import(&file("vacatures.csv", &one), "waterstad");
    assert!(said.contains("1 closed"), "{said}");
    assert_eq!(number(&database, OPEN).await, 1);
    // What cannot be believed or read changes nothing.
    for (path, organisation, why) in [
        (file("niets.json", "[]"), "waterstad", "no vacancy"),
        (file("kapot.json", "{"), "waterstad", "JSON"),
        (file("tekst.txt", "Kok"), "waterstad", ".csv, .xml"),
        (csv.clone(), "elders", "no organisation elders"),
        ("er/is/niets.csv".into(), "waterstad", "cannot be read"),
    ] {
        let (code, said) = import(&path, organisation);
        assert_eq!(code, Some(1), "{path}: {said}");
        assert!(said.contains(why), "{path}: {said}");
    }
    assert_eq!(number(&database, OPEN).await, 1);
}

async fn feeds_are_looked_at_by_hand(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vacatures.csv");
    let mut environment = environment(&database, "http://127.0.0.1:9");
    for (name, value) in [
        ("ORGANISATION", "waterstad".to_owned()),
        ("FORMAT", "csv".to_owned()),
        ("FILE", path.display().to_string()),
    ] {
        environment.push((format!("TUSSENDOOR_FEEDS__WERK__{name}"), value));
    }
    let (code, said) = command(&["vacancies", "fetch"], &environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("werk: does not work"), "{said}");
    fs::write(&path, TWO).unwrap();
    let (code, said) = command(&["vacancies", "fetch", "werk"], &environment);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("werk: 2 vacancies: 2 new"), "{said}");
    assert_eq!(number(&database, OPEN).await, 2);
    let (_, said) = command(&["vacancies", "fetch"], &environment);
    assert!(said.contains("werk: nothing changed"), "{said}");
    let (_, said) = command(&["vacancies", "fetch", "--anew"], &environment);
    assert!(said.contains("werk: 2 vacancies: 0 new"), "{said}");
    let (code, said) = command(&["vacancies", "fetch", "elders"], &environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no feed elders"), "{said}");
}
