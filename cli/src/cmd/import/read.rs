//! Finding and reading what is to be imported. Sets that are larger than memory should hold are read in passes, each keeping the things of some patients:
//! nothing readable is laid down on disk, and a patient's things still go out together.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use subrosa_records::fhir::NdjsonReader;
use subrosa_records::roster::{self, DateOrder};
use subrosa_records::{Format, ImportBatch, Importer, Options, RecordsError, Remark, detect, read};

use crate::out::Failure;

/// Bytes of source that one pass may keep.
const PASS: u64 = 256 << 20;
/// Bytes of NDJSON that are read at a time.
const PIECE: usize = 16 << 20;
/// A prefix that tells the format.
const HEAD: usize = 64 << 10;
/// How many times its size an archive is taken to unpack to when passes are planned.
const UNPACKS: u64 = 8;

/// One file to be imported.
pub struct Source {
    /// Its path within what was named: for documents it says whose they are.
    pub name: String,
    path: PathBuf,
    size: u64,
}

/// Something that was not taken or deserves a look: where, a stable code, a sentence. Never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// `file 2, line 7`; a file that was refused whole is named.
    pub at: String,
    /// Stable code.
    pub code: String,
    /// For a person.
    pub reason: String,
}

impl Note {
    fn of(remark: Remark, file: usize) -> Self {
        Note { at: format!("file {}, {}", file + 1, remark.at), code: remark.code.to_owned(), reason: remark.reason }
    }
}

/// What reading told.
#[derive(Debug, Default)]
pub struct Notes {
    /// Files that were not read at all.
    pub refused: Vec<Note>,
    /// Pieces that were not taken.
    pub skipped: Vec<Note>,
    /// Pieces that were taken and deserve a look.
    pub remarks: Vec<Note>,
}

/// Every file under the paths, in order.
pub fn find(paths: &[PathBuf], notes: &mut Notes) -> Result<Vec<Source>, Failure> {
    let mut out = Vec::new();
    for path in paths {
        let cannot = |e: std::io::Error| Failure::usage("path", format!("{} cannot be read: {e}", path.display()));
        let meta = std::fs::metadata(path).map_err(cannot)?;
        if meta.is_dir() {
            walk(path, path, &mut out, notes).map_err(cannot)?;
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.push(Source { name, path: path.clone(), size: meta.len() });
        }
    }
    if out.is_empty() { Err(Failure::usage("nothing", "There is no file in what was named.")) } else { Ok(out) }
}

fn walk(root: &Path, folder: &Path, out: &mut Vec<Source>, notes: &mut Notes) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if kind.is_dir() {
            walk(root, &path, out, notes)?;
        } else if kind.is_file() {
            out.push(Source { name, size: entry.metadata()?.len(), path });
        } else {
            notes.skipped.push(Note { at: name, code: "not-a-file".to_owned(), reason: "links and devices are not followed; name the file itself".to_owned() });
        }
    }
    Ok(())
}

/// The files, and how they are to be read.
pub struct Reading {
    sources: Vec<Source>,
    options: Options,
    dates: Option<DateOrder>,
    passes: u64,
    /// Of a reading in several passes: patients, and what leads to them.
    index: ImportBatch,
}

impl Reading {
    /// Of these files. `dates` says the order of birth dates where a patient list leaves it open.
    pub fn new(sources: Vec<Source>, options: Options, dates: Option<DateOrder>) -> Self {
        let zip = |s: &Source| s.name.to_lowercase().ends_with(".zip");
        let total: u64 = sources.iter().map(|s| if zip(s) { s.size.saturating_mul(UNPACKS) } else { s.size }).sum();
        Reading { sources, options, dates, passes: total.div_ceil(PASS).max(1), index: ImportBatch::default() }
    }

    /// How many files.
    pub fn files(&self) -> usize {
        self.sources.len()
    }

    /// How often everything is read. With more than one, [`Self::prepare`] comes first.
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// Bytes of one reading.
    pub fn bytes(&self) -> u64 {
        self.sources.iter().map(|s| s.size).sum()
    }

    /// Learns who the patients are and how things lead to them, so that passes can be told apart. Does nothing where one pass is enough.
    pub fn prepare(&mut self, notes: &mut Notes, seen: &mut dyn FnMut(u64)) {
        if self.passes == 1 {
            return;
        }
        let mut index = ImportBatch::default();
        self.each(&mut |_, mut batch| {
            batch.items.clear();
            batch.unowned.clear();
            index.append(batch);
        }, notes, seen);
        self.index = index;
    }

