//! What a conversation may ask of the house. `app/effects.rs` carries each one out.

use serde::{Deserialize, Serialize};

use super::state::Why;
use crate::domain::contact::Purpose;
use crate::domain::ids::{FlowHash, NodeId, SlotId};
use crate::domain::plan::Subject;
use crate::domain::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Say(Say),
    /// Take back what has not left: message `said`, or with `None` all unsent messages of the
    /// purposes that this step's `Consent` effects stopped.
    Withdraw {
        said: Option<u32>,
    },
    Do {
        act: Act,
        subject: Subject,
        slot: Option<SlotId>,
        by: FlowHash,
    },
    /// `purpose: None` is every purpose (STOP ALLES, START).
    Consent {
        purpose: Option<Purpose>,
        given: bool,
    },
    /// The candidate says that the task with this number is done (KLAAR 2).
    TaskDone {
        number: u32,
    },
    /// The candidate moves the task with this number by some days (LATER 3).
    TaskLater {
        number: u32,
        days: u32,
    },
    /// TAAL EN: the language the person wants to be written to.
    Language {
        code: String,
    },
    /// The person opened an announcement (`_common.open_line`): message `said` may now be shown in
    /// full, in the window that the tap opened. Not a new message.
    Show {
        said: u32,
    },
    /// A flag for the coach.
    AskCoach {
        why: Why,
        subject: Subject,
    },
    /// A run ended; its nudge in the ledger ends with it if it is still open.
    Close {
        flow: FlowHash,
        subject: Subject,
        because: Because,
    },
}

/// One outgoing message. The texts of one step are joined into one message, because two messages
/// can arrive in any order and WhatsApp allows one in six seconds to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    pub said: u32,
    pub texts: Vec<TextKey>,
    pub subject: Subject,
    pub purpose: Purpose,
    /// What the flow asks for; the team's policy and the human floor come after.
    pub approve: Approve,
    /// A direct answer to somebody who just wrote; everything else is a nudge.
    pub direct: bool,
    /// `flow/node`, the name of the rule for policies and the ledger.
    pub rule: String,
    pub not_after: Timestamp,
    pub saying: Saying,
}

/// Which text: a node of a flow, or one that every flow shares (`_common`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKey {
    Node {
        flow: FlowHash,
        node: NodeId,
    },
    /// The same question in other words.
    Again {
        flow: FlowHash,
        node: NodeId,
    },
    Common(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    Tell,
    /// `options` are the choice ids in the order of their digits; `slots` come before them.
    Ask {
        options: Vec<String>,
        slots: Vec<SlotId>,
    },
    /// The one message that may still go after STOP.
    LastWord,
}

/// Who lets a message go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approve {
    Auto,
    FirstTime,
    Coach,
}

impl Approve {
    pub const fn as_str(self) -> &'static str {
        match self {
            Approve::Auto => "auto",
            Approve::FirstTime => "first_time",
            Approve::Coach => "coach",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "auto" => Approve::Auto,
            "first_time" => Approve::FirstTime,
            "coach" => Approve::Coach,
            _ => return None,
        })
    }
}

/// What a choice does to the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    TaskDone,
    TaskLater {
        days: u32,
    },
    TaskSmaller,
    MeetingBook,
    MeetingDecline,
    MeetingAgain,
    /// The person calls it off and wants no other moment now.
    MeetingCancel,
    VacancyYes,
    VacancyTooFar,
    VacancyOtherHours,
    VacancyAskCoach,
    Prefers(String),
    /// An exercise of `digital_comfort` is done; enough of them raise the digital skill.
    Exercise(String),
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    Answered,
    NoAnswer,
    Overtaken,
    Refused,
    Handed,
    Undelivered,
}
