use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subrosa_crypto::{cbor, sha256};
use subrosa_model::{Bytes, ChartId, Hash32, PracticeId, Timestamp};

use crate::BackupError;
use crate::files::{list, make_dir, name, read_bounded, write_whole};

/// The format written here.
const FORMAT: u32 = 1;
/// Most bytes of record bodies in one segment.
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
/// Largest file that is read into memory.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// One record of the journal, as it travels and lies in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// What kind of change it is, as [`subrosa_protocol::journal::Change::kind`] says.
    pub kind: String,
    /// Receive time of the server.
    pub at: Timestamp,
    /// On which chart.
    pub chart: Option<ChartId>,
    /// The change, CBOR.
    pub body: Bytes,
}

/// A stretch of the journal. Segments chain by hash, so that none can be taken out or exchanged unseen.
#[derive(Serialize, Deserialize)]
struct Segment {
    format: u32,
    practice: PracticeId,
    prev: Hash32,
    records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    practice: PracticeId,
}

/// A copy of (a stretch of) the key store, sealed to the practice kit; its content is the store's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Cursor after which it begins; 0 for a full copy.
    pub from: u64,
    /// Cursor that it reaches.
    pub to: u64,
    /// The sealed copy.
    pub bytes: Vec<u8>,
}

/// What a check of a set found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Journal records read.
    pub records: u64,
    /// Attachments whose bytes fit their name.
    pub objects: u64,
    /// Copies of the key store.
    pub key_files: u64,
    /// Everything that is missing or damaged, by file name or sequence number.
    pub missing: Vec<String>,
}

impl Checked {
    /// Whether nothing is missing or damaged.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A backup set in a folder.
#[derive(Debug)]
pub struct BackupSet {
    dir: PathBuf,
    practice: PracticeId,
    last: u64,
    chain: Hash32,
}

impl BackupSet {
    /// Opens the set in `dir`, or makes an empty one.
    pub fn open_or_make(dir: &Path, practice: PracticeId) -> Result<Self, BackupError> {
        let manifest = dir.join("work/subrosa-backup.json");
        if !manifest.exists() {
            let text = serde_json::to_vec(&Manifest { format: FORMAT, practice }).map_err(|_| BackupError::Damaged(name(&manifest)))?;
            make_dir(&dir.join("work/journal"))?;
            make_dir(&dir.join("work/keys"))?;
            make_dir(&dir.join("work/objects"))?;
            write_whole(&manifest, &text)?;
        }
        let set = Self::open(dir)?;
        if set.practice != practice {
            return Err(BackupError::WrongPractice);
        }
        Ok(set)
    }

    /// Opens an existing set.
    pub fn open(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join("work/subrosa-backup.json");
        let text = read_bounded(&path, 64 * 1024)?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| BackupError::Damaged(name(&path)))?;
        if manifest.format != FORMAT {
            return Err(BackupError::NewerFormat(manifest.format));
        }
        let mut set = BackupSet { dir: dir.to_owned(), practice: manifest.practice, last: 0, chain: Hash32::default() };
        if let Some(newest) = set.segments()?.pop() {
            let (segment, hash) = set.read_segment(&newest)?;
            set.last = segment.records.last().map_or(0, |r| r.seq);
            set.chain = hash;
        }
        Ok(set)
    }

    /// The practice.
    pub fn practice(&self) -> PracticeId {
        self.practice
    }

    /// The set's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the restic repository takes snapshots of.
    pub fn work(&self) -> PathBuf {
        self.dir.join("work")
    }

    /// Sequence number of the last record; 0 for none.
    pub fn last(&self) -> u64 {
        self.last
    }

    fn segments(&self) -> Result<Vec<PathBuf>, BackupError> {
        list(&self.dir.join("work/journal"), "seg")
    }

