//! Set-up, sign-in, the first chart, a note, opening it again, who has looked.

use subrosa_client::{IdentityDraft, NewBody, setup};
use subrosa_model::Compartment;
use subrosa_protocol::access::What;

use crate::practice::Practice;

#[tokio::test]
async fn a_practice_is_founded_and_a_note_is_written_and_opened_again_after_signing_in_anew() {
    let practice = Practice::start().await;
    let outcome = setup(&practice.conn, &practice.passkey, &practice.options()).await.unwrap();
    assert!(outcome.words.is_none());
    outcome.practice_kit.matches(&outcome.practice_kit.words).unwrap();
    let mut vault = outcome.vault;
    assert_eq!(vault.root_fingerprint(), outcome.practice_kit.fingerprint);
    let refused = vault.make_chart(&IdentityDraft::new("Anna", "Muster", "1980-05-13", vec![])).await.unwrap_err();
    assert_eq!(refused.server_code(), Some("second-way-in-first"), "{refused:?}");
    vault.put_kit().await.unwrap();

    let chart = vault.make_chart(&IdentityDraft::new("Anna", "Muster", "1980-05-13", vec!["0171 2345678".into()])).await.unwrap();
    let note = vault.write(chart, Compartment::Record, NewBody::note("Session 1", "said in confidence")).await.unwrap();
    let own = vault.write(chart, Compartment::Psychotherapy, NewBody::note("For me", "a thought of my own")).await.unwrap();
    let amended = vault.amend(chart, Compartment::Record, note.entry, NewBody::note("Session 1", "said in confidence, corrected")).await.unwrap();
    assert_eq!(amended.version, 2);
    let local = vault.seal_local();
    vault.sign_out().await.unwrap();
    drop(vault);

    let mut vault = practice.sign_in(Some(&local)).await;
    let all = [Compartment::Identity, Compartment::Record, Compartment::Psychotherapy];
    let opened = vault.open_chart(chart, &all).await.unwrap();
    assert_eq!(opened.entries.len(), 3);
    let found = opened.entries.iter().find(|e| e.entry == note.entry).unwrap();
    assert_eq!(found.versions.len(), 2);
    assert_eq!(found.head().unwrap().body.body.as_slice(), b"said in confidence, corrected");
    assert!(opened.entries.iter().any(|e| e.entry == own.entry && e.compartment == Compartment::Psychotherapy));

    let looked = vault.who_has_looked(chart).await.unwrap();
    let what: Vec<What> = looked.events.iter().flatten().map(|e| e.what).collect();
    assert_eq!(what.first(), Some(&What::Audited));
    assert!(what.contains(&What::Released) && what.contains(&What::Written));
    assert_eq!(what.last(), Some(&What::ChartMade));
    let (_, events) = subrosa_client::check_looked_proof(&looked.proof).unwrap();
    assert_eq!(events.len(), looked.events.len());

    vault.sync_roster().await.unwrap();
    assert_eq!(vault.search("must", 10).first().map(|f| f.chart), Some(chart));
    practice.running.stop().await;
}
