//! Any bytes at all: nothing panics, nothing is quoted, nothing is lost in silence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use subrosa_records::documents::{group_paths, match_label};
use subrosa_records::{
    Importer, Limits, Options, attachments, ccda, detect, fhir, plain_text, read, roster,
    summary_of, title_of,
};

/// Pieces of every format, to be thrown together.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u0000", "\\ud800", "\"resourceType\":\"Patient\"", "\"resourceType\":\"Bundle\"", "\"entry\":[", "{\"resource\":", "\"id\":\"1\"", "\"subject\":{\"reference\":\"Patient/1\"}",
    "\"name\":[{\"family\":7}]", "\"content\":[{\"attachment\":{\"data\":\"!!\"}}]", "1e999", "null", "true", "\n", "\r\n", "<a>", "</a>", "<ClinicalDocument>", "</ClinicalDocument>", "<!DOCTYPE", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--", "-->",
    "<recordTarget><patientRole>", "xmlns:x='", "a=\"", "/>", "Name,DOB\n", "Last Name;First Name;Geburtsdatum\n", "\"\"", "03/04/1980", "31.12.1999", "sep=;\n", "PK\u{3}\u{4}", "{\\rtf1", "\\'e4", "\\u8364?", "%PDF-", "\u{feff}", "é", "\0", "\t", "|",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn poke(name: &str, bytes: &[u8]) {
    let options = Options {
        limits: Limits {
            items: 1000,
            ..Limits::browser()
        },
        this_year: Some(2026),
        ..Options::default()
    };
    let _ = detect(name, bytes);
    if let Ok(batch) = read(name, bytes, &options) {
        for item in batch
            .items
            .iter()
            .chain(batch.unowned.iter().map(|u| &u.item))
        {
            let _ = summary_of(&item.schema, &item.body);
            let _ = plain_text(&item.schema, &item.content_type, &item.body);
            let _ = attachments(&item.schema, &item.body);
            assert!(title_of(&item.schema, &item.body).chars().count() <= 161);
        }
        let fhir_items = batch
            .items
            .iter()
            .filter(|item| item.schema.starts_with("fhir-r4/"));
        fhir::fhir_bundle(fhir_items.map(fhir::Resource::from)).unwrap();
    }
    for schema in [
        "fhir-r4/DocumentReference",
        "fhir-r4/QuestionnaireResponse",
        "fhir-r4/Basic",
        "ccda",
        "roster-row",
        "roster-insurer",
        "document/text",
        "?",
    ] {
        let _ = summary_of(schema, bytes);
        let _ = title_of(schema, bytes);
        for content_type in [
            "text/html",
            "text/rtf",
            "text/plain; charset=utf-16",
            "application/xml",
        ] {
            let _ = plain_text(schema, content_type, bytes);
        }
    }
    let _ = fhir::read_json(bytes, &options);
    let _ = fhir::read_ndjson(bytes, &options);
    let _ = fhir::identity_card(bytes);
    let _ = fhir::prove_round_trip(bytes, bytes);
    let _ = ccda::read_ccda(bytes, &options);
    let _ = ccda::sections(bytes, &options.limits);
    let _ = ccda::unstructured(bytes, &options.limits);
    if let Ok(sheet) = roster::open(bytes, &options.limits) {
        let suggestion = roster::suggest(&sheet);
        let _ = roster::read_roster(&sheet, &suggestion.mapping, &options);
        let first = roster::Mapping {
            columns: sheet
                .headers
                .iter()
                .map(|_| Some(roster::Field::FullName))
                .collect(),
            dates: None,
        };
        let _ = roster::read_roster(&sheet, &first, &options);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_bytes_make_any_reader_panic(bytes in soup(), name in "[a-zA-Z ,./]{0,12}(\\.(json|ndjson|xml|csv|zip|txt|html))?") {
        poke(&name, &bytes);
    }

    #[test]
    fn no_path_makes_grouping_panic_and_each_is_in_one_group(paths in prop::collection::vec("([A-Za-zÀ-ÿ ,.'_-]{0,12}|2024-01-05|20240105|\\.\\.|Doe, Jane|\\(|\\*)(/[^\\x00]{0,12}){0,4}", 0..20)) {
        let refs: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut seen: Vec<usize> = group_paths(&refs).iter().flat_map(|group| group.files.iter().map(|file| file.index)).collect();
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), count);
        for path in &refs {
            let _ = match_label(path, &[]);
        }
    }

    #[test]
    fn a_resource_of_any_values_comes_out_as_it_went_in(family in ".{0,20}", text in ".{0,60}", number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let resource = serde_json::json!({"resourceType": "Condition", "id": family, "subject": {"reference": "Patient/1"}, "code": {"text": text}, "extension": [{"valueDecimal": number}]});
        let pretty = serde_json::to_vec_pretty(&resource).unwrap();
        let batch = fhir::read_json(&pretty, &Options::default()).unwrap();
        prop_assert_eq!(&batch.items[0].body, &pretty);
        let out = fhir::fhir_bundle(batch.items.iter().map(fhir::Resource::from)).unwrap();
        prop_assert!(fhir::prove_round_trip(&pretty, &out).unwrap().holds());
        let back: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let source: serde_json::Value = serde_json::from_slice(&pretty).unwrap();
        prop_assert_eq!(&back["entry"][0]["resource"], &source);
        prop_assert!(fhir::same_json(&pretty, &fhir::fhir_ndjson(batch.items.iter().map(fhir::Resource::from)).unwrap()));
    }

    #[test]
    fn every_row_is_taken_or_reported(cells in prop::collection::vec(("[a-zA-Z \"',;\n]{0,8}", "[0-9/.-]{0,10}", "[a-z]{0,5}"), 0..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["Last Name", "Date of Birth", "Phone"]).unwrap();
        let mut filled = 0;
        for (name, date, phone) in &cells {
            writer.write_record([name, date, phone]).unwrap();
            filled += usize::from([name, date, phone].iter().any(|cell| !cell.trim().is_empty()));
        }
        let bytes = writer.into_inner().unwrap();
        let sheet = roster::open(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(sheet.len(), filled);
        let mut mapping = roster::suggest(&sheet).mapping;
        mapping.dates = Some(roster::DateOrder::DayMonthYear);
        let batch = roster::read_roster(&sheet, &mapping, &Options::default()).unwrap();
        prop_assert_eq!(batch.items.len() + batch.skipped.len(), filled);
    }
}

