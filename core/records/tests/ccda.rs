//! C-CDA: the header is read, the document is kept, hostile XML is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use subrosa_records::{
    Limits, Options, UnownedWhy, attachments, ccda, plain_text, read, summary, title_of,
};

const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">
  <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
  <id root="1.2.3" extension="doc-1"/>
  <code code="34133-9" displayName="Summarization of Episode Note"/>
  <title>Summary &amp; plan</title>
  <effectiveTime value="20240105101500-0500"/>
  <recordTarget><patientRole>
    <id root="1.2.3.4" extension="MRN7"/><id root="1.2.9"/>
    <addr><streetAddressLine>1 Sample St</streetAddressLine><city>Town</city><postalCode>01234</postalCode></addr>
    <telecom value="tel:+1(555)0100"/><telecom value="mailto:ada@example.org"/>
    <patient><name use="P"><given>Addie</given></name><name use="L"><given>Ada</given><given>B.</given><family>Example</family></name>
      <administrativeGenderCode code="F"/><birthTime value="19800304"/></patient>
  </patientRole></recordTarget>
  <author><assignedAuthor><assignedPerson><name><given>Rose</given><family>Keeper</family></name></assignedPerson></assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization><name>Sample Clinic</name></representedCustodianOrganization></assignedCustodian></custodian>
  <component><structuredBody>
    <component><section><code code="10160-0"/><title>Medications</title><text><table><thead><tr><th>Drug</th><th>Dose</th></tr></thead><tbody><tr><td>Sertraline</td><td>50&#160;mg</td></tr></tbody></table></text></section></component>
    <component><section><title>Notes</title><text><paragraph>First <content>line</content>.</paragraph><list><item>one</item><item>two</item></list></text></section></component>
  </structuredBody></component>
</ClinicalDocument>"#;

#[test]
fn the_header_tells_whose_document_it_is() {
    let header = ccda::read_header(DOCUMENT.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        (
            header.root.as_str(),
            header.document_id.as_deref(),
            header.title.as_deref()
        ),
        (
            "ClinicalDocument",
            Some("1.2.3^doc-1"),
            Some("Summary & plan")
        )
    );
    assert_eq!(
        (header.code.as_deref(), header.code_name.as_deref()),
        (Some("34133-9"), Some("Summarization of Episode Note"))
    );
    assert_eq!(
        header.effective_time.as_deref(),
        Some("2024-01-05T10:15:00-05:00")
    );
    assert_eq!(
        (header.author.as_deref(), header.custodian.as_deref()),
        (Some("Rose Keeper"), Some("Sample Clinic"))
    );
    assert_eq!(
        header.templates,
        ["2.16.840.1.113883.10.20.22.1.1:2015-08-01"]
    );
    let (key, card) = &header.patients[0];
    assert_eq!(key, "ccda:1.2.3.4^MRN7");
    assert_eq!(
        (
            card.display_name().as_str(),
            card.birth_date.as_deref(),
            card.sex.as_deref()
        ),
        ("Example, Ada B.", Some("1980-03-04"), Some("female"))
    );
    assert_eq!(
        (card.phones.join(" "), card.emails.join(" ")),
        ("+1(555)0100".to_owned(), "ada@example.org".to_owned())
    );
    assert_eq!(
        (card.mrn.as_deref(), card.addresses[0].line().as_str()),
        (Some("MRN7"), "1 Sample St, 01234, Town")
    );
}

#[test]
fn the_document_is_kept_byte_for_byte_and_shown_by_its_sections() {
    let batch = read("summary.xml", DOCUMENT.as_bytes(), &Options::default()).unwrap();
    let item = &batch.items[0];
    assert_eq!(item.body, DOCUMENT.as_bytes());
    assert_eq!(
        (
            item.schema.as_str(),
            item.title.as_str(),
            item.patient_key.as_str()
        ),
        ("ccda", "Summary & plan", "ccda:1.2.3.4^MRN7")
    );
    assert_eq!(title_of("ccda", &item.body), "Summary & plan");
    let text = plain_text("ccda", &item.content_type, &item.body).unwrap();
    assert_eq!(
        text,
        "Medications\nDrug  Dose\nSertraline  50 mg\n\nNotes\nFirst line.\n- one\n- two"
    );
    assert!(summary(item).contains(&("Author", "Rose Keeper".to_owned())));
}

