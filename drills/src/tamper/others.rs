//! Lies at the door (sign-in, directory, team keys) and about everything that is not a chart: histories, rosters, people, drafts, files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use subrosa_crypto::{EpochKey, Signed, SigningKey, random};
use subrosa_model::{CareKind, Hash32, MemberId, PracticeId, RelationId, Role};
use subrosa_protocol::access::ChartHistory;
use subrosa_protocol::api::{Ceremony, DirectoryPage, Drafts, EntriesAnswer, Epochs, Hello, Invitations, Relations, RosterPage, SignedIn, StoredRelation};
use subrosa_protocol::chart::{CareRelation, RosterBlob, RosterContext, RosterRow};
use subrosa_protocol::directory::{Act, Recipient};
use subrosa_protocol::keys::{EpochSeal, WayIn};

use super::release::{counterfeit_note, flip_note, set};
use super::stage::Stage;
use super::{Attack, Op, flip_last, flip_middle, on, raw};

/// Every lie of these kinds.
pub fn attacks() -> Vec<Attack> {
    let mut all = Vec::new();
    door(&mut all);
    directory(&mut all);
    first_contact(&mut all);
    epochs(&mut all);
    looked(&mut all);
    roster(&mut all);
    people(&mut all);
    files(&mut all);
    all
}

fn door(all: &mut Vec<Attack>) {
    let mut hello = |name, op, lie: fn(&Stage, &mut Hello) -> Option<()>| all.push(on(name, op, "/v1/hello", lie));
    hello("the server claims to speak only an older protocol", Op::Hello, |_, h| set(&mut h.protocol, (0, 0)));
    hello("the server claims to speak only a newer protocol", Op::Hello, |_, h| set(&mut h.protocol, (9, 9)));
    hello("an invitation is followed to another practice", Op::Follow, |_, h| set(&mut h.practice, Some(PracticeId([5; 16]))));
    let mut start = |name, lie: fn(&Stage, &mut Ceremony) -> Option<()>| all.push(on(name, Op::SignIn, "/v1/signin/start", lie));
    start("the passkey is asked to sign the attacker's challenge", |_, c| {
        let mut options: serde_json::Value = serde_json::from_str(&c.options).ok()?;
        *options.pointer_mut("/publicKey/challenge")? = subrosa_crypto::base64url(&[7; 32]).into();
        set(&mut c.options, options.to_string())
    });
    start("the challenge is bound to the attacker's session", |s, c| set(c, s.old.ceremony.clone()));
    start("the nonce is another", |_, c| set(&mut c.nonce, vec![1; 32].into()));
    start("the passkey is asked for another host", |_, c| {
        let mut options: serde_json::Value = serde_json::from_str(&c.options).ok()?;
        options.pointer_mut("/publicKey")?.as_object_mut()?.insert("rpId".into(), "bank.example".into());
        set(&mut c.options, options.to_string())
    });
    let mut finish = |name, lie: fn(&Stage, &mut SignedIn) -> Option<()>| all.push(on(name, Op::SignIn, "/v1/signin/finish", lie));
    finish("one bit of the key bundle is changed", |_, a| flip_last(&mut a.bundle.as_mut()?.sealed));
    finish("the key bundle is a colleague's", |s, a| set(&mut a.bundle, s.old.colleague_signed_in.bundle.clone()));
    finish("the key bundle is an older one", |s, a| set(&mut a.bundle, s.old.signed_in.bundle.clone()));
    finish("an older bundle under the newer number", |s, a| {
        a.bundle.as_mut()?.sealed = s.old.signed_in.bundle.as_ref()?.sealed.clone();
        Some(())
    });
    finish("the bundle is withheld", |_, a| set(&mut a.bundle, None));
    finish("one bit of the wrapped bundle key is changed", |_, a| flip_last(&mut a.bundle.as_mut()?.way_in.sealed));
    finish("the way in belongs to another passkey", |_, a| {
        a.bundle.as_mut()?.way_in.way = WayIn::Passkey { credential: Hash32([3; 32]) };
        Some(())
    });
    finish("a person with a passkey is made to type words", |_, a| {
        let way_in = &mut a.bundle.as_mut()?.way_in;
        if let WayIn::Passkey { credential } = way_in.way {
            (way_in.way, way_in.salt) = (WayIn::Words { credential }, vec![0; 16].into());
        }
        Some(())
    });
    finish("the session is said to be a colleague's", |s, a| set(&mut a.member, s.colleague));
    finish("the session is said to be of another practice", |_, a| set(&mut a.practice, PracticeId([5; 16])));
    for (name, garbage) in [("an answer that is no answer", &b"\xff\xff\xff"[..]), ("an answer of nothing but depth", &[0x81; 4096][..])] {
        all.push(raw(name, Op::Open, "/v1/release", Arc::new(move |_, _, _| Some(garbage.to_vec()))));
    }
}

