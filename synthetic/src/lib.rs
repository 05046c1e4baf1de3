//! The demonstration practice: believable, generated from a seed, and marked as demonstration on every output.
//!
//! What it never does: imitate a real person, or run anywhere but against a server in demonstration mode.
//!
//! ```
//! let people = subrosa_synthetic::people(7, 3);
//! assert_eq!(people.len(), 3);
//! assert!(people.iter().all(|p| p.notes.iter().all(|n| n.text.starts_with(subrosa_synthetic::MARK))));
//! assert_eq!(people, subrosa_synthetic::people(7, 3));
//! ```

mod fill;
mod notes;
mod seed;

pub use fill::{FillProgress, fill};
pub use notes::{Note, NoteKind};

use seed::Seed;

/// Stands at the head of every generated text.
pub const MARK: &str = "[demonstration data, generated]";

/// What the demonstration's owner is called.
pub const OWNER: &str = "Dr. Sanna Holm (invented)";

/// A generated person with a course of therapy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Phone numbers from the range reserved for fiction (555-01xx).
    pub phone: String,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
}

const GIVEN: &[&str] = &[
    "Aino", "Ben", "Carla", "Dario", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Leo", "Maya", "Nils", "Olga", "Pablo", "Quentin", "Rosa",
    "Samir", "Tove", "Ulla", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe", "Amara", "Bruno", "Chiara", "Dev", "Emil", "Freya",
];
const FAMILY: &[&str] = &[
    "Abara", "Bergman", "Castillo", "Dahl", "Eriksen", "Fontaine", "Garcia", "Haddad", "Ibsen", "Jansen", "Koskinen", "Lindqvist", "Moreno", "Novak", "Okafor",
    "Petrov", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Vargas", "Weber", "Xu", "Yilmaz", "Zimmer",
];

/// `count` people, the same for the same seed.
pub fn people(seed: u64, count: usize) -> Vec<Person> {
    let mut seed = Seed::new(seed);
    (0..count)
        .map(|_| {
            let (given, family) = (seed.pick(GIVEN).to_owned(), seed.pick(FAMILY).to_owned());
            let birth_date = format!("{}-{:02}-{:02}", 1945 + seed.below(62), 1 + seed.below(12), 1 + seed.below(28));
            let phone = format!("555-01{:02}", seed.below(100));
            let notes = notes::course(&mut seed, &given);
            Person { given, family, birth_date, phone, notes }
        })
        .collect()
}
