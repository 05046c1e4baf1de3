//! Lies about charts: entries, wraps, and the proof that the access was recorded.

use subrosa_crypto::{CompartmentKey, Signed, SigningKey, sha256};
use subrosa_ledger::{Checkpoint, SignedCheckpoint};
use subrosa_model::{Bytes, Compartment, EntryId, Hash32, KeyId, MemberId};
use subrosa_protocol::access::{Leaf, access_origin};
use subrosa_protocol::api::{Released, StoredEntry};
use subrosa_protocol::chart::{Target, Wrap, WrapContext};
use subrosa_protocol::entry::{EntryBlob, EntryBody, EntryContext, EntryHeader, seal_entry};

use super::stage::Stage;
use super::{Attack, Op, flip_last, flip_middle, on};

type Lie = fn(&Stage, &mut Released) -> Option<()>;

/// Every lie of this kind.
pub fn attacks() -> Vec<Attack> {
    let mut all = Vec::new();
    let mut add = |name, op, lie: Lie| all.push(on(name, op, "/v1/release", lie));
    add("an entry of another chart is slipped in", Op::Open, |s, r| slip_in(r, s.old.b.charts.first()?.entries.first()?));
    add("all entries are those of another chart", Op::Open, |s, r| set(entries(r)?, s.old.b.charts.first()?.entries.clone()));
    add("an entry of a compartment that was not asked for", Op::Open, |s, r| slip_in(r, s.old.identity_a.charts.first()?.entries.first()?));
    add("the sealed bodies of two entries change places", Op::Open, |_, r| swap_bodies(entries(r)?));
    add("one bit of a sealed body is changed", Op::Open, |_, r| flip_last(&mut entries(r)?.first_mut()?.blob.sealed));
    add("one bit in the middle of a sealed body is changed", Op::Open, |_, r| flip_middle(&mut entries(r)?.last_mut()?.blob.sealed));
    add("a sealed body is cut", Op::Open, |_, r| entries(r)?.first_mut()?.blob.sealed.0.pop().map(|_| ()));
    add("one bit of a signature is changed", Op::Open, |_, r| flip_last(&mut entries(r)?.first_mut()?.blob.signed));
    add("an entry signed by a stranger is injected", Op::Open, |s, r| inject(r, &s.stranger, |_| ()));
    add("an entry signed by a stranger under the owner's key id", Op::Open, under_another_name);
    add("a colleague's entry is passed off as the owner's", Op::Open, |s, r| inject(r, &s.colleague_key, |_| ()));
    add("the owner's ciphertext is passed off as a colleague's new entry", Op::Open, |s, r| {
        let colleague = s.colleague;
        let key = s.colleague_key.clone();
        reattribute(r, &key, colleague)
    });
    add("a newer version is withheld", Op::Open, |_, r| drop_version(entries(r)?, Compartment::Record, 2));
    add("an older version is withheld", Op::Open, |_, r| drop_version(entries(r)?, Compartment::Record, 1));
    add("versions come in another order", Op::Open, |_, r| {
        entries(r)?.reverse();
        Some(())
    });
    add("a version comes twice", Op::Open, |_, r| {
        let first = entries(r)?.first()?.clone();
        entries(r)?.push(first);
        Some(())
    });
    add("an entry is left out", Op::Open, |_, r| {
        let gone = header(entries(r)?.first()?)?.context.entry;
        entries(r)?.retain(|e| header(e).is_none_or(|h| h.context.entry != gone));
        Some(())
    });
    add("the last entry is left out", Op::Open, |_, r| entries(r)?.pop().map(|_| ()));
    add("all entries are left out", Op::Open, |_, r| set(entries(r)?, Vec::new()));
    add("a second head is not marked as a conflict", Op::Open, |s, r| insider_version(s, r, 2, 1));
    add("a version with a gap before it", Op::Open, |s, r| insider_version(s, r, 4, 2));
    add("a version that names no predecessor that came", Op::Open, |s, r| insider_version(s, r, 3, 9));
    add("an insider seals under another key than the one named", Op::Open, insider_wrong_key);
    add("an insider forges the key id on another key's ciphertext", Op::Open, insider_commitment);
    add("an insider writes with a weaker cipher", Op::Open, insider_algorithm);

    add("the keys of another chart are substituted", Op::Open, |s, r| set(&mut r.charts.first_mut()?.wraps, s.old.b.charts.first()?.wraps.clone()));
    add("one bit of a wrapped key is changed", Op::Open, |_, r| flip_last(&mut wrap(r)?.sealed));
    add("one bit of a wrap's signature is changed", Op::Open, |_, r| flip_last(&mut wrap(r)?.signed));
    add("the wrapped keys of two wraps change places", Op::Open, |_, r| {
        let wraps = &mut r.charts.first_mut()?.wraps;
        let (first, rest) = wraps.split_first_mut()?;
        std::mem::swap(&mut first.sealed, &mut rest.first_mut()?.sealed);
        Some(())
    });
    add("a stranger's key is wrapped to the owner", Op::Open, |s, r| insider_wrap(s, r, &s.stranger, s.owner, Compartment::Record, 1, None));
    add("a colleague's psychotherapy key is wrapped to the owner", Op::Open, |s, r| insider_wrap(s, r, &s.colleague_key, s.colleague, Compartment::Psychotherapy, 1, None));
    add("a colleague's wrap is passed off as the owner's", Op::Open, |s, r| insider_wrap(s, r, &s.colleague_key, s.owner, Compartment::Record, 1, None));
    add("a wrap with key version 0", Op::Open, |s, r| insider_wrap(s, r, &s.colleague_key, s.colleague, Compartment::Record, 0, None));
    add("a wrap addressed to somebody else", Op::Open, |s, r| insider_wrap(s, r, &s.colleague_key, s.colleague, Compartment::Record, 1, Some(s.colleague)));
    add("all keys are withheld", Op::Open, |_, r| set(&mut r.charts.first_mut()?.wraps, Vec::new()));

    add("no proof that the access was recorded", Op::Open, |_, r| set(&mut r.heads, Vec::new()));
    add("the proof of another chart's access", Op::Open, |s, r| set(&mut r.heads, s.old.b.heads.clone()));
    add("the proof of an earlier access", Op::Open, |s, r| set(&mut r.heads, s.old.a.heads.clone()));
    add("the recorded access names somebody else", Op::Open, |s, r| {
        r.heads.first_mut()?.head.opened.event.as_mut()?.member = Some(s.colleague);
        Some(())
    });
    add("the recorded access names somebody else, committed anew", Op::Open, |s, r| {
        let opened = &mut r.heads.first_mut()?.head.opened;
        opened.event.as_mut()?.member = Some(s.colleague);
        let mut leaf: Leaf = super::middle::read(&opened.leaf)?;
        leaf.commitment = subrosa_protocol::access::commitment(opened.event.as_ref()?, opened.salt.as_slice().try_into().ok()?);
        opened.leaf = leaf.to_bytes().into();
        Some(())
    });
    add("the recorded access names other compartments", Op::Open, |_, r| {
        r.heads.first_mut()?.head.opened.event.as_mut()?.compartments = vec![Compartment::Identity];
        Some(())
    });
    add("what was recorded is withheld", Op::Open, |_, r| {
        r.heads.first_mut()?.head.opened.event = None;
        Some(())
    });
    add("the leaf speaks an unknown format", Op::Open, |_, r| {
        let opened = &mut r.heads.first_mut()?.head.opened;
        let mut leaf: Leaf = super::middle::read(&opened.leaf)?;
        leaf.v = 0;
        opened.leaf = leaf.to_bytes().into();
        Some(())
    });
    add("the map of newest leaves is an older one", Op::Open, |s, r| {
        r.heads.first_mut()?.map_leaf = s.old.a.heads.first()?.map_leaf.clone();
        Some(())
    });
    add("the place in the map is another chart's", Op::Open, |s, r| {
        r.heads.first_mut()?.map = s.old.b.heads.first()?.map.clone();
        r.heads.first_mut()?.map.siblings.push(Hash32([7; 32]));
        Some(())
    });
    add("the inclusion proof is cut", Op::Open, |_, r| r.heads.first_mut()?.head.inclusion.pop().map(|_| ()));
    add("one bit of the checkpoint's signature is changed", Op::Open, |_, r| flip_note(&mut r.extension.checkpoint));
    add("the checkpoint is signed by a stranger's log key", Op::Open, |s, r| counterfeit_note(s, &mut r.extension.checkpoint, 0));
    add("a checkpoint of a larger log that nobody has", Op::Open, |s, r| counterfeit_note(s, &mut r.extension.checkpoint, 100));
    add("the proof that the log was only extended is left out", Op::Open, |_, r| set(&mut r.extension.consistency, Vec::new()));
    add("the proof that the log was only extended is altered", Op::Open, |_, r| {
        r.extension.consistency.first_mut()?.0[0] ^= 1;
        Some(())
    });
    add("the log stands still at an old checkpoint", Op::Open, |s, r| set(&mut r.extension, s.old.a.extension.clone()));
    add("an old answer is replayed whole", Op::Open, |s, r| set(r, s.old.a.clone()));
    add("an old answer is replayed to a device that has seen nothing since", Op::OpenAtOldPin, |s, r| {
        *r = s.old.a_at_pin.clone();
        r.extension.consistency.clear();
        Some(())
    });
    add("the answer to a colleague is given to the owner", Op::Open, |s, r| set(r, s.old.a_to_colleague.clone()));
    add("two charts come in the other order", Op::OpenTwo, |_, r| {
        r.charts.reverse();
        Some(())
    });
    add("two charts and their proofs come in the other order", Op::OpenTwo, |_, r| {
        r.charts.reverse();
        r.heads.reverse();
        Some(())
    });
    add("one of two charts is left out", Op::OpenTwo, |_, r| {
        r.charts.pop()?;
        r.heads.pop().map(|_| ())
    });
    add("a chart that was not asked for comes too", Op::Open, |s, r| {
        r.charts.push(s.old.b.charts.first()?.clone());
        r.heads.push(s.old.b.heads.first()?.clone());
        Some(())
    });
    add("the entries of two charts change places", Op::OpenTwo, |_, r| {
        let (one, two) = r.charts.split_at_mut(1);
        std::mem::swap(&mut one.first_mut()?.entries, &mut two.first_mut()?.entries);
        Some(())
    });
    add("a note just written and acknowledged is dropped", Op::WriteThenOpen, |_, r| {
        let all = entries(r)?;
        let newest = all.iter().map(|e| e.received).max()?;
        all.retain(|e| e.received != newest);
        Some(())
    });
    all
}

