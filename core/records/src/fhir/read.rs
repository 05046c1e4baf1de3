use super::bounded::{Bounded, tree};
use super::kinds::{compartment_of, is_practice_wide, is_type_name};
use super::names::{Names, is_uuid, kept_url};
use super::patient::{card_of, identifier_aliases};
use super::probe::{Probe, text};
use super::reference::{normal, pointers};
use super::scan::minify;
use super::title::title;
use super::wire::{Bundle, HARD_ENTRIES, Place, is_bundle, strip_bom, syntax};
use crate::item::{MANY_PATIENTS, person_key, source_key, too_many};
use crate::{ImportBatch, ImportItem, Options, Patient, RecordsError, UnownedWhy};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Digest;

/// Bundles within bundles.
const NESTED: usize = 3;

/// Reads FHIR R4 JSON: a Bundle of any type, one resource, or an array of resources.
///
/// Each resource keeps its exact bytes. The bundle itself (its id, links, request methods) is transport and is not kept.
///
/// # Errors
/// The whole file is refused when it is not UTF-8, not complete JSON or not FHIR: a bundle cut short is never read in part.
pub fn read_json(bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    options.limits.check_file(bytes)?;
    let json = std::str::from_utf8(strip_bom(bytes)).map_err(|_| RecordsError::NotUtf8)?;
    let mut reader = Reader::new(options);
    reader.document(json)?;
    reader.finish()
}

/// One resource on its way into a batch, before the patients of the file are all known.
struct Waiting {
    item: ImportItem,
    patients: Vec<String>,
    via: Vec<String>,
    own: Vec<String>,
    at: Place,
}

/// Takes resources one by one, then finds whose each is.
pub(crate) struct Reader<'o> {
    options: &'o Options,
    batch: ImportBatch,
    waiting: Vec<Waiting>,
    entries: usize,
}

impl<'o> Reader<'o> {
    pub(crate) fn new(options: &'o Options) -> Self {
        Reader {
            options,
            batch: ImportBatch::default(),
            waiting: Vec::new(),
            entries: 0,
        }
    }

