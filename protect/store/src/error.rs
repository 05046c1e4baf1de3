use subrosa_crypto::CryptoError;
use subrosa_ledger::note::NoteError;
use subrosa_ledger::tree::ProofError;
use subrosa_protocol::ProtocolError;

/// Why the store did not do something.
///
/// `code` is stable. The texts are for a tired human and hold no patient data, key or token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More operations wait than the queue holds. Nothing was written; try again in a second.
    #[error("the store is busy; nothing was written, try again in a moment")]
    Busy,
    /// The disk (or the quota) is full. Nothing was written; reading goes on.
    #[error("the disk is full; nothing was written. Reading still works: free some space, then try again")]
    Full,
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Database(String),
    /// The file system refused.
    #[error("{what}: {why}")]
    Io {
        /// What was being done, with the file's name.
        what: String,
        /// What the system said.
        why: String,
    },
    /// Another process uses this data directory.
    #[error("another process is using this data directory; stop it first")]
    Locked,
    /// The data was written by a newer program.
    #[error("the {part} database has version {found}; this program knows versions up to {known}. Start a newer program")]
    NewerSchema {
        /// Which database.
        part: &'static str,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The data directory lies on a network file system, where locks and fsync do not hold.
    #[error("the data directory lies on a network file system ({0}), where nothing can be promised to be stored; use a local disk")]
    NetworkFileSystem(String),
    /// A setting of the database that would lose acknowledged data.
    #[error("the database setting {0} would lose data on a power cut; the store does not start with it")]
    Unsafe(String),
    /// The key file does not fit the key store.
    #[error("the store key file does not fit this key store; put back the file that belongs to it")]
    StoreKey,
    /// Stored data contradicts itself.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// No such chart.
    #[error("there is no such chart")]
    UnknownChart,
    /// The chart was erased.
    #[error("this chart was erased")]
    Erased,
    /// It exists already.
    #[error("there is already such a {0}")]
    Exists(&'static str),
    /// Somebody else appended to the directory first.
    #[error("the directory has grown in the meantime; read it again")]
    DirectoryOutOfSequence,
    /// The asker has seen more of the ledger than there is: it was rolled back or forked.
    #[error("you have seen {pin} ledger leaves, this server has {size}: it was rolled back or forked")]
    PinAhead {
        /// What the asker has seen.
        pin: u64,
        /// What there is.
        size: u64,
    },
    /// No practice was founded yet.
    #[error("no practice has been set up here yet")]
    NotFounded,
    /// A practice was founded here already.
    #[error("a practice is already set up here")]
    AlreadyFounded,
    /// No such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The calling program broke a rule of the store.
    #[error("a mistake in this program: {0}")]
    Misuse(&'static str),
    /// Too large.
    #[error("{0} is larger than allowed")]
    TooLarge(&'static str),
    /// The store was closed, or its writer ended.
    #[error("the store is closed")]
    Closed,
    /// A statement that does not hold.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Sealing or encoding failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A proof could not be made.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A checkpoint could not be made.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Full => "disk-full",
            Self::Unavailable(_) => "unavailable",
            Self::Database(_) => "database",
            Self::Io { .. } => "file",
            Self::Locked => "locked",
            Self::NewerSchema { .. } => "newer-schema",
            Self::NetworkFileSystem(_) => "network-filesystem",
            Self::Unsafe(_) => "unsafe-setting",
            Self::StoreKey => "store-key",
            Self::Damaged(_) => "damaged",
            Self::UnknownChart => "unknown-chart",
            Self::Erased => "erased",
            Self::Exists(_) => "exists",
            Self::DirectoryOutOfSequence => "directory-out-of-sequence",
            Self::PinAhead { .. } => "pin-ahead",
            Self::NotFounded => "not-founded",
            Self::AlreadyFounded => "already-founded",
            Self::NotFound(_) => "not-found",
            Self::Misuse(_) => "misuse",
            Self::TooLarge(_) => "too-large",
            Self::Closed => "closed",
            Self::Protocol(e) => e.code(),
            Self::Crypto(e) => e.code(),
            Self::Proof(e) => e.code(),
            Self::Note(e) => e.code(),
        }
    }

    /// Whether the same operation may succeed when it is tried again soon.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Unavailable(_))
    }

    pub(crate) fn io(what: impl Into<String>, error: &std::io::Error) -> Self {
        if matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
            return Self::Full;
        }
        Self::Io { what: what.into(), why: error.to_string() }
    }

    /// Something stored is not what it should be. `what` names it, never its content.
    /// Stored data contradicts itself; `what` holds nothing personal.
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(d) => match d.code().as_deref() {
                // SQLITE_FULL; PostgreSQL disk_full.
                Some("13" | "53100") => Self::Full,
                // SQLITE_BUSY with its extended codes; PostgreSQL serialization_failure, deadlock_detected, lock_not_available.
                Some("5" | "261" | "517" | "773" | "40001" | "40P01" | "55P03") => Self::Unavailable(d.message().to_owned()),
                // PostgreSQL: shutting down, starting up, too many connections.
                Some("57P01" | "57P02" | "57P03" | "53300") => Self::Unavailable(d.message().to_owned()),
                _ => Self::Database(d.message().to_owned()),
            },
            sqlx::Error::Io(e) => match Self::io("the database connection", e) {
                Self::Full => Self::Full,
                other => Self::Unavailable(other.to_string()),
            },
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => Self::Unavailable(error.to_string()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } | sqlx::Error::Decode(_) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Database(error.to_string()),
        }
    }
}
