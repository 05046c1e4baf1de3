//! Names as people type them: lower case, without accents, cut into words.

/// Appends the folded form of `c`: lower case, accents dropped. Gives the second spelling of an umlaut, where there is one.
fn fold_char(c: char, out: &mut String) -> Option<&'static str> {
    let plain = match c {
        'a'..='z' | '0'..='9' => {
            out.push(c);
            return None;
        }
        'A'..='Z' => {
            out.push(c.to_ascii_lowercase());
            return None;
        }
        '\u{300}'..='\u{36f}' => return None,
        'ä' | 'Ä' => ("a", Some("ae")),
        'ö' | 'Ö' => ("o", Some("oe")),
        'ü' | 'Ü' => ("u", Some("ue")),
        'ß' => ("ss", None),
        'å' | 'Å' => ("a", Some("aa")),
        'ø' | 'Ø' => ("o", Some("oe")),
        'æ' | 'Æ' => ("ae", None),
        'œ' | 'Œ' => ("oe", None),
        'þ' | 'Þ' => ("th", None),
        'à'..='ã' | 'À'..='Ã' | 'ā' | 'Ā' | 'ă' | 'Ă' | 'ą' | 'Ą' => ("a", None),
        'ç' | 'Ç' | 'ć' | 'Ć' | 'č' | 'Č' | 'ĉ' | 'Ĉ' | 'ċ' | 'Ċ' => ("c", None),
        'ď' | 'Ď' | 'đ' | 'Đ' | 'ð' | 'Ð' => ("d", None),
        'è'..='ë' | 'È'..='Ë' | 'ē' | 'Ē' | 'ĕ' | 'Ĕ' | 'ė' | 'Ė' | 'ę' | 'Ę' | 'ě' | 'Ě' | 'ế' | 'ề' | 'ệ' => ("e", None),
        'ĝ' | 'Ĝ' | 'ğ' | 'Ğ' | 'ġ' | 'Ġ' | 'ģ' | 'Ģ' => ("g", None),
        'ĥ' | 'Ĥ' | 'ħ' | 'Ħ' => ("h", None),
        'ì'..='ï' | 'Ì'..='Ï' | 'ĩ' | 'Ĩ' | 'ī' | 'Ī' | 'į' | 'Į' | 'ı' | 'İ' => ("i", None),
        'ĵ' | 'Ĵ' => ("j", None),
        'ķ' | 'Ķ' => ("k", None),
        'ĺ' | 'Ĺ' | 'ļ' | 'Ļ' | 'ľ' | 'Ľ' | 'ł' | 'Ł' => ("l", None),
        'ñ' | 'Ñ' | 'ń' | 'Ń' | 'ņ' | 'Ņ' | 'ň' | 'Ň' => ("n", None),
        'ò'..='õ' | 'Ò'..='Õ' | 'ō' | 'Ō' | 'ŏ' | 'Ŏ' | 'ő' | 'Ő' | 'ơ' | 'Ơ' => ("o", None),
        'ŕ' | 'Ŕ' | 'ŗ' | 'Ŗ' | 'ř' | 'Ř' => ("r", None),
        'ś' | 'Ś' | 'ŝ' | 'Ŝ' | 'ş' | 'Ş' | 'š' | 'Š' | 'ș' | 'Ș' => ("s", None),
        'ţ' | 'Ţ' | 'ť' | 'Ť' | 'ŧ' | 'Ŧ' | 'ț' | 'Ț' => ("t", None),
        'ù'..='û' | 'Ù'..='Û' | 'ũ' | 'Ũ' | 'ū' | 'Ū' | 'ŭ' | 'Ŭ' | 'ů' | 'Ů' | 'ű' | 'Ű' | 'ų' | 'Ų' | 'ư' | 'Ư' => ("u", None),
        'ŵ' | 'Ŵ' => ("w", None),
        'ý' | 'ÿ' | 'Ý' | 'Ÿ' | 'ŷ' | 'Ŷ' => ("y", None),
        'ź' | 'Ź' | 'ż' | 'Ż' | 'ž' | 'Ž' => ("z", None),
        other => {
            out.extend(other.to_lowercase());
            return None;
        }
    };
    out.push_str(plain.0);
    plain.1
}

/// Whether `c` joins two letters of one name without parting it, as in O'Brien.
fn joins(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '`' | '\u{300}'..='\u{36f}')
}

/// Calls `f` with every folded word of `text`, and with the second spelling of words with umlauts (`müller`: `muller`, `mueller`).
pub(crate) fn words(text: &str, mut f: impl FnMut(&str)) {
    let (mut plain, mut other, mut differs) = (String::new(), String::new(), false);
    let mut flush = |plain: &mut String, other: &mut String, differs: &mut bool| {
        if !plain.is_empty() {
            f(plain);
            if *differs {
                f(other);
            }
        }
        plain.clear();
        other.clear();
        *differs = false;
    };
    for c in text.chars() {
        if c.is_alphanumeric() || joins(c) {
            if joins(c) {
                continue;
            }
            let from = plain.len();
            match fold_char(c, &mut plain) {
                Some(second) => {
                    other.push_str(second);
                    differs = true;
                }
                None => other.push_str(plain.get(from..).unwrap_or_default()),
            }
        } else {
            flush(&mut plain, &mut other, &mut differs);
        }
    }
    flush(&mut plain, &mut other, &mut differs);
}

