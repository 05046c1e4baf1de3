//! The machine is gone, the key store was damaged before, and every note comes back.
#![allow(clippy::unwrap_used)]

mod common;

#[tokio::test(flavor = "multi_thread")]
async fn every_note_comes_back_after_a_total_loss() {
    let Some(options) = common::options() else { return };
    let outcome = subrosa_drills::total_loss::run(&options, &|line| println!("{line}")).await.unwrap();
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("{}", outcome.json);
    assert_eq!(outcome.json["lost"], 0);
    assert!(outcome.passed);
}
