//! Members' and teams' own keys: bundles, ways in, epochs, invitations, device links.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{
    BundleKey, Context, EpochKey, HpkePublic, HpkeSecret, SigningKey, VerifyingKey, cbor, mac, mac_verify, open, open_key, open_key_from, pad, seal, seal_key,
    seal_key_to, sha256, unpad, words,
};
use subrosa_model::{Bytes, Hash32, InvitationId, KeyId, MemberId, PracticeId, TeamId};

use crate::ProtocolError;
use crate::directory::{EpochInfo, Recipient};

/// What a member's bundle holds. Sealed under the bundle key, which is wrapped once for each way in.
#[derive(Serialize, Deserialize)]
pub struct Bundle {
    /// Seed of the signing key.
    pub sign_seed: [u8; 32],
    /// Seed of the sealing key.
    pub hpke_seed: [u8; 32],
    /// The practice root, pinned.
    pub root: VerifyingKey,
    /// Size of the directory log when the bundle was sealed.
    pub directory_size: u64,
    /// Its head then.
    pub directory_head: Hash32,
    /// Newest access-ledger checkpoint seen then.
    pub ledger: LedgerPin,
    /// Only in the bundle that an invited person deposits, who knows the root by its fingerprint: compared at the first sign-in, which then stores the
    /// root itself. Until then `root` holds the member's own signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_root: Option<Hash32>,
}

impl Drop for Bundle {
    fn drop(&mut self) {
        use subrosa_crypto::Zeroize;
        self.sign_seed.zeroize();
        self.hpke_seed.zeroize();
    }
}

impl core::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Bundle(..)")
    }
}

/// The newest checkpoint of the access ledger that a device has verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LedgerPin {
    /// Number of leaves.
    pub size: u64,
    /// Root hash.
    pub root: Hash32,
}

/// The sealing context of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleContext {
    /// The practice.
    pub practice: PracticeId,
    /// Whose.
    pub member: MemberId,
    /// Its version, from 1; with the hash, in the directory log.
    pub version: u64,
}

impl Context for BundleContext {
    const NAMESPACE: &'static str = "bundle";
}

/// A way in: how the bundle key is wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayIn {
    /// Under a passkey's PRF output.
    Passkey {
        /// SHA-256 of the credential id.
        credential: Hash32,
    },
    /// Under seven words, asked after a passkey without PRF.
    Words {
        /// SHA-256 of the credential id.
        credential: Hash32,
    },
    /// Under the member kit's code and the server's share.
    Kit {
        /// Counts the kits printed.
        number: u32,
    },
}

/// The sealing context of a wrapped bundle key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayInContext {
    /// The practice.
    pub practice: PracticeId,
    /// Whose.
    pub member: MemberId,
    /// Which way in.
    pub way: WayIn,
}

impl Context for WayInContext {
    const NAMESPACE: &'static str = "way-in";
}

/// Seals a bundle; gives the sealed bytes and the hash for the directory.
pub fn seal_bundle(key: &BundleKey, context: &BundleContext, bundle: &Bundle) -> (Vec<u8>, Hash32) {
    let plain = subrosa_crypto::Zeroizing::new(pad(&cbor::encode(bundle), 1024));
    let sealed = seal(key, context, &plain);
    let hash = sha256(&[&sealed]);
    (sealed, hash)
}

/// Opens a bundle.
pub fn open_bundle(key: &BundleKey, context: &BundleContext, sealed: &[u8]) -> Result<Bundle, ProtocolError> {
    let plain = open(key, context, sealed)?;
    Ok(cbor::decode(unpad(&plain)?)?)
}

/// The sealing context of an epoch key on its way to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSealContext {
    /// The practice.
    pub practice: PracticeId,
    /// The team.
    pub team: TeamId,
    /// The epoch.
    pub epoch: u32,
    /// Id of the sealed key.
    pub key: KeyId,
    /// To whom.
    pub to: Recipient,
}

impl Context for EpochSealContext {
    const NAMESPACE: &'static str = "epoch-seal";
}

/// The sealing context of an epoch key inside its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochChainContext {
    /// The practice.
    pub practice: PracticeId,
    /// The team.
    pub team: TeamId,
    /// The older epoch, which is sealed.
    pub epoch: u32,
    /// Id of its key.
    pub key: KeyId,
    /// Id of the newer key, which seals it.
    pub under: KeyId,
}

impl Context for EpochChainContext {
    const NAMESPACE: &'static str = "epoch-chain";
}

/// An epoch key sealed to one recipient, as it lies in the key store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochSeal {
    /// The team.
    pub team: TeamId,
    /// The epoch.
    pub epoch: u32,
    /// To whom; none for the previous epoch sealed under this one.
    pub to: Option<Recipient>,
    /// The sealed key.
    pub sealed: Bytes,
}

impl EpochSeal {
    /// Seals an epoch key to a recipient.
    pub fn make(practice: PracticeId, team: TeamId, epoch: u32, to: Recipient, public: &HpkePublic, key: &EpochKey) -> Result<Self, ProtocolError> {
        let context = EpochSealContext { practice, team, epoch, key: key.id(), to };
        Ok(EpochSeal { team, epoch, to: Some(to), sealed: seal_key_to(public, &context, key)?.into() })
    }

    /// Seals the previous epoch's key under the new one.
    pub fn make_chain(practice: PracticeId, team: TeamId, new_epoch: u32, previous: &EpochKey, key: &EpochKey) -> Self {
        let context = EpochChainContext { practice, team, epoch: new_epoch - 1, key: previous.id(), under: key.id() };
        EpochSeal { team, epoch: new_epoch, to: None, sealed: seal_key(key, &context, previous).into() }
    }

