//! Attachments' ciphertexts: files named by their SHA-256, written once, on the disk before the call returns.

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use subrosa_crypto::sha256;
use subrosa_model::Hash32;

use crate::{Store, StoreError, crash};

pub(crate) fn open(dir: &std::path::Path) -> Result<LocalFileSystem, StoreError> {
    let dir = dir.join("objects");
    std::fs::create_dir_all(&dir).map_err(|e| StoreError::io(format!("making {}", dir.display()), &e))?;
    Ok(LocalFileSystem::new_with_prefix(&dir).map_err(|e| refused(&e))?.with_fsync(true))
}

fn place(hash: &Hash32) -> Path {
    let hex = hash.to_string();
    let (first, rest) = hex.split_at(2);
    Path::from_iter([first, rest])
}

fn refused(error: &object_store::Error) -> StoreError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            return StoreError::io("storing an attachment", io);
        }
        cause = e.source();
    }
    StoreError::Unavailable(error.to_string())
}

impl Store {
    /// Stores a ciphertext under its SHA-256. Storing it again does nothing, unless what lies there is damaged: then it is replaced.
    ///
    /// # Errors
    /// `hash-mismatch` when the bytes are others; `disk-full`.
    pub async fn put_object(&self, hash: &Hash32, bytes: Vec<u8>) -> Result<(), StoreError> {
        if sha256(&[&bytes]) != *hash {
            return Err(subrosa_protocol::ProtocolError::HashMismatch("attachment").into());
        }
        let place = place(hash);
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.objects.put_opts(&place, bytes.clone().into(), create).await {
            Ok(_) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                if matches!(self.get_object(hash).await, Err(StoreError::Damaged(_))) {
                    self.objects.put(&place, bytes.into()).await.map_err(|e| refused(&e))?;
                }
            }
            Err(error) => return Err(refused(&error)),
        }
        crash::point("object-after-put");
        Ok(())
    }

    /// A ciphertext, checked against its hash.
    ///
    /// # Errors
    /// `damaged` when the file is not what its name says.
    pub async fn get_object(&self, hash: &Hash32) -> Result<Option<Vec<u8>>, StoreError> {
        let got = match self.objects.get(&place(hash)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(refused(&error)),
        };
        let bytes = got.bytes().await.map_err(|e| refused(&e))?;
        if sha256(&[&bytes]) != *hash {
            return Err(StoreError::damaged("an attachment is not what its name says"));
        }
        Ok(Some(bytes.to_vec()))
    }

    /// Length of a ciphertext in bytes, if it is here.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn has_object(&self, hash: &Hash32) -> Result<Option<u64>, StoreError> {
        match self.objects.head(&place(hash)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }
}
