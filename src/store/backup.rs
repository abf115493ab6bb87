//! The SQLite file as a file: a copy of it while it is in use, and a copy that takes its place. What a
//! restored database means for the messages in it is `app/restore.rs`. PostgreSQL has its own programs.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sqlx::{ConnectOptions, Connection, Row as _, SqliteConnection};

use crate::domain::time::Timestamp;

/// One sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(String);

/// The mark in a copy: when it was made.
const MADE: &str = "INSERT INTO marks (name, value) VALUES ('backup_at', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file of a SQLite address; nothing for PostgreSQL.
pub fn file_of(url: &str) -> Option<PathBuf> {
    let sqlite = url
        .starts_with("sqlite:")
        .then(|| SqliteConnectOptions::from_str(url).ok());
    Some(sqlite??.get_filename().to_owned())
}

/// A consistent copy of a database that may be in use, whole or not there at all, and never over a file.
pub async fn copy(database: &Path, to: &Path, now: Timestamp) -> Result<(), BackupError> {
    if !database.exists() {
        return Err(said("there is no database", database, ""));
    }
    if to.exists() {
        return Err(said("there is a file", to, ": name another"));
    }
    let part = with(to, ".part");
    forget(&part);
    let done = copied(database, &part, now).await.and_then(|()| {
        // Not a rename: that would take the place of a file that came meanwhile.
        fs::hard_link(&part, to).or_else(|error| match to.exists() {
            true => Err(error),
            false => fs::rename(&part, to),
        })?;
        sync_folder(to)
    });
    forget(&part);
    done.map_err(|error| {
        said(
            "the backup could not be written to",
            to,
            &format!(": {error}"),
        )
    })
}

async fn copied(database: &Path, part: &Path, now: Timestamp) -> io::Result<()> {
    // Readable for nobody else from its first byte on.
    private(part)?;
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(30));
    let mut source = options.connect().await.map_err(io::Error::other)?;
    let name = part.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let copied = sqlx::query("VACUUM INTO $1")
        .bind(name.to_owned())
        .execute(&mut source)
        .await;
    drop(source.close().await);
    copied.map_err(io::Error::other)?;
    let options = SqliteConnectOptions::new().filename(part);
    let mut copy = options.connect().await.map_err(io::Error::other)?;
    let made = sqlx::query(MADE)
        .bind(now.0.to_string())
        .execute(&mut copy)
        .await
        .map_err(io::Error::other);
    let sound = sound(&mut copy).await;
    copy.close().await.map_err(io::Error::other)?;
    made?;
    sound.map_err(io::Error::other)?;
    File::open(part)?.sync_all()
}

/// Is this a sound copy of a database of ours? When it was made, if it says so.
pub async fn check(file: &Path) -> Result<Option<Timestamp>, BackupError> {
    if !file.is_file() {
        return Err(said("there is no file", file, ""));
    }
    // A database that was copied by hand: what was written last is not in the file itself.
    let beside = with(file, "-wal");
    if fs::metadata(&beside).is_ok_and(|wal| wal.len() > 0) {
        return Err(said(
            "this is no backup: what was written last is in",
            &beside,
            "",
        ));
    }
    let options = SqliteConnectOptions::new().filename(file).immutable(true);
    let read = async {
        let mut copy = options
            .read_only(true)
            .connect()
            .await
            .map_err(|error| error.to_string())?;
        let made =
            sqlx::query_scalar::<_, String>("SELECT value FROM marks WHERE name = 'backup_at'")
                .fetch_optional(&mut copy)
                .await;
        let sound = sound(&mut copy).await;
        drop(copy.close().await);
        sound?;
        made.map_err(|error| error.to_string())
    };
    match read.await {
        Ok(made) => Ok(made.and_then(|text| text.parse().ok()).map(Timestamp)),
        Err(why) => Err(said(
            "this is no sound backup of a database",
            file,
            &format!(": {why}"),
        )),
    }
}

