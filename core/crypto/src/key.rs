use crate::hash::expand;
use crate::{CryptoError, random};
use core::fmt;
use core::marker::PhantomData;
use subrosa_model::KeyId;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a [`Key`] is for. Zero-size markers: a key of one purpose does not fit where another is asked for.
pub mod purpose {
    macro_rules! purposes {
        ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $($(#[$doc])* #[derive(Debug, Clone, Copy)] pub struct $name;)+ };
    }
    purposes! {
        /// Opens one compartment of one chart.
        Compartment,
        /// A team's key for one epoch.
        Epoch,
        /// Opens a member's bundle.
        Bundle,
        /// Seals the key store's rows.
        Store,
        /// Opens one author's draft of one entry.
        Draft,
        /// A linked device's local key.
        Device,
        /// Comes from a member's or a practice's kit.
        Kit,
        /// Seals a copy that leaves the machine (backup, keeper).
        Copy,
        /// Opens the device's copy of the roster.
        Roster,
        /// A key-encryption key, derived from a passkey or from words.
        Wrapping,
        /// One of the two custody halves of a key; worth nothing alone.
        Half,
    }
}

/// A symmetric key of 32 bytes with the purpose in its type.
///
/// Wiped when dropped; `Debug` prints only the type. There is no `Serialize`: a key leaves this type only sealed ([`crate::seal_key`]) or through
/// [`Key::expose`].
///
/// ```compile_fail
/// # use subrosa_crypto::{CompartmentKey, EpochKey};
/// let epoch: EpochKey = CompartmentKey::make();   // another purpose: does not compile
/// ```
pub struct Key<P> {
    bytes: [u8; 32],
    purpose: PhantomData<fn() -> P>,
}

/// Key of one compartment of one chart.
pub type CompartmentKey = Key<purpose::Compartment>;
/// Key of a team in one epoch.
pub type EpochKey = Key<purpose::Epoch>;
/// Key of a member's bundle.
pub type BundleKey = Key<purpose::Bundle>;
/// Key of the key store.
pub type StoreKey = Key<purpose::Store>;
/// Key of one draft.
pub type DraftKey = Key<purpose::Draft>;
/// Key of a linked device.
pub type DeviceKey = Key<purpose::Device>;
/// Key from a kit.
pub type KitKey = Key<purpose::Kit>;
/// Key of a copy that leaves the machine.
pub type CopyKey = Key<purpose::Copy>;
/// Key of the device's roster.
pub type RosterKey = Key<purpose::Roster>;
/// Key-encryption key from a passkey or from words.
pub type KekKey = Key<purpose::Wrapping>;
/// Custody half.
pub type HalfKey = Key<purpose::Half>;

impl<P> Key<P> {
    /// Draws a new key.
    pub fn make() -> Self {
        Self::from_bytes(random::make_bytes())
    }

    /// From 32 bytes that are uniformly random (another key's output, never a password).
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Key { bytes, purpose: PhantomData };
        bytes.zeroize();
        key
    }

    /// From a slice.
    ///
    /// # Errors
    /// `KeyLength` unless it is 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        bytes.try_into().map(Self::from_bytes).map_err(|_| CryptoError::KeyLength)
    }

    /// The key's public name: HKDF-Expand(key, "subrosa/1/id", 32). It tells nothing about the key.
    pub fn id(&self) -> KeyId {
        KeyId(*expand::<32>(&self.bytes, &[b"subrosa/1/id"]))
    }

    /// Derives a key for another purpose: HKDF-Expand(key, "subrosa/1:subkey" and then label and each part of `info`, each preceded by its length as u64
    /// little endian, 32).
    ///
    /// The colon keeps these apart from key ids and envelopes, whose strings go on with a slash.
    pub fn derive_subkey<Q>(&self, label: &str, info: &[&[u8]]) -> Key<Q> {
        let lengths: Vec<[u8; 8]> =
            core::iter::once(label.len()).chain(info.iter().map(|i| i.len())).map(|n| (n as u64).to_le_bytes()).collect();
        let mut parts: Vec<&[u8]> = Vec::with_capacity(2 * lengths.len() + 1);
        parts.push(b"subrosa/1:subkey");
        for (length, part) in lengths.iter().zip(core::iter::once(label.as_bytes()).chain(info.iter().copied())) {
            parts.push(length);
            parts.push(part);
        }
        Key::from_bytes(*expand::<32>(&self.bytes, &parts))
    }

    /// The bytes themselves.
    ///
    /// Hazard: whoever calls this takes over the duty to wipe them and to keep them out of logs, messages and storage. Prefer [`crate::seal_key`].
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl<P> Clone for Key<P> {
    fn clone(&self) -> Self {
        Key { bytes: self.bytes, purpose: PhantomData }
    }
}

impl<P> Drop for Key<P> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
impl<P> ZeroizeOnDrop for Key<P> {}

impl<P> fmt::Debug for Key<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = core::any::type_name::<P>();
        write!(f, "Key<{}>", name.rsplit("::").next().unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_purpose_and_nothing_else() {
        assert_eq!(format!("{:?}", CompartmentKey::from_bytes([7; 32])), "Key<Compartment>");
    }

    #[test]
    fn subkeys_differ_by_label_and_by_where_the_parts_are_cut() {
        let key = EpochKey::from_bytes([1; 32]);
        let ids = [
            key.id(),
            key.derive_subkey::<purpose::Epoch>("a", &[b"bc"]).id(),
            key.derive_subkey::<purpose::Epoch>("ab", &[b"c"]).id(),
            key.derive_subkey::<purpose::Epoch>("a", &[b"b", b"c"]).id(),
            key.derive_subkey::<purpose::Epoch>("a", &[b"bc", b""]).id(),
            key.derive_subkey::<purpose::Epoch>("", &[]).id(),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn a_key_has_thirty_two_bytes() {
        assert_eq!(StoreKey::from_slice(&[0; 31]).map(|k| k.id()), Err(CryptoError::KeyLength));
        assert!(StoreKey::from_slice(&[0; 32]).is_ok());
    }
}
