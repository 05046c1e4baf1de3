use crate::IdentityCard;
use crate::roster::{find_date, parse_date};

/// Words of folders and files that are not names of people.
#[rustfmt::skip]
const NOT_NAMES: &[&str] = &[
    "a", "about", "active", "admin", "agreement", "all", "and", "appointment", "appointments", "archive", "archived", "assessment", "authorization", "backup", "billing", "bills",
    "card", "care", "center", "chart", "charts", "client", "clients", "clinic", "clinical", "closed", "consent", "copy", "correspondence", "current", "data", "discharge",
    "diagnosis", "discharged", "doc", "docs", "document", "documents", "draft", "dob", "email", "evaluation", "export", "exports", "fax", "file", "files", "final", "folder", "for", "form",
    "forms", "former", "from", "gad", "health", "hipaa", "history", "id", "image", "images", "inactive", "info", "information", "initial", "insurance", "intake", "invoice", "invoices",
    "lab", "labs", "letter", "letters", "list", "measures", "medical", "medication", "medications", "mental", "misc", "my", "new", "note", "notes", "of", "office", "old", "other", "page", "papers",
    "paperwork", "patient", "patients", "payment", "phq", "photo", "plan", "plans", "policy", "practice", "privacy", "progress", "psych", "psychotherapy", "record", "records", "referral", "release",
    "report", "reports", "result", "results", "roi", "safety", "scan", "scanned", "scans", "session", "sessions", "signed", "statement", "statements", "summary", "superbill", "superbills", "template",
    "termination", "test", "the", "therapy", "to", "treatment", "untitled", "upload", "uploads", "visit", "with", "akte", "akten", "anamnese", "arztbrief", "befund", "befunde", "bericht", "berichte",
    "brief", "briefe", "dokument", "dokumente", "einwilligung", "klienten", "patienten", "praxis", "protokoll", "rechnung", "rechnungen", "sitzung", "therapie",
];

/// A name found in a folder or file name.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Named {
    pub family: String,
    pub given: String,
    pub birth_date: Option<String>,
    /// Written as `Family, Given`, which only names of people are.
    pub has_comma: bool,
}

/// The name in a folder's name: `Family, Given`, `Given Family`, with a number or a birth date after it.
pub(crate) fn in_folder(folder: &str) -> Option<Named> {
    let spaced = folder.replace('_', " ");
    let birth_date = birth_date(&spaced);
    let bare = without_extras(&spaced);
    let mut named = name(&bare)?;
    named.birth_date = birth_date;
    Some(named)
}

/// The name in a piece of a file's name, and what is left of the piece.
pub(crate) fn in_piece(piece: &str) -> Option<(Named, String)> {
    if let Some(named) = name(piece) {
        return Some((named, String::new()));
    }
    // "Jane Doe intake form": the capitalised words before the first that is no name.
    let words: Vec<&str> = piece.split_whitespace().collect();
    let run = words
        .iter()
        .take_while(|word| is_name_word(word.trim_end_matches(',')))
        .count();
    if !(2..=4).contains(&run) || run == words.len() {
        return None;
    }
    let (head, tail) = words.split_at(run);
    name(&head.join(" ")).map(|named| (named, tail.join(" ")))
}

fn name(text: &str) -> Option<Named> {
    let text = text.trim().trim_end_matches(['-', '.', ',']).trim();
    if let Some((family, given)) = text.split_once(',') {
        let (family, given) = (family.trim(), given.trim());
        let fine = |part: &str| {
            let words: Vec<&str> = part.split_whitespace().collect();
            (1..=4).contains(&words.len())
                && words.iter().all(|word| is_word(word) && !is_common(word))
        };
        return (fine(family) && fine(given)).then(|| Named {
            family: family.to_owned(),
            given: given.to_owned(),
            birth_date: None,
            has_comma: true,
        });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let capital = |word: &&str| word.starts_with(char::is_uppercase);
    if !(2..=4).contains(&words.len())
        || !words.iter().all(|word| is_name_word(word))
        || words.iter().filter(|word| capital(word)).count() < 2
    {
        return None;
    }
    let (family, given) = crate::roster::split_name(text);
    Some(Named {
        family,
        given,
        birth_date: None,
        has_comma: false,
    })
}

/// A word that may be part of a name written without a comma: with a capital, or a particle.
fn is_name_word(word: &str) -> bool {
    is_word(word)
        && !is_common(word)
        && (word.starts_with(char::is_uppercase) || word.chars().count() <= 3)
}

fn is_word(word: &str) -> bool {
    (1..=40).contains(&word.chars().count())
        && word.starts_with(char::is_alphabetic)
        && word
            .chars()
            .all(|c| c.is_alphabetic() || "-'’.".contains(c))
}

fn is_common(word: &str) -> bool {
    let lower = word.to_lowercase();
    NOT_NAMES.contains(&lower.trim_end_matches('.'))
}

/// A date that the folder marks as the birth date.
fn birth_date(folder: &str) -> Option<String> {
    let lower = folder.to_lowercase();
    let at = ["dob", "d.o.b.", "born", "geb.", "geb ", "*"]
        .iter()
        .find_map(|mark| lower.find(mark).map(|at| at + mark.len()))?;
    let after = lower
        .get(at..)?
        .trim_matches(|c: char| !c.is_alphanumeric());
    parse_date(after, None, None).or_else(|| find_date(after).map(|(date, _)| date))
}

/// Without what stands in brackets, after a number, or after a mark of the birth date.
fn without_extras(folder: &str) -> String {
    let mut out = String::new();
    let mut depth = 0u32;
    for c in folder.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => (),
        }
    }
    let end = out
        .find(|c: char| c.is_ascii_digit() || "#*".contains(c))
        .unwrap_or(out.len());
    let mut kept = out.get(..end).unwrap_or_default().trim().to_owned();
    for mark in ["dob", "born", "geb.", "mrn", "id"] {
        let cut = kept.to_lowercase();
        if let Some(bare) = cut
            .strip_suffix(mark)
            .or_else(|| cut.trim_end_matches([':', ' ']).strip_suffix(mark))
            && bare.ends_with([' ', '-'])
            && kept.is_char_boundary(bare.len())
        {
            kept.truncate(bare.len());
        }
    }
    kept.trim_matches(|c: char| c.is_whitespace() || "-–—_".contains(c))
        .to_owned()
}

