//! The provider contract. A channel does no I/O: bytes in, values out.
//!
//! Receive: `verify` the raw bytes, later `parse` them into items.
//! Send: `encode` one form of one message into an envelope, read the `outcome` off the answer.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::transport::{Answer, Ask, Envelope};
use crate::domain::message::FormBody;
use crate::domain::time::Timestamp;

/// One provider account: what the settings say about `/in/{slug}` and about sending from it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub slug: String,
    /// The name of the channel that speaks this provider's language.
    pub provider: String,
    pub options: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, SecretString>,
}

impl Endpoint {
    /// An option that `Channel::needs` names; the settings check has proven that it is there.
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    pub fn secret(&self, name: &str) -> &str {
        self.secrets
            .get(name)
            .map_or("", |secret| secret.expose_secret())
    }
}

/// A setting without which an endpoint of this provider may not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub name: &'static str,
    pub secret: bool,
}

/// The family a provider belongs to: what the candidate would call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    Whatsapp,
    Sms,
    Email,
}

impl Medium {
    pub const fn as_str(self) -> &'static str {
        match self {
            Medium::Whatsapp => "whatsapp",
            Medium::Sms => "sms",
            Medium::Email => "email",
        }
    }
}

/// What came in over HTTP. Header names are lower case.
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    pub query: &'a str,
    pub headers: &'a [(String, Vec<u8>)],
    pub body: &'a [u8],
}

impl<'a> HttpRequest<'a> {
    /// The value of a header that stands exactly once; a doubled header counts as absent.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} bytes)", self.body.len())
    }
}

/// Bytes that were proven to come from the provider. Each kind of proof is a constructor; there is
/// no other way to make one, so unverified bytes cannot be parsed.
#[derive(Clone, Copy)]
pub struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// HMAC-SHA256 of the raw body. The tag must be exactly 32 bytes before anything is compared
    /// (svix CVE-2024-21491), and is compared in constant time (anymail CVE-2018-6596).
    pub fn by_hmac_sha256(secret: &[u8], body: &'a [u8], tag: &[u8]) -> Result<Self, Unverified> {
        let tag: [u8; 32] = tag.try_into().map_err(|_| Unverified)?;
        if secret.is_empty() {
            return Err(Unverified);
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Unverified)?;
        mac.update(body);
        mac.verify(&tag.into()).map_err(|_| Unverified)?;
        Ok(Self(body))
    }

    /// Bytes that `verify` accepted before they were stored. Only `app/unpack.rs` calls this, on
    /// what it reads from `raw_bodies`.
    pub fn stored(body: &'a [u8]) -> Self {
        Self(body)
    }

    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// The request does not prove where it comes from. It says no more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not verified")]
pub struct Unverified;

/// Verified bytes that cannot be read. `why` names the place, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable: {why}")]
pub struct Unparseable {
    pub why: String,
}

/// What we answer a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

/// One thing that a webhook told us. Serialised, it is what `inbox` keeps.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What makes this item one and the same when it comes again: the provider's id, and for a
    /// receipt its status beside it. Personal data: a WhatsApp id holds the phone number.
    pub identity: String,
    /// The provider's name for the line it came in on (Meta: `phone_number_id`). Empty where the
    /// provider names none, as for templates and the account.
    pub line: String,
    pub what: What,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Heard(Heard),
    Receipt(Receipt),
    Account(Account),
}

/// Somebody said or did something.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    pub provider_id: String,
    pub from: Sender,
    pub at: Timestamp,
    pub content: Content,
    /// The provider's id of the message that this one quotes or answers.
    pub quotes: Option<String>,
    pub forwarded: bool,
}

/// Who it came from. At least one of the two is there.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sender {
    /// E.164 with `+`.
    pub number: Option<String>,
    /// Meta's business-scoped user id.
    pub user_id: Option<String>,
    /// The name in the person's own profile: data, never trusted.
    pub name: Option<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text {
        body: String,
    },
    /// A tap on one of our buttons or list rows. `payload` is what we sent with it.
    Button {
        payload: String,
        label: String,
    },
    /// `emoji: None` takes an earlier reaction back.
    Reaction {
        to: String,
        emoji: Option<String>,
    },
    /// Image, video, audio, voice, document, sticker.
    Media(Media),
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    /// Shared contact cards: the names, as one line each.
    Contacts {
        names: Vec<String>,
    },
    Order {
        items: u32,
    },
    /// The person changed an earlier message.
    Edited {
        original: String,
        body: Option<String>,
    },
    /// The person took an earlier message back.
    Revoked {
        original: String,
    },
    /// The person moved to another number or user id. `from` in `Heard` is the old one.
    NumberChanged {
        new: Sender,
    },
    /// WhatsApp says that the person behind this number may be another one.
    IdentityChanged,
    /// A type that we do not know, or that the provider could not pass on.
    Unsupported {
        kind: String,
    },
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// `image`, `video`, `audio`, `voice`, `document`, `sticker`.
    pub kind: String,
    pub id: String,
    pub mime: String,
    /// As the provider gives it (Meta: base64).
    pub sha256: Option<String>,
    pub caption: Option<String>,
    pub filename: Option<String>,
    pub url: Option<String>,
}

