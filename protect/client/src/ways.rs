//! Ways into the bundle: passkey PRF, seven words, member kit.

use serde_json::Value;
use subrosa_crypto::{
    BundleKey, DeviceKey, KekKey, KitKey, derive_prf_kek, inspect, open_key, random, seal_key, sha256, words,
};
use subrosa_model::{Bytes, Hash32, MemberId, PracticeId};
use subrosa_protocol::api::{Ceremony, SealedBundle, WrappedBundleKey};
use subrosa_protocol::keys::{WayIn, WayInContext};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::passkey::{Authenticator, Credential, local_options};

/// What a device seals its local copies with.
pub(crate) fn local_key(bundle: &BundleKey) -> DeviceKey {
    bundle.derive_subkey("local", &[])
}

/// The RP id of a creation ceremony.
pub(crate) fn host_of(ceremony: &Ceremony) -> String {
    let options: Value = serde_json::from_str(&ceremony.options).unwrap_or_default();
    let id = options.pointer("/publicKey/rp/id").or_else(|| options.pointer("/publicKey/rpId"));
    id.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Wraps the bundle key for a new passkey: under its PRF output, or where it has none under seven new words.
pub(crate) async fn wrap_for_passkey(
    passkey: &dyn Authenticator,
    host: &str,
    credential: &Credential,
    bundle: &BundleKey,
    practice: PracticeId,
    member: MemberId,
) -> Result<(WrappedBundleKey, Option<Zeroizing<String>>), ClientError> {
    let mut prf = credential.prf.clone();
    if prf.is_none() && credential.prf_enabled == Some(true) {
        // Many authenticators evaluate PRF only when used: ask once more, of nobody but the authenticator.
        prf = passkey.get(&local_options(host, Some(&credential.id))).await.ok().filter(|c| c.id == credential.id).and_then(|c| c.prf);
    }
    let hash = sha256(&[&credential.id]);
    let (way, kek, salt, words) = match prf {
        Some(prf) => (WayIn::Passkey { credential: hash }, derive_prf_kek(prf.as_slice(), &practice, &member, &credential.id)?, Bytes::default(), None),
        None => {
            let words = words::make_seven_words();
            let salt = random::make_bytes::<16>();
            let kek = words::derive_words_key(&words, &salt)?;
            (WayIn::Words { credential: hash }, kek, salt.to_vec().into(), Some(words))
        }
    };
    let context = WayInContext { practice, member, way: way.clone() };
    Ok((WrappedBundleKey { way, sealed: seal_key(&kek, &context, bundle).into(), salt }, words))
}

/// The key-encryption key of a way in, from what the person brings.
pub(crate) enum Bring<'a> {
    /// A passkey that was just used.
    Passkey(&'a Credential),
    /// Seven words, after the passkey.
    Words(&'a str),
    /// A finished key (member kit).
    Kek(KekKey),
}

/// Opens the bundle key.
pub(crate) fn open_way(bundle: &SealedBundle, bring: Bring<'_>, practice: PracticeId, member: MemberId) -> Result<BundleKey, ClientError> {
    let wrapped = &bundle.way_in;
    let wrong = match &bring {
        Bring::Words(_) => ClientError::WrongWords,
        _ => ClientError::WrongBundle,
    };
    let kek = match bring {
        Bring::Passkey(credential) => {
            if wrapped.way != (WayIn::Passkey { credential: sha256(&[&credential.id]) }) {
                return Err(ClientError::WrongBundle);
            }
            let prf = credential.prf.as_ref().ok_or(ClientError::PasskeyNoSecret)?;
            derive_prf_kek(prf.as_slice(), &practice, &member, &credential.id).map_err(|_| ClientError::PasskeyNoSecret)?
        }
        Bring::Words(typed) => {
            let salt: &[u8; 16] = wrapped.salt.as_slice().try_into().map_err(|_| ClientError::WrongBundle)?;
            words::derive_words_key(typed, salt).map_err(ClientError::Words)?
        }
        Bring::Kek(kek) => kek,
    };
    // The key that the bundle names as its own; the bundle itself is then held against the directory's hash.
    let expect = inspect(&bundle.sealed).map_err(|_| ClientError::WrongBundle)?.key_id;
    let context = WayInContext { practice, member, way: wrapped.way.clone() };
    open_key(&kek, &context, &wrapped.sealed, &expect).map_err(|_| wrong)
}

/// What shows possession of a member kit: the preimage that is sent when it is used.
pub(crate) fn kit_preimage(code: &[u8; 32], member: &MemberId) -> Zeroizing<[u8; 32]> {
    let key: KitKey = KitKey::from_bytes(*code).derive_subkey("member-kit/proof", &[member.as_bytes()]);
    Zeroizing::new(*key.expose())
}

/// What the server keeps of it.
pub(crate) fn kit_proof(preimage: &[u8; 32]) -> Hash32 {
    sha256(&[b"subrosa/1/kit-proof", preimage])
}
