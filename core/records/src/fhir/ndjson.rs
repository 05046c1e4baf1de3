use super::read::Reader;
use super::wire::{Place, strip_bom};
use crate::{ImportBatch, Options, RecordsError};

/// Reads bulk NDJSON (FHIR Bulk Data Access): one resource per line. A bad line is skipped with its number and a code, never its content.
///
/// # Errors
/// Only when the whole is too large or hardly a line can be read; see [`crate::Limits`].
pub fn read_ndjson(bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    options.limits.check_file(bytes)?;
    let mut reader = Reader::new(options);
    for (number, line) in lines(strip_bom(bytes)) {
        take_line(&mut reader, number, line)?;
    }
    reader.finish()
}

/// The lines that are not blank, with their numbers from 1. A carriage return before the line feed is not part of the line.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|b| *b == b'\n')
        .enumerate()
        .filter_map(|(i, line)| {
            let line = line.trim_ascii();
            (!line.is_empty()).then_some((i + 1, line))
        })
}

fn take_line(reader: &mut Reader<'_>, number: usize, line: &[u8]) -> Result<(), RecordsError> {
    let at = Place::Line(number);
    match std::str::from_utf8(line) {
        Ok(json) => reader.resource(json, None, at, 0),
        Err(_) => reader.skip(at, "not-utf8", "this line is not UTF-8"),
    }
    reader.too_much()
}

/// Bulk NDJSON in pieces of any size, for files that do not fit in memory. Take what is ready after each piece.
///
/// Resources of patients named in other files or later pieces come with that patient's key; append the batches and resolve.
pub struct NdjsonReader {
    options: Options,
    rest: Vec<u8>,
    line: usize,
    total: u64,
    ready: Vec<(usize, Vec<u8>)>,
    oversize: bool,
    skipped: Vec<usize>,
}

impl NdjsonReader {
    /// An empty reader.
    pub fn new(options: Options) -> Self {
        NdjsonReader {
            options,
            rest: Vec::new(),
            line: 0,
            total: 0,
            ready: Vec::new(),
            oversize: false,
            skipped: Vec::new(),
        }
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// When more came in all than [`crate::Limits::file_bytes`].
    pub fn push(&mut self, piece: &[u8]) -> Result<(), RecordsError> {
        self.total += piece.len() as u64;
        if self.total > self.options.limits.file_bytes {
            return Err(RecordsError::TooLarge {
                limit_mib: self.options.limits.file_bytes >> 20,
            });
        }
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            self.add(line);
            self.end_line();
            rest = after.get(1..).unwrap_or_default();
        }
        self.add(rest);
        Ok(())
    }

    /// What the complete lines so far have given.
    ///
    /// # Errors
    /// As [`read_ndjson`].
    pub fn take(&mut self) -> Result<ImportBatch, RecordsError> {
        let options = self.options.clone();
        let mut reader = Reader::new(&options);
        for (number, line) in self.ready.drain(..) {
            take_line(&mut reader, number, &line)?;
        }
        for number in self.skipped.drain(..) {
            reader.skip(
                Place::Line(number),
                "resource-too-large",
                "this line is longer than one entry may be",
            );
        }
        reader.finish()
    }

    /// The last line, which needs no line feed, and all that was not yet taken.
    ///
    /// # Errors
    /// As [`read_ndjson`].
    pub fn finish(mut self) -> Result<ImportBatch, RecordsError> {
        self.end_line();
        self.take()
    }

    fn add(&mut self, part: &[u8]) {
        if self.oversize {
            return;
        }
        if self.rest.len() + part.len() > self.options.limits.item_bytes + 2 {
            self.oversize = true;
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(part);
        }
    }

    fn end_line(&mut self) {
        self.line += 1;
        if std::mem::take(&mut self.oversize) {
            self.skipped.push(self.line);
            return;
        }
        let line = std::mem::take(&mut self.rest);
        let bare = if self.line == 1 {
            strip_bom(&line)
        } else {
            &line
        };
        if !bare.trim_ascii().is_empty() {
            self.ready.push((self.line, bare.trim_ascii().to_vec()));
        }
    }
}