/// Which of the known patients a label means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelMatch {
    /// Exactly this one (position in the list given).
    One(usize),
    /// Any of these: a person has to choose.
    Several(Vec<usize>),
    /// None.
    None,
}

/// Finds the patients whom a folder or file label names: by family name and first given name, letter case and accents aside.
pub fn match_label(label: &str, cards: &[&IdentityCard]) -> LabelMatch {
    let named = in_folder(label).unwrap_or_else(|| {
        let (family, given) = crate::roster::split_name(label);
        Named {
            family,
            given,
            ..Named::default()
        }
    });
    let wanted = (fold(&named.family), first(&named.given));
    if wanted.0.is_empty() {
        return LabelMatch::None;
    }
    let found: Vec<usize> = cards
        .iter()
        .enumerate()
        .filter(|(_, card)| {
            let same_name = (fold(&card.family), first(&card.given)) == wanted;
            let same_birth =
                !matches!((&named.birth_date, &card.birth_date), (Some(a), Some(b)) if a != b);
            same_name && same_birth
        })
        .map(|(i, _)| i)
        .collect();
    match found.as_slice() {
        [] => LabelMatch::None,
        [one] => LabelMatch::One(*one),
        _ => LabelMatch::Several(found),
    }
}

fn first(given: &str) -> String {
    fold(given.split_whitespace().next().unwrap_or_default())
}

fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
            'è' | 'é' | 'ê' | 'ë' => 'e',
            'ì' | 'í' | 'î' | 'ï' => 'i',
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
            'ù' | 'ú' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &str) -> String {
        in_folder(folder).map_or_else(
            || "-".to_owned(),
            |n| {
                format!(
                    "{}|{}|{}",
                    n.family,
                    n.given,
                    n.birth_date.unwrap_or_default()
                )
            },
        )
    }

    #[test]
    fn folders_that_name_people_are_told_from_those_that_do_not() {
        assert_eq!(found("Doe, Jane"), "Doe|Jane|");
        assert_eq!(found("Jane Doe"), "Doe|Jane|");
        assert_eq!(found("Doe_Jane"), "Jane|Doe|");
        assert_eq!(found("Doe, Jane (1234)"), "Doe|Jane|");
        assert_eq!(found("Doe, Jane DOB 1980-03-04"), "Doe|Jane|1980-03-04");
        assert_eq!(found("Doe, Jane - 20931"), "Doe|Jane|");
        assert_eq!(found("van der Berg, Anna"), "van der Berg|Anna|");
        assert_eq!(found("O'Neil-Smith, Zoë"), "O'Neil-Smith|Zoë|");
        for other in [
            "Progress Notes",
            "Client Files",
            "2024",
            "D",
            "Intake, Consent",
            "",
            "export",
            "PDF",
        ] {
            assert_eq!(found(other), "-", "{other}");
        }
    }

    #[test]
    fn a_label_finds_its_patient_or_asks() {
        let card = |family: &str, given: &str, birth: Option<&str>| IdentityCard {
            family: family.to_owned(),
            given: given.to_owned(),
            birth_date: birth.map(str::to_owned),
            ..IdentityCard::default()
        };
        let (a, b, c) = (
            card("Doe", "Jane Ann", Some("1980-03-04")),
            card("DOE", "Jane", None),
            card("Müller", "Zoë", None),
        );
        assert_eq!(match_label("Doe, Jane", &[&a, &c]), LabelMatch::One(0));
        assert_eq!(
            match_label("Jane Doe", &[&a, &b, &c]),
            LabelMatch::Several(vec![0, 1])
        );
        assert_eq!(
            match_label("Doe, Jane dob 1990-01-01", &[&a]),
            LabelMatch::None
        );
        assert_eq!(match_label("Muller, Zoe", &[&a, &c]), LabelMatch::One(1));
        assert_eq!(match_label("", &[&a]), LabelMatch::None);
    }
}