    /// One pass: the batch of the patients that belong to it, settled. What belongs to nobody comes with the last. Notes are made by the first reading only.
    pub fn pass(&self, number: u64, notes: &mut Notes, seen: &mut dyn FnMut(u64)) -> ImportBatch {
        if self.passes == 1 {
            let mut all = ImportBatch::default();
            self.each(&mut |_, batch| all.append(batch), notes, seen);
            all.resolve();
            all.settle();
            return all;
        }
        let mut at_work = self.index.clone();
        let (mut items, mut unowned) = (Vec::new(), Vec::new());
        let mine = |key: &str| {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            hasher.finish() % self.passes == number
        };
        let mut unheard = Notes::default();
        self.each(&mut |_, batch| {
            at_work.append(batch);
            at_work.resolve();
            at_work.skipped.clear();
            items.extend(core::mem::take(&mut at_work.items).into_iter().filter(|i| mine(&i.patient_key)));
            let left = core::mem::take(&mut at_work.unowned);
            if number + 1 == self.passes {
                unowned.extend(left);
            }
        }, &mut unheard, seen);
        let mut out = ImportBatch::default();
        out.patients = core::mem::take(&mut at_work.patients).into_iter().filter(|p| mine(&p.key)).collect();
        out.items = items;
        out.settle();
        out.unowned.extend(unowned);
        out
    }

    /// Reads every file and hands over what each gives; documents come together, so that one person's folders are one person.
    fn each(&self, take: &mut dyn FnMut(usize, ImportBatch), notes: &mut Notes, seen: &mut dyn FnMut(u64)) {
        let mut documents = Importer::new(self.options.clone());
        let mut places = Vec::new();
        for (file, source) in self.sources.iter().enumerate() {
            let mut give = |mut batch: ImportBatch| {
                notes.skipped.extend(core::mem::take(&mut batch.skipped).into_iter().map(|r| Note::of(r, file)));
                notes.remarks.extend(core::mem::take(&mut batch.remarks).into_iter().map(|r| Note::of(r, file)));
                take(file, batch);
            };
            let done = match head(&source.path).map(|head| detect(&source.name, &head)) {
                Err(e) => Err(unreadable(&e)),
                Ok(Format::FhirNdjson) => self.ndjson(source, &mut give),
                Ok(Format::Document(_)) if self.passes == 1 => match self.whole(source) {
                    Ok(bytes) => {
                        places.push(file);
                        documents.add(&source.name, &bytes).map_err(|e| coded(&e))
                    }
                    Err(e) => Err(e),
                },
                Ok(Format::Roster) => self.whole(source).and_then(|bytes| self.roster(&bytes).map_err(|e| coded(&e))).map(give),
                Ok(_) => self.whole(source).and_then(|bytes| read(&source.name, &bytes, &self.options).map_err(|e| coded(&e))).map(give),
            };
            if let Err((code, reason)) = done {
                notes.refused.push(Note { at: format!("file {} ({})", file + 1, source.name), code, reason });
            }
            seen(source.size);
        }
        if !places.is_empty() {
            let mut batch = documents.finish();
            // The importer of documents counts documents only.
            let file = |at: &str| at.strip_prefix("file ").and_then(|n| n.parse::<usize>().ok()).and_then(|n| places.get(n.checked_sub(1)?)).copied();
            let place = |r: Remark| Note { at: file(&r.at).map_or_else(|| r.at.clone(), |f| format!("file {}", f + 1)), code: r.code.to_owned(), reason: r.reason };
            notes.skipped.extend(core::mem::take(&mut batch.skipped).into_iter().map(place));
            notes.remarks.extend(core::mem::take(&mut batch.remarks).into_iter().map(place));
            take(0, batch);
        }
    }

    fn whole(&self, source: &Source) -> Result<Vec<u8>, (String, String)> {
        if source.size > self.options.limits.file_bytes {
            return Err(coded(&RecordsError::TooLarge { limit_mib: self.options.limits.file_bytes >> 20 }));
        }
        std::fs::read(&source.path).map_err(|e| unreadable(&e))
    }

    fn ndjson(&self, source: &Source, give: &mut dyn FnMut(ImportBatch)) -> Result<(), (String, String)> {
        let mut reader = NdjsonReader::new(self.options.clone());
        let mut file = File::open(&source.path).map_err(|e| unreadable(&e))?;
        let mut piece = vec![0; PIECE.min(usize::try_from(source.size).unwrap_or(PIECE).max(1))];
        loop {
            let n = file.read(&mut piece).map_err(|e| unreadable(&e))?;
            if n == 0 {
                break;
            }
            reader.push(piece.get(..n).unwrap_or_default()).map_err(|e| coded(&e))?;
            give(reader.take().map_err(|e| coded(&e))?);
        }
        give(reader.finish().map_err(|e| coded(&e))?);
        Ok(())
    }

