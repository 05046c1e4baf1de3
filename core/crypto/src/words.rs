//! Codes that people read aloud, type or keep on paper: words of the English BIP-39 list, 11 bits each.

use crate::hash::sha256;
use crate::{CryptoError, KekKey, random};
use bip39::Language;
use zeroize::{Zeroize, Zeroizing};

/// Memory of Argon2id in KiB (64 MiB). A constant of version 1: never taken from what arrives.
pub const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
/// Passes of Argon2id.
pub const ARGON2_PASSES: u32 = 3;
/// Lanes of Argon2id.
pub const ARGON2_LANES: u32 = 1;

const SEVEN: usize = 7;
const KIT: usize = 24;

/// Number `i` of the 11-bit groups, most significant bit first.
fn group(bytes: &[u8], i: usize) -> usize {
    (i * 11..i * 11 + 11).fold(0, |n, bit| n << 1 | usize::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
}

fn to_words(bytes: &[u8], count: usize) -> String {
    let list = Language::English.word_list();
    let mut text = String::with_capacity(count * 9);
    for i in 0..count {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(list[group(bytes, i)]);
    }
    text
}

/// Reads words whatever their case and whatever stands between them (spaces, line ends, numbers, dots, dashes).
fn to_groups(text: &str, expected: usize) -> Result<Zeroizing<Vec<u16>>, CryptoError> {
    let words = || text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let found = words().count();
    if found != expected {
        return Err(CryptoError::WordCount { expected, found });
    }
    let mut groups = Zeroizing::new(Vec::with_capacity(expected));
    for (i, word) in words().enumerate() {
        let mut word = word.to_ascii_lowercase();
        let number = Language::English.find_word(&word);
        word.zeroize();
        groups.push(number.ok_or(CryptoError::WordUnknown { position: i + 1 })?);
    }
    Ok(groups)
}

/// Six words (66 bits of SHA-256("subrosa/1/six-words" || material)) for two people to compare.
pub fn six_words(material: &[u8]) -> String {
    to_words(&sha256(&[b"subrosa/1/six-words", material]).0, 6)
}

/// Draws seven words (77 bits): the second secret of a member whose passkey has no PRF. Always generated, never chosen.
pub fn make_seven_words() -> Zeroizing<String> {
    let bytes = Zeroizing::new(random::make_bytes::<10>());
    Zeroizing::new(to_words(bytes.as_slice(), SEVEN))
}

/// The key-encryption key of seven words: Argon2id (RFC 9106; 64 MiB, 3 passes, 1 lane) over the words in lower case with single spaces.
///
/// # Errors
/// `WordCount` or `WordUnknown` before any work is done.
pub fn derive_words_key(words: &str, salt: &[u8; 16]) -> Result<KekKey, CryptoError> {
    let groups = to_groups(words, SEVEN)?;
    let list = Language::English.word_list();
    let mut text = Zeroizing::new(String::with_capacity(SEVEN * 9));
    for (i, group) in groups.iter().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(list[usize::from(*group)]);
    }
    let out = stretch(text.as_bytes(), salt);
    Ok(KekKey::from_bytes(*out).derive_subkey("words", &[]))
}

/// The key-encryption key of a passphrase that a person chose, for a file on their own machine: Argon2id as for seven words.
///
/// Hazard: a chosen passphrase can be guessed by whoever has the file. Where a program may choose, use seven words.
pub fn derive_passphrase_key(passphrase: &str, salt: &[u8; 16]) -> KekKey {
    KekKey::from_bytes(*stretch(passphrase.as_bytes(), salt)).derive_subkey("passphrase", &[])
}

#[allow(clippy::expect_used, reason = "the parameters are constants within Argon2's bounds")]
fn stretch(text: &[u8], salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let params = argon2::Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(32)).expect("valid constants");
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut out = Zeroizing::new([0u8; 32]);
    argon.hash_password_into(text, salt, out.as_mut_slice()).expect("valid lengths");
    out
}

/// A 256-bit code as 24 words with a checksum (BIP-39).
pub fn code_to_words(code: &[u8; 32]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; 33]);
    bytes[..32].copy_from_slice(code);
    bytes[32] = sha256(&[code]).0[0];
    Zeroizing::new(to_words(bytes.as_slice(), KIT))
}

/// The code of 24 words. Case, spacing, numbering and line ends do not matter.
///
/// # Errors
/// `WordCount`, `WordUnknown` with the word's position, `WordChecksum`.
pub fn words_to_code(words: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let groups = to_groups(words, KIT)?;
    let mut bytes = Zeroizing::new([0u8; 33]);
    for (i, group) in groups.iter().enumerate() {
        for j in 0..11 {
            let bit = i * 11 + j;
            bytes[bit / 8] |= ((group >> (10 - j) & 1) as u8) << (7 - bit % 8);
        }
    }
    let mut code = Zeroizing::new([0u8; 32]);
    code.copy_from_slice(&bytes[..32]);
    if sha256(&[code.as_slice()]).0[0] != bytes[32] {
        return Err(CryptoError::WordChecksum);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_written_down_and_typed_badly() {
        let code: [u8; 32] = core::array::from_fn(|i| (i * 7) as u8);
        let words = code_to_words(&code);
        assert_eq!(*words_to_code(&words).unwrap(), code);
        let typed: String = words.split(' ').enumerate().map(|(i, w)| format!("{}. {}\r\n", i + 1, w.to_uppercase())).collect();
        assert_eq!(*words_to_code(&typed).unwrap(), code);
    }

    #[test]
    fn a_code_reads_as_bip39_says() {
        let code: [u8; 32] = core::array::from_fn(|i| (i * 31 + 5) as u8);
        assert_eq!(code_to_words(&code).as_str(), bip39::Mnemonic::from_entropy(&code).unwrap().to_string());
        let zero = "abandon ".repeat(23) + "art";
        assert_eq!(code_to_words(&[0; 32]).as_str(), zero);
    }

    #[test]
    fn what_is_wrong_with_the_words_is_said_by_position() {
        let words = code_to_words(&[3; 32]);
        let list: Vec<&str> = words.split(' ').collect();
        let with = |at: usize, word: &str| {
            let mut l = list.clone();
            l[at] = word;
            l.join(" ")
        };
        assert_eq!(words_to_code(&with(4, "subrosa")), Err(CryptoError::WordUnknown { position: 5 }));
        assert_eq!(words_to_code(&list[..23].join(" ")), Err(CryptoError::WordCount { expected: 24, found: 23 }));
        assert_eq!(words_to_code(""), Err(CryptoError::WordCount { expected: 24, found: 0 }));
        assert_eq!(words_to_code(&("abandon ".repeat(24))), Err(CryptoError::WordChecksum));
    }

    #[test]
    fn generated_words_make_the_same_key_however_they_are_typed() {
        let words = make_seven_words();
        assert_eq!(words.split(' ').count(), 7);
        let key = derive_words_key(&words, &[1; 16]).unwrap();
        assert_eq!(derive_words_key(&format!("  {}\n", words.to_uppercase().replace(' ', " - ")), &[1; 16]).unwrap().id(), key.id());
        assert_ne!(derive_words_key(&words, &[2; 16]).unwrap().id(), key.id());
        assert_eq!(derive_words_key("correct horse battery staple", &[1; 16]).err(), Some(CryptoError::WordCount { expected: 7, found: 4 }));
    }
}
