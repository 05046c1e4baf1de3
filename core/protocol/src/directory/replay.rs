use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::{Endorsed, HpkePublic, VerifyingKey};
use subrosa_model::{ChartId, DeviceId, Hash32, KeyId, MemberId, OrderId, PracticeId, Role, TeamId, Timestamp};

use super::act::{Act, DeviceInfo, Directive, EpochInfo, HoldInfo, MemberInfo, OrderInfo, Policy, Recipient, TeamInfo};
use super::rules::{Authority, needed, root_may};
use crate::ProtocolError;

/// Most statements that a directory may hold.
pub const MAX_STATEMENTS: u64 = 1_000_000;
/// Longest name of a member, team or device, in bytes.
const MAX_NAME: usize = 200;
/// Longest life of a linked device.
const MAX_DEVICE_LIFE: i64 = 400 * Timestamp::DAY;

/// The directory as it stands after its last statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    practice: PracticeId,
    size: u64,
    head: Hash32,
    root: Option<VerifyingKey>,
    backup: Option<HpkePublic>,
    log_key: Option<VerifyingKey>,
    suite_min: u32,
    policy: Option<Policy>,
    last_at: Timestamp,
    members: BTreeMap<MemberId, MemberInfo>,
    devices: BTreeMap<DeviceId, DeviceInfo>,
    teams: BTreeMap<TeamId, TeamInfo>,
    witnesses: BTreeMap<String, VerifyingKey>,
    clients: Vec<(String, Hash32)>,
    orders: BTreeMap<OrderId, OrderInfo>,
    holds: BTreeMap<ChartId, HoldInfo>,
    reviews: BTreeMap<MemberId, u64>,
    since: BTreeMap<MemberId, u64>,
    policy_since: u64,
}

/// What a statement changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The statement.
    pub directive: Directive,
    /// The members who signed it (empty when the root alone did).
    pub signers: BTreeSet<MemberId>,
    /// Hash of its bytes: the new head.
    pub hash: Hash32,
}

impl Directory {
    /// An empty directory of a practice.
    pub fn new(practice: PracticeId) -> Self {
        Directory {
            practice,
            size: 0,
            head: Hash32::default(),
            root: None,
            backup: None,
            log_key: None,
            suite_min: 1,
            policy: None,
            last_at: Timestamp(0),
            members: BTreeMap::new(),
            devices: BTreeMap::new(),
            teams: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            clients: Vec::new(),
            orders: BTreeMap::new(),
            holds: BTreeMap::new(),
            reviews: BTreeMap::new(),
            since: BTreeMap::new(),
            policy_since: 0,
        }
    }

