//! A witness over HTTP (C2SP tlog-witness): it cosigns a ledger's checkpoint only if it extends the last one that it cosigned, and remembers that one
//! durably before it answers. It sees an opaque origin, a size and a hash; never a record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use subrosa_backup::{BackupError, read_bounded, write_whole};
use subrosa_crypto::SigningKey;
use subrosa_ledger::tree::TreeHead;
use subrosa_ledger::witness::{AddCheckpoint, MAX_REQUEST, Refusal, SIZE_CONTENT_TYPE, decide, monitor_path};
use subrosa_ledger::{KeyName, LogKey, WitnessKey};
use subrosa_model::Timestamp;
use tokio::sync::Mutex;

use crate::{KeeperError, KeeperKey};

/// A witness of one or more ledgers.
#[derive(Clone)]
pub struct Witness {
    shared: Arc<Shared>,
}

struct Shared {
    name: KeyName,
    key: SigningKey,
    dir: PathBuf,
    logs: BTreeMap<String, LogKey>,
    clock: fn() -> Timestamp,
    /// Newest head per origin. Held while a request is decided and stored, so that two requests cannot both be cosigned.
    heads: Mutex<BTreeMap<String, TreeHead>>,
}

impl core::fmt::Debug for Witness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Witness({})", self.shared.name)
    }
}

impl Witness {
    /// A witness whose state lies in `dir`, watching `logs`. `clock` gives the time of cosignatures.
    pub fn open(dir: &Path, key: &KeeperKey, logs: Vec<LogKey>, clock: fn() -> Timestamp) -> Result<Self, KeeperError> {
        let name: KeyName = key.name.parse().map_err(|_| KeeperError::Backup(BackupError::Damaged("the witness's name".to_owned())))?;
        let mut heads = BTreeMap::new();
        for log in &logs {
            let path = dir.join(format!("{}.head", file_name(log.name())));
            if path.exists() {
                let bytes = read_bounded(&path, 4096)?;
                let head = subrosa_crypto::cbor::decode::<TreeHead>(&bytes).map_err(|_| BackupError::Damaged("a remembered head".to_owned()))?;
                heads.insert(log.name().to_string(), head);
            }
        }
        let logs = logs.into_iter().map(|l| (l.name().to_string(), l)).collect();
        let shared = Shared { name, key: SigningKey::from_seed(*key.sign.seed()), dir: dir.to_owned(), logs, clock, heads: Mutex::new(heads) };
        Ok(Witness { shared: Arc::new(shared) })
    }

    /// The witness's public key in the form that directories and logs take.
    pub fn vkey(&self) -> String {
        WitnessKey::new(self.shared.name.clone(), self.shared.key.public()).to_string()
    }

    /// Its addresses: `POST /add-checkpoint` and `GET /<hash of origin>/checkpoint`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/add-checkpoint", post(add))
            .route("/{origin}/checkpoint", get(newest))
            .layer(DefaultBodyLimit::max(MAX_REQUEST))
            .with_state(self.clone())
    }

    async fn add(&self, request: &str) -> Result<String, Failure> {
        let request: AddCheckpoint = request.parse()?;
        let origin = request.origin().to_string();
        let log = self.shared.logs.get(&origin).ok_or(Refusal::UnknownOrigin)?;
        let mut heads = self.shared.heads.lock().await;
        let last = heads.get(&origin).copied().unwrap_or_else(TreeHead::empty);
        let decision = decide(&request, std::slice::from_ref(log), &last, &self.shared.name, &self.shared.key, (self.shared.clock)())?;
        let file = file_name(log.name());
        // Durable before it is said: a witness that forgot could be shown a second history.
        let bytes = subrosa_crypto::cbor::encode(&decision.head);
        write_whole(&self.shared.dir.join(format!("{file}.head")), &bytes).map_err(|_| Failure::Disk)?;
        write_whole(&self.shared.dir.join(format!("{file}.note")), decision.checkpoint.to_string().as_bytes()).map_err(|_| Failure::Disk)?;
        heads.insert(origin, decision.head);
        Ok(decision.line)
    }
}

