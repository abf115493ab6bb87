//! The trail of who did what: its chain is whole, and whatever is done to it by hand is found.

use tussendoor::app::trail::{self, Checked};
use tussendoor::app::{note, takeover};
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::settings::Settings;
use tussendoor::store::Store;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, environment};
use crate::support::running;

on_both!(
    every_row_gets_its_place_and_the_chain_is_whole,
    whatever_is_done_by_hand_is_found,
    a_chain_that_was_made_anew_is_not_the_one_that_was_kept,
    a_change_at_the_beginning_changes_the_end,
    two_instances_link_each_row_once,
    the_trail_holds_ids_and_hashes_only,
    the_command_says_where_it_breaks,
);

/// A house in which so many things were done.
async fn house_with(database: Database, entries: usize) -> House {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    for number in 0..entries {
        note::note(
            &house.app,
            &house.scope,
            candidate,
            &format!("notitie {number}"),
        )
        .await
        .unwrap();
        house.wait(1);
    }
    while trail::link(&house.app.store).await.unwrap() > 0 {}
    house
}

async fn broken(house: &House) -> (Option<i64>, String) {
    match trail::check(&house.app.store, None).await.unwrap() {
        Checked::Broken(broken) => (broken.seq, broken.why.to_owned()),
        other => panic!("{other:?}"),
    }
}

async fn every_row_gets_its_place_and_the_chain_is_whole(database: Database) {
    let house = House::new(database).await;
    let empty = trail::head(&house.app.store).await.unwrap();
    assert_eq!(
        (empty.seq, empty.hash.as_str()),
        (0, "0".repeat(64).as_str())
    );
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    // More than one commit takes.
    for _ in 0..70 {
        takeover::by_hand(&house.app, &house.scope, candidate, true)
            .await
            .unwrap();
    }
    let whole = trail::check(&house.app.store, None).await.unwrap();
    assert_eq!(whole, Checked::Whole(empty), "what waits breaks nothing");
    assert_eq!(trail::link(&house.app.store).await.unwrap(), 64);
    let middle = trail::check(&house.app.store, None).await.unwrap();
    let head = trail::head(&house.app.store).await.unwrap();
    assert_eq!(head.seq, 70);
    assert_eq!(house.number("SELECT COUNT(*) FROM audit_waiting").await, 0);
    let whole = trail::check(&house.app.store, Some(&head.hash))
        .await
        .unwrap();
    assert_eq!(whole, Checked::Whole(head.clone()));
    let Checked::Whole(middle) = middle else {
        panic!("{middle:?}");
    };
    let whole = trail::check(&house.app.store, Some(&middle.hash))
        .await
        .unwrap();
    assert_eq!(
        whole,
        Checked::Whole(head),
        "a head of an earlier moment is in the chain"
    );
}