    /// Replays a whole log. `expect_root`: the fingerprinted root that the caller got out of band, if it has one.
    pub fn replay<'a>(
        practice: PracticeId,
        entries: impl IntoIterator<Item = &'a [u8]>,
        expect_root: Option<&VerifyingKey>,
    ) -> Result<Self, ProtocolError> {
        let mut directory = Directory::new(practice);
        for bytes in entries {
            directory.apply(bytes)?;
        }
        if let (Some(expected), Some(found)) = (expect_root, directory.root.as_ref())
            && expected != found
        {
            return Err(ProtocolError::WrongSigner);
        }
        Ok(directory)
    }

    /// Accepts one more statement, or names why not and stays as it was.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Applied, ProtocolError> {
        if self.size >= MAX_STATEMENTS {
            return Err(ProtocolError::TooLarge("directory"));
        }
        let endorsed = Endorsed::<Directive>::from_bytes(bytes)?;
        let peek = endorsed.peek_unverified()?;
        if peek.practice != self.practice {
            return Err(ProtocolError::WrongPractice);
        }
        if peek.seq != self.size || peek.prev != self.head {
            return Err(ProtocolError::OutOfSequence);
        }
        // A founding statement brings its own root; its reader compares it with the kit, the invitation or the pin.
        let founding_root = match (&peek.act, &self.root) {
            (Act::Found { root, .. }, None) => Some(*root),
            (_, None) => return Err(ProtocolError::NotAllowed("the first statement founds the practice")),
            _ => None,
        };
        let root = founding_root.or(self.root);
        // A successor signs too: whoever names it holds it.
        let successor = match &peek.act {
            Act::SetRoot { root, .. } => Some(*root),
            _ => None,
        };
        let key_of = |kid: &KeyId| self.key_of(kid, root.as_ref()).or(successor.filter(|s| s.id() == *kid));
        let (directive, kids) = endorsed.verify(key_of, &self.practice)?;
        if successor.is_some_and(|s| !kids.contains(&s.id())) {
            return Err(ProtocolError::WrongSigner);
        }
        self.check_authority(&directive, &kids, root.as_ref())?;
        self.check_content(&directive)?;
        let signers: BTreeSet<MemberId> = kids.iter().filter_map(|k| self.signer(k).map(|s| s.0)).collect();
        let hash = endorsed.hash();
        self.carry_out(&directive, &signers);
        self.size += 1;
        self.head = hash;
        self.last_at = self.last_at.max(directive.at);
        Ok(Applied { directive, signers, hash })
    }

    fn key_of(&self, kid: &KeyId, root: Option<&VerifyingKey>) -> Option<VerifyingKey> {
        if let Some(root) = root.filter(|r| r.id() == *kid) {
            return Some(*root);
        }
        self.signer(kid).map(|(_, _, key)| key)
    }

    /// The active member (and device) that signs under this key id now.
    pub fn signer(&self, kid: &KeyId) -> Option<(MemberId, Option<DeviceId>, VerifyingKey)> {
        for (id, m) in &self.members {
            if m.active && m.sign.id() == *kid {
                return Some((*id, None, m.sign));
            }
        }
        for (id, d) in &self.devices {
            let owner_active = self.members.get(&d.member).is_some_and(|m| m.active);
            if d.active && owner_active && d.sign.id() == *kid {
                return Some((d.member, Some(*id), d.sign));
            }
        }
        None
    }

    /// Any key that ever signed in this practice under this id: for what was signed before somebody left or turned keys.
    pub fn past_signer(&self, kid: &KeyId) -> Option<(MemberId, VerifyingKey)> {
        for (id, m) in &self.members {
            if m.sign.id() == *kid {
                return Some((*id, m.sign));
            }
            if let Some((key, _)) = m.past.iter().find(|(k, _)| k.id() == *kid) {
                return Some((*id, *key));
            }
        }
        self.devices.values().find(|d| d.sign.id() == *kid).map(|d| (d.member, d.sign))
    }

    /// Who has to sign an act as the directory stands: [`needed`], and under the two-person policy also two people for taking an owner's or privacy
    /// officer's place away.
    pub fn needed(&self, act: &Act) -> Authority {
        let founded_owner = self.members.values().any(|m| m.role == Role::Owner);
        let two = self.policy.as_ref().is_some_and(|p| p.two_person);
        match act {
            Act::RemoveMember { member } | Act::SetRole { member, .. } if two && self.guards().any(|g| g == *member) => Authority::TwoOwnersOrOfficers,
            _ => needed(act, self.policy.as_ref(), founded_owner),
        }
    }

    /// Active owners and privacy officers.
    fn guards(&self) -> impl Iterator<Item = MemberId> {
        self.members.iter().filter(|(_, m)| m.active && matches!(m.role, Role::Owner | Role::PrivacyOfficer)).map(|(id, _)| *id)
    }

    /// Under the two-person policy there are always two who can sign.
    fn leaves_two(&self, without: &MemberId) -> Result<(), ProtocolError> {
        let two = self.policy.as_ref().is_some_and(|p| p.two_person);
        if two && self.guards().any(|g| g == *without) && self.guards().count() <= 2 {
            return Err(ProtocolError::NotAllowed("two people who can sign have to remain; bring in another first"));
        }
        Ok(())
    }

    /// A team keeps somebody to whom its newest key is sealed; else its charts would be lost.
    fn keeps_key(&self, team: &TeamInfo, members: &BTreeSet<MemberId>) -> Result<(), ProtocolError> {
        let holds = |e: &EpochInfo| members.iter().any(|m| e.seals.contains_key(&Recipient::Member(*m)));
        if team.epochs.last().is_none_or(holds) { Ok(()) } else { Err(ProtocolError::NotAllowed("a team keeps somebody who holds its key")) }
    }

    fn check_authority(&self, d: &Directive, kids: &[KeyId], root: Option<&VerifyingKey>) -> Result<(), ProtocolError> {
        let by_root = root.is_some_and(|r| kids.contains(&r.id()));
        if by_root && self.size > 0 && root_may(&d.act) {
            return Ok(());
        }
        let mut members = BTreeMap::new();
        for kid in kids {
            if let Some((member, device, _)) = self.signer(kid) {
                // A linked device acts for its member in turning epochs only; people decide the rest.
                if device.is_some() && !matches!(d.act, Act::TurnEpoch { .. }) {
                    return Err(ProtocolError::WrongSigner);
                }
                members.insert(member, device);
            }
        }
        let role = |m: &MemberId| self.members.get(m).map(|i| i.role);
        let owners = members.keys().filter(|m| role(m) == Some(Role::Owner)).count();
        let guards = members.keys().filter(|m| matches!(role(m), Some(Role::Owner | Role::PrivacyOfficer))).count();
        let is = |who: &MemberId| members.contains_key(who);
        let about = |act: &Act| match act {
            Act::SetBundle { member, .. } | Act::TurnMember { member, .. } | Act::LinkDevice { member, .. } => Some(*member),
            Act::RevokeDevice { device } => self.devices.get(device).map(|i| i.member),
            _ => None,
        };
        let holds = match self.needed(&d.act) {
            Authority::Root => by_root,
            Authority::Owner => owners >= 1,
            Authority::TwoOwnersOrOfficers => {
                if guards < 2 && owners >= 1 {
                    return Err(ProtocolError::SecondPersonNeeded);
                }
                owners >= 1 && guards >= 2
            }
            Authority::OwnerOrOfficer => guards >= 1,
            Authority::Themself => about(&d.act).is_some_and(|m| is(&m)),
            Authority::ThemselfOrOfficer => guards >= 1 || about(&d.act).is_some_and(|m| is(&m)),
            Authority::TeamMember => match &d.act {
                Act::TurnEpoch { team, .. } => self.teams.get(team).is_some_and(|t| {
                    members.iter().any(|(m, device)| {
                        t.members.contains(m) && device.is_none_or(|id| self.devices.get(&id).is_some_and(|i| i.teams.contains(team)))
                    })
                }),
                _ => false,
            },
        };
        if holds { Ok(()) } else { Err(ProtocolError::WrongSigner) }
    }

    fn check_content(&self, d: &Directive) -> Result<(), ProtocolError> {
        use ProtocolError::{NotAllowed, Unknown};
        let name_ok = |n: &str| !n.trim().is_empty() && n.len() <= MAX_NAME && !n.chars().any(char::is_control);
        let active = |m: &MemberId| self.members.get(m).is_some_and(|i| i.active);
        let other_owner = |m: &MemberId| self.members.iter().any(|(id, i)| id != m && i.active && i.role == Role::Owner);
        match &d.act {
            Act::Found { suite_min, policy, .. } => {
                if self.size != 0 {
                    return Err(NotAllowed("a practice is founded once"));
                }
                if *suite_min != 1 {
                    return Err(NotAllowed("suite 1 is the only one"));
                }
                check_policy(policy)
            }
            Act::SetRoot { root, .. } => self.fresh_key(root),
            Act::AdmitMember { member, name, role, sign, .. } => {
                if self.members.contains_key(member) {
                    return Err(NotAllowed("this member is already here"));
                }
                if !self.members.values().any(|m| m.role == Role::Owner) && *role != Role::Owner {
                    return Err(NotAllowed("the first member is an owner"));
                }
                if !name_ok(name) {
                    return Err(NotAllowed("a name of 1 to 200 bytes"));
                }
                self.fresh_key(sign)
            }
            Act::SetBundle { member, version, .. } => {
                let info = self.members.get(member).filter(|m| m.active).ok_or(Unknown("member"))?;
                let next = info.bundle.map_or(1, |(v, _)| v + 1);
                if *version == next { Ok(()) } else { Err(NotAllowed("bundle versions count up by one")) }
            }
            Act::TurnMember { member, sign, .. } => {
                if !active(member) {
                    return Err(Unknown("member"));
                }
                self.fresh_key(sign)
            }
            Act::SetRole { member, role } => {
                if !active(member) {
                    return Err(Unknown("member"));
                }
                if *role != Role::Owner && !other_owner(member) {
                    return Err(NotAllowed("a practice keeps at least one owner"));
                }
                if matches!(role, Role::Owner | Role::PrivacyOfficer) { Ok(()) } else { self.leaves_two(member) }
            }
            Act::RemoveMember { member } => {
                if !active(member) {
                    return Err(Unknown("member"));
                }
                if !other_owner(member) {
                    return Err(NotAllowed("a practice keeps at least one owner"));
                }
                for team in self.teams.values().filter(|t| t.members.contains(member)) {
                    self.keeps_key(team, &team.members.iter().copied().filter(|m| m != member).collect())?;
                }
                self.leaves_two(member)
            }
            Act::LinkDevice { device, member, name, sign, teams, until, .. } => {
                if self.devices.contains_key(device) {
                    return Err(NotAllowed("this device is already linked"));
                }
                if !active(member) {
                    return Err(Unknown("member"));
                }
                if !name_ok(name) {
                    return Err(NotAllowed("a name of 1 to 200 bytes"));
                }
                if until.since(d.at) > MAX_DEVICE_LIFE || until.since(d.at) <= 0 {
                    return Err(NotAllowed("a device is linked for at most 400 days"));
                }
                if !teams.iter().all(|t| self.teams.get(t).is_some_and(|t| t.members.contains(member))) {
                    return Err(NotAllowed("a device's teams are its member's teams"));
                }
                self.fresh_key(sign)
            }
            Act::RevokeDevice { device } => {
                if self.devices.get(device).is_some_and(|i| i.active) { Ok(()) } else { Err(Unknown("device")) }
            }
            Act::MakeTeam { team, name, members, .. } => {
                if self.teams.contains_key(team) {
                    return Err(NotAllowed("this team already exists"));
                }
                if !name_ok(name) {
                    return Err(NotAllowed("a name of 1 to 200 bytes"));
                }
                if members.is_empty() || !members.iter().all(active) {
                    return Err(NotAllowed("a team has active members"));
                }
                Ok(())
            }
            Act::ChangeTeam { team, members } => {
                let info = self.teams.get(team).ok_or(Unknown("team"))?;
                if members.is_empty() || !members.iter().all(active) {
                    return Err(NotAllowed("a team has active members"));
                }
                self.keeps_key(info, members)
            }
            Act::TurnEpoch { team, epoch, seals, previous, key } => {
                let info = self.teams.get(team).ok_or(Unknown("team"))?;
                if *epoch != info.epoch() + 1 {
                    return Err(NotAllowed("epochs count up by one"));
                }
                if !info.must_turn() {
                    return Err(NotAllowed("an epoch turns when the team or its devices have changed"));
                }
                // None after an epoch that nobody can open: those who hold the one before it keep their own seals.
                if previous.is_some() && *epoch == 1 {
                    return Err(NotAllowed("the first epoch has none before it"));
                }
                if info.epochs.iter().any(|e| e.key == *key) {
                    return Err(NotAllowed("an epoch key is new"));
                }
                let expected: BTreeSet<Recipient> = self.recipients(team, d.at);
                if seals.keys().copied().collect::<BTreeSet<_>>() != expected {
                    return Err(NotAllowed("an epoch is sealed to exactly the team's members and devices"));
                }
                Ok(())
            }
            Act::SetPolicy { policy } => {
                if policy.two_person && self.guards().count() < 2 {
                    return Err(NotAllowed("two owners or privacy officers are needed before two have to sign"));
                }
                check_policy(policy)
            }
            Act::RaiseSuite { min } => {
                if *min > self.suite_min && *min <= 1 { Ok(()) } else { Err(NotAllowed("the lowest suite only rises, to one that exists")) }
            }
            Act::SetLogKey { .. } => Ok(()),
            Act::SetWitness { name, .. } | Act::ClientHash { version: name, .. } => {
                if name_ok(name) { Ok(()) } else { Err(NotAllowed("a name of 1 to 200 bytes")) }
            }
            Act::Order { order, .. } => {
                if self.orders.contains_key(order) { Err(NotAllowed("this order already exists")) } else { Ok(()) }
            }
            Act::WithdrawOrder { order } => {
                if self.orders.contains_key(order) { Ok(()) } else { Err(Unknown("order")) }
            }
            Act::Hold { .. } => Ok(()),
            Act::LiftHold { chart } => {
                if self.holds.contains_key(chart) { Ok(()) } else { Err(Unknown("hold")) }
            }
            Act::ReviewPace { member } => {
                if !active(member) { Err(Unknown("member")) } else { Ok(()) }
            }
        }
    }

    /// A key is nobody's yet: one key under two names would let one person sign as two.
    fn fresh_key(&self, key: &VerifyingKey) -> Result<(), ProtocolError> {
        if self.root.as_ref() == Some(key) || self.past_signer(&key.id()).is_some() {
            return Err(ProtocolError::NotAllowed("this key is already in use"));
        }
        Ok(())
    }

    fn carry_out(&mut self, d: &Directive, signers: &BTreeSet<MemberId>) {
        let seq = d.seq;
        match d.act.clone() {
            Act::Found { root, backup, log_key, suite_min, policy } => {
                self.root = Some(root);
                self.backup = Some(backup);
                self.log_key = Some(log_key);
                self.suite_min = suite_min;
                self.policy = Some(policy);
            }
            Act::SetRoot { root, backup } => {
                self.root = Some(root);
                self.backup = Some(backup);
            }
            Act::AdmitMember { member, name, role, sign, hpke } => {
                self.since.insert(member, seq);
                self.members.insert(member, MemberInfo { name, role, sign, hpke, past: Vec::new(), bundle: None, active: true });
            }
            Act::SetBundle { member, version, hash } => {
                if let Some(m) = self.members.get_mut(&member) {
                    m.bundle = Some((version, hash));
                }
            }
            Act::TurnMember { member, sign, hpke } => {
                if let Some(m) = self.members.get_mut(&member) {
                    m.past.push((m.sign, seq));
                    m.sign = sign;
                    m.hpke = hpke;
                }
                self.narrow(seq, |t| t.members.contains(&member));
            }
            Act::SetRole { member, role } => {
                self.since.insert(member, seq);
                if let Some(m) = self.members.get_mut(&member) {
                    m.role = role;
                }
            }
            Act::RemoveMember { member } => {
                if let Some(m) = self.members.get_mut(&member) {
                    m.active = false;
                }
                self.devices.values_mut().filter(|i| i.member == member).for_each(|i| i.active = false);
                self.narrow(seq, |t| t.members.remove(&member));
            }
            Act::LinkDevice { device, member, name, sign, hpke, teams, until } => {
                for team in &teams {
                    if let Some(t) = self.teams.get_mut(team) {
                        t.changed = seq;
                    }
                }
                self.devices.insert(device, DeviceInfo { member, name, sign, hpke, teams, until, active: true });
            }
            Act::RevokeDevice { device } => {
                if let Some(i) = self.devices.get_mut(&device) {
                    i.active = false;
                    let teams = i.teams.clone();
                    for t in teams {
                        if let Some(t) = self.teams.get_mut(&t) {
                            t.changed = seq;
                        }
                    }
                }
            }
            Act::MakeTeam { team, kind, name, members } => {
                self.teams.insert(team, TeamInfo { kind, name, members, epochs: Vec::new(), changed: seq });
            }
            Act::ChangeTeam { team, members } => {
                if let Some(t) = self.teams.get_mut(&team) {
                    t.members = members;
                    t.changed = seq;
                }
            }
            Act::TurnEpoch { team, key, seals, previous, .. } => {
                if let Some(t) = self.teams.get_mut(&team) {
                    t.epochs.push(EpochInfo { key, seals, previous, seq });
                }
            }
            Act::SetPolicy { policy } => {
                self.policy = Some(policy);
                self.policy_since = seq;
            }
            Act::RaiseSuite { min } => self.suite_min = min,
            Act::SetLogKey { log_key } => self.log_key = Some(log_key),
            Act::SetWitness { name, key } => {
                self.witnesses.insert(name, key);
            }
            Act::ClientHash { version, sha256 } => self.clients.push((version, sha256)),
            Act::Order { order, kind } => {
                let solo = self.policy.as_ref().is_none_or(|p| !p.two_person);
                let delay_ms = if solo { self.policy.as_ref().map_or(Policy::MIN_SOLO_DELAY_MS, |p| p.solo_delay_ms) } else { 0 };
                let young = signers.iter().filter_map(|m| self.since.get(m)).copied().max().unwrap_or(0).max(self.policy_since);
                self.orders.insert(order, OrderInfo { kind, signers: signers.clone(), seq, delay_ms, young });
            }
            Act::WithdrawOrder { order } => {
                self.orders.remove(&order);
            }
            Act::Hold { chart, until } => {
                self.holds.insert(chart, HoldInfo { until });
            }
            Act::LiftHold { chart } => {
                self.holds.remove(&chart);
            }
            Act::ReviewPace { member } => {
                self.reviews.insert(member, seq);
            }
        }
    }

    fn narrow(&mut self, seq: u64, touches: impl Fn(&mut TeamInfo) -> bool) {
        for team in self.teams.values_mut() {
            if touches(team) {
                team.changed = seq;
            }
        }
    }

    /// Everyone to whom a team's next epoch is sealed: its members and their valid devices certified for it.
    pub fn recipients(&self, team: &TeamId, at: Timestamp) -> BTreeSet<Recipient> {
        let Some(t) = self.teams.get(team) else { return BTreeSet::new() };
        let mut out: BTreeSet<Recipient> = t.members.iter().map(|m| Recipient::Member(*m)).collect();
        for (id, d) in &self.devices {
            if d.active && d.until >= at && d.teams.contains(team) && t.members.contains(&d.member) {
                out.insert(Recipient::Device(*id));
            }
        }
        out
    }

    /// Sealing key of a recipient.
    pub fn recipient_key(&self, recipient: &Recipient) -> Option<&HpkePublic> {
        match recipient {
            Recipient::Member(m) => self.members.get(m).map(|i| &i.hpke),
            Recipient::Device(d) => self.devices.get(d).map(|i| &i.hpke),
        }
    }

    /// The practice.
    pub fn practice(&self) -> PracticeId {
        self.practice
    }
    /// How many statements it holds.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// Hash of the last statement; zeros when empty.
    pub fn head(&self) -> Hash32 {
        self.head
    }
    /// The practice root's public key.
    pub fn root(&self) -> Option<&VerifyingKey> {
        self.root.as_ref()
    }
    /// Where backup copies of keys are sealed to.
    pub fn backup_key(&self) -> Option<&HpkePublic> {
        self.backup.as_ref()
    }
    /// The server's checkpoint key.
    pub fn log_key(&self) -> Option<&VerifyingKey> {
        self.log_key.as_ref()
    }
    /// Lowest suite accepted.
    pub fn suite_min(&self) -> u32 {
        self.suite_min
    }
    /// The policy in force.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }
    /// Latest time that any statement gave for itself.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }
    /// Every member who ever was.
    pub fn members(&self) -> &BTreeMap<MemberId, MemberInfo> {
        &self.members
    }
    /// An active member.
    pub fn member(&self, id: &MemberId) -> Option<&MemberInfo> {
        self.members.get(id).filter(|m| m.active)
    }
    /// Every device that ever was.
    pub fn devices(&self) -> &BTreeMap<DeviceId, DeviceInfo> {
        &self.devices
    }
    /// Every team.
    pub fn teams(&self) -> &BTreeMap<TeamId, TeamInfo> {
        &self.teams
    }
    /// Expected witnesses.
    pub fn witnesses(&self) -> &BTreeMap<String, VerifyingKey> {
        &self.witnesses
    }
    /// Announced browser apps, oldest first.
    pub fn clients(&self) -> &[(String, Hash32)] {
        &self.clients
    }
    /// Standing orders.
    pub fn orders(&self) -> &BTreeMap<OrderId, OrderInfo> {
        &self.orders
    }
    /// Standing holds.
    pub fn holds(&self) -> &BTreeMap<ChartId, HoldInfo> {
        &self.holds
    }
    /// Directory sequence at which a member was admitted or last changed role; 0 if never.
    pub fn since(&self, member: &MemberId) -> u64 {
        self.since.get(member).copied().unwrap_or(0)
    }
    /// Directory sequence of the member's last pace review; 0 if never.
    pub fn reviewed(&self, member: &MemberId) -> u64 {
        self.reviews.get(member).copied().unwrap_or(0)
    }
    /// The next statement's frame around `act`.
    pub fn next(&self, at: Timestamp, act: Act) -> Directive {
        Directive { practice: self.practice, seq: self.size, prev: self.head, at, act }
    }
}

fn check_policy(policy: &Policy) -> Result<(), ProtocolError> {
    if policy.solo_delay_ms < Policy::MIN_SOLO_DELAY_MS || policy.solo_delay_ms > 90 * Timestamp::DAY {
        return Err(ProtocolError::NotAllowed("a single person's order waits 7 to 90 days"));
    }
    if policy.time_zone.is_empty() || policy.time_zone.len() > 64 || !policy.time_zone.is_ascii() {
        return Err(ProtocolError::NotAllowed("a time zone's IANA name"));
    }
    Ok(())
}