enum Failure {
    Refused(Refusal),
    Disk,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

fn file_name(origin: &KeyName) -> String {
    monitor_path(origin).trim_end_matches("/checkpoint").to_owned()
}

async fn add(State(witness): State<Witness>, body: Bytes) -> Response {
    let answered = match std::str::from_utf8(&body) {
        Ok(text) => witness.add(text).await,
        Err(_) => Err(Refusal::Form.into()),
    };
    match answered {
        Ok(line) => line.into_response(),
        Err(Failure::Refused(refusal)) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let media = if matches!(refusal, Refusal::Conflict { .. }) { SIZE_CONTENT_TYPE } else { "text/plain; charset=utf-8" };
            (status, [(header::CONTENT_TYPE, media)], refusal.body()).into_response()
        }
        Err(Failure::Disk) => (StatusCode::SERVICE_UNAVAILABLE, "The witness cannot remember anything at the moment; nothing was cosigned.\n").into_response(),
    }
}

async fn newest(State(witness): State<Witness>, UrlPath(origin): UrlPath<String>) -> Response {
    let known = witness.shared.logs.values().any(|l| file_name(l.name()) == origin);
    let path = witness.shared.dir.join(format!("{origin}.note"));
    match (known, std::fs::read_to_string(path)) {
        (true, Ok(note)) => note.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_ledger::{Checkpoint, Frontier, MemoryNodes, consistency_proof, leaf_hash};

    fn clock() -> Timestamp {
        Timestamp(1_790_000_000_000)
    }

    struct Log {
        key: SigningKey,
        name: KeyName,
        frontier: Frontier,
        nodes: MemoryNodes,
    }

    impl Log {
        fn make() -> Self {
            let name = "subrosa.invalid/0011/access".parse().unwrap();
            Log { key: SigningKey::make(), name, frontier: Frontier::new(), nodes: MemoryNodes::new() }
        }
        fn grow(&mut self, leaf: &str) {
            self.nodes.extend(self.frontier.append(leaf_hash(leaf.as_bytes())));
        }
        fn request(&self, old: u64) -> String {
            let proof = if old == 0 { Vec::new() } else { consistency_proof(&self.nodes, old, self.frontier.size()).unwrap() };
            let checkpoint = Checkpoint { origin: self.name.clone(), size: self.frontier.size(), root: self.frontier.root() };
            AddCheckpoint::new(old, proof, &checkpoint.sign(&self.key)).to_string()
        }
        fn key(&self) -> LogKey {
            LogKey::new(self.name.clone(), self.key.public())
        }
    }

    async fn code(witness: &Witness, request: &str) -> &'static str {
        match witness.add(request).await {
            Ok(_) => "ok",
            Err(Failure::Refused(r)) => r.code(),
            Err(Failure::Disk) => "disk",
        }
    }

    #[tokio::test]
    async fn it_cosigns_what_extends_and_remembers_it_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let key = KeeperKey::open_or_make(dir.path(), "attic").unwrap();
        let mut log = Log::make();
        log.grow("one");
        let witness = Witness::open(dir.path(), &key, vec![log.key()], clock).unwrap();
        assert_eq!(code(&witness, &log.request(0)).await, "ok");
        let mut other = Log { key: SigningKey::from_seed(*log.key.seed()), ..Log::make() };
        log.grow("two");
        assert_eq!(code(&witness, &log.request(1)).await, "ok");
        drop(witness);
        let witness = Witness::open(dir.path(), &key, vec![log.key()], clock).unwrap();
        assert_eq!(code(&witness, &log.request(0)).await, "witness-conflict");
        // The same log's key signs another history.
        other.grow("one");
        other.grow("another two");
        let split = AddCheckpoint::new(2, Vec::new(), &Checkpoint { origin: other.name.clone(), size: 2, root: other.frontier.root() }.sign(&other.key));
        assert_eq!(code(&witness, &split.to_string()).await, "witness-fork");
        assert_eq!(code(&witness, "nonsense").await, "witness-form");
        let stranger = Log { name: "subrosa.invalid/ffff/access".parse().unwrap(), ..Log::make() };
        assert_eq!(code(&witness, &stranger.request(0)).await, "witness-unknown-origin");
    }
}
