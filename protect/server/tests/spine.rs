//! A practice of one through its day: set-up, sign-in, writing, opening, seeing who has looked.
#![allow(clippy::unwrap_used)]

mod common;
use common::{House, RECORD, chart, note};
use subrosa_client::{SetupOptions, setup};
use subrosa_model::Compartment;

#[tokio::test]
async fn a_note_is_written_opened_again_after_a_restart_and_everyone_who_looked_is_known() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    owner.write(patient, Compartment::Record, note("slept better")).await.unwrap();
    owner.write(patient, Compartment::Psychotherapy, note("a dream")).await.unwrap();

    let mut again = house.signin(&passkey).await;
    let opened = again.open_chart(patient, &[Compartment::Identity, Compartment::Record, Compartment::Psychotherapy]).await.unwrap();
    assert_eq!(opened.entries.len(), 3);
    assert!(opened.entries.iter().any(|e| e.head().unwrap().body.body.windows(12).any(|w| w == b"slept better")));
    let looked = again.who_has_looked(patient).await.unwrap();
    assert!(looked.events.len() >= 5, "{}", looked.events.len());
    again.sync_roster().await.unwrap();
    assert_eq!(again.search("muster", 5).len(), 1);
    house.stop().await;
}

#[tokio::test]
async fn a_practice_is_founded_once_and_only_with_the_token() {
    let house = House::open().await;
    let options = |token: &str| SetupOptions { token: token.into(), owner_name: "Owner".into(), time_zone: "UTC".into() };
    assert_eq!(setup(&house.conn, &house.passkey(), &options("wrong")).await.unwrap_err().server_code(), Some("setup-token"));
    setup(&house.conn, &house.passkey(), &options(&house.token)).await.unwrap();
    assert_eq!(setup(&house.conn, &house.passkey(), &options(&house.token)).await.unwrap_err().server_code(), Some("already-founded"));
    house.stop().await;
}

#[tokio::test]
async fn before_the_first_patient_there_is_a_second_way_in() {
    let house = House::open().await;
    let options = SetupOptions { token: house.token.clone(), owner_name: "Owner".into(), time_zone: "UTC".into() };
    let mut owner = setup(&house.conn, &house.passkey(), &options).await.unwrap().vault;
    let draft = subrosa_client::IdentityDraft::new("A", "B", "1990-01-01", vec![]);
    assert_eq!(owner.make_chart(&draft).await.unwrap_err().server_code(), Some("second-way-in-first"));
    owner.add_passkey(&house.passkey(), "second").await.unwrap();
    let patient = owner.make_chart(&draft).await.unwrap();
    owner.open_chart(patient, RECORD).await.unwrap();
    house.stop().await;
}
