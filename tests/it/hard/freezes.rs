//! Two instances on one PostgreSQL: one is frozen in the middle of its work, past its lease, and wakes
//! up when the other has long gone on.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::load::{IN_FLIGHT, Load, Moment, Verdict};
use super::{rounds, seed};
use crate::support::database::Database;
use crate::support::house::number;
use crate::support::running::Running;

/// A lease lasts thirty seconds at least, and the tick that finds it may take a few more.
const LEASE: Duration = Duration::from_secs(33);
/// Pairs that are frozen at the same time, each on a database of its own.
const AT_ONCE: u32 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_frozen_instance_that_wakes_sends_nothing_twice() {
    let (freezes, seed) = (rounds("FREEZES", 2), seed());
    println!("freezes: SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut verdicts: Vec<(Verdict, i64)> = Vec::new();
    let mut left = freezes;
    while left > 0 {
        let now = left.min(AT_ONCE);
        let pairs = (0..now).map(|_| {
            let times = [0..600, 0..2000].map(|range| chance.random_range(range));
            tokio::spawn(frozen(times.map(Duration::from_millis)))
        });
        let pairs: Vec<_> = pairs.collect();
        for pair in pairs {
            verdicts.push(pair.await.unwrap());
        }
        left -= now;
    }
    let sum =
        |part: fn(&Verdict) -> usize| verdicts.iter().map(|(one, _)| part(one)).sum::<usize>();
    let doubted: i64 = verdicts.iter().map(|(_, lost)| lost).sum();
    println!(
        "{freezes} freezes of one of two instances on PostgreSQL: {} messages due: {} sent once, {} in doubt before a coach, {} lost, {} doubled; {doubted} were given up for doubt while their sender was frozen",
        sum(|one| one.due),
        sum(|one| one.sent),
        sum(|one| one.doubt),
        sum(|one| one.lost.len().saturating_sub(one.doubt)),
        sum(|one| one.doubled.len()),
    );
    for (verdict, _) in &verdicts {
        verdict.holds();
    }
}

/// What ran out of its lease. The other waits for what the frozen one holds, so it can be its own too: at
/// most what both had in the air.
const LOST: &str = "SELECT COUNT(*) FROM outgoing WHERE state = 'in_doubt' AND state_why = 'crash'";

/// The verdict, and how many sends of the frozen instance the other gave up for doubt.
async fn frozen([moment, longer]: [Duration; 2]) -> (Verdict, i64) {
    let mut load = Load::new(Database::postgres().await, 20).await;
    load.environment
        .push(("TUSSENDOOR_WIRE__TOTAL_SECONDS".into(), "10".into()));
    load.environment
        .push(("TUSSENDOOR_WIRE__READ_SECONDS".into(), "10".into()));
    load.slow(200, Duration::from_millis(200));
    let one = load.start().await;
    let other = Running::serve(&load.environment, None);
    let both = [&other, &one];
    let mut since = Instant::now();
    load.run(&both, Moment::AfterTheFirst(moment), || {
        since = Instant::now();
        one.signal("STOP");
    })
    .await;
    // The other has everything to itself, until the lease of the frozen one has run out.
    let rest = (LEASE + longer).saturating_sub(since.elapsed());
    load.run(&[&other], Moment::After(rest), || {}).await;
    let lost = number(&load.house.database, LOST).await;
    assert!(usize::try_from(lost).unwrap() <= 2 * IN_FLIGHT, "{lost}");
    one.signal("CONT");
    load.run(&both, Moment::After(Duration::from_secs(3)), || {})
        .await;
    one.stop();
    other.stop();
    (load.judge().await, lost)
}
