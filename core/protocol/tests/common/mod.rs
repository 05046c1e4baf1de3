//! A practice in memory, for tests that tell stories about it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::{Endorsed, EpochKey, HpkeSecret, SigningKey, random};
use subrosa_model::{DeviceId, MemberId, PracticeId, Role, TeamId, TeamKind, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::directory::{Act, Applied, Directory, Policy, Recipient};
use subrosa_protocol::keys::{EpochSeal, PracticeRoot};

pub const NOW: Timestamp = Timestamp(1_790_000_000_000);

pub struct Person {
    pub id: MemberId,
    pub sign: SigningKey,
    pub hpke: HpkeSecret,
}

impl Person {
    pub fn make() -> Self {
        Person { id: MemberId(random::make_bytes()), sign: SigningKey::make(), hpke: HpkeSecret::make() }
    }
}

pub struct Practice {
    pub root: PracticeRoot,
    pub owner: Person,
    pub directory: Directory,
    pub log: Vec<Vec<u8>>,
    pub care: TeamId,
}

impl Practice {
    pub fn found(policy: Policy) -> Self {
        let root = PracticeRoot::derive(&random::make_bytes());
        let owner = Person::make();
        let directory = Directory::new(PracticeId(random::make_bytes()));
        let mut p = Practice { root, owner, directory, log: Vec::new(), care: TeamId(random::make_bytes()) };
        let found = Act::Found {
            root: p.root.sign.public(),
            backup: p.root.backup.public(),
            log_key: SigningKey::make().public(),
            suite_min: 1,
            policy,
        };
        p.state_by_root(found).unwrap();
        let admit = admit(&p.owner, Role::Owner);
        p.state_by_root(admit).unwrap();
        let make = Act::MakeTeam { team: p.care, kind: TeamKind::Care, name: "Care".into(), members: BTreeSet::from([p.owner.id]) };
        p.state_by_owner(make).unwrap();
        p
    }

    pub fn bytes(&self, act: Act, keys: &[&SigningKey]) -> Vec<u8> {
        Endorsed::sign(keys, &self.directory.practice(), &self.directory.next(NOW, act)).to_bytes()
    }

    pub fn apply(&mut self, bytes: Vec<u8>) -> Result<Applied, ProtocolError> {
        let applied = self.directory.apply(&bytes)?;
        self.log.push(bytes);
        Ok(applied)
    }

    pub fn state(&mut self, act: Act, keys: &[&SigningKey]) -> Result<Applied, ProtocolError> {
        let bytes = self.bytes(act, keys);
        self.apply(bytes)
    }

    pub fn state_by_owner(&mut self, act: Act) -> Result<Applied, ProtocolError> {
        let bytes = self.bytes(act, &[&self.owner.sign]);
        self.apply(bytes)
    }

    pub fn state_by_root(&mut self, act: Act) -> Result<Applied, ProtocolError> {
        let bytes = self.bytes(act, &[&self.root.sign]);
        self.apply(bytes)
    }

    pub fn join(&mut self, role: Role) -> Person {
        let person = Person::make();
        self.state_by_owner(admit(&person, role)).unwrap();
        person
    }

    /// The act that turns a team's epoch, with its seals.
    pub fn turn(&self, team: TeamId, key: &EpochKey, previous: Option<&EpochKey>) -> (Act, Vec<EpochSeal>) {
        let practice = self.directory.practice();
        let epoch = self.directory.teams()[&team].epoch() + 1;
        let mut seals = Vec::new();
        let mut hashes = BTreeMap::new();
        for to in self.directory.recipients(&team, NOW) {
            let public = self.directory.recipient_key(&to).unwrap();
            let seal = EpochSeal::make(practice, team, epoch, to, public, key).unwrap();
            hashes.insert(to, seal.hash());
            seals.push(seal);
        }
        let chain = previous.map(|old| EpochSeal::make_chain(practice, team, epoch, old, key));
        let previous = chain.as_ref().map(EpochSeal::hash);
        seals.extend(chain);
        (Act::TurnEpoch { team, epoch, key: key.id(), seals: hashes, previous }, seals)
    }
}

pub fn admit(p: &Person, role: Role) -> Act {
    Act::AdmitMember { member: p.id, name: "A member".into(), role, sign: p.sign.public(), hpke: p.hpke.public() }
}

pub fn link(p: &Person, sign: &SigningKey, hpke: &HpkeSecret, teams: &[TeamId]) -> (DeviceId, Act) {
    let device = DeviceId(random::make_bytes());
    let act = Act::LinkDevice {
        device,
        member: p.id,
        name: "Laptop".into(),
        sign: sign.public(),
        hpke: hpke.public(),
        teams: teams.iter().copied().collect(),
        until: NOW.plus(30 * Timestamp::DAY),
    };
    (device, act)
}

pub fn two_person() -> Policy {
    Policy { two_person: true, ..Policy::solo("Europe/Helsinki") }
}

pub fn seal_for(seals: &[EpochSeal], to: Recipient) -> &EpochSeal {
    seals.iter().find(|s| s.to == Some(to)).unwrap()
}
