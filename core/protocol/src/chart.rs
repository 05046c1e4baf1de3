//! Compartment keys on their way to those who may open them: wraps, custody halves, care relations, roster rows.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{
    CompartmentKey, Context, EpochKey, HpkePublic, HpkeSecret, Signed, SigningKey, Statement, VerifyingKey, cbor, open, open_key, open_key_from, pad, seal,
    seal_key, seal_key_to, sha256, unpad,
};
use subrosa_model::{
    Bytes, CareKind, ChartId, Compartment, Hash32, KeyId, MemberId, PracticeId, RelationId, TeamId, TeamKind, Timestamp,
};

use crate::ProtocolError;

/// Whom a compartment key is wrapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A team's epoch key.
    Team {
        /// The team.
        team: TeamId,
        /// Its epoch.
        epoch: u32,
    },
    /// A member's own sealing key (psychotherapy: its author).
    Member {
        /// The member.
        member: MemberId,
    },
}

/// The sealing context of a wrap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapContext {
    /// The practice.
    pub practice: PracticeId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment.
    pub compartment: Compartment,
    /// Version of the compartment key, from 1.
    pub version: u32,
    /// Id of the wrapped key.
    pub key: KeyId,
    /// Whom it is wrapped to.
    pub target: Target,
}

impl Context for WrapContext {
    const NAMESPACE: &'static str = "wrap";
}

/// What the maker of a wrap signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapStatement {
    /// Which key, for whom.
    pub context: WrapContext,
    /// Who made it.
    pub maker: MemberId,
    /// SHA-256 of the sealed key.
    pub sealed: Hash32,
}

impl Statement for WrapStatement {
    const NAMESPACE: &'static str = "wrap";
}

/// A wrapped compartment key. Lies in the key store; only its hash is in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrap {
    /// COSE_Sign1 over [`WrapStatement`].
    pub signed: Bytes,
    /// The sealed key.
    pub sealed: Bytes,
}

impl Wrap {
    fn finish(signer: &SigningKey, maker: MemberId, context: WrapContext, sealed: Vec<u8>) -> Self {
        let practice = context.practice;
        let statement = WrapStatement { context, maker, sealed: sha256(&[&sealed]) };
        Wrap { signed: Signed::sign(signer, &practice, &statement).to_bytes().into(), sealed: sealed.into() }
    }

    /// Wraps a compartment key to a team's epoch.
    pub fn make_to_team(signer: &SigningKey, maker: MemberId, epoch: &EpochKey, context: WrapContext, key: &CompartmentKey) -> Result<Self, ProtocolError> {
        if context.key != key.id() || !matches!(context.target, Target::Team { .. }) {
            return Err(ProtocolError::HashMismatch("wrap"));
        }
        let sealed = seal_key(epoch, &context, key);
        Ok(Self::finish(signer, maker, context, sealed))
    }

    /// Wraps a compartment key to one member.
    pub fn make_to_member(signer: &SigningKey, maker: MemberId, to: &HpkePublic, context: WrapContext, key: &CompartmentKey) -> Result<Self, ProtocolError> {
        if context.key != key.id() || !matches!(context.target, Target::Member { .. }) {
            return Err(ProtocolError::HashMismatch("wrap"));
        }
        let sealed = seal_key_to(to, &context, key)?;
        Ok(Self::finish(signer, maker, context, sealed))
    }

    /// Who signed it, unverified.
    pub fn signer_id(&self) -> Result<KeyId, ProtocolError> {
        Ok(Signed::<WrapStatement>::from_bytes(&self.signed)?.signer_id())
    }

    /// The statement as it claims to be. Nothing is verified.
    pub fn peek_unverified(&self) -> Result<WrapStatement, ProtocolError> {
        Ok(Signed::<WrapStatement>::from_bytes(&self.signed)?.peek_unverified()?)
    }

    /// Verifies the maker's signature and that the sealed key is the one signed.
    pub fn verify(&self, practice: &PracticeId, maker: &VerifyingKey) -> Result<WrapStatement, ProtocolError> {
        let statement = Signed::<WrapStatement>::from_bytes(&self.signed)?.verify(maker, practice)?;
        if statement.context.practice != *practice {
            return Err(ProtocolError::WrongPractice);
        }
        if sha256(&[&self.sealed]) != statement.sealed {
            return Err(ProtocolError::HashMismatch("wrap"));
        }
        Ok(statement)
    }

    /// Opens a team wrap. `context` is what the caller asked for.
    pub fn open_with_epoch(&self, epoch: &EpochKey, context: &WrapContext) -> Result<CompartmentKey, ProtocolError> {
        Ok(open_key(epoch, context, &self.sealed, &context.key)?)
    }

    /// Opens a member wrap. `context` is what the caller asked for.
    pub fn open_with_member(&self, secret: &HpkeSecret, context: &WrapContext) -> Result<CompartmentKey, ProtocolError> {
        Ok(open_key_from(secret, context, &self.sealed, &context.key)?)
    }
}

