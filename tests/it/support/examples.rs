//! Meta's own webhook examples, and what they look like since 2026.

use std::fs;

use serde_json::{Value, json};

use super::graph;

/// All sixteen, by name.
pub fn all() -> serde_json::Map<String, Value> {
    let path = "tests/fixtures/channels/meta_examples/webhooks.json";
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Meta's examples date from before April 2026; since then every person has a user id.
pub fn with_user_ids(webhook: &mut Value) {
    each_value(webhook, |value| {
        let id = |number: &Value| json!(graph::user_id(number.as_str().unwrap_or_default()));
        for contact in members(value, "contacts") {
            contact["user_id"] = id(&contact["wa_id"]);
        }
        for message in members(value, "messages") {
            message["from_user_id"] = id(&message["from"]);
        }
    });
}

/// …and whoever took a username shows no number.
pub fn without_numbers(webhook: &mut Value) {
    each_value(webhook, |value| {
        for contact in members(value, "contacts") {
            contact.as_object_mut().unwrap().remove("wa_id");
        }
        for message in members(value, "messages") {
            message.as_object_mut().unwrap().remove("from");
        }
    });
}

/// Several examples share one message id; this gives each its own.
pub fn with_own_id(webhook: &mut Value, id: &str) {
    each_value(webhook, |value| {
        for message in members(value, "messages") {
            message["id"] = json!(id);
        }
    });
}

fn each_value(webhook: &mut Value, change: impl Fn(&mut Value)) {
    for entry in members(webhook, "entry") {
        for inner in members(entry, "changes") {
            change(&mut inner["value"]);
        }
    }
}

/// The elements of a list, if it is there. (Indexing would put a null where nothing was.)
fn members<'a>(object: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(name)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}
