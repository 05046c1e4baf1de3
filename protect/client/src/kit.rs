use subrosa_crypto::words;
use subrosa_model::{Hash32, MemberId, PracticeId};
use zeroize::Zeroizing;

use crate::ClientError;

/// What is printed once and kept on paper: the practice kit (the root of everything) or a member kit (one member's way back in).
pub struct Kit {
    /// 24 words: 256 random bits and a checksum.
    pub words: Zeroizing<String>,
    /// The practice.
    pub practice: PracticeId,
    /// Whose member kit it is; none for the practice kit.
    pub member: Option<MemberId>,
    /// Fingerprint of the practice root.
    pub fingerprint: Hash32,
}

impl core::fmt::Debug for Kit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Kit(..)")
    }
}

impl Kit {
    /// For the kit's QR code: `subrosa-kit/1/<practice>/<member or ->/<fingerprint>/<words joined by ->`.
    pub fn qr_text(&self) -> Zeroizing<String> {
        let member = self.member.map_or_else(|| "-".to_owned(), |m| m.to_string());
        Zeroizing::new(format!("subrosa-kit/1/{}/{member}/{}/{}", self.practice, self.fingerprint, self.words.replace(' ', "-")))
    }

    /// Reads the text of a QR code, as a scanner or a person with a clipboard gives it.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when it is no kit; the word error when the words are wrong.
    pub fn from_qr_text(text: &str) -> Result<Self, ClientError> {
        let bad = ClientError::Invalid("this is not the code of a kit");
        let parts: Vec<&str> = text.trim().split('/').collect();
        let &["subrosa-kit", "1", practice, member, fingerprint, words] = parts.as_slice() else { return Err(bad) };
        let member = if member == "-" { None } else { Some(member.parse().map_err(|_| bad.clone())?) };
        let code = words::words_to_code(&words.replace('-', " ")).map_err(ClientError::Words)?;
        Ok(Kit {
            words: words::code_to_words(&code),
            practice: practice.parse().map_err(|_| bad.clone())?,
            member,
            fingerprint: fingerprint.parse().map_err(|_| bad)?,
        })
    }

    /// Whether what was typed back is this kit.
    ///
    /// # Errors
    /// Which word is wrong by position, or [`ClientError::WrongWords`] for words of another kit.
    pub fn matches(&self, typed: &str) -> Result<(), ClientError> {
        let typed = words::words_to_code(typed).map_err(ClientError::Words)?;
        let own = words::words_to_code(&self.words).map_err(ClientError::Words)?;
        if *typed == *own { Ok(()) } else { Err(ClientError::WrongWords) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_survives_paper_and_a_wrong_word_is_named_by_its_place() {
        let kit = Kit { words: words::code_to_words(&[5; 32]), practice: PracticeId([1; 16]), member: Some(MemberId([2; 16])), fingerprint: Hash32([3; 32]) };
        let read = Kit::from_qr_text(&kit.qr_text()).unwrap();
        assert_eq!((read.words.as_str(), read.practice, read.member, read.fingerprint), (kit.words.as_str(), kit.practice, kit.member, kit.fingerprint));
        assert!(kit.matches(&kit.words.to_uppercase()).is_ok());
        let mut words: Vec<&str> = kit.words.split(' ').collect();
        words[4] = "qqqq";
        assert_eq!(kit.matches(&words.join(" ")).unwrap_err().code(), "words-unknown");
        assert_eq!(kit.matches(&words::code_to_words(&[6; 32])).unwrap_err().code(), "wrong-words");
    }
}
