//! A practice to try things on: two people, one team, charts; on SQLite or PostgreSQL.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Executor};
use subrosa_crypto::{CompartmentKey, Endorsed, EpochKey, HpkeSecret, Signed, SigningKey, random::make_bytes, sha256};
use subrosa_model::{Bytes, CareKind, ChartId, Compartment, EntryId, MemberId, PracticeId, RelationId, Role, TeamId, TeamKind, Timestamp};
use subrosa_protocol::access::{AccessEvent, What};
use subrosa_protocol::chart::{CareRelation, RosterBlob, RosterContext, RosterRow, Target, Wrap, WrapContext};
use subrosa_protocol::directory::{Act, Directory, Policy, Recipient};
use subrosa_protocol::entry::{EntryBlob, EntryBody, EntryContext, seal_entry};
use subrosa_protocol::keys::{EpochSeal, PracticeRoot};
use subrosa_store::{Config, Done, Needs, PaceMark, Plan, Receipt, Store, StoreError, Write};

/// Makes two tests of an async function: one per database. Without `SUBROSA_TEST_POSTGRES` the second prints one line and passes.
#[macro_export]
macro_rules! on_both {
    ($(#[$attr:meta])* $name:ident, $body:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(#[$attr])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                ($body)($crate::common::Place::sqlite()).await;
            }
            $(#[$attr])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                match $crate::common::Place::postgres().await {
                    Some(place) => ($body)(place).await,
                    None => println!("skipped: SUBROSA_TEST_POSTGRES is not set"),
                }
            }
        }
    };
}

/// Where a store of a test lies. Removed when dropped (schemas of PostgreSQL stay; the server is the tester's).
pub struct Place {
    pub dir: tempfile::TempDir,
    pub urls: Option<(String, String)>,
}

impl Place {
    pub fn sqlite() -> Self {
        Place { dir: tempfile::tempdir().unwrap(), urls: None }
    }

    pub async fn postgres() -> Option<Self> {
        let base = std::env::var("SUBROSA_TEST_POSTGRES").ok()?;
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&base).await.unwrap();
        let tag = u64::from_le_bytes(make_bytes());
        let mut urls = Vec::new();
        for part in ["main", "keys"] {
            let schema = format!("t{tag:x}_{part}");
            pool.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.unwrap();
            let mark = if base.contains('?') { '&' } else { '?' };
            urls.push(format!("{base}{mark}options=-c%20search_path%3D{schema}"));
        }
        pool.close().await;
        let keys = urls.pop().unwrap();
        Some(Place { dir: tempfile::tempdir().unwrap(), urls: urls.pop().map(|main| (main, keys)) })
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn config(&self) -> Config {
        self.config_in(&self.path())
    }

    /// A further server over the same PostgreSQL with a directory of its own and the same key file.
    pub fn config_in(&self, dir: &Path) -> Config {
        match &self.urls {
            None => Config::sqlite(dir),
            Some((main, keys)) => Config { key_file: Some(self.dir.path().join("store.key")), ..Config::postgres(dir, main.clone(), keys.clone()) },
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.urls.is_some()
    }

    pub async fn open(&self) -> Store {
        Store::open(self.config()).await.unwrap()
    }
}

pub const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A founded practice and all its secrets.
pub struct Practice {
    pub id: PracticeId,
    pub root: PracticeRoot,
    pub owner: MemberId,
    pub sign: SigningKey,
    pub hpke: HpkeSecret,
    pub team: TeamId,
    pub epoch: EpochKey,
    pub directory: Directory,
}

impl Practice {
    /// The same secrets for the same `seed`, so that a child process and its parent agree.
    pub fn plan(seed: u8, store: &Store) -> (Self, Vec<Write>) {
        let id = PracticeId([seed; 16]);
        let root = PracticeRoot::derive(&[seed; 32]);
        let (owner, team) = (MemberId([seed.wrapping_add(1); 16]), TeamId([seed.wrapping_add(2); 16]));
        let sign = SigningKey::from_seed([seed.wrapping_add(3); 32]);
        let hpke = HpkeSecret::from_seed([seed.wrapping_add(4); 32]);
        let epoch = EpochKey::from_bytes([seed.wrapping_add(5); 32]);
        let mut directory = Directory::new(id);
        let mut entries = Vec::new();
        let mut say = |directory: &mut Directory, key: &SigningKey, act: Act| {
            let bytes = Endorsed::sign(&[key], &id, &directory.next(NOW, act)).to_bytes();
            directory.apply(&bytes).unwrap();
            entries.push(Bytes(bytes));
        };
        let found = Act::Found { root: root.sign.public(), backup: root.backup.public(), log_key: store.log_key(), suite_min: 1, policy: Policy::solo("Europe/Berlin") };
        say(&mut directory, &root.sign, found);
        let admit = Act::AdmitMember { member: owner, name: "Owner".into(), role: Role::Owner, sign: sign.public(), hpke: hpke.public() };
        say(&mut directory, &root.sign, admit);
        say(&mut directory, &sign, Act::MakeTeam { team, kind: TeamKind::Care, name: "Care".into(), members: BTreeSet::from([owner]) });
        let seal = EpochSeal::make(id, team, 1, Recipient::Member(owner), &hpke.public(), &epoch).unwrap();
        let seals = BTreeMap::from([(Recipient::Member(owner), seal.hash())]);
        say(&mut directory, &sign, Act::TurnEpoch { team, epoch: 1, key: epoch.id(), seals, previous: None });
        let practice = Practice { id, root, owner, sign, hpke, team, epoch, directory };
        (practice, vec![Write::Directory { at_size: 0, entries, seals: vec![seal] }])
    }

