//! Making charts, and the keys of their compartments.

use subrosa_crypto::{CompartmentKey, Signed, random};
use subrosa_model::{Bytes, CareKind, ChartId, Compartment, KeyId, RelationId, Role, TeamId, TeamKind};
use subrosa_protocol::api::{MoreWraps, NewChart, NewCharts, Recorded};
use subrosa_protocol::chart::{CareRelation, RosterRow, Target, Wrap, WrapContext, compartments_for};
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::vault::Vault;
use crate::write::NewBody;
use crate::ClientError;

/// A compartment key that this vault holds open.
#[derive(Clone)]
pub(crate) struct HeldKey {
    pub(crate) version: u32,
    pub(crate) key: CompartmentKey,
    pub(crate) id: KeyId,
    /// For whom it is known to be wrapped.
    pub(crate) targets: Vec<Target>,
    /// Those of them for whom somebody wrapped it who may write in this compartment.
    pub(crate) shared: Vec<Target>,
    /// Whether something new may be sealed under it, as of when it was opened: see [`crate::verify::worth`].
    pub(crate) write: bool,
}

/// What a new chart begins with: a line of the roster and the identity entry that it is drawn from.
#[derive(Clone)]
pub struct IdentityDraft {
    /// What a list shows and a search finds.
    pub row: RosterRow,
    /// The identity entry.
    pub body: NewBody,
}

impl core::fmt::Debug for IdentityDraft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("IdentityDraft(..)")
    }
}

impl IdentityDraft {
    /// From what a form asks. `birth_date` is `YYYY-MM-DD` or empty; `more` are phone numbers, e-mail addresses, record numbers.
    /// The entry is JSON of schema `identity/1` with the fields `given`, `family`, `birth_date`, `more`.
    pub fn new(given: &str, family: &str, birth_date: &str, more: Vec<String>) -> Self {
        let json = serde_json::json!({ "given": given, "family": family, "birth_date": birth_date, "more": more });
        IdentityDraft {
            row: RosterRow { given: given.to_owned(), family: family.to_owned(), birth_date: birth_date.to_owned(), more },
            body: NewBody {
                schema: "identity/1".to_owned(),
                content_type: "application/json".to_owned(),
                title: "Identity".to_owned(),
                occurred: None,
                body: json.to_string().into_bytes(),
            },
        }
    }
}

impl Vault {
    /// Makes one chart with its identity. Gives its id.
    ///
    /// # Errors
    /// The server's refusal, or what [`Vault::turn_epochs_if_needed`] finds.
    pub async fn make_chart(&mut self, identity: &IdentityDraft) -> Result<ChartId, ClientError> {
        let chart = ChartId(random::make_bytes());
        self.turn_epochs_if_needed().await?;
        self.make_empty_charts(&[chart], random::make_bytes::<16>().to_vec().into()).await?;
        self.write_first_identity(chart, identity).await?;
        Ok(chart)
    }

    /// The teams to which a new key of this compartment is wrapped: every one of the right kind whose current epoch is held.
    /// Of several care teams, the first that one belongs to.
    fn teams_for(&self, compartment: Compartment) -> Vec<Target> {
        let mut care_taken = false;
        let mut out = Vec::new();
        for (team, info) in self.directory.teams() {
            let held = info.epoch() > 0 && self.epochs.contains_key(&(*team, info.epoch()));
            if !held || !compartments_for(info.kind).contains(&compartment) || (info.kind == TeamKind::Care && core::mem::replace(&mut care_taken, true)) {
                continue;
            }
            out.push(Target::Team { team: *team, epoch: info.epoch() });
        }
        out
    }

    /// A new key for a compartment, wrapped to `targets`.
    pub(crate) fn new_key(&self, chart: ChartId, compartment: Compartment, version: u32, targets: Vec<Target>) -> Result<(HeldKey, Vec<Wrap>), ClientError> {
        let key = CompartmentKey::make();
        let id = key.id();
        let mut wraps = Vec::new();
        for target in &targets {
            let context = WrapContext { practice: self.practice, chart, compartment, version, key: id, target: *target };
            wraps.push(match target {
                Target::Team { team, epoch } => {
                    let epoch = self.epochs.get(&(*team, *epoch)).ok_or(ClientError::NoKey)?;
                    Wrap::make_to_team(&self.keys.sign, self.member, epoch, context, &key)?
                }
                Target::Member { .. } => Wrap::make_to_member(&self.keys.sign, self.member, &self.keys.hpke.public(), context, &key)?,
            });
        }
        if wraps.is_empty() {
            return Err(ClientError::NoKey);
        }
        Ok((HeldKey { version, key, id, shared: targets.clone(), targets, write: true }, wraps))
    }

