//! What can happen to a conversation.

use serde::{Deserialize, Serialize};

use super::state::Why;
use crate::domain::command::{Command, Vocabulary};
use crate::domain::ids::FlowHash;
use crate::domain::plan::Subject;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A rule, a coach or another flow begins a flow.
    Start {
        flow: FlowHash,
        subject: Subject,
    },
    /// The candidate said something, on whatever channel.
    Heard(Heard),
    /// A provider accepted message number `said`.
    Accepted {
        said: u32,
    },
    /// Proven not delivered, and no form is left.
    Undelivered {
        said: u32,
    },
    /// Refused by a coach, expired, or held too long.
    Dropped {
        said: u32,
    },
    /// The timer of the talk went off.
    Woke,
    /// Something in the plan changed, by a coach, an import or a flow (`by`).
    Changed {
        what: Change,
        subject: Subject,
        by: Option<FlowHash>,
    },
    TakenOver {
        why: Why,
    },
    GivenBack,
}

/// What came in from the candidate, with what its words mean before any flow hears them. The
/// vocabulary may change; a stored event keeps what was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub words: String,
    pub kind: HeardKind,
    pub button: Option<Button>,
    pub command: Option<Command>,
    pub alarm: Option<Alarm>,
    /// Plain yes or no.
    pub assent: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardKind {
    /// Words, or a tap (then `words` is the label).
    Words,
    /// An emoji put on a message; `words` is the emoji.
    Reaction,
    /// Something to see or hear; `words` is its caption.
    Media,
    /// A photo; `words` is its caption.
    Photo,
}

impl Heard {
    pub fn words(words: &str, vocabulary: &Vocabulary) -> Self {
        Self {
            words: words.to_owned(),
            kind: HeardKind::Words,
            button: None,
            command: vocabulary.command(words),
            alarm: vocabulary.alarm(words),
            assent: vocabulary.assent(words).or_else(|| thumb(words)),
        }
    }

    /// The label is ours: it is neither a command nor an alarm.
    pub fn tap(button: Button, label: &str) -> Self {
        Self {
            words: label.to_owned(),
            kind: HeardKind::Words,
            button: Some(button),
            command: None,
            alarm: None,
            assent: None,
        }
    }

    pub fn reaction(emoji: &str) -> Self {
        Self {
            words: emoji.to_owned(),
            kind: HeardKind::Reaction,
            button: None,
            command: None,
            alarm: None,
            assent: thumb(emoji),
        }
    }

    /// A voice note, document, place or contact. Its caption can hold an alarm.
    pub fn media(caption: &str, vocabulary: &Vocabulary) -> Self {
        Self {
            kind: HeardKind::Media,
            command: None,
            assent: None,
            ..Self::words(caption, vocabulary)
        }
    }

    /// A photo, which a question may ask for. Its caption can hold an alarm.
    pub fn photo(caption: &str, vocabulary: &Vocabulary) -> Self {
        Self {
            kind: HeardKind::Photo,
            ..Self::media(caption, vocabulary)
        }
    }
}

/// A thumb, in any colour of skin.
fn thumb(text: &str) -> Option<bool> {
    let is_tone = |c: char| matches!(c, '\u{1F3FB}'..='\u{1F3FF}' | '\u{FE0F}');
    match text.trim().trim_end_matches(is_tone) {
        "👍" => Some(true),
        "👎" => Some(false),
        _ => None,
    }
}

/// A tap on a button or list row. `to` is the number of the message it stood under, so an old
/// button answers no new question. The house makes it from the payload `said:choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub to: u32,
    pub choice: String,
}

impl Button {
    /// The choice under a message that only announces another one (`_common.open_line`).
    pub const OPEN: &str = "open";

    pub fn payload(&self) -> String {
        format!("{}:{}", self.to, self.choice)
    }

    /// `None`: not one of ours, such as a template that somebody else sends from this number.
    pub fn parse(payload: &str) -> Option<Self> {
        let (to, choice) = payload.split_once(':')?;
        let to = to.parse().ok()?;
        Some(Self {
            to,
            choice: choice.to_owned(),
        })
    }
}

/// Words that no flow may handle (`domain.md` section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    Crisis,
    Threat,
    FormalRequest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    TaskDone,
    TaskDropped,
    MeetingBooked,
    MeetingMoved,
    MeetingCancelled,
    MeetingMissed,
    /// A coach called off a meeting for which no moment was agreed.
    InvitationWithdrawn,
    VacancyClosed,
    /// Another coach for good, or for the time of an absence; the subject is `Nothing`.
    CoachChanged,
    CoachAway,
    CoachBack,
    /// The person was heard, on whatever way: what counts their silence begins anew. The subject is
    /// `Nothing`. What the person says to us is heard without it; it tells what the house learns otherwise
    /// (a meeting was held, a coach spoke to them).
    SignOfLife,
}
