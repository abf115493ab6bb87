//! What was put aside after its last try: a coach hears that there is something, an operator sees what, and has
//! it played again or ends it.

use tussendoor::domain::ids::CandidateId;

use crate::support::database::{Database, execute, on_both};
use crate::support::house::{House, environment};
use crate::support::running;

on_both!(
    a_stop_that_could_not_be_played_is_honoured_once_its_talk_is_mended,
    what_was_put_aside_can_be_ended,
    a_webhook_that_could_not_be_read_is_read_again,
);

const NUMBER: &str = "+31612345678";
const KEEP: &str = "CREATE TABLE kept AS SELECT candidate_id, body_sealed FROM talks";
const SPOIL: &str =
    "UPDATE talks SET body_sealed = (SELECT name_sealed FROM candidates WHERE id = candidate_id)";
const MEND: &str = "UPDATE talks SET body_sealed = (SELECT k.body_sealed FROM kept k WHERE k.candidate_id = talks.candidate_id)";
const STUCK: &str = "SELECT COUNT(*) FROM flags WHERE why = 'stuck' AND closed_at IS NULL";
const ASIDE: &str = "SELECT COUNT(*) FROM inbox WHERE state = 'quarantined'";
const AGREED: &str = "SELECT COUNT(*) FROM consents c WHERE c.given AND NOT EXISTS (SELECT 1 FROM consents n WHERE n.purpose = c.purpose AND n.at > c.at AND NOT n.given)";

/// Samira's talk does not open, and she said STOP.
async fn stopped(database: Database) -> (House, CandidateId) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    execute(&house.database, KEEP).await;
    assert_eq!(execute(&house.database, SPOIL).await, 1);
    house.wait(60);
    house.says(NUMBER, "STOP").await;
    assert_eq!(house.number(STUCK).await, 0, "it comes again first");
    for _ in 0..5 {
        house.wait(300);
        house.idle().await;
    }
    assert_eq!(house.number(ASIDE).await, 1);
    (house, samira)
}

fn run(house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let mut environment = environment(&house.database, &house.graph.base_url);
    environment.push(("TUSSENDOOR_CLOCK".into(), house.app.now().0.to_string()));
    running::command(arguments, &environment)
}

async fn done_by_hand(house: &House) -> Vec<String> {
    let sql =
        "SELECT verb || ' ' || object FROM audit WHERE actor = 'operator:command' ORDER BY verb";
    house.database.texts(sql).await
}

async fn a_stop_that_could_not_be_played_is_honoured_once_its_talk_is_mended(database: Database) {
    let (house, samira) = stopped(database).await;
    assert_eq!(house.number(STUCK).await, 1);
    let flagged = "SELECT candidate_id FROM flags WHERE why = 'stuck'";
    assert_eq!(house.database.texts(flagged).await, [samira.to_string()]);
    let id = house
        .database
        .texts("SELECT id FROM inbox WHERE state = 'quarantined'")
        .await;
    let (code, said) = run(&house, &["inbox"]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        id[0].as_str(),
        "heard",
        "+31 20 123 4567",
        "corrupt row",
        "1 put aside",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("STOP") && !said.contains(NUMBER), "{said}");

    assert_eq!(execute(&house.database, MEND).await, 1);
    assert!(house.number(AGREED).await > 0);
    let (code, said) = run(&house, &["inbox", "again", &id[0]]);
    assert_eq!(code, Some(0), "{said}");
    // The clock of the command goes on; ours stands still.
    house.wait(60);
    house.idle().await;
    assert_eq!(house.number(AGREED).await, 0, "STOP is honoured");
    assert_eq!(house.number(ASIDE).await, 0);
    assert_eq!(
        done_by_hand(&house).await,
        [format!("again item:{}", id[0])]
    );
    let (code, said) = run(&house, &["inbox", "again", &id[0]]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("put aside"), "{said}");
}

async fn what_was_put_aside_can_be_ended(database: Database) {
    let (house, _) = stopped(database).await;
    let id = house
        .database
        .texts("SELECT id FROM inbox WHERE state = 'quarantined'")
        .await;
    let (code, said) = run(&house, &["inbox", "end", &id[0]]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(house.number(ASIDE).await, 0);
    assert_eq!(execute(&house.database, MEND).await, 1);
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 1);
    assert_eq!(done_by_hand(&house).await, [format!("end item:{}", id[0])]);
}

/// As after a provider changed its format, and a newer version of the program understands it.
async fn a_webhook_that_could_not_be_read_is_read_again(database: Database) {
    let house = House::new(database).await;
    house.candidate("Samira", NUMBER, true).await;
    house.says(NUMBER, "hallo").await;
    execute(&house.database, "DELETE FROM seen").await;
    execute(
        &house.database,
        "UPDATE raw_bodies SET problem = 'it panicked'",
    )
    .await;
    let (_, said) = run(&house, &["inbox"]);
    assert!(
        said.contains("webhook on meta") && said.contains("it panicked"),
        "{said}"
    );
    let id = house.database.texts("SELECT id FROM raw_bodies").await;
    let (code, said) = run(&house, &["inbox", "again", &id[0]]);
    assert_eq!(code, Some(0), "{said}");
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM inbox").await, 2);
    execute(
        &house.database,
        "UPDATE raw_bodies SET problem = 'it panicked'",
    )
    .await;
    let (code, said) = run(&house, &["inbox", "end", &id[0]]);
    assert_eq!(code, Some(0), "{said}");
    let open = "SELECT COUNT(*) FROM raw_bodies WHERE problem IS NOT NULL";
    assert_eq!(house.number(open).await, 0);
    let done = [
        format!("again webhook:{}", id[0]),
        format!("end webhook:{}", id[0]),
    ];
    assert_eq!(done_by_hand(&house).await, done);
}