async fn whatever_is_done_by_hand_is_found(database: Database) {
    let house = house_with(database, 6).await;
    let row = "(SELECT audit_id FROM audit_links WHERE seq = 3)";
    let columns = [
        "verb = 'else'",
        "actor = 'nobody'",
        "object = 'candidate:X'",
        "at = at + 1",
        "organisation = NULL",
        "content_hash = 'ab'",
    ];
    let database = &house.database;
    for column in columns {
        let name = column.split(' ').next().unwrap();
        database
            .execute(&format!(
                "CREATE TABLE kept AS SELECT * FROM audit WHERE id = {row}"
            ))
            .await;
        database
            .execute(&format!("UPDATE audit SET {column} WHERE id = {row}"))
            .await;
        let (seq, why) = broken(&house).await;
        assert_eq!(seq, Some(3), "{column}: {why}");
        database
            .execute(&format!(
                "UPDATE audit SET {name} = (SELECT {name} FROM kept) WHERE id = {row}"
            ))
            .await;
        database.execute("DROP TABLE kept").await;
        assert!(matches!(
            trail::check(&house.app.store, None).await.unwrap(),
            Checked::Whole(_)
        ));
    }

    // Removed, with its link; removed without.
    database
        .execute("CREATE TABLE kept AS SELECT * FROM audit_links WHERE seq = 4")
        .await;
    database
        .execute("DELETE FROM audit_links WHERE seq = 4")
        .await;
    let (seq, why) = broken(&house).await;
    assert_eq!(seq, Some(5), "{why}");
    assert!(why.contains("before"), "{why}");
    database
        .execute("INSERT INTO audit_links SELECT * FROM kept")
        .await;
    database.execute("DROP TABLE kept").await;
    assert!(matches!(
        trail::check(&house.app.store, None).await.unwrap(),
        Checked::Whole(_)
    ));

    // Two rows that changed places.
    database
        .execute("CREATE TABLE kept AS SELECT * FROM audit_links WHERE seq IN (2, 3)")
        .await;
    database
        .execute("DELETE FROM audit_links WHERE seq IN (2, 3)")
        .await;
    database.execute("INSERT INTO audit_links (seq, audit_id, before_hash, hash) SELECT 5 - seq, audit_id, before_hash, hash FROM kept").await;
    assert_eq!(broken(&house).await.0, Some(2));
    database
        .execute("DELETE FROM audit_links WHERE seq IN (2, 3)")
        .await;
    database
        .execute("INSERT INTO audit_links SELECT * FROM kept")
        .await;
    database.execute("DROP TABLE kept").await;

    // A row that nobody wrote through the house, dated back.
    database.execute("INSERT INTO audit (id, at, actor, verb, object) VALUES ('00000000000000000000000000', 1, 'operator', 'open', 'candidate:X')").await;
    let (seq, why) = broken(&house).await;
    assert_eq!(seq, None);
    assert!(why.contains("by hand"), "{why}");
    trail::link(&house.app.store).await.unwrap();
    assert_eq!(
        broken(&house).await.0,
        None,
        "the janitor gives it no place"
    );
    database
        .execute("DELETE FROM audit WHERE id = '00000000000000000000000000'")
        .await;

    // The row itself. (PostgreSQL looks after the reference, so the intruder takes that away first.)
    if !database.is_sqlite() {
        database
            .execute("ALTER TABLE audit_links DROP CONSTRAINT audit_links_audit_id_fkey")
            .await;
    }
    database
        .execute(&format!("DELETE FROM audit WHERE id = {row}"))
        .await;
    let (seq, why) = broken(&house).await;
    assert_eq!(seq, Some(3), "{why}");
    assert!(why.contains("gone"), "{why}");
}

async fn a_chain_that_was_made_anew_is_not_the_one_that_was_kept(database: Database) {
    let house = house_with(database, 6).await;
    let kept = trail::head(&house.app.store).await.unwrap();
    // The end is cut off without a trace in the database.
    house
        .database
        .execute("DELETE FROM audit_links WHERE seq > 4")
        .await;
    house.database.execute("DELETE FROM audit WHERE NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.audit_id = audit.id)").await;
    let here = trail::check(&house.app.store, None).await.unwrap();
    assert!(matches!(here, Checked::Whole(_)), "{here:?}");
    let checked = trail::check(&house.app.store, Some(&kept.hash))
        .await
        .unwrap();
    assert!(matches!(checked, Checked::Another(_)), "{checked:?}");
    // And everything is made anew, by whoever holds the database.
    house.database.execute("DELETE FROM audit_links").await;
    house
        .database
        .execute("UPDATE audit SET verb = 'else'")
        .await;
    house
        .database
        .execute("INSERT INTO audit_waiting (audit_id) SELECT id FROM audit")
        .await;
    trail::head(&house.app.store).await.unwrap();
    let here = trail::check(&house.app.store, None).await.unwrap();
    assert!(matches!(here, Checked::Whole(_)), "{here:?}");
    let checked = trail::check(&house.app.store, Some(&kept.hash))
        .await
        .unwrap();
    assert!(matches!(checked, Checked::Another(_)), "{checked:?}");
}

