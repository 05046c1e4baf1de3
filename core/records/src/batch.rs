use crate::item::{ImportItem, Patient, Remark, Unowned, UnownedWhy};
use crate::{Limits, RecordsError};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What was read: patients, their things, the things that belong to nobody, and every piece that was not taken, with its reason.
///
/// Nothing that was in the source is missing from the sum of `items`, `unowned` and `skipped`.
#[derive(Debug, Clone, Default)]
pub struct ImportBatch {
    /// The patients found, in order of appearance; keys are unique.
    pub patients: Vec<Patient>,
    /// Things of patients, in order of appearance. A patient key may belong to a patient of another file: see [`ImportBatch::settle`].
    pub items: Vec<ImportItem>,
    /// Things of nobody.
    pub unowned: Vec<Unowned>,
    /// Pieces not taken.
    pub skipped: Vec<Remark>,
    /// Pieces taken that deserve a look.
    pub remarks: Vec<Remark>,
    pub(crate) links: Links,
}

/// What later files need in order to find the owner of a thing: known references and the keys already seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    /// `Encounter/12` or a full URL -> patient key as then known.
    pub owners: HashMap<String, String>,
    /// Unowned things by source key -> the references that may lead to their patient.
    pub via: HashMap<[u8; 32], Vec<String>>,
    /// Every source key taken so far.
    pub seen: HashSet<[u8; 32]>,
    /// The label before every patient key, if any; references in `owners` and `via` are without it.
    pub source: String,
    /// Patient key -> position in `patients`.
    pub patients: HashMap<String, usize>,
}

impl ImportBatch {
    /// Names of one patient that are followed; a real one has a handful.
    const MOST_ALIASES: usize = 200;

    /// The place of remarks made while batches are joined.
    pub(crate) const SOMEWHERE: &'static str = "another file";

    /// Adds an item unless the very same one is already here, which is remarked in `skipped`.
    pub(crate) fn push(&mut self, item: ImportItem, at: impl core::fmt::Display) -> bool {
        if self.is_new(&item.source_key, at) {
            self.items.push(item);
            return true;
        }
        false
    }

    pub(crate) fn push_unowned(
        &mut self,
        item: ImportItem,
        why: UnownedWhy,
        at: impl core::fmt::Display,
    ) {
        if self.is_new(&item.source_key, at) {
            self.unowned.push(Unowned { item, why });
        }
    }

    fn is_new(&mut self, key: &[u8; 32], at: impl core::fmt::Display) -> bool {
        if self.links.seen.insert(*key) {
            return true;
        }
        self.skip(
            at,
            "duplicate",
            "the same thing, word for word, was read before",
        );
        false
    }

    pub(crate) fn skip(
        &mut self,
        at: impl core::fmt::Display,
        code: &'static str,
        reason: impl Into<String>,
    ) {
        self.skipped.push(Remark::new(at, code, reason));
    }