    fn read_segment(&self, path: &Path) -> Result<(Segment, Hash32), BackupError> {
        let bytes = read_bounded(path, MAX_FILE)?;
        let damaged = || BackupError::Damaged(name(path));
        let segment: Segment = cbor::decode(&bytes).map_err(|_| damaged())?;
        if segment.format != FORMAT {
            return Err(BackupError::NewerFormat(segment.format));
        }
        if segment.practice != self.practice || segment.records.is_empty() {
            return Err(damaged());
        }
        if segment.records.windows(2).any(|w| w[1].seq != w[0].seq + 1) || Some(name(path)) != segment_name(&segment.records) {
            return Err(damaged());
        }
        Ok((segment, sha256(&[&bytes])))
    }

    /// Appends records that follow the last one; durable when it returns.
    pub fn append(&mut self, records: Vec<Record>) -> Result<(), BackupError> {
        let mut rest = records.into_iter().peekable();
        while rest.peek().is_some() {
            let mut chunk: Vec<Record> = Vec::new();
            let mut size = 0;
            while let Some(record) = rest.next_if(|r| chunk.is_empty() || size + r.body.len() <= SEGMENT_BYTES) {
                let expected = chunk.last().map_or(self.last, |r| r.seq) + 1;
                if record.seq != expected {
                    return Err(BackupError::OutOfSequence { expected, found: record.seq });
                }
                size += record.body.len();
                chunk.push(record);
            }
            let (last, Some(file)) = (chunk.last().map_or(self.last, |r| r.seq), segment_name(&chunk)) else { break };
            let bytes = cbor::encode(&Segment { format: FORMAT, practice: self.practice, prev: self.chain, records: chunk });
            write_whole(&self.dir.join("work/journal").join(file), &bytes)?;
            self.last = last;
            self.chain = sha256(&[&bytes]);
        }
        Ok(())
    }

    /// Hands every record to `visit`, in order, and fails at the first gap or damage.
    pub fn records(&self, mut visit: impl FnMut(Record) -> Result<(), BackupError>) -> Result<u64, BackupError> {
        let mut last = 0;
        for record in self.iter()? {
            let record = record?;
            last = record.seq;
            visit(record)?;
        }
        Ok(last)
    }

    /// Every record in order, read segment by segment; ends after the first error.
    pub fn iter(&self) -> Result<impl Iterator<Item = Result<Record, BackupError>> + Send + use<>, BackupError> {
        let set = BackupSet { dir: self.dir.clone(), practice: self.practice, last: 0, chain: Hash32::default() };
        let mut paths = self.segments()?.into_iter();
        let (mut last, mut chain, mut broken) = (0, Hash32::default(), false);
        let mut ready = Vec::new().into_iter();
        Ok(std::iter::from_fn(move || {
            loop {
                if let Some(record) = ready.next() {
                    return Some(Ok(record));
                }
                if broken {
                    return None;
                }
                match set.next_segment(&paths.next()?, &mut last, &mut chain) {
                    Ok(records) => ready = records.into_iter(),
                    Err(e) => {
                        broken = true;
                        return Some(Err(e));
                    }
                }
            }
        }))
    }

    fn next_segment(&self, path: &Path, last: &mut u64, chain: &mut Hash32) -> Result<Vec<Record>, BackupError> {
        let (segment, hash) = self.read_segment(path)?;
        let first = segment.records.first().map_or(0, |r| r.seq);
        if first != *last + 1 {
            return Err(BackupError::OutOfSequence { expected: *last + 1, found: first });
        }
        if segment.prev != *chain {
            return Err(BackupError::Damaged(name(path)));
        }
        *last = segment.records.last().map_or(*last, |r| r.seq);
        *chain = hash;
        Ok(segment.records)
    }

    /// Stores a copy of the key store. The one before is removed only after the new full copy lies whole (`from` = 0).
    pub fn put_keys(&self, file: &KeyFile) -> Result<(), BackupError> {
        let dir = self.dir.join("work/keys");
        let path = dir.join(format!("{:020}-{:020}.keys", file.from, file.to));
        write_whole(&path, &file.bytes)
    }

