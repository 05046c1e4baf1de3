use crate::common::*;
use subrosa_ledger::proof_file::ProofFileError;
use subrosa_ledger::tree::inclusion_proof;
use subrosa_ledger::*;
use subrosa_model::Timestamp;

#[test]
fn a_checkpoint_is_opened_only_with_a_key_of_its_log() {
    let note = Log::of(5).checkpoint(5).to_string();
    assert_eq!(
        SignedCheckpoint::open(&note, &[log_key()])
            .unwrap()
            .checkpoint()
            .size,
        5
    );
    let stranger = LogKey::new(origin(), witness_secret(1).public());
    assert_eq!(
        SignedCheckpoint::open(&note, std::slice::from_ref(&stranger)),
        Err(NoteError::Unsigned)
    );
    let elsewhere = LogKey::new(name("ledger.example/practice-8"), log_secret().public());
    assert_eq!(
        SignedCheckpoint::open(&note, &[elsewhere]),
        Err(NoteError::Origin)
    );
    assert_eq!(SignedCheckpoint::open(&note, &[]), Err(NoteError::Origin));
    assert!(
        SignedCheckpoint::open(&note, &[stranger, log_key()]).is_ok(),
        "either key while the log changes its key"
    );
}

#[test]
fn a_checkpoint_with_any_changed_byte_is_refused() {
    let note = Log::of(5).checkpoint(5).to_string();
    for at in 0..note.len() {
        for change in [1u8, 0x20] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= change;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(
                SignedCheckpoint::open(&changed, &[log_key()]).is_err(),
                "byte {at}"
            );
        }
        let Some(shorter) = note.get(..at) else {
            continue;
        };
        assert!(
            SignedCheckpoint::open(shorter, &[log_key()]).is_err(),
            "cut at {at}"
        );
    }
}

#[test]
fn extension_lines_and_other_forms_of_a_number_or_a_hash_are_refused() {
    let good = Log::of(5).checkpoint(5).checkpoint().text();
    assert!(Checkpoint::parse_text(&good).is_ok());
    for bad in [
        good.replace("\n5\n", "\n05\n"),
        good.replace("\n5\n", "\n+5\n"),
        good.replace("\n5\n", "\n5 \n"),
        good.replace("\n5\n", "\n18446744073709551616\n"),
        good.replace("=\n", "\n"),
        good.replace('\n', "\r\n"),
        format!("{good}extension\n"),
        format!("\n{good}"),
        good.trim_end().to_owned(),
        good.replace("ledger.example/", "ledger.example /"),
    ] {
        assert_eq!(
            Checkpoint::parse_text(&bad),
            Err(NoteError::Checkpoint),
            "{bad:?}"
        );
    }
}

#[test]
fn keys_travel_as_vkeys_and_only_as_the_right_kind() {
    let (log, witness) = (log_key().to_string(), witness_key(1).to_string());
    assert_eq!(log.parse::<LogKey>().unwrap(), log_key());
    assert_eq!(witness.parse::<WitnessKey>().unwrap(), witness_key(1));
    assert_eq!(log.parse::<WitnessKey>(), Err(NoteError::Key));
    assert_eq!(witness.parse::<LogKey>(), Err(NoteError::Key));
    assert_eq!(
        serde_json::from_str::<LogKey>(&serde_json::to_string(&log_key()).unwrap()).unwrap(),
        log_key()
    );
    assert!(
        log.replace("practice-7", "practice-8")
            .parse::<LogKey>()
            .is_err(),
        "the id binds the name"
    );
    // One secret used as both is still two keys.
    assert_ne!(
        LogKey::new(origin(), log_secret().public()).id(),
        WitnessKey::new(origin(), log_secret().public()).id()
    );
    for bad in [
        "",
        "a b",
        "a+b",
        "a\u{a0}b",
        "a\nb",
        "\u{7f}",
        &"x".repeat(256),
    ] {
        assert_eq!(bad.parse::<KeyName>(), Err(NoteError::Name), "{bad:?}");
    }
}

