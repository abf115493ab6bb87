//! A stand-in for Meta's Graph API on loopback. It takes sends, misbehaves as told, counts what it
//! accepted per recipient and token; its webhooks are made in `webhooks`, its files kept in `files`. It runs on threads of its
//! own, so that it outlives the process under test. It judges only the outline of a
//! request: `tests/judges` does the rest, on what is recorded here.
//!
//! Plain sockets and no server library: none of them cuts a connection on request.

mod files;
mod webhooks;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub use files::{FileAct, Kept};
pub use webhooks::{Webhook, escaped, posted_together, sign, user_id};

pub const ACCESS_TOKEN: &str = "graph-access-token";
pub const APP_SECRET: &str = "graph-app-secret";
pub const VERIFY_TOKEN: &str = "graph-verify-token";
/// The `phone_number_id` of the line that its webhooks come in on.
pub const LINE: &str = "106540352242922";

/// What it does with one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// Takes the message and says so.
    Accept,
    /// Refuses with this status and body; takes nothing.
    Status(u16, Value),
    /// Takes the message and cuts the connection instead of answering.
    AcceptThenReset,
    /// Cuts the connection with the request unread.
    ResetBeforeReading,
    /// Takes the message and answers only after this long.
    Hang(Duration),
    /// Takes the message; the answer is 200 and no JSON.
    AnswerGarbage2xx,
    /// Takes the message; the answer is a server error.
    AcceptAnd500,
}

/// A message that it took.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// What stood in `to` (with its plus) or `recipient`.
    pub recipient: String,
    /// `biz_opaque_callback_data`.
    pub token: String,
    pub wamid: String,
    pub body: Value,
}

/// A request that it read, taken or not.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

pub struct GraphStandIn {
    pub base_url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    changed: Condvar,
}

#[derive(Default)]
struct Book {
    script: VecDeque<Behaviour>,
    requests: Vec<Request>,
    accepted: Vec<Accepted>,
    /// Webhooks made so far, so that each message has an id of its own.
    heard: u32,
    /// The time that its webhooks tell, in Unix seconds; the machine's, if nobody set it.
    time: Option<i64>,
    stopped: bool,
    /// What people sent, by media id.
    files: BTreeMap<String, Kept>,
}

impl GraphStandIn {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let door = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if door.book().stopped {
                    return;
                }
                let (shared, port) = (door.clone(), address.port());
                std::thread::spawn(move || shared.serve(stream.unwrap(), port));
            }
        });
        Self {
            base_url: format!("http://{address}"),
            address,
            shared,
        }
    }

    /// The next so many requests meet this behaviour, after those that were scripted before.
    pub fn script(&self, behaviour: Behaviour, times: usize) {
        self.shared
            .book()
            .script
            .extend(std::iter::repeat_n(behaviour, times));
    }

    pub fn accepted(&self) -> Vec<Accepted> {
        self.shared.book().accepted.clone()
    }

    /// What it took after the first so many messages.
    pub fn accepted_after(&self, many: usize) -> Vec<Accepted> {
        self.shared.book().accepted[many..].to_vec()
    }

    /// How many messages it took.
    pub fn taken(&self) -> usize {
        self.shared.book().accepted.len()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.book().requests.clone()
    }

    /// How often it took a message with this token for this recipient.
    pub fn count(&self, recipient: &str, token: &str) -> usize {
        let book = self.shared.book();
        book.accepted
            .iter()
            .filter(|a| a.recipient == recipient && a.token == token)
            .count()
    }

    /// Waits until it took so many messages. False: that did not happen in time.
    pub fn wait_for(&self, messages: usize, at_most: Duration) -> bool {
        let waiting = |book: &mut Book| book.accepted.len() < messages;
        let (_book, timeout) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.book(), at_most, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// The time that its webhooks tell from now on, in Unix seconds.
    pub fn set_time(&self, unix_seconds: i64) {
        self.shared.book().time = Some(unix_seconds);
    }
}

impl Drop for GraphStandIn {
    fn drop(&mut self) {
        self.shared.book().stopped = true;
        self.shared.changed.notify_all();
        // Its own door stands in `accept`: one last visitor.
        drop(TcpStream::connect(self.address));
    }
}

fn digits(number: &str) -> String {
    number.trim_start_matches('+').to_owned()
}

