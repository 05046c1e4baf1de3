//! What the attacker has at hand: the server's whole knowledge, keys of a stranger, and a colleague inside the practice who helps.

use std::collections::BTreeSet;
use std::sync::Arc;

use subrosa_client::{Connection, DeviceSecrets, DraftBody, IdentityDraft, NewBody, NewFile, SystemClock, Vault, offer_device, signin};
use subrosa_crypto::{CompartmentKey, Endorsed, HpkeSecret, SigningKey, random};
use subrosa_model::{Bytes, CareKind, ChartId, Compartment, EntryId, Hash32, KeyId, MemberId, PracticeId, TeamId, TeamKind, Timestamp};
use subrosa_protocol::access::ChartHistory;
use subrosa_protocol::api::{Ceremony, DirectoryPage, Relations, Released, RosterPage, SignedIn};
use subrosa_protocol::directory::{Act, Directive, Directory, Policy};

use super::middle::{Middle, read};
use crate::drill::{At, DrillError};
use crate::practice::{Practice, open};
use crate::secrets::{Secrets, Watched};

/// Compartments that the attacked client opens.
pub const OPENED: [Compartment; 2] = [Compartment::Record, Compartment::Psychotherapy];

/// Everything that an attack may use.
pub struct Stage {
    /// The practice.
    pub practice: PracticeId,
    /// The attacked member.
    pub owner: MemberId,
    /// Whom the attacker won over, with all of their keys.
    pub colleague: MemberId,
    /// The colleague's signing key.
    pub colleague_key: SigningKey,
    /// The compartment keys that the colleague can open.
    pub colleague_keys: Vec<CompartmentKey>,
    /// Two charts.
    pub a: ChartId,
    /// The other one.
    pub b: ChartId,
    /// Somebody who never belonged to the practice.
    pub stranger: SigningKey,
    /// The stranger's sealing key.
    pub stranger_hpke: HpkeSecret,
    /// A care team.
    pub team: TeamId,
    /// The directory, replayed.
    pub directory: Directory,
    /// Its statements.
    pub statements: Vec<Bytes>,
    /// Now.
    pub now: Timestamp,
    /// Honest earlier answers, as an attacker who watches would keep them.
    pub old: Old,
}

/// Earlier answers.
pub struct Old {
    /// Chart A, before its newest leaf.
    pub a: Released,
    /// Chart A, the answer that the pins of `local_at_old` were taken after.
    pub a_at_pin: Released,
    /// Chart B.
    pub b: Released,
    /// Chart A's identity.
    pub identity_a: Released,
    /// Chart A, released to the colleague.
    pub a_to_colleague: Released,
    /// Who looked at A.
    pub looked_a: ChartHistory,
    /// Who looked at B.
    pub looked_b: ChartHistory,
    /// The roster, whole, before chart A was renamed.
    pub roster: RosterPage,
    /// A sign-in before the bundle was renewed.
    pub signed_in: SignedIn,
    /// The colleague's sign-in.
    pub colleague_signed_in: SignedIn,
    /// A ceremony begun by somebody else.
    pub ceremony: Ceremony,
    /// Relations of chart B.
    pub relations_b: Relations,
    /// The second attachment's ciphertext.
    pub other_file: Vec<u8>,
}

/// What the attacked side is driven with.
pub struct Victim {
    /// Through the liar.
    pub conn: Connection,
    /// The liar.
    pub middle: Arc<Middle>,
    /// The owner's passkey.
    pub passkey: Watched,
    /// The owner's pins, after everything in [`Old`].
    pub local: Vec<u8>,
    /// The owner's pins right after [`Old::a_at_pin`].
    pub local_at_old: Vec<u8>,
    /// The entry with two files.
    pub filed: EntryId,
    /// The draft of chart A.
    pub draft: EntryId,
    /// A waiting invitation that somebody has followed.
    pub link: String,
    /// A linked device that has never signed in: it knows the practice's fingerprint and nothing else.
    pub device: DeviceSecrets,
}

fn captured<T: serde::de::DeserializeOwned>(middle: &Middle, path: &str) -> Result<T, DrillError> {
    middle.last(path).and_then(|b| read(&b)).ok_or_else(|| DrillError::Missing(format!("no answer to {path} was seen")))
}

