use subrosa_client::{ClientError, IdentityDraft, NewBody, Vault};
use subrosa_model::Compartment;

use crate::{NoteKind, Person};

/// How far the filling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillProgress {
    /// Charts written.
    pub done: usize,
    /// Charts in all.
    pub of: usize,
}

/// Writes generated people into an (empty, demonstration) practice through the real client.
pub async fn fill(vault: &mut Vault, people: &[Person], mut progress: impl FnMut(FillProgress)) -> Result<(), ClientError> {
    for (done, person) in people.iter().enumerate() {
        progress(FillProgress { done, of: people.len() });
        let identity = IdentityDraft::new(&person.given, &person.family, &person.birth_date, vec![person.phone.clone(), "demonstration".to_owned()]);
        let chart = vault.make_chart(&identity).await?;
        for note in &person.notes {
            let (compartment, schema) = match note.kind {
                NoteKind::Session => (Compartment::Record, "note/1"),
                NoteKind::Phq9 => (Compartment::Record, "measure/phq-9/1"),
                NoteKind::Psychotherapy => (Compartment::Psychotherapy, "note/1"),
            };
            let mut body = NewBody::note(&note.title, &note.text);
            body.schema = schema.to_owned();
            body.occurred = Some(note.date.clone());
            vault.write(chart, compartment, body).await?;
        }
    }
    progress(FillProgress { done: people.len(), of: people.len() });
    Ok(())
}
