use std::collections::BTreeSet;

use subrosa_client::{ClientError, IdentityDraft, NewBody, Vault};
use subrosa_model::Compartment;

use crate::{NoteKind, Person};

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
            let (compartment, schema) = match note.kind {
                NoteKind::Session => (Compartment::Record, "note/1"),
                NoteKind::Phq9 => (Compartment::Record, "measure/phq-9/1"),
                NoteKind::Psychotherapy if !own_keys => continue,
                NoteKind::Psychotherapy => (Compartment::Psychotherapy, "note/1"),
            };
            let mut body = NewBody::note(&note.title, &note.text);
            body.schema = schema.to_owned();
            body.occurred = Some(note.date.clone());
            vault.write(chart, compartment, body).await?;
        }
        written += 1;
    }
    progress(FillProgress { done: people.len(), of: people.len() });
    Ok(written)
}