/// What the provider says about a message of ours.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub provider_id: String,
    /// Our own token, if the provider echoes it.
    pub token: Option<String>,
    pub kind: ReceiptKind,
    /// The provider's code of a failure.
    pub code: Option<String>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl ReceiptKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            ReceiptKind::Sent => "sent",
            ReceiptKind::Delivered => "delivered",
            ReceiptKind::Read => "read",
            ReceiptKind::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "sent" => ReceiptKind::Sent,
            "delivered" => ReceiptKind::Delivered,
            "read" => ReceiptKind::Read,
            "failed" => ReceiptKind::Failed,
            _ => return None,
        })
    }
}

/// Something about the account, a template or a group: kept, and shown to the operator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's name for it (Meta: the `field`).
    pub field: String,
    /// `template` or `account`.
    pub template: bool,
    /// One line for the operator, without personal data.
    pub summary: String,
    /// A person moved to another id (`user_id_update`): old, new.
    pub moved: Option<(Sender, Sender)>,
}

/// One form of one message, ready to be sent.
pub struct Outbound<'a> {
    /// The provider's name for our line (Meta: `phone_number_id`).
    pub line: &'a str,
    /// E.164 with `+`, BSUID, or mail address.
    pub to: &'a str,
    pub to_kind: crate::domain::contact::AddressKind,
    pub body: &'a FormBody,
    /// Ours, echoed in receipts where the provider can.
    pub token: &'a str,
}

/// What an answer proves (`threats.md` section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took it. Its id for the message.
    Accepted { provider_id: String },
    /// Proven not sent, and not because of this message: try again, after so many seconds if the
    /// provider says so.
    Later {
        code: String,
        after_seconds: Option<u32>,
    },
    /// Proven not sent: only this recipient must wait (Meta's pair rate).
    LaterForThisPerson { code: String, after_seconds: u32 },
    /// Proven not sent, and this form never will be: the next form may be tried. `dead` says that
    /// the address itself cannot be reached.
    NextForm { code: String, dead: bool },
    /// Proven not sent, and never will be.
    Rejected { code: String },
    /// Proven not sent: the person told the provider to stop.
    OptedOut { code: String },
    /// Proven not sent: our account is wrong. The line pauses until an operator looks.
    Misconfigured { code: String },
    /// Nobody knows.
    InDoubt { code: String },
}

/// What the refusal of a question for a file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFile {
    /// The provider has it no longer.
    Gone,
    /// Our account is wrong.
    Account,
    /// It may be different later.
    Later,
}

impl NoFile {
    pub const fn by_status(status: u16) -> Self {
        match status {
            404 | 410 => NoFile::Gone,
            401 | 403 => NoFile::Account,
            _ => NoFile::Later,
        }
    }
}

pub trait Channel: Send + Sync {
    fn name(&self) -> &'static str;
    fn medium(&self) -> Medium;
    /// Every setting that an endpoint of this provider must have.
    fn needs(&self) -> &'static [Need];
    /// The answer to a GET of the webhook URL.
    fn greet(&self, endpoint: &Endpoint, query: &str) -> Reply;
    fn verify<'a>(
        &self,
        endpoint: &Endpoint,
        request: &HttpRequest<'a>,
    ) -> Result<Verified<'a>, Unverified>;
    /// The answer once the bytes are durable.
    fn thanks(&self) -> Reply;
    fn parse(&self, body: Verified<'_>) -> Result<Vec<Item>, Unparseable>;
    fn encode(&self, endpoint: &Endpoint, outbound: &Outbound<'_>) -> Envelope;
    fn outcome(&self, answer: &Answer) -> Outcome;
    /// What the code of a *failed* receipt means, after acceptance: `NextForm` for codes that say
    /// "undeliverable", anything else is for the coach.
    fn failed(&self, code: &str) -> Outcome;
    /// The question where a file lies that a person sent; `None` if this provider carries no files.
    fn ask_file(&self, _endpoint: &Endpoint, _media: &Media) -> Option<Ask> {
        None
    }
    /// The question for the file itself, out of a good answer to the first one.
    fn file_at(&self, _endpoint: &Endpoint, _answer: &[u8]) -> Option<Ask> {
        None
    }
    /// What a refusal of either question means.
    fn no_file(&self, status: u16, _answer: &[u8]) -> NoFile {
        NoFile::by_status(status)
    }
    /// Hosts of the provider from which files come over https, besides the one of `base_url`. Only
    /// these ever see a token.
    fn file_hosts(&self) -> &'static [&'static str] {
        &[]
    }
}
