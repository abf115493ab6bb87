//! A statement is a name and its text: one text for both databases, two only where they must differ,
//! or a batch whose text grows with its rows. `statements!` lists them in `ALL`, and a test prepares
//! every entry on both databases.

/// The type of one bound value, and of one column of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Bool,
    Blob,
}

/// A bound value. Four cases are all that the schema holds.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(bool),
    Blob(Option<Vec<u8>>),
}

impl Value {
    /// NULL of the same type.
    pub(super) const fn null(&self) -> Self {
        match self {
            Self::Int(_) | Self::Bool(_) => Self::Int(None),
            Self::Text(_) => Self::Text(None),
            Self::Blob(_) => Self::Blob(None),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Stmt {
    pub name: &'static str,
    pub sql: Sql,
}

#[derive(Debug, Clone, Copy)]
pub enum Sql {
    One(&'static str),
    Two {
        sqlite: &'static str,
        postgres: &'static str,
    },
    /// `head` rows `tail`. On SQLite the rows are plain `?` (numbered ones are quadratic there:
    /// 100 µs a row at 256 rows against 1.5); on PostgreSQL one array a column through UNNEST.
    Batch {
        head: &'static str,
        columns: &'static [Kind],
        tail: &'static str,
        /// What PostgreSQL adds at the end: its row locks.
        lock: &'static str,
    },
}

impl Stmt {
    /// The text as this database reads it; of a batch with four rows.
    pub(super) fn text(&self, postgres: bool) -> String {
        match (self.sql, postgres) {
            (Sql::One(text), _) => text.to_owned(),
            (Sql::Two { sqlite, .. }, false) => sqlite.to_owned(),
            (Sql::Two { postgres, .. }, true) => postgres.to_owned(),
            (
                Sql::Batch {
                    head,
                    columns,
                    tail,
                    lock,
                },
                postgres,
            ) => match postgres {
                true => unnest_text(head, columns, tail, lock),
                false => batch_text(head, columns.len(), 4, tail),
            },
        }
    }
}

/// Rows of one batch are cut into pieces of these sizes, so that the statement cache holds a few texts.
pub(super) const PIECES: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// How many rows the next statement takes. A set that others are found by (`WITH v (…) AS (`) is filled
/// up with rows of NULL, which equal nothing: each statement is a trip to the connection's thread, and
/// one with empty places costs less than four without.
pub(super) fn piece(left: usize, head: &str) -> usize {
    let mut sizes = PIECES.into_iter();
    if head.starts_with("WITH ") {
        let fits = sizes.rfind(|size| *size >= left);
        return fits.unwrap_or(PIECES[0]);
    }
    sizes.find(|size| *size <= left).unwrap_or(1)
}

pub(super) fn batch_text(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let mut text = String::with_capacity(head.len() + rows * (columns * 2 + 3) + tail.len() + 10);
    text.push_str(head);
    text.push_str(" VALUES ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            text.push_str(if column == 0 { "?" } else { ", ?" });
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(tail);
    text
}

pub(super) fn unnest_text(head: &str, columns: &[Kind], tail: &str, lock: &str) -> String {
    let arrays: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, kind)| {
            let kind = match kind {
                Kind::Int => "BIGINT[]",
                Kind::Text => "TEXT[]",
                Kind::Bool => "BOOLEAN[]",
                Kind::Blob => "BYTEA[]",
            };
            format!("${}::{kind}", at + 1)
        })
        .collect();
    format!(
        "{head} SELECT * FROM UNNEST({}) {tail} {lock}",
        arrays.join(", ")
    )
}

macro_rules! statements {
    ($($name:ident = $text:tt $(($columns:expr, $tail:expr))?;)*) => {
        $( $crate::store::statement::statements!(@one $name $text $(($columns, $tail))?); )*
        /// Every statement of this file.
        pub const ALL: &[$crate::store::statement::Stmt] = &[$($name),*];
    };
    (@one $name:ident { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }) => {
        pub(super) const $name: $crate::store::statement::Stmt = $crate::store::statement::Stmt {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $crate::store::statement::Sql::Two { sqlite: $sqlite, postgres: $postgres },
        };
    };
    (@one $name:ident { batch: $head:expr, columns: [$($kind:ident),* $(,)?], tail: $tail:expr $(,)? }) => {
        pub(super) const $name: $crate::store::statement::Stmt = $crate::store::statement::Stmt {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $crate::store::statement::Sql::Batch {
                head: $head,
                columns: &[$($crate::store::statement::Kind::$kind),*],
                tail: $tail,
                lock: "",
            },
        };
    };
    (@one $name:ident { batch: $head:expr, columns: [$($kind:ident),* $(,)?], tail: $tail:expr, postgres: $lock:expr $(,)? }) => {
        pub(super) const $name: $crate::store::statement::Stmt = $crate::store::statement::Stmt {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $crate::store::statement::Sql::Batch {
                head: $head,
                columns: &[$($crate::store::statement::Kind::$kind),*],
                tail: $tail,
                lock: $lock,
            },
        };
    };
    (@one $name:ident $text:literal) => {
        pub(super) const $name: $crate::store::statement::Stmt = $crate::store::statement::Stmt {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $crate::store::statement::Sql::One($text),
        };
    };
}
pub(crate) use statements;

/// `bind![now, id, text]`: the values of a statement, in order.
macro_rules! bind {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::statement::Value::from($value)),*] };
}
pub(crate) use bind;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).ok())
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(Some(value))
    }
}
impl From<crate::domain::time::Timestamp> for Value {
    fn from(value: crate::domain::time::Timestamp) -> Self {
        Self::Int(Some(value.0))
    }
}
impl From<chrono::NaiveDate> for Value {
    fn from(value: chrono::NaiveDate) -> Self {
        Self::Text(Some(value.to_string()))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<Option<crate::domain::time::Timestamp>> for Value {
    fn from(value: Option<crate::domain::time::Timestamp>) -> Self {
        Self::Int(value.map(|at| at.0))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Blob(value)
    }
}
impl From<Option<chrono::NaiveDate>> for Value {
    fn from(value: Option<chrono::NaiveDate>) -> Self {
        Self::Text(value.map(|day| day.to_string()))
    }
}
impl From<crate::domain::plan::Subject> for Value {
    fn from(value: crate::domain::plan::Subject) -> Self {
        Self::Text(Some(value.to_string()))
    }
}

macro_rules! bind_ids {
    ($($name:ident),*) => {$(
        impl From<crate::domain::ids::$name> for Value {
            fn from(id: crate::domain::ids::$name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }
        impl From<&crate::domain::ids::$name> for Value {
            fn from(id: &crate::domain::ids::$name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }
        impl From<Option<crate::domain::ids::$name>> for Value {
            fn from(id: Option<crate::domain::ids::$name>) -> Self {
                Self::Text(id.map(|id| id.to_string()))
            }
        }
    )*};
}
bind_ids!(
    OrganisationId,
    TeamId,
    CoachId,
    CandidateId,
    AddressId,
    LineId,
    PlanId,
    TaskId,
    MeetingId,
    SlotId,
    VacancyId,
    MessageId,
    RawId,
    ItemId,
    IncomingId,
    FlagId,
    NudgeId,
    KeyId,
    ReceiptId,
    ActId,
    RowId
);
