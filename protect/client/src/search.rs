//! Search as you type over the roster: name beginnings, typos, birth dates in the forms that people write, digits of a phone number.
//!
//! All of it in memory; the server never sees a search word. At 33,000 rows a keystroke costs a few milliseconds.

use subrosa_protocol::chart::RosterRow;

use crate::fold::{mask, typos, words};

/// A searchable set of rows. Rows are named by their place in the list that it was built from.
#[derive(Default)]
pub(crate) struct Index {
    names: Words,
    others: Words,
    dates: Vec<(u16, u8, u8)>,
    digits: Vec<u8>,
    /// Where each row's digits end in `digits`.
    digits_end: Vec<u32>,
    /// Rank of each row in the order of a list: family name, given names, birth date.
    rank: Vec<u32>,
}

/// Distinct words in order, and the rows in which each stands.
#[derive(Default)]
struct Words {
    text: String,
    /// End of each word in `text`, its letters, and the end of its rows in `rows`.
    ends: Vec<(u32, u64, u32)>,
    rows: Vec<u32>,
}

impl Words {
    fn build(mut pairs: Vec<(String, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut out = Words::default();
        let mut last: Option<String> = None;
        for (word, row) in pairs {
            if last.as_deref() != Some(word.as_str()) {
                out.text.push_str(&word);
                out.ends.push((out.text.len() as u32, mask(&word), out.rows.len() as u32));
                last = Some(word);
            }
            out.rows.push(row);
            if let Some(end) = out.ends.last_mut() {
                end.2 = out.rows.len() as u32;
            }
        }
        out
    }

    fn word(&self, n: usize) -> &str {
        let from = if n == 0 { 0 } else { self.ends.get(n - 1).map_or(0, |e| e.0) };
        let to = self.ends.get(n).map_or(from, |e| e.0);
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    fn rows_of(&self, n: usize) -> &[u32] {
        let from = if n == 0 { 0 } else { self.ends.get(n - 1).map_or(0, |e| e.2) };
        let to = self.ends.get(n).map_or(from, |e| e.2);
        self.rows.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Marks the rows of every word that begins with `query`.
    fn mark_prefix(&self, query: &str, marks: &mut [u8], exact: u8, prefix: u8) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.word(middle) < query { low = middle + 1 } else { high = middle }
        }
        let mut found = 0;
        while low < self.ends.len() && self.word(low).starts_with(query) {
            let score = if self.word(low).len() == query.len() { exact } else { prefix };
            found += mark(self.rows_of(low), marks, score);
            low += 1;
        }
        found
    }

    fn mark_typos(&self, query: &str, marks: &mut [u8]) {
        let most = match query.len() {
            0..=3 => return,
            4..=7 => 1,
            _ => 2,
        };
        let letters = mask(query);
        for n in 0..self.ends.len() {
            let theirs = self.ends.get(n).map_or(0, |e| e.1);
            if (letters & !theirs).count_ones() as usize > most {
                continue;
            }
            if let Some(distance) = typos(query.as_bytes(), self.word(n).as_bytes(), most) {
                mark(self.rows_of(n), marks, 3 + 2 * distance as u8);
            }
        }
    }
}

fn mark(rows: &[u32], marks: &mut [u8], score: u8) -> usize {
    for row in rows {
        if let Some(m) = marks.get_mut(*row as usize) {
            *m = (*m).min(score);
        }
    }
    rows.len()
}

const NO: u8 = u8::MAX;

/// A match: score (lower is better), rank in the list, row.
pub(crate) type Hit = (u16, u32, u32);

impl Index {
    pub(crate) fn build<'r>(rows: impl Iterator<Item = &'r RosterRow>) -> Self {
        let (mut names, mut others) = (Vec::new(), Vec::new());
        let mut out = Index::default();
        let mut order: Vec<(String, String, &str, u32)> = Vec::new();
        for (n, row) in rows.enumerate() {
            let n = n as u32;
            words(&row.family, |w| names.push((w.to_owned(), n)));
            words(&row.given, |w| names.push((w.to_owned(), n)));
            for text in &row.more {
                words(text, |w| others.push((w.to_owned(), n)));
                let before = out.digits.len();
                out.digits.extend(text.bytes().filter(u8::is_ascii_digit));
                if out.digits.len() > before {
                    out.digits.push(b' ');
                }
            }
            out.digits_end.push(out.digits.len() as u32);
            out.dates.push(date_of(&row.birth_date));
            order.push((row.family.to_lowercase(), row.given.to_lowercase(), &row.birth_date, n));
        }
        order.sort_unstable();
        out.rank = vec![0; order.len()];
        for (rank, (_, _, _, row)) in order.into_iter().enumerate() {
            if let Some(slot) = out.rank.get_mut(row as usize) {
                *slot = rank as u32;
            }
        }
        out.names = Words::build(names);
        out.others = Words::build(others);
        out
    }

