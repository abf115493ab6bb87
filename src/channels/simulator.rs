//! A provider that is a page: for the demo, for trying out, and as the second implementation that
//! keeps the contract honest. It speaks a small JSON dialect of our own, in both directions.
//!
//! To it: `POST {base_url}/messages` with a bearer token and
//! `{line, to, text, buttons: [{payload, label}], template?, token}`; it answers `{id}`, or
//! `{error: {code}}` with one of the codes in `refused`.
//! From it: `{line, events: [{type, id, at, …}]}`, signed in `x-simulator-signature`; `type` is
//! `message` (text), `tap` (payload, label), `reaction` (to, emoji) or `receipt` (status, code,
//! token). The first three have `from` and `name`, and `quotes` where they answer something.
//! What a person sees of it is not here.

use hmac::digest::Digest;
use serde_json::{Value, json};
use sha2::Sha256;

use super::kit::{self, member, members, moment, word};
use crate::domain::message::FormBody;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use crate::ports::channel::{
    Account, Channel, Content, Endpoint, Heard, HttpRequest, Item, Medium, Need, Outbound, Outcome,
    Receipt, ReceiptKind, Reply, Sender, Unparseable, Unverified, Verified, What,
};
use crate::ports::transport::{Answer, Envelope, HttpEnvelope};

pub struct Simulator;

impl Channel for Simulator {
    fn name(&self) -> &'static str {
        "simulator"
    }

    /// Its page draws WhatsApp phones.
    fn medium(&self) -> Medium {
        Medium::Whatsapp
    }

    fn needs(&self) -> &'static [Need] {
        &[
            Need {
                name: "base_url",
                secret: false,
            },
            Need {
                name: "webhook_secret",
                secret: true,
            },
            Need {
                name: "access_token",
                secret: true,
            },
        ]
    }

    /// There is no handshake.
    fn greet(&self, _endpoint: &Endpoint, _query: &str) -> Reply {
        plain(404)
    }

    fn verify<'a>(
        &self,
        endpoint: &Endpoint,
        request: &HttpRequest<'a>,
    ) -> Result<Verified<'a>, Unverified> {
        kit::signed(endpoint, request, "x-simulator-signature", "webhook_secret")
    }

    fn thanks(&self) -> Reply {
        plain(200)
    }

    fn parse(&self, body: Verified<'_>) -> Result<Vec<Item>, Unparseable> {
        let body = kit::json(body.bytes())?;
        if !body.get("events").is_some_and(Value::is_array) {
            return Err(Unparseable {
                why: "no list `events`".to_owned(),
            });
        }
        let line = member(&body, "line").unwrap_or_default();
        let events = members(&body, "events").iter().enumerate();
        Ok(events.map(|(n, event)| item(n, event, &line)).collect())
    }

    fn encode(&self, endpoint: &Endpoint, outbound: &Outbound<'_>) -> Envelope {
        let mut body = json!({
            "line": outbound.line,
            "to": outbound.to,
            "text": outbound.body.shown(),
            "buttons": outbound.body.choices(),
            "token": outbound.token,
        });
        if let FormBody::Template(template) = outbound.body {
            body["template"] = json!({
                "name": template.name,
                "language": template.language,
                "params": template.params,
            });
        }
        Envelope::Http(HttpEnvelope {
            method: "POST",
            url: format!(
                "{}/messages",
                endpoint.option("base_url").trim_end_matches('/')
            ),
            headers: vec![
                (
                    "authorization",
                    format!("Bearer {}", endpoint.secret("access_token")),
                ),
                ("content-type", "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        })
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        let (status, body) = match kit::arrived(answer) {
            Ok(arrived) => arrived,
            Err(outcome) => return outcome,
        };
        let body = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
        match status {
            200..=299 => match member(&body, "id") {
                Some(provider_id) => Outcome::Accepted { provider_id },
                None => Outcome::InDoubt {
                    code: "unreadable_2xx".to_owned(),
                },
            },
            400..=499 => body
                .pointer("/error/code")
                .and_then(kit::text)
                .and_then(|code| refused(&code))
                .unwrap_or_else(|| kit::by_status(status)),
            _ => kit::by_status(status),
        }
    }

    fn failed(&self, code: &str) -> Outcome {
        match refused(code) {
            Some(next @ Outcome::NextForm { .. }) => next,
            _ => Outcome::Rejected {
                code: code.to_owned(),
            },
        }
    }
}

/// The refusals that the page can play.
fn refused(code: &str) -> Option<Outcome> {
    let text = code.to_owned();
    Some(match code {
        "busy" => Outcome::Later {
            code: text,
            after_seconds: Some(5),
        },
        "too_fast" => Outcome::LaterForThisPerson {
            code: text,
            after_seconds: 4,
        },
        "window_shut" => Outcome::NextForm {
            code: text,
            dead: false,
        },
        "unreachable" => Outcome::NextForm {
            code: text,
            dead: true,
        },
        "refused" => Outcome::Rejected { code: text },
        "opted_out" => Outcome::OptedOut { code: text },
        "account" => Outcome::Misconfigured { code: text },
        _ => return None,
    })
}

fn item(n: usize, event: &Value, line: &str) -> Item {
    let kind = member(event, "type").unwrap_or_else(|| "untyped".to_owned());
    let read = match kind.as_str() {
        "receipt" => receipt(event),
        _ => heard(&kind, event),
    };
    let (identity, what) = read.unwrap_or_else(|| {
        let account = Account {
            field: word(&kind).to_owned(),
            template: false,
            summary: format!("events[{n}] cannot be read"),
            moved: None,
        };
        (
            hex::encode(Sha256::digest(event.to_string())),
            What::Account(account),
        )
    });
    Item {
        identity,
        line: line.to_owned(),
        what,
    }
}

fn receipt(event: &Value) -> Option<(String, What)> {
    let (id, status) = (member(event, "id")?, member(event, "status")?);
    let receipt = Receipt {
        provider_id: id.clone(),
        token: member(event, "token"),
        kind: ReceiptKind::parse(&status)?,
        code: member(event, "code"),
        at: at(event),
    };
    Some((format!("{id}:{status}"), What::Receipt(receipt)))
}

fn heard(kind: &str, event: &Value) -> Option<(String, What)> {
    let id = member(event, "id")?;
    let number = phone::from_wa_id(&member(event, "from")?)?;
    let content = match kind {
        "message" => member(event, "text").map(|body| Content::Text { body }),
        "tap" => member(event, "payload").map(|payload| Content::Button {
            label: member(event, "label").unwrap_or_else(|| payload.clone()),
            payload,
        }),
        "reaction" => member(event, "to").map(|to| Content::Reaction {
            to,
            emoji: member(event, "emoji"),
        }),
        _ => None,
    };
    let heard = Heard {
        provider_id: id.clone(),
        from: Sender {
            number: Some(number),
            user_id: None,
            name: member(event, "name"),
        },
        at: at(event),
        content: content.unwrap_or_else(|| Content::Unsupported {
            kind: word(kind).to_owned(),
        }),
        quotes: member(event, "quotes"),
        forwarded: false,
    };
    Some((id, What::Heard(heard)))
}

fn at(event: &Value) -> Timestamp {
    event.get("at").and_then(moment).unwrap_or(Timestamp(0))
}

fn plain(status: u16) -> Reply {
    Reply {
        status,
        content_type: "text/plain; charset=utf-8",
        body: Vec::new(),
    }
}