    /// Hash as named in the directory.
    pub fn hash(&self) -> Hash32 {
        sha256(&[&self.sealed])
    }

    /// Opens the seal made for `to`, checked against what the directory says of this epoch.
    pub fn open(&self, practice: PracticeId, info: &EpochInfo, to: Recipient, secret: &HpkeSecret) -> Result<EpochKey, ProtocolError> {
        if info.seals.get(&to) != Some(&self.hash()) {
            return Err(ProtocolError::HashMismatch("epoch seal"));
        }
        let context = EpochSealContext { practice, team: self.team, epoch: self.epoch, key: info.key, to };
        Ok(open_key_from(secret, &context, &self.sealed, &info.key)?)
    }

    /// Opens the previous epoch out of this one. `info` is this epoch's, `older` the previous one's.
    pub fn open_chain(&self, practice: PracticeId, info: &EpochInfo, older: &EpochInfo, key: &EpochKey) -> Result<EpochKey, ProtocolError> {
        if info.previous != Some(self.hash()) {
            return Err(ProtocolError::HashMismatch("epoch chain"));
        }
        let context = EpochChainContext { practice, team: self.team, epoch: self.epoch - 1, key: older.key, under: info.key };
        Ok(open_key(key, &context, &self.sealed, &older.key)?)
    }
}

/// The new keys of somebody who follows an invitation, or of a device that is being linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeys {
    /// The member or device that they are for.
    pub who: Recipient,
    /// Signing key.
    pub sign: VerifyingKey,
    /// Sealing key.
    pub hpke: HpkePublic,
    /// What the person or device calls itself.
    pub name: String,
}

/// What the link of an invitation or a pairing carries in its fragment; it never reaches a server.
#[derive(Serialize, Deserialize)]
pub struct Introduction {
    /// The practice.
    pub practice: PracticeId,
    /// The invitation or pairing.
    pub invitation: InvitationId,
    /// Fingerprint of the practice root: SHA-256 of its public key.
    pub root: Hash32,
    /// 128 random bits, known to both sides only.
    pub secret: [u8; 16],
}

impl Introduction {
    fn transcript(&self, keys: &NewKeys) -> Vec<u8> {
        cbor::encode(&("subrosa/1/introduction", self.practice, self.invitation, self.root, keys))
    }

    /// The MAC under which new keys return.
    pub fn mac(&self, keys: &NewKeys) -> [u8; 32] {
        mac(&self.secret, &[&self.transcript(keys)])
    }

    /// Checks that MAC.
    pub fn verify(&self, keys: &NewKeys, tag: &[u8]) -> Result<(), ProtocolError> {
        mac_verify(&self.secret, &[&self.transcript(keys)], tag).map_err(|_| ProtocolError::WrongSigner)
    }

    /// Six words that both sides compare aloud.
    pub fn six_words(&self, keys: &NewKeys) -> String {
        let transcript = self.transcript(keys);
        words::six_words(sha256(&[b"subrosa/1/six-words", &self.secret, &transcript]).as_bytes())
    }

    /// As text for a link's fragment: base64url of its CBOR.
    pub fn to_text(&self) -> String {
        subrosa_crypto::base64url(&cbor::encode(self))
    }

    /// From the text of a link's fragment.
    pub fn from_text(text: &str) -> Result<Self, ProtocolError> {
        if text.len() > 512 {
            return Err(ProtocolError::TooLarge("invitation"));
        }
        let bytes = subrosa_crypto::from_base64url(text).ok_or(ProtocolError::Unknown("invitation"))?;
        Ok(cbor::decode(&bytes)?)
    }
}

impl core::fmt::Debug for Introduction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Introduction({})", self.invitation)
    }
}

/// Fingerprint of a practice root.
pub fn root_fingerprint(root: &VerifyingKey) -> Hash32 {
    sha256(&[b"subrosa/1/root", root.as_bytes()])
}

/// The keys that come out of the practice kit's 256-bit code.
pub struct PracticeRoot {
    /// Signs the founding of the practice and its owners.
    pub sign: SigningKey,
    /// Opens backup copies of keys.
    pub backup: HpkeSecret,
    /// Password of the backup repository (its content is sealed besides).
    pub repository: subrosa_crypto::Key<subrosa_crypto::purpose::Kit>,
}

impl PracticeRoot {
    /// Derives the root's keys from the code printed on the practice kit.
    pub fn derive(code: &[u8; 32]) -> Self {
        let kit = subrosa_crypto::KitKey::from_bytes(*code);
        let sign: subrosa_crypto::KitKey = kit.derive_subkey("practice-root/sign", &[]);
        let backup: subrosa_crypto::KitKey = kit.derive_subkey("practice-root/backup", &[]);
        PracticeRoot {
            sign: SigningKey::from_seed(*sign.expose()),
            backup: HpkeSecret::from_seed(*backup.expose()),
            repository: kit.derive_subkey("practice-root/repository", &[]),
        }
    }
}

/// The key that a member kit and the server's share make together.
pub fn derive_kit_kek(code: &[u8; 32], share: &[u8; 32], practice: &PracticeId, member: &MemberId) -> subrosa_crypto::KekKey {
    let kit = subrosa_crypto::KitKey::from_bytes(*code);
    kit.derive_subkey("member-kit", &[share, practice.as_bytes(), member.as_bytes()])
}

