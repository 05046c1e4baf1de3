//! The demonstration with the real program: filled, entered by anybody, closed to real people, and the same again after a restart or an interruption.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use subrosa_client::{Connection, HttpTransport, SystemClock, Vault, demo_signin};
use subrosa_model::Compartment;

/// Stops with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, more: &[&str]) -> Serving {
    let child = Command::new(env!("CARGO_BIN_EXE_subrosa"))
        .args(["--json", "serve", "--listen", "127.0.0.1:0", "--log", "error"])
        .args(more)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Serving(child)
}

fn announced(serving: &mut Serving) -> (Value, Connection) {
    let mut line = String::new();
    BufReader::new(serving.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let transport = HttpTransport::new(&format!("http://{}", said["address"].as_str().unwrap())).unwrap();
    (said, Connection::new(Arc::new(transport), Arc::new(SystemClock)))
}

async fn enter(conn: &Connection) -> Vault {
    let mut vault = demo_signin(conn, None).await.unwrap();
    vault.sync_roster().await.unwrap();
    vault
}

#[tokio::test]
async fn a_demonstration_is_filled_once_and_anybody_enters_it_and_nobody_real_is_admitted() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = start(folder.path(), &["--demo"]);
    let (said, conn) = announced(&mut serving);
    assert_eq!((said["demo"].as_bool(), said["setup"].is_null()), (Some(true), true), "the set-up link is not offered to anybody");
    assert!(folder.path().join(".subrosa-demo/DEMONSTRATION").is_file());
    assert!(conn.hello().await.unwrap().demo);

    let mut vault = enter(&conn).await;
    assert_eq!(vault.roster().len(), 24);
    let chart = vault.roster().rows().next().unwrap().chart;
    let opened = vault.open_chart(chart, &[Compartment::Identity, Compartment::Record]).await.unwrap();
    let notes: Vec<_> = opened.entries.iter().filter(|e| e.compartment == Compartment::Record).filter_map(|e| e.head()).collect();
    assert!(notes.len() >= 5);
    assert!(notes.iter().all(|n| String::from_utf8_lossy(&n.body.body).contains(subrosa_synthetic::MARK)), "every text says what it is");
    let refused = vault.begin_link().await.unwrap_err();
    assert!(vault.invite().await.is_err(), "{refused}");

    drop(serving);
    let mut serving = start(folder.path(), &["--demo"]);
    let (_, conn) = announced(&mut serving);
    assert_eq!(enter(&conn).await.roster().len(), 24, "the same people, none twice");
}

#[tokio::test]
async fn filling_that_was_interrupted_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = start(folder.path(), &["--demo"]);
    let entry = folder.path().join(".subrosa-demo/demonstration.device");
    while !entry.exists() {
        assert!(serving.0.try_wait().unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(serving);
    let mut serving = start(folder.path(), &["--demo"]);
    let (_, conn) = announced(&mut serving);
    assert_eq!(enter(&conn).await.roster().len(), 24);
}

#[tokio::test]
async fn a_real_practice_hands_out_no_way_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = start(folder.path(), &["--data-dir", "data"]);
    let (said, conn) = announced(&mut serving);
    assert_eq!(said["demo"], false);
    assert_eq!(conn.demo_entry().await.unwrap_err().server_code(), Some("not-found"));
    // Nor does somebody who lays such a file there make a demonstration of it.
    std::fs::write(folder.path().join("data/demonstration.device"), b"keys").unwrap();
    assert_eq!(conn.demo_entry().await.unwrap_err().server_code(), Some("not-found"));
}
