use super::reference::identifier_name;
use crate::card::{Address, IdentityCard};
use serde_json::Value;

/// The card of a FHIR `Patient` resource in JSON; `None` when the text is no JSON object.
///
/// The name is the one in use (`official`, else `usual`, else the first that is not old or a maiden name).
pub fn identity_card(patient_json: &[u8]) -> Option<IdentityCard> {
    let value = super::bounded::tree(patient_json)?;
    value.is_object().then(|| card_of(&value))
}

pub(crate) fn card_of(patient: &Value) -> IdentityCard {
    let mut card = IdentityCard::default();
    if let Some(name) = best_name(patient) {
        card.family = string(name, "family").unwrap_or_default();
        card.given = strings(name, "given").join(" ");
        if card.family.is_empty() && card.given.is_empty() {
            card.family = string(name, "text").unwrap_or_default();
        }
    }
    card.preferred = list(patient, "name")
        .find(|name| name.get("use").and_then(Value::as_str) == Some("nickname"))
        .map(|name| strings(name, "given").join(" "))
        .filter(|given| !given.is_empty() && *given != card.given);
    card.birth_date = string(patient, "birthDate").filter(|d| d.len() <= 10);
    card.sex = string(patient, "gender");
    for contact in list(patient, "telecom") {
        let Some(value) = string(contact, "value") else {
            continue;
        };
        let kind = contact.get("system").and_then(Value::as_str).unwrap_or("");
        let target = match kind {
            "email" => &mut card.emails,
            "phone" | "sms" => &mut card.phones,
            _ => continue,
        };
        if !target.contains(&value) {
            target.push(value);
        }
    }
    card.addresses = list(patient, "address")
        .map(|address| Address {
            street: strings(address, "line").join(", "),
            city: string(address, "city").unwrap_or_default(),
            state: string(address, "state").unwrap_or_default(),
            postcode: string(address, "postalCode").unwrap_or_default(),
            country: string(address, "country").unwrap_or_default(),
        })
        .filter(|address| !address.is_empty())
        .collect();
    card.mrn = list(patient, "identifier")
        .find(|id| has_type(id, "MR"))
        .and_then(|id| string(id, "value"));
    card.language = list(patient, "communication").find_map(|c| {
        let language = c.get("language")?;
        string(language, "text")
            .or_else(|| list(language, "coding").find_map(|coding| string(coding, "code")))
    });
    card.deceased = string(patient, "deceasedDateTime").or_else(|| {
        (patient.get("deceasedBoolean") == Some(&Value::Bool(true))).then(|| "yes".to_owned())
    });
    card
}

/// `Patient?identifier=system|value` for every identifier that has a value.
pub(crate) fn identifier_aliases(patient: &Value) -> Vec<String> {
    list(patient, "identifier")
        .take(50)
        .filter_map(|id| {
            identifier_name(
                "Patient",
                id.get("system").and_then(Value::as_str),
                &string(id, "value")?,
            )
        })
        .collect()
}

fn best_name(patient: &Value) -> Option<&Value> {
    let of_use = |wanted: &str| {
        list(patient, "name").find(|name| name.get("use").and_then(Value::as_str) == Some(wanted))
    };
    of_use("official")
        .or_else(|| of_use("usual"))
        .or_else(|| {
            list(patient, "name").find(|name| {
                !matches!(
                    name.get("use").and_then(Value::as_str),
                    Some("old" | "maiden" | "nickname" | "anonymous")
                )
            })
        })
        .or_else(|| list(patient, "name").next())
}

fn has_type(identifier: &Value, code: &str) -> bool {
    identifier.get("type").is_some_and(|kind| {
        list(kind, "coding").any(|coding| coding.get("code").and_then(Value::as_str) == Some(code))
    })
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn string(value: &Value, field: &str) -> Option<String> {
    let text = value.get(field)?.as_str()?.trim();
    (!text.is_empty() && text.len() <= 1000).then(|| text.to_owned())
}

fn strings(value: &Value, field: &str) -> Vec<String> {
    list(value, field)
        .filter_map(Value::as_str)
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}
