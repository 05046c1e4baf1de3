//! Files that must survive a power cut, and the checks before anything is written.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::StoreError;

/// File systems on which locks and fsync cannot be relied on.
const NETWORK: &[&str] = &[
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "glusterfs", "afs", "ceph", "fuse.ceph", "lustre", "davfs",
    "fuse.davfs", "ncpfs", "gfs2", "ocfs2",
];

/// Makes the directory (mode 0700 on Unix), refuses network file systems and takes the lock that lives as long as the returned file.
pub(crate) fn take(dir: &Path) -> Result<File, StoreError> {
    make_private_dir(dir)?;
    let dir = dir.canonicalize().map_err(|e| StoreError::io(format!("opening {}", dir.display()), &e))?;
    if let Some(kind) = file_system(&dir)
        && NETWORK.contains(&kind.as_str())
    {
        return Err(StoreError::NetworkFileSystem(kind));
    }
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|e| StoreError::io(format!("opening {}", path.display()), &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(TryLockError::Error(e)) => Err(StoreError::io(format!("locking {}", path.display()), &e)),
    }
}

fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| StoreError::io(format!("making {}", dir.display()), &e))
}

/// Type of the file system that a directory lies on, from the kernel's mount table; none where there is no such table.
fn file_system(dir: &Path) -> Option<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind_in_table(&table, dir)
}

fn kind_in_table(table: &str, dir: &Path) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for line in table.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let (Some(mount), Some(kind)) = (left.split(' ').nth(4), right.split(' ').next()) else { continue };
        let mount = mount.replace("\\040", " ");
        // The later of two mounts on one place is the one that is seen.
        if dir.starts_with(&mount) && best.as_ref().is_none_or(|(length, _)| mount.len() >= *length) {
            best = Some((mount.len(), kind.to_owned()));
        }
    }
    best.map(|(_, kind)| kind)
}

/// Writes a file that only its owner may read, and makes it last: file and directory entry are on the disk when this returns.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::io(format!("writing {}", path.display()), &e);
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    sync_parent(path)
}

/// Renames over an existing file, durably.
pub(crate) fn replace(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|e| StoreError::io(format!("renaming {}", from.display()), &e))?;
    sync_parent(to)
}

fn sync_parent(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        let failed = |e: std::io::Error| StoreError::io(format!("writing {}", parent.display()), &e);
        File::open(parent).map_err(failed)?.sync_all().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_decides_and_network_file_systems_are_known() {
        let table = "22 1 254:1 / / rw - ext4 /dev/x rw\n30 22 0:40 / /srv/my\\040share rw - nfs4 host:/x rw\n";
        assert_eq!(kind_in_table(table, Path::new("/srv/my share/data")).as_deref(), Some("nfs4"));
        assert_eq!(kind_in_table(table, Path::new("/srv/other")).as_deref(), Some("ext4"));
        assert!(NETWORK.contains(&"nfs4"));
    }

    #[test]
    fn a_directory_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let held = take(dir.path()).unwrap();
        assert_eq!(take(dir.path()).unwrap_err(), StoreError::Locked);
        drop(held);
        assert!(take(dir.path()).is_ok());
    }
}
