//! C2SP tlog-checkpoint: the signed size and root of a log, and the cosignatures of witnesses on it (C2SP tlog-cosignature).

use crate::note::{
    KeyName, LogKey, Note, NoteError, NoteSignature, WitnessKey, parse_signature_lines,
    sign_as_log, sign_as_witness,
};
use crate::text::{base64, parse_decimal, parse_hash};
use crate::tree::TreeHead;
use core::fmt;
use subrosa_crypto::SigningKey;
use subrosa_model::{Hash32, Timestamp};

/// What a log says about itself: its origin, how many leaves it has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; also the name of its key.
    pub origin: KeyName,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Hash32,
}

impl Checkpoint {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            base64(self.root.as_bytes())
        )
    }

    /// Reads the three lines. Extension lines are refused: they cannot be audited, and nothing here writes them.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`] for any other text.
    pub fn parse_text(text: &str) -> Result<Self, NoteError> {
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(NoteError::Checkpoint)?
            .split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Checkpoint);
        };
        Ok(Checkpoint {
            origin: origin.parse().map_err(|_| NoteError::Checkpoint)?,
            size: parse_decimal(size).ok_or(NoteError::Checkpoint)?,
            root: parse_hash(root).ok_or(NoteError::Checkpoint)?,
        })
    }

    /// Size and root without the origin.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }

    /// Signs as the log. A log must never sign two checkpoints of which neither extends the other.
    pub fn sign(self, key: &SigningKey) -> SignedCheckpoint {
        let mut note = Note::unsigned(self.text());
        note.add(sign_as_log(&self.origin, key, note.text()));
        SignedCheckpoint {
            checkpoint: self,
            note,
        }
    }
}

/// That a witness saw this checkpoint, and when. Only made by verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Name of the witness.
    pub witness: KeyName,
    /// When it says it signed, in whole seconds.
    pub at: Timestamp,
}

/// A checkpoint whose log signature was verified, with all the signature lines that came along.
///
/// `Display` is the note as sent and stored; there is no way back but [`SignedCheckpoint::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads and verifies a checkpoint. `logs` are the keys that the reader accepts: several while a log changes its key. A key counts only for the origin it is named for.
    ///
    /// # Errors
    /// [`NoteError::Form`], [`NoteError::TooLarge`], [`NoteError::Checkpoint`] for what is not a checkpoint; [`NoteError::Origin`] when no key is for its origin;
    /// [`NoteError::Unsigned`] when none of them signed; [`NoteError::Signature`] when a line names one of them falsely.
    pub fn open(note: &str, logs: &[LogKey]) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        let mut keys = logs
            .iter()
            .filter(|key| *key.name() == checkpoint.origin)
            .peekable();
        if keys.peek().is_none() {
            return Err(NoteError::Origin);
        }
        let mut signatures = 0;
        for key in keys {
            signatures += note.said_by(key)?.len();
        }
        if signatures == 0 {
            return Err(NoteError::Unsigned);
        }
        Ok(SignedCheckpoint { checkpoint, note })
    }

    /// The origin that an unverified note claims, to find the keys for it. Nothing else of the note is to be used before [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`] for what is not a checkpoint.
    pub fn peek_origin(note: &str) -> Result<KeyName, NoteError> {
        Ok(Checkpoint::parse_text(Note::parse(note)?.text())?.origin)
    }

    /// What the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// The note, with all its signature lines.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Makes the cosignature line of a witness. That the checkpoint extends what the witness saw before is for the caller to have checked: see [`crate::witness`].
    ///
    /// # Errors
    /// [`NoteError::Time`] for a time before 1970-01-01T00:00:01Z.
    pub fn cosign(
        &self,
        witness: &KeyName,
        key: &SigningKey,
        at: Timestamp,
    ) -> Result<NoteSignature, NoteError> {
        sign_as_witness(witness, key, self.note.text(), at)
    }

    /// Takes over, from a witness's answer, the newest line of each of `witnesses`; lines of unknown keys are ignored. A witness that signs again replaces its earlier line, so
    /// that a log which rests for months does not grow its note. Returns how many of the keys are named in the answer.
    ///
    /// # Errors
    /// [`NoteError::Form`] or [`NoteError::TooLarge`] when the answer is not signature lines, or would make the note larger than can be read again;
    /// [`NoteError::Signature`] when a line names a known witness falsely. Nothing is taken over then.
    pub fn add_cosignatures(
        &mut self,
        lines: &str,
        witnesses: &[WitnessKey],
    ) -> Result<usize, NoteError> {
        let mut answer = Note::unsigned(self.note.text().to_owned());
        parse_signature_lines(lines)?
            .into_iter()
            .for_each(|line| answer.add(line));
        let (mut note, mut known) = (self.note.clone(), 0);
        for key in witnesses {
            let newest = answer.said_by(key)?.into_iter().max_by_key(|(_, at)| *at);
            let Some((line, at)) = newest else { continue };
            known += 1;
            // A false line that came along with the note counts as none, and gives way.
            let held = note.said_by(key).unwrap_or_default();
            if held.iter().all(|(_, before)| *before < at) {
                note.retain(|line| !key.is_named_by(line));
                note.add(line.clone());
            }
        }
        self.note = Note::parse(&note.to_string())?;
        Ok(known)
    }

    /// Which of `witnesses` cosigned, and when: one item per witness, its newest time, in the order of `witnesses`.
    ///
    /// # Errors
    /// [`NoteError::Signature`] when a line names a known witness and that witness did not make it.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, NoteError> {
        let mut seen: Vec<&WitnessKey> = Vec::new();
        let mut cosigned = Vec::new();
        for key in witnesses {
            // One key under two names, or listed twice, is still one witness.
            if seen.iter().any(|other| other.key() == key.key()) {
                continue;
            }
            if let Some(at) = self.note.said_by(key)?.into_iter().map(|(_, at)| at).max() {
                seen.push(key);
                cosigned.push(Cosignature {
                    witness: key.name().clone(),
                    at,
                });
            }
        }
        Ok(cosigned)
    }

    /// The same checkpoint with only the lines named for its own log and for these witnesses: what a proof needs, without what strangers added.
    pub fn without_strangers(mut self, witnesses: &[WitnessKey]) -> Self {
        let origin = &self.checkpoint.origin;
        self.note.retain(|line| {
            line.name == *origin || witnesses.iter().any(|key| key.is_named_by(line))
        });
        self
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}
