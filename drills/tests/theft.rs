//! Everything of the real server is stolen, and nothing in it can be read.
#![allow(clippy::unwrap_used)]

mod common;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_confided_can_be_read_from_a_stolen_server() {
    let Some(options) = common::options() else { return };
    let outcome = subrosa_drills::theft::run(&options, &|line| println!("{line}")).await.unwrap();
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("{}", outcome.json);
    assert!(outcome.passed);
    assert_eq!(outcome.json["readable"], 0);
    assert_eq!(outcome.json["control_found"], outcome.json["control_planted"]);
}
