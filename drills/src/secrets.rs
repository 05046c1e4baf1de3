//! What the drill looks for: marked phrases in everything that people write, and the keys that would open it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use subrosa_client::{Authenticator, ClientError, Credential, Fut, Kit, SoftPasskey, Vault};
use subrosa_crypto::{random, words};

use crate::search::{Needles, SearchError};

/// Marks and keys as they are collected; shared with the passkeys that add to it.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Collected>>);

#[derive(Default)]
struct Collected {
    marks: Vec<(String, String)>,
    keys: BTreeMap<Vec<u8>, String>,
}

impl Secrets {
    fn with<T>(&self, act: impl FnOnce(&mut Collected) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new phrase that nobody else has ever written. It begins with its unique part, so that a piece of it is found too.
    pub fn mark(&self, what: &str) -> String {
        let unique: String = random::make_bytes::<8>().iter().map(|b| char::from(b'a' + b % 26)).collect();
        let phrase = format!("Qv{unique}oe said the lantern by Tarrow Weir was \"lit\", für immer");
        self.with(|c| c.marks.push((what.to_owned(), phrase.clone())));
        phrase
    }

    /// A new marked word: for names, phone fields, file names.
    pub fn word(&self, what: &str) -> String {
        let unique: String = random::make_bytes::<12>().iter().map(|b| char::from(b'a' + b % 26)).collect();
        let word = format!("Qv{unique}");
        self.with(|c| c.marks.push((what.to_owned(), word.clone())));
        word
    }

    /// A text that exists already and must not be found.
    pub fn text(&self, what: &str, text: &str) {
        self.with(|c| c.marks.push((what.to_owned(), text.to_owned())));
    }

    /// A key.
    pub fn key(&self, what: &str, bytes: &[u8]) {
        self.with(|c| c.keys.insert(bytes.to_vec(), what.to_owned()));
    }

    /// A printed kit: its words, and the code they stand for.
    pub fn kit(&self, what: &str, kit: &Kit) {
        self.text(what, &kit.words);
        if let Ok(code) = words::words_to_code(&kit.words) {
            self.key(what, &code[..]);
        }
    }

    /// Every key that an unlocked vault holds now.
    pub fn vault(&self, whose: &str, vault: &Vault) {
        for (what, bytes) in vault.drill_secrets() {
            self.key(&format!("{whose}: {what}"), &bytes);
        }
    }

    /// How many marks and keys.
    pub fn count(&self) -> (usize, usize) {
        self.with(|c| (c.marks.len(), c.keys.len()))
    }

    /// As needles; gives the range of their numbers.
    ///
    /// # Errors
    /// [`SearchError::TooShort`].
    pub fn add_to(&self, needles: &mut Needles) -> Result<std::ops::Range<usize>, SearchError> {
        let from = needles.len();
        self.with(|c| {
            c.marks.iter().try_for_each(|(what, text)| needles.mark(what, text).map(|_| ()))?;
            c.keys.iter().try_for_each(|(bytes, what)| needles.key(what, bytes).map(|_| ()))
        })?;
        Ok(from..needles.len())
    }
}

/// A software passkey whose PRF outputs are collected as keys.
#[derive(Clone)]
pub struct Watched {
    passkey: SoftPasskey,
    secrets: Secrets,
}

impl Watched {
    /// A new passkey for a page at `origin`.
    pub fn new(origin: &str, secrets: &Secrets) -> Self {
        Watched { passkey: SoftPasskey::new(origin), secrets: secrets.clone() }
    }

    fn note(&self, answer: Result<Credential, ClientError>) -> Result<Credential, ClientError> {
        if let Ok(Credential { prf: Some(prf), .. }) = &answer {
            self.secrets.key("passkey PRF output", &prf[..]);
        }
        answer
    }
}

impl Authenticator for Watched {
    fn create<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        async move { self.note(self.passkey.create(options).await) }.boxed()
    }
    fn get<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        async move { self.note(self.passkey.get(options).await) }.boxed()
    }
}
