//! The files under the database: who may serve from them, how large they are, how much room is left.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// The right to serve from one SQLite file. The kernel takes it back when the process ends, however it
/// ends. A file of its own: SQLite's locks on the database would be lost by opening that a second time.
pub struct Held {
    _file: File,
}

/// Takes a SQLite file for this process.
pub fn hold(file: &Path) -> Result<Held, StoreError> {
    // However the file is reached, by a link or from another folder, it is one file.
    let real = fs::canonicalize(file).or_else(|_| {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
        Ok(folder.join(file.file_name().unwrap_or_default()))
    });
    let refused = |why: std::io::Error| {
        let kind = why.kind();
        StoreError::Schema(format!(
            "the database {} cannot be taken: {kind}",
            file.display()
        ))
    };
    let mut name = real.map_err(refused)?.into_os_string();
    name.push(".lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(name)
        .map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => Ok(Held { _file: lock }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Schema(format!(
            "another process serves from {}: a SQLite file has one (several processes can share a PostgreSQL)",
            file.display()
        ))),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// The size of SQLite's write-ahead log; it grows when a reader never ends.
pub fn wal_bytes(file: &Path) -> Option<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(PathBuf::from(name)).ok().map(|it| it.len())
}

/// Room on the volume of a folder, for a process that is not root.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let volume = rustix::fs::statvfs(folder).ok()?;
    Some(volume.f_bavail.saturating_mul(volume.f_frsize))
}
