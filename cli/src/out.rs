//! What is printed: sentences for people, or one JSON object in the last line.

use std::process::ExitCode;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    /// 1 it failed, 2 wrong usage, 3 refused because something did not verify.
    pub exit: u8,
    /// Stable code.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

impl Failure {
    /// It failed.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure { exit: 1, code: code.into(), message: message.into() }
    }
    /// It was asked for wrongly.
    pub fn usage(code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure { exit: 2, code: code.into(), message: message.into() }
    }
    /// Something did not verify.
    #[allow(dead_code)]
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure { exit: 3, code: code.into(), message: message.into() }
    }
}

/// Where a command prints.
pub struct Out {
    json: bool,
}

impl Out {
    /// For people, or for programs.
    pub fn new(json: bool) -> Self {
        Out { json }
    }
    /// Whether programs read this.
    #[allow(dead_code)]
    pub fn is_json(&self) -> bool {
        self.json
    }
    /// A line for people; to standard error when programs read standard output.
    pub fn say(&self, line: &str) {
        if self.json { eprintln!("{line}") } else { println!("{line}") }
    }
    /// The result: an object whose `text` people see, and programs the whole.
    pub fn result(&self, text: &str, object: &serde_json::Value) {
        if self.json { println!("{object}") } else { println!("{text}") }
    }
    /// Prints a failure and gives its exit code.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        if self.json {
            println!("{}", serde_json::json!({ "ok": false, "code": failure.code, "message": failure.message }));
        } else {
            eprintln!("{}", failure.message);
        }
        ExitCode::from(failure.exit)
    }
}
