//! One transaction on one connection, and, with its rows (`row.rs`), the only place with an arm per database.
//!
//! A `Tx` from the write door holds BEGIN IMMEDIATE (SQLite) or BEGIN (PostgreSQL) until `commit` or
//! `rollback`; dropped without either, its connection is closed instead of returned, because after a
//! full disk SQLite's connection refuses every later begin. A `Tx` from the read door reads only.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Executor, Postgres, Row as _, Sqlite};
use tokio::sync::OwnedSemaphorePermit;

use super::ahead::Sets;
use super::error::StoreError;
use super::row::Raw;
pub use super::row::Row;
use super::statement::{Kind, Sql, Stmt, Value, batch_text, piece, unnest_text};
use super::{Inner, News, Queue};
use crate::domain::ids::CandidateId;

pub(super) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

pub struct Tx {
    conn: Conn,
    pub(super) inner: Arc<Inner>,
    /// Open until the end was told to the database.
    open: bool,
    wakes: Vec<Queue>,
    news: Vec<News>,
    /// Its place in the line of `write_in_line`; let go with the transaction.
    place: Option<OwnedSemaphorePermit>,
    pub(super) sets: Sets,
    /// Named values that this transaction has read: `marks.rs`.
    pub(super) marks: BTreeMap<&'static str, Option<String>>,
}

impl Tx {
    pub(super) async fn begin(conn: Conn, inner: Arc<Inner>) -> Result<Self, StoreError> {
        // Open before it begins: a caller that gives up half-way must not hand a transaction to the next.
        let mut tx = Self {
            conn,
            inner,
            open: true,
            wakes: Vec::new(),
            news: Vec::new(),
            place: None,
            sets: Sets::default(),
            marks: BTreeMap::new(),
        };
        let begun = match &mut tx.conn {
            Conn::Sqlite(conn) => conn.execute("BEGIN IMMEDIATE").await.map(drop),
            Conn::Postgres(conn) => conn.execute("BEGIN").await.map(drop),
        };
        match begun {
            Ok(()) => Ok(tx),
            Err(error) => Err(StoreError::Unavailable(format!("begin: {error}"))),
        }
    }

    pub(super) fn reading(conn: Conn, inner: Arc<Inner>) -> Self {
        Self {
            conn,
            inner,
            open: false,
            wakes: Vec::new(),
            news: Vec::new(),
            place: None,
            sets: Sets::default(),
            marks: BTreeMap::new(),
        }
    }

    pub(super) fn standing(mut self, place: OwnedSemaphorePermit) -> Self {
        self.place = Some(place);
        self
    }

