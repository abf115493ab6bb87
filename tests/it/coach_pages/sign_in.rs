//! Signing in and out, passwords, and how long a session lasts.

use std::time::Duration;

use super::{MAIL, PASSWORD, enter, joris};
use crate::support::browser::{ABSOLUTE, Browser, IDLE};
use crate::support::database::{Database, on_both};
use crate::support::house::House;

on_both!(
    signing_in_makes_a_new_session_and_signing_out_ends_it,
    five_wrong_passwords_make_an_account_wait,
    another_password_ends_all_other_sessions,
    a_session_ends_when_it_rests_or_lasts_too_long,
);

async fn signing_in_makes_a_new_session_and_signing_out_ends_it(database: Database) {
    let house = House::new(database).await;
    joris(&house).await;
    let mut browser = Browser::new(&house.app);
    assert_eq!(browser.get("/").await.to, "/vandaag");
    assert_eq!(browser.get("/vandaag").await.to, "/inloggen");
    let wrong = enter(&mut browser, MAIL, "waterlelie op maandag").await;
    let unknown = enter(&mut browser, "niemand@waterstad.example", PASSWORD).await;
    assert_eq!((wrong.status, unknown.status), (422, 422));
    let sentence = "E-mailadres of wachtwoord klopt niet.";
    assert!(wrong.text().contains(sentence) && unknown.text().contains(sentence));
    assert!(!browser.cookies.contains_key("tussendoor"));
    let right = enter(&mut browser, "  JORIS@waterstad.example ", PASSWORD).await;
    assert_eq!((right.status, right.to.as_str()), (303, "/vandaag"));
    let cookie = right
        .headers
        .get_all("set-cookie")
        .iter()
        .next()
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let first = browser.cookies["tussendoor"].clone();
    assert!(
        browser
            .get("/vandaag")
            .await
            .text()
            .contains("Goedemorgen Joris")
    );
    // The token is nowhere in the database, only its keyed hash.
    assert_eq!(
        house
            .number("SELECT CAST(COUNT(*) AS BIGINT) FROM sessions")
            .await,
        1
    );
    // Signing in again, elsewhere: another session; a session id that was planted is never taken over.
    let mut planted = browser.beside();
    planted
        .cookies
        .insert("tussendoor".into(), "chosen-by-somebody-else".into());
    enter(&mut planted, MAIL, PASSWORD).await;
    assert_ne!(planted.cookies["tussendoor"], "chosen-by-somebody-else");
    assert_ne!(planted.cookies["tussendoor"], first);
    let out = browser.get("/vandaag").await;
    assert_eq!(out.status, 200);
    let out = browser.post("/uitloggen", &[]).await;
    assert_eq!(out.to, "/inloggen?uit");
    assert!(!browser.cookies.contains_key("tussendoor"));
    browser.cookies.insert("tussendoor".into(), first);
    assert_eq!(
        browser.get("/vandaag").await.to,
        "/inloggen?weer",
        "the old cookie opens nothing"
    );
    assert_eq!(
        planted.get("/vandaag").await.status,
        200,
        "the other session goes on"
    );
}

async fn five_wrong_passwords_make_an_account_wait(database: Database) {
    let house = House::new(database).await;
    joris(&house).await;
    let mut browser = Browser::new(&house.app);
    for _ in 0..5 {
        assert!(
            enter(&mut browser, MAIL, "geraden")
                .await
                .text()
                .contains("klopt niet")
        );
    }
    let sixth = enter(&mut browser, MAIL, PASSWORD).await;
    assert_eq!(sixth.status, 429, "even the right one waits");
    assert!(
        sixth.text().contains("Te veel pogingen. Wacht 16 minuten"),
        "{}",
        sixth.text()
    );
    house.wait(15 * 60);
    assert_eq!(enter(&mut browser, MAIL, PASSWORD).await.status, 303);
}

async fn another_password_ends_all_other_sessions(database: Database) {
    let house = House::new(database).await;
    let id = joris(&house).await;
    let mut here = Browser::new(&house.app);
    enter(&mut here, MAIL, PASSWORD).await;
    let mut there = Browser::signed_in(&house.app, id).await;
    here.get("/wachtwoord").await;
    let new = "een heel ander woord";
    let short = here
        .post("/wachtwoord", &[("oud", PASSWORD), ("nieuw", "kort")])
        .await;
    assert!(short.text().contains("te kort"));
    let wrong = here
        .post("/wachtwoord", &[("oud", "iets anders"), ("nieuw", new)])
        .await;
    assert!(wrong.text().contains("Er is niets gewijzigd"));
    assert_eq!(there.get("/vandaag").await.status, 200);
    let before = here.cookies["tussendoor"].clone();
    let done = here
        .post("/wachtwoord", &[("oud", PASSWORD), ("nieuw", new)])
        .await;
    assert!(
        here.follow(&done)
            .await
            .text()
            .contains("Je wachtwoord is gewijzigd.")
    );
    assert_ne!(here.cookies["tussendoor"], before);
    assert_eq!(
        there.get("/vandaag").await.status,
        303,
        "signed out elsewhere"
    );
    let mut again = here.beside();
    assert_eq!(enter(&mut again, MAIL, PASSWORD).await.status, 422);
    assert_eq!(enter(&mut again, MAIL, new).await.status, 303);
}

async fn a_session_ends_when_it_rests_or_lasts_too_long(database: Database) {
    let house = House::new(database).await;
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap();
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    house.wait(seconds(IDLE) - 60);
    assert_eq!(browser.get("/vandaag").await.status, 200);
    house.wait(seconds(IDLE) - 60);
    assert_eq!(
        browser.get("/vandaag").await.status,
        200,
        "being seen keeps it"
    );
    house.wait(seconds(IDLE) + 60);
    assert_eq!(browser.get("/vandaag").await.to, "/inloggen?weer");
    let mut busy = Browser::signed_in(&house.app, house.scope.coach).await;
    for _ in 0..(seconds(ABSOLUTE) / (seconds(IDLE) / 2)) - 1 {
        house.wait(seconds(IDLE) / 2);
        assert_eq!(busy.get("/vandaag").await.status, 200);
    }
    house.wait(seconds(IDLE) / 2);
    assert_eq!(
        busy.get("/vandaag").await.status,
        303,
        "not even a busy one lasts for ever"
    );
}
