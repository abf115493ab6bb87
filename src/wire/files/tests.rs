//! A host of files that misbehaves on loopback, and names that lead where they should not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const MOST: usize = 1000;

struct Stage {
    address: SocketAddr,
    visits: Arc<AtomicU32>,
}

impl Stage {
    /// Reads each request to its end, then plays the act.
    fn open(act: impl Fn(&str, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let visits = Arc::new(AtomicU32::new(0));
        let counter = visits.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                let mut read = Vec::new();
                let mut byte = [0];
                while !read.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    read.push(byte[0]);
                }
                act(&String::from_utf8_lossy(&read), stream);
            }
        });
        Self { address, visits }
    }

    fn saying(answer: &'static [u8]) -> Self {
        Self::open(move |_, mut stream| {
            // The other side may have heard enough.
            let _ = stream.write_all(answer);
        })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn visits(&self) -> u32 {
        self.visits.load(Ordering::SeqCst)
    }

    async fn fetch(&self) -> Fetched {
        get(&[&self.url()], &format!("{}/f?secret=1", self.url()), true).await
    }
}

fn files(allowed: &[&str], loopback: bool, look_up: LookUp) -> Files {
    let allowed = allowed.iter().map(|url| (*url).to_owned()).collect();
    let config = FilesConfig {
        trust: Trust::read().unwrap(),
        allowed: BTreeMap::from([("here".to_owned(), allowed)]),
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(300),
        total_timeout: Duration::from_millis(1500),
        proxy: None,
        loopback,
    };
    Files::looking_up(config, look_up).unwrap()
}

fn ask(url: &str) -> Ask {
    Ask {
        url: url.to_owned(),
        headers: vec![("authorization", "Bearer hush".to_owned())],
    }
}

async fn get(allowed: &[&str], url: &str, loopback: bool) -> Fetched {
    let files = files(allowed, loopback, LookUp::System);
    files.get("here", ask(url), MOST).await
}

fn nothing(fetched: &Fetched) -> bool {
    match fetched {
        Fetched::Nothing { why } => {
            assert!(!why.contains("secret") && !why.contains("hush"), "{why}");
            true
        }
        _ => false,
    }
}

#[tokio::test]
async fn a_whole_file_arrives_as_it_is_with_the_token_sent() {
    let stage = Stage::open(|request, mut stream| {
        assert!(
            request.starts_with("GET /f?secret=1 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("authorization: Bearer hush\r\n"),
            "{request}"
        );
        assert!(!request.contains("accept-encoding"), "{request}");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\0\r\n")
            .unwrap();
    });
    let expected = Fetched::Answer {
        status: 200,
        body: b"\xff\0\r\n".to_vec(),
    };
    assert_eq!(stage.fetch().await, expected);
}

#[tokio::test]
async fn a_refusal_arrives_with_its_reason_cut_short() {
    let stage = Stage::open(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 404 No\r\n\r\n");
        let _ = stream.write_all(&[b'x'; 100_000]);
    });
    match stage.fetch().await {
        Fetched::Answer { status: 404, body } => assert!(body.len() <= MOST),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn too_large_is_seen_in_the_head_and_while_it_streams() {
    let told = Stage::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n");
    assert_eq!(told.fetch().await, Fetched::TooLarge);
    let untold = Stage::open(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(&[b'x'; 512]).is_ok() {}
    });
    assert_eq!(untold.fetch().await, Fetched::TooLarge);
    let chunked = Stage::open(|_, mut stream| {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).unwrap();
        while stream.write_all(b"3\r\nxxx\r\n").is_ok() {}
    });
    assert_eq!(chunked.fetch().await, Fetched::TooLarge);
}

#[tokio::test]
async fn exactly_the_most_is_not_too_large() {
    let stage = Stage::open(|_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            .unwrap();
        stream.write_all(&[b'x'; MOST]).unwrap();
    });
    assert!(matches!(
        stage.fetch().await,
        Fetched::Answer { status: 200, body } if body.len() == MOST
    ));
}

