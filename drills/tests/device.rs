//! A stolen laptop gives nothing while it is locked, and no more than the bound while it is not.
#![allow(clippy::unwrap_used)]

mod common;

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_laptop_gives_nothing_locked_and_no_more_than_the_bound_unlocked() {
    let Some(options) = common::options() else { return };
    let outcome = subrosa_drills::device::run(&options, &|line| println!("{line}")).await.unwrap();
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!("{}", outcome.json);
    assert!(outcome.passed);
}
