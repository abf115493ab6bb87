//! The database: SQLite or PostgreSQL by the scheme of its URL, behind two doors. `write()` is one
//! transaction; on SQLite the write pool is one connection, whose waiting line is fair. `read()` is for
//! pages: it never queues behind writers and cannot write.

pub mod absences;
pub mod acts;
pub mod addresses;
mod ahead;
pub mod alone;
pub mod arrivals;
pub mod attempts;
pub mod audit;
pub mod backup;
mod bells;
pub mod calendars;
mod checkpoint;
pub mod coaches;
pub mod contacts;
pub mod disk;
pub mod error;
pub mod exercises;
pub mod experiments;
pub mod feeds;
pub mod flags;
pub mod flows;
pub mod forget;
pub mod holds;
pub mod imports;
pub mod inbox;
pub mod invites;
pub mod lines;
pub mod looking;
pub mod marks;
pub mod matches;
pub mod media;
pub mod meetings;
mod migrations;
pub mod notes;
pub mod nudges;
pub mod outbox;
pub mod owners;
pub mod pages;
pub mod personal;
pub mod plans;
pub mod restored;
pub mod rounds;
pub mod row;
pub mod sealed;
pub mod searches;
pub mod slots;
pub mod statement;
pub mod stuck;
pub mod talks;
pub mod tx;
pub mod vacancies;
pub mod watch;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, SqlitePool};
use tokio::sync::Semaphore;

pub use ahead::{Coming, Serves};
pub use bells::{Bells, News, Queue};
pub use error::StoreError;
pub use row::Row;
use sealed::Keys;
pub use sealed::Secrets;
pub use tx::Tx;

use crate::ports::chance::Chance;

enum Pools {
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres { write: PgPool, read: PgPool },
}

pub(crate) struct Inner {
    pools: Pools,
    /// Who plays talks on PostgreSQL: two batches of turns, or one of anything else.
    line: Arc<Semaphore>,
    /// SQLite's file.
    file: Option<PathBuf>,
    keys: Keys,
    bells: Bells,
}

/// The store. Cloning it is cheap.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// SQLite before this can corrupt a WAL database with several connections.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);
/// How long a request waits for a connection before it is told that the database is unavailable.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was in use this short a time ago is not asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// So many batches of turns at once on PostgreSQL.
const LINE: u32 = 2;
/// Brings SQLite's log into its file and cuts the log to nothing.
const SCRUB: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

