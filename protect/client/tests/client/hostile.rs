//! A hostile server: the honest one's answers, changed on their way. Every change is refused by its name, and nothing is opened.

use std::sync::{Arc, Mutex};

use serde::{Serialize, de::DeserializeOwned};
use subrosa_client::{ClientError, Connection, IdentityDraft, NewBody, NewFile, OpenChart, Response, Transport, Vault, Written};
use subrosa_crypto::{CompartmentKey, SigningKey, cbor, random};
use subrosa_ledger::Checkpoint;
use subrosa_model::{ChartId, Compartment, EntryId, MemberId};
use subrosa_protocol::access::{ChartHistory, Leaf, access_origin};
use subrosa_protocol::api::{Drafts, Released, RosterPage, StoredEntry};
use subrosa_protocol::entry::{EntryBody, EntryContext, seal_entry};

use crate::practice::{Between, Practice};

const BOTH: [Compartment; 2] = [Compartment::Identity, Compartment::Record];

/// What the attacker does with the body of an answer to `path`.
type Attack = Arc<Mutex<Option<(&'static str, Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send>)>>>;

/// A practice with two charts, and a member whose every answer passes through the attacker's hands.
pub struct Stage {
    pub practice: Practice,
    pub conn: Connection,
    pub attack: Attack,
    pub a: ChartId,
    pub b: ChartId,
    pub note: Written,
}

pub fn change<T: DeserializeOwned + Serialize>(mut f: impl FnMut(&mut T) + Send + 'static) -> Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send> {
    Box::new(move |body| {
        let mut message: T = cbor::decode(&body).unwrap();
        f(&mut message);
        cbor::encode(&message)
    })
}

impl Stage {
    pub async fn set() -> Self {
        let (practice, mut vault) = Practice::founded().await;
        let a = vault.make_chart(&IdentityDraft::new("Anna", "Alpha", "1980-05-13", vec![])).await.unwrap();
        let b = vault.make_chart(&IdentityDraft::new("Berta", "Beta", "1970-01-02", vec![])).await.unwrap();
        let note = vault.write(a, Compartment::Record, NewBody::note("one", "first version")).await.unwrap();
        vault.amend(a, Compartment::Record, note.entry, NewBody::note("one", "second version")).await.unwrap();
        vault.amend(a, Compartment::Record, note.entry, NewBody::note("one", "third version")).await.unwrap();
        vault.write(a, Compartment::Record, NewBody::note("two", "another")).await.unwrap();
        vault.write(b, Compartment::Record, NewBody::note("of b", "of another person")).await.unwrap();
        let attack = Attack::default();
        let hand = attack.clone();
        let conn = practice.through(move |inner: Arc<dyn Transport>| {
            Arc::new(Between {
                inner,
                change: move |request: &subrosa_client::Request, answer: Response| match hand.lock().unwrap().as_mut() {
                    Some((path, f)) if request.path.starts_with(*path) && answer.status == 200 => Response { body: f(answer.body), ..answer },
                    _ => answer,
                },
            })
        });
        Stage { practice, conn, attack, a, b, note }
    }

    pub fn attack(&self, path: &'static str, f: Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send>) {
        *self.attack.lock().unwrap() = Some((path, f));
    }

    pub fn honest(&self) {
        *self.attack.lock().unwrap() = None;
    }

    pub async fn sign_in(&self, local: Option<&[u8]>) -> Result<Vault, ClientError> {
        Ok(crate::practice::opened(subrosa_client::signin(&self.conn, &self.practice.passkey, local).await?))
    }

    /// Opens chart a with this change to the answer. The control: without it, the same vault opens it.
    async fn open_with(&self, vault: &mut Vault, f: impl FnMut(&mut Released) + Send + 'static) -> &'static str {
        self.attack("/v1/release", change(f));
        let refused = vault.open_chart(self.a, &BOTH).await.err().map_or("accepted", |e| e.code());
        self.honest();
        vault.fresh(&self.practice.passkey).await.unwrap();
        vault.open_chart(self.a, &BOTH).await.unwrap();
        refused
    }
}

fn entry_of(body: &[u8], chart: ChartId) -> (SigningKey, StoredEntry) {
    let (signer, key) = (SigningKey::make(), CompartmentKey::make());
    let context = EntryContext {
        practice: Default::default(),
        chart,
        compartment: Compartment::Record,
        key: key.id(),
        entry: EntryId(random::make_bytes()),
        version: 1,
        author: MemberId::default(),
        device: None,
        prev: None,
        made: Default::default(),
    };
    let inside = EntryBody {
        schema: "note/1".into(),
        content_type: "text/plain".into(),
        title: "forged".into(),
        occurred: None,
        body: body.to_vec().into(),
        attachments: Vec::new(),
    };
    let blob = seal_entry(&signer, &key, &context, &inside, Vec::new()).unwrap();
    (signer, StoredEntry { blob, received: Default::default(), conflict: false })
}

#[tokio::test]
async fn swaps_forgeries_and_omissions_in_a_release_are_each_refused_by_name() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    let other: Arc<Mutex<Option<Released>>> = Arc::default();
    let keep = other.clone();
    stage.attack("/v1/release", change(move |r: &mut Released| *keep.lock().unwrap() = Some(r.clone())));
    vault.open_chart(stage.b, &BOTH).await.unwrap();
    stage.honest();
    let of_b = other.lock().unwrap().clone().unwrap();
    let (practice, a, note) = (vault.practice(), stage.a, stage.note.entry);
    let (b1, b2, b3) = (of_b.clone(), of_b.clone(), of_b.clone());
    let is_note = move |e: &StoredEntry| e.blob.peek_unverified().unwrap().0.context.entry == note;
    let mut refused = Vec::new();

    refused.push(("swapped-entry", stage.open_with(&mut vault, move |r| r.charts[0].entries.push(b1.charts[0].entries[0].clone())).await));
    refused.push(("wrong-wrap", stage.open_with(&mut vault, move |r| r.charts[0].wraps[0] = b2.charts[0].wraps[0].clone()).await));
    refused.push((
        "wrong-wrap",
        stage
            .open_with(&mut vault, |r| {
                let sealed = r.charts[0].wraps[1].sealed.clone();
                r.charts[0].wraps[0].sealed = sealed;
            })
            .await,
    ));
    refused.push(("unknown-signer", stage.open_with(&mut vault, move |r| r.charts[0].entries.push(entry_of(b"forged", a).1)).await));
    refused.push((
        "injected-entry",
        stage.open_with(&mut vault, |r| r.charts[0].entries[0].blob.sealed.0[200] ^= 1).await,
    ));
    refused.push((
        "injected-entry",
        stage
            .open_with(&mut vault, |r| {
                let last = r.charts[0].entries[0].blob.signed.0.len() - 1;
                r.charts[0].entries[0].blob.signed.0[last] ^= 1;
            })
            .await,
    ));
    refused.push(("rollback", stage.open_with(&mut vault, move |r| {
        let newest = r.charts[0].entries.iter().rposition(is_note).unwrap();
        r.charts[0].entries.remove(newest);
    }).await));
    refused.push(("rollback", stage.open_with(&mut vault, move |r| r.charts[0].entries.retain(|e| !is_note(e))).await));
    refused.push(("broken-chain", stage.open_with(&mut vault, move |r| {
        let oldest = r.charts[0].entries.iter().position(is_note).unwrap();
        r.charts[0].entries.remove(oldest);
    }).await));
    refused.push(("broken-chain", stage.open_with(&mut vault, |r| r.charts[0].entries.reverse()).await));
    refused.push(("broken-chain", stage.open_with(&mut vault, |r| {
        let twice = r.charts[0].entries[0].clone();
        r.charts[0].entries.push(twice);
    }).await));
    refused.push(("missing-leaf", stage.open_with(&mut vault, move |r| r.heads[0] = b3.heads[0].clone()).await));
    refused.push(("missing-leaf", stage.open_with(&mut vault, |r| r.heads[0].head.opened.event = None).await));
    refused.push(("missing-leaf", stage.open_with(&mut vault, |r| {
        let event = r.heads[0].head.opened.event.as_mut().unwrap();
        event.member = Some(MemberId([9; 16]));
    }).await));
    refused.push(("missing-leaf", stage.open_with(&mut vault, |r| {
        r.heads[0].map.siblings.pop();
    }).await));
    refused.push(("downgrade", stage.open_with(&mut vault, |r| {
        let mut leaf: Leaf = cbor::decode(&r.heads[0].head.opened.leaf).unwrap();
        leaf.v = 0;
        r.heads[0].head.opened.leaf = leaf.to_bytes().into();
    }).await));
    refused.push(("not-asked", stage.open_with(&mut vault, |r| r.charts.clear()).await));
    refused.push(("not-asked", stage.open_with(&mut vault, |r| r.charts[0].chart = ChartId([1; 16])).await));
    refused.push(("forged-checkpoint", stage.open_with(&mut vault, |r| r.extension.checkpoint = r.extension.checkpoint.replacen('\n', "x\n", 1)).await));
    refused.push(("forged-checkpoint", stage.open_with(&mut vault, move |r| {
        let size: u64 = r.extension.checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let own = Checkpoint { origin: access_origin(&practice).parse().unwrap(), size, root: Default::default() };
        r.extension.checkpoint = own.sign(&SigningKey::make()).to_string();
    }).await));
    refused.push(("fork", stage.open_with(&mut vault, move |r| r.extension = of_b.extension.clone()).await));
    refused.push(("fork", stage.open_with(&mut vault, |r| r.extension.consistency.push(Default::default())).await));
    for (n, (expected, got)) in refused.iter().enumerate() {
        assert_eq!(expected, got, "attack {n}");
    }
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn an_answer_to_another_session_of_the_same_member_is_refused_as_replayed() {
    let stage = Stage::set().await;
    let mut first = stage.sign_in(None).await.unwrap();
    let mut second = stage.sign_in(None).await.unwrap();
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keep = kept.clone();
    stage.attack("/v1/release", Box::new(move |body| {
        *keep.lock().unwrap() = body.clone();
        body
    }));
    first.open_chart(stage.a, &BOTH).await.unwrap();
    let old = kept.lock().unwrap().clone();
    stage.attack("/v1/release", Box::new(move |_| old.clone()));
    assert_eq!(second.open_chart(stage.a, &BOTH).await.unwrap_err().code(), "replayed-answer");
    // The one who has seen newer checkpoints is shown an older one: a fork.
    stage.honest();
    first.open_chart(stage.a, &BOTH).await.unwrap();
    let old = kept.lock().unwrap().clone();
    stage.attack("/v1/release", Box::new(move |_| old.clone()));
    assert_eq!(first.open_chart(stage.a, &BOTH).await.unwrap_err().code(), "fork");
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn two_heads_are_shown_as_a_conflict_and_refused_when_the_server_hides_that() {
    let stage = Stage::set().await;
    let (mut one, mut other) = (stage.sign_in(None).await.unwrap(), stage.sign_in(None).await.unwrap());
    one.open_chart(stage.a, &BOTH).await.unwrap();
    other.open_chart(stage.a, &BOTH).await.unwrap();
    one.amend(stage.a, Compartment::Record, stage.note.entry, NewBody::note("one", "mine")).await.unwrap();
    let late = other.amend(stage.a, Compartment::Record, stage.note.entry, NewBody::note("one", "mine too")).await.unwrap();
    assert_eq!(late.outcome, subrosa_protocol::api::EntryOutcome::Conflict);
    let find = |c: &OpenChart| c.entries.iter().position(|e| e.entry == stage.note.entry).unwrap();
    let opened = one.open_chart(stage.a, &BOTH).await.unwrap();
    let entry = &opened.entries[find(&opened)];
    assert!(entry.conflict() && entry.versions.len() == 5 && entry.heads.len() == 2);
    stage.attack("/v1/release", change(|r: &mut Released| r.charts[0].entries.iter_mut().for_each(|e| e.conflict = false)));
    assert_eq!(one.open_chart(stage.a, &BOTH).await.unwrap_err().code(), "broken-chain");
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn a_history_that_is_cut_altered_or_of_another_chart_is_refused() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    vault.open_chart(stage.a, &BOTH).await.unwrap();
    let expected = vault.who_has_looked(stage.a).await.unwrap().events.len();
    let other: Arc<Mutex<Option<ChartHistory>>> = Arc::default();
    let keep = other.clone();
    stage.attack("/v1/looked", change(move |h: &mut ChartHistory| *keep.lock().unwrap() = Some(h.clone())));
    vault.who_has_looked(stage.b).await.unwrap();
    let of_b = other.lock().unwrap().clone().unwrap();
    type Cut = Box<dyn FnMut(&mut ChartHistory) + Send>;
    let attacks: Vec<(&str, Cut)> = vec![
        ("truncated-history", Box::new(|h| drop(h.older.pop()))),
        ("truncated-history", Box::new(|h| drop(h.older.remove(0)))),
        ("truncated-history", Box::new(|h| h.older.clear())),
        ("truncated-history", Box::new(|h| h.older.swap(0, 1))),
        ("truncated-history", Box::new(|h| h.older[0].event.as_mut().unwrap().member = None)),
        ("truncated-history", Box::new(move |h| h.older = of_b.older.clone())),
        ("forged-checkpoint", Box::new(|h| h.extension.checkpoint.push('x'))),
    ];
    for (n, (expected, f)) in attacks.into_iter().enumerate() {
        stage.attack("/v1/looked", change(f));
        assert_eq!(vault.who_has_looked(stage.a).await.unwrap_err().code(), expected, "attack {n}");
    }
    stage.honest();
    let looked = vault.who_has_looked(stage.a).await.unwrap();
    assert!(looked.events.len() > expected);
    // The proof file holds by itself, and no longer when a byte of it changes.
    assert!(subrosa_client::check_looked_proof(&looked.proof).is_ok());
    for at in (0..looked.proof.len()).step_by(97) {
        let mut forged = looked.proof.clone();
        forged[at] ^= 4;
        assert!(subrosa_client::check_looked_proof(&forged).is_err(), "byte {at}");
    }
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn rows_of_the_roster_cannot_be_exchanged_forged_or_listed_unrecorded() {
    let stage = Stage::set().await;
    type Cut = Box<dyn FnMut(&mut RosterPage) + Send>;
    let attacks: Vec<(&str, Cut)> = vec![
        ("forged-roster", Box::new(|p| {
            let other = p.rows[1].row.clone().unwrap().blob;
            p.rows[0].row.as_mut().unwrap().blob = other;
        })),
        ("wrong-wrap", Box::new(|p| {
            let other = p.rows[1].row.clone();
            p.rows[0].row = other;
        })),
        ("forged-roster", Box::new(|p| p.rows[0].row.as_mut().unwrap().blob.sealed.0[120] ^= 1)),
        ("missing-leaf", Box::new(|p| p.leaf.opened.event = None)),
        ("missing-leaf", Box::new(|p| p.leaf.inclusion.clear())),
        ("bad-answer", Box::new(|p| {
            p.more = true;
            p.cursor = 0;
        })),
    ];
    for (n, (expected, f)) in attacks.into_iter().enumerate() {
        let mut vault = stage.sign_in(None).await.unwrap();
        stage.attack("/v1/roster", change(f));
        assert_eq!(vault.sync_roster().await.unwrap_err().code(), expected, "attack {n}");
        assert!(vault.roster().is_empty());
        stage.honest();
        assert_eq!(vault.sync_roster().await.unwrap().put, 2);
    }
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn a_draft_or_a_file_that_is_not_the_one_asked_for_is_refused() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    let draft = |n: u8| subrosa_client::DraftBody { entry: EntryId([n; 16]), chart: stage.a, compartment: Compartment::Record, body: NewBody::note("d", &format!("draft {n}")) };
    vault.save_draft(&draft(1)).await.unwrap();
    vault.save_draft(&draft(2)).await.unwrap();
    let infos = vault.drafts().await.unwrap();
    let info = *infos.iter().find(|d| d.entry == EntryId([1; 16])).unwrap();
    assert_eq!(vault.open_draft(&info).await.unwrap(), draft(1));
    stage.attack("/v1/drafts", change(|d: &mut Drafts| {
        let (one, two) = (d.drafts[0].sealed.clone(), d.drafts[1].sealed.clone());
        d.drafts[0].sealed = two;
        d.drafts[1].sealed = one;
    }));
    assert_eq!(vault.open_draft(&info).await.unwrap_err().code(), "swapped-entry");
    stage.honest();
    vault.discard_draft(&info).await.unwrap();
    assert_eq!(vault.drafts().await.unwrap().len(), 1);

    let file = NewFile { name: "letter.pdf".into(), content_type: "application/pdf".into(), bytes: vec![7; 200_000] };
    let entry = EntryId([8; 16]);
    vault.write_with_files(stage.a, Compartment::Record, entry, NewBody::note("letter", ""), std::slice::from_ref(&file)).await.unwrap();
    let opened = vault.open_chart(stage.a, &BOTH).await.unwrap();
    let head = opened.entries.iter().find(|e| e.entry == entry).unwrap().head().unwrap();
    assert_eq!(*vault.open_file(stage.a, Compartment::Record, entry, head, 0).await.unwrap(), file.bytes);
    for cut in [1usize, 70_000] {
        stage.attack("/v1/objects/", Box::new(move |mut body| {
            body.truncate(body.len() - cut);
            body
        }));
        assert_eq!(vault.open_file(stage.a, Compartment::Record, entry, head, 0).await.unwrap_err().code(), "swapped-entry");
    }
    stage.practice.running.stop().await;
}

/// Whatever byte of a release is changed: it is refused, or what is opened is the same.
#[tokio::test]
async fn no_single_changed_byte_of_a_release_changes_what_is_read() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    let text = |c: &OpenChart| c.entries.iter().flat_map(|e| e.versions.iter().map(|v| (e.entry, v.version, v.author, v.hash, v.body.body.0.clone()))).collect::<Vec<_>>();
    let honest = text(&vault.open_chart(stage.a, &BOTH).await.unwrap());
    let (mut refused, mut same) = (0, 0);
    for n in 0u32..240 {
        stage.attack("/v1/release", Box::new(move |mut body| {
            let at = (u64::from(n) * 2_654_435_761 % body.len() as u64) as usize;
            body[at] ^= 1 << (n % 8);
            body
        }));
        match vault.open_chart(stage.a, &BOTH).await {
            Ok(opened) => {
                assert_eq!(text(&opened), honest);
                same += 1;
            }
            Err(ClientError::GatePasskey) => panic!("the gate closed"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > same, "{refused} refused, {same} without effect");
    stage.practice.running.stop().await;
}