/// Whoever holds the database changes one row and makes the whole chain anew, of the same length: each link
/// holds what stood before it, so the kept end is not met again.
async fn a_change_at_the_beginning_changes_the_end(database: Database) {
    let house = house_with(database, 6).await;
    let kept = trail::head(&house.app.store).await.unwrap();
    let anew = || async {
        house.database.execute("DELETE FROM audit_links").await;
        house
            .database
            .execute("INSERT INTO audit_waiting (audit_id) SELECT id FROM audit")
            .await;
        let head = trail::head(&house.app.store).await.unwrap();
        assert_eq!(head.seq, kept.seq);
        trail::check(&house.app.store, Some(&kept.hash))
            .await
            .unwrap()
    };
    // Made anew of the same rows it is the same chain.
    let same = anew().await;
    assert!(matches!(same, Checked::Whole(_)), "{same:?}");
    house
        .database
        .execute("UPDATE audit SET verb = 'else' WHERE id = (SELECT MIN(id) FROM audit)")
        .await;
    let another = anew().await;
    assert!(matches!(another, Checked::Another(_)), "{another:?}");
}

async fn two_instances_link_each_row_once(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    let settings = Settings::load(environment(&house.database, &house.graph.base_url)).unwrap();
    let chance: std::sync::Arc<dyn Chance> = std::sync::Arc::new(SystemChance);
    let other: Store = tussendoor::assemble::store(&settings, chance)
        .await
        .unwrap();
    let mut linked = 0;
    for _ in 0..40 {
        takeover::by_hand(&house.app, &house.scope, candidate, true)
            .await
            .unwrap();
        let (one, two) = tokio::join!(trail::link(&house.app.store), trail::link(&other));
        linked += one.unwrap() + two.unwrap();
    }
    while let Ok(more @ 1..) = trail::link(&other).await {
        linked += more;
    }
    assert_eq!(linked, 40);
    let whole = trail::check(&other, None).await.unwrap();
    assert!(
        matches!(&whole, Checked::Whole(head) if head.seq == 40),
        "{whole:?}"
    );
    other.close().await;
}

async fn the_trail_holds_ids_and_hashes_only(database: Database) {
    let house = house_with(database, 2).await;
    let candidate = house.candidate("Daan", "+31687654321", true).await;
    house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    tussendoor::app::invite::invite(&house.app, &house.scope, candidate)
        .await
        .unwrap();
    house.turn_to(crate::support::house::moment("2026-03-04", 9, 31));
    house.idle().await;
    house.approve(candidate).await;
    tussendoor::app::erase::erase(&house.app, candidate)
        .await
        .unwrap();
    let id = |text: &str| {
        text.len() == 26
            && text
                .bytes()
                .all(|it| it.is_ascii_digit() || it.is_ascii_uppercase())
    };
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
    };
    let named = |text: &str| {
        text.split_once(':')
            .is_some_and(|(kind, rest)| word(kind) && id(rest))
    };
    let rows = house.database.texts("SELECT actor || '|' || verb || '|' || object || '|' || COALESCE(organisation, '') || '|' || COALESCE(content_hash, '') FROM audit").await;
    assert!(rows.len() >= 5);
    for row in &rows {
        let parts: Vec<&str> = row.split('|').collect();
        let [actor, verb, object, organisation, hash] = parts[..] else {
            panic!("{row}");
        };
        assert!(named(actor) || word(actor), "{row}");
        assert!(word(verb) && named(object) && id(organisation), "{row}");
        assert!(
            hash.is_empty() || (hash.len() == 64 && hex::decode(hash).is_ok()),
            "{row}"
        );
    }
}

async fn the_command_says_where_it_breaks(database: Database) {
    let house = house_with(database, 3).await;
    let environment = environment(&house.database, &house.graph.base_url);
    let run = |arguments: &[&str]| running::command(arguments, &environment);
    let (code, said) = run(&["audit", "head"]);
    assert_eq!(code, Some(0), "{said}");
    let kept = said.split_whitespace().next().unwrap().to_owned();
    let (code, said) = run(&["audit", "check", "--head", &kept]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 entries is whole"), "{said}");
    house.database.execute("UPDATE audit SET verb = 'else' WHERE id = (SELECT audit_id FROM audit_links WHERE seq = 2)").await;
    let (code, said) = run(&["audit", "check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("at entry 2"), "{said}");
    let (code, said) = run(&["audit", "check", "--head", &"ab".repeat(32)]);
    assert_eq!(code, Some(1), "{said}");
}
