//! The master key is changed while the service runs.

use std::fs;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use tussendoor::app::keys;
use tussendoor::assemble;
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::settings::{Settings, SettingsError};
use tussendoor::store::{Store, StoreError};

use crate::support::database::{Database, on_both};
use crate::support::house::{House, environment};
use crate::support::running::{self, Running};
use crate::support::wait::drained;

on_both!(
    a_new_master_takes_over_while_the_service_runs,
    an_interrupted_rotation_goes_on_where_it_was,
    a_destroyed_key_is_not_wrapped_again,
    a_key_that_does_not_open_keeps_no_other_under_the_old_master,
);

const NUMBER: &str = "+31612345678";

/// The environment with another master, and these older ones.
fn with_master(
    environment: &[(String, String)],
    digit: &str,
    older: &[&str],
) -> Vec<(String, String)> {
    let mut environment = environment.to_vec();
    environment.retain(|(name, _)| !name.starts_with("TUSSENDOOR_KEYS__MASTER"));
    environment.push(("TUSSENDOOR_KEYS__MASTER".into(), digit.repeat(32)));
    let older: Vec<String> = older.iter().map(|digit| digit.repeat(32)).collect();
    environment.push(("TUSSENDOOR_KEYS__MASTER_OLD".into(), older.join(", ")));
    environment
}

/// Settings with the two keys that everybody needs, and one more.
fn load(more: Option<(&str, &str)>) -> Result<Settings, SettingsError> {
    let (master, lookup) = ("11".repeat(32), "22".repeat(32));
    let keys = [("MASTER", master.as_str()), ("LOOKUP", lookup.as_str())];
    let named =
        |(name, value): (&str, &str)| (format!("TUSSENDOOR_KEYS__{name}"), value.to_owned());
    Settings::load(keys.into_iter().chain(more).map(named))
}

#[test]
fn masters_of_before_are_a_list_and_may_come_from_a_file() {
    assert!(load(None).unwrap().keys.master_old.is_empty());
    let (older, oldest) = ("33".repeat(32), "44".repeat(32));
    let both = format!("{older}, {oldest}");
    let settings = load(Some(("MASTER_OLD", &both))).unwrap();
    let first: Vec<u8> = (settings.keys.master_old.iter())
        .map(|key| key.expose_secret()[0])
        .collect();
    assert_eq!(first, [0x33, 0x44]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("older");
    fs::write(&file, format!("{older}\n")).unwrap();
    let file = file.to_str().unwrap();
    let settings = load(Some(("MASTER_OLD_FILE", file))).unwrap();
    assert_eq!(settings.keys.master_old.len(), 1);
    let one_is_wrong = format!("{older},HUSH");
    let error = load(Some(("MASTER_OLD", &one_is_wrong))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the setting keys.master_old (TUSSENDOOR_KEYS__MASTER_OLD) is wrong: expected 32 bytes, as 64 hexadecimal digits or in base64"
    );
}

async fn store(environment: &[(String, String)]) -> Store {
    let settings = Settings::load(environment.to_vec()).unwrap();
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    assemble::store(&settings, chance).await.unwrap()
}

async fn masters(database: &Database) -> Vec<String> {
    database
        .texts("SELECT DISTINCT master FROM keys WHERE destroyed_at IS NULL ORDER BY master")
        .await
}

async fn a_new_master_takes_over_while_the_service_runs(database: Database) {
    let house = House::new(database).await;
    for number in 0..150 {
        house
            .candidate("Samira", &format!("+3161234{number:04}"), true)
            .await;
    }
    house.candidate("Samira", NUMBER, true).await;
    let House {
        app,
        graph,
        database,
        ..
    } = house;
    app.store.close().await;
    drop(app);
    let first = environment(&database, &graph.base_url);
    let second = with_master(&first, "33", &["11"]);
    let running = Running::serve(&second, None);
    let old = masters(&database).await;
    assert_eq!(old.len(), 1);
    // While webhooks come in, from people who are there and from new ones.
    let rotating = {
        let second = second.clone();
        tokio::task::spawn_blocking(move || running::command(&["keys", "rotate"], &second))
    };
    let mut sent = 0;
    while !rotating.is_finished() || sent < 20 {
        let number = if sent % 2 == 0 {
            NUMBER.to_owned()
        } else {
            format!("+3162222{sent:04}")
        };
        let webhook = graph.webhook_text(&number, "Samira", &format!("hallo {sent}"));
        assert_eq!(running.deliver(&webhook).await, Some(200));
        sent += 1;
    }
    let (code, said) = rotating.await.unwrap();
    assert_eq!(code, Some(0), "{said}");
    let new = masters(&database).await;
    assert_eq!(new.len(), 1, "{said}");
    assert_ne!(new, old);
    let waiting = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') AS BIGINT)";
    drained(&database, waiting, 3).await.unwrap();
    running.stop();

    // The old master may go; everything opens with the new one alone.
    let third = with_master(&first, "33", &[]);
    let running = Running::serve(&third, None);
    let webhook = graph.webhook_text(NUMBER, "Samira", "nog een");
    assert_eq!(running.deliver(&webhook).await, Some(200));
    drained(&database, waiting, 3).await.unwrap();
    running.stop();
    let aside = crate::support::house::number(
        &database,
        "SELECT COUNT(*) FROM inbox WHERE state = 'quarantined' OR tries > 0",
    )
    .await;
    assert_eq!(aside, 0);
    let incoming = crate::support::house::number(&database, "SELECT COUNT(*) FROM incoming").await;
    assert_eq!(incoming, i64::from(sent) + 1);

    // Without it the service does not start, and says why in one sentence.
    let mut quiet = first.clone();
    quiet.push(("RUST_LOG".into(), "error".into()));
    let (code, said) = running::command(&["serve"], &quiet);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("keys.master_old") && said.trim().lines().count() == 1,
        "{said}"
    );
    let (code, said) = running::command(&["keys", "rotate"], &first);
    assert_eq!(code, Some(1), "{said}");
}

