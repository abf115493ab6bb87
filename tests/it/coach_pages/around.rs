//! What stands around the pages: languages, news, headers, files, health.

use std::time::Duration;

use futures_util::StreamExt as _;

use super::{NUMBER, with_draft};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};

on_both!(
    pages_speak_the_coachs_language,
    news_names_parts_and_no_text,
    answers_carry_the_headers_and_files_are_kept,
);

async fn pages_speak_the_coachs_language(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    assert!(
        browser
            .get("/vandaag")
            .await
            .html
            .contains("<html lang=\"nl\">")
    );
    let done = browser.post("/taal", &[("taal", "en")]).await;
    assert_eq!(done.status, 303);
    let page = browser.get("/vandaag").await;
    assert!(
        page.html.contains("<html lang=\"en\">") && page.text().contains("Good morning Noor"),
        "{}",
        page.text()
    );
    assert!(browser.get("/concepten").await.text().contains("Why now"));
    assert!(
        browser
            .get(&format!("/kandidaten/{candidate}"))
            .await
            .text()
            .contains("The next fourteen days")
    );
    assert_eq!(browser.post("/taal", &[("taal", "xx")]).await.status, 400);
    // It is the coach's own setting: another browser of theirs speaks it too.
    let mut other = Browser::signed_in(&house.app, house.scope.coach).await;
    assert!(
        other
            .get("/vandaag")
            .await
            .html
            .contains("<html lang=\"en\">")
    );
    // Nobody signed in: what the browser asks for.
    let mut stranger = Browser::new(&house.app);
    let request = axum::http::Request::get("/inloggen").header("accept-language", "en-GB,en;q=0.9");
    let page = stranger
        .send(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert!(page.text().contains("Sign in"));
}

async fn news_names_parts_and_no_text(database: Database) {
    let (house, candidate, browser) = with_draft(database).await;
    let stranger = house.candidate("Mehmet", "+31687654321", true).await;
    let mut here = browser
        .news(&format!("/nieuws?kandidaat={candidate}"))
        .await
        .into_data_stream();
    let mut list = browser.news("/nieuws").await.into_data_stream();
    let mut elsewhere = browser
        .news(&format!("/nieuws?kandidaat={stranger}"))
        .await
        .into_data_stream();
    house.says(NUMBER, "Een geheim bericht").await;
    let wait = Duration::from_secs(10);
    let event = next(&mut here, wait).await;
    assert!(
        event.contains("event: deel") && event.contains("gesprek-deel"),
        "{event}"
    );
    assert!(!event.contains("geheim"), "no text: {event}");
    let event = next(&mut list, wait).await;
    assert!(event.contains("lijst-deel"), "{event}");
    let event = next(&mut elsewhere, wait).await;
    assert!(
        !event.contains("gesprek-deel"),
        "another's page keeps its thread: {event}"
    );
}

async fn answers_carry_the_headers_and_files_are_kept(database: Database) {
    let (house, _, mut browser) = with_draft(database).await;
    for path in [
        "/vandaag",
        "/inloggen",
        "/nergens",
        "/health/live",
        "/in/meta",
    ] {
        let page = browser.get(path).await;
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert!(
            header("content-security-policy").starts_with("default-src 'none'"),
            "{path}"
        );
        assert!(
            !header("content-security-policy").contains("unsafe"),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    }
    let page = browser.get("/vandaag").await;
    assert_eq!(page.headers["cache-control"], "no-store");
    let missing = browser.get("/nergens").await;
    assert_eq!(missing.status, 404);
    assert!(
        missing.text().contains("Niet gevonden"),
        "{}",
        missing.text()
    );
    let css = page
        .html
        .split_once("rel=\"stylesheet\" href=\"")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let file = browser.get(css).await;
    assert_eq!(file.status, 200);
    assert!(
        file.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(
        browser
            .get("/static/tussendoor.000000000000.css")
            .await
            .status,
        404
    );
    assert_eq!(
        browser.get("/static/..%2F..%2FCargo.toml").await.status,
        404
    );
    // The watcher's page says whether the database would take a write.
    assert_eq!(browser.get("/health/ready").await.status, 200);
    let large = "x".repeat(70_000);
    let page = browser.post("/uitloggen", &[("tekst", &large)]).await;
    assert_eq!(page.status, 413);
    assert_eq!(browser.get("/vandaag").await.status, 200, "still signed in");
    house.app.store.close().await;
    let ready = browser.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    let down = browser.get("/vandaag").await;
    assert_eq!(down.status, 503);
    assert!(
        down.text().contains("De opslag antwoordt niet."),
        "{}",
        down.text()
    );
}

async fn next(stream: &mut axum::body::BodyDataStream, wait: Duration) -> String {
    let bytes = tokio::time::timeout(wait, stream.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
