use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::{BundleKey, DeviceKey, Endorsed, EpochKey, HpkeSecret, SigningKey, VerifyingKey};
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, Hash32, MemberId, PracticeId, Role, SessionId, TeamId, Timestamp};
use subrosa_protocol::api::{DirectoryAppend, DirectoryPage, Epochs, SessionInfo, Sessions, WrappedBundleKey};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::directory::{Act, Directory, Recipient};
use subrosa_protocol::keys::{EpochSeal, root_fingerprint};

use crate::charts::HeldKey;
use crate::connection::{Connection, Nothing, SessionKey};
use crate::directory::{Signers, check_length, follow};
use crate::local::{Owner, Pins, open_local, seal_local};
use crate::roster::Roster;
use crate::verify::{Epoch, Reader};
use crate::{ClientError, PracticeKeys};

/// A member, signed in and unlocked: holds the keys, the replayed directory and the pins. Dropping it locks.
///
/// Nothing in it is ever written anywhere unsealed. Its methods talk to the server; each verifies what comes back before it uses it.
pub struct Vault {
    pub(crate) conn: Connection,
    pub(crate) session: SessionKey,
    pub(crate) until: Timestamp,
    pub(crate) ways_in: u32,
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
    pub(crate) device: Option<DeviceId>,
    pub(crate) keys: PracticeKeys,
    /// None on a linked device, which has keys of its own and no bundle.
    pub(crate) bundle: Option<HeldBundle>,
    pub(crate) local: DeviceKey,
    pub(crate) directory: Directory,
    pub(crate) signers: Signers,
    pub(crate) pins: Pins,
    /// Fingerprint of the root from an invitation or pairing, until the root itself has been seen.
    pub(crate) expect_root: Option<Hash32>,
    pub(crate) epochs: BTreeMap<(TeamId, u32), EpochKey>,
    /// Who turned each epoch.
    pub(crate) turned: BTreeMap<(TeamId, u32), MemberId>,
    /// Epochs whose seal is the one that the directory names, and yet does not open: whoever turned them sealed something else.
    pub(crate) broken: BTreeSet<(TeamId, u32)>,
    /// When the bundle was announced last, and whether it is due to be announced anew.
    pub(crate) bundle_at: Option<Timestamp>,
    pub(crate) renew_due: bool,
    pub(crate) chart_keys: BTreeMap<(ChartId, Compartment), Vec<HeldKey>>,
    pub(crate) roster: Roster,
}

/// The open bundle's key and version.
pub(crate) struct HeldBundle {
    pub(crate) key: BundleKey,
    pub(crate) version: u64,
    pub(crate) sealed: Vec<u8>,
    /// The way in that was used, for opening things offline.
    pub(crate) way: Option<WrappedBundleKey>,
}

/// What a vault is made of.
pub(crate) struct Unlocked {
    pub(crate) conn: Connection,
    pub(crate) session: SessionKey,
    pub(crate) until: Timestamp,
    pub(crate) ways_in: u32,
    pub(crate) practice: PracticeId,
    pub(crate) member: MemberId,
    pub(crate) device: Option<DeviceId>,
    pub(crate) sign: SigningKey,
    pub(crate) hpke: HpkeSecret,
    pub(crate) bundle: Option<HeldBundle>,
    pub(crate) local: DeviceKey,
    pub(crate) pins: Pins,
    pub(crate) expect_root: Option<Hash32>,
}

impl core::fmt::Debug for Vault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Vault({})", self.member)
    }
}

impl Vault {
    pub(crate) fn from_unlocked(u: Unlocked) -> Self {
        Vault {
            conn: u.conn,
            session: u.session,
            until: u.until,
            ways_in: u.ways_in,
            practice: u.practice,
            member: u.member,
            device: u.device,
            keys: PracticeKeys { sign: u.sign, hpke: u.hpke },
            bundle: u.bundle,
            local: u.local,
            directory: Directory::new(u.practice),
            signers: Signers::default(),
            pins: u.pins,
            expect_root: u.expect_root,
            epochs: BTreeMap::new(),
            turned: BTreeMap::new(),
            broken: BTreeSet::new(),
            bundle_at: None,
            renew_due: false,
            chart_keys: BTreeMap::new(),
            roster: Roster::default(),
        }
    }