type Log = fn(&Stage, &mut DirectoryPage) -> Option<()>;

fn directory(all: &mut Vec<Attack>) {
    let mut add = |name, lie: Log| all.push(on(name, Op::SignIn, "/v1/directory", lie));
    add("the directory ends earlier", |_, d| {
        d.entries.pop()?;
        resize(d, -1)
    });
    add("the directory ends earlier but claims its length", |_, d| d.entries.pop().map(|_| ()));
    add("the directory is empty", |_, d| {
        d.entries.clear();
        set(&mut d.size, 0)
    });
    add("two statements change places", |_, d| {
        d.entries.swap(3, 4);
        Some(())
    });
    add("a statement is left out", |_, d| {
        d.entries.remove(d.entries.len() / 2);
        resize(d, -1)
    });
    add("a statement comes twice", |_, d| more(d, d.entries.last()?.clone()));
    add("one bit of a statement is changed", |_, d| flip_middle(d.entries.get_mut(2)?));
    add("one bit of a statement's signature is changed", |_, d| flip_last(d.entries.last_mut()?));
    add("a stranger admits a member", |s, d| more(d, s.statement(&[&s.stranger], admit(s, Role::Owner))));
    add("a clinician admits a member", |s, d| more(d, s.statement(&[&s.colleague_key], admit(s, Role::Clinician))));
    add("a clinician becomes owner by their own word", |s, d| more(d, s.statement(&[&s.colleague_key], Act::SetRole { member: s.colleague, role: Role::Owner })));
    add("the owner's keys are replaced", |s, d| {
        let turn = Act::TurnMember { member: s.owner, sign: s.stranger.public(), hpke: s.stranger_hpke.public() };
        more(d, s.statement(&[&s.stranger], turn))
    });
    add("a colleague replaces the owner's keys", |s, d| {
        let turn = Act::TurnMember { member: s.owner, sign: s.stranger.public(), hpke: s.stranger_hpke.public() };
        more(d, s.statement(&[&s.colleague_key], turn))
    });
    add("a colleague announces a bundle for the owner", |s, d| {
        let version = s.directory.member(&s.owner)?.bundle?.0 + 1;
        more(d, s.statement(&[&s.colleague_key], Act::SetBundle { member: s.owner, version, hash: Hash32([1; 32]) }))
    });
    add("the log's key is replaced", |s, d| more(d, s.statement(&[&s.stranger], Act::SetLogKey { log_key: s.stranger.public() })));
    add("a clinician replaces the log's key", |s, d| more(d, s.statement(&[&s.colleague_key], Act::SetLogKey { log_key: s.stranger.public() })));
    add("a clinician names a new practice root", |s, d| {
        more(d, s.statement(&[&s.colleague_key], Act::SetRoot { root: s.stranger.public(), backup: s.stranger_hpke.public() }))
    });
    add("a clinician lifts the rule of two", |s, d| more(d, s.statement(&[&s.colleague_key], Act::SetPolicy { policy: s.directory.policy()?.clone() })));
    add("a clinician reviews their own pace", |s, d| more(d, s.statement(&[&s.colleague_key], Act::ReviewPace { member: s.colleague })));
    add("the lowest suite is set to one that does not exist", |s, d| more(d, s.statement(&[&s.colleague_key], Act::RaiseSuite { min: 0 })));
    add("a team epoch leaves the owner out", |s, d| {
        let members = s.members();
        let seals = members.iter().filter(|m| **m != s.owner).map(|m| (Recipient::Member(*m), Hash32([2; 32]))).collect();
        let epoch = s.directory.teams().get(&s.team)?.epoch() + 1;
        let key = EpochKey::make().id();
        more(d, s.statement(&[&s.colleague_key], Act::TurnEpoch { team: s.team, epoch, key, seals, previous: Some(Hash32([3; 32])) }))
    });
    add("a team epoch is sealed to a stranger too", |s, d| {
        let recipients = s.directory.recipients(&s.team, s.now);
        let mut seals: BTreeMap<Recipient, Hash32> = recipients.into_iter().map(|r| (r, Hash32([2; 32]))).collect();
        seals.insert(Recipient::Member(MemberId([9; 16])), Hash32([2; 32]));
        let epoch = s.directory.teams().get(&s.team)?.epoch() + 1;
        more(d, s.statement(&[&s.colleague_key], Act::TurnEpoch { team: s.team, epoch, key: EpochKey::make().id(), seals, previous: Some(Hash32([3; 32])) }))
    });
    add("a team gets a member by a clinician's word", |s, d| {
        let members: BTreeSet<MemberId> = BTreeSet::from([s.colleague]);
        more(d, s.statement(&[&s.colleague_key], Act::ChangeTeam { team: s.team, members }))
    });
    add("a statement of another practice is slipped in", |s, d| {
        let other = subrosa_protocol::directory::Directive { practice: PracticeId([5; 16]), ..s.directory.next(s.now, Act::RemoveMember { member: s.colleague }) };
        more(d, subrosa_crypto::Endorsed::sign(&[&s.colleague_key], &PracticeId([5; 16]), &other).to_bytes().into())
    });
    add("the whole directory is a counterfeit under another root", |s, d| {
        d.entries = s.counterfeit()?;
        set(&mut d.size, d.entries.len() as u64)
    });
    add("the log has two histories", |s, d| {
        // A statement that is valid in itself, in the place of the last one that this device has seen.
        let before = s.without_last()?;
        let version = before.member(&s.colleague)?.bundle?.0 + 1;
        let act = Act::SetBundle { member: s.colleague, version, hash: Hash32([4; 32]) };
        d.entries.pop()?;
        d.entries.push(s.statement_at(before.size(), before.head(), &[&s.colleague_key], act));
        Some(())
    });
    let mut live = |name, lie: Log| all.push(on(name, Op::Sync, "/v1/directory", lie));
    live("a signed-in client is shown a shorter directory", |_, d| set(&mut d.size, 1));
    live("a signed-in client is told of more than comes", |_, d| resize(d, 5));
    live("a signed-in client is sent a stranger's statement", |s, d| more(d, s.statement(&[&s.stranger], admit(s, Role::Owner))));
}

