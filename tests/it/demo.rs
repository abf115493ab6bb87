//! The demo, by the real binary: the minute that a visitor spends with it, over HTTP.

use std::time::{Duration, Instant};

use crate::support::pages::Coach;
use crate::support::running::{Running, client};

fn started(folder: &tempfile::TempDir) -> Running {
    let data_dir = folder.path().display().to_string();
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
    Running::start(&arguments, &[], None).expect("the demo starts")
}

/// What stands between two marks, the first time.
fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    html.split_once(start)
        .and_then(|(_, rest)| rest.split_once(end))
        .map_or("", |(found, _)| found)
}

/// The address of this person's phone, as the list has it.
fn phone_of(html: &str, name: &str) -> String {
    let entry = html
        .split("<li>")
        .find(|entry| entry.contains(name))
        .expect("somebody with a phone");
    format!("/demo/phone/{}", between(entry, "/demo/phone/", "\""))
}

/// How this person stands, as the list tells it.
fn standing(html: &str, name: &str) -> String {
    let entry = html
        .split("<li>")
        .find(|entry| entry.contains(name))
        .unwrap_or_default();
    let chip = between(entry, "class=\"chip", "</span>");
    chip.split_once('>').map_or("", |(_, word)| word).to_owned()
}

/// Reads the page until it holds this so many times, or gives up.
async fn until(coach: &Coach<'_>, path: &str, (wanted, times): (&str, usize)) -> String {
    let end = Instant::now() + Duration::from_secs(25);
    loop {
        let html = coach.get(path).await;
        if html.matches(wanted).count() >= times {
            return html;
        }
        assert!(Instant::now() < end, "{path} never shows {wanted}:\n{html}");
        crate::support::wait::between_looks().await;
    }
}

#[tokio::test]
async fn a_nudge_becomes_a_draft_is_approved_arrives_and_an_answer_changes_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let running = started(&folder);
    let coach = Coach::of_the_demo(&running, "noor").await;
    let html = coach.get("/demo").await;
    assert_eq!(between(&html, "<time>", "</time>"), "08:52");
    assert_eq!(html.matches("target=\"phone\"").count(), 12);
    assert_eq!(standing(&html, "Samira"), "1 van 3 stappen klaar");
    let phone = phone_of(&html, "Samira");

    let file = format!("/kandidaten/{}", phone.rsplit('/').next().unwrap());
    let before = coach.get(&file).await;
    let read = before.matches("gelezen").count();
    assert_eq!(before.matches("is-done").count(), 1);

    let (status, _) = coach
        .post(&html, "/demo/clock", &[("to", "morning")])
        .await
        .unwrap();
    assert_eq!(status, 303);
    let html = coach.get("/demo").await;
    assert_eq!(between(&html, "<time>", "</time>"), "09:30");
    assert_eq!(standing(&html, "Samira"), "Concept klaar");

    let list = coach.get("/concepten").await;
    let entry = list
        .split("<a href=\"")
        .find(|entry| entry.contains("Samira"))
        .expect("her draft");
    let draft = entry.split('"').next().unwrap().to_owned();
    let html = coach.get(&draft).await;
    let (status, _) = coach.post(&html, "/goedkeuren", &[]).await.unwrap();
    assert_eq!(status, 303);
    // The thanks for the step before named it already.
    let html = until(&coach, &phone, ("de wijkschool bellen", 2)).await;
    assert!(html.contains("Ja, gelukt"), "the answers can be tapped");

    let (status, _) = coach.post(&html, "/say", &[("tekst", "1")]).await.unwrap();
    assert_eq!(status, 303);
    // The first thanks, and the first step, are from before the demo began.
    until(&coach, &phone, ("Goed gedaan", 2)).await;
    let html = until(&coach, &file, ("gelezen", read + 2)).await;
    assert_eq!(html.matches("is-done").count(), 2);
    assert_eq!(
        standing(&coach.get("/demo").await, "Samira"),
        "2 van 3 stappen klaar"
    );
}

#[tokio::test]
async fn a_week_goes_by_and_no_moment_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let running = started(&folder);
    let coach = Coach::of_the_demo(&running, "joris").await;
    let html = coach.get("/demo").await;
    coach
        .post(&html, "/demo/clock", &[("to", "week")])
        .await
        .unwrap();
    let html = coach.get("/demo").await;
    assert!(html.contains("dinsdag 1 december"));
    assert_eq!(standing(&html, "Dirk"), "Geen toestemming");
    assert_eq!(standing(&html, "Fatma"), "Gestopt");
    assert_eq!(standing(&html, "Layla"), "Concept klaar");
    running.stop();

    let again = started(&folder);
    let coach = Coach::of_the_demo(&again, "joris").await;
    let html = coach.get("/demo").await;
    assert!(html.contains("dinsdag 1 december"));
    assert_eq!(
        html.matches("target=\"phone\"").count(),
        12,
        "nobody was made twice"
    );
    // What was said before is still on the phone, and its answers can be tapped.
    let phone = coach.get(&phone_of(&html, "Jamila")).await;
    assert!(phone.contains("een taalmaatje vragen"));
}

#[tokio::test]
async fn the_demo_takes_forms_and_messages_from_itself_only() {
    let folder = tempfile::tempdir().unwrap();
    let running = started(&folder);
    let page = running
        .client
        .get(running.url("/demo"))
        .send()
        .await
        .unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("frame-ancestors 'self'") && policy.contains("default-src 'none'"));
    let html = page.text().await.unwrap();
    let proof = between(&html, "name=\"bewijs\" value=\"", "\"").to_owned();
    let clock = |origin: Option<&str>, proof: &str| {
        let request = running.client.post(running.url("/demo/clock"));
        let request = request.form(&[("bewijs", proof), ("to", "hour")]);
        match origin {
            Some(origin) => request.header("origin", origin.to_owned()),
            None => request,
        }
        .send()
    };
    let ours = running.origin();
    for (origin, proof) in [
        (None, proof.as_str()),
        (Some("http://evil.example"), &proof),
        (Some(&ours), "guessed"),
    ] {
        assert_eq!(clock(origin, proof).await.unwrap().status().as_u16(), 403);
    }
    assert_eq!(
        clock(Some(&ours), &proof).await.unwrap().status().as_u16(),
        303
    );

    let message = serde_json::json!({
        "line": "simulator", "to": "+31610000001", "text": "vals", "buttons": [], "token": "t",
    });
    for bearer in [None, Some("Bearer guessed"), Some("Bearer ")] {
        let request = client()
            .post(running.url("/simulator/messages"))
            .json(&message);
        let request = match bearer {
            Some(bearer) => request.header("authorization", bearer),
            None => request,
        };
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
    }
    let phone = running
        .client
        .get(running.url(&phone_of(&html, "Samira")))
        .send()
        .await
        .unwrap();
    assert!(!phone.text().await.unwrap().contains("vals"));
}

#[test]
fn the_demo_refuses_a_real_provider_and_an_open_network() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let refused = |listen: &str, environment: &[(String, String)]| {
        let arguments = ["demo", "--listen", listen, "--data-dir", &data_dir];
        Running::start(&arguments, environment, None).is_none()
    };
    let provider = "TUSSENDOOR_ENDPOINTS__META__PROVIDER".to_owned();
    assert!(refused(
        "127.0.0.1:0",
        &[(provider, "whatsapp_meta".to_owned())]
    ));
    assert!(refused("0.0.0.0:0", &[]));
}
