use super::names::{Named, in_folder, in_piece};
use crate::item::person_key;
use crate::{IdentityCard, roster::find_date};
use std::collections::HashMap;

/// Components of one path, and characters of one component, that are looked at.
const MOST_PARTS: usize = 32;
const LONGEST_PART: usize = 255;

/// The files of one patient.
#[derive(Clone, PartialEq, Eq)]
pub struct PathGroup {
    /// The patient key, made of the name; empty for files that name nobody.
    pub key: String,
    /// The folder or name as a person would read it; empty for files that name nobody.
    pub label: String,
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: String,
    /// Birth date, where the folder is marked with it.
    pub birth_date: Option<String>,
    /// The files.
    pub files: Vec<PathFile>,
}

impl core::fmt::Debug for PathGroup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PathGroup({} files)", self.files.len())
    }
}

impl PathGroup {
    /// What the name tells, as a card.
    pub fn card(&self) -> IdentityCard {
        IdentityCard {
            family: self.family.clone(),
            given: self.given.clone(),
            birth_date: self.birth_date.clone(),
            ..IdentityCard::default()
        }
    }
}

/// One file of a patient.
#[derive(Clone, PartialEq, Eq)]
pub struct PathFile {
    /// Position in the list of paths given.
    pub index: usize,
    /// The date in its name, ISO 8601, where it cannot be misread.
    pub date: Option<String>,
    /// The rest of its name, for display.
    pub title: String,
}

impl core::fmt::Debug for PathFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PathFile({})", self.index)
    }
}

/// Whether a path is of the operating system's making and holds nothing of the practice.
pub(crate) fn is_system_file(path: &str) -> bool {
    let parts = parts(path);
    let last = parts.last().map_or("", String::as_str);
    parts.iter().any(|part| part == "__MACOSX")
        || last.starts_with('.')
        || last.starts_with("~$")
        || ["thumbs.db", "desktop.ini"].contains(&last.to_lowercase().as_str())
}

