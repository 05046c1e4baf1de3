//! A demonstration lives in a marked directory and stays one for ever.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use subrosa_protocol::api::DemoEntry;

use crate::config::ConfigError;
use crate::error::Refusal;

/// The mark: a file in the data directory.
pub const MARK: &str = "DEMONSTRATION";

/// The way in for everybody: keys of a linked device, sealed under [`PASSPHRASE`].
const ENTRY: &str = "demonstration.device";

/// Seals the keys of every demonstration. It is public on purpose: there is nothing to keep from anybody.
pub const PASSPHRASE: &str = "demonstration with invented people";

/// Whether this is a demonstration.
#[derive(Debug, Default)]
pub struct Demo {
    marked: bool,
    filling: AtomicBool,
    folder: PathBuf,
}

impl Demo {
    /// Looks at the data directory; marks a new one when a demonstration is asked for.
    ///
    /// # Errors
    /// `demo` when a demonstration is asked for in a directory that holds a practice, or the mark cannot be written.
    pub fn of(data_dir: &Path, wanted: bool, loopback: bool) -> Result<Self, ConfigError> {
        let problem = |what: &str| ConfigError { setting: "demo", what: what.to_owned() };
        let mark = data_dir.join(MARK);
        let marked = mark.is_file();
        if wanted && !marked {
            if data_dir.join("main.db").exists() {
                return Err(problem("this data directory holds a practice; a demonstration needs a directory of its own"));
            }
            std::fs::create_dir_all(data_dir).and_then(|()| std::fs::write(&mark, b"Invented people only. This directory refuses real members for ever.\n"))
                .map_err(|e| problem(&format!("the data directory cannot be marked as a demonstration: {e}")))?;
        }
        if marked && !loopback {
            return Err(problem("this data directory is a demonstration and is served on this machine only; use 127.0.0.1"));
        }
        Ok(Demo { marked: marked || wanted, filling: AtomicBool::new(false), folder: data_dir.to_owned() })
    }

    /// Whether this is a demonstration.
    pub fn is(&self) -> bool {
        self.marked
    }

    /// While the program itself fills a demonstration with invented people, they can be invited.
    pub fn fill(&self, on: bool) {
        self.filling.store(on, Ordering::Relaxed);
    }

    /// The way in for everybody, once it has been made; none where this is no demonstration.
    pub fn entry(&self) -> Option<DemoEntry> {
        let device = self.marked.then(|| std::fs::read(self.folder.join(ENTRY)).ok()).flatten()?;
        Some(DemoEntry { device: device.into(), passphrase: PASSPHRASE.to_owned() })
    }

    /// Keeps the way in, whole or not at all.
    ///
    /// # Errors
    /// Those of the disk; `PermissionDenied` where this is no demonstration.
    pub fn keep_entry(&self, device: &[u8]) -> std::io::Result<()> {
        if !self.marked {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        let (new, place) = (self.folder.join("demonstration.new"), self.folder.join(ENTRY));
        let mut file = std::fs::File::create(&new)?;
        file.write_all(device)?;
        file.sync_all()?;
        std::fs::rename(new, place)
    }

    /// Refuses a real person.
    ///
    /// # Errors
    /// `demo`.
    pub fn admits(&self) -> Result<(), Refusal> {
        if self.marked && !self.filling.load(Ordering::Relaxed) {
            return Err(Refusal::forbidden("demo", "This is a demonstration with invented people. It takes no real members; set up a practice of your own instead."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_demonstration_stays_one_and_a_practice_never_becomes_one() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(Demo::of(one.path(), true, true).unwrap().is());
        let again = Demo::of(one.path(), false, true).unwrap();
        assert_eq!(again.admits().unwrap_err().code, "demo");
        assert!(again.entry().is_none());
        again.keep_entry(b"sealed").unwrap();
        assert_eq!(again.entry().unwrap().device.as_slice(), b"sealed");
        assert!(Demo::of(one.path(), false, false).is_err());
        std::fs::write(two.path().join("main.db"), b"").unwrap();
        assert!(Demo::of(two.path(), true, true).is_err());
        let real = Demo::of(two.path(), false, false).unwrap();
        assert!(real.admits().is_ok() && real.keep_entry(b"sealed").is_err());
        std::fs::write(two.path().join(ENTRY), b"sealed").unwrap();
        assert!(real.entry().is_none());
    }
}
