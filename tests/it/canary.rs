//! Nothing personal and nothing secret in the log, at its loudest: canaries go through every door of the
//! real binary, and then none of them is in its log, in any spelling, nor on an error page; while our
//! own ids for the very same messages are.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::json;

use crate::support::database::{Database, on_both};
use crate::support::graph::{self, Behaviour, FileAct, GraphStandIn, Webhook};
use crate::support::house::{House, environment, moment};
use crate::support::pages::{Coach, EMAIL, PASSWORD};
use crate::support::running::{Running, command};
use crate::support::wait::drained;
use crate::webhooks::Away;

on_both!(no_canary_is_in_the_log_and_our_own_ids_are);

const NUMBER: &str = "+31640404041";
const STRANGER: &str = "+31640404042";
const QUIET: &str = "+31640404043";
const CANARIES: &[&str] = &[
    // People and what they say.
    "Kanariana",
    "Vinkeveen-Zuurbes",
    "31640404041",
    "31640404042",
    "31640404043",
    "kanarie-taak",
    "kanarie zegt één ding",
    "kanarie-ongetekend",
    "kanarie-onleesbaar",
    "kanarie-onderschrift",
    "kanarie-notitie é",
    "kanarie-antwoord van een coach",
    "kanarie-in-het-adres",
    "kanarie-zoekt-iemand",
    "kanarie@waterstad.example",
    "kanarie-fout-wachtwoord",
    "kanarie-van-de-provider",
    "kanarie-in-paniek",
    "kanarie-uit-een-bestand",
    "kanarie zonder database",
    "kanarie-in-een-veld",
    "kanarie-emoji-id",
    // Secrets.
    graph::APP_SECRET,
    graph::VERIFY_TOKEN,
    graph::ACCESS_TOKEN,
    EMAIL,
    PASSWORD,
    "1111111111111111",
    "2222222222222222",
    "\u{11}\u{11}\u{11}\u{11}\u{11}\u{11}\u{11}\u{11}",
];

