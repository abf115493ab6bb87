//! A load of webhooks: written and signed beforehand, driven over connections that stay open, each
//! answer awaited. It speaks just enough HTTP/1.1 to cost little.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::house::{APP_SECRET, LINE};
use super::table::Spread;

/// Requests ready to be written, and how many different messages they carry.
#[derive(Clone)]
pub struct Webhooks {
    requests: Arc<Vec<Vec<u8>>>,
    pub distinct: usize,
}

impl Webhooks {
    /// So many requests, each with a message of its own; one in ten follows its twin at once, and so goes
    /// out beside it on another connection. `first` numbers the messages.
    pub fn new(first: usize, count: usize) -> anyhow::Result<Self> {
        let mut requests = Vec::with_capacity(count);
        let mut distinct = 0;
        while requests.len() < count {
            let request = request(first + distinct)?;
            if distinct % 9 == 8 && requests.len() + 1 < count {
                requests.push(request.clone());
            }
            requests.push(request);
            distinct += 1;
        }
        Ok(Self {
            requests: Arc::new(requests),
            distinct,
        })
    }

    pub fn requests(&self) -> &[Vec<u8>] {
        &self.requests
    }
}

/// A text of somebody, as Meta writes and signs it.
fn request(number: usize) -> anyhow::Result<Vec<u8>> {
    let from = 31_610_000_000 + number % 5000;
    let body = format!(
        "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"102290129340398\",\"changes\":[{{\"value\":{{\"messaging_product\":\"whatsapp\",\"metadata\":{{\"display_phone_number\":\"31850001234\",\"phone_number_id\":\"{LINE}\"}},\"contacts\":[{{\"profile\":{{\"name\":\"Samira\"}},\"wa_id\":\"{from}\"}}],\"messages\":[{{\"from\":\"{from}\",\"id\":\"wamid.HBgLMzE2MTIzNDU2NzgVAgASGBQzQUJENjRBN{number:012}\",\"timestamp\":\"1772528400\",\"text\":{{\"body\":\"Hoi, is het gelukt met de afspraak van morgen?\"}},\"type\":\"text\"}}]}},\"field\":\"messages\"}}]}}]}}"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes())?;
    mac.update(body.as_bytes());
    let tag = hex::encode(mac.finalize().into_bytes());
    Ok(format!(
        "POST /in/meta HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-hub-signature-256: sha256={tag}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes())
}

/// How a load went.
pub struct Went {
    pub rate: f64,
    pub times: Spread,
}

/// Drives all requests over so many connections; every answer must be 200. With a pace, a request goes
/// out at its own moment, and its time counts from then, also when no connection was free.
pub async fn drive(
    address: &str,
    webhooks: &Webhooks,
    connections: usize,
    pace: Option<f64>,
) -> anyhow::Result<Went> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let begun = begin();
    let mut drivers = tokio::task::JoinSet::new();
    for stream in streams {
        let (requests, next) = (webhooks.requests.clone(), next.clone());
        drivers.spawn(one(stream, requests, next, begun, pace));
    }
    let mut times = Vec::with_capacity(webhooks.requests.len());
    while let Some(done) = drivers.join_next().await {
        times.extend(done??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Went {
        rate: webhooks.requests.len() as f64 / seconds,
        times: Spread::new(times),
    })
}

async fn one(
    mut stream: TcpStream,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    begun: Instant,
    pace: Option<f64>,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(requests.len() / 8);
    let mut answer = Vec::with_capacity(1024);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(at) else {
            return Ok(times);
        };
        let sent = match pace {
            Some(rate) => {
                let due = begun + Duration::from_secs_f64(at as f64 / rate);
                wait_until(due).await;
                due
            }
            None => begin(),
        };
        stream.write_all(request).await?;
        answer.clear();
        while !answer.ends_with(b"\r\n\r\n") {
            let read = stream.read_buf(&mut answer).await?;
            anyhow::ensure!(read > 0, "the server hung up");
        }
        let status = answer.get(9..12).context("an answer has a status")?;
        anyhow::ensure!(
            status == b"200",
            "answered {}",
            String::from_utf8_lossy(status)
        );
        times.push(sent.elapsed().as_secs_f64() * 1000.0);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures how long it takes"
)]
pub fn begin() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a load keeps its pace")]
async fn wait_until(due: Instant) {
    tokio::time::sleep_until(due.into()).await;
}
