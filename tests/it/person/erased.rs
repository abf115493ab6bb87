//! An erasure: what goes, what stays, what forbids it, and that nobody else notices.

use std::collections::BTreeSet;
use std::fs;

use tussendoor::app::erase::{self, Outcome, Report};
use tussendoor::app::export::{self, Export};
use tussendoor::app::{janitor, takeover};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::message::MessageState;
use tussendoor::store::holds::Hold;
use tussendoor::store::personal::{Erased, TABLES};

use super::full::{Full, fill};
use crate::support::database::{Database, on_both};
use crate::support::graph::Behaviour;
use crate::support::house::{House, moment};
use crate::support::running;

on_both!(
    an_erased_person_is_nowhere_and_nobody_else_notices,
    the_wrapped_key_is_overwritten_where_it_lay,
    who_writes_after_an_erasure_is_somebody_new,
    a_hold_forbids_it_and_says_why,
    a_message_in_flight_forbids_it_until_its_outcome,
    what_comes_about_an_erased_person_stops_nobody,
    the_command_asks_and_tells,
);

async fn erased(house: &House, candidate: CandidateId) -> Report {
    match erase::erase(&house.app, candidate).await.unwrap() {
        Outcome::Erased(report) => report,
        _ => panic!("nothing forbids it"),
    }
}

