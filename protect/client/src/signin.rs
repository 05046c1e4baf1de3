//! Signing in, showing a passkey again, further ways in, and the way back with a member kit.

use subrosa_crypto::{BundleKey, HpkeSecret, KitKey, SigningKey, random, sha256, words};
use subrosa_model::{MemberId, Timestamp};
use subrosa_protocol::api::{Approvals, Ceremony, CeremonyFinish, CeremonyStart, KitPut, KitState, KitUse as KitUseBody, PasskeyFinish, SealedBundle, SignedIn, WayInRemove, WaysIn, WrappedBundleKey};
use subrosa_protocol::directory::Act;
use subrosa_protocol::keys::{Bundle, BundleContext, WayIn, WayInContext, derive_kit_kek, open_bundle, seal_bundle};
use zeroize::Zeroizing;

use crate::connection::{Connection, SessionKey};
use crate::local::Pins;
use crate::passkey::{Authenticator, Credential, prepare};
use crate::vault::{HeldBundle, Unlocked, Vault};
use crate::ways::{Bring, host_of, kit_preimage, kit_proof, local_key, open_way, wrap_for_passkey};
use crate::{ClientError, Kit};

/// How far signing in has come.
#[derive(Debug)]
pub enum SignIn {
    /// Unlocked.
    Open(Box<Vault>),
    /// The passkey has no PRF: seven words are needed too.
    NeedsWords(Box<PendingWords>),
}

/// Signed in, but still locked.
pub struct PendingWords {
    conn: Connection,
    session: SessionKey,
    signed_in: SignedIn,
    bundle: SealedBundle,
    local: Option<Vec<u8>>,
}

impl core::fmt::Debug for PendingWords {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PendingWords(..)")
    }
}

impl PendingWords {
    /// Unlocks with the seven words. [`ClientError::WrongWords`] leaves everything as it was: ask again.
    ///
    /// # Errors
    /// Which word is unknown, by position; [`ClientError::WrongWords`]; or an attack by name.
    pub async fn unlock(&self, seven_words: &str) -> Result<Vault, ClientError> {
        let key = open_way(&self.bundle, Bring::Words(seven_words), self.signed_in.practice, self.signed_in.member)?;
        unlock(&self.conn, self.session.clone(), &self.signed_in, &self.bundle, key, self.local.as_deref()).await
    }
}

/// Signs in with a passkey. `local` is what [`Vault::seal_local`] gave on this device the last time.
///
/// # Errors
/// The passkey's or the server's refusal, or one of the attacks by name: nothing is kept of a sign-in that fails.
pub async fn signin(conn: &Connection, passkey: &dyn Authenticator, local: Option<&[u8]>) -> Result<SignIn, ClientError> {
    let (session_key, credential, ceremony) = ask_passkey(conn, passkey, "/v1/signin/start", None).await?;
    let finish = CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json.clone() };
    let signed_in: SignedIn = conn.post("/v1/signin/finish", &finish, None).await?;
    let session = SessionKey { id: signed_in.session, key: session_key };
    let bundle = signed_in.bundle.clone().ok_or(ClientError::BadAnswer("no bundle"))?;
    if matches!(bundle.way_in.way, WayIn::Words { .. }) {
        let local = local.map(<[u8]>::to_vec);
        return Ok(SignIn::NeedsWords(Box::new(PendingWords { conn: conn.clone(), session, signed_in, bundle, local })));
    }
    let key = open_way(&bundle, Bring::Passkey(&credential), signed_in.practice, signed_in.member)?;
    unlock(conn, session, &signed_in, &bundle, key, local).await.map(|v| SignIn::Open(Box::new(v)))
}

async fn ask_passkey(
    conn: &Connection,
    passkey: &dyn Authenticator,
    path: &str,
    session: Option<&SessionKey>,
) -> Result<(SigningKey, Credential, Ceremony), ClientError> {
    let session_key = session.map_or_else(SigningKey::make, |s| s.key.clone());
    let start = CeremonyStart { session_key: session_key.public(), token: String::new(), member: MemberId::default(), label: String::new() };
    let ceremony: Ceremony = conn.post(path, &start, session).await?;
    let options = prepare(&ceremony, &session_key.public())?;
    let credential = passkey.get(&options).await?;
    Ok((session_key, credential, ceremony))
}

