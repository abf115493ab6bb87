//! Ways to run an import: only the good rows, only to see, twice, and cut off half-way.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tussendoor::app::import::{self as engine, Asked, BATCH, Sheet, sheet::Kind};
use tussendoor::app::plan::{self as steps, Written};

use super::{ask, bring_in, edited, files, person, plan, reports, rewrite, sheet};
use crate::support::crowd;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, environment, number};
use crate::support::running::command;
use crate::support::wait::between_looks;

on_both!(
    the_good_rows_go_in_and_the_wrong_ones_are_listed,
    a_dry_run_says_what_would_change_and_changes_nothing,
    a_dry_run_of_everything_at_once_counts_like_the_run,
    what_excel_wrote_years_ago_is_read_and_said,
    many_batches_are_one_file,
    a_run_that_was_killed_is_mended_by_another,
    a_step_of_a_coach_is_not_taken_by_a_file,
);

const PARTIAL: Asked = Asked {
    partial: true,
    dry: false,
};
const DRY: Asked = Asked {
    partial: false,
    dry: true,
};

/// `first`, with one wrong row in each file.
fn with_mistakes() -> Vec<Sheet> {
    let mut sheets = files("first");
    for sheet in &mut sheets {
        rewrite(sheet, |text| match sheet_kind(&text) {
            Kind::Candidates => {
                text.replace("k-102,", "k-102,\u{7},") + "k-104,Ali,Kaya,nl,basic,work,,,\n"
            }
            Kind::Plans => text + "p-9,k-999,Werk,2026-03-02\n",
            Kind::Tasks => text + "p-9,1,Bellen,,open\np-1,9,Bellen,soon,open\n",
            Kind::Slots | Kind::Meetings => text,
        });
    }
    sheets
}

fn sheet_kind(text: &str) -> Kind {
    Kind::ALL
        .into_iter()
        .find(|kind| {
            let head = text.lines().next().unwrap();
            kind.columns().iter().all(|column| head.contains(column))
        })
        .unwrap()
}

async fn the_good_rows_go_in_and_the_wrong_ones_are_listed(database: Database) {
    let house = House::new(database).await;
    // Without leave, one wrong row refuses the file, and the files that build on it.
    let refused = bring_in(&house, with_mistakes()).await;
    assert!(
        refused.contains("candidates.csv: nothing of it is stored\n"),
        "{refused}"
    );
    assert_eq!(
        number(&house.database, "SELECT COUNT(*) FROM candidates").await,
        0
    );
    let report = ask(&house, with_mistakes(), PARTIAL).await;
    assert_eq!(
        report,
        "candidates.csv, line 3: expected 9 cells, as in the first line\n\
         candidates.csv, line 5, column track: expected participation, reintegration or outplacement\n\
         candidates.csv: 2 created, 0 updated, 0 unchanged, 2 wrong and left out\n\
         plans.csv, line 3, column candidate_ref: expected the ref of a candidate who is known\n\
         plans.csv, line 4, column candidate_ref: expected the ref of a candidate who is known\n\
         plans.csv: 1 created, 0 updated, 0 unchanged, 2 wrong and left out\n\
         tasks.csv, line 5, column plan_ref: expected the ref of a plan that is known\n\
         tasks.csv, line 6, column plan_ref: expected the ref of a plan that is known\n\
         tasks.csv, line 7, column due_on: expected a day such as 2026-03-31, or nothing\n\
         tasks.csv: 3 created, 0 updated, 0 unchanged, 3 wrong and left out\n"
    );
    // The file put right brings the rest, and what is in stays as it is.
    let report = bring_in(&house, files("first")).await;
    assert_eq!(
        report,
        "candidates.csv: 1 created, 0 updated, 2 unchanged\n\
         plans.csv: 1 created, 0 updated, 1 unchanged\n\
         tasks.csv: 1 created, 0 updated, 3 unchanged\n"
    );
}

