//! The control of a search: a leak is planted on every route that is watched, in several forms, and each must be found where it was planted.
//!
//! Planted beside copies of the real things, with the same tools that the real things are made with: a row in a copy of the database, a row that exists only in a
//! write-ahead log, a line in a copy of the log, a process that holds the phrase, a request over the same transport.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use subrosa_client::{Request, Transport};
use subrosa_crypto::random;

use crate::drill::{DrillError, Scratch, copy_folder};
use crate::search::{Findings, Needles, Searcher};
use crate::wire::Wire;

/// The routes on which something could leak.
pub const ROUTES: [&str; 11] = ["url", "header", "body", "database", "wal", "objects", "log", "panic", "temp", "backup", "memory"];

/// In which form a leak is planted.
#[derive(Debug, Clone, Copy)]
enum Dress {
    Raw,
    Utf16,
    Base64,
    Base64Url,
    Hex,
    Json,
    Gzip,
    Zstd,
    Key,
}

/// Forms for routes that carry any bytes.
const BYTES: [Dress; 9] =
    [Dress::Raw, Dress::Utf16, Dress::Base64, Dress::Base64Url, Dress::Hex, Dress::Json, Dress::Gzip, Dress::Zstd, Dress::Key];
/// Forms for routes that carry text only.
const TEXT: [Dress; 5] = [Dress::Raw, Dress::Base64, Dress::Base64Url, Dress::Hex, Dress::Json];

struct Planted {
    route: &'static str,
    bytes: Vec<u8>,
    mark: usize,
}

/// Leaks to plant, and the marks that they must be found by.
pub struct Control {
    planted: Vec<Planted>,
    memory: Option<Child>,
    // A connection that stays open: closing it would move the log's rows into the database.
    wal: Option<SqliteConnection>,
}

/// How the control went.
#[derive(Debug, Clone)]
pub struct ControlResult {
    /// Leaks planted.
    pub planted: usize,
    /// Of them found where they were planted.
    pub found: usize,
    /// By route: planted, found.
    pub routes: Vec<(&'static str, usize, usize)>,
}

impl Control {
    /// Makes one marked leak for every route and form, and adds its mark to what is searched for.
    ///
    /// # Errors
    /// [`DrillError::Search`].
    pub fn new(needles: &mut Needles) -> Result<Self, DrillError> {
        let mut planted = Vec::new();
        for route in ROUTES {
            let dresses: &[Dress] = if matches!(route, "url" | "header" | "log" | "panic") { &TEXT } else { &BYTES };
            for (i, dress) in dresses.iter().enumerate() {
                let name = format!("control: {route} {dress:?}");
                let (bytes, mark) = match dress {
                    Dress::Key => {
                        let key = random::make_bytes::<32>();
                        (key.to_vec(), needles.key(&name, &key)?)
                    }
                    dress => {
                        let unique: String = random::make_bytes::<10>().iter().map(|b| char::from(b'a' + b % 26)).collect();
                        // A header carries ASCII only.
                        let over = if route == "header" { "over" } else { "über" };
                        let phrase = format!("Kx{unique} \"confided\" {over} {route} {i}");
                        (dress.on(&phrase, i)?, needles.mark(&name, &phrase)?)
                    }
                };
                planted.push(Planted { route, bytes, mark });
            }
        }
        Ok(Control { planted, memory: None, wal: None })
    }

    fn on<'a>(&'a self, route: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.planted.iter().filter(move |p| p.route == route).map(|p| p.bytes.as_slice())
    }