    pub async fn found(seed: u8, store: &Store) -> Self {
        let (practice, writes) = Self::plan(seed, store);
        store.found(practice.id, NOW, writes, vec![practice.event(What::SignedIn, None, 0)]).await.unwrap();
        practice
    }

    pub fn event(&self, what: What, chart: Option<ChartId>, n: u64) -> AccessEvent {
        AccessEvent {
            practice: self.id,
            what,
            member: Some(self.owner),
            device: None,
            session: None,
            chart,
            compartments: vec![Compartment::Record],
            at: NOW,
            request: sha256(&[&n.to_be_bytes()]),
            related: true,
        }
    }

    pub fn key(&self, chart: &ChartId, compartment: Compartment) -> CompartmentKey {
        CompartmentKey::from_bytes(sha256(&[b"test key", chart.as_bytes(), compartment.word().as_bytes()]).0)
    }

    pub fn wrap(&self, chart: ChartId, compartment: Compartment) -> Wrap {
        let key = self.key(&chart, compartment);
        let context =
            WrapContext { practice: self.id, chart, compartment, version: 1, key: key.id(), target: Target::Team { team: self.team, epoch: 1 } };
        Wrap::make_to_team(&self.sign, self.owner, &self.epoch, context, &key).unwrap()
    }

    pub fn relation(&self, chart: ChartId, n: u8) -> Bytes {
        let relation = CareRelation {
            relation: RelationId(sha256(&[chart.as_bytes(), &[n]]).0[..16].try_into().unwrap()),
            practice: self.id,
            member: self.owner,
            chart,
            kind: CareKind::Treats,
            from: NOW,
            to: None,
            maker: self.owner,
        };
        Signed::sign(&self.sign, &self.id, &relation).to_bytes().into()
    }

    pub fn entry(&self, chart: ChartId, entry: EntryId, version: u32, prev: Option<subrosa_model::Hash32>, text: &str) -> EntryBlob {
        self.entry_with(chart, entry, version, prev, text, Vec::new())
    }

    pub fn entry_with(
        &self,
        chart: ChartId,
        entry: EntryId,
        version: u32,
        prev: Option<subrosa_model::Hash32>,
        text: &str,
        files: Vec<subrosa_protocol::entry::AttachmentRef>,
    ) -> EntryBlob {
        let key = self.key(&chart, Compartment::Record);
        let context = EntryContext {
            practice: self.id,
            chart,
            compartment: Compartment::Record,
            key: key.id(),
            entry,
            version,
            author: self.owner,
            device: None,
            prev,
            made: NOW,
        };
        let body = EntryBody {
            schema: "note/1".into(),
            content_type: "text/plain".into(),
            title: "A note".into(),
            occurred: None,
            body: text.as_bytes().into(),
            attachments: files
                .iter()
                .map(|f| subrosa_protocol::entry::AttachmentBody { plaintext: f.ciphertext, name: "scan".into(), content_type: "image/png".into(), length: 1 })
                .collect(),
        };
        seal_entry(&self.sign, &key, &context, &body, files).unwrap()
    }

    pub fn roster_row(&self, chart: ChartId, family: &str) -> RosterBlob {
        let key = self.key(&chart, Compartment::Identity);
        let context = RosterContext { practice: self.id, chart, key: key.id(), drawn_from: sha256(&[b"v", chart.as_bytes()]) };
        RosterBlob::make(&self.sign, &key, context, &RosterRow { family: family.into(), ..RosterRow::default() }).unwrap()
    }

