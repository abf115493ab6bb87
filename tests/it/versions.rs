//! A flow is changed while people are in the middle of it: who was asked by the old version is understood
//! by the old version, and a run is taken over only where the new file says so (`moves`).

use std::fs;
use std::path::Path;

use tussendoor::assemble::tried;
use tussendoor::domain::ids::CandidateId;
use tussendoor::store::marks;
use tussendoor::texts::config::Configuration;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_talk_finishes_on_the_version_it_began_with,
    a_run_moves_where_the_new_file_says_so,
    texts_are_tried_once_and_again_after_any_change,
);

const SAMIRA: &str = "+31612345678";
const YUSUF: &str = "+31612345679";

/// A house whose flows are files that can be changed.
async fn house(database: Database) -> House {
    let folder = database.folder.path();
    for name in ["config", "templates"] {
        copy(Path::new(name), &folder.join(name));
    }
    let setting = |name: &str| -> &'static str {
        let path = folder.join(name).display().to_string();
        Box::leak(path.into_boxed_str())
    };
    let settings = vec![
        ("TUSSENDOOR_CONFIG_DIR", setting("config")),
        ("TUSSENDOOR_TEMPLATES_DIR", setting("templates")),
    ];
    House::set(database, Box::leak(settings.into_boxed_slice())).await
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

const FLOW: &str = "config/flows/task_nudge.toml";

/// Changes one place of a file of `task_nudge`.
fn change(house: &House, file: &str, before: &str, after: &str) {
    let file = house.database.folder.path().join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches(before).count(), 1, "{before}");
    fs::write(&file, text.replace(before, after)).unwrap();
}

/// Somebody with a task for the fifth of March, asked about it on the fourth.
async fn asked(house: &House, name: &str, number: &str, due: &str) -> CandidateId {
    let id = house.candidate(name, number, true).await;
    house.plan(id, &[("Bel de bakker", due)]).await;
    id
}

async fn on(house: &House, day: &str, minute: u32) {
    house.turn_to(moment(day, 6, 5));
    house.idle().await;
    house.turn_to(moment(day, 9, minute));
    house.idle().await;
}

async fn done(house: &House, who: CandidateId) -> bool {
    let sql = format!(
        "SELECT CAST(COUNT(*) AS TEXT) FROM tasks WHERE candidate_id = '{who}' AND state = 'done'"
    );
    house.database.texts(&sql).await == ["1"]
}

async fn a_talk_finishes_on_the_version_it_began_with(database: Database) {
    let house = house(database).await;
    let samira = asked(&house, "Samira", SAMIRA, "2026-03-05").await;
    on(&house, "2026-03-04", 31).await;
    house.approve(samira).await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);

    // In the new version the first answer is another one.
    let yes = "  { id = \"yes\", do = [\"task_done\"], go = \"well_done\" },\n";
    let not_yet = "  { id = \"not_yet\", go = \"what_now\" },\n";
    let (before, after) = (format!("{yes}{not_yet}"), format!("{not_yet}{yes}"));
    change(&house, FLOW, &before, &after);
    for locale in ["nl", "en"] {
        let texts = format!("templates/messages/{locale}/task_nudge.toml");
        let (before, after) = (
            r#"["yes", "not_yet", "help"]"#,
            r#"["not_yet", "yes", "help"]"#,
        );
        change(&house, &texts, before, after);
    }
    let house = house.restart().await;
    let yusuf = asked(&house, "Yusuf", YUSUF, "2026-03-06").await;
    on(&house, "2026-03-05", 31).await;
    house.approve(yusuf).await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 2);

    // Each means what stood on the screen.
    house.says(SAMIRA, "1").await;
    house.says(YUSUF, "1").await;
    assert!(done(&house, samira).await, "1 was: yes, it is done");
    assert!(!done(&house, yusuf).await, "1 is: not yet");
    let versions = "SELECT COUNT(*) FROM flows WHERE name = 'task_nudge'";
    assert_eq!(house.number(versions).await, 2, "none is deleted");
}

async fn a_run_moves_where_the_new_file_says_so(database: Database) {
    let house = house(database).await;
    let samira = asked(&house, "Samira", SAMIRA, "2026-03-05").await;
    on(&house, "2026-03-04", 31).await;
    house.approve(samira).await;
    house.idle().await;

    // The second rung is left out; whoever would come to it goes on with the third.
    let start = "start = \"done_yet\"\n";
    let moves = format!("{start}moves = {{ smaller = \"personal_line\" }}\n");
    change(&house, FLOW, start, &moves);
    let house = house.restart().await;
    // The open question stays the old one's, and its "nothing was said" leads where the new one says.
    for day in ["2026-03-05", "2026-03-06", "2026-03-09", "2026-03-10"] {
        on(&house, day, 45).await;
    }
    let draft = house.waiting(samira).await;
    assert_eq!(draft.why, "task_nudge/personal_line");
    let nobody = "SELECT COUNT(*) FROM outgoing WHERE why = 'task_nudge/smaller'";
    assert_eq!(house.number(nobody).await, 0);
}

/// A start does not prove again what the same program proved of the same files.
async fn texts_are_tried_once_and_again_after_any_change(database: Database) {
    let house = house(database).await;
    let folder = house.database.folder.path().to_owned();
    let read = || {
        let folders = (folder.join("config"), folder.join("templates"));
        Configuration::read(Some(&folders.0), Some(&folders.1)).unwrap()
    };
    let store = &house.app.store;
    let mark = async || {
        let mut tx = store.read().await.unwrap();
        marks::get(&mut tx, tried::MARK).await.unwrap()
    };
    assert_eq!(mark().await, None);
    tried::once(read(), store).await.unwrap();
    let first = mark().await;
    assert_eq!(first, tried::seal(&read()));
    // Only trying a text out shows a name that nobody knows.
    let text = "templates/messages/nl/_common.toml";
    let sound = fs::read_to_string(folder.join(text)).unwrap();
    let broken = sound.replacen("{{first_name}}", "{{nobody}}", 1);
    assert_ne!(sound, broken);
    fs::write(folder.join(text), broken).unwrap();
    let refused = tried::once(read(), store).await.unwrap_err();
    assert!(refused.to_string().contains("nobody"), "{refused}");
    assert_eq!(mark().await, first);
    // With a mark of its own it would not be looked at: that is what a start saves.
    let mut tx = store.write().await.unwrap();
    let seal = tried::seal(&read()).unwrap();
    marks::put(&mut tx, tried::MARK, &seal).await.unwrap();
    tx.commit().await.unwrap();
    tried::once(read(), store).await.unwrap();
    // Any other words are tried, and marked.
    fs::write(folder.join(text), format!("{sound}\n# one more line\n")).unwrap();
    tried::once(read(), store).await.unwrap();
    assert_eq!(mark().await, tried::seal(&read()));
    assert_ne!(mark().await, first);
}
