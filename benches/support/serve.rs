//! The program itself, serving: how long until it is ready, and how much memory it holds.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use super::load::begin;
use super::process;

pub struct Serving {
    child: Child,
    pub address: String,
    /// From its start until it said where it listens.
    pub ready: Duration,
}

impl Serving {
    pub fn start(environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let begun = begin();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tussendoor"))
            .arg("serve")
            .env_clear()
            .envs(environment)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("it has an output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                Some(
                    line.split_once("http://")?
                        .1
                        .trim_end_matches('/')
                        .to_owned(),
                )
            })
            .context("it did not start")?;
        let ready = begun.elapsed();
        // It must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            child,
            address,
            ready,
        })
    }

    pub fn cpu(&self) -> f64 {
        process::cpu_micros(self.child.id())
    }

    /// Resident memory now, in megabytes.
    pub fn memory(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .context("a process has memory")?
            .parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
