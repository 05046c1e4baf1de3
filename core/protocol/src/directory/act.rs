use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use subrosa_crypto::{HpkePublic, Statement, VerifyingKey};
use subrosa_model::{ChartId, DeviceId, Hash32, KeyId, MemberId, OrderId, PracticeId, Role, TeamId, TeamKind, Timestamp};

/// One statement of the directory log, in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive {
    /// The practice that the log belongs to.
    pub practice: PracticeId,
    /// Position in the log, from 0.
    pub seq: u64,
    /// Hash of the previous statement's bytes; zeros for the first.
    pub prev: Hash32,
    /// When its maker says it was made.
    pub at: Timestamp,
    /// What is stated.
    pub act: Act,
}

impl Statement for Directive {
    const NAMESPACE: &'static str = "directory";
}

/// What a directory statement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// The first statement: signed by the practice root.
    Found {
        /// Public half of the practice root, which exists only on the printed practice kit.
        root: VerifyingKey,
        /// Where key-store copies for backups are sealed to; its secret half is derived from the practice kit.
        backup: HpkePublic,
        /// The server's key for checkpoints.
        log_key: VerifyingKey,
        /// Lowest suite accepted.
        suite_min: u32,
        /// How dangerous acts are done.
        policy: Policy,
    },
    /// The root names its successor (a new practice kit). Signed by the old root.
    SetRoot {
        /// The new root.
        root: VerifyingKey,
        /// The new backup key.
        backup: HpkePublic,
    },
    /// A person joins. The first owner is certified by the root.
    AdmitMember {
        /// The new member.
        member: MemberId,
        /// What colleagues call them (staff names are known to the server; patients' never).
        name: String,
        /// Their role.
        role: Role,
        /// Their signing key.
        sign: VerifyingKey,
        /// Their sealing key.
        hpke: HpkePublic,
    },
    /// A member's sealed bundle changed.
    SetBundle {
        /// Whose.
        member: MemberId,
        /// Counts up from 1.
        version: u64,
        /// SHA-256 of the sealed bundle.
        hash: Hash32,
    },
    /// A member turned their own keys (after a loss).
    TurnMember {
        /// Who.
        member: MemberId,
        /// The new signing key.
        sign: VerifyingKey,
        /// The new sealing key.
        hpke: HpkePublic,
    },
    /// A member's role changes.
    SetRole {
        /// Whose.
        member: MemberId,
        /// The new role.
        role: Role,
    },
    /// A member leaves: out of every team, every device revoked.
    RemoveMember {
        /// Who.
        member: MemberId,
    },
    /// A device with keys of its own acts for a member, in named teams, until a date.
    LinkDevice {
        /// The device.
        device: DeviceId,
        /// Whose it is.
        member: MemberId,
        /// What the member calls it.
        name: String,
        /// Its signing key.
        sign: VerifyingKey,
        /// Its sealing key.
        hpke: HpkePublic,
        /// Teams whose epochs it is given.
        teams: BTreeSet<TeamId>,
        /// Last moment of its validity.
        until: Timestamp,
    },
    /// A device is no longer trusted.
    RevokeDevice {
        /// Which.
        device: DeviceId,
    },
    /// A new team.
    MakeTeam {
        /// Its id.
        team: TeamId,
        /// What it is for.
        kind: TeamKind,
        /// Its name.
        name: String,
        /// Its members.
        members: BTreeSet<MemberId>,
    },
    /// A team's members change.
    ChangeTeam {
        /// Which.
        team: TeamId,
        /// All its members from now on.
        members: BTreeSet<MemberId>,
    },
    /// A team gets a new epoch key.
    TurnEpoch {
        /// Which team.
        team: TeamId,
        /// The epoch's number, from 1.
        epoch: u32,
        /// The new key's id.
        key: KeyId,
        /// Hash of each recipient's seal, so that the server cannot swap one (see [`crate::keys::EpochSeal`]).
        seals: BTreeMap<Recipient, Hash32>,
        /// Hash of the previous epoch's key sealed under this one; none for epoch 1.
        previous: Option<Hash32>,
    },
    /// How dangerous acts are done from now on.
    SetPolicy {
        /// The whole policy.
        policy: Policy,
    },
    /// The lowest suite rises.
    RaiseSuite {
        /// New lowest suite.
        min: u32,
    },
    /// The server's checkpoint key changes.
    SetLogKey {
        /// The new key.
        log_key: VerifyingKey,
    },
    /// A witness whose cosignatures clients expect.
    SetWitness {
        /// Its name in notes.
        name: String,
        /// Its key.
        key: VerifyingKey,
    },
    /// The hash of a browser app that the practice serves.
    ClientHash {
        /// Its version.
        version: String,
        /// SHA-256 of its manifest.
        sha256: Hash32,
    },
    /// An order that server and keeper carry out on their own clocks.
    Order {
        /// Its id.
        order: OrderId,
        /// What is ordered.
        kind: OrderKind,
    },
    /// An order is withdrawn before it was carried out.
    WithdrawOrder {
        /// Which.
        order: OrderId,
    },
    /// A legal hold or retention duty: nothing of the chart is erased.
    Hold {
        /// Which chart.
        chart: ChartId,
        /// Until when, if known.
        until: Option<Timestamp>,
    },
    /// A hold ends.
    LiftHold {
        /// Which chart.
        chart: ChartId,
    },
    /// A member's foreign-chart counter was reviewed and begins anew.
    ReviewPace {
        /// Whose.
        member: MemberId,
    },
}

