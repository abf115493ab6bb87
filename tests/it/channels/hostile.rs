//! Webhooks that somebody forged, and webhooks of which a part is broken.

use proptest::prelude::*;
use serde_json::{Value, json};
use tussendoor::channels;
use tussendoor::ports::channel::{HttpRequest, Item, What};

use super::{endpoint, fixtures, items, meta, received, signature_header, signed};
use crate::support::graph;

#[test]
fn only_the_right_token_gets_the_challenge_back() {
    let endpoint = endpoint("whatsapp_meta", "");
    let good = format!(
        "hub.mode=subscribe&hub.challenge=11%2058%3C&hub.verify_token={}",
        graph::VERIFY_TOKEN
    );
    let reply = meta().greet(&endpoint, &good);
    assert_eq!((reply.status, &reply.body[..]), (200, &b"11 58<"[..]));
    assert!(reply.content_type.starts_with("text/plain"));
    for bad in [
        String::new(),
        good.replace("subscribe", "unsubscribe"),
        good.replace("hub.verify_token=g", "hub.verify_token=G"),
        good.replace(graph::VERIFY_TOKEN, ""),
        format!("{good}&hub.verify_token={}", graph::VERIFY_TOKEN),
        format!("{good}x"),
        good.replace("hub.challenge", "challenge"),
    ] {
        let reply = meta().greet(&endpoint, &bad);
        assert_eq!((reply.status, reply.body.len()), (403, 0), "{bad}");
    }
    let mut open = endpoint;
    open.secrets.clear();
    let reply = meta().greet(&open, &good.replace(graph::VERIFY_TOKEN, ""));
    assert_eq!(
        reply.status, 403,
        "an endpoint without a token greets nobody"
    );
}

#[test]
fn a_webhook_without_exact_proof_is_not_read() {
    for channel in channels::ALL {
        let body = br#"{"entry":[],"events":[]}"#;
        let header = signature_header(*channel);
        let (_, good) = graph::sign(body.to_vec());
        let one = |value: &str| vec![(header.clone(), value.as_bytes().to_vec())];
        let digits = good.strip_prefix("sha256=").unwrap();
        assert_ne!(received(*channel, &one(&good), body), json!("unverified"));
        let forged = [
            vec![],
            one(""),
            one("sha256="),
            one(digits),
            one(&good[..good.len() - 1]),
            one(&good[..good.len() - 2]),
            one(&good.to_uppercase()),
            one(&format!("sha256={}", digits.to_uppercase())),
            one(&format!("{good} ")),
            one(&format!("{good}00")),
            one(&format!("sha1={digits}")),
            one(&graph::sign(b"another body".to_vec()).1),
            vec![("x-hub-signature".to_owned(), good.clone().into_bytes())],
            [one(&good), one(&good)].concat(),
            [one("sha256=00"), one(&good)].concat(),
        ];
        for headers in forged {
            let shown: Vec<_> = headers
                .iter()
                .map(|(_, value)| String::from_utf8_lossy(value))
                .collect();
            assert_eq!(
                received(*channel, &headers, body),
                json!("unverified"),
                "{shown:?}"
            );
        }
        let mut tampered = body.to_vec();
        tampered.push(b' ');
        assert_eq!(
            received(*channel, &one(&good), &tampered),
            json!("unverified")
        );
        let mut keyless = endpoint(channel.name(), "");
        keyless.secrets.clear();
        let headers = one(&good);
        let request = HttpRequest {
            query: "",
            headers: &headers,
            body,
        };
        assert!(
            channel.verify(&keyless, &request).is_err(),
            "an empty key proves nothing"
        );
    }
}

/// Everything in a fixture that could tell who somebody is.
#[test]
fn what_the_operator_sees_names_nobody() {
    let mut seen = 0;
    for (case, path) in fixtures("whatsapp_meta", ".in.json") {
        let body = std::fs::read(path).unwrap();
        let all = received(meta(), &signed(meta(), &body), &body);
        for item in serde_json::from_value::<Vec<Item>>(all).unwrap_or_default() {
            let What::Account(account) = item.what else {
                continue;
            };
            seen += 1;
            let digits = account.summary.chars().filter(char::is_ascii_digit).count();
            assert!(digits < 9, "{case}: {}", account.summary);
            for word in ["Samira", "Bakker", "NL.", "wamid", "Hoi"] {
                assert!(
                    !account.summary.contains(word),
                    "{case}: {}",
                    account.summary
                );
            }
        }
    }
    assert!(seen > 10, "the fixtures hold items for the operator");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9_.+\u{0}\u{1f600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let key = prop_oneof![
            "id|type|from|from_user_id|timestamp|text|body|system|interactive|button_reply|context",
            "image|location|latitude|longitude|contacts|reaction|message_id|order|edit|message",
            "wa_id|user_id|status|statuses|errors|code|group_id|profile|name|voice|metadata",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A message of every type, so that the broken part can be anywhere in it.
fn any_message() -> impl Strategy<Value = Value> {
    let kinds = "text|button|interactive|image|audio|location|contacts|reaction|order|edit|revoke|\
                 system|unsupported|new_type";
    let whole = (kinds, any_json()).prop_map(|(kind, part)| {
        let mut message =
            json!({"id": "wamid.broken", "from": "31600000009", "timestamp": "1750016800"});
        message["type"] = json!(kind);
        message[kind] = part;
        message
    });
    prop_oneof![any_json(), whole]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_part_never_costs_its_siblings(
        message in any_message(),
        status in any_json(),
        contact in any_json(),
        change in any_json(),
    ) {
        let text = |id: &str| json!({
            "id": id, "from": "31612345678", "timestamp": "1750016800",
            "type": "text", "text": {"body": "Hoi"},
        });
        let receipt = json!({"id": "wamid.ours", "status": "read", "timestamp": "1750016800"});
        let body = json!({"entry": [{"id": "1", "changes": [
            change,
            {"field": "messages", "value": {
                "contacts": [contact],
                "messages": [text("wamid.before"), message, text("wamid.after")],
                "statuses": [status, receipt],
            }},
        ]}]});
        let items = items(meta(), graph::escaped(&body.to_string()).as_bytes());
        for (id, heard) in [("wamid.before", true), ("wamid.after", true), ("wamid.ours:read", false)] {
            let item = items.iter().find(|item| item.identity == id);
            prop_assert!(item.is_some(), "{id} is lost");
            prop_assert_eq!(matches!(item.unwrap().what, What::Heard(_)), heard);
        }
        // Nothing is dropped without a trace: a message, a status and a change stand for items too.
        prop_assert!(items.len() >= 6, "{} items", items.len());
        // What was taken in can be kept and read back.
        for item in &items {
            let kept: Item = serde_json::from_str(&serde_json::to_string(item).unwrap()).unwrap();
            prop_assert!(kept == *item);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for channel in channels::ALL {
            received(*channel, &signed(*channel, &body), &body);
        }
    }
}
