//! What a thing says, for people: rows of label and text, the running text, and files inside it. Works on what is stored, so it needs no import at hand.

mod fhir;
mod value;

use crate::text::{decode, decode_named, html_to_text, rtf_to_text, tidy};
use crate::{ImportItem, Limits, ccda, fhir as r4};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file inside a thing: a PDF in a DocumentReference, the body of an unstructured C-CDA.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Media type.
    pub content_type: String,
    /// Title; empty where there is none.
    pub title: String,
    /// The bytes.
    pub data: Vec<u8>,
}

impl core::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Attachment({} bytes)", self.data.len())
    }
}

/// The rows of an item, as [`summary_of`].
pub fn summary(item: &ImportItem) -> Vec<(&'static str, String)> {
    summary_of(&item.schema, &item.body)
}

/// Rows of label and text. Labels are fixed English words, so that they can be keys of a catalogue; the text is the source's.
///
/// Empty when there is nothing to show in rows (a PDF) or the body is not what the schema says.
pub fn summary_of(schema: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    match schema {
        "ccda" => ccda_rows(body),
        "roster-row" => roster_rows(body)
            .into_iter()
            .map(|(header, cell)| ("Column", format!("{header}: {cell}")))
            .collect(),
        "roster-insurer" => insurer_rows(body),
        _ => match schema.strip_prefix("fhir-r4/") {
            Some(kind) => r4::tree(body)
                .map(|resource| fhir::rows(kind, &resource))
                .unwrap_or_default(),
            None => Vec::new(),
        },
    }
}

/// The running text of a thing: a note's words, a report, the sections of a C-CDA, a text file. `None` when it has none that can be shown as text.
pub fn plain_text(schema: &str, content_type: &str, body: &[u8]) -> Option<String> {
    let text = match schema {
        "ccda" => ccda_text(body),
        "roster-row" => Some(
            roster_rows(body)
                .into_iter()
                .map(|(header, cell)| format!("{header}: {cell}\n"))
                .collect(),
        ),
        _ => match schema.strip_prefix("fhir-r4/") {
            Some(kind) => r4::tree(body).and_then(|resource| fhir::text(kind, &resource)),
            None => text_of_file(content_type, body),
        },
    };
    text.map(|text| tidy(&text)).filter(|text| !text.is_empty())
}

/// The title of a thing from its body.
pub fn title_of(schema: &str, body: &[u8]) -> String {
    let title = match schema {
        "ccda" => ccda::read_header(body, &Limits::default())
            .ok()
            .map(|header| header.display_title()),
        "roster-row" => Some("Row of the patient list".to_owned()),
        "roster-insurer" => Some("Insurance".to_owned()),
        _ => schema
            .strip_prefix("fhir-r4/")
            .and_then(|kind| r4::title_of(body).or_else(|| Some(r4::plain_word(kind)))),
    };
    title.unwrap_or_else(|| "Document".to_owned())
}

/// The files inside a thing. Links to files elsewhere are not followed.
pub fn attachments(schema: &str, body: &[u8]) -> Vec<Attachment> {
    if schema == "ccda" {
        return ccda::unstructured(body, &Limits::default())
            .into_iter()
            .collect();
    }
    match schema.strip_prefix("fhir-r4/") {
        Some(kind) => r4::tree(body)
            .map(|resource| fhir::attachments(kind, &resource))
            .unwrap_or_default(),
        None => Vec::new(),
    }
}

/// Base64 with line breaks allowed.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        let joined: String = text.split_ascii_whitespace().collect();
        return BASE64.decode(joined).ok();
    }
    BASE64.decode(text).ok()
}

/// The words of a file, if it is of a kind that has words.
pub(crate) fn text_of_file(content_type: &str, bytes: &[u8]) -> Option<String> {
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    let decoded = || decode_named(bytes, charset).unwrap_or_else(|_| decode(bytes).0);
    match kind.as_str() {
        "text/plain" | "text/markdown" | "text/csv" | "" => Some(decoded()),
        "text/html" | "application/xhtml+xml" => Some(html_to_text(&decoded())),
        "text/rtf" | "application/rtf" => Some(rtf_to_text(bytes)),
        "text/xml" | "application/xml" | "application/cda+xml" | "application/hl7-cda+xml" => {
            ccda_text(bytes)
        }
        _ => None,
    }
}

fn ccda_text(body: &[u8]) -> Option<String> {
    let limits = Limits::default();
    let sections = ccda::sections(body, &limits).ok()?;
    let mut out = String::new();
    for section in sections
        .iter()
        .filter(|section| !section.text.is_empty() || !section.title.is_empty())
    {
        for part in [&section.title, &section.text] {
            if !part.is_empty() {
                out.push_str(part);
                out.push('\n');
            }
        }
        out.push('\n');
    }
    if out.is_empty() {
        let attachment = ccda::unstructured(body, &limits)?;
        if !attachment.content_type.contains("xml") {
            return text_of_file(&attachment.content_type, &attachment.data);
        }
    }
    Some(out)
}

fn ccda_rows(body: &[u8]) -> Vec<(&'static str, String)> {
    let Ok(header) = ccda::read_header(body, &Limits::default()) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    let mut add = |label, text: Option<String>| {
        if let Some(text) = text {
            rows.push((label, text));
        }
    };
    add("Title", header.title.clone());
    add("Kind", header.code_name.clone().or(header.code.clone()));
    add("Date", header.effective_time.as_deref().map(value::moment));
    add("Author", header.author.clone());
    add("Kept by", header.custodian.clone());
    for (_, card) in &header.patients {
        add("Patient", Some(card.display_name()));
        add("Birth date", card.birth_date.clone());
    }
    rows
}

/// Header and cell of every filled column.
fn roster_rows(body: &[u8]) -> Vec<(String, String)> {
    let Ok(sheet) = crate::roster::open(body, &Limits::default()) else {
        return Vec::new();
    };
    sheet
        .headers
        .iter()
        .cloned()
        .zip(sheet.rows().next().unwrap_or_default())
        .filter(|(_, cell)| !cell.is_empty())
        .collect()
}

fn insurer_rows(body: &[u8]) -> Vec<(&'static str, String)> {
    let Some(value) = r4::tree(body) else {
        return Vec::new();
    };
    let row = |label, field: &str| {
        value
            .get(field)?
            .as_str()
            .map(|text| (label, text.to_owned()))
    };
    [
        row("Insurer", "insurer"),
        row("Number with the insurer", "insurance_number"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