fn first_contact(all: &mut Vec<Attack>) {
    let mut log = |name, lie: Log| all.push(on(name, Op::DeviceSignIn, "/v1/directory", lie));
    log("a new device is shown a counterfeit directory", |s, d| {
        d.entries = s.counterfeit()?;
        set(&mut d.size, d.entries.len() as u64)
    });
    log("a new device is shown a directory that ends before it was linked", |_, d| {
        d.entries.truncate(4);
        set(&mut d.size, 4)
    });
    log("a new device is shown an empty directory", |_, d| {
        d.entries.clear();
        set(&mut d.size, 0)
    });
    log("a new device is sent a stranger's statement", |s, d| more(d, s.statement(&[&s.stranger], admit(s, Role::Owner))));
    log("a new device is shown another first statement", |s, d| {
        *d.entries.first_mut()? = s.counterfeit()?.first()?.clone();
        Some(())
    });
    let mut finish = |name, lie: fn(&Stage, &mut SignedIn) -> Option<()>| all.push(on(name, Op::DeviceSignIn, "/v1/device/finish", lie));
    finish("a new device is told that it belongs to another practice", |_, a| set(&mut a.practice, PracticeId([5; 16])));
    finish("a new device is told that it belongs to a colleague", |s, a| set(&mut a.member, s.colleague));
    all.push(on("a new device gets the team keys of somebody else", Op::DeviceSignIn, "/v1/epochs", |s: &Stage, e: &mut Epochs| {
        let mine = e.seals.iter().find_map(|s| s.to.filter(|t| matches!(t, Recipient::Device(_))))?;
        let Recipient::Device(id) = mine else { return None };
        let to = s.directory.devices().get(&id)?.hpke.clone();
        let seal = e.seals.iter_mut().find(|s| s.to == Some(mine))?;
        *seal = EpochSeal::make(s.practice, seal.team, seal.epoch, mine, &to, &EpochKey::make()).ok()?;
        Some(())
    }));
}

