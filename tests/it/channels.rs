//! What each provider sends us and gets from us, as files: `tests/fixtures/channels/<provider>/`.
//!
//! | file | is | expected in |
//! |---|---|---|
//! | `case.in.json` | a webhook's body; the test signs it | `case.expect.json` |
//! | `case.in.http` | a webhook with the headers it came with | `case.expect.json` |
//! | `case.out.json` | a form to be sent | `case.out.http` |
//! | `case.answer.http` | what the provider answered to a send | `case.expect.json` |
//!
//! `UPDATE_GOLDEN=1` writes the expected files; read them before you commit them. What no file can
//! hold stands in `hostile` (forgeries, broken parts) and `carried` (over the wire, to a stand-in).

mod carried;
mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use tussendoor::channels;
use tussendoor::domain::contact::AddressKind;
use tussendoor::domain::message::FormBody;
use tussendoor::ports::channel::{
    Channel, Endpoint, HttpRequest, Item, Medium, Outbound, Outcome, Unverified, What,
};
use tussendoor::ports::transport::{Answer, Envelope, HttpEnvelope};

use crate::golden::golden;
use crate::support::{examples, graph};

const FIXTURES: &str = "tests/fixtures/channels";

/// Every provider has at least these.
const WANTED: [&str; 12] = [
    "text.in",
    "opt_out.in",
    "status_delivered.in",
    "status_failed.in",
    "unknown_fields.in",
    "broken_sibling.in",
    "bad_signature.in",
    "text.out",
    "accepted.answer",
    "throttled.answer",
    "refused.answer",
    "garbage_2xx.answer",
];
/// …and one on which a person can tap these too.
const WANTED_WITH_BUTTONS: [&str; 2] = ["button.in", "buttons.out"];

fn endpoint(provider: &str, base_url: &str) -> Endpoint {
    let secrets = [
        ("app_secret", graph::APP_SECRET),
        ("webhook_secret", graph::APP_SECRET),
        ("verify_token", graph::VERIFY_TOKEN),
        ("access_token", graph::ACCESS_TOKEN),
    ];
    Endpoint {
        slug: "test".to_owned(),
        provider: provider.to_owned(),
        options: [("base_url", base_url), ("api_version", "v23.0")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        secrets: secrets
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into(),
    }
}

fn meta() -> &'static dyn Channel {
    channels::by_name("whatsapp_meta").unwrap()
}

fn signature_header(channel: &dyn Channel) -> String {
    match channel.name() {
        "whatsapp_meta" => "x-hub-signature-256".to_owned(),
        name => format!("x-{name}-signature"),
    }
}

type Headers = Vec<(String, Vec<u8>)>;

fn signed(channel: &dyn Channel, body: &[u8]) -> Headers {
    let (_, signature) = graph::sign(body.to_vec());
    vec![(signature_header(channel), signature.into_bytes())]
}

/// What comes of a webhook, as the fixtures write it down.
fn received(channel: &dyn Channel, headers: &[(String, Vec<u8>)], body: &[u8]) -> Value {
    let endpoint = endpoint(channel.name(), "");
    let request = HttpRequest {
        query: "",
        headers,
        body,
    };
    match channel.verify(&endpoint, &request) {
        Err(Unverified) => json!("unverified"),
        Ok(verified) => match channel.parse(verified) {
            Err(error) => json!({"unparseable": error.why}),
            Ok(items) => json!(items),
        },
    }
}

fn items(channel: &dyn Channel, body: &[u8]) -> Vec<Item> {
    serde_json::from_value(received(channel, &signed(channel, body), body)).unwrap()
}

#[derive(Deserialize)]
struct Out {
    line: String,
    to: String,
    to_kind: AddressKind,
    token: String,
    body: FormBody,
}

fn encoded(channel: &dyn Channel, out: &Out, base_url: &str) -> HttpEnvelope {
    let outbound = Outbound {
        line: &out.line,
        to: &out.to,
        to_kind: out.to_kind,
        body: &out.body,
        token: &out.token,
    };
    let Envelope::Http(http) = channel.encode(&endpoint(channel.name(), base_url), &outbound);
    http
}

/// A message in HTTP's own form: a first line, headers, an empty line, a body.
fn http(text: &str) -> (&str, Headers, &[u8]) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.as_bytes().to_vec()))
        .collect();
    (first, headers, body.trim_end_matches('\n').as_bytes())
}

fn fixtures(provider: &str, ending: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FIXTURES)
        .join(provider);
    let mut found: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let case = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((case, path))
        })
        .collect();
    found.sort();
    found
}

fn expect(provider: &str, case: &str, fresh: &Value) {
    let text = format!("{fresh:#}\n");
    golden(&format!("{FIXTURES}/{provider}/{case}.expect.json"), &text);
}

#[test]
fn the_list_of_channels_is_the_folder() {
    let listed: BTreeSet<String> = channels::ALL.iter().map(|c| c.name().to_owned()).collect();
    let files: BTreeSet<String> = fs::read_dir("src/channels")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "mod" && name != "kit")
        .collect();
    assert_eq!(listed, files);
    assert_eq!(
        listed.len(),
        channels::ALL.len(),
        "two channels have one name"
    );
}

