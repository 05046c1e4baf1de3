//! Envelopes and seals: nothing that was not sealed opens.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use subrosa_crypto::{CompartmentKey, Context, HpkeSecret, inspect, open, open_from, recipient_of};

#[derive(serde::Serialize)]
struct Place(u8);
impl Context for Place {
    const NAMESPACE: &'static str = "fuzz-place";
}

static SECRET: OnceLock<HpkeSecret> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let key = CompartmentKey::from_bytes([1; 32]);
    let _ = inspect(data);
    let _ = recipient_of(data);
    assert!(open(&key, &Place(1), data).is_err());
    assert!(open_from(SECRET.get_or_init(|| HpkeSecret::from_seed([2; 32])), &Place(1), data).is_err());
});
