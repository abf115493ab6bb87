//! WhatsApp Cloud API of Meta, both directions. Here: who may call us and the contract; below it
//! `receive` (webhooks to items), `send` (forms to requests, answers to outcomes), `files` (how files
//! are asked for) and `codes`. Nothing is fetched here, and nothing is remembered.

pub mod codes;
mod files;
mod receive;
mod send;

use super::kit;
use crate::ports::channel::{
    Channel, Endpoint, HttpRequest, Item, Media, Medium, Need, NoFile, Outbound, Outcome, Reply,
    Unparseable, Unverified, Verified,
};
use crate::ports::transport::{Answer, Ask, Envelope};

pub struct WhatsappMeta;

impl Channel for WhatsappMeta {
    fn name(&self) -> &'static str {
        "whatsapp_meta"
    }

    fn medium(&self) -> Medium {
        Medium::Whatsapp
    }

    fn needs(&self) -> &'static [Need] {
        &[
            Need {
                name: "base_url",
                secret: false,
            },
            Need {
                name: "api_version",
                secret: false,
            },
            Need {
                name: "app_secret",
                secret: true,
            },
            Need {
                name: "verify_token",
                secret: true,
            },
            Need {
                name: "access_token",
                secret: true,
            },
        ]
    }

    /// Meta asks once, when the webhook address is set: the challenge goes back as it came.
    fn greet(&self, endpoint: &Endpoint, query: &str) -> Reply {
        let asked = kit::query(query, "hub.mode").is_some_and(|mode| mode == "subscribe")
            && kit::query(query, "hub.verify_token")
                .is_some_and(|token| kit::same(endpoint.secret("verify_token"), &token));
        match kit::query(query, "hub.challenge") {
            Some(challenge) if asked => plain(200, challenge.into_bytes()),
            _ => plain(403, Vec::new()),
        }
    }

    fn verify<'a>(
        &self,
        endpoint: &Endpoint,
        request: &HttpRequest<'a>,
    ) -> Result<Verified<'a>, Unverified> {
        kit::signed(endpoint, request, "x-hub-signature-256", "app_secret")
    }

    /// Exactly 200: Meta documents no other success.
    fn thanks(&self) -> Reply {
        plain(200, Vec::new())
    }

    fn parse(&self, body: Verified<'_>) -> Result<Vec<Item>, Unparseable> {
        receive::items(&kit::json(body.bytes())?)
    }

    fn encode(&self, endpoint: &Endpoint, outbound: &Outbound<'_>) -> Envelope {
        send::request(endpoint, outbound)
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        send::outcome(answer)
    }

    fn failed(&self, code: &str) -> Outcome {
        codes::failed(code)
    }

    fn ask_file(&self, endpoint: &Endpoint, media: &Media) -> Option<Ask> {
        files::place_of(endpoint, media)
    }

    fn file_at(&self, endpoint: &Endpoint, answer: &[u8]) -> Option<Ask> {
        files::at(endpoint, answer)
    }

    fn no_file(&self, status: u16, answer: &[u8]) -> NoFile {
        files::refused(status, answer)
    }

    fn file_hosts(&self) -> &'static [&'static str] {
        &["lookaside.fbsbx.com"]
    }
}

fn plain(status: u16, body: Vec<u8>) -> Reply {
    Reply {
        status,
        content_type: "text/plain; charset=utf-8",
        body,
    }
}
