use crate::card::IdentityCard;
use core::fmt;
use sha2::{Digest, Sha256};
use subrosa_model::Compartment;

/// One thing to be kept: a FHIR resource, a C-CDA document, a roster row, a PDF.
///
/// `Debug` shows the kind and the length only.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportItem {
    /// The same thing read again has the same key (JSON whitespace apart), so an import can be repeated or resumed.
    pub source_key: [u8; 32],
    /// Which patient of the source it belongs to, e.g. `Patient/4b1f...`, `mrn:1234`, `person:...`. Empty in [`Unowned`] where none is named.
    pub patient_key: String,
    /// Where in the chart it goes.
    pub compartment: Compartment,
    /// `fhir-r4/Observation`, `ccda`, `roster-row`, `roster-insurer`, `document/pdf`...
    pub schema: String,
    /// Media type of `body`.
    pub content_type: String,
    /// A line for display, in plain words.
    pub title: String,
    /// When it happened, as the source writes it (ISO 8601 date or date and time, possibly only a year).
    pub occurred: Option<String>,
    /// The bundle's `fullUrl`, only where an export could not derive it from the resource itself.
    pub full_url: Option<String>,
    /// The source's bytes, exactly.
    pub body: Vec<u8>,
}

impl fmt::Debug for ImportItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ImportItem({} in {}, {} bytes)",
            self.schema,
            self.compartment,
            self.body.len()
        )
    }
}

/// A patient of the source: the key that items name, and what is known of the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    /// The key that [`ImportItem::patient_key`] carries.
    pub key: String,
    /// Name, birth date, contact.
    pub card: IdentityCard,
    /// Other names by which the source refers to the same patient (full URLs, identifiers).
    pub aliases: Vec<String>,
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patient({} aliases)", self.aliases.len())
    }
}

/// A thing that belongs to no patient of this import. Nothing is lost: it is handed over whole, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unowned {
    /// The thing; its patient key is empty, or the reference that led nowhere.
    pub item: ImportItem,
    /// Why no chart takes it.
    pub why: UnownedWhy,
}

/// Why a thing belongs to no patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnownedWhy {
    /// It is about the practice or the world: organisations, practitioners, places, medicines.
    PracticeWide,
    /// It should name a patient and does not.
    NoPatient,
    /// It names a patient that is not in this import.
    PatientNotInImport,
}

impl UnownedWhy {
    /// A stable word for programs, kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            UnownedWhy::PracticeWide => "practice-wide",
            UnownedWhy::NoPatient => "names-no-patient",
            UnownedWhy::PatientNotInImport => "patient-not-in-import",
        }
    }

    /// The same in words.
    pub fn reason(self) -> &'static str {
        match self {
            UnownedWhy::PracticeWide => "belongs to the practice, not to one patient",
            UnownedWhy::NoPatient => "does not say whose it is",
            UnownedWhy::PatientNotInImport => "belongs to a patient who is not in this import",
        }
    }
}

/// A note about one piece of a file: where, a stable code, and the reason in words. Never holds content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// `entry 12`, `line 7`, `row 3`, `file 4`; numbered from 1 as a person would count.
    pub at: String,
    /// Kebab-case.
    pub code: &'static str,
    /// For a person.
    pub reason: String,
}

impl Remark {
    pub(crate) fn new(
        at: impl fmt::Display,
        code: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Remark {
            at: at.to_string(),
            code,
            reason: reason.into(),
        }
    }
}

/// Key of a thing from its kind, its owner in the source (may be empty) and its canonical content.
pub(crate) fn source_key(kind: &str, owner: &str, feed: impl FnOnce(&mut Sha256)) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"subrosa/records/1\0");
    for part in [kind, owner] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    feed(&mut hash);
    hash.finalize().into()
}

/// Said of a thing that [`too_many`] people share.
pub(crate) const MANY_PATIENTS: &str =
    "this names more patients than one thing is copied for; it was kept apart";

/// Whether a thing of so many people and bytes would grow out of hand if each had a copy.
pub(crate) fn too_many(people: usize, bytes: usize) -> bool {
    people > 1 && (people > 30 || people * bytes > 64 << 20)
}

/// `person:` and a short hash of name and birth date: a key for people whom the source gives no number.
pub(crate) fn person_key(card: &IdentityCard) -> String {
    use core::fmt::Write as _;
    let fold = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let key = source_key("person", "", |hash| {
        for part in [&card.family, &card.given] {
            hash.update(fold(part).as_bytes());
            hash.update([0]);
        }
        hash.update(card.birth_date.as_deref().unwrap_or("").as_bytes());
    });
    key.iter()
        .take(16)
        .fold("person:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
