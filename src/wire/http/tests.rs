//! A provider that misbehaves on loopback, and what we then may claim to know.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A server that plays one act per connection, and counts the requests that it began to read.
struct Stage {
    address: SocketAddr,
    begun: Arc<AtomicU32>,
}

impl Stage {
    fn open(act: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let begun = Arc::new(AtomicU32::new(0));
        let counter = begun.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut first = [0];
                if stream.peek(&mut first).is_ok_and(|n| n == 1) {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                act(stream);
            }
        });
        Self { address, begun }
    }

    async fn send(&self) -> Answer {
        carry(
            &format!("http://{}", self.address),
            &format!("http://{}/x?secret=1", self.address),
        )
        .await
    }

    fn begun(&self) -> u32 {
        self.begun.load(Ordering::SeqCst)
    }
}

fn transport(allowed: &str) -> Result<HttpTransport, BadHttpConfig> {
    HttpTransport::new(HttpConfig {
        trust: Trust::read().unwrap(),
        allowed: vec![allowed.to_owned()],
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(300),
        total_timeout: Duration::from_secs(2),
        proxy: None,
    })
}

async fn carry(allowed: &str, url: &str) -> Answer {
    let envelope = Envelope::Http(HttpEnvelope {
        method: "POST",
        url: url.to_owned(),
        headers: vec![("authorization", "Bearer hush".to_owned())],
        body: b"hello".to_vec(),
    });
    transport(allowed).unwrap().carry(envelope).await
}

/// Reads headers and the five bytes of the body.
fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 1024];
    while !read.ends_with(b"hello") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(n) => read.extend_from_slice(&chunk[..n]),
        }
    }
    String::from_utf8(read).unwrap()
}

fn unknown(answer: &Answer) -> bool {
    match answer {
        Answer::Unknown { why } => {
            assert!(!why.contains("secret") && !why.contains("hush"), "{why}");
            true
        }
        _ => false,
    }
}

fn not_sent(answer: &Answer) -> bool {
    matches!(answer, Answer::NotSent { .. })
}

#[tokio::test]
async fn a_whole_answer_arrives_as_it_is() {
    let stage = Stage::open(|mut stream| {
        let request = read_request(&mut stream);
        assert!(
            request.starts_with("POST /x?secret=1 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("authorization: Bearer hush\r\n"),
            "{request}"
        );
        let answer = b"HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow";
        stream.write_all(answer).unwrap();
    });
    match stage.send().await {
        Answer::Http {
            status: 429,
            headers,
            body,
        } => {
            assert_eq!(body, b"slow");
            assert!(headers.contains(&("retry-after".to_owned(), b"7".to_vec())));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.begun(), 1);
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let answer = carry(&url, &url).await;
    assert!(not_sent(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_failed_tls_handshake_proves_that_nothing_was_sent() {
    let stage = Stage::open(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n");
    });
    let url = format!("https://{}", stage.address);
    let answer = carry(&url, &url).await;
    assert!(not_sent(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_reset_after_the_first_byte_leaves_doubt() {
    // Dropping a socket with unread bytes resets the connection.
    let stage = Stage::open(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
    });
    let answer = stage.send().await;
    assert!(unknown(&answer), "{answer:?}");
    assert_eq!(stage.begun(), 1, "never a second time");
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_leaves_doubt() {
    let stage = Stage::open(|mut stream| {
        read_request(&mut stream);
    });
    let answer = stage.send().await;
    assert!(unknown(&answer), "{answer:?}");
    assert_eq!(stage.begun(), 1, "never a second time");
}

#[tokio::test]
async fn half_an_answer_leaves_doubt() {
    for half in [
        "HTTP/1.1 200 O",
        "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"messages\"",
    ] {
        let stage = Stage::open(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(half.as_bytes()).unwrap();
        });
        let answer = stage.send().await;
        assert!(unknown(&answer), "{half:?} {answer:?}");
        assert_eq!(stage.begun(), 1, "never a second time");
    }
}

#[tokio::test]
async fn silence_leaves_doubt() {
    let (hold, held) = std::sync::mpsc::channel();
    let stage = Stage::open(move |mut stream| {
        read_request(&mut stream);
        hold.send(stream).unwrap();
    });
    let answer = stage.send().await;
    assert!(unknown(&answer), "{answer:?}");
    assert_eq!(stage.begun(), 1, "never a second time");
    drop(held);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let other = Stage::open(drop);
    let location = other.address;
    let stage = Stage::open(move |mut stream| {
        read_request(&mut stream);
        let head = "HTTP/1.1 307 Go\r\ncontent-length: 0\r\n";
        stream
            .write_all(format!("{head}location: http://{location}/\r\n\r\n").as_bytes())
            .unwrap();
    });
    let answer = stage.send().await;
    assert!(
        matches!(answer, Answer::Http { status: 307, .. }),
        "{answer:?}"
    );
    assert_eq!((stage.begun(), other.begun()), (1, 0));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let stage = Stage::open(|mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let answer = stage.send().await;
    assert!(unknown(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_costs_no_second_request() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let requests = Arc::new(AtomicU32::new(0));
    let counter = requests.clone();
    let stage = Stage::open(move |mut stream| {
        read_request(&mut stream);
        counter.fetch_add(1, Ordering::SeqCst);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            .unwrap();
        // The second request on this connection is read and then cut off.
        let second = read_request(&mut stream);
        if !second.is_empty() {
            counter.fetch_add(1, Ordering::SeqCst);
            held.lock().unwrap().recv().unwrap();
        }
    });
    let url = format!("http://{}/x", stage.address);
    let transport = transport(&url).unwrap();
    let envelope = || {
        Envelope::Http(HttpEnvelope {
            method: "POST",
            url: url.clone(),
            headers: Vec::new(),
            body: b"hello".to_vec(),
        })
    };
    assert!(matches!(
        transport.carry(envelope()).await,
        Answer::Http { status: 200, .. }
    ));
    hold.send(()).unwrap();
    let answer = transport.carry(envelope()).await;
    assert!(unknown(&answer), "{answer:?}");
    assert_eq!(
        (requests.load(Ordering::SeqCst), stage.begun()),
        (2, 1),
        "never a third time"
    );
}

#[tokio::test]
async fn only_a_provider_is_called() {
    let stage = Stage::open(drop);
    let port = stage.address.port();
    let allowed = format!("http://127.0.0.1:{port}/v1");
    for url in [
        format!("http://127.0.0.2:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://127.0.0.1:{}/", port ^ 1),
        format!("https://127.0.0.1:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}@example.org/"),
        "http://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "no url".to_owned(),
    ] {
        let answer = carry(&allowed, &url).await;
        assert!(not_sent(&answer), "{url} {answer:?}");
    }
    assert_eq!(stage.begun(), 0);
}

#[test]
fn a_token_never_travels_in_the_clear() {
    for bad in [
        "http://graph.facebook.com",
        "http://10.0.0.1:80",
        "ftp://127.0.0.1",
        "",
        "x",
    ] {
        assert!(transport(bad).is_err(), "{bad}");
    }
    for good in [
        "https://graph.facebook.com",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert!(transport(good).is_ok(), "{good}");
    }
}