    fn len(&self) -> usize {
        self.rank.len()
    }

    /// Rows that answer every part of `text`, best first, at most `limit`. An empty text gives the beginning of the list.
    pub(crate) fn search(&self, text: &str, limit: usize) -> Vec<Hit> {
        let parts = parts(text);
        let mut total: Vec<u16> = vec![0; self.len()];
        let mut marks = vec![NO; self.len()];
        for part in &parts {
            marks.fill(NO);
            match part {
                Part::Word(word) => {
                    let found = self.names.mark_prefix(word, &mut marks, 0, 1) + self.others.mark_prefix(word, &mut marks, 2, 3);
                    // Few or none begin so: perhaps it is misspelt. Numbers are not guessed at.
                    if found < 64 && !word.bytes().any(|b| b.is_ascii_digit()) {
                        self.names.mark_typos(word, &mut marks);
                    }
                }
                Part::Number(digits, dates) => {
                    self.mark_dates(dates, &mut marks);
                    self.others.mark_prefix(digits, &mut marks, 1, 2);
                    self.mark_digits(digits.trim_start_matches('0'), &mut marks);
                }
            }
            for (sum, m) in total.iter_mut().zip(&marks) {
                *sum = if *m == NO { u16::MAX } else { sum.saturating_add(u16::from(*m)) };
            }
        }
        let hit = |(row, score): (usize, &u16)| (*score != u16::MAX).then(|| (*score, self.rank.get(row).copied().unwrap_or(0), row as u32));
        let mut hits: Vec<Hit> = total.iter().enumerate().filter_map(hit).collect();
        if hits.len() > limit && limit > 0 {
            hits.select_nth_unstable(limit - 1);
        }
        hits.truncate(limit);
        hits.sort_unstable();
        hits
    }

    fn mark_dates(&self, wanted: &[DateForm], marks: &mut [u8]) {
        if wanted.is_empty() {
            return;
        }
        for (date, m) in self.dates.iter().zip(marks) {
            if date.0 != 0 && wanted.iter().any(|w| w.fits(*date)) {
                *m = 0;
            }
        }
    }

    fn mark_digits(&self, wanted: &str, marks: &mut [u8]) {
        let wanted = wanted.as_bytes();
        if wanted.len() < 3 {
            return;
        }
        let mut from = 0usize;
        for (end, m) in self.digits_end.iter().zip(marks) {
            let own = self.digits.get(from..*end as usize).unwrap_or_default();
            if own.windows(wanted.len()).any(|w| w == wanted) {
                *m = (*m).min(2);
            }
            from = *end as usize;
        }
    }
}

/// One part of what was typed.
enum Part {
    Word(String),
    Number(String, Vec<DateForm>),
}

/// A date, or as much of one as was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct DateForm {
    year: Option<u16>,
    /// The last two digits of the year.
    short: Option<u16>,
    month: Option<u8>,
    day: Option<u8>,
}

impl DateForm {
    fn fits(&self, (year, month, day): (u16, u8, u8)) -> bool {
        self.year.is_none_or(|y| y == year)
            && self.short.is_none_or(|y| y == year % 100)
            && self.month.is_none_or(|m| m == month)
            && self.day.is_none_or(|d| d == day)
    }
}

fn date_of(text: &str) -> (u16, u8, u8) {
    let mut parts = text.split('-');
    let year = parts.next().and_then(|y| y.parse().ok()).unwrap_or(0);
    let mut part = || parts.next().and_then(|y| y.get(..2)).and_then(|y| y.parse().ok()).unwrap_or(0);
    (year, part(), part())
}