    /// Makes everything durable, then wakes whom `wake` named. An error here means that nobody knows.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Err(error) = self.write_put_off().await {
            return Err(self.taken_back(error).await);
        }
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => conn.execute("COMMIT").await.map(drop),
            Conn::Postgres(conn) => conn.execute("COMMIT").await.map(drop),
        };
        match done {
            Ok(()) => {
                self.open = false;
                for queue in self.wakes.drain(..) {
                    self.inner.bells.ring(queue);
                }
                for news in self.news.drain(..) {
                    self.inner.bells.tell(news);
                }
                Ok(())
            }
            Err(error) => Err(StoreError::CommitUnknown(error.to_string())),
        }
    }

    /// Takes everything back.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => conn.execute("ROLLBACK").await.map(drop),
            Conn::Postgres(conn) => conn.execute("ROLLBACK").await.map(drop),
        };
        self.open = done.is_err();
        done.map_err(|error| StoreError::Unavailable(format!("rollback: {error}")))
    }

    /// Takes everything back because of this error, which it gives back. A transaction that is only dropped keeps
    /// its locks until the server has seen that its connection is gone.
    pub async fn taken_back<E>(self, error: E) -> E {
        if let Err(other) = self.rollback().await {
            tracing::debug!(error = %other, "a transaction ended with its connection");
        }
        error
    }

    /// Remembered; fired by `commit`.
    pub fn wake(&mut self, queue: Queue) {
        if !self.wakes.contains(&queue) {
            self.wakes.push(queue);
        }
    }

    /// Pages that show this candidate are stale; told by `commit`.
    pub fn changed(&mut self, candidate: CandidateId) {
        let news = News { candidate };
        if !self.news.contains(&news) {
            self.news.push(news);
        }
    }

    /// Runs a statement; the number of rows touched.
    pub async fn run(&mut self, stmt: &Stmt, values: Vec<Value>) -> Result<u64, StoreError> {
        self.write_put_off().await?;
        self.sets.forget();
        let done = match &mut self.conn {
            Conn::Sqlite(conn) => sqlite(stmt, values)?
                .execute(&mut **conn)
                .await
                .map(|done| done.rows_affected()),
            Conn::Postgres(conn) => postgres(stmt, values)?
                .execute(&mut **conn)
                .await
                .map(|done| done.rows_affected()),
        };
        done.map_err(|error| StoreError::from_sqlx(stmt.name, &error))
    }

    /// Runs a statement that must touch exactly one row: a compare-and-set on a version or a state.
    pub async fn save(&mut self, stmt: &Stmt, values: Vec<Value>) -> Result<(), StoreError> {
        match self.run(stmt, values).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale(stmt.name)),
        }
    }

    pub async fn all(&mut self, stmt: &Stmt, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.write_put_off().await?;
        let name = stmt.name;
        match &mut self.conn {
            Conn::Sqlite(conn) => sqlite(stmt, values)?
                .fetch_all(&mut **conn)
                .await
                .map(|rows| {
                    rows.into_iter()
                        .map(|row| Row {
                            name,
                            row: Raw::Sqlite(row),
                        })
                        .collect()
                }),
            Conn::Postgres(conn) => {
                postgres(stmt, values)?
                    .fetch_all(&mut **conn)
                    .await
                    .map(|rows| {
                        rows.into_iter()
                            .map(|row| Row {
                                name,
                                row: Raw::Postgres(row),
                            })
                            .collect()
                    })
            }
        }
        .map_err(|error| StoreError::from_sqlx(name, &error))
    }

    /// The first row, if there is one.
    pub async fn maybe(
        &mut self,
        stmt: &Stmt,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(stmt, values).await?.into_iter().next())
    }

    /// A batch: all rows by as few statements as their number allows. Returns what the tail's
    /// RETURNING gives back.
    pub async fn many(
        &mut self,
        stmt: &Stmt,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, StoreError> {
        self.write_put_off().await?;
        self.sets.forget();
        self.write_many(stmt, rows).await
    }

    pub(super) async fn write_many(
        &mut self,
        stmt: &Stmt,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, StoreError> {
        let Sql::Batch {
            head,
            columns,
            tail,
            lock,
        } = stmt.sql
        else {
            return Err(StoreError::Refused {
                statement: stmt.name,
                why: "not a batch".into(),
            });
        };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let name = stmt.name;
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let mut returned = Vec::new();
                let mut left = rows.into_iter();
                while left.len() > 0 {
                    let size = piece(left.len(), head);
                    let text = batch_text(head, columns.len(), size, tail);
                    let mut query = sqlx::query(AssertSqlSafe(text));
                    let missing = size.saturating_sub(left.len()) * columns.len();
                    for value in left.by_ref().take(size).flatten() {
                        query = bind_sqlite(query, value);
                    }
                    for _ in 0..missing {
                        query = query.bind(None::<i64>);
                    }
                    let rows = query
                        .fetch_all(&mut **conn)
                        .await
                        .map_err(|error| StoreError::from_sqlx(name, &error))?;
                    returned.extend(rows.into_iter().map(|row| Row {
                        name,
                        row: Raw::Sqlite(row),
                    }));
                }
                Ok(returned)
            }
            Conn::Postgres(conn) => {
                let mut query = sqlx::query(AssertSqlSafe(unnest_text(head, columns, tail, lock)));
                let mut by_column: Vec<Vec<Value>> = columns
                    .iter()
                    .map(|_| Vec::with_capacity(rows.len()))
                    .collect();
                for row in rows {
                    for (column, value) in by_column.iter_mut().zip(row) {
                        column.push(value);
                    }
                }
                for (kind, values) in columns.iter().zip(by_column) {
                    query = bind_array(query, *kind, values);
                }
                let rows = query
                    .fetch_all(&mut **conn)
                    .await
                    .map_err(|error| StoreError::from_sqlx(name, &error))?;
                Ok(rows
                    .into_iter()
                    .map(|row| Row {
                        name,
                        row: Raw::Postgres(row),
                    })
                    .collect())
            }
        }
    }

    /// Asks the database to understand a statement without running it: what the test of all
    /// statements does.
    pub async fn prepare(&mut self, stmt: &Stmt) -> Result<(), String> {
        use sqlx::SqlSafeStr as _;
        let text = AssertSqlSafe(stmt.text(self.is_postgres())).into_sql_str();
        match &mut self.conn {
            Conn::Sqlite(conn) => conn.prepare(text).await.map(drop),
            Conn::Postgres(conn) => conn.prepare(text).await.map(drop),
        }
        .map_err(|error| format!("{}: {error}", stmt.name))
    }

    /// How the database would find the rows of a statement, a line a step, whatever the tables hold now:
    /// what the test of all plans reads.
    pub async fn plan(&mut self, stmt: &Stmt) -> Result<Vec<String>, String> {
        let text = stmt.text(self.is_postgres());
        let told = match &mut self.conn {
            Conn::Sqlite(conn) => {
                let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                let rows = sqlx::raw_sql(text).fetch_all(&mut **conn).await;
                rows.and_then(|rows| rows.iter().map(|row| row.try_get("detail")).collect())
            }
            Conn::Postgres(conn) => {
                // Small tables are scanned whatever their indexes: the question is what a large one
                // allows. The plan must serve any values, as those of our prepared statements do.
                let most = (1..)
                    .take_while(|n| text.contains(&format!("${n}")))
                    .count();
                let nulls = match most {
                    0 => String::new(),
                    _ => format!("({})", vec!["NULL"; most].join(", ")),
                };
                let text = AssertSqlSafe(format!(
                    "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; \
                     PREPARE asked AS {text}; EXPLAIN (COSTS OFF) EXECUTE asked{nulls}; DEALLOCATE asked"
                ));
                let rows = sqlx::raw_sql(text).fetch_all(&mut **conn).await;
                rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            }
        };
        told.map_err(|error| format!("{}: {error}", stmt.name))
    }

    pub const fn is_postgres(&self) -> bool {
        matches!(self.conn, Conn::Postgres(_))
    }

    fn close(&mut self) {
        match &mut self.conn {
            Conn::Sqlite(conn) => conn.close_on_drop(),
            Conn::Postgres(conn) => conn.close_on_drop(),
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            self.close();
        }
    }
}