/// Opens the bundle, replays the directory from its beginning, holds both against each other and against every pin, then opens the team keys.
pub(crate) async fn unlock(
    conn: &Connection,
    session: SessionKey,
    signed_in: &SignedIn,
    sealed: &SealedBundle,
    key: BundleKey,
    local: Option<&[u8]>,
) -> Result<Vault, ClientError> {
    let (practice, member) = (signed_in.practice, signed_in.member);
    let context = BundleContext { practice, member, version: sealed.version };
    let bundle = open_bundle(&key, &context, &sealed.sealed).map_err(|_| ClientError::WrongBundle)?;
    let pins = Pins {
        root: bundle.expect_root.is_none().then_some(bundle.root),
        directory_size: bundle.directory_size,
        directory_head: bundle.directory_head,
        ledger: bundle.ledger,
        ..Pins::default()
    };
    let passkey_way = Some(sealed.way_in.clone()).filter(|w| !matches!(w.way, WayIn::Kit { .. }));
    let mut vault = Vault::from_unlocked(Unlocked {
        conn: conn.clone(),
        session,
        until: signed_in.until,
        ways_in: signed_in.ways_in,
        practice,
        member,
        device: None,
        sign: SigningKey::from_seed(bundle.sign_seed),
        hpke: HpkeSecret::from_seed(bundle.hpke_seed),
        local: local_key(&key),
        bundle: Some(HeldBundle { key, version: sealed.version, sealed: sealed.sealed.to_vec(), way: passkey_way }),
        pins,
        expect_root: bundle.expect_root,
    });
    if let Some(local) = local {
        // A copy of another member of the same device, or of before a reset, does not open: it is none of ours.
        match vault.load_pins(local) {
            Ok(()) | Err(ClientError::LocalCopy) => {}
            Err(e) => return Err(e),
        }
    }
    vault.sync_directory().await?;
    let named = vault.directory.member(&member).ok_or(ClientError::Unknown("member"))?.bundle;
    match named {
        Some((version, hash)) if version == sealed.version && hash == sha256(&[&sealed.sealed]) => {}
        // Just admitted: the bundle deposited with the invitation is announced now, by its owner, and a second one with the root and pins in it.
        None if sealed.version == 1 => {
            vault.announce(1, sealed.sealed.to_vec()).await?;
            vault.announce_bundle(2).await?;
        }
        _ => return Err(ClientError::WrongBundle),
    }
    vault.sync_epochs().await?;
    let day_old = vault.bundle_at.is_some_and(|at| conn.now().0 - at.0 > Timestamp::DAY);
    // A further statement takes the place that a proposal of a colleague, or one's own review, is signed for: those come first.
    let full = vault.bundle.as_ref().is_some_and(|b| b.way.is_some());
    if day_old && full && vault.pins.review.is_none() && vault.nothing_proposed().await {
        vault.renew_due = true;
        vault.renew_if_due().await?;
    }
    Ok(vault)
}

impl Vault {
    /// Seals the bundle anew, with what is pinned now, and announces it in the directory.
    pub(crate) async fn announce_bundle(&mut self, version: u64) -> Result<(), ClientError> {
        let held = self.bundle.as_ref().ok_or(ClientError::NotHere("a linked device has no bundle"))?;
        let root = self.pins.root.ok_or(ClientError::ForgedDirectory)?;
        let bundle = Bundle {
            sign_seed: *self.keys.sign.seed(),
            hpke_seed: *self.keys.hpke.seed(),
            root,
            directory_size: self.directory.size(),
            directory_head: self.directory.head(),
            ledger: self.pins.ledger,
            expect_root: None,
        };
        let context = BundleContext { practice: self.practice, member: self.member, version };
        let (sealed, _) = seal_bundle(&held.key, &context, &bundle);
        self.announce(version, sealed).await
    }