    /// Plants every leak, in copies of `data` (the stopped server's data directory) and `logs`. Gives the folder that holds a folder for each route.
    ///
    /// # Errors
    /// [`DrillError::Control`] when a leak cannot be planted: then the control shows nothing.
    pub async fn plant(&mut self, scratch: &Scratch, base: &str, data: &Path, logs: &Path) -> Result<PathBuf, DrillError> {
        let root = scratch.folder("control")?;
        for route in ROUTES {
            fs::create_dir_all(root.join(route))?;
        }
        self.requests(base, &root).await?;
        self.databases(data, &root).await?;
        for (i, bytes) in self.on("objects").enumerate() {
            let folder = root.join(format!("objects/{i:02x}"));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("c0ffee"), [&[0x9c; 4000], bytes, &[0x41; 300]].concat())?;
        }
        copy_folder(logs, &root.join("log"))?;
        let mut log = OpenOptions::new().create(true).append(true).open(root.join("log/stderr.log"))?;
        for bytes in self.on("log") {
            writeln!(log, "2026-01-01T00:00:00Z  INFO served route=/v1/entries body={}", String::from_utf8_lossy(bytes))?;
        }
        for (i, bytes) in self.on("panic").enumerate() {
            panicking(&root.join(format!("panic/stderr-{i}.log")), bytes)?;
        }
        for (i, bytes) in self.on("temp").enumerate() {
            fs::write(root.join(format!("temp/upload-{i}.tmp")), [b"--boundary\r\n\r\n", bytes, b"\r\n--boundary--"].concat())?;
        }
        for (i, bytes) in self.on("backup").enumerate() {
            fs::write(root.join(format!("backup/{i:08}.seg")), [&[0x82, 0x19, 0x1f, 0x40], bytes, &[0xf6; 64]].concat())?;
        }
        self.memory = Some(holding(&self.on("memory").map(<[u8]>::to_vec).collect::<Vec<_>>())?);
        Ok(root)
    }

    async fn requests(&self, base: &str, root: &Path) -> Result<(), DrillError> {
        let captured = root.join("captured");
        fs::create_dir_all(&captured)?;
        let wire = Wire::new(base, &captured)?;
        let send = async |path: String, headers: Vec<(String, String)>, body: Vec<u8>| wire.send(Request { method: "POST", path, headers, body }).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for bytes in self.on("url") {
            let query: String = bytes.iter().map(|b| if b.is_ascii_alphanumeric() { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect();
            let _ = send(format!("/v1/entries?note={query}"), Vec::new(), Vec::new()).await;
        }
        for bytes in self.on("header") {
            let _ = send("/v1/entries".into(), vec![("subrosa-note".into(), text(bytes))], Vec::new()).await;
        }
        for bytes in self.on("body") {
            let _ = send("/v1/entries".into(), Vec::new(), bytes.to_vec()).await;
        }
        for route in ["url", "header", "body"] {
            fs::rename(captured.join(route), root.join(route).join("captured"))?;
        }
        Ok(())
    }

    async fn databases(&mut self, data: &Path, root: &Path) -> Result<(), DrillError> {
        let wrong = |e: sqlx::Error| DrillError::Control(e.to_string());
        let mut largest: Option<(u64, PathBuf)> = None;
        for file in crate::search::files::files_under(data)? {
            let length = fs::metadata(&file)?.len();
            let is_database = fs::read(&file)?.starts_with(b"SQLite format 3\0");
            if is_database && largest.as_ref().is_none_or(|(n, _)| length > *n) {
                largest = Some((length, file));
            }
        }
        let (_, source) = largest.ok_or(DrillError::Control("the data directory has no database".into()))?;
        for route in ["database", "wal"] {
            let file = root.join(route).join("copy.db");
            fs::copy(&source, &file)?;
            let options = SqliteConnectOptions::new().filename(&file).journal_mode(SqliteJournalMode::Wal);
            let mut db = options.connect().await.map_err(wrong)?;
            for statement in ["PRAGMA wal_autocheckpoint=0", "CREATE TABLE plain_entries(id INTEGER PRIMARY KEY, body BLOB)", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                sqlx::raw_sql(statement).execute(&mut db).await.map_err(wrong)?;
            }
            // Long rows lie in pieces on several pages; each leak is also cut by a page's edge in one of its copies.
            for bytes in self.on(route) {
                let row = (0..40u8).flat_map(|i| [&vec![i; 60 + usize::from(i)][..], bytes].concat()).collect::<Vec<u8>>();
                let row = if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5]) { [&[0x5a; 4070][..], bytes, &[0x5a; 4070]].concat() } else { row };
                sqlx::query("INSERT INTO plain_entries(body) VALUES ($1)").bind(row).execute(&mut db).await.map_err(wrong)?;
            }
            if route == "database" {
                sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.map_err(wrong)?;
                db.close().await.map_err(wrong)?;
            } else {
                self.wal = Some(db);
            }
        }
        Ok(())
    }

    /// Searches what was planted with `searcher`, which must be the one that searched the real things.
    ///
    /// # Errors
    /// [`DrillError::Search`].
    pub fn check(mut self, root: &Path, searcher: &Searcher) -> Result<ControlResult, DrillError> {
        let mut findings = Findings::default();
        for route in ROUTES {
            searcher.search_folder(route, &root.join(route), &mut findings)?;
        }
        if let Some(mut child) = self.memory.take() {
            let searched = searcher.search_memory("memory", child.id(), &mut findings);
            let _ = child.kill();
            let _ = child.wait();
            searched?;
        }
        let mut routes = Vec::new();
        for route in ROUTES {
            // A row that the log alone holds must be found in the log.
            let place = if route == "wal" { "wal/copy.db-wal".to_owned() } else { route.to_owned() };
            let of_route = self.planted.iter().filter(|p| p.route == route);
            let found = of_route.clone().filter(|p| findings.found(p.mark, &place)).count();
            routes.push((route, of_route.count(), found));
        }
        let (planted, found) = (self.planted.len(), routes.iter().map(|r| r.2).sum());
        Ok(ControlResult { planted, found, routes })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(mut child) = self.memory.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Dress {
    fn on(self, phrase: &str, i: usize) -> Result<Vec<u8>, DrillError> {
        let before = &"xyz"[..i % 3];
        let story = format!("{before}{} {phrase} {}", "It rained. ".repeat(i), "Nobody came. ".repeat(30));
        Ok(match self {
            Dress::Raw | Dress::Key => phrase.as_bytes().to_vec(),
            Dress::Utf16 => phrase.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Dress::Base64 => STANDARD.encode(format!("{before}{phrase}")).into_bytes(),
            Dress::Base64Url => URL_SAFE_NO_PAD.encode(format!("{before}{phrase}")).into_bytes(),
            Dress::Hex => phrase.bytes().map(|b| format!("{b:02X}")).collect::<String>().into_bytes(),
            Dress::Json => phrase.encode_utf16().map(|u| if u < 128 && u != 34 { char::from(u as u8).to_string() } else { format!("\\u{u:04X}") }).collect::<String>().into_bytes(),
            Dress::Gzip => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                out.write_all(story.as_bytes())?;
                out.finish()?
            }
            Dress::Zstd => zstd::encode_all(story.as_bytes(), 3)?,
        })
    }
}

