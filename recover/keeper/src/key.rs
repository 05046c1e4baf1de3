use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use subrosa_crypto::{SigningKey, VerifyingKey, base64url, from_base64url};

use crate::KeeperError;
use subrosa_backup::BackupError;

/// A keeper's name and signing key. The key lies in `keeper.key` beside the copies, readable by the keeper's user only; it opens nothing.
pub struct KeeperKey {
    /// Name under which an owner enters it in the directory.
    pub name: String,
    pub(crate) sign: SigningKey,
}

impl core::fmt::Debug for KeeperKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "KeeperKey({})", self.name)
    }
}

impl KeeperKey {
    /// Reads the key in `dir`, or makes one.
    pub fn open_or_make(dir: &Path, name: &str) -> Result<Self, KeeperError> {
        let path = dir.join("keeper.key");
        let fail = |source| KeeperError::Backup(BackupError::Io { what: "keeper.key".to_owned(), source });
        std::fs::create_dir_all(dir).map_err(fail)?;
        if path.exists() {
            let text = std::fs::read_to_string(&path).map_err(fail)?;
            let seed = from_base64url(text.trim()).and_then(|b| <[u8; 32]>::try_from(b).ok());
            let seed = seed.ok_or_else(|| BackupError::Damaged("keeper.key".to_owned()))?;
            return Ok(KeeperKey { name: name.to_owned(), sign: SigningKey::from_seed(seed) });
        }
        let sign = SigningKey::make();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(fail)?;
        file.write_all(base64url(sign.seed().as_slice()).as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
        Ok(KeeperKey { name: name.to_owned(), sign })
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        self.sign.public()
    }

    /// What an owner pastes into *Backup, Add a keeper*: name and public key.
    pub fn introduction(&self) -> String {
        format!("{}:{}", self.name, base64url(self.public().as_bytes()))
    }
}
