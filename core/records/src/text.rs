use crate::RecordsError;

/// How a text file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Windows-1252 (what older office programs write; includes ISO 8859-1).
    Windows1252,
}

/// The 32 places where Windows-1252 differs from ISO 8859-1 (WHATWG Encoding Standard, index windows-1252).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads text of an unknown encoding: by its byte order mark, else as UTF-8 if it is, else as UTF-16 if every other byte is zero, else as Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> (String, Encoding) {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return (String::from_utf8_lossy(rest).into_owned(), Encoding::Utf8);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return (utf16(rest, u16::from_le_bytes), Encoding::Utf16Le);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return (utf16(rest, u16::from_be_bytes), Encoding::Utf16Be);
    }
    let head = bytes.get(..bytes.len().min(400)).unwrap_or_default();
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    if head.len() >= 4 && zeros(1) * 4 >= head.len() && zeros(0) == 0 {
        return (utf16(bytes, u16::from_le_bytes), Encoding::Utf16Le);
    }
    if head.len() >= 4 && zeros(0) * 4 >= head.len() && zeros(1) == 0 {
        return (utf16(bytes, u16::from_be_bytes), Encoding::Utf16Be);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), Encoding::Utf8),
        Err(_) => (windows_1252(bytes), Encoding::Windows1252),
    }
}

/// Windows-1252 to text. Every byte has a meaning, so this cannot fail.
pub(crate) fn windows_1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|b| match b {
            0x80..=0x9f => WINDOWS_1252
                .get(usize::from(b - 0x80))
                .copied()
                .unwrap_or('\u{fffd}'),
            _ => char::from(*b),
        })
        .collect()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Text in a named encoding (an XML declaration, a content type); the byte order mark wins over the name.
pub(crate) fn decode_named(bytes: &[u8], name: Option<&str>) -> Result<String, RecordsError> {
    let (text, found) = decode(bytes);
    let Some(name) = name else { return Ok(text) };
    match name
        .trim()
        .trim_matches(['"', '\''])
        .to_ascii_lowercase()
        .as_str()
    {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => match found {
            Encoding::Windows1252 => Err(RecordsError::NotUtf8),
            _ => Ok(text),
        },
        "utf-16" | "utf-16le" | "utf-16be" => Ok(text),
        "iso-8859-1" | "latin1" | "windows-1252" | "cp1252" | "iso-8859-15" => match found {
            Encoding::Utf16Be | Encoding::Utf16Le => Ok(text),
            _ => Ok(windows_1252(bytes)),
        },
        _ => Err(RecordsError::XmlEncoding),
    }
}

