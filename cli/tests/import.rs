//! Importing with the real program: link a device, bring records in, again, after a crash, and with files that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use subrosa_client::{Connection, HttpTransport, PinnedTransport, SetupOptions, SignIn, SoftPasskey, SystemClock, Vault, offer_device, setup, signin};
use subrosa_model::{Compartment, Timestamp};

const BIN: &str = env!("CARGO_BIN_EXE_subrosa");
const PASSPHRASE: &str = "a passphrase of this test";

/// A server in a process of its own, with a practice on it.
struct Practice {
    server: Child,
    url: String,
    passkey: SoftPasskey,
    folder: tempfile::TempDir,
    kit: subrosa_client::Kit,
}

impl Drop for Practice {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Starts a server, at a free port or a known one. Gives what it announces.
fn serve(folder: &Path, address: &str, more: &[&str]) -> (Child, Value) {
    let mut server = Command::new(BIN)
        .args(["--json", "serve", "--log", "error", "--listen", address, "--data-dir"])
        .arg(folder.join("data"))
        .args(more)
        .env("SUBROSA_OPEN_PER_MINUTE", "100000")
        .env("SUBROSA_SESSION_PER_MINUTE", "100000")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said = serde_json::from_str(&line).unwrap();
    (server, said)
}

impl Practice {
    async fn found() -> (Self, Vault) {
        let folder = tempfile::tempdir().unwrap();
        let (server, said) = serve(folder.path(), "127.0.0.1:0", &[]);
        let origin = said["origin"].as_str().unwrap().trim_end_matches('/');
        let (url, passkey) = (format!("http://{}", said["address"].as_str().unwrap()), SoftPasskey::new(origin));
        let token = said["setup"].as_str().unwrap().split("setup=").nth(1).unwrap().to_owned();
        let options = SetupOptions { token, owner_name: "Owner".to_owned(), time_zone: "Europe/Helsinki".to_owned() };
        let outcome = setup(&Connection::new(Arc::new(HttpTransport::new(&url).unwrap()), Arc::new(SystemClock)), &passkey, &options).await.unwrap();
        let mut vault = outcome.vault;
        vault.put_kit().await.unwrap();
        (Practice { server, url, passkey, folder, kit: outcome.practice_kit }, vault)
    }

    /// Takes a copy, destroys the machine, and brings the practice back on a blank one under the same address.
    fn lose_the_machine(&mut self) {
        let (data, copies, again) = (self.folder.path().join("data"), self.folder.path().join("copies"), self.folder.path().join("again"));
        let copied = Command::new(BIN).args(["--json", "backup", "--from", &self.url, "--data-dir"]).arg(&data).arg("--to").arg(&copies).output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stdout));
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        std::fs::remove_dir_all(&data).unwrap();
        let mut restore = Command::new(BIN)
            .args(["--json", "restore", "--from"])
            .arg(&copies)
            .arg("--to")
            .arg(&again)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(restore.stdin.take().unwrap(), "{}", self.kit.words.as_str()).unwrap();
        let restored = restore.wait_with_output().unwrap();
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stdout));
        let address = self.url.trim_start_matches("http://");
        self.server = Command::new(BIN)
            .args(["--json", "serve", "--listen", address, "--log", "error", "--data-dir"])
            .arg(&again)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(self.server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"ok\":true"), "{line}");
    }

    fn connect(&self) -> Connection {
        Connection::new(Arc::new(HttpTransport::new(&self.url).unwrap()), Arc::new(SystemClock))
    }

    async fn sign_in(&self) -> Vault {
        let SignIn::Open(vault) = signin(&self.connect(), &self.passkey, None).await.unwrap() else { panic!("asked for words") };
        *vault
    }

    fn device(&self) -> PathBuf {
        self.folder.path().join("office.device")
    }

    /// Links a device through the library.
    async fn link(&self, vault: &mut Vault) {
        let pairing = vault.begin_link().await.unwrap();
        let offered = offer_device(&self.connect(), &pairing.fragment, "Office").await.unwrap();
        finish(vault, pairing.id).await;
        std::fs::write(self.device(), offered.secrets.seal(PASSPHRASE).unwrap()).unwrap();
    }

    fn command(&self, paths: &[&Path], more: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(["--json", "import"]).args(paths).args(["--server", &self.url, "--device"]).arg(self.device()).args(more);
        command.env("SUBROSA_PASSPHRASE", PASSPHRASE).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Imports; gives the exit code and the report.
    fn import(&self, paths: &[&Path], more: &[&str]) -> (i32, Value) {
        let output = self.command(paths, more).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let last = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), serde_json::from_str(last).unwrap())
    }

    /// Every entry of every chart, as the owner sees it: schema and content.
    async fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let mut vault = self.sign_in().await;
        vault.sync_roster().await.unwrap();
        let charts: Vec<_> = vault.roster().rows().map(|f| f.chart).collect();
        let mut all = Vec::new();
        for some in charts.chunks(40) {
            vault.fresh(&self.passkey).await.unwrap();
            for chart in vault.open_charts(some, &[Compartment::Identity, Compartment::Admin, Compartment::Record]).await.unwrap() {
                for entry in chart.entries {
                    assert_eq!(entry.versions.len(), 1, "nothing was written twice");
                    let body = &entry.head().unwrap().body;
                    all.push((body.schema.clone(), body.body.to_vec()));
                }
            }
        }
        all
    }
}

