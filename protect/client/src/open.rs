//! Opening charts: ask, verify everything, and only then decrypt.

use std::collections::BTreeMap;

use subrosa_crypto::{CompartmentKey, Signed, random, sha256};
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, EntryId, Hash32, KeyId, MemberId, TeamId, Timestamp};
use subrosa_protocol::access::{MAX_CHARTS, Purpose, ReleaseRequest, What};
use subrosa_protocol::api::{Ask, Released, ReleasedChart};
use subrosa_protocol::chart::{Target, Wrap, WrapContext, WrapStatement};
use subrosa_protocol::entry::{AttachmentRef, EntryBody};

use crate::charts::HeldKey;
use crate::local::HeadPin;
use crate::vault::Vault;
use crate::verify::{self, Asked, Usable, Verified, Worth};
use crate::ClientError;

/// A chart, opened.
#[derive(Debug)]
pub struct OpenChart {
    /// Which.
    pub chart: ChartId,
    /// Its entries, in the order in which their first versions were received.
    pub entries: Vec<OpenEntry>,
    /// How many psychotherapy notes of other authors there are. They open for their authors only.
    pub others_psychotherapy: usize,
    /// How many other entries are there whose key none of one's teams holds.
    pub locked: usize,
}

/// An entry with all its versions.
#[derive(Debug)]
pub struct OpenEntry {
    /// Its id.
    pub entry: EntryId,
    /// Where it is.
    pub compartment: Compartment,
    /// Oldest first.
    pub versions: Vec<OpenVersion>,
    /// Hashes of the versions that no other version follows: one, or several in a conflict.
    pub heads: Vec<Hash32>,
}

impl OpenEntry {
    /// The version to show: the newest head.
    pub fn head(&self) -> Option<&OpenVersion> {
        self.versions.iter().rev().find(|v| self.heads.contains(&v.hash))
    }
    /// Whether two people wrote at once: show every head.
    pub fn conflict(&self) -> bool {
        self.heads.len() > 1
    }
}

/// One version of an entry.
#[derive(Debug)]
pub struct OpenVersion {
    /// From 1.
    pub version: u32,
    /// Who wrote it.
    pub author: MemberId,
    /// The linked device that acted for the author, if one did.
    pub device: Option<DeviceId>,
    /// When its author says it was made.
    pub made: Timestamp,
    /// When the server received it; this time rules.
    pub received: Timestamp,
    /// Its hash.
    pub hash: Hash32,
    /// Its content.
    pub body: EntryBody,
    /// Its files' ciphertexts, in the order of `body.attachments`.
    pub files: Vec<AttachmentRef>,
    /// The compartment key that it is sealed under.
    pub(crate) key: KeyId,
}

/// A signed request on its way.
pub(crate) struct SignedRequest {
    pub(crate) ask: Ask,
    pub(crate) hash: Hash32,
}

/// After synchronising, a wrap to an epoch that is still not held is simply none of ours.
pub(crate) fn unheld(error: ClientError) -> ClientError {
    if error == ClientError::WrongEpoch { ClientError::WrongWrap } else { error }
}

impl Vault {
    /// Opens one chart. Everything is verified before anything is decrypted: that the access was recorded first, keys, authors, places and completeness.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`] (then [`Vault::fresh`] and again), [`ClientError::GateStop`], or one of the attacks by name.
    pub async fn open_chart(&mut self, chart: ChartId, compartments: &[Compartment]) -> Result<OpenChart, ClientError> {
        self.open_charts(&[chart], compartments).await?.pop().ok_or(ClientError::NotAsked)
    }

    /// Opens several charts in one request, recorded in one transaction. Answers in the order asked; all or none.
    ///
    /// # Errors
    /// As [`Self::open_chart`].
    pub async fn open_charts(&mut self, charts: &[ChartId], compartments: &[Compartment]) -> Result<Vec<OpenChart>, ClientError> {
        self.open_with(charts, compartments, Purpose::Open).await
    }

