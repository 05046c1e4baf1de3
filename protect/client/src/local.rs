//! What a device remembers: pins against forks and rollbacks, and sealed copies that open only with the member's own keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use subrosa_crypto::{Context, DeviceKey, VerifyingKey, cbor, open, pad, seal, unpad};
use subrosa_model::{Bytes, ChartId, Compartment, EntryId, Hash32, MemberId, PracticeId};
use subrosa_protocol::keys::LedgerPin;
use zeroize::Zeroizing;

use crate::ClientError;

/// What this device has seen, so that nobody can show it something older or different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The practice root that the practice was founded with.
    pub root: Option<VerifyingKey>,
    /// How long the directory was.
    pub directory_size: u64,
    /// Its head then.
    pub directory_head: Hash32,
    /// Newest checkpoint of the access ledger.
    pub ledger: LedgerPin,
    /// Newest version seen of each entry.
    pub heads: BTreeMap<ChartId, BTreeMap<EntryId, HeadPin>>,
    /// Number of the newest member kit; 0 if none was made from here.
    pub kit: u32,
    /// Versions of identities whose roster rows have been replaced by newer ones: a row drawn from one of them is an old row.
    #[serde(default)]
    pub superseded: BTreeSet<Hash32>,
    /// A review of one's own pace that was signed and waits for its day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Bytes>,
}

/// The newest version seen of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadPin {
    /// Its compartment.
    pub compartment: Compartment,
    /// Its version.
    pub version: u32,
    /// Its hash.
    pub hash: Hash32,
}

impl Pins {
    /// The later of two pins: what either has seen must still hold.
    pub(crate) fn raise(&mut self, other: &Pins) {
        self.root = self.root.or(other.root);
        if other.directory_size > self.directory_size {
            self.directory_size = other.directory_size;
            self.directory_head = other.directory_head;
        }
        if other.ledger.size > self.ledger.size {
            self.ledger = other.ledger;
        }
        self.kit = self.kit.max(other.kit);
        self.review = self.review.take().or_else(|| other.review.clone());
        self.superseded.extend(&other.superseded);
        for (chart, heads) in &other.heads {
            let own = self.heads.entry(*chart).or_default();
            for (entry, head) in heads {
                let newer = own.get(entry).is_none_or(|h| h.version < head.version);
                if newer {
                    own.insert(*entry, *head);
                }
            }
        }
    }
}

/// The sealing context of everything that a device keeps for itself.
#[derive(Debug, Serialize)]
struct LocalContext {
    practice: PracticeId,
    member: MemberId,
    what: &'static str,
}

impl Context for LocalContext {
    const NAMESPACE: &'static str = "local";
}

/// Whose local things they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
}

pub(crate) fn seal_local<T: Serialize>(key: &DeviceKey, owner: Owner, what: &'static str, value: &T) -> Vec<u8> {
    let plain = Zeroizing::new(pad(&Zeroizing::new(cbor::encode(value)), 4096));
    seal(key, &LocalContext { practice: owner.practice, member: owner.member, what }, &plain)
}

pub(crate) fn open_local<T: DeserializeOwned>(key: &DeviceKey, owner: Owner, what: &'static str, sealed: &[u8]) -> Result<T, ClientError> {
    let context = LocalContext { practice: owner.practice, member: owner.member, what };
    let plain = open(key, &context, sealed).map_err(|_| ClientError::LocalCopy)?;
    let plain = unpad(&plain).map_err(|_| ClientError::LocalCopy)?;
    // Written by this program and authenticated: read as it is, without the cost of encoding 33,000 rows again to compare.
    ciborium::de::from_reader_with_recursion_limit(plain, 48).map_err(|_| ClientError::LocalCopy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_copy_opens_for_its_owner_and_purpose_only() {
        let key = DeviceKey::make();
        let owner = Owner { practice: PracticeId([1; 16]), member: MemberId([2; 16]) };
        let sealed = seal_local(&key, owner, "pins", &Pins { kit: 7, ..Pins::default() });
        assert_eq!(open_local::<Pins>(&key, owner, "pins", &sealed).unwrap().kit, 7);
        assert_eq!(open_local::<Pins>(&key, owner, "roster", &sealed), Err(ClientError::LocalCopy));
        assert_eq!(open_local::<Pins>(&key, Owner { member: MemberId([3; 16]), ..owner }, "pins", &sealed), Err(ClientError::LocalCopy));
        assert_eq!(open_local::<Pins>(&DeviceKey::make(), owner, "pins", &sealed), Err(ClientError::LocalCopy));
    }

    #[test]
    fn raising_pins_never_lowers_what_was_seen() {
        let (chart, entry) = (ChartId([1; 16]), EntryId([2; 16]));
        let head = |version| HeadPin { compartment: Compartment::Record, version, hash: Hash32([version as u8; 32]) };
        let mut new = Pins { directory_size: 9, ..Pins::default() };
        new.heads.entry(chart).or_default().insert(entry, head(3));
        let mut old = Pins { directory_size: 4, ..Pins::default() };
        old.heads.entry(chart).or_default().insert(entry, head(2));
        let before = new.clone();
        new.raise(&old);
        assert_eq!(new, before);
        old.raise(&new);
        assert_eq!(old.heads, new.heads);
        assert_eq!(old.directory_size, 9);
    }
}
