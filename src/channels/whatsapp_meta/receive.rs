//! Webhooks of Meta, walked value by value: every entry, change, message, status and error becomes
//! an item. Nothing here fails on one odd part: what is broken or unknown becomes an item that
//! names its place, so that its siblings are kept. Media are only named, not fetched.

use hmac::digest::Digest;
use serde_json::Value;
use sha2::Sha256;

use super::super::kit::{member, members, moment, text, word};
use super::codes;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use crate::ports::channel::{
    Account, Content, Heard, Item, Media, Receipt, ReceiptKind, Sender, Unparseable, What,
};

/// Everything that one webhook tells.
pub fn items(body: &Value) -> Result<Vec<Item>, Unparseable> {
    let entries = body
        .get("entry")
        .and_then(Value::as_array)
        .ok_or_else(|| Unparseable {
            why: "no list `entry`".to_owned(),
        })?;
    let mut items = Vec::new();
    for (e, entry) in entries.iter().enumerate() {
        let changes = members(entry, "changes");
        if changes.is_empty() {
            let mut change = Change::new(entry, entry, format!("entry[{e}]"), &mut items);
            change.note(false, "nothing in it");
        }
        for (c, change) in changes.iter().enumerate() {
            Change::new(
                entry,
                change,
                format!("entry[{e}].changes[{c}]"),
                &mut items,
            )
            .walk();
        }
    }
    Ok(items)
}

/// One change on its way through, and where its items go.
struct Change<'a> {
    /// `messages`, `account_update`, …; empty if Meta gave none.
    field: String,
    value: &'a Value,
    /// The line's `phone_number_id`; empty where Meta names none (templates, the account).
    line: String,
    /// When Meta made the webhook: stands in for a time that a part lacks.
    made_at: Timestamp,
    /// Tells this change from every other one, and is the same when it comes again.
    print: String,
    /// Where it stood, for the operator.
    place: String,
    /// How many items without an id of their own it has given.
    notes: usize,
    items: &'a mut Vec<Item>,
}

impl<'a> Change<'a> {
    fn new(entry: &Value, change: &'a Value, place: String, items: &'a mut Vec<Item>) -> Self {
        let value = change.get("value").unwrap_or(&Value::Null);
        let field = member(change, "field").unwrap_or_default();
        let digest = hex::encode(Sha256::digest(change.to_string()));
        let id = member(entry, "id").unwrap_or_default();
        let time = member(entry, "time").unwrap_or_default();
        Self {
            line: value
                .get("metadata")
                .and_then(|m| member(m, "phone_number_id"))
                .unwrap_or_default(),
            made_at: entry.get("time").and_then(moment).unwrap_or(Timestamp(0)),
            print: format!("{field}:{id}:{time}:{digest}"),
            field,
            value,
            place,
            notes: 0,
            items,
        }
    }

    fn walk(&mut self) {
        let before = self.items.len();
        let value = self.value;
        match self.field.as_str() {
            "messages" | "" => {
                for (n, message) in members(value, "messages").iter().enumerate() {
                    self.message(n, message);
                }
                for (n, status) in members(value, "statuses").iter().enumerate() {
                    self.status(n, status);
                }
                for error in members(value, "errors") {
                    let code = member(error, "code").unwrap_or_default();
                    let meaning = codes::meaning(&code).unwrap_or("no meaning known");
                    self.note(false, &format!("error {}: {meaning}", word(&code)));
                }
            }
            "user_id_update" => {
                for update in members(value, "user_id_update") {
                    self.moved(update);
                }
            }
            "user_preferences" => {
                for wish in members(value, "user_preferences") {
                    let about = summary(wish);
                    self.note(
                        false,
                        &format!("a person's wish for marketing messages: {about}"),
                    );
                }
            }
            _ => {
                for group in members(value, "groups") {
                    let about = summary(group);
                    self.note(false, &about);
                }
            }
        }
        if self.items.len() == before {
            let template = self.field.contains("template");
            let about = summary(value);
            self.note(template, &about);
        }
    }