    /// Emergency access: one chart's identity and record through the on-call team, loud and reviewed afterwards. The reason is written into the record first
    /// thing after opening, and its hash is in the ledger before.
    ///
    /// # Errors
    /// As [`Self::open_chart`]; [`ClientError::Invalid`] without a reason.
    pub async fn open_on_call(&mut self, chart: ChartId, reason: &str) -> Result<OpenChart, ClientError> {
        if reason.trim().chars().count() < 10 {
            return Err(ClientError::Invalid("emergency access needs a reason in words"));
        }
        let purpose = Purpose::OnCall { reason: sha256(&[reason.as_bytes()]) };
        let opened = self.open_with(&[chart], &[Compartment::Identity, Compartment::Record], purpose).await?.pop().ok_or(ClientError::NotAsked)?;
        let mut note = crate::NewBody::note("Emergency access", reason);
        note.schema = "on-call-reason/1".to_owned();
        self.write(chart, Compartment::Record, note).await?;
        Ok(opened)
    }

    /// Fetches a compartment's keys in order to write.
    pub(crate) async fn open_for_writing(&mut self, chart: ChartId, compartment: Compartment) -> Result<OpenChart, ClientError> {
        self.open_with(&[chart], &[compartment], Purpose::Open).await?.pop().ok_or(ClientError::NotAsked)
    }

    pub(crate) fn sign_request(&self, charts: &[ChartId], compartments: &[Compartment], purpose: Purpose, after: u64) -> SignedRequest {
        let request = ReleaseRequest {
            practice: self.practice,
            member: self.member,
            device: self.device,
            session: self.session.id,
            charts: charts.to_vec(),
            compartments: compartments.to_vec(),
            purpose,
            nonce: random::make_bytes::<16>().to_vec().into(),
            at: self.now(),
        };
        let bytes: Bytes = Signed::sign(&self.keys.sign, &self.practice, &request).to_bytes().into();
        let hash = sha256(&[&bytes]);
        SignedRequest { ask: Ask { request: bytes, pin: self.pins.ledger.size, after }, hash }
    }

