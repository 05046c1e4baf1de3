//! Samples of every form, for the tests that damage them.
#![allow(dead_code, clippy::unwrap_used)]

use serde::{Deserialize, Serialize};
use subrosa_crypto::*;
use subrosa_model::PracticeId;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ctx {
    pub chart: u32,
    pub name: String,
}
impl Context for Ctx {
    const NAMESPACE: &'static str = "test-context";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub words: Vec<String>,
    pub number: i64,
    pub more: std::collections::BTreeMap<String, Option<u16>>,
}
impl Statement for Fact {
    const NAMESPACE: &'static str = "test-fact";
}

pub const PRACTICE: PracticeId = PracticeId([1; 16]);

pub fn ctx() -> Ctx {
    Ctx { chart: 7, name: "north".into() }
}
pub fn fact() -> Fact {
    let more = [("a".to_owned(), Some(300)), ("bb".to_owned(), None)].into();
    Fact { words: vec!["sub".into(), "rosa".into()], number: -70_000, more }
}
pub fn key() -> CompartmentKey {
    CompartmentKey::from_bytes([2; 32])
}
pub fn signer(n: u8) -> SigningKey {
    SigningKey::from_seed([n; 32])
}
pub fn recipient() -> HpkeSecret {
    HpkeSecret::from_seed([3; 32])
}
pub fn find(id: &subrosa_model::KeyId) -> Option<VerifyingKey> {
    [1, 2].map(|n| signer(n).public()).into_iter().find(|k| k.id() == *id)
}

/// xorshift64*: damage that is the same at every run.
pub struct Damage(pub u64);
impl Damage {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
    /// Flips, overwrites, cuts, repeats or splices a few times.
    pub fn mutate(&mut self, sample: &[u8], other: &[u8]) -> Vec<u8> {
        let mut out = sample.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(out.len());
            match self.below(7) {
                0 if !out.is_empty() => out[at] ^= 1 << self.below(8),
                1 if !out.is_empty() => out[at] = [0, 0x1f, 0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x1b, 0x5b, 0xd8][self.below(10)],
                2 => out.truncate(at),
                3 => {
                    let n = self.below(9);
                    let more = self.bytes(n);
                    out.splice(at..at, more);
                }
                4 => {
                    let end = (at + self.below(40)).min(out.len());
                    out.drain(at..end);
                }
                5 => {
                    let end = (at + self.below(40)).min(out.len());
                    let copy = out[at..end].to_vec();
                    out.splice(at..at, copy);
                }
                _ => {
                    let from = self.below(other.len());
                    out.truncate(at);
                    out.extend_from_slice(&other[from..]);
                }
            }
        }
        out
    }
}
