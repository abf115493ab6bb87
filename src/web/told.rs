//! The sentence about what was just done. The address carries a word of a closed list and ids; names
//! and the way back are read anew, so that nothing in an address can say what did not happen.

use serde::Deserialize;

use super::Desk;
use super::error::WebError;
use super::session::Visit;
use super::view::Told;
use super::words::fill;
use crate::app::desk;
use crate::app::together::{self, Part};
use crate::domain::ids::MessageId;
use crate::domain::message::MessageState;

/// What stands behind the question mark after a change.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    pub gedaan: String,
    #[serde(default)]
    pub bericht: String,
    #[serde(default)]
    pub kandidaat: String,
    /// The act, after several drafts were approved at once.
    #[serde(default)]
    pub samen: String,
    /// Messages that stayed behind then, with points between them.
    #[serde(default)]
    pub niet: String,
}

/// The words after which the message may still be taken back.
const CAN_UNDO: [&str; 5] = ["approved", "edited", "planned", "written", "again"];
const OTHERS: [&str; 36] = [
    "away",
    "back",
    "transferred",
    "agreed",
    "held",
    "dropped",
    "undone",
    "arrived",
    "left",
    "taken",
    "given_back",
    "sign",
    "noted",
    "paused",
    "resumed",
    "flag_closed",
    "opened",
    "password",
    "goal_set",
    "step_added",
    "step_changed",
    "step_dropped",
    "search_saved",
    "unlearned",
    "slots_open",
    "slots_none",
    "slots_withdrawn",
    "calendar_end",
    "busy_put",
    "busy_end",
    "invited",
    "booked",
    "meeting_held",
    "moved",
    "cancelled",
    "settled",
];

/// How long the sentence stands.
const SECONDS: i64 = 10;

pub async fn told(desk: &Desk, visit: &Visit, done: &Done) -> Result<Vec<Told>, WebError> {
    let key = done.gedaan.as_str();
    if key.starts_with("together") {
        return several(desk, visit, done).await;
    }
    if !CAN_UNDO.contains(&key) && !OTHERS.contains(&key) {
        return Ok(Vec::new());
    }
    let scope = visit.scope()?;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let mut name = String::new();
    let mut undo = String::new();
    let mut when = String::new();
    let mut left = SECONDS;
    if let Ok(id) = done.bericht.parse() {
        let (person, message) = desk::message(&desk.app, scope, id).await?;
        name = person.candidate.first_name;
        when = visit.words.moment(message.not_before, now, zone);
        left = ((message.not_before.0 - now.0) / 1_000_000).clamp(0, SECONDS);
        let rests = message.state == MessageState::Approved && message.not_before > now;
        if CAN_UNDO.contains(&key) && rests {
            undo = format!("/concepten/{id}/terug");
        }
    } else if let Ok(id) = done.kandidaat.parse() {
        let person = desk::person(&desk.app, scope, id).await?;
        if let Some(until) = person.paused_until {
            when = visit.words.near_day(until, now, zone);
        }
        name = person.candidate.first_name;
    }
    let seconds = left.to_string();
    let values = [
        ("name", name.as_str()),
        ("when", when.as_str()),
        ("seconds", seconds.as_str()),
    ];
    let sentence = visit.words.fill(&format!("told.{key}"), &values);
    Ok(vec![Told {
        sentence,
        undo,
        seconds: SECONDS,
    }])
}

/// After several drafts were decided about at once: how many, who stayed behind, and one way back.
async fn several(desk: &Desk, visit: &Visit, done: &Done) -> Result<Vec<Told>, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let now = desk.app.now();
    let parts = match done.samen.parse() {
        Ok(act) => together::of_act(&desk.app, scope, act).await?,
        Err(_) => Vec::new(),
    };
    let rests = |part: &&Part| {
        part.message.state == MessageState::Approved && part.message.not_before > now
    };
    let mut undo = String::new();
    let mut sentences = Vec::new();
    match done.gedaan.as_str() {
        "together" if !parts.is_empty() => {
            let soonest = parts
                .iter()
                .filter(rests)
                .map(|part| part.message.not_before)
                .min();
            let left = soonest.map_or(0, |at| (at.0 - now.0) / 1_000_000);
            sentences.push(fill(
                &words.count("told.together", parts.len()),
                &[("seconds", &left.clamp(0, SECONDS).to_string())],
            ));
            if soonest.is_some() {
                undo = format!("/concepten/samen/{}/terug", done.samen);
            }
        }
        "together_undone" if !parts.is_empty() => {
            let back = parts.iter().filter(|part| part.back).count();
            sentences.push(words.count("told.together_undone", back));
            let gone: Vec<&str> = parts
                .iter()
                .filter(|part| !part.back && part.message.state != MessageState::Waiting)
                .map(|part| part.person.candidate.first_name.as_str())
                .collect();
            if !gone.is_empty() {
                sentences.push(words.fill("told.together_gone", &[("names", &gone.join(", "))]));
            }
        }
        "together_none" => sentences.push(words.say("told.together_none")),
        _ => return Ok(Vec::new()),
    }
    let left: Vec<MessageId> = done
        .niet
        .split('.')
        .filter_map(|id| id.parse().ok())
        .collect();
    let mut names = Vec::new();
    for (message, person) in together::these(&desk.app, scope, &left).await? {
        let key = match message.state {
            MessageState::Waiting if person.unanswered_since.is_some() => "told.left_wrote",
            MessageState::Waiting => "told.left_changed",
            _ => "told.left_decided",
        };
        names.push(words.fill(key, &[("name", &person.candidate.first_name)]));
    }
    if !names.is_empty() {
        sentences.push(words.fill("told.together_left", &[("names", &names.join(", "))]));
    }
    Ok(vec![Told {
        sentence: sentences.join(" "),
        undo,
        seconds: SECONDS,
    }])
}
