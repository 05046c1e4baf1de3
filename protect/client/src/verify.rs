//! Everything that is checked before a chart's first byte is opened. Pure: a request, an answer, a directory and pins go in, a verdict comes out.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::VerifyingKey;
use subrosa_model::{ChartId, Compartment, DeviceId, EntryId, Hash32, KeyId, MemberId, PracticeId, SessionId, TeamId, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::{AccessEvent, Extension, HeadProof, What, access_origin};
use subrosa_protocol::api::{Released, ReleasedChart, StoredEntry};
use subrosa_protocol::chart::{Target, Wrap, WrapStatement, compartments_for};
use subrosa_protocol::directory::Directory;
use subrosa_protocol::entry::{EntryBlob, EntryHeader};
use subrosa_protocol::keys::LedgerPin;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::ClientError;
use crate::directory::{Signer, Signers};
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

/// How a team epoch's key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// It is held.
    Held,
    /// Whoever turned the epoch sealed something else.
    Broken,
    /// It is not held.
    Unknown,
}

/// Where a wrap may be addressed for this reader to accept it.
pub(crate) struct Reader<'a> {
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
    pub(crate) signers: &'a Signers,
    pub(crate) directory: &'a Directory,
    /// Which team epochs' keys are held.
    pub(crate) epochs: &'a dyn Fn(TeamId, u32) -> Epoch,
}

/// What a well-signed wrap entitles its reader to. A server cannot make such a wrap; a colleague or a linked device can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// Nothing: its maker may not make a wrap like this. It is passed over.
    Nothing,
    /// Reading what is already sealed under the key.
    Read,
    /// Reading, and knowing with whom the compartment is shared; not writing under it, since its maker has left or its epoch has passed.
    Known,
    /// Writing under the key.
    Write,
}

/// Somebody who may read a compartment could wrap a key of their own to a colleague and wait for them to write under it. So one writes only under a key that
/// somebody who may write there has wrapped to a team's current epoch, or, in psychotherapy, that one has wrapped to oneself.
pub(crate) fn worth(statement: &WrapStatement, signer: &Signer, directory: &Directory) -> Worth {
    let context = &statement.context;
    let kind = |team: &TeamId| directory.teams().get(team).map(|t| t.kind);
    if let Some(device) = signer.device {
        let covers = |team: &TeamId| kind(team).is_some_and(|k| compartments_for(k).contains(&context.compartment));
        let within = directory.devices().get(&device).is_some_and(|d| d.teams.iter().any(covers));
        if !within || matches!(context.target, Target::Member { .. }) {
            return Worth::Nothing;
        }
    }
    let Some(maker) = directory.members().get(&statement.maker) else { return Worth::Nothing };
    let writes = may(maker.role, Action::write(context.compartment), Standing::Related) != Verdict::Never;
    match context.target {
        Target::Member { member } if context.compartment == Compartment::Psychotherapy && member == statement.maker && writes => Worth::Write,
        Target::Member { .. } => Worth::Read,
        Target::Team { team, epoch } => {
            if !writes || !kind(&team).is_some_and(|k| compartments_for(k).contains(&context.compartment)) {
                return Worth::Read;
            }
            let current = directory.teams().get(&team).is_some_and(|t| t.epoch() == epoch);
            let here = maker.active && signer.device.is_none_or(|d| directory.devices().get(&d).is_some_and(|d| d.active));
            if current && here { Worth::Write } else { Worth::Known }
        }
    }
}

/// One wrap, for a chart and one of the compartments asked for, addressed to the reader and signed by its maker.
pub(crate) fn wrap(wrap: &Wrap, chart: ChartId, compartments: &[Compartment], reader: &Reader<'_>) -> Result<(WrapStatement, Worth), ClientError> {
    let signer = reader.signers.find(&wrap.signer_id().map_err(|_| ClientError::WrongWrap)?)?;
    let statement = wrap.verify(&reader.practice, &signer.key).map_err(|_| ClientError::WrongWrap)?;
    let context = &statement.context;
    let addressed = match (context.target, context.compartment) {
        // Psychotherapy notes go from their author to their author; a wrap to a team, or by another, is none of ours.
        (Target::Member { member }, Compartment::Psychotherapy) => member == reader.member && statement.maker == reader.member,
        (Target::Team { .. }, Compartment::Psychotherapy) => false,
        (Target::Member { member }, _) => member == reader.member,
        (Target::Team { team, epoch }, _) => (reader.epochs)(team, epoch) != Epoch::Unknown,
    };
    if let (Target::Team { .. }, false) = (context.target, addressed) {
        // Of a team or an epoch whose key is not held: none of ours, or newer than the directory as it is known here.
        return Err(ClientError::WrongEpoch);
    }
    if statement.maker != signer.member || context.chart != chart || !compartments.contains(&context.compartment) || !addressed || context.version == 0 {
        return Err(ClientError::WrongWrap);
    }
    let broken = matches!(context.target, Target::Team { team, epoch } if (reader.epochs)(team, epoch) == Epoch::Broken);
    let worth = if broken { Worth::Nothing } else { worth(&statement, &signer, reader.directory) };
    Ok((statement, worth))
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

/// A wrap that holds, and what it is good for.
pub(crate) struct Usable<'w> {
    pub(crate) statement: WrapStatement,
    pub(crate) worth: Worth,
    pub(crate) wrap: &'w Wrap,
}

/// The keys that a chart's wraps promise: every statement that names one and is good for something.
pub(crate) fn wraps<'w>(
    released: &'w ReleasedChart,
    compartments: &[Compartment],
    reader: &Reader<'_>,
) -> Result<Vec<Usable<'w>>, ClientError> {
    let mut seen: BTreeSet<(Compartment, KeyId, Target, Worth, Hash32)> = BTreeSet::new();
    let mut out = Vec::new();
    for w in &released.wraps {
        let (statement, worth) = wrap(w, released.chart, compartments, reader)?;
        let context = &statement.context;
        if worth != Worth::Nothing && seen.insert((context.compartment, context.key, context.target, worth, statement.sealed)) {
            out.push(Usable { statement, worth, wrap: w });
        }
    }
    Ok(out)
}
