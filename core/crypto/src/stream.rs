//! Attachments: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) as C2SP's chunked encryption has it: 64 KiB chunks under
//! AES-256-GCM, nonce = 11-byte big-endian counter and one byte that is 1 on the last chunk. Chunks cannot be moved, dropped or added.
//!
//! ```text
//! header  "subrosa/1/stream" (16) | random (32) | commitment (32)
//! chunk   up to 65536 bytes of ciphertext | tag (16), repeated; only the last may be shorter, and is empty only when the whole content is
//! keys    HKDF-Expand(key, "subrosa/1/" || NAMESPACE || "/stream" || random || SHA-256(context) || SHA-256(content), 64): chunk key, commitment
//! ```
//!
//! The content's own hash is in the derivation: a file that changed before an interrupted upload is taken up again gets another key, so no chunk
//! number is used twice under one key. The reader knows that hash from the signed, sealed entry. Chunks come out one by one, each authentic; that
//! the whole is complete is known only after [`Opener::finish`], so a preview is marked unverified until then.

use crate::cose::{self, Context};
use crate::envelope::{TAG_LEN, decrypt_in_place, encrypt_in_place, same};
use crate::hash::{expand, sha256};
use crate::{CryptoError, Key, random};
use sha2::{Digest, Sha256};
use subrosa_model::Hash32;
use zeroize::Zeroizing;

/// Bytes of content in one chunk.
pub const CHUNK_LEN: usize = 64 * 1024;
/// Bytes of the header.
pub const HEADER_LEN: usize = 80;
const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
const MAGIC: &[u8; 16] = b"subrosa/1/stream";

/// The sealed length of a content of `len` bytes.
pub fn sealed_len(len: u64) -> u64 {
    let chunks = len.div_ceil(CHUNK_LEN as u64).max(1);
    HEADER_LEN as u64 + len + chunks * TAG_LEN as u64
}

/// Chunk key and chunk counter; shared by both directions.
struct Chunks {
    keys: Zeroizing<[u8; 64]>,
    next: u64,
}

impl Chunks {
    fn derive<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32, random: &[u8; 32]) -> Self {
        let context = sha256(&[&cose::external_aad(ctx)]);
        let info: [&[u8]; 6] = [b"subrosa/1/", C::NAMESPACE.as_bytes(), b"/stream", random, &context.0, &content.0];
        Chunks { keys: expand::<64>(key.expose(), &info), next: 0 }
    }

    fn commitment(&self) -> [u8; 32] {
        core::array::from_fn(|i| self.keys[32 + i])
    }

    fn key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(core::array::from_fn(|i| self.keys[i]))
    }

    /// Nonce of the next chunk. The counter cannot wrap: 2^64 chunks are 2^80 bytes.
    fn nonce(&mut self, place: Place) -> [u8; 12] {
        let mut nonce = [0u8; 12];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = place as u8;
        self.next += 1;
        nonce
    }
}

#[derive(Clone, Copy)]
enum Place {
    Inner = 0,
    Last = 1,
}

/// Seals content piece by piece.
pub struct Sealer {
    chunks: Chunks,
    header: [u8; HEADER_LEN],
    expect: Hash32,
    seen: Sha256,
    buffer: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Begins a new attachment whose content has the hash `content`. Write [`Sealer::header`] first.
    pub fn new<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32) -> Self {
        Self::with_random(key, ctx, content, random::make_bytes())
    }

    /// Takes up an interrupted upload: with the same key, context, content and header it writes the same bytes again, so that the caller can skip
    /// those already sent.
    ///
    /// Hazard: `content` must be the hash of the file as it is *now*, computed anew. With a stale hash and a changed file two contents would be
    /// sealed under one key; [`Sealer::finish`] notices only at the end.
    ///
    /// # Errors
    /// `StreamMalformed` when the header is not one of ours, `Commitment` when it belongs to another key, context or content.
    pub fn resume<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32, header: &[u8]) -> Result<Self, CryptoError> {
        let (random, commitment) = read_header(header)?;
        let sealer = Self::with_random(key, ctx, content, random);
        if same(&sealer.chunks.commitment(), &commitment) { Ok(sealer) } else { Err(CryptoError::Commitment) }
    }

    pub(crate) fn with_random<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32, random: [u8; 32]) -> Self {
        let chunks = Chunks::derive(key, ctx, content, &random);
        let mut header = [0u8; HEADER_LEN];
        header[..16].copy_from_slice(MAGIC);
        header[16..48].copy_from_slice(&random);
        header[48..].copy_from_slice(&chunks.commitment());
        Sealer { chunks, header, expect: *content, seen: Sha256::new(), buffer: Zeroizing::new(Vec::with_capacity(CHUNK_LEN)) }
    }

    /// The header that precedes the chunks.
    pub fn header(&self) -> &[u8; HEADER_LEN] {
        &self.header
    }

    /// Takes more content and appends the chunks that are complete to `out`.
    pub fn push(&mut self, mut content: &[u8], out: &mut Vec<u8>) {
        self.seen.update(content);
        while self.buffer.len() + content.len() > CHUNK_LEN {
            let (now, later) = content.split_at(CHUNK_LEN - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.seal_chunk(Place::Inner, out);
            content = later;
        }
        self.buffer.extend_from_slice(content);
    }

    /// Appends the last chunk to `out`.
    ///
    /// # Errors
    /// `StreamHash` when the content was not what was announced: throw away what was written.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CryptoError> {
        if self.seen.clone().finalize().as_slice() != self.expect.0 {
            return Err(CryptoError::StreamHash);
        }
        self.seal_chunk(Place::Last, out);
        Ok(())
    }

    fn seal_chunk(&mut self, place: Place, out: &mut Vec<u8>) {
        let nonce = self.chunks.nonce(place);
        let at = out.len();
        out.extend_from_slice(&self.buffer);
        encrypt_in_place(&self.chunks.key(), &nonce, &[], out, at);
        self.buffer.clear();
    }
}

