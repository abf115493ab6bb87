//! Two coaches at one draft see each other, for as long as both are there.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use tussendoor::app::presence;
use tussendoor::domain::access::Scope;
use tussendoor::domain::ids::MessageId;

use super::{joris, with_draft};
use crate::support::browser::{Browser, IDLE};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};
use crate::support::wait::between_looks;

on_both!(
    two_coaches_at_one_draft_see_each_other_and_nobody_who_left,
    an_open_page_keeps_its_coach_there_and_hears_who_comes,
    a_page_that_stands_open_does_not_keep_a_session,
    nobody_is_seen_at_a_draft_of_another_team,
);

const LOOKS: Duration = Duration::from_secs(20);

/// Loads the page until it says so, or does not any more.
async fn until(browser: &mut Browser, path: &str, words: &str, there: bool) {
    let end = tokio::time::Instant::now() + LOOKS;
    loop {
        let text = browser.get(path).await.text();
        if text.contains(words) == there {
            return;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "{words:?}, wanted {there}: {text}"
        );
        between_looks().await;
    }
}

/// The next event, or nothing when the stream ended.
async fn event(stream: &mut BodyDataStream) -> Option<String> {
    let bytes = tokio::time::timeout(LOOKS, stream.next()).await.unwrap();
    bytes.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap())
}

async fn two_coaches_at_one_draft_see_each_other_and_nobody_who_left(database: Database) {
    let (house, candidate, mut noor) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let path = format!("/concepten/{id}");
    let colleague = joris(&house).await;
    let mut other = Browser::signed_in(&house.app, colleague).await;
    let alone = noor.get(&path).await.text();
    assert!(!alone.contains("ook naar"), "{alone}");
    until(&mut other, &path, "Noor Bakker kijkt hier ook naar.", true).await;
    until(
        &mut noor,
        &path,
        "Joris de Vries kijkt hier ook naar.",
        true,
    )
    .await;
    let page = noor.get(&path).await.text();
    assert!(
        page.contains("Wie het eerst kiest, beslist.") && !page.contains("Noor Bakker kijkt"),
        "{page}"
    );
    // Nothing is held up by it.
    assert!(page.contains("Goedkeuren"));
    // Noor goes: before ten seconds are over Joris is told so.
    house.wait(10);
    until(&mut other, &path, "kijkt hier ook naar", false).await;
    // At another draft nobody stands beside her.
    let second = house.candidate("Mehmet", "+31687654321", true).await;
    house.plan(second, &[("bellen", "2026-03-06")]).await;
    house.turn_to(moment("2026-03-05", 9, 31));
    house.idle().await;
    let mut other = Browser::signed_in(&house.app, colleague).await;
    let mut noor = Browser::signed_in(&house.app, house.scope.coach).await;
    let elsewhere = format!("/concepten/{}", house.waiting(second).await.id);
    until(&mut noor, &path, "ook naar", false).await;
    until(&mut other, &elsewhere, "ook naar", false).await;
}

async fn an_open_page_keeps_its_coach_there_and_hears_who_comes(database: Database) {
    let (house, candidate, noor) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let path = format!("/concepten/{id}");
    let mut other = Browser::signed_in(&house.app, joris(&house).await).await;
    let mut open = noor
        .news(&format!("/nieuws?concept={id}"))
        .await
        .into_data_stream();
    let heard = tokio::spawn(async move {
        let first = event(&mut open).await;
        (first, open)
    });
    until(&mut other, &path, "Noor Bakker kijkt hier ook naar.", true).await;
    let (first, mut open) = heard.await.unwrap();
    let first = first.unwrap();
    assert!(
        first.contains("event: deel") && first.contains("kijkers-deel"),
        "{first}"
    );
    assert!(!first.contains("Joris"), "no name: {first}");
    // Time passes, and her page is still open: she is there again at its next beat. Joris was gone.
    house.wait(10);
    let listening = tokio::spawn(async move { (event(&mut open).await, open) });
    until(&mut other, &path, "Noor Bakker kijkt hier ook naar.", true).await;
    let (_, open) = listening.await.unwrap();
    // She closes it, and is gone for good.
    drop(open);
    house.wait(10);
    until(&mut other, &path, "kijkt hier ook naar", false).await;
    house.wait(10);
    until(&mut other, &path, "kijkt hier ook naar", false).await;
}

async fn a_page_that_stands_open_does_not_keep_a_session(database: Database) {
    let (house, candidate, mut noor) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let mut open = noor
        .news(&format!("/nieuws?concept={id}"))
        .await
        .into_data_stream();
    let idle = i64::try_from(IDLE.as_secs()).unwrap();
    let ended = tokio::spawn(async move { while event(&mut open).await.is_some() {} });
    house.wait(idle / 2);
    until_seen(&house, id).await;
    house.wait(idle / 2 + 60);
    ended.await.unwrap();
    assert_eq!(noor.get("/vandaag").await.status, 303, "signed out");
}

/// Waits for the beat of the open page at this moment of the clock.
async fn until_seen(house: &House, id: MessageId) {
    let other = Scope {
        coach: joris(house).await,
        ..house.scope.clone()
    };
    let end = tokio::time::Instant::now() + LOOKS;
    while presence::beside(&house.app, &other, id)
        .await
        .unwrap()
        .is_empty()
    {
        assert!(tokio::time::Instant::now() < end, "no beat");
        between_looks().await;
    }
}

async fn nobody_is_seen_at_a_draft_of_another_team(database: Database) {
    let (house, candidate, _) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let house_settings = house.app.houses.values().next().unwrap();
    let other_team = house_settings.teams[1].0;
    let stranger = Scope {
        coach: joris(&house).await,
        teams: std::iter::once(other_team).collect(),
        ..house.scope.clone()
    };
    crate::support::database::execute(&house.database, "DELETE FROM coach_teams WHERE coach_id IN (SELECT id FROM coaches WHERE email = 'joris@waterstad.example')").await;
    presence::look(&house.app, &stranger, id).await.unwrap();
    presence::look(&house.app, &house.scope, id).await.unwrap();
    assert_eq!(
        house
            .number("SELECT CAST(COUNT(*) AS BIGINT) FROM looking")
            .await,
        1
    );
    let beside = presence::beside(&house.app, &stranger, id).await.unwrap();
    assert!(beside.is_empty(), "{beside:?}");
}
