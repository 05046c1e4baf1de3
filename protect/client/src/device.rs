//! Linked devices: native clients with keys of their own, certified for named teams until a date, kept in a file sealed under a passphrase.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Context, DeviceKey, HpkeSecret, KitKey, SigningKey, cbor, open, pad, random, seal, unpad, words};
use subrosa_model::{Bytes, DeviceId, Hash32, PracticeId};
use subrosa_protocol::api::{Ceremony, DeviceFinish, DeviceStart, InvitationAccept, SignedIn};
use subrosa_protocol::directory::Recipient;
use subrosa_protocol::keys::NewKeys;
use subrosa_protocol::session::device_challenge;
use zeroize::{Zeroize, Zeroizing};

use crate::ClientError;
use crate::connection::{Connection, SessionKey};
use crate::local::Pins;
use crate::people::read_introduction;
use crate::vault::{Unlocked, Vault};

/// Shortest passphrase of a device file, in characters.
pub const MIN_PASSPHRASE: usize = 12;

/// What a linked device keeps: its own keys and what it was told of the practice root.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceSecrets {
    practice: PracticeId,
    device: DeviceId,
    root: Hash32,
    sign_seed: [u8; 32],
    hpke_seed: [u8; 32],
}

impl Drop for DeviceSecrets {
    fn drop(&mut self) {
        self.sign_seed.zeroize();
        self.hpke_seed.zeroize();
    }
}

impl core::fmt::Debug for DeviceSecrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DeviceSecrets({})", self.device)
    }
}

/// A device that has offered its keys and waits to be confirmed.
#[derive(Debug)]
pub struct OfferedDevice {
    /// Shown on both screens: they have to be the same.
    pub six_words: String,
    /// To be sealed into a file now.
    pub secrets: DeviceSecrets,
}

#[derive(Serialize, Deserialize)]
struct DeviceFile {
    v: u8,
    salt: Bytes,
    sealed: Bytes,
}

#[derive(Debug, Serialize)]
struct DeviceFileContext {
    salt: [u8; 16],
}

impl Context for DeviceFileContext {
    const NAMESPACE: &'static str = "device-file";
}

impl DeviceSecrets {
    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }
    /// The practice.
    pub fn practice(&self) -> PracticeId {
        self.practice
    }

    #[cfg(test)]
    pub(crate) fn vector(practice: PracticeId) -> Self {
        DeviceSecrets { practice, device: DeviceId([9; 16]), root: Hash32([3; 32]), sign_seed: [4; 32], hpke_seed: [5; 32] }
    }

    /// As a file, sealed under a passphrase (Argon2id).
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for a passphrase of fewer than 12 characters.
    pub fn seal(&self, passphrase: &str) -> Result<Vec<u8>, ClientError> {
        if passphrase.chars().count() < MIN_PASSPHRASE {
            return Err(ClientError::Invalid("a passphrase has at least 12 characters; several words are easy to remember"));
        }
        let salt = random::make_bytes::<16>();
        let key = words::derive_passphrase_key(passphrase, &salt);
        let plain = Zeroizing::new(pad(&Zeroizing::new(cbor::encode(self)), 512));
        let sealed = seal(&key, &DeviceFileContext { salt }, &plain);
        Ok(cbor::encode(&DeviceFile { v: 1, salt: salt.to_vec().into(), sealed: sealed.into() }))
    }

    /// From such a file.
    ///
    /// # Errors
    /// [`ClientError::WrongWords`] for another passphrase, [`ClientError::LocalCopy`] for a damaged file.
    pub fn open(file: &[u8], passphrase: &str) -> Result<Self, ClientError> {
        let file: DeviceFile = cbor::decode(file).map_err(|_| ClientError::LocalCopy)?;
        if file.v != 1 {
            return Err(ClientError::Downgrade);
        }
        let salt: [u8; 16] = file.salt.as_slice().try_into().map_err(|_| ClientError::LocalCopy)?;
        let key = words::derive_passphrase_key(passphrase, &salt);
        let plain = open(&key, &DeviceFileContext { salt }, &file.sealed).map_err(|_| ClientError::WrongWords)?;
        cbor::decode(unpad(&plain).map_err(|_| ClientError::LocalCopy)?).map_err(|_| ClientError::LocalCopy)
    }
}

