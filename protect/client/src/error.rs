use subrosa_crypto::CryptoError;
use subrosa_model::Timestamp;
use subrosa_protocol::ProtocolError;

/// Everything that can go wrong on the member's side.
///
/// `code` is stable. The text says what happened, what it means and what to do; it never holds patient data, a key or a token.
/// The variants from [`ClientError::Fork`] to [`ClientError::IntroductionForged`] each name an attack that a server (or whoever stands in front of it) can
/// mount: whoever sees one should stop and tell the practice's privacy officer. [`ClientError::is_attack`] tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No answer from the server.
    #[error("The server cannot be reached. Your work on this device is safe; try again in a moment.")]
    Unreachable,
    /// The server answered with something that is not an answer.
    #[error("The server's answer cannot be read ({0}). Try again; if it happens again, tell whoever runs the server.")]
    BadAnswer(&'static str),
    /// The server refused.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// The server's text.
        message: String,
        /// Seconds to wait, if that helps.
        retry_after_s: Option<u64>,
    },
    /// The server speaks another protocol version.
    #[error("This program is older or newer than the server. Reload the page or update, then continue: drafts are kept.")]
    Upgrade,
    /// Many charts in a short time: a passkey is wanted first.
    #[error("You are opening many charts in a short time. Confirm with your passkey, then continue.")]
    GatePasskey,
    /// The bound on charts outside one's caseload is reached.
    #[error("You have opened as many charts outside your caseload as one person may. A colleague has to review this before you can go on.")]
    GateStop,
    /// Never allowed for this role.
    #[error("Your role does not allow this.")]
    Never,
    /// The session is over.
    #[error("Your session has ended. Sign in again: drafts are kept.")]
    SessionOver,
    /// Somebody else changed the directory meanwhile.
    #[error("Someone changed members or teams at the same moment. Try again.")]
    DirectoryBusy,
    /// The person dismissed the passkey dialogue or it timed out.
    #[error("The passkey was not confirmed. Try again when you are ready.")]
    PasskeyCancelled,
    /// The passkey gave no secret to unlock with.
    #[error("This passkey gives no secret to unlock with. Use the seven words, another passkey or the member kit.")]
    PasskeyNoSecret,
    /// The authenticator's answer cannot be used.
    #[error("The passkey's answer cannot be used ({0}).")]
    PasskeyAnswer(&'static str),
    /// Words or a code that do not fit.
    #[error("{0}")]
    Words(CryptoError),
    /// The words are well-formed but are not the right ones.
    #[error("These words are not the right ones.")]
    WrongWords,
    /// The session may not do this: locked, a linked device, or restricted.
    #[error("This cannot be done from here ({0}).")]
    NotHere(&'static str),
    /// Unknown chart, entry, member, team or invitation.
    #[error("There is no such {0}.")]
    Unknown(&'static str),
    /// No key for this is held by the member.
    #[error("No key to this part of the chart is held by you or your teams.")]
    NoKey,
    /// The entry was changed by somebody else since it was opened.
    #[error("Someone else has changed this since you opened it. Both versions are kept; open the chart again to compare them.")]
    Conflict,
    /// Not yet.
    #[error("This has to wait until its time has come.")]
    TooEarly {
        /// When it can be done.
        ready_at: Timestamp,
    },
    /// An invalid choice by the caller: nothing was sent.
    #[error("This is not possible: {0}.")]
    Invalid(&'static str),
    /// The local copy cannot be opened with this member's keys.
    #[error("The copy on this device is damaged or belongs to someone else. It will be fetched again.")]
    LocalCopy,
    /// A statement was made or read that does not hold, without being one of the named attacks.
    #[error(transparent)]
    Protocol(ProtocolError),

    /// The ledger or directory is shorter than, or contradicts, what this device has seen.
    #[error("The server shows a history that contradicts what this device has already seen. Stop, and tell your privacy officer.")]
    Fork,
    /// An older state of an entry than this device has seen.
    #[error("The server shows an older version of an entry than this device has already seen. Stop, and tell your privacy officer.")]
    Rollback,
    /// An entry of another chart, compartment or place.
    #[error("The server sent an entry that belongs elsewhere. Nothing was opened. Tell your privacy officer.")]
    SwappedEntry,
    /// A wrapped key of another chart, compartment, key or person, or one that its maker did not sign.
    #[error("The server sent a key that does not belong to this chart. Nothing was opened. Tell your privacy officer.")]
    WrongWrap,
    /// Something signed by nobody whom the directory knows.
    #[error("The server sent something signed by someone who never belonged to this practice. Nothing was opened. Tell your privacy officer.")]
    UnknownSigner,
    /// An old suite or format.
    #[error("The server sent something made with a method that the practice no longer accepts. Nothing was opened. Tell your privacy officer.")]
    Downgrade,
    /// The release is not recorded in the ledger as it should be.
    #[error("The server did not prove that it recorded this access. Nothing was opened. Tell your privacy officer.")]
    MissingLeaf,
    /// The history of a chart is incomplete or altered.
    #[error("The history of accesses shown by the server is incomplete or altered. Tell your privacy officer.")]
    TruncatedHistory,
    /// An answer to another request than the one made.
    #[error("The server answered with an old answer to another request. Nothing was opened. Tell your privacy officer.")]
    ReplayedAnswer,
    /// An entry whose signature or content does not hold.
    #[error("The server sent an entry that its author did not sign, or that was altered. Nothing was opened. Tell your privacy officer.")]
    InjectedEntry,
    /// A version without its predecessor, a gap, or a second head that is not marked as a conflict.
    #[error("The server left out a version of an entry. Nothing was opened. Tell your privacy officer.")]
    BrokenChain,
    /// More or less than what was asked for.
    #[error("The server sent something other than what was asked for. Nothing was opened. Tell your privacy officer.")]
    NotAsked,
    /// A directory statement that the rules do not allow.
    #[error("The server shows a change of members, teams or keys that nobody entitled has signed. Stop, and tell your privacy officer.")]
    ForgedDirectory,
    /// The practice root is not the pinned one, or the server names another key as yours.
    #[error("The server shows another practice key than the one you know. Stop, and tell your privacy officer.")]
    ServerKeySubstituted,
    /// A checkpoint that the practice's log key did not sign.
    #[error("The server's record of accesses is not signed by the key that this practice uses. Nothing was opened. Tell your privacy officer.")]
    ForgedCheckpoint,
    /// The passkey challenge is not bound to this session.
    #[error("The sign-in was not made for this device: someone may stand between you and the server. Nothing was sent.")]
    ChallengeSubstituted,
    /// A bundle that is not the one that the directory names.
    #[error("The server sent another key bundle than the one that you stored. Stop, and tell your privacy officer.")]
    WrongBundle,
    /// An epoch key's seal that is not the one that the directory names.
    #[error("The server sent another team key than the one that your team made. Stop, and tell your privacy officer.")]
    WrongEpoch,
    /// A team's current epoch was turned by somebody who sealed something else than its key.
    #[error("The key of one of your teams was damaged by whoever changed it last. Nothing can be written for this team until an owner changes its members. Tell your privacy officer.")]
    BrokenEpoch,
    /// A roster row that nobody entitled signed, or in another's place.
    #[error("The server sent a line of the patient list that was altered or belongs elsewhere. Tell your privacy officer.")]
    ForgedRoster,
    /// New keys that were not made by whoever followed the invitation.
    #[error("The keys that came back were not made by the person you invited. Cancel this invitation, and tell your privacy officer.")]
    IntroductionForged,
}

impl ClientError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::BadAnswer(_) => "bad-answer",
            Self::Refused { .. } => "refused",
            Self::Upgrade => "upgrade",
            Self::GatePasskey => "gate-passkey",
            Self::GateStop => "gate-stop",
            Self::Never => "never",
            Self::SessionOver => "session-over",
            Self::DirectoryBusy => "directory-busy",
            Self::PasskeyCancelled => "passkey-cancelled",
            Self::PasskeyNoSecret => "passkey-no-secret",
            Self::PasskeyAnswer(_) => "passkey-answer",
            Self::Words(e) => e.code(),
            Self::WrongWords => "wrong-words",
            Self::NotHere(_) => "not-here",
            Self::Unknown(_) => "unknown",
            Self::NoKey => "no-key",
            Self::Conflict => "conflict",
            Self::TooEarly { .. } => "too-early",
            Self::Invalid(_) => "invalid",
            Self::LocalCopy => "local-copy",
            Self::Protocol(e) => e.code(),
            Self::Fork => "fork",
            Self::Rollback => "rollback",
            Self::SwappedEntry => "swapped-entry",
            Self::WrongWrap => "wrong-wrap",
            Self::UnknownSigner => "unknown-signer",
            Self::Downgrade => "downgrade",
            Self::MissingLeaf => "missing-leaf",
            Self::TruncatedHistory => "truncated-history",
            Self::ReplayedAnswer => "replayed-answer",
            Self::InjectedEntry => "injected-entry",
            Self::BrokenChain => "broken-chain",
            Self::NotAsked => "not-asked",
            Self::ForgedDirectory => "forged-directory",
            Self::ServerKeySubstituted => "server-key-substituted",
            Self::ForgedCheckpoint => "forged-checkpoint",
            Self::ChallengeSubstituted => "challenge-substituted",
            Self::WrongBundle => "wrong-bundle",
            Self::WrongEpoch => "wrong-epoch",
            Self::BrokenEpoch => "broken-epoch",
            Self::ForgedRoster => "forged-roster",
            Self::IntroductionForged => "introduction-forged",
        }
    }

    /// Whether this names an attack rather than a mishap.
    pub fn is_attack(&self) -> bool {
        matches!(
            self,
            Self::Fork
                | Self::Rollback
                | Self::SwappedEntry
                | Self::WrongWrap
                | Self::UnknownSigner
                | Self::Downgrade
                | Self::MissingLeaf
                | Self::TruncatedHistory
                | Self::ReplayedAnswer
                | Self::InjectedEntry
                | Self::BrokenChain
                | Self::NotAsked
                | Self::ForgedDirectory
                | Self::ServerKeySubstituted
                | Self::ForgedCheckpoint
                | Self::ChallengeSubstituted
                | Self::WrongBundle
                | Self::WrongEpoch
                | Self::BrokenEpoch
                | Self::ForgedRoster
                | Self::IntroductionForged
        )
    }

    /// What the server called its refusal, if it was one.
    pub fn server_code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl From<ProtocolError> for ClientError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Fork => Self::Fork,
            ProtocolError::Downgrade => Self::Downgrade,
            other => Self::Protocol(other),
        }
    }
}

impl From<CryptoError> for ClientError {
    fn from(error: CryptoError) -> Self {
        Self::Protocol(ProtocolError::Crypto(error))
    }
}
