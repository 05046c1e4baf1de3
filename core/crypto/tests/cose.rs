//! The containers are COSE as RFC 9052 says, and only the one shape of it: checked with another implementation's builder and parser.
#![allow(clippy::unwrap_used)]

mod common;
use common::*;
use coset::cbor::Value;
use coset::{CborSerializable, CoseEncrypt0, CoseSign1, Header, Label, TaggedCborSerializable, iana};
use subrosa_crypto::*;

#[test]
fn an_envelope_is_a_cose_encrypt0_with_the_announced_header() {
    let sealed = seal(&key(), &ctx(), b"said in confidence");
    let cose = CoseEncrypt0::from_tagged_slice(&sealed).unwrap();
    let header = &cose.protected.header;
    assert_eq!(header.alg, Some(coset::Algorithm::Assigned(iana::Algorithm::A256GCM)));
    assert_eq!(header.key_id, key().id().0);
    let labels: Vec<_> = header.rest.iter().map(|(l, _)| l.clone()).collect();
    assert_eq!(labels, [Label::Int(-65537), Label::Int(-65538)]);
    assert!(cose.unprotected.is_empty());
    assert_eq!(cose.ciphertext.unwrap().len(), 18 + 16);
}

#[test]
fn a_signed_statement_is_a_cose_sign1_that_another_verifier_accepts() {
    let signed = Signed::sign(&signer(1), &PRACTICE, &fact());
    let cose = CoseSign1::from_tagged_slice(signed.as_bytes()).unwrap();
    assert_eq!(cose.payload.as_deref(), Some(cbor::encode(&fact()).as_slice()));
    let aad = cbor::encode(&("subrosa/1", "test-fact", PRACTICE));
    let verified = cose.verify_signature(&aad, |signature, data| signer(1).public().verify_raw(data, signature.try_into().unwrap()));
    assert_eq!(verified, Ok(()));
}

/// A name and what to change.
type Change<T> = (&'static str, fn(&mut T));

fn change_envelope(change: impl Fn(&mut CoseEncrypt0)) -> Vec<u8> {
    let mut cose = CoseEncrypt0::from_tagged_slice(&seal(&key(), &ctx(), b"said in confidence")).unwrap();
    cose.protected.original_data = None;
    change(&mut cose);
    cose.to_tagged_vec().unwrap()
}

#[test]
fn an_envelope_with_anything_more_or_less_is_refused() {
    assert!(open(&key(), &ctx(), &change_envelope(|_| {})).is_ok(), "the control: unchanged");
    let changes: [Change<CoseEncrypt0>; 9] = [
        ("detached ciphertext", |c| c.ciphertext = None),
        ("empty ciphertext", |c| c.ciphertext = Some(Vec::new())),
        ("unprotected field", |c| c.unprotected.iv = vec![0; 12]),
        ("unprotected key id", |c| c.unprotected.key_id = vec![1]),
        ("protected field more", |c| c.protected.header.rest.push((Label::Int(99), Value::Null))),
        ("other order", |c| c.protected.header.rest.reverse()),
        ("other algorithm", |c| c.protected.header.alg = Some(coset::Algorithm::Assigned(iana::Algorithm::A128GCM))),
        ("no algorithm", |c| c.protected.header.alg = None),
        ("shorter random", |c| c.protected.header.rest[0].1 = Value::Bytes(vec![0; 31])),
    ];
    for (name, change) in changes {
        assert_eq!(open(&key(), &ctx(), &change_envelope(change)).unwrap_err().code(), "envelope-malformed", "{name}");
    }
    let cose = CoseEncrypt0::from_tagged_slice(&seal(&key(), &ctx(), b"x")).unwrap();
    assert!(open(&key(), &ctx(), &cose.to_vec().unwrap()).is_err(), "no tag");
}

#[test]
fn a_signed_statement_with_anything_more_or_less_is_refused() {
    let changes: [Change<CoseSign1>; 7] = [
        ("detached payload", |c| c.payload = None),
        ("unprotected field", |c| c.unprotected = Header { key_id: vec![1], ..Header::default() }),
        ("protected field more", |c| c.protected.header.rest.push((Label::Int(99), Value::Null))),
        ("other algorithm", |c| c.protected.header.alg = Some(coset::Algorithm::Assigned(iana::Algorithm::ES256))),
        ("no signer", |c| c.protected.header.key_id = Vec::new()),
        ("short signature", |c| c.signature.truncate(63)),
        ("long signature", |c| c.signature.push(0)),
    ];
    for (name, change) in changes {
        let mut cose = CoseSign1::from_tagged_slice(Signed::sign(&signer(1), &PRACTICE, &fact()).as_bytes()).unwrap();
        cose.protected.original_data = None;
        change(&mut cose);
        let refused = Signed::<Fact>::from_bytes(&cose.to_tagged_vec().unwrap());
        assert_eq!(refused.unwrap_err().code(), "signature-malformed", "{name}");
    }
}

#[test]
fn one_kind_of_container_does_not_pass_for_another() {
    let sealed = seal(&key(), &ctx(), b"x");
    let sealed_to = seal_to(&recipient().public(), &ctx(), b"x").unwrap();
    let signed = Signed::sign(&signer(1), &PRACTICE, &fact()).to_bytes();
    let endorsed = Endorsed::sign(&[&signer(1)], &PRACTICE, &fact()).to_bytes();
    for other in [&sealed_to, &signed, &endorsed] {
        assert!(open(&key(), &ctx(), other).is_err());
    }
    for other in [&sealed, &signed, &endorsed] {
        assert!(open_from(&recipient(), &ctx(), other).is_err());
    }
    for other in [&sealed, &sealed_to, &endorsed] {
        assert!(Signed::<Fact>::from_bytes(other).is_err());
    }
    for other in [&sealed, &sealed_to, &signed] {
        assert!(Endorsed::<Fact>::from_bytes(other).is_err());
    }
}