    /// The targets of a newer key: the care teams that had the older one, and every other team that may have it.
    fn renewed(&self, older: &[Target], all: Vec<Target>) -> Vec<Target> {
        let care = |t: &Target| matches!(t, Target::Team { team, .. } if self.directory.teams().get(team).is_some_and(|t| t.kind == TeamKind::Care));
        let current = |t: &Target| match t {
            Target::Team { team, .. } => {
                let epoch = self.directory.teams().get(team)?.epoch();
                self.epochs.contains_key(&(*team, epoch)).then_some(Target::Team { team: *team, epoch })
            }
            Target::Member { .. } => None,
        };
        let mut out: Vec<Target> = older.iter().filter(|t| care(t)).filter_map(current).collect();
        let had_care = !out.is_empty();
        out.extend(all.into_iter().filter(|t| !had_care || !care(t)));
        out.sort();
        out.dedup();
        out
    }

    fn targets_for(&self, compartment: Compartment) -> Result<Vec<Target>, ClientError> {
        if compartment != Compartment::Psychotherapy {
            return Ok(self.teams_for(compartment));
        }
        if self.device.is_some() {
            return Err(ClientError::NotHere("psychotherapy notes are sealed to their author's own keys, which a linked device does not have"));
        }
        Ok(vec![Target::Member { member: self.member }])
    }

    /// Makes charts with keys for every compartment that the member may write and some team shares. Nothing is in them yet.
    pub(crate) async fn make_empty_charts(&mut self, charts: &[ChartId], idempotency: Bytes) -> Result<(), ClientError> {
        let role = self.role()?;
        let now = self.now();
        let mut new = Vec::with_capacity(charts.len());
        let mut held = Vec::new();
        for chart in charts {
            let mut wraps = Vec::new();
            for compartment in [Compartment::Identity, Compartment::Admin, Compartment::Record, Compartment::Messages] {
                let targets = self.teams_for(compartment);
                if targets.is_empty() || may(role, Action::write(compartment), Standing::Related) == Verdict::Never {
                    continue;
                }
                let (key, more) = self.new_key(*chart, compartment, 1, targets)?;
                wraps.extend(more);
                held.push(((*chart, compartment), vec![key]));
            }
            let kind = if matches!(role, Role::FrontDesk | Role::Billing) { CareKind::Appointment } else { CareKind::Treats };
            let relation = CareRelation {
                relation: RelationId(random::make_bytes()),
                practice: self.practice,
                member: self.member,
                chart: *chart,
                kind,
                from: now,
                to: None,
                maker: self.member,
            };
            let relation = Signed::sign(&self.keys.sign, &self.practice, &relation).to_bytes().into();
            new.push(NewChart { chart: *chart, canary: false, wraps, relation });
        }
        let _: Recorded = self.conn.post("/v1/charts", &NewCharts { charts: new, idempotency }, Some(&self.session)).await?;
        self.chart_keys.extend(held);
        Ok(())
    }

    /// The key that something new in this compartment is sealed under. Turned first if a team's epoch has turned since; made if there is none yet.
    pub(crate) async fn writing_key(&mut self, chart: ChartId, compartment: Compartment) -> Result<HeldKey, ClientError> {
        if may(self.role()?, Action::write(compartment), Standing::Related) == Verdict::Never {
            return Err(ClientError::Never);
        }
        // First, since a linked device is told here what it cannot do, without asking the server.
        self.targets_for(compartment)?;
        if !self.chart_keys.contains_key(&(chart, compartment)) {
            self.open_for_writing(chart, compartment).await?;
        }
        // Written for the other teams alone it would be missing for this one.
        let mine = |(team, info): (&TeamId, &subrosa_protocol::directory::TeamInfo)| {
            info.members.contains(&self.member) && compartments_for(info.kind).contains(&compartment) && self.broken.contains(&(*team, info.epoch()))
        };
        if self.directory.teams().iter().any(mine) {
            return Err(ClientError::BrokenEpoch);
        }
        let all_targets = self.targets_for(compartment)?;
        let held = self.chart_keys.get(&(chart, compartment)).map_or(&[][..], Vec::as_slice);
        let current = |team: &TeamId| self.directory.teams().get(team).map_or(0, |t| t.epoch());
        let stale = |t: &Target| matches!(t, Target::Team { team, epoch } if *epoch < current(team));
        if let Some(key) = held.iter().filter(|k| k.write && !k.shared.iter().any(stale)).max_by_key(|k| k.version) {
            return Ok(key.clone());
        }
        let version = held.iter().map(|k| k.version).max().map_or(1, |v| v.saturating_add(1));
        let targets = match held.iter().filter(|k| !k.shared.is_empty()).max_by_key(|k| k.version) {
            Some(key) => self.renewed(&key.shared, all_targets),
            None => all_targets,
        };
        let (key, wraps) = self.new_key(chart, compartment, version, targets)?;
        self.conn.tell("POST", "/v1/wraps", Some(&MoreWraps { wraps }), Some(&self.session)).await?;
        self.chart_keys.entry((chart, compartment)).or_default().push(key.clone());
        Ok(key)
    }

    /// Lets go of the keys of a chart, for instance when it is closed on screen.
    pub fn close_chart(&mut self, chart: ChartId) {
        self.chart_keys.retain(|(c, _), _| *c != chart);
    }
}
