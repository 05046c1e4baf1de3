//! Codes typed by people: what is read back is what would be written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_crypto::{pad, unpad, words};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Ok(code) = words::words_to_code(&text) {
        assert_eq!(words::words_to_code(&words::code_to_words(&code)), Ok(code));
    }
    let _ = words::six_words(data);
    let _ = unpad(data);
    assert_eq!(unpad(&pad(data, 64)), Ok(data));
});
