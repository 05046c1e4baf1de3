use crate::fhir::round;
use serde_json::Value;

/// Elements of one list that are shown.
const MOST: usize = 50;

/// A FHIR value in words, by its shape: concept, quantity, period, reference, money, name, range, annotation, string, number, yes or no, or a list of these.
pub(crate) fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => return string(text),
        Value::Number(number) => round(&number.to_string()),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().take(MOST).filter_map(words).collect();
            parts.join(", ")
        }
        Value::Object(_) => object(value)?,
        Value::Null => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn object(value: &Value) -> Option<String> {
    let get = |field: &str| value.get(field);
    let text = |field: &str| value.get(field).and_then(Value::as_str).and_then(string);
    if let Some(coding) = get("coding").and_then(Value::as_array) {
        return text("text").or_else(|| coding.iter().find_map(coding_words));
    }
    if get("display").is_some()
        || get("code").is_some_and(Value::is_string)
            && get("system").is_some()
            && get("value").is_none()
    {
        return coding_words(value);
    }
    if get("currency").is_some() {
        return Some(format!(
            "{} {}",
            get("value").and_then(words)?,
            text("currency")?
        ));
    }
    if let Some(number) = get("value").filter(|v| v.is_number()) {
        let unit = text("unit")
            .or_else(|| text("code"))
            .filter(|unit| !unit.starts_with('{') && unit != "1");
        let sign = text("comparator").unwrap_or_default();
        let number = words(number)?;
        return Some(unit.map_or_else(
            || format!("{sign}{number}"),
            |unit| format!("{sign}{number} {unit}"),
        ));
    }
    if get("start").is_some() || get("end").is_some() {
        return match (text("start"), text("end")) {
            (Some(start), Some(end)) => Some(format!("{} to {}", moment(&start), moment(&end))),
            (Some(start), None) => Some(format!("from {}", moment(&start))),
            (None, end) => end.map(|end| format!("until {}", moment(&end))),
        };
    }
    if get("low").is_some() || get("high").is_some() {
        return match (get("low").and_then(words), get("high").and_then(words)) {
            (Some(low), Some(high)) => Some(format!("{low} to {high}")),
            (Some(low), None) => Some(format!("at least {low}")),
            (None, high) => high.map(|high| format!("at most {high}")),
        };
    }
    if get("family").is_some() || get("given").is_some() {
        let given = get("given")
            .and_then(Value::as_array)
            .map(|list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .unwrap_or_default();
        return Some(
            format!("{given} {}", text("family").unwrap_or_default())
                .trim()
                .to_owned(),
        );
    }
    if let Some(reference) = text("reference") {
        // An id says nothing to a person.
        return (!reference.starts_with("urn:") && !reference.starts_with('#'))
            .then(|| {
                reference
                    .split(['/', '?'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .filter(|kind| !kind.contains(':'));
    }
    [
        "text",
        "valueString",
        "title",
        "name",
        "value",
        "description",
        "detail",
        "line",
    ]
    .iter()
    .find_map(|field| get(field).and_then(words))
}

fn coding_words(coding: &Value) -> Option<String> {
    let text = |field: &str| coding.get(field).and_then(Value::as_str).and_then(string);
    text("display").or_else(|| {
        let code = text("code")?;
        let plain = match (text("system").as_deref(), code.as_str()) {
            (Some("http://terminology.hl7.org/CodeSystem/v3-ActCode"), code) => match code {
                "AMB" => "outpatient",
                "IMP" | "ACUTE" | "NONAC" => "inpatient",
                "EMER" => "emergency",
                "VR" => "by video or telephone",
                "HH" => "at home",
                "SS" => "short stay",
                "FLD" => "in the field",
                other => other,
            },
            (_, code) => code,
        };
        Some(plain.to_owned())
    })
}

/// A string on one line, a time as a person writes it.
fn string(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| moment(&line))
}

/// `1977-05-28T01:01:27+00:00` to `1977-05-28 01:01`; anything else as it is.
pub(crate) fn moment(text: &str) -> String {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 16
        && bytes.iter().take(16).enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            10 => *b == b'T',
            13 => *b == b':',
            _ => b.is_ascii_digit(),
        });
    match (shaped, text.get(..10), text.get(11..16)) {
        (true, Some(day), Some(time)) => format!("{day} {time}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_a_person_would_write_them() {
        let cases = [
            (
                json!({"coding": [{"code": "1", "display": "Panic disorder"}]}),
                "Panic disorder",
            ),
            (json!({"value": 12.3456, "unit": "kg"}), "12.35 kg"),
            (json!({"value": 12, "unit": "{score}"}), "12"),
            (
                json!({"start": "2020-01-02T10:00:00Z", "end": "2020-01-02T10:50:00Z"}),
                "2020-01-02 10:00 to 2020-01-02 10:50",
            ),
            (json!({"value": 120.5, "currency": "USD"}), "120.5 USD"),
            (
                json!({"reference": "Practitioner/1", "display": "Dr. Roe"}),
                "Dr. Roe",
            ),
            (
                json!({"given": ["Jane", "Ann"], "family": "Doe"}),
                "Jane Ann Doe",
            ),
            (json!([{"text": "a"}, {"text": "b"}]), "a, b"),
            (json!(true), "yes"),
        ];
        for (value, expected) in cases {
            assert_eq!(words(&value).as_deref(), Some(expected));
        }
        assert_eq!(words(&json!({"reference": "urn:uuid:1"})), None);
        assert_eq!(words(&json!({})), None);
    }
}