impl Store {
    /// Opens the database that `url` names (`sqlite:path` or `postgres://…`) and checks its version.
    /// It does not migrate.
    pub async fn open(
        url: &str,
        secrets: Secrets,
        chance: Arc<dyn Chance>,
    ) -> Result<Self, StoreError> {
        let unavailable = |error: sqlx::Error| StoreError::Unavailable(format!("open: {error}"));
        let pools = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(|_| {
                StoreError::Schema("DATABASE_URL is not a PostgreSQL address".into())
            })?;
            // A frozen process must not hold its locks until it wakes: none of ours pauses for so long
            // between two statements.
            // Nor may a plan go by how small a table was when it was made: a storm fills it in seconds. Each
            // statement has its index, as a test of all plans sees.
            let options = options.options([
                ("idle_in_transaction_session_timeout", "15s"),
                ("enable_seqscan", "off"),
                ("jit", "off"),
            ]);
            let reading = options
                .clone()
                .options([("default_transaction_read_only", "on")]);
            // Whether a connection is still there is asked only when it rested: under load the question
            // is one trip of five.
            let write = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                .before_acquire(|connection, rested| {
                    Box::pin(async move {
                        Ok(rested.idle_for < FRESH || connection.ping().await.is_ok())
                    })
                })
                .connect_with(options)
                .await
                .map_err(unavailable)?;
            let read = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(reading);
            Pools::Postgres { write, read }
        } else if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(|_| StoreError::Schema("DATABASE_URL is not a SQLite address".into()))?
                .foreign_keys(true)
                .busy_timeout(PATIENCE)
                .statement_cache_capacity(1024)
                // A batch's rows cross to us at once.
                .row_buffer_size(512);
            let writing = options
                .clone()
                // Pages of the busiest tables stay in memory (KiB). Twice as much made turns no cheaper: the
                // system has the other pages at hand.
                .pragma("cache_size", "-8192")
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Zeroes what is removed from a page that stays in use: a destroyed key, above all.
                .pragma("secure_delete", "FAST")
                // What a statement would take back if it failed half-way stands in memory: in a file it was
                // half of all that a batch of turns wrote.
                .pragma("temp_store", "MEMORY")
                .synchronous(SqliteSynchronous::Full);
            // A file does not hang up: to ask before each transaction whether it is there costs a trip to
            // the connection's thread.
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .test_before_acquire(false)
                .acquire_timeout(PATIENCE)
                .connect_with(writing)
                .await
                .map_err(unavailable)?;
            let read = SqlitePoolOptions::new()
                .max_connections(4)
                .test_before_acquire(false)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(options.read_only(true));
            sqlite_version(&write).await?;
            Pools::Sqlite { write, read }
        } else {
            return Err(StoreError::Schema(
                "DATABASE_URL must begin with sqlite: or postgres://".into(),
            ));
        };
        Ok(Self {
            inner: Arc::new(Inner {
                pools,
                line: Arc::new(Semaphore::new(LINE as usize)),
                file: backup::file_of(url),
                keys: Keys::new(secrets, chance),
                bells: Bells::new(),
            }),
        })
    }

    /// Brings the schema up to date; how many migrations ran is not told, an old one that changed is.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_with(Vec::new()).await
    }

    /// As `migrate`, with migrations that a test plants: version and text.
    pub async fn migrate_with(&self, planted: Vec<(i64, String)>) -> Result<(), StoreError> {
        let folder = match &self.inner.pools {
            Pools::Sqlite { .. } => "sqlite/",
            Pools::Postgres { .. } => "postgres/",
        };
        let mut list = migrations::of(folder);
        list.extend(
            planted
                .into_iter()
                .map(|(version, sql)| migrations::one(version, "planted".into(), sql)),
        );
        let all = Migrator::with_migrations(list);
        let done = match &self.inner.pools {
            Pools::Sqlite { write, .. } => all.run(write).await,
            Pools::Postgres { write, .. } => all.run(write).await,
        };
        done.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::Schema(format!(
                "the database has migration {version}, which this version of the program does not know: start the newer version"
            )),
            MigrateError::VersionMismatch(version) => StoreError::Schema(format!(
                "migration {version} in the database is not the one of this program"
            )),
            MigrateError::Dirty(version) => {
                StoreError::Schema(format!("migration {version} was left half-way: restore a backup"))
            }
            MigrateError::ExecuteMigration(error, version) => StoreError::Schema(format!(
                "migration {version} failed and was taken back whole: {error}"
            )),
            other => StoreError::Unavailable(format!("migrate: {other}")),
        })
    }

    /// From now on nobody but `checkpoint` moves pages from SQLite's log into the file: no commit stands still
    /// for it. Nothing to do on PostgreSQL.
    pub async fn checkpoints_apart(&self) -> Result<(), StoreError> {
        match &self.inner.pools {
            Pools::Sqlite { write, .. } => checkpoint::apart(write).await,
            Pools::Postgres { .. } => Ok(()),
        }
    }

    /// Moves pages from SQLite's log into the file, beside the writer; how many are left in the log.
    pub async fn checkpoint(&self) -> Result<u64, StoreError> {
        match &self.inner.pools {
            Pools::Sqlite { write, .. } => checkpoint::run(write).await,
            Pools::Postgres { .. } => Ok(0),
        }
    }

    /// A transaction that may write.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let unavailable = |error: sqlx::Error| StoreError::Unavailable(format!("acquire: {error}"));
        let conn = match &self.inner.pools {
            Pools::Sqlite { write, .. } => {
                tx::Conn::Sqlite(write.acquire().await.map_err(unavailable)?)
            }
            Pools::Postgres { write, .. } => {
                tx::Conn::Postgres(write.acquire().await.map_err(unavailable)?)
            }
        };
        Tx::begin(conn, self.inner.clone()).await
    }

    /// A transaction for a batch that plays talks of many people. Two of those at once lock the same
    /// talks in two orders, and PostgreSQL needs a second to see that nobody can go on; so those of one
    /// process stand in line, as all writers do on SQLite.
    pub async fn write_in_line(&self) -> Result<Tx, StoreError> {
        self.standing(LINE).await
    }

    /// The same for a batch of turns: two of those at once take the items of different people.
    pub async fn write_beside(&self) -> Result<Tx, StoreError> {
        self.standing(1).await
    }

    async fn standing(&self, places: u32) -> Result<Tx, StoreError> {
        if matches!(self.inner.pools, Pools::Sqlite { .. }) {
            return self.write().await;
        }
        let place = self.inner.line.clone().acquire_many_owned(places).await;
        let place = place.map_err(|_| StoreError::Unavailable("the line is closed".into()))?;
        Ok(self.write().await?.standing(place))
    }

    /// A connection that only reads.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let unavailable = |error: sqlx::Error| StoreError::Unavailable(format!("acquire: {error}"));
        let conn = match &self.inner.pools {
            Pools::Sqlite { read, .. } => {
                tx::Conn::Sqlite(read.acquire().await.map_err(unavailable)?)
            }
            Pools::Postgres { read, .. } => {
                tx::Conn::Postgres(read.acquire().await.map_err(unavailable)?)
            }
        };
        Ok(Tx::reading(conn, self.inner.clone()))
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.pools, Pools::Postgres { .. })
    }

    /// The size of the write-ahead log, where there is a file of it.
    pub fn wal_bytes(&self) -> Option<u64> {
        disk::wal_bytes(self.inner.file.as_deref()?)
    }

    pub fn bells(&self) -> &Bells {
        &self.inner.bells
    }

    /// A keyed hash: how we look up what we keep sealed.
    pub fn hash(&self, kind: &str, value: &str) -> String {
        self.inner.keys.hash(kind, value)
    }

    /// Makes sure that what was removed is in no file of the database any more; false if the database
    /// does so in its own time (PostgreSQL), or if somebody was reading all the while.
    pub async fn scrub(&self) -> Result<bool, StoreError> {
        let Pools::Sqlite { write, .. } = &self.inner.pools else {
            return Ok(false);
        };
        let unavailable = |error: sqlx::Error| StoreError::Unavailable(format!("scrub: {error}"));
        let mut connection = write.acquire().await.map_err(unavailable)?;
        let mut busy = true;
        // Writers wait while it runs, so it gives up soon. Old pages live on in the log until it is cut.
        for text in ["PRAGMA busy_timeout = 250", SCRUB, SCRUB, SCRUB] {
            let rows = sqlx::query(text)
                .fetch_all(&mut *connection)
                .await
                .map_err(unavailable)?;
            if text == SCRUB {
                busy = match rows.first() {
                    Some(row) => sqlx::Row::try_get::<i64, _>(row, 0).map_err(unavailable)? != 0,
                    None => true,
                };
                if !busy {
                    break;
                }
            }
        }
        // With its own patience again, for whoever uses it next.
        connection.close_on_drop();
        Ok(!busy)
    }

    /// Closes every connection; what is open finishes first.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

