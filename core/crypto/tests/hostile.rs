//! Every parser against bytes from someone who means harm: no panic, no memory beyond what was sent, nothing accepted.
#![allow(clippy::unwrap_used)]

mod common;
use common::*;
use std::collections::{BTreeMap, HashMap};
use subrosa_crypto::*;

/// Throws bytes at everything that takes bytes. Answers whether anything was accepted as authentic.
fn throw(bytes: &[u8], hash: &subrosa_model::Hash32) -> bool {
    let _ = cbor::decode::<Fact>(bytes);
    let _ = cbor::decode::<Ctx>(bytes);
    let _ = cbor::decode::<Vec<Option<BTreeMap<String, f64>>>>(bytes);
    let _ = cbor::decode::<HashMap<i64, subrosa_model::Bytes>>(bytes);
    let _ = cbor::decode::<(u128, i128, char, bool, Result<(), String>)>(bytes);
    let _ = cbor::decode::<Signed<Fact>>(bytes);
    let _ = cbor::decode::<HpkePublic>(bytes);
    let _ = cbor::decode::<VerifyingKey>(bytes);
    let _ = inspect(bytes);
    let _ = recipient_of(bytes);
    let _ = unpad(bytes);
    let _ = HpkePublic::from_bytes(bytes);
    let _ = CompartmentKey::from_slice(bytes);
    let _ = mac_verify(b"key", &[b"part"], bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = words::words_to_code(&text);
    let signed = Signed::<Fact>::from_bytes(bytes);
    let signed = signed.and_then(|s| s.peek_unverified().and(s.verify(&signer(1).public(), &PRACTICE)));
    let endorsed = Endorsed::<Fact>::from_bytes(bytes).and_then(|s| s.peek_unverified().and(s.verify(find, &PRACTICE)));
    signed.is_ok()
        || endorsed.is_ok()
        || open(&key(), &ctx(), bytes).is_ok()
        || open_from(&recipient(), &ctx(), bytes).is_ok()
        || stream::open(&key(), &ctx(), hash, bytes).is_ok()
}

fn samples() -> (subrosa_model::Hash32, Vec<Vec<u8>>) {
    let (hash, attachment) = stream::seal(&key(), &ctx(), b"scan");
    let samples = vec![
        seal(&key(), &ctx(), b"said in confidence"),
        seal_to(&recipient().public(), &ctx(), b"said in confidence").unwrap(),
        Signed::sign(&signer(1), &PRACTICE, &fact()).to_bytes(),
        Endorsed::sign(&[&signer(1), &signer(2)], &PRACTICE, &fact()).to_bytes(),
        attachment,
        cbor::encode(&fact()),
        words::code_to_words(&[5; 32]).as_bytes().to_vec(),
        pad(b"note", 64),
    ];
    (hash, samples)
}

#[test]
fn the_samples_themselves_are_accepted() {
    let (hash, samples) = samples();
    assert_eq!(samples.iter().filter(|s| throw(s, &hash)).count(), 5, "the control of the tests below");
}

#[test]
fn mutated_samples_are_refused_without_a_panic() {
    let (hash, samples) = samples();
    let mut damage = Damage(0x5eed_0001);
    for _ in 0..6_000 {
        let (a, b) = (damage.below(samples.len()), damage.below(samples.len()));
        let mutant = damage.mutate(&samples[a], &samples[b]);
        assert!(samples.contains(&mutant) || !throw(&mutant, &hash), "accepted: {mutant:02x?}");
    }
}

#[test]
fn random_bytes_are_refused_without_a_panic() {
    let (hash, _) = samples();
    let mut damage = Damage(0x5eed_0002);
    for _ in 0..10_000 {
        let len = damage.below(300);
        let bytes = damage.bytes(len);
        assert!(!throw(&bytes, &hash));
    }
}

#[test]
fn every_cut_of_every_sample_is_refused() {
    let (hash, samples) = samples();
    for sample in &samples {
        for cut in 0..sample.len() {
            assert!(!throw(&sample[..cut], &hash));
        }
    }
}

#[test]
fn enormous_claims_and_deep_nests_cost_nothing() {
    let (hash, _) = samples();
    for major in [0x40u8, 0x60, 0x80, 0xa0, 0xc0] {
        for claim in [u64::from(u32::MAX), u64::MAX, u64::MAX / 2, 1 << 40] {
            let bytes = [&[major | 27][..], &claim.to_be_bytes(), &[0; 64]].concat();
            assert!(!throw(&bytes, &hash));
        }
        let nest = vec![major | 1; 100_000];
        assert!(!throw(&nest, &hash));
    }
    for deep in [0x9fu8, 0xbf, 0x5f, 0x7f, 0xd8, 0xc6] {
        assert!(!throw(&vec![deep; 100_000], &hash));
    }
    let wide = [&[0x9a, 0x00, 0x0f, 0xff, 0xff][..], &vec![0xf6; 0x0f_ffff]].concat();
    assert!(!throw(&wide, &hash));
    assert_eq!(cbor::decode::<Vec<()>>(&vec![0; cbor::MAX_SIZE + 1]), Err(CryptoError::CborTooLarge));
}

#[test]
fn a_wide_tree_in_a_container_or_its_header_is_refused_before_it_is_built() {
    let wide = [&[0x9a, 0x00, 0x0f, 0xff, 0xff][..], &vec![0xf6; 0x0f_ffff]].concat();
    let in_bytes = [&[0x5a, 0x00, 0x10, 0x00, 0x04][..], &wide].concat();
    for (tag, rest) in [(0xd0u8, &[0x40u8][..]), (0xd2, &[0x40, 0x40])] {
        let array = 0x82 + rest.len() as u8;
        let as_header = [&[tag, array][..], &in_bytes, &[0xa0], rest].concat();
        let as_payload = [&[tag, array, 0x40, 0xa0][..], &rest[1..], &wide].concat();
        let as_unprotected = [&[tag, array, 0x40][..], &wide, rest].concat();
        for bytes in [as_header, as_payload, as_unprotected] {
            assert_eq!(open(&key(), &ctx(), &bytes).unwrap_err().code(), "envelope-malformed");
            assert_eq!(Signed::<Fact>::from_bytes(&bytes).unwrap_err().code(), "signature-malformed");
        }
    }
}

#[test]
fn words_of_any_script_are_counted_not_trusted() {
    let absurd = ["ab\u{301}andon ".repeat(24), "字".repeat(24), "字 ".repeat(24), "\u{0}\u{feff}".repeat(99), "zoo ".repeat(100_000)];
    for text in absurd {
        assert!(words::words_to_code(&text).is_err());
        assert!(words::derive_words_key(&text, &[0; 16]).is_err());
    }
}
