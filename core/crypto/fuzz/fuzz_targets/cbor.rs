//! Whatever decodes must be exactly what encode writes for it.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use subrosa_crypto::cbor;
use subrosa_model::Bytes;

#[derive(Serialize, Deserialize)]
enum Kind {
    Unit,
    Tuple(u8, i64),
    Struct { a: Option<bool>, b: f64 },
}

#[derive(Serialize, Deserialize)]
struct Sample {
    text: String,
    bytes: Bytes,
    map: BTreeMap<i32, Vec<Sample>>,
    kind: Kind,
}

fuzz_target!(|data: &[u8]| {
    if let Ok(value) = cbor::decode::<Sample>(data) {
        assert_eq!(cbor::encode(&value), data);
    }
    if let Ok(value) = cbor::decode::<BTreeMap<String, Option<Vec<u64>>>>(data) {
        assert_eq!(cbor::encode(&value), data);
    }
});
