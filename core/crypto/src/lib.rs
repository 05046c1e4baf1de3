//! Subrosa's cryptography, suite 1: envelopes, wraps, seals, signatures, codes for people. The only crate of the house that touches primitives.
//!
//! What it never does: I/O, reading a clock, deciding who may see what, keeping state. `make_*` draws randomness, `derive_*` is deterministic.
//! Nothing here panics on data from outside; it stops only when the system has no randomness to give.
//!
//! It follows: AES-256-GCM (NIST SP 800-38D), HKDF-SHA-256 (RFC 5869), Ed25519 with strict verification (RFC 8032), HPKE base mode (RFC 9180) with
//! X-Wing (draft-ietf-hpke-pq), Argon2id (RFC 9106), BIP-39 words, Padmé (PoPETs 2019), STREAM (CRYPTO 2015), COSE (RFC 9052) on deterministic CBOR
//! (RFC 8949 section 4.2.1). The modules that implement the primitives are not FIPS-validated.
//!
//! ```
//! use subrosa_crypto::{CompartmentKey, Context, open, pad, seal, unpad};
//!
//! #[derive(serde::Serialize)]
//! struct EntryContext { chart: u32, version: u32 }
//! impl Context for EntryContext { const NAMESPACE: &'static str = "example-entry"; }
//!
//! let key = CompartmentKey::make();
//! let sealed = seal(&key, &EntryContext { chart: 7, version: 1 }, &pad(b"said in confidence", 4096));
//! let padded = open(&key, &EntryContext { chart: 7, version: 1 }, &sealed)?;
//! assert_eq!(unpad(&padded)?, b"said in confidence");
//! assert_eq!(open(&key, &EntryContext { chart: 8, version: 1 }, &sealed).unwrap_err().code(), "envelope-commitment");
//! # Ok::<(), subrosa_crypto::CryptoError>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cose;
mod envelope;
mod error;
mod hash;
mod hpke;
mod kek;
mod key;
mod pad;
mod sign;
mod text;

#[cfg(test)]
mod known_answers;

pub mod cbor;
pub mod random;
pub mod stream;
pub mod words;
pub mod xor;

pub use crate::hpke::{
    HPKE_EK_LEN, HPKE_PUBLIC_LEN, HpkePublic, HpkeSecret, open_from, open_key_from, recipient_of, seal_key_to, seal_to,
};
pub use cose::Context;
pub use envelope::{EnvelopeInfo, inspect, open, open_key, seal, seal_key};
pub use error::CryptoError;
pub use hash::{mac, mac_verify, sha256};
pub use kek::{derive_kit_key, derive_prf_kek};
pub use key::{
    BundleKey, CompartmentKey, CopyKey, DeviceKey, DraftKey, EpochKey, HalfKey, KekKey, Key, KitKey, RosterKey, StoreKey,
    purpose,
};
pub use pad::{DRAFT_STEP, ENVELOPE_FLOOR, pad, pad_to_step, padme, unpad};
pub use text::{base64url, from_base64url};
pub use zeroize::{Zeroize, Zeroizing};
pub use sign::{Endorsed, MAX_SIGNATURES, Signed, SigningKey, Statement, VerifyingKey};
