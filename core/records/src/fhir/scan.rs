use memchr::memchr2;

/// Hands on the bytes of a JSON text without the white space between its tokens, in pieces; returns how deep it is nested.
///
/// The text must be valid JSON already (it comes from a parser); on other input the pieces are meaningless but nothing fails.
pub(crate) fn minify(json: &[u8], mut sink: impl FnMut(&[u8])) -> usize {
    let (mut depth, mut deepest, mut start, mut at) = (0usize, 0usize, 0usize, 0usize);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at = string_end(json, at + 1),
            b' ' | b'\n' | b'\r' | b'\t' => {
                if start < at {
                    sink(&json[start..at]);
                }
                at += 1;
                while matches!(json.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
                    at += 1;
                }
                start = at;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => at += 1,
        }
    }
    if start < json.len() {
        sink(&json[start..]);
    }
    deepest
}

/// The position after the closing quote of the string that begins before `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// The same JSON without white space between tokens: one line.
pub(crate) fn compact(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    minify(json, |piece| out.extend_from_slice(piece));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_inside_strings_stays_and_outside_goes() {
        assert_eq!(
            compact(b" { \"a b\" : [ 1 , \"x\\\" y\" ] }\n"),
            b"{\"a b\":[1,\"x\\\" y\"]}"
        );
        assert_eq!(minify(b"[[{}]]", |_| ()), 3);
    }

    #[test]
    fn an_open_string_or_a_trailing_backslash_ends_the_scan_quietly() {
        assert_eq!(compact(b"\"abc"), b"\"abc");
        assert_eq!(compact(b"\"abc\\"), b"\"abc\\");
    }
}