#[test]
fn documents_in_other_encodings_are_read() {
    let latin: Vec<u8> = DOCUMENT
        .replace("UTF-8", "ISO-8859-1")
        .replace("Ada", "Zo\u{eb}")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    assert_eq!(
        ccda::read_header(&latin, &Limits::default())
            .unwrap()
            .patients[0]
            .1
            .given,
        "Zoë B."
    );
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(
        DOCUMENT
            .replace("UTF-8", "UTF-16")
            .encode_utf16()
            .flat_map(u16::to_le_bytes),
    );
    assert_eq!(
        ccda::read_header(&utf16, &Limits::default())
            .unwrap()
            .patients
            .len(),
        1
    );
}

#[test]
fn a_document_about_two_people_is_in_both_charts() {
    let second = "<recordTarget><patientRole><id root=\"1.2.3.4\" extension=\"MRN8\"/><patient><name><family>Other</family></name></patient></patientRole></recordTarget><author>";
    let both = DOCUMENT.replacen("<author>", second, 1);
    let batch = read("x.xml", both.as_bytes(), &Options::default()).unwrap();
    assert_eq!((batch.patients.len(), batch.items.len()), (2, 2));
    assert_ne!(batch.items[0].source_key, batch.items[1].source_key);
}

#[test]
fn a_fragment_is_kept_as_belonging_to_nobody() {
    let fragment = br#"<entry xmlns:xsi="x"><act classCode="ACT"><templateId root="2.16.840.1.113883.10.20.22.4.64"/><code code="48767-8" displayName="Annotation comment"/><value xsi:type="CD"/></act></entry>"#;
    let batch = read("part.xml", fragment, &Options::default()).unwrap();
    assert_eq!(batch.unowned[0].why, UnownedWhy::NoPatient);
    assert_eq!(
        (
            batch.unowned[0].item.title.as_str(),
            batch.unowned[0].item.body.as_slice()
        ),
        ("Annotation comment", &fragment[..])
    );
}

#[test]
fn an_unstructured_document_gives_its_file() {
    let text = r#"<ClinicalDocument><component><nonXMLBody><text mediaType="text/plain" representation="B64">SGVs
      bG8=</text></nonXMLBody></component></ClinicalDocument>"#;
    assert_eq!(attachments("ccda", text.as_bytes())[0].data, b"Hello");
    assert_eq!(
        plain_text("ccda", "application/cda+xml", text.as_bytes()).as_deref(),
        Some("Hello")
    );
}

#[test]
fn declarations_entities_and_depth_are_refused_by_name() {
    let code = |xml: &str| {
        ccda::read_header(xml.as_bytes(), &Limits::default())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        code(
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ClinicalDocument>&b;</ClinicalDocument>"
        ),
        "xml-doctype"
    );
    assert_eq!(
        code("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><ClinicalDocument/>"),
        "xml-doctype"
    );
    assert_eq!(
        code("<ClinicalDocument>&xxe;</ClinicalDocument>"),
        "xml-entity"
    );
    assert_eq!(code("<ClinicalDocument a=\"&xxe;\"/>"), "xml-entity");
    assert_eq!(
        code("<ClinicalDocument>&#0;&#xFFFFFFFF;</ClinicalDocument>"),
        "xml-entity"
    );
    assert_eq!(code(&"<a>".repeat(500)), "too-deep");
    assert_eq!(
        code("<ClinicalDocument><a></ClinicalDocument>"),
        "xml-syntax"
    );
    assert_eq!(code("<ClinicalDocument>"), "xml-syntax");
    assert_eq!(
        code("<?xml version=\"1.0\" encoding=\"EBCDIC\"?><ClinicalDocument/>"),
        "xml-encoding"
    );
    assert_eq!(code(""), "xml-syntax");
}
