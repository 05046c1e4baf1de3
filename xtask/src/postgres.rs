//! A PostgreSQL of our own for the tests: a new cluster in a temporary folder, on a free port, gone afterwards.

use crate::{say, system};
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Folders of clusters are named so, with the process id of the xtask that made them.
const PREFIX: &str = "subrosa-test-postgres-";
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running cluster; stopped and removed when dropped.
pub struct Postgres {
    server: Child,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts one, installing PostgreSQL where that is allowed. The error says why there is none.
    pub fn start() -> Result<Self> {
        let bin = match find() {
            Some(bin) => bin,
            None => {
                system::apt_install(&["postgresql"])?;
                find().context("postgresql is installed but has no initdb")?
            }
        };
        remove_old();
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let started = Self::start_in(&bin, &folder);
        if started.is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        started
    }

    fn start_in(bin: &Path, folder: &Path) -> Result<Self> {
        let user = Unprivileged::find()?;
        if let Some(name) = &user.name {
            system::run(Command::new("chown").arg(name).arg(folder))?;
        }
        let data = folder.join("data");
        let initdb = user
            .command(&bin.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(&data)
            .current_dir(folder)
            .output()
            .context("could not start initdb")?;
        if !initdb.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&initdb.stderr).trim());
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = fs::File::create(folder.join("log"))?;
        let server = user
            .command(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.display()))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("could not start postgres")?;
        let mut cluster = Self { server, folder: folder.to_path_buf(), port };
        cluster.wait()?;
        Ok(cluster)
    }

    /// What the tests find in `SUBROSA_TEST_POSTGRES`: each may create databases of its own beside `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if let Some(status) = self.server.try_wait()? {
                bail!("postgres ended with {status}: {}", self.last_words());
            }
            let ready = self.last_words().contains("ready to accept connections");
            if ready && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        bail!("postgres was not ready after {} s: {}", START_LIMIT.as_secs(), self.last_words())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is an immediate end; the data is thrown away anyway. (setpriv has become the server: same process id.)
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) && matches!(self.server.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(50));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whom to run as: PostgreSQL refuses root.
struct Unprivileged {
    name: Option<String>,
}

impl Unprivileged {
    fn find() -> Result<Self> {
        if !system::is_root() {
            return Ok(Self { name: None });
        }
        if system::find_on_path("setpriv").is_none() {
            bail!("PostgreSQL refuses root and there is no setpriv to run it as another user");
        }
        let known = |name: &&str| Command::new("id").arg(name).output().is_ok_and(|out| out.status.success());
        let name = ["postgres", "nobody"].into_iter().find(known).context("no unprivileged user is known here")?;
        Ok(Self { name: Some(name.to_owned()) })
    }

    /// With `--pdeathsig` the server ends with this process even if that is killed.
    fn command(&self, program: &Path) -> Command {
        let mut command;
        if system::find_on_path("setpriv").is_none() {
            command = Command::new(program);
        } else {
            command = Command::new("setpriv");
            command.args(["--pdeathsig", "QUIT"]);
            if let Some(name) = &self.name {
                command.args(["--reuid", name, "--regid"]).arg(group_of(name)).arg("--clear-groups");
            }
            command.arg("--").arg(program);
        }
        // Settings of a developer's own PostgreSQL must not leak in.
        for name in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGDATABASE"] {
            command.env_remove(name);
        }
        command
    }
}

fn group_of(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output();
    output.map_or_else(|_| user.to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// The folder with `initdb`: on the PATH, or the newest of Debian's versions.
fn find() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, bin)| bin)
        .or_else(|| Some(system::find_on_path("initdb")?.parent()?.to_path_buf()))
}

/// Removes what a killed run has left behind.
fn remove_old() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix(PREFIX) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            say::line(&format!("removing {name}, left behind by an earlier run"));
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
