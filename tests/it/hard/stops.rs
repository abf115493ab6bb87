//! SIGTERM: within ten seconds the process is gone, and nothing is in doubt whose answer came within
//! eight.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::load::{Load, Moment};
use super::{rounds, seed};
use crate::support::database::{Database, on_both};
use crate::support::graph::Behaviour;
use crate::support::house::number;

on_both!(a_stop_under_load_leaves_no_doubt);

const OPEN: &str = "SELECT COUNT(*) FROM outgoing WHERE state IN ('sending', 'in_doubt')";

async fn a_stop_under_load_leaves_no_doubt(database: Database) {
    let (stops, seed) = (rounds("STOPS", 3), seed());
    let kind = database.kind();
    println!("stops on {kind}: SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut load = Load::new(database, 20).await;
    let mut longest = Duration::ZERO;
    for _ in 0..stops {
        let mut running = load.start().await;
        load.slow(200, Duration::from_millis(800));
        let time = Duration::from_millis(chance.random_range(0..800));
        let moment = Moment::AfterTheFirst(time);
        let mut told = Instant::now();
        load.run(&[&running], moment, || {
            told = Instant::now();
            running.signal("TERM");
        })
        .await;
        let status = running
            .ends_within(Duration::from_secs(10))
            .expect("it stops within ten seconds");
        longest = longest.max(told.elapsed());
        assert!(status.success(), "{status}");
        assert_eq!(number(&load.house.database, OPEN).await, 0);
    }
    let verdict = load.judge().await;
    println!("{stops} stops on {kind}, the longest took {longest:.1?}: {verdict}");
    verdict.holds();
    assert_eq!((verdict.doubted, verdict.lost), (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_after_eight_seconds_is_still_recorded() {
    let mut load = Load::new(Database::sqlite(), 1).await;
    load.house
        .graph
        .script(Behaviour::Hang(Duration::from_millis(7900)), 1);
    let mut running = load.start().await;
    assert!(load.house.graph.wait_for(1, Duration::from_secs(5)));
    let told = Instant::now();
    running.signal("TERM");
    let status = running
        .ends_within(Duration::from_secs(10))
        .expect("it stops within ten seconds");
    assert!(status.success(), "{status}");
    assert!(
        told.elapsed() > Duration::from_secs(5),
        "it waited for the answer"
    );
    let database = &load.house.database;
    assert_eq!(number(database, OPEN).await, 0);
    let accepted = "SELECT COUNT(*) FROM outgoing WHERE state = 'accepted'";
    assert_eq!(number(database, accepted).await, 1);
}
