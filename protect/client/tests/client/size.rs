//! A chart of 500 notes and a roster of thousands: how long, and that everything is there.

use std::time::Instant;

use subrosa_client::{ImportOptions, ImportState};
use subrosa_model::Compartment;
use subrosa_records::Options;

use crate::practice::Practice;

#[tokio::test]
async fn a_chart_of_500_notes_opens_verified_in_one_request() {
    let (practice, mut vault) = Practice::founded().await;
    let mut entries = vec![r#"{"resource":{"resourceType":"Patient","id":"p","name":[{"family":"Long","given":["History"]}]}}"#.to_owned()];
    let text = "said in confidence ".repeat(100);
    for n in 0..499 {
        entries.push(format!(
            r#"{{"resource":{{"resourceType":"Observation","id":"o{n}","status":"final","code":{{"text":"note"}},"subject":{{"reference":"Patient/p"}},"valueString":"{n} {text}"}}}}"#
        ));
    }
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","));
    let batch = subrosa_records::read("a.json", bundle.as_bytes(), &Options::default()).unwrap();
    let start = Instant::now();
    let report = vault.import(&batch, &mut ImportState::default(), &ImportOptions::default(), None, |_| {}).await.unwrap();
    println!("imported 500 entries in {:?}", start.elapsed());
    let chart = *report.charts.values().next().unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        let opened = vault.open_chart(chart, &[Compartment::Identity, Compartment::Record]).await.unwrap();
        println!("opened 500 entries in {:?}", start.elapsed());
        assert_eq!(opened.entries.len(), 500);
    }
    practice.running.stop().await;
}