    async fn announce(&mut self, version: u64, sealed: Vec<u8>) -> Result<(), ClientError> {
        let hash = sha256(&[&sealed]);
        let act = Act::SetBundle { member: self.member, version, hash };
        self.append_with(vec![act], Vec::new(), Some(sealed.clone().into())).await?;
        self.bundle_at = Some(self.now());
        if let Some(held) = self.bundle.as_mut() {
            held.version = version;
            held.sealed = sealed;
        }
        Ok(())
    }

    /// Stores what is pinned now in the bundle, so that a new device begins with it. A directory statement: once in a while, not at every act.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub async fn renew_bundle(&mut self) -> Result<(), ClientError> {
        self.sync().await?;
        let version = self.bundle.as_ref().map(|b| b.version).ok_or(ClientError::NotHere("a linked device has no bundle"))?;
        self.announce_bundle(version + 1).await
    }

    /// Renews the bundle after an own change of members, devices or teams, and when it is a day old. Best effort: what keeps it from happening (somebody was
    /// quicker, the passkey is wanted) keeps nothing else from happening.
    pub(crate) async fn renew_if_due(&mut self) -> Result<(), ClientError> {
        if !core::mem::take(&mut self.renew_due) || self.bundle.is_none() {
            return Ok(());
        }
        let Some((version, _)) = self.directory.member(&self.member).and_then(|m| m.bundle) else { return Ok(()) };
        match self.announce_bundle(version + 1).await {
            Err(e) if e.is_attack() => Err(e),
            _ => Ok(()),
        }
    }

    async fn nothing_proposed(&self) -> bool {
        let answer: Result<Approvals, ClientError> = self.conn.get("/v1/approvals", Some(&self.session)).await;
        answer.is_ok_and(|list| list.waiting.is_empty())
    }

    /// Shows the passkey again: before dangerous acts, and after [`ClientError::GatePasskey`].
    ///
    /// # Errors
    /// The passkey's or the server's refusal.
    pub async fn fresh(&mut self, passkey: &dyn Authenticator) -> Result<(), ClientError> {
        let (_, credential, ceremony) = ask_passkey(&self.conn, passkey, "/v1/fresh/start", Some(&self.session)).await?;
        let finish = CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json };
        self.conn.tell("POST", "/v1/fresh/finish", Some(&finish), Some(&self.session)).await
    }

    /// A further passkey as a way in. Gives seven words if it has no PRF: shown once.
    ///
    /// # Errors
    /// The passkey's or the server's refusal.
    pub async fn add_passkey(&mut self, passkey: &dyn Authenticator, label: &str) -> Result<Option<Zeroizing<String>>, ClientError> {
        let held = self.bundle.as_ref().ok_or(ClientError::NotHere("a linked device has no bundle"))?;
        let start = CeremonyStart { session_key: self.session.key.public(), token: String::new(), member: self.member, label: label.to_owned() };
        let ceremony: Ceremony = self.conn.post("/v1/passkey/start", &start, Some(&self.session)).await?;
        let options = prepare(&ceremony, &self.session.key.public())?;
        let credential = passkey.create(&options).await?;
        let (way_in, words) = wrap_for_passkey(passkey, &host_of(&ceremony), &credential, &held.key, self.practice, self.member).await?;
        let finish = PasskeyFinish { finish: CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json }, way_in };
        self.conn.tell("POST", "/v1/passkey/finish", Some(&finish), Some(&self.session)).await?;
        self.ways_in += 1;
        Ok(words)
    }

    /// One's own ways in.
    ///
    /// # Errors
    /// Refusals.
    pub async fn ways(&mut self) -> Result<Vec<WayIn>, ClientError> {
        let answer: WaysIn = self.conn.get("/v1/ways", Some(&self.session)).await?;
        self.ways_in = u32::try_from(answer.ways.len()).unwrap_or(u32::MAX);
        Ok(answer.ways)
    }

    /// Ends a way in, for instance the passkey of a lost device, and every other session of one's own. The last way in stays.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], refusals.
    pub async fn remove_way(&mut self, way: WayIn) -> Result<Vec<WayIn>, ClientError> {
        let answer: WaysIn = self.conn.post("/v1/ways/remove", &WayInRemove { way }, Some(&self.session)).await?;
        self.ways_in = u32::try_from(answer.ways.len()).unwrap_or(u32::MAX);
        Ok(answer.ways)
    }

    /// Makes the member kit: to be printed now; its words exist nowhere else. An older kit stops working.
    ///
    /// # Errors
    /// Network and refusals.
    pub async fn put_kit(&mut self) -> Result<Kit, ClientError> {
        let held = self.bundle.as_ref().ok_or(ClientError::NotHere("a linked device has no bundle"))?;
        let (code, share) = (Zeroizing::new(random::make_bytes::<32>()), Zeroizing::new(random::make_bytes::<32>()));
        // Counts up on every device without their knowing of each other: seconds since 1970.
        let number = u32::try_from(self.now().0 / Timestamp::SECOND).unwrap_or(0).max(self.pins.kit + 1);
        let way = WayIn::Kit { number };
        let kek = derive_kit_kek(&code, &share, &self.practice, &self.member);
        let context = WayInContext { practice: self.practice, member: self.member, way: way.clone() };
        let way_in = WrappedBundleKey { way, sealed: subrosa_crypto::seal_key(&kek, &context, &held.key).into(), salt: Default::default() };
        let proof = kit_proof(&kit_preimage(&code, &self.member));
        self.conn.tell("POST", "/v1/kit", Some(&KitPut { way_in, share: share.to_vec().into(), proof }), Some(&self.session)).await?;
        self.pins.kit = number;
        self.ways_in += 1;
        Ok(Kit { words: words::code_to_words(&code), practice: self.practice, member: Some(self.member), fingerprint: self.root_fingerprint() })
    }
}

