//! The house rules that a program can check: which crate may use which (the table of ARCHITECTURE.md), and a few
//! words that mean unfinished work.

use crate::workspace;
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const CORE: &str = "subrosa-model subrosa-crypto subrosa-ledger subrosa-protocol subrosa-records";
const ENGINES: &str = "subrosa-discover subrosa-exposure subrosa-vetting subrosa-watch subrosa-leaks \
                       subrosa-incidents subrosa-backup subrosa-readiness";

/// The allowed arrows. An arrow to a crate also allows what that crate may use. `core` and `engines` stand for
/// all of theirs; `everything` for every crate but xtask.
const ARROWS: &[(&str, &str)] = &[
    ("subrosa-model", ""),
    ("subrosa-crypto", "subrosa-model"),
    ("subrosa-ledger", "subrosa-crypto"),
    ("subrosa-protocol", "core"),
    ("subrosa-records", "subrosa-model"),
    ("subrosa-discover", "core"),
    ("subrosa-exposure", "core"),
    ("subrosa-vetting", "core"),
    ("subrosa-watch", "core"),
    ("subrosa-leaks", "core"),
    ("subrosa-incidents", "core"),
    ("subrosa-backup", "core"),
    ("subrosa-readiness", "core"),
    ("subrosa-store", "core"),
    ("subrosa-client", "core"),
    ("subrosa-server", "subrosa-store subrosa-watch subrosa-incidents subrosa-backup"),
    ("subrosa-keeper", "core subrosa-backup"),
    ("subrosa-sentinel", "core subrosa-backup"),
    ("subrosa-synthetic", "subrosa-client"),
    ("subrosa-web", "subrosa-client subrosa-synthetic engines"),
    ("subrosa-browser-tests", ""),
    ("subrosa-drills", "subrosa-client subrosa-synthetic"),
    ("subrosa", "everything"),
    ("xtask", ""),
];

/// Arrows of tests alone, each with its reason; nothing that is shipped follows them.
const TEST_ARROWS: &[(&str, &str)] = &[
    // The member's side is held to what the real server does, and the server to what a real member sends.
    ("subrosa-client", "subrosa-server"),
    ("subrosa-server", "subrosa-client"),
];

/// More lines than this in a file are a sign that it is two files.
const LONG_FILE: usize = 500;
/// Marks of unfinished work, split so that this file does not find itself.
const UNFINISHED: [&str; 3] = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];

/// Every arrow that is not allowed, in words. Build and test dependencies count like any other, but for the few of
/// `TEST_ARROWS`.
pub fn check_arrows(metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in workspace::members(metadata) {
        let name = text(&package["name"]);
        if !ARROWS.iter().any(|(from, _)| *from == name) {
            wrong.push(format!("{name}: this crate is not in the house's table (xtask/src/house.rs)"));
            continue;
        }
        let allowed = reachable(name);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = text(&dependency["name"]);
            let inside = dependency["path"].is_string();
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            let for_tests = kind == "dev" && TEST_ARROWS.contains(&(name, to));
            if inside && to != name && !allowed.contains(to) && !for_tests {
                wrong.push(format!("{name} -> {to} ({kind} dependency) is not an arrow of the house"));
            }
        }
    }
    wrong
}

/// All crates that `name` may use, following the arrows.
fn reachable(name: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut todo = arrows_of(name);
    while let Some(next) = todo.pop() {
        if found.insert(next) {
            todo.extend(arrows_of(next));
        }
    }
    found
}

fn arrows_of(name: &str) -> Vec<&'static str> {
    let row = ARROWS.iter().find(|(from, _)| *from == name);
    let words = row.map_or("", |(_, to)| *to).split_whitespace();
    words
        .flat_map(|word| match word {
            "core" => CORE.split_whitespace().collect(),
            "engines" => ENGINES.split_whitespace().collect(),
            "everything" => ARROWS.iter().map(|(from, _)| *from).filter(|from| *from != "xtask").collect(),
            one => vec![one],
        })
        .filter(|to| *to != name)
        .collect()
}

