//! Every text format: no panic, and what is accepted is written back byte for byte. Seeds: ../tests/vectors.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_crypto::SigningKey;
use subrosa_ledger::tiles::Tile;
use subrosa_ledger::tree::TreeHead;
use subrosa_ledger::witness::{AddCheckpoint, decide};
use subrosa_ledger::{
    Checkpoint, Frontier, LogKey, MapProof, Note, NoteSignature, ProofFile, SignedCheckpoint,
    WitnessKey,
};
use subrosa_model::Timestamp;

fn same<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Option<T> {
    let read = text.parse::<T>().ok()?;
    assert_eq!(read.to_string(), text);
    Some(read)
}

fuzz_target!(|text: &str| {
    let log: LogKey = include_str!("../../tests/vectors/keys.txt")
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let log = [log];
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.text(), text);
    }
    if let Ok(mut signed) = SignedCheckpoint::open(text, &log) {
        assert_eq!(signed.to_string(), text);
        let _ = signed.add_cosignatures(text, &[]);
    }
    same::<NoteSignature>(text);
    same::<LogKey>(text);
    same::<WitnessKey>(text);
    same::<Tile>(text);
    if let Some(file) = same::<ProofFile>(text) {
        let _ = file.verify(&log, &[], 0);
    }
    if let Some(request) = same::<AddCheckpoint>(text) {
        let key = SigningKey::from_seed([1; 32]);
        let name = "witness.example".parse().unwrap();
        let _ = decide(
            &request,
            &log,
            &TreeHead::empty(),
            &name,
            &key,
            Timestamp(1_000_000),
        );
    }
    let _ = serde_json::from_str::<MapProof>(text);
    let _ = serde_json::from_str::<Frontier>(text);
});
