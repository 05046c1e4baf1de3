use crate::MARK;
use crate::seed::Seed;

/// What a generated note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A session note in the record (data, assessment, plan).
    Session,
    /// A PHQ-9 score in the record.
    Phq9,
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

fn date(day: u64) -> String {
    // 2025-01-06 is a Monday; months of 28 days keep every date valid and the spacing regular.
    format!("2025-{:02}-{:02}", 1 + (day / 28) % 12, 1 + day % 28)
}

/// A course of weekly sessions with a PHQ-9 every fourth.
pub fn course(seed: &mut Seed, given: &str) -> Vec<Note> {
    let sessions = 5 + seed.below(9);
    let mut score = 10 + seed.below(12);
    let mut out = Vec::new();
    for week in 0..sessions {
        let day = 5 + week * 7;
        let (theme, method, plan) = (seed.pick(THEMES), seed.pick(METHODS), seed.pick(PLANS));
        if week % 4 == 0 {
            out.push(Note { kind: NoteKind::Phq9, date: date(day), title: format!("PHQ-9: {score}"), text: format!("{MARK}\nPHQ-9 total {score} of 27.") });
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