async fn an_erased_person_is_nowhere_and_nobody_else_notices(database: Database) {
    let house = House::new(database).await;
    let [one, _] = fill(&house, [Full::SAMIRA, Full::DAAN]).await;
    let hers: BTreeSet<String> = house.database.texts(&one.ids()).await.into_iter().collect();
    let before = house.database.dump().await;
    let report = erased(&house, one.candidate).await;
    let after = house.database.dump().await;

    // Nothing of hers is left, in words or as a keyed hash of her number.
    let number = one.who.number;
    let hashes = ["sender", "whatsapp"].map(|kind| house.app.store.hash(kind, number));
    let words = one
        .words()
        .into_iter()
        .filter(|it| *it != one.candidate.to_string());
    let gone: Vec<String> = words.chain(hashes).collect();
    for (table, rows) in &after {
        for row in rows {
            let found = gone.iter().find(|word| row.contains(*word));
            assert_eq!(found, None, "{table}: {row}");
        }
    }
    for table in TABLES {
        let rule = &table.erased;
        let about = format!("={}", one.candidate);
        let left = after[table.name].iter().filter(|row| {
            row.contains(&about) || hers.iter().any(|id| row.contains(&format!("={id}")))
        });
        if matches!(rule, Erased::Gone(_)) {
            assert_eq!(left.count(), 0, "{}", table.name);
        }
    }

    // Of everybody else every row is as it was.
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    for (table, rows) in &before {
        for row in rows.difference(&after[table]) {
            let mine = row.contains(&one.candidate.to_string())
                || hers.iter().any(|id| row.contains(id.as_str()))
                || row.contains(&house.app.store.hash("sender", number))
                || row.contains(&one.tag());
            assert!(mine, "{table} lost {row}");
            changed.insert(table);
        }
        for row in after[table].difference(rows) {
            let mine = row.contains(&one.candidate.to_string())
                || row.contains(&one.tag())
                || ["audit", "audit_waiting"].contains(&table.as_str())
                || hers.iter().any(|id| row.contains(id.as_str()));
            assert!(mine, "{table} got {row}");
        }
    }
    for table in TABLES {
        let touched = matches!(table.erased, Erased::Gone(_) | Erased::Emptied(_));
        assert!(
            !touched || changed.contains(table.name),
            "{} held nothing",
            table.name
        );
    }

    // What waited has ended, with its reason; the place in the slot is free again.
    let id = one.candidate;
    let open = house.database.texts(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM outgoing WHERE candidate_id = '{id}' AND state NOT IN ('accepted', 'cancelled', 'expired', 'rejected')")).await.remove(0);
    assert_eq!(open, "0");
    let open = house.database.texts(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM nudges WHERE candidate_id = '{id}' AND (closed_at IS NULL OR because IS NULL)")).await.remove(0);
    assert_eq!(open, "0");
    let taken = house
        .database
        .texts(&format!(
            "SELECT CAST(taken AS TEXT) FROM slots WHERE id = '{}'",
            one.slot()
        ))
        .await
        .remove(0);
    assert_eq!(taken, "1");
    assert_eq!((report.messages, report.nudges), (1, 1));
    let told = report.to_string();
    assert!(
        told.contains("incoming 3, media 2, media_files 1")
            && told.contains("2026-03-12")
            && told.contains("2026-04-03"),
        "{told}"
    );

    // Nobody finds her again, and a second time there is nothing to do.
    let nothing = export::export(&house.app, id).await.unwrap();
    assert!(matches!(nothing, Export::Erased));
    let note = tussendoor::app::note::note(&house.app, &house.scope, id, "x").await;
    assert!(matches!(note, Err(tussendoor::app::AppError::NotFound)));
    let again = erase::erase(&house.app, id).await.unwrap();
    assert!(matches!(again, Outcome::Already));
    house.turn_to(moment("2026-03-10", 9, 31));
    house.idle().await;
    let sent = house.graph.accepted();
    let hers = sent.iter().filter(|sent| sent.recipient == number);
    assert_eq!(hers.count(), 1, "the coach's words for Monday never leave");
}

async fn the_wrapped_key_is_overwritten_where_it_lay(database: Database) {
    let house = House::new(database).await;
    let [one] = fill(&house, [Full::SAMIRA]).await;
    let key = format!(
        "SELECT {} FROM keys WHERE owner = 'candidate:{}'",
        match house.database.is_sqlite() {
            true => "hex(wrapped)",
            false => "upper(encode(wrapped, 'hex'))",
        },
        one.candidate
    );
    let wrapped = house.database.texts(&key).await.remove(0);
    let bytes = hex::decode(&wrapped).unwrap();
    let in_the_files = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(house.database.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file()
                && fs::read(&path)
                    .unwrap()
                    .windows(bytes.len())
                    .any(|it| it == bytes)
            {
                found.push(path);
            }
        }
        found
    };
    let sqlite = house.database.is_sqlite();
    assert_eq!(
        in_the_files().is_empty(),
        !sqlite,
        "the test looks in the right place"
    );
    let report = erased(&house, one.candidate).await;
    assert_eq!(report.scrubbed, sqlite);
    assert_eq!(house.database.texts(&key).await, ["00".repeat(bytes.len())]);
    let found = in_the_files();
    assert!(found.is_empty(), "{found:?} still hold the key");
    for rows in house.database.dump().await.values() {
        assert!(!rows.iter().any(|row| row.to_uppercase().contains(&wrapped)));
    }
    // What was sealed cannot be opened, by this process either.
    let mut tx = house.app.store.read().await.unwrap();
    let key = house
        .database
        .texts(&format!(
            "SELECT key_id FROM candidates WHERE id = '{}'",
            one.candidate
        ))
        .await;
    assert!(tx.sealer(key[0].parse().unwrap()).await.is_err());
}

async fn who_writes_after_an_erasure_is_somebody_new(database: Database) {
    let house = House::new(database).await;
    let number = Full::SAMIRA.number;
    let candidate = house.candidate("Samira", number, true).await;
    house.says(number, "hallo").await;
    erased(&house, candidate).await;
    house.wait(60);
    house.says(number, "ben ik hier nog").await;
    let rows = house
        .database
        .texts("SELECT c.state FROM incoming i JOIN candidates c ON c.id = i.candidate_id")
        .await;
    assert_eq!(rows, ["unknown"]);
    let consent = house.number("SELECT COUNT(*) FROM consents").await;
    assert_eq!(consent, 0, "consent is not inherited");
}

async fn a_hold_forbids_it_and_says_why(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", Full::SAMIRA.number, true).await;
    let hold = Hold {
        class: "messages".into(),
        until: Some("2026-03-10".parse().unwrap()),
        reason: "een bezwaar loopt".into(),
    };
    erase::hold(&house.app, candidate, &hold, house.scope.coach)
        .await
        .unwrap();
    let before = house.database.dump().await;
    match erase::erase(&house.app, candidate).await.unwrap() {
        Outcome::Held(holds) => assert_eq!(holds, [hold]),
        _ => panic!("the hold is in force"),
    }
    assert_eq!(before, house.database.dump().await, "nothing changed");
    // Its last day counts; the day after it does not.
    house.turn_to(moment("2026-03-10", 23, 30));
    assert!(matches!(
        erase::erase(&house.app, candidate).await.unwrap(),
        Outcome::Held(_)
    ));
    house.turn_to(moment("2026-03-11", 0, 30));
    erased(&house, candidate).await;
    assert_eq!(house.number("SELECT COUNT(*) FROM holds").await, 0);
}

async fn a_message_in_flight_forbids_it_until_its_outcome(database: Database) {
    let house = House::new(database).await;
    let number = Full::SAMIRA.number;
    let candidate = house.candidate("Samira", number, true).await;
    house.says(number, "hallo").await;
    let message = takeover::write(&house.app, &house.scope, candidate, "dag Samira", None)
        .await
        .unwrap();
    house.wait(11);
    house.graph.script(Behaviour::AcceptThenReset, 1);
    let mut back = Vec::new();
    let jobs = tussendoor::app::send::round(&house.app, &mut back, 64)
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1);
    let outcome = erase::erase(&house.app, candidate).await.unwrap();
    assert!(matches!(outcome, Outcome::InFlight));
    assert_eq!(house.message(message).await.state, MessageState::Sending);
    for job in jobs {
        back.push(tussendoor::app::send::carry(house.app.clone(), job).await);
    }
    tussendoor::app::send::round(&house.app, &mut back, 64)
        .await
        .unwrap();
    assert_eq!(house.message(message).await.state, MessageState::InDoubt);
    erased(&house, candidate).await;
    // Doubt is left by proof or by a person: it stays, holds nothing back and is on no page.
    let left = house.message(message).await;
    assert_eq!(left.state, MessageState::InDoubt);
    assert_eq!(left.state_why.as_deref(), Some("left_alone"));
}

