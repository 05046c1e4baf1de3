//! Format 1 of everything that this crate seals, frozen: files in `tests/vectors/v1.txt` have to open for ever.
//!
//! `cargo test -p subrosa-client -- --ignored make_vectors` writes what a new format would look like; the file is then committed beside the old one.

use subrosa_crypto::{CompartmentKey, DeviceKey, base64url, from_base64url};
use subrosa_model::{ChartId, Compartment, EntryId, Hash32, MemberId, PracticeId};

use crate::attachments;
use crate::device::DeviceSecrets;
use crate::drafts;
use crate::local::{HeadPin, Owner, Pins, open_local, seal_local};
use crate::write::NewBody;

const VECTORS: &str = include_str!("../tests/vectors/v1.txt");
const OWNER: Owner = Owner { practice: PracticeId([1; 16]), member: MemberId([2; 16]) };
const CHART: ChartId = ChartId([3; 16]);
const ENTRY: EntryId = EntryId([4; 16]);
const PASSPHRASE: &str = "a passphrase of vectors";

fn local() -> DeviceKey {
    DeviceKey::from_bytes([5; 32])
}

fn compartment() -> CompartmentKey {
    CompartmentKey::from_bytes([6; 32])
}

fn pins() -> Pins {
    let mut pins = Pins { directory_size: 9, directory_head: Hash32([7; 32]), kit: 3, ..Pins::default() };
    pins.heads.entry(CHART).or_default().insert(ENTRY, HeadPin { compartment: Compartment::Record, version: 2, hash: Hash32([8; 32]) });
    pins
}

fn body() -> NewBody {
    NewBody::note("a title", "a text")
}

fn vector(name: &str) -> Vec<u8> {
    let line = VECTORS.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    from_base64url(line.trim()).unwrap()
}

#[test]
fn a_device_file_of_format_1_opens() {
    let secrets = DeviceSecrets::open(&vector("device-file"), PASSPHRASE).unwrap();
    assert_eq!((secrets.practice(), secrets.device()), (OWNER.practice, subrosa_model::DeviceId([9; 16])));
}

#[test]
fn local_copies_of_format_1_open() {
    assert_eq!(open_local::<Pins>(&local(), OWNER, "pins", &vector("local-pins")).unwrap(), pins());
    assert_eq!(open_local::<NewBody>(&local(), OWNER, "draft", &vector("local-draft")).unwrap(), body());
}

#[test]
fn a_draft_and_an_attachment_of_format_1_open() {
    assert_eq!(drafts::open_vector(&compartment(), OWNER, CHART, ENTRY, &vector("draft")).unwrap(), body());
    let plain = attachments::open_vector(&compartment(), OWNER, CHART, ENTRY, b"a file", &vector("attachment")).unwrap();
    assert_eq!(plain.as_slice(), b"a file");
}

#[test]
#[ignore = "writes the vectors of a new format"]
fn make_vectors() {
    let device = DeviceSecrets::vector(OWNER.practice).seal(PASSPHRASE).unwrap();
    let lines = [
        ("device-file", device),
        ("local-pins", seal_local(&local(), OWNER, "pins", &pins())),
        ("local-draft", seal_local(&local(), OWNER, "draft", &body())),
        ("draft", drafts::seal_vector(&compartment(), OWNER, CHART, ENTRY, &body())),
        ("attachment", attachments::seal_vector(&compartment(), OWNER, CHART, ENTRY, b"a file")),
    ];
    let text: String = lines.iter().map(|(name, bytes)| format!("{name} {}\n", base64url(bytes))).collect();
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/new.txt"), text).unwrap();
}