/// Every way in which a log could spell a text.
fn spellings(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let ascii = graph::escaped(text);
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut all = vec![
        text.to_owned(),
        json[1..json.len() - 1].to_owned(),
        ascii.clone(),
        ascii.replace('\\', "\\\\"),
        form.replace('+', "%20"),
        form,
        hex::encode(text),
        hex::encode_upper(text),
        format!("{:?}", text.as_bytes()).replace(['[', ']'], ""),
        text.bytes()
            .flat_map(std::ascii::escape_default)
            .map(char::from)
            .collect(),
    ];
    // In base64 a text looks different at each of three places; the ends depend on its neighbours.
    for before in 0..3 {
        let padded = [&vec![b'x'; before][..], text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(padded);
        let sure = &encoded[(before * 8).div_ceil(6)..encoded.len() - 1];
        all.push(sure.to_owned());
        all.push(sure.replace('+', "-").replace('/', "_"));
    }
    all
}

fn found(text: &str, canaries: &[String]) -> Vec<String> {
    canaries
        .iter()
        .flat_map(|canary| spellings(canary))
        .filter(|spelling| text.contains(spelling.as_str()))
        .map(|spelling| {
            let line = text
                .lines()
                .find(|line| line.contains(&spelling))
                .unwrap_or_default();
            format!("{spelling}: {}", line.chars().take(400).collect::<String>())
        })
        .collect()
}

#[test]
fn a_canary_is_seen_in_every_spelling() {
    let canary = "kanarie zegt één ding".to_owned();
    for line in [
        "a kanarie zegt één ding b".to_owned(),
        format!("{:?}", json!({"text": canary}).to_string()),
        graph::escaped(&canary),
        "text=kanarie+zegt+%C3%A9%C3%A9n+ding".to_owned(),
        "text=kanarie%20zegt%20%C3%A9%C3%A9n%20ding".to_owned(),
        STANDARD.encode(format!("x{canary}y")),
        STANDARD.encode(format!("xx{canary}yy")),
        STANDARD.encode(format!("xxx{canary}")),
        hex::encode(&canary),
        format!("{:?}", canary.as_bytes()),
    ] {
        assert!(
            !found(&line, std::slice::from_ref(&canary)).is_empty(),
            "{line}"
        );
    }
    assert!(found("nothing of it here", &[canary]).is_empty());
}

async fn no_canary_is_in_the_log_and_our_own_ids_are(database: Database) {
    // One is known; a draft waits for the coach.
    let house = House::new(database).await;
    let candidate = house.candidate("Kanariana", NUMBER, true).await;
    house
        .plan(candidate, &[("Vinkeveen-Zuurbes bellen", "2026-03-05")])
        .await;
    let quiet = house.candidate("Vinkeveen-Zuurbes", QUIET, true).await;
    house.plan(quiet, &[("kanarie-taak", "2026-03-05")]).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let House {
        app,
        graph,
        database,
        ..
    } = house;
    app.store.close().await;
    drop(app);
    let mut environment = environment(&database, &graph.base_url);
    let now = moment("2026-03-04", 9, 32);
    environment.push(("TUSSENDOOR_CLOCK".into(), now.0.to_string()));
    for setting in ["APPROVE__UNDO_SECONDS", "SEND__PAIR_SECONDS"] {
        environment.push((format!("TUSSENDOOR_{setting}"), "0".into()));
    }
    Coach::add(&environment).await;
    let mut answers = String::new();
    environment.push(("TUSSENDOOR_METRICS__LISTEN".into(), "127.0.0.1:0".into()));
    let (running, log) = Running::logging(&environment, "trace", None);
    webhooks(&running, &graph, &database, &mut answers).await;
    pages(&running, &graph, &candidate.to_string(), &mut answers).await;
    settled(&database).await;
    numbers(&running, &mut answers).await;
    without_a_database(&running, &graph, &database, &mut answers).await;
    imported(&environment, &mut answers);
    running.stop();
    // A bug in the middle of an approval.
    let panics = "approve.before_commit!kanarie-in-paniek";
    let loud = "hyper=trace,sqlx=trace,handlebars=trace,debug";
    let (running, second) = Running::logging(&environment, loud, Some(panics));
    let waiting = "SELECT id FROM outgoing WHERE state = 'waiting'";
    let waiting = texts(&database, waiting).await;
    assert!(!waiting.is_empty(), "a draft waits");
    let coach = Coach::sign_in(&running).await;
    let html = coach.get(&format!("/concepten/{}", waiting[0])).await;
    let (status, html) = coach.post(&html, "/goedkeuren", &[]).await.unwrap();
    assert_eq!(status, 500);
    assert!(html.contains("<h1"), "a page that says so");
    answers.push_str(&html);
    running.stop();
    let log = log.whole() + &second.whole();
    let mut canaries: Vec<String> = CANARIES.iter().map(|&canary| canary.to_owned()).collect();
    canaries.extend(graph.accepted().into_iter().map(|sent| sent.wamid));
    assert!(canaries.len() > CANARIES.len(), "messages were sent");
    let leaks = found(&log, &canaries);
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
    let leaks = found(&answers, &canaries);
    assert!(
        leaks.is_empty(),
        "on error pages or among the numbers:\n{}",
        leaks.join("\n")
    );
    // The log says what happened, by our own names.
    for sql in [
        "SELECT id FROM incoming",
        "SELECT id FROM outgoing WHERE state IN ('accepted', 'in_doubt', 'rejected')",
        "SELECT id FROM media",
    ] {
        let ids = texts(&database, sql).await;
        assert!(!ids.is_empty(), "{sql}");
        for id in ids {
            assert!(log.contains(&id), "the log does not name {id} of {sql}");
        }
    }
    assert!(log.contains("\"target\":\"tussendoor::"), "{log}");
}

async fn numbers(running: &Running, answers: &mut String) {
    let numbers = running.numbers.as_deref().expect("numbers");
    for path in ["/metrics", "/health", "/health/live"] {
        let url = format!("http://{numbers}{path}");
        let answer = running.client.get(url).send().await.unwrap();
        answers.push_str(&answer.text().await.unwrap());
    }
    assert!(answers.contains("tussendoor_"), "{answers}");
}

async fn webhooks(
    running: &Running,
    graph: &GraphStandIn,
    database: &Database,
    answers: &mut String,
) {
    let file = graph.keeps("image/svg+xml", b"<svg>kanarie-uit-een-bestand</svg>");
    let slow = graph.keeps("image/jpeg", b"\xff\xd8\xff kanarie-uit-een-bestand");
    graph.acts(
        &slow,
        FileAct::Place(400, graph::error(190, "kanarie-van-de-provider")),
    );
    let reaction = json!({"type": "reaction", "reaction": {"message_id": "wamid.kanarie-emoji-id", "emoji": "x"}});
    let unknown =
        json!({"type": "kanarie-onleesbaar", "kanarie-onleesbaar": {"x": "kanarie zegt één ding"}});
    let good = [
        graph.webhook_text(NUMBER, "Kanariana", "kanarie zegt één ding"),
        graph.webhook_text(STRANGER, "Vinkeveen-Zuurbes", "kanarie zegt één ding"),
        graph.webhook_file(NUMBER, "image", &file, "kanarie-onderschrift"),
        graph.webhook_file(NUMBER, "document", &slow, "kanarie-onderschrift"),
        graph.webhook_message(NUMBER, "Kanariana", reaction),
        graph.webhook_message(NUMBER, "Kanariana", unknown),
        graph.webhook(&json!({"statuses": [{"id": "wamid.kanarie-emoji-id", "status": "kanarie-onleesbaar", "recipient_id": "31640404041"}]})),
        graph.webhook(&json!({"errors": [{"code": "kanarie-van-de-provider", "title": "kanarie-van-de-provider"}]})),
        graph::sign(b"{\"entry\": \"kanarie-onleesbaar".to_vec()),
        graph::sign(b"[\"kanarie-onleesbaar\"]".to_vec()),
    ];
    for webhook in &good {
        assert_eq!(running.deliver(webhook).await, Some(200));
        assert_eq!(running.deliver(webhook).await, Some(200));
    }
    let bad: [Webhook; 3] = [
        (
            b"kanarie-ongetekend".to_vec(),
            "sha256=kanarie-ongetekend".into(),
        ),
        (good[0].0.clone(), format!("sha256={}", "0".repeat(64))),
        (b"{\"x\": \"kanarie-ongetekend\"}".to_vec(), String::new()),
    ];
    for webhook in &bad {
        assert_eq!(running.deliver(webhook).await, Some(401));
    }
    for token in [graph::VERIFY_TOKEN, "kanarie-in-het-adres"] {
        let query = format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
        let url = running.url(&format!("/in/meta?{query}"));
        let answer = running.client.get(url).send().await.unwrap();
        answers.push_str(&answer.text().await.unwrap());
    }
    settled(database).await;
}

async fn pages(running: &Running, graph: &GraphStandIn, candidate: &str, answers: &mut String) {
    let url = |path: &str| running.url(path);
    for (mail, password) in [
        ("kanarie@waterstad.example", "kanarie-fout-wachtwoord"),
        (EMAIL, "kanarie-fout-wachtwoord"),
    ] {
        let form = [("mail", mail), ("wachtwoord", password)];
        let request = running.client.post(url("/inloggen"));
        let answer = request.header("origin", running.origin()).form(&form);
        answers.push_str(&answer.send().await.unwrap().text().await.unwrap());
    }
    let coach = Coach::sign_in(running).await;
    let person = format!("/kandidaten/{candidate}");
    let html = coach.get(&person).await;
    assert!(html.contains("kanarie zegt"), "the coach does see it");
    let noted = [("tekst", "kanarie-notitie é")];
    coach.post(&html, "/notities", &noted).await.unwrap();
    // Three sends that end differently.
    let refusal = graph::error(100, "kanarie-van-de-provider 31640404041");
    graph.script(Behaviour::Accept, 1);
    graph.script(Behaviour::Status(400, refusal), 1);
    graph.script(Behaviour::AcceptAnd500, 1);
    let written = [
        ("tekst", "kanarie-antwoord van een coach"),
        ("wanneer", "nu"),
    ];
    for _ in 0..3 {
        let html = coach.get(&person).await;
        let posted = coach.post(&html, "/berichten", &written).await;
        assert_eq!(posted.map(|(status, _)| status), Some(303));
    }
    for path in [
        "/kandidaten?naam=kanarie-zoekt-iemand",
        "/kandidaten/kanarie-in-het-adres",
        "/kanarie-in-het-adres?x=kanarie-in-het-adres",
        "/concepten/kanarie-in-het-adres",
        "/in/kanarie-in-het-adres",
    ] {
        let request = running
            .client
            .get(url(path))
            .header("cookie", &coach.cookie);
        let answer = request.send().await.unwrap();
        // A search shows what was searched for; an error page nothing of what it was given.
        let shown = answer.status().is_success();
        let text = answer.text().await.unwrap();
        if !shown {
            answers.push_str(&text);
        }
    }
    for (field, value) in [
        ("kanarie-in-een-veld", "x"),
        ("tekst", "kanarie-in-een-veld"),
    ] {
        let request = running.client.post(url(&format!("{person}/notities")));
        let request = request
            .header("cookie", &coach.cookie)
            .header("origin", "https://kanarie-in-het-adres.example");
        let answer = request.form(&[(field, value), ("bewijs", "kanarie-in-een-veld")]);
        answers.push_str(&answer.send().await.unwrap().text().await.unwrap());
    }
}

async fn without_a_database(
    running: &Running,
    graph: &GraphStandIn,
    database: &Database,
    answers: &mut String,
) {
    let away = Away::begin(database).await;
    let webhook = graph.webhook_text(NUMBER, "Kanariana", "kanarie zonder database");
    assert_eq!(running.deliver(&webhook).await, Some(503));
    let form = [("mail", EMAIL), ("wachtwoord", PASSWORD)];
    let request = running.client.post(running.url("/inloggen"));
    let answer = request.header("origin", running.origin()).form(&form);
    answers.push_str(&answer.send().await.unwrap().text().await.unwrap());
    away.end().await;
}

fn imported(environment: &[(String, String)], answers: &mut String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("candidates.csv");
    let text = "ref,first_name,family_name,language,phone,kanarie-in-een-veld\nkanarie-in-een-veld,Kanariana,Vinkeveen-Zuurbes,nl,31640404041,x\n";
    std::fs::write(&file, text).unwrap();
    let mut environment = environment.to_vec();
    environment.push(("RUST_LOG".into(), "trace".into()));
    let file = file.display().to_string();
    let (_, said) = command(
        &["import", "--organisation", "waterstad", &file],
        &environment,
    );
    answers.push_str(&said);
}

async fn settled(database: &Database) {
    let waiting = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') + (SELECT COUNT(*) FROM outgoing WHERE state IN ('approved', 'sending')) + (SELECT COUNT(*) FROM media WHERE state = 'wanted' AND tries = 0) AS BIGINT)";
    assert_eq!(
        drained(database, waiting, 5).await,
        Ok(()),
        "rows are still waiting"
    );
}

async fn texts(database: &Database, sql: &'static str) -> Vec<String> {
    use sqlx::Connection as _;
    if database.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&database.url)
            .await
            .unwrap();
        sqlx::query_scalar(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }
}
