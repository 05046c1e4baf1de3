//! Folders and archives of documents, and the ways in which an archive can lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use subrosa_records::documents::read_zip;
use subrosa_records::{Importer, Limits, Options, UnownedWhy, read};
use zip::write::SimpleFileOptions;

const PDF: &[u8] = b"%PDF-1.4 sample";

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(
                *name,
                SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated),
            )
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn documents_are_grouped_by_patient_and_dated_by_their_names() {
    let bytes = archive(&[
        ("Clients/Example, Ada/2024-01-05 intake.pdf", PDF),
        ("Clients/Example, Ada/consent.pdf", b"%PDF-1.4 other"),
        ("Clients/Sample, Bo/notes.txt", b"a few words"),
        ("Clients/price list.pdf", b"%PDF-1.4 third"),
        ("__MACOSX/._x", b"junk"),
    ]);
    let batch = read_zip(&bytes, &Options::default()).unwrap();
    let names: Vec<String> = batch
        .patients
        .iter()
        .map(|p| p.card.display_name())
        .collect();
    assert_eq!(names, ["Example, Ada", "Sample, Bo"]);
    let first = &batch.items[0];
    assert_eq!(
        (
            first.schema.as_str(),
            first.content_type.as_str(),
            first.title.as_str(),
            first.occurred.as_deref()
        ),
        (
            "document/pdf",
            "application/pdf",
            "intake",
            Some("2024-01-05")
        )
    );
    assert_eq!(first.body, PDF);
    assert_eq!(
        (batch.items.len(), batch.unowned.len(), batch.skipped.len()),
        (3, 1, 1)
    );
    assert_eq!(batch.unowned[0].why, UnownedWhy::NoPatient);
    assert_eq!(
        (batch.skipped[0].at.as_str(), batch.skipped[0].code),
        ("member 5", "system-file")
    );
}

#[test]
fn the_same_blank_form_of_two_patients_is_in_both_charts() {
    let batch = read_zip(
        &archive(&[("Example, Ada/form.pdf", PDF), ("Sample, Bo/form.pdf", PDF)]),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(batch.items.len(), 2);
}

#[test]
fn an_archive_of_an_export_is_read_as_an_export() {
    let patient = br#"{"resourceType":"Patient","id":"1"}"#;
    let goal = br#"{"resourceType":"Goal","subject":{"reference":"Patient/1"}}"#;
    let batch = read(
        "export.zip",
        &archive(&[
            ("Goal.ndjson", goal),
            ("bad.ndjson", b"{\"x\":\n"),
            ("Patient.ndjson", patient),
        ]),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(batch.items.len(), 2);
    assert!(
        batch
            .items
            .iter()
            .all(|item| item.patient_key == "Patient/1")
    );
    assert_eq!(
        (batch.skipped[0].at.as_str(), batch.skipped[0].code),
        ("member 2, line 1", "resource-unreadable")
    );
}

#[test]
fn a_folder_of_documents_is_read_file_by_file() {
    let mut importer = Importer::new(Options::default());
    importer.add("Example, Ada/a.pdf", PDF).unwrap();
    importer
        .add("Ada Example - 2024-01-06 - letter.pdf", b"%PDF-1.5")
        .unwrap();
    importer.add("Example, Ada/b.bin", b"\0\0\0").unwrap_err();
    let batch = importer.finish();
    assert_eq!((batch.patients.len(), batch.items.len()), (1, 2));
}

#[test]
fn names_that_climb_out_are_only_labels() {
    let batch = read_zip(
        &archive(&[
            ("../../../etc/Example, Ada/x.pdf", PDF),
            ("C:\\windows\\Sample, Bo\\y.pdf", b"%PDF-2"),
        ]),
        &Options::default(),
    )
    .unwrap();
    let names: Vec<String> = batch
        .patients
        .iter()
        .map(|p| p.card.display_name())
        .collect();
    assert_eq!(names, ["Example, Ada", "Sample, Bo"]);
}

#[test]
fn archives_within_archives_are_not_opened() {
    let batch = read_zip(
        &archive(&[("inner.zip", &archive(&[("a.pdf", PDF)]))]),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(batch.skipped[0].code, "zip-in-zip");
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![b'0'; 8 << 20];
    let bomb = archive(&[("Example, Ada/a.txt", &zeros)]);
    assert!(bomb.len() < 20_000);
    let refused = |limits: Limits| {
        read_zip(
            &bomb,
            &Options {
                limits,
                ..Options::default()
            },
        )
        .unwrap_err()
        .code()
    };
    assert_eq!(refused(Limits::default()), "zip-bomb", "by ratio");
    assert_eq!(
        refused(Limits {
            zip_ratio: 1_000_000,
            zip_total: 1 << 20,
            ..Limits::default()
        }),
        "zip-bomb",
        "by total"
    );
    let many: Vec<(String, &[u8])> = (0..50).map(|n| (format!("{n}.pdf"), PDF)).collect();
    let many: Vec<(&str, &[u8])> = many
        .iter()
        .map(|(name, bytes)| (name.as_str(), *bytes))
        .collect();
    let few = Options {
        limits: Limits {
            zip_entries: 10,
            ..Limits::default()
        },
        ..Options::default()
    };
    assert_eq!(
        read_zip(&archive(&many), &few).unwrap_err().code(),
        "too-many-pieces"
    );
}

#[test]
fn an_archive_that_lies_about_sizes_is_held_to_what_comes_out() {
    let mut bytes = archive(&[("Example, Ada/a.txt", &vec![b'0'; 4 << 20])]);
    // Make the directory claim that the member is tiny.
    let at = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    bytes[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
    let outcome = read_zip(&bytes, &Options::default());
    assert!(
        outcome.is_err()
            || outcome
                .unwrap()
                .items
                .iter()
                .all(|item| item.body.len() <= 2 << 20)
    );
}

#[test]
fn damaged_archives_are_refused_or_their_members_skipped() {
    let good = archive(&[
        ("Example, Ada/a.pdf", PDF),
        ("Example, Ada/b.pdf", b"%PDF-1.4 some more bytes here"),
    ]);
    assert_eq!(
        read_zip(&good[..good.len() - 30], &Options::default())
            .unwrap_err()
            .code(),
        "zip-damaged"
    );
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0xFF;
        if let Ok(batch) = read("x.zip", &bad, &Options::default()) {
            assert!(batch.items.len() + batch.unowned.len() + batch.skipped.len() <= 3);
        }
    }
}
