//! A PostgreSQL of our own on a slow disk: made in a temporary folder, run with the library of `shim`,
//! stopped by its id.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::load::begin;

pub struct Server {
    child: Child,
    _folder: TempDir,
    pub url: String,
}

impl Server {
    /// `None` where PostgreSQL's own programs are not installed.
    pub async fn start(library: &Path) -> anyhow::Result<Option<Self>> {
        let Ok(told) = Command::new("pg_config").arg("--bindir").output() else {
            return Ok(None);
        };
        let bin = String::from_utf8(told.stdout)?.trim().to_owned();
        if !Path::new(&bin).join("initdb").exists() {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        // It refuses to run as root.
        let root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
        if root {
            ran(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let command = |program: &str| {
            let program = format!("{bin}/{program}");
            let mut command = Command::new(if root { "setpriv" } else { &program });
            if root {
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                    .arg(&program);
            }
            command.arg("-D").arg(&data).stdout(Stdio::null());
            command
        };
        ran(command("initdb").args(["-U", "postgres", "-A", "trust", "--no-sync"]))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = command("postgres")
            .args(["-p", &port.to_string(), "-k"])
            .arg(folder.path())
            .args(["-c", "listen_addresses=127.0.0.1"])
            .env("LD_PRELOAD", library)
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self {
            child,
            _folder: folder,
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        };
        let patience = begin();
        while PgConnection::connect(&server.url).await.is_err() {
            anyhow::ensure!(
                patience.elapsed() < Duration::from_secs(30),
                "our own PostgreSQL does not answer"
            );
            pause().await;
        }
        Ok(Some(server))
    }
}

fn ran(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().context("a program of PostgreSQL")?;
    anyhow::ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server takes a moment to start"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-INT", &id]).status());
        drop(self.child.wait());
    }
}
