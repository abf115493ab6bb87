//! What can go wrong with the database, as the verbs need to tell it apart.

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, full or broken. Nothing was written; later it may work.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The commit was asked for and its answer never came. Read by your own key before you act.
    #[error("nobody knows whether the commit happened: {0}")]
    CommitUnknown(String),
    /// A unique index said no: somebody else did it first.
    #[error("already there ({0})")]
    Conflict(String),
    /// The row changed since it was read.
    #[error("the row changed meanwhile ({0})")]
    Stale(&'static str),
    /// A row holds what no code of ours wrote, or a sealed column does not open.
    #[error("corrupt row: {statement}, column {column}, id {id}")]
    Corrupt {
        statement: &'static str,
        column: String,
        id: String,
    },
    /// A statement that the database refuses: a bug of ours.
    #[error("statement {statement} was refused: {why}")]
    Refused {
        statement: &'static str,
        why: String,
    },
    /// Keys are wrapped by a master key that the settings do not have: what they seal cannot be opened.
    #[error(
        "the database holds {keys} keys that are wrapped by a master key which is not in the settings: keep it in keys.master_old (TUSSENDOOR_KEYS__MASTER_OLD) until `tussendoor keys rotate` says that none is left"
    )]
    MissingMaster { keys: i64 },
    /// The schema cannot be used by this version of the program.
    #[error("{0}")]
    Schema(String),
}

impl StoreError {
    /// The same request may work in a minute.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::CommitUnknown(_))
    }

    /// Somebody else was faster.
    pub const fn was_overtaken(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Stale(_))
    }

    /// Sorts an error of the driver. Its text may quote values for a constraint, so of a refused
    /// statement only the code and our own name are kept.
    pub(super) fn from_sqlx(statement: &'static str, error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                match database.kind() {
                    sqlx::error::ErrorKind::UniqueViolation => Self::Conflict(
                        database
                            .constraint()
                            .map_or_else(|| statement.to_owned(), str::to_owned),
                    ),
                    sqlx::error::ErrorKind::ForeignKeyViolation
                    | sqlx::error::ErrorKind::NotNullViolation
                    | sqlx::error::ErrorKind::CheckViolation => Self::Refused {
                        statement,
                        why: format!("constraint, code {code}"),
                    },
                    _ if temporary(&code) => Self::Unavailable(format!("{statement}: code {code}")),
                    // The words are about our own SQL, which holds no values.
                    _ if about_the_text(&code) => Self::Refused {
                        statement,
                        why: format!("code {code}: {}", database.message()),
                    },
                    _ => Self::Refused {
                        statement,
                        why: format!("code {code}"),
                    },
                }
            }
            sqlx::Error::ColumnDecode { index, .. } => Self::Corrupt {
                statement,
                column: index.clone(),
                id: String::new(),
            },
            sqlx::Error::ColumnNotFound(column) => Self::Refused {
                statement,
                why: format!("no column {column}"),
            },
            other => Self::Unavailable(format!("{statement}: {other}")),
        }
    }
}

/// A statement that the database cannot read: SQLite's generic error, PostgreSQL's class 42.
fn about_the_text(code: &str) -> bool {
    code == "1" || (code.len() == 5 && code.starts_with("42"))
}

/// Codes after which the same statement may work later. SQLite's primary result codes: 5 busy,
/// 6 locked, 8 read-only (a full or remounted disk), 10 I/O, 13 full, 14 cannot open; extended
/// codes carry them in the low byte. PostgreSQL's classes: 08 connection, 25006 read-only, 25P03 ended
/// because we stood still in it, 40 serialisation and deadlock, 53 resources, 55 lock, 57 operator
/// intervention, 58 system error.
fn temporary(code: &str) -> bool {
    if let Ok(number) = code.parse::<u32>()
        && code.len() < 5
    {
        return matches!(number & 0xff, 5 | 6 | 8 | 10 | 13 | 14);
    }
    ["08", "25006", "25P03", "40", "53", "55", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
}
