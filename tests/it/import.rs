//! The way in: CSV files, by the same function that `tussendoor import` calls.
//! `tests/fixtures/import/<case>/` holds files and the report they get in an empty house.

mod days;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};

use tussendoor::app::import::{self, Asked, Place, Report, Sheet, Source, sheet::Kind};
use tussendoor::app::turn;
use tussendoor::domain::contact::{AddressKind, AddressState, Purpose};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::{DoneBy, Plan, TaskState};
use tussendoor::domain::talk::state::State;
use tussendoor::store::addresses;
use tussendoor::store::contacts::{self, How, Person};
use tussendoor::store::lines;
use tussendoor::store::plans;

use crate::golden::golden;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment, number};

on_both!(
    every_folder_gets_its_report,
    a_second_run_changes_nothing,
    what_people_did_stays_and_what_the_caller_changed_comes,
    a_number_that_changed_is_doubted_unless_the_person_wrote_from_it,
    two_organisations_may_count_alike,
    a_task_that_the_file_calls_done_ends_its_question,
);

const FIXTURES: &str = "tests/fixtures/import";

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FIXTURES)
        .join(case)
}

/// The files of a case, named as if they lay in the folder of the command.
fn files(case: &str) -> Vec<Sheet> {
    let mut sheets = import::sheets(&[folder(case)]).unwrap();
    for sheet in &mut sheets {
        sheet.file = sheet.kind.file_name().to_owned();
        if let Source::Disk(path) = &sheet.from {
            sheet.from = Source::Memory(fs::read(path).unwrap());
        }
    }
    sheets
}

/// Another text in a file.
fn rewrite(sheet: &mut Sheet, change: impl Fn(String) -> String) {
    let Source::Memory(bytes) = &sheet.from else {
        panic!("not in memory");
    };
    let text = change(String::from_utf8(bytes.clone()).unwrap());
    sheet.from = Source::Memory(text.into_bytes());
}

fn sheet(kind: Kind, bytes: impl Into<Vec<u8>>) -> Sheet {
    Sheet {
        kind,
        file: kind.file_name().to_owned(),
        from: Source::Memory(bytes.into()),
    }
}

/// One of the files of `first`, with some of its text replaced.
fn edited(kind: Kind, edits: &[(&str, &str)]) -> Vec<Sheet> {
    let mut sheets = files("first");
    sheets.retain(|sheet| sheet.kind == kind);
    for sheet in &mut sheets {
        rewrite(sheet, |mut text| {
            for (what, by) in edits {
                assert_eq!(text.matches(what).count(), 1, "{what}");
                text = text.replace(what, by);
            }
            text
        });
    }
    sheets
}

async fn bring_in(house: &House, sheets: Vec<Sheet>) -> String {
    ask(house, sheets, Asked::default()).await
}

async fn ask(house: &House, sheets: Vec<Sheet>, asked: Asked) -> String {
    told(&reports(house, sheets, asked).await)
}

async fn reports(house: &House, sheets: Vec<Sheet>, asked: Asked) -> Vec<Report> {
    let place = Place {
        organisation: house.scope.organisation,
        team: *house.scope.teams.first().unwrap(),
    };
    import::import(&house.app, place, sheets, asked, &|_, _, _| {})
        .await
        .unwrap()
}

fn told(reports: &[Report]) -> String {
    reports.iter().map(|report| format!("{report}\n")).collect()
}

async fn candidate(house: &House, reference: &str) -> CandidateId {
    let mut tx = house.app.store.read().await.unwrap();
    contacts::by_ref(&mut tx, house.scope.organisation, reference)
        .await
        .unwrap()
        .unwrap()
}

async fn person(house: &House, reference: &str) -> Person {
    let id = candidate(house, reference).await;
    let mut tx = house.app.store.read().await.unwrap();
    turn::person(&mut tx, id).await.unwrap()
}

async fn plan(house: &House, reference: &str) -> Plan {
    let person = person(house, reference).await;
    let mut tx = house.app.store.read().await.unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    plans::plan(&mut tx, &sealer, person.candidate.id)
        .await
        .unwrap()
}

async fn every_folder_gets_its_report(database: Database) {
    let mut cases: Vec<String> = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() >= 6);
    let house = House::new(database).await;
    for case in cases {
        let mut sheets = files(&case);
        // Every case begins in a house that knows none of its refs.
        for sheet in &mut sheets {
            rewrite(sheet, |text| {
                text.replace("k-", &format!("{case}-k-"))
                    .replace("p-", &format!("{case}-p-"))
            });
        }
        let before = rows(&house.database).await;
        let report = bring_in(&house, sheets).await;
        golden(&format!("{FIXTURES}/{case}/report.txt"), &report);
        let created = report
            .lines()
            .filter_map(|line| line.split_once(": ")?.1.split_once(" created"));
        let created: i64 = created
            .map(|(count, _)| count.parse::<i64>().unwrap())
            .sum();
        assert_eq!(rows(&house.database).await - before, created, "{case}");
    }
}

