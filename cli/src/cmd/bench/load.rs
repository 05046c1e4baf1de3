//! The bulk loader: charts and notes as the client makes them, genuinely sealed and signed, put through the store without a server.

use std::sync::Arc;
use std::time::Instant;

use subrosa_client::{Clock, SystemClock, Vault};
use subrosa_crypto::{CompartmentKey, EpochKey, Signed, SigningKey, random, sha256};
use subrosa_model::{CareKind, ChartId, Compartment, EntryId, MemberId, PracticeId, RelationId, TeamId, TeamKind, Timestamp};
use subrosa_protocol::access::{AccessEvent, What};
use subrosa_protocol::chart::{CareRelation, RosterBlob, RosterContext, RosterRow, Target, Wrap, WrapContext};
use subrosa_protocol::entry::{EntryBlob, EntryBody, EntryContext, seal_entry};
use subrosa_store::{Done, Needs, Plan, Store, Write};
use subrosa_synthetic::Person;

use super::At;
use crate::out::{Failure, Out};

/// Charts in one operation.
const CHUNK: usize = 200;

/// Seals in the owner's name, with the owner's own keys.
pub struct Loader {
    practice: PracticeId,
    owner: MemberId,
    sign: SigningKey,
    team: TeamId,
    number: u32,
    epoch: EpochKey,
    /// Compartment keys are derived from this, so that 33,000 of them need not be held.
    seed: [u8; 32],
}

/// One operation, ready to be committed.
type Parcel = (Vec<ChartId>, Vec<Write>, Vec<AccessEvent>);

impl Loader {
    /// For the owner of a scratch practice.
    pub fn of(vault: &Vault) -> Result<Self, Failure> {
        let missing = || Failure::failed("bench", "The scratch practice has no care team whose key is held.");
        let (team, info) = vault.directory().teams().iter().find(|(_, t)| t.kind == TeamKind::Care && t.epoch() > 0).ok_or_else(missing)?;
        let id = info.epochs.last().ok_or_else(missing)?.key;
        let (mut sign, mut epoch) = (None, None);
        for (what, bytes) in vault.drill_secrets() {
            let Ok(bytes) = <[u8; 32]>::try_from(bytes.as_slice()) else { continue };
            match what {
                "signing seed" => sign = Some(SigningKey::from_seed(bytes)),
                "epoch key" => epoch = Some(EpochKey::from_bytes(bytes)).filter(|k| k.id() == id).or(epoch),
                _ => {}
            }
        }
        Ok(Loader {
            practice: vault.practice(),
            owner: vault.member(),
            sign: sign.ok_or_else(missing)?,
            team: *team,
            number: info.epoch(),
            epoch: epoch.ok_or_else(missing)?,
            seed: random::make_bytes(),
        })
    }

    fn key(&self, chart: &ChartId, compartment: Compartment) -> CompartmentKey {
        CompartmentKey::from_bytes(sha256(&[&self.seed, chart.as_bytes(), compartment.word().as_bytes()]).0)
    }

    /// An event of the owner on a chart.
    pub fn event(&self, what: What, chart: ChartId, at: Timestamp, request: &[u8]) -> AccessEvent {
        AccessEvent {
            practice: self.practice,
            what,
            member: Some(self.owner),
            device: None,
            session: None,
            chart: Some(chart),
            compartments: vec![Compartment::Record],
            at,
            request: sha256(&[request]),
            related: true,
        }
    }

    fn wrap(&self, chart: ChartId, compartment: Compartment) -> Result<Wrap, Failure> {
        let key = self.key(&chart, compartment);
        let target = Target::Team { team: self.team, epoch: self.number };
        let context = WrapContext { practice: self.practice, chart, compartment, version: 1, key: key.id(), target };
        Wrap::make_to_team(&self.sign, self.owner, &self.epoch, context, &key).at("wrapping")
    }

    fn entry(&self, chart: ChartId, compartment: Compartment, schema: &str, title: &str, text: &str, made: Timestamp) -> Result<EntryBlob, Failure> {
        let key = self.key(&chart, compartment);
        let context = EntryContext {
            practice: self.practice,
            chart,
            compartment,
            key: key.id(),
            entry: EntryId(random::make_bytes()),
            version: 1,
            author: self.owner,
            device: None,
            prev: None,
            made,
        };
        let body = EntryBody {
            schema: schema.into(),
            content_type: "text/plain; charset=utf-8".into(),
            title: title.into(),
            occurred: None,
            body: text.as_bytes().into(),
            attachments: Vec::new(),
        };
        seal_entry(&self.sign, &key, &context, &body, Vec::new()).at("sealing")
    }

