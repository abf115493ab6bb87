//! Files that people send: fetched once, checked, sealed, given as a download; and a reason in the place
//! of each that is not. Who fetches, and who no longer may, is in `claims`.

mod claims;

use serde_json::json;
use tussendoor::app::{desk, inbox, unpack};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::media::{State, Why};
use tussendoor::ports::channel::Content;

use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::graph::{FileAct, Kept, error};
use crate::support::house::House;

on_both!(
    a_photo_is_fetched_sealed_and_given_as_a_download,
    a_file_that_breaks_a_rule_leaves_its_reason,
    what_may_pass_is_tried_five_times_and_then_leaves_its_reason,
    what_passed_in_time_is_kept_after_all,
    a_provider_that_takes_its_time_gives_nothing,
    this_machine_is_no_provider_unless_the_settings_say_so,
    hidden_words_hide_the_file_that_came_with_them,
);

const NUMBER: &str = "+31612345678";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF and then some picture";

async fn sends(house: &House, kind: &str, file: &Kept, caption: &str) {
    let webhook = house.graph.webhook_file(NUMBER, kind, file, caption);
    assert_eq!(house.deliver(&webhook).await, 200);
}

/// Plays what was heard, and fetches nothing yet.
async fn heard(house: &House) {
    while unpack::unpack(&house.app).await.unwrap() > 0 {}
    while inbox::turns(&house.app).await.unwrap() > 0 {}
}

/// What became of a file.
async fn became(house: &House, candidate: CandidateId, file: &Kept) -> (State, Option<Why>) {
    let case = desk::case(&house.app, &house.scope, candidate)
        .await
        .unwrap();
    let is_it = |content: &Content| matches!(content, Content::Media(it) if it.id == file.id);
    let row = case
        .incoming
        .iter()
        .find(|row| is_it(&row.content))
        .unwrap();
    let shown = &case.files[&row.id];
    (shown.state, shown.why)
}

async fn page(house: &House, candidate: CandidateId) -> String {
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    browser.get(&format!("/kandidaten/{candidate}")).await.html
}

fn link(html: &str) -> String {
    let (before, _) = html.split_once("\" download>").expect("a download");
    before.rsplit_once('"').unwrap().1.to_owned()
}

async fn a_photo_is_fetched_sealed_and_given_as_a_download(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &file, "mijn rooster").await;
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Stored, None)
    );
    let html = page(&house, candidate).await;
    assert!(
        html.contains("mijn rooster") && html.contains("Download foto (jpg, "),
        "{html}"
    );
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let answer = browser.get(&link(&html)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, JPEG);
    for (name, value) in [
        ("content-type", "image/jpeg"),
        (
            "content-disposition",
            "attachment; filename=\"foto-20260303-0800.jpg\"",
        ),
        (
            "content-security-policy",
            "default-src 'none'; sandbox; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    // The page itself keeps its own policy.
    let headers = browser.get("/vandaag").await.headers;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    // Sealed: version, nonce and tag beside it, and nowhere the picture itself.
    let sealed = "SELECT CAST(SUM(LENGTH(body_sealed)) AS BIGINT) FROM media_files";
    let length = i64::try_from(JPEG.len()).unwrap();
    assert_eq!(house.number(sealed).await, length + 1 + 24 + 16);
    for entry in std::fs::read_dir(house.database.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(JPEG.len()).any(|window| window == JPEG));
    }
    // Once is enough, also when the webhook comes again.
    house.idle().await;
    assert_eq!(house.graph.kept(&file).given, 1);
}

/// Kind, type by its sender, bytes, what the provider does, and how it must stand.
type Case<'a> = (
    &'a str,
    &'static str,
    &'a [u8],
    FileAct,
    (State, Option<Why>),
);