/// The new device's side of linking: makes keys and returns them under the pairing's secret. Compare the six words, then let the member confirm.
///
/// # Errors
/// [`ClientError::Invalid`] when the fragment is none; refusals.
pub async fn offer_device(conn: &Connection, fragment: &str, name: &str) -> Result<OfferedDevice, ClientError> {
    let introduction = read_introduction(conn, fragment).await?;
    let (sign, hpke) = (SigningKey::make(), HpkeSecret::make());
    let device = DeviceId(random::make_bytes());
    let keys = NewKeys { who: Recipient::Device(device), sign: sign.public(), hpke: hpke.public(), name: name.to_owned() };
    let accept = InvitationAccept { mac: introduction.mac(&keys).to_vec().into(), finish: None, bundle: None, keys: keys.clone() };
    conn.tell("POST", &format!("/v1/invitations/{}/accept", introduction.invitation), Some(&accept), None).await?;
    let secrets =
        DeviceSecrets { practice: introduction.practice, device, root: introduction.root, sign_seed: *sign.seed(), hpke_seed: *hpke.seed() };
    Ok(OfferedDevice { six_words: introduction.six_words(&keys), secrets })
}

/// A linked device signs in with its own keys. `local` as for [`crate::signin`].
///
/// # Errors
/// Refusals (not confirmed yet, revoked, past its date), or an attack by name.
pub async fn device_signin(conn: &Connection, secrets: &DeviceSecrets, local: Option<&[u8]>) -> Result<Vault, ClientError> {
    let session_key = SigningKey::make();
    let start = DeviceStart { device: secrets.device, session_key: session_key.public() };
    let ceremony: Ceremony = conn.post("/v1/device/start", &start, None).await?;
    let nonce: &[u8; 32] = ceremony.nonce.as_slice().try_into().map_err(|_| ClientError::BadAnswer("nonce"))?;
    let sign = SigningKey::from_seed(secrets.sign_seed);
    let signature = sign.sign_raw(&device_challenge(nonce, &session_key.public()));
    let finish = DeviceFinish { ceremony: ceremony.ceremony, signature: signature.to_vec().into() };
    let signed_in: SignedIn = conn.post("/v1/device/finish", &finish, None).await?;
    if signed_in.practice != secrets.practice {
        return Err(ClientError::ServerKeySubstituted);
    }
    let local_key: DeviceKey = KitKey::from_bytes(secrets.hpke_seed).derive_subkey("device/local", &[]);
    let mut vault = Vault::from_unlocked(Unlocked {
        conn: conn.clone(),
        session: SessionKey { id: signed_in.session, key: session_key },
        until: signed_in.until,
        ways_in: signed_in.ways_in,
        practice: secrets.practice,
        member: signed_in.member,
        device: Some(secrets.device),
        sign,
        hpke: HpkeSecret::from_seed(secrets.hpke_seed),
        bundle: None,
        local: local_key,
        pins: Pins::default(),
        expect_root: Some(secrets.root),
    });
    if let Some(local) = local {
        match vault.load_pins(local) {
            Ok(()) | Err(ClientError::LocalCopy) => {}
            Err(e) => return Err(e),
        }
    }
    vault.sync_directory().await?;
    if vault.directory.devices().get(&secrets.device).is_none_or(|d| d.member != signed_in.member || !d.active) {
        return Err(ClientError::ServerKeySubstituted);
    }
    vault.sync_epochs().await?;
    Ok(vault)
}

/// Enters a demonstration with the keys that its server hands to everybody.
///
/// # Errors
/// Refused where the server holds a real practice; as [`device_signin`].
pub async fn demo_signin(conn: &Connection, local: Option<&[u8]>) -> Result<Vault, ClientError> {
    let entry = conn.demo_entry().await?;
    let secrets = DeviceSecrets::open(&entry.device, &entry.passphrase)?;
    device_signin(conn, &secrets, local).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_file_opens_with_its_passphrase_only() {
        let secrets = DeviceSecrets { practice: PracticeId([1; 16]), device: DeviceId([2; 16]), root: Hash32([3; 32]), sign_seed: [4; 32], hpke_seed: [5; 32] };
        assert_eq!(secrets.seal("short").unwrap_err().code(), "invalid");
        let file = secrets.seal("four words of mine").unwrap();
        assert_eq!(DeviceSecrets::open(&file, "four words of mine").unwrap().sign_seed, [4; 32]);
        assert_eq!(DeviceSecrets::open(&file, "four words of yours").unwrap_err(), ClientError::WrongWords);
        assert_eq!(DeviceSecrets::open(&file[..40], "four words of mine").unwrap_err(), ClientError::LocalCopy);
    }
}
