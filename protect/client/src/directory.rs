//! Replaying the directory log against what is pinned, and looking up who signed.

use std::collections::HashMap;

use subrosa_crypto::VerifyingKey;
use subrosa_model::{DeviceId, KeyId, MemberId};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::directory::{Applied, Directory};

use crate::ClientError;
use crate::local::Pins;

/// Applies a statement that the server shows. It has to follow what is known, and to be signed by those entitled.
pub(crate) fn follow(directory: &mut Directory, statement: &[u8], pins: &Pins) -> Result<Applied, ClientError> {
    let applied = directory.apply(statement).map_err(|e| match e {
        ProtocolError::OutOfSequence => ClientError::Fork,
        ProtocolError::Downgrade => ClientError::Downgrade,
        _ => ClientError::ForgedDirectory,
    })?;
    // The founding root is what is pinned; a successor named by it comes as a signed statement like any other.
    if directory.size() == 1 && pins.root.is_some_and(|pinned| directory.root() != Some(&pinned)) {
        return Err(ClientError::ServerKeySubstituted);
    }
    if directory.size() == pins.directory_size && directory.head() != pins.directory_head {
        return Err(ClientError::Fork);
    }
    Ok(applied)
}

/// A log that was read to its end is at least as long as it was.
pub(crate) fn check_length(directory: &Directory, pins: &Pins) -> Result<(), ClientError> {
    if directory.size() < pins.directory_size || (directory.size() == pins.directory_size && directory.head() != pins.directory_head) {
        return Err(ClientError::Fork);
    }
    Ok(())
}

/// Somebody whose signature counts, now or formerly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) member: MemberId,
    pub(crate) device: Option<DeviceId>,
    pub(crate) key: VerifyingKey,
}

/// Every key that ever signed in the practice, by id.
#[derive(Default)]
pub(crate) struct Signers(HashMap<KeyId, Signer>);

impl Signers {
    pub(crate) fn of(directory: &Directory) -> Self {
        let mut all = HashMap::new();
        for (member, info) in directory.members() {
            for key in info.past.iter().map(|(k, _)| *k).chain([info.sign]) {
                all.insert(key.id(), Signer { member: *member, device: None, key });
            }
        }
        for (device, info) in directory.devices() {
            all.insert(info.sign.id(), Signer { member: info.member, device: Some(*device), key: info.sign });
        }
        Signers(all)
    }

    pub(crate) fn find(&self, id: &KeyId) -> Result<Signer, ClientError> {
        self.0.get(id).copied().ok_or(ClientError::UnknownSigner)
    }
}
