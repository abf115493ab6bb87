//! Requests to Meta's `/messages`, and what its answers prove. Nothing is sent here, and whether
//! the 24-hour window allows a form is `domain/window.rs`'s to say.

use serde_json::{Value, json};

use super::super::kit;
use super::codes;
use crate::domain::contact::AddressKind;
use crate::domain::message::{Choice, FormBody, Template};
use crate::domain::window;
use crate::ports::channel::{Endpoint, Outbound, Outcome};
use crate::ports::transport::{Answer, Envelope, HttpEnvelope};

/// More choices than this do not fit in buttons and become a list.
const MOST_BUTTONS: usize = 3;

pub fn request(endpoint: &Endpoint, outbound: &Outbound<'_>) -> Envelope {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        // Meta echoes it in every receipt: what is left to us when its answer gets lost.
        "biz_opaque_callback_data": outbound.token,
    });
    match outbound.to_kind {
        AddressKind::Bsuid => body["recipient"] = outbound.to.into(),
        // Without the plus Meta puts the country code of our own number before it.
        _ => body["to"] = format!("+{}", outbound.to.trim_start_matches('+')).into(),
    }
    let (kind, content) = content(outbound.body);
    body["type"] = kind.into();
    body[kind] = content;
    Envelope::Http(HttpEnvelope {
        method: "POST",
        url: format!(
            "{}/{}/{}/messages",
            endpoint.option("base_url").trim_end_matches('/'),
            endpoint.option("api_version"),
            outbound.line
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

fn content(body: &FormBody) -> (&'static str, Value) {
    match body {
        FormBody::Buttons { text, choices, .. } if choices.is_empty() => plain(text),
        FormBody::Text { text } => plain(text),
        FormBody::Buttons {
            text,
            choices,
            list_label,
        } => {
            let (kind, action) = if choices.len() <= MOST_BUTTONS {
                let buttons: Vec<Value> = choices
                    .iter()
                    .map(|Choice { payload, label }| {
                        json!({"type": "reply", "reply": {"id": payload, "title": label}})
                    })
                    .collect();
                ("button", json!({ "buttons": buttons }))
            } else {
                let rows: Vec<Value> = choices
                    .iter()
                    .map(|Choice { payload, label }| json!({"id": payload, "title": label}))
                    .collect();
                (
                    "list",
                    json!({"button": list_label, "sections": [{ "rows": rows }]}),
                )
            };
            (
                "interactive",
                json!({"type": kind, "body": {"text": text}, "action": action}),
            )
        }
        FormBody::Template(template) => ("template", filled_in(template)),
    }
}

fn plain(text: &str) -> (&'static str, Value) {
    // Meta must not fetch what a link in a candidate's text points to.
    ("text", json!({"body": text, "preview_url": false}))
}

fn filled_in(template: &Template) -> Value {
    let mut components = Vec::new();
    if !template.params.is_empty() {
        let parameters: Vec<Value> = template
            .params
            .iter()
            .map(|param| json!({"type": "text", "text": window::template_param(param)}))
            .collect();
        components.push(json!({"type": "body", "parameters": parameters}));
    }
    for (index, button) in template.buttons.iter().enumerate() {
        components.push(json!({
            "type": "button",
            "sub_type": "quick_reply",
            "index": index.to_string(),
            "parameters": [{"type": "payload", "payload": button.payload}],
        }));
    }
    let mut filled = json!({"name": template.name, "language": {"code": template.language}});
    if !components.is_empty() {
        filled["components"] = components.into();
    }
    filled
}

/// What an answer of `/messages` proves. Meta's code counts before the status, but for a 5xx:
/// that leaves doubt whatever it says (`threats.md` section 4).
pub fn outcome(answer: &Answer) -> Outcome {
    let (status, body) = match kit::arrived(answer) {
        Ok(arrived) => arrived,
        Err(outcome) => return outcome,
    };
    let body = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    match status {
        200..=299 => match body.pointer("/messages/0/id").and_then(kit::text) {
            Some(provider_id) => Outcome::Accepted { provider_id },
            None => Outcome::InDoubt {
                code: "unreadable_2xx".to_owned(),
            },
        },
        429 => {
            let code = code(&body).unwrap_or_else(|| "http_429".to_owned());
            match codes::refused(&code) {
                Some(wait @ (Outcome::LaterForThisPerson { .. } | Outcome::Later { .. })) => wait,
                _ => Outcome::Later {
                    code,
                    after_seconds: kit::retry_after(answer),
                },
            }
        }
        400..=499 => match code(&body) {
            Some(code) => codes::refused(&code).unwrap_or_else(|| undescribed(status, code)),
            None => kit::by_status(status),
        },
        _ => kit::by_status(status),
    }
}

/// A refusal that was parsed, with a code that nobody has described: it is proof all the same.
fn undescribed(status: u16, code: String) -> Outcome {
    match status {
        401 | 403 => Outcome::Misconfigured { code },
        _ => Outcome::Rejected { code },
    }
}

fn code(body: &Value) -> Option<String> {
    body.pointer("/error/code").and_then(kit::text)
}
