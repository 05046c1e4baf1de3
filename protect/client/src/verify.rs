//! Everything that is checked before a chart's first byte is opened. Pure: a request, an answer, a directory and pins go in, a verdict comes out.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::VerifyingKey;
use subrosa_model::{ChartId, Compartment, DeviceId, EntryId, Hash32, KeyId, MemberId, PracticeId, SessionId, TeamId, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::{AccessEvent, Extension, HeadProof, What, access_origin};
use subrosa_protocol::api::{Released, ReleasedChart, StoredEntry};
use subrosa_protocol::chart::{Target, Wrap, WrapStatement};
use subrosa_protocol::entry::{EntryBlob, EntryHeader};
use subrosa_protocol::keys::LedgerPin;

use crate::ClientError;
use crate::directory::Signers;
use crate::local::HeadPin;

/// What was asked, as the asker remembers it.
pub(crate) struct Asked<'a> {
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
    pub(crate) device: Option<DeviceId>,
    pub(crate) session: SessionId,
    /// SHA-256 of the signed request.
    pub(crate) request: Hash32,
    pub(crate) charts: &'a [ChartId],
    pub(crate) compartments: &'a [Compartment],
    /// Kinds of event under which the ledger may record it.
    pub(crate) what: &'a [What],
}

/// Verifies the checkpoint: signed by the practice's log key, and extending the pin.
pub(crate) fn extension(extension: &Extension, practice: &PracticeId, log_key: Option<&VerifyingKey>, pin: &LedgerPin) -> Result<LedgerPin, ClientError> {
    let log_key = log_key.ok_or(ClientError::ForgedDirectory)?;
    extension.verify(&access_origin(practice), log_key, pin).map_err(|e| match e {
        ProtocolError::Fork => ClientError::Fork,
        _ => ClientError::ForgedCheckpoint,
    })
}

/// The event is the asker's own request and nothing else.
pub(crate) fn own_event(event: Option<&AccessEvent>, chart: Option<ChartId>, asked: &Asked<'_>) -> Result<(), ClientError> {
    let event = event.ok_or(ClientError::MissingLeaf)?;
    let mine = event.practice == asked.practice && event.member == Some(asked.member) && event.chart == chart;
    if !mine || !asked.what.contains(&event.what) {
        return Err(ClientError::MissingLeaf);
    }
    if event.request != asked.request {
        return Err(ClientError::ReplayedAnswer);
    }
    let set = |c: &[Compartment]| c.iter().copied().collect::<BTreeSet<_>>();
    if set(&event.compartments) != set(asked.compartments) || event.device != asked.device || event.session != Some(asked.session) {
        return Err(ClientError::MissingLeaf);
    }
    Ok(())
}

/// The asker's own request is the newest leaf of this chart.
pub(crate) fn own_head(head: &HeadProof, chart: ChartId, asked: &Asked<'_>, pin: &LedgerPin) -> Result<(), ClientError> {
    head.verify(&asked.practice, &chart, pin).map_err(|e| match e {
        ProtocolError::Downgrade => ClientError::Downgrade,
        _ => ClientError::MissingLeaf,
    })?;
    own_event(head.head.opened.event.as_ref(), Some(chart), asked)
}

/// A whole answer to a release: recorded first, for exactly the charts asked. Gives the new pin.
pub(crate) fn recorded(released: &Released, asked: &Asked<'_>, log_key: Option<&VerifyingKey>, pin: &LedgerPin) -> Result<LedgerPin, ClientError> {
    let pin = extension(&released.extension, &asked.practice, log_key, pin)?;
    if released.heads.len() != asked.charts.len() || released.charts.len() != asked.charts.len() {
        return Err(ClientError::NotAsked);
    }
    for ((head, part), chart) in released.heads.iter().zip(&released.charts).zip(asked.charts) {
        own_head(head, *chart, asked, &pin)?;
        if part.chart != *chart {
            return Err(ClientError::NotAsked);
        }
    }
    Ok(pin)
}

/// Where a wrap may be addressed for this reader to accept it.
pub(crate) struct Reader<'a> {
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
    pub(crate) signers: &'a Signers,
    /// Team epochs whose keys are held.
    pub(crate) epochs: &'a dyn Fn(TeamId, u32) -> bool,
}

/// One wrap, for a chart and one of the compartments asked for, addressed to the reader and signed by its maker.
pub(crate) fn wrap(wrap: &Wrap, chart: ChartId, compartments: &[Compartment], reader: &Reader<'_>) -> Result<WrapStatement, ClientError> {
    let signer = reader.signers.find(&wrap.signer_id().map_err(|_| ClientError::WrongWrap)?)?;
    let statement = wrap.verify(&reader.practice, &signer.key).map_err(|_| ClientError::WrongWrap)?;
    let context = &statement.context;
    let addressed = match (context.target, context.compartment) {
        // Psychotherapy notes go from their author to their author; a wrap to a team, or by another, is none of ours.
        (Target::Member { member }, Compartment::Psychotherapy) => member == reader.member && statement.maker == reader.member,
        (Target::Team { .. }, Compartment::Psychotherapy) => false,
        (Target::Member { member }, _) => member == reader.member,
        (Target::Team { team, epoch }, _) => (reader.epochs)(team, epoch),
    };
    if let (Target::Team { .. }, false) = (context.target, addressed) {
        // Of a team or an epoch whose key is not held: none of ours, or newer than the directory as it is known here.
        return Err(ClientError::WrongEpoch);
    }
    if statement.maker != signer.member || context.chart != chart || !compartments.contains(&context.compartment) || !addressed || context.version == 0 {
        return Err(ClientError::WrongWrap);
    }
    Ok(statement)
}

