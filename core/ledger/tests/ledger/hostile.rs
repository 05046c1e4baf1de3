//! Whatever arrives, the parsers answer, quickly, and never accept two spellings of one thing.
use crate::common::*;
use proptest::prelude::*;
use subrosa_ledger::tiles::{Tile, TileSet, parse_bundle};
use subrosa_ledger::tree::{NodeSource, TreeHead, inclusion_proof};
use subrosa_ledger::witness::{AddCheckpoint, decide};
use subrosa_ledger::*;

fn seeds() -> Vec<String> {
    let log = Log::of(11);
    let mut signed = log.checkpoint(11);
    let line = signed
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    signed
        .add_cosignatures(&format!("{line}\n"), &[witness_key(1)])
        .unwrap();
    let proof = inclusion_proof(&log.nodes, 6, 11).unwrap();
    vec![
        signed.to_string(),
        ProofFile::new(&leaf(6), 6, proof.clone(), &signed)
            .unwrap()
            .to_string(),
        AddCheckpoint::new(4, proof, &signed).to_string(),
        log_key().to_string(),
        witness_key(1).to_string(),
        "tile/entries/x001/x234/067.p/17".into(),
        line.to_string(),
    ]
}

/// Reads a text as everything it could be; what is accepted must be written back the same.
fn read_as_everything(text: &str) {
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
    }
    if let Ok(line) = text.parse::<NoteSignature>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.text(), text);
    }
    if let Ok(signed) = SignedCheckpoint::open(text, &[log_key()]) {
        assert_eq!(signed.to_string(), text);
        assert_eq!(
            signed.head(),
            Log::of(11).frontier.head(),
            "only the true checkpoint has a true signature"
        );
        let _ = signed.cosignatures(&[witness_key(1)]);
    }
    if let Ok(file) = text.parse::<ProofFile>() {
        assert_eq!(file.to_string(), text);
        if let Ok(proven) = file.verify(&[log_key()], &[witness_key(1)], 1) {
            assert_eq!((proven.leaf, proven.index), (leaf(6), 6));
        }
    }
    if let Ok(request) = text.parse::<AddCheckpoint>() {
        assert_eq!(request.to_string(), text);
        let _ = decide(
            &request,
            &[log_key()],
            &TreeHead::empty(),
            &witness_name(1),
            &witness_secret(1),
            NOW,
        );
    }
    if let Ok(key) = text.parse::<LogKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = text.parse::<WitnessKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text);
        let _ = tile.nodes().count();
    }
    let _ = Log::of(11)
        .checkpoint(11)
        .add_cosignatures(text, &[witness_key(1)]);
    let _ = serde_json::from_str::<MapProof>(text);
    let _ = serde_json::from_str::<Frontier>(text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn mutated_texts_are_answered(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0u8..5, any::<char>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let seeds = seeds();
        let mut text: Vec<char> = which.get(&seeds).chars().collect();
        for (at, how, what, to) in edits {
            if text.is_empty() { break }
            let (at, to) = (at.index(text.len()), to.index(text.len()));
            match how {
                0 => text[at] = what,
                1 => text.insert(at, what),
                2 => { text.remove(at); }
                3 => { let part = text[at.min(to)..at.max(to)].to_vec(); text.splice(at..at, part); }
                _ => text.truncate(at),
            }
        }
        read_as_everything(&text.into_iter().collect::<String>());
    }

    #[test]
    fn random_texts_are_answered(text in "\\PC*", lines in "([a-z0-9=+/ —\n]{0,60}\n){0,20}") {
        read_as_everything(&text);
        read_as_everything(&lines);
    }

    #[test]
    fn random_tiles_and_bundles_are_answered(content in prop::collection::vec(any::<u8>(), 0..9000), width in any::<u16>(), level in any::<u8>(), index in any::<u64>()) {
        let _ = parse_bundle(&content, width);
        let mut set = TileSet::new();
        if let Ok(tile) = Tile::new(subrosa_ledger::tiles::TileKind::Hashes(level), index, width) {
            let _ = set.insert(&tile, &content);
            let _ = set.insert(&tile, &vec![0; usize::from(width) * 32]);
        }
        let _ = set.node(level, index);
    }
}

#[test]
fn the_seeds_themselves_are_accepted() {
    for text in seeds() {
        read_as_everything(&text);
    }
}

#[test]
fn huge_inputs_are_refused_before_they_are_worked_on() {
    let long = "old 1\n".to_owned() + &"A".repeat(44).repeat(100_000);
    read_as_everything(&long);
    read_as_everything(&"\n".repeat(1_000_000));
    read_as_everything(&"\u{2014} a AAAAAAAA\n".repeat(50_000));
    read_as_everything(&format!(
        "c2sp.org/tlog-proof@v1\nextra {}\nindex 1\n\n",
        "AAAA".repeat(1_000_000)
    ));
}
