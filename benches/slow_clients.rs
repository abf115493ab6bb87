//! Slow clients against the real program: half a header, half a body, silence, a reader that never reads.
//! Prints what the healthy notice of it, before and during, and after how long each kind was closed.
//!
//! `cargo bench --bench slow_clients` (or `… -- path/to/tussendoor` for a program that was built elsewhere).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, waits for time to pass and reads clocks"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const SECRET: &str = "a secret of the measurement";
/// How long each half of the measurement takes.
const HALF: Duration = Duration::from_secs(12);
/// Healthy clients; each asks twenty times a second, on a new connection every time.
const HEALTHY: usize = 8;
const PAUSE: Duration = Duration::from_millis(50);
/// What is promised.
const GONE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Silence,
    HalfAHeader,
    HalfABody,
    NeverReads,
}

const CROWD: [(Slow, usize); 4] = [
    (Slow::HalfAHeader, 100),
    (Slow::HalfABody, 100),
    (Slow::NeverReads, 50),
    (Slow::Silence, 1000),
];

#[tokio::main]
async fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_tussendoor").to_owned());
    let (mut child, address) = start(&program, folder.path());
    let before = healthy(&address, HALF).await;
    let crowd: Vec<_> = CROWD
        .into_iter()
        .map(|(slow, count)| {
            (
                slow,
                tokio::spawn(come_and_stay(address.clone(), slow, count)),
            )
        })
        .collect();
    let during = healthy(&address, HALF).await;
    let mut well = told("before", before) & told("during", during);
    for (slow, stayed) in crowd {
        let (count, longest) = stayed.await.unwrap();
        println!("{slow:?}: {count} came, the last was closed after {longest:.1?}");
        well &= longest <= GONE_WITHIN;
    }
    drop(child.kill());
    drop(child.wait());
    match well {
        true => ExitCode::SUCCESS,
        false => {
            println!(
                "not as promised: everybody healthy is answered, the slow are gone in {GONE_WITHIN:?}"
            );
            ExitCode::FAILURE
        }
    }
}

/// The program on a fresh SQLite file; its address when it is ready.
fn start(program: &str, folder: &std::path::Path) -> (Child, String) {
    let mut child = Command::new(program)
        .arg("serve")
        .env_clear()
        .env("TUSSENDOOR_DATA_DIR", folder)
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("RUST_LOG", "error")
        .env("TUSSENDOOR_KEYS__MASTER", "11".repeat(32))
        .env("TUSSENDOOR_KEYS__LOOKUP", "22".repeat(32))
        .env("TUSSENDOOR_ORGANISATIONS__W__NAME", "Waterstad")
        .env("TUSSENDOOR_ENDPOINTS__META__PROVIDER", "whatsapp_meta")
        .env(
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__BASE_URL",
            "http://127.0.0.1:9",
        )
        .env("TUSSENDOOR_ENDPOINTS__META__OPTIONS__API_VERSION", "v24.0")
        .env("TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET", SECRET)
        .env("TUSSENDOOR_ENDPOINTS__META__SECRETS__VERIFY_TOKEN", "v")
        .env("TUSSENDOOR_ENDPOINTS__META__SECRETS__ACCESS_TOKEN", "a")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("http://")?.1.to_owned()))
        .unwrap();
    (child, address)
}

struct Noticed {
    times: Vec<Duration>,
    failed: usize,
}

/// Webhooks and pages by turns, each on a new connection: what people and providers notice.
async fn healthy(address: &str, time: Duration) -> Noticed {
    let stop = Arc::new(AtomicBool::new(false));
    let failed = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..HEALTHY)
        .map(|client| {
            let (address, stop, failed) = (address.to_owned(), stop.clone(), failed.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                let mut n = 0usize;
                while !stop.load(Ordering::Relaxed) {
                    let request = match n % 2 {
                        0 => webhook(client, n),
                        _ => b"GET /inloggen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .to_vec(),
                    };
                    n += 1;
                    let begun = Instant::now();
                    if asked(&address, &request)
                        .await
                        .is_some_and(|head| head.starts_with(b"HTTP/1.1 200"))
                    {
                        times.push(begun.elapsed());
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                times
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    times.sort();
    Noticed {
        times,
        failed: failed.load(Ordering::Relaxed),
    }
}

fn webhook(client: usize, n: usize) -> Vec<u8> {
    let body =
        format!("{{\"object\":\"whatsapp_business_account\",\"entry\":[],\"n\":\"{client}-{n}\"}}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    format!(
        "POST /in/meta HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn asked(address: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

/// Prints one line; false if somebody healthy was turned away.
fn told(when: &str, noticed: Noticed) -> bool {
    let at = |part: f64| {
        let last = noticed.times.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        noticed.times.get(index).copied().unwrap_or_default()
    };
    println!(
        "{when}: {} answered, {} not; p50 {:.1?}, p99 {:.1?}, slowest {:.1?}",
        noticed.times.len(),
        noticed.failed,
        at(0.5),
        at(0.99),
        at(1.0)
    );
    noticed.failed == 0
}

/// A whole crowd of one kind; how many came, and how long the last of them stayed.
async fn come_and_stay(address: String, slow: Slow, count: usize) -> (usize, Duration) {
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..count {
        let address = address.clone();
        crowd.spawn(async move {
            let stream = come(&address, slow).await?;
            Some(stayed(stream, slow).await)
        });
    }
    let stays: Vec<Duration> = crowd.join_all().await.into_iter().flatten().collect();
    (stays.len(), stays.into_iter().max().unwrap_or_default())
}

/// `None` if it was sent away before it had said what it says.
async fn come(address: &str, slow: Slow) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    if slow == Slow::NeverReads {
        // Little room: the kernel takes no megabytes in the place of a reader.
        socket.set_recv_buffer_size(4096).ok()?;
    }
    let mut stream = socket.connect(address.parse().ok()?).await.ok()?;
    let said: &[u8] = match slow {
        Slow::Silence => b"",
        Slow::HalfAHeader => b"POST /in/meta HTTP/1.1\r\nHost: x\r\nX-Hub-Sig",
        Slow::HalfABody => {
            b"POST /in/meta HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"obj"
        }
        Slow::NeverReads => {
            let ask = b"GET /static/tussendoor.css HTTP/1.1\r\nHost: x\r\n\r\n".repeat(64);
            let short = Duration::from_millis(300);
            while let Ok(written) = tokio::time::timeout(short, stream.write_all(&ask)).await {
                written.ok()?;
            }
            b""
        }
    };
    stream.write_all(said).await.ok()?;
    Some(stream)
}

async fn stayed(mut stream: TcpStream, slow: Slow) -> Duration {
    let begun = Instant::now();
    let mut bytes = [0; 4096];
    while begun.elapsed() < 3 * GONE_WITHIN {
        let gone = match slow {
            // Reading would make room: only whether writing still works is looked at.
            Slow::NeverReads => {
                tokio::time::sleep(4 * PAUSE).await;
                matches!(stream.try_write(b"GET"), Err(error) if error.kind() != std::io::ErrorKind::WouldBlock)
            }
            _ => {
                let read = tokio::time::timeout(3 * GONE_WITHIN, stream.read(&mut bytes)).await;
                !matches!(read, Ok(Ok(read)) if read > 0)
            }
        };
        if gone {
            break;
        }
    }
    begun.elapsed()
}
