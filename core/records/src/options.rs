use crate::RecordsError;
use crate::roster::Mapping;

/// How to read a file. The default suits a native client.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A label for the system the files come from. When not empty, every patient key begins with `label|`, so that `Patient/1` of two systems are two patients.
    pub source: String,
    /// Upper bounds.
    pub limits: Limits,
    /// The columns of a roster, when the person at the keyboard has chosen them; else they are suggested from the header.
    pub roster: Option<Mapping>,
    /// The present year, needed only to place two-digit birth years in a century. Without it such a date is reported and the row skipped.
    pub this_year: Option<u16>,
}

impl Options {
    /// A patient key with the source label before it.
    pub(crate) fn key(&self, local: &str) -> String {
        if self.source.is_empty() {
            local.to_owned()
        } else {
            format!("{}|{local}", self.source)
        }
    }
}

/// Upper bounds on what is read. What exceeds one is refused or skipped with a reason, never cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of one resource, document or row.
    pub item_bytes: usize,
    /// Resources, rows or documents of one file.
    pub items: usize,
    /// Levels of JSON or XML nesting.
    pub depth: usize,
    /// Skipped pieces and remarks of one file.
    pub remarks: usize,
    /// Members of one archive.
    pub zip_entries: usize,
    /// Bytes that one archive may unpack to.
    pub zip_total: u64,
    /// How many times its packed size one archive member may unpack to (from 1 MiB upward).
    pub zip_ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes: 1 << 30,
            item_bytes: 60 << 20,
            items: 2_000_000,
            depth: 100,
            remarks: 100_000,
            zip_entries: 50_000,
            zip_total: 2 << 30,
            zip_ratio: 200,
        }
    }
}

impl Limits {
    /// Smaller bounds for a page, whose memory is at most 4 GiB and usually less.
    pub fn browser() -> Self {
        Limits {
            file_bytes: 256 << 20,
            items: 500_000,
            zip_total: 512 << 20,
            remarks: 20_000,
            ..Limits::default()
        }
    }

    pub(crate) fn check_file(&self, bytes: &[u8]) -> Result<(), RecordsError> {
        if bytes.len() as u64 > self.file_bytes {
            return Err(RecordsError::TooLarge {
                limit_mib: self.file_bytes >> 20,
            });
        }
        Ok(())
    }
}
