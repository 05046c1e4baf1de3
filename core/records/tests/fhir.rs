//! FHIR in and out: whose each resource is, what is lost (nothing), what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use subrosa_model::Compartment;
use subrosa_records::{
    ImportBatch, Importer, Limits, Options, RecordsError, UnownedWhy, fhir, plain_text, read,
    summary,
};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"0b2e5a3c-1111-4222-8333-444455556666","identifier":[{"system":"http://example.org/mrn","value":"77","type":{"coding":[{"code":"MR"}]}}],
  "name":[{"use":"maiden","family":"Old"},{"use":"official","family":"Example","given":["Ada","B."]}],"gender":"female","birthDate":"1980-03-04",
  "telecom":[{"system":"phone","value":"555-0100"},{"system":"email","value":"ada@example.org"}],"address":[{"line":["1 Sample St"],"city":"Town","postalCode":"01234"}]}"#;

fn bundle(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(url, body)| {
            if url.is_empty() {
                format!("{{\"resource\": {body} }}")
            } else {
                format!("{{\"fullUrl\":\"{url}\",\n\"resource\":{body}}}")
            }
        })
        .collect();
    format!(
        "{{\"resourceType\" : \"Bundle\", \"type\":\"transaction\",\"entry\":[{}]}}",
        entries.join(",")
    )
}

fn import(json: &str) -> ImportBatch {
    read("x.json", json.as_bytes(), &Options::default()).unwrap()
}

fn owner_of<'b>(batch: &'b ImportBatch, schema: &str) -> Option<&'b str> {
    batch
        .items
        .iter()
        .find(|item| item.schema == schema)
        .map(|item| item.patient_key.as_str())
}

const KEY: &str = "Patient/0b2e5a3c-1111-4222-8333-444455556666";
const URN: &str = "urn:uuid:0b2e5a3c-1111-4222-8333-444455556666";

#[test]
fn the_card_of_a_patient_has_the_official_name_and_all_contacts() {
    let batch = import(PATIENT);
    let card = &batch.patients[0].card;
    assert_eq!(batch.patients[0].key, KEY);
    assert_eq!(card.display_name(), "Example, Ada B.");
    assert_eq!(
        (
            card.birth_date.as_deref(),
            card.sex.as_deref(),
            card.mrn.as_deref()
        ),
        (Some("1980-03-04"), Some("female"), Some("77"))
    );
    assert_eq!((card.phones.len(), card.emails.len()), (1, 1));
    assert_eq!(card.addresses[0].line(), "1 Sample St, 01234, Town");
    assert_eq!(batch.items[0].compartment, Compartment::Identity);
    assert_eq!(batch.items[0].body, PATIENT.as_bytes());
}

