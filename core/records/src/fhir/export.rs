use super::bounded::Bounded;
use super::names::is_uuid;
use super::probe::text;
use super::scan::{compact, minify};
use super::wire::{Bundle, HARD_ENTRIES, strip_bom, syntax};
use crate::{ImportItem, RecordsError};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// A resource to write: its exact bytes, and the full URL that import kept for it, if any.
#[derive(Clone, Copy)]
pub struct Resource<'a> {
    /// The JSON of the resource.
    pub body: &'a [u8],
    /// [`ImportItem::full_url`].
    pub full_url: Option<&'a str>,
}

impl<'a> From<&'a ImportItem> for Resource<'a> {
    fn from(item: &'a ImportItem) -> Self {
        Resource {
            body: &item.body,
            full_url: item.full_url.as_deref(),
        }
    }
}

/// A FHIR R4 `collection` Bundle of the resources, byte for byte as they came. One that is given twice is written once.
///
/// # Errors
/// [`RecordsError::NotFhir`] when a body is not a JSON object.
pub fn fhir_bundle<'a>(
    resources: impl IntoIterator<Item = Resource<'a>>,
) -> Result<Vec<u8>, RecordsError> {
    let resources = once_each(resources)?;
    let mut wanted: HashSet<&[u8]> = HashSet::new();
    for resource in &resources {
        collect_urns(resource.body, &mut wanted);
    }
    let size: usize = resources.iter().map(|r| r.body.len() + 128).sum();
    let mut out = Vec::with_capacity(size + 64);
    out.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (i, resource) in resources.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"\n{" } else { b",\n{" });
        let url = resource
            .full_url
            .map(str::to_owned)
            .or_else(|| derived_url(resource.body, &wanted));
        if let Some(url) = url {
            out.extend_from_slice(b"\"fullUrl\":");
            out.extend_from_slice(serde_json::Value::String(url).to_string().as_bytes());
            out.push(b',');
        }
        out.extend_from_slice(b"\"resource\":");
        out.extend_from_slice(resource.body);
        out.push(b'}');
    }
    out.extend_from_slice(b"\n]}\n");
    Ok(out)
}

/// Bulk NDJSON of the resources: each on a line, equal as JSON to what came (white space between tokens goes). One given twice is written once.
///
/// # Errors
/// [`RecordsError::NotFhir`] when a body is not a JSON object.
pub fn fhir_ndjson<'a>(
    resources: impl IntoIterator<Item = Resource<'a>>,
) -> Result<Vec<u8>, RecordsError> {
    let mut out = Vec::new();
    for resource in once_each(resources)? {
        out.extend_from_slice(&compact(resource.body));
        out.push(b'\n');
    }
    Ok(out)
}

fn once_each<'a>(
    resources: impl IntoIterator<Item = Resource<'a>>,
) -> Result<Vec<Resource<'a>>, RecordsError> {
    let mut seen = HashSet::new();
    let mut list = Vec::new();
    for resource in resources {
        let object: Result<&RawValue, _> = serde_json::from_slice(resource.body);
        if !object.is_ok_and(|raw| raw.get().starts_with('{')) {
            return Err(RecordsError::NotFhir);
        }
        if seen.insert(resource.body) {
            list.push(resource);
        }
    }
    Ok(list)
}

/// The `urn:uuid:` names that occur in a resource.
fn collect_urns<'a>(body: &'a [u8], wanted: &mut HashSet<&'a [u8]>) {
    const START: &[u8] = b"urn:uuid:";
    for at in memchr::memmem::find_iter(body, START) {
        if let Some(uuid) = body.get(at + START.len()..at + START.len() + 36) {
            wanted.insert(uuid);
        }
    }
}

/// `urn:uuid:` and the id, where another resource refers to this one so.
fn derived_url(body: &[u8], wanted: &HashSet<&[u8]>) -> Option<String> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    let parsed: Id = serde_json::from_slice(body).ok()?;
    let id = text(parsed.id?)?;
    (is_uuid(&id) && wanted.contains(id.as_bytes())).then(|| format!("urn:uuid:{id}"))
}

