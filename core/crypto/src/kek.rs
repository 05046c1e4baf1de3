use crate::hash::expand;
use crate::{CryptoError, KekKey, KitKey};
use sha2::Sha256;
use subrosa_model::{MemberId, PracticeId};
use zeroize::Zeroizing;

/// The key-encryption key of a passkey: HKDF-SHA-256 with salt "subrosa/1/prf" over the PRF output, expanded with
/// "subrosa/1/prf" || practice || member || credential id.
///
/// Compare the key id after unwrapping before trusting it: some platforms have given another PRF value over another transport.
///
/// # Errors
/// `PrfOutput` when it is shorter than 32 bytes or all zero.
pub fn derive_prf_kek(
    prf_output: &[u8],
    practice: &PracticeId,
    member: &MemberId,
    credential_id: &[u8],
) -> Result<KekKey, CryptoError> {
    if prf_output.len() < 32 || prf_output.iter().all(|b| *b == 0) {
        return Err(CryptoError::PrfOutput);
    }
    let (mut prk, _) = hkdf::Hkdf::<Sha256>::extract(Some(b"subrosa/1/prf"), prf_output);
    let mut key = Zeroizing::new([0u8; 32]);
    key.copy_from_slice(&prk);
    zeroize::Zeroize::zeroize(prk.as_mut_slice());
    Ok(KekKey::from_bytes(*expand::<32>(&key, &[b"subrosa/1/prf", &practice.0, &member.0, credential_id])))
}

/// The key of a member kit: needs both the 256-bit code on paper and the server's share.
///
/// HKDF-SHA-256 with salt "subrosa/1/kit" over code || share, expanded with "subrosa/1/kit" || practice || member.
pub fn derive_kit_key(code: &[u8; 32], share: &[u8; 32], practice: &PracticeId, member: &MemberId) -> KitKey {
    let mut both = Zeroizing::new([0u8; 64]);
    both[..32].copy_from_slice(code);
    both[32..].copy_from_slice(share);
    let (mut prk, _) = hkdf::Hkdf::<Sha256>::extract(Some(b"subrosa/1/kit"), both.as_slice());
    let mut key = Zeroizing::new([0u8; 32]);
    key.copy_from_slice(&prk);
    zeroize::Zeroize::zeroize(prk.as_mut_slice());
    KitKey::from_bytes(*expand::<32>(&key, &[b"subrosa/1/kit", &practice.0, &member.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_without_a_usable_secret_is_refused() {
        let derive = |prf: &[u8]| derive_prf_kek(prf, &PracticeId([1; 16]), &MemberId([2; 16]), b"cred").map(|k| k.id());
        assert_eq!(derive(&[]), Err(CryptoError::PrfOutput));
        assert_eq!(derive(&[9; 31]), Err(CryptoError::PrfOutput));
        assert_eq!(derive(&[0; 32]), Err(CryptoError::PrfOutput));
        assert!(derive(&[9; 32]).is_ok());
    }

    #[test]
    fn each_practice_member_and_credential_has_its_own_key() {
        let id = |p: u8, m: u8, c: &[u8]| derive_prf_kek(&[9; 32], &PracticeId([p; 16]), &MemberId([m; 16]), c).unwrap().id();
        let ids = std::collections::BTreeSet::from([id(1, 2, b"c"), id(2, 2, b"c"), id(1, 1, b"c"), id(1, 2, b"d")]);
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn a_kit_needs_both_code_and_share() {
        let id = |c: u8, s: u8| derive_kit_key(&[c; 32], &[s; 32], &PracticeId([1; 16]), &MemberId([2; 16])).id();
        assert!(id(1, 2) != id(1, 3) && id(1, 2) != id(2, 2) && id(1, 2) != id(2, 1));
    }
}
