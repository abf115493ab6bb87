//! Everything in a database, past the store: its real schema, all its rows, and hands that change them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection,
};

use super::database::Database;

impl Database {
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }

    /// Bytes as this database writes them in SQL.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        match self.is_sqlite() {
            true => format!("x'{}'", hex::encode(bytes)),
            false => format!("'\\x{}'::bytea", hex::encode(bytes)),
        }
    }

    /// A change by hand: an intruder's, or a test's for what no verb writes yet. SQLite does not look
    /// after references here, as its own shell does not.
    pub async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let options = sqlx::sqlite::SqliteConnectOptions::clone(&self.url.parse().unwrap())
                .foreign_keys(false);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// One column of text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        }
    }

    /// The real schema: every table of ours with its columns.
    pub async fn columns(&self) -> BTreeMap<String, BTreeSet<String>> {
        let tables = self
            .texts(match self.is_sqlite() {
                true => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                false => "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
            })
            .await;
        let mut columns = BTreeMap::new();
        for table in tables {
            if table.starts_with("_sqlx") {
                continue;
            }
            let names = self
                .texts(&match self.is_sqlite() {
                    true => format!("SELECT name FROM pragma_table_info('{table}')"),
                    false => format!("SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'"),
                })
                .await;
            columns.insert(table, names.into_iter().collect());
        }
        columns
    }

    /// Every row of every table as text, with its columns in the order of their names.
    pub async fn dump(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut dump = BTreeMap::new();
        for (table, columns) in self.columns().await {
            let each: Vec<String> = columns
                .iter()
                .map(|column| match self.is_sqlite() {
                    true => format!("'{column}=' || quote({column})"),
                    false => format!("'{column}=' || COALESCE({column}::text, 'NULL')"),
                })
                .collect();
            let sql = format!("SELECT {} FROM {table}", each.join(" || ' | ' || "));
            dump.insert(table, self.texts(&sql).await.into_iter().collect());
        }
        dump
    }
}