    /// A whole JSON text: bundle, resource or array.
    fn document(&mut self, json: &str) -> Result<(), RecordsError> {
        if json.trim_start().starts_with('[') {
            let list: Bounded<&RawValue, HARD_ENTRIES> =
                serde_json::from_str(json).map_err(|e| syntax(&e))?;
            for resource in list.0 {
                let at = self.next_entry()?;
                self.resource(resource.get(), None, at, 0);
            }
            return Ok(());
        }
        if is_bundle(json) {
            return self.bundle(json, 0);
        }
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow, default, rename = "resourceType")]
            kind: Option<&'a RawValue>,
        }
        let head: Head = serde_json::from_str(json).map_err(|e| syntax(&e))?;
        match head.kind.and_then(text).as_deref() {
            Some("Bundle") => self.bundle(json, 0),
            Some(_) => {
                self.resource(json.trim(), None, Place::Whole, 0);
                Ok(())
            }
            None => Err(RecordsError::NotFhir),
        }
    }

    fn bundle(&mut self, json: &str, nested: usize) -> Result<(), RecordsError> {
        let bundle: Bundle = serde_json::from_str(json).map_err(|e| syntax(&e))?;
        if bundle.kind.and_then(text).as_deref() != Some("Bundle") {
            return Err(RecordsError::NotFhir);
        }
        for entry in bundle.entry.0 {
            let at = self.next_entry()?;
            let url = entry.full_url.and_then(text);
            match entry.resource {
                Some(resource) => self.resource(resource.get(), url.as_deref(), at, nested),
                None => self.batch.skip(
                    at,
                    "entry-without-resource",
                    "this entry of the bundle holds no resource",
                ),
            }
        }
        Ok(())
    }

    fn next_entry(&mut self) -> Result<Place, RecordsError> {
        self.entries += 1;
        if self.entries > self.options.limits.items {
            return Err(RecordsError::TooMany {
                limit: self.options.limits.items,
            });
        }
        if self.batch.skipped.len() > self.options.limits.remarks {
            return Err(RecordsError::TooManySkipped {
                limit: self.options.limits.remarks,
            });
        }
        Ok(Place::Entry(self.entries))
    }

    /// One resource; what is wrong with it goes to `skipped`.
    pub(crate) fn resource(
        &mut self,
        json: &str,
        full_url: Option<&str>,
        at: Place,
        nested: usize,
    ) {
        if json.len() > self.options.limits.item_bytes {
            return self.batch.skip(
                at,
                "resource-too-large",
                "this resource is larger than one entry may be",
            );
        }
        let Some(probe) = Probe::of(json) else {
            return self.batch.skip(
                at,
                "resource-unreadable",
                "this is not a JSON object, or it names a field twice",
            );
        };
        let Some(kind) = probe
            .resource_type
            .and_then(text)
            .filter(|kind| is_type_name(kind))
        else {
            return self.batch.skip(
                at,
                "no-resource-type",
                "this is not a FHIR resource: it has no resourceType",
            );
        };
        if kind == "Bundle" {
            if nested >= NESTED {
                return self
                    .batch
                    .skip(at, "bundle-in-bundle", "bundles are nested too deep here");
            }
            if self.bundle(json, nested + 1).is_err() {
                self.batch.skip(
                    at,
                    "resource-unreadable",
                    "a bundle inside this bundle could not be read",
                );
            }
            return;
        }
        let id = probe
            .id
            .and_then(text)
            .filter(|id| !id.is_empty() && id.len() <= 256);
        let schema = format!("fhir-r4/{kind}");
        let mut depth = 0;
        let key = source_key(
            &schema,
            &self.options.key(id.as_deref().unwrap_or("")),
            |hash| depth = minify(json.as_bytes(), |piece| hash.update(piece)),
        );
        if depth > self.options.limits.depth {
            return self.batch.skip(
                at,
                "too-deep",
                "this resource is nested deeper than any real one",
            );
        }
        let own = id.as_deref().map(|id| format!("{kind}/{id}"));
        let url = full_url.and_then(normal);
        let mut item = ImportItem {
            source_key: key,
            patient_key: String::new(),
            compartment: compartment_of(&kind),
            title: title(&kind, &probe),
            occurred: probe.occurred(),
            full_url: kept_url(full_url, id.as_deref()),
            schema,
            content_type: "application/fhir+json".to_owned(),
            body: json.as_bytes().to_vec(),
        };
        if kind == "Patient" {
            let Some(patient) = self.patient(json, own, url) else {
                return self.batch.skip(
                    at,
                    "resource-unreadable",
                    "this patient could not be read",
                );
            };
            item.patient_key = patient.key.clone();
            if patient.key.starts_with("person:") {
                self.batch.remark(
                    at,
                    "patient-without-id",
                    "this patient has no id; name and birth date stand for it",
                );
            }
            self.batch.add_patient(patient, at);
            self.batch.push(item, at);
            return;
        }
        let mut pointers = pointers(&kind, &probe);
        if let Some(contained) = pointers
            .patients
            .iter()
            .find(|name| name.starts_with('#'))
            .cloned()
        {
            pointers.patients.retain(|name| !name.starts_with('#'));
            if let Some(key) = self.contained_patient(&probe, &contained, at) {
                pointers.patients.push(key);
            }
        }
        let own = own.into_iter().chain(url).collect();
        self.waiting.push(Waiting {
            item,
            patients: pointers.patients,
            via: pointers.via,
            own,
            at,
        });
    }

    fn patient(&self, json: &str, own: Option<String>, url: Option<String>) -> Option<Patient> {
        let value = tree(json.as_bytes())?;
        let card = card_of(&value);
        let mut aliases: Vec<String> = own.iter().cloned().chain(url.clone()).collect();
        if let Some(id) = value
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| is_uuid(id))
        {
            aliases.push(format!("urn:uuid:{}", id.to_ascii_lowercase()));
        }
        aliases.extend(identifier_aliases(&value));
        let local = own.or(url).unwrap_or_else(|| person_key(&card));
        let key = self.options.key(&local);
        aliases.retain(|alias| *alias != key);
        aliases.dedup();
        Some(Patient { key, card, aliases })
    }

    /// A patient that exists only inside the resource that names it.
    fn contained_patient(&mut self, probe: &Probe<'_>, name: &str, at: Place) -> Option<String> {
        let list = tree(probe.contained?.get().as_bytes())?;
        let wanted = name.strip_prefix('#')?;
        let patient = list.as_array()?.iter().find(|v| {
            v.get("resourceType").and_then(Value::as_str) == Some("Patient")
                && v.get("id").and_then(Value::as_str) == Some(wanted)
        })?;
        let card = card_of(patient);
        if !card.names_someone() {
            return None;
        }
        let local = person_key(&card);
        let key = self.options.key(&local);
        let mut aliases = identifier_aliases(patient);
        aliases.push(local.clone());
        self.batch.add_patient(Patient { key, card, aliases }, at);
        self.batch.remark(
            at,
            "patient-contained",
            "this names a patient only within itself; name and birth date stand for it",
        );
        Some(local)
    }

    /// Finds whose each resource is and hands over the batch.
    pub(crate) fn finish(mut self) -> Result<ImportBatch, RecordsError> {
        let patients = std::mem::take(&mut self.batch.patients);
        let names = Names::of(&patients);
        for waiting in std::mem::take(&mut self.waiting) {
            let Waiting {
                mut item,
                patients,
                via,
                own,
                at,
            } = waiting;
            let mut owners: Vec<String> = patients
                .iter()
                .map(|name| names.get(name).unwrap_or_else(|| self.options.key(name)))
                .collect();
            if patients.is_empty() {
                owners.extend(via.iter().find_map(|name| names.get(name)));
            }
            owners.dedup();
            if too_many(owners.len(), item.body.len()) {
                self.batch.remark(at, "many-patients", MANY_PATIENTS);
                self.batch.push_unowned(item, UnownedWhy::NoPatient, at);
                continue;
            }
            match owners.split_first() {
                Some((first, rest)) => {
                    // One thing of two people (a couple's appointment) is in both charts.
                    for other in rest {
                        let mut copy = item.clone();
                        copy.source_key =
                            source_key("also", other, |hash| hash.update(item.source_key));
                        copy.patient_key = other.clone();
                        self.batch.push(copy, at);
                    }
                    for name in own {
                        self.batch.links.owners.insert(name, first.clone());
                    }
                    item.patient_key = first.clone();
                    self.batch.push(item, at);
                }
                None => {
                    let kind = item.schema.strip_prefix("fhir-r4/").unwrap_or_default();
                    let why = if is_practice_wide(kind) {
                        UnownedWhy::PracticeWide
                    } else {
                        UnownedWhy::NoPatient
                    };
                    if why == UnownedWhy::NoPatient {
                        self.batch.links.via.insert(item.source_key, via);
                    }
                    self.batch.push_unowned(item, why, at);
                }
            }
        }
        drop(names);
        self.batch.patients = patients;
        self.batch.links.source = self.options.source.clone();
        self.batch.resolve();
        self.batch.check(&self.options.limits)?;
        Ok(self.batch)
    }

    pub(crate) fn skip(&mut self, at: Place, code: &'static str, reason: &str) {
        self.batch.skip(at, code, reason);
    }

    pub(crate) fn too_much(&self) -> Result<(), RecordsError> {
        if self.waiting.len() + self.batch.items.len() > self.options.limits.items {
            return Err(RecordsError::TooMany {
                limit: self.options.limits.items,
            });
        }
        if self.batch.skipped.len() > self.options.limits.remarks {
            return Err(RecordsError::TooManySkipped {
                limit: self.options.limits.remarks,
            });
        }
        Ok(())
    }
}
