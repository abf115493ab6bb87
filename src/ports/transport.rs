//! Carrying an envelope to a provider. The only async contract.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a channel wants carried. Its `Debug` prints no content.
pub enum Envelope {
    Http(HttpEnvelope),
}

pub struct HttpEnvelope {
    /// `POST`, `PUT`.
    pub method: &'static str,
    pub url: String,
    /// Header values may hold tokens.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Envelope::Http(http) => write!(f, "Http({}, {} bytes)", http.method, http.body.len()),
        }
    }
}

/// A question for a file, or for where it lies: one GET. Its `Debug` prints no content.
pub struct Ask {
    pub url: String,
    /// Header values may hold tokens.
    pub headers: Vec<(&'static str, String)>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({} headers)", self.headers.len())
    }
}

/// What is known after the attempt.
#[derive(Clone)]
pub enum Answer {
    /// The whole answer arrived.
    Http {
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
    },
    /// Proof that nothing was sent: name lookup, connect or TLS handshake failed, or the address
    /// is not on the allow-list.
    NotSent { why: String },
    /// The request may have been read: time-out, reset, half an answer.
    Unknown { why: String },
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Http { status, body, .. } => write!(f, "Http({status}, {} bytes)", body.len()),
            Answer::NotSent { why } => write!(f, "NotSent({why})"),
            Answer::Unknown { why } => write!(f, "Unknown({why})"),
        }
    }
}

/// `why` never holds a URL's query, a header or a body.
pub trait Transport: Send + Sync {
    fn carry<'a>(&'a self, envelope: Envelope)
    -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}