    fn message(&mut self, n: usize, message: &Value) {
        let place = format!("{}.messages[{n}]", self.place);
        let kind = member(message, "type").unwrap_or_else(|| "untyped".to_owned());
        let Some(id) = member(message, "id") else {
            return self.note(false, &format!("{place}: a message without id"));
        };
        if message
            .get("group_id")
            .is_some_and(|group| !group.is_null())
        {
            let summary = format!("{place}: a message in a group, {}", word(&kind));
            return self.account(id, false, summary, None);
        }
        let Some(from) = sender(message, members(self.value, "contacts")) else {
            let summary = format!("{place}: a message without sender, {}", word(&kind));
            return self.account(id, false, summary, None);
        };
        let context = message.get("context").unwrap_or(&Value::Null);
        let is_set = |name: &str| context.get(name).and_then(Value::as_bool).unwrap_or(false);
        let heard = Heard {
            provider_id: id.clone(),
            at: message
                .get("timestamp")
                .and_then(moment)
                .unwrap_or(self.made_at),
            content: content(&kind, message).unwrap_or_else(|| Content::Unsupported {
                kind: unsupported(&kind, message),
            }),
            quotes: member(context, "id"),
            forwarded: is_set("forwarded") || is_set("frequently_forwarded"),
            from,
        };
        self.push(id, What::Heard(heard));
    }

    fn status(&mut self, n: usize, status: &Value) {
        let place = format!("{}.statuses[{n}]", self.place);
        let name = member(status, "status").unwrap_or_default();
        let kind = match name.as_str() {
            // Heard to the end: for a text that we sent there is nothing above *read*.
            "played" => Some(ReceiptKind::Read),
            other => ReceiptKind::parse(other),
        };
        let group = member(status, "recipient_type").is_some_and(|kind| kind == "group");
        match (member(status, "id"), kind) {
            (Some(id), Some(kind)) if !group => {
                let error = members(status, "errors").first();
                let receipt = Receipt {
                    provider_id: id.clone(),
                    token: member(status, "biz_opaque_callback_data"),
                    kind,
                    code: error.and_then(|error| member(error, "code")),
                    at: status
                        .get("timestamp")
                        .and_then(moment)
                        .unwrap_or(self.made_at),
                };
                self.push(format!("{id}:{name}"), What::Receipt(receipt));
            }
            (Some(_), Some(_)) => {
                self.note(
                    false,
                    &format!("{place}: status {} in a group", word(&name)),
                );
            }
            (Some(id), None) => {
                let summary = format!("{place}: unknown status {}", word(&name));
                self.account(format!("{id}:{name}"), false, summary, None);
            }
            (None, _) => self.note(false, &format!("{place}: a status without id")),
        }
    }

    /// A person's number stayed and Meta's id for them changed.
    fn moved(&mut self, update: &Value) {
        let number = member(update, "wa_id").and_then(|id| phone::from_wa_id(&id));
        let ids = update.get("user_id").unwrap_or(&Value::Null);
        let side = |name: &str| {
            member(ids, name).map(|id| Sender {
                number: number.clone(),
                user_id: Some(id),
                name: None,
            })
        };
        let moved = side("previous").zip(side("current"));
        let summary = match moved {
            Some(_) => "a person has a new user id".to_owned(),
            None => format!("{}: a new user id that cannot be read", self.place),
        };
        let identity = self.next_print();
        self.account(identity, false, summary, moved);
    }

    /// Something for the operator that has no id of its own.
    fn note(&mut self, template: bool, summary: &str) {
        let identity = self.next_print();
        self.account(identity, template, summary.to_owned(), None);
    }

    fn next_print(&mut self) -> String {
        self.notes += 1;
        format!("{}:{}", self.print, self.notes)
    }