fn read_header(header: &[u8]) -> Result<([u8; 32], [u8; 32]), CryptoError> {
    let header: &[u8; HEADER_LEN] = header.try_into().map_err(|_| CryptoError::StreamMalformed)?;
    if header[..16] != MAGIC[..] {
        return Err(CryptoError::StreamMalformed);
    }
    Ok((core::array::from_fn(|i| header[16 + i]), core::array::from_fn(|i| header[48 + i])))
}

/// Opens an attachment piece by piece.
pub struct Opener {
    chunks: Chunks,
    expect: Hash32,
    seen: Sha256,
    buffer: Vec<u8>,
}

impl Opener {
    /// Begins with the header; `content` is the hash from the signed entry.
    ///
    /// # Errors
    /// `StreamMalformed` when the header is not one of ours, `Commitment` when it belongs to another key, context or content.
    pub fn new<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32, header: &[u8]) -> Result<Self, CryptoError> {
        let (random, commitment) = read_header(header)?;
        let chunks = Chunks::derive(key, ctx, content, &random);
        if !same(&chunks.commitment(), &commitment) {
            return Err(CryptoError::Commitment);
        }
        Ok(Opener { chunks, expect: *content, seen: Sha256::new(), buffer: Vec::new() })
    }

    /// Takes more sealed bytes and appends the content of each chunk that is authentic to `out`. It is not yet known to be whole.
    ///
    /// # Errors
    /// `Tag` when a chunk is altered, moved or from elsewhere. Stop then: what came out before is authentic but incomplete.
    pub fn push(&mut self, mut sealed: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        while self.buffer.len() + sealed.len() > SEALED_CHUNK_LEN {
            let (now, later) = sealed.split_at(SEALED_CHUNK_LEN - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.open_chunk(Place::Inner, out)?;
            sealed = later;
        }
        self.buffer.extend_from_slice(sealed);
        Ok(())
    }

    /// Opens the last chunk and checks that the whole is what was announced.
    ///
    /// # Errors
    /// `StreamTruncated` when the last chunk is missing or something follows it, `StreamHash` when the content is another one.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CryptoError> {
        let empty = self.buffer.len() == TAG_LEN;
        if self.buffer.len() < TAG_LEN || (empty && self.chunks.next > 0) {
            return Err(CryptoError::StreamTruncated);
        }
        self.open_chunk(Place::Last, out).map_err(|_| CryptoError::StreamTruncated)?;
        if self.seen.finalize().as_slice() != self.expect.0 {
            return Err(CryptoError::StreamHash);
        }
        Ok(())
    }

    fn open_chunk(&mut self, place: Place, out: &mut Vec<u8>) -> Result<(), CryptoError> {
        let nonce = self.chunks.nonce(place);
        decrypt_in_place(&self.chunks.key(), &nonce, &[], &mut self.buffer)?;
        self.seen.update(&self.buffer);
        out.extend_from_slice(&self.buffer);
        zeroize::Zeroize::zeroize(self.buffer.as_mut_slice());
        self.buffer.clear();
        Ok(())
    }
}

/// Seals a whole content; gives the content's hash (for the sealed entry) and the sealed bytes.
pub fn seal<P, C: Context>(key: &Key<P>, ctx: &C, content: &[u8]) -> (Hash32, Vec<u8>) {
    seal_with(key, ctx, content, random::make_bytes())
}

pub(crate) fn seal_with<P, C: Context>(key: &Key<P>, ctx: &C, content: &[u8], random: [u8; 32]) -> (Hash32, Vec<u8>) {
    let hash = sha256(&[content]);
    let mut sealer = Sealer::with_random(key, ctx, &hash, random);
    let mut out = Vec::with_capacity(usize::try_from(sealed_len(content.len() as u64)).unwrap_or(0));
    out.extend_from_slice(sealer.header());
    let mut rest = content;
    while rest.len() > CHUNK_LEN {
        let (now, later) = rest.split_at(CHUNK_LEN);
        sealer.buffer.extend_from_slice(now);
        sealer.seal_chunk(Place::Inner, &mut out);
        rest = later;
    }
    sealer.buffer.extend_from_slice(rest);
    sealer.seal_chunk(Place::Last, &mut out);
    (hash, out)
}

/// Opens a whole attachment; nothing comes out unless all of it is authentic and complete.
///
/// # Errors
/// As [`Opener`].
pub fn open<P, C: Context>(key: &Key<P>, ctx: &C, content: &Hash32, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (header, chunks) = sealed.split_at_checked(HEADER_LEN).ok_or(CryptoError::StreamMalformed)?;
    let mut opener = Opener::new(key, ctx, content, header)?;
    let mut out = Zeroizing::new(Vec::with_capacity(chunks.len()));
    opener.push(chunks, &mut out)?;
    opener.finish(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