/// Every statement of every file, for the test that prepares them all on both databases.
pub fn statements() -> Vec<&'static [statement::Stmt]> {
    vec![
        absences::ALL,
        acts::ALL,
        addresses::ALL,
        alone::ALL,
        arrivals::ALL,
        attempts::ALL,
        audit::ALL,
        calendars::ALL,
        coaches::ALL,
        contacts::ALL,
        feeds::ALL,
        flags::ALL,
        exercises::ALL,
        experiments::ALL,
        flows::ALL,
        forget::ALL,
        holds::ALL,
        imports::ALL,
        inbox::ALL,
        invites::ALL,
        lines::ALL,
        looking::ALL,
        marks::ALL,
        matches::ALL,
        media::ALL,
        meetings::ALL,
        notes::ALL,
        nudges::ALL,
        outbox::ALL,
        owners::ALL,
        pages::ALL,
        personal::ALL,
        plans::ALL,
        restored::ALL,
        rounds::ALL,
        sealed::ALL,
        searches::ALL,
        slots::ALL,
        stuck::ALL,
        talks::ALL,
        vacancies::ALL,
        watch::ALL,
    ]
}

async fn sqlite_version(pool: &SqlitePool) -> Result<(), StoreError> {
    let text: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await
        .map_err(|error| StoreError::Unavailable(format!("version: {error}")))?;
    let mut numbers = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let found = (next(), next(), next());
    if found < SQLITE_AT_LEAST {
        let (a, b, c) = SQLITE_AT_LEAST;
        return Err(StoreError::Schema(format!(
            "SQLite {text} can corrupt a database that several connections use; {a}.{b}.{c} is the oldest that may serve"
        )));
    }
    Ok(())
}
