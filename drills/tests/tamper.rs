//! A server that lies is refused by name, whatever it lies about.
#![allow(clippy::unwrap_used)]

mod common;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lies_is_refused_by_name() {
    let Some(options) = common::options() else { return };
    let outcome = subrosa_drills::tamper::run(&options, &|line| println!("{line}")).await.unwrap();
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("{}", outcome.json);
    assert_eq!(outcome.json["accepted"], 0);
    assert_eq!(outcome.json["control_accepted"], outcome.json["control_attacks"]);
    assert!(outcome.passed);
}
