//! Format v1, frozen: what `vectors/v1.txt` holds must open for ever, and what is deterministic must come out the same for ever, on every platform
//! (`wasm.mjs` says how to run this file as WebAssembly). A change here is a change of format and needs a new version beside this one, never another file in its place.

#![allow(clippy::unwrap_used)]

#[path = "common/hex.rs"]
mod hex;

use hex::{hex, hex32, table, to_hex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use subrosa_crypto::*;
use subrosa_model::{ChartId, Compartment, MemberId, PracticeId};

#[derive(Serialize)]
struct EntryContext {
    practice: PracticeId,
    chart: ChartId,
    compartment: Compartment,
    version: u64,
}
impl Context for EntryContext {
    const NAMESPACE: &'static str = "frozen-entry";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Fact {
    member: MemberId,
    since: i64,
    words: Vec<String>,
    weight: Option<f64>,
}
impl Statement for Fact {
    const NAMESPACE: &'static str = "frozen-fact";
}

const PRACTICE: PracticeId = PracticeId([0x11; 16]);
const MEMBER: MemberId = MemberId([0x22; 16]);
const TEXT: &[u8] = b"said in confidence";

fn context() -> EntryContext {
    EntryContext { practice: PRACTICE, chart: ChartId([0x33; 16]), compartment: Compartment::Record, version: 300 }
}
fn fact() -> Fact {
    Fact { member: MEMBER, since: -1, words: vec!["sub".into(), "rosa".into()], weight: Some(0.5) }
}
fn key() -> CompartmentKey {
    CompartmentKey::from_bytes(core::array::from_fn(|i| i as u8))
}
fn recipient() -> HpkeSecret {
    HpkeSecret::from_seed([0x44; 32])
}
fn signers() -> [SigningKey; 2] {
    [SigningKey::from_seed([0x55; 32]), SigningKey::from_seed([0x66; 32])]
}
fn long_content() -> Vec<u8> {
    (0..2 * stream::CHUNK_LEN + 99).map(|i| (i % 251) as u8).collect()
}
/// Everything that comes out the same at every run.
fn deterministic() -> BTreeMap<&'static str, String> {
    let file = file();
    let again = |content: &[u8], name: &str| {
        let mut sealer = stream::Sealer::resume(&key(), &context(), &sha256(&[content]), &hex(file[name])).unwrap();
        let mut out = sealer.header().to_vec();
        sealer.push(content, &mut out);
        sealer.finish(&mut out).unwrap();
        out
    };
    let [a, b] = signers();
    let seven = "abandon ability able about above absent absorb";
    BTreeMap::from([
        ("cbor", to_hex(&cbor::encode(&fact()))),
        ("key-id", key().id().to_string()),
        ("subkey-id", key().derive_subkey::<purpose::Draft>("draft", &[&MEMBER.0, b"x"]).id().to_string()),
        ("padded", to_hex(&pad(TEXT, 64))),
        ("padme", [0, 1, 9, 100, 4097, 65_537, 1_000_000].map(|n| padme(n).to_string()).join(" ")),
        ("hpke-public-hash", recipient().public().hash().to_string()),
        ("signer-id", a.public().id().to_string()),
        ("signed", to_hex(Signed::sign(&a, &PRACTICE, &fact()).as_bytes())),
        ("endorsed", to_hex(&Endorsed::sign(&[&a, &b], &PRACTICE, &fact()).to_bytes())),
        ("stream", to_hex(&again(TEXT, "stream-header"))),
        ("stream-empty", to_hex(&again(b"", "stream-empty-header"))),
        ("stream-long-hash", sha256(&[&again(&long_content(), "stream-long-header")]).to_string()),
        ("six-words", words::six_words(TEXT)),
        ("seven-words-key-id", words::derive_words_key(seven, &[0x88; 16]).unwrap().id().to_string()),
        ("code-words", words::code_to_words(key().expose()).to_string()),
        ("mac", to_hex(&mac(key().expose(), &[b"ab", b"", TEXT]))),
        ("prf-kek-id", derive_prf_kek(&[0x99; 32], &PRACTICE, &MEMBER, b"credential").unwrap().id().to_string()),
        ("kit-key-id", derive_kit_key(&[0xaa; 32], &[0xbb; 32], &PRACTICE, &MEMBER).id().to_string()),
    ])
}