/// Groups files by the patient whom their folder or name names. Every path is in exactly one group, system files (`.DS_Store` and their like) apart.
///
/// Understood are `Family, Given/...`, `Given Family/...` (at any depth, below folders such as `Clients/A/`), and
/// `Given Family - 2024-01-05 - intake.pdf`. Paths are only read as text: `..` and drive letters mean nothing.
pub fn group_paths(paths: &[&str]) -> Vec<PathGroup> {
    let split: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let common = common_roots(&split);
    let mut groups: Vec<PathGroup> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, parts) in split.iter().enumerate() {
        if paths.get(index).is_some_and(|path| is_system_file(path)) {
            continue;
        }
        let (named, label, file) = place(parts, common, index);
        let card = IdentityCard {
            family: named.family.clone(),
            given: named.given.clone(),
            birth_date: named.birth_date.clone(),
            ..IdentityCard::default()
        };
        let key = if label.is_empty() {
            String::new()
        } else {
            person_key(&card)
        };
        let slot = *known.entry(key.clone()).or_insert_with(|| {
            groups.push(PathGroup {
                key,
                label,
                family: named.family,
                given: named.given,
                birth_date: named.birth_date,
                files: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(slot) {
            group.files.push(file);
        }
    }
    groups
}

/// The parts of a path that mean something.
fn parts(path: &str) -> Vec<String> {
    path.split(['/', '\\'])
        .map(str::trim)
        .filter(|part| {
            !part.is_empty()
                && *part != "."
                && *part != ".."
                && !(part.len() == 2 && part.ends_with(':'))
        })
        .take(MOST_PARTS)
        .map(|part| {
            part.chars()
                .filter(|c| !c.is_control())
                .take(LONGEST_PART)
                .collect()
        })
        .collect()
}

/// How many leading folders all paths share without their being a patient's.
fn common_roots(paths: &[Vec<String>]) -> usize {
    let mut depth = 0;
    loop {
        let mut folders = paths
            .iter()
            .map(|parts| parts.split_last().map_or(&[][..], |(_, folders)| folders));
        let Some(first) = folders.next().and_then(|folders| folders.get(depth)) else {
            return depth;
        };
        if !folders.all(|folders| folders.get(depth) == Some(first)) {
            return depth;
        }
        if let Some(named) = in_folder(first) {
            // "Jane Doe/Notes" is a patient; "Smith Counseling/Doe, Jane" is a practice.
            let below: Vec<&String> = paths
                .iter()
                .filter_map(|parts| parts.split_last()?.1.get(depth + 1))
                .collect();
            let people = below
                .iter()
                .filter(|folder| in_folder(folder).is_some())
                .count();
            if named.has_comma || people * 2 <= below.len() {
                return depth;
            }
        }
        depth += 1;
    }
}

fn place(parts: &[String], common: usize, index: usize) -> (Named, String, PathFile) {
    let Some((file, folders)) = parts.split_last() else {
        return (
            Named::default(),
            String::new(),
            PathFile {
                index,
                date: None,
                title: "Document".to_owned(),
            },
        );
    };
    let (stem, date, pieces) = dissect(file);
    let folders = folders.get(common.min(folders.len())..).unwrap_or_default();
    let client = folders
        .iter()
        .enumerate()
        .find_map(|(n, folder)| in_folder(folder).map(|named| (n, named)));
    if let Some((n, named)) = client {
        let label = folders.get(n).cloned().unwrap_or_default();
        let inner = folders.get(n + 1..).unwrap_or_default().iter().cloned();
        // The patient's name at the start of the file's name says nothing new.
        let rest = pieces
            .iter()
            .filter(|piece| {
                in_piece(piece)
                    .is_none_or(|(other, left)| !(left.is_empty() && same(&other, &named)))
            })
            .cloned();
        let title = join(inner.chain(rest), &stem);
        return (named, label, PathFile { index, date, title });
    }
    for (n, piece) in pieces.iter().enumerate() {
        if let Some((named, left)) = in_piece(piece) {
            let rest = pieces
                .iter()
                .enumerate()
                .filter_map(|(m, piece)| match m == n {
                    true => (!left.is_empty()).then(|| left.clone()),
                    false => Some(piece.clone()),
                });
            let title = join(folders.iter().cloned().chain(rest), "Document");
            let label = if named.given.is_empty() {
                named.family.clone()
            } else {
                format!("{}, {}", named.family, named.given)
            };
            return (named, label, PathFile { index, date, title });
        }
    }
    (
        Named::default(),
        String::new(),
        PathFile {
            index,
            date,
            title: join(folders.iter().cloned().chain(pieces), &stem),
        },
    )
}

/// The name without its ending, the date in it, and its pieces without the date.
fn dissect(file: &str) -> (String, Option<String>, Vec<String>) {
    let stem = match file.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && ending.len() <= 8
                && !ending.contains(' ')
                && !ending.bytes().all(|b| b.is_ascii_digit()) =>
        {
            stem
        }
        _ => file,
    };
    let (date, spaced) = match find_date(stem) {
        Some((date, place)) => {
            let (before, after) = (
                stem.get(..place.start).unwrap_or_default(),
                stem.get(place.end..).unwrap_or_default(),
            );
            (Some(date), format!("{before} - {after}"))
        }
        None => (None, stem.to_owned()),
    };
    let spaced = spaced.replace('_', " ").replace(['–', '—'], "-");
    let pieces = spaced
        .split(" -")
        .flat_map(|piece| piece.split("- "))
        .map(|piece| {
            piece
                .trim_matches(|c: char| c.is_whitespace() || "-,.;()".contains(c))
                .to_owned()
        })
        .filter(|piece| !piece.is_empty())
        .collect();
    (stem.to_owned(), date, pieces)
}

fn same(a: &Named, b: &Named) -> bool {
    let words = |named: &Named| {
        let mut words: Vec<String> = format!("{} {}", named.family, named.given)
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        words.sort();
        words
    };
    words(a) == words(b)
}

fn join(parts: impl Iterator<Item = String>, otherwise: &str) -> String {
    let title = parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" - ");
    if title.is_empty() {
        otherwise.to_owned()
    } else {
        title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(paths: &[&str]) -> Vec<String> {
        let line = |group: &PathGroup, file: &PathFile| {
            format!(
                "{}: {} | {} | {}",
                file.index,
                group.label,
                file.date.clone().unwrap_or_default(),
                file.title
            )
        };
        group_paths(paths)
            .iter()
            .flat_map(|group| {
                group
                    .files
                    .iter()
                    .map(|file| line(group, file))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn a_folder_per_patient_below_any_other_folders() {
        assert_eq!(
            shown(&[
                "Clients/D/Doe, Jane/Notes/2024-01-05 session.pdf",
                "Clients/D/Doe, Jane/intake.pdf",
                "Clients/R/Roe, Richard/Doe, Jane - letter.pdf"
            ]),
            [
                "0: Doe, Jane | 2024-01-05 | Notes - session",
                "1: Doe, Jane |  | intake",
                "2: Roe, Richard |  | Doe, Jane - letter"
            ]
        );
    }

    #[test]
    fn a_name_in_the_file_name() {
        assert_eq!(
            shown(&[
                "Jane Doe - 2024-01-05 - intake.pdf",
                "Doe_Jane_20240106_consent form.pdf",
                "2024-02-01 - Richard Roe - letter.pdf",
                "Jane Doe intake form.pdf",
                "scan0001.pdf"
            ]),
            [
                "0: Doe, Jane | 2024-01-05 | intake",
                "3: Doe, Jane |  | intake form",
                "1: Jane, Doe | 2024-01-06 | consent form",
                "2: Roe, Richard | 2024-02-01 | letter",
                "4:  |  | scan0001"
            ]
        );
    }

    #[test]
    fn one_patients_folder_is_not_taken_for_a_root() {
        assert_eq!(
            shown(&["Jane Doe/Notes/a.pdf", "Jane Doe/Billing/b.pdf"]),
            ["0: Jane Doe |  | Notes - a", "1: Jane Doe |  | Billing - b"]
        );
        assert_eq!(
            shown(&[
                "Smith Counseling/Doe, Jane/a.pdf",
                "Smith Counseling/Roe, Jo/b.pdf"
            ]),
            ["0: Doe, Jane |  | a", "1: Roe, Jo |  | b"]
        );
    }

    #[test]
    fn paths_that_climb_or_hide_mean_nothing() {
        assert_eq!(
            shown(&[
                "../../etc/Doe, Jane/x.pdf",
                "C:\\Clients\\Doe, Jane\\y.pdf",
                "__MACOSX/._x",
                "a/.DS_Store"
            ]),
            ["0: Doe, Jane |  | x", "1: Doe, Jane |  | y"]
        );
        assert_eq!(shown(&["", "/", "..", "-.pdf"]).len(), 4);
    }
}