async fn rows(database: &Database) -> i64 {
    let candidates = number(database, "SELECT COUNT(*) FROM candidates").await;
    let plans = number(database, "SELECT COUNT(*) FROM plans").await;
    candidates + plans + number(database, "SELECT COUNT(*) FROM tasks").await
}

async fn a_second_run_changes_nothing(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let samira = person(&house, "k-101").await;
    assert_eq!(samira.candidate.family_name, "El Idrissi");
    assert_eq!(samira.candidate.coach, Some(house.scope.coach));
    let ade = person(&house, "k-103").await;
    assert_eq!(ade.candidate.first_name, "Oyelaran-Smit, Ade");
    assert_eq!(
        (ade.candidate.coach, ade.candidate.language.as_str()),
        (None, "en")
    );
    let before = plan(&house, "k-101").await;
    assert_eq!(before.goal, "Werk in de zorg");
    assert_eq!(before.tasks.len(), 3);
    assert_eq!(
        before.task_numbered(1).unwrap().due_on,
        Some("2026-03-04".parse().unwrap())
    );
    assert_eq!(before.task_numbered(3).unwrap().state, TaskState::Done);

    house.wait(3600);
    let report = bring_in(&house, files("first")).await;
    assert_eq!(
        report,
        "candidates.csv: 0 created, 0 updated, 3 unchanged\n\
         plans.csv: 0 created, 0 updated, 2 unchanged\n\
         tasks.csv: 0 created, 0 updated, 4 unchanged\n"
    );
    assert!(plan(&house, "k-101").await == before);
    assert_eq!(person(&house, "k-101").await.version, samira.version);
    assert_eq!(
        number(&house.database, "SELECT COUNT(*) FROM addresses").await,
        5
    );
}

async fn what_people_did_stays_and_what_the_caller_changed_comes(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let samira = person(&house, "k-101").await;
    let known = plan(&house, "k-101").await;
    let mut tx = house.app.store.write().await.unwrap();
    contacts::set_language(&mut tx, samira.candidate.id, "en")
        .await
        .unwrap();
    let done = known.task_numbered(1).unwrap();
    let by = Some((house.app.now(), DoneBy::Candidate));
    plans::set_task_state(&mut tx, done, TaskState::Done, by);
    let later = "2026-03-18".parse().unwrap();
    plans::set_due(&mut tx, known.task_numbered(2).unwrap(), later);
    tx.commit().await.unwrap();

    let report = bring_in(&house, files("first")).await;
    assert!(
        report.contains("3 unchanged") && report.contains("4 unchanged"),
        "{report}"
    );
    assert_eq!(person(&house, "k-101").await.candidate.language, "en");

    let report = bring_in(
        &house,
        edited(
            Kind::Candidates,
            &[("El Idrissi", "Idrissi"), ("basic", "starter")],
        ),
    )
    .await;
    assert_eq!(
        report,
        "candidates.csv: 0 created, 2 updated, 1 unchanged\n"
    );
    let samira = person(&house, "k-101").await;
    assert_eq!(samira.candidate.family_name, "Idrissi");
    assert_eq!(
        samira.candidate.language, "en",
        "the file did not change it"
    );

    let edits = [
        ("Bellen met", "Mailen naar"),
        ("Een dag meelopen,2026-03-05", "Een dag meelopen,2026-03-06"),
    ];
    let report = bring_in(&house, edited(Kind::Tasks, &edits)).await;
    assert_eq!(report, "tasks.csv: 0 created, 2 updated, 2 unchanged\n");
    let now = plan(&house, "k-101").await;
    assert_eq!(now.task_numbered(1).unwrap().state, TaskState::Done);
    assert_eq!(
        now.task_numbered(2).unwrap().title,
        "Mailen naar de thuiszorg"
    );
    assert_eq!(now.task_numbered(2).unwrap().due_on, Some(later));
    let jan = plan(&house, "k-102").await;
    assert_eq!(
        jan.task_numbered(1).unwrap().due_on,
        Some("2026-03-06".parse().unwrap())
    );

    let report = bring_in(
        &house,
        edited(Kind::Plans, &[("Werk in de zorg", "Werk in de thuiszorg")]),
    )
    .await;
    assert_eq!(report, "plans.csv: 0 created, 1 updated, 1 unchanged\n");
    assert_eq!(plan(&house, "k-101").await.goal, "Werk in de thuiszorg");

    // A plan stays with its candidate.
    let swapped = edited(Kind::Plans, &[("p-1,k-101", "p-1,k-103")]);
    let report = bring_in(&house, swapped).await;
    assert_eq!(
        report,
        "plans.csv, line 2, column candidate_ref: expected the candidate whose plan this is\n\
         plans.csv: nothing of it is stored\n"
    );
}

