//! Backup and restore with the real binary. Judged by what the stand-in for Meta took: whatever the
//! backup does not know any more, nobody gets a message twice by a machine's decision.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tussendoor::app::{send, takeover};
use tussendoor::domain::time::Timestamp;

use crate::hard::load::{Load, Moment};
use crate::support::database::{Database, execute, on_both, texts};
use crate::support::graph::GraphStandIn;
use crate::support::house::{House, environment, moment, number};
use crate::support::pages::Coach;
use crate::support::running::{Running, command};
use crate::support::wait::{between_looks, drained};

on_both!(after_a_restore_no_machine_sends_again);

const KEES: &str = "+31611111111";
const SAMIRA: &str = "+31622222222";
const MEHMET: &str = "+31633333333";
const FATIMA: &str = "+31644444444";

type Variables = Vec<(String, String)>;

fn set(environment: &mut Variables, name: &str, value: String) {
    environment.retain(|(known, _)| known != name);
    environment.push((name.into(), value));
}

fn at(environment: &mut Variables, graph: &GraphStandIn, now: Timestamp) {
    set(environment, "TUSSENDOOR_CLOCK", now.0.to_string());
    graph.set_time(now.0 / 1_000_000);
}

fn done(arguments: &[&str], environment: &Variables) -> String {
    let (code, said) = command(arguments, environment);
    assert_eq!(code, Some(0), "{said}");
    said
}