/// A process that ends as one that panics does, its error output captured like the server's.
fn panicking(into: &Path, bytes: &[u8]) -> Result<(), DrillError> {
    let script = "printf \"thread 'main' panicked at src/entry.rs:41:9:\\ncalled unwrap on an Err value: %s\\n\" \"$LEAK\" >&2; exit 101";
    let stderr = fs::File::create(into)?;
    let leak = String::from_utf8_lossy(bytes).into_owned();
    let status = Command::new("sh").args(["-c", script]).env("LEAK", leak).stderr(stderr).status()?;
    if status.code() == Some(101) { Ok(()) } else { Err(DrillError::Control("the panicking process did not panic".into())) }
}

/// A process that holds these bytes in its memory and waits.
fn holding(leaks: &[Vec<u8>]) -> Result<Child, DrillError> {
    // A pipe's reader of a line keeps what it read; bytes that a shell cannot keep (zeros) go in as its program's text does: by a mapped file it reads.
    let mut child = Command::new("tail").args(["-c", "1000000"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let gone = || DrillError::Control("the process that holds the leak did not take it".into());
    let input = child.stdin.as_mut().ok_or_else(gone)?;
    for leak in leaks {
        input.write_all(&[&b"\n held in memory: "[..], leak, b"\n"].concat())?;
    }
    input.flush()?;
    // `tail` reads all of its input before it writes; it holds it while the pipe stays open.
    wait_until_read(child.id()).then_some(()).ok_or_else(gone)?;
    Ok(child)
}

/// Whether the process has emptied its pipe: it sleeps in a read.
fn wait_until_read(pid: u32) -> bool {
    (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let mut state = String::new();
        let _ = fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut f| f.read_to_string(&mut state));
        state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    })
}
