//! C2SP tlog-witness, `add-checkpoint`: what a witness decides, without its HTTP server and its disk.
//!
//! A log sends the size that the witness saw last, a consistency proof from there, and a new checkpoint ([`AddCheckpoint`]). The witness cosigns only what extends what it saw
//! ([`decide`]). The caller must, under one lock per origin: load the last head, decide, **store [`Decision::head`] durably, and only then** send [`Decision::line`].

use crate::checkpoint::SignedCheckpoint;
use crate::note::{KeyName, LogKey, NoteError};
use crate::text::{hash_lines, parse_decimal, parse_hash};
use crate::tree::{ProofError, TreeHead};
use core::fmt;
use core::str::FromStr;
use subrosa_crypto::{SigningKey, sha256};
use subrosa_model::{Hash32, Timestamp};

/// The longest request that is read, in bytes.
pub const MAX_REQUEST: usize = 136 * 1024;
/// The most consistency proof lines that a request may have (tlog-witness).
pub const MAX_LINES: usize = 63;
/// The content type of the answer to [`Refusal::Conflict`].
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// The size in the body of a [`Refusal::Conflict`], as the log that asked reads it: the size to prove from next.
pub fn parse_size(body: &str) -> Option<u64> {
    parse_decimal(body.strip_suffix('\n')?)
}

/// Where a witness serves its newest checkpoint of a log, below its monitoring prefix: `<SHA-256 of the origin in hex>/checkpoint`.
pub fn monitor_path(origin: &KeyName) -> String {
    format!("{}/checkpoint", sha256(&[origin.as_str().as_bytes()]))
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request is not in the form of tlog-witness.
    #[error("this is not an add-checkpoint request")]
    Form,
    /// The log claims to have had more leaves before than it has now.
    #[error("the old size is above the size of the checkpoint")]
    OldAboveNew,
    /// The witness does not watch this log.
    #[error("this witness does not watch that ledger")]
    UnknownOrigin,
    /// No key that is known for this log signed, or a line names one falsely.
    #[error("the checkpoint is not signed by a key that this witness knows for the ledger")]
    NotSigned,
    /// The witness last saw another size than the request says.
    #[error("this witness last saw the ledger at {size} leaves")]
    Conflict {
        /// The size it last cosigned.
        size: u64,
    },
    /// Same size, another root: the log shows two histories. The signed checkpoint is evidence.
    #[error("the ledger shows two different histories of {size} leaves")]
    Fork {
        /// The size at which the histories differ.
        size: u64,
    },
    /// The new checkpoint was not shown to extend the last one.
    #[error("the checkpoint was not shown to extend the one this witness saw last")]
    NotExtended(#[source] ProofError),
    /// The caller's clock cannot be right.
    #[error("the clock of this witness is not set")]
    Clock,
}

impl Refusal {
    /// A stable name for programs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Form => "witness-form",
            Refusal::OldAboveNew => "witness-old-above-new",
            Refusal::UnknownOrigin => "witness-unknown-origin",
            Refusal::NotSigned => "witness-not-signed",
            Refusal::Conflict { .. } => "witness-conflict",
            Refusal::Fork { .. } => "witness-fork",
            Refusal::NotExtended(_) => "witness-not-extended",
            Refusal::Clock => "witness-clock",
        }
    }

    /// The HTTP status that tlog-witness prescribes.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Form | Refusal::OldAboveNew => 400,
            Refusal::NotSigned => 403,
            Refusal::UnknownOrigin => 404,
            Refusal::Conflict { .. } => 409,
            Refusal::Fork { .. } | Refusal::NotExtended(_) => 422,
            Refusal::Clock => 503,
        }
    }

    /// The body of the answer: for a conflict the size and a newline, with [`SIZE_CONTENT_TYPE`]; else a sentence for a human.
    pub fn body(&self) -> String {
        match self {
            Refusal::Conflict { size } => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }

    /// Whether this shows the log itself to misbehave: its key signed two roots for one size. (A proof that does not verify shows nothing: anyone may send one.)
    pub fn is_evidence(&self) -> bool {
        matches!(self, Refusal::Fork { .. })
    }
}

