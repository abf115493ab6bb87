//! Files of the repository that tests write: compared as they are, rewritten when asked.

use std::fs;
use std::path::PathBuf;

/// Compares a file of the repository with what the code says, or writes it when `UPDATE_GOLDEN=1`.
pub fn golden(name: &str, fresh: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if updating() {
        fs::write(&path, fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        kept, fresh,
        "{name} is stale: UPDATE_GOLDEN=1 writes it anew"
    );
}

/// A file of the repository.
pub fn read(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

pub fn updating() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1")
}