    /// The practice.
    pub fn practice(&self) -> PracticeId {
        self.practice
    }
    /// Who is signed in.
    pub fn member(&self) -> MemberId {
        self.member
    }
    /// The linked device that acts for the member, if one does.
    pub fn device(&self) -> Option<DeviceId> {
        self.device
    }
    /// This session.
    pub fn session(&self) -> SessionId {
        self.session.id
    }
    /// When the session ends at the latest.
    pub fn until(&self) -> Timestamp {
        self.until
    }
    /// How many ways into the bundle there are. Fewer than two: one lost passkey is lost data.
    pub fn ways_in(&self) -> u32 {
        self.ways_in
    }
    /// The directory as replayed.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
    /// What this device has seen.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }
    /// The server spoken to.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }
    /// The member's role.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] once removed.
    pub fn role(&self) -> Result<Role, ClientError> {
        self.directory.member(&self.member).map(|m| m.role).ok_or(ClientError::Unknown("member"))
    }
    /// What colleagues call the member.
    pub fn name(&self) -> &str {
        self.directory.members().get(&self.member).map_or("", |m| m.name.as_str())
    }
    /// Fingerprint of the practice root, to compare with the practice kit.
    pub fn root_fingerprint(&self) -> Hash32 {
        self.pins.root.as_ref().map(root_fingerprint).unwrap_or_default()
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.conn.now()
    }
    pub(crate) fn owner(&self) -> Owner {
        Owner { practice: self.practice, member: self.member }
    }
    pub(crate) fn recipient(&self) -> Recipient {
        self.device.map_or(Recipient::Member(self.member), Recipient::Device)
    }

    /// The pins, sealed for this device. Store them after each act, and give them back when signing in.
    pub fn seal_local(&self) -> Vec<u8> {
        seal_local(&self.local, self.owner(), "pins", &self.pins)
    }

    pub(crate) fn load_pins(&mut self, sealed: &[u8]) -> Result<(), ClientError> {
        let pins: Pins = open_local(&self.local, self.owner(), "pins", sealed)?;
        self.pins.raise(&pins);
        Ok(())
    }

    /// Brings directory and team keys up to date.
    ///
    /// # Errors
    /// [`ClientError::Fork`], [`ClientError::ForgedDirectory`], [`ClientError::ServerKeySubstituted`], [`ClientError::WrongEpoch`].
    pub async fn sync(&mut self) -> Result<(), ClientError> {
        if self.sync_directory().await? || self.epochs.is_empty() {
            self.sync_epochs().await?;
        }
        Ok(())
    }

    /// Follows the directory log to its end. Whether anything was new.
    pub(crate) async fn sync_directory(&mut self) -> Result<bool, ClientError> {
        let before = self.directory.size();
        let mut page: DirectoryPage = self.directory_page(before).await?;
        if before > 0 && page.size == before && page.entries.is_empty() {
            return Ok(false);
        }
        let mut next = self.directory.clone();
        let mut founding = None;
        let (mut turned, mut bundle_at) = (Vec::new(), self.bundle_at);
        loop {
            if page.size < next.size() {
                return Err(ClientError::Fork);
            }
            for statement in &page.entries {
                let applied = follow(&mut next, statement, &self.pins)?;
                match applied.directive.act {
                    Act::TurnEpoch { team, epoch, .. } => turned.extend(applied.signers.first().map(|who| ((team, epoch), *who))),
                    Act::SetBundle { member, .. } if member == self.member => bundle_at = Some(applied.directive.at),
                    _ => {}
                }
                if next.size() == 1 {
                    founding = next.root().copied();
                    self.check_fingerprint(founding.as_ref())?;
                }
            }
            if next.size() >= page.size {
                break;
            }
            if page.entries.is_empty() {
                return Err(ClientError::Fork);
            }
            page = self.directory_page(next.size()).await?;
        }
        check_length(&next, &self.pins)?;
        self.adopt(next)?;
        self.turned.extend(turned);
        self.bundle_at = bundle_at;
        self.pins.root = self.pins.root.or(founding);
        Ok(self.directory.size() != before)
    }

    async fn directory_page(&self, after: u64) -> Result<DirectoryPage, ClientError> {
        self.conn.get(&format!("/v1/directory?after={after}"), Some(&self.session)).await
    }

    /// Without a pinned root the fingerprint from the invitation decides; without either nothing does, and nothing is accepted.
    fn check_fingerprint(&self, founding: Option<&VerifyingKey>) -> Result<(), ClientError> {
        let fits = match (founding, self.pins.root, self.expect_root) {
            (Some(found), Some(pinned), _) => *found == pinned,
            (Some(found), None, Some(expected)) => root_fingerprint(found) == expected,
            _ => false,
        };
        if fits { Ok(()) } else { Err(ClientError::ServerKeySubstituted) }
    }

    /// Takes a verified directory as the current one, after checking that it names one's own keys.
    pub(crate) fn adopt(&mut self, next: Directory) -> Result<(), ClientError> {
        let (sign, hpke) = (self.keys.sign.public(), self.keys.hpke.public());
        let named = match self.device {
            Some(device) => next.devices().get(&device).map(|d| (d.sign, &d.hpke)),
            None => next.members().get(&self.member).map(|m| (m.sign, &m.hpke)),
        };
        match named {
            Some((s, h)) if s == sign && *h == hpke => {}
            Some(_) => return Err(ClientError::ServerKeySubstituted),
            // An invited member or a new device whom nobody has admitted yet.
            None => return Err(ClientError::Unknown("member")),
        }
        self.pins.directory_size = next.size();
        self.pins.directory_head = next.head();
        self.signers = Signers::of(&next);
        self.directory = next;
        Ok(())
    }

