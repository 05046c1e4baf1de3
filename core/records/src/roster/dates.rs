/// In which order day, month and year stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateOrder {
    /// 1980-03-04, 1980/3/4, 19800304.
    YearMonthDay,
    /// 04.03.1980, 4/3/1980, 4 March 1980.
    DayMonthYear,
    /// 03/04/1980, March 4, 1980.
    MonthDayYear,
}

/// What a column of dates tells about its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateGuess {
    /// No dates.
    None,
    /// All dates can be read in this order, and in no other that matters.
    Clear(DateOrder),
    /// Day first or month first: a person has to say.
    Ambiguous,
}

const MONTHS: [&[&str]; 12] = [
    &[
        "jan", "january", "januar", "jänner", "janvier", "enero", "gennaio",
    ],
    &[
        "feb", "february", "februar", "février", "fevrier", "febrero", "febbraio",
    ],
    &["mar", "march", "märz", "maerz", "mrz", "mars", "marzo"],
    &["apr", "april", "avril", "abril", "aprile"],
    &["may", "mai", "mayo", "maggio"],
    &["jun", "june", "juni", "juin", "junio", "giugno"],
    &["jul", "july", "juli", "juillet", "julio", "luglio"],
    &["aug", "august", "août", "aout", "agosto"],
    &[
        "sep",
        "sept",
        "september",
        "septembre",
        "septiembre",
        "settembre",
    ],
    &[
        "oct", "october", "okt", "oktober", "octobre", "octubre", "ottobre",
    ],
    &["nov", "november", "novembre", "noviembre"],
    &[
        "dec",
        "december",
        "dez",
        "dezember",
        "décembre",
        "decembre",
        "diciembre",
        "dicembre",
    ],
];

/// The pieces of a date: up to three numbers and perhaps a month by name.
struct Pieces {
    numbers: Vec<(u32, usize)>,
    /// Month by name, and how many numbers stood before it.
    month: Option<u32>,
    dotted: bool,
}

fn pieces(text: &str) -> Option<Pieces> {
    let date = text.trim();
    if date.len() > 40 {
        return None;
    }
    // A time of day after the date is of no interest.
    let date = date.split_once('T').map_or(date, |(day, time)| {
        if time.starts_with(|c: char| c.is_ascii_digit()) {
            day
        } else {
            date
        }
    });
    let date = match date.find(':') {
        Some(colon) => date
            .get(..colon)
            .and_then(|head| {
                head.trim_end_matches(|c: char| c.is_ascii_digit())
                    .trim_end()
                    .into()
            })
            .unwrap_or(date),
        None => date,
    };
    let mut found = Pieces {
        numbers: Vec::new(),
        month: None,
        dotted: date.contains('.'),
    };
    for word in date
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if word.bytes().all(|b| b.is_ascii_digit()) {
            found.numbers.push((word.parse().ok()?, word.len()));
        } else {
            let lower = word.to_lowercase();
            let bare = lower.trim_end_matches(|c: char| !c.is_ascii_digit());
            if !bare.is_empty()
                && ["st", "nd", "rd", "th"]
                    .iter()
                    .any(|end| lower.strip_suffix(end) == Some(bare))
            {
                found.numbers.push((bare.parse().ok()?, bare.len()));
            } else if let Some(month) = MONTHS
                .iter()
                .position(|names| names.contains(&lower.as_str()))
            {
                if found.month.replace(month as u32 + 1).is_some() {
                    return None;
                }
            } else if !matches!(lower.as_str(), "of" | "de" | "del") {
                return None;
            }
        }
    }
    Some(found)
}