fn more(d: &mut DirectoryPage, statement: subrosa_model::Bytes) -> Option<()> {
    d.entries.push(statement);
    resize(d, 1)
}

fn resize(d: &mut DirectoryPage, by: i64) -> Option<()> {
    d.size = d.size.checked_add_signed(by)?;
    Some(())
}

fn admit(s: &Stage, role: Role) -> Act {
    Act::AdmitMember { member: MemberId([9; 16]), name: "Mallory".into(), role, sign: s.stranger.public(), hpke: s.stranger_hpke.public() }
}

fn epochs(all: &mut Vec<Attack>) {
    let mut add = |name, op, lie: fn(&Stage, &mut Epochs) -> Option<()>| all.push(on(name, op, "/v1/epochs", lie));
    add("one bit of a team key's seal is changed", Op::SignIn, |_, e| newest_seals(e).first_mut().and_then(|s| flip_last(&mut s.sealed)));
    add("the seals of two teams change places", Op::SignIn, |_, e| {
        let mut own = newest_seals(e);
        let (first, rest) = own.split_first_mut()?;
        std::mem::swap(&mut first.sealed, &mut rest.first_mut()?.sealed);
        Some(())
    });
    add("a team key of the attacker's is sealed to the owner", Op::SignIn, |s, e| {
        let me = s.directory.member(&s.owner)?.hpke.clone();
        let seal = newest_seals(e).into_iter().next()?;
        let to = seal.to?;
        *seal = EpochSeal::make(s.practice, seal.team, seal.epoch, to, &me, &EpochKey::make()).ok()?;
        Some(())
    });
    add("an older team key inside the newer is changed", Op::SignIn, |_, e| e.seals.iter_mut().find(|s| s.to.is_none()).and_then(|s| flip_last(&mut s.sealed)));
    add("an older team key is put in place of the newer", Op::SignIn, |_, e| {
        let old = e.seals.iter().find(|s| s.epoch == 1 && s.to.is_some())?.clone();
        let newest = newest_seals(e).into_iter().find(|s| s.team == old.team && s.epoch > 1 && s.to == old.to)?;
        newest.sealed = old.sealed;
        Some(())
    });
    add("all team keys are withheld", Op::SignInAndOpen, |_, e| set(&mut e.seals, Vec::new()));
}

/// The seals to somebody of the highest epoch of each team.
fn newest_seals(e: &mut Epochs) -> Vec<&mut EpochSeal> {
    let mut newest: BTreeMap<_, u32> = BTreeMap::new();
    for s in e.seals.iter().filter(|s| s.to.is_some()) {
        let at = newest.entry(s.team).or_default();
        *at = (*at).max(s.epoch);
    }
    e.seals.iter_mut().filter(|s| s.to.is_some() && newest.get(&s.team) == Some(&s.epoch)).collect()
}

fn looked(all: &mut Vec<Attack>) {
    let mut add = |name, lie: fn(&Stage, &mut ChartHistory) -> Option<()>| all.push(on(name, Op::Looked, "/v1/looked", lie));
    add("the newest look by somebody is left out", |_, h| {
        h.older.remove(0);
        Some(())
    });
    add("the oldest look is left out", |_, h| h.older.pop().map(|_| ()));
    add("all looks are left out", |_, h| set(&mut h.older, Vec::new()));
    add("two looks change places", |_, h| {
        h.older.swap(0, 1);
        Some(())
    });
    add("a look is put in another's name", |s, h| {
        h.older.iter_mut().filter_map(|l| l.event.as_mut()).find(|e| e.member == Some(s.colleague))?.member = Some(s.owner);
        Some(())
    });
    add("a look is dated back", |_, h| {
        let event = h.older.first_mut()?.event.as_mut()?;
        event.at = event.at.plus(-86_400_000);
        Some(())
    });
    add("a look is said to stand in a care relation", |_, h| {
        let event = h.older.iter_mut().filter_map(|l| l.event.as_mut()).next()?;
        event.related = !event.related;
        Some(())
    });
    add("the history is another chart's", |s, h| {
        h.head = s.old.looked_b.head.clone();
        set(&mut h.older, s.old.looked_b.older.clone())
    });
    add("the request itself is not in the history", |s, h| {
        h.head = s.old.looked_a.head.clone();
        set(&mut h.older, s.old.looked_a.older.clone())
    });
    add("an old history is shown", |s, h| set(h, s.old.looked_a.clone()));
    add("the history stands under a counterfeit checkpoint", |s, h| counterfeit_note(s, &mut h.extension.checkpoint, 0));
    add("the history's checkpoint is altered", |_, h| flip_note(&mut h.extension.checkpoint));
}

