//! What has to come along with directory statements: the seals of new epochs and the bundle that a statement names.

use std::collections::BTreeSet;

use subrosa_crypto::sha256;
use subrosa_model::{Bytes, Hash32, MemberId, TeamId};
use subrosa_protocol::directory::{Act, Applied};
use subrosa_protocol::keys::EpochSeal;

use crate::error::Refusal;

/// Largest sealed bundle, in bytes.
pub const MAX_BUNDLE: usize = 64 * 1024;
/// Largest sealed epoch key, in bytes.
const MAX_SEAL: usize = 4096;

/// Checks that the seals are exactly those that the statements name.
///
/// # Errors
/// `hash-mismatch`, `too-large`.
pub fn check_seals(applied: &[Applied], seals: &[EpochSeal]) -> Result<(), Refusal> {
    let mut named: BTreeSet<(TeamId, u32, Option<subrosa_protocol::directory::Recipient>, Hash32)> = BTreeSet::new();
    for a in applied {
        if let Act::TurnEpoch { team, epoch, seals, previous, .. } = &a.directive.act {
            named.extend(seals.iter().map(|(to, hash)| (*team, *epoch, Some(*to), *hash)));
            named.extend(previous.iter().map(|hash| (*team, *epoch, None, *hash)));
        }
    }
    if seals.iter().any(|s| s.sealed.len() > MAX_SEAL) {
        return Err(Refusal::too_large("A sealed key is larger than any sealed key is."));
    }
    let given: BTreeSet<_> = seals.iter().map(|s| (s.team, s.epoch, s.to, s.hash())).collect();
    if given == named && given.len() == seals.len() {
        Ok(())
    } else {
        Err(Refusal::bad("hash-mismatch", "The keys that came along are not the ones that the statements name. Nothing was changed."))
    }
}

/// The bundle that the statements name, checked against what came along: whose, which version.
///
/// # Errors
/// `hash-mismatch`, `too-large`, `not-allowed` for more than one.
pub fn check_bundle(applied: &[Applied], bundle: Option<&Bytes>) -> Result<Option<(MemberId, u64)>, Refusal> {
    let mut named = applied.iter().filter_map(|a| match &a.directive.act {
        Act::SetBundle { member, version, hash } => Some((*member, *version, *hash)),
        _ => None,
    });
    let mismatch = Refusal::bad("hash-mismatch", "The sealed bundle that came along is not the one that the statement names. Nothing was changed.");
    match (named.next(), bundle) {
        (None, None) => Ok(None),
        (Some((member, version, hash)), Some(bytes)) => {
            if bytes.len() > MAX_BUNDLE {
                return Err(Refusal::too_large("The sealed bundle is larger than any bundle is."));
            }
            if named.next().is_some() {
                return Err(Refusal::bad("not-allowed", "One bundle at a time."));
            }
            if sha256(&[bytes]) != hash { Err(mismatch) } else { Ok(Some((member, version))) }
        }
        _ => Err(mismatch),
    }
}