pub(super) fn set<T>(place: &mut T, value: T) -> Option<()> {
    *place = value;
    Some(())
}

fn entries(r: &mut Released) -> Option<&mut Vec<StoredEntry>> {
    Some(&mut r.charts.first_mut()?.entries)
}

fn slip_in(r: &mut Released, entry: &StoredEntry) -> Option<()> {
    entries(r)?.push(entry.clone());
    Some(())
}

fn wrap(r: &mut Released) -> Option<&mut Wrap> {
    r.charts.first_mut()?.wraps.first_mut()
}

fn header(entry: &StoredEntry) -> Option<EntryHeader> {
    Some(entry.blob.peek_unverified().ok()?.0)
}

fn swap_bodies(entries: &mut [StoredEntry]) -> Option<()> {
    let (first, rest) = entries.split_first_mut()?;
    std::mem::swap(&mut first.blob.sealed, &mut rest.first_mut()?.blob.sealed);
    Some(())
}

fn signed(key: &SigningKey, header: &EntryHeader) -> Bytes {
    Signed::sign(key, &header.context.practice, header).to_bytes().into()
}

fn inject(r: &mut Released, key: &SigningKey, change: fn(&mut EntryContext)) -> Option<()> {
    let mut forged = entries(r)?.first()?.clone();
    let mut header = header(&forged)?;
    header.context.entry = EntryId([9; 16]);
    change(&mut header.context);
    forged.blob.signed = signed(key, &header);
    entries(r)?.push(forged);
    Some(())
}

