//! Who a chart is about, read from its identity entries.

use serde_json::Value;
use subrosa_client::OpenChart;
use subrosa_model::Compartment;
use subrosa_protocol::chart::RosterRow;
use subrosa_records::IdentityCard;

use crate::{say, time};

/// What the head of a chart shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name as one says it.
    pub name: String,
    /// Short facts: born, sex, language, phone, mail.
    pub facts: Vec<String>,
}

impl Person {
    /// From the newest version of the chart's identity entries, or else from its line in the roster.
    pub fn of(chart: &OpenChart, row: Option<&RosterRow>) -> Self {
        let identity = chart.entries.iter().filter(|e| e.compartment == Compartment::Identity);
        identity.filter_map(|e| e.head()).find_map(|v| read(&v.body.schema, &v.body.body)).or_else(|| row.map(from_row)).unwrap_or_default()
    }
}

fn read(schema: &str, body: &[u8]) -> Option<Person> {
    if schema == "fhir-r4/Patient" {
        return subrosa_records::fhir::identity_card(body).map(|card| from_card(&card));
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    if let Ok(card) = serde_json::from_value::<IdentityCard>(value.clone())
        && !(card.family.is_empty() && card.given.is_empty())
    {
        let mut person = from_card(&card);
        person.facts.extend(texts(&value, "more"));
        return Some(person);
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let name = format!("{} {}", text("given"), text("family")).trim().to_owned();
    if name.is_empty() {
        return None;
    }
    let mut facts = born(&text("birth_date"));
    facts.extend(texts(&value, "more"));
    Some(Person { name, facts })
}

fn from_row(row: &RosterRow) -> Person {
    let mut facts = born(&row.birth_date);
    facts.extend(row.more.iter().cloned());
    Person { name: format!("{} {}", row.given, row.family).trim().to_owned(), facts }
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    value.get(name).and_then(Value::as_array).map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}

fn born(date: &str) -> Vec<String> {
    if date.is_empty() { Vec::new() } else { vec![say!("born-on", day = time::day_of_iso(date))] }
}

fn from_card(card: &IdentityCard) -> Person {
    let mut facts = born(card.birth_date.as_deref().unwrap_or_default());
    facts.extend(card.sex.clone());
    facts.extend(card.language.clone());
    facts.extend(card.phones.first().cloned());
    facts.extend(card.emails.first().cloned());
    facts.extend(card.deceased.as_ref().map(|d| say!("died-on", day = time::day_of_iso(d))));
    Person { name: format!("{} {}", card.given, card.family).trim().to_owned(), facts }
}
