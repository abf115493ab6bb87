//! Files of the stand-in: where one lies, and the file itself; each misbehaves as told.

use std::io::Write;
use std::net::TcpStream;
use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::Digest;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{ACCESS_TOKEN, GraphStandIn, Request, Shared, Webhook, error, write};

/// What it does when asked about one file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileAct {
    /// Gives it.
    Give,
    /// Answers the question where it lies with this instead.
    Place(u16, Value),
    /// Says that it lies here.
    At(String),
    /// Answers the question for the file with this status and no file.
    Status(u16),
    /// Says with 302 that it is here.
    Redirect(String),
    /// Says this length, whatever comes.
    Length(usize),
    /// Says no length, and more and more comes.
    Endless,
    /// Takes its time: a byte now and then.
    Drip,
    /// Cuts the connection half-way.
    Half,
}

/// A file that somebody sent.
#[derive(Debug, Clone)]
pub struct Kept {
    pub id: String,
    pub mime: &'static str,
    pub bytes: Vec<u8>,
    /// What the webhook says; base64.
    pub sha256: String,
    pub act: FileAct,
    /// How often it was asked for, and given whole.
    pub asked: usize,
    pub given: usize,
}

impl GraphStandIn {
    /// Somebody uploads a file.
    pub fn keeps(&self, mime: &'static str, bytes: &[u8]) -> Kept {
        let mut book = self.shared.book();
        let id = format!("{}", 800_000_000_000_000 + book.files.len());
        let kept = Kept {
            id: id.clone(),
            mime,
            bytes: bytes.to_vec(),
            sha256: STANDARD.encode(Sha256::digest(bytes)),
            act: FileAct::Give,
            asked: 0,
            given: 0,
        };
        book.files.insert(id, kept.clone());
        kept
    }

    /// From now on it does this when asked for the file.
    pub fn acts(&self, file: &Kept, act: FileAct) {
        let mut book = self.shared.book();
        book.files.get_mut(&file.id).unwrap().act = act;
    }

    /// The file as it stands now.
    pub fn kept(&self, file: &Kept) -> Kept {
        self.shared.book().files[&file.id].clone()
    }

    /// A person sends a file; `kind` is `image`, `audio`, `document`.
    pub fn webhook_file(&self, from: &str, kind: &str, file: &Kept, caption: &str) -> Webhook {
        let mut part = json!({
            "mime_type": file.mime,
            "sha256": file.sha256,
            "id": file.id,
            "url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        });
        if !caption.is_empty() {
            part["caption"] = json!(caption);
        }
        if kind == "document" {
            part["filename"] = json!("../../<script>.svg");
        }
        let mut message = json!({"type": kind});
        message[kind] = part;
        self.webhook_message(from, "Samira", message)
    }
}

impl Shared {
    pub(super) fn serve_file(
        &self,
        request: &Request,
        stream: &TcpStream,
        port: u16,
    ) -> Option<()> {
        if request.header("authorization") != Some(&format!("Bearer {ACCESS_TOKEN}")) {
            let refusal = error(190, "Invalid OAuth access token").to_string();
            return write(stream, 401, &refusal);
        }
        let parts: Vec<&str> = request.path.split('/').collect();
        match parts[..] {
            ["", version, id] if version.starts_with('v') => self.place(id, stream, port),
            ["", "files", id] => self.file(id, stream),
            _ => write(stream, 404, &error(33, "No such thing").to_string()),
        }
    }

    fn place(&self, id: &str, stream: &TcpStream, port: u16) -> Option<()> {
        let Some(kept) = self.asked(id) else {
            let refusal = error(100, "Object with this ID does not exist");
            return write(stream, 400, &refusal.to_string());
        };
        let url = match kept.act {
            FileAct::Place(status, body) => return write(stream, status, &body.to_string()),
            FileAct::At(url) => url,
            _ => format!("http://127.0.0.1:{port}/files/{id}"),
        };
        let place = json!({
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": kept.mime,
            "sha256": hex::encode(Sha256::digest(&kept.bytes)),
            "file_size": kept.bytes.len(),
            "id": id,
        });
        write(stream, 200, &place.to_string())
    }

    fn asked(&self, id: &str) -> Option<Kept> {
        let mut book = self.book();
        let kept = book.files.get_mut(id)?;
        kept.asked += 1;
        Some(kept.clone())
    }

    fn file(&self, id: &str, mut stream: &TcpStream) -> Option<()> {
        let kept = self.book().files.get(id)?.clone();
        let head = |length: usize| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n"
            )
        };
        match kept.act {
            FileAct::Status(status) => return write(stream, status, "no"),
            FileAct::Redirect(to) => {
                let head =
                    format!("HTTP/1.1 302 Go\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
                return stream.write_all(head.as_bytes()).ok();
            }
            FileAct::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
                stream.write_all(&kept.bytes).ok()?;
                while stream.write_all(&[b'x'; 65_536]).is_ok() {}
                return None;
            }
            FileAct::Drip => {
                stream.write_all(head(kept.bytes.len()).as_bytes()).ok()?;
                for byte in &kept.bytes {
                    stream.write_all(&[*byte]).ok()?;
                    if self.stops_within(Duration::from_millis(300)) {
                        return None;
                    }
                }
                return None;
            }
            FileAct::Half => {
                stream.write_all(head(kept.bytes.len()).as_bytes()).ok()?;
                stream.write_all(&kept.bytes[..kept.bytes.len() / 2]).ok()?;
                return None;
            }
            // And then it hangs up: nobody waits for what never comes.
            FileAct::Length(length) => {
                stream.write_all(head(length).as_bytes()).ok()?;
                stream.write_all(&kept.bytes).ok()?;
                return None;
            }
            _ => stream.write_all(head(kept.bytes.len()).as_bytes()).ok()?,
        }
        stream.write_all(&kept.bytes).ok()?;
        let mut book = self.book();
        book.files.get_mut(id)?.given += 1;
        self.changed.notify_all();
        Some(())
    }

    fn stops_within(&self, time: Duration) -> bool {
        let book = self.book();
        self.changed
            .wait_timeout_while(book, time, |book| !book.stopped)
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .stopped
    }
}
