//! C2SP signed-note: a text and the signature lines under it.
//!
//! [`Note::parse`] checks form only. Nothing in a note may be believed before a key that the reader already holds has verified it: see
//! [`SignedCheckpoint::open`](crate::SignedCheckpoint::open).

mod key;

pub use key::{KeyKind, KeyName, Log, LogKey, NoteKey, Witness, WitnessKey};
pub(crate) use key::{sign_as_log, sign_as_witness};

use crate::text::{base64, parse_base64};
use core::fmt;
use core::str::FromStr;

/// The longest note that is read, in bytes.
pub const MAX_NOTE: usize = 128 * 1024;
/// The most signature lines that are read. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 32;

/// Why a note, a key or a signature was not accepted. No variant repeats what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`MAX_NOTE`], or more than [`MAX_SIGNATURES`] signatures.
    #[error("the signed note is too large")]
    TooLarge,
    /// Not in the form that signed-note prescribes.
    #[error("this is not a signed note")]
    Form,
    /// A key name that is empty, too long, or contains a space, a plus sign or a control character.
    #[error("this is not a valid key name")]
    Name,
    /// Not a verifier key of the kind expected.
    #[error("this is not a verifier key of the expected kind")]
    Key,
    /// The text of the note is not a checkpoint (or has extension lines, which are refused).
    #[error("the signed note is not a checkpoint")]
    Checkpoint,
    /// The checkpoint is about another log.
    #[error("the checkpoint belongs to another ledger")]
    Origin,
    /// No known key signed.
    #[error("the checkpoint is not signed by a key that is known for this ledger")]
    Unsigned,
    /// A line that names a known key has a signature that this key did not make.
    #[error("a signature on the checkpoint is false")]
    Signature,
    /// A time before 1970, or none.
    #[error("the time of the cosignature is not valid")]
    Time,
}

impl NoteError {
    /// A stable name for programs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            NoteError::TooLarge => "note-too-large",
            NoteError::Form => "note-form",
            NoteError::Name => "note-key-name",
            NoteError::Key => "note-key",
            NoteError::Checkpoint => "checkpoint-form",
            NoteError::Origin => "checkpoint-origin",
            NoteError::Unsigned => "checkpoint-unsigned",
            NoteError::Signature => "checkpoint-signature",
            NoteError::Time => "cosignature-time",
        }
    }
}

/// One signature line of a note: who, which key, and the bytes. Not verified.
///
/// `Display` and `FromStr` are the line without its final newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: KeyName,
    /// The short id of the key; the name and the id together point to one key.
    pub id: u32,
    /// What the key made; its form depends on the kind of key.
    pub signature: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.id.to_be_bytes()[..], &self.signature].concat();
        write!(f, "\u{2014} {} {}", self.name, base64(&blob))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Form)?;
        let (name, blob) = rest.split_once(' ').ok_or(NoteError::Form)?;
        let blob = parse_base64(blob).ok_or(NoteError::Form)?;
        let (id, signature) = blob.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        if signature.is_empty() {
            return Err(NoteError::Form);
        }
        Ok(NoteSignature {
            name: name.parse().map_err(|_| NoteError::Form)?,
            id: u32::from_be_bytes(*id),
            signature: signature.to_vec(),
        })
    }
}

/// A text with signature lines, well formed but not verified. `Display` and `parse` are inverse, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note; every signature line is kept, known or not.
    ///
    /// # Errors
    /// [`NoteError::TooLarge`] above [`MAX_NOTE`] or [`MAX_SIGNATURES`]; [`NoteError::Form`] for anything that signed-note does not allow.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE {
            return Err(NoteError::TooLarge);
        }
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Form);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (&note[..split + 1], &note[split + 2..]);
        Ok(Note {
            text: text.to_owned(),
            signatures: parse_signature_lines(signatures)?,
        })
    }

    /// A text that is about to be signed; it must end in a newline and hold no other control character.
    pub(crate) fn unsigned(text: String) -> Self {
        Note {
            text,
            signatures: Vec::new(),
        }
    }

    /// What is signed, with its final newline. Unverified.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a line unless the very same is there.
    pub(crate) fn add(&mut self, line: NoteSignature) {
        if !self.signatures.contains(&line) {
            self.signatures.push(line);
        }
    }

    /// Drops the lines that `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&NoteSignature) -> bool) {
        self.signatures.retain(keep);
    }

    /// Verifies every line that names `key` and returns them with what they say; empty when none does.
    ///
    /// # Errors
    /// [`NoteError::Signature`] when a line names this key and the key did not make it.
    pub(crate) fn said_by<K: KeyKind>(
        &self,
        key: &NoteKey<K>,
    ) -> Result<Vec<(&NoteSignature, K::Says)>, NoteError> {
        self.signatures
            .iter()
            .filter(|line| key.is_named_by(line))
            .map(|line| {
                K::verify(key.key(), &self.text, &line.signature)
                    .map(|says| (line, says))
                    .ok_or(NoteError::Signature)
            })
            .collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// One or more signature lines, each ending in a newline.
pub(crate) fn parse_signature_lines(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
    if lines.split('\n').count() > MAX_SIGNATURES {
        return Err(NoteError::TooLarge);
    }
    lines.split('\n').map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the signed-note specification.
    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key: LogKey = VKEY.parse().unwrap();
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(note.said_by(&key).unwrap().len(), 1);
        let changed = Note::parse(&NOTE.replace("example message", "example massage")).unwrap();
        assert_eq!(changed.said_by(&key), Err(NoteError::Signature));
    }

    #[test]
    fn other_forms_are_no_notes() {
        for bad in [
            NOTE.trim_end().to_owned(),
            NOTE.replace("\n\n", "\n"),
            NOTE.replace('\u{2014}', "-"),
            NOTE.replace("example message", "example\tmessage"),
            NOTE.replace("foo Uw2Q", "foo  Uw2Q"),
            NOTE.replace("aQM=", "aQN="),
            NOTE.replace("aQM=", "aQM"),
            format!("{NOTE}\n"),
            String::new(),
            "\n\n".to_owned(),
        ] {
            assert_eq!(Note::parse(&bad), Err(NoteError::Form), "{bad:?}");
        }
    }
}