    /// Makes a chart with wraps of identity and record, and a relation that counts.
    pub async fn chart(&self, store: &Store, n: u8) -> ChartId {
        let chart = ChartId([n; 16]);
        self.try_chart(store, chart).await.unwrap();
        chart
    }

    pub async fn try_chart(&self, store: &Store, chart: ChartId) -> Result<Receipt, StoreError> {
        let wraps = vec![self.wrap(chart, Compartment::Identity), self.wrap(chart, Compartment::Record)];
        let (relation, event, owner) = (self.relation(chart, 1), self.event(What::ChartMade, Some(chart), 1), self.owner);
        let done = store
            .commit(NOW, Needs { charts: vec![chart], ..Needs::default() }, move |_| {
                Plan::accept(())
                    .write(Write::Chart { chart, canary: false, maker: owner })
                    .write(Write::Wraps { wraps: wraps.clone() })
                    .write(Write::Relation { signed: relation.clone(), counts_from: Some(NOW) })
                    .event(event.clone())
            })
            .await?;
        Ok(receipt(done))
    }

    /// Releases a chart, counted as foreign, if the counter is below `bound`. Whether it was.
    pub async fn release(&self, store: &Store, chart: ChartId, bound: usize, n: u64) -> Result<(Receipt, bool), StoreError> {
        let needs = Needs { charts: vec![chart], member: Some(self.owner), ..Needs::default() };
        let event = self.event(What::Released, Some(chart), n);
        let done = store
            .commit(NOW, needs, move |view| {
                if !view.foreign.contains(&chart) && view.foreign.len() >= bound {
                    return Plan::refuse(false);
                }
                Plan::accept(true).event(event.clone()).pace(PaceMark { chart, foreign: true })
            })
            .await?;
        match done {
            Done::New { receipt, verdict } => Ok((receipt, verdict)),
            Done::Repeated { .. } => panic!("not repeated"),
        }
    }
}

pub fn receipt<V>(done: Done<V>) -> Receipt {
    match done {
        Done::New { receipt, .. } | Done::Repeated { receipt } => receipt,
    }
}

/// Every row of every table of one of the databases, as text, without the head's count of locks.
pub async fn dump(place: &Place, keys: bool, leave_out: &[&str]) -> BTreeMap<String, Vec<String>> {
    use sqlx::{Column, Row, ValueRef};
    sqlx::any::install_default_drivers();
    let (url, list) = match &place.urls {
        None => {
            let file = if keys { "keys.db" } else { "main.db" };
            (format!("sqlite://{}", place.path().join(file).display()), "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        }
        Some((main, other)) => (
            if keys { other.clone() } else { main.clone() },
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name",
        ),
    };
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let mut out = BTreeMap::new();
    for table in sqlx::query(list).fetch_all(&pool).await.unwrap() {
        let table: String = table.get(0);
        if leave_out.contains(&table.as_str()) {
            continue;
        }
        let mut lines = Vec::new();
        for row in sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&pool).await.unwrap() {
            let mut line = String::new();
            for column in row.columns() {
                if column.name() == "version" && table == "head" {
                    continue;
                }
                let i = column.ordinal();
                let text = if row.try_get_raw(i).unwrap().is_null() {
                    "null".to_owned()
                } else if let Ok(v) = row.try_get::<i64, _>(i) {
                    v.to_string()
                } else if let Ok(v) = row.try_get::<String, _>(i) {
                    v
                } else {
                    row.try_get::<Vec<u8>, _>(i).unwrap().iter().map(|b| format!("{b:02x}")).collect()
                };
                line.push_str(&format!("{}={text} ", column.name()));
            }
            lines.push(line);
        }
        lines.sort();
        out.insert(table, lines);
    }
    pool.close().await;
    out
}

/// A practice with a bit of everything in it.
pub async fn lived_in(store: &Store) -> Practice {
    use subrosa_protocol::api::{InvitationPut, IntroductionPurpose, WrappedBundleKey};
    use subrosa_protocol::keys::WayIn;
    use subrosa_store::Log;
    let p = Practice::found(7, store).await;
    let (a, b) = (p.chart(store, 1).await, p.chart(store, 2).await);
    let first = p.entry(a, EntryId([1; 16]), 1, None, "one");
    let second = p.entry(a, EntryId([1; 16]), 2, Some(first.hash()), "two");
    let file = subrosa_protocol::entry::AttachmentRef { ciphertext: sha256(&[b"file"]), length: 10 };
    let rival = p.entry_with(a, EntryId([1; 16]), 2, Some(first.hash()), "two, elsewhere", vec![file]);
    let (row_a, row_b) = (p.roster_row(a, "Rose"), p.roster_row(b, "Thorn"));
    let credential = sha256(&[b"credential"]);
    let way = WrappedBundleKey { way: WayIn::Passkey { credential }, sealed: vec![1, 2, 3].into(), salt: Vec::new().into() };
    let kit = WrappedBundleKey { way: WayIn::Kit { number: 1 }, ..way.clone() };
    let invitation = subrosa_model::InvitationId([5; 16]);
    let put = InvitationPut { invitation, sealed_secret: vec![4].into(), purpose: IntroductionPurpose::Member };
    let relation = RelationId(sha256(&[a.as_bytes(), &[1]]).0[..16].try_into().unwrap());
    let (owner, key) = (p.owner, p.sign.public());
    let checkpoint = store.checkpoint(Log::Access).await.unwrap().unwrap();
    let needs = Needs { charts: vec![a, b], member: Some(owner), ..Needs::default() };
    let events = [p.event(What::Written, Some(a), 2), p.event(What::Listed, None, 3)];
    store
        .commit(NOW.plus(1), needs, move |_| {
            let mut plan = Plan::accept(());
            for blob in [&first, &second, &rival] {
                plan = plan.write(Write::Entry { blob: blob.clone() });
            }
            plan.write(Write::RosterRow { blob: row_a.clone() })
                .write(Write::RosterRow { blob: row_b.clone() })
                .write(Write::Object { hash: credential, length: 10 })
                .write(Write::Bundle { member: owner, version: 1, sealed: vec![7].into() })
                .write(Write::Bundle { member: owner, version: 2, sealed: vec![8].into() })
                .write(Write::Credential { credential, member: owner, json: "{\"counter\":0}".into(), active: true })
                .write(Write::Credential { credential, member: owner, json: "{\"counter\":1}".into(), active: true })
                .write(Write::WayIn { member: owner, wrapped: way.clone(), active: true })
                .write(Write::WayIn { member: owner, wrapped: kit.clone(), active: true })
                .write(Write::WayIn { member: owner, wrapped: kit.clone(), active: false })
                .write(Write::Kit { member: owner, number: 1, proof: credential, share: vec![9; 32].into() })
                .write(Write::KitUse { member: owner, number: 1, started: NOW, ready_at: NOW.plus(5), session_key: key, state: subrosa_store::KitUseState::Waiting })
                .write(Write::Invitation { by: owner, put: put.clone(), until: NOW.plus(9) })
                .write(Write::Approval { hash: credential, statement: vec![6].into(), open: true })
                .write(Write::Repository { sealed: vec![3; 32].into() })
                .write(Write::RelationCounts { relation, confirmation: None, counts_from: NOW.plus(2) })
                .write(Write::Cosignature { log: Log::Access, size: checkpoint.size, witness: "witness.example/w".into(), at: NOW, note: format!("{}— w x\n", checkpoint.note) })
                .event(events[0].clone())
                .event(events[1].clone())
                .pace(PaceMark { chart: a, foreign: false })
                .pace(PaceMark { chart: b, foreign: true })
        })
        .await
        .unwrap();
    let (followed, new) = (subrosa_model::InvitationId([6; 16]), MemberId([0x66; 16]));
    let put = InvitationPut { invitation: followed, sealed_secret: vec![4].into(), purpose: IntroductionPurpose::Member };
    let keys = subrosa_protocol::keys::NewKeys {
        who: Recipient::Member(new),
        sign: SigningKey::from_seed([0x66; 32]).public(),
        hpke: HpkeSecret::from_seed([0x66; 32]).public(),
        name: "New".into(),
    };
    store
        .commit(NOW.plus(3), Needs::default(), move |_| {
            Plan::accept(()).write(Write::InvitationClosed { invitation }).write(Write::Invitation { by: owner, put: put.clone(), until: NOW.plus(9) })
        })
        .await
        .unwrap();
    store
        .commit(NOW.plus(4), Needs::default(), move |_| {
            let credential = Some((sha256(&[b"new"]), "{}".to_owned()));
            Plan::accept(()).write(Write::InvitationAccepted { invitation: followed, keys: keys.clone(), mac: vec![1; 32].into(), credential, bundle: None })
        })
        .await
        .unwrap();
    p
}