fn roster(all: &mut Vec<Attack>) {
    let mut add = |name, lie: fn(&Stage, &mut RosterPage) -> Option<()>| all.push(on(name, Op::Roster, "/v1/roster", lie));
    add("two patients' lines change places", |_, r| {
        let (first, rest) = r.rows.split_first_mut()?;
        std::mem::swap(&mut first.row, &mut rest.first_mut()?.row);
        Some(())
    });
    add("a line is sent without its own key", |_, r| {
        let (first, rest) = r.rows.split_first_mut()?;
        first.row.as_mut()?.wrap = rest.first_mut()?.row.as_ref()?.wrap.clone();
        Some(())
    });
    add("one bit of a line is changed", |_, r| flip_last(&mut r.rows.first_mut()?.row.as_mut()?.blob.sealed));
    add("one bit of a line's signature is changed", |_, r| flip_last(&mut r.rows.first_mut()?.row.as_mut()?.blob.signed));
    add("one bit of a line's key is changed", |_, r| flip_last(&mut r.rows.first_mut()?.row.as_mut()?.wrap.sealed));
    add("a stranger writes a line", |s, r| forge_row(s, r, &s.stranger));
    add("a patient is given an older name", |s, r| {
        let old = s.old.roster.rows.iter().find(|i| i.chart == s.a)?.clone();
        *r.rows.iter_mut().find(|i| i.chart == s.a)? = old;
        Some(())
    });
    add("the list is proven by another's access", |s, r| set(&mut r.leaf, s.old.a.heads.first()?.head.clone()));
    add("the recorded access names somebody else", |s, r| {
        r.leaf.opened.event.as_mut()?.member = Some(s.colleague);
        Some(())
    });
    add("what was recorded of the list is withheld", |_, r| set(&mut r.leaf.opened.event, None));
    add("the list stands under a counterfeit checkpoint", |s, r| counterfeit_note(s, &mut r.extension.checkpoint, 0));
    add("the list's log stands still", |s, r| set(&mut r.extension, s.old.roster.extension.clone()));
    add("an old list is replayed", |s, r| set(r, s.old.roster.clone()));
}

fn forge_row(s: &Stage, r: &mut RosterPage, key: &SigningKey) -> Option<()> {
    let blob = &mut r.rows.first_mut()?.row.as_mut()?.blob;
    let context: RosterContext = Signed::<subrosa_protocol::chart::RosterStatement>::from_bytes(&blob.signed).ok()?.peek_unverified().ok()?.context;
    let insiders = s.colleague_keys.iter().find(|k| k.id() == context.key);
    let row = RosterRow { family: "forged".into(), ..RosterRow::default() };
    *blob = match insiders {
        Some(identity) => RosterBlob::make(key, identity, context, &row).ok()?,
        None => {
            let identity = subrosa_crypto::CompartmentKey::make();
            RosterBlob::make(key, &identity, RosterContext { key: identity.id(), ..context }, &row).ok()?
        }
    };
    Some(())
}