/// A request to a witness, well formed but not verified. `Display` and `FromStr` are inverse, byte for byte: a log writes it with [`AddCheckpoint::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Hash32>,
    origin: KeyName,
    note: String,
}

impl AddCheckpoint {
    /// The request of a log: `old` is the size that the witness saw last (0 when it saw none), `proof` the consistency proof from there.
    pub fn new(old: u64, proof: Vec<Hash32>, checkpoint: &SignedCheckpoint) -> Self {
        AddCheckpoint {
            old,
            proof,
            origin: checkpoint.checkpoint().origin.clone(),
            note: checkpoint.to_string(),
        }
    }

    /// Which log this claims to be about: to find its keys and its last head. Not verified.
    pub fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// The size that the log says this witness saw last. Not verified.
    pub fn old_size(&self) -> u64 {
        self.old
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "old {}\n{}\n{}",
            self.old,
            hash_lines(&self.proof),
            self.note
        )
    }
}

impl FromStr for AddCheckpoint {
    type Err = Refusal;
    fn from_str(request: &str) -> Result<Self, Refusal> {
        if request.len() > MAX_REQUEST {
            return Err(Refusal::Form);
        }
        let (head, note) = request.split_once("\n\n").ok_or(Refusal::Form)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(parse_decimal);
        let proof: Option<Vec<_>> = lines.take(MAX_LINES + 1).map(parse_hash).collect();
        let (Some(old), Some(proof)) = (old, proof) else {
            return Err(Refusal::Form);
        };
        if proof.len() > MAX_LINES {
            return Err(Refusal::Form);
        }
        let origin = SignedCheckpoint::peek_origin(note).map_err(|_| Refusal::Form)?;
        Ok(AddCheckpoint {
            old,
            proof,
            origin,
            note: note.to_owned(),
        })
    }
}

/// What a witness has to do when it agrees: store `head` durably, then answer with `line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The head to remember for this origin from now on.
    pub head: TreeHead,
    /// The cosignature line with its newline: the body of the answer.
    pub line: String,
    /// The checkpoint with this cosignature, to be served to monitors.
    pub checkpoint: SignedCheckpoint,
}

/// Decides on a request. `logs` are the keys this witness trusts for the origin of the request (none: it does not watch that log); `last` is the head it cosigned last for
/// that origin, [`TreeHead::empty`] when it never did; `name` and `key` are the witness's own; `now` is its clock.
///
/// # Errors
/// The [`Refusal`] that tlog-witness prescribes, checked in its order; nothing is to be stored then.
pub fn decide(
    request: &AddCheckpoint,
    logs: &[LogKey],
    last: &TreeHead,
    name: &KeyName,
    key: &SigningKey,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let mut checkpoint =
        SignedCheckpoint::open(&request.note, logs).map_err(|error| match error {
            NoteError::Origin => Refusal::UnknownOrigin,
            NoteError::Unsigned | NoteError::Signature => Refusal::NotSigned,
            _ => Refusal::Form,
        })?;
    let head = checkpoint.head();
    if request.old > head.size {
        return Err(Refusal::OldAboveNew);
    }
    if request.old != last.size {
        return Err(Refusal::Conflict { size: last.size });
    }
    if head.size == last.size && head.root != last.root {
        return Err(Refusal::Fork { size: head.size });
    }
    last.verify_extended_by(&head, &request.proof)
        .map_err(Refusal::NotExtended)?;
    let line = checkpoint
        .cosign(name, key, now)
        .map_err(|_| Refusal::Clock)?;
    let line = format!("{line}\n");
    let own = [crate::note::WitnessKey::new(name.clone(), key.public())];
    checkpoint = checkpoint.without_strangers(&own);
    checkpoint
        .add_cosignatures(&line, &own)
        .map_err(|_| Refusal::Form)?;
    Ok(Decision {
        head,
        line,
        checkpoint,
    })
}
