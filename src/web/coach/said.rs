//! How states, rules, reasons and contents are said on pages. Codes come out of closed lists or get a
//! plain sentence; an unknown one is shown as it is.

use super::Chip;
use crate::app::desk::{AttemptRow, IncomingRow, OutgoingRow};
use crate::domain::cadence::Prices;
use crate::domain::contact::AddressKind;
use crate::domain::ids::CandidateId;
use crate::domain::message::{FormBody, MessageState};
use crate::domain::nudge::flow_of;
use crate::domain::time::{Timestamp, Tz};
use crate::ports::channel::Content;
use crate::web::error::WebError;
use crate::web::words::Words;

/// Characters of a message in a list.
const PREVIEW: usize = 140;

/// The candidate whom an address names.
pub fn candidate_of(id: &str) -> Result<CandidateId, WebError> {
    id.parse().map_err(|_| WebError::NotFound)
}

/// The page of one person.
pub fn href(candidate: CandidateId) -> String {
    format!("/kandidaten/{candidate}")
}

/// The family of an address: `whatsapp`, `sms`, `email`.
pub const fn medium(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Whatsapp | AddressKind::Bsuid => "whatsapp",
        AddressKind::Phone => "sms",
        AddressKind::Email => "email",
    }
}

/// The name of a rule: its own, else its flow's, else just "message".
pub fn rule(words: &Words, rule: &str) -> String {
    words.say(&rule_key(words, "rule", rule))
}

/// The key of a rule's text in a group, by node, by flow, or the last resort.
pub fn rule_key(words: &Words, group: &str, rule: &str) -> String {
    let node = format!("{group}.{}", rule.replace('/', "_"));
    if words.has(&node) {
        return node;
    }
    // What every flow shares answers what was written.
    let flow = match flow_of(rule) {
        "_common" => "reply",
        flow => flow,
    };
    let flow = format!("{group}.{flow}");
    if words.has(&flow) {
        flow
    } else {
        format!("{group}.other")
    }
}

/// Why something did not go, in words. Meta's numbers are grouped by what a coach can do.
pub fn code(words: &Words, code: &str, name: &str) -> String {
    let known = match code {
        "131026" | "131030" | "131021" => "unreachable",
        "131047" | "470" => "window",
        "131050" | "131049" => "opted_out",
        "190" | "10" | "131042" | "131031" | "368" | "130497" => "account",
        other => other,
    };
    let key = format!("code.{known}");
    if words.has(&key) {
        words.fill(&key, &[("name", name)])
    } else if code.is_empty() {
        words.say("code.unknown")
    } else {
        words.fill("code.number", &[("code", code)])
    }
}

/// What is honestly known about the delivery of a message.
pub fn states(
    words: &Words,
    row: &OutgoingRow,
    attempts: &[AttemptRow],
    name: &str,
    now: Timestamp,
    zone: Tz,
) -> Vec<Chip> {
    let when = |at: Timestamp| words.brief(at, now, zone);
    let why = row.state_why.as_deref().unwrap_or_default();
    let last_code = || {
        let code = attempts
            .iter()
            .rev()
            .find_map(|attempt| attempt.code.as_deref());
        code.or(row.state_why.as_deref()).unwrap_or_default()
    };
    let one = |tone: &'static str, word: String| vec![Chip::new(tone, word)];
    match row.state {
        MessageState::Draft => one("", words.say("state.draft")),
        MessageState::Waiting => one("wait", words.say("state.waiting")),
        MessageState::Approved => one(
            "",
            words.fill(
                "state.approved",
                &[("when", &words.moment(row.not_before, now, zone))],
            ),
        ),
        MessageState::Held => one("wait", words.say("state.held")),
        MessageState::Sending => one("", words.say("state.sending")),
        MessageState::Retry => one(
            "wait",
            words.fill(
                "state.retry",
                &[("when", &words.moment(row.not_before, now, zone))],
            ),
        ),
        MessageState::InDoubt => one("wait", words.say("state.in_doubt")),
        MessageState::Rejected => one(
            "alarm",
            words.fill(
                "state.rejected",
                &[("why", &code(words, last_code(), name))],
            ),
        ),
        MessageState::Cancelled => one(
            "",
            words.fill("state.cancelled", &[("why", &code(words, why, name))]),
        ),
        MessageState::Expired => one("alarm", words.say("state.expired")),
        MessageState::Accepted => {
            let mut chips = Vec::new();
            if row.failed_at.is_some() {
                let reason = code(words, last_code(), name);
                chips.push(Chip::new(
                    "alarm",
                    words.fill("state.failed", &[("why", &reason)]),
                ));
            }
            if let Some(at) = row.read_at {
                chips.push(Chip::new(
                    "good",
                    words.fill("state.read", &[("when", &when(at))]),
                ));
            } else if let Some(at) = row.delivered_at {
                chips.push(Chip::new(
                    "good",
                    words.fill("state.delivered", &[("when", &when(at))]),
                ));
            }
            if chips.is_empty() {
                chips.push(Chip::new("", words.say("state.accepted")));
            }
            chips
        }
    }
}

