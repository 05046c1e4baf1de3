//! The lasting host name: passkeys are bound to it, so it is written down when the server first starts for a practice and does not change by accident.

use std::path::Path;

use crate::config::ConfigError;

/// The note: a file in the data directory.
const NOTE: &str = "host";

/// Checks the host name against the one that this data directory's passkeys are bound to. Before set-up it may still change.
///
/// # Errors
/// `host`, saying both names.
pub fn keeps(data_dir: &Path, host: &str, founded: bool) -> Result<(), ConfigError> {
    let problem = |what: String| ConfigError { setting: "host", what };
    let note = data_dir.join(NOTE);
    let held = std::fs::read_to_string(&note).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    match held {
        Some(held) if founded && held != host => Err(problem(format!(
            "the passkeys of this practice are bound to {held}, and would all stop working under {host}. Start with {held}. To move for good, every member signs in under {held}, prints a member kit, and comes in with it under the new name after the file `{NOTE}` in the data directory was changed"
        ))),
        Some(held) if held == host => Ok(()),
        _ => std::fs::write(&note, format!("{host}\n")).map_err(|e| problem(format!("the host name cannot be noted in the data directory: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_host_name_changes_before_set_up_and_not_after() {
        let folder = tempfile::tempdir().unwrap();
        keeps(folder.path(), "localhost", false).unwrap();
        keeps(folder.path(), "practice.example.org", false).unwrap();
        keeps(folder.path(), "practice.example.org", true).unwrap();
        assert!(keeps(folder.path(), "localhost", true).unwrap_err().what.contains("practice.example.org"));
    }
}
