use std::collections::BTreeSet;

use subrosa_client::{ClientError, IdentityDraft, NewBody, Vault};
use subrosa_model::Compartment;

use crate::{MARK, NoteKind, Person};

/// How far the filling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillProgress {
    /// People who are there.
    pub done: usize,
    /// People in all.
    pub of: usize,
}

/// Writes generated people into a demonstration practice through the real client, and gives how many were written. Those whom the vault's roster lists
/// already are left alone, so filling that was interrupted goes on. A linked device leaves out psychotherapy notes: they are sealed to a person's own keys.
///
/// # Errors
/// The first refusal; what was written by then stays.
pub async fn fill(vault: &mut Vault, people: &[Person], mut progress: impl FnMut(FillProgress)) -> Result<usize, ClientError> {
    let there: BTreeSet<(String, String, String)> =
        vault.roster().rows().map(|f| (f.row.given.clone(), f.row.family.clone(), f.row.birth_date.clone())).collect();
    let own_keys = vault.device().is_none();
    let mut written = 0;
    for (done, person) in people.iter().enumerate() {
        progress(FillProgress { done, of: people.len() });
        if there.contains(&(person.given.clone(), person.family.clone(), person.birth_date.clone())) {
            continue;
        }
        let identity = IdentityDraft::new(&person.given, &person.family, &person.birth_date, vec![person.phone.clone(), "demonstration".to_owned()]);
        let chart = vault.make_chart(&identity).await?;
        for note in &person.notes {
            let compartment = match note.kind {
                NoteKind::Session | NoteKind::Phq9 { .. } => Compartment::Record,
                NoteKind::Psychotherapy if !own_keys => continue,
                NoteKind::Psychotherapy => Compartment::Psychotherapy,
            };
            let mut body = NewBody::note(&note.title, &note.text);
            if let NoteKind::Phq9 { score } = note.kind {
                body.schema = "fhir-r4/Observation".to_owned();
                body.content_type = "application/fhir+json".to_owned();
                body.body = observation(score, &note.date).into_bytes();
            }
            body.occurred = Some(note.date.clone());
            vault.write(chart, compartment, body).await?;
        }
        written += 1;
    }
    progress(FillProgress { done: people.len(), of: people.len() });
    Ok(written)
}

/// A PHQ-9 total as FHIR R4 has it (LOINC 44261-6), marked as generated.
fn observation(score: u64, date: &str) -> String {
    let coding = r#"{"system":"http://loinc.org","code":"44261-6","display":"Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"}"#;
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{coding}],"text":"PHQ-9 total score"}},"effectiveDateTime":"{date}","valueInteger":{score},"note":[{{"text":"{MARK}"}}]}}"#
    )
}