/// Reads a date in a known order; ISO 8601 dates and months by name are understood in every order. Gives `YYYY-MM-DD`.
///
/// A two-digit year needs the present year: it means the latest year not after it.
pub(crate) fn parse_date(
    text: &str,
    order: Option<DateOrder>,
    this_year: Option<u16>,
) -> Option<String> {
    let found = pieces(text)?;
    let (year, month, day) = match (found.month, found.numbers.as_slice()) {
        (None, [(joined, 8)]) => match order {
            None | Some(DateOrder::YearMonthDay) => {
                (Some((joined / 10000, 4)), joined / 100 % 100, joined % 100)
            }
            Some(DateOrder::MonthDayYear) => (
                Some((joined % 10000, 4)),
                joined / 1_000_000,
                joined / 10000 % 100,
            ),
            Some(DateOrder::DayMonthYear) => (
                Some((joined % 10000, 4)),
                joined / 10000 % 100,
                joined / 1_000_000,
            ),
        },
        (Some(month), [first, second]) => {
            if first.1 == 4 {
                (Some(*first), month, second.0)
            } else {
                (Some(*second), month, first.0)
            }
        }
        (None, [first, second, third]) if first.1 == 4 => (Some(*first), second.0, third.0),
        (None, [first, second, third]) => match order? {
            DateOrder::DayMonthYear => (Some(*third), second.0, first.0),
            DateOrder::MonthDayYear => (Some(*third), first.0, second.0),
            DateOrder::YearMonthDay => (Some(*first), second.0, third.0),
        },
        _ => return None,
    };
    let year = full_year(year?, this_year)?;
    (valid(year, month, day)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn full_year((year, digits): (u32, usize), this_year: Option<u16>) -> Option<u32> {
    match digits {
        4 => (1850..=2200).contains(&year).then_some(year),
        2 => {
            let now = u32::from(this_year?);
            let candidate = now / 100 * 100 + year;
            Some(if candidate > now {
                candidate - 100
            } else {
                candidate
            })
        }
        _ => None,
    }
}

fn valid(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Finds in which order a column of dates is written.
pub(crate) fn guess_order<'a>(cells: impl Iterator<Item = &'a str>) -> DateGuess {
    let (mut any, mut day_first, mut month_first, mut differ, mut dotted) =
        (false, false, false, false, false);
    for cell in cells.filter(|cell| !cell.trim().is_empty()) {
        let Some(found) = pieces(cell) else { continue };
        any = true;
        let (first, second) = match (found.month, found.numbers.as_slice()) {
            (None, [first, second, _]) if first.1 <= 2 => (first.0, second.0),
            (None, [(joined, 8)])
                if !(1850..=2200).contains(&(joined / 10000))
                    || !valid(joined / 10000, joined / 100 % 100, joined % 100) =>
            {
                (joined / 1_000_000, joined / 10000 % 100)
            }
            _ => continue,
        };
        day_first |= first > 12 && second <= 12;
        month_first |= second > 12 && first <= 12;
        differ |= first != second;
        dotted |= found.dotted;
    }
    match (day_first, month_first) {
        (true, true) => DateGuess::Ambiguous,
        (true, false) => DateGuess::Clear(DateOrder::DayMonthYear),
        (false, true) => DateGuess::Clear(DateOrder::MonthDayYear),
        // Points are written between day, month and year in that order only.
        (false, false) if dotted => DateGuess::Clear(DateOrder::DayMonthYear),
        (false, false) if differ => DateGuess::Ambiguous,
        (false, false) if any => DateGuess::Clear(DateOrder::YearMonthDay),
        (false, false) => DateGuess::None,
    }
}

/// A date that cannot be misread anywhere in a file name: year first, with separators or as eight digits; or day and month that tell themselves apart. Gives the date and its place.
pub(crate) fn find_date(text: &str) -> Option<(String, std::ops::Range<usize>)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() || (at > 0 && bytes[at - 1].is_ascii_digit()) {
            at += 1;
            continue;
        }
        let end = at
            + bytes[at..]
                .iter()
                .take(16)
                .take_while(|b| b.is_ascii_digit() || b"-._".contains(b))
                .count();
        let run = text
            .get(at..end)?
            .trim_end_matches(|c: char| !c.is_ascii_digit());
        if let Some((date, len)) = date_at_start(run) {
            return Some((date, at..at + len));
        }
        at += 1;
    }
    None
}

