//! The real program, run as its own process.

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::drill::{DrillError, Scratch};

/// How long the server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server under attack keeps its things.
#[derive(Debug, Clone)]
pub struct Place {
    /// The program.
    pub binary: PathBuf,
    /// Data directory.
    pub data: PathBuf,
    /// What it prints, captured as a service manager would.
    pub logs: PathBuf,
    /// Its temporary folder, which nobody else uses.
    pub temp: PathBuf,
    /// Its port, the same after a restart.
    pub port: u16,
    /// How much it prints; a drill wants everything.
    pub log: &'static str,
}

impl Place {
    /// Folders in the drill's own, and a free port.
    ///
    /// # Errors
    /// When there is no free port or folder.
    pub fn new(binary: &Path, scratch: &Scratch) -> Result<Self, DrillError> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr())?.port();
        Ok(Place { binary: binary.to_owned(), data: scratch.folder("server/data")?, logs: scratch.folder("server/logs")?, temp: scratch.folder("server/temp")?, port, log: "debug" })
    }

    /// The address that its clients use.
    pub fn base(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A command of the program, with this place's temporary folder and nothing of the drill's environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().env("TMPDIR", &self.temp).env("RUST_BACKTRACE", "1").current_dir(&self.temp).stdin(Stdio::null());
        for name in ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Takes a backup of the running server with the program's own command.
    ///
    /// # Errors
    /// [`DrillError::Server`] with what the command said.
    pub fn back_up(&self, to: &Path) -> Result<(), DrillError> {
        let mut command = self.command();
        command.args(["--json", "backup", "--from", &self.base(), "--data-dir"]).arg(&self.data).arg("--to").arg(to);
        let done = command.output()?;
        if done.status.success() { Ok(()) } else { Err(DrillError::Server(format!("backup: {}", last_line(&done.stdout)))) }
    }

    /// Starts the server, at its most talkative.
    ///
    /// # Errors
    /// [`DrillError::Server`] with what it printed.
    pub async fn start(&self) -> Result<Running, DrillError> {
        self.start_with(&[]).await
    }

    /// Starts the server with further variables.
    ///
    /// # Errors
    /// [`DrillError::Server`] with what it printed.
    pub async fn start_with(&self, variables: &[(&str, &str)]) -> Result<Running, DrillError> {
        let failed = |what: &str| DrillError::Server(what.to_owned());
        let out = self.logs.join("stdout.log");
        let before = fs::metadata(&out).map_or(0, |m| m.len());
        let append = |name: &str| -> Result<File, DrillError> { Ok(OpenOptions::new().create(true).append(true).open(self.logs.join(name))?) };
        let mut command = self.command();
        command.args(["--json", "serve", "--log", self.log, "--data-dir"]).arg(&self.data).args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command.env("SUBROSA_OPEN_PER_MINUTE", "1000000").env("SUBROSA_SESSION_PER_MINUTE", "1000000").envs(variables.iter().copied());
        command.stdout(append("stdout.log")?).stderr(append("stderr.log")?);
        let child = command.spawn().map_err(|e| failed(&format!("{} ({e})", self.binary.display())))?;
        let mut running = Running { child, setup_token: None };
        let begun = Instant::now();
        loop {
            let printed = fs::read(&out).unwrap_or_default();
            let printed = String::from_utf8_lossy(printed.get(before as usize..).unwrap_or_default()).into_owned();
            if let Some(answer) = printed.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).find(|v| v.get("ok").is_some()) {
                if answer.get("address").is_none() {
                    return Err(failed(answer.get("message").and_then(Value::as_str).unwrap_or("no reason given")));
                }
                let link = answer.get("setup").and_then(Value::as_str).unwrap_or_default();
                running.setup_token = link.split_once("#setup=").map(|(_, token)| token.to_owned());
                return Ok(running);
            }
            if running.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(self.logs.join("stderr.log")).unwrap_or_default();
                return Err(failed(said.lines().last().unwrap_or("it ended without a word")));
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

/// The last line that a command printed: its JSON object.
pub fn last_line(stdout: &[u8]) -> String {
    String::from_utf8_lossy(stdout).lines().last().unwrap_or("nothing was said").to_owned()
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// What the set-up link carries, until the practice is set up.
    pub setup_token: Option<String>,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits; kills it if it does not.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> Result<(), DrillError> {
        let asked = Command::new("sh").args(["-c", &format!("kill {}", self.child.id())]).status().is_ok_and(|s| s.success());
        let begun = Instant::now();
        while asked && begun.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
