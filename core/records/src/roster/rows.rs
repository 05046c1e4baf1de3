use super::dates::{DateGuess, parse_date};
use super::fields::{Field, Mapping, guess};
use super::sheet::Sheet;
use crate::item::{person_key, source_key};
use crate::{Address, IdentityCard, ImportBatch, ImportItem, Options, Patient, RecordsError};
use sha2::Digest;
use std::collections::HashMap;
use subrosa_model::Compartment;

/// Reads the rows of a roster by a mapping. A bad row is skipped with its line number.
///
/// Each row is kept as it stands, with the header above it, as `roster-row`: in `identity`, or in `record` when it fills a column that nobody mapped,
/// since that may be clinical. An insurer also becomes `roster-insurer` in `admin`.
///
/// # Errors
/// [`RecordsError::NoNameColumn`], [`RecordsError::MappingWidth`], [`RecordsError::DateOrderNeeded`], and bounds.
pub fn read_roster(
    sheet: &Sheet,
    mapping: &Mapping,
    options: &Options,
) -> Result<ImportBatch, RecordsError> {
    if mapping.columns.len() != sheet.headers.len() {
        return Err(RecordsError::MappingWidth {
            columns: sheet.headers.len(),
        });
    }
    if ![Field::FamilyName, Field::GivenName, Field::FullName]
        .iter()
        .any(|field| mapping.has(*field))
    {
        return Err(RecordsError::NoNameColumn);
    }
    let order = match (mapping.dates, guess(sheet, mapping)) {
        (Some(order), _) => Some(order),
        (None, DateGuess::Clear(order)) => Some(order),
        (None, DateGuess::None) => None,
        (None, DateGuess::Ambiguous) => return Err(RecordsError::DateOrderNeeded),
    };
    let mut batch = ImportBatch::default();
    batch.links.source = options.source.clone();
    let mut persons: HashMap<String, usize> = HashMap::new();
    for (row, cells) in sheet.rows().enumerate() {
        let at = format!("line {}", sheet.line(row));
        let extra = cells
            .iter()
            .skip(mapping.columns.len())
            .any(|cell| !cell.is_empty());
        if extra || cells.len() < mapping.columns.len() {
            batch.skip(
                &at,
                "row-width",
                "this row has another number of columns than the header",
            );
            batch.check(&options.limits)?;
            continue;
        }
        let values = Values {
            cells: &cells,
            mapping,
        };
        let mut card = values.card();
        if card.family.is_empty() && card.given.is_empty() {
            batch.skip(&at, "row-without-name", "this row has no name");
            batch.check(&options.limits)?;
            continue;
        }
        if let Some(written) = values.first(Field::BirthDate) {
            match parse_date(written, order, options.this_year) {
                Some(date) => card.birth_date = Some(date),
                None => {
                    batch.skip(&at, "birth-date", "the birth date of this row is not a date that can be read; correct it and import again");
                    batch.check(&options.limits)?;
                    continue;
                }
            }
        }
        let local = match &card.mrn {
            Some(number) => format!("mrn:{number}"),
            None => person_key(&card),
        };
        let (header, raw) = sheet.raw(row);
        let body = format!("{header}\n{raw}\n").into_bytes();
        let key = source_key("roster-row", &options.key(&local), |hash| {
            hash.update(&body)
        });
        if batch.links.seen.contains(&key) {
            batch.skip(
                &at,
                "duplicate",
                "the same thing, word for word, was read before",
            );
            batch.check(&options.limits)?;
            continue;
        }
        let count = persons.entry(local.clone()).or_insert(0);
        *count += 1;
        let local = if *count > 1 && card.mrn.is_none() {
            batch.remark(&at, "same-name", "an earlier row has the same name and birth date; both were kept apart, check whether they are one person");
            format!("{local}~{count}")
        } else {
            local
        };
        let patient_key = options.key(&local);
        batch.add_patient(
            Patient {
                key: patient_key.clone(),
                card,
                aliases: Vec::new(),
            },
            &at,
        );
        let compartment = if values.has_unmapped() {
            Compartment::Record
        } else {
            Compartment::Identity
        };
        batch.push(
            ImportItem {
                source_key: key,
                patient_key: patient_key.clone(),
                compartment,
                schema: "roster-row".to_owned(),
                content_type: "text/csv; charset=utf-8; header=present".to_owned(),
                title: "Row of the patient list".to_owned(),
                occurred: None,
                full_url: None,
                body,
            },
            &at,
        );
        if let Some(item) = values.insurer(&patient_key) {
            batch.push(item, &at);
        }
        batch.check(&options.limits)?;
    }
    Ok(batch)
}

struct Values<'r> {
    cells: &'r [String],
    mapping: &'r Mapping,
}