async fn finish(vault: &mut Vault, id: subrosa_model::InvitationId) {
    let teams: BTreeSet<_> = vault.directory().teams().keys().copied().collect();
    let until = vault.connection().now().plus(30 * Timestamp::DAY);
    vault.finish_link(id, teams, until).await.unwrap();
}

fn count(report: &Value, what: &str) -> u64 {
    report["written"][what].as_u64().unwrap_or_else(|| panic!("{what} in {report}"))
}

fn codes(report: &Value, list: &str) -> Vec<String> {
    report[list].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap().to_owned()).collect()
}

fn patient(id: &str, family: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id, "name": [{ "family": family, "given": ["Testgiven"] }], "birthDate": "1980-01-02" })
}

fn of_patient(kind: &str, id: &str, patient: &str) -> Value {
    json!({ "resourceType": kind, "id": id, "status": "final", "subject": { "reference": format!("Patient/{patient}") } })
}

/// A bundle, bulk NDJSON, a C-CDA document and a patient list. Five patients.
fn records(folder: &Path) {
    let entry = |r: Value| json!({ "resource": r });
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        entry(patient("b1", "Testbundle")), entry(of_patient("Observation", "o1", "b1")), entry(of_patient("DiagnosticReport", "d1", "b1")),
        entry(json!({ "resourceType": "Organization", "id": "org", "name": "Test practice" })),
    ] });
    std::fs::write(folder.join("bundle.json"), bundle.to_string()).unwrap();
    let lines: Vec<String> = [patient("n1", "Testlines"), of_patient("Observation", "o2", "n1"), of_patient("Observation", "o3", "n1")].iter().map(Value::to_string).collect();
    std::fs::write(folder.join("bulk.ndjson"), lines.join("\n")).unwrap();
    let ccda = r#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
        <id root="2.16.840.1.113883.19.5" extension="doc-1"/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1" displayName="Summary"/><title>Summary</title>
        <effectiveTime value="20240102"/><recordTarget><patientRole><id root="2.16.840.1.113883.19.5.99999.2" extension="c-1"/>
        <patient><name><given>Testgiven</given><family>Testdocument</family></name><birthTime value="19750501"/></patient></patientRole></recordTarget>
        <component><structuredBody><component><section><title>Notes</title><text>Text of the test.</text></section></component></structuredBody></component></ClinicalDocument>"#;
    std::fs::write(folder.join("summary.xml"), ccda).unwrap();
    std::fs::write(folder.join("clients.csv"), "Client ID,First Name,Last Name,DOB,Phone\r\n71,Testgiven,Testrow,1990-12-31,555-0101\r\n72,Testother,Testrow,1991-11-30,555-0102\r\n").unwrap();
}