/// What the sources break of the house rules, and a note for each file that has grown long.
pub fn check_sources(metadata: &Value) -> Result<(Vec<String>, Vec<String>)> {
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    for package in workspace::members(metadata) {
        let manifest = text(&package["manifest_path"]);
        let Some(folder) = Path::new(manifest).parent() else { continue };
        let toml = fs::read_to_string(manifest)?;
        if !toml.contains("[lints]\nworkspace = true") {
            wrong.push(format!("{}: no `[lints] workspace = true`, so nothing forbids unsafe code", text(&package["name"])));
        }
        for part in ["src", "tests", "benches"] {
            let part = folder.join(part);
            if part.is_dir() {
                for file in crate::web_files::list(&part)?.iter().filter(|file| file.ends_with(".rs")) {
                    check_file(&part.join(file), &mut wrong, &mut notes)?;
                }
            }
        }
    }
    Ok((wrong, notes))
}

fn check_file(file: &Path, wrong: &mut Vec<String>, notes: &mut Vec<String>) -> Result<()> {
    let source = fs::read_to_string(file)?;
    let shown = file.strip_prefix(workspace::root()).unwrap_or(file).display();
    let lines = source.lines().count();
    if lines > LONG_FILE {
        notes.push(format!("{shown} has {lines} lines: would it be easier to live in as two files?"));
    }
    for (number, line) in source.lines().enumerate() {
        for mark in UNFINISHED.iter().filter(|mark| line.contains(*mark)) {
            wrong.push(format!("{shown}:{}: {mark}...) is unfinished work", number + 1));
        }
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn world(from: &str, to: &str, kind: Value) -> Value {
        json!({
            "workspace_members": ["a"],
            "packages": [{ "id": "a", "name": from, "dependencies": [
                { "name": to, "path": "/somewhere", "kind": kind },
                { "name": "serde", "kind": null },
            ]}],
        })
    }

    fn allowed(from: &str, to: &str) -> bool {
        check_arrows(&world(from, to, Value::Null)).is_empty()
    }

    #[test]
    fn arrows_of_the_table_and_what_follows_from_them_are_allowed() {
        for (from, to) in [
            ("subrosa-crypto", "subrosa-model"),
            ("subrosa-ledger", "subrosa-model"),
            ("subrosa-protocol", "subrosa-records"),
            ("subrosa-server", "subrosa-store"),
            ("subrosa-server", "subrosa-protocol"),
            ("subrosa-web", "subrosa-leaks"),
            ("subrosa", "subrosa-drills"),
        ] {
            assert!(allowed(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn any_other_arrow_is_named() {
        for (from, to) in [
            ("subrosa-model", "subrosa-crypto"),
            ("subrosa-records", "subrosa-crypto"),
            ("subrosa-store", "subrosa-client"),
            ("subrosa-server", "subrosa-client"),
            ("subrosa-client", "subrosa-store"),
            ("subrosa-web", "subrosa-server"),
            ("subrosa-drills", "subrosa-server"),
            ("subrosa-backup", "subrosa-store"),
            ("xtask", "subrosa-model"),
            ("subrosa", "xtask"),
        ] {
            assert!(!allowed(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn dependencies_of_tests_are_arrows_too() {
        let found = check_arrows(&world("subrosa-store", "subrosa-server", json!("dev")));
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|line| line.contains("dev dependency")));
    }

    #[test]
    fn the_few_arrows_of_tests_are_not_arrows_of_the_product() {
        assert!(check_arrows(&world("subrosa-client", "subrosa-server", json!("dev"))).is_empty());
        assert!(!allowed("subrosa-client", "subrosa-server"));
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_named() {
        assert_eq!(check_arrows(&world("subrosa-attic", "serde", Value::Null)).len(), 1);
    }
}
