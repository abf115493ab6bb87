//! The steps of the schema, inside the program: `migrations/sqlite` and `migrations/postgres`.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use sqlx::migrate::{Migration, MigrationType};
use sqlx::{AssertSqlSafe, SqlSafeStr};

#[derive(RustEmbed)]
#[folder = "migrations/"]
struct MigrationFiles;

/// The steps of one folder, by their number.
pub(super) fn of(folder: &str) -> Vec<Migration> {
    let mut list = Vec::new();
    for path in MigrationFiles::iter().filter(|path| path.starts_with(folder)) {
        let name = &path[folder.len()..];
        let Some(file) = MigrationFiles::get(&path) else {
            continue;
        };
        let (Some((number, rest)), Ok(sql)) = (
            name.split_once('_'),
            String::from_utf8(file.data.into_owned()),
        ) else {
            continue;
        };
        let Ok(version) = number.parse() else {
            continue;
        };
        let description = rest.trim_end_matches(".sql").replace('_', " ");
        list.push(one(version, description, sql));
    }
    list
}

pub(super) fn one(version: i64, description: String, sql: String) -> Migration {
    Migration::new(
        version,
        Cow::Owned(description),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    )
}
