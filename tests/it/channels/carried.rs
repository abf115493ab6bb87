//! Requests carried over a real wire to a stand-in of the Graph API, and its webhooks read back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tussendoor::ports::channel::{Content, Item, Outcome, ReceiptKind, What};
use tussendoor::ports::transport::{Envelope, Transport};
use tussendoor::wire::http::{HttpConfig, HttpTransport};
use tussendoor::wire::tls::Trust;

use super::{FIXTURES, Out, encoded, fixtures, meta, received, signature_header};
use crate::support::examples;
use crate::support::graph::{self, Behaviour, GraphStandIn};

fn transport(stand_in: &GraphStandIn) -> HttpTransport {
    HttpTransport::new(HttpConfig {
        trust: Trust::read().unwrap(),
        allowed: vec![stand_in.base_url.clone()],
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_secs(5),
        proxy: None,
    })
    .unwrap()
}

async fn sent(stand_in: &GraphStandIn, out: &Out) -> Outcome {
    let http = encoded(meta(), out, &stand_in.base_url);
    meta().outcome(&transport(stand_in).carry(Envelope::Http(http)).await)
}

fn out(case: &str) -> Out {
    let path = format!("{FIXTURES}/whatsapp_meta/{case}.out.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn every_form_is_taken_by_the_stand_in() {
    let stand_in = GraphStandIn::start();
    let cases = fixtures("whatsapp_meta", ".out.json");
    for (case, _) in &cases {
        let out = out(case);
        let outcome = sent(&stand_in, &out).await;
        let accepted = stand_in.accepted().pop().unwrap();
        assert_eq!(
            outcome,
            Outcome::Accepted {
                provider_id: accepted.wamid
            },
            "{case}"
        );
        assert_eq!(stand_in.count(&out.to, &out.token), 1, "{case}");
    }
    assert!(stand_in.wait_for(cases.len(), Duration::from_secs(1)));
    assert!(!stand_in.wait_for(cases.len() + 1, Duration::from_millis(1)));
    assert_eq!(stand_in.requests().len(), cases.len());
}

#[tokio::test]
async fn whatever_the_provider_does_one_attempt_is_one_attempt() {
    let refusal = graph::error(131_026, "Message undeliverable");
    let doubt = |code: &str| Outcome::InDoubt {
        code: code.to_owned(),
    };
    let plays = [
        (
            Behaviour::Status(400, refusal.clone()),
            Outcome::NextForm {
                code: "131026".to_owned(),
                dead: true,
            },
            0,
        ),
        (Behaviour::Status(503, refusal), doubt("http_503"), 0),
        (Behaviour::ResetBeforeReading, doubt("no_answer"), 0),
        (Behaviour::AcceptThenReset, doubt("no_answer"), 1),
        (
            Behaviour::Hang(Duration::from_secs(2)),
            doubt("no_answer"),
            1,
        ),
        (Behaviour::AnswerGarbage2xx, doubt("unreadable_2xx"), 1),
        (Behaviour::AcceptAnd500, doubt("http_500"), 1),
    ];
    for (behaviour, expected, taken) in plays {
        let stand_in = GraphStandIn::start();
        stand_in.script(behaviour.clone(), 1);
        let out = out("text");
        assert_eq!(sent(&stand_in, &out).await, expected, "{behaviour:?}");
        assert_eq!(stand_in.count(&out.to, &out.token), taken, "{behaviour:?}");
        assert_eq!(
            stand_in.accepted().len(),
            taken,
            "never a second time: {behaviour:?}"
        );
        // The script is over: the next one is taken.
        assert!(matches!(
            sent(&stand_in, &out).await,
            Outcome::Accepted { .. }
        ));
    }
}

/// The stand-in's own webhooks, as Meta would write them; kept for the judges where asked.
#[tokio::test]
async fn the_stand_ins_webhooks_are_read_as_they_were_meant() {
    let stand_in = GraphStandIn::start();
    stand_in.set_time(1_750_016_800);
    for case in ["text", "buttons", "list", "template"] {
        assert!(
            matches!(sent(&stand_in, &out(case)).await, Outcome::Accepted { .. }),
            "{case}"
        );
    }
    let accepted = stand_in.accepted();
    let [text, buttons, list, template] = &accepted[..] else {
        panic!("{accepted:?}")
    };
    let person = "+31612345678";
    let heard = [
        (
            stand_in.webhook_text(person, "Samira", "Ja, één 👍 / klaar"),
            text_of("Ja, één 👍 / klaar"),
        ),
        (
            stand_in.webhook_tap(person, buttons, 1),
            tap_of(&out("buttons"), 1),
        ),
        (
            stand_in.webhook_tap(person, list, 3),
            tap_of(&out("list"), 3),
        ),
        (
            stand_in.webhook_tap(person, template, 0),
            tap_of(&out("template"), 0),
        ),
    ];
    let mut webhooks = Vec::new();
    for ((body, signature), expected) in heard {
        let items = posted(&body, &signature);
        let [
            Item {
                what: What::Heard(heard),
                line,
                ..
            },
        ] = &items[..]
        else {
            panic!("no message")
        };
        assert_eq!(line, graph::LINE);
        assert_eq!(heard.from.number.as_deref(), Some(person));
        assert_eq!(heard.from.user_id, Some(graph::user_id("31612345678")));
        assert_eq!(heard.from.name.as_deref(), Some("Samira"));
        assert_eq!(heard.at.0, 1_750_016_800_000_000);
        match (&heard.content, &expected) {
            (
                Content::Button { payload, .. },
                Content::Button {
                    payload: wanted, ..
                },
            ) => {
                assert_eq!(payload, wanted);
                assert!(heard.quotes.is_some());
            }
            (content, expected) => assert!(content == expected),
        }
        webhooks.push((body, signature));
    }
    for status in ["sent", "delivered", "read", "failed"] {
        let (body, signature) = stand_in.webhook_status(text, status);
        let items = posted(&body, &signature);
        let [
            Item {
                what: What::Receipt(receipt),
                identity,
                ..
            },
        ] = &items[..]
        else {
            panic!("no receipt")
        };
        assert_eq!(*identity, format!("{}:{status}", text.wamid));
        assert_eq!(Some(receipt.kind), ReceiptKind::parse(status));
        assert_eq!(receipt.token.as_deref(), Some(&text.token[..]));
        assert_eq!(
            receipt.code.as_deref(),
            (status == "failed").then_some("131026")
        );
        webhooks.push((body, signature));
    }
    let (body, _) = stand_in.webhook_failed(text, 131_047);
    assert!(String::from_utf8(body).unwrap().contains("131047"));
    for_the_judges(&webhooks);
}

fn text_of(body: &str) -> Content {
    Content::Text {
        body: body.to_owned(),
    }
}

fn tap_of(out: &Out, choice: usize) -> Content {
    let choice = out.body.choices()[choice].clone();
    Content::Button {
        payload: choice.payload,
        label: choice.label,
    }
}

fn posted(body: &[u8], signature: &str) -> Vec<Item> {
    assert!(body.is_ascii(), "Meta escapes everything else");
    let headers = [(signature_header(meta()), signature.as_bytes().to_vec())];
    serde_json::from_value(received(meta(), &headers, body)).unwrap()
}

/// Meta's examples of 2026 go along, each under an id of its own.
fn for_the_judges(webhooks: &[graph::Webhook]) {
    if std::env::var_os("TUSSENDOOR_RECORD").is_none() {
        return;
    }
    let examples = examples::all()
        .into_iter()
        .enumerate()
        .map(|(n, (name, mut webhook))| {
            examples::with_user_ids(&mut webhook);
            examples::with_own_id(&mut webhook, &format!("wamid.example{n}"));
            (
                name,
                graph::sign(graph::escaped(&webhook.to_string()).into_bytes()),
            )
        });
    let ours = webhooks
        .iter()
        .map(|webhook| ("stand-in".to_owned(), webhook.clone()));
    let lines: String = ours
        .chain(examples)
        .map(|(name, (body, signature))| {
            let body = String::from_utf8(body).unwrap();
            let line = json!({"name": name, "body": body, "signature": signature});
            format!("{line}\n")
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("webhooks.jsonl"), lines).unwrap();
}
