//! The server and the chromedriver of one test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::browser::{Browser, Prf};

/// One server, one chromedriver. Tests of one program take turns: two browsers and a server are enough for a small machine.
pub struct Stage {
    /// Address of the server, without a slash at the end.
    pub url: String,
    /// The link that founds the practice, as the server printed it.
    pub setup_link: String,
    driver_url: String,
    chromium: PathBuf,
    folder: TempDir,
    _server: Child,
    _driver: Child,
    _turn: OwnedMutexGuard<()>,
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn turn() -> std::sync::Arc<Mutex<()>> {
    static TURN: OnceLock<std::sync::Arc<Mutex<()>>> = OnceLock::new();
    TURN.get_or_init(Default::default).clone()
}

fn find(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(given) = std::env::var_os(variable) {
        return Some(given.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name))).find(|file| file.is_file())
}

/// The `subrosa` program: `SUBROSA_TEST_BINARY`, or the debug build of this workspace, built if it is not there.
async fn program() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("SUBROSA_TEST_BINARY") {
        return Ok(given.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let program = target.join("debug/subrosa");
    if !program.is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "subrosa"]).current_dir(workspace()).status().await?;
        if !built.success() {
            bail!("the program `subrosa` does not build");
        }
    }
    Ok(program)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

impl Stage {
    /// Starts both, with an empty data directory; none where there is no browser to test with.
    pub async fn start() -> Result<Option<Self>> {
        Self::begin(Practice::Empty).await
    }

    /// Starts both, with a demonstration filled with invented people.
    pub async fn start_demonstration() -> Result<Option<Self>> {
        Self::begin(Practice::Demonstration).await
    }

    async fn begin(practice: Practice) -> Result<Option<Self>> {
        let chromium = find("SUBROSA_TEST_CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "chrome"]);
        let driver = find("SUBROSA_TEST_CHROMEDRIVER", &["chromedriver"]);
        let (Some(chromium), Some(driver)) = (chromium, driver) else {
            println!("skipped: no chromium and chromedriver to test the browser app with (set SUBROSA_TEST_CHROMIUM and SUBROSA_TEST_CHROMEDRIVER)");
            return Ok(None);
        };
        let turn = turn().lock_owned().await;
        let folder = tempfile::tempdir()?;
        let (server, url, setup_link) = start_server(folder.path(), practice).await?;
        let port = free_port()?;
        let driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver does not start")?;
        let driver_url = format!("http://127.0.0.1:{port}");
        wait_for(port).await.context("chromedriver does not answer")?;
        Ok(Some(Stage { url, setup_link, driver_url, chromium, folder, _server: server, _driver: driver, _turn: turn }))
    }

    /// A new browser that has never been here.
    pub async fn browser(&self, prf: Prf) -> Result<Browser> {
        let profile = tempfile::tempdir_in(self.folder.path())?.keep();
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": self.chromium,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1440,900",
                    format!("--user-data-dir={}", profile.display()),
                ],
            },
        });
        let capabilities = capabilities.as_object().cloned().unwrap_or_default();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.driver_url).await.context("Chromium does not start")?;
        Browser::new(client, prf, self.url.clone()).await
    }
}

/// What the server holds when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Practice {
    Empty,
    Demonstration,
}

/// Starts the server; gives its address and the set-up link (empty for a demonstration, which is founded already).
async fn start_server(folder: &Path, practice: Practice) -> Result<(Child, String, String)> {
    let port = free_port()?;
    let mut server = Command::new(program().await?)
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--host", "localhost", "--data-dir"])
        .arg(folder.join("data"))
        .args((practice == Practice::Demonstration).then_some("--demo"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("the server does not start")?;
    let (said, mut lines) = tokio::sync::mpsc::unbounded_channel();
    if let Some(out) = server.stdout.take() {
        tokio::spawn(read(out, said.clone()));
    }
    if let Some(err) = server.stderr.take() {
        tokio::spawn(read(err, said));
    }
    let mut all = String::new();
    let link = tokio::time::timeout(Duration::from_secs(60), async {
        while let Some(line) = lines.recv().await {
            all.push_str(&line);
            all.push('\n');
            let link = line.split_whitespace().find(|word| word.starts_with("http") && word.contains("setup="));
            if practice == Practice::Demonstration && line.contains("invented people.") {
                return Some(String::new());
            }
            if let (Some(link), Practice::Empty) = (link, practice) {
                return Some(link.trim_end_matches(['.', ',']).to_owned());
            }
        }
        None
    })
    .await;
    // Keeps reading, so that the server never waits for its own log.
    tokio::spawn(async move { while lines.recv().await.is_some() {} });
    let Ok(Some(link)) = link else { bail!("the server did not come up; it said:\n{all}") };
    wait_for(port).await?;
    Ok((server, format!("http://localhost:{port}"), link))
}

async fn read(from: impl tokio::io::AsyncRead + Unpin, to: tokio::sync::mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if to.send(line).is_err() {
            return;
        }
    }
}

async fn wait_for(port: u16) -> Result<()> {
    for _ in 0..150 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("nothing listens on port {port}")
}
