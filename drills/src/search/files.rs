//! Searches files and folders: contents, names, and SQLite databases with their logs.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Findings, SearchError, Searcher, sqlite};

/// A file larger than this is searched in pieces.
const PIECE: usize = 256 << 20;
/// How much two pieces share, so that nothing is cut between them.
const SHARED: usize = 1 << 20;

impl Searcher {
    /// Searches everything under `folder`, file names included. Places are named `route/relative path`.
    ///
    /// # Errors
    /// [`SearchError::Unreadable`]: what cannot be read was not searched, so nothing may be concluded.
    pub fn search_folder(&self, route: &str, folder: &Path, findings: &mut Findings) -> Result<(), SearchError> {
        for file in files_under(folder)? {
            let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
            self.search(&format!("{route}/(names)"), name.as_bytes(), findings);
            self.search_file(&format!("{route}/{name}"), &file, findings)?;
        }
        Ok(())
    }

    /// Searches one file.
    ///
    /// # Errors
    /// [`SearchError::Unreadable`].
    pub fn search_file(&self, place: &str, file: &Path, findings: &mut Findings) -> Result<(), SearchError> {
        let bytes = read(file)?;
        let mut at = 0;
        loop {
            let end = (at + PIECE).min(bytes.len());
            self.search(place, &bytes[at..end], findings);
            if end == bytes.len() {
                break;
            }
            findings.searched_bytes -= SHARED as u64;
            at = end - SHARED;
        }
        if sqlite::is_database(&bytes) {
            let wal = fs::read(sibling(file, "-wal")).ok();
            self.search_sqlite(place, &bytes, wal.as_deref(), findings);
        } else if sqlite::is_wal(&bytes) {
            let main = file.to_str().and_then(|n| n.strip_suffix("-wal")).and_then(|n| fs::read(n).ok()).unwrap_or_default();
            self.search_sqlite(place, &main, Some(&bytes), findings);
        }
        Ok(())
    }
}

fn sibling(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn read(file: &Path) -> Result<Vec<u8>, SearchError> {
    fs::read(file).map_err(|_| SearchError::Unreadable(file.display().to_string()))
}

/// Every regular file under a folder (or the file itself), sorted. Links are not followed.
///
/// # Errors
/// [`SearchError::Unreadable`].
pub fn files_under(folder: &Path) -> Result<Vec<PathBuf>, SearchError> {
    let unreadable = |at: &Path| SearchError::Unreadable(at.display().to_string());
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(at) = todo.pop() {
        let kind = fs::symlink_metadata(&at).map_err(|_| unreadable(&at))?;
        if kind.is_dir() {
            for entry in fs::read_dir(&at).map_err(|_| unreadable(&at))? {
                todo.push(entry.map_err(|_| unreadable(&at))?.path());
            }
        } else if kind.is_file() {
            found.push(at);
        }
    }
    found.sort();
    Ok(found)
}