/// Sets up the practice and lets the attacker watch it for a while.
///
/// # Errors
/// [`DrillError`].
pub async fn build(base: &str, token: &str) -> Result<(Arc<Stage>, Victim), DrillError> {
    let middle = Arc::new(Middle::new(base).at("connecting")?);
    let conn = Connection::new(middle.clone(), Arc::new(SystemClock));
    let secrets = Secrets::default();
    let mut p = Practice::found(&conn, base, token, &secrets).await?;
    let a = p.marked_chart().await?;
    let b = p.marked_chart().await?;
    p.invite().await?;
    let Some((mut colleague, colleague_passkey)) = p.colleague.take() else { return Err(DrillError::Missing("no colleague".into())) };
    let colleague_signed_in = captured(&middle, "/v1/signin/finish")?;
    let now = conn.now();
    for chart in [a, b] {
        p.owner.relate(chart, colleague.member(), CareKind::Covers, now, None).await.at("relating")?;
    }

    // The attacked device signs in and looks at everything; every answer is kept by the one in the middle.
    let mut owner = open(signin(&conn, &p.passkey, None).await.at("signing in")?)?;
    let signed_in = captured(&middle, "/v1/signin/finish")?;
    let ceremony = captured(&middle, "/v1/signin/start")?;
    owner.renew_bundle().await.at("renewing the bundle")?;
    let filed = EntryId(random::make_bytes());
    let file = |name: &str, fill: u8| NewFile { name: name.into(), content_type: "application/octet-stream".into(), bytes: vec![fill; 150_000] };
    owner.write_with_files(a, Compartment::Record, filed, NewBody::note("files", "two"), &[file("one", 1), file("two", 2)]).await.at("attaching")?;
    let other_file = stored_file(&mut owner, &middle, a, filed).await?;
    let mut draft = EntryId(random::make_bytes());
    for chart in [b, a] {
        draft = EntryId(random::make_bytes());
        let body = DraftBody { entry: draft, chart, compartment: Compartment::Record, body: NewBody::note("draft", "unfinished") };
        owner.save_draft(&body).await.at("drafting")?;
    }
    owner.relations(Some(b)).await.at("relations")?;
    let relations_b = captured(&middle, "/v1/relations")?;
    owner.open_chart(a, &[Compartment::Identity]).await.at("opening")?;
    let identity_a: Released = captured(&middle, "/v1/release")?;
    owner.open_chart(b, &OPENED).await.at("opening")?;
    let old_b = captured(&middle, "/v1/release")?;
    owner.who_has_looked(b).await.at("looking")?;
    let looked_b = captured(&middle, "/v1/looked")?;
    owner.who_has_looked(a).await.at("looking")?;
    let looked_a = captured(&middle, "/v1/looked")?;
    owner.open_chart(a, &OPENED).await.at("opening")?;
    let old_a = captured(&middle, "/v1/release")?;
    colleague.open_chart(a, &[Compartment::Record]).await.at("the colleague opens")?;
    let a_to_colleague = captured(&middle, "/v1/release")?;
    owner.sync_roster().await.at("roster")?;
    let roster = captured(&middle, "/v1/roster")?;
    let identity = identity_a.charts.first().and_then(|c| c.entries.first()).and_then(|e| e.blob.peek_unverified().ok()).map(|(h, _)| h.context.entry);
    if let Some(entry) = identity {
        let renamed = IdentityDraft::new("Renamed", "Person", "1987-03-14", Vec::new());
        owner.amend_identity(a, entry, &renamed).await.at("renaming")?;
    }
    owner.sync_roster().await.at("roster")?;
    owner.open_chart(a, &OPENED).await.at("opening")?;
    let a_at_pin = captured(&middle, "/v1/release")?;
    let local_at_old = owner.seal_local();
    owner.open_charts(&[a, b], &OPENED).await.at("opening")?;
    let linking = owner.begin_link().await.at("linking")?;
    let offered = offer_device(&conn, &linking.fragment, "New device").await.at("offering a device")?;
    owner.fresh(&p.passkey).await.at("fresh passkey")?;
    let teams: BTreeSet<_> = owner.directory().teams().keys().copied().collect();
    owner.finish_link(linking.id, teams, now.plus(30 * Timestamp::DAY)).await.at("linking")?;
    let invitation = owner.invite().await.at("inviting")?;
    let invited = subrosa_client::Invited::read(&conn, &invitation.fragment).await.at("following")?;
    invited.accept(&Watched::new(base, &secrets), "Somebody new").await.at("accepting")?;
    owner.sync().await.at("directory")?;
    let local = owner.seal_local();

    let again = open(signin(&conn, &p.passkey, Some(&local)).await.at("signing in")?)?;
    let page: DirectoryPage = captured(&middle, "/v1/directory")?;
    let directory = again.directory().clone();
    let statements = whole_log(page, &directory)?;
    let secret = |what: &str| colleague.drill_secrets().into_iter().filter(|(w, _)| *w == what).map(|(_, k)| k).filter_map(|k| <[u8; 32]>::try_from(&k[..]).ok()).collect::<Vec<_>>();
    let colleague_key = secret("signing seed").first().map(|s| SigningKey::from_seed(*s)).ok_or(DrillError::Missing("the colleague's key".into()))?;
    let team = directory.teams().iter().find(|(_, t)| t.kind == TeamKind::Care).map(|(id, _)| *id).ok_or(DrillError::Missing("a care team".into()))?;
    let stage = Stage {
        practice: owner.practice(),
        owner: owner.member(),
        colleague: colleague.member(),
        colleague_keys: secret("compartment key").into_iter().map(CompartmentKey::from_bytes).collect(),
        colleague_key,
        a,
        b,
        stranger: SigningKey::make(),
        stranger_hpke: HpkeSecret::make(),
        team,
        directory,
        statements,
        now,
        old: Old {
            a: old_a,
            a_at_pin,
            b: old_b,
            identity_a,
            a_to_colleague,
            looked_a,
            looked_b,
            roster,
            signed_in,
            colleague_signed_in,
            ceremony,
            relations_b,
            other_file,
        },
    };
    drop(colleague_passkey);
    let victim =
        Victim { conn, middle, passkey: p.passkey, local, local_at_old, filed, draft, link: invitation.fragment.to_string(), device: offered.secrets };
    Ok((Arc::new(stage), victim))
}

