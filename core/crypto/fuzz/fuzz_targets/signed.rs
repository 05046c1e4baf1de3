//! Signed and endorsed statements: what parses has one encoding, and nothing that was not signed verifies.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use subrosa_crypto::{Endorsed, Signed, SigningKey, Statement};
use subrosa_model::PracticeId;

#[derive(Serialize, Deserialize)]
struct Fact {
    number: u32,
    text: String,
}
impl Statement for Fact {
    const NAMESPACE: &'static str = "fuzz-fact";
}

fuzz_target!(|data: &[u8]| {
    let (key, practice) = (SigningKey::from_seed([1; 32]).public(), PracticeId([1; 16]));
    if let Ok(signed) = Signed::<Fact>::from_bytes(data) {
        assert_eq!(signed.to_bytes(), data);
        let _ = signed.peek_unverified();
        assert!(signed.verify(&key, &practice).is_err());
    }
    if let Ok(endorsed) = Endorsed::<Fact>::from_bytes(data) {
        assert_eq!(endorsed.to_bytes(), data);
        assert!(endorsed.verify(|_| Some(key), &practice).is_err());
    }
});