    fn account(
        &mut self,
        identity: String,
        template: bool,
        summary: String,
        moved: Option<(Sender, Sender)>,
    ) {
        let field = if self.field.is_empty() {
            "no field".to_owned()
        } else {
            word(&self.field).to_owned()
        };
        self.push(
            identity,
            What::Account(Account {
                field,
                template,
                summary,
                moved,
            }),
        );
    }

    fn push(&mut self, identity: String, what: What) {
        self.items.push(Item {
            identity,
            line: self.line.clone(),
            what,
        });
    }
}

/// Who wrote it. Since 2026 a person may have no visible number, and `from` may hold the user id.
fn sender(message: &Value, contacts: &[Value]) -> Option<Sender> {
    let mut sender = Sender {
        user_id: member(message, "from_user_id"),
        ..Sender::default()
    };
    match member(message, "from") {
        Some(from) if is_number(&from) => sender.number = phone::from_wa_id(&from),
        Some(from) => sender.user_id = sender.user_id.or(Some(from)),
        None => {}
    }
    if let Some(contact) = contact(&sender, contacts) {
        let number = member(contact, "wa_id").filter(|id| is_number(id));
        sender.number = sender.number.or_else(|| phone::from_wa_id(&number?));
        sender.user_id = sender.user_id.or_else(|| member(contact, "user_id"));
        sender.name = contact
            .get("profile")
            .and_then(|profile| member(profile, "name"));
    }
    (sender.number.is_some() || sender.user_id.is_some()).then_some(sender)
}

/// The contact of this sender: one that shares an id, or the only one there is, as long as it
/// contradicts nothing.
fn contact<'a>(sender: &Sender, contacts: &'a [Value]) -> Option<&'a Value> {
    let same = |ours: &Option<String>, theirs: Option<String>| match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(*ours == theirs),
        _ => None,
    };
    let agreement = |contact: &Value| {
        let number = member(contact, "wa_id").and_then(|id| phone::from_wa_id(&id));
        (
            same(&sender.number, number),
            same(&sender.user_id, member(contact, "user_id")),
        )
    };
    let shares = |contact: &&Value| {
        let (number, user_id) = agreement(contact);
        number == Some(true) || user_id == Some(true)
    };
    contacts.iter().find(shares).or_else(|| match contacts {
        [only] if agreement(only) == (None, None) => Some(only),
        _ => None,
    })
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a message says. `None`: a type that we do not know, or one without what it must have.
fn content(kind: &str, message: &Value) -> Option<Content> {
    let part = message.get(kind).unwrap_or(&Value::Null);
    Some(match kind {
        "text" => Content::Text {
            body: member(part, "body")?,
        },
        "button" => {
            let label = member(part, "text").or_else(|| member(part, "payload"))?;
            let payload = member(part, "payload").unwrap_or_else(|| label.clone());
            Content::Button { payload, label }
        }
        "interactive" => {
            let reply = part
                .get("button_reply")
                .or_else(|| part.get("list_reply"))?;
            let payload = member(reply, "id")?;
            let label = member(reply, "title").unwrap_or_else(|| payload.clone());
            Content::Button { payload, label }
        }
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
            Content::Media(media(kind, part)?)
        }
        "location" => Content::Location {
            latitude: degrees(part, "latitude")?,
            longitude: degrees(part, "longitude")?,
            name: member(part, "name"),
            address: member(part, "address"),
        },
        "contacts" => Content::Contacts {
            names: part.as_array()?.iter().map(card).collect(),
        },
        "reaction" => Content::Reaction {
            to: member(part, "message_id")?,
            emoji: member(part, "emoji"),
        },
        "order" => Content::Order {
            items: u32::try_from(members(part, "product_items").len()).unwrap_or(u32::MAX),
        },
        "edit" => {
            let new = part.get("message").unwrap_or(&Value::Null);
            let kind = member(new, "type").unwrap_or_else(|| "text".to_owned());
            let inner = new.get(&kind).unwrap_or(&Value::Null);
            Content::Edited {
                original: member(part, "original_message_id")?,
                body: member(inner, "body").or_else(|| member(inner, "caption")),
            }
        }
        "revoke" => Content::Revoked {
            original: member(part, "original_message_id")?,
        },
        "system" => system(part)?,
        _ => return None,
    })
}