/// How far the use of a member kit is.
#[derive(Debug)]
pub enum KitUse {
    /// Everyone concerned has been told; come back with the same kit when the time has come.
    Wait {
        /// When that is.
        ready_at: Timestamp,
    },
    /// Unlocked, in a session that is meant for enrolling a new passkey: [`Vault::add_passkey`], then sign in with it.
    Ready(Box<Vault>),
}

/// Uses a member kit: the way back for somebody who has lost every passkey.
///
/// # Errors
/// Which word is wrong by position, the server's refusal, or an attack by name.
pub async fn kit_use(conn: &Connection, member: MemberId, typed: &str) -> Result<KitUse, ClientError> {
    let code = words::words_to_code(typed).map_err(ClientError::Words)?;
    let preimage = kit_preimage(&code, &member);
    // The same kit asks with the same session key each time, so that it can come back a day later from anywhere.
    let seed: KitKey = KitKey::from_bytes(*code).derive_subkey("member-kit/session", &[member.as_bytes()]);
    let session_key = SigningKey::from_seed(*seed.expose());
    let body = KitUseBody { member, proof: preimage.to_vec().into(), session_key: session_key.public() };
    let state: KitState = conn.post("/v1/kit/use", &body, None).await?;
    let (Some(share), Some(signed_in)) = (state.share, state.signed_in) else {
        return Ok(KitUse::Wait { ready_at: state.ready_at });
    };
    let share = Zeroizing::new(share.0);
    let share: &[u8; 32] = share.as_slice().try_into().map_err(|_| ClientError::BadAnswer("share"))?;
    if signed_in.member != member {
        return Err(ClientError::ServerKeySubstituted);
    }
    let bundle = signed_in.bundle.clone().ok_or(ClientError::BadAnswer("no bundle"))?;
    let kek = derive_kit_kek(&code, share, &signed_in.practice, &member);
    let key = open_way(&bundle, Bring::Kek(kek), signed_in.practice, member)?;
    let session = SessionKey { id: signed_in.session, key: session_key };
    let vault = unlock(conn, session, &signed_in, &bundle, key, None).await?;
    Ok(KitUse::Ready(Box::new(vault)))
}