fn people(all: &mut Vec<Attack>) {
    let mut add = |name, lie: fn(&Stage, &mut Invitations) -> Option<()>| all.push(on(name, Op::Invitations, "/v1/invitations", lie));
    add("an invited person's signing key is replaced", |s, i| set(&mut accepted(i)?.0.sign, s.stranger.public()));
    add("an invited person's sealing key is replaced", |s, i| set(&mut accepted(i)?.0.hpke, s.stranger_hpke.public()));
    add("an invited person's name is replaced", |_, i| set(&mut accepted(i)?.0.name, "Mallory".into()));
    add("the proof of an invited person's keys is altered", |_, i| flip_last(&mut accepted(i)?.1));
    add("the secret of an invitation is altered", |_, i| flip_last(&mut i.invitations.iter_mut().find(|i| i.accepted.is_some())?.sealed_secret));
    add("an invitation is taken for another", |_, i| {
        let own = i.invitations.iter_mut().find(|i| i.accepted.is_some())?;
        set(&mut own.invitation, subrosa_model::InvitationId([4; 16]))
    });
    let mut relate = |name, lie: fn(&Stage, &mut Relations) -> Option<()>| all.push(on(name, Op::Relations, "/v1/relations", lie));
    relate("a stranger states a care relation", |s, r| forge_relation(s, r, &s.stranger, s.owner));
    relate("a colleague states a care relation in the owner's name", |s, r| forge_relation(s, r, &s.colleague_key, s.owner));
    relate("a care relation of another chart", |s, r| {
        r.relations.extend(s.old.relations_b.relations.iter().cloned());
        Some(())
    });
    relate("one bit of a care relation is changed", |_, r| flip_last(&mut r.relations.first_mut()?.signed));
}

/// Lies about writes. They come last: what they write is unknown to the pins that the other lies are held against.
pub fn writing() -> Vec<Attack> {
    let mut all = Vec::new();
    let mut add = |name, lie: fn(&Stage, &mut EntriesAnswer) -> Option<()>| all.push(on(name, Op::Write, "/v1/entries", lie));
    add("a write is answered without saying what became of it", |_, a| set(&mut a.outcomes, Vec::new()));
    add("a write is answered for more than was written", |_, a| {
        let first = *a.outcomes.first()?;
        a.outcomes.push(first);
        Some(())
    });
    all
}

fn accepted(i: &mut Invitations) -> Option<&mut (subrosa_protocol::keys::NewKeys, subrosa_model::Bytes)> {
    i.invitations.iter_mut().find_map(|i| i.accepted.as_mut())
}

fn forge_relation(s: &Stage, r: &mut Relations, key: &SigningKey, maker: MemberId) -> Option<()> {
    let relation = RelationId(random::make_bytes());
    let statement = CareRelation { relation, practice: s.practice, member: s.colleague, chart: s.a, kind: CareKind::Treats, from: s.now, to: None, maker };
    let signed = Signed::sign(key, &s.practice, &statement).to_bytes().into();
    r.relations.push(StoredRelation { signed, counts_from: Some(s.now) });
    Some(())
}

fn files(all: &mut Vec<Attack>) {
    let mut draft = |name, lie: fn(&Stage, &mut Drafts) -> Option<()>| all.push(on(name, Op::Draft, "/v1/drafts", lie));
    draft("two drafts change places", |_, d| {
        let (first, rest) = d.drafts.split_first_mut()?;
        std::mem::swap(&mut first.sealed, &mut rest.first_mut()?.sealed);
        Some(())
    });
    draft("one bit of a draft is changed", |_, d| d.drafts.iter_mut().try_for_each(|d| flip_last(&mut d.sealed)));
    draft("a draft is moved to another chart", |s, d| {
        let at = d.drafts.iter_mut().find(|d| d.chart == s.a)?;
        set(&mut at.chart, s.b)
    });
    let mut file = |name, lie: fn(&Stage, Vec<u8>) -> Option<Vec<u8>>| all.push(raw(name, Op::File, "/v1/objects/", Arc::new(move |s, _, b| lie(s, b.to_vec()))));
    file("an attachment is cut", |_, b| b.get(..b.len() / 2).map(<[u8]>::to_vec));
    file("an attachment is cut at a chunk's end", |_, b| b.get(..b.len() - b.len() % (64 * 1024 + 16)).map(<[u8]>::to_vec));
    file("an attachment is longer", |_, mut b| {
        b.push(0);
        Some(b)
    });
    file("one bit of an attachment is changed", |_, mut b| {
        let at = b.len() / 2;
        *b.get_mut(at)? ^= 1;
        Some(b)
    });
    file("two chunks of an attachment change places", |_, mut b| {
        let chunk = 64 * 1024 + 16;
        let (one, two) = b.get_mut(..2 * chunk)?.split_at_mut(chunk);
        one.swap_with_slice(two);
        Some(b)
    });
    file("an attachment is another file of the same entry", |s, _| Some(s.old.other_file.clone()));
    file("an attachment is empty", |_, _| Some(Vec::new()));
}

