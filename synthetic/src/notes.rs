use crate::MARK;
use crate::seed::Seed;

/// What a generated note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A session note in the record (data, assessment, plan).
    Session,
    /// A PHQ-9 score in the record: a FHIR observation.
    Phq9 {
        /// Sum of the nine answers, 0 to 27.
        score: u64,
    },
    /// A separate psychotherapy note.
    Psychotherapy,
}

/// A generated note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// What a list shows.
    pub title: String,
    /// The text, beginning with the mark of demonstration data.
    pub text: String,
}

const THEMES: &[&str] = &[
    "sleep and evening routines",
    "a conflict at work",
    "grief after a death in the family",
    "panic on the underground",
    "low mood in the mornings",
    "setting limits with a sibling",
    "returning to work after leave",
    "loneliness after moving",
];
const METHODS: &[&str] = &["cognitive restructuring", "behavioural activation", "graded exposure", "a values exercise", "breathing and grounding", "problem solving"];
const PLANS: &[&str] = &[
    "keeps a sleep diary until next week",
    "plans two pleasant activities and writes down how they went",
    "takes the first step of the exposure ladder twice",
    "speaks with the physician about medication",
    "continues weekly",
    "reviews the safety plan at the next session",
];

/// The date of a day, counted from Monday 6 January 2025. By Hinnant's `civil_from_days`, for dates after 1 March 0000.
fn date(day: u64) -> String {
    let z = 739_557 + 5 + day; // 2025-01-01 is day 739,557 after 0000-03-01
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (month, day) = (if shifted < 10 { shifted + 3 } else { shifted - 9 }, day_of_year - (153 * shifted + 2) / 5 + 1);
    format!("{}-{month:02}-{day:02}", year_of_era + era * 400 + u64::from(month <= 2))
}

/// A course of weekly sessions with a PHQ-9 every fourth.
pub fn course(seed: &mut Seed, given: &str) -> Vec<Note> {
    let sessions = 5 + seed.below(9);
    let mut score = 10 + seed.below(12);
    let first = 7 * seed.below(70) + seed.below(5);
    let mut out = Vec::new();
    for week in 0..sessions {
        let day = first + week * 7;
        let (theme, method, plan) = (seed.pick(THEMES), seed.pick(METHODS), seed.pick(PLANS));
        if week % 4 == 0 {
            out.push(Note { kind: NoteKind::Phq9 { score }, date: date(day), title: format!("PHQ-9: {score}"), text: format!("{MARK}\nPHQ-9 total {score} of 27.") });
            score = score.saturating_sub(seed.below(5)).max(2);
        }
        out.push(Note {
            kind: NoteKind::Session,
            date: date(day),
            title: "Session note (DAP)".to_owned(),
            text: format!("{MARK}\nData: {given} spoke about {theme}. We worked with {method}.\nAssessment: engaged, no acute risk reported.\nPlan: {given} {plan}."),
        });
        if week == 2 {
            out.push(Note {
                kind: NoteKind::Psychotherapy,
                date: date(day),
                title: "Psychotherapy note".to_owned(),
                text: format!("{MARK}\nWhat {given} said about {theme}, and what I made of it, kept apart from the record."),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for (day, wanted) in [(0, "2025-01-06"), (25, "2025-01-31"), (26, "2025-02-01"), (53, "2025-02-28"), (54, "2025-03-01"), (365, "2026-01-06"), (1149, "2028-02-29")] {
            assert_eq!(date(day), wanted);
        }
    }
}
