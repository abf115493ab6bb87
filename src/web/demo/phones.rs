//! The phones: what the simulated provider took and what was typed and tapped on it. Both directions
//! go over the provider's own dialect (`channels/simulator.rs`), signed as a real one would sign, so the
//! whole path is real. In memory only; what was said before this process began comes from the database.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::broadcast;

use super::Demo;
use crate::app::receive::{self, Refused};
use crate::app::town::{self, Neighbour, Told};
use crate::app::{App, AppError, Door};
use crate::domain::message::Choice;
use crate::domain::time::Timestamp;
use crate::ports::channel::HttpRequest;

/// Bubbles that one phone keeps, and phones that are kept.
const BUBBLES: usize = 200;
const PHONES: usize = 1000;
/// How often a webhook is offered when the service says 503.
const TRIES: usize = 3;

/// One message as the phone shows it.
#[derive(Debug, Clone)]
pub struct Bubble {
    /// The provider's id.
    pub id: String,
    /// Typed or tapped here; else it came in.
    pub mine: bool,
    pub text: String,
    pub taps: Vec<Choice>,
    pub at: Timestamp,
    token: String,
    read: bool,
}

pub struct Phones {
    by_number: Mutex<BTreeMap<String, VecDeque<Bubble>>>,
    /// The phones that already show what was said before.
    opened: Mutex<BTreeSet<String>>,
    news: broadcast::Sender<String>,
}

impl Default for Phones {
    fn default() -> Self {
        Self {
            by_number: Mutex::default(),
            opened: Mutex::default(),
            news: broadcast::channel(64).0,
        }
    }
}

impl Phones {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<Bubble>>> {
        self.by_number
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, number: &str, bubble: Bubble) {
        let mut phones = self.locked();
        if phones.len() >= PHONES && !phones.contains_key(number) {
            phones.pop_first();
        }
        let talk = phones.entry(number.to_owned()).or_default();
        if talk.len() >= BUBBLES {
            talk.pop_front();
        }
        talk.push_back(bubble);
        drop(phones);
        // Nobody listens while no phone is open.
        drop(self.news.send(number.to_owned()));
    }

