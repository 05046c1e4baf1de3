/// What can go wrong in this crate. The text is for a tired human; it never holds a key, a plaintext or a name.
///
/// `code()` is stable: tests, logs and the API may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The bytes are not CBOR at all, or are cut short, or something follows.
    #[error("this data is damaged: it cannot be read")]
    CborMalformed,
    /// Valid CBOR in another encoding than the one allowed (RFC 8949 section 4.2.1), or with unknown fields.
    #[error("this data is not in the one encoding that is allowed, so it was not written by this program")]
    CborNotCanonical,
    /// Larger than [`crate::cbor::MAX_SIZE`].
    #[error("this data is too large")]
    CborTooLarge,
    /// Nested deeper than [`crate::cbor::MAX_DEPTH`].
    #[error("this data is nested too deeply")]
    CborTooDeep,
    /// Good CBOR, but not the type that was asked for.
    #[error("this data is of another kind than expected")]
    CborShape,
    /// Not a sealed envelope of version 1.
    #[error("this is not a sealed envelope of a version this program knows")]
    EnvelopeMalformed,
    /// Sealed under another key than the one given.
    #[error("this was sealed for another key")]
    KeyMismatch,
    /// The commitment differs: another context, another key under the same name, or damage.
    #[error("this envelope does not belong here, or was altered")]
    Commitment,
    /// The authentication tag differs.
    #[error("this envelope was altered or damaged")]
    Tag,
    /// The unwrapped bytes are not a key, or not the key that was named.
    #[error("the key inside is not the key that was expected")]
    WrongKeyInside,
    /// The key has the wrong length.
    #[error("a key has the wrong length")]
    KeyLength,
    /// Padding does not follow the rule.
    #[error("the padding of this data is damaged")]
    Padding,
    /// The context is longer than HPKE's info may be (64 KiB).
    #[error("the context of this envelope is too long")]
    ContextTooLong,
    /// A public key that is no valid key (wrong length, not on the curve, weak, unreduced).
    #[error("this public key is not valid")]
    PublicKey,
    /// Not a signed statement of version 1.
    #[error("this is not a signed statement of a version this program knows")]
    SignatureMalformed,
    /// Signed by another key than the one given.
    #[error("this was signed by someone else")]
    SignerMismatch,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    SignatureInvalid,
    /// A signature of a signer that the reader does not know.
    #[error("this was signed by someone unknown")]
    SignerUnknown,
    /// No signature at all, or more than [`crate::MAX_SIGNATURES`].
    #[error("the number of signatures is not acceptable")]
    SignatureCount,
    /// A message authentication code differs.
    #[error("the authentication code is not valid")]
    Mac,
    /// Too few or too many words.
    #[error("expected {expected} words, found {found}")]
    WordCount {
        /// How many words there should be.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A word that is not in the list, by its position from 1. The word itself is not repeated.
    #[error("word {position} is not in the word list")]
    WordUnknown {
        /// Which word, counted from 1.
        position: usize,
    },
    /// All words are known but do not belong together.
    #[error("the words do not belong together: one is wrong or two are swapped")]
    WordChecksum,
    /// A passkey's PRF output that is short or all zero.
    #[error("the passkey gave no usable secret; try another passkey or browser")]
    PrfOutput,
    /// Not a sealed attachment of version 1.
    #[error("this is not a sealed attachment of a version this program knows")]
    StreamMalformed,
    /// The attachment ends before its last part, or goes on after it.
    #[error("this attachment is incomplete or has something added")]
    StreamTruncated,
    /// The content's hash differs from the one that was named.
    #[error("the content of this attachment is not what was announced")]
    StreamHash,
}

impl CryptoError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CborMalformed => "cbor-malformed",
            Self::CborNotCanonical => "cbor-not-canonical",
            Self::CborTooLarge => "cbor-too-large",
            Self::CborTooDeep => "cbor-too-deep",
            Self::CborShape => "cbor-shape",
            Self::EnvelopeMalformed => "envelope-malformed",
            Self::KeyMismatch => "envelope-key-mismatch",
            Self::Commitment => "envelope-commitment",
            Self::Tag => "envelope-tag",
            Self::WrongKeyInside => "envelope-wrong-key-inside",
            Self::KeyLength => "key-length",
            Self::Padding => "padding",
            Self::ContextTooLong => "context-too-long",
            Self::PublicKey => "public-key",
            Self::SignatureMalformed => "signature-malformed",
            Self::SignerMismatch => "signature-signer-mismatch",
            Self::SignatureInvalid => "signature-invalid",
            Self::SignerUnknown => "signature-signer-unknown",
            Self::SignatureCount => "signature-count",
            Self::Mac => "mac-invalid",
            Self::WordCount { .. } => "words-count",
            Self::WordUnknown { .. } => "words-unknown",
            Self::WordChecksum => "words-checksum",
            Self::PrfOutput => "prf-output",
            Self::StreamMalformed => "stream-malformed",
            Self::StreamTruncated => "stream-truncated",
            Self::StreamHash => "stream-hash",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CryptoError::*;

    #[test]
    fn codes_are_stable_words_and_each_its_own() {
        let all = [
            CborMalformed,
            CborNotCanonical,
            CborTooLarge,
            CborTooDeep,
            CborShape,
            EnvelopeMalformed,
            KeyMismatch,
            Commitment,
            Tag,
            WrongKeyInside,
            KeyLength,
            Padding,
            ContextTooLong,
            PublicKey,
            SignatureMalformed,
            SignerMismatch,
            SignatureInvalid,
            SignerUnknown,
            SignatureCount,
            Mac,
            WordCount { expected: 7, found: 6 },
            WordUnknown { position: 1 },
            WordChecksum,
            PrfOutput,
            StreamMalformed,
            StreamTruncated,
            StreamHash,
        ];
        let codes: std::collections::BTreeSet<&str> = all.iter().map(|e| e.code()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
