use super::bounded::Bounded;
use super::probe::{Probe, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// References longer than this lead nowhere; a real one is a URL or an identifier.
const LONGEST: usize = 512;

/// References in one field; a list longer than this is not followed.
const MOST: usize = 1_000;

/// Where a resource points that may tell whose it is.
#[derive(Default)]
pub(crate) struct Pointers {
    /// References in the fields that name the patient. `#id` means a resource contained in this one.
    pub patients: Vec<String>,
    /// References to other resources (a visit, a claim) whose patient is then this one's too.
    pub via: Vec<String>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    reference: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    identifier: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Identifier<'a> {
    #[serde(borrow, default)]
    system: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

/// All pointers of a resource.
pub(crate) fn pointers(resource_type: &str, probe: &Probe<'_>) -> Pointers {
    let mut found = Pointers::default();
    for raw in [
        probe.subject,
        probe.patient,
        probe.beneficiary,
        probe.for_,
        probe.candidate,
    ]
    .into_iter()
    .flatten()
    {
        each(raw, |one| found.take(one));
    }
    if resource_type == "ResearchSubject"
        && let Some(raw) = probe.individual
    {
        each(raw, |one| found.take(one));
    }
    // Fields that may name anyone, asked only when no other names the patient.
    if found.patients.is_empty() {
        for raw in [
            probe.participant,
            probe.source,
            probe.actor,
            probe.sender,
            probe.recipient,
            probe.link,
            probe.entity,
        ]
        .into_iter()
        .flatten()
        {
            each(raw, |one| found.take_anyone(one));
        }
    }
    for raw in [
        probe.encounter,
        probe.context,
        probe.target,
        probe.focus,
        probe.request,
        probe.response,
        probe.claim,
        probe.part_of,
        probe.based_on,
        probe.appointment,
        probe.account,
        probe.report,
    ]
    .into_iter()
    .flatten()
    {
        if raw.get().starts_with(['{', '[']) {
            each(raw, |one| {
                if let Some(name) = name_of(one) {
                    found.via.push(name);
                }
            });
        }
    }
    found.patients.dedup();
    found
}

impl Pointers {
    fn take(&mut self, raw: &RawValue) {
        match name_of(raw) {
            Some(name) if names_patient(&name) && !self.patients.contains(&name) => {
                self.patients.push(name);
            }
            Some(name) => self.via.push(name),
            None => (),
        }
    }

    /// A reference to anyone, or a part that holds one: taken if it says that it is a patient. A `urn:uuid:` one is a patient only if a patient has that name.
    fn take_anyone(&mut self, raw: &RawValue) {
        #[derive(Deserialize)]
        struct Part<'a> {
            #[serde(borrow, default)]
            actor: Option<&'a RawValue>,
            #[serde(borrow, default)]
            target: Option<&'a RawValue>,
            #[serde(borrow, default)]
            what: Option<&'a RawValue>,
        }
        let inner = if raw.get().starts_with('{') {
            serde_json::from_str::<Part>(raw.get()).ok()
        } else {
            None
        };
        let named = inner
            .and_then(|part| part.actor.or(part.target).or(part.what))
            .unwrap_or(raw);
        let Some(name) = name_of(named) else { return };
        if name.starts_with("urn:") {
            self.via.push(name);
        } else if name.starts_with("Patient")
            && names_patient(&name)
            && !self.patients.contains(&name)
        {
            self.patients.push(name);
        }
    }
}

/// Calls `f` with the value, or with each element of an array.
fn each(raw: &RawValue, mut f: impl FnMut(&RawValue)) {
    if raw.get().starts_with('[') {
        if let Ok(list) = serde_json::from_str::<Bounded<&RawValue, MOST>>(raw.get()) {
            list.0.into_iter().for_each(f);
        }
    } else {
        f(raw);
    }
}

/// The normal form of a Reference: `Type/id`, `Type?identifier=system|value`, `urn:...` or `#id`.
fn name_of(raw: &RawValue) -> Option<String> {
    if raw.get().starts_with('"') {
        return text(raw).and_then(|reference| normal(&reference));
    }
    if !raw.get().starts_with('{') {
        return None;
    }
    let parsed: Reference = serde_json::from_str(raw.get()).ok()?;
    if let Some(reference) = parsed.reference.as_deref()
        && let Some(name) = normal(reference)
    {
        return Some(name);
    }
    let identifier: Identifier = serde_json::from_str(parsed.identifier?.get()).ok()?;
    let kind = parsed.kind.as_deref().unwrap_or("Patient");
    identifier_name(
        kind,
        identifier.system.as_deref(),
        identifier.value.as_deref()?,
    )
}

/// `Patient?identifier=system|value`.
pub(crate) fn identifier_name(kind: &str, system: Option<&str>, value: &str) -> Option<String> {
    let name = format!("{kind}?identifier={}|{value}", system.unwrap_or(""));
    (name.len() <= LONGEST && !value.is_empty()).then_some(name)
}

/// `Type/id` out of a relative or absolute reference; `urn:uuid:` in lower case; conditional ones with the separator decoded.
pub(crate) fn normal(reference: &str) -> Option<String> {
    let reference = reference.trim();
    if reference.is_empty() || reference.len() > LONGEST {
        return None;
    }
    if reference
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
    {
        return Some(reference.to_ascii_lowercase());
    }
    if reference.starts_with('#') {
        return Some(reference.to_owned());
    }
    if let Some((path, query)) = reference.split_once('?') {
        let kind = path.rsplit('/').next()?;
        let identifier = query
            .split('&')
            .find_map(|part| part.strip_prefix("identifier="))?;
        let identifier = identifier
            .replace("%7C", "|")
            .replace("%7c", "|")
            .replace("%3A", ":")
            .replace("%2F", "/");
        let (system, value) = identifier.split_once('|').unwrap_or(("", &identifier));
        return identifier_name(kind, Some(system), value);
    }
    let without_version = reference.split("/_history/").next()?;
    let mut parts = without_version.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    let is_type = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|b| b.is_ascii_alphabetic());
    (is_type && !id.is_empty()).then(|| format!("{kind}/{id}"))
}

/// Whether a normal form can be a patient: by type, or of a kind that does not tell.
fn names_patient(name: &str) -> bool {
    name.starts_with("Patient/")
        || name.starts_with("Patient?")
        || name.starts_with("urn:")
        || name.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_form_come_to_one_name() {
        assert_eq!(normal("Patient/1").as_deref(), Some("Patient/1"));
        assert_eq!(
            normal("https://h.example/fhir/Patient/1/_history/3").as_deref(),
            Some("Patient/1")
        );
        assert_eq!(normal("URN:UUID:AB").as_deref(), Some("urn:uuid:ab"));
        assert_eq!(
            normal("Patient?identifier=http://s.example%7C9").as_deref(),
            Some("Patient?identifier=http://s.example|9")
        );
        assert_eq!(normal("nonsense"), None);
        assert_eq!(normal(""), None);
    }
}
