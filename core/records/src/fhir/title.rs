use super::bounded::Bounded;
use super::kinds::plain_word;
use super::probe::{Probe, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Longest title, in characters.
const LONGEST: usize = 160;
/// Codes in one concept, or concepts in one list.
const MOST: usize = 10_000;

#[derive(Deserialize)]
struct Concept<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    coding: Option<Bounded<Coding<'a>, MOST>>,
}

#[derive(Deserialize)]
struct Coding<'a> {
    #[serde(borrow, default)]
    display: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Display<'a> {
    #[serde(borrow, default)]
    display: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Quantity<'a> {
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    unit: Option<Cow<'a, str>>,
}

/// A line for display: what kind of thing it is and what it says, in plain words.
pub(crate) fn title(resource_type: &str, probe: &Probe<'_>) -> String {
    let what = what(resource_type, probe);
    let word = plain_word(resource_type);
    let line = match (resource_type, what) {
        ("Patient", _) => "Personal details".to_owned(),
        ("Observation", Some(what)) => match value(probe) {
            Some(value) => format!("{what}: {value}"),
            None => what,
        },
        (
            "DocumentReference"
            | "DiagnosticReport"
            | "QuestionnaireResponse"
            | "Encounter"
            | "Composition",
            Some(what),
        ) => what,
        (_, Some(what)) => format!("{word}: {what}"),
        (_, None) => word,
    };
    shorten(&line)
}

fn what(resource_type: &str, probe: &Probe<'_>) -> Option<String> {
    let order = match resource_type {
        "Encounter" => [
            probe.type_,
            probe.service_type,
            probe.reason_code,
            probe.class,
        ],
        "DocumentReference" => [probe.description, probe.type_, probe.category, None],
        "CarePlan" => [probe.title, probe.category, probe.description, None],
        "Goal" => [probe.description, probe.category, None, None],
        "Appointment" => [
            probe.description,
            probe.service_type,
            probe.appointment_type,
            probe.reason_code,
        ],
        "Composition" | "Questionnaire" => [probe.title, probe.type_, None, None],
        "Claim" | "ExplanationOfBenefit" | "Coverage" => [probe.type_, None, None, None],
        "Immunization" => [probe.vaccine_code, None, None, None],
        "ImagingStudy" => [
            probe.description,
            probe.procedure_code,
            probe.reason_code,
            None,
        ],
        "Device" => [probe.device_name, probe.type_, None, None],
        "Communication" => [probe.topic, probe.category, None, None],
        _ => [
            probe.medication_concept,
            probe.medication_reference,
            probe.code,
            probe.title,
        ],
    };
    let last = [probe.description, probe.name, probe.scope, probe.type_];
    order.into_iter().chain(last).flatten().find_map(concept)
}

fn value(probe: &Probe<'_>) -> Option<String> {
    if let Some(raw) = probe.value_quantity {
        let quantity: Quantity = serde_json::from_str(raw.get()).ok()?;
        let number = round(quantity.value?.get());
        return Some(match quantity.unit.as_deref() {
            Some(unit) if !unit.starts_with('{') => format!("{number} {unit}"),
            _ => number,
        });
    }
    if let Some(raw) = probe.value_integer.or(probe.value_boolean) {
        return Some(raw.get().to_owned());
    }
    probe.value_string.or(probe.value_concept).and_then(concept)
}

/// A number as the source writes it, cut to two decimals for display.
pub(crate) fn round(number: &str) -> String {
    match number.split_once('.') {
        Some((whole, part)) if part.len() > 2 && part.bytes().all(|b| b.is_ascii_digit()) => {
            number.parse::<f64>().map_or_else(
                |_| whole.to_owned(),
                |n| {
                    let text = format!("{n:.2}");
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                },
            )
        }
        _ => number.to_owned(),
    }
}

/// The words of a CodeableConcept, Coding, Reference, string, or the first of a list of them.
fn concept(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    let found = match json.as_bytes().first()? {
        b'"' => text(raw)?.into_owned(),
        b'[' => {
            let list: Bounded<&RawValue, MOST> = serde_json::from_str(json).ok()?;
            return list.0.into_iter().take(8).find_map(concept);
        }
        b'{' => {
            let from_concept = serde_json::from_str::<Concept>(json).ok().and_then(|c| {
                c.text.map(Cow::into_owned).or_else(|| {
                    let coding = c.coding?.0;
                    let display = coding.iter().find_map(|one| one.display.clone());
                    display
                        .or_else(|| coding.into_iter().find_map(|one| one.code))
                        .map(Cow::into_owned)
                })
            });
            from_concept.or_else(|| {
                let named: Display = serde_json::from_str(json).ok()?;
                named.display.or(named.name).map(Cow::into_owned)
            })?
        }
        _ => return None,
    };
    let line = found.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// At most [`LONGEST`] characters.
pub(crate) fn shorten(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default().trim_end()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title_of(json: &str) -> String {
        let probe = Probe::of(json).unwrap_or_default();
        let kind = probe.resource_type.and_then(text).unwrap_or_default();
        title(&kind, &probe)
    }

    #[test]
    fn titles_say_what_and_how_much() {
        assert_eq!(
            title_of(
                r#"{"resourceType":"Observation","code":{"coding":[{"code":"44261-6","display":"PHQ-9 total score"}]},"valueQuantity":{"value":12,"unit":"{score}"}}"#
            ),
            "PHQ-9 total score: 12"
        );
        assert_eq!(
            title_of(r#"{"resourceType":"Condition","code":{"text":"Panic disorder"}}"#),
            "Diagnosis: Panic disorder"
        );
        assert_eq!(
            title_of(r#"{"resourceType":"ImagingStudy"}"#),
            "Imaging study"
        );
        assert_eq!(
            title_of(
                r#"{"resourceType":"Observation","code":{"text":"Height"},"valueQuantity":{"value":156.1929765345785,"unit":"cm"}}"#
            ),
            "Height: 156.19 cm"
        );
    }

    #[test]
    fn a_field_of_the_wrong_shape_is_passed_over() {
        assert_eq!(
            title_of(r#"{"resourceType":"Condition","code":7,"title":[[]]}"#),
            "Diagnosis"
        );
    }
}