/// What a received message says, and what kind it is; the kind of plain text needs no word.
pub fn content(words: &Words, content: &Content) -> (String, String) {
    let kind = |key: &str| words.say(&format!("kind.{key}"));
    let what = |key: &str| words.say(&format!("content.{key}"));
    match content {
        Content::Text { body } => (body.clone(), String::new()),
        Content::Button { label, .. } => (label.clone(), kind("button")),
        Content::Reaction { emoji, .. } => (
            emoji.clone().unwrap_or_else(|| what("reaction_gone")),
            kind("reaction"),
        ),
        Content::Media(media) => {
            let key = file_kind(&media.kind);
            let caption = media.caption.clone().unwrap_or_default();
            let text = if caption.is_empty() {
                what(key)
            } else {
                caption
            };
            (text, kind(key))
        }
        Content::Location { name, address, .. } => {
            let place: Vec<&str> = [name, address]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            let text = if place.is_empty() {
                what("location")
            } else {
                place.join(", ")
            };
            (text, kind("location"))
        }
        Content::Contacts { names } => {
            let text = if names.is_empty() {
                what("contacts")
            } else {
                names.join(", ")
            };
            (text, kind("contacts"))
        }
        Content::Edited {
            body: Some(body), ..
        } => (body.clone(), kind("edited")),
        Content::Edited { .. } => (what("other"), kind("edited")),
        Content::Revoked { .. } => (what("revoked"), String::new()),
        Content::NumberChanged { .. } => (what("number_changed"), String::new()),
        Content::IdentityChanged => (words.say("flag.identity_changed"), String::new()),
        Content::Order { .. } | Content::Unsupported { .. } => (what("other"), kind("other")),
    }
}

/// The key of the word for a kind of file.
pub fn file_kind(kind: &str) -> &str {
    match kind {
        "image" | "video" | "document" | "sticker" => kind,
        "audio" | "voice" => "audio",
        _ => "other",
    }
}

/// The beginning of a received message, for a list; what is sensitive stays hidden.
pub fn preview(words: &Words, row: &IncomingRow) -> String {
    let hidden = masked(words, &row.marks);
    if !hidden.is_empty() {
        return hidden;
    }
    let (text, _) = content(words, &row.content);
    if text.chars().count() <= PREVIEW {
        return text;
    }
    let short: String = text.chars().take(PREVIEW).collect();
    format!("{short}…")
}

/// Is this text hidden until a coach opens it, and what stands in its place?
pub fn masked(words: &Words, marks: &str) -> String {
    let has = |mark: &str| marks.split(' ').any(|found| found == mark);
    if has("alarm") {
        words.say("thread.masked.alarm")
    } else if has("bsn") || has("health") || has("debt") {
        words.say("thread.masked.sensitive")
    } else {
        String::new()
    }
}

