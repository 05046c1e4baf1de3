use std::collections::BTreeSet;

use subrosa_crypto::{BundleKey, HpkeSecret, SigningKey, random, words};
use subrosa_model::{Hash32, MemberId, PracticeId, Role, TeamId, TeamKind};
use subrosa_protocol::api::{Ceremony, CeremonyFinish, CeremonyStart, SetupFinish, SignedIn};
use subrosa_protocol::directory::{Act, Directory, Policy};
use subrosa_protocol::keys::{Bundle, BundleContext, LedgerPin, PracticeRoot, root_fingerprint, seal_bundle};
use zeroize::Zeroizing;

use crate::connection::{Connection, SessionKey};
use crate::local::Pins;
use crate::passkey::{Authenticator, prepare};
use crate::vault::{HeldBundle, Unlocked, Vault, sign_acts, turn};
use crate::ways::{host_of, local_key, wrap_for_passkey};
use crate::{ClientError, Kit};

/// The choices of set-up.
#[derive(Debug, Clone)]
pub struct SetupOptions {
    /// The token that the server printed when it was started.
    pub token: String,
    /// What colleagues call the first owner. The server sees it.
    pub owner_name: String,
    /// IANA name of the practice's time zone.
    pub time_zone: String,
}

/// A practice that has just been founded.
#[derive(Debug)]
pub struct SetupOutcome {
    /// The first owner, signed in and unlocked.
    pub vault: Vault,
    /// The practice kit: to be printed now; it exists nowhere else.
    pub practice_kit: Kit,
    /// Seven words that go with a passkey without PRF: shown once, asked at every sign-in.
    pub words: Option<Zeroizing<String>>,
}

/// Founds a practice: root, first owner with a passkey, the three first teams and their keys.
///
/// # Errors
/// The server's refusal (already set up, wrong token), the passkey's, or [`ClientError::ChallengeSubstituted`].
pub async fn setup(conn: &Connection, passkey: &dyn Authenticator, options: &SetupOptions) -> Result<SetupOutcome, ClientError> {
    let hello = conn.hello().await?;
    let log_key = hello.log_key.ok_or(ClientError::BadAnswer("no checkpoint key"))?;
    let (practice, member) = (PracticeId(random::make_bytes()), MemberId(random::make_bytes()));
    let session_key = SigningKey::make();
    let start = CeremonyStart { session_key: session_key.public(), token: options.token.clone(), member, label: options.owner_name.clone() };
    let ceremony: Ceremony = conn.post("/v1/setup/start", &start, None).await?;
    let passkey_options = prepare(&ceremony, &session_key.public())?;
    let credential = passkey.create(&passkey_options).await?;

    let code = Zeroizing::new(random::make_bytes::<32>());
    let root = PracticeRoot::derive(&code);
    let (sign, hpke) = (SigningKey::make(), HpkeSecret::make());
    let bundle_key = BundleKey::make();
    let now = conn.now();

    // The root certifies the practice and its first owner; from then on the owner signs.
    let mut directory = Directory::new(practice);
    let found = Act::Found {
        root: root.sign.public(),
        backup: root.backup.public(),
        log_key,
        suite_min: 1,
        policy: Policy::solo(&options.time_zone),
    };
    let admit = Act::AdmitMember { member, name: options.owner_name.clone(), role: Role::Owner, sign: sign.public(), hpke: hpke.public() };
    let mut statements = sign_acts(&mut directory, &[&root.sign], vec![found, admit], now)?;
    let (mut seals, mut epochs) = (Vec::new(), Vec::new());
    for (kind, name) in [(TeamKind::Care, "Care"), (TeamKind::FrontDesk, "Front desk"), (TeamKind::OnCall, "On call")] {
        let team = TeamId(random::make_bytes());
        let make = Act::MakeTeam { team, kind, name: name.to_owned(), members: BTreeSet::from([member]) };
        statements.extend(sign_acts(&mut directory, &[&sign], vec![make], now)?);
        let (act, team_seals, key) = turn(&directory, team, 1, None, now)?;
        statements.extend(sign_acts(&mut directory, &[&sign], vec![act], now)?);
        seals.extend(team_seals);
        epochs.push(((team, 1), key));
    }
    let bundle = Bundle {
        sign_seed: *sign.seed(),
        hpke_seed: *hpke.seed(),
        root: root.sign.public(),
        directory_size: directory.size(),
        directory_head: directory.head(),
        ledger: LedgerPin::default(),
        expect_root: None,
    };
    let (sealed, hash) = seal_bundle(&bundle_key, &BundleContext { practice, member, version: 1 }, &bundle);
    statements.extend(sign_acts(&mut directory, &[&sign], vec![Act::SetBundle { member, version: 1, hash }], now)?);

    let (way_in, words) = wrap_for_passkey(passkey, &host_of(&ceremony), &credential, &bundle_key, practice, member).await?;
    let finish = SetupFinish {
        finish: CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json.clone() },
        practice,
        directory: statements,
        seals,
        bundle: sealed.clone().into(),
        way_in: way_in.clone(),
        repository: root.repository.expose().to_vec().into(),
    };
    let signed_in: SignedIn = conn.post("/v1/setup/finish", &finish, None).await?;
    if signed_in.practice != practice || signed_in.member != member {
        return Err(ClientError::ServerKeySubstituted);
    }
    let pins = Pins { root: Some(root.sign.public()), directory_size: directory.size(), directory_head: directory.head(), ..Pins::default() };
    let practice_kit = Kit { words: words::code_to_words(&code), practice, member: None, fingerprint: fingerprint(&root) };
    let mut vault = Vault::from_unlocked(Unlocked {
        conn: conn.clone(),
        session: SessionKey { id: signed_in.session, key: session_key },
        until: signed_in.until,
        ways_in: signed_in.ways_in,
        practice,
        member,
        device: None,
        sign,
        hpke,
        local: local_key(&bundle_key),
        bundle: Some(HeldBundle { key: bundle_key, version: 1, sealed, way: Some(way_in) }),
        pins,
        expect_root: None,
    });
    vault.adopt(directory)?;
    vault.epochs.extend(epochs);
    Ok(SetupOutcome { vault, practice_kit, words })
}

fn fingerprint(root: &PracticeRoot) -> Hash32 {
    root_fingerprint(&root.sign.public())
}
