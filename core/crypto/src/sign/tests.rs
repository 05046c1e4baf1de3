use super::*;
use crate::sha256;
use subrosa_model::PracticeId;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fact {
    member: u8,
    text: String,
}
impl Statement for Fact {
    const NAMESPACE: &'static str = "test-fact";
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Rumour {
    member: u8,
    text: String,
}
impl Statement for Rumour {
    const NAMESPACE: &'static str = "test-rumour";
}

const HERE: PracticeId = PracticeId([1; 16]);
const ELSEWHERE: PracticeId = PracticeId([2; 16]);

fn fact() -> Fact {
    Fact { member: 3, text: "treats".into() }
}
fn key(n: u8) -> SigningKey {
    SigningKey::from_seed([n; 32])
}

#[test]
fn a_statement_comes_out_only_with_its_signer_practice_and_kind() {
    let signed = Signed::sign(&key(1), &HERE, &fact());
    let parsed = Signed::<Fact>::from_bytes(&signed.to_bytes()).unwrap();
    assert_eq!(parsed, signed);
    assert_eq!(parsed.verify(&key(1).public(), &HERE), Ok(fact()));
    assert_eq!(parsed.verify(&key(1).public(), &ELSEWHERE), Err(CryptoError::SignatureInvalid));
    assert_eq!(parsed.verify(&key(2).public(), &HERE), Err(CryptoError::SignerMismatch));
    let as_rumour = Signed::<Rumour>::from_bytes(&signed.to_bytes()).unwrap();
    assert_eq!(as_rumour.verify(&key(1).public(), &HERE), Err(CryptoError::SignatureInvalid));
    assert_eq!(signed.hash(), sha256(&[&signed.to_bytes()]));
}

#[test]
fn signed_statements_travel_in_json_and_cbor() {
    let signed = Signed::sign(&key(1), &HERE, &fact());
    let json = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<Signed<Fact>>(&json).unwrap(), signed);
    assert_eq!(crate::cbor::decode::<Signed<Fact>>(&crate::cbor::encode(&signed)).unwrap(), signed);
    let endorsed = Endorsed::sign(&[&key(1)], &HERE, &fact());
    assert_eq!(crate::cbor::decode::<Endorsed<Fact>>(&crate::cbor::encode(&endorsed)).unwrap(), endorsed);
}

#[test]
fn an_endorsement_has_one_encoding_whatever_the_order_of_signing() {
    let (a, b, c) = (key(1), key(2), key(3));
    let together = Endorsed::sign(&[&a, &b, &c, &a], &HERE, &fact());
    let mut one_by_one = Endorsed::sign(&[&c], &HERE, &fact());
    one_by_one.add_signature(&b, &HERE);
    one_by_one.add_signature(&a, &HERE);
    assert_eq!(together.to_bytes(), one_by_one.to_bytes());
    assert_eq!(together.signers().len(), 3);
    assert_eq!(together.payload_hash(), Endorsed::sign(&[], &HERE, &fact()).payload_hash());
}

#[test]
fn every_signature_must_verify_and_be_known() {
    let keys = [key(1), key(2)];
    let find = |id: &KeyId| keys.iter().map(SigningKey::public).find(|k| k.id() == *id);
    let good = Endorsed::sign(&[&keys[0], &keys[1]], &HERE, &fact());
    let (statement, signers) = Endorsed::<Fact>::from_bytes(&good.to_bytes()).unwrap().verify(find, &HERE).unwrap();
    assert_eq!((statement, signers.len()), (fact(), 2));
    assert_eq!(good.verify(find, &ELSEWHERE), Err(CryptoError::SignatureInvalid));
    assert_eq!(good.verify(|_| Some(keys[0].public()), &HERE), Err(CryptoError::SignerMismatch));
    let stranger = Endorsed::sign(&[&keys[0], &key(9)], &HERE, &fact());
    assert_eq!(stranger.verify(find, &HERE), Err(CryptoError::SignerUnknown));
    let nobody = Endorsed::sign(&[], &HERE, &fact());
    assert_eq!(nobody.verify(find, &HERE), Err(CryptoError::SignatureCount));
    assert_eq!(Endorsed::<Fact>::from_bytes(&nobody.to_bytes()), Err(CryptoError::SignatureCount));
}

#[test]
fn a_signer_twice_or_out_of_order_is_refused() {
    let both = Endorsed::sign(&[&key(1), &key(2)], &HERE, &fact());
    let (payload, signatures): (Bytes, Vec<Bytes>) = crate::cbor::decode(&both.to_bytes()).unwrap();
    for order in [[0, 0], [1, 0], [1, 1]] {
        let raw = order.map(|i| signatures[i].clone());
        let bytes = crate::cbor::encode(&(&payload, &raw));
        assert_eq!(Endorsed::<Fact>::from_bytes(&bytes), Err(CryptoError::SignatureMalformed));
    }
}

#[test]
fn a_signature_for_one_form_is_worth_nothing_in_the_other() {
    let (signer, find) = (key(1), |_: &KeyId| Some(key(1).public()));
    let signed = Signed::sign(&signer, &HERE, &fact());
    let cose = crate::cose::read_sign1(&signed.to_bytes()).unwrap();
    let detached = Bytes(crate::cose::write_sign1(cose.protected, None, cose.signature));
    let forged = crate::cbor::encode(&(Bytes(cose.payload.unwrap()), [detached]));
    let forged = Endorsed::<Fact>::from_bytes(&forged).unwrap();
    assert_eq!(forged.verify(find, &HERE), Err(CryptoError::SignatureInvalid));
}

#[test]
fn weak_and_malformed_public_keys_are_refused_at_the_door() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let unreduced: [u8; 32] = core::array::from_fn(|i| if i == 0 { 0xee } else if i == 31 { 0x7f } else { 0xff });
    for bad in [[0; 32], identity, [2; 32], unreduced] {
        assert_eq!(VerifyingKey::from_bytes(bad), Err(CryptoError::PublicKey));
    }
    assert!(crate::cbor::decode::<VerifyingKey>(&crate::cbor::encode(&Bytes::from(&identity[..]))).is_err());
}

#[test]
fn a_key_pair_comes_back_from_its_seed() {
    let key = SigningKey::make();
    assert_eq!(SigningKey::from_seed(*key.seed()).public(), key.public());
    assert!(key.public().verify_raw(b"m", &key.sign_raw(b"m")).is_ok());
    assert_eq!(key.public().verify_raw(b"n", &key.sign_raw(b"m")), Err(CryptoError::SignatureInvalid));
}
