//! The real binary as a child process, on a real port.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::graph::Webhook;

/// What a process says of itself, read along so that it never waits for a reader.
pub struct Log(JoinHandle<Vec<u8>>);

impl Log {
    /// All of it; the process has ended.
    pub fn whole(self) -> String {
        String::from_utf8_lossy(&self.0.join().unwrap()).into_owned()
    }
}

pub struct Running {
    child: Child,
    /// The door; empty where there is none.
    pub address: String,
    /// Where the numbers are, if they are anywhere.
    pub numbers: Option<String>,
    pub client: reqwest::Client,
}

/// A client for loopback, with a deadline, that follows nowhere.
pub fn client() -> reqwest::Client {
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

fn prepared(
    arguments: &[&str],
    environment: &[(String, String)],
    failpoint: Option<&str>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tussendoor"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .stdout(Stdio::piped());
    if let Some(name) = failpoint {
        command.env("TUSSENDOOR_FAILPOINT", name);
    }
    command
}

/// Runs a command to its end: its exit code, and what it said.
pub fn command(arguments: &[&str], environment: &[(String, String)]) -> (Option<i32>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_tussendoor"))
        .args(arguments)
        .env_clear()
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (done.status.code(), said.concat())
}

impl Running {
    /// `serve` with this environment and nothing else of ours; ready when it says where it listens.
    pub fn serve(environment: &[(String, String)], failpoint: Option<&str>) -> Self {
        Self::start(&["serve"], environment, failpoint).expect("the service starts")
    }

    /// Half of the service.
    pub fn serve_only(half: &str, environment: &[(String, String)]) -> Self {
        Self::start(&["serve", "--only", half], environment, None).expect("the half starts")
    }

    /// `None` if the process ended before it was ready (a crash point on the way).
    pub fn start(
        arguments: &[&str],
        environment: &[(String, String)],
        failpoint: Option<&str>,
    ) -> Option<Self> {
        let level = std::env::var("TEST_LOG").unwrap_or_else(|_| "error".into());
        Self::launch(arguments, environment, failpoint, &level, Stdio::inherit())
    }

    /// As `start`, with a level of its own for the log, and where that goes.
    pub fn launch(
        arguments: &[&str],
        environment: &[(String, String)],
        failpoint: Option<&str>,
        level: &str,
        log: Stdio,
    ) -> Option<Self> {
        let mut command = prepared(arguments, environment, failpoint);
        command.env("RUST_LOG", level).stderr(log);
        Self::started(command.spawn().unwrap())
    }

    /// `serve` with a log of its own wish, and what it logs.
    pub fn logging(
        environment: &[(String, String)],
        log: &str,
        failpoint: Option<&str>,
    ) -> (Self, Log) {
        let mut command = prepared(&["serve"], environment, failpoint);
        command.stderr(Stdio::piped()).env("RUST_LOG", log);
        let mut child = command.spawn().unwrap();
        let mut from = child.stderr.take().unwrap();
        let log = Log(std::thread::spawn(move || {
            let mut said = Vec::new();
            from.read_to_end(&mut said).unwrap();
            said
        }));
        (Self::started(child).expect("the service starts"), log)
    }

    fn started(mut child: Child) -> Option<Self> {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers = None;
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line
                .split_once("http://")
                .map(|(_, rest)| rest.trim_end_matches('/').to_owned());
            if line.starts_with("numbers on") {
                numbers = address;
                return None;
            }
            match line.starts_with("ready, without a door") {
                true => Some(String::new()),
                false => address,
            }
        });
        let Some(address) = ready else {
            let _ = child.wait();
            return None;
        };
        // The child must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            child,
            address,
            numbers,
            client: client(),
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What a browser says its pages come from.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Delivers a webhook; the status, or `None` if the connection ended without an answer.
    pub async fn deliver(&self, webhook: &Webhook) -> Option<u16> {
        self.client
            .post(self.url("/in/meta"))
            .header("content-type", "application/json")
            .header("x-hub-signature-256", &webhook.1)
            .body(webhook.0.clone())
            .send()
            .await
            .ok()
            .map(|answer| answer.status().as_u16())
    }

    /// Has the process ended by itself within this time?
    pub fn ends_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > until {
                return None;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Asks the process to stop, as an operator does, and waits for its end: ten seconds are promised.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self
            .ends_within(Duration::from_secs(10))
            .expect("it stops within ten seconds");
        assert!(status.success(), "{status}");
    }

    /// Sends a signal by its name: `STOP` freezes, `CONT` wakes.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let told = Command::new("kill")
            .args([format!("-{name}"), id])
            .status()
            .unwrap();
        assert!(told.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
