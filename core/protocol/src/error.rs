//! Every way in which a statement can be refused, each with its name.

use subrosa_crypto::CryptoError;

/// Why something that arrived was not accepted.
///
/// `code` is stable. The texts name what is wrong and hold nothing personal, no key and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Sealing, signature or encoding failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A signature is by someone who may not sign this.
    #[error("signed by someone who may not do this")]
    WrongSigner,
    /// The statement speaks of another practice.
    #[error("this belongs to another practice")]
    WrongPractice,
    /// A directory statement does not follow the one before it.
    #[error("this does not follow the directory's last statement")]
    OutOfSequence,
    /// The statement's content is not allowed in the state that the directory is in.
    #[error("the directory does not allow this: {0}")]
    NotAllowed(&'static str),
    /// A second person's signature is needed.
    #[error("a second person has to sign this")]
    SecondPersonNeeded,
    /// A member, device, team, chart or key that nobody announced.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// What arrived is not what was asked for.
    #[error("the server sent something other than what was asked for: {0}")]
    NotAsked(&'static str),
    /// A hash in a signed statement does not fit the bytes that came with it.
    #[error("the {0} does not match what was signed")]
    HashMismatch(&'static str),
    /// A log proof does not hold.
    #[error("the ledger's proof does not hold: {0}")]
    Proof(&'static str),
    /// The log is older than, or contradicts, what this device has seen.
    #[error("the ledger contradicts what this device has already seen")]
    Fork,
    /// The suite is below the lowest that the directory allows.
    #[error("this was made with a method that the practice no longer accepts")]
    Downgrade,
    /// A bound on size or count was passed.
    #[error("{0} is larger than allowed")]
    TooLarge(&'static str),
    /// A time is outside what is allowed.
    #[error("the time of this statement is not acceptable")]
    BadTime,
}

impl ProtocolError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Crypto(e) => e.code(),
            Self::WrongSigner => "wrong-signer",
            Self::WrongPractice => "wrong-practice",
            Self::OutOfSequence => "directory-out-of-sequence",
            Self::NotAllowed(_) => "not-allowed",
            Self::SecondPersonNeeded => "second-person-needed",
            Self::Unknown(_) => "unknown",
            Self::NotAsked(_) => "not-asked",
            Self::HashMismatch(_) => "hash-mismatch",
            Self::Proof(_) => "proof",
            Self::Fork => "fork",
            Self::Downgrade => "downgrade",
            Self::TooLarge(_) => "too-large",
            Self::BadTime => "bad-time",
        }
    }
}
