//! The pages of coaches: one file a page, with its view type, its samples and its handlers.

pub mod agenda;
pub mod away;
pub mod candidate;
pub mod candidates;
pub mod drafts;
pub mod letter;
pub mod meetings;
pub mod operator;
pub mod plan;
pub mod said;
pub mod sign_in;
pub mod start;
pub mod today;
pub mod vacancies;
pub mod work;

use serde::Serialize;

/// A chip: a word in a colour. The word carries the meaning, never the colour alone.
#[derive(Debug, Clone, Serialize)]
pub struct Chip {
    /// `good`, `wait`, `alarm`, `brand` or nothing.
    pub tone: &'static str,
    pub word: String,
}

impl Chip {
    pub fn new(tone: &'static str, word: impl Into<String>) -> Self {
        Self {
            tone,
            word: word.into(),
        }
    }
}

/// A block that asks for attention, with one strong sentence first.
#[derive(Debug, Clone, Serialize)]
pub struct Callout {
    pub tone: &'static str,
    pub strong: String,
    pub text: String,
    pub more: String,
}

impl Callout {
    pub fn new(tone: &'static str, strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            tone,
            strong: strong.into(),
            text: text.into(),
            more: String::new(),
        }
    }
}

/// A moment or a day to choose, as the value of a button.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    pub value: String,
    pub word: String,
    pub small: String,
}