/// Whom an epoch key is sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// A member's own sealing key.
    Member(MemberId),
    /// A linked device's sealing key.
    Device(DeviceId),
}

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    /// Destroy every wrap and seal of a chart, here and at the keeper.
    EraseChart {
        /// Which.
        chart: ChartId,
    },
}

/// How dangerous acts are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Two people sign dangerous acts. In a practice of one it is `false`, and delays stand in.
    pub two_person: bool,
    /// How long an order of a single person waits, in milliseconds. At least 7 days.
    pub solo_delay_ms: i64,
    /// IANA name of the practice's time zone.
    pub time_zone: String,
}

impl Policy {
    /// The shortest delay of a single person's order.
    pub const MIN_SOLO_DELAY_MS: i64 = 7 * Timestamp::DAY;

    /// The policy of a practice of one.
    pub fn solo(time_zone: &str) -> Self {
        Policy { two_person: false, solo_delay_ms: Self::MIN_SOLO_DELAY_MS, time_zone: time_zone.to_owned() }
    }
}

/// A member as the directory knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInfo {
    /// What colleagues call them.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Current signing key.
    pub sign: VerifyingKey,
    /// Current sealing key.
    pub hpke: HpkePublic,
    /// Earlier signing keys with the sequence at which each ended: what was signed before stays verifiable.
    pub past: Vec<(VerifyingKey, u64)>,
    /// Version and hash of the bundle; none before the first.
    pub bundle: Option<(u64, Hash32)>,
    /// `false` once removed.
    pub active: bool,
}

/// A linked device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Whose it is.
    pub member: MemberId,
    /// What the member calls it.
    pub name: String,
    /// Its signing key.
    pub sign: VerifyingKey,
    /// Its sealing key.
    pub hpke: HpkePublic,
    /// Teams it is certified for.
    pub teams: BTreeSet<TeamId>,
    /// Last moment of its validity.
    pub until: Timestamp,
    /// `false` once revoked.
    pub active: bool,
}

/// One epoch of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochInfo {
    /// The key's id.
    pub key: KeyId,
    /// Hash of each recipient's seal.
    pub seals: BTreeMap<Recipient, Hash32>,
    /// Hash of the previous epoch sealed under this one.
    pub previous: Option<Hash32>,
    /// Directory sequence at which it was made.
    pub seq: u64,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamInfo {
    /// What it is for.
    pub kind: TeamKind,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: BTreeSet<MemberId>,
    /// Its epochs, first is epoch 1.
    pub epochs: Vec<EpochInfo>,
    /// Last sequence at which the team's members or devices changed, so that the epoch must turn before the next write.
    pub changed: u64,
}

impl TeamInfo {
    /// Number of the current epoch; 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.epochs.len() as u32
    }
    /// Whether the epoch must turn before anything new is written under it.
    pub fn must_turn(&self) -> bool {
        self.epochs.last().is_none_or(|e| e.seq < self.changed)
    }
}

/// An order and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderInfo {
    /// What is ordered.
    pub kind: OrderKind,
    /// How many different people signed.
    pub signers: BTreeSet<MemberId>,
    /// The directory sequence at which it stands.
    pub seq: u64,
    /// How long it waits after it was received, in milliseconds.
    pub delay_ms: i64,
    /// The newest sequence at which one of its signers came into their role, or the policy was set. An order is not carried out within
    /// [`Policy::MIN_SOLO_DELAY_MS`] of that: else one person would admit a second and have two at once.
    pub young: u64,
}

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldInfo {
    /// Until when, if known.
    pub until: Option<Timestamp>,
}
