//! The searcher: looks for marked phrases and keys in whatever a thief could carry away.
//!
//! Every mark is looked for in every form in which careless software writes a text down (see [`forms`]), and every stream that can be unpacked is unpacked
//! and searched again (see [`unpack`]). SQLite files are searched twice: as raw bytes, and value by value, since a value longer than a page lies in pieces.
//!
//! What it does not see: xz, bzip2, lz4, snappy and PostgreSQL's own compression; a Brotli or bare deflate stream in the middle of something else (they have no
//! mark of their own: they are tried where a file, an HTTP body, a database value or an unpacked layer begins); a text that is cut by more than a page's edge.

pub mod files;
pub mod forms;
pub mod memory;
pub mod sqlite;
pub mod unpack;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

use forms::Form;

/// Shortest mark that is looked for, in bytes: a shorter one would be found by chance.
pub const MIN_MARK: usize = 10;
/// Shortest key, in bytes.
pub const MIN_KEY: usize = 16;

/// Why a search cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A mark or key is so short that chance would find it.
    #[error("a mark of at least {MIN_MARK} and a key of at least {MIN_KEY} bytes is needed")]
    TooShort,
    /// There are more marks than the searcher can hold.
    #[error("too many marks for one search")]
    TooMany,
    /// A file or folder could not be read: what is not read is not searched, so the drill stops.
    #[error("{0} cannot be read")]
    Unreadable(String),
    /// The memory of a process could not be read.
    #[error("the memory of process {0} may not be read: run the drill as the same user or as root, with ptrace allowed")]
    NotPermitted(u32),
}

/// What is looked for, before the searcher is built.
#[derive(Default, Clone)]
pub struct Needles {
    names: Vec<String>,
    folded: Vec<(Vec<u8>, usize, Form)>,
    exact: Vec<(Vec<u8>, usize, Form)>,
}

impl Needles {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many marks and keys there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a marked phrase. `name` stands for it in every report: the phrase itself is never printed.
    ///
    /// # Errors
    /// [`SearchError::TooShort`].
    pub fn mark(&mut self, name: &str, text: &str) -> Result<usize, SearchError> {
        if text.len() < MIN_MARK {
            return Err(SearchError::TooShort);
        }
        let id = self.names.len();
        self.names.push(name.to_owned());
        let (folded, exact) = forms::of_text(text);
        self.folded.extend(folded.into_iter().map(|(pattern, form)| (pattern, id, form)));
        self.exact.extend(exact.into_iter().map(|(pattern, form)| (pattern, id, form)));
        Ok(id)
    }

    /// Adds a key's raw bytes. Either half of a key of 32 bytes or more counts as a find.
    ///
    /// # Errors
    /// [`SearchError::TooShort`].
    pub fn key(&mut self, name: &str, bytes: &[u8]) -> Result<usize, SearchError> {
        if bytes.len() < MIN_KEY {
            return Err(SearchError::TooShort);
        }
        let id = self.names.len();
        self.names.push(name.to_owned());
        let (folded, exact) = forms::of_key(bytes);
        self.folded.extend(folded.into_iter().map(|(pattern, form)| (pattern, id, form)));
        self.exact.extend(exact.into_iter().map(|(pattern, form)| (pattern, id, form)));
        Ok(id)
    }

    /// Builds the searcher.
    ///
    /// # Errors
    /// [`SearchError::TooMany`].
    pub fn build(self) -> Result<Searcher, SearchError> {
        let automaton = |patterns: &[(Vec<u8>, usize, Form)], fold: bool| {
            AhoCorasickBuilder::new()
                .ascii_case_insensitive(fold)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(patterns.iter().map(|(pattern, _, _)| pattern))
                .map_err(|_| SearchError::TooMany)
        };
        let (folded, exact) = (automaton(&self.folded, true)?, automaton(&self.exact, false)?);
        let strip = |list: Vec<(Vec<u8>, usize, Form)>| list.into_iter().map(|(_, id, form)| (id, form)).collect();
        Ok(Searcher { names: self.names, folded, exact, folded_of: strip(self.folded), exact_of: strip(self.exact) })
    }
}

