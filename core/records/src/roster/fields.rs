use super::dates::{DateGuess, DateOrder, guess_order};
use super::sheet::Sheet;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident => $word:literal: $($name:literal)|+;)+) => {
        /// What a column of a roster holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[$doc])* $variant),+ }

        impl Field {
            /// Every field, in the order in which a form would show them.
            pub const ALL: &'static [Field] = &[$(Field::$variant),+];

            /// A stable word for files and programs.
            pub const fn word(self) -> &'static str {
                match self { $(Field::$variant => $word),+ }
            }

            /// From its word.
            pub fn from_word(word: &str) -> Option<Field> {
                match word { $($word => Some(Field::$variant),)+ _ => None }
            }

            /// Column names that mean this field, folded to lower-case letters and digits.
            const fn names(self) -> &'static [&'static str] {
                match self { $(Field::$variant => &[$($name),+]),+ }
            }
        }
    };
}

fields! {
    /// Family name.
    FamilyName => "family_name": "lastname" | "familyname" | "surname" | "last" | "family" | "nachname" | "familienname" | "name1" | "nom" | "apellido" | "apellidos" | "cognome" | "clientlastname" | "patientlastname" | "legallastname";
    /// Given name or names.
    GivenName => "given_name": "firstname" | "givenname" | "forename" | "first" | "given" | "vorname" | "rufname" | "name2" | "prenom" | "nombre" | "clientfirstname" | "patientfirstname" | "legalfirstname" | "givennames" | "vornamen";
    /// Family and given name in one cell.
    FullName => "full_name": "name" | "fullname" | "client" | "clientname" | "patient" | "patientname" | "displayname" | "patientin" | "klient" | "klientin" | "nomcomplet" | "nombrecompleto";
    /// The name the person goes by.
    PreferredName => "preferred_name": "preferredname" | "nickname" | "preferredfirstname" | "goesby" | "preferred";
    /// Birth date.
    BirthDate => "birth_date": "birthdate" | "dateofbirth" | "dob" | "birthday" | "born" | "geburtsdatum" | "geburtstag" | "gebdatum" | "gebdat" | "datedenaissance" | "fechadenacimiento" | "clientdob" | "patientdob" | "datadinascita";
    /// Sex or gender.
    Sex => "sex": "sex" | "gender" | "geschlecht" | "sexe" | "genero" | "legalsex" | "administrativesex" | "sesso";
    /// Street and number.
    Street => "street": "street" | "address" | "address1" | "addressline1" | "streetaddress" | "strasse" | "strae" | "straße" | "adresse" | "anschrift" | "rue" | "direccion" | "homeaddress" | "mailingaddress" | "indirizzo";
    /// Second address line.
    Street2 => "street_2": "address2" | "addressline2" | "apt" | "unit" | "adresszusatz" | "suite";
    /// City.
    City => "city": "city" | "town" | "ort" | "stadt" | "wohnort" | "ville" | "ciudad" | "citta";
    /// State, province or canton.
    State => "state": "state" | "province" | "region" | "bundesland" | "kanton" | "county" | "provincia";
    /// Postal code.
    Postcode => "postcode": "zip" | "zipcode" | "postcode" | "postalcode" | "plz" | "postleitzahl" | "codepostal" | "codigopostal" | "cap";
    /// Country.
    Country => "country": "country" | "land" | "pays" | "pais" | "paese";
    /// Telephone.
    Phone => "phone": "phone" | "telephone" | "phonenumber" | "mobile" | "mobilephone" | "cell" | "cellphone" | "homephone" | "workphone" | "tel" | "telefon" | "telefonnummer" | "handy" | "mobil" | "telefono" | "primaryphone" | "phone1" | "phone2" | "festnetz" | "telefonprivat";
    /// E-mail.
    Email => "email": "email" | "emailaddress" | "mail" | "courriel" | "correo" | "clientemail" | "primaryemail" | "emailadresse";
    /// The practice's own number for the patient.
    Mrn => "mrn": "mrn" | "id" | "clientid" | "patientid" | "chartnumber" | "chartno" | "chart" | "recordnumber" | "medicalrecordnumber" | "patientennummer" | "patientennr" | "kundennummer" | "fallnummer" | "clientnumber" | "patientnumber" | "accountnumber";
    /// Language.
    Language => "language": "language" | "preferredlanguage" | "sprache" | "langue" | "idioma" | "muttersprache";
    /// Insurer.
    Insurer => "insurer": "insurance" | "insurer" | "payer" | "primaryinsurance" | "insurancecompany" | "insurancename" | "krankenkasse" | "kasse" | "versicherung" | "kostentraeger" | "kostenträger" | "plan" | "insuranceplan" | "primarypayer" | "assurance";
    /// Number with the insurer.
    InsuranceNumber => "insurance_number": "memberid" | "insuranceid" | "policynumber" | "insurancenumber" | "subscriberid" | "versichertennummer" | "kvnr" | "krankenversichertennummer" | "primaryinsuranceid" | "policyid";
}

