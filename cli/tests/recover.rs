//! The worst day: the machine is gone. The real program, a real backup, a blank directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use subrosa_client::{Connection, HttpTransport, IdentityDraft, Kit, NewBody, SetupOptions, SignIn, SoftPasskey, SystemClock, Vault, setup, signin};
use subrosa_model::{ChartId, Compartment};

const BIN: &str = env!("CARGO_BIN_EXE_subrosa");

struct Serving {
    child: Child,
    address: String,
    origin: String,
    setup: Option<String>,
}

/// Starts the server; the origin (and so the passkeys) stays that of `port` when one is given.
fn serve(data: &Path, port: u16) -> Serving {
    let mut child = Command::new(BIN)
        .args(["--json", "serve", "--listen", &format!("127.0.0.1:{port}"), "--log", "error", "--data-dir"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let origin = text("origin").unwrap().trim_end_matches('/').to_owned();
    Serving { child, address: text("address").unwrap(), origin, setup: text("setup") }
}

impl Serving {
    fn connect(&self) -> Connection {
        Connection::new(Arc::new(HttpTransport::new(&format!("http://{}", self.address)).unwrap()), Arc::new(SystemClock))
    }
    fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

struct Practice {
    passkey: SoftPasskey,
    kit: Kit,
    charts: Vec<(ChartId, String)>,
}

async fn found(server: &Serving) -> (Practice, Vault) {
    let passkey = SoftPasskey::new(&server.origin);
    let token = server.setup.as_ref().unwrap().split("setup=").nth(1).unwrap().to_owned();
    let options = SetupOptions { token, owner_name: "Owner".to_owned(), time_zone: "Europe/Helsinki".to_owned() };
    let outcome = setup(&server.connect(), &passkey, &options).await.unwrap();
    let mut vault = outcome.vault;
    vault.put_kit().await.unwrap();
    let mut practice = Practice { passkey, kit: outcome.practice_kit, charts: Vec::new() };
    write(&mut practice, &mut vault, 3).await;
    (practice, vault)
}

async fn write(practice: &mut Practice, vault: &mut Vault, count: usize) {
    for n in 0..count {
        let name = format!("Testperson{}", practice.charts.len());
        let chart = vault.make_chart(&IdentityDraft::new("Given", &name, "1980-01-02", Vec::new())).await.unwrap();
        let text = format!("the note of {name}, number {n}");
        vault.write(chart, Compartment::Record, NewBody::note("Session", &text)).await.unwrap();
        vault.write(chart, Compartment::Psychotherapy, NewBody::note("Mine", &text)).await.unwrap();
        practice.charts.push((chart, text));
    }
}

async fn read_everything(practice: &Practice, server: &Serving) {
    let SignIn::Open(mut vault) = signin(&server.connect(), &practice.passkey, None).await.unwrap() else { panic!("asked for words") };
    for (chart, text) in &practice.charts {
        let opened = vault.open_chart(*chart, &[Compartment::Identity, Compartment::Record, Compartment::Psychotherapy]).await.unwrap();
        let notes = opened.entries.iter().filter(|e| e.head().is_some_and(|h| h.body.body.as_slice() == text.as_bytes())).count();
        assert_eq!(notes, 2);
    }
}

fn run(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(BIN).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn last_json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_else(|| panic!("nothing printed: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(line).unwrap()
}

fn backup(server: &Serving, data: &Path, to: &Path) -> serde_json::Value {
    let from = format!("http://{}", server.address);
    let output = run(&["--json", "backup", "--from", &from, "--data-dir", data.to_str().unwrap(), "--to", to.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    last_json(&output)
}

fn restore(from: &Path, to: &Path, words: &str, more: &[&str]) -> Output {
    let mut args = vec!["--json", "restore", "--from", from.to_str().unwrap(), "--to", to.to_str().unwrap()];
    args.extend(more);
    run(&args, &format!("{words}\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_machine_is_gone_kit_and_backup_bring_every_note_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copies, again) = (dir.path().join("data"), dir.path().join("copies"), dir.path().join("again"));
    let server = serve(&data, 0);
    let port = server.port();
    let (mut practice, mut vault) = found(&server).await;
    let first = backup(&server, &data, &copies);
    // A second round takes only what is new, and a third finds nothing new.
    write(&mut practice, &mut vault, 2).await;
    let second = backup(&server, &data, &copies);
    assert!(second["round"]["kept"].as_u64() > first["round"]["kept"].as_u64());
    assert!(run(&["--json", "verify", copies.to_str().unwrap()], "").status.success());

    server.kill();
    std::fs::remove_dir_all(&data).unwrap();

    // A wrong kit and damaged words restore nothing.
    let wrong = subrosa_crypto::words::code_to_words(&[7; 32]);
    let refused = restore(&copies, &again, &wrong, &[]);
    assert_eq!((refused.status.code(), last_json(&refused)["code"].as_str()), (Some(3), Some("wrong-kit")));
    assert_eq!(restore(&copies, &again, "not twenty four words", &[]).status.code(), Some(2));
    assert!(!again.join("main.db").exists());

    let done = restore(&copies, &again, &practice.kit.words, &[]);
    assert!(done.status.success(), "{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(last_json(&done)["charts"], 5);
    let server = serve(&again, port);
    read_everything(&practice, &server).await;
    // Work goes on, and so do the copies.
    let SignIn::Open(mut vault) = signin(&server.connect(), &practice.passkey, None).await.unwrap() else { panic!("asked for words") };
    write(&mut practice, &mut vault, 1).await;
    backup(&server, &again, &copies);
    server.kill();

    // The plain copy is damaged: the restic repository beside it still brings everything back.
    let segment = std::fs::read_dir(copies.join("work/journal")).unwrap().flatten().next().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(run(&["--json", "verify", copies.to_str().unwrap()], "").status.code(), Some(3));
    let third = dir.path().join("third");
    let done = restore(&copies, &third, &practice.kit.words, &[]);
    assert!(done.status.success(), "{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let server = serve(&third, port);
    read_everything(&practice, &server).await;
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_nobody_named_gets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copies) = (dir.path().join("data"), dir.path().join("copies"));
    let server = serve(&data, 0);
    let _ = found(&server).await;
    let from = format!("http://{}", server.address);
    let refused = run(&["--json", "keep", "--once", "--from", &from, "--to", copies.to_str().unwrap(), "--name", "attic"], "");
    assert_eq!((refused.status.code(), last_json(&refused)["code"].as_str()), (Some(1), Some("keeper")));
    assert_eq!(std::fs::read_dir(copies.join("work/journal")).unwrap().count(), 0);
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_an_owner_named_takes_copies_and_its_word_stands_in_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copies) = (dir.path().join("data"), dir.path().join("copies"));
    let server = serve(&data, 0);
    let (mut practice, mut vault) = found(&server).await;
    let key = subrosa_keeper::KeeperKey::open_or_make(&copies, "attic").unwrap();
    vault.append(vec![subrosa_protocol::directory::Act::SetWitness { name: "attic".to_owned(), key: key.public() }]).await.unwrap();
    let from = format!("http://{}", server.address);
    let keep = || run(&["--json", "keep", "--once", "--from", &from, "--to", copies.to_str().unwrap(), "--name", "attic"], "");
    for _ in 0..2 {
        let kept = keep();
        assert!(kept.status.success(), "{}", String::from_utf8_lossy(&kept.stdout));
        let size = last_json(&kept)["round"]["cosigned"].as_u64().unwrap();
        let state = vault.backup_state().await.unwrap();
        let (cosigned, _, witness) = state.cosigned.unwrap();
        assert_eq!((cosigned, witness.as_str()), (size, "attic"));
        assert!(state.kept.is_some());
        write(&mut practice, &mut vault, 1).await;
    }
    // Cosignatures are journal records: with nothing else new, the copies come to rest.
    let rest: Vec<u64> = (0..4).map(|_| last_json(&keep())["round"]["new"].as_u64().unwrap()).collect();
    assert_eq!(rest.last(), Some(&0), "{rest:?}");
    server.kill();
}