/// The whole log as it stands: the last page seen is whole when the client began at nothing.
fn whole_log(page: DirectoryPage, directory: &Directory) -> Result<Vec<Bytes>, DrillError> {
    let whole = page.entries.len() as u64 == directory.size();
    if whole { Ok(page.entries) } else { Err(DrillError::Missing("the directory came in pieces".into())) }
}

async fn stored_file(owner: &mut Vault, middle: &Middle, chart: ChartId, entry: EntryId) -> Result<Vec<u8>, DrillError> {
    let opened = owner.open_chart(chart, &[Compartment::Record]).await.at("opening")?;
    let missing = || DrillError::Missing("the attachment".into());
    let version = opened.entries.iter().find(|e| e.entry == entry).and_then(|e| e.head()).ok_or_else(missing)?;
    owner.open_file(chart, Compartment::Record, entry, version, 1).await.at("opening a file")?;
    let hash = version.files.get(1).ok_or_else(missing)?.ciphertext;
    middle.last(&format!("/v1/objects/{hash}")).ok_or_else(missing)
}

impl Stage {
    /// The next directory statement after the whole log, signed by these keys, whoever they are.
    pub fn statement(&self, keys: &[&SigningKey], act: Act) -> Bytes {
        self.statement_at(self.directory.size(), self.directory.head(), keys, act)
    }

    /// A statement in a place of the attacker's choice.
    pub fn statement_at(&self, seq: u64, prev: Hash32, keys: &[&SigningKey], act: Act) -> Bytes {
        let directive = Directive { practice: self.practice, seq, prev, at: self.directory.last_at(), act };
        Endorsed::sign(keys, &self.practice, &directive).to_bytes().into()
    }

    /// The log without its last statement, replayed.
    pub fn without_last(&self) -> Option<Directory> {
        let (_, rest) = self.statements.split_last()?;
        Directory::replay(self.practice, rest.iter().map(|b| b.as_slice()), None).ok()
    }

    /// A whole directory of the stranger's own: same practice, same members' keys, another root and log key.
    pub fn counterfeit(&self) -> Option<Vec<Bytes>> {
        let me = self.directory.member(&self.owner)?;
        let found = Act::Found {
            root: self.stranger.public(),
            backup: self.stranger_hpke.public(),
            log_key: self.stranger.public(),
            suite_min: 1,
            policy: Policy::solo("UTC"),
        };
        let admit = Act::AdmitMember { member: self.owner, name: me.name.clone(), role: me.role, sign: me.sign, hpke: me.hpke.clone() };
        let mut directory = Directory::new(self.practice);
        let mut out = Vec::new();
        for act in [found, admit] {
            let directive = directory.next(self.now, act);
            let bytes: Bytes = Endorsed::sign(&[&self.stranger], &self.practice, &directive).to_bytes().into();
            directory.apply(&bytes).ok()?;
            out.push(bytes);
        }
        Some(out)
    }

    /// The colleague's copy of a compartment key.
    pub fn insiders_key(&self, id: &KeyId) -> Option<&CompartmentKey> {
        self.colleague_keys.iter().find(|k| k.id() == *id)
    }

    /// Members of the care team.
    pub fn members(&self) -> BTreeSet<MemberId> {
        self.directory.teams().get(&self.team).map(|t| t.members.clone()).unwrap_or_default()
    }
}