fn media(kind: &str, part: &Value) -> Option<Media> {
    let voice = part.get("voice").and_then(Value::as_bool).unwrap_or(false);
    Some(Media {
        kind: if kind == "audio" && voice {
            "voice"
        } else {
            kind
        }
        .to_owned(),
        id: member(part, "id")?,
        mime: member(part, "mime_type").unwrap_or_else(|| "application/octet-stream".to_owned()),
        sha256: member(part, "sha256"),
        caption: member(part, "caption"),
        filename: member(part, "filename"),
        url: member(part, "url"),
    })
}

/// Degrees are numbers at Meta, and texts in Meta's own schema.
fn degrees(part: &Value, name: &str) -> Option<f64> {
    let value = part.get(name)?;
    let degrees = value
        .as_f64()
        .or_else(|| text(value)?.trim().parse().ok())?;
    degrees.is_finite().then_some(degrees)
}

/// The name on a shared contact card; cards without any name exist.
fn card(card: &Value) -> String {
    let name = card.get("name").unwrap_or(&Value::Null);
    let parts = ["first_name", "middle_name", "last_name"].map(|part| member(name, part));
    member(name, "formatted_name")
        .or_else(|| Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" ")))
        .filter(|name| !name.is_empty())
        .or_else(|| member(card.get("org")?, "company"))
        .unwrap_or_else(|| "?".to_owned())
}

/// The person moved, or may be somebody else. The `customer_…` types are older webhooks.
fn system(part: &Value) -> Option<Content> {
    match member(part, "type")?.as_str() {
        "user_changed_number" | "customer_changed_number" | "user_changed_user_id" => {
            let number = member(part, "wa_id").or_else(|| member(part, "new_wa_id"));
            let new = Sender {
                number: number
                    .filter(|id| is_number(id))
                    .and_then(|id| phone::from_wa_id(&id)),
                user_id: member(part, "user_id"),
                name: None,
            };
            (new.number.is_some() || new.user_id.is_some())
                .then_some(Content::NumberChanged { new })
        }
        "customer_identity_changed" | "user_identity_changed" => Some(Content::IdentityChanged),
        _ => None,
    }
}

/// A name for what could not be taken in: the message's type and, where Meta tells, the inner one.
fn unsupported(kind: &str, message: &Value) -> String {
    let inner = message.get(kind).and_then(|part| member(part, "type"));
    match inner {
        Some(inner) => format!("{}.{}", word(kind), word(&inner)),
        None => word(kind).to_owned(),
    }
}

/// One line from the members that are known to hold only Meta's vocabulary or our own template
/// names. Anything else may be about a person and is left out; the raw body has it.
fn summary(value: &Value) -> String {
    const HARMLESS: [&str; 24] = [
        "/event",
        "/type",
        "/message_template_name",
        "/message_template_language",
        "/reason",
        "/other_info/title",
        "/previous_quality_score",
        "/new_quality_score",
        "/previous_category",
        "/new_category",
        "/correct_category",
        "/current_limit",
        "/old_limit",
        "/alert_info/alert_type",
        "/alert_info/alert_severity",
        "/alert_info/alert_status",
        "/decision",
        "/category",
        "/value",
        "/violation_info/violation_type",
        "/ban_info/waba_ban_state",
        "/max_phone_numbers_per_business",
        "/max_daily_conversations_per_business",
        "/max_daily_conversation_per_phone",
    ];
    let known: Vec<String> = HARMLESS
        .iter()
        .filter_map(|pointer| {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            Some(format!("{name} {}", word(&text(value.pointer(pointer)?)?)))
        })
        .collect();
    if known.is_empty() {
        "nothing that we can read".to_owned()
    } else {
        known.join(", ")
    }
}