async fn a_dry_run_says_what_would_change_and_changes_nothing(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let before = everything(&house.database).await;
    assert!(before.len() > 30, "every table is looked at");
    let mut sheets = edited(
        Kind::Candidates,
        &[
            ("El Idrissi", "Idrissi"),
            ("06 12345678", "06 87654321"),
            ("basic", "starter"),
        ],
    );
    sheets.extend(edited(
        Kind::Plans,
        &[("Werk in de zorg", "Werk in de thuiszorg")],
    ));
    sheets.extend(edited(
        Kind::Tasks,
        &[("2026-03-04,open", "2026-03-05,done")],
    ));
    rewrite(&mut sheets[0], |text| {
        text + "k-200,Ali,Kaya,nl,basic,participation,,,\n"
    });
    rewrite(&mut sheets[1], |text| {
        text + "p-200,k-200,Werk,2026-03-02\n"
    });
    rewrite(&mut sheets[2], |text| text + "p-200,1,Bellen,,open\n");
    let report = ask(&house, sheets, DRY).await;
    assert_eq!(
        report,
        "candidates.csv, line 2: would change family_name, phone\n\
         candidates.csv, line 3: would change digital_skill\n\
         candidates.csv: would be 1 created, 2 updated, 1 unchanged; nothing is stored\n\
         plans.csv, line 2: would change goal\n\
         plans.csv: would be 1 created, 1 updated, 1 unchanged; nothing is stored\n\
         tasks.csv, line 2: would change due_on, state\n\
         tasks.csv: would be 1 created, 1 updated, 3 unchanged; nothing is stored\n"
    );
    assert_eq!(everything(&house.database).await, before);
    // A wrong row is named, with leave and without it.
    for (asked, end) in [
        (DRY, "nothing of it is stored\n"),
        (
            Asked {
                partial: true,
                dry: true,
            },
            "; nothing is stored, 2 wrong and left out\n",
        ),
    ] {
        let mut sheets = with_mistakes();
        sheets.truncate(1);
        let report = ask(&house, sheets, asked).await;
        assert!(report.contains("line 5, column track"), "{report}");
        assert!(report.ends_with(end), "{report}");
    }
    assert_eq!(everything(&house.database).await, before);
    // The comparison sees a change.
    house.wait(1);
    bring_in(
        &house,
        edited(Kind::Plans, &[("p-1,", "p-7,"), ("k-101", "k-103")]),
    )
    .await;
    assert_ne!(everything(&house.database).await, before);
}

async fn a_dry_run_of_everything_at_once_counts_like_the_run(database: Database) {
    let house = House::new(database).await;
    let counts = |reports: &[engine::Report]| -> Vec<_> {
        reports.iter().map(|report| report.counts).collect()
    };
    let dry = reports(&house, files("first"), DRY).await;
    let run = reports(&house, files("first"), Asked::default()).await;
    assert_eq!(counts(&dry), counts(&run));
    assert!(dry.iter().all(|report| report.counts.created > 0));
}

async fn what_excel_wrote_years_ago_is_read_and_said(database: Database) {
    let house = House::new(database).await;
    let mut bytes = Kind::Candidates.columns().join(";").into_bytes();
    bytes.extend_from_slice(b"\r\nk-1;Zo\xeb;Van \x91t Veld;nl;starter;participation;;;\r\n");
    let all = reports(
        &house,
        vec![sheet(Kind::Candidates, bytes)],
        Asked::default(),
    )
    .await;
    let reading = all[0].reading.as_ref().unwrap();
    assert_eq!(reading.to_string(), "Windows-1252 with semicolons");
    let zoe = person(&house, "k-1").await.candidate;
    assert_eq!(zoe.first_name, "Zo\u{eb}");
    assert_eq!(zoe.family_name, "Van \u{2018}t Veld");
    // The same file saved as UTF-8 with commas says the same.
    let columns = Kind::Candidates.columns().join(",");
    let text =
        format!("\u{feff}{columns}\nk-1,Zo\u{eb},Van \u{2018}t Veld,nl,starter,participation,,,\n");
    let all = reports(
        &house,
        vec![sheet(Kind::Candidates, text)],
        Asked::default(),
    )
    .await;
    assert_eq!(all[0].counts.unchanged, 1);
    assert_eq!(
        all[0].reading.as_ref().unwrap().to_string(),
        "UTF-8 with commas"
    );
}

async fn many_batches_are_one_file(database: Database) {
    let house = House::new(database).await;
    let rows = u32::try_from(BATCH * 2 + 3).unwrap();
    let folder = house.database.folder.path().to_owned();
    crowd::candidates(&folder, rows, None);
    crowd::plans(&folder, rows);
    let sheets = || engine::sheets(std::slice::from_ref(&folder)).unwrap();
    for (new, old) in [(rows, 0), (0, rows)] {
        for report in reports(&house, sheets(), Asked::default()).await {
            assert!(report.is_whole(), "{report}");
            assert_eq!(report.counts.created, new as usize);
            assert_eq!(report.counts.unchanged, old as usize);
        }
    }
    // The last row is wrong: nothing of any batch is stored. And a row may stand once in the file,
    // however far away the other is.
    crowd::candidates(&folder, rows, Some(1));
    let path = folder.join("candidates.csv");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("k-000000,Ali,Kaya,nl,basic,participation,,,\n");
    fs::write(&path, text).unwrap();
    let before = everything(&house.database).await;
    let report = ask(&house, engine::sheets(&[path]).unwrap(), Asked::default()).await;
    assert!(
        report.contains("line 1029, column ref: expected another one than in line 2\n"),
        "{report}"
    );
    assert_eq!(everything(&house.database).await, before);
}