/// What comparing two sets of resources found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Different resources in the source.
    pub resources: usize,
    /// Resources of the source that the export lacks.
    pub missing: usize,
    /// Resources of the export that the source lacks.
    pub extra: usize,
}

impl RoundTrip {
    /// Whether the export holds every resource of the source and no other.
    pub fn holds(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }
}

/// Compares source and export resource by resource, token by token: only white space between tokens may differ, which is stricter than equality as JSON. Either may be a bundle, an array, one resource, or NDJSON.
///
/// # Errors
/// When either cannot be read.
pub fn prove_round_trip(source: &[u8], exported: &[u8]) -> Result<RoundTrip, RecordsError> {
    let (source, exported) = (fingerprints(source)?, fingerprints(exported)?);
    Ok(RoundTrip {
        resources: source.len(),
        missing: source
            .keys()
            .filter(|key| !exported.contains_key(*key))
            .count(),
        extra: exported
            .keys()
            .filter(|key| !source.contains_key(*key))
            .count(),
    })
}

/// Whether two JSON texts say the same: same values, whatever the white space and the order of fields. Numbers are compared as written.
pub fn same_json(a: &[u8], b: &[u8]) -> bool {
    match (canonical(a), canonical(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn fingerprints(file: &[u8]) -> Result<HashMap<[u8; 32], usize>, RecordsError> {
    let json = std::str::from_utf8(strip_bom(file))
        .map_err(|_| RecordsError::NotUtf8)?
        .trim();
    let mut found = HashMap::new();
    let mut add = |resource: &str| {
        *found.entry(fingerprint(resource.as_bytes())).or_insert(0) += 1;
    };
    if json.starts_with('[') {
        let list: Bounded<&RawValue, HARD_ENTRIES> =
            serde_json::from_str(json).map_err(|e| syntax(&e))?;
        list.0.iter().for_each(|raw| add(raw.get()));
        return Ok(found);
    }
    match serde_json::from_str::<Bundle>(json) {
        Ok(bundle) if bundle.kind.and_then(text).as_deref() == Some("Bundle") => {
            bundle
                .entry
                .0
                .iter()
                .filter_map(|entry| entry.resource)
                .for_each(|raw| add(raw.get()));
        }
        Ok(_) => add(json),
        Err(_) => {
            for (number, line) in super::ndjson::lines(json.as_bytes()) {
                let raw: &RawValue =
                    serde_json::from_slice(line).map_err(|e| RecordsError::Json {
                        line: number,
                        column: e.column(),
                    })?;
                add(raw.get());
            }
        }
    }
    Ok(found)
}

/// The same for texts of the same tokens.
fn fingerprint(json: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    minify(json, |piece| hash.update(piece));
    hash.finalize().into()
}

/// A form that is the same for JSON texts that say the same: fields sorted, strings unescaped, numbers as written.
fn canonical(json: &[u8]) -> Option<Vec<u8>> {
    let raw: &RawValue = serde_json::from_slice(json).ok()?;
    let mut out = Vec::new();
    write_canonical(raw.get(), &mut out, 0)?;
    Some(out)
}

fn write_canonical(json: &str, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    if depth > 100 {
        return None;
    }
    match json.as_bytes().first()? {
        b'{' => {
            let map: std::collections::BTreeMap<String, &RawValue> =
                serde_json::from_str(json).ok()?;
            out.push(b'{');
            for (key, value) in map {
                out.extend_from_slice(serde_json::Value::String(key).to_string().as_bytes());
                out.push(b':');
                write_canonical(value.get(), out, depth + 1)?;
                out.push(b',');
            }
            out.push(b'}');
        }
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            out.push(b'[');
            for value in list {
                write_canonical(value.get(), out, depth + 1)?;
                out.push(b',');
            }
            out.push(b']');
        }
        b'"' => {
            let text: String = serde_json::from_str(json).ok()?;
            out.extend_from_slice(serde_json::Value::String(text).to_string().as_bytes());
        }
        _ => out.extend_from_slice(json.as_bytes()),
    }
    Some(())
}
