use super::value::words;
use super::{Attachment, text_of_file, unbase64};
use crate::text::html_to_text;
use serde_json::Value;

/// Depth of questionnaire items and composition sections that is followed.
const NESTED: usize = 12;
/// Rows shown at most.
const MOST_ROWS: usize = 200;

/// A label, and the fields on the way to its value.
type Row = (&'static str, &'static [&'static str]);

/// Label and path for the types that practices meet. A path names fields; lists on the way are gone through.
#[rustfmt::skip]
const TABLE: &[(&str, &[Row])] = &[
    ("Patient", &[("Name", &["name"]), ("Birth date", &["birthDate"]), ("Sex", &["gender"]), ("Contact", &["telecom", "value"]), ("Language", &["communication", "language"]), ("Marital status", &["maritalStatus"]), ("Died", &["deceasedDateTime"])]),
    ("Condition", &[("Diagnosis", &["code"]), ("Status", &["clinicalStatus"]), ("Certainty", &["verificationStatus"]), ("Severity", &["severity"]), ("Since", &["onsetDateTime"]), ("Until", &["abatementDateTime"]), ("Recorded", &["recordedDate"])]),
    ("MedicationRequest", &[("Medication", &["medicationCodeableConcept"]), ("Medication", &["medicationReference", "display"]), ("Status", &["status"]), ("Dosage", &["dosageInstruction", "text"]), ("As needed", &["dosageInstruction", "asNeededBoolean"]), ("Dose", &["dosageInstruction", "doseAndRate", "doseQuantity"]), ("Reason", &["reasonCode"]), ("Reason", &["reasonReference", "display"]), ("Written", &["authoredOn"]), ("Prescribed by", &["requester", "display"])]),
    ("MedicationStatement", &[("Medication", &["medicationCodeableConcept"]), ("Medication", &["medicationReference", "display"]), ("Status", &["status"]), ("Dosage", &["dosage", "text"]), ("When", &["effectivePeriod"]), ("When", &["effectiveDateTime"])]),
    ("MedicationAdministration", &[("Medication", &["medicationCodeableConcept"]), ("Status", &["status"]), ("When", &["effectiveDateTime"]), ("When", &["effectivePeriod"])]),
    ("Observation", &[("Measure", &["code"]), ("Value", &["valueQuantity"]), ("Value", &["valueInteger"]), ("Value", &["valueString"]), ("Value", &["valueCodeableConcept"]), ("Value", &["valueBoolean"]), ("Value", &["valueDateTime"]), ("Interpretation", &["interpretation"]), ("Reference range", &["referenceRange"]), ("Status", &["status"]), ("When", &["effectiveDateTime"]), ("When", &["effectivePeriod"]), ("Measured by", &["performer", "display"])]),
    ("Encounter", &[("Visit", &["type"]), ("Setting", &["class"]), ("Status", &["status"]), ("When", &["period"]), ("Reason", &["reasonCode"]), ("With", &["participant", "individual", "display"]), ("Place", &["location", "location", "display"]), ("Practice", &["serviceProvider", "display"]), ("Discharge", &["hospitalization", "dischargeDisposition"])]),
    ("Procedure", &[("Procedure", &["code"]), ("Status", &["status"]), ("When", &["performedDateTime"]), ("When", &["performedPeriod"]), ("Reason", &["reasonCode"]), ("Reason", &["reasonReference", "display"]), ("Outcome", &["outcome"]), ("By", &["performer", "actor", "display"]), ("Place", &["location", "display"])]),
    ("CarePlan", &[("Plan", &["title"]), ("Plan", &["category"]), ("Status", &["status"]), ("When", &["period"]), ("For", &["addresses", "display"]), ("Activity", &["activity", "detail", "code"]), ("Activity status", &["activity", "detail", "status"]), ("Goal", &["goal", "display"])]),
    ("CareTeam", &[("Team", &["name"]), ("Status", &["status"]), ("When", &["period"]), ("Member", &["participant", "member", "display"]), ("Reason", &["reasonCode"])]),
    ("Goal", &[("Goal", &["description"]), ("Status", &["lifecycleStatus"]), ("Progress", &["achievementStatus"]), ("Start", &["startDate"]), ("Due", &["target", "dueDate"])]),
    ("AllergyIntolerance", &[("Allergy", &["code"]), ("Status", &["clinicalStatus"]), ("Certainty", &["verificationStatus"]), ("Kind", &["category"]), ("Criticality", &["criticality"]), ("Reaction", &["reaction", "manifestation"]), ("Recorded", &["recordedDate"])]),
    ("Immunization", &[("Vaccine", &["vaccineCode"]), ("Status", &["status"]), ("When", &["occurrenceDateTime"]), ("Place", &["location", "display"]), ("Lot", &["lotNumber"])]),
    ("DiagnosticReport", &[("Report", &["code"]), ("Status", &["status"]), ("When", &["effectiveDateTime"]), ("When", &["effectivePeriod"]), ("Result", &["result", "display"]), ("Conclusion", &["conclusion"]), ("By", &["performer", "display"])]),
    ("DocumentReference", &[("Kind", &["type"]), ("Description", &["description"]), ("Status", &["status"]), ("Date", &["date"]), ("Author", &["author", "display"]), ("Kept by", &["custodian", "display"]), ("Visit", &["context", "period"])]),
    ("Composition", &[("Title", &["title"]), ("Kind", &["type"]), ("Status", &["status"]), ("Date", &["date"]), ("Author", &["author", "display"])]),
    ("ServiceRequest", &[("Order", &["code"]), ("Status", &["status"]), ("When", &["authoredOn"]), ("Reason", &["reasonCode"]), ("By", &["requester", "display"]), ("To", &["performer", "display"])]),
    ("FamilyMemberHistory", &[("Relation", &["relationship"]), ("Name", &["name"]), ("Condition", &["condition", "code"]), ("Status", &["status"])]),
    ("RelatedPerson", &[("Name", &["name"]), ("Relation", &["relationship"]), ("Contact", &["telecom", "value"])]),
    ("RiskAssessment", &[("Assessment", &["code"]), ("Status", &["status"]), ("Outcome", &["prediction", "outcome"]), ("Risk", &["prediction", "qualitativeRisk"]), ("When", &["occurrenceDateTime"])]),
    ("ClinicalImpression", &[("Summary", &["summary"]), ("Finding", &["finding", "itemCodeableConcept"]), ("Status", &["status"]), ("When", &["effectiveDateTime"])]),
    ("Communication", &[("Topic", &["topic"]), ("Sent", &["sent"]), ("From", &["sender", "display"]), ("To", &["recipient", "display"]), ("Status", &["status"])]),
    ("QuestionnaireResponse", &[("Questionnaire", &["questionnaire"]), ("Status", &["status"]), ("When", &["authored"]), ("Filled in by", &["author", "display"])]),
    ("Appointment", &[("Appointment", &["description"]), ("Kind", &["appointmentType"]), ("Service", &["serviceType"]), ("Status", &["status"]), ("Start", &["start"]), ("End", &["end"]), ("Minutes", &["minutesDuration"]), ("With", &["participant", "actor", "display"]), ("Reason", &["reasonCode"])]),
    ("Coverage", &[("Insurance", &["type"]), ("Insurer", &["payor", "display"]), ("Number with the insurer", &["subscriberId"]), ("Status", &["status"]), ("When", &["period"]), ("Relation", &["relationship"])]),
    ("Claim", &[("Claim", &["type"]), ("Status", &["status"]), ("Period", &["billablePeriod"]), ("Made", &["created"]), ("Insurer", &["insurer", "display"]), ("Insurance", &["insurance", "coverage", "display"]), ("Item", &["item", "productOrService"]), ("Total", &["total"])]),
    ("ExplanationOfBenefit", &[("Claim", &["type"]), ("Status", &["status"]), ("Outcome", &["outcome"]), ("Period", &["billablePeriod"]), ("Made", &["created"]), ("Insurer", &["insurer", "display"]), ("Item", &["item", "productOrService"]), ("Total", &["total", "amount"]), ("Paid", &["payment", "amount"])]),
    ("ImagingStudy", &[("Study", &["description"]), ("Study", &["procedureCode"]), ("Status", &["status"]), ("When", &["started"]), ("Kind", &["series", "modality"]), ("Body part", &["series", "bodySite"])]),
    ("Device", &[("Device", &["deviceName", "name"]), ("Kind", &["type"]), ("Status", &["status"]), ("Serial number", &["serialNumber"])]),
    ("Organization", &[("Name", &["name"]), ("Kind", &["type"]), ("Contact", &["telecom", "value"]), ("City", &["address", "city"])]),
    ("Practitioner", &[("Name", &["name"]), ("Contact", &["telecom", "value"]), ("City", &["address", "city"])]),
    ("PractitionerRole", &[("Name", &["practitioner", "display"]), ("Practice", &["organization", "display"]), ("Role", &["code"]), ("Specialty", &["specialty"])]),
    ("Location", &[("Name", &["name"]), ("Contact", &["telecom", "value"]), ("City", &["address", "city"])]),
    ("Medication", &[("Medication", &["code"]), ("Form", &["form"])]),
];

/// For types that are not in the table.
const GENERIC: &[Row] = &[
    ("Name", &["name"]),
    ("Kind", &["type"]),
    ("Subject", &["code"]),
    ("Description", &["description"]),
    ("Status", &["status"]),
    ("When", &["period"]),
    ("When", &["date"]),
    ("When", &["effectiveDateTime"]),
];

/// The rows of a resource.
pub(crate) fn rows(kind: &str, resource: &Value) -> Vec<(&'static str, String)> {
    let table = TABLE
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(GENERIC, |(_, rows)| rows);
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    for (label, path) in table {
        let text = along(resource, path);
        if let Some(text) =
            text.filter(|text| !rows.iter().any(|row| row.1 == *text && row.0 == *label))
        {
            rows.push((label, text));
        }
    }
    if kind == "Observation" {
        for component in resource
            .get("component")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .take(MOST_ROWS)
        {
            if let Some(name) = component.get("code").and_then(words) {
                let value = component
                    .as_object()
                    .and_then(|fields| fields.iter().find(|(key, _)| key.starts_with("value")))
                    .and_then(|(_, value)| words(value));
                rows.push((
                    "Part",
                    value.map_or_else(|| name.clone(), |value| format!("{name}: {value}")),
                ));
            }
        }
    }
    if kind == "QuestionnaireResponse" {
        answers(resource, 0, &mut |question, answer| {
            if rows.len() < MOST_ROWS {
                rows.push(("Answer", format!("{question}: {answer}")));
            }
        });
    }
    if kind != "Patient"
        && let Some(note) =
            along(resource, &["note", "text"]).or_else(|| along(resource, &["comment"]))
    {
        rows.push(("Note", note));
    }
    rows
}

/// The value at the end of a path in words; through lists, all of them, each once.
fn along(value: &Value, path: &[&str]) -> Option<String> {
    let mut found = Vec::new();
    collect(value, path, &mut found);
    (!found.is_empty()).then(|| found.join(", "))
}

fn collect(value: &Value, path: &[&str], found: &mut Vec<String>) {
    if found.len() >= 50 {
        return;
    }
    if let Value::Array(list) = value {
        return list
            .iter()
            .take(1000)
            .for_each(|element| collect(element, path, found));
    }
    match path.split_first() {
        Some((field, rest)) => {
            if let Some(next) = value.get(field) {
                collect(next, rest, found);
            }
        }
        None => {
            if let Some(text) = words(value).filter(|text| !found.contains(text)) {
                found.push(text);
            }
        }
    }
}

/// The running text of a resource: attached notes, conclusions, answers, else its narrative.
pub(crate) fn text(kind: &str, resource: &Value) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let plain = |field: &str| {
        resource
            .get(field)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match kind {
        "DiagnosticReport" => parts.extend(plain("conclusion")),
        "ClinicalImpression" => parts.extend(
            [plain("description"), plain("summary")]
                .into_iter()
                .flatten(),
        ),
        "CarePlan" => parts.extend(plain("description")),
        "Communication" => {
            for payload in list(resource, "payload") {
                parts.extend(
                    payload
                        .get("contentString")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
        "Composition" => sections(resource, 0, &mut parts),
        "QuestionnaireResponse" => answers(resource, 0, &mut |question, answer| {
            parts.push(format!("{question}\n  {answer}"))
        }),
        _ => (),
    }
    for attachment in attachments(kind, resource) {
        if let Some(text) = text_of_file(&attachment.content_type, &attachment.data) {
            parts.push(text);
        }
    }
    for note in list(resource, "note") {
        parts.extend(note.get("text").and_then(Value::as_str).map(str::to_owned));
    }
    if parts.is_empty() && kind != "Patient" {
        parts.extend(
            resource
                .get("text")
                .and_then(|text| text.get("div"))
                .and_then(Value::as_str)
                .map(html_to_text),
        );
    }
    let text = parts.join("\n\n");
    (!text.trim().is_empty()).then_some(text)
}

/// The files in a resource.
pub(crate) fn attachments(kind: &str, resource: &Value) -> Vec<Attachment> {
    let found: Vec<&Value> = match kind {
        "DocumentReference" => list(resource, "content")
            .filter_map(|content| content.get("attachment"))
            .collect(),
        "DiagnosticReport" => list(resource, "presentedForm").collect(),
        "Communication" => list(resource, "payload")
            .filter_map(|payload| payload.get("contentAttachment"))
            .collect(),
        "Media" => resource.get("content").into_iter().collect(),
        "Consent" => resource.get("sourceAttachment").into_iter().collect(),
        "Binary" => vec![resource],
        _ => Vec::new(),
    };
    found
        .into_iter()
        .filter_map(|attachment| {
            let field = |name: &str| attachment.get(name).and_then(Value::as_str);
            Some(Attachment {
                content_type: field("contentType")
                    .unwrap_or("application/octet-stream")
                    .to_owned(),
                title: field("title").unwrap_or_default().to_owned(),
                data: unbase64(field("data")?)?,
            })
        })
        .collect()
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn sections(value: &Value, depth: usize, parts: &mut Vec<String>) {
    if depth > NESTED {
        return;
    }
    for section in list(value, "section") {
        let title = section
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let text = section
            .get("text")
            .and_then(|text| text.get("div"))
            .and_then(Value::as_str)
            .map(html_to_text)
            .unwrap_or_default();
        if !title.is_empty() || !text.is_empty() {
            parts.push(format!("{title}\n{text}"));
        }
        sections(section, depth + 1, parts);
    }
}

/// Every answered question, in order.
fn answers(value: &Value, depth: usize, take: &mut impl FnMut(&str, &str)) {
    if depth > NESTED {
        return;
    }
    for item in list(value, "item") {
        let question = item
            .get("text")
            .or_else(|| item.get("linkId"))
            .and_then(Value::as_str)
            .unwrap_or("?");
        let given: Vec<String> = list(item, "answer")
            .filter_map(|answer| {
                answer
                    .as_object()?
                    .iter()
                    .find(|(key, _)| key.starts_with("value"))
                    .and_then(|(_, value)| words(value))
            })
            .collect();
        if !given.is_empty() {
            take(question, &given.join(", "));
        }
        answers(item, depth + 1, take);
        for answer in list(item, "answer") {
            answers(answer, depth + 1, take);
        }
    }
}