#[test]
fn cosignatures_tell_who_saw_the_checkpoint_and_when() {
    let mut signed = Log::of(5).checkpoint(5);
    for n in [1, 2] {
        let line = signed
            .cosign(
                &witness_name(n),
                &witness_secret(n),
                NOW.plus(i64::from(n) * 1999),
            )
            .unwrap();
        assert_eq!(
            signed.add_cosignatures(&format!("{line}\n"), &[witness_key(n)]),
            Ok(1)
        );
    }
    let opened = SignedCheckpoint::open(&signed.to_string(), &[log_key()]).unwrap();
    let seen = opened
        .cosignatures(&[witness_key(1), witness_key(2), witness_key(3)])
        .unwrap();
    let told: Vec<_> = seen.iter().map(|c| (c.witness.clone(), c.at)).collect();
    assert_eq!(
        told,
        [
            (witness_name(1), NOW.plus(1000)),
            (witness_name(2), NOW.plus(3000))
        ]
    );
}

#[test]
fn one_witness_counts_once_however_often_it_is_listed_or_named() {
    let mut signed = Log::of(5).checkpoint(5);
    let alias = WitnessKey::new(witness_name(9), witness_secret(1).public());
    for (name, at) in [
        (witness_name(1), NOW),
        (witness_name(1), NOW.plus(5000)),
        (witness_name(9), NOW),
    ] {
        let line = signed.cosign(&name, &witness_secret(1), at).unwrap();
        signed
            .add_cosignatures(&format!("{line}\n"), &[witness_key(1), alias.clone()])
            .unwrap();
    }
    let seen = signed
        .cosignatures(&[witness_key(1), witness_key(1), alias])
        .unwrap();
    assert_eq!(
        seen,
        [Cosignature {
            witness: witness_name(1),
            at: NOW.plus(5000)
        }]
    );
}

#[test]
fn a_cosignature_holds_for_its_time_and_its_checkpoint_only() {
    let log = Log::of(6);
    let (mut five, six) = (log.checkpoint(5), log.checkpoint(6));
    let line = six
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    assert_eq!(
        five.add_cosignatures(&format!("{line}\n"), &[witness_key(1)]),
        Err(NoteError::Signature)
    );
    let mut later = five
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    later.signature[7] ^= 1;
    let before = five.to_string();
    assert_eq!(
        five.add_cosignatures(&format!("{later}\n"), &[witness_key(1)]),
        Err(NoteError::Signature)
    );
    assert_eq!(
        five.to_string(),
        before,
        "nothing is taken over from a false answer"
    );
    assert_eq!(
        five.add_cosignatures(&format!("{later}\n"), &[]),
        Ok(0),
        "a stranger's line is ignored"
    );
    assert_eq!(five.to_string(), before);
    assert_eq!(
        five.cosign(&witness_name(1), &witness_secret(1), Timestamp(999)),
        Err(NoteError::Time)
    );
    assert_eq!(
        five.cosign(&witness_name(1), &witness_secret(1), Timestamp(-1)),
        Err(NoteError::Time)
    );
}

#[test]
fn sixteen_cosignatures_fit_and_a_flood_does_not() {
    let mut signed = Log::of(5).checkpoint(5);
    for n in 0..16 {
        let line = signed
            .cosign(&witness_name(n), &witness_secret(n), NOW)
            .unwrap();
        signed
            .add_cosignatures(&format!("{line}\n"), &[witness_key(n)])
            .unwrap();
    }
    assert!(SignedCheckpoint::open(&signed.to_string(), &[log_key()]).is_ok());
    let line = signed.note().signatures()[3].to_string();
    let flood = format!("{signed}{}", format!("{line}\n").repeat(100));
    assert_eq!(
        SignedCheckpoint::open(&flood, &[log_key()]),
        Err(NoteError::TooLarge)
    );
}

#[test]
fn a_log_that_rests_keeps_one_line_per_witness_the_newest() {
    let mut signed = Log::of(5).checkpoint(5);
    for hour in [0, 1, 2, 50, 3] {
        let at = NOW.plus(hour * Timestamp::HOUR);
        let line = signed
            .cosign(&witness_name(1), &witness_secret(1), at)
            .unwrap();
        assert_eq!(
            signed.add_cosignatures(&format!("{line}\n"), &[witness_key(1)]),
            Ok(1)
        );
    }
    assert_eq!(signed.note().signatures().len(), 2);
    let seen = signed.cosignatures(&[witness_key(1)]).unwrap();
    assert_eq!(seen[0].at, NOW.plus(50 * Timestamp::HOUR));
}