fn date_at_start(run: &str) -> Option<(String, usize)> {
    let parts: Vec<&str> = run.split(['-', '.', '_']).take(4).collect();
    if let [first, second, third, ..] = parts.as_slice() {
        let len = first.len() + second.len() + third.len() + 2;
        let shape = (first.len(), second.len(), third.len());
        let numbers: Option<Vec<u32>> = [first, second, third]
            .iter()
            .map(|part| part.parse().ok())
            .collect();
        if let Some([a, b, c]) = numbers.as_deref() {
            let date = match shape {
                (4, 1..=2, 1..=2) if valid(*a, *b, *c) => Some((*a, *b, *c)),
                (1..=2, 1..=2, 4) if *a > 12 && valid(*c, *b, *a) => Some((*c, *b, *a)),
                (1..=2, 1..=2, 4) if *b > 12 && valid(*c, *a, *b) => Some((*c, *a, *b)),
                (1..=2, 1..=2, 4) if (a == b || run.contains('.')) && valid(*c, *b, *a) => {
                    Some((*c, *b, *a))
                }
                _ => None,
            };
            if let Some((year, month, day)) = date.filter(|d| (1850..=2200).contains(&d.0)) {
                return Some((format!("{year:04}-{month:02}-{day:02}"), len));
            }
        }
    }
    let first = parts.first()?;
    let joined: u32 = (first.len() == 8).then(|| first.parse().ok())??;
    let (year, month, day) = (joined / 10000, joined / 100 % 100, joined % 100);
    ((1850..=2200).contains(&year) && valid(year, month, day))
        .then(|| (format!("{year:04}-{month:02}-{day:02}"), 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_order_chosen() {
        let read = |text, order| parse_date(text, order, Some(2026));
        assert_eq!(read("1980-03-04", None).as_deref(), Some("1980-03-04"));
        assert_eq!(
            read("03/04/1980", Some(DateOrder::MonthDayYear)).as_deref(),
            Some("1980-03-04")
        );
        assert_eq!(
            read("03/04/1980", Some(DateOrder::DayMonthYear)).as_deref(),
            Some("1980-04-03")
        );
        assert_eq!(read("03/04/1980", None), None);
        assert_eq!(read("4. März 1980", None).as_deref(), Some("1980-03-04"));
        assert_eq!(read("March 4th, 1980", None).as_deref(), Some("1980-03-04"));
        assert_eq!(
            read("4/3/80", Some(DateOrder::DayMonthYear)).as_deref(),
            Some("1980-03-04")
        );
        assert_eq!(
            read("4/3/27", Some(DateOrder::DayMonthYear)).as_deref(),
            Some("1927-03-04")
        );
        assert_eq!(
            read("1980-03-04T10:11:12Z", None).as_deref(),
            Some("1980-03-04")
        );
        assert_eq!(
            read("3/4/1980 12:00:00 AM", Some(DateOrder::MonthDayYear)).as_deref(),
            Some("1980-03-04")
        );
        assert_eq!(read("30.02.1980", Some(DateOrder::DayMonthYear)), None);
        assert_eq!(
            parse_date("4/3/80", Some(DateOrder::DayMonthYear), None),
            None
        );
    }

    #[test]
    fn a_column_tells_its_order_or_says_that_it_cannot() {
        assert_eq!(
            guess_order(["13/02/1980", "01/02/1980"].into_iter()),
            DateGuess::Clear(DateOrder::DayMonthYear)
        );
        assert_eq!(
            guess_order(["02/13/1980"].into_iter()),
            DateGuess::Clear(DateOrder::MonthDayYear)
        );
        assert_eq!(
            guess_order(["02/03/1980"].into_iter()),
            DateGuess::Ambiguous
        );
        assert_eq!(
            guess_order(["13/02/1980", "02/13/1980"].into_iter()),
            DateGuess::Ambiguous
        );
        assert_eq!(
            guess_order(["02.03.1980"].into_iter()),
            DateGuess::Clear(DateOrder::DayMonthYear)
        );
        assert_eq!(
            guess_order(["1980-03-02"].into_iter()),
            DateGuess::Clear(DateOrder::YearMonthDay)
        );
        assert_eq!(guess_order([""].into_iter()), DateGuess::None);
    }

    #[test]
    fn dates_are_found_in_file_names() {
        assert_eq!(
            find_date("Doe - 2024-01-05 - intake")
                .map(|d| d.0)
                .as_deref(),
            Some("2024-01-05")
        );
        assert_eq!(
            find_date("scan_20240105.pdf").map(|d| d.0).as_deref(),
            Some("2024-01-05")
        );
        assert_eq!(
            find_date("05.01.2024").map(|d| d.0).as_deref(),
            Some("2024-01-05")
        );
        assert_eq!(
            find_date("01-25-2024").map(|d| d.0).as_deref(),
            Some("2024-01-25")
        );
        assert_eq!(find_date("01-05-2024"), None);
        assert_eq!(find_date("invoice 12345678"), None);
    }
}