#[test]
fn every_channel_has_the_wanted_cases_and_no_stray_file() {
    let mut wrong = Vec::new();
    for channel in channels::ALL {
        let name = channel.name();
        let endings = [".in.json", ".in.http", ".out.json", ".answer.http"];
        let cases: Vec<(String, &str)> = endings
            .iter()
            .flat_map(|ending| {
                fixtures(name, ending)
                    .into_iter()
                    .map(|(case, _)| (case, *ending))
            })
            .collect();
        let have: BTreeSet<String> = cases
            .iter()
            .map(|(case, ending)| format!("{case}.{}", ending.split('.').nth(1).unwrap()))
            .collect();
        let taps = channel.medium() == Medium::Whatsapp;
        let with_buttons = WANTED_WITH_BUTTONS.iter().filter(|_| taps);
        for wanted in WANTED
            .iter()
            .chain(with_buttons)
            .filter(|wanted| !have.contains(**wanted))
        {
            wrong.push(format!("{name} lacks {wanted}"));
        }
        for (case, _) in fixtures(name, ".expect.json") {
            let inputs = cases
                .iter()
                .filter(|(c, ending)| *c == case && *ending != ".out.json");
            if inputs.count() != 1 && !case.starts_with("meta_examples") {
                wrong.push(format!(
                    "{name}: {case}.expect.json belongs to no or to two cases"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_comes_in_becomes_these_items() {
    for channel in channels::ALL {
        for (case, path) in fixtures(channel.name(), ".in.json") {
            let body = fs::read(path).unwrap();
            expect(
                channel.name(),
                &case,
                &received(*channel, &signed(*channel, &body), &body),
            );
        }
        for (case, path) in fixtures(channel.name(), ".in.http") {
            let text = fs::read_to_string(path).unwrap();
            let (_, headers, body) = http(&text);
            expect(channel.name(), &case, &received(*channel, &headers, body));
        }
    }
}

#[test]
fn what_goes_out_is_this_request() {
    for channel in channels::ALL {
        for (case, path) in fixtures(channel.name(), ".out.json") {
            let out: Out = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let http = encoded(*channel, &out, "https://provider.example");
            let body: Value = serde_json::from_slice(&http.body).unwrap();
            let headers: String = http
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect();
            let request = format!("{} {}\n{headers}\n{body:#}\n", http.method, http.url);
            golden(
                &format!("{FIXTURES}/{}/{case}.out.http", channel.name()),
                &request,
            );
        }
    }
}

#[test]
fn an_answer_proves_this() {
    for channel in channels::ALL {
        for (case, path) in fixtures(channel.name(), ".answer.http") {
            let text = fs::read_to_string(path).unwrap();
            let (first, headers, body) = http(&text);
            let status = first.split(' ').nth(1).unwrap().parse().unwrap();
            let answer = Answer::Http {
                status,
                headers,
                body: body.to_vec(),
            };
            expect(channel.name(), &case, &json!(channel.outcome(&answer)));
        }
    }
}

#[test]
fn without_a_whole_answer_only_proof_lets_a_message_go_again() {
    for channel in channels::ALL {
        let why = || "test".to_owned();
        let not_sent = channel.outcome(&Answer::NotSent { why: why() });
        assert!(matches!(not_sent, Outcome::Later { .. }), "{not_sent:?}");
        let unknown = channel.outcome(&Answer::Unknown { why: why() });
        assert!(matches!(unknown, Outcome::InDoubt { .. }), "{unknown:?}");
    }
}

#[test]
fn a_server_error_leaves_doubt_whatever_its_body_says() {
    let codes = [
        "busy",
        "unreachable",
        "refused",
        "opted_out",
        "account",
        "too_fast",
    ];
    for channel in channels::ALL {
        for status in [300, 307, 408, 418, 500, 502, 503, 504, 599] {
            let codes = codes.iter().map(|code| json!(code));
            for code in codes.chain((0..140_000).step_by(499).map(|code| json!(code))) {
                // A refusal that was parsed counts for a 4xx only.
                let body = match status {
                    400..500 => Vec::new(),
                    _ => json!({"error": {"code": code}}).to_string().into_bytes(),
                };
                let answer = Answer::Http {
                    status,
                    headers: Vec::new(),
                    body,
                };
                let outcome = channel.outcome(&answer);
                assert!(
                    matches!(outcome, Outcome::InDoubt { .. }),
                    "{status} {code} {outcome:?}"
                );
            }
        }
    }
}

#[test]
fn metas_own_examples_are_read_in_every_variant() {
    let published = examples::all();
    assert_eq!(published.len(), 16);
    for variant in ["as_published", "with_user_ids", "without_numbers"] {
        let mut read = serde_json::Map::new();
        for (name, webhook) in &published {
            let mut webhook = webhook.clone();
            if variant != "as_published" {
                examples::with_user_ids(&mut webhook);
            }
            if variant == "without_numbers" {
                examples::without_numbers(&mut webhook);
            }
            let body = graph::escaped(&webhook.to_string());
            let items = items(meta(), body.as_bytes());
            assert_eq!(items.len(), 1, "{name}");
            let person = !name.starts_with("Group");
            assert_eq!(matches!(items[0].what, What::Heard(_)), person, "{name}");
            if let What::Heard(heard) = &items[0].what {
                let number = variant != "without_numbers";
                assert_eq!(heard.from.number.is_some(), number, "{name}");
                assert_eq!(
                    heard.from.user_id.is_some(),
                    variant != "as_published",
                    "{name}"
                );
            }
            read.insert(name.clone(), json!(items));
        }
        expect(
            "whatsapp_meta",
            &format!("meta_examples_{variant}"),
            &Value::Object(read),
        );
    }
}
