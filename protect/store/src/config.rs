use std::path::PathBuf;

/// Where a store keeps its data.
#[derive(Debug, Clone)]
pub struct Config {
    /// Local directory: lock, databases (SQLite), store key, attachments. Made if missing.
    pub data_dir: PathBuf,
    /// Which database.
    pub backend: Backend,
    /// Where the store key lies; `data_dir/store.key` if none. Several servers on one PostgreSQL share one file.
    pub key_file: Option<PathBuf>,
    /// Most operations that wait to be written; more are refused with [`crate::StoreError::Busy`].
    pub queue: usize,
    /// SQLite only: most pages (of 4 KiB) per database file; none for no bound but the disk's.
    pub max_pages: Option<u64>,
}

/// Which database.
#[derive(Clone)]
pub enum Backend {
    /// Two files in the data directory.
    Sqlite,
    /// Two databases of PostgreSQL (the same one twice is possible: no table has the same name).
    Postgres {
        /// `postgres://…` of the main database.
        main: String,
        /// `postgres://…` of the key store.
        keys: String,
    },
}

/// The addresses may hold passwords and are not shown.
impl core::fmt::Debug for Backend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Backend::Sqlite => "Sqlite",
            Backend::Postgres { .. } => "Postgres",
        })
    }
}

impl Config {
    /// SQLite in a directory.
    pub fn sqlite(data_dir: impl Into<PathBuf>) -> Self {
        Config { data_dir: data_dir.into(), backend: Backend::Sqlite, key_file: None, queue: 1024, max_pages: None }
    }

    /// PostgreSQL, with a directory for lock, store key and attachments.
    pub fn postgres(data_dir: impl Into<PathBuf>, main: impl Into<String>, keys: impl Into<String>) -> Self {
        Config { backend: Backend::Postgres { main: main.into(), keys: keys.into() }, ..Self::sqlite(data_dir) }
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.data_dir.join("store.key"))
    }
}
