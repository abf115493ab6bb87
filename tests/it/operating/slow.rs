//! Clients that hold a connection and do nothing with it: each kind is gone within ten seconds, and nobody
//! else notices.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::database::Database;
use crate::support::graph::GraphStandIn;
use crate::support::house::environment;
use crate::support::running::Running;
use crate::support::wait::between_looks;

/// What a slow client says before it falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Nothing,
    HalfAHeader,
    HalfABody,
    NeverReads,
}

async fn come(address: &str, slow: Slow) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if slow == Slow::NeverReads {
        // Little room: the kernel takes no megabytes in the place of a reader.
        socket.set_recv_buffer_size(4096).unwrap();
    }
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    match slow {
        Slow::Nothing => {}
        Slow::HalfAHeader => stream
            .write_all(b"POST /in/meta HTTP/1.1\r\nHost: x\r\nX-Hub-Sig")
            .await
            .unwrap(),
        Slow::HalfABody => stream
            .write_all(b"POST /in/meta HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"obj")
            .await
            .unwrap(),
        Slow::NeverReads => {
            // More answers than the kernels on both sides hold.
            let ask = b"GET /static/tussendoor.css HTTP/1.1\r\nHost: x\r\n\r\n".repeat(64);
            while tokio::time::timeout(Duration::from_millis(300), stream.write_all(&ask))
                .await
                .is_ok_and(|written| written.is_ok())
            {}
        }
    }
    stream
}

/// Waits until the other side has closed; how long that took.
async fn closed(mut stream: TcpStream, slow: Slow) -> Duration {
    let begun = Instant::now();
    let mut bytes = [0; 4096];
    loop {
        assert!(
            begun.elapsed() < Duration::from_secs(12),
            "{slow:?} is still here"
        );
        let end = match slow {
            // Reading would make room: only whether writing still works is looked at.
            Slow::NeverReads => match stream.try_write(b"GET / HTTP/1.1\r\n") {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
                Err(_) => true,
                Ok(_) => false,
            },
            _ => match tokio::time::timeout(Duration::from_millis(100), stream.read(&mut bytes))
                .await
            {
                Ok(Ok(0) | Err(_)) => true,
                Ok(Ok(_)) | Err(_) => false,
            },
        };
        if end {
            return begun.elapsed();
        }
        between_looks().await;
    }
}

/// More idle connections than there are places, and five of each other kind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_gone_within_ten_seconds_and_hold_up_nobody() {
    let database = Database::sqlite();
    let graph = GraphStandIn::start();
    let mut environment = environment(&database, &graph.base_url);
    environment.push(("TUSSENDOOR_HTTP__CONNECTIONS".into(), "100".into()));
    let running = Running::serve(&environment, None);
    let mut waits = tokio::task::JoinSet::new();
    for slow in [Slow::HalfABody, Slow::NeverReads, Slow::HalfAHeader] {
        for _ in 0..5 {
            let address = running.address.clone();
            waits.spawn(async move { (slow, closed(come(&address, slow).await, slow).await) });
        }
    }
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(come(&running.address, Slow::Nothing).await);
    }
    // Everybody's place is taken: a webhook and a page come through at once, each on a new connection.
    let begun = Instant::now();
    for n in 0..10 {
        let webhook = graph.webhook_text("+31612345678", "Samira", &format!("hallo {n}"));
        let fresh = crate::support::running::client();
        let answer = fresh
            .post(running.url("/in/meta"))
            .header("x-hub-signature-256", &webhook.1)
            .body(webhook.0)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let page = fresh.get(running.url("/inloggen")).send().await.unwrap();
        assert_eq!(page.status().as_u16(), 200);
    }
    let healthy = begun.elapsed();
    assert!(
        healthy < Duration::from_secs(5),
        "the healthy took {healthy:?}"
    );
    for stream in idle {
        waits.spawn(async move { (Slow::Nothing, closed(stream, Slow::Nothing).await) });
    }
    while let Some(done) = waits.join_next().await {
        let (slow, took) = done.unwrap();
        assert!(took <= Duration::from_secs(10), "{slow:?} stayed {took:?}");
    }
    running.stop();
}