#[tokio::test]
async fn a_length_that_promises_more_than_comes_is_no_file() {
    let stage = Stage::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nxxx");
    let fetched = stage.fetch().await;
    assert!(nothing(&fetched), "{fetched:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let other = Stage::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
    let to = other.url();
    let stage = Stage::open(move |_, mut stream| {
        let head = format!("HTTP/1.1 302 Go\r\nlocation: {to}/\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    });
    let allowed = [stage.url(), other.url()];
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    let fetched = get(&allowed, &format!("{}/f", stage.url()), true).await;
    assert!(
        matches!(fetched, Fetched::Answer { status: 302, .. }),
        "{fetched:?}"
    );
    assert_eq!(other.visits(), 0);
}

#[tokio::test]
async fn silence_and_a_drip_end_in_time() {
    let (hold, held) = std::sync::mpsc::channel();
    let silent = Stage::open(move |_, stream| hold.send(stream).unwrap());
    let fetched = silent.fetch().await;
    assert!(nothing(&fetched), "{fetched:?}");
    drop(held);
    // Never silent for long, and never done.
    let drip = Stage::open(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let fetched = drip.fetch().await;
    assert!(nothing(&fetched), "{fetched:?}");
}

#[tokio::test]
async fn only_the_endpoints_own_origins_are_asked() {
    let stage = Stage::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
    let port = stage.address.port();
    let here = stage.url();
    for url in [
        format!("http://127.0.0.2:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("http://:x@127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{}/", port - 1),
        "file:///etc/passwd".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/".to_owned(),
        "https://evil.example/".to_owned(),
        "no url".to_owned(),
    ] {
        assert_eq!(get(&[&here], &url, true).await, Fetched::NotThere, "{url}");
    }
    let files = files(&[&here], true, LookUp::System);
    assert_eq!(
        files.get("elsewhere", ask(&here), MOST).await,
        Fetched::NotThere
    );
    assert_eq!(stage.visits(), 0);
}

#[tokio::test]
async fn this_machine_is_no_provider_unless_somebody_said_so() {
    let stage = Stage::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
    let port = stage.address.port();
    for url in [stage.url(), format!("http://localhost:{port}")] {
        assert_eq!(get(&[&url], &url, false).await, Fetched::NotThere, "{url}");
        assert!(
            matches!(get(&[&url], &url, true).await, Fetched::Answer { .. }),
            "{url}"
        );
    }
    assert_eq!(stage.visits(), 2);
    for literal in [
        "https://127.0.0.1",
        "https://[::1]",
        "https://10.0.0.1",
        "https://[fd00::1]",
    ] {
        assert_eq!(get(&[literal], literal, false).await, Fetched::NotThere);
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_called() {
    for told in [
        vec!["127.0.0.1"],
        vec!["10.1.2.3"],
        vec!["169.254.169.254"],
        vec!["::1"],
        vec!["::ffff:127.0.0.1"],
        vec!["64:ff9b::a00:1"],
        vec!["2002:7f00:1::1"],
        vec!["1.1.1.1", "192.168.1.1"],
    ] {
        let told: Vec<IpAddr> = told.iter().map(|ip| ip.parse().unwrap()).collect();
        let files = files(
            &["https://files.example"],
            false,
            LookUp::Told(told.clone()),
        );
        let fetched = files
            .get("here", ask("https://files.example/f"), MOST)
            .await;
        assert_eq!(fetched, Fetched::NotThere, "{told:?}");
    }
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_looked_at() {
    // The name is in no name server: only what was looked up can lead to this door.
    let stage = Stage::saying(b"no TLS here");
    let url = format!("https://files.example:{}", stage.address.port());
    let told = LookUp::Told(vec!["127.0.0.1".parse().unwrap()]);
    let files = files(&[&url], true, told);
    let fetched = files.get("here", ask(&url), MOST).await;
    assert!(nothing(&fetched), "{fetched:?}");
    assert_eq!(stage.visits(), 1);
}