    fn roster(&self, bytes: &[u8]) -> Result<ImportBatch, RecordsError> {
        let sheet = roster::open(bytes, &self.options.limits)?;
        let mut mapping = roster::suggest(&sheet).mapping;
        mapping.dates = mapping.dates.or(self.dates);
        roster::read_roster(&sheet, &mapping, &self.options)
    }
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn coded(e: &RecordsError) -> (String, String) {
    (e.code().to_owned(), e.to_string())
}

fn unreadable(e: &std::io::Error) -> (String, String) {
    ("unreadable".to_owned(), format!("the file cannot be read: {e}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    fn lines(what: &str, count: usize, of: impl Fn(usize) -> String) -> (String, String) {
        (format!("{what}.ndjson"), (0..count).map(|n| of(n) + "\n").collect())
    }

    #[test]
    fn several_passes_give_what_one_pass_gives() {
        let folder = tempfile::tempdir().unwrap();
        let people = lines("Patient", 40, |n| format!(r#"{{"resourceType":"Patient","id":"p{n}","name":[{{"family":"F{n}","given":["G"]}}]}}"#));
        let visits = lines("Encounter", 80, |n| format!(r#"{{"resourceType":"Encounter","id":"e{n}","subject":{{"reference":"Patient/p{}"}}}}"#, n % 40));
        // Leads to its patient by way of a visit in another file.
        let by_visit = lines("Communication", 20, |n| format!(r#"{{"resourceType":"Communication","id":"c{n}","encounter":{{"reference":"Encounter/e{n}"}}}}"#));
        let nobody = lines("Organization", 3, |n| format!(r#"{{"resourceType":"Organization","id":"o{n}"}}"#));
        for (name, text) in [people, visits, by_visit, nobody] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let keys = |batches: &[ImportBatch]| -> (Vec<BTreeSet<(String, [u8; 32])>>, BTreeSet<[u8; 32]>, usize) {
            let items = batches.iter().map(|b| b.items.iter().map(|i| (i.patient_key.clone(), i.source_key)).collect()).collect();
            let unowned = batches.iter().flat_map(|b| b.unowned.iter().map(|u| u.item.source_key)).collect();
            (items, unowned, batches.iter().map(|b| b.patients.len()).sum())
        };
        let read = |passes: u64| {
            let mut notes = Notes::default();
            let sources = find(&[folder.path().to_owned()], &mut notes).unwrap();
            let mut reading = Reading { passes, ..Reading::new(sources, Options::default(), None) };
            reading.prepare(&mut notes, &mut |_| {});
            let batches: Vec<ImportBatch> = (0..passes).map(|n| reading.pass(n, &mut notes, &mut |_| {})).collect();
            assert!(notes.refused.is_empty() && notes.skipped.is_empty(), "{notes:?}");
            keys(&batches)
        };
        let (one, unowned, patients) = read(1);
        let (several, unowned_several, patients_several) = read(3);
        assert!(several.iter().all(|pass| !pass.is_empty()));
        let together: BTreeSet<_> = several.iter().flatten().cloned().collect();
        assert_eq!(together, one[0]);
        assert_eq!((one[0].len(), unowned.len(), patients), (140, 3, 40));
        assert_eq!((unowned_several, patients_several), (unowned, patients));
        let owners = |pass: &BTreeSet<(String, [u8; 32])>| pass.iter().map(|(p, _)| p.clone()).collect::<BTreeSet<_>>();
        assert!(owners(&several[0]).is_disjoint(&owners(&several[1])), "a patient's things go out together");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_code_and_the_rest_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), b"{\"resourceType\":\"Bundle\",").unwrap();
        std::fs::write(folder.path().join("b.ndjson"), b"{\"resourceType\":\"Patient\",\"id\":\"1\"}\n{oops\n").unwrap();
        std::fs::write(folder.path().join("c.xml"), b"<Patient xmlns=\"http://hl7.org/fhir\"/>").unwrap();
        let mut notes = Notes::default();
        let reading = Reading::new(find(&[folder.path().to_owned()], &mut notes).unwrap(), Options::default(), None);
        let batch = reading.pass(0, &mut notes, &mut |_| {});
        assert_eq!(batch.patients.len(), 1);
        let codes: Vec<(&str, &str)> = notes.refused.iter().map(|n| (n.at.as_str(), n.code.as_str())).collect();
        assert_eq!(codes.len(), 2, "{codes:?}");
        assert!(codes[0].0.contains("a.json") && codes[1].0.contains("c.xml"), "{codes:?}");
        assert_eq!(notes.skipped.len(), 1);
        assert_eq!(notes.skipped[0].at, "file 2, line 2");
        assert!(!format!("{notes:?}").contains("oops"));
    }
}