#[tokio::test]
async fn what_was_exported_elsewhere_comes_in_once_however_often_it_is_imported() {
    let (practice, mut vault) = Practice::found().await;
    practice.link(&mut vault).await;
    let folder = practice.folder.path().join("export");
    std::fs::create_dir(&folder).unwrap();
    records(&folder);

    let (exit, dry) = practice.import(&[&folder], &["--dry-run"]);
    assert_eq!((exit, dry["patients"].as_u64(), dry["written"].is_null()), (0, Some(5), true), "{dry}");
    assert_eq!(dry["by_schema"]["fhir-r4/Observation"], 3);
    assert!(practice.everything().await.is_empty(), "a dry run sends nothing");

    let (exit, first) = practice.import(&[&folder], &[]);
    assert_eq!((exit, count(&first, "charts_made"), count(&first, "charts_known")), (0, 6, 0), "five patients and the practice's own chart: {first}");
    assert!(codes(&first, "skipped").is_empty() && codes(&first, "refused").is_empty(), "{first}");
    let all = practice.everything().await;
    assert_eq!(all.len() as u64, count(&first, "entries"));
    for (schema, wanted) in [("fhir-r4/Patient", 2), ("fhir-r4/Observation", 3), ("fhir-r4/DiagnosticReport", 1), ("fhir-r4/Organization", 1), ("ccda", 1), ("roster-row", 2)] {
        assert_eq!(all.iter().filter(|(s, _)| s == schema).count(), wanted, "{schema}");
    }
    let document = std::fs::read(folder.join("summary.xml")).unwrap();
    assert!(all.iter().any(|(_, body)| *body == document), "a document is kept to the byte");

    let (exit, second) = practice.import(&[&folder], &[]);
    assert_eq!((exit, count(&second, "entries"), count(&second, "charts_made")), (0, 0, 0), "{second}");
    assert_eq!(count(&second, "entries_known"), count(&first, "entries"));
    // Without what this computer remembers, the server's charts are compared.
    let (exit, compared) = practice.import(&[&folder], &["--compare"]);
    assert_eq!((exit, count(&compared, "entries"), count(&compared, "charts_made")), (0, 0, 0), "{compared}");
    assert_eq!(practice.everything().await.len(), all.len());
}

/// Sixty patients with twelve observations each, in one file. Gives it and the number of things in it.
fn many(folder: &Path) -> (PathBuf, u64) {
    let (people, each) = (60, 12);
    let mut lines = String::new();
    for p in 0..people {
        writeln!(lines, "{}", patient(&format!("p{p}"), &format!("Testperson{p}"))).unwrap();
        for n in 0..each {
            writeln!(lines, "{}", of_patient("Observation", &format!("o{p}-{n}"), &format!("p{p}"))).unwrap();
        }
    }
    let file = folder.join("all.ndjson");
    std::fs::write(&file, lines).unwrap();
    (file, people * (each + 1))
}

