//! Where every dependency comes from and under which licence, read from `cargo metadata` and `deny.toml` (which
//! cargo-deny understands too, for those who have it).

use crate::workspace;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` allows and refuses.
pub struct Rules {
    licences: Vec<String>,
    refused: Vec<String>,
}

impl Rules {
    /// Reads `deny.toml` of the workspace.
    pub fn read() -> Result<Self> {
        let text = fs::read_to_string(workspace::root().join("deny.toml")).context("deny.toml is missing")?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        Self { licences: quoted(text, "allow"), refused: quoted(text, "deny") }
    }

    /// Every package that breaks a rule, in words.
    pub fn check(&self, metadata: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let name = package["name"].as_str().unwrap_or_default();
            let shown = format!("{name} {}", package["version"].as_str().unwrap_or_default());
            if let Some(source) = package["source"].as_str().filter(|source| *source != CRATES_IO) {
                wrong.push(format!("{shown} comes from {source}, not from crates.io"));
            }
            if self.refused.iter().any(|refused| refused == name) {
                wrong.push(format!("{shown} is refused by deny.toml"));
            }
            match package["license"].as_str() {
                None => wrong.push(format!("{shown} names no licence")),
                Some(licence) if !self.allows(licence) => {
                    wrong.push(format!("{shown} is under {licence}, which deny.toml does not allow"));
                }
                Some(_) => {}
            }
        }
        wrong
    }

    /// Whether an SPDX expression can be met with allowed licences alone. `/` is the old way to write OR.
    fn allows(&self, expression: &str) -> bool {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut at = 0;
        let met = self.either(&words, &mut at);
        met && at == words.len()
    }

    fn either(&self, words: &[&str], at: &mut usize) -> bool {
        let mut met = self.both(words, at);
        while words.get(*at) == Some(&"OR") {
            *at += 1;
            met |= self.both(words, at);
        }
        met
    }

    fn both(&self, words: &[&str], at: &mut usize) -> bool {
        let mut met = self.one(words, at);
        while words.get(*at) == Some(&"AND") {
            *at += 1;
            met &= self.one(words, at);
        }
        met
    }

    fn one(&self, words: &[&str], at: &mut usize) -> bool {
        let Some(word) = words.get(*at) else { return false };
        *at += 1;
        if *word == "(" {
            let met = self.either(words, at);
            let closed = words.get(*at) == Some(&")");
            *at += 1;
            return met && closed;
        }
        let mut licence = (*word).to_owned();
        if let (Some(&"WITH"), Some(exception)) = (words.get(*at), words.get(*at + 1)) {
            licence = format!("{licence} WITH {exception}");
            *at += 2;
        }
        self.licences.contains(&licence)
    }
}

/// The quoted strings of `key = [ ... ]`, comments left out.
fn quoted(text: &str, key: &str) -> Vec<String> {
    let plain: String =
        text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let start = format!("\n{key} = [");
    let list = plain.split_once(&start).and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules() -> Rules {
        Rules::parse(
            "[licenses]\nallow = [\n \"MIT\", # the usual one\n \"Apache-2.0\", \"ISC\",\n \
             \"Apache-2.0 WITH LLVM-exception\",\n]\n[bans]\ndeny = [\"openssl\"]\n",
        )
    }

    #[test]
    fn expressions_are_met_only_by_allowed_licences() {
        let rules = rules();
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0",
            "ISC AND (MIT OR GPL-3.0)",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        ] {
            assert!(rules.allows(fine), "{fine}");
        }
        for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT WITH Odd-exception", "", "MIT MIT", "# the usual one"] {
            assert!(!rules.allows(wrong), "{wrong}");
        }
    }

    #[test]
    fn unknown_sources_refused_crates_and_missing_licences_are_named() {
        let metadata = json!({ "packages": [
            { "name": "own", "version": "1.0.0", "license": "MIT", "source": null },
            { "name": "fine", "version": "1.0.0", "license": "MIT", "source": CRATES_IO },
            { "name": "forked", "version": "1.0.0", "license": "MIT", "source": "git+https://example.org/x" },
            { "name": "openssl", "version": "1.0.0", "license": "Apache-2.0", "source": CRATES_IO },
            { "name": "bare", "version": "1.0.0", "license": null, "source": CRATES_IO },
        ]});
        let found = rules().check(&metadata);
        assert_eq!(found.len(), 3, "{found:?}");
        for (line, start) in found.iter().zip(["forked", "openssl", "bare"]) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