    /// The copies of the key store: the newest full one and what follows it, in order.
    pub fn keys(&self) -> Result<Vec<KeyFile>, BackupError> {
        let mut files = Vec::new();
        for path in list(&self.dir.join("work/keys"), "keys")? {
            let (from, to) = span(&path).ok_or_else(|| BackupError::Damaged(name(&path)))?;
            files.push(KeyFile { from, to, bytes: read_bounded(&path, 16 * MAX_FILE)? });
        }
        let full = files.iter().rposition(|f| f.from == 0);
        Ok(full.map_or_else(Vec::new, |i| {
            let start = files[i].clone();
            let mut chain = vec![start];
            for f in files {
                if chain.last().is_some_and(|l| f.from == l.to && f.from > 0 && f.to > f.from) {
                    chain.push(f);
                }
            }
            chain
        }))
    }

    /// Cursor that the key copies reach; 0 for none.
    pub fn keys_reach(&self) -> Result<u64, BackupError> {
        Ok(self.keys()?.last().map_or(0, |f| f.to))
    }

    /// Drops every key copy older than the newest full one: after an erasure, whose keys must not outlive it here.
    pub fn drop_older_keys(&self) -> Result<usize, BackupError> {
        let keep: Vec<(u64, u64)> = self.keys()?.iter().map(|f| (f.from, f.to)).collect();
        let mut dropped = 0;
        for path in list(&self.dir.join("work/keys"), "keys")? {
            if span(&path).is_some_and(|s| !keep.contains(&s)) {
                std::fs::remove_file(&path).map_err(|e| BackupError::io(&path, e))?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    fn object_path(&self, hash: &Hash32) -> PathBuf {
        let text = hash.to_string();
        self.dir.join("work/objects").join(&text[..2]).join(&text[2..])
    }

    /// Stores an attachment's ciphertext under its hash.
    pub fn put_object(&self, hash: &Hash32, bytes: &[u8]) -> Result<(), BackupError> {
        if sha256(&[bytes]) != *hash {
            return Err(BackupError::Damaged(format!("attachment {hash}")));
        }
        let path = self.object_path(hash);
        if path.exists() { Ok(()) } else { write_whole(&path, bytes) }
    }

    /// An attachment's ciphertext; checked against its hash.
    pub fn object(&self, hash: &Hash32) -> Result<Option<Vec<u8>>, BackupError> {
        let path = self.object_path(hash);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, 1 << 31)?;
        if sha256(&[&bytes]) != *hash {
            return Err(BackupError::Damaged(format!("attachment {hash}")));
        }
        Ok(Some(bytes))
    }

    /// Every attachment in the set, by name.
    pub fn objects(&self) -> Result<Vec<Hash32>, BackupError> {
        let root = self.dir.join("work/objects");
        let mut out = Vec::new();
        for shelf in std::fs::read_dir(&root).map_err(|e| BackupError::io(&root, e))?.flatten() {
            let Ok(files) = std::fs::read_dir(shelf.path()) else { continue };
            for file in files.flatten() {
                let text = format!("{}{}", shelf.file_name().to_string_lossy(), file.file_name().to_string_lossy());
                out.extend(text.parse::<Hash32>().ok());
            }
        }
        out.sort();
        Ok(out)
    }

    /// Reads everything and says what is missing or damaged. Fails only where the set cannot be read at all.
    pub fn check(&self) -> Result<Checked, BackupError> {
        let mut checked = Checked::default();
        let mut count = 0;
        match self.records(|_| {
            count += 1;
            Ok(())
        }) {
            Ok(_) => {}
            Err(e @ (BackupError::Damaged(_) | BackupError::OutOfSequence { .. })) => checked.missing.push(e.to_string()),
            Err(e) => return Err(e),
        }
        checked.records = count;
        for hash in self.objects()? {
            match self.object(&hash) {
                Ok(Some(_)) => checked.objects += 1,
                Ok(None) => {}
                Err(e) => checked.missing.push(e.to_string()),
            }
        }
        checked.key_files = self.keys()?.len() as u64;
        if checked.key_files == 0 {
            checked.missing.push("no copy of the key store".to_owned());
        }
        Ok(checked)
    }
}

fn segment_name(records: &[Record]) -> Option<String> {
    Some(format!("{:020}-{:020}.seg", records.first()?.seq, records.last()?.seq))
}

fn span(path: &Path) -> Option<(u64, u64)> {
    let stem = path.file_stem()?.to_str()?;
    let (from, to) = stem.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRACTICE: PracticeId = PracticeId([1; 16]);

    fn record(seq: u64) -> Record {
        Record { seq, kind: "leaf".to_owned(), at: Timestamp(seq as i64), chart: None, body: vec![seq as u8; 100].into() }
    }

    fn all(set: &BackupSet) -> Result<Vec<u64>, BackupError> {
        let mut seen = Vec::new();
        set.records(|r| {
            seen.push(r.seq);
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn what_was_appended_is_there_again_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        set.append((1..=5).map(record).collect()).unwrap();
        set.append((6..=7).map(record).collect()).unwrap();
        let again = BackupSet::open(dir.path()).unwrap();
        assert_eq!(again.last(), 7);
        assert_eq!(all(&again).unwrap(), (1..=7).collect::<Vec<_>>());
    }

    #[test]
    fn gaps_and_other_practices_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        set.append(vec![record(1)]).unwrap();
        assert_eq!(set.append(vec![record(3)]).unwrap_err().code(), "out-of-sequence");
        assert_eq!(BackupSet::open_or_make(dir.path(), PracticeId([2; 16])).unwrap_err().code(), "wrong-practice");
    }

    #[test]
    fn a_segment_taken_out_or_changed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        for seq in 1..=3 {
            set.append(vec![record(seq)]).unwrap();
        }
        let files = set.segments().unwrap();
        let middle = std::fs::read(&files[1]).unwrap();
        std::fs::remove_file(&files[1]).unwrap();
        assert_eq!(all(&set).unwrap_err().code(), "out-of-sequence");
        for i in (0..middle.len()).step_by(5) {
            let mut bad = middle.clone();
            bad[i] ^= 1;
            std::fs::write(&files[1], &bad).unwrap();
            assert!(all(&set).is_err(), "byte {i}");
        }
        std::fs::write(&files[1], &middle).unwrap();
        assert_eq!(all(&set).unwrap().len(), 3);
    }

    #[test]
    fn a_half_written_file_is_not_part_of_the_set() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        set.append(vec![record(1)]).unwrap();
        std::fs::write(dir.path().join("work/journal/00000000000000000002-00000000000000000002.part"), b"half").unwrap();
        let mut again = BackupSet::open(dir.path()).unwrap();
        again.append(vec![record(2)]).unwrap();
        assert_eq!(all(&again).unwrap(), vec![1, 2]);
    }

    #[test]
    fn key_copies_chain_from_the_newest_full_one_and_older_ones_can_be_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        for (from, to) in [(0, 5), (5, 9), (0, 12), (12, 14)] {
            set.put_keys(&KeyFile { from, to, bytes: vec![1] }).unwrap();
        }
        let spans: Vec<_> = set.keys().unwrap().iter().map(|f| (f.from, f.to)).collect();
        assert_eq!(spans, vec![(0, 12), (12, 14)]);
        assert_eq!(set.drop_older_keys().unwrap(), 2);
        assert_eq!(set.keys_reach().unwrap(), 14);
    }

    #[test]
    fn an_attachment_is_taken_only_under_its_own_hash() {
        let dir = tempfile::tempdir().unwrap();
        let set = BackupSet::open_or_make(dir.path(), PRACTICE).unwrap();
        let hash = sha256(&[b"sealed"]);
        set.put_object(&hash, b"sealed").unwrap();
        assert!(set.put_object(&hash, b"other").is_err());
        assert_eq!(set.object(&hash).unwrap().unwrap(), b"sealed");
        std::fs::write(set.object_path(&hash), b"sealeD").unwrap();
        assert_eq!(set.check().unwrap().missing.len(), 2);
    }
}
