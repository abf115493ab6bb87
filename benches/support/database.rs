//! A fresh database for one measurement: SQLite in a folder on the disk that temporary files are on, or a
//! database of its own on the PostgreSQL that `TEST_POSTGRES_URL` names.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench is told by its environment which PostgreSQL it may use"
)]

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::process;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }
}

/// The databases to measure on: both, or SQLite alone where no PostgreSQL was named.
pub fn kinds() -> Vec<Kind> {
    match server() {
        Some(_) => vec![Kind::Sqlite, Kind::Postgres],
        None => {
            println!("TEST_POSTGRES_URL names no server: SQLite only");
            vec![Kind::Sqlite]
        }
    }
}

fn server() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}

pub struct Database {
    pub kind: Kind,
    pub url: String,
    pub folder: TempDir,
    /// On PostgreSQL: where to drop it again, and its name.
    made: Option<(String, String)>,
}

impl Database {
    pub async fn new(kind: Kind) -> anyhow::Result<Self> {
        let server = server().filter(|_| kind == Kind::Postgres);
        Self::on(server).await
    }

    /// On this PostgreSQL, or else on SQLite.
    pub async fn on(server: Option<String>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let kind = match server {
            Some(_) => Kind::Postgres,
            None => Kind::Sqlite,
        };
        let (url, made) = match (kind, server) {
            (Kind::Postgres, Some(base)) => {
                let name = format!("bench_{}_{}", std::process::id(), moment());
                let mut connection = PgConnection::connect(&base).await?;
                connection
                    .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .await?;
                let server = base
                    .rsplit_once('/')
                    .map_or(base.as_str(), |(left, _)| left);
                (format!("{server}/{name}"), Some((base.clone(), name)))
            }
            _ => {
                let path = folder.path().join("tussendoor.db");
                (format!("sqlite://{}", path.display()), None)
            }
        };
        Ok(Self {
            kind,
            url,
            folder,
            made,
        })
    }

    pub async fn execute(&self, sql: &str) -> anyhow::Result<u64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self.kind {
            Kind::Sqlite => SqliteConnection::connect(&self.url)
                .await?
                .execute(sql)
                .await?
                .rows_affected(),
            Kind::Postgres => PgConnection::connect(&self.url)
                .await?
                .execute(sql)
                .await?
                .rows_affected(),
        })
    }

    /// What PostgreSQL's own caretaker does within a minute: without it the planner takes a table that was
    /// just filled for an empty one.
    pub async fn settle(&self) -> anyhow::Result<()> {
        if self.kind == Kind::Postgres {
            self.execute("ANALYZE").await?;
        }
        Ok(())
    }

    /// One number.
    pub async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_one(&mut connection).await?
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_one(&mut connection).await?
            }
        })
    }

    /// Processor time of the server's processes that work for this database, in microseconds: where the
    /// server runs on this machine. On SQLite the database is part of whoever uses it.
    pub async fn cpu(&self) -> anyhow::Result<f64> {
        if self.kind == Kind::Sqlite {
            return Ok(0.0);
        }
        let mut connection = PgConnection::connect(&self.url).await?;
        let ids: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .fetch_all(&mut connection)
        .await?;
        Ok(ids
            .into_iter()
            .filter_map(|id| u32::try_from(id).ok())
            .map(process::cpu_micros)
            .sum())
    }

    /// Takes it away again; a folder goes by itself.
    pub async fn drop(self) -> anyhow::Result<()> {
        if let Some((base, name)) = &self.made {
            PgConnection::connect(base)
                .await?
                .execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
                .await?;
        }
        Ok(())
    }
}

/// A number that no other bench has: the moment.
fn moment() -> u128 {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |elapsed| elapsed.as_nanos())
}