/// Meta's ids hold the number too.
fn wamid(recipient: &str, port: u16, what: &str, n: usize) -> String {
    format!(
        "wamid.{}",
        STANDARD.encode(format!("{recipient} {port} {what} {n}"))
    )
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection, until the other side or a behaviour ends it.
    fn serve(&self, stream: TcpStream, port: u16) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            // Blocks until the first byte of a request is there, and leaves it unread.
            let mut first = [0];
            if reader.buffer().is_empty() && stream.peek(&mut first).ok()? == 0 {
                return None;
            }
            // A question for a file: sends have a script of their own.
            if first == *b"G" || reader.buffer().first() == Some(&b'G') {
                let request = read(&mut reader)?;
                self.serve_file(&request, &stream, port)?;
                continue;
            }
            let behaviour = self.book().script.pop_front().unwrap_or(Behaviour::Accept);
            if behaviour == Behaviour::ResetBeforeReading {
                return None;
            }
            let request = read(&mut reader)?;
            record(&request);
            let (status, body) = self.act(&behaviour, &request, port)?;
            write(&stream, status, &body)?;
        }
    }

    /// The answer; `None` cuts the connection.
    fn act(&self, behaviour: &Behaviour, request: &Request, port: u16) -> Option<(u16, String)> {
        self.book().requests.push(request.clone());
        if let Behaviour::Status(status, body) = behaviour {
            return Some((*status, body.to_string()));
        }
        if let Some(refusal) = refusal(request) {
            return Some(refusal);
        }
        let accepted = self.accept(request, port);
        match behaviour {
            Behaviour::AcceptThenReset => None,
            Behaviour::AnswerGarbage2xx => Some((200, "<html>It works!</html>".to_owned())),
            Behaviour::AcceptAnd500 => {
                Some((500, error(131_000, "Something went wrong").to_string()))
            }
            Behaviour::Hang(time) => {
                let until = Instant::now() + *time;
                let mut book = self.book();
                while !book.stopped && Instant::now() < until {
                    let left = until.saturating_duration_since(Instant::now());
                    let woken = self.changed.wait_timeout(book, left);
                    book = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some((200, taken(&accepted)))
            }
            _ => Some((200, taken(&accepted))),
        }
    }

    fn accept(&self, request: &Request, port: u16) -> Accepted {
        let body = request.json();
        let to = body.get("to").or_else(|| body.get("recipient"));
        let recipient = to.and_then(Value::as_str).unwrap_or_default().to_owned();
        let token = body["biz_opaque_callback_data"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut book = self.book();
        let wamid = wamid(&digits(&recipient), port, "sent", book.accepted.len());
        let accepted = Accepted {
            recipient,
            token,
            wamid,
            body,
        };
        book.accepted.push(accepted.clone());
        self.changed.notify_all();
        accepted
    }
}

fn taken(accepted: &Accepted) -> String {
    let mut contact = json!({"input": accepted.recipient});
    match accepted.body.get("to") {
        Some(_) => contact["wa_id"] = json!(digits(&accepted.recipient)),
        None => contact["user_id"] = json!(accepted.recipient),
    }
    let mut message = json!({"id": accepted.wamid});
    if accepted.body["type"] == "template" {
        message["message_status"] = json!("accepted");
    }
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
        .to_string()
}

/// What Meta would refuse at a glance.
fn refusal(request: &Request) -> Option<(u16, String)> {
    if request.header("authorization") != Some(&format!("Bearer {ACCESS_TOKEN}")) {
        return Some((401, error(190, "Invalid OAuth access token").to_string()));
    }
    let parts: Vec<&str> = request.path.split('/').collect();
    let known = matches!(&parts[..], ["", version, line, "messages"]
        if version.starts_with('v') && line.bytes().all(|byte| byte.is_ascii_digit()));
    if !known {
        return Some((404, error(33, "Object does not exist").to_string()));
    }
    let body = request.json();
    let kind = body["type"].as_str().unwrap_or_default();
    let whole = body["messaging_product"] == "whatsapp"
        && body
            .get("to")
            .or_else(|| body.get("recipient"))
            .is_some_and(Value::is_string)
        && body.get(kind).is_some_and(Value::is_object);
    (!whole).then(|| (400, error(100, "Invalid parameter").to_string()))
}

/// An error body as Graph writes it.
pub fn error(code: u32, title: &str) -> Value {
    json!({"error": {
        "message": format!("(#{code}) {title}"),
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": title},
        "fbtrace_id": "AAAAAAAAAAAAAAAAAAAAAAA",
    }})
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let mut request = Request {
        path,
        headers,
        body: Vec::new(),
    };
    let length: usize = request
        .header("content-length")
        .unwrap_or("0")
        .parse()
        .ok()?;
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn write(mut stream: &TcpStream, status: u16, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status} Graph\r\ncontent-type: application/json\r\n");
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).ok()
}

/// One line for the judges, in the file that `TUSSENDOOR_RECORD` names. One write, so that
/// processes side by side do not mix their lines.
fn record(request: &Request) {
    let Some(path) = std::env::var_os("TUSSENDOOR_RECORD") else {
        return;
    };
    let line = json!({
        "path": request.path,
        "authorization": request.header("authorization"),
        "body": String::from_utf8_lossy(&request.body),
    });
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