async fn a_run_that_was_killed_is_mended_by_another(database: Database) {
    const ROWS: u32 = 6_000;
    let environment = environment(&database, "http://127.0.0.1:1");
    let folder = database.folder.path().join("files");
    fs::create_dir(&folder).unwrap();
    crowd::candidates(&folder, ROWS, None);
    let files = folder.display().to_string();
    let arguments = [
        "import",
        "--organisation",
        "waterstad",
        "--team",
        "Team Werk",
        files.as_str(),
    ];
    let (code, said) = command(&["migrate"], &environment);
    assert_eq!(code, Some(0), "{said}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tussendoor"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let people = "SELECT COUNT(*) FROM candidates";
    while number(&database, people).await == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        between_looks().await;
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed");
    let there = number(&database, people).await;
    assert!(there > 0 && there < i64::from(ROWS), "half-way: {there}");
    assert_eq!(there % i64::try_from(BATCH).unwrap(), 0, "whole batches");
    let (code, said) = command(&arguments, &environment);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!(
            "{} created, 0 updated, {there} unchanged",
            i64::from(ROWS) - there
        )),
        "{said}"
    );
    // The same end as a run that nobody cut off: everybody once, whole.
    for (count, sql) in [
        (ROWS, people),
        (ROWS, "SELECT COUNT(*) FROM talks"),
        (
            ROWS,
            "SELECT COUNT(*) FROM keys WHERE owner LIKE 'candidate:%'",
        ),
        (
            ROWS,
            "SELECT COUNT(*) FROM marks WHERE name LIKE 'import|candidate:%'",
        ),
        (ROWS * 2 + ROWS / 3, "SELECT COUNT(*) FROM addresses"),
    ] {
        assert_eq!(number(&database, sql).await, i64::from(count), "{sql}");
    }
    let (code, said) = command(&arguments, &environment);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("0 created, 0 updated, {ROWS} unchanged")),
        "{said}"
    );
    assert!(said.contains("read as UTF-8 with commas"), "{said}");
}

#[test]
fn only_the_three_files_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let refused = |paths: &[PathBuf]| engine::sheets(paths).err().unwrap().expected;
    assert_eq!(
        refused(&[at("")]),
        "candidates.csv, plans.csv, tasks.csv, slots.csv or meetings.csv in this folder"
    );
    fs::write(at("people.csv"), "").unwrap();
    assert_eq!(
        refused(&[at("people.csv")]),
        "a file named candidates.csv, plans.csv, tasks.csv, slots.csv or meetings.csv"
    );
    assert_eq!(
        refused(&[at("plans.csv")]),
        "a file that can be read (entity not found)"
    );
    fs::write(at("Tasks.csv"), "").unwrap();
    fs::write(at("plans.csv"), "").unwrap();
    assert_eq!(
        refused(&[at("plans.csv"), at("")]),
        "each of the files once"
    );
    let sheets = engine::sheets(&[at("Tasks.csv"), at("plans.csv")]).unwrap();
    let kinds: Vec<Kind> = sheets.iter().map(|sheet| sheet.kind).collect();
    assert_eq!(kinds, [Kind::Tasks, Kind::Plans]);
    fs::File::create(at("candidates.csv"))
        .unwrap()
        .set_len(engine::MOST_BYTES + 1)
        .unwrap();
    assert_eq!(refused(&[at("candidates.csv")]), "a file of at most 64 MB");
}

/// Every row of every table, as text.
async fn everything(database: &Database) -> BTreeMap<String, String> {
    use sqlx::{AssertSqlSafe, Connection as _};
    let mut all = BTreeMap::new();
    if database.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&database.url)
            .await
            .unwrap();
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        for table in tables {
            let columns: Vec<String> =
                sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info($1)")
                    .bind(&table)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
            let row = columns.join(" || ',' || ");
            let sql = format!(
                "SELECT COALESCE(group_concat(r, char(10)), '') FROM (SELECT {row} AS r FROM {table} ORDER BY 1)"
            );
            let text = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await
                .unwrap();
            all.insert(table, text);
        }
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        for table in tables {
            let sql = format!(
                "SELECT COALESCE(string_agg(CAST(t AS TEXT), chr(10) ORDER BY CAST(t AS TEXT)), '') FROM {table} t"
            );
            let text = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await
                .unwrap();
            all.insert(table, text);
        }
    }
    all
}

/// Both count in one plan: the coach gave a step the number that the file gives to another.
async fn a_step_of_a_coach_is_not_taken_by_a_file(database: Database) {
    let house = House::new(database).await;
    bring_in(&house, files("first")).await;
    let samira = person(&house, "k-101").await.candidate.id;
    let step = Written {
        title: "een proefles",
        due_on: None,
    };
    steps::add_step(&house.app, &house.scope, samira, &step)
        .await
        .unwrap();
    let more = "p-1,4,Een brief schrijven,,open\np-1,5,Nabellen,,open\n";
    let mut tasks = edited(Kind::Tasks, &[]);
    rewrite(&mut tasks[0], |text| text + more);
    let report = ask(&house, tasks, PARTIAL).await;
    assert_eq!(
        report,
        "tasks.csv, line 6, column number: expected a number that no coach gave to a step of their own\n\
         tasks.csv: 1 created, 0 updated, 4 unchanged, 1 wrong and left out\n"
    );
    let plan = plan(&house, "k-101").await;
    assert_eq!(plan.task_numbered(4).unwrap().title, "een proefles");
    assert_eq!(plan.task_numbered(5).unwrap().title, "Nabellen");
}
