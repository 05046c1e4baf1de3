//! What every drill is given and gives back.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use subrosa_client::ClientError;

use crate::search::SearchError;

/// How a drill is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `subrosa` program that is attacked.
    pub binary: PathBuf,
    /// Folder of sample records (FHIR), if there is one; generated charts are used besides or instead.
    pub corpora: Option<PathBuf>,
    /// Where to leave everything for whoever wants to look; else a temporary folder that is removed.
    pub keep: Option<PathBuf>,
    /// How many generated charts the scratch practice gets.
    pub charts: usize,
    /// How many sample patients are imported at most.
    pub imported: usize,
}

impl Options {
    /// With the sizes of a full drill.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Options { binary: binary.into(), corpora: None, keep: None, charts: 6, imported: 12 }
    }

    /// With sizes for a test: seconds.
    #[must_use]
    pub fn small(mut self) -> Self {
        (self.charts, self.imported) = (2, 1);
        self
    }
}

/// What a drill found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether nothing got out and the control worked.
    pub passed: bool,
    /// Sentences for people.
    pub lines: Vec<String>,
    /// The same for programs: one object.
    pub json: Value,
}

impl Outcome {
    /// From its parts; adds what every drill says.
    pub fn new(drill: &str, passed: bool, lines: Vec<String>, fields: Value) -> Self {
        let mut object = Map::new();
        object.insert("drill".into(), drill.into());
        object.insert("scratch".into(), true.into());
        object.insert("passed".into(), passed.into());
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        Outcome { passed, lines, json: Value::Object(object) }
    }
}

/// Why a drill could not be carried out. That is no result: nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The program could not be started or did not answer.
    #[error("the server under attack could not be run: {0}")]
    Server(String),
    /// The client failed where it should not.
    #[error("the scratch practice could not be used ({at}): {error}")]
    Client {
        /// What was being done.
        at: &'static str,
        /// What the client says.
        error: ClientError,
    },
    /// Searching failed.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A file of the drill's own could not be written or read.
    #[error("the drill's own folder: {0}")]
    Files(#[from] std::io::Error),
    /// The control could not be set up.
    #[error("the control could not be set up: {0}")]
    Control(String),
    /// Something this drill needs is not in this program.
    #[error("{0}")]
    Missing(String),
}

impl DrillError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            DrillError::Server(_) => "drill-server",
            DrillError::Client { .. } => "drill-client",
            DrillError::Search(_) => "drill-search",
            DrillError::Files(_) => "drill-files",
            DrillError::Control(_) => "drill-control",
            DrillError::Missing(_) => "drill-missing",
        }
    }
}

/// Names what was being done when the client failed.
pub trait At<T> {
    /// As [`DrillError::Client`].
    ///
    /// # Errors
    /// The client's error with the place.
    fn at(self, at: &'static str) -> Result<T, DrillError>;
}

impl<T> At<T> for Result<T, ClientError> {
    fn at(self, at: &'static str) -> Result<T, DrillError> {
        self.map_err(|error| DrillError::Client { at, error })
    }
}

/// A drill's own folder.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Scratch {
    /// In `keep`, or temporary.
    ///
    /// # Errors
    /// When it cannot be made, or `keep` has something in it: a drill overwrites nothing.
    pub fn open(options: &Options) -> Result<Self, DrillError> {
        if let Some(keep) = &options.keep {
            std::fs::create_dir_all(keep)?;
            if std::fs::read_dir(keep)?.next().is_some() {
                return Err(DrillError::Missing(format!("{} is not empty: give a new folder", keep.display())));
            }
            // The server runs elsewhere: a relative path would be another one there.
            return Ok(Scratch { root: keep.canonicalize()?, _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("subrosa-drill-").tempdir()?;
        Ok(Scratch { root: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// A folder in it, made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, DrillError> {
        let path = self.root.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}

/// Copies a folder as a thief would: every file as it lies, while others write. Gives how many bytes.
///
/// # Errors
/// When something cannot be read.
pub fn copy_folder(from: &Path, to: &Path) -> Result<u64, DrillError> {
    let mut bytes = 0;
    std::fs::create_dir_all(to)?;
    for file in crate::search::files::files_under(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match std::fs::copy(&file, &target) {
            Ok(n) => bytes += n,
            // A running database may remove its own temporary file between listing and copying.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(bytes)
}
