//! A disk that is slow to make things durable: a library, made with `cc`, that lets fsync take five
//! milliseconds more in the process that loads it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static void slow(void) { usleep(5000); }
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    slow();
    return real(fd);
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    slow();
    return real(fd);
}
"#;

/// Builds the library in a folder that others may read.
pub fn slow_fsync(folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, library) = (folder.join("slow.c"), folder.join("slow.so"));
    fs::write(&source, SOURCE)?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()?;
    anyhow::ensure!(built.success(), "cc made no library");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(library)
}
