//! Real exports written by others: every resource accounted for, equal as JSON when written out again.
//!
//! Looks in `SUBROSA_CORPORA`, else beside the repository; where there is nothing, each test says so in one line and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;
use subrosa_model::Compartment;
use subrosa_records::{
    Importer, Limits, Options, UnownedWhy, ccda, detect, fhir, plain_text, read, summary, title_of,
};

fn corpus(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let root = std::env::var_os("SUBROSA_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let Ok(list) = std::fs::read_dir(root.join(folder)) else {
        println!("skipped: no corpus {folder}; set SUBROSA_CORPORA");
        return None;
    };
    let mut files: Vec<(String, Vec<u8>)> = list
        .flatten()
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    Some(files)
}

#[test]
fn every_resource_of_the_synthea_bundles_comes_out_equal() {
    let Some(files) = corpus("fhir-synthea-r4") else {
        return;
    };
    let (mut items, mut unowned, mut patients) = (0, 0, 0);
    for (name, bytes) in &files {
        let batch = read(name, bytes, &Options::default()).unwrap();
        let source: Value = serde_json::from_slice(bytes).unwrap();
        let resources: Vec<&Value> = source["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["resource"])
            .collect();
        assert_eq!(batch.items.len() + batch.unowned.len(), resources.len());
        assert!(
            batch.skipped.is_empty() && batch.remarks.is_empty(),
            "{:?}",
            batch.skipped
        );
        assert!(
            batch
                .unowned
                .iter()
                .all(|u| u.why == UnownedWhy::PracticeWide)
        );
        assert!(
            batch
                .items
                .iter()
                .all(|item| batch.patient(&item.patient_key).is_some())
        );
        for item in &batch.items {
            let admin = ["Coverage", "Claim", "ExplanationOfBenefit", "Appointment"]
                .iter()
                .any(|kind| item.schema == format!("fhir-r4/{kind}"));
            let expected = if item.schema == "fhir-r4/Patient" {
                Compartment::Identity
            } else if admin {
                Compartment::Admin
            } else {
                Compartment::Record
            };
            assert_eq!(item.compartment, expected);
            assert!(!item.title.is_empty() && title_of(&item.schema, &item.body) == item.title);
            assert!(!summary(item).is_empty(), "{}", item.schema);
        }
        assert!(
            batch
                .patients
                .iter()
                .all(|p| !p.card.family.is_empty() && p.card.birth_date.is_some())
        );

        let all = || {
            batch
                .items
                .iter()
                .chain(batch.unowned.iter().map(|u| &u.item))
                .map(fhir::Resource::from)
        };
        let out = fhir::fhir_bundle(all()).unwrap();
        assert!(fhir::prove_round_trip(bytes, &out).unwrap().holds());
        // The same proof by an independent parser, with the names that references need.
        let written: Value = serde_json::from_slice(&out).unwrap();
        let entries = written["entry"].as_array().unwrap();
        let exported: Vec<&Value> = entries.iter().map(|entry| &entry["resource"]).collect();
        assert!(resources.iter().all(|resource| exported.contains(resource)));
        let full_urls: HashSet<&str> = entries
            .iter()
            .filter_map(|entry| entry["fullUrl"].as_str())
            .collect();
        let patient = entries
            .iter()
            .find(|entry| entry["resource"]["resourceType"] == "Patient");
        if let Some(patient) = patient.filter(|_| resources.len() > 1) {
            assert!(full_urls.contains(
                format!("urn:uuid:{}", patient["resource"]["id"].as_str().unwrap()).as_str()
            ));
        }
        let lines = fhir::fhir_ndjson(all()).unwrap();
        assert!(fhir::prove_round_trip(bytes, &lines).unwrap().holds());
        items += batch.items.len();
        unowned += batch.unowned.len();
        patients += batch.patients.len();
    }
    assert_eq!((patients, items, unowned), (40, 10830, 340));
}

#[test]
fn the_bulk_export_is_joined_across_its_files_with_every_note_readable() {
    let Some(files) = corpus("fhir-bulk-10-patients") else {
        return;
    };
    let mut importer = Importer::new(Options::default());
    let (mut lines, mut source) = (0, Vec::new());
    for (name, bytes) in &files {
        importer.add(name, bytes).unwrap();
        lines += fhir::lines(bytes).count();
        if name != "log.ndjson" {
            source.extend_from_slice(bytes);
        }
    }
    let batch = importer.finish();
    assert_eq!(
        batch.items.len() + batch.unowned.len() + batch.skipped.len(),
        lines
    );
    assert_eq!(batch.patients.len(), 13);
    assert!(
        batch.skipped.iter().all(|r| r.code == "no-resource-type"),
        "only the export's own log is no FHIR"
    );
    assert_eq!(batch.skipped.len(), 4);
    assert!(
        batch
            .unowned
            .iter()
            .all(|u| u.why == UnownedWhy::PracticeWide)
    );
    let mut notes = 0;
    for item in batch
        .items
        .iter()
        .filter(|item| item.schema == "fhir-r4/DocumentReference")
    {
        assert!(
            plain_text(&item.schema, &item.content_type, &item.body)
                .is_some_and(|text| text.len() > 100)
        );
        notes += 1;
    }
    assert_eq!(notes, 1215);
    let all = batch
        .items
        .iter()
        .chain(batch.unowned.iter().map(|u| &u.item))
        .map(fhir::Resource::from);
    assert!(
        fhir::prove_round_trip(&source, &fhir::fhir_bundle(all).unwrap())
            .unwrap()
            .holds()
    );
}

#[test]
fn what_every_c_cda_says_of_itself_is_read() {
    let Some(files) = corpus("ccda") else { return };
    assert_eq!(files.len(), 40);
    let (mut documents, mut silent) = (0, Vec::new());
    for (name, bytes) in &files {
        assert_eq!(detect(name, bytes), subrosa_records::Format::Ccda, "{name}");
        let header = ccda::read_header(bytes, &Limits::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!header.root.is_empty());
        if header.code.is_none() && header.title.is_none() && header.templates.is_empty() {
            silent.push(header.root.clone());
        }
        ccda::sections(bytes, &Limits::default()).unwrap();
        let batch = read(name, bytes, &Options::default()).unwrap();
        let kept = batch
            .items
            .iter()
            .chain(batch.unowned.iter().map(|u| &u.item))
            .all(|item| item.body == *bytes);
        assert!(kept && batch.items.len() + batch.unowned.len() == 1);
        if header.root == "ClinicalDocument" {
            documents += 1;
            assert_eq!(header.patients[0].1.display_name(), "Everyman, Adam");
            assert_eq!(
                header.effective_time.as_deref(),
                Some("2005-03-29T17:15:04-05:00")
            );
            assert_eq!(header.author.as_deref(), Some("Henry Seven"));
        }
    }
    // The corpus has one whole document; the rest are pieces of documents, a few of which say only their element's name.
    assert_eq!(documents, 1);
    assert!(silent.len() <= 3, "{silent:?}");
}

#[test]
fn reading_is_quick_enough() {
    let Some(files) = corpus("fhir-synthea-r4") else {
        return;
    };
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let start = Instant::now();
    for (name, bytes) in &files {
        read(name, bytes, &Options::default()).unwrap();
    }
    let rate = bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    println!(
        "{rate:.0} MB/s of FHIR JSON ({})",
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
    );
    assert!(rate > 2.0, "even unoptimised: {rate:.1} MB/s");
}
