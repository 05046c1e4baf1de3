//! Attachments: nothing that was not sealed opens, whatever the pieces; what is sealed comes back.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_crypto::{CompartmentKey, Context, sha256, stream};

#[derive(serde::Serialize)]
struct Place(u8);
impl Context for Place {
    const NAMESPACE: &'static str = "fuzz-place";
}

fuzz_target!(|data: &[u8]| {
    let key = CompartmentKey::from_bytes([1; 32]);
    let _ = stream::open(&key, &Place(1), &sha256(&[]), data);
    let (hash, sealed) = stream::seal(&key, &Place(1), data);
    let piece = usize::from(data.first().copied().unwrap_or(0)) * 700 + 1;
    let header = &sealed[..stream::HEADER_LEN];
    let Ok(mut opener) = stream::Opener::new(&key, &Place(1), &hash, header) else { panic!("own header") };
    let mut out = Vec::new();
    for part in sealed[stream::HEADER_LEN..].chunks(piece) {
        assert!(opener.push(part, &mut out).is_ok());
    }
    assert!(opener.finish(&mut out).is_ok());
    assert_eq!(out, data);

    let Ok(mut opener) = stream::Opener::new(&key, &Place(1), &hash, header) else { panic!("own header") };
    let mut out = Vec::new();
    let accepted = opener.push(data, &mut out).and_then(|()| opener.finish(&mut out));
    assert!(accepted.is_err(), "the content is not its own ciphertext");
});
