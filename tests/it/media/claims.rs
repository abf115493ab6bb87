//! A file is fetched by one at a time, whoever dies or stops on the way; and a person can be forgotten
//! in the middle of it.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;
use tussendoor::app::{erase, media};
use tussendoor::domain::media::{State, Why};
use tussendoor::workers;

use super::{JPEG, NUMBER, became, heard, no, sends};
use crate::support::database::{Database, on_both};
use crate::support::graph::{FileAct, Kept};
use crate::support::house::House;
use crate::support::wait::between_looks;

on_both!(
    two_who_look_at_once_never_fetch_the_same_file,
    what_a_dead_process_claimed_falls_due_again_and_its_own_late_answer_is_dropped,
    many_files_at_once_keep_nobody_from_writing,
    a_stop_gives_the_claim_back,
    a_process_that_dies_each_time_ends_with_a_reason,
    an_erasure_leaves_no_file_and_no_row,
);

async fn two_who_look_at_once_never_fetch_the_same_file(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let files: Vec<Kept> = (0..12)
        .map(|n| house.graph.keeps("image/jpeg", &[JPEG, &[n]].concat()))
        .collect();
    for file in &files {
        sends(&house, "image", file, "").await;
    }
    heard(&house).await;
    let claims = futures_util::future::join_all((0..8).map(|_| {
        let app = house.app.clone();
        tokio::spawn(async move { media::claim(&app, 3).await.unwrap() })
    }))
    .await;
    let claimed: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    let distinct: BTreeSet<_> = claimed.iter().map(|claim| claim.id).collect();
    assert_eq!(distinct.len(), claimed.len(), "no file is claimed twice");
    assert!(media::claim(&house.app, 64).await.unwrap().len() + claimed.len() == 12);
    // What nobody brought falls due again after the longest fetch, and not a second earlier.
    house.wait(house.app.limits.fetch_lease_seconds - 1);
    assert_eq!(house.fetch().await, 0);
    house.wait(1);
    house.idle().await;
    for file in &files {
        assert_eq!(became(&house, candidate, file).await, (State::Stored, None));
        assert_eq!(house.graph.kept(file).given, 1);
    }
}

async fn what_a_dead_process_claimed_falls_due_again_and_its_own_late_answer_is_dropped(
    database: Database,
) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &file, "").await;
    heard(&house).await;
    let old = media::claim(&house.app, 1).await.unwrap().remove(0);
    let late = media::fetch(&house.app, &old).await;
    house.wait(house.app.limits.fetch_lease_seconds);
    let new = media::claim(&house.app, 1).await.unwrap().remove(0);
    media::keep(&house.app, &old, late).await.unwrap();
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Wanted, None)
    );
    let fetched = media::fetch(&house.app, &new).await;
    media::keep(&house.app, &new, fetched).await.unwrap();
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Stored, None)
    );
    let again = media::fetch(&house.app, &new).await;
    media::keep(&house.app, &new, again).await.unwrap();
    assert_eq!(house.number("SELECT COUNT(*) FROM media_files").await, 1);
}

/// Who waits for the writer while others fetch must not be handed it and then be asleep.
async fn many_files_at_once_keep_nobody_from_writing(database: Database) {
    let house = House::new(database).await;
    house.candidate("Samira", NUMBER, true).await;
    for n in 0..60 {
        let file = house.graph.keeps("image/jpeg", &[JPEG, &[n]].concat());
        sends(&house, "image", &file, "").await;
    }
    heard(&house).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(workers::media::run(house.app.clone(), stop.clone()));
    let wanted = "SELECT COUNT(*) FROM media WHERE state = 'wanted'";
    while house.number(wanted).await > 0 {
        // Longer than its patience nobody waits: then this is an error.
        let tx = house.app.store.write().await.expect("the writer is free");
        tx.rollback().await.unwrap();
    }
    stop.cancel();
    worker.await.unwrap();
    let kept = house.number("SELECT COUNT(*) FROM media_files").await;
    assert_eq!(kept, 60);
}

async fn a_stop_gives_the_claim_back(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    house.graph.acts(&file, FileAct::Drip);
    sends(&house, "image", &file, "").await;
    heard(&house).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(workers::media::run(house.app.clone(), stop.clone()));
    while house.graph.kept(&file).asked == 0 {
        between_looks().await;
    }
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Wanted, None)
    );
    assert_eq!(house.number("SELECT tries FROM media").await, 0);
    house.graph.acts(&file, FileAct::Give);
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Stored, None)
    );
}

async fn a_process_that_dies_each_time_ends_with_a_reason(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &file, "").await;
    heard(&house).await;
    for _ in 0..5 {
        assert_eq!(media::claim(&house.app, 4).await.unwrap().len(), 1);
        house.wait(house.app.limits.fetch_lease_seconds);
    }
    assert_eq!(media::claim(&house.app, 4).await.unwrap().len(), 0);
    assert_eq!(became(&house, candidate, &file).await, no(Why::NoAnswer));
}

async fn an_erasure_leaves_no_file_and_no_row(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let other = house.candidate("Yusuf", "+31687654321", true).await;
    let kept = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &kept, "").await;
    let theirs = house.graph.keeps("image/jpeg", JPEG);
    let webhook = house
        .graph
        .webhook_file("+31687654321", "image", &theirs, "");
    assert_eq!(house.deliver(&webhook).await, 200);
    house.idle().await;
    // One more is just being fetched.
    let flying = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &flying, "").await;
    heard(&house).await;
    let claim = media::claim(&house.app, 1).await.unwrap().remove(0);
    let fetched = media::fetch(&house.app, &claim).await;
    let outcome = erase::erase(&house.app, candidate).await.unwrap();
    assert!(matches!(outcome, erase::Outcome::Erased(_)));
    media::keep(&house.app, &claim, fetched).await.unwrap();
    assert_eq!(house.number("SELECT COUNT(*) FROM media").await, 1);
    assert_eq!(house.number("SELECT COUNT(*) FROM media_files").await, 1);
    assert_eq!(became(&house, other, &theirs).await, (State::Stored, None));
}
