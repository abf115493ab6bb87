//! An outgoing message: the states of the failure model and their transitions, and the forms in
//! which one message may leave.

use serde::{Deserialize, Serialize};

/// The states that the database keeps (`outgoing.state`). *Claimed* is a row lock, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    /// A coach is writing it.
    Draft,
    /// Waits for a coach's eye.
    Waiting,
    /// May go from `not_before_at`.
    Approved,
    /// A rule keeps it back; `state_why` says which.
    Held,
    /// Durably promised to the wire; an attempt number is its fence.
    Sending,
    /// Only after proof of non-acceptance.
    Retry,
    /// Left by proof or by a person, never by time.
    InDoubt,
    Accepted,
    Rejected,
    Cancelled,
    Expired,
}

impl MessageState {
    pub const ALL: [MessageState; 11] = [
        MessageState::Draft,
        MessageState::Waiting,
        MessageState::Approved,
        MessageState::Held,
        MessageState::Sending,
        MessageState::Retry,
        MessageState::InDoubt,
        MessageState::Accepted,
        MessageState::Rejected,
        MessageState::Cancelled,
        MessageState::Expired,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            MessageState::Draft => "draft",
            MessageState::Waiting => "waiting",
            MessageState::Approved => "approved",
            MessageState::Held => "held",
            MessageState::Sending => "sending",
            MessageState::Retry => "retry",
            MessageState::InDoubt => "in_doubt",
            MessageState::Accepted => "accepted",
            MessageState::Rejected => "rejected",
            MessageState::Cancelled => "cancelled",
            MessageState::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// May this state be followed by that one? Every change in the database asks this first,
    /// but for the marks of a restore.
    /// Nothing leads out of an end, and only *sending* leads to acceptance or doubt.
    pub const fn may_become(self, next: MessageState) -> bool {
        use MessageState as S;
        match self {
            S::Draft => matches!(next, S::Waiting | S::Approved | S::Cancelled),
            S::Waiting => matches!(next, S::Approved | S::Held | S::Cancelled | S::Expired),
            S::Approved => matches!(
                next,
                S::Waiting | S::Held | S::Sending | S::Cancelled | S::Expired | S::Rejected
            ),
            S::Held => matches!(next, S::Waiting | S::Approved | S::Cancelled | S::Expired),
            S::Sending => matches!(next, S::Accepted | S::Rejected | S::Retry | S::InDoubt),
            S::Retry => matches!(
                next,
                S::Sending | S::Held | S::Cancelled | S::Expired | S::Rejected
            ),
            // A person decides (accepted, again, leave it) or a receipt proves it.
            S::InDoubt => matches!(next, S::Accepted | S::Rejected | S::Approved | S::Retry),
            // A *failed* receipt that proves "undeliverable" gives way to the next form, once.
            S::Accepted => matches!(next, S::Rejected | S::Retry),
            S::Rejected | S::Cancelled | S::Expired => false,
        }
    }

    /// Nothing more will happen to it by itself.
    pub const fn ended(self) -> bool {
        matches!(
            self,
            MessageState::Accepted
                | MessageState::Rejected
                | MessageState::Cancelled
                | MessageState::Expired
        )
    }
}

/// One form of one message, as it will leave. Serialised it is sealed into `forms.body_sealed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormBody {
    Text {
        text: String,
    },
    /// A question with its answers: up to three become buttons, up to ten a list.
    Buttons {
        text: String,
        choices: Vec<Choice>,
        list_label: String,
    },
    Template(Template),
}

impl FormBody {
    /// The text as the phone shows it, without the answers.
    pub fn shown(&self) -> &str {
        match self {
            FormBody::Text { text } | FormBody::Buttons { text, .. } => text,
            FormBody::Template(template) => &template.body,
        }
    }

    pub fn choices(&self) -> &[Choice] {
        match self {
            FormBody::Text { .. } => &[],
            FormBody::Buttons { choices, .. } => choices,
            FormBody::Template(template) => &template.buttons,
        }
    }

    /// The name in `forms.kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            FormBody::Text { .. } => "text",
            FormBody::Buttons { .. } => "buttons",
            FormBody::Template(_) => "template",
        }
    }
}

/// One answer that can be tapped. `payload` comes back with the tap: `said:choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub payload: String,
    pub label: String,
}

/// A template that Meta approved: only its name and parameters travel, `body` is what the phone
/// will show and what the approval's hash covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    /// `nl`, `en`: as the provider knows it (`en_US`).
    pub language: String,
    /// `utility`, `marketing`, `authentication`.
    pub category: String,
    pub params: Vec<String>,
    pub body: String,
    pub buttons: Vec<Choice>,
}
