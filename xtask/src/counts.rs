//! Reads what `cargo test -- --show-output` prints: passes on what a person wants to see, and counts.
//!
//! A test that could not do its work here says so on a line that begins `skipped:` and returns; it then counts as
//! skipped, not as passed.

/// Numbers of tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Tests that ran and held.
    pub passed: u64,
    /// Tests and checks that did not.
    pub failed: u64,
    /// Tests that said `skipped:` or are marked ignored, and steps that could not be set up.
    pub skipped: u64,
}

impl Counts {
    /// The last line of `cargo xtask test`.
    pub fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }

    /// Adds another's numbers.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Follows the output line by line.
#[derive(Debug, Default)]
pub struct Reader {
    counts: Counts,
    failed: Vec<String>,
    in_successes: bool,
    current_said_skipped: bool,
    skipped_in_binary: u64,
}

impl Reader {
    /// Takes one line; returns it if it is to be shown. The output of tests that passed is hidden, but for `skipped:`.
    pub fn take<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.finish_binary(result);
            return Some(line);
        }
        if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failed.push(name.to_owned());
        }
        if line == "successes:" {
            self.in_successes = true;
            return None;
        }
        if line == "failures:" {
            self.in_successes = false;
        }
        if !self.in_successes {
            return Some(line);
        }
        if line.starts_with("---- ") && line.ends_with(" ----") {
            self.current_said_skipped = false;
        } else if line.starts_with("skipped:") {
            if !self.current_said_skipped {
                self.skipped_in_binary += 1;
            }
            self.current_said_skipped = true;
            return Some(line);
        }
        None
    }

    /// The names of the tests that failed so far.
    pub fn failed(&self) -> &[String] {
        &self.failed
    }

    /// The numbers so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn finish_binary(&mut self, result: &str) {
        let number = |what: &str| {
            let before = result.split(what).next().unwrap_or_default();
            before.rsplit([' ', '.', ';']).find(|word| !word.is_empty()).and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let passed: u64 = number(" passed");
        self.counts.passed += passed.saturating_sub(self.skipped_in_binary);
        self.counts.failed += number(" failed");
        self.counts.skipped += number(" ignored") + self.skipped_in_binary;
        self.in_successes = false;
        self.current_said_skipped = false;
        self.skipped_in_binary = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test b ... ok
test a ... FAILED
successes:

---- b stdout ----
talk
skipped: no PostgreSQL here
skipped: and again

---- c stdout ----
skipped: no browser here

successes:
    b
    c

failures:

---- a stdout ----
assertion failed

failures:
    a

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
   Doc-tests x
successes:
successes:
    d
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn results_of_all_binaries_add_up_and_a_test_that_skipped_did_not_pass() {
        let mut reader = Reader::default();
        for line in OUTPUT.lines() {
            reader.take(line);
        }
        assert_eq!(reader.counts(), Counts { passed: 12, failed: 1, skipped: 3 });
        assert_eq!(reader.counts().line(), "12 passed, 1 failed, 3 skipped");
        assert_eq!(reader.failed(), ["a"]);
    }

    #[test]
    fn failures_and_skips_are_shown_and_the_talk_of_passing_tests_is_not() {
        let mut reader = Reader::default();
        let shown: Vec<&str> = OUTPUT.lines().filter_map(|line| reader.take(line)).collect();
        assert!(shown.contains(&"assertion failed"));
        assert!(shown.contains(&"skipped: no browser here"));
        assert!(!shown.contains(&"talk"));
    }
}