    pub fn of(&self, number: &str) -> Vec<Bubble> {
        self.locked()
            .get(number)
            .map(|talk| talk.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The number of each phone on which something changes.
    pub fn listen(&self) -> broadcast::Receiver<String> {
        self.news.subscribe()
    }

    /// Puts what was said before in front, once.
    fn open(&self, number: &str, before: Vec<Bubble>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.insert(number.to_owned()) {
            return;
        }
        let mut phones = self.locked();
        let talk = phones.entry(number.to_owned()).or_default();
        for bubble in before.into_iter().rev() {
            talk.push_front(bubble);
        }
    }

    fn is_open(&self, number: &str) -> bool {
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(number)
    }

    /// What came in and was not looked at until now.
    fn unread(&self, number: &str) -> Vec<(String, String)> {
        let mut phones = self.locked();
        let talk = phones.get_mut(number).into_iter().flatten();
        let unread = talk.filter(|bubble| !bubble.mine && !bubble.read);
        unread
            .map(|bubble| {
                bubble.read = true;
                (bubble.id.clone(), bubble.token.clone())
            })
            .collect()
    }
}

/// A message as the service sends it.
#[derive(Deserialize)]
pub struct Sent {
    line: String,
    to: String,
    text: String,
    #[serde(default)]
    buttons: Vec<Choice>,
    token: String,
}

/// POST /simulator/messages: takes a message, and reports its delivery like a provider: afterwards.
pub async fn messages(
    State(demo): State<Demo>,
    headers: HeaderMap,
    Json(sent): Json<Sent>,
) -> Response {
    let Some(door) = demo.door() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let expected = format!("Bearer {}", door.endpoint.secret("access_token"));
    let shown = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes())
        .unwrap_or_default();
    if !bool::from(shown.ct_eq(expected.as_bytes())) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let id = format!("sim-{}", demo.app.chance.token());
    demo.phones.add(
        &sent.to,
        Bubble {
            id: id.clone(),
            mine: false,
            text: sent.text,
            taps: sent.buttons,
            at: demo.app.now(),
            token: sent.token.clone(),
            read: false,
        },
    );
    let receipt = receipt(&id, &sent.token, "delivered", demo.app.now());
    let app = demo.app.clone();
    let answer = Json(json!({ "id": id }));
    tokio::spawn(async move {
        if deliver(&app, &door, &sent.line, vec![receipt])
            .await
            .is_err()
        {
            tracing::warn!("a delivery report was not taken");
        }
    });
    answer.into_response()
}

/// Somebody looks at the phone: what came in is read now.
pub async fn looked(demo: &Demo, owner: &Neighbour) -> Result<(), AppError> {
    let number = owner.number.as_str();
    if !demo.phones.is_open(number) {
        let told = town::told(&demo.app, owner.id, demo.began).await?;
        demo.phones
            .open(number, told.into_iter().enumerate().map(before).collect());
    }
    let unread = demo.phones.unread(number);
    let Some(door) = demo.door().filter(|_| !unread.is_empty()) else {
        return Ok(());
    };
    let now = demo.app.now();
    let receipts = unread
        .iter()
        .map(|(id, token)| receipt(id, token, "read", now))
        .collect();
    if deliver(&demo.app, &door, &demo.line(), receipts)
        .await
        .is_err()
    {
        tracing::warn!("a read report was not taken");
    }
    Ok(())
}

fn before((n, told): (usize, Told)) -> Bubble {
    Bubble {
        id: format!("before-{n}"),
        mine: told.mine,
        text: told.text,
        taps: told.choices,
        at: told.at,
        token: String::new(),
        read: true,
    }
}

/// The person types.
pub async fn typed(demo: &Demo, number: &str, name: &str, text: &str) -> Result<(), Refused> {
    let event = json!({ "type": "message", "text": text });
    spoken(demo, number, name, text, event).await
}

/// The person taps an answer below a message; false if it is not there.
pub async fn tapped(
    demo: &Demo,
    number: &str,
    name: &str,
    (message, payload): (&str, &str),
) -> Result<bool, Refused> {
    let found = demo
        .phones
        .of(number)
        .into_iter()
        .find(|bubble| bubble.id == message);
    let choice =
        found.and_then(|bubble| bubble.taps.into_iter().find(|tap| tap.payload == payload));
    let Some(choice) = choice else {
        return Ok(false);
    };
    let mut event = json!({ "type": "tap", "payload": choice.payload, "label": choice.label });
    // What was said before has no id of this provider any more; the payload says what is answered.
    if message.starts_with("sim-") {
        event["quotes"] = json!(message);
    }
    spoken(demo, number, name, &choice.label, event).await?;
    Ok(true)
}

async fn spoken(
    demo: &Demo,
    number: &str,
    name: &str,
    text: &str,
    mut event: Value,
) -> Result<(), Refused> {
    let door = demo.door().ok_or(Refused::NoSuchEndpoint)?;
    let now = demo.app.now();
    let id = format!("sim-{}", demo.app.chance.token());
    event["id"] = json!(id);
    event["from"] = json!(number.trim_start_matches('+'));
    event["name"] = json!(name);
    event["at"] = json!(now.millis() / 1000);
    deliver(&demo.app, &door, &demo.line(), vec![event]).await?;
    demo.phones.add(
        number,
        Bubble {
            id,
            mine: true,
            text: text.to_owned(),
            taps: Vec::new(),
            at: now,
            token: String::new(),
            read: true,
        },
    );
    Ok(())
}

fn receipt(id: &str, token: &str, status: &str, now: Timestamp) -> Value {
    json!({
        "type": "receipt", "id": id, "token": token, "status": status, "at": now.millis() / 1000,
    })
}

/// One webhook of the provider, signed, through the same door as every other.
async fn deliver(
    app: &Arc<App>,
    door: &Door,
    line: &str,
    events: Vec<Value>,
) -> Result<(), Refused> {
    let body = json!({ "line": line, "events": events })
        .to_string()
        .into_bytes();
    let secret = door.endpoint.secret("webhook_secret");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(&body);
    let tag = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = [("x-simulator-signature".to_owned(), tag.into_bytes())];
    let request = HttpRequest {
        query: "",
        headers: &headers,
        body: &body,
    };
    let mut last = Refused::Unavailable;
    for _ in 0..TRIES {
        match receive::receive(app, &door.endpoint.slug, &request).await {
            Ok(_) => return Ok(()),
            Err(Refused::Unavailable) => tokio::task::yield_now().await,
            Err(refused) => last = refused,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bubble(n: usize) -> Bubble {
        Bubble {
            id: n.to_string(),
            mine: false,
            text: String::new(),
            taps: Vec::new(),
            at: Timestamp(0),
            token: String::new(),
            read: false,
        }
    }

    #[test]
    fn a_phone_forgets_its_oldest_bubble_first() {
        let phones = Phones::default();
        for n in 0..BUBBLES + 3 {
            phones.add("+31610000001", bubble(n));
        }
        let kept = phones.of("+31610000001");
        assert_eq!(kept.len(), BUBBLES);
        assert_eq!(kept[0].id, "3");
    }

    #[test]
    fn what_was_looked_at_is_read_once() {
        let phones = Phones::default();
        phones.add("+31610000001", bubble(1));
        assert_eq!(phones.unread("+31610000001").len(), 1);
        assert!(phones.unread("+31610000001").is_empty());
        assert!(phones.unread("+31610000002").is_empty());
    }
}
