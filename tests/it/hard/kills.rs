//! SIGKILL at a random moment under load, again and again on one database. Judged by what the stand-in
//! took, code by code, and by the sender's own list of webhooks that were answered 200.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::load::{IN_FLIGHT, Load, Moment};
use super::{rounds, seed};
use crate::support::database::{Database, on_both};

on_both!(nothing_is_lost_or_doubled_by_kills);

async fn nothing_is_lost_or_doubled_by_kills(database: Database) {
    let (kills, seed) = (rounds("KILLS", 5), seed());
    let kind = database.kind();
    println!("kills on {kind}: SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut load = Load::new(database, 30).await;
    let mut in_the_air = 0;
    let mut before = BTreeSet::new();
    for _ in 0..kills {
        let running = load.start().await;
        load.slow(200, Duration::from_millis(60));
        let time = Duration::from_millis(chance.random_range(0..700));
        let moment = match chance.random_bool(0.3) {
            true => Moment::After(time),
            false => Moment::AfterTheFirst(time),
        };
        load.run(&[&running], moment, || running.signal("KILL"))
            .await;
        drop(running);
        // What an earlier kill left may still be there, if this process did not come so far.
        let new = load.in_the_air().await;
        let count = new.difference(&before).count();
        assert!(count <= IN_FLIGHT, "{count} in the air");
        in_the_air += count;
        before = new;
    }
    let verdict = load.judge().await;
    println!(
        "{kills} kills on {kind}: {verdict}; {in_the_air} were in the air at a kill, {} of them doubted",
        verdict.doubted
    );
    verdict.holds();
    assert!(verdict.doubted <= in_the_air);
}
