//! Webhooks of the stand-in: written and signed the way Meta does it. Posting them is the test's.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{APP_SECRET, Accepted, GraphStandIn, LINE, digits, wamid};

const DISPLAY_NUMBER: &str = "31850001234";

/// A webhook ready to be posted: the exact bytes, and their `X-Hub-Signature-256`.
pub type Webhook = (Vec<u8>, String);

impl GraphStandIn {
    /// A receipt. *failed* says that the number is not on WhatsApp.
    pub fn webhook_status(&self, message: &Accepted, status: &str) -> Webhook {
        if status == "failed" {
            return self.webhook_failed(message, 131_026);
        }
        let digits = digits(&message.recipient);
        let receipt = json!({
            "id": message.wamid,
            "status": status,
            "timestamp": self.time(),
            "recipient_id": digits,
            "recipient_user_id": user_id(&digits),
            "biz_opaque_callback_data": message.token,
            "pricing": {"billable": true, "pricing_model": "PMP", "category": "utility", "type": "regular"},
        });
        let contact = json!({"wa_id": digits, "user_id": user_id(&digits)});
        self.webhook(&json!({"contacts": [contact], "statuses": [receipt]}))
    }

    /// Meta leaves the contact out of a failure.
    pub fn webhook_failed(&self, message: &Accepted, code: u32) -> Webhook {
        let receipt = json!({
            "id": message.wamid,
            "status": "failed",
            "timestamp": self.time(),
            "recipient_id": digits(&message.recipient),
            "biz_opaque_callback_data": message.token,
            "errors": [{
                "code": code,
                "title": "Message undeliverable",
                "message": "Message undeliverable",
                "error_data": {"details": "Message Undeliverable."},
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }],
        });
        self.webhook(&json!({"statuses": [receipt]}))
    }

    /// A person writes. `from` is a number, with or without plus.
    pub fn webhook_text(&self, from: &str, name: &str, body: &str) -> Webhook {
        self.webhook_message(from, name, json!({"type": "text", "text": {"body": body}}))
    }

    /// A person taps one of the answers under a message.
    pub fn webhook_tap(&self, from: &str, message: &Accepted, choice: usize) -> Webhook {
        let content = &message.body[message.body["type"].as_str().unwrap_or_default()];
        let mut tap = match (message.body["type"].as_str(), content["type"].as_str()) {
            (Some("interactive"), Some("list")) => {
                let row = &content["action"]["sections"][0]["rows"][choice];
                json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": row}})
            }
            (Some("interactive"), _) => {
                let reply = &content["action"]["buttons"][choice]["reply"];
                json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}})
            }
            _ => {
                let buttons = content["components"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                let button = buttons
                    .iter()
                    .filter(|part| part["type"] == "button")
                    .nth(choice);
                let payload = button.map(|button| &button["parameters"][0]["payload"]);
                // The label is known to Meta only, by the template.
                json!({"type": "button", "button": {"payload": payload, "text": format!("{}", choice + 1)}})
            }
        };
        tap["context"] = json!({"from": DISPLAY_NUMBER, "id": message.wamid});
        self.webhook_message(from, "Samira", tap)
    }

    /// Any message: `content` has its type and what belongs to it.
    pub fn webhook_message(&self, from: &str, name: &str, content: Value) -> Webhook {
        let number = {
            let mut book = self.shared.book();
            book.heard += 1;
            book.heard
        };
        let from = digits(from);
        let mut message = content;
        message["from"] = json!(from);
        message["from_user_id"] = json!(user_id(&from));
        message["id"] = json!(wamid(&from, self.address.port(), "heard", number as usize));
        message["timestamp"] = json!(self.time());
        let contact = json!({
            "profile": {"name": name},
            "wa_id": from,
            "user_id": user_id(&from),
        });
        self.webhook(&json!({"contacts": [contact], "messages": [message]}))
    }

    /// A whole webhook around one `value` of field `messages`, in Meta's spelling, signed.
    pub fn webhook(&self, value: &Value) -> Webhook {
        let mut value = value.clone();
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] =
            json!({"display_phone_number": DISPLAY_NUMBER, "phone_number_id": LINE});
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{
                "id": "102290129340398",
                "changes": [{"field": "messages", "value": value}],
            }],
        });
        sign(escaped(&body.to_string()).into_bytes())
    }

    fn time(&self) -> String {
        let machine = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
        };
        match self.shared.book().time {
            Some(time) => time.to_string(),
            None => machine().to_string(),
        }
    }
}

/// Several webhooks of one moment in one post, as Meta sends them when much happens at once.
pub fn posted_together(webhooks: &[Webhook]) -> Webhook {
    let told = |(body, _): &Webhook| -> Value { serde_json::from_slice(body).unwrap() };
    let mut whole = told(&webhooks[0]);
    for one in &webhooks[1..] {
        let entries = told(one)["entry"].take();
        let all = whole["entry"].as_array_mut().unwrap();
        all.extend(entries.as_array().unwrap().iter().cloned());
    }
    sign(escaped(&whole.to_string()).into_bytes())
}

/// The signature header of a body, as Meta makes it.
pub fn sign(body: Vec<u8>) -> Webhook {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    (body, signature)
}

/// Meta's JSON is ASCII: everything else is `\uXXXX` in lower case, and a slash is `\/`.
pub fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            ' '..='~' => escaped.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

/// A business-scoped user id: always the same for the same number.
pub fn user_id(digits: &str) -> String {
    let hash = Sha256::digest(digits);
    let number = hash
        .iter()
        .take(7)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("NL.{number:017}")
}