fn under_another_name(s: &Stage, r: &mut Released) -> Option<()> {
    inject(r, &s.stranger, |_| ())?;
    let blob = &mut entries(r)?.last_mut()?.blob;
    let (own, wanted) = (s.stranger.public().id(), s.directory.member(&s.owner)?.sign.id());
    let at = blob.signed.windows(32).position(|w| w == own.as_bytes())?;
    blob.signed.0[at..at + 32].copy_from_slice(wanted.as_bytes());
    Some(())
}

fn reattribute(r: &mut Released, key: &SigningKey, author: MemberId) -> Option<()> {
    let mut forged = entries(r)?.iter().find(|e| header(e).is_some_and(|h| h.context.compartment == Compartment::Record && h.context.version == 1))?.clone();
    let mut header = header(&forged)?;
    (header.context.entry, header.context.author) = (EntryId([8; 16]), author);
    forged.blob.signed = signed(key, &header);
    entries(r)?.push(forged);
    Some(())
}

fn drop_version(entries: &mut Vec<StoredEntry>, compartment: Compartment, version: u32) -> Option<()> {
    let at = entries.iter().position(|e| header(e).is_some_and(|h| h.context.compartment == compartment && h.context.version == version && has_two(entries, &h)))?;
    entries.remove(at);
    Some(())
}

fn has_two(entries: &[StoredEntry], of: &EntryHeader) -> bool {
    entries.iter().filter_map(header).filter(|h| h.context.entry == of.context.entry).count() >= 2
}

fn newest_record(r: &mut Released) -> Option<EntryHeader> {
    entries(r)?.iter().filter_map(header).find(|h| h.context.compartment == Compartment::Record && h.context.version == 2)
}

