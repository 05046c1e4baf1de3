//! The log: only fixed sentences with fields of allow-listed types.
//!
//! Nothing else in this crate writes to the log, and the log of other crates is off, since they print what they were given. A field is a number,
//! a fixed word or an opaque id; a text that came with a request has no way in, because [`LogSafe`] is not implemented for texts.

use core::fmt;

use subrosa_model::{DeviceId, MemberId, OrderId, PracticeId, SessionId};

/// What may stand in a log line.
pub trait LogSafe {
    /// Writes it.
    fn put(&self, out: &mut String);
}

/// A word that is written in the program.
#[derive(Debug, Clone, Copy)]
pub struct Word(pub &'static str);

impl LogSafe for Word {
    fn put(&self, out: &mut String) {
        out.push_str(self.0);
    }
}

macro_rules! safe {
    ($($t:ty),+) => { $(impl LogSafe for $t {
        fn put(&self, out: &mut String) {
            let _ = fmt::write(out, format_args!("{self}"));
        }
    })+ };
}
safe!(u16, u32, u64, usize, i64, bool, PracticeId, MemberId, DeviceId, SessionId, OrderId);

/// One field of a line.
pub type Field<'a> = (&'static str, &'a dyn LogSafe);

fn line(what: &'static str, fields: &[Field<'_>]) -> String {
    let mut out = String::from(what);
    for (name, value) in fields {
        out.push(' ');
        out.push_str(name);
        out.push('=');
        value.put(&mut out);
    }
    out
}

/// Something that happened in the ordinary course.
pub fn info(what: &'static str, fields: &[Field<'_>]) {
    tracing::info!("{}", line(what, fields));
}

/// Something that whoever runs the server should look at.
pub fn warn(what: &'static str, fields: &[Field<'_>]) {
    tracing::warn!("{}", line(what, fields));
}

/// Something that is the server's fault.
pub fn error(what: &'static str, fields: &[Field<'_>]) {
    tracing::error!("{}", line(what, fields));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_a_sentence_and_its_fields() {
        assert_eq!(line("served", &[("route", &Word("/v1/hello")), ("status", &200u16)]), "served route=/v1/hello status=200");
    }

    /// The allow-list holds only if nobody logs past it.
    #[test]
    fn nothing_else_in_this_crate_writes_to_the_log() {
        fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    visit(&path, found);
                } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("log.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
                    if code.into_iter().any(|l| ["tracing::", "println!", "dbg!", "eprint!"].iter().any(|word| l.contains(word))) {
                        found.push(path.display().to_string());
                    }
                }
            }
        }
        let mut found = Vec::new();
        visit(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
