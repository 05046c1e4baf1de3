use std::path::Path;

use rustic_backend::BackendOptions;
use rustic_core::{
    BackupOptions, CheckOptions, ConfigOptions, Credentials, KeyOptions, LocalDestination, LsOptions, PathList, RepositoryBackends, RepositoryOptions,
    RestoreOptions, SnapshotOptions,
};

use crate::BackupError;

/// A repository in restic's format, in a local folder.
pub struct Repository {
    backends: RepositoryBackends,
    credentials: Credentials,
}

/// A snapshot in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its id.
    pub id: String,
    /// When it was taken, as the machine that took it says.
    pub time: String,
}

fn refused(e: impl std::fmt::Display) -> BackupError {
    // Only the first line: the rest is advice for another program's users.
    BackupError::Repository(e.to_string().lines().next().unwrap_or_default().to_owned())
}

impl core::fmt::Debug for Repository {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Repository(..)")
    }
}

impl Repository {
    /// Opens the repository in `dir`, or makes one there.
    pub fn open_or_make(dir: &Path, password: &str) -> Result<Self, BackupError> {
        let text = dir.to_str().ok_or_else(|| BackupError::Repository("the folder's name is not UTF-8".to_owned()))?;
        let backends = BackendOptions::default().repository(text).to_backends().map_err(refused)?;
        let repository = Repository { backends, credentials: Credentials::password(password) };
        if !dir.join("config").exists() {
            let fresh = rustic_core::Repository::new(&RepositoryOptions::default(), &repository.backends).map_err(refused)?;
            fresh.init(&repository.credentials, &KeyOptions::default(), &ConfigOptions::default()).map_err(refused)?;
        }
        Ok(repository)
    }

    fn open(&self) -> Result<rustic_core::Repository<rustic_core::OpenStatus>, BackupError> {
        rustic_core::Repository::new(&RepositoryOptions::default(), &self.backends).map_err(refused)?.open(&self.credentials).map_err(refused)
    }

    /// Takes a snapshot of a folder; it appears in the repository as `/subrosa`.
    pub fn take(&self, folder: &Path) -> Result<SnapshotInfo, BackupError> {
        let repository = self.open()?.to_indexed_ids().map_err(refused)?;
        let source = PathList::from_string(folder.to_str().unwrap_or_default()).map_err(refused)?.sanitize().map_err(refused)?;
        let snapshot = SnapshotOptions::default().host(Some("subrosa".to_owned())).to_snapshot().map_err(refused)?;
        let options = BackupOptions::default().as_path(std::path::PathBuf::from("/subrosa"));
        let taken = repository.backup(&options, &source, snapshot).map_err(refused)?;
        Ok(SnapshotInfo { id: taken.id.to_string(), time: taken.time.timestamp().to_string() })
    }

    /// Every snapshot, oldest first.
    pub fn snapshots(&self) -> Result<Vec<SnapshotInfo>, BackupError> {
        let mut all = self.open()?.get_all_snapshots().map_err(refused)?;
        all.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(all.into_iter().map(|s| SnapshotInfo { id: s.id.to_string(), time: s.time.timestamp().to_string() }).collect())
    }

    /// Puts a snapshot's folder back into `to`, which is made.
    pub fn restore(&self, snapshot: &str, to: &Path) -> Result<(), BackupError> {
        let repository = self.open()?.to_indexed().map_err(refused)?;
        let node = repository.node_from_snapshot_path(&format!("{snapshot}:/subrosa"), |_| true).map_err(refused)?;
        let list = repository.ls(&node, &LsOptions::default()).map_err(refused)?;
        let place = LocalDestination::new(to.to_str().unwrap_or_default(), true, false).map_err(refused)?;
        let options = RestoreOptions::default().no_ownership(true);
        let plan = repository.prepare_restore(&options, list.clone(), &place, false).map_err(refused)?;
        repository.restore(plan, &options, list, &place).map_err(refused)
    }

    /// Checks the repository's structure and reads all its data.
    pub fn check(&self) -> Result<(), BackupError> {
        let results = self.open()?.check(CheckOptions::default().read_data(true)).map_err(refused)?;
        results.is_ok().map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back_and_a_wrong_password_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to, repo) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("restic"));
        std::fs::create_dir_all(from.join("journal")).unwrap();
        std::fs::write(from.join("journal/1.seg"), b"sealed bytes").unwrap();
        let repository = Repository::open_or_make(&repo, "a password").unwrap();
        let taken = repository.take(&from).unwrap();
        repository.check().unwrap();
        repository.restore(&taken.id, &to).unwrap();
        assert_eq!(std::fs::read(to.join("journal/1.seg")).unwrap(), b"sealed bytes");
        assert_eq!(repository.snapshots().unwrap(), vec![taken]);
        let wrong = Repository::open_or_make(&repo, "another").unwrap();
        assert_eq!(wrong.snapshots().unwrap_err().code(), "backup-repository");
    }

    #[test]
    fn a_damaged_pack_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (from, repo) = (dir.path().join("from"), dir.path().join("restic"));
        std::fs::create_dir_all(&from).unwrap();
        std::fs::write(from.join("1.seg"), vec![7; 4096]).unwrap();
        let repository = Repository::open_or_make(&repo, "a password").unwrap();
        repository.take(&from).unwrap();
        let mut packs = Vec::new();
        for shelf in std::fs::read_dir(repo.join("data")).unwrap().flatten() {
            packs.extend(std::fs::read_dir(shelf.path()).unwrap().flatten().map(|f| f.path()));
        }
        assert!(!packs.is_empty());
        let mut bytes = std::fs::read(&packs[0]).unwrap();
        bytes[10] ^= 1;
        let mut permissions = std::fs::metadata(&packs[0]).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        std::fs::set_permissions(&packs[0], permissions).unwrap();
        std::fs::write(&packs[0], bytes).unwrap();
        assert!(repository.check().is_err());
    }

    #[test]
    fn plain_restic_checks_and_restores_it() {
        let restic = |args: &[&str], repo: &Path| {
            std::process::Command::new("restic").args(args).arg("--no-cache").env("RESTIC_REPOSITORY", repo).env("RESTIC_PASSWORD", "a password").output()
        };
        let dir = tempfile::tempdir().unwrap();
        let (from, to, repo) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("restic"));
        if restic(&["version"], &repo).is_err() {
            println!("skipped: restic is not installed");
            return;
        }
        std::fs::create_dir_all(&from).unwrap();
        std::fs::write(from.join("1.seg"), vec![7; 100_000]).unwrap();
        Repository::open_or_make(&repo, "a password").unwrap().take(&from).unwrap();
        let checked = restic(&["check", "--read-data"], &repo).unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let restored = restic(&["restore", "latest", "--target", to.to_str().unwrap()], &repo).unwrap();
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        assert_eq!(std::fs::read(to.join("subrosa/1.seg")).unwrap(), vec![7; 100_000]);
    }
}