/// Which compartments of a new chart are wrapped to a team of this kind. Psychotherapy never is: it is sealed to its author.
pub fn compartments_for(kind: TeamKind) -> &'static [Compartment] {
    match kind {
        TeamKind::Care => &[Compartment::Identity, Compartment::Admin, Compartment::Record, Compartment::Messages],
        TeamKind::FrontDesk => &[Compartment::Identity, Compartment::Admin],
        TeamKind::OnCall => &[Compartment::Identity, Compartment::Record],
    }
}

/// A care relation: that a member has to do with a chart, and why. Opaque: no name, no reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareRelation {
    /// Its id.
    pub relation: RelationId,
    /// The practice.
    pub practice: PracticeId,
    /// Who gains access.
    pub member: MemberId,
    /// To which chart.
    pub chart: ChartId,
    /// Why.
    pub kind: CareKind,
    /// From when.
    pub from: Timestamp,
    /// Until when; open-ended if none.
    pub to: Option<Timestamp>,
    /// Who states it.
    pub maker: MemberId,
}

impl Statement for CareRelation {
    const NAMESPACE: &'static str = "relation";
}

/// A second person's word that a care relation is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationConfirmation {
    /// The practice.
    pub practice: PracticeId,
    /// Hash of the signed relation.
    pub relation: Hash32,
    /// Who confirms.
    pub by: MemberId,
}

impl Statement for RelationConfirmation {
    const NAMESPACE: &'static str = "relation-confirmation";
}

/// The sealing context of a roster row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterContext {
    /// The practice.
    pub practice: PracticeId,
    /// The chart.
    pub chart: ChartId,
    /// Id of the chart's identity key.
    pub key: KeyId,
    /// Hash of the identity entry's version that the row was drawn from.
    pub drawn_from: Hash32,
}

impl Context for RosterContext {
    const NAMESPACE: &'static str = "roster-row";
}

/// One line of the roster: what a list shows and a search finds.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    /// Given names.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Birth date, `YYYY-MM-DD`; empty if unknown.
    pub birth_date: String,
    /// Further searchable texts: phone, e-mail, record number.
    pub more: Vec<String>,
}

impl core::fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RosterRow(..)")
    }
}

/// What the maker of a roster row signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterStatement {
    /// Where it belongs.
    pub context: RosterContext,
    /// SHA-256 of the sealed row.
    pub sealed: Hash32,
}

impl Statement for RosterStatement {
    const NAMESPACE: &'static str = "roster-row";
}

/// A sealed, signed roster row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterBlob {
    /// COSE_Sign1 over [`RosterStatement`].
    pub signed: Bytes,
    /// COSE_Encrypt0 of the padded [`RosterRow`].
    pub sealed: Bytes,
}

/// Smallest padded size of a roster row, in bytes.
pub const ROSTER_PAD_FLOOR: usize = 256;

impl RosterBlob {
    /// Seals and signs a row.
    pub fn make(signer: &SigningKey, key: &CompartmentKey, context: RosterContext, row: &RosterRow) -> Result<Self, ProtocolError> {
        if context.key != key.id() {
            return Err(ProtocolError::HashMismatch("roster row"));
        }
        let sealed = seal(key, &context, &pad(&cbor::encode(row), ROSTER_PAD_FLOOR));
        let practice = context.practice;
        let statement = RosterStatement { context, sealed: sha256(&[&sealed]) };
        Ok(RosterBlob { signed: Signed::sign(signer, &practice, &statement).to_bytes().into(), sealed: sealed.into() })
    }

    /// Who signed it, unverified.
    pub fn signer_id(&self) -> Result<KeyId, ProtocolError> {
        Ok(Signed::<RosterStatement>::from_bytes(&self.signed)?.signer_id())
    }

    /// Verifies signature and hash.
    pub fn verify(&self, practice: &PracticeId, maker: &VerifyingKey) -> Result<RosterContext, ProtocolError> {
        let statement = Signed::<RosterStatement>::from_bytes(&self.signed)?.verify(maker, practice)?;
        if statement.context.practice != *practice {
            return Err(ProtocolError::WrongPractice);
        }
        if sha256(&[&self.sealed]) != statement.sealed {
            return Err(ProtocolError::HashMismatch("roster row"));
        }
        Ok(statement.context)
    }

    /// Opens a verified row.
    pub fn open(&self, key: &CompartmentKey, context: &RosterContext) -> Result<RosterRow, ProtocolError> {
        let plain = open(key, context, &self.sealed)?;
        Ok(cbor::decode(unpad(&plain)?)?)
    }
}

/// The sealing context of one custody half of a compartment key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyContext {
    /// The practice.
    pub practice: PracticeId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment.
    pub compartment: Compartment,
    /// Id of the key that both halves make.
    pub key: KeyId,
    /// 0 or 1.
    pub half: u8,
    /// Id of the sealing key that this half goes to (SHA-256 of the HPKE public key).
    pub to: Hash32,
}

impl Context for CustodyContext {
    const NAMESPACE: &'static str = "custody";
}
