//! The person and how we reach them: candidate, coach, address and how sure we are of it,
//! consent per purpose. A person is never a number.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{AddressId, CandidateId, CoachId};
use super::time::Timestamp;

/// What a message is about, and what consent is given for. `Reply` needs no consent: it answers
/// somebody who just wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Tasks,
    Meetings,
    Vacancies,
    CheckIns,
    Reply,
}

impl Purpose {
    /// The four purposes that consent can be given for.
    pub const ASKED: [Purpose; 4] = [
        Purpose::Tasks,
        Purpose::Meetings,
        Purpose::Vacancies,
        Purpose::CheckIns,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Tasks => "tasks",
            Purpose::Meetings => "meetings",
            Purpose::Vacancies => "vacancies",
            Purpose::CheckIns => "check_ins",
            Purpose::Reply => "reply",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "tasks" => Purpose::Tasks,
            "meetings" => Purpose::Meetings,
            "vacancies" => Purpose::Vacancies,
            "check_ins" => Purpose::CheckIns,
            "reply" => Purpose::Reply,
            _ => return None,
        })
    }
}

/// How easily a person finds the way on a phone; set by the coach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigitalSkill {
    Starter,
    Basic,
    Skilled,
}

impl DigitalSkill {
    pub const fn as_str(self) -> &'static str {
        match self {
            DigitalSkill::Starter => "starter",
            DigitalSkill::Basic => "basic",
            DigitalSkill::Skilled => "skilled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "starter" => DigitalSkill::Starter,
            "basic" => DigitalSkill::Basic,
            "skilled" => DigitalSkill::Skilled,
            _ => return None,
        })
    }
}

/// The kind of coaching: sets tone and cadence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    Participation,
    Reintegration,
    Outplacement,
}

impl Track {
    pub const fn as_str(self) -> &'static str {
        match self {
            Track::Participation => "participation",
            Track::Reintegration => "reintegration",
            Track::Outplacement => "outplacement",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "participation" => Track::Participation,
            "reintegration" => Track::Reintegration,
            "outplacement" => Track::Outplacement,
            _ => return None,
        })
    }
}

/// Where a candidate stands with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateState {
    /// Wrote to us; nobody knows yet who this is.
    Unknown,
    Active,
    Paused,
    Left,
    Erased,
}

impl CandidateState {
    pub const fn as_str(self) -> &'static str {
        match self {
            CandidateState::Unknown => "unknown",
            CandidateState::Active => "active",
            CandidateState::Paused => "paused",
            CandidateState::Left => "left",
            CandidateState::Erased => "erased",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "unknown" => CandidateState::Unknown,
            "active" => CandidateState::Active,
            "paused" => CandidateState::Paused,
            "left" => CandidateState::Left,
            "erased" => CandidateState::Erased,
            _ => return None,
        })
    }
}

/// The kinds of address. A number on WhatsApp and on SMS is two addresses: one can be dead and
/// the other not. `Bsuid` is Meta's business-scoped user id, for people without a visible number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    Whatsapp,
    Bsuid,
    Phone,
    Email,
}

impl AddressKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            AddressKind::Whatsapp => "whatsapp",
            AddressKind::Bsuid => "bsuid",
            AddressKind::Phone => "phone",
            AddressKind::Email => "email",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "whatsapp" => AddressKind::Whatsapp,
            "bsuid" => AddressKind::Bsuid,
            "phone" => AddressKind::Phone,
            "email" => AddressKind::Email,
            _ => return None,
        })
    }
}

/// How sure we are that an address reaches this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressState {
    /// The person wrote from it.
    Proven,
    /// Somebody gave it to us.
    Believed,
    /// Something happened that makes us wonder.
    Doubted,
    /// The provider says that it cannot be reached.
    Dead,
}

impl AddressState {
    pub const fn as_str(self) -> &'static str {
        match self {
            AddressState::Proven => "proven",
            AddressState::Believed => "believed",
            AddressState::Doubted => "doubted",
            AddressState::Dead => "dead",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "proven" => AddressState::Proven,
            "believed" => AddressState::Believed,
            "doubted" => AddressState::Doubted,
            "dead" => AddressState::Dead,
            _ => return None,
        })
    }

    /// May a machine send to it?
    pub const fn usable(self) -> bool {
        matches!(self, AddressState::Proven | AddressState::Believed)
    }
}

/// One way to reach a person. Its value (E.164 number, BSUID, mail address) prints as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub id: AddressId,
    pub kind: AddressKind,
    pub value: String,
    pub state: AddressState,
    pub heard_at: Option<Timestamp>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Address({}, {:?}, {:?}, ···)",
            self.id, self.kind, self.state
        )
    }
}

/// The person coached, as far as texts, rules and pages need to know them. Names print as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    pub id: CandidateId,
    pub first_name: String,
    pub family_name: String,
    /// `nl`, `en`: an ISO 639-1 code.
    pub language: String,
    pub digital_skill: DigitalSkill,
    pub track: Track,
    pub coach: Option<CoachId>,
    pub state: CandidateState,
    /// Nudges since the last personal line of the coach (the human floor).
    pub automated_in_row: u32,
    pub by_hand: bool,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({}, {:?})", self.id, self.state)
    }
}

/// How a consent came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Qr,
    Word,
    Coach,
    Form,
    Provider,
}

impl How {
    pub const fn as_str(self) -> &'static str {
        match self {
            How::Qr => "qr",
            How::Word => "word",
            How::Coach => "coach",
            How::Form => "form",
            How::Provider => "provider",
        }
    }
}