fn refused(arguments: &[&str], environment: &Variables, why: &str) {
    let (code, said) = command(arguments, environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(why), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
}

/// How often somebody got a message with these words.
fn got(graph: &GraphStandIn, recipient: &str, words: &str) -> usize {
    graph
        .accepted()
        .iter()
        .filter(|sent| sent.recipient == recipient && sent.body.to_string().contains(words))
        .count()
}

async fn until(database: &Database, sql: &'static str, count: i64) {
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while number(database, sql).await != count {
        assert!(std::time::Instant::now() < until, "never {count}: {sql}");
        between_looks().await;
    }
}

const WAITING: &str = "SELECT COUNT(*) FROM outgoing WHERE state = 'waiting'";
const DOUBT: &str =
    "SELECT COUNT(*) FROM outgoing WHERE state = 'in_doubt' AND state_why = 'restored'";
const BUSY: &str = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') + (SELECT COUNT(*) FROM outgoing WHERE state IN ('sending', 'approved', 'retry')) AS BIGINT)";

/// Wednesday 4 March, one minute past eight: a draft waits for Kees, a message of the coach to Mehmet
/// rests until ten, one to Fatima is *sending*, and Samira's nudge falls due at half past nine.
async fn morning(database: Database) -> (Database, GraphStandIn, Variables) {
    let house = House::new(database).await;
    let kees = house.candidate("Kees", KEES, true).await;
    house.plan(kees, &[("bellen", "2026-03-04")]).await;
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    house.waiting(kees).await;
    let samira = house.candidate("Samira", SAMIRA, true).await;
    house.plan(samira, &[("cv maken", "2026-03-05")]).await;
    let mehmet = house.candidate("Mehmet", MEHMET, true).await;
    let fatima = house.candidate("Fatima", FATIMA, true).await;
    let now = moment("2026-03-04", 8, 0);
    house.turn_to(now);
    house.says(MEHMET, "hallo").await;
    house.says(FATIMA, "hallo").await;
    let later = Some(now.plus_seconds(2 * 3600));
    for (candidate, words, at) in [(mehmet, "om tien uur", later), (fatima, "nu meteen", None)] {
        takeover::write(&house.app, &house.scope, candidate, words, at)
            .await
            .unwrap();
    }
    house.wait(11);
    let flying = send::round(&house.app, &mut Vec::new(), 64).await.unwrap();
    assert_eq!(flying.len(), 1, "Fatima's is promised and never carried");
    let House {
        app,
        graph,
        database,
        ..
    } = house;
    app.store.close().await;
    drop(app);
    execute(
        &database,
        "INSERT INTO policies (team_id, rule, approve) SELECT id, 'task_nudge', 'auto' FROM teams",
    )
    .await;
    let mut environment = environment(&database, &graph.base_url);
    set(
        &mut environment,
        "TUSSENDOOR_APPROVE__UNDO_SECONDS",
        "0".into(),
    );
    set(
        &mut environment,
        "TUSSENDOOR_SEND__PAIR_SECONDS",
        "0".into(),
    );
    at(&mut environment, &graph, moment("2026-03-04", 8, 1));
    Coach::add(&environment).await;
    (database, graph, environment)
}

async fn after_a_restore_no_machine_sends_again(database: Database) {
    let (mut database, graph, mut environment) = morning(database).await;
    let copy = database
        .folder
        .path()
        .join("backup.db")
        .display()
        .to_string();
    let mut kept = None;
    match database.kind() {
        "SQLite" => drop(done(&["backup", &copy], &environment)),
        _ => kept = Some(database.twin().await),
    }

    // What the backup will not know: at ten everything leaves, and a coach approves what waits for Kees.
    at(&mut environment, &graph, moment("2026-03-04", 10, 1));
    let running = Running::serve(&environment, None);
    let ids = "SELECT id FROM outgoing WHERE state = 'waiting'";
    let waits = &texts(&database, ids).await[0];
    let coach = Coach::sign_in(&running).await;
    let html = coach.get(&format!("/concepten/{waits}")).await;
    let approved = coach.post(&html, "/goedkeuren", &[]).await.unwrap();
    assert_eq!(approved.0, 303);
    assert!(
        graph.wait_for(3, Duration::from_secs(20)),
        "{:?}",
        graph.taken()
    );
    running.stop();
    let once = [
        (KEES, "bellen"),
        (SAMIRA, "cv maken"),
        (MEHMET, "om tien uur"),
    ];
    for (who, words) in once {
        assert_eq!(got(&graph, who, words), 1, "{words}");
    }

    // Noon: the disk is lost, and the morning comes back.
    at(&mut environment, &graph, moment("2026-03-04", 12, 0));
    match kept {
        None => {
            refused(&["restore", &copy], &environment, "with --replace");
            done(&["restore", "--replace", &copy], &environment);
        }
        Some(twin) => {
            refused(&["restore", &copy], &environment, "pg_restore");
            set(&mut environment, "DATABASE_URL", twin.url.clone());
            database = twin;
            done(&["restore"], &environment);
        }
    }
    assert_eq!(number(&database, DOUBT).await, 2, "Mehmet's and Fatima's");
    assert_eq!(number(&database, "SELECT COUNT(*) FROM sessions").await, 0);
    let running = Running::serve(&environment, None);
    let health = running
        .client
        .get(running.url("/health/ready"))
        .send()
        .await;
    let health = health.unwrap().text().await.unwrap();
    assert!(health.contains("tussendoor resume"), "{health}");
    // Samira's nudge is written again, since nobody remembers it, and waits although the policy lets it go.
    until(&database, WAITING, 2).await;
    let coach = Coach::sign_in(&running).await;
    let drafts = coach.get("/concepten?wie=team").await;
    assert!(drafts.contains("Er gaat nu niets uit."), "{drafts}");
    let operator = coach.get("/beheer").await;
    assert!(operator.contains("tussendoor resume"), "{operator}");
    let ids = "SELECT id FROM outgoing WHERE state = 'waiting' AND why LIKE 'task_nudge%' ORDER BY created_at";
    let first = &texts(&database, ids).await[0];
    let draft = coach.get(&format!("/concepten/{first}")).await;
    assert!(draft.contains("Van voor het herstel."), "{draft}");
    let doubts = "SELECT id FROM outgoing WHERE state = 'in_doubt' ORDER BY not_before_at DESC";
    let mehmet = &texts(&database, doubts).await[0];
    let doubt = coach.get(&format!("/concepten/{mehmet}")).await;
    assert!(
        doubt.contains("misschien is het daarna verstuurd"),
        "{doubt}"
    );

    // People write and get no answer yet; a coach writes, and that waits too.
    let webhook = graph.webhook_text(MEHMET, "Mehmet", "PLAN");
    assert_eq!(running.deliver(&webhook).await, Some(200));
    until(&database, WAITING, 3).await;
    let person =
        "SELECT candidate_id FROM outgoing WHERE state = 'in_doubt' ORDER BY not_before_at DESC";
    let person = &texts(&database, person).await[0];
    let html = coach.get(&format!("/kandidaten/{person}")).await;
    let fields = [("tekst", "na het herstel"), ("wanneer", "nu")];
    let written = coach.post(&html, "/berichten", &fields).await.unwrap();
    assert_eq!(written.0, 303);
    let approved =
        "SELECT COUNT(*) FROM outgoing WHERE state = 'approved' AND author_id IS NOT NULL";
    until(&database, approved, 1).await;
    assert_eq!(graph.taken(), 3, "nothing leaves");

    // An operator has looked. What a person decided leaves; nothing else does.
    let said = done(&["resume"], &environment);
    assert!(said.contains("may leave again"), "{said}");
    assert!(graph.wait_for(4, Duration::from_secs(20)));
    assert_eq!(got(&graph, MEHMET, "na het herstel"), 1);
    assert_eq!(drained(&database, BUSY, 20).await, Ok(()));
    for (who, words) in once {
        assert_eq!(got(&graph, who, words), 1, "{words}");
    }
    assert_eq!((graph.taken(), got(&graph, FATIMA, "")), (4, 0));
    let said = done(&["resume"], &environment);
    assert!(said.contains("could leave already"), "{said}");
    // From now on somebody who writes is answered as ever; what we begin waits two weeks for a coach.
    let webhook = graph.webhook_text(SAMIRA, "Samira", "PLAN");
    assert_eq!(running.deliver(&webhook).await, Some(200));
    assert!(graph.wait_for(5, Duration::from_secs(20)));
    // A number that was given out in the lost time is never given to another message.
    let numbers = "SELECT MIN(said) FROM outgoing WHERE said IS NOT NULL AND created_at > (SELECT CAST(value AS BIGINT) FROM marks WHERE name = 'restored_at')";
    assert!(number(&database, numbers).await > 1000);
    running.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_busy_house_is_whole() {
    let mut load = Load::new(Database::sqlite(), 20).await;
    let running = load.start().await;
    let copy = load.house.database.folder.path().join("copy.db");
    let name = copy.display().to_string();
    load.run(
        &[&running],
        Moment::AfterTheFirst(Duration::from_millis(300)),
        || {
            done(&["backup", &name], &load.environment);
        },
    )
    .await;
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    let before = std::fs::read(&copy).unwrap();
    refused(&["backup", &name], &load.environment, "there is a file");
    assert_eq!(std::fs::read(&copy).unwrap(), before);
    let beside = |end: &str| Path::new(&format!("{name}{end}")).exists();
    assert!(
        ![".part", ".part-wal", "-wal", "-shm", "-journal"]
            .iter()
            .any(|end| beside(end))
    );
    // A service that runs keeps its database.
    let replace = ["restore", "--replace", name.as_str()];
    refused(&replace, &load.environment, "stop the service first");
    running.stop();
    load.house.app.store.close().await;
    done(&replace, &load.environment);
    let doubt = number(&load.house.database, DOUBT).await;
    println!("a copy made under load: {doubt} messages were on their way in it");
    let open = "SELECT COUNT(*) FROM outgoing WHERE state IN ('sending', 'approved', 'retry')";
    assert_eq!(number(&load.house.database, open).await, 0);
    // The one that was there is still there.
    let folder = std::fs::read_dir(load.house.database.folder.path()).unwrap();
    let aside = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".replaced-"));
    assert_eq!(aside.count(), 1);
    Running::serve(&load.environment, None).stop();
}