/// Which field each column holds. A column may be nobody's; a field may have several columns (two telephones), except names, birth date and number, where the first wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// One per column of the sheet.
    pub columns: Vec<Option<Field>>,
    /// The order of birth dates; needed only where the column leaves it open.
    pub dates: Option<DateOrder>,
}

impl Mapping {
    pub(crate) fn has(&self, field: Field) -> bool {
        self.columns.contains(&Some(field))
    }
}

/// A mapping to show to a person, and what it could not decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The columns recognised by their names.
    pub mapping: Mapping,
    /// What the birth dates tell; when ambiguous, a person must choose and set [`Mapping::dates`].
    pub dates: DateGuess,
}

/// Suggests a mapping from the column names (English, German, French, Spanish, Italian) and the order of birth dates from their values.
pub fn suggest(sheet: &Sheet) -> Suggestion {
    let mut mapping = Mapping {
        columns: sheet
            .headers
            .iter()
            .map(|header| field_of(header))
            .collect(),
        dates: None,
    };
    // "Name" beside "Vorname" is the family name; "ID" beside a better number is not the patient's.
    if mapping.has(Field::GivenName) && !mapping.has(Field::FamilyName) {
        replace(&mut mapping, Field::FullName, Some(Field::FamilyName));
    }
    let numbers: Vec<usize> = (0..mapping.columns.len())
        .filter(|i| mapping.columns.get(*i) == Some(&Some(Field::Mrn)))
        .collect();
    if numbers.len() > 1 {
        for i in numbers {
            if sheet
                .headers
                .get(i)
                .is_some_and(|header| fold(header) == "id")
                && let Some(slot) = mapping.columns.get_mut(i)
            {
                *slot = None;
            }
        }
    }
    let dates = guess(sheet, &mapping);
    if let DateGuess::Clear(order) = dates {
        mapping.dates = Some(order);
    }
    Suggestion { mapping, dates }
}

pub(crate) fn guess(sheet: &Sheet, mapping: &Mapping) -> DateGuess {
    let Some(column) = mapping
        .columns
        .iter()
        .position(|field| *field == Some(Field::BirthDate))
    else {
        return DateGuess::None;
    };
    let cells: Vec<String> = sheet
        .rows()
        .filter_map(|cells| cells.into_iter().nth(column))
        .collect();
    guess_order(cells.iter().map(String::as_str))
}

fn replace(mapping: &mut Mapping, from: Field, to: Option<Field>) {
    for slot in &mut mapping.columns {
        if *slot == Some(from) {
            *slot = to;
        }
    }
}

fn field_of(header: &str) -> Option<Field> {
    let name = fold(header);
    if name.is_empty() {
        return None;
    }
    Field::ALL
        .iter()
        .copied()
        .find(|field| field.names().contains(&name.as_str()))
}

fn fold(header: &str) -> String {
    let bare = header.split(['(', '[']).next().unwrap_or(header);
    bare.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c {
            'é' | 'è' | 'ê' => 'e',
            'á' | 'à' => 'a',
            'ó' => 'o',
            'í' => 'i',
            'ú' => 'u',
            'ñ' => 'n',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_headers_are_recognised_in_several_languages() {
        let field = |header| field_of(header).map(Field::word);
        assert_eq!(field("Last Name"), Some("family_name"));
        assert_eq!(field("Date of Birth (MM/DD/YYYY)"), Some("birth_date"));
        assert_eq!(field("Geburtsdatum"), Some("birth_date"));
        assert_eq!(field("E-Mail"), Some("email"));
        assert_eq!(field("PLZ"), Some("postcode"));
        assert_eq!(field("Straße"), Some("street"));
        assert_eq!(field("Prénom"), Some("given_name"));
        assert_eq!(field("Diagnosis"), None);
        assert_eq!(field(""), None);
    }

    #[test]
    fn every_field_is_found_again_by_its_word() {
        assert!(
            Field::ALL
                .iter()
                .all(|field| Field::from_word(field.word()) == Some(*field))
        );
    }
}
