//! A fresh database for one test: a SQLite file in a folder of its own, or a PostgreSQL database that is
//! made for it. A test that needs PostgreSQL and does not find it fails.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Mutex;

pub struct Database {
    pub url: String,
    pub folder: tempfile::TempDir,
    /// One connection for all looks: each new one costs PostgreSQL's proof of the password.
    kept: Mutex<Option<PgConnection>>,
}

/// Makes two tests of one body: `on_both!(name, body)` with `async fn body(database: Database)`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(crate::support::database::Database::sqlite()).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(crate::support::database::Database::postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both;

impl Database {
    pub fn kind(&self) -> &'static str {
        match self.url.starts_with("sqlite") {
            true => "SQLite",
            false => "PostgreSQL",
        }
    }

    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("tussendoor.db").display());
        Self::at(url, folder)
    }

    pub async fn postgres() -> Self {
        Self::made("").await
    }

    /// Another database with everything that is in this one, as a dump that was read back. Nobody may be
    /// connected to this one.
    pub async fn twin(&self) -> Self {
        let (_, name) = self.url.rsplit_once('/').unwrap();
        if let Some(kept) = self.kept.lock().await.take() {
            kept.close().await.unwrap();
        }
        Self::made(&format!(" TEMPLATE {name}")).await
    }

    async fn made(from: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let base = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL names no server: run the tests with ./test");
        // A process id comes back on a busy machine; with the moment beside it the name does not.
        let moment = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_nanos();
        let next = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("t{}_{next}_{moment}", std::process::id());
        let mut connection = PgConnection::connect(&base)
            .await
            .expect("PostgreSQL answers");
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}{from}")))
            .await
            .unwrap();
        let (server, _) = base.rsplit_once('/').unwrap();
        Self::at(format!("{server}/{name}"), tempfile::tempdir().unwrap())
    }

    /// A database that stands somewhere already.
    pub fn at(url: String, folder: tempfile::TempDir) -> Self {
        let kept = Mutex::default();
        Self { url, folder, kept }
    }

    /// Asks PostgreSQL something, over the kept connection; over a new one where that is gone.
    pub async fn ask<T>(
        &self,
        run: impl Fn(&mut PgConnection) -> BoxFuture<'_, sqlx::Result<T>>,
    ) -> T {
        let mut kept = self.kept.lock().await;
        if let Some(connection) = kept.as_mut()
            && let Ok(found) = run(connection).await
        {
            return found;
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let found = run(&mut connection).await.unwrap();
        *kept = Some(connection);
        found
    }
}

/// Runs one statement on a database that may be in use; how many rows it touched.
pub async fn execute(database: &Database, sql: &'static str) -> u64 {
    if database.url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        connection.execute(sql).await.unwrap().rows_affected()
    } else {
        let done = database.ask(|connection| connection.execute(sql));
        done.await.rows_affected()
    }
}

/// The texts in the one column of a query, on a database that may be in use.
pub async fn texts(database: &Database, sql: &'static str) -> Vec<String> {
    if database.url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql)
            .fetch_all(&mut connection)
            .await
            .unwrap()
    } else {
        database
            .ask(|connection| sqlx::query_scalar(sql).fetch_all(connection).boxed())
            .await
    }
}