fn parts(text: &str) -> Vec<Part> {
    let mut out = Vec::new();
    let mut digits_run = String::new();
    for piece in text.split_whitespace().take(12) {
        let numeric = piece.bytes().any(|b| b.is_ascii_digit()) && !piece.chars().any(char::is_alphabetic);
        if numeric {
            let digits: String = piece.chars().filter(char::is_ascii_digit).collect();
            let forms = date_forms(piece);
            // A phone number typed in groups is one number.
            if forms.is_empty() && !digits_run.is_empty() {
                digits_run.push_str(&digits);
                if let Some(Part::Number(last, dates)) = out.last_mut() {
                    *last = digits_run.clone();
                    dates.clear();
                    continue;
                }
            }
            digits_run = digits.clone();
            out.push(Part::Number(digits, forms));
        } else {
            digits_run.clear();
            words_of(piece, &mut out);
        }
    }
    out
}

/// The words of a piece. Of a word with an umlaut either spelling finds the row, so one is enough.
fn words_of(piece: &str, out: &mut Vec<Part>) {
    for part in piece.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | 'ʼ' | '`' | '\u{300}'..='\u{36f}'))) {
        let mut spelling = None;
        words(part, |w| {
            if spelling.is_none() {
                spelling = Some(w.to_owned());
            }
        });
        out.extend(spelling.map(Part::Word));
    }
}

/// Every date that these digits and separators may mean: `1980`, `1980-05`, `13.5.1980`, `5/13/80`, `05.1980`, `13.5.`, `13051980`, `130580`.
fn date_forms(piece: &str) -> Vec<DateForm> {
    let fields: Vec<&str> = piece.split(['-', '.', '/']).filter(|f| !f.is_empty()).collect();
    if fields.iter().any(|f| !f.bytes().all(|b| b.is_ascii_digit())) {
        return Vec::new();
    }
    let number = |f: &str| f.parse::<u16>().ok();
    let year = |f: &str| match f.len() {
        4 => number(f).filter(|y| (1850..2200).contains(y)).map(|y| DateForm { year: Some(y), ..DateForm::default() }),
        2 => number(f).map(|y| DateForm { short: Some(y), ..DateForm::default() }),
        _ => None,
    };
    let month = |f: &str| number(f).filter(|m| f.len() <= 2 && (1..=12).contains(m)).map(|m| m as u8);
    let day = |f: &str| number(f).filter(|d| f.len() <= 2 && (1..=31).contains(d)).map(|d| d as u8);
    let full = |y: &str, m: &str, d: &str| Some(DateForm { month: Some(month(m)?), day: Some(day(d)?), ..year(y)? });
    let cut = |s: &str, a: usize, b: usize| -> Option<[String; 3]> { Some([s.get(..a)?.to_owned(), s.get(a..b)?.to_owned(), s.get(b..)?.to_owned()]) };
    let mut out: Vec<Option<DateForm>> = Vec::new();
    match fields.as_slice() {
        [one] if !piece.ends_with('.') => match one.len() {
            4 => out.push(year(one)),
            6 => {
                if let Some([a, b, c]) = cut(one, 2, 4) {
                    out.extend([full(&c, &b, &a), full(&c, &a, &b), full(&a, &b, &c)]);
                }
            }
            8 => {
                if let Some([a, b, c]) = cut(one, 2, 4) {
                    out.extend([full(&c, &b, &a), full(&c, &a, &b)]);
                }
                if let Some([a, b, c]) = cut(one, 4, 6) {
                    out.push(full(&a, &b, &c));
                }
            }
            _ => {}
        },
        [a, b] if a.len() == 4 => out.push(year(a).and_then(|y| Some(DateForm { month: Some(month(b)?), ..y }))),
        [a, b] if b.len() == 4 => out.push(year(b).and_then(|y| Some(DateForm { month: Some(month(a)?), ..y }))),
        [a, b] => {
            let both = |m: &str, d: &str| Some(DateForm { month: Some(month(m)?), day: Some(day(d)?), ..DateForm::default() });
            out.extend([both(b, a), both(a, b)]);
        }
        [a, b, c] if a.len() == 4 => out.push(full(a, b, c)),
        [a, b, c] => out.extend([full(c, b, a), full(c, a, b)]),
        _ => {}
    }
    let mut forms: Vec<DateForm> = Vec::new();
    for form in out.into_iter().flatten() {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}
