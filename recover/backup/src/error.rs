/// Why a backup set could not be read or written. Texts name files of the set, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The operating system refused a file.
    #[error("{what}: {source}")]
    Io {
        /// Which file or folder of the set.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error("the disk that holds the backup is full; nothing that was there is lost")]
    Full,
    /// The set is of another practice.
    #[error("this backup belongs to another practice")]
    WrongPractice,
    /// The set is of a newer format.
    #[error("this backup was written by a newer version (format {0})")]
    NewerFormat(u32),
    /// A file of the set is damaged.
    #[error("{0} is damaged")]
    Damaged(String),
    /// Records do not follow what the set holds.
    #[error("these records do not follow the last one in the backup ({expected} was expected, {found} came)")]
    OutOfSequence {
        /// Next sequence number.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The restic repository refused.
    #[error("the backup repository refused: {0}")]
    Repository(String),
}

impl BackupError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "backup-io",
            Self::Full => "disk-full",
            Self::WrongPractice => "wrong-practice",
            Self::NewerFormat(_) => "newer-format",
            Self::Damaged(_) => "damaged",
            Self::OutOfSequence { .. } => "out-of-sequence",
            Self::Repository(_) => "backup-repository",
        }
    }

    pub(crate) fn io(what: &std::path::Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::Full;
        }
        let what = what.file_name().map_or_else(|| "backup".to_owned(), |n| n.to_string_lossy().into_owned());
        Self::Io { what, source }
    }
}