/// A report for a message of hers, an answer to an attempt whose lease was lost, a row that a racing
/// transaction left: each is met, and the next person is served.
async fn what_comes_about_an_erased_person_stops_nobody(database: Database) {
    let house = House::new(database).await;
    let (hers, his) = (Full::SAMIRA, Full::DAAN);
    let samira = house.candidate(hers.name, hers.number, true).await;
    let daan = house.candidate(his.name, his.number, true).await;
    house.says(hers.number, "hallo").await;
    house.says(his.number, "hallo").await;
    takeover::write(&house.app, &house.scope, samira, "dag Samira", None)
        .await
        .unwrap();
    house.wait(11);
    let mut back = Vec::new();
    let jobs = tussendoor::app::send::round(&house.app, &mut back, 64)
        .await
        .unwrap();
    // The lease runs out before the answer is there.
    house.wait(3600);
    tussendoor::app::outcome::lost(&house.app).await.unwrap();
    erased(&house, samira).await;
    for job in jobs {
        back.push(tussendoor::app::send::carry(house.app.clone(), job).await);
    }
    assert_eq!(back.len(), 1);
    tussendoor::app::send::round(&house.app, &mut back, 64)
        .await
        .unwrap();
    assert!(back.is_empty(), "the answer holds nothing up");
    let sent = house.graph.accepted().remove(0);
    assert_eq!(
        house
            .deliver(&house.graph.webhook_status(&sent, "delivered"))
            .await,
        200
    );
    house.database.execute(&format!("INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at) VALUES ('01JNFN9V00000000000000000X', '{samira}', 'task_due', 'nothing', '2026-03-02', 1)")).await;
    house
        .database
        .execute(&format!(
            "UPDATE outgoing SET state = 'approved' WHERE candidate_id = '{samira}'"
        ))
        .await;
    takeover::write(&house.app, &house.scope, daan, "dag Daan", None)
        .await
        .unwrap();
    house.wait(11);
    house.idle().await;
    let states = house
        .database
        .texts(&format!(
            "SELECT state || ' ' || state_why FROM outgoing WHERE candidate_id = '{samira}'"
        ))
        .await;
    assert_eq!(states, ["cancelled erased"]);
    let open = house
        .number("SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL")
        .await;
    assert_eq!(open, 0);
    let quarantined = house
        .number("SELECT COUNT(*) FROM inbox WHERE state <> 'done'")
        .await;
    assert_eq!(quarantined, 0);
    let sent = house.graph.accepted();
    assert_eq!(
        sent.iter().filter(|it| it.recipient == his.number).count(),
        1
    );
}