async fn a_file_that_breaks_a_rule_leaves_its_reason(database: Database) {
    let house = House::set(database, &[("TUSSENDOOR_MEDIA__IMAGE_BYTES", "1000")]).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let mut long = JPEG.to_vec();
    long.resize(1001, b'x');
    let mut exact = long.clone();
    exact.truncate(1000);
    let cases: Vec<Case> = vec![
        (
            "image",
            "image/jpeg",
            &exact,
            FileAct::Give,
            (State::Stored, None),
        ),
        (
            "image",
            "image/jpeg",
            &long,
            FileAct::Give,
            no(Why::TooLarge),
        ),
        // It says one length and goes on and on.
        (
            "image",
            "image/jpeg",
            JPEG,
            FileAct::Endless,
            no(Why::TooLarge),
        ),
        (
            "image",
            "image/jpeg",
            JPEG,
            FileAct::Length(1_000_000_000),
            no(Why::TooLarge),
        ),
        // It says less than it is: what is cut off is another file.
        (
            "image",
            "image/jpeg",
            JPEG,
            FileAct::Length(20),
            no(Why::Hash),
        ),
        (
            "image",
            "image/svg+xml",
            b"<svg onload='alert(1)'/>",
            FileAct::Give,
            no(Why::Type),
        ),
        (
            "image",
            "image/jpeg",
            b"<html><script>",
            FileAct::Give,
            no(Why::Type),
        ),
        (
            "document",
            "application/pdf",
            b"MZ\x90\0",
            FileAct::Give,
            no(Why::Type),
        ),
        (
            "image",
            "image/jpeg",
            b"%PDF-1.7",
            FileAct::Give,
            no(Why::Type),
        ),
        (
            "document",
            "text/html",
            b"%PDF-1.7",
            FileAct::Give,
            (State::Stored, None),
        ),
        ("image", "image/jpeg", b"", FileAct::Give, no(Why::Type)),
    ];
    let mut sent = Vec::new();
    for (kind, mime, bytes, act, expected) in cases {
        let file = house.graph.keeps(mime, bytes);
        house.graph.acts(&file, act.clone());
        sends(&house, kind, &file, "").await;
        sent.push((file, act, expected));
    }
    let mut other = house.graph.keeps("image/jpeg", JPEG);
    other.sha256 = house.graph.keeps("image/jpeg", b"another").sha256;
    sends(&house, "image", &other, "").await;
    sent.push((other, FileAct::Give, no(Why::Hash)));
    house.idle().await;
    for (file, act, expected) in &sent {
        let told = String::from_utf8_lossy(&file.bytes);
        assert_eq!(
            became(&house, candidate, file).await,
            *expected,
            "{act:?} {told}"
        );
        assert_eq!(
            house.graph.kept(file).asked,
            1,
            "{act:?}: one try is enough"
        );
    }
    let html = page(&house, candidate).await;
    for words in [
        "het is te groot",
        "nemen we niet aan",
        "niet meer zoals Samira het stuurde",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert_eq!(html.matches("\" download>").count(), 2);
    assert!(!html.contains("../../"), "the sender's own name is nowhere");
    let files = house.number("SELECT COUNT(*) FROM media_files").await;
    assert_eq!(files, 2);
}

fn no(why: Why) -> (State, Option<Why>) {
    (why.ends_in(), Some(why))
}

async fn what_may_pass_is_tried_five_times_and_then_leaves_its_reason(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let elsewhere = house.graph.keeps("image/jpeg", JPEG);
    let port = house.graph.base_url.rsplit_once(':').unwrap().1;
    let here = format!("http://127.0.0.1:{port}/files/{}", elsewhere.id);
    let token = error(190, "Invalid OAuth access token");
    let cases = [
        (FileAct::Redirect(here.clone()), Why::Address),
        (
            FileAct::At(here.replace("127.0.0.1", "localhost")),
            Why::Address,
        ),
        (
            FileAct::At(here.replace("127.0.0.1", "127.0.0.2")),
            Why::Address,
        ),
        (
            FileAct::At("http://169.254.169.254/latest/meta-data".into()),
            Why::Address,
        ),
        (
            FileAct::At("https://[::ffff:10.0.0.1]/x".into()),
            Why::Address,
        ),
        (FileAct::At("https://evil.example/x".into()), Why::Address),
        (FileAct::At("file:///etc/passwd".into()), Why::Address),
        (FileAct::Place(401, token.clone()), Why::Account),
        (FileAct::Place(400, token), Why::Account),
        (FileAct::Status(403), Why::Account),
        (FileAct::Status(404), Why::Expired),
        (FileAct::Status(500), Why::NoAnswer),
        (FileAct::Half, Why::NoAnswer),
        (FileAct::Length(JPEG.len() + 9), Why::NoAnswer),
        (FileAct::Place(200, json!({"no": "url"})), Why::NoAnswer),
        (FileAct::Place(429, json!({})), Why::NoAnswer),
    ];
    let mut sent = Vec::new();
    for (act, why) in cases {
        let file = house.graph.keeps("image/jpeg", JPEG);
        house.graph.acts(&file, act.clone());
        sends(&house, "image", &file, "").await;
        sent.push((file, act, why));
    }
    // One that the provider has no longer needs no second try.
    let mut gone = house.graph.keeps("image/jpeg", JPEG);
    gone.id = "999".into();
    sends(&house, "image", &gone, "").await;
    house.idle().await;
    assert_eq!(became(&house, candidate, &gone).await, no(Why::Expired));
    for (file, act, why) in &sent {
        let expected = (State::Wanted, Some(*why));
        assert_eq!(became(&house, candidate, file).await, expected, "{act:?}");
    }
    let html = page(&house, candidate).await;
    assert!(html.contains("We proberen het later nog een keer."));
    for _ in 0..6 {
        house.wait(8 * 3600 + 1);
        house.idle().await;
    }
    for (file, act, why) in &sent {
        assert_eq!(became(&house, candidate, file).await, no(*why), "{act:?}");
        assert_eq!(
            house.graph.kept(file).asked,
            5,
            "{act:?}: five tries in all"
        );
    }
    assert_eq!(
        house.graph.kept(&elsewhere).given,
        0,
        "no redirect was followed"
    );
    let html = page(&house, candidate).await;
    for words in [
        "niet vertrouwen",
        "we kregen geen toegang",
        "is er niet meer",
        "geen goed antwoord",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert_eq!(house.number("SELECT COUNT(*) FROM media_files").await, 0);
}

async fn what_passed_in_time_is_kept_after_all(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house
        .graph
        .keeps("audio/ogg; codecs=opus", b"OggS\0\x02 some words");
    house.graph.acts(&file, FileAct::Status(404));
    sends(&house, "audio", &file, "").await;
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Wanted, Some(Why::Expired))
    );
    // Not before its time.
    house.graph.acts(&file, FileAct::Give);
    house.wait(59);
    house.idle().await;
    assert_eq!(house.graph.kept(&file).asked, 1);
    house.wait(1);
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Stored, None)
    );
    assert!(
        page(&house, candidate)
            .await
            .contains("Download spraakbericht (ogg, 17 B)")
    );
}

