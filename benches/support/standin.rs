//! A stand-in for Meta's Graph API that costs little: it reads a request to its end, remembers whom
//! it was for, waits if told to, and says yes. It runs on a thread of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::load::begin;

#[derive(Clone)]
pub struct StandIn {
    pub base_url: String,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    taken: HashMap<Vec<u8>, u32>,
    count: u64,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl StandIn {
    /// Answers each request after this long.
    pub fn start(delay: Duration) -> anyhow::Result<Self> {
        let (told, hears) = std::sync::mpsc::channel();
        let book: Arc<Mutex<Book>> = Arc::default();
        let kept = book.clone();
        std::thread::spawn(move || -> anyhow::Result<()> {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(async move {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    told.send(listener.local_addr()?)?;
                    loop {
                        let (stream, _) = listener.accept().await?;
                        stream.set_nodelay(true)?;
                        tokio::spawn(serve(stream, kept.clone(), delay));
                    }
                })
        });
        let address = hears.recv().context("the stand-in listens")?;
        Ok(Self {
            base_url: format!("http://{address}"),
            book,
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests it took, and how many people got more than one: a bench writes to each once.
    pub fn count(&self) -> (u64, u64) {
        let book = self.book();
        let doubled = book.taken.values().filter(|times| **times > 1).count();
        (book.count, doubled as u64)
    }

    pub fn forget(&self) {
        *self.book() = Book::default();
    }

    /// Waits until it took so many: the seconds between the first and the last.
    pub async fn until(&self, count: u64) -> anyhow::Result<f64> {
        let patience = begin();
        loop {
            {
                let book = self.book();
                if let (true, Some(first), Some(last)) =
                    (book.count >= count, book.first, book.last)
                {
                    return Ok((last - first).as_secs_f64());
                }
                anyhow::ensure!(
                    patience.elapsed() < Duration::from_secs(120),
                    "{} of {count} arrived",
                    book.count
                );
            }
            pause(Duration::from_millis(20)).await;
        }
    }
}

/// What stands before the number, in a body as our channel writes it.
const TO: &[u8] = b"\"to\":\"";

async fn serve(
    mut stream: TcpStream,
    book: Arc<Mutex<Book>>,
    delay: Duration,
) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(4096);
    let mut number = 0u64;
    loop {
        let length = loop {
            if let Some(length) = whole(&buffer)
                && buffer.len() >= length
            {
                break length;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let request = &buffer[..length];
        let recipient = after(request, TO).unwrap_or_default().to_vec();
        number += 1;
        let id = format!("wamid.{}.{number}", String::from_utf8_lossy(&recipient));
        {
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            *book.taken.entry(recipient.clone()).or_default() += 1;
            book.count += 1;
            let now = begin();
            book.first.get_or_insert(now);
            book.last = Some(now);
        }
        buffer.drain(..length);
        if !delay.is_zero() {
            pause(delay).await;
        }
        let body = format!(
            "{{\"messaging_product\":\"whatsapp\",\"contacts\":[{{\"input\":\"{0}\",\"wa_id\":\"{0}\"}}],\"messages\":[{{\"id\":\"{id}\"}}]}}",
            String::from_utf8_lossy(&recipient)
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a provider takes its time: that is what is stood in for"
)]
async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}

/// The length of the first request, once its head is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = find(buffer, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + length.unwrap_or(0))
}

fn after<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = &text[find(text, name)? + name.len()..];
    Some(&rest[..rest.iter().position(|byte| *byte == b'"')?])
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
