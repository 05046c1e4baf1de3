use super::*;
use crate::CompartmentKey;

#[derive(serde::Serialize)]
struct File(u8);
impl Context for File {
    const NAMESPACE: &'static str = "test-file";
}

fn key() -> CompartmentKey {
    CompartmentKey::from_bytes([5; 32])
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 7) as u8).collect()
}

const LENGTHS: [usize; 8] = [0, 1, 100, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN, 3 * CHUNK_LEN + 5];

#[test]
fn every_length_comes_back_and_has_the_announced_sealed_length() {
    for len in LENGTHS {
        let (hash, sealed) = seal(&key(), &File(1), &content(len));
        assert_eq!(sealed.len() as u64, sealed_len(len as u64));
        assert_eq!(open(&key(), &File(1), &hash, &sealed).unwrap().as_slice(), content(len), "{len}");
    }
}

#[test]
fn pieces_of_any_size_give_the_same_bytes_as_the_whole() {
    for len in LENGTHS {
        let (hash, whole) = seal_with(&key(), &File(1), &content(len), [3; 32]);
        for piece in [1_000, CHUNK_LEN, CHUNK_LEN + 1, 200_000] {
            let mut sealer = Sealer::resume(&key(), &File(1), &hash, &whole[..HEADER_LEN]).unwrap();
            let mut sealed = sealer.header().to_vec();
            content(len).chunks(piece).for_each(|c| sealer.push(c, &mut sealed));
            sealer.finish(&mut sealed).unwrap();
            assert_eq!(sealed, whole);
            let mut opener = Opener::new(&key(), &File(1), &hash, &sealed[..HEADER_LEN]).unwrap();
            let mut out = Vec::new();
            sealed[HEADER_LEN..].chunks(piece).for_each(|c| opener.push(c, &mut out).unwrap());
            opener.finish(&mut out).unwrap();
            assert_eq!(out, content(len));
        }
    }
}

#[test]
fn cutting_extending_and_moving_chunks_is_refused() {
    let sealed_chunk = CHUNK_LEN + TAG_LEN;
    let (hash, sealed) = seal(&key(), &File(1), &content(3 * CHUNK_LEN));
    let try_open = |bytes: &[u8]| open(&key(), &File(1), &hash, bytes).map(|_| ()).map_err(|e| e.code());
    for cut in [1, TAG_LEN, TAG_LEN + 1, sealed_chunk, 2 * sealed_chunk, 3 * sealed_chunk] {
        assert_eq!(try_open(&sealed[..sealed.len() - cut]), Err("stream-truncated"), "cut {cut}");
    }
    assert!(try_open(&[&sealed[..], &[0]].concat()).is_err());
    assert!(try_open(&[&sealed[..], &[0; TAG_LEN]].concat()).is_err());
    assert!(try_open(&[&sealed[..], &sealed[HEADER_LEN..]].concat()).is_err());
    let (first, second) = (HEADER_LEN..HEADER_LEN + sealed_chunk, HEADER_LEN + sealed_chunk..HEADER_LEN + 2 * sealed_chunk);
    let swapped = [&sealed[..HEADER_LEN], &sealed[second.clone()], &sealed[first.clone()], &sealed[second.end..]].concat();
    assert_eq!(try_open(&swapped), Err("envelope-tag"));
    let repeated = [&sealed[..first.end], &sealed[first.clone()], &sealed[second.end..]].concat();
    assert_eq!(try_open(&repeated), Err("envelope-tag"));
    let dropped = [&sealed[..HEADER_LEN], &sealed[second]].concat();
    assert!(try_open(&dropped).is_err());
}

#[test]
fn another_key_context_or_announced_hash_is_refused_at_the_header() {
    let (hash, sealed) = seal(&key(), &File(1), b"scan");
    assert_eq!(open(&CompartmentKey::make(), &File(1), &hash, &sealed), Err(CryptoError::Commitment));
    assert_eq!(open(&key(), &File(2), &hash, &sealed), Err(CryptoError::Commitment));
    assert_eq!(open(&key(), &File(1), &sha256(&[b"scam"]), &sealed), Err(CryptoError::Commitment));
    assert_eq!(open(&key(), &File(1), &hash, &sealed[..79]), Err(CryptoError::StreamMalformed));
    assert_eq!(open(&key(), &File(1), &hash, &sealed[..80]), Err(CryptoError::StreamTruncated));
}

#[test]
fn a_file_that_changed_is_not_sealed_under_the_old_hash() {
    let (hash, sealed) = seal(&key(), &File(1), b"before");
    let changed = Sealer::resume(&key(), &File(1), &sha256(&[b"after!"]), &sealed[..HEADER_LEN]);
    assert_eq!(changed.err(), Some(CryptoError::Commitment));
    let mut stale = Sealer::resume(&key(), &File(1), &hash, &sealed[..HEADER_LEN]).unwrap();
    let mut out = Vec::new();
    stale.push(b"after!", &mut out);
    assert_eq!(stale.finish(&mut out), Err(CryptoError::StreamHash));
    assert!(out.is_empty());
}

#[test]
fn a_dishonest_sealer_cannot_announce_another_hash() {
    let hash = sha256(&[b"announced"]);
    let mut sealer = Sealer::with_random(&key(), &File(1), &hash, [1; 32]);
    let mut sealed = sealer.header().to_vec();
    sealer.buffer.extend_from_slice(b"delivered");
    sealer.seal_chunk(Place::Last, &mut sealed);
    assert_eq!(open(&key(), &File(1), &hash, &sealed), Err(CryptoError::StreamHash));
}