/// Well-formed samples of every format, to be damaged.
const SAMPLES: &[(&str, &str)] = &[
    (
        "a.json",
        r##"{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:0b2e5a3c-1111-4222-8333-444455556666","resource":{"resourceType":"Patient","id":"1","name":[{"use":"official","family":"Doe","given":["Jane"]}],"birthDate":"1980-03-04","telecom":[{"system":"phone","value":"1"}]}},{"resource":{"resourceType":"Observation","subject":{"reference":"Patient/1"},"code":{"coding":[{"display":"PHQ-9"}]},"valueQuantity":{"value":1.25,"unit":"kg"},"effectivePeriod":{"start":"2020-01-01"}}},{"resource":{"resourceType":"DocumentReference","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p","name":[{"text":"x"}]}],"content":[{"attachment":{"contentType":"text/html","data":"PGI+aGk8L2I+"}}]}}]}"##,
    ),
    (
        "a.xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title>a &amp; b</title><effectiveTime value=\"20240105101500-0500\"/><recordTarget><patientRole><id root=\"1\" extension=\"2\"/><telecom value=\"tel:1\"/><patient><name><given>A</given><family>B</family></name><birthTime value=\"19800304\"/></patient></patientRole></recordTarget><component><structuredBody><component><section><title>T</title><text><list><item>x</item></list><![CDATA[raw]]></text></section></component></structuredBody></component></ClinicalDocument>",
    ),
    (
        "a.csv",
        "Last Name;First Name;DOB;Phone;Insurance;Notes\n\"Doe\";Jane;04.03.1980;1;AOK;\"a \"\"b\"\"\nc\"\nRoe;Jo;3.4.81;;;\n",
    ),
    (
        "a.rtf",
        "{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}\\f0 Dear \\b x\\b0,\\par caf\\'e9 \\u8364?}",
    ),
    (
        "Doe, Jane/2024-01-05 - intake.html",
        "<html><body><p>one<br>two &lt; &#x41;</p><style>x</style></body></html>",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn damaged_files_make_no_reader_panic(sample in 0..SAMPLES.len(), edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), prop::sample::select(PIECES)), 1..8)) {
        let (name, text) = SAMPLES[sample];
        let mut bytes = text.as_bytes().to_vec();
        for (at, kind, byte, piece) in edits {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => { bytes.remove(at); }
                2 => { bytes.splice(at..at, piece.bytes()); }
                _ => bytes.truncate(at),
            }
        }
        poke(name, &bytes);
    }
}