/// The colleague signs a version of the amended note: allowed in itself, but not at this place of the chain.
fn insider_version(s: &Stage, r: &mut Released, version: u32, after: u32) -> Option<()> {
    let newest = newest_record(r)?;
    let key = s.insiders_key(&newest.context.key)?.clone();
    let prev = entries(r)?.iter().find(|e| header(e).is_some_and(|h| h.context.entry == newest.context.entry && h.context.version == after)).map(|e| e.blob.hash());
    let prev = prev.unwrap_or(Hash32([1; 32]));
    let context = EntryContext { author: s.colleague, device: None, version, prev: Some(prev), ..newest.context };
    insider(s, r, &key, &context)
}

fn insider(s: &Stage, r: &mut Released, key: &CompartmentKey, context: &EntryContext) -> Option<()> {
    let blob = seal_entry(&s.colleague_key, key, context, &body(), Vec::new()).ok()?;
    let received = entries(r)?.first()?.received;
    entries(r)?.push(StoredEntry { blob, received, conflict: false });
    Some(())
}

fn body() -> EntryBody {
    EntryBody { schema: "note/1".into(), content_type: "text/plain".into(), title: "forged".into(), occurred: None, body: b"forged".to_vec().into(), attachments: Vec::new() }
}

fn fresh_context(s: &Stage, r: &mut Released) -> Option<EntryContext> {
    let newest = newest_record(r)?;
    Some(EntryContext { author: s.colleague, device: None, entry: EntryId([6; 16]), version: 1, prev: None, ..newest.context })
}

/// A new entry of the colleague's that names the right key, and a container that was sealed with another.
fn insider_container(s: &Stage, r: &mut Released, change: impl Fn(&EntryContext, Vec<u8>) -> Option<Vec<u8>>) -> Option<()> {
    let context = fresh_context(s, r)?;
    let key = s.insiders_key(&context.key)?.clone();
    let blob = seal_entry(&s.colleague_key, &key, &context, &body(), Vec::new()).ok()?;
    let sealed = change(&context, blob.sealed.to_vec())?;
    let header = EntryHeader { context, sealed: sha256(&[&sealed]), attachments: Vec::new() };
    let received = entries(r)?.first()?.received;
    entries(r)?.push(StoredEntry { blob: EntryBlob { signed: signed(&s.colleague_key, &header), sealed: sealed.into() }, received, conflict: false });
    Some(())
}

fn insider_wrong_key(s: &Stage, r: &mut Released) -> Option<()> {
    insider_container(s, r, |context, _| Some(subrosa_crypto::seal(&CompartmentKey::make(), context, &[0; 4096])))
}

fn insider_commitment(s: &Stage, r: &mut Released) -> Option<()> {
    insider_container(s, r, |context, _| {
        let other = CompartmentKey::make();
        let mut sealed = subrosa_crypto::seal(&other, context, &[0; 4096]);
        let (own, wanted): (KeyId, KeyId) = (other.id(), context.key);
        let at = sealed.windows(32).position(|w| w == own.as_bytes())?;
        sealed[at..at + 32].copy_from_slice(wanted.as_bytes());
        Some(sealed)
    })
}

fn insider_algorithm(s: &Stage, r: &mut Released) -> Option<()> {
    insider_container(s, r, |_, mut sealed| {
        // In the protected header `1: 3` (A256GCM) becomes `1: 1` (A128GCM).
        let at = sealed.windows(2).take(24).position(|w| w == [1, 3])?;
        sealed[at + 1] = 1;
        Some(sealed)
    })
}

fn insider_wrap(s: &Stage, r: &mut Released, signer: &SigningKey, maker: MemberId, compartment: Compartment, version: u32, to: Option<MemberId>) -> Option<()> {
    let key = CompartmentKey::make();
    let to = to.unwrap_or(s.owner);
    let context = WrapContext { practice: s.practice, chart: s.a, compartment, version, key: key.id(), target: Target::Member { member: to } };
    let made = Wrap::make_to_member(signer, maker, &s.directory.member(&to)?.hpke, context, &key).ok()?;
    r.charts.first_mut()?.wraps.push(made);
    Some(())
}

pub(super) fn flip_note(note: &mut String) -> Option<()> {
    let end = note.trim_end().len();
    let at = end.checked_sub(6)?;
    let other = if note.get(at..at + 1)? == "A" { "B" } else { "A" };
    note.replace_range(at..at + 1, other);
    Some(())
}

/// The same checkpoint (or one of a larger log), signed with a key that the directory does not name.
pub(super) fn counterfeit_note(s: &Stage, note: &mut String, more: u64) -> Option<()> {
    let text = note.split("\n\n").next().map(|t| format!("{t}\n"))?;
    let mut checkpoint = Checkpoint::parse_text(&text).ok()?;
    checkpoint.origin = access_origin(&s.practice).parse().ok()?;
    checkpoint.size += more;
    let forged: SignedCheckpoint = checkpoint.sign(&s.stranger);
    *note = forged.note().to_string();
    Some(())
}
