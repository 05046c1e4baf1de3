use subrosa_model::Role;

use super::act::{Act, Policy};

/// Who has to sign an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The practice root (from the practice kit).
    Root,
    /// One owner.
    Owner,
    /// Two different people, each an owner or a privacy officer, at least one an owner.
    TwoOwnersOrOfficers,
    /// One owner or privacy officer.
    OwnerOrOfficer,
    /// The member whom it concerns.
    Themself,
    /// The member whom it concerns, or an owner or privacy officer.
    ThemselfOrOfficer,
    /// Any active member of the team, or a device certified for it.
    TeamMember,
}

/// What the practice root may also sign, so that a practice whose owners are gone, or block each other, can be taken up again with the practice kit.
pub fn root_may(act: &Act) -> bool {
    matches!(
        act,
        Act::AdmitMember { role: Role::Owner, .. } | Act::SetRole { .. } | Act::RemoveMember { .. } | Act::ChangeTeam { .. } | Act::SetPolicy { .. }
    )
}

/// Who has to sign `act` under `policy`. `founded_owner` is whether the root has certified a first owner yet.
pub fn needed(act: &Act, policy: Option<&Policy>, founded_owner: bool) -> Authority {
    let two = policy.is_some_and(|p| p.two_person);
    let dangerous = if two { Authority::TwoOwnersOrOfficers } else { Authority::Owner };
    let guarding = |role: &Role| matches!(role, Role::Owner | Role::PrivacyOfficer);
    match act {
        Act::Found { .. } | Act::SetRoot { .. } => Authority::Root,
        Act::AdmitMember { .. } if !founded_owner => Authority::Root,
        Act::AdmitMember { role, .. } if guarding(role) => dangerous,
        Act::AdmitMember { .. } => Authority::Owner,
        Act::SetRole { role, .. } if guarding(role) => dangerous,
        Act::SetRole { .. } => Authority::Owner,
        Act::SetBundle { .. } | Act::TurnMember { .. } | Act::LinkDevice { .. } => Authority::Themself,
        Act::RevokeDevice { .. } => Authority::ThemselfOrOfficer,
        Act::RemoveMember { .. } | Act::ClientHash { .. } | Act::Hold { .. } | Act::WithdrawOrder { .. } => Authority::OwnerOrOfficer,
        Act::MakeTeam { .. } | Act::ChangeTeam { .. } => Authority::OwnerOrOfficer,
        Act::TurnEpoch { .. } => Authority::TeamMember,
        Act::SetPolicy { .. } | Act::SetLogKey { .. } | Act::SetWitness { .. } | Act::Order { .. } | Act::LiftHold { .. } | Act::ReviewPace { .. } => {
            dangerous
        }
        Act::RaiseSuite { .. } => Authority::Owner,
    }
}
