use super::probe::text;
use crate::Patient;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The names that lead to exactly one patient.
pub(crate) struct Names<'p>(HashMap<&'p str, Option<&'p str>>);

impl<'p> Names<'p> {
    pub(crate) fn of(patients: &'p [Patient]) -> Self {
        let mut names = HashMap::new();
        for patient in patients {
            names.insert(patient.key.as_str(), Some(patient.key.as_str()));
        }
        for patient in patients {
            for alias in &patient.aliases {
                let slot = names
                    .entry(alias.as_str())
                    .or_insert(Some(patient.key.as_str()));
                if *slot != Some(patient.key.as_str()) {
                    *slot = None;
                }
            }
        }
        Names(names)
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).copied().flatten().map(str::to_owned)
    }
}

/// `Type/id` of a stored resource.
pub(crate) fn own_reference(schema: &str, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    let kind = schema.strip_prefix("fhir-r4/")?;
    let parsed: Id = serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?;
    let id = text(parsed.id?)?;
    Some(format!("{kind}/{id}"))
}

/// The full URL, unless an export derives the same from the id.
pub(crate) fn kept_url(full_url: Option<&str>, id: Option<&str>) -> Option<String> {
    let url = full_url.filter(|url| !url.is_empty() && url.len() <= 2048)?;
    let derived = id.is_some_and(|id| url.strip_prefix("urn:uuid:") == Some(id));
    (!derived).then(|| url.to_owned())
}

/// Whether an id is a UUID in its usual form.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(i, b)| {
            if matches!(i, 8 | 13 | 18 | 23) {
                b == b'-'
            } else {
                b.is_ascii_hexdigit()
            }
        })
}