/// Looks for a fixed set of marks and keys.
pub struct Searcher {
    names: Vec<String>,
    folded: AhoCorasick,
    exact: AhoCorasick,
    folded_of: Vec<(usize, Form)>,
    exact_of: Vec<(usize, Form)>,
}

/// One mark found in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which form it was found there, under the fewest layers.
    pub form: Form,
    /// Inside which layers, outermost first.
    pub layers: Vec<&'static str>,
    /// Offset in the innermost layer.
    pub offset: u64,
    /// How often it was found in this place.
    pub count: u64,
}

impl Hit {
    fn again(&mut self, other: &Hit) {
        let count = self.count + other.count;
        if other.layers.len() < self.layers.len() {
            *self = other.clone();
        }
        self.count = count;
    }
}

/// What a search found, and how much it looked at.
#[derive(Debug, Default, Clone)]
pub struct Findings {
    /// Bytes looked at as they lie.
    pub searched_bytes: u64,
    /// Bytes that came out of unpacked layers, besides.
    pub unpacked_bytes: u64,
    /// By mark and place.
    pub hits: BTreeMap<(usize, String), Hit>,
}

impl Findings {
    /// Whether a mark was found in a place whose name begins with `place`.
    pub fn found(&self, mark: usize, place: &str) -> bool {
        self.hits.keys().any(|(id, at)| *id == mark && at.starts_with(place))
    }

    /// How many different marks were found anywhere.
    pub fn marks_found(&self) -> usize {
        self.hits.keys().map(|(id, _)| *id).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Adds what another search found.
    pub fn add(&mut self, other: Findings) {
        self.searched_bytes += other.searched_bytes;
        self.unpacked_bytes += other.unpacked_bytes;
        for (at, hit) in other.hits {
            self.hits.entry(at).and_modify(|h| h.again(&hit)).or_insert(hit);
        }
    }
}

impl Searcher {
    /// The name under which a mark was added.
    pub fn name(&self, mark: usize) -> &str {
        self.names.get(mark).map_or("?", String::as_str)
    }

    /// Searches bytes, everything that can be unpacked out of them, and their values if they are a SQLite file.
    /// `place` names them in the findings. Counted once in [`Findings::searched_bytes`].
    pub fn search(&self, place: &str, bytes: &[u8], findings: &mut Findings) {
        findings.searched_bytes += bytes.len() as u64;
        self.layer(place, bytes, &mut Vec::new(), &mut unpack::Budget::default(), findings);
    }

    /// Searches the values of a SQLite database whose newest pages may lie in a write-ahead log.
    pub fn search_sqlite(&self, place: &str, main: &[u8], wal: Option<&[u8]>, findings: &mut Findings) {
        let mut budget = unpack::Budget::default();
        sqlite::values(main, wal, &mut |value| {
            findings.unpacked_bytes += value.len() as u64;
            self.layer(place, value, &mut vec!["sqlite-value"], &mut budget, findings);
        });
    }

    fn layer(&self, place: &str, bytes: &[u8], layers: &mut Vec<&'static str>, budget: &mut unpack::Budget, findings: &mut Findings) {
        self.scan(place, bytes, layers, findings);
        if layers.len() >= unpack::DEPTH {
            return;
        }
        unpack::each(bytes, budget, &mut |kind, inner, budget| {
            findings.unpacked_bytes += inner.len() as u64;
            layers.push(kind);
            self.layer(place, inner, layers, budget, findings);
            layers.pop();
        });
    }

    fn scan(&self, place: &str, bytes: &[u8], layers: &[&'static str], findings: &mut Findings) {
        for (automaton, of) in [(&self.folded, &self.folded_of), (&self.exact, &self.exact_of)] {
            if of.is_empty() {
                continue;
            }
            for found in automaton.find_overlapping_iter(bytes) {
                let Some((id, form)) = of.get(found.pattern().as_usize()) else { continue };
                let hit = Hit { form: *form, layers: layers.to_vec(), offset: found.start() as u64, count: 1 };
                findings.hits.entry((*id, place.to_owned())).and_modify(|h| h.again(&hit)).or_insert(hit);
            }
        }
    }
}