#[test]
fn every_form_of_reference_finds_the_patient() {
    for reference in [
        format!(r#"{{"reference":"{URN}"}}"#),
        format!(r#"{{"reference":"{KEY}"}}"#),
        format!(r#"{{"reference":"https://ehr.example/fhir/{KEY}/_history/2"}}"#),
        r#"{"reference":"Patient?identifier=http://example.org/mrn|77"}"#.to_owned(),
        r#"{"reference":"Patient?identifier=http://example.org/mrn%7C77"}"#.to_owned(),
        r#"{"type":"Patient","identifier":{"system":"http://example.org/mrn","value":"77"}}"#
            .to_owned(),
    ] {
        let condition = format!(
            r#"{{"resourceType":"Condition","subject":{reference},"code":{{"text":"x"}}}}"#
        );
        let batch = import(&bundle(&[(URN, PATIENT), ("", &condition)]));
        assert_eq!(
            owner_of(&batch, "fhir-r4/Condition"),
            Some(KEY),
            "{reference}"
        );
        let before = import(&bundle(&[("", &condition), (URN, PATIENT)]));
        assert_eq!(
            owner_of(&before, "fhir-r4/Condition"),
            Some(KEY),
            "order does not matter"
        );
    }
}

#[test]
fn resources_without_a_patient_are_found_by_way_of_what_they_point_to() {
    let encounter =
        format!(r#"{{"resourceType":"Encounter","id":"e1","subject":{{"reference":"{KEY}"}}}}"#);
    let provenance = r#"{"resourceType":"Provenance","target":[{"reference":"Encounter/e1"}]}"#;
    let notice = r#"{"resourceType":"Linkage","id":"l"}"#;
    let batch = import(&bundle(&[
        ("", provenance),
        ("", &encounter),
        ("", PATIENT),
        ("", notice),
    ]));
    assert_eq!(owner_of(&batch, "fhir-r4/Provenance"), Some(KEY));
    assert_eq!(batch.unowned.len(), 1);
    assert_eq!(batch.unowned[0].why, UnownedWhy::NoPatient);
}

#[test]
fn compartments_follow_the_kind_of_resource() {
    for (kind, field, compartment) in [
        ("Coverage", "beneficiary", Compartment::Admin),
        ("Claim", "patient", Compartment::Admin),
        ("ExplanationOfBenefit", "patient", Compartment::Admin),
        ("DocumentReference", "subject", Compartment::Record),
        ("CarePlan", "subject", Compartment::Record),
        ("AllergyIntolerance", "patient", Compartment::Record),
        ("Task", "for", Compartment::Record),
    ] {
        let resource = format!(r#"{{"resourceType":"{kind}","{field}":{{"reference":"{KEY}"}}}}"#);
        let batch = import(&bundle(&[("", PATIENT), ("", &resource)]));
        assert_eq!(
            (
                batch.items[1].compartment,
                batch.items[1].patient_key.as_str()
            ),
            (compartment, KEY),
            "{kind}"
        );
    }
}

#[test]
fn an_appointment_of_two_people_is_in_both_charts_and_exported_once() {
    let other = r#"{"resourceType":"Patient","id":"2"}"#;
    let appointment = format!(
        r#"{{"resourceType":"Appointment","participant":[{{"actor":{{"reference":"{KEY}"}}}},{{"actor":{{"reference":"Patient/2"}}}},{{"actor":{{"reference":"Practitioner/9"}}}}]}}"#
    );
    let source = bundle(&[("", PATIENT), ("", other), ("", &appointment)]);
    let batch = import(&source);
    let owners: Vec<&str> = batch
        .items
        .iter()
        .filter(|item| item.schema.ends_with("Appointment"))
        .map(|item| item.patient_key.as_str())
        .collect();
    assert_eq!(owners.len(), 2);
    assert!(owners.contains(&KEY) && owners.contains(&"Patient/2"));
    let out = fhir::fhir_bundle(batch.items.iter().map(fhir::Resource::from)).unwrap();
    assert!(
        fhir::prove_round_trip(source.as_bytes(), &out)
            .unwrap()
            .holds()
    );
}

#[test]
fn practice_wide_resources_are_kept_apart_with_their_reason() {
    let batch = import(&bundle(&[
        (
            "",
            r#"{"resourceType":"Organization","id":"o","name":"Clinic"}"#,
        ),
        ("", r#"{"resourceType":"Medication","id":"m"}"#),
    ]));
    assert!(batch.items.is_empty() && batch.skipped.is_empty());
    assert!(
        batch
            .unowned
            .iter()
            .all(|u| u.why == UnownedWhy::PracticeWide)
    );
    assert_eq!(batch.unowned[0].item.title, "Organization: Clinic");
}

#[test]
fn a_name_that_two_patients_share_leads_to_neither() {
    let one = r#"{"resourceType":"Patient","id":"1","identifier":[{"system":"s","value":"000"}]}"#;
    let two = r#"{"resourceType":"Patient","id":"2","identifier":[{"system":"s","value":"000"}]}"#;
    let note = r#"{"resourceType":"Condition","subject":{"reference":"Patient?identifier=s|000"}}"#;
    let mut batch = import(&bundle(&[("", one), ("", two), ("", note)]));
    batch.settle();
    assert_eq!(batch.unowned.len(), 1);
    assert_eq!(batch.unowned[0].why, UnownedWhy::PatientNotInImport);
}

#[test]
fn exported_bundles_hold_the_same_bytes_and_names_that_references_need() {
    let condition = format!(
        "{{\"resourceType\":\"Condition\" ,\n \"id\":\"c\", \"subject\":{{\"reference\":\"{URN}\"}},\"extension\":[{{\"valueDecimal\":1.500}}],\"x\":\"\\u00e9é\"}}"
    );
    let source = bundle(&[
        (URN, PATIENT),
        ("http://h.example/fhir/Condition/c", &condition),
    ]);
    let batch = import(&source);
    assert_eq!(batch.items[0].full_url, None, "derived from the id");
    assert_eq!(
        batch.items[1].full_url.as_deref(),
        Some("http://h.example/fhir/Condition/c")
    );
    let out = fhir::fhir_bundle(batch.items.iter().map(fhir::Resource::from)).unwrap();
    assert!(memchr_find(
        &out,
        format!("\"fullUrl\":\"{URN}\"").as_bytes()
    ));
    assert!(memchr_find(&out, condition.as_bytes()), "byte for byte");
    let proof = fhir::prove_round_trip(source.as_bytes(), &out).unwrap();
    assert_eq!((proof.resources, proof.missing, proof.extra), (2, 0, 0));
    let again = read("y.json", &out, &Options::default()).unwrap();
    assert_eq!(
        again.items, batch.items,
        "reading the export gives the same items with the same keys"
    );
    let lines = fhir::fhir_ndjson(batch.items.iter().map(fhir::Resource::from)).unwrap();
    assert!(
        fhir::prove_round_trip(source.as_bytes(), &lines)
            .unwrap()
            .holds()
    );
    assert_eq!(lines.iter().filter(|b| **b == b'\n').count(), 2);
}

fn memchr_find(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|w| w == needle)
}

#[test]
fn the_proof_finds_what_is_missing_or_changed() {
    let source = bundle(&[("", PATIENT), ("", r#"{"resourceType":"Basic","id":"1"}"#)]);
    let changed = bundle(&[("", PATIENT), ("", r#"{"resourceType":"Basic","id":"2"}"#)]);
    let proof = fhir::prove_round_trip(source.as_bytes(), changed.as_bytes()).unwrap();
    assert_eq!((proof.missing, proof.extra), (1, 1));
    assert!(fhir::same_json(
        br#"{"a":1,"b":["x"]}"#,
        b"{ \"b\":[\"\\u0078\"],\"a\":1 }"
    ));
    assert!(!fhir::same_json(br#"{"a":1}"#, br#"{"a":1.0}"#));
}

#[test]
fn a_key_does_not_depend_on_white_space_but_on_every_value() {
    let pretty = import(&bundle(&[("", PATIENT)]));
    let compact = String::from_utf8(
        fhir::fhir_ndjson([fhir::Resource {
            body: PATIENT.as_bytes(),
            full_url: None,
        }])
        .unwrap(),
    )
    .unwrap();
    assert_eq!(
        pretty.items[0].source_key,
        import(&compact).items[0].source_key
    );
    assert_ne!(
        pretty.items[0].source_key,
        import(&PATIENT.replace("1980", "1981")).items[0].source_key
    );
}

#[test]
fn the_same_resource_twice_is_taken_once_and_said_so() {
    let batch = import(&bundle(&[("", PATIENT), ("", PATIENT)]));
    assert_eq!((batch.items.len(), batch.patients.len()), (1, 1));
    assert_eq!(
        (batch.skipped[0].at.as_str(), batch.skipped[0].code),
        ("entry 2", "duplicate")
    );
}

#[test]
fn bad_lines_of_ndjson_are_skipped_by_number_and_never_quoted() {
    let secret = "Secret Person";
    let file = format!(
        "{{\"resourceType\":\"Patient\",\"id\":\"1\"}}\r\n\n{{\"resourceType\":\"Patient\",\"name\":\"{secret}\n[1,2]\n{{\"name\":\"{secret}\"}}\n{{\"resourceType\":\"{secret}\"}}\n{{\"resourceType\":\"Condition\",\"subject\":{{\"reference\":\"Patient/1\"}}}}"
    );
    let mut bytes = file.into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe{}");
    let batch = read("Secret Person.ndjson", &bytes, &Options::default()).unwrap();
    let said: Vec<(&str, &str)> = batch
        .skipped
        .iter()
        .map(|r| (r.at.as_str(), r.code))
        .collect();
    assert_eq!(
        said,
        [
            ("line 3", "resource-unreadable"),
            ("line 4", "resource-unreadable"),
            ("line 5", "no-resource-type"),
            ("line 6", "no-resource-type"),
            ("line 8", "not-utf8")
        ]
    );
    assert!(!format!("{batch:?}").contains(secret));
    assert_eq!(batch.items.len(), 2);
    assert_eq!(batch.items[1].patient_key, "Patient/1");
}

#[test]
fn ndjson_in_pieces_gives_the_same_as_in_one() {
    let file = "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/1\"}}\nnonsense\n{\"resourceType\":\"Goal\",\"subject\":{\"reference\":\"Patient/1\"}}";
    let whole = fhir::read_ndjson(file.as_bytes(), &Options::default()).unwrap();
    for size in [1, 7, 1000] {
        let mut reader = fhir::NdjsonReader::new(Options::default());
        let mut batch = ImportBatch::default();
        for piece in file.as_bytes().chunks(size) {
            reader.push(piece).unwrap();
            batch.append(reader.take().unwrap());
        }
        batch.append(reader.finish().unwrap());
        batch.resolve();
        assert_eq!(batch.items, whole.items);
        assert_eq!(batch.skipped, whole.skipped);
    }
}

#[test]
fn files_that_refer_to_each_other_are_joined_in_any_order() {
    let provenance = br#"{"resourceType":"Provenance","target":[{"reference":"Encounter/e"}]}"#;
    let encounter = br#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient?identifier=s|5"}}"#;
    let patient =
        br#"{"resourceType":"Patient","id":"p","identifier":[{"system":"s","value":"5"}]}"#;
    let stray = br#"{"resourceType":"Goal","subject":{"reference":"Patient/unknown"}}"#;
    for source in ["", "old-system"] {
        let mut importer = Importer::new(Options {
            source: source.to_owned(),
            ..Options::default()
        });
        for (name, bytes) in [
            ("a.ndjson", &provenance[..]),
            ("b.ndjson", encounter),
            ("c.ndjson", patient),
            ("d.ndjson", stray),
        ] {
            importer.add(name, bytes).unwrap();
        }
        let batch = importer.finish();
        let key = if source.is_empty() {
            "Patient/p".to_owned()
        } else {
            "old-system|Patient/p".to_owned()
        };
        assert_eq!(batch.items.len(), 3, "{batch:?}");
        assert!(
            batch.items.iter().all(|item| item.patient_key == key),
            "{source}"
        );
        assert_eq!(batch.unowned.len(), 1);
        assert_eq!(batch.unowned[0].why, UnownedWhy::PatientNotInImport);
    }
}

#[test]
fn one_number_for_two_people_is_remarked() {
    let batch = import(&bundle(&[
        (
            "",
            r#"{"resourceType":"Patient","id":"1","name":[{"family":"A"}],"birthDate":"1980"}"#,
        ),
        (
            "",
            r#"{"resourceType":"Patient","id":"1","name":[{"family":"B"}],"birthDate":"1990"}"#,
        ),
    ]));
    assert_eq!(batch.remarks[0].code, "patient-conflict");
}

#[test]
fn a_patient_named_only_within_a_resource_is_taken_from_there() {
    let note = r##"{"resourceType":"Condition","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p","name":[{"family":"Within"}]}]}"##;
    let batch = import(note);
    assert_eq!(batch.patients[0].card.family, "Within");
    assert_eq!(batch.items[0].patient_key, batch.patients[0].key);
    assert_eq!(batch.remarks[0].code, "patient-contained");
}

#[test]
fn bundles_within_bundles_are_opened_to_a_bound() {
    let inner = bundle(&[("", PATIENT)]);
    assert_eq!(import(&bundle(&[("", &inner)])).items.len(), 1);
    let mut deep = inner;
    for _ in 0..6 {
        deep = bundle(&[("", &deep)]);
    }
    let batch = import(&deep);
    assert!(batch.items.is_empty());
    assert_eq!(batch.skipped[0].code, "bundle-in-bundle");
}

#[test]
fn files_that_are_no_fhir_are_refused_by_name() {
    let code = |bytes: &[u8]| {
        fhir::read_json(bytes, &Options::default())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        code(b"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{}"),
        "json-syntax"
    );
    assert_eq!(code(b"{\"a\":1}"), "not-fhir");
    assert_eq!(code(b"\xff{}"), "not-utf8");
    assert_eq!(code(b""), "json-syntax");
    assert_eq!(
        code(b"{\"resourceType\":\"Bundle\",\"entry\":7}"),
        "json-syntax"
    );
    let small = Options {
        limits: Limits {
            file_bytes: 10,
            ..Limits::default()
        },
        ..Options::default()
    };
    assert!(matches!(
        fhir::read_json(b"{\"resourceType\":1}", &small),
        Err(RecordsError::TooLarge { .. })
    ));
    let few = Options {
        limits: Limits {
            items: 1,
            ..Limits::default()
        },
        ..Options::default()
    };
    assert_eq!(
        fhir::read_json(bundle(&[("", PATIENT), ("", PATIENT)]).as_bytes(), &few)
            .unwrap_err()
            .code(),
        "too-many-pieces"
    );
}

#[test]
fn nesting_without_end_is_skipped_not_followed() {
    let deep = format!(
        "{{\"resourceType\":\"Basic\",\"x\":{}{}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let batch = import(&bundle(&[("", &deep), ("", PATIENT)]));
    assert_eq!(
        (batch.skipped[0].at.as_str(), batch.skipped[0].code),
        ("entry 1", "too-deep")
    );
    assert_eq!(batch.items.len(), 1);
    let patient = format!(
        "{{\"resourceType\":\"Patient\",\"x\":{}{}}}",
        "[".repeat(120),
        "]".repeat(120)
    );
    assert!(import(&patient).items.is_empty());
}

#[test]
fn notes_questionnaires_and_measures_can_be_read_by_people() {
    let note = format!(
        r#"{{"resourceType":"DocumentReference","subject":{{"reference":"{KEY}"}},"type":{{"text":"Progress note"}},"date":"2024-02-03T10:00:00Z","content":[{{"attachment":{{"contentType":"text/plain; charset=utf-8","data":"SGVsbG8gYWdhaW4="}}}}]}}"#
    );
    let phq = format!(
        r#"{{"resourceType":"QuestionnaireResponse","subject":{{"reference":"{KEY}"}},"authored":"2024-02-03","item":[{{"linkId":"1","text":"Little interest","answer":[{{"valueCoding":{{"display":"Several days"}}}}]}},{{"linkId":"t","text":"Total","answer":[{{"valueInteger":9}}]}}]}}"#
    );
    let score = format!(
        r#"{{"resourceType":"Observation","subject":{{"reference":"{KEY}"}},"effectiveDateTime":"2024-02-03","code":{{"text":"PHQ-9 total score"}},"valueInteger":9}}"#
    );
    let batch = import(&bundle(&[
        ("", PATIENT),
        ("", &note),
        ("", &phq),
        ("", &score),
    ]));
    let text = |n: usize| {
        plain_text(
            &batch.items[n].schema,
            &batch.items[n].content_type,
            &batch.items[n].body,
        )
        .unwrap_or_default()
    };
    assert_eq!(
        (
            batch.items[1].title.as_str(),
            batch.items[1].occurred.as_deref()
        ),
        ("Progress note", Some("2024-02-03T10:00:00Z"))
    );
    assert_eq!(text(1), "Hello again");
    assert!(text(2).contains("Little interest\n  Several days"));
    assert!(summary(&batch.items[2]).contains(&("Answer", "Total: 9".to_owned())));
    assert_eq!(batch.items[3].title, "PHQ-9 total score: 9");
    assert!(summary(&batch.items[3]).contains(&("Value", "9".to_owned())));
}

#[test]
fn fields_that_may_name_anyone_are_asked_last() {
    let answers =
        format!(r#"{{"resourceType":"QuestionnaireResponse","source":{{"reference":"{KEY}"}}}}"#);
    let person =
        format!(r#"{{"resourceType":"Person","link":[{{"target":{{"reference":"{KEY}"}}}}]}}"#);
    let event =
        format!(r#"{{"resourceType":"AuditEvent","entity":[{{"what":{{"reference":"{URN}"}}}}]}}"#);
    let message = r#"{"resourceType":"Communication","sender":{"reference":"Practitioner/1"}}"#;
    let batch = import(&bundle(&[
        (URN, PATIENT),
        ("", &answers),
        ("", &person),
        ("", &event),
        ("", message),
    ]));
    assert_eq!(batch.items.len(), 4);
    assert!(batch.items.iter().all(|item| item.patient_key == KEY));
    assert_eq!(batch.unowned.len(), 1);
}

#[test]
fn a_thing_of_very_many_patients_is_kept_once() {
    let actors: Vec<String> = (0..100)
        .map(|n| format!(r#"{{"actor":{{"reference":"Patient/{n}"}}}}"#))
        .collect();
    let batch = import(&format!(
        r#"{{"resourceType":"Appointment","participant":[{}]}}"#,
        actors.join(",")
    ));
    assert_eq!(
        (
            batch.items.len(),
            batch.unowned.len(),
            batch.remarks[0].code
        ),
        (0, 1, "many-patients")
    );
}

#[test]
fn two_systems_with_the_same_numbers_stay_apart() {
    let goal = r#"{"resourceType":"Goal","id":"1","subject":{"reference":"Patient/1"}}"#;
    let of = |source: &str| {
        let options = Options {
            source: source.to_owned(),
            ..Options::default()
        };
        let item = read("x.json", goal.as_bytes(), &options)
            .unwrap()
            .items
            .remove(0);
        (item.source_key, item.patient_key)
    };
    assert_ne!(of("a").0, of("b").0);
    assert_eq!(
        (of("a").1, of("").1),
        ("a|Patient/1".to_owned(), "Patient/1".to_owned())
    );
}