    /// Charts with two wraps, a care relation, the identity entry and the roster row drawn from it.
    fn new_charts(&self, charts: &[ChartId], people: &[Person], at: Timestamp) -> Result<Parcel, Failure> {
        let (mut writes, mut events) = (Vec::new(), Vec::new());
        for (chart, person) in charts.iter().zip(people) {
            writes.push(Write::Chart { chart: *chart, canary: false, maker: self.owner });
            writes.push(Write::Wraps { wraps: vec![self.wrap(*chart, Compartment::Identity)?, self.wrap(*chart, Compartment::Record)?] });
            let relation = CareRelation {
                relation: RelationId(random::make_bytes()),
                practice: self.practice,
                member: self.owner,
                chart: *chart,
                kind: CareKind::Treats,
                from: at,
                to: None,
                maker: self.owner,
            };
            let signed = Signed::sign(&self.sign, &self.practice, &relation).to_bytes().into();
            writes.push(Write::Relation { signed, counts_from: Some(at) });
            let name = format!("{} {}", person.given, person.family);
            let identity = self.entry(*chart, Compartment::Identity, "identity/1", "Identity", &name, at)?;
            let row = RosterRow {
                given: person.given.clone(),
                family: person.family.clone(),
                birth_date: person.birth_date.clone(),
                more: vec![person.phone.clone()],
            };
            let context =
                RosterContext { practice: self.practice, chart: *chart, key: self.key(chart, Compartment::Identity).id(), drawn_from: identity.hash() };
            let blob = RosterBlob::make(&self.sign, &self.key(chart, Compartment::Identity), context, &row).at("sealing")?;
            writes.push(Write::Entry { blob: identity });
            writes.push(Write::RosterRow { blob });
            events.push(self.event(What::ChartMade, *chart, at, chart.as_bytes()));
        }
        Ok((charts.to_vec(), writes, events))
    }

    /// `each` notes of about 1 KB in each of these charts, padded to 4 KiB as every note is.
    fn new_notes(&self, charts: &[ChartId], each: usize, at: Timestamp) -> Result<Parcel, Failure> {
        let text = "Came late, left calmer. Slept five hours; the evening routine holds on four days of seven. ".repeat(11);
        let (mut writes, mut events) = (Vec::new(), Vec::new());
        for chart in charts {
            for n in 0..each {
                writes.push(Write::Entry { blob: self.entry(*chart, Compartment::Record, "note/1", &format!("Session {n}"), &text, at)? });
            }
            events.push(self.event(What::Written, *chart, at, &random::make_bytes::<16>()));
        }
        Ok((charts.to_vec(), writes, events))
    }

    /// Loads one chart for each person.
    pub async fn charts(self: &Arc<Self>, store: &Store, people: Vec<Person>, out: &Out) -> Result<Vec<ChartId>, Failure> {
        let begun = Instant::now();
        let count = people.len();
        let ids: Vec<ChartId> = people.iter().map(|_| ChartId(random::make_bytes())).collect();
        let work: Vec<(Vec<ChartId>, Vec<Person>)> = ids.chunks(CHUNK).zip(people.chunks(CHUNK)).map(|(c, p)| (c.to_vec(), p.to_vec())).collect();
        self.pipe(store, work, None, |loader, (charts, people), at| loader.new_charts(&charts, &people, at)).await?;
        out.say(&format!("  loaded {count} charts in {:.0} s", begun.elapsed().as_secs_f64()));
        Ok(ids)
    }

    /// Loads `each` notes into every one of these charts, until all have them or the time is over. Gives how many notes.
    pub async fn notes(self: &Arc<Self>, store: &Store, charts: &[ChartId], each: usize, until: Option<Instant>) -> Result<usize, Failure> {
        let at_once = (CHUNK / each).max(1);
        let work: Vec<Vec<ChartId>> = charts.chunks(at_once).map(<[ChartId]>::to_vec).collect();
        let done = self.pipe(store, work, until, move |loader, charts, at| loader.new_notes(&charts, each, at)).await?;
        Ok(done * each)
    }

    /// Seals the next parcel on another core while this one is being written. Gives how many charts were in what was written.
    async fn pipe<W: Send + 'static>(
        self: &Arc<Self>,
        store: &Store,
        work: Vec<W>,
        until: Option<Instant>,
        make: impl Fn(&Loader, W, Timestamp) -> Result<Parcel, Failure> + Copy + Send + 'static,
    ) -> Result<usize, Failure> {
        let (send, mut parcels) = tokio::sync::mpsc::channel(3);
        let loader = Arc::clone(self);
        let sealing = tokio::task::spawn_blocking(move || {
            for part in work {
                let parcel = make(&loader, part, SystemClock.now());
                if send.blocking_send(parcel).is_err() {
                    return;
                }
            }
        });
        let mut done = 0;
        while let Some(parcel) = parcels.recv().await {
            let (charts, writes, events) = parcel?;
            done += charts.len();
            let needs = Needs { charts, ..Needs::default() };
            let committed = store
                .commit(SystemClock.now(), needs, move |_| {
                    let mut plan = Plan::accept(());
                    (plan.writes, plan.events) = (writes.clone(), events.clone());
                    plan
                })
                .await
                .at("loading")?;
            debug_assert!(matches!(committed, Done::New { .. }));
            if until.is_some_and(|end| Instant::now() > end) {
                break;
            }
        }
        drop(parcels);
        sealing.await.at("sealing")?;
        Ok(done)
    }
}