async fn a_provider_that_takes_its_time_gives_nothing(database: Database) {
    let house = House::set(
        database,
        &[
            ("TUSSENDOOR_MEDIA__SECONDS", "1"),
            ("TUSSENDOOR_WIRE__READ_SECONDS", "1"),
        ],
    )
    .await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    house.graph.acts(&file, FileAct::Drip);
    sends(&house, "image", &file, "").await;
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Wanted, Some(Why::NoAnswer))
    );
}

async fn this_machine_is_no_provider_unless_the_settings_say_so(database: Database) {
    let house = House::set(database, &[("TUSSENDOOR_MEDIA__LOOPBACK", "false")]).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    sends(&house, "image", &file, "").await;
    house.idle().await;
    assert_eq!(
        became(&house, candidate, &file).await,
        (State::Wanted, Some(Why::Address))
    );
    assert_eq!(house.graph.kept(&file).asked, 0);
}

async fn hidden_words_hide_the_file_that_came_with_them(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let file = house.graph.keeps("image/jpeg", JPEG);
    sends(
        &house,
        "image",
        &file,
        "foto van mijn recept voor mijn depressie",
    )
    .await;
    house.idle().await;
    let path = format!("/kandidaten/{candidate}");
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get(&path).await;
    assert!(page.html.contains("verborgen") && !page.html.contains("\" download>"));
    let (_, rest) = page
        .html
        .split_once(&format!("action=\"{path}/lees/"))
        .unwrap();
    let incoming = rest.split('"').next().unwrap().to_owned();
    let bare = format!("{path}/bestanden/{incoming}");
    for guessed in [bare.clone(), format!("{bare}?zegel=00")] {
        assert_eq!(browser.get(&guessed).await.status, 404, "{guessed}");
    }
    let opened = browser.post(&format!("{path}/lees/{incoming}"), &[]).await;
    let html = browser.follow(&opened).await.html;
    let to = link(&html).replace("&#x3D;", "=").replace("&amp;", "&");
    let answer = browser.get(&to).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, JPEG));
    let mut colleague = Browser::signed_in(&house.app, house.scope.coach).await;
    assert_eq!(
        colleague.get(&to).await.status,
        404,
        "the link is worth nothing elsewhere"
    );
}
