use crate::text::{Encoding, decode};
use crate::{Limits, RecordsError};
use std::ops::Range;

/// Columns of a table beyond which it is not a roster.
const MOST_COLUMNS: usize = 500;
/// Lines looked at to find the delimiter.
const LOOK: usize = 30;

/// A CSV file opened: its text in UTF-8, its dialect, its columns and where its rows lie.
///
/// `Debug` shows the dialect only.
#[derive(Clone)]
pub struct Sheet {
    /// How the file was encoded.
    pub encoding: Encoding,
    /// The byte between cells: comma, semicolon, tab or bar.
    pub delimiter: u8,
    /// The quote character.
    pub quote: u8,
    /// Column names from the first row, trimmed.
    pub headers: Vec<String>,
    text: String,
    header: Range<usize>,
    rows: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    /// The line where the row begins, from 1, as an editor counts.
    line: u64,
    range: Range<usize>,
}

impl core::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Sheet({:?}, {:?}, {} columns, {} rows)",
            self.encoding,
            char::from(self.delimiter),
            self.headers.len(),
            self.rows.len()
        )
    }
}

/// Opens a CSV file.
///
/// # Errors
/// [`RecordsError::NoTable`] when there is no first row of at least two columns (or one that names a name); size limits.
pub fn open(bytes: &[u8], limits: &Limits) -> Result<Sheet, RecordsError> {
    limits.check_file(bytes)?;
    let (text, encoding) = decode(bytes);
    if text.bytes().take(4096).any(|b| b == 0) {
        return Err(RecordsError::NoTable);
    }
    // Excel writes its own hint as the first line.
    let (hint, start) = match text
        .get(..6)
        .filter(|head| head.to_ascii_lowercase().starts_with("sep="))
        .and_then(|_| text.find('\n'))
    {
        Some(end) => (
            text.as_bytes()
                .get(4)
                .copied()
                .filter(|b| b",;\t|".contains(b)),
            end + 1,
        ),
        None => (None, 0),
    };
    let quote = quote_of(text.get(start..).unwrap_or_default());
    let delimiter = match hint {
        Some(found) => found,
        None => delimiter_of(text.get(start..).unwrap_or_default(), quote)?,
    };
    let mut sheet = Sheet {
        encoding,
        delimiter,
        quote,
        headers: Vec::new(),
        header: 0..0,
        rows: Vec::new(),
        text,
    };
    sheet.index(start, limits)?;
    Ok(sheet)
}

impl Sheet {
    /// Number of rows below the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row below the header.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first `n` rows, for showing beside the mapping.
    pub fn sample(&self, n: usize) -> Vec<Vec<String>> {
        self.rows().take(n).collect()
    }

    /// The cells of every row in order, trimmed.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        let below = self.text.get(self.header.end..).unwrap_or_default();
        let mut reader = reader(below, self.delimiter, self.quote);
        let mut record = csv::StringRecord::new();
        std::iter::from_fn(move || {
            while matches!(reader.read_record(&mut record), Ok(true)) {
                if record.iter().any(|cell| !cell.trim().is_empty()) {
                    return Some(trimmed(&record));
                }
            }
            None
        })
    }

    /// The line where a row begins, from 1.
    pub fn line(&self, row: usize) -> u64 {
        self.rows.get(row).map_or(0, |row| row.line)
    }

    /// The text of a row, and of the header row, as they stand in the file.
    pub(crate) fn raw(&self, row: usize) -> (&str, &str) {
        let get = |range: &Range<usize>| {
            self.text
                .get(range.clone())
                .unwrap_or_default()
                .trim_end_matches(['\r', '\n'])
                .trim_start_matches(['\r', '\n'])
        };
        (
            get(&self.header),
            self.rows.get(row).map_or("", |row| get(&row.range)),
        )
    }

    fn index(&mut self, start: usize, limits: &Limits) -> Result<(), RecordsError> {
        let body = self.text.get(start..).unwrap_or_default();
        let mut reader = reader(body, self.delimiter, self.quote);
        let mut record = csv::ByteRecord::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut header = None;
        let base_line = if start > 0 { 1 } else { 0 };
        loop {
            let from = reader.position().clone();
            let more = reader
                .read_byte_record(&mut record)
                .map_err(|_| RecordsError::NoTable)?;
            if !more {
                break;
            }
            let at =
                |p: &csv::Position| start + usize::try_from(p.byte()).unwrap_or(usize::MAX - start);
            let range = at(&from)..at(reader.position());
            if range.len() > limits.item_bytes {
                return Err(RecordsError::TooLarge {
                    limit_mib: limits.item_bytes as u64 >> 20,
                });
            }
            if record
                .iter()
                .all(|cell| std::str::from_utf8(cell).unwrap_or("x").trim().is_empty())
            {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line) + base_line;
            if header.is_none() {
                if record.len() > MOST_COLUMNS {
                    return Err(RecordsError::NoTable);
                }
                header = Some(range);
                continue;
            }
            if rows.len() >= limits.items {
                return Err(RecordsError::TooMany {
                    limit: limits.items,
                });
            }
            rows.push(Row { line, range });
        }
        self.header = header.ok_or(RecordsError::NoTable)?;
        self.headers = self.parse(self.header.clone());
        self.rows = rows;
        Ok(())
    }

    fn parse(&self, range: Range<usize>) -> Vec<String> {
        let mut reader = reader(
            self.text.get(range).unwrap_or_default(),
            self.delimiter,
            self.quote,
        );
        let mut record = csv::StringRecord::new();
        while matches!(reader.read_record(&mut record), Ok(true)) {
            if !record.is_empty() {
                return trimmed(&record);
            }
        }
        Vec::new()
    }
}

fn trimmed(record: &csv::StringRecord) -> Vec<String> {
    record
        .iter()
        .take(MOST_COLUMNS * 4)
        .map(|cell| cell.trim().to_owned())
        .collect()
}

fn reader(text: &str, delimiter: u8, quote: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quote(quote)
        .from_reader(text.as_bytes())
}

/// A single quote only when cells are wrapped in it and none in a double one.
fn quote_of(text: &str) -> u8 {
    let head: Vec<&str> = text.lines().take(LOOK).collect();
    let wrapped = |quote: char| {
        head.iter()
            .flat_map(|line| line.split([',', ';', '\t', '|']))
            .filter(|cell| {
                cell.len() >= 2 && cell.trim().starts_with(quote) && cell.trim().ends_with(quote)
            })
            .count()
    };
    if wrapped('"') == 0 && wrapped('\'') > 2 {
        b'\''
    } else {
        b'"'
    }
}

/// The delimiter that gives most rows the same number of columns, more than one.
fn delimiter_of(text: &str, quote: u8) -> Result<u8, RecordsError> {
    let mut best = (0usize, b',');
    for delimiter in *b",;\t|" {
        let mut reader = reader(text, delimiter, quote);
        let mut record = csv::ByteRecord::new();
        let mut widths = Vec::new();
        while widths.len() < LOOK && matches!(reader.read_byte_record(&mut record), Ok(true)) {
            widths.push(record.len());
        }
        let Some(first) = widths.first().copied().filter(|n| *n > 1) else {
            continue;
        };
        let same = widths.iter().filter(|n| **n == first).count();
        let score = same * 1000 / widths.len() * 10 + first.min(9);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    if best.0 == 0 && text.trim().is_empty() {
        return Err(RecordsError::NoTable);
    }
    Ok(best.1)
}
