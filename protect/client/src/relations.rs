//! Care relations, and giving further people a chart's keys.

use subrosa_crypto::{Signed, random};
use subrosa_model::{Bytes, CareKind, ChartId, Compartment, MemberId, RelationId, TeamId, Timestamp};
use subrosa_protocol::api::{MoreWraps, RelationPut, RelationState, Relations};
use subrosa_protocol::chart::{CareRelation, RelationConfirmation, Target, Wrap, WrapContext, compartments_for};
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::ClientError;
use crate::vault::Vault;

/// A relation whose maker's signature holds.
#[derive(Debug, Clone)]
pub struct RelationView {
    /// What is stated.
    pub relation: CareRelation,
    /// From when it counts; none until somebody else confirms it.
    pub counts_from: Option<Timestamp>,
    /// As signed: hand it to [`Vault::confirm_relation`].
    pub signed: Bytes,
}

impl Vault {
    /// States that a member has to do with a chart. A relation that gives oneself access counts once somebody else confirms it (in a practice of one: after a
    /// fresh passkey and 24 h).
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], [`ClientError::Never`], refusals.
    pub async fn relate(
        &mut self,
        chart: ChartId,
        member: MemberId,
        kind: CareKind,
        from: Timestamp,
        to: Option<Timestamp>,
    ) -> Result<RelationState, ClientError> {
        let relation = RelationId(random::make_bytes());
        let statement = CareRelation { relation, practice: self.practice, member, chart, kind, from, to, maker: self.member };
        let signed = Signed::sign(&self.keys.sign, &self.practice, &statement).to_bytes().into();
        let state: RelationState = self.conn.post("/v1/relations", &RelationPut { signed }, Some(&self.session)).await?;
        if state.relation == relation { Ok(state) } else { Err(ClientError::NotAsked) }
    }

    /// Confirms a relation that somebody else stated.
    ///
    /// # Errors
    /// [`ClientError::Never`], refusals.
    pub async fn confirm_relation(&mut self, relation: &RelationView) -> Result<RelationState, ClientError> {
        let hash = Signed::<CareRelation>::from_bytes(&relation.signed)?.hash();
        let statement = RelationConfirmation { practice: self.practice, relation: hash, by: self.member };
        let signed = Signed::sign(&self.keys.sign, &self.practice, &statement).to_bytes().into();
        self.conn.post("/v1/relations/confirm", &RelationPut { signed }, Some(&self.session)).await
    }

    /// Relations of a chart, or one's own.
    ///
    /// # Errors
    /// [`ClientError::UnknownSigner`] or [`ClientError::NotAsked`] for a relation that nobody entitled stated, or of another chart.
    pub async fn relations(&mut self, chart: Option<ChartId>) -> Result<Vec<RelationView>, ClientError> {
        let path = chart.map_or_else(|| "/v1/relations".to_owned(), |c| format!("/v1/relations?chart={c}"));
        let list: Relations = self.conn.get(&path, Some(&self.session)).await?;
        let mut out = Vec::new();
        for stored in list.relations {
            let parsed = Signed::<CareRelation>::from_bytes(&stored.signed).map_err(|_| ClientError::NotAsked)?;
            if self.signers.find(&parsed.signer_id()).is_err() {
                self.sync().await?;
            }
            let signer = self.signers.find(&parsed.signer_id())?;
            let relation = parsed.verify(&signer.key, &self.practice).map_err(|_| ClientError::UnknownSigner)?;
            let wanted = relation.practice == self.practice && chart.is_none_or(|c| c == relation.chart) && relation.maker == signer.member;
            if !wanted {
                return Err(ClientError::NotAsked);
            }
            out.push(RelationView { relation, counts_from: stored.counts_from, signed: stored.signed });
        }
        Ok(out)
    }

    /// Gives a team the keys of a chart's compartments that its kind may have, as far as they are held open here (open the chart first).
    ///
    /// # Errors
    /// [`ClientError::NoKey`] when nothing fitting is held open or one is not in that team.
    pub async fn share_with_team(&mut self, chart: ChartId, team: TeamId) -> Result<(), ClientError> {
        self.turn_epochs_if_needed().await?;
        let info = self.directory.teams().get(&team).ok_or(ClientError::Unknown("team"))?;
        let allowed = compartments_for(info.kind);
        let target = Target::Team { team, epoch: info.epoch() };
        self.share(chart, target, |c| allowed.contains(&c)).await
    }

    /// Gives one member the keys of a chart's compartments that their role may read, as far as they are held open here. Never psychotherapy.
    ///
    /// # Errors
    /// [`ClientError::NoKey`] when nothing fitting is held open.
    pub async fn share_with_member(&mut self, chart: ChartId, member: MemberId) -> Result<(), ClientError> {
        self.sync().await?;
        let role = self.directory.member(&member).ok_or(ClientError::Unknown("member"))?.role;
        let readable = |c: Compartment| c != Compartment::Psychotherapy && may(role, Action::read(c), Standing::Related) != Verdict::Never;
        self.share(chart, Target::Member { member }, readable).await
    }

    async fn share(&mut self, chart: ChartId, target: Target, fits: impl Fn(Compartment) -> bool) -> Result<(), ClientError> {
        let mut wraps = Vec::new();
        for ((c, compartment), keys) in &self.chart_keys {
            if *c != chart || !fits(*compartment) {
                continue;
            }
            for held in keys.iter().filter(|k| !k.targets.contains(&target)) {
                let context =
                    WrapContext { practice: self.practice, chart, compartment: *compartment, version: held.version, key: held.id, target };
                wraps.push(match target {
                    Target::Team { team, epoch } => {
                        let epoch = self.epochs.get(&(team, epoch)).ok_or(ClientError::NoKey)?;
                        Wrap::make_to_team(&self.keys.sign, self.member, epoch, context, &held.key)?
                    }
                    Target::Member { member } => {
                        let to = &self.directory.member(&member).ok_or(ClientError::Unknown("member"))?.hpke;
                        Wrap::make_to_member(&self.keys.sign, self.member, to, context, &held.key)?
                    }
                });
            }
        }
        if wraps.is_empty() {
            return Err(ClientError::NoKey);
        }
        self.conn.tell("POST", "/v1/wraps", Some(&MoreWraps { wraps }), Some(&self.session)).await?;
        for ((c, compartment), keys) in &mut self.chart_keys {
            if *c == chart && fits(*compartment) {
                keys.iter_mut().filter(|k| !k.targets.contains(&target)).for_each(|k| k.targets.push(target));
            }
        }
        Ok(())
    }
}
