//! What a supervisor asks: are the settings in order, does every loop turn?

use std::sync::Arc;
use std::time::{Duration, Instant};

use tussendoor::app::pulse::Loop;
use tussendoor::workers::Workers;

use crate::support::database::Database;
use crate::support::house::House;
use crate::support::running::command;
use crate::support::wait::between_looks;

#[tokio::test]
async fn every_loop_of_a_process_beats() {
    let house = House::new(Database::sqlite()).await;
    let app = Arc::new(house.process().await);
    let workers = Workers::start(&app, true, true);
    let until = Instant::now() + Duration::from_secs(20);
    while app.pulse.still().count() < Loop::ALL.len() {
        assert!(Instant::now() < until, "a loop never turned");
        between_looks().await;
    }
    workers.stop().await;
}

/// A unit asks `check` before each start: what is wrong must stop it there. Where nothing is set, a checkout
/// checks its flows.
#[test]
fn check_fails_where_a_setting_is_wrong() {
    let wrong = [("TUSSENDOOR_TYPO".to_owned(), "1".to_owned())];
    let (code, said) = command(&["check"], &wrong);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("typo"), "{said}");
    let missing = [("TUSSENDOOR_CONFIG".to_owned(), "/nowhere.toml".to_owned())];
    assert_eq!(command(&["check"], &missing).0, Some(1));
    let (code, said) = command(&["check"], &[]);
    assert_eq!(code, Some(0), "{said}");
}