/// A version whose signature and place hold.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) header: EntryHeader,
    pub(crate) blob: EntryBlob,
    pub(crate) hash: Hash32,
    pub(crate) received: Timestamp,
    pub(crate) conflict: bool,
}

/// An entry whose versions are complete.
pub(crate) struct Verified {
    pub(crate) entry: EntryId,
    pub(crate) compartment: Compartment,
    pub(crate) versions: Vec<Version>,
    /// Hashes of the versions that no other version follows.
    pub(crate) heads: Vec<Hash32>,
}

/// One version: author known, signature good, in the chart and compartments asked for.
fn version(stored: &StoredEntry, chart: ChartId, compartments: &[Compartment], practice: &PracticeId, signers: &Signers) -> Result<Version, ClientError> {
    let signer = signers.find(&stored.blob.signer_id().map_err(|_| ClientError::InjectedEntry)?)?;
    let header = stored.blob.verify(practice, &signer.key).map_err(|_| ClientError::InjectedEntry)?;
    let context = &header.context;
    if context.author != signer.member || context.device != signer.device {
        return Err(ClientError::InjectedEntry);
    }
    if context.chart != chart || !compartments.contains(&context.compartment) {
        return Err(ClientError::SwappedEntry);
    }
    Ok(Version { hash: stored.blob.hash(), header, blob: stored.blob.clone(), received: stored.received, conflict: stored.conflict })
}

/// All versions of all entries of a chart: chains complete and in order, nothing older than pinned.
pub(crate) fn entries(
    released: &ReleasedChart,
    compartments: &[Compartment],
    practice: &PracticeId,
    signers: &Signers,
    pins: Option<&BTreeMap<EntryId, HeadPin>>,
) -> Result<Vec<Verified>, ClientError> {
    let mut order: Vec<EntryId> = Vec::new();
    let mut grouped: BTreeMap<EntryId, Vec<Version>> = BTreeMap::new();
    for stored in &released.entries {
        let version = version(stored, released.chart, compartments, practice, signers)?;
        let entry = version.header.context.entry;
        let group = grouped.entry(entry).or_default();
        if group.is_empty() {
            order.push(entry);
        }
        group.push(version);
    }
    for (entry, pin) in pins.into_iter().flatten() {
        let seen = grouped.get(entry).is_some_and(|versions| versions.iter().any(|v| v.hash == pin.hash));
        if compartments.contains(&pin.compartment) && !seen {
            return Err(ClientError::Rollback);
        }
    }
    order.into_iter().filter_map(|entry| grouped.remove(&entry).map(|versions| chain(entry, versions))).collect()
}

/// The versions of one entry, each after its predecessor.
fn chain(entry: EntryId, versions: Vec<Version>) -> Result<Verified, ClientError> {
    let compartment = versions.first().map(|v| v.header.context.compartment).ok_or(ClientError::BrokenChain)?;
    let mut known: BTreeMap<Hash32, u32> = BTreeMap::new();
    let mut followed: BTreeSet<Hash32> = BTreeSet::new();
    for v in &versions {
        let context = &v.header.context;
        if context.compartment != compartment {
            return Err(ClientError::SwappedEntry);
        }
        if let Some(prev) = context.prev {
            // Oldest first: a predecessor has been seen, and is exactly one version older.
            if known.get(&prev).is_none_or(|n| n.checked_add(1) != Some(context.version)) {
                return Err(ClientError::BrokenChain);
            }
            followed.insert(prev);
        }
        if known.insert(v.hash, context.version).is_some() {
            return Err(ClientError::BrokenChain);
        }
    }
    let heads: Vec<&Version> = versions.iter().filter(|v| !followed.contains(&v.hash)).collect();
    if heads.iter().filter(|v| !v.conflict).count() > 1 {
        return Err(ClientError::BrokenChain);
    }
    let heads = heads.into_iter().map(|v| v.hash).collect();
    Ok(Verified { entry, compartment, versions, heads })
}

/// The keys that a chart's wraps promise: by compartment and key id, with every statement that names it.
pub(crate) fn wraps<'w>(
    released: &'w ReleasedChart,
    compartments: &[Compartment],
    reader: &Reader<'_>,
) -> Result<Vec<(WrapStatement, &'w Wrap)>, ClientError> {
    let mut seen: BTreeSet<(Compartment, KeyId, Target)> = BTreeSet::new();
    let mut out = Vec::new();
    for w in &released.wraps {
        let statement = wrap(w, released.chart, compartments, reader)?;
        if seen.insert((statement.context.compartment, statement.context.key, statement.context.target)) {
            out.push((statement, w));
        }
    }
    Ok(out)
}