async fn sound(copy: &mut SqliteConnection) -> Result<(), String> {
    let said = sqlx::query_scalar::<_, String>("PRAGMA integrity_check(1)")
        .fetch_one(&mut *copy)
        .await
        .map_err(|error| error.to_string())?;
    if said != "ok" {
        return Err(said);
    }
    let orphan = sqlx::query("PRAGMA foreign_key_check")
        .fetch_optional(copy)
        .await
        .map_err(|error| error.to_string())?;
    match orphan {
        Some(row) => Err(format!(
            "a row of {} points nowhere",
            row.get::<String, _>(0)
        )),
        None => Ok(()),
    }
}

/// May a restored database come here? With `replace` also where there is one, if nobody uses it.
pub async fn is_free(database: &Path, replace: bool) -> Result<(), BackupError> {
    let there = std::iter::once(database.to_owned())
        .chain(BESIDE.map(|end| with(database, end)))
        .find(|file| file.exists());
    match there {
        None => Ok(()),
        Some(file) if !replace => Err(said(
            "there is a database already",
            &file,
            ": with --replace it is put aside",
        )),
        Some(_) => unused(database).await,
    }
}

/// Nobody has it open. One that is broken is used by nobody.
async fn unused(database: &Path) -> Result<(), BackupError> {
    let alone = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(Duration::from_millis(500));
    let tried = async {
        let mut connection = alone.connect().await?;
        let tried = sqlx::query("BEGIN EXCLUSIVE")
            .execute(&mut connection)
            .await;
        drop(connection.close().await);
        tried
    };
    match tried.await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("5") => Err(said(
            "the database is in use",
            database,
            ": stop the service first",
        )),
        _ => Ok(()),
    }
}

/// The backup under another name beside the database, where it is made ready.
pub fn beside(file: &Path, database: &Path) -> Result<PathBuf, BackupError> {
    let part = with(database, ".restoring");
    let made = || {
        forget(&part);
        if let Some(folder) = database.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut to = private(&part)?;
        io::copy(&mut File::open(file)?, &mut to)?;
        to.sync_all()
    };
    match made() {
        Ok(()) => Ok(part),
        Err(error) => Err(said(
            "the backup could not be copied to",
            &part,
            &format!(": {error}"),
        )),
    }
}

/// What was made ready takes the place of the database; an old one stays under another name, which is
/// returned.
pub fn take_place(
    part: &Path,
    database: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let aside = with(
        database,
        &format!(".replaced-{}", now.utc().format("%Y%m%dT%H%M%SZ")),
    );
    let take = || {
        if let Some(open) = BESIDE
            .map(|end| with(part, end))
            .iter()
            .find(|file| file.exists())
        {
            return Err(io::Error::other(format!(
                "{} was not closed",
                open.display()
            )));
        }
        for end in BESIDE {
            let old = with(database, end);
            if old.exists() {
                fs::rename(&old, with(&aside, end))?;
            }
        }
        let old = database.exists();
        if old {
            // At no moment is there no database: a service that starts then would begin an empty one.
            fs::hard_link(database, &aside).or_else(|_| fs::copy(database, &aside).map(drop))?;
        }
        File::open(part)?.sync_all()?;
        fs::rename(part, database)?;
        sync_folder(database)?;
        Ok(old.then(|| aside.clone()))
    };
    take().map_err(|error| {
        said(
            "the restored database could not come to",
            database,
            &format!(": {error}"),
        )
    })
}

fn private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// A name is durable when its folder is.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn forget(part: &Path) {
    for file in std::iter::once(part.to_owned()).chain(BESIDE.map(|end| with(part, end))) {
        // Most often there is none.
        drop(fs::remove_file(file));
    }
}

fn with(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    name.into()
}

fn said(what: &str, file: &Path, more: &str) -> BackupError {
    BackupError(format!("{what} {}{more}", file.display()))
}