async fn the_command_asks_and_tells(database: Database) {
    let house = House::new(database).await;
    let [one] = fill(&house, [Full::SAMIRA]).await;
    let base = house.graph.base_url.clone();
    let mut environment = crate::support::house::environment(&house.database, &base);
    environment.push(("TUSSENDOOR_CLOCK".into(), house.app.now().0.to_string()));
    let run = |arguments: &[&str]| running::command(arguments, &environment);
    let id = one.candidate.to_string();
    let file = house.database.folder.path().join("samira.json");
    let file = file.to_str().unwrap();
    let by_ref = ["export", "--organisation", "waterstad", "--ref"];
    let (code, said) = run(&[&by_ref[..], &["nobody", file]].concat());
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = run(&[&by_ref[..], &["zilvermeeuw", file]].concat());
    assert_eq!(code, Some(0), "{said}");
    let told: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert!(told.to_string().contains("zilvermeeuw-notitie"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    let (code, said) = run(&["export", "--candidate", &id, file]);
    assert_eq!(code, Some(1), "an export never writes over a file: {said}");
    let (code, said) = run(&["erase", "--candidate", &id]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("--yes") && said.contains("incoming 3, media 2, media_files 1"),
        "{said}"
    );
    let hold = [
        "hold",
        "--candidate",
        &id,
        "--coach",
        "noor@waterstad.example",
        "--reason",
        "een bezwaar loopt",
    ];
    assert_eq!(run(&hold).0, Some(0));
    let (code, said) = run(&["erase", "--candidate", &id, "--yes"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("een bezwaar loopt") && said.contains("nothing is erased"),
        "{said}"
    );
    assert_eq!(run(&["hold", "--candidate", &id, "--end"]).0, Some(0));
    let (code, said) = run(&["erase", "--candidate", &id, "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "incoming 3",
        "retention.raw_days",
        "retention.backup_days",
        "the key is destroyed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = run(&["export", "--candidate", &id, &format!("{file}2")]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("erased") && !fs::exists(format!("{file}2")).unwrap(),
        "{said}"
    );
    // The process that kept her key in mind forgets it within a second.
    let key = house
        .database
        .texts(&format!("SELECT key_id FROM candidates WHERE id = '{id}'"))
        .await;
    let key = key[0].parse().unwrap();
    assert!(
        house
            .app
            .store
            .read()
            .await
            .unwrap()
            .sealer(key)
            .await
            .is_ok()
    );
    janitor::Watch::new(&house.app)
        .second(&house.app)
        .await
        .unwrap();
    assert!(
        house
            .app
            .store
            .read()
            .await
            .unwrap()
            .sealer(key)
            .await
            .is_err()
    );
}
