//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::BackupError;

/// Writes a file so that after a crash it is there whole or not at all: temporary name, fsync, rename, fsync of the folder.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    make_dir(dir)?;
    let temporary = path.with_extension("part");
    let fail = |e| BackupError::io(path, e);
    let mut file = File::create(&temporary).map_err(fail)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    if let Err(e) = written {
        let _ = fs::remove_file(&temporary);
        return Err(fail(e));
    }
    fs::rename(&temporary, path).map_err(fail)?;
    File::open(dir).and_then(|d| d.sync_all()).map_err(fail)
}

/// Makes a folder with its parents.
pub fn make_dir(dir: &Path) -> Result<(), BackupError> {
    fs::create_dir_all(dir).map_err(|e| BackupError::io(dir, e))
}

/// Reads a file of at most `bound` bytes.
pub fn read_bounded(path: &Path, bound: u64) -> Result<Vec<u8>, BackupError> {
    let size = fs::metadata(path).map_err(|e| BackupError::io(path, e))?.len();
    if size > bound {
        return Err(BackupError::Damaged(name(path)));
    }
    fs::read(path).map_err(|e| BackupError::io(path, e))
}

/// The files of a folder with an ending, sorted by name; empty if there is no such folder.
pub fn list(dir: &Path, ending: &str) -> Result<Vec<PathBuf>, BackupError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for item in fs::read_dir(dir).map_err(|e| BackupError::io(dir, e))? {
        let path = item.map_err(|e| BackupError::io(dir, e))?.path();
        if path.extension().is_some_and(|e| e == ending) {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}

/// A file's name, for messages.
pub fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}