#[test]
fn what_is_no_backup_is_refused_in_one_sentence() {
    let database = Database::sqlite();
    let environment = environment(&database, "http://127.0.0.1:9");
    let folder = database.folder.path();
    let file = |name: &str| folder.join(name).display().to_string();
    refused(
        &["backup", &file("copy.db")],
        &environment,
        "there is no database",
    );
    refused(
        &["restore", &file("none.db")],
        &environment,
        "there is no file",
    );
    refused(&["restore"], &environment, "there is no database");
    refused(&["resume"], &environment, "there is no database");
    std::fs::write(file("words.txt"), "not a database at all").unwrap();
    std::fs::write(file("empty.db"), "").unwrap();
    done(&["migrate"], &environment);
    done(&["backup", &file("whole.db")], &environment);
    let whole = std::fs::read(file("whole.db")).unwrap();
    std::fs::write(file("half.db"), &whole[..whole.len() / 2]).unwrap();
    for name in ["words.txt", "empty.db", "half.db"] {
        let arguments = ["restore", "--replace", &file(name)];
        refused(&arguments, &environment, "no sound backup");
    }
    std::fs::write(file("hand.db"), &whole).unwrap();
    std::fs::write(file("hand.db-wal"), "what was written last").unwrap();
    let arguments = ["restore", "--replace", &file("hand.db")];
    refused(&arguments, &environment, "no backup");
    done(&["check"], &environment);
    done(&["restore", "--replace", &file("whole.db")], &environment);
}