impl<'r> Values<'r> {
    fn all(&self, field: Field) -> impl Iterator<Item = &'r str> {
        self.mapping
            .columns
            .iter()
            .zip(self.cells)
            .filter(move |(mapped, _)| **mapped == Some(field))
            .map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }

    fn first(&self, field: Field) -> Option<&'r str> {
        self.all(field).next()
    }

    fn owned(&self, field: Field) -> String {
        self.first(field).unwrap_or_default().to_owned()
    }

    fn some(&self, field: Field) -> Option<String> {
        self.first(field).map(str::to_owned)
    }

    fn has_unmapped(&self) -> bool {
        self.mapping
            .columns
            .iter()
            .zip(self.cells)
            .any(|(mapped, cell)| mapped.is_none() && !cell.is_empty())
    }

    /// All but the birth date.
    fn card(&self) -> IdentityCard {
        let (mut family, mut given) = (self.owned(Field::FamilyName), self.owned(Field::GivenName));
        if family.is_empty() && given.is_empty() {
            (family, given) = split_name(self.first(Field::FullName).unwrap_or_default());
        }
        let street = [Field::Street, Field::Street2]
            .into_iter()
            .flat_map(|field| self.all(field))
            .collect::<Vec<_>>()
            .join(", ");
        let address = Address {
            street,
            city: self.owned(Field::City),
            state: self.owned(Field::State),
            postcode: self.owned(Field::Postcode),
            country: self.owned(Field::Country),
        };
        IdentityCard {
            given,
            family,
            preferred: self.some(Field::PreferredName),
            birth_date: None,
            sex: self.first(Field::Sex).map(plain_sex),
            phones: self.all(Field::Phone).map(str::to_owned).collect(),
            emails: self.all(Field::Email).map(str::to_owned).collect(),
            addresses: if address.is_empty() {
                Vec::new()
            } else {
                vec![address]
            },
            mrn: self.some(Field::Mrn),
            language: self.some(Field::Language),
            deceased: None,
        }
    }

    fn insurer(&self, patient_key: &str) -> Option<ImportItem> {
        let (insurer, number) = (self.some(Field::Insurer), self.some(Field::InsuranceNumber));
        let title = match (&insurer, &number) {
            (None, None) => return None,
            (Some(name), _) => format!("Insurance: {name}"),
            (None, Some(_)) => "Insurance".to_owned(),
        };
        let body = serde_json::json!({ "insurer": insurer, "insurance_number": number })
            .to_string()
            .into_bytes();
        Some(ImportItem {
            source_key: source_key("roster-insurer", patient_key, |hash| hash.update(&body)),
            patient_key: patient_key.to_owned(),
            compartment: Compartment::Admin,
            schema: "roster-insurer".to_owned(),
            content_type: "application/json".to_owned(),
            title: crate::fhir::shorten(&title),
            occurred: None,
            full_url: None,
            body,
        })
    }
}

/// `Family, Given` or `Given Family`; the family name of the latter is its last word, with particles (`van`, `de`, `von der`).
pub(crate) fn split_name(full: &str) -> (String, String) {
    let full = full.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((family, given)) = full.split_once(',') {
        return (family.trim().to_owned(), given.trim().to_owned());
    }
    let words: Vec<&str> = full.split(' ').filter(|word| !word.is_empty()).collect();
    if words.len() < 2 {
        return (full, String::new());
    }
    let mut start = words.len() - 1;
    while start > 1 && words.get(start - 1).is_some_and(|word| is_particle(word)) {
        start -= 1;
    }
    let (given, family) = words.split_at(start);
    (family.join(" "), given.join(" "))
}

fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "van"
            | "von"
            | "de"
            | "del"
            | "della"
            | "der"
            | "den"
            | "di"
            | "da"
            | "du"
            | "la"
            | "le"
            | "el"
            | "al"
            | "bin"
            | "zu"
            | "ter"
            | "ten"
            | "Van"
            | "De"
            | "Von"
            | "La"
            | "Le"
            | "Di"
            | "Du"
    )
}

fn plain_sex(cell: &str) -> String {
    match cell.trim().to_lowercase().as_str() {
        "f" | "female" | "w" | "weiblich" | "woman" | "femme" | "mujer" | "femenino"
        | "féminin" => "female".to_owned(),
        "m" | "male" | "männlich" | "maennlich" | "man" | "homme" | "hombre" | "masculino"
        | "masculin" => "male".to_owned(),
        "x" | "d" | "divers" | "diverse" | "other" | "nonbinary" | "non-binary" | "nb" => {
            "other".to_owned()
        }
        "u" | "unknown" | "unbekannt" => "unknown".to_owned(),
        _ => cell.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_split_at_its_comma_or_before_its_last_word() {
        let split = |name| {
            let (family, given) = split_name(name);
            format!("{family}|{given}")
        };
        assert_eq!(split("Doe, Jane Ann"), "Doe|Jane Ann");
        assert_eq!(split("Jane Ann Doe"), "Doe|Jane Ann");
        assert_eq!(split("Ludwig van Beethoven"), "van Beethoven|Ludwig");
        assert_eq!(split("Cher"), "Cher|");
        assert_eq!(split(""), "|");
    }
}