    pub(crate) fn remark(
        &mut self,
        at: impl core::fmt::Display,
        code: &'static str,
        reason: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(at, code, reason));
    }

    /// Adds a patient; one whose key is known already gives its aliases to the first, and a remark if the two look like different people.
    pub(crate) fn add_patient(&mut self, patient: Patient, at: impl core::fmt::Display) {
        let next = self.patients.len();
        let index = *self
            .links
            .patients
            .entry(patient.key.clone())
            .or_insert(next);
        let Some(known) = self.patients.get_mut(index) else {
            self.patients.push(patient);
            return;
        };
        let differs =
            |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        let (a, b) = (&known.card, &patient.card);
        let conflict = differs(&a.birth_date, &b.birth_date)
            || (!a.family.is_empty()
                && !b.family.is_empty()
                && !a.family.eq_ignore_ascii_case(&b.family));
        for alias in patient.aliases {
            if known.aliases.len() < Self::MOST_ALIASES && !known.aliases.contains(&alias) {
                known.aliases.push(alias);
            }
        }
        if conflict {
            self.remark(at, "patient-conflict", "two records of one patient number differ in name or birth date; check whether they are one person");
        }
    }

    pub(crate) fn check(&self, limits: &Limits) -> Result<(), RecordsError> {
        if self.items.len() + self.unowned.len() > limits.items {
            return Err(RecordsError::TooMany {
                limit: limits.items,
            });
        }
        if self.skipped.len() + self.remarks.len() > limits.remarks {
            return Err(RecordsError::TooManySkipped {
                limit: limits.remarks,
            });
        }
        Ok(())
    }

    /// Takes over what another file of the same source gave. Follow with [`ImportBatch::resolve`] when all files are in.
    pub fn append(&mut self, other: ImportBatch) {
        for patient in other.patients {
            self.add_patient(patient, Self::SOMEWHERE);
        }
        for item in other.items {
            self.push(item, Self::SOMEWHERE);
        }
        for unowned in other.unowned {
            self.push_unowned(unowned.item, unowned.why, Self::SOMEWHERE);
        }
        self.skipped.extend(other.skipped);
        self.remarks.extend(other.remarks);
        if self.links.source.is_empty() {
            self.links.source = other.links.source;
        }
        self.links.owners.extend(other.links.owners);
        self.links.via.extend(other.links.via);
    }

    /// Follows references that lead from one file to another: conditional (`Patient?identifier=...`), `urn:uuid:`, and by way of a visit or another resource.
    ///
    /// A name that two patients share leads to neither.
    pub fn resolve(&mut self) {
        let mut names: HashMap<&str, Option<&str>> = HashMap::new();
        for patient in &self.patients {
            names.insert(&patient.key, Some(&patient.key));
        }
        for patient in &self.patients {
            for alias in &patient.aliases {
                names
                    .entry(alias)
                    .and_modify(|found| {
                        if *found != Some(patient.key.as_str()) {
                            *found = None;
                        }
                    })
                    .or_insert(Some(&patient.key));
            }
        }
        let prefix = format!("{}|", self.links.source);
        let lookup = |reference: &str| {
            let bare = reference.strip_prefix(&prefix).unwrap_or(reference);
            names
                .get(reference)
                .or_else(|| names.get(bare))
                .copied()
                .flatten()
                .map(str::to_owned)
        };

        for item in &mut self.items {
            if let Some(key) = lookup(&item.patient_key) {
                item.patient_key = key;
            }
        }
        // A resource that leads to another that leads to a visit: each round resolves one more step.
        for _ in 0..4 {
            let mut moved = false;
            let mut rest = Vec::with_capacity(self.unowned.len());
            for mut unowned in std::mem::take(&mut self.unowned) {
                let owner = self
                    .links
                    .via
                    .get(&unowned.item.source_key)
                    .and_then(|references| {
                        references.iter().find_map(|r| {
                            lookup(r).or_else(|| {
                                self.links
                                    .owners
                                    .get(r)
                                    .map(|key| lookup(key).unwrap_or_else(|| key.clone()))
                            })
                        })
                    });
                match owner {
                    Some(key) => {
                        if let Some(own) =
                            crate::fhir::own_reference(&unowned.item.schema, &unowned.item.body)
                        {
                            self.links.owners.insert(own, key.clone());
                        }
                        unowned.item.patient_key = key;
                        self.items.push(unowned.item);
                        moved = true;
                    }
                    None => rest.push(unowned),
                }
            }
            self.unowned = rest;
            if !moved {
                break;
            }
        }
    }

    /// After [`ImportBatch::resolve`]: moves the items of patients who are nowhere in this import to `unowned`.
    pub fn settle(&mut self) {
        let known: HashSet<&str> = self.patients.iter().map(|p| p.key.as_str()).collect();
        let (items, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut self.items)
            .into_iter()
            .partition(|item| known.contains(item.patient_key.as_str()));
        self.items = items;
        self.unowned.extend(lost.into_iter().map(|item| Unowned {
            item,
            why: UnownedWhy::PatientNotInImport,
        }));
    }

    /// The patient of a key.
    pub fn patient(&self, key: &str) -> Option<&Patient> {
        let at = self.links.patients.get(key).copied();
        at.and_then(|at| self.patients.get(at))
            .filter(|p| p.key == key)
            .or_else(|| self.patients.iter().find(|p| p.key == key))
    }

    /// How many items of each schema, for the report.
    pub fn counts_by_schema(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.schema.clone()).or_insert(0) += 1;
        }
        counts
    }
}
