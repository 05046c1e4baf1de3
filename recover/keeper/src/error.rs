use subrosa_backup::BackupError;
use subrosa_protocol::ProtocolError;

/// Why a round of the keeper did not end well. Nothing that was kept before is lost by any of them.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The copy on disk could not be read or written.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Something verified no longer does, or never did.
    #[error("{0}")]
    Protocol(#[from] ProtocolError),
    /// The server could not be reached or answered nonsense.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
    /// The server refused.
    #[error("the server refused ({code}): {message}")]
    Refused {
        /// The server's code.
        code: String,
        /// The server's words.
        message: String,
    },
    /// A record does not hold. The copy stops before it.
    #[error("record {seq} does not hold ({code}): {what}. The copy ends before it. Do not delete anything; call your privacy officer")]
    DoesNotHold {
        /// Sequence number.
        seq: u64,
        /// Which check.
        code: &'static str,
        /// In words.
        what: String,
    },
    /// The practice root is not the one that was named.
    #[error("this server's practice is not the one whose fingerprint was given")]
    WrongRoot,
}

impl KeeperError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Backup(e) => e.code(),
            Self::Protocol(e) => e.code(),
            Self::Unreachable(_) => "unreachable",
            Self::Refused { code, .. } => code,
            Self::DoesNotHold { .. } => "does-not-hold",
            Self::WrongRoot => "wrong-root",
        }
    }
}
