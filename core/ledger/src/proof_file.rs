//! C2SP tlog-proof: one text file that proves, offline and for ever, that a leaf is in a log: for a patient, an auditor, a court.
//!
//! The file carries the leaf itself in its `extra` line, its index, the inclusion proof and the checkpoint with its cosignatures. The reader brings the keys.

use crate::checkpoint::{Cosignature, SignedCheckpoint};
use crate::note::{LogKey, NoteError, WitnessKey};
use crate::text::{base64, hash_lines, parse_base64, parse_decimal, parse_hash};
use crate::tree::{MAX_PROOF, ProofError, TreeHead, leaf_hash, verify_inclusion};
use core::fmt;
use core::str::FromStr;
use subrosa_model::Hash32;

/// The longest file that is read, in bytes.
pub const MAX_FILE: usize = 512 * 1024;
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof file was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// Longer than [`MAX_FILE`].
    #[error("the proof file is too large")]
    TooLarge,
    /// Not in the form of a proof file, or without the leaf.
    #[error("this is not a proof file")]
    Form,
    /// The checkpoint in it was not accepted.
    #[error(transparent)]
    Checkpoint(#[from] NoteError),
    /// The inclusion proof in it was not accepted.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Fewer known witnesses cosigned than the reader asks for.
    #[error("{found} of the {least} witnesses that are asked for have cosigned this checkpoint")]
    Witnesses {
        /// How many known witnesses cosigned.
        found: usize,
        /// How many the reader asks for.
        least: usize,
    },
}

impl ProofFileError {
    /// A stable name for programs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            ProofFileError::TooLarge => "proof-file-too-large",
            ProofFileError::Form => "proof-file-form",
            ProofFileError::Checkpoint(e) => e.code(),
            ProofFileError::Proof(e) => e.code(),
            ProofFileError::Witnesses { .. } => "proof-file-witnesses",
        }
    }
}

/// A proof file, well formed but not verified. `Display` and `FromStr` are inverse, byte for byte. Customary file name: `*.tlog-proof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    leaf: Vec<u8>,
    index: u64,
    proof: Vec<Hash32>,
    checkpoint: String,
}

/// What a verified proof file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The content of the leaf.
    pub leaf: Vec<u8>,
    /// Its place in the log.
    pub index: u64,
    /// Size and root of the log that it was proven in.
    pub head: TreeHead,
    /// Which known witnesses cosigned that checkpoint, and when.
    pub cosignatures: Vec<Cosignature>,
}

impl ProofFile {
    /// Puts a proof together, and checks it, so that no file is written that does not verify.
    ///
    /// # Errors
    /// As [`verify_inclusion`]; [`ProofFileError::TooLarge`] when the file could not be read again.
    pub fn new(
        leaf: &[u8],
        index: u64,
        proof: Vec<Hash32>,
        checkpoint: &SignedCheckpoint,
    ) -> Result<Self, ProofFileError> {
        let head = checkpoint.head();
        verify_inclusion(&leaf_hash(leaf), index, head.size, &proof, &head.root)?;
        let file = ProofFile {
            leaf: leaf.to_vec(),
            index,
            proof,
            checkpoint: checkpoint.to_string(),
        };
        if file.to_string().len() > MAX_FILE {
            Err(ProofFileError::TooLarge)
        } else {
            Ok(file)
        }
    }

    /// Verifies everything: the log's signature, every cosignature by a known witness, and that the leaf is in the log. `least` is how many different witnesses must have
    /// cosigned; with 0, the file proves only what the log's own key says.
    ///
    /// # Errors
    /// Every way in which [`SignedCheckpoint::open`] and [`verify_inclusion`] refuse; [`ProofFileError::Witnesses`] for too few cosignatures.
    pub fn verify(
        &self,
        logs: &[LogKey],
        witnesses: &[WitnessKey],
        least: usize,
    ) -> Result<Proven, ProofFileError> {
        let checkpoint = SignedCheckpoint::open(&self.checkpoint, logs)?;
        let cosignatures = checkpoint.cosignatures(witnesses)?;
        let head = checkpoint.head();
        verify_inclusion(
            &leaf_hash(&self.leaf),
            self.index,
            head.size,
            &self.proof,
            &head.root,
        )?;
        if cosignatures.len() < least {
            return Err(ProofFileError::Witnesses {
                found: cosignatures.len(),
                least,
            });
        }
        Ok(Proven {
            leaf: self.leaf.clone(),
            index: self.index,
            head,
            cosignatures,
        })
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (leaf, proof) = (base64(&self.leaf), hash_lines(&self.proof));
        write!(
            f,
            "{FIRST_LINE}\nextra {leaf}\nindex {}\n{proof}\n{}",
            self.index, self.checkpoint
        )
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;
    fn from_str(file: &str) -> Result<Self, ProofFileError> {
        if file.len() > MAX_FILE {
            return Err(ProofFileError::TooLarge);
        }
        let (head, checkpoint) = file.split_once("\n\n").ok_or(ProofFileError::Form)?;
        read_head(head)
            .map(|(leaf, index, proof)| ProofFile {
                leaf,
                index,
                proof,
                checkpoint: checkpoint.to_owned(),
            })
            .ok_or(ProofFileError::Form)
    }
}

fn read_head(head: &str) -> Option<(Vec<u8>, u64, Vec<Hash32>)> {
    let mut lines = head.split('\n');
    if lines.next()? != FIRST_LINE {
        return None;
    }
    let leaf = parse_base64(lines.next()?.strip_prefix("extra ")?)?;
    let index = parse_decimal(lines.next()?.strip_prefix("index ")?)?;
    let proof = lines
        .map(parse_hash)
        .take(MAX_PROOF + 1)
        .collect::<Option<Vec<_>>>()?;
    (proof.len() <= MAX_PROOF).then_some((leaf, index, proof))
}
