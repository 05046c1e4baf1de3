use core::fmt;
use serde::{Deserialize, Serialize};

/// Who a patient is: what the roster shows and searches. Texts are as the source has them, trimmed.
///
/// `Debug` shows nothing personal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityCard {
    /// Given names, in order.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub given: String,
    /// Family name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// The name the person goes by, where the source has one that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred: Option<String>,
    /// ISO 8601 date; only year or year and month where the source knows no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    /// `female`, `male`, `other`, `unknown`, or the source's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// E-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Postal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The source's own number for the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mrn: Option<String>,
    /// Language, as a code or a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When the person died (ISO 8601), or `yes` where only the fact is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deceased: Option<String>,
}

/// A postal address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Street lines, joined by a comma.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// City.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// State, province or canton.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Postal code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postcode: String,
    /// Country.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
}

impl Address {
    /// Whether nothing is filled in.
    pub fn is_empty(&self) -> bool {
        [
            &self.street,
            &self.city,
            &self.state,
            &self.postcode,
            &self.country,
        ]
        .iter()
        .all(|s| s.is_empty())
    }

    /// On one line.
    pub fn line(&self) -> String {
        [
            &self.street,
            &self.postcode,
            &self.city,
            &self.state,
            &self.country,
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
    }
}

impl IdentityCard {
    /// `Family, Given`, or what there is of it; empty when there is no name at all.
    pub fn display_name(&self) -> String {
        match (self.family.is_empty(), self.given.is_empty()) {
            (false, false) => format!("{}, {}", self.family, self.given),
            (false, true) => self.family.clone(),
            (true, _) => self.given.clone(),
        }
    }

    /// Whether there is a name or a number to know the person by.
    pub fn names_someone(&self) -> bool {
        !self.family.is_empty() || !self.given.is_empty() || self.mrn.is_some()
    }
}

impl fmt::Debug for IdentityCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityCard(..)")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}
