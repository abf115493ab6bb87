//! One row of either database, read by the name of its columns.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row as _};

use super::error::StoreError;
use crate::domain::time::Timestamp;

pub(super) enum Raw {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// One row. A getter that does not fit names the statement, the column and the row's id.
pub struct Row {
    pub(super) name: &'static str,
    pub(super) row: Raw,
}

macro_rules! get {
    ($self:ident, $column:ident, $type:ty) => {
        match &$self.row {
            Raw::Sqlite(row) => row.try_get::<$type, _>($column),
            Raw::Postgres(row) => row.try_get::<$type, _>($column),
        }
        .map_err(|error| $self.wrong($column, &error))
    };
}

impl Row {
    fn wrong(&self, column: &str, error: &sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::ColumnNotFound(_) => StoreError::from_sqlx(self.name, error),
            _ => self.corrupt(column),
        }
    }

    /// For values that decode but mean nothing.
    pub fn corrupt(&self, column: &str) -> StoreError {
        let has_id = match &self.row {
            Raw::Sqlite(row) => row.columns().iter().any(|column| column.name() == "id"),
            Raw::Postgres(row) => row.columns().iter().any(|column| column.name() == "id"),
        };
        let id = if has_id && column != "id" {
            self.text("id").unwrap_or_default()
        } else {
            String::new()
        };
        StoreError::Corrupt {
            statement: self.name,
            column: column.to_owned(),
            id,
        }
    }

    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        get!(self, column, i64)
    }

    pub fn maybe_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        get!(self, column, Option<i64>)
    }

    pub fn count(&self, column: &str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        get!(self, column, String)
    }

    pub fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        get!(self, column, Option<String>)
    }

    pub fn flag(&self, column: &str) -> Result<bool, StoreError> {
        get!(self, column, bool)
    }

    pub fn blob(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        get!(self, column, Vec<u8>)
    }

    pub fn maybe_blob(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        get!(self, column, Option<Vec<u8>>)
    }

    pub fn at(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp)
    }

    pub fn maybe_at(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp))
    }

    /// An id, a day, or anything else that has a text form.
    pub fn parsed<T: std::str::FromStr>(&self, column: &str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| self.corrupt(column))
    }

    pub fn maybe_parsed<T: std::str::FromStr>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        self.maybe_text(column)?
            .map(|text| text.parse().map_err(|_| self.corrupt(column)))
            .transpose()
    }

    /// A word out of a closed list.
    pub fn word<T>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(&self.text(column)?).ok_or_else(|| self.corrupt(column))
    }
}