async fn a_number_that_changed_is_doubted_unless_the_person_wrote_from_it(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    assert_eq!(
        addresses(&house, "k-101").await,
        [
            (
                AddressKind::Whatsapp,
                "+31612345678".to_owned(),
                AddressState::Believed
            ),
            (
                AddressKind::Phone,
                "+31612345678".to_owned(),
                AddressState::Believed
            ),
            (
                AddressKind::Email,
                "samira@post.example".to_owned(),
                AddressState::Believed
            ),
        ]
    );
    let samira = person(&house, "k-101").await;
    let mut tx = house.app.store.write().await.unwrap();
    let sealer = tx.sealer(samira.key).await.unwrap();
    let known = addresses::of(&mut tx, &sealer, samira.candidate.id)
        .await
        .unwrap();
    let whatsapp = known
        .iter()
        .find(|it| it.kind == AddressKind::Whatsapp)
        .unwrap()
        .id;
    let line = *house.app.lines.keys().next().unwrap();
    addresses::heard(&mut tx, line, whatsapp, house.app.now());
    tx.commit().await.unwrap();

    let report = bring_in(
        &house,
        edited(Kind::Candidates, &[("06 12345678", "06 87654321")]),
    )
    .await;
    assert_eq!(
        report,
        "candidates.csv: 0 created, 1 updated, 2 unchanged\n"
    );
    assert_eq!(
        addresses(&house, "k-101").await,
        [
            (
                AddressKind::Whatsapp,
                "+31612345678".to_owned(),
                AddressState::Proven
            ),
            (
                AddressKind::Whatsapp,
                "+31687654321".to_owned(),
                AddressState::Believed
            ),
            (
                AddressKind::Phone,
                "+31612345678".to_owned(),
                AddressState::Doubted
            ),
            (
                AddressKind::Phone,
                "+31687654321".to_owned(),
                AddressState::Believed
            ),
            (
                AddressKind::Email,
                "samira@post.example".to_owned(),
                AddressState::Believed
            ),
        ]
    );
    // An empty cell takes nothing away.
    bring_in(
        &house,
        edited(
            Kind::Candidates,
            &[("06 12345678,samira@post.example", ",")],
        ),
    )
    .await;
    assert_eq!(addresses(&house, "k-101").await.len(), 5);
}

async fn addresses(house: &House, reference: &str) -> Vec<(AddressKind, String, AddressState)> {
    let person = person(house, reference).await;
    let mut tx = house.app.store.read().await.unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    let known = addresses::of(&mut tx, &sealer, person.candidate.id)
        .await
        .unwrap();
    let mut told: Vec<_> = known
        .into_iter()
        .map(|it| (it.kind, it.value, it.state))
        .collect();
    told.sort_by_key(|(kind, value, _)| (*kind, value.clone()));
    told
}

async fn two_organisations_may_count_alike(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let now = house.app.now();
    let mut tx = house.app.store.write().await.unwrap();
    let other = lines::put_organisation(
        &mut tx,
        house.app.id(now),
        "zandstad",
        "Zandstad",
        "Europe/Amsterdam",
    );
    let other = other.await.unwrap();
    let team = lines::put_team(&mut tx, house.app.id(now), other, "Werk")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Noor works for the first organisation only.
    let place = Place {
        organisation: other,
        team,
    };
    let bring = async |sheets| {
        import::import(&house.app, place, sheets, Asked::default(), &|_, _, _| {})
            .await
            .unwrap()
    };
    let reports = bring(files("first")).await;
    assert!(
        told(&reports)
            .contains("line 2, column coach_email: expected the e-mail address of a coach")
    );

    let mut sheets = files("first");
    for sheet in &mut sheets {
        rewrite(sheet, |text| text.replace("noor@waterstad.example", ""));
    }
    let reports = bring(sheets).await;
    assert_eq!(
        told(&reports),
        fs::read_to_string(folder("first").join("report.txt")).unwrap()
    );
    assert_eq!(
        number(&house.database, "SELECT COUNT(*) FROM candidates").await,
        6
    );
}

async fn a_task_that_the_file_calls_done_ends_its_question(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let samira = candidate(&house, "k-101").await;
    let mut tx = house.app.store.write().await.unwrap();
    let what = (Purpose::Tasks, true, How::Coach);
    let now = house.app.now();
    contacts::record_consent(
        &mut tx,
        house.app.row_id(now),
        samira,
        what,
        "whatsapp",
        now,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    house.turn_to(moment("2026-03-03", 9, 30));
    house.idle().await;
    house.approve(samira).await;
    house.idle().await;
    assert!(matches!(
        house.talk(samira).await.state,
        State::Asking { .. }
    ));

    let done = edited(Kind::Tasks, &[("2026-03-04,open", "2026-03-04,done")]);
    let report = bring_in(&house, done).await;
    assert_eq!(report, "tasks.csv: 0 created, 1 updated, 3 unchanged\n");
    assert!(matches!(house.talk(samira).await.state, State::Idle));
    let task = plan(&house, "k-101")
        .await
        .task_numbered(1)
        .unwrap()
        .clone();
    assert_eq!(
        (task.state, task.done_at),
        (TaskState::Done, Some(house.app.now()))
    );
    // Called open again by mistake of the caller's, it is open again.
    let report = bring_in(&house, edited(Kind::Tasks, &[])).await;
    assert_eq!(report, "tasks.csv: 0 created, 1 updated, 3 unchanged\n");
    assert_eq!(
        plan(&house, "k-101").await.task_numbered(1).unwrap().state,
        TaskState::Open
    );
}