fn not_a_batch(stmt: &Stmt) -> StoreError {
    StoreError::Refused {
        statement: stmt.name,
        why: "a batch goes through many()".into(),
    }
}

fn sqlite(
    stmt: &Stmt,
    values: Vec<Value>,
) -> Result<Query<'static, Sqlite, SqliteArguments>, StoreError> {
    let text = match stmt.sql {
        Sql::One(text) => text,
        Sql::Two { sqlite, .. } => sqlite,
        Sql::Batch { .. } => return Err(not_a_batch(stmt)),
    };
    Ok(values.into_iter().fold(sqlx::query(text), bind_sqlite))
}

fn bind_sqlite(
    query: Query<'static, Sqlite, SqliteArguments>,
    value: Value,
) -> Query<'static, Sqlite, SqliteArguments> {
    match value {
        Value::Int(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Blob(value) => query.bind(value),
    }
}

fn postgres(
    stmt: &Stmt,
    values: Vec<Value>,
) -> Result<Query<'static, Postgres, PgArguments>, StoreError> {
    let text = match stmt.sql {
        Sql::One(text) => text,
        Sql::Two { postgres, .. } => postgres,
        Sql::Batch { .. } => return Err(not_a_batch(stmt)),
    };
    Ok(values
        .into_iter()
        .fold(sqlx::query(text), |query, value| match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Blob(value) => query.bind(value),
        }))
}

/// A value of another kind than its column's becomes NULL, which the column then refuses.
fn bind_array(
    query: Query<'static, Postgres, PgArguments>,
    kind: Kind,
    values: Vec<Value>,
) -> Query<'static, Postgres, PgArguments> {
    let values = values.into_iter();
    match kind {
        Kind::Int => query.bind(
            values
                .map(|value| {
                    if let Value::Int(value) = value {
                        value
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
        Kind::Text => query.bind(
            values
                .map(|value| {
                    if let Value::Text(value) = value {
                        value
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
        Kind::Bool => query.bind(
            values
                .map(|value| {
                    if let Value::Bool(value) = value {
                        Some(value)
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
        Kind::Blob => query.bind(
            values
                .map(|value| {
                    if let Value::Blob(value) = value {
                        value
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
    }
}
