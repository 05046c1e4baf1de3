use super::parse;
use crate::xml::{Child, NodeId, Tree};
use crate::{Limits, RecordsError};

/// Text of one document beyond which display stops; the document itself is kept whole.
const MOST_TEXT: usize = 4 << 20;

/// A section of a document, for display.
#[derive(Clone, PartialEq, Eq)]
pub struct Section {
    /// Title; empty where the document has none.
    pub title: String,
    /// Section code, usually LOINC.
    pub code: Option<String>,
    /// The narrative as plain text.
    pub text: String,
}

impl core::fmt::Debug for Section {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Section({} bytes)", self.text.len())
    }
}

/// The sections of a document or fragment in order, their narrative as plain text.
///
/// # Errors
/// As [`super::read_header`].
pub fn sections(bytes: &[u8], limits: &Limits) -> Result<Vec<Section>, RecordsError> {
    let tree = parse(bytes, limits)?;
    let mut found = Vec::new();
    let mut total = 0usize;
    for id in tree.ids().filter(|id| tree.name(*id) == "section") {
        let mut text = String::new();
        if let Some(narrative) = tree.find(id, &["text"]) {
            write(&tree, narrative, &mut text, MOST_TEXT.saturating_sub(total));
        }
        total += text.len();
        found.push(Section {
            title: tree
                .find(id, &["title"])
                .map(|id| tree.own_text(id))
                .unwrap_or_default(),
            code: tree
                .find(id, &["code"])
                .and_then(|id| tree.attribute(id, "code"))
                .map(str::to_owned),
            text: crate::text::tidy(&text),
        });
        if total >= MOST_TEXT {
            break;
        }
    }
    Ok(found)
}

enum Step {
    Enter(NodeId),
    Leave(NodeId),
    Text(NodeId, usize),
}

/// Writes narrative as lines: paragraphs, list items and table rows on their own.
fn write(tree: &Tree, narrative: NodeId, out: &mut String, most: usize) {
    let mut steps = vec![Step::Enter(narrative)];
    while let Some(step) = steps.pop() {
        if out.len() > most {
            return;
        }
        match step {
            Step::Enter(id) => {
                match tree.name(id) {
                    "paragraph" | "list" | "table" | "tr" | "br" | "caption" | "text" => {
                        new_line(out)
                    }
                    "item" => {
                        new_line(out);
                        out.push_str("- ");
                    }
                    "footnote" => out.push_str(" ("),
                    _ => (),
                }
                steps.push(Step::Leave(id));
                for (n, child) in tree.children(id).iter().enumerate().rev() {
                    match child {
                        Child::Element(child) => steps.push(Step::Enter(*child)),
                        Child::Text(_) => steps.push(Step::Text(id, n)),
                    }
                }
            }
            Step::Text(id, n) => {
                if let Some(Child::Text(text)) = tree.children(id).get(n) {
                    words(out, text);
                }
            }
            Step::Leave(id) => match tree.name(id) {
                "paragraph" | "table" | "tr" | "item" | "caption" => new_line(out),
                "td" | "th" => out.push_str("  "),
                "footnote" => out.push(')'),
                _ => (),
            },
        }
    }
}

fn words(out: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
    }
}

fn new_line(out: &mut String) {
    while out.ends_with(' ') {
        out.pop();
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// The body of an unstructured document (`nonXMLBody`): a PDF, a scan, plain text.
pub fn unstructured(bytes: &[u8], limits: &Limits) -> Option<crate::Attachment> {
    let tree = parse(bytes, limits).ok()?;
    let body = tree.ids().find(|id| tree.name(*id) == "nonXMLBody")?;
    let text = tree.find(body, &["text"])?;
    let content_type = tree
        .attribute(text, "mediaType")
        .unwrap_or("text/plain")
        .to_owned();
    let data = match tree.attribute(text, "representation") {
        Some("B64") => crate::summary::unbase64(&tree.own_text(text))?,
        _ => tree
            .children(text)
            .iter()
            .filter_map(|child| match child {
                Child::Text(text) => Some(text.as_str()),
                Child::Element(_) => None,
            })
            .collect::<String>()
            .into_bytes(),
    };
    (!data.is_empty()).then(|| crate::Attachment {
        content_type,
        title: String::new(),
        data,
    })
}