    pub(crate) fn asked<'a>(&self, request: Hash32, charts: &'a [ChartId], compartments: &'a [Compartment], what: &'a [What]) -> Asked<'a> {
        Asked { practice: self.practice, member: self.member, device: self.device, session: self.session.id, request, charts, compartments, what }
    }

    pub(crate) async fn open_with(&mut self, charts: &[ChartId], compartments: &[Compartment], purpose: Purpose) -> Result<Vec<OpenChart>, ClientError> {
        let mut seen = std::collections::BTreeSet::new();
        let charts: Vec<ChartId> = charts.iter().copied().filter(|c| seen.insert(*c)).collect();
        let mut compartments = compartments.to_vec();
        compartments.sort();
        compartments.dedup();
        if charts.is_empty() || charts.len() > MAX_CHARTS || compartments.is_empty() {
            return Err(ClientError::Invalid("1 to 5000 charts and at least one compartment"));
        }
        let what: &[What] = match purpose {
            Purpose::OnCall { .. } => &[What::OnCall],
            _ => &[What::Released],
        };
        let request = self.sign_request(&charts, &compartments, purpose, 0);
        let released: Released = self.conn.post("/v1/release", &request.ask, Some(&self.session)).await?;
        let asked = self.asked(request.hash, &charts, &compartments, what);
        let pin = verify::recorded(&released, &asked, self.directory.log_key(), &self.pins.ledger)?;
        let verified = match self.verify_charts(&released, &compartments) {
            // New authors, or wraps under a new epoch, may stand in a directory that is newer than ours.
            Err(ClientError::UnknownSigner | ClientError::WrongEpoch) => {
                self.sync().await?;
                self.verify_charts(&released, &compartments).map_err(unheld)?
            }
            other => other?,
        };
        // From here on everything holds: only now is anything decrypted or remembered.
        self.pins.ledger = pin;
        let mut out = Vec::with_capacity(verified.len());
        for (part, (wraps, entries)) in released.charts.iter().zip(verified) {
            out.push(self.decrypt(part.chart, &compartments, &wraps, entries)?);
        }
        Ok(out)
    }

    #[allow(clippy::type_complexity)]
    fn verify_charts<'w>(&self, released: &'w Released, compartments: &[Compartment]) -> Result<Vec<(Vec<Usable<'w>>, Vec<Verified>)>, ClientError> {
        released.charts.iter().map(|part| self.verify_chart(part, compartments)).collect()
    }

    #[allow(clippy::type_complexity)]
    fn verify_chart<'w>(&self, part: &'w ReleasedChart, compartments: &[Compartment]) -> Result<(Vec<Usable<'w>>, Vec<Verified>), ClientError> {
        let held = |team: TeamId, epoch: u32| self.epoch(team, epoch);
        let wraps = verify::wraps(part, compartments, &self.reader(&held))?;
        let entries = verify::entries(part, compartments, &self.practice, &self.signers, self.pins.heads.get(&part.chart))?;
        Ok((wraps, entries))
    }

    pub(crate) fn unwrap(&self, statement: &WrapStatement, wrap: &Wrap) -> Result<CompartmentKey, ClientError> {
        let c = &statement.context;
        let context = WrapContext { practice: self.practice, chart: c.chart, compartment: c.compartment, version: c.version, key: c.key, target: c.target };
        let key = match c.target {
            Target::Team { team, epoch } => wrap.open_with_epoch(self.epochs.get(&(team, epoch)).ok_or(ClientError::NoKey)?, &context),
            Target::Member { .. } => wrap.open_with_member(&self.keys.hpke, &context),
        };
        key.map_err(|_| ClientError::WrongWrap)
    }

    fn decrypt(
        &mut self,
        chart: ChartId,
        compartments: &[Compartment],
        wraps: &[Usable<'_>],
        entries: Vec<Verified>,
    ) -> Result<OpenChart, ClientError> {
        let mut keys: BTreeMap<(Compartment, KeyId), HeldKey> = BTreeMap::new();
        for Usable { statement, worth, wrap } in wraps {
            let c = &statement.context;
            // A genuine wrap that does not open is its maker's doing: it keeps nobody from the other wraps of the chart.
            let Ok(key) = self.unwrap(statement, wrap) else { continue };
            let new = || HeldKey { version: c.version, key, id: c.key, targets: Vec::new(), shared: Vec::new(), write: false };
            let held = keys.entry((c.compartment, c.key)).or_insert_with(new);
            held.targets.push(c.target);
            if *worth >= Worth::Known {
                held.shared.push(c.target);
            }
            if *worth == Worth::Write {
                held.write = true;
                held.version = c.version;
            }
        }
        let mut out = OpenChart { chart, entries: Vec::with_capacity(entries.len()), others_psychotherapy: 0, locked: 0 };
        let mut heads = Vec::new();
        for verified in entries {
            let missing = verified.versions.iter().any(|v| !keys.contains_key(&(verified.compartment, v.header.context.key)));
            if missing {
                let others = verified.compartment == Compartment::Psychotherapy && verified.versions.iter().all(|v| v.header.context.author != self.member);
                if others { out.others_psychotherapy += 1 } else { out.locked += 1 }
                continue;
            }
            let mut versions = Vec::with_capacity(verified.versions.len());
            for v in verified.versions {
                let context = &v.header.context;
                let held = keys.get(&(verified.compartment, context.key)).ok_or(ClientError::NoKey)?;
                let body = v.blob.open(&held.key, &v.header).map_err(|_| ClientError::InjectedEntry)?;
                versions.push(OpenVersion {
                    version: context.version,
                    author: context.author,
                    device: context.device,
                    made: context.made,
                    received: v.received,
                    hash: v.hash,
                    files: v.header.attachments.clone(),
                    key: context.key,
                    body,
                });
            }
            let entry = OpenEntry { entry: verified.entry, compartment: verified.compartment, versions, heads: verified.heads };
            if let Some(head) = entry.head() {
                heads.push((entry.entry, HeadPin { compartment: entry.compartment, version: head.version, hash: head.hash }));
            }
            out.entries.push(entry);
        }
        self.pins.heads.entry(chart).or_default().extend(heads);
        for compartment in compartments {
            let held: Vec<HeldKey> = keys.iter().filter(|((c, _), _)| c == compartment).map(|(_, k)| k.clone()).collect();
            if !held.is_empty() {
                self.chart_keys.insert((chart, *compartment), held);
            }
        }
        Ok(out)
    }
}