/// A set of the letters in a folded word, for ruling out words that cannot be within a few typos.
pub(crate) fn mask(word: &str) -> u64 {
    word.bytes().fold(0, |m, b| {
        m | match b {
            b'a'..=b'z' => 1 << (b - b'a'),
            b'0'..=b'9' => 1 << (26 + (b - b'0')),
            other => 1 << (36 + (other & 15)),
        }
    })
}

/// Fewest typos (a letter added, left out, changed, or two neighbours swapped) that turn `query` into `word` or into a beginning of it, if at most `most`.
pub(crate) fn typos(query: &[u8], word: &[u8], most: usize) -> Option<usize> {
    const WIDEST: usize = 32;
    let word = word.get(..word.len().min(query.len() + most)).unwrap_or(word);
    if query.len() > WIDEST || query.len() > word.len() + most {
        return None;
    }
    // Optimal string alignment, row by row over the query; three rows are kept.
    let columns = word.len() + 1;
    let mut rows = [[0u8; WIDEST * 2]; 3];
    if columns > WIDEST * 2 {
        return None;
    }
    for (j, cell) in rows[0].iter_mut().enumerate().take(columns) {
        *cell = j as u8;
    }
    for (i, q) in query.iter().enumerate() {
        let (now, last, older) = ((i + 1) % 3, i % 3, (i + 2) % 3);
        rows[now][0] = (i + 1) as u8;
        let mut best = rows[now][0];
        for j in 1..columns {
            let same = u8::from(word[j - 1] != *q);
            let mut cost = (rows[last][j - 1] + same).min(rows[last][j] + 1).min(rows[now][j - 1] + 1);
            if i > 0 && j > 1 && word[j - 2] == *q && word[j - 1] == query[i - 1] {
                cost = cost.min(rows[older][j - 2] + 1);
            }
            rows[now][j] = cost;
            best = best.min(cost);
        }
        if usize::from(best) > most {
            return None;
        }
    }
    let last = &rows[query.len() % 3];
    let fewest = last.iter().take(columns).copied().min().map(usize::from)?;
    (fewest <= most).then_some(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        words(text, |w| out.push(w.to_owned()));
        out
    }

    #[test]
    fn names_fold_as_people_type_them() {
        assert_eq!(all("Müller-Lüdenscheidt"), ["muller", "mueller", "ludenscheidt", "luedenscheidt"]);
        assert_eq!(all("O'Brien, Seán"), ["obrien", "sean"]);
        assert_eq!(all("Łukasz Święcicki"), ["lukasz", "swiecicki"]);
        assert_eq!(all("e\u{301}ve"), ["eve"]);
        assert_eq!(all("Иванова"), ["иванова"]);
    }

    #[test]
    fn typos_are_counted_against_beginnings_of_words() {
        assert_eq!(typos(b"schmdt", b"schmidt", 1), Some(1));
        assert_eq!(typos(b"shcmidt", b"schmidt", 1), Some(1));
        assert_eq!(typos(b"schmi", b"schmidt", 1), Some(0));
        assert_eq!(typos(b"xyz", b"schmidt", 1), None);
    }

    /// The plain definition, without shortcuts.
    fn slow(query: &[u8], word: &[u8]) -> usize {
        let osa = |b: &[u8]| {
            let mut d = vec![vec![0usize; b.len() + 1]; query.len() + 1];
            for i in 0..=query.len() {
                for j in 0..=b.len() {
                    d[i][j] = if i == 0 {
                        j
                    } else if j == 0 {
                        i
                    } else {
                        let mut v = (d[i - 1][j - 1] + usize::from(query[i - 1] != b[j - 1])).min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
                        if i > 1 && j > 1 && query[i - 1] == b[j - 2] && query[i - 2] == b[j - 1] {
                            v = v.min(d[i - 2][j - 2] + 1);
                        }
                        v
                    };
                }
            }
            d[query.len()][b.len()]
        };
        (0..=word.len()).map(|n| osa(&word[..n])).min().unwrap()
    }

    proptest! {
        #[test]
        fn the_quick_count_equals_the_plain_definition(q in "[abc]{1,10}", w in "[abc]{1,12}", most in 0usize..3) {
            let expected = slow(q.as_bytes(), w.as_bytes());
            prop_assert_eq!(typos(q.as_bytes(), w.as_bytes(), most), (expected <= most).then_some(expected));
        }
        #[test]
        fn the_letter_mask_never_rules_out_a_true_match(q in "[a-f]{1,8}", w in "[a-f]{1,10}") {
            if let Some(n) = typos(q.as_bytes(), w.as_bytes(), 2) {
                prop_assert!((mask(&q) & !mask(&w)).count_ones() as usize <= n.max(2));
            }
        }
        #[test]
        fn folding_never_panics_and_gives_no_empty_word(text in "\\PC*") {
            words(&text, |w| assert!(!w.is_empty()));
        }
    }
}