async fn an_interrupted_rotation_goes_on_where_it_was(database: Database) {
    let house = House::new(database).await;
    for number in 0..130 {
        house
            .candidate("Samira", &format!("+3161234{number:04}"), true)
            .await;
    }
    let first = environment(&house.database, &house.graph.base_url);
    let second = with_master(&first, "33", &["11"]);
    let one = store(&second).await;
    assert_eq!(keys::rewrap(&one, &mut Vec::new()).await.unwrap(), 64);
    // Half a batch that never commits.
    let mut tx = one.write().await.unwrap();
    assert_eq!(tx.rewrap(10, &mut Vec::new()).await.unwrap(), 10);
    drop(tx);
    one.close().await;
    assert_eq!(masters(&house.database).await.len(), 2);
    // Both masters are needed now: the new one alone does not do.
    let alone = store(&with_master(&first, "33", &[])).await;
    let missing = alone.read().await.unwrap().check_masters().await;
    // Noor's key is among them.
    assert!(
        matches!(missing, Err(StoreError::MissingMaster { keys: 67 })),
        "{missing:?}"
    );
    alone.close().await;
    // A third master comes before the second is done: both older ones are wrapped anew.
    let two = store(&with_master(&first, "44", &["11", "33"])).await;
    assert_eq!(keys::rotate(&two).await.unwrap().wrapped, 131);
    assert_eq!(keys::rotate(&two).await.unwrap().wrapped, 0);
    two.close().await;
    let after = store(&with_master(&first, "44", &[])).await;
    let mut tx = after.read().await.unwrap();
    tx.check_masters().await.unwrap();
    for key in house.database.texts("SELECT id FROM keys").await {
        tx.sealer(key.parse().unwrap()).await.unwrap();
    }
}

/// The one that does not open is named; the others are wrapped anew.
async fn a_key_that_does_not_open_keeps_no_other_under_the_old_master(database: Database) {
    let house = House::new(database).await;
    for number in 0..70 {
        house
            .candidate("Samira", &format!("+3161234{number:04}"), true)
            .await;
    }
    let spoilt = "(SELECT MIN(key_id) FROM candidates)";
    let sql = format!(
        "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE id = (SELECT MAX(id) FROM keys)) WHERE id = {spoilt}"
    );
    house.database.execute(&sql).await;
    let first = environment(&house.database, &house.graph.base_url);
    let second = with_master(&first, "33", &["11"]);
    let (code, said) = running::command(&["keys", "rotate"], &second);
    assert_eq!(code, Some(1), "{said}");
    let id = house
        .database
        .texts(&format!("SELECT id FROM keys WHERE id = {spoilt}"))
        .await;
    assert!(
        said.contains(&id[0]) && said.contains("70 keys are wrapped anew"),
        "{said}"
    );
    let old = "SELECT COUNT(*) FROM keys GROUP BY master ORDER BY 1 LIMIT 1";
    assert_eq!(house.number(old).await, 1);
    let (code, said) = running::command(&["keys", "rotate"], &second);
    assert!(
        code == Some(1) && said.contains("0 keys are wrapped anew"),
        "{said}"
    );
}

async fn a_destroyed_key_is_not_wrapped_again(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    tussendoor::app::erase::erase(&house.app, candidate)
        .await
        .unwrap();
    let first = environment(&house.database, &house.graph.base_url);
    let second = store(&with_master(&first, "33", &["11"])).await;
    keys::rotate(&second).await.unwrap();
    let sql = match house.database.is_sqlite() {
        true => "SELECT hex(wrapped) FROM keys WHERE destroyed_at IS NOT NULL",
        false => "SELECT encode(wrapped, 'hex') FROM keys WHERE destroyed_at IS NOT NULL",
    };
    assert_eq!(house.database.texts(sql).await, ["00".repeat(73)]);
}