/// Until the first charts are there and remembered.
fn wait_for_the_middle(practice: &Practice, import: &mut Child) {
    let state = practice.folder.path().join("office.device.import");
    let begun = Instant::now();
    while !state.exists() {
        assert!(begun.elapsed() < Duration::from_secs(120) && import.try_wait().unwrap().is_none(), "it was to be caught in the middle");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test]
async fn an_import_outlives_a_server_that_is_killed_and_started_again() {
    let (mut practice, mut vault) = Practice::found().await;
    practice.link(&mut vault).await;
    let (file, total) = many(practice.folder.path());
    let mut import = practice.command(&[&file], &[]).spawn().unwrap();
    wait_for_the_middle(&practice, &mut import);
    practice.server.kill().unwrap();
    practice.server.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    practice.server = serve(practice.folder.path(), practice.url.trim_start_matches("http://"), &[]).0;
    let output = import.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let all = practice.everything().await;
    assert_eq!(all.len() as u64, total, "{said}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len() as u64, total, "nothing twice");
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_and_ends_complete_without_anything_twice() {
    let (practice, mut vault) = Practice::found().await;
    practice.link(&mut vault).await;
    let (file, total) = many(practice.folder.path());
    let mut child = practice.command(&[&file], &[]).spawn().unwrap();
    wait_for_the_middle(&practice, &mut child);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());

    let (exit, report) = practice.import(&[&file], &[]);
    assert_eq!(exit, 0, "{report}");
    assert_eq!(count(&report, "entries") + count(&report, "entries_known"), total, "{report}");
    assert!(count(&report, "entries") > 0 && count(&report, "entries_known") > 0, "killed in the middle: {report}");
    let all = practice.everything().await;
    assert_eq!(all.len() as u64, total);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len() as u64, total, "nothing twice");
    let (_, third) = practice.import(&[&file], &[]);
    assert_eq!((count(&third, "entries"), count(&third, "entries_known")), (0, total));
}

#[tokio::test]
async fn what_cannot_be_read_is_named_by_place_and_code_and_never_by_content() {
    let (practice, mut vault) = Practice::found().await;
    practice.link(&mut vault).await;
    let folder = practice.folder.path().join("mixed");
    std::fs::create_dir(&folder).unwrap();
    records(&folder);
    std::fs::write(folder.join("cut.json"), br#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"secretperson""#).unwrap();
    std::fs::write(folder.join("lines.ndjson"), format!("{}\n{{\"resourceType\":\"Observation\", secretperson\n\"secretperson\"\n", patient("x1", "Testmixed"))).unwrap();
    std::fs::write(folder.join("old.xml"), br#"<Patient xmlns="http://hl7.org/fhir"><id value="secretperson"/></Patient>"#).unwrap();
    std::fs::write(folder.join("broken.zip"), b"PK\x03\x04 secretperson").unwrap();
    std::fs::write(folder.join("noise.bin"), [7u8, 0, 255, 254, 3, 0, 0, 9]).unwrap();
    let output = practice.command(&[&folder], &[]).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains("secretperson") && !text.contains("Testmixed"), "{text}");
    let report: Value = serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(codes(&report, "refused").len(), 4, "{report}");
    assert!(report["refused"].as_array().unwrap().iter().all(|n| n["at"].as_str().unwrap().starts_with("file ")));
    assert_eq!(codes(&report, "skipped").len(), 2, "{report}");
    assert_eq!(count(&report, "charts_made"), 7, "what can be read is imported all the same: {report}");

    let wrong = Command::new(BIN).args(["--json", "import", "no-such-file", "--dry-run"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let locked = practice.command(&[&folder], &[]).env("SUBROSA_PASSPHRASE", "another passphrase").output().unwrap();
    assert_eq!(locked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&locked.stdout).contains("wrong-words"));
}

#[tokio::test]
async fn a_server_with_a_certificate_of_its_own_is_imported_to_over_tls_and_no_other_certificate_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut der = Vec::new();
    for name in ["other", "its"] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path(&format!("{name}.pem")), made.cert.pem()).unwrap();
        std::fs::write(path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
        der = made.cert.der().to_vec();
    }
    let (server, said) = serve(folder.path(), "127.0.0.1:0", &["--tls-certificate", &path("its.pem"), "--tls-key", &path("its.key")]);
    let origin = said["origin"].as_str().unwrap().trim_end_matches('/').to_owned();
    assert!(origin.starts_with("https://localhost:"), "{origin}");
    let passkey = SoftPasskey::new(&origin);
    let conn = Connection::new(Arc::new(PinnedTransport::new(&origin, der).unwrap()), Arc::new(SystemClock));
    let token = said["setup"].as_str().unwrap().split("setup=").nth(1).unwrap().to_owned();
    let options = SetupOptions { token, owner_name: "Owner".to_owned(), time_zone: "Europe/Helsinki".to_owned() };
    let outcome = setup(&conn, &passkey, &options).await.unwrap();
    let (mut vault, kit) = (outcome.vault, outcome.practice_kit);
    let practice = Practice { server, url: origin, passkey, folder, kit };
    let path = |name: &str| practice.folder.path().join(name).to_str().unwrap().to_owned();
    vault.put_kit().await.unwrap();
    let pairing = vault.begin_link().await.unwrap();
    let offered = offer_device(&conn, &pairing.fragment, "Office").await.unwrap();
    finish(&mut vault, pairing.id).await;
    std::fs::write(practice.device(), offered.secrets.seal(PASSPHRASE).unwrap()).unwrap();

    let export = practice.folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    records(&export);
    let (exit, report) = practice.import(&[&export], &["--certificate", &path("its.pem")]);
    assert_eq!((exit, count(&report, "charts_made")), (0, 6), "{report}");
    let (exit, other) = practice.import(&[&export], &["--certificate", &path("other.pem")]);
    assert_eq!((exit, other["code"].as_str()), (3, Some("server-key-substituted")), "{other}");
    let (exit, untrusted) = practice.import(&[&export], &[]);
    assert_eq!((exit, untrusted["code"].as_str()), (1, Some("unreachable")), "{untrusted}");
}

#[tokio::test]
async fn a_computer_is_linked_once_both_sides_have_shown_the_same_words() {
    let (practice, mut vault) = Practice::found().await;
    let pairing = vault.begin_link().await.unwrap();
    let mut child = Command::new(BIN)
        .args(["--json", "link", "--server", &practice.url, "--name", "Attic", "--device"])
        .arg(practice.device())
        .env("SUBROSA_PASSPHRASE", PASSPHRASE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", pairing.fragment.as_str()).unwrap();
    let begun = Instant::now();
    let accepted = loop {
        assert!(begun.elapsed() < Duration::from_secs(60));
        if let Some(accepted) = vault.invitations().await.unwrap().into_iter().find_map(|w| w.accepted) {
            break accepted;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(accepted.name, "Attic");
    assert!(child.try_wait().unwrap().is_none(), "it waits for the browser");
    finish(&mut vault, pairing.id).await;
    let (mut said, mut result) = (String::new(), String::new());
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.stdout.take().unwrap().read_to_string(&mut result).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains(&accepted.six_words), "{said}");
    assert!(result.contains("\"ok\":true") && !said.contains(PASSPHRASE));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(practice.device()).unwrap().permissions()) & 0o777, 0o600);

    let folder = practice.folder.path().join("export");
    std::fs::create_dir(&folder).unwrap();
    records(&folder);
    let (exit, report) = practice.import(&[&folder], &["--source", "old"]);
    assert_eq!((exit, count(&report, "charts_made")), (0, 6), "the linked computer imports: {report}");
}

#[tokio::test]
async fn three_patients_of_a_real_export_come_in_whole_and_come_back_after_the_machine_is_lost() {
    let root = std::env::var_os("SUBROSA_CORPORA").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"), PathBuf::from);
    let Ok(list) = std::fs::read_dir(root.join("fhir-synthea-r4")) else {
        println!("skipped: no corpus fhir-synthea-r4; set SUBROSA_CORPORA");
        return;
    };
    let mut files: Vec<PathBuf> = list.flatten().map(|e| e.path()).filter(|p| {
        // Hospitals and practitioners lie in files of their own, in lower case.
        p.extension().is_some_and(|e| e == "json") && p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(char::is_uppercase))
    }).collect();
    files.sort_by_key(|p| std::fs::metadata(p).unwrap().len());
    // SUBROSA_PATIENTS=40 does it with all of them, for whoever has the minutes.
    let patients = std::env::var("SUBROSA_PATIENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    files.truncate(patients);
    let patients = files.len() as u64;
    let source: Vec<Value> = files.iter().map(|f| serde_json::from_slice(&std::fs::read(f).unwrap()).unwrap()).collect();
    let resources: BTreeSet<String> = source.iter().flat_map(|b| b["entry"].as_array().unwrap()).map(|e| e["resource"].to_string()).collect();

    let (mut practice, mut vault) = Practice::found().await;
    practice.link(&mut vault).await;
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let (exit, report) = practice.import(&paths, &[]);
    assert_eq!((exit, report["patients"].as_u64()), (0, Some(patients)), "{report}");
    let all = practice.everything().await;
    let stored: BTreeSet<String> = all.iter().filter(|(s, _)| s.starts_with("fhir-r4/")).map(|(_, b)| serde_json::from_slice::<Value>(b).unwrap().to_string()).collect();
    assert_eq!(stored.len(), resources.len());
    assert_eq!(stored, resources, "every resource is there, equal as JSON");

    practice.lose_the_machine();
    let again: BTreeSet<(String, Vec<u8>)> = practice.everything().await.into_iter().collect();
    assert_eq!(again, all.into_iter().collect(), "every byte is back");
}
