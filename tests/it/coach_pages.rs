//! What coaches see and do, page by page, on the real store with the real verbs behind them.

mod around;
mod away;
mod drafts;
mod person;
mod plan;
mod presence;
mod reasons;
mod sign_in;
mod together;

use tussendoor::app::sign_in as verb;
use tussendoor::domain::ids::{CandidateId, CoachId, MessageId};
use tussendoor::store::coaches;

use crate::support::browser::{Browser, Page};
use crate::support::database::Database;
use crate::support::house::{House, moment};

const NUMBER: &str = "+31612345678";
const MAIL: &str = "joris@waterstad.example";
const PASSWORD: &str = "waterlelie op dinsdag";

/// Wednesday 4 March 2026, 09:31: Samira's step is due tomorrow, and its draft waits.
async fn with_draft(database: Database) -> (House, CandidateId, Browser) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    house
        .plan(
            candidate,
            &[("cv maken", "2026-03-05"), ("bellen", "2026-03-20")],
        )
        .await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let browser = Browser::signed_in(&house.app, house.scope.coach).await;
    (house, candidate, browser)
}

/// A coach with a password that somebody knows.
async fn joris(house: &House) -> CoachId {
    let app = &house.app;
    let now = app.now();
    let hash = verb::hash_password(&*app.chance, PASSWORD).unwrap();
    let teams: Vec<_> = house.scope.teams.iter().copied().collect();
    let id: CoachId = app.id(now);
    let mut tx = app.store.write().await.unwrap();
    coaches::add(
        &mut tx,
        &coaches::NewCoach {
            id,
            organisation: house.scope.organisation,
            email: MAIL,
            name: "Joris de Vries",
            role: tussendoor::domain::access::Role::Lead,
            password_hash: &hash,
            language: "nl",
            teams: &teams,
        },
        now,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn enter(browser: &mut Browser, mail: &str, password: &str) -> Page {
    browser.get("/inloggen").await;
    browser
        .post("/inloggen", &[("mail", mail), ("wachtwoord", password)])
        .await
}

/// Posts a decision about a draft with what its page holds.
async fn decide(
    browser: &mut Browser,
    page: &Page,
    id: MessageId,
    act: &str,
    more: &[(&str, &str)],
) -> Page {
    let path = format!("/concepten/{id}/{act}");
    let (version, hash) = (
        page.field(&path, "versie"),
        page.field(&path, "vingerafdruk"),
    );
    let fields: Vec<(&str, &str)> = [
        ("versie", version.as_str()),
        ("vingerafdruk", hash.as_str()),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .collect();
    browser.post(&path, &fields).await
}