/// A number or mail address with its middle hidden.
pub fn hidden(value: &str) -> String {
    if let Some((name, domain)) = value.split_once('@') {
        let first: String = name.chars().take(2).collect();
        let ending = domain.rsplit('.').next().unwrap_or_default();
        return format!("{first}···@···.{ending}");
    }
    let letters: Vec<char> = value.chars().collect();
    if letters.len() < 7 {
        return "···".to_owned();
    }
    let head: String = letters.iter().take(4).collect();
    let tail: String = letters.iter().skip(letters.len() - 2).collect();
    format!("{head} ···· ··{tail}")
}

/// What sending this form costs, in thousandths of a euro, rounded up.
pub fn price(body: &FormBody, medium: &str, units: u32, prices: &Prices) -> i64 {
    let price = match (medium, body) {
        ("sms", _) => prices.sms(units),
        ("whatsapp", FormBody::Template(template)) => prices.whatsapp(Some(&template.category)),
        _ => prices.whatsapp(None),
    };
    i64::from(price.0.div_ceil(10))
}

/// The subject of a form, where it has one, and the labels of its answers.
pub fn answers(body: &FormBody) -> Vec<String> {
    body.choices()
        .iter()
        .map(|choice| choice.label.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Template;
    use crate::domain::nudge::Rule;
    use crate::domain::talk::state::Why;
    use crate::web::view::Pages;
    use crate::web::words::Locale;

    fn flows() -> Vec<String> {
        let names = std::fs::read_dir("config/flows").unwrap().map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        });
        names.collect()
    }

    #[test]
    fn every_flow_and_every_rule_says_what_it_is_and_why_now() {
        let pages = Pages::load().unwrap();
        let rules = Rule::ALL.map(|rule| rule.as_str().to_owned());
        assert!(flows().len() >= 16);
        for locale in Locale::ALL {
            let words = pages.words(locale);
            for rule in flows().iter().chain(&rules) {
                for group in ["rule", "now"] {
                    let key = rule_key(&words, group, &format!("{rule}/some_node"));
                    let bare = rule_key(&words, group, rule);
                    let last_resort = format!("{group}.other");
                    assert!(bare != last_resort, "no text {group}.{rule}");
                    let is_flow = !rules.contains(rule);
                    assert!(!is_flow || key != last_resort, "no text {group}.{rule}");
                }
            }
            assert_eq!(rule_key(&words, "now", "_common/passed_on"), "now.reply");
        }
    }

    #[test]
    fn every_flag_says_why_it_is_there() {
        let pages = Pages::load().unwrap();
        for locale in Locale::ALL {
            let words = pages.words(locale);
            for why in Why::ALL {
                let key = format!("flag.{}", why.as_str());
                assert!(words.has(&key), "no text {key}");
            }
        }
    }

    #[test]
    fn an_alarm_that_is_no_crisis_is_not_called_one() {
        let words = Pages::load().unwrap().words(Locale::Nl);
        assert_eq!(masked(&words, "alarm"), "Dringende woorden, verborgen.");
    }

    #[test]
    fn the_middle_of_an_address_is_hidden() {
        assert_eq!(hidden("+31612345678"), "+316 ···· ··78");
        assert_eq!(hidden("yusuf.kaya@mail.example"), "yu···@···.example");
        assert_eq!(hidden("12345"), "···");
    }

    #[test]
    fn text_in_the_window_is_free_a_template_and_a_part_cost_their_price() {
        let cadence =
            crate::domain::cadence::Cadence::parse(include_str!("../../../config/cadence.toml"))
                .unwrap();
        let prices = cadence.prices;
        let text = FormBody::Text { text: "hoi".into() };
        let template = |category: &str| {
            FormBody::Template(Template {
                name: "x".into(),
                language: "nl".into(),
                category: category.into(),
                params: Vec::new(),
                body: "hoi".into(),
                buttons: Vec::new(),
            })
        };
        assert_eq!(price(&text, "whatsapp", 1, &prices), 0);
        assert_eq!(price(&text, "sms", 2, &prices), 150);
        assert_eq!(price(&template("utility"), "whatsapp", 1, &prices), 46);
        assert_eq!(price(&template("marketing"), "whatsapp", 1, &prices), 133);
        assert_eq!(price(&text, "email", 1, &prices), 0);
    }
}
