//! A newtype for every id, so that a task's id can never be passed where a candidate's is meant.
//! Ids are ULIDs; in the database and on pages they are their 26-character text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The text was not a ULID of 26 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Ulid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
        impl From<Ulid> for $name {
            fn from(id: Ulid) -> Self {
                Self(id)
            }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Ulid::from_string(text).map(Self).map_err(|_| NotAnId)
            }
        }
    )*};
}

ids! {
    /// A municipality or firm.
    OrganisationId,
    /// A group of coaches with one inbox of unclaimed people.
    TeamId,
    /// A professional who signs in.
    CoachId,
    /// The person coached.
    CandidateId,
    /// One way to reach a person.
    AddressId,
    /// One number or mailbox of an organisation.
    LineId,
    /// The candidate's agreed goals.
    PlanId,
    /// One small step of a plan.
    TaskId,
    /// One appointment.
    MeetingId,
    /// A free time that a coach offers.
    SlotId,
    /// A vacancy from a feed.
    VacancyId,
    /// An outgoing message, from draft to its end.
    MessageId,
    /// One stored raw webhook body.
    RawId,
    /// One parsed item of a webhook.
    ItemId,
    /// One received message.
    IncomingId,
    /// Something a coach must look at.
    FlagId,
    /// One row of the ledger of nudges.
    NudgeId,
    /// One data key.
    KeyId,
    /// One delivery report.
    ReceiptId,
    /// Several approvals by one press of a button.
    ActId,
    /// A row that nothing else names: an approval, a consent, a note, an audit entry.
    RowId,
}

/// The hash of a flow and its texts: which version a run plays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowHash(pub String);

impl fmt::Display for FlowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a node inside one flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for NodeId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}