    /// Opens every team epoch that is sealed to this member or device, and the older ones inside. One that does not open although it is the one that the
    /// directory names is its maker's doing: it is passed over, see [`Self::broken_epochs`].
    pub(crate) async fn sync_epochs(&mut self) -> Result<(), ClientError> {
        let answer: Epochs = self.conn.get("/v1/epochs", Some(&self.session)).await?;
        let me = self.recipient();
        for (team, info) in self.directory.teams() {
            // Downwards: the newest from its own seal, each older one out of the one above.
            let mut above: Option<EpochKey> = None;
            for number in (1..=info.epoch()).rev() {
                let Some(epoch) = info.epochs.get(number as usize - 1) else { continue };
                if let Some(held) = self.epochs.get(&(*team, number)) {
                    above = Some(held.clone());
                    continue;
                }
                let chained = match (&above, info.epochs.get(number as usize)) {
                    (Some(key), Some(newer)) => answer
                        .seals
                        .iter()
                        .find(|s| s.team == *team && s.epoch == number + 1 && s.to.is_none())
                        .map(|seal| seal.open_chain(self.practice, newer, epoch, key)),
                    _ => None,
                };
                let opened = match chained {
                    Some(Ok(key)) => Some(Ok(key)),
                    Some(Err(e @ ProtocolError::HashMismatch(_))) => Some(Err(e)),
                    // A chain that does not open leaves one's own seal of the older epoch, if there is one.
                    Some(Err(e)) if !epoch.seals.contains_key(&me) => Some(Err(e)),
                    _ if epoch.seals.contains_key(&me) => {
                        let seal = answer.seals.iter().find(|s| s.team == *team && s.epoch == number && s.to == Some(me));
                        seal.map(|seal| seal.open(self.practice, epoch, me, &self.keys.hpke))
                    }
                    _ => None,
                };
                let Some(opened) = opened else {
                    above = None;
                    continue;
                };
                let key = match opened {
                    Ok(key) => key,
                    // Not what the directory names: the server put something else in its place.
                    Err(ProtocolError::HashMismatch(_)) => return Err(ClientError::WrongEpoch),
                    Err(_) => {
                        self.broken.insert((*team, number));
                        above = None;
                        continue;
                    }
                };
                self.epochs.insert((*team, number), key.clone());
                above = Some(key);
            }
        }
        Ok(())
    }

    /// Team epochs whose key was not what its maker said, with who turned them. What was written under them stays locked; what is older opens as before.
    pub fn broken_epochs(&self) -> Vec<(TeamId, u32, Option<MemberId>)> {
        self.broken.iter().map(|(team, epoch)| (*team, *epoch, self.turned.get(&(*team, *epoch)).copied())).collect()
    }

    /// Whether an epoch cannot be opened because it, or a newer one through which it would have come, is broken.
    pub(crate) fn is_broken(&self, team: TeamId, epoch: u32) -> bool {
        !self.epochs.contains_key(&(team, epoch)) && self.broken.range((team, epoch)..=(team, u32::MAX)).next().is_some()
    }

