//! Patient lists: dialects, mapping, dates, bad rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use subrosa_model::Compartment;
use subrosa_records::roster::{
    DateGuess, DateOrder, Encoding, Field, Mapping, open, read_roster, suggest,
};
use subrosa_records::{ImportBatch, Limits, Options, read, summary};

fn import(text: &str) -> ImportBatch {
    read("clients.csv", text.as_bytes(), &Options::default()).unwrap()
}

fn names(batch: &ImportBatch) -> Vec<String> {
    batch
        .patients
        .iter()
        .map(|p| {
            format!(
                "{} {}",
                p.card.display_name(),
                p.card.birth_date.clone().unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn every_usual_delimiter_is_found() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = [
            "Last Name,First Name,Date of Birth,Phone",
            "Example,Ada,1980-03-04,555-0100",
            "Sample,\"Bo\",1990-12-31,",
        ]
        .join("\n")
        .replace(',', delimiter);
        let sheet = open(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(
            (sheet.delimiter, sheet.headers.len(), sheet.len()),
            (delimiter.as_bytes()[0], 4, 2)
        );
        assert_eq!(
            names(&import(&text)),
            ["Example, Ada 1980-03-04", "Sample, Bo 1990-12-31"]
        );
    }
    assert_eq!(
        names(&import(
            "sep=;\r\nName;DOB\r\n\"Example, Ada\";1980-03-04\r\n"
        )),
        ["Example, Ada 1980-03-04"]
    );
}

#[test]
fn every_usual_encoding_is_read() {
    let text = "Nachname;Vorname;Geburtsdatum\r\nMüller;Zoë;04.03.1980\r\n";
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let marked: Vec<u8> = b"\xEF\xBB\xBF"
        .iter()
        .copied()
        .chain(text.bytes())
        .collect();
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        (latin, Encoding::Windows1252),
        (utf16, Encoding::Utf16Le),
        (marked, Encoding::Utf8),
    ] {
        assert_eq!(open(&bytes, &Limits::default()).unwrap().encoding, encoding);
        assert_eq!(
            names(&read("x.csv", &bytes, &Options::default()).unwrap()),
            ["Müller, Zoë 1980-03-04"]
        );
    }
}

#[test]
fn cells_with_delimiters_quotes_and_lines_are_one_cell() {
    let batch = import(
        "Name,DOB,Address\n\"Example, \"\"Ada\"\" B\",1980-03-04,\"1 Sample St\nApt 2\"\nSample Bo,1990-01-02,x\n",
    );
    assert_eq!(
        names(&batch),
        ["Example, \"Ada\" B 1980-03-04", "Bo, Sample 1990-01-02"]
    );
    assert_eq!(
        batch.items[0].body,
        b"Name,DOB,Address\n\"Example, \"\"Ada\"\" B\",1980-03-04,\"1 Sample St\nApt 2\"\n"
    );
}

#[test]
fn an_ambiguous_date_order_has_to_be_chosen() {
    let text = "Last Name,First Name,DOB\nExample,Ada,03/04/1980\n";
    assert_eq!(
        read("x.csv", text.as_bytes(), &Options::default())
            .unwrap_err()
            .code(),
        "date-order-needed"
    );
    let sheet = open(text.as_bytes(), &Limits::default()).unwrap();
    let mut suggestion = suggest(&sheet);
    assert_eq!(suggestion.dates, DateGuess::Ambiguous);
    for (order, expected) in [
        (DateOrder::MonthDayYear, "1980-03-04"),
        (DateOrder::DayMonthYear, "1980-04-03"),
    ] {
        suggestion.mapping.dates = Some(order);
        let batch = read_roster(&sheet, &suggestion.mapping, &Options::default()).unwrap();
        assert_eq!(batch.patients[0].card.birth_date.as_deref(), Some(expected));
    }
}

#[test]
fn bad_rows_are_reported_by_line_and_not_quoted() {
    let batch = import(
        "Last Name,First Name,DOB\nExample,Ada,1980-03-04\n,,1980-03-05\nSample,Bo,31.31.1980\nToo,Short\nToo,Long,1980-01-01,x\n\nFine,Di,1981-01-01,\n",
    );
    let said: Vec<(&str, &str)> = batch
        .skipped
        .iter()
        .map(|r| (r.at.as_str(), r.code))
        .collect();
    assert_eq!(
        said,
        [
            ("line 3", "row-without-name"),
            ("line 4", "birth-date"),
            ("line 5", "row-width"),
            ("line 6", "row-width")
        ]
    );
    assert_eq!(batch.patients.len(), 2);
    assert!(!format!("{batch:?}").contains("Example"));
}

#[test]
fn columns_nobody_mapped_put_the_row_into_the_record() {
    let batch = import(
        "Client ID,Last Name,First Name,Diagnosis,Insurance,Member ID\n7,Example,Ada,F41.0,Sample Health,A1\n8,Sample,Bo,,,\n",
    );
    let placed: Vec<(&str, Compartment, &str)> = batch
        .items
        .iter()
        .map(|i| (i.schema.as_str(), i.compartment, i.patient_key.as_str()))
        .collect();
    assert_eq!(
        placed,
        [
            ("roster-row", Compartment::Record, "mrn:7"),
            ("roster-insurer", Compartment::Admin, "mrn:7"),
            ("roster-row", Compartment::Identity, "mrn:8")
        ]
    );
    assert!(summary(&batch.items[1]).contains(&("Insurer", "Sample Health".to_owned())));
    assert!(summary(&batch.items[0]).contains(&("Column", "Diagnosis: F41.0".to_owned())));
}

#[test]
fn a_mapping_by_hand_overrides_the_suggestion() {
    let text = "A,B,C\nAda,Example,900\n";
    let sheet = open(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        read_roster(&sheet, &suggest(&sheet).mapping, &Options::default())
            .unwrap_err()
            .code(),
        "no-name-column"
    );
    let mapping = Mapping {
        columns: vec![
            Some(Field::GivenName),
            Some(Field::FamilyName),
            Some(Field::Mrn),
        ],
        dates: None,
    };
    let options = Options {
        roster: Some(mapping.clone()),
        ..Options::default()
    };
    assert_eq!(
        read("x.csv", text.as_bytes(), &options).unwrap().patients[0].key,
        "mrn:900"
    );
    let narrow = Mapping {
        columns: vec![Some(Field::FullName)],
        dates: None,
    };
    assert_eq!(
        read_roster(&sheet, &narrow, &Options::default())
            .unwrap_err()
            .code(),
        "mapping-width"
    );
}

#[test]
fn namesakes_without_a_number_are_kept_apart_and_remarked() {
    let batch = import(
        "Name,DOB,Phone\nAda Example,1980-03-04,1\nAda Example,1980-03-04,2\nAda Example,1980-03-04,1\n",
    );
    assert_eq!(batch.patients.len(), 2);
    assert_eq!(
        (batch.remarks[0].at.as_str(), batch.remarks[0].code),
        ("line 3", "same-name")
    );
    assert_eq!(
        (batch.skipped[0].at.as_str(), batch.skipped[0].code),
        ("line 4", "duplicate")
    );
}

#[test]
fn the_same_row_has_the_same_key_each_time() {
    let text = "Name,DOB\nAda Example,1980-03-04\n";
    assert_eq!(import(text).items, import(text).items);
}

#[test]
fn files_that_are_no_table_are_refused() {
    for text in ["", "\n\n", "\0\0\0\0\0,"] {
        assert!(open(text.as_bytes(), &Limits::default()).is_err());
    }
}

#[test]
fn a_long_list_is_read_in_little_time() {
    let mut text = "Last Name,First Name,DOB,Phone\n".to_owned();
    for n in 0..33_000 {
        text.push_str(&format!(
            "Family{n},Given,19{:02}-01-{:02},555-{n}\n",
            n % 90 + 10,
            n % 28 + 1
        ));
    }
    let start = std::time::Instant::now();
    let batch = import(&text);
    assert_eq!(
        (batch.patients.len(), batch.items.len(), batch.skipped.len()),
        (33_000, 33_000, 0)
    );
    println!("33,000 rows in {:.2} s", start.elapsed().as_secs_f64());
}
