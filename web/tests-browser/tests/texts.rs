//! The catalogue: every text that the app asks for exists, every text that exists is asked for, and none breaks the house's rules of tone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fluent_bundle::FluentResource;
use subrosa_browser_tests::workspace;

fn catalogue() -> String {
    std::fs::read_to_string(workspace().join("web/locales/en.ftl")).unwrap()
}

fn keys() -> BTreeSet<String> {
    catalogue().lines().filter(|l| !l.starts_with([' ', '#', '}'])).filter_map(|l| l.split_once(" = ").or_else(|| l.split_once(" ="))).map(|(k, _)| k.to_owned()).collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn code() -> String {
    let mut files = Vec::new();
    sources(&workspace().join("web/src"), &mut files);
    files.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Texts whose names are put together at run time.
const PUT_TOGETHER: [&str; 14] =
    ["nav-", "role-", "error-", "kind-", "label-", "field-", "care-", "compartment-", "belongs-", "draft-in-", "backup-next-", "kit-practice-", "kit-member-", "did-"];

#[test]
fn the_catalogue_parses_without_a_mistake_and_names_nothing_twice() {
    let text = catalogue();
    assert!(FluentResource::try_new(text.clone()).is_ok());
    let count = text.lines().filter(|l| !l.starts_with([' ', '#', '}']) && l.contains(" =")).count();
    assert_eq!(count, keys().len());
}

#[test]
fn every_text_that_the_app_asks_for_exists() {
    let (keys, code) = (keys(), code());
    let mut missing = BTreeSet::new();
    for opener in ["t(\"", "say!(\"", "say!(\n"] {
        for (at, _) in code.match_indices(opener) {
            let rest = &code[at + opener.len()..];
            let key: String = rest.trim_start_matches([' ', '"']).chars().take_while(|c| *c != '"').collect();
            let boundary = at == 0 || !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if boundary && !key.contains('{') && !keys.contains(&key) {
                missing.insert(key);
            }
        }
    }
    assert!(missing.is_empty(), "not in the catalogue: {missing:?}");
}

#[test]
fn every_text_of_the_catalogue_is_asked_for() {
    let code = code();
    let unused: Vec<String> = keys().into_iter().filter(|k| !code.contains(&format!("\"{k}\"")) && !PUT_TOGETHER.iter().any(|p| k.starts_with(p))).collect();
    assert!(unused.is_empty(), "never asked for: {unused:?}");
}

#[test]
fn no_text_shouts_or_says_oops() {
    for line in catalogue().lines().filter(|l| !l.starts_with('#')) {
        let lower = line.to_lowercase();
        assert!(!line.contains('!'), "an exclamation mark: {line}");
        for word in ["oops", "invalid input", "are you sure", "illegal", "please wait"] {
            assert!(!lower.contains(word), "{word}: {line}");
        }
    }
}

#[test]
fn no_element_is_a_bare_literal_that_would_be_set_as_html() {
    // Leptos sets an element without anything computed in it through innerHTML, which Trusted Types refuse.
    let code = code();
    let mut bare = Vec::new();
    for (at, _) in code.match_indices("></") {
        let start = code[..at].rfind('<').unwrap_or(at);
        let tag = &code[start..at];
        let literal_only = !tag.contains('{') && !tag.contains("=>") && tag.contains("=\"") && tag.split_whitespace().skip(1).all(|part| part.contains("=\"") || part.ends_with('"'));
        if literal_only && !tag.contains(":") {
            bare.push(tag.to_owned());
        }
    }
    assert!(bare.is_empty(), "bare elements: {bare:?}");
}