    /// Turns the epoch of every own team whose members or devices changed. Done before each write.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub async fn turn_epochs_if_needed(&mut self) -> Result<(), ClientError> {
        self.sync().await?;
        for _ in 0..4 {
            let (acts, seals, keys) = self.turns_needed()?;
            if acts.is_empty() {
                return self.renew_if_due().await;
            }
            match self.append_with(acts, seals, None).await {
                Ok(()) => self.epochs.extend(keys),
                Err(ClientError::DirectoryBusy) => {}
                Err(e) => return Err(e),
            }
            self.sync().await?;
        }
        Err(ClientError::DirectoryBusy)
    }

    #[allow(clippy::type_complexity)]
    fn turns_needed(&self) -> Result<(Vec<Act>, Vec<EpochSeal>, Vec<((TeamId, u32), EpochKey)>), ClientError> {
        let (mut acts, mut seals, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (team, info) in self.directory.teams() {
            let certified = self.device.is_none_or(|d| self.directory.devices().get(&d).is_some_and(|d| d.teams.contains(team)));
            if !info.members.contains(&self.member) || !certified || !info.must_turn() {
                continue;
            }
            let previous = match info.epoch() {
                0 => None,
                n => match self.epochs.get(&(*team, n)) {
                    Some(key) => Some(key.clone()),
                    // Nobody can carry a broken epoch on; its team begins anew.
                    None if self.broken.contains(&(*team, n)) => None,
                    // A newcomer cannot carry the older epoch on; a colleague who holds it will turn.
                    None => continue,
                },
            };
            let (act, team_seals, key) = turn(&self.directory, *team, info.epoch() + 1, previous.as_ref(), self.now())?;
            acts.push(act);
            seals.extend(team_seals);
            keys.push(((*team, info.epoch() + 1), key));
        }
        Ok((acts, seals, keys))
    }

    /// Appends directory statements that one's own signature suffices for.
    ///
    /// # Errors
    /// [`ClientError::DirectoryBusy`] when others came first (sync, then try again); the directory's own refusal.
    pub async fn append(&mut self, acts: Vec<Act>) -> Result<(), ClientError> {
        self.sync().await?;
        self.append_with(acts, Vec::new(), None).await
    }

    pub(crate) async fn append_with(&mut self, acts: Vec<Act>, seals: Vec<EpochSeal>, bundle: Option<Bytes>) -> Result<(), ClientError> {
        // After these a device without local state should begin behind them, not before.
        let renews = |act: &Act| matches!(act, Act::RemoveMember { .. } | Act::RevokeDevice { .. } | Act::ChangeTeam { .. } | Act::TurnEpoch { .. });
        let due = acts.iter().any(renews);
        let mut next = self.directory.clone();
        let entries = sign_acts(&mut next, &[&self.keys.sign], acts, self.now())?;
        let _: DirectoryPage = self.conn.post("/v1/directory", &DirectoryAppend { entries, seals, bundle }, Some(&self.session)).await?;
        self.renew_due |= due;
        self.adopt(next)
    }

    /// Whether an epoch's key is held.
    pub(crate) fn epoch(&self, team: TeamId, epoch: u32) -> Epoch {
        match self.epochs.contains_key(&(team, epoch)) {
            true => Epoch::Held,
            false if self.is_broken(team, epoch) => Epoch::Broken,
            false => Epoch::Unknown,
        }
    }

    pub(crate) fn reader<'a>(&'a self, epochs: &'a dyn Fn(TeamId, u32) -> Epoch) -> Reader<'a> {
        Reader { practice: self.practice, member: self.member, signers: &self.signers, directory: &self.directory, epochs }
    }

    /// What is signed in as this member.
    ///
    /// # Errors
    /// Network and refusals.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, ClientError> {
        let sessions: Sessions = self.conn.get("/v1/sessions", Some(&self.session)).await?;
        Ok(sessions.sessions)
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// Network and refusals.
    pub async fn end_session(&self, session: SessionId) -> Result<(), ClientError> {
        self.conn.tell::<Nothing>("DELETE", &format!("/v1/sessions/{session}"), None, Some(&self.session)).await
    }

    /// Ends this session. The keys go when the vault is dropped.
    ///
    /// # Errors
    /// Network and refusals.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.end_session(self.session.id).await
    }

    /// State of backup and witness.
    ///
    /// # Errors
    /// Network and refusals.
    pub async fn backup_state(&self) -> Result<subrosa_protocol::api::BackupState, ClientError> {
        self.conn.get("/v1/backup", Some(&self.session)).await
    }
}

/// Signs acts one after the other, each in its place; `directory` follows.
pub(crate) fn sign_acts(directory: &mut Directory, keys: &[&SigningKey], acts: Vec<Act>, at: Timestamp) -> Result<Vec<Bytes>, ClientError> {
    let mut out = Vec::with_capacity(acts.len());
    for act in acts {
        let statement = directory.next(at, act);
        let bytes = Endorsed::sign(keys, &statement.practice, &statement).to_bytes();
        directory.apply(&bytes)?;
        out.push(bytes.into());
    }
    Ok(out)
}

/// A new epoch for a team: the act, the seals for everyone entitled, and the key.
pub(crate) fn turn(
    directory: &Directory,
    team: TeamId,
    epoch: u32,
    previous: Option<&EpochKey>,
    at: Timestamp,
) -> Result<(Act, Vec<EpochSeal>, EpochKey), ClientError> {
    let practice = directory.practice();
    let key = EpochKey::make();
    let mut all = Vec::new();
    let mut hashes = BTreeMap::new();
    for recipient in directory.recipients(&team, at) {
        let public = directory.recipient_key(&recipient).ok_or(ClientError::Unknown("member"))?;
        let seal = EpochSeal::make(practice, team, epoch, recipient, public, &key)?;
        hashes.insert(recipient, seal.hash());
        all.push(seal);
    }
    let chain = previous.map(|old| EpochSeal::make_chain(practice, team, epoch, old, &key));
    let act = Act::TurnEpoch { team, epoch, key: key.id(), seals: hashes, previous: chain.as_ref().map(EpochSeal::hash) };
    all.extend(chain);
    Ok((act, all, key))
}