#[test]
fn a_true_line_takes_the_place_of_a_false_one_that_came_along() {
    let mut signed = Log::of(5).checkpoint(5);
    let line = signed
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    let mut false_line = line.clone();
    false_line.signature[20] ^= 1;
    let poisoned = format!("{signed}{false_line}\n");
    signed = SignedCheckpoint::open(&poisoned, &[log_key()]).unwrap();
    assert_eq!(
        signed.cosignatures(&[witness_key(1)]),
        Err(NoteError::Signature)
    );
    signed
        .add_cosignatures(&format!("{line}\n"), &[witness_key(1)])
        .unwrap();
    assert_eq!(signed.cosignatures(&[witness_key(1)]).unwrap().len(), 1);
}

#[test]
fn what_strangers_added_is_left_out_of_a_proof() {
    let mut signed = Log::of(5).checkpoint(5);
    for n in [1, 2] {
        let line = signed
            .cosign(&witness_name(n), &witness_secret(n), NOW)
            .unwrap();
        signed
            .add_cosignatures(&format!("{line}\n"), &[witness_key(n)])
            .unwrap();
    }
    let kept = signed.without_strangers(&[witness_key(2)]);
    assert_eq!(kept.note().signatures().len(), 2);
    let opened = SignedCheckpoint::open(&kept.to_string(), &[log_key()]).unwrap();
    assert_eq!(
        opened
            .cosignatures(&[witness_key(1), witness_key(2)])
            .unwrap()
            .len(),
        1
    );
}

fn proof_file() -> ProofFile {
    let log = Log::of(11);
    let mut signed = log.checkpoint(11);
    let line = signed
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    signed
        .add_cosignatures(&format!("{line}\n"), &[witness_key(1)])
        .unwrap();
    let proof = inclusion_proof(&log.nodes, 6, 11).unwrap();
    ProofFile::new(&leaf(6), 6, proof, &signed).unwrap()
}

#[test]
fn a_proof_file_proves_its_leaf_offline_to_who_knows_the_keys() {
    let text = proof_file().to_string();
    let file: ProofFile = text.parse().unwrap();
    assert_eq!(file.to_string(), text);
    let proven = file
        .verify(&[log_key()], &[witness_key(1), witness_key(2)], 1)
        .unwrap();
    assert_eq!(
        (proven.leaf, proven.index, proven.head.size),
        (leaf(6), 6, 11)
    );
    assert_eq!(
        proven.cosignatures,
        [Cosignature {
            witness: witness_name(1),
            at: NOW
        }]
    );
    assert_eq!(
        file.verify(&[log_key()], &[witness_key(1), witness_key(2)], 2),
        Err(ProofFileError::Witnesses { found: 1, least: 2 })
    );
    let stranger = LogKey::new(origin(), witness_secret(5).public());
    assert!(file.verify(&[stranger], &[witness_key(1)], 1).is_err());
}

#[test]
fn a_proof_file_with_any_changed_byte_is_refused() {
    let text = proof_file().to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let verdict = changed
            .parse::<ProofFile>()
            .and_then(|file| file.verify(&[log_key()], &[witness_key(1)], 1));
        assert!(verdict.is_err(), "byte {at}");
    }
}

#[test]
fn no_proof_file_is_written_for_a_leaf_that_is_not_in_the_log() {
    let log = Log::of(11);
    let proof = inclusion_proof(&log.nodes, 6, 11).unwrap();
    let signed = log.checkpoint(11);
    assert!(ProofFile::new(&leaf(7), 6, proof.clone(), &signed).is_err());
    assert!(ProofFile::new(&leaf(6), 7, proof.clone(), &signed).is_err());
    assert!(ProofFile::new(&leaf(6), 6, proof, &log.checkpoint(10)).is_err());
}