/// HTML or XHTML to plain text: tags gone, blocks on lines of their own, entities resolved, scripts and styles dropped. Takes any input in linear time.
pub(crate) fn html_to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, found) = rest.split_at(at);
        push_words(&mut out, before);
        if found.starts_with('&') {
            let (text, used) = entity(found);
            out.push_str(&text);
            rest = found.get(used..).unwrap_or_default();
            continue;
        }
        if found.starts_with("<!--") {
            rest = found
                .find("-->")
                .and_then(|end| found.get(end + 3..))
                .unwrap_or_default();
            continue;
        }
        let Some(end) = found.find('>') else {
            rest = "";
            break;
        };
        let tag = found.get(1..end).unwrap_or_default();
        rest = found.get(end + 1..).unwrap_or_default();
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "br" | "p" | "div" | "tr" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4"
            | "h5" | "h6" | "paragraph" | "section" | "list" | "caption" | "thead" | "tbody" => {
                new_line(&mut out);
            }
            "li" | "item" if !tag.starts_with('/') => {
                new_line(&mut out);
                out.push_str("- ");
            }
            "td" | "th" if tag.starts_with('/') => out.push_str("  "),
            "script" | "style" if !tag.starts_with('/') && !tag.ends_with('/') => {
                let close = format!("</{name}");
                let lower_end = find_ignoring_case(rest, &close);
                rest = lower_end.and_then(|at| rest.get(at..)).unwrap_or_default();
            }
            _ => (),
        }
    }
    push_words(&mut out, rest);
    tidy(&out)
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes()
        .windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn push_words(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() {
            if !out.ends_with([' ', '\n']) && !out.is_empty() {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

fn new_line(out: &mut String) {
    while out.ends_with(' ') {
        out.pop();
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// The text of the entity at the start, and how many bytes it takes; an unknown one stays as it is.
fn entity(text: &str) -> (String, usize) {
    let Some(end) = text
        .char_indices()
        .take(12)
        .find_map(|(i, c)| (c == ';').then_some(i))
    else {
        return ("&".to_owned(), 1);
    };
    let name = text.get(1..end).unwrap_or_default();
    let known = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "deg" => Some('°'),
        _ => name.strip_prefix('#').and_then(|number| {
            match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            }
            .and_then(char::from_u32)
        }),
    };
    match known {
        Some(c) => (c.to_string(), end + 1),
        None => ("&".to_owned(), 1),
    }
}

/// Lines trimmed, no more than one blank line in a row, none at the ends.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(str::trim_end) {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line);
    }
    out
}

/// Rich text (RTF) to plain text: control words and hidden groups gone. Takes any input in linear time.
pub(crate) fn rtf_to_text(bytes: &[u8]) -> String {
    let mut raw: Vec<u8> = Vec::with_capacity(bytes.len() / 2);
    let mut out = String::new();
    let (mut at, mut depth, mut hidden) = (0usize, 0usize, None::<usize>);
    let mut skip_next = 0usize;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' => {
                depth += 1;
                let hides = bytes.get(at..).is_some_and(|rest| {
                    [
                        &b"\\*"[..],
                        b"\\fonttbl",
                        b"\\colortbl",
                        b"\\stylesheet",
                        b"\\info",
                        b"\\pict",
                        b"\\header",
                        b"\\footer",
                    ]
                    .iter()
                    .any(|w| rest.starts_with(w))
                });
                if hides && hidden.is_none() {
                    hidden = Some(depth);
                }
            }
            b'}' => {
                if hidden == Some(depth) {
                    hidden = None;
                }
                depth = depth.saturating_sub(1);
            }
            b'\\' => {
                let Some(&next) = bytes.get(at) else { break };
                if next == b'\'' {
                    let hex = bytes
                        .get(at + 1..at + 3)
                        .and_then(|pair| std::str::from_utf8(pair).ok())
                        .and_then(|pair| u8::from_str_radix(pair, 16).ok());
                    at = (at + 3).min(bytes.len());
                    if let (Some(b), None) = (hex, hidden) {
                        if skip_next > 0 {
                            skip_next -= 1
                        } else {
                            raw.push(b)
                        }
                    }
                } else if next.is_ascii_alphabetic() {
                    let word_end = bytes[at..]
                        .iter()
                        .position(|b| !b.is_ascii_alphabetic())
                        .map_or(bytes.len(), |n| at + n);
                    let word = &bytes[at..word_end];
                    let number_end = bytes[word_end..]
                        .iter()
                        .position(|b| !b.is_ascii_digit() && *b != b'-')
                        .map_or(bytes.len(), |n| word_end + n);
                    let number = std::str::from_utf8(&bytes[word_end..number_end])
                        .ok()
                        .and_then(|n| n.parse::<i32>().ok());
                    at = number_end + usize::from(bytes.get(number_end) == Some(&b' '));
                    if hidden.is_none() {
                        match word {
                            b"par" | b"line" | b"row" | b"sect" | b"page" => raw.push(b'\n'),
                            b"tab" | b"cell" => raw.push(b'\t'),
                            b"emdash" => raw.push(0x97),
                            b"endash" => raw.push(0x96),
                            b"lquote" | b"rquote" => raw.push(b'\''),
                            b"ldblquote" | b"rdblquote" => raw.push(b'"'),
                            b"u" => {
                                out.push_str(&windows_1252(&raw));
                                raw.clear();
                                let code = number
                                    .map(|n| if n < 0 { n + 65536 } else { n })
                                    .and_then(|n| u32::try_from(n).ok());
                                out.extend(code.and_then(char::from_u32));
                                skip_next = 1;
                            }
                            _ => (),
                        }
                    }
                } else {
                    at += 1;
                    if hidden.is_none() && matches!(next, b'\\' | b'{' | b'}') {
                        raw.push(next);
                    } else if hidden.is_none() && next == b'~' {
                        raw.push(b' ');
                    }
                }
            }
            b'\r' | b'\n' => (),
            _ if hidden.is_none() => {
                if skip_next > 0 {
                    skip_next -= 1
                } else {
                    raw.push(byte)
                }
            }
            _ => (),
        }
    }
    out.push_str(&windows_1252(&raw));
    tidy(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_each_encoding_that_offices_write() {
        assert_eq!(decode("Zoë".as_bytes()), ("Zoë".to_owned(), Encoding::Utf8));
        assert_eq!(
            decode(b"Zo\xEB \x80"),
            ("Zoë €".to_owned(), Encoding::Windows1252)
        );
        assert_eq!(
            decode(b"\xFF\xFEZ\0\xEB\0"),
            ("Zë".to_owned(), Encoding::Utf16Le)
        );
        assert_eq!(
            decode(b"\xFE\xFF\0Z\0\xEB"),
            ("Zë".to_owned(), Encoding::Utf16Be)
        );
        assert_eq!(decode(b"N\0a\0m\0e\0,\0").1, Encoding::Utf16Le);
    }

    #[test]
    fn html_becomes_lines_of_text() {
        assert_eq!(
            html_to_text(
                "<div>Care plan.<br/>Activities: <ul><li>one</li><li>t&amp;wo</li></ul><script>x()</script></div>"
            ),
            "Care plan.\nActivities:\n- one\n- t&wo"
        );
        assert_eq!(html_to_text("a < b"), "a");
        assert_eq!(html_to_text("&bogus; & &#x41;"), "&bogus; & A");
    }

    #[test]
    fn rich_text_loses_its_control_words() {
        assert_eq!(
            rtf_to_text(
                br"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 Dear \b colleague\b0,\par caf\'e9 \u8364?}"
            ),
            "Dear colleague,\ncafé €"
        );
    }
}