fn file() -> BTreeMap<&'static str, &'static str> {
    table(include_str!("vectors/v1.txt"))
}

#[test]
fn what_is_deterministic_comes_out_as_it_always_did() {
    let file = file();
    for (name, value) in deterministic() {
        assert_eq!(file.get(name).copied(), Some(value.as_str()), "{name}");
    }
}

#[test]
fn what_was_sealed_opens_for_ever() {
    let (v, ctx) = (file(), context());
    assert_eq!(open(&key(), &ctx, &hex(v["sealed"])).unwrap().as_slice(), TEXT);
    assert_eq!(open(&key(), &ctx, &hex(v["sealed-empty"])).unwrap().as_slice(), b"");
    let inner: EpochKey = open_key(&key(), &ctx, &hex(v["sealed-key"]), &EpochKey::from_bytes([9; 32]).id()).unwrap();
    assert_eq!(inner.expose(), &[9; 32]);
    assert_eq!(unpad(&hex(v["padded"])).unwrap(), TEXT);
    assert_eq!(open_from(&recipient(), &ctx, &hex(v["hpke-sealed"])).unwrap().as_slice(), TEXT);
    let inner: CompartmentKey = open_key_from(&recipient(), &ctx, &hex(v["hpke-sealed-key"]), &key().id()).unwrap();
    assert_eq!(inner.expose(), key().expose());
    assert_eq!(stream::open(&key(), &ctx, &sha256(&[TEXT]), &hex(v["stream"])).unwrap().as_slice(), TEXT);
    assert_eq!(stream::open(&key(), &ctx, &sha256(&[]), &hex(v["stream-empty"])).unwrap().as_slice(), b"");
}

#[test]
fn what_was_signed_verifies_for_ever() {
    let (v, [a, b]) = (file(), signers());
    assert_eq!(cbor::decode::<Fact>(&hex(v["cbor"])), Ok(fact()));
    let signed = Signed::<Fact>::from_bytes(&hex(v["signed"])).unwrap();
    assert_eq!(signed.verify(&a.public(), &PRACTICE), Ok(fact()));
    let endorsed = Endorsed::<Fact>::from_bytes(&hex(v["endorsed"])).unwrap();
    let find = |id: &subrosa_model::KeyId| [a.public(), b.public()].into_iter().find(|k| k.id() == *id);
    assert_eq!(endorsed.verify(find, &PRACTICE).unwrap().1.len(), 2);
    assert_eq!(*words::words_to_code(v["code-words"]).unwrap(), *key().expose());
    assert_eq!(mac_verify(key().expose(), &[b"ab", b"", TEXT], &hex32(v["mac"])), Ok(()));
}

/// For a format that is new: run with `--ignored --nocapture` and add the lines that are not in the file yet.
#[test]
#[ignore = "prints lines for the vector file"]
fn print_vectors() {
    let mut lines = deterministic();
    let (ctx, to) = (context(), recipient().public());
    lines.insert("sealed", to_hex(&seal(&key(), &ctx, TEXT)));
    lines.insert("sealed-empty", to_hex(&seal(&key(), &ctx, b"")));
    lines.insert("sealed-key", to_hex(&seal_key(&key(), &ctx, &EpochKey::from_bytes([9; 32]))));
    lines.insert("hpke-sealed", to_hex(&seal_to(&to, &ctx, TEXT).unwrap()));
    lines.insert("hpke-sealed-key", to_hex(&seal_key_to(&to, &ctx, &key()).unwrap()));
    lines.iter().for_each(|(name, value)| println!("{name} = {value}"));
}
