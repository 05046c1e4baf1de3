//! What holds for every value: it comes back, and nothing else comes back in its place.
#![allow(clippy::unwrap_used)]

mod common;
use common::*;
use proptest::prelude::*;
use subrosa_crypto::*;

fn every_single_bit(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

#[test]
fn an_envelope_with_any_bit_flipped_does_not_open() {
    let sealed = seal(&key(), &ctx(), b"said in confidence");
    for (bit, flipped) in every_single_bit(&sealed) {
        assert!(open(&key(), &ctx(), &flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn a_signed_statement_with_any_bit_flipped_is_refused() {
    let signed = Signed::sign(&signer(1), &PRACTICE, &fact()).to_bytes();
    for (bit, flipped) in every_single_bit(&signed) {
        let accepted = Signed::<Fact>::from_bytes(&flipped).and_then(|s| s.verify(&signer(1).public(), &PRACTICE));
        assert!(accepted.is_err(), "bit {bit}");
    }
    let endorsed = Endorsed::sign(&[&signer(1), &signer(2)], &PRACTICE, &fact()).to_bytes();
    for (bit, flipped) in every_single_bit(&endorsed) {
        let accepted = Endorsed::<Fact>::from_bytes(&flipped).and_then(|s| s.verify(find, &PRACTICE));
        assert!(accepted.is_err(), "bit {bit}");
    }
}

#[test]
fn a_seal_with_any_byte_changed_does_not_open() {
    let sealed = seal_to(&recipient().public(), &ctx(), b"said in confidence").unwrap();
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(open_from(&recipient(), &ctx(), &flipped).is_err(), "byte {at}");
    }
}

#[test]
fn an_attachment_with_any_bit_flipped_does_not_open() {
    let (hash, sealed) = stream::seal(&key(), &ctx(), b"scan");
    for (bit, flipped) in every_single_bit(&sealed) {
        assert!(stream::open(&key(), &ctx(), &hash, &flipped).is_err(), "bit {bit}");
    }
}

/// Where each data item's head begins in an encoding; byte strings are not looked into.
fn heads(bytes: &[u8], at: &mut usize, found: &mut Vec<usize>) {
    found.push(*at);
    let (major, info) = (bytes[*at] >> 5, bytes[*at] & 0x1f);
    *at += 1;
    let n = if info < 24 { 0 } else { 1usize << (info - 24) };
    let arg = if n == 0 { u64::from(info) } else { bytes[*at..*at + n].iter().fold(0, |a, b| a << 8 | u64::from(*b)) };
    *at += n;
    match major {
        2 | 3 => *at += arg as usize,
        4 => (0..arg).for_each(|_| heads(bytes, at, found)),
        5 => (0..2 * arg).for_each(|_| heads(bytes, at, found)),
        6 => heads(bytes, at, found),
        _ => {}
    }
}

/// Every other encoding of the same value that differs in one place: a longer head, an indefinite length, map entries in another order, a tag that says
/// nothing.
fn other_encodings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut found, mut out) = (Vec::new(), Vec::new());
    heads(bytes, &mut 0, &mut found);
    for at in found {
        let (major, info) = (bytes[at] & 0xe0, bytes[at] & 0x1f);
        if major == 0xe0 {
            continue;
        }
        let n = if info < 24 { 0 } else { 1usize << (info - 24) };
        let arg = if n == 0 { vec![info] } else { bytes[at + 1..at + 1 + n].to_vec() };
        for longer in [1usize, 2, 4, 8].into_iter().filter(|l| *l > n) {
            let mut head = vec![major | (24 + longer.trailing_zeros() as u8)];
            head.resize(1 + longer - arg.len(), 0);
            head.extend_from_slice(&arg);
            out.push([&bytes[..at], &head, &bytes[at + 1 + n..]].concat());
        }
        let mut end = at;
        heads(bytes, &mut end, &mut Vec::new());
        if matches!(major, 0x80 | 0xa0) {
            out.push([&bytes[..at], &[major | 31], &bytes[at + 1 + n..end], &[0xff], &bytes[end..]].concat());
        }
        if matches!(major, 0x40 | 0x60) {
            out.push([&bytes[..at], &[major | 31], &bytes[at..end], &[0xff], &bytes[end..]].concat());
        }
        if major == 0xa0 && arg != [0] {
            let first = at + 1 + n;
            let mut second = first;
            heads(bytes, &mut second, &mut Vec::new());
            heads(bytes, &mut second, &mut Vec::new());
            if second < end {
                out.push([&bytes[..first], &bytes[second..end], &bytes[first..second], &bytes[end..]].concat());
            }
        }
        out.push([&bytes[..at], &[0xd9, 0xd9, 0xf7], &bytes[at..]].concat());
    }
    out.push([bytes, &[0xf6]].concat());
    out
}

#[test]
fn no_other_encoding_of_a_sealed_or_signed_thing_is_accepted() {
    let sealed = seal(&key(), &ctx(), b"said in confidence");
    let seal = seal_to(&recipient().public(), &ctx(), b"said in confidence").unwrap();
    let signed = Signed::sign(&signer(1), &PRACTICE, &fact()).to_bytes();
    let endorsed = Endorsed::sign(&[&signer(1), &signer(2)], &PRACTICE, &fact()).to_bytes();
    for other in other_encodings(&sealed) {
        assert!(open(&key(), &ctx(), &other).is_err());
        assert!(inspect(&other).is_err());
    }
    for other in other_encodings(&seal) {
        assert!(open_from(&recipient(), &ctx(), &other).is_err());
        assert!(recipient_of(&other).is_err());
    }
    for other in other_encodings(&signed) {
        assert!(Signed::<Fact>::from_bytes(&other).is_err());
    }
    for other in other_encodings(&endorsed) {
        assert!(Endorsed::<Fact>::from_bytes(&other).is_err());
    }
}

fn facts() -> impl Strategy<Value = Fact> {
    let words = prop::collection::vec(".{0,40}", 0..6);
    let more = prop::collection::btree_map("[a-z]{0,9}", any::<Option<u16>>(), 0..6);
    (words, any::<i64>(), more).prop_map(|(words, number, more)| Fact { words, number, more })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cbor_comes_back_and_only_in_one_encoding(fact in facts()) {
        let bytes = cbor::encode(&fact);
        prop_assert_eq!(cbor::decode::<Fact>(&bytes).unwrap(), fact);
        for other in other_encodings(&bytes) {
            prop_assert!(cbor::decode::<Fact>(&other).is_err());
        }
    }

    #[test]
    fn what_is_sealed_comes_back(text in prop::collection::vec(any::<u8>(), 0..3000), chart: u32, name in ".{0,30}", bytes: [u8; 32]) {
        let (key, ctx) = (EpochKey::from_bytes(bytes), Ctx { chart, name });
        let sealed = seal(&key, &ctx, &pad(&text, ENVELOPE_FLOOR));
        prop_assert_eq!(inspect(&sealed).unwrap().key_id, key.id());
        let padded = open(&key, &ctx, &sealed).unwrap();
        prop_assert_eq!(unpad(&padded).unwrap(), text.as_slice());
        let elsewhere = Ctx { chart: chart.wrapping_add(1), ..ctx };
        prop_assert_eq!(open(&key, &elsewhere, &sealed).unwrap_err(), CryptoError::Commitment);
    }

    #[test]
    fn what_is_sealed_to_someone_comes_back(text in prop::collection::vec(any::<u8>(), 0..300), seed: [u8; 32]) {
        let secret = HpkeSecret::from_seed(seed);
        let sealed = seal_to(&secret.public(), &ctx(), &text).unwrap();
        let opened = open_from(&secret, &ctx(), &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), text.as_slice());
    }

    #[test]
    fn what_is_signed_verifies(fact in facts(), seed: [u8; 32]) {
        let key = SigningKey::from_seed(seed);
        let signed = Signed::<Fact>::from_bytes(&Signed::sign(&key, &PRACTICE, &fact).to_bytes()).unwrap();
        prop_assert_eq!(signed.verify(&key.public(), &PRACTICE).unwrap(), fact);
    }

    #[test]
    fn codes_survive_being_words(code: [u8; 32]) {
        prop_assert_eq!(*words::words_to_code(&words::code_to_words(&code)).unwrap(), code);
    }

    #[test]
    fn two_swapped_words_are_mostly_noticed(code: [u8; 32], a in 0usize..24, b in 0usize..24) {
        let text = words::code_to_words(&code);
        let mut list: Vec<&str> = text.split(' ').collect();
        list.swap(a, b);
        if let Ok(read) = words::words_to_code(&list.join(" ")) {
            prop_assert_eq!(words::code_to_words(&read).to_string(), list.join(" "));
        }
    }

    #[test]
    fn padding_comes_back_and_hides_the_length(text in prop::collection::vec(any::<u8>(), 0..9000), floor in 0usize..9000) {
        for padded in [pad(&text, floor), pad_to_step(&text, floor)] {
            prop_assert_eq!(unpad(&padded).unwrap(), text.as_slice());
        }
        prop_assert!(pad(&text, floor).len() >= floor);
    }

    #[test]
    fn attachments_come_back_in_pieces_of_any_size(len in 0usize..200_000, piece in 1usize..70_000) {
        let content: Vec<u8> = (0..len).map(|i| (i / 3) as u8).collect();
        let (hash, sealed) = stream::seal(&key(), &ctx(), &content);
        let mut opener = stream::Opener::new(&key(), &ctx(), &hash, &sealed[..stream::HEADER_LEN]).unwrap();
        let mut out = Vec::new();
        for part in sealed[stream::HEADER_LEN..].chunks(piece) {
            opener.push(part, &mut out).unwrap();
        }
        opener.finish(&mut out).unwrap();
        prop_assert_eq!(out, content);
    }

    #[test]
    fn custody_halves_join(bytes: [u8; 32]) {
        let key = CompartmentKey::from_bytes(bytes);
        let (a, b) = xor::split(&key);
        let joined: CompartmentKey = xor::join(&a, &b, &key.id()).unwrap();
        prop_assert_eq!(joined.expose(), key.expose());
    }
}
