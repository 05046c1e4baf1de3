//! Importing through the real client: complete, repeatable, taken up again after it broke off.

use subrosa_client::{ClientError, ImportOptions, ImportState, Request, Response};
use subrosa_model::Compartment;
use subrosa_records::{ImportBatch, Options, fhir};

use crate::practice::{Between, Practice, opened};

fn bundle(patients: usize, each: usize) -> Vec<u8> {
    let mut entries = vec![r#"{"resource":{"resourceType":"Organization","id":"org","name":"Practice"}}"#.to_owned()];
    for p in 0..patients {
        entries.push(format!(
            r#"{{"resource":{{"resourceType":"Patient","id":"p{p}","name":[{{"family":"Family{p}","given":["Given{p}"]}}],"birthDate":"1980-01-{:02}","telecom":[{{"system":"phone","value":"555-01{p:02}"}}]}}}}"#,
            p % 28 + 1
        ));
        for c in 0..each {
            entries.push(format!(
                r#"{{"resource":{{"resourceType":"Condition","id":"c{p}x{c}","subject":{{"reference":"Patient/p{p}"}},"code":{{"text":"finding {c} of {p}"}}}}}}"#
            ));
        }
        entries.push(format!(r#"{{"resource":{{"resourceType":"Appointment","id":"a{p}","status":"booked","participant":[{{"actor":{{"reference":"Patient/p{p}"}},"status":"accepted"}}]}}}}"#));
    }
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(",")).into_bytes()
}

fn batch(bytes: &[u8]) -> ImportBatch {
    subrosa_records::read("export.json", bytes, &Options::default()).unwrap()
}

#[tokio::test]
async fn everything_that_was_imported_is_read_back_as_it_was_and_a_second_import_writes_nothing() {
    let (practice, mut vault) = Practice::founded().await;
    let source = bundle(5, 7);
    let batch = batch(&source);
    let total = batch.items.len() + batch.unowned.len();
    let mut state = ImportState::default();
    let mut seen = Vec::new();
    let options = ImportOptions { charts_at_once: 2, ..ImportOptions::default() };
    let report = vault.import(&batch, &mut state, &options, None, |p| seen.push(*p)).await.unwrap();
    // The practice's own chart has an identity made here besides.
    assert_eq!((report.charts_made, report.entries, report.entries_known), (6, total + 1, 0), "{:?}", report.skipped);
    assert!(report.skipped.is_empty());
    assert_eq!(seen.last().unwrap().charts_done, 6);
    assert_eq!(seen.last().unwrap().entries_done, total + 1);

    let again = vault.import(&batch, &mut state, &options, None, |_| {}).await.unwrap();
    assert_eq!((again.charts_made, again.entries, again.entries_known), (0, 0, total + 1));
    // On another device, without the state: the charts are opened and compared. The gate wants the passkey for so many.
    let mut other = practice.sign_in(None).await;
    practice.clock.0.advance(3 * subrosa_model::Timestamp::MINUTE);
    let again = other.import(&batch, &mut ImportState::default(), &ImportOptions::default(), Some(&practice.passkey), |_| {}).await.unwrap();
    assert_eq!((again.charts_made, again.entries, again.charts_known), (0, 0, 6));

    other.sync_roster().await.unwrap();
    assert_eq!(other.search("family3", 5).len(), 1);
    assert_eq!(other.search("5550103", 5).len(), 1);
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    let all = [Compartment::Identity, Compartment::Admin, Compartment::Record];
    other.fresh(&practice.passkey).await.unwrap();
    for chart in report.charts.values().copied().chain(other.search("(Practice)", 1).first().map(|f| f.chart).into_iter().collect::<Vec<_>>()) {
        for entry in other.open_chart(chart, &all).await.unwrap().entries {
            if entry.versions[0].body.schema.starts_with("fhir-r4/") {
                bodies.push(entry.versions[0].body.body.0.clone());
            }
        }
    }
    let out = fhir::fhir_bundle(bodies.iter().map(|b| fhir::Resource { body: b, full_url: None })).unwrap();
    assert!(fhir::prove_round_trip(&source, &out).unwrap().holds());
    practice.running.stop().await;
}

#[tokio::test]
async fn an_import_that_broke_off_is_taken_up_again_and_ends_complete() {
    let (practice, vault) = Practice::founded().await;
    drop(vault);
    let batch = batch(&bundle(9, 3));
    let total = batch.items.len() + batch.unowned.len() + 1;
    // The server answers nothing any more after some requests, at a different place each time.
    let mut broken = 0;
    for cut in [3usize, 4, 6, 9] {
        let left = std::sync::atomic::AtomicUsize::new(cut);
        let conn = practice.through(move |inner| {
            std::sync::Arc::new(Between {
                inner,
                change: move |request: &Request, answer: Response| {
                    let writes = request.path == "/v1/charts" || request.path == "/v1/entries";
                    let gone = writes && left.fetch_update(std::sync::atomic::Ordering::SeqCst, std::sync::atomic::Ordering::SeqCst, |n| n.checked_sub(1)).is_err();
                    if gone { Response { status: 502, body: Vec::new(), ..answer } } else { answer }
                },
            })
        });
        let mut vault = opened(subrosa_client::signin(&conn, &practice.passkey, None).await.unwrap());
        let options = ImportOptions { charts_at_once: 3, ..ImportOptions::default() };
        match vault.import(&batch, &mut ImportState::default(), &options, Some(&practice.passkey), |_| {}).await {
            Err(ClientError::Unreachable) => broken += 1,
            Err(e) => panic!("{e:?}"),
            Ok(_) => {}
        }
    }
    assert!(broken > 0);
    let mut vault = practice.sign_in(None).await;
    let report = vault.import(&batch, &mut ImportState::default(), &ImportOptions::default(), Some(&practice.passkey), |_| {}).await.unwrap();
    assert_eq!(report.entries + report.entries_known, total);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    vault.sync_roster().await.unwrap();
    assert_eq!(vault.roster().len(), 10);
    let mut entries = 0;
    for chart in vault.roster().rows().map(|f| f.chart).collect::<Vec<_>>() {
        let opened = vault.open_chart(chart, &[Compartment::Identity, Compartment::Admin, Compartment::Record]).await.unwrap();
        assert!(opened.entries.iter().all(|e| e.versions.len() == 1 && !e.conflict()));
        entries += opened.entries.len();
    }
    assert_eq!(entries, total, "nothing missing, nothing twice");
    practice.running.stop().await;
}