#[test]
fn a_corpus_of_awkward_files_is_survived() {
    let deep = "[".repeat(30_000);
    let wide = format!(
        "{{\"resourceType\":\"Basic\",\"x\":[{}1]}}",
        "1,".repeat(50_000)
    );
    let attributes = format!("<ClinicalDocument {}/>", "a=\"\" ".repeat(50_000));
    let quotes = "\"".repeat(30_001);
    let tags = "<".repeat(30_000);
    let rtf = format!("{{\\rtf1{}", "{".repeat(30_000));
    let style = "<html><style>".repeat(3_000);
    let digits = "1-".repeat(30_000);
    for text in [
        &deep,
        &wide,
        &attributes,
        &quotes,
        &tags,
        &rtf,
        &style,
        &digits,
    ] {
        for name in ["x.json", "x.xml", "x.csv", "x.txt", "x.html", "x"] {
            poke(name, text.as_bytes());
        }
        let _ = group_paths(&[text.as_str()]);
    }
}

#[test]
fn what_is_said_about_bad_input_never_quotes_it() {
    const SECRET: &str = "Quincey Secretperson";
    let files: Vec<(&str, String)> = vec![
        (
            "a.json",
            format!(
                "{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{{\"resourceType\":\"{SECRET}\"}}}},{{\"x\":\"{SECRET}\"}}"
            ),
        ),
        (
            "a.json",
            format!(
                "{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{{\"resourceType\":\"{SECRET}\"}}}},{{\"x\":\"{SECRET}\"}}]}}"
            ),
        ),
        (
            "a.json",
            format!("{{\"resourceType\":\"Patient\",\"name\":\"{SECRET}\",\"name\":\"{SECRET}\"}}"),
        ),
        ("a.ndjson", format!("{{\"{SECRET}\n{{\"{SECRET}\":1}}\n")),
        (
            "a.xml",
            format!("<ClinicalDocument><title>{SECRET}</tilte></ClinicalDocument>"),
        ),
        (
            "a.xml",
            format!("<ClinicalDocument>&{SECRET};</ClinicalDocument>"),
        ),
        ("a.csv", format!("Name,DOB\n{SECRET},{SECRET}\n{SECRET}\n")),
        ("a.csv", format!("{SECRET},b\n1,2\n")),
        ("a.zip", format!("PK\u{3}\u{4}{SECRET}")),
    ];
    for (name, text) in files {
        let mut said = String::new();
        match read(name, text.as_bytes(), &Options::default()) {
            Ok(batch) => said.push_str(&format!("{batch:?}")),
            Err(error) => said.push_str(&format!("{error} {error:?} {}", error.code())),
        }
        let mut importer = Importer::new(Options::default());
        if let Err(error) = importer.add(&format!("{SECRET}/{name}"), text.as_bytes()) {
            said.push_str(&error.to_string());
        }
        said.push_str(&format!("{:?}", importer.finish()));
        assert!(
            !said.contains("Quincey") && !said.contains("Secretperson"),
            "{name}: {said}"
        );
    }
}
