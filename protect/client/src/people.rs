//! People: inviting and being invited, teams, leaving, second signatures, uses of member kits.

use std::collections::BTreeSet;

use serde::Serialize;
use subrosa_crypto::{BundleKey, Context, Endorsed, HpkeSecret, SigningKey, cbor, open, random, seal};
use subrosa_model::{Bytes, ChartId, DeviceId, Hash32, InvitationId, MemberId, OrderId, PracticeId, Role, TeamId, TeamKind, Timestamp};
use subrosa_protocol::api::{
    Approvals, Ceremony, CeremonyFinish, CeremonyStart, DirectoryAppend, DirectoryPage, IntroductionPurpose, InvitationAccept, InvitationPut, InvitationState, Invitations, KitAnswer,
    KitUses, KitWaiting, SealedBundle,
};
use subrosa_protocol::directory::{Act, Authority, Directive, OrderKind, Recipient};
use subrosa_protocol::keys::{Bundle, BundleContext, Introduction, LedgerPin, NewKeys, seal_bundle};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::connection::{Connection, Nothing};
use crate::passkey::{Authenticator, prepare};
use crate::vault::{Vault, sign_acts};
use crate::ways::{host_of, wrap_for_passkey};

/// An invitation or pairing that was just made.
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Goes behind the `#` of a link, or into a QR code. Whoever has it can follow the invitation, once, for 72 hours (a pairing: one hour).
    pub fragment: Zeroizing<String>,
}

impl core::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Invitation({})", self.id)
    }
}

/// An invitation that is open.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id.
    pub id: InvitationId,
    /// A member or a device.
    pub purpose: IntroductionPurpose,
    /// Until when it can be followed.
    pub until: Timestamp,
    /// Who followed it, once somebody has.
    pub accepted: Option<Accepted>,
}

/// Somebody has followed an invitation. Compare the six words aloud before finishing.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// What they call themselves.
    pub name: String,
    /// The member or device that they would become.
    pub who: Recipient,
    /// Six words: the other side sees the same, or somebody stands between.
    pub six_words: String,
}

/// The sealing context of an introduction's secret.
#[derive(Debug, Serialize)]
struct SecretContext {
    practice: PracticeId,
    member: MemberId,
    invitation: InvitationId,
}

impl Context for SecretContext {
    const NAMESPACE: &'static str = "introduction-secret";
}

/// A proposed statement that waits for a second person.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The endorsed statement.
    pub bytes: Bytes,
    /// What it says.
    pub directive: Directive,
    /// Who has signed.
    pub signers: BTreeSet<MemberId>,
}

impl Vault {
    /// Invites somebody. Send the fragment outside the system; then [`Self::invitations`] shows when they have followed it.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], [`ClientError::Never`], refusals.
    pub async fn invite(&mut self) -> Result<Invitation, ClientError> {
        self.introduce(IntroductionPurpose::Member).await
    }

    /// Begins to link a device of one's own: it takes the fragment, from a QR code or typed.
    ///
    /// # Errors
    /// As [`Self::invite`].
    pub async fn begin_link(&mut self) -> Result<Invitation, ClientError> {
        self.introduce(IntroductionPurpose::Device).await
    }

    async fn introduce(&mut self, purpose: IntroductionPurpose) -> Result<Invitation, ClientError> {
        let root = self.root_fingerprint();
        let introduction = Introduction { practice: self.practice, invitation: InvitationId(random::make_bytes()), root, secret: random::make_bytes() };
        let id = introduction.invitation;
        let plain = Zeroizing::new(cbor::encode(&introduction));
        let sealed = seal(&self.bundle_key()?, &self.secret_context(id), &plain);
        let put = InvitationPut { invitation: id, sealed_secret: sealed.into(), purpose };
        self.conn.tell("POST", "/v1/invitations", Some(&put), Some(&self.session)).await?;
        Ok(Invitation { id, fragment: Zeroizing::new(introduction.to_text()) })
    }

    fn secret_context(&self, invitation: InvitationId) -> SecretContext {
        SecretContext { practice: self.practice, member: self.member, invitation }
    }

    fn bundle_key(&self) -> Result<BundleKey, ClientError> {
        self.bundle.as_ref().map(|b| b.key.clone()).ok_or(ClientError::NotHere("a linked device has no bundle"))
    }

    async fn invitation_states(&self) -> Result<Vec<InvitationState>, ClientError> {
        let list: Invitations = self.conn.get("/v1/invitations", Some(&self.session)).await?;
        Ok(list.invitations)
    }

    /// The introduction and the new keys of an invitation that was followed. The keys carry the MAC of whoever had the link.
    fn introduced(&self, state: &InvitationState) -> Result<(Introduction, NewKeys), ClientError> {
        let plain = open(&self.bundle_key()?, &self.secret_context(state.invitation), &state.sealed_secret).map_err(|_| ClientError::IntroductionForged)?;
        let introduction: Introduction = cbor::decode(&plain)?;
        let (keys, tag) = state.accepted.clone().ok_or(ClientError::Invalid("nobody has followed this invitation yet"))?;
        if introduction.practice != self.practice || introduction.invitation != state.invitation || introduction.root != self.root_fingerprint() {
            return Err(ClientError::IntroductionForged);
        }
        introduction.verify(&keys, &tag).map_err(|_| ClientError::IntroductionForged)?;
        Ok((introduction, keys))
    }

    /// One's own open invitations and pairings, with the six words of those that were followed.
    ///
    /// # Errors
    /// [`ClientError::IntroductionForged`] when keys came back that nobody with the link made.
    pub async fn invitations(&self) -> Result<Vec<Waiting>, ClientError> {
        let mut out = Vec::new();
        for state in self.invitation_states().await? {
            let accepted = match &state.accepted {
                None => None,
                Some(_) => {
                    let (introduction, keys) = self.introduced(&state)?;
                    Some(Accepted { six_words: introduction.six_words(&keys), who: keys.who, name: keys.name })
                }
            };
            out.push(Waiting { id: state.invitation, purpose: state.purpose, until: state.until, accepted });
        }
        Ok(out)
    }

    /// Withdraws an invitation or pairing.
    ///
    /// # Errors
    /// Refusals.
    pub async fn withdraw_invitation(&self, id: InvitationId) -> Result<(), ClientError> {
        self.conn.tell::<Nothing>("DELETE", &format!("/v1/invitations/{id}"), None, Some(&self.session)).await
    }

    async fn followed(&mut self, id: InvitationId) -> Result<NewKeys, ClientError> {
        let states = self.invitation_states().await?;
        let state = states.iter().find(|s| s.invitation == id).ok_or(ClientError::Unknown("invitation"))?;
        Ok(self.introduced(state)?.1)
    }

    /// Admits an invited person, after both have compared the six words. They join the teams of their role, whose epochs turn.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], [`ClientError::IntroductionForged`], the directory's refusal (a second person for owners and privacy officers where the
    /// policy says so: [`Self::propose_invitation`]).
    pub async fn finish_invitation(&mut self, id: InvitationId, role: Role) -> Result<MemberId, ClientError> {
        let keys = self.followed(id).await?;
        let Recipient::Member(member) = keys.who else { return Err(ClientError::IntroductionForged) };
        self.sync().await?;
        let mut acts = vec![Act::AdmitMember { member, name: keys.name, role, sign: keys.sign, hpke: keys.hpke }];
        acts.extend(self.joining(member, role));
        self.append_with(acts, Vec::new(), None).await?;
        self.turn_epochs_if_needed().await?;
        Ok(member)
    }

    fn joining(&self, member: MemberId, role: Role) -> Vec<Act> {
        let fits = self.directory.teams().iter().filter(|(_, t)| team_kinds(role).contains(&t.kind) && !t.members.contains(&member));
        fits.map(|(team, t)| Act::ChangeTeam { team: *team, members: t.members.iter().copied().chain([member]).collect() }).collect()
    }

    /// Under the two-person rule: proposes to admit an invited person as owner or privacy officer, after both have compared the six words. Once a second person
    /// has approved it, [`Self::join_teams`].
    ///
    /// # Errors
    /// As [`Self::finish_invitation`].
    pub async fn propose_invitation(&mut self, id: InvitationId, role: Role) -> Result<MemberId, ClientError> {
        let keys = self.followed(id).await?;
        let Recipient::Member(member) = keys.who else { return Err(ClientError::IntroductionForged) };
        self.propose(Act::AdmitMember { member, name: keys.name, role, sign: keys.sign, hpke: keys.hpke }).await?;
        Ok(member)
    }

    /// Puts a member into the teams of their role, whose epochs turn.
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn join_teams(&mut self, member: MemberId) -> Result<(), ClientError> {
        self.sync().await?;
        let role = self.directory.member(&member).ok_or(ClientError::Unknown("member"))?.role;
        let acts = self.joining(member, role);
        if !acts.is_empty() {
            self.append_with(acts, Vec::new(), None).await?;
        }
        self.turn_epochs_if_needed().await
    }

    /// Certifies a linked device for teams until a date, after both screens have shown the same six words.
    ///
    /// # Errors
    /// As [`Self::finish_invitation`].
    pub async fn finish_link(&mut self, id: InvitationId, teams: BTreeSet<TeamId>, until: Timestamp) -> Result<DeviceId, ClientError> {
        let keys = self.followed(id).await?;
        let Recipient::Device(device) = keys.who else { return Err(ClientError::IntroductionForged) };
        self.sync().await?;
        let act = Act::LinkDevice { device, member: self.member, name: keys.name, sign: keys.sign, hpke: keys.hpke, teams, until };
        self.append_with(vec![act], Vec::new(), None).await?;
        self.turn_epochs_if_needed().await?;
        Ok(device)
    }

    async fn append_and_turn(&mut self, act: Act) -> Result<(), ClientError> {
        self.append(vec![act]).await?;
        self.turn_epochs_if_needed().await
    }

    /// Ends a device's trust: its sessions end, the epochs of its teams turn.
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn revoke_device(&mut self, device: DeviceId) -> Result<(), ClientError> {
        self.append_and_turn(Act::RevokeDevice { device }).await
    }

    /// A member leaves: out of every team, every device revoked; the epochs of their teams turn.
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn remove_member(&mut self, member: MemberId) -> Result<(), ClientError> {
        self.append_and_turn(Act::RemoveMember { member }).await
    }

    /// Changes a member's role. Teams stay as they are: see [`Self::change_team`].
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn set_role(&mut self, member: MemberId, role: Role) -> Result<(), ClientError> {
        self.append(vec![Act::SetRole { member, role }]).await
    }

    /// A new team, with oneself in it (else nobody here could make its first key).
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn make_team(&mut self, kind: TeamKind, name: &str, mut members: BTreeSet<MemberId>) -> Result<TeamId, ClientError> {
        let team = TeamId(random::make_bytes());
        members.insert(self.member);
        self.append_and_turn(Act::MakeTeam { team, kind, name: name.to_owned(), members }).await?;
        Ok(team)
    }

    /// Changes who is in a team; its epoch turns.
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn change_team(&mut self, team: TeamId, members: BTreeSet<MemberId>) -> Result<(), ClientError> {
        self.append_and_turn(Act::ChangeTeam { team, members }).await
    }

    /// Orders that every key of a chart be destroyed, here and at the keeper. In a practice of one it waits for days and can be withdrawn; under the two-person
    /// rule it has to be [proposed](Self::propose).
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], the directory's refusal.
    pub async fn order_erasure(&mut self, chart: ChartId) -> Result<OrderId, ClientError> {
        let order = OrderId(random::make_bytes());
        self.append(vec![Act::Order { order, kind: OrderKind::EraseChart { chart } }]).await?;
        Ok(order)
    }

    /// Withdraws an order that was not carried out yet.
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn withdraw_order(&mut self, order: OrderId) -> Result<(), ClientError> {
        self.append(vec![Act::WithdrawOrder { order }]).await
    }

    /// A legal hold or retention duty: nothing of the chart is erased until it is lifted ([`Act::LiftHold`]).
    ///
    /// # Errors
    /// The directory's refusal.
    pub async fn hold(&mut self, chart: ChartId, until: Option<Timestamp>) -> Result<(), ClientError> {
        self.append(vec![Act::Hold { chart, until }]).await
    }

    /// Reviews a colleague's stop at the gate: their counter of foreign charts begins anew. Alone in a practice it takes effect a day after it was first asked
    /// for: call it again then. What was signed is kept in the pins meanwhile, so store [`Vault::seal_local`] also after the refusal.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`]; refusals, with `wait` as [`ClientError::server_code`] while the day lasts.
    pub async fn review_pace(&mut self, member: MemberId) -> Result<(), ClientError> {
        self.sync().await?;
        let mut next = self.directory.clone();
        // The server counts the day from the first time that it saw this very statement.
        let kept = self.pins.review.take().filter(|signed| {
            let act = next.apply(signed).map(|applied| applied.directive.act);
            matches!(act, Ok(Act::ReviewPace { member: m }) if m == member)
        });
        let signed = match kept {
            Some(signed) => signed,
            None => {
                next = self.directory.clone();
                sign_acts(&mut next, &[&self.keys.sign], vec![Act::ReviewPace { member }], self.now())?.pop().ok_or(ClientError::Unknown("member"))?
            }
        };
        let append = DirectoryAppend { entries: vec![signed.clone()], seals: Vec::new(), bundle: None };
        self.pins.review = Some(signed);
        let _: DirectoryPage = self.conn.post("/v1/directory", &append, Some(&self.session)).await?;
        self.pins.review = None;
        self.adopt(next)
    }

    /// Whether two people decide this act, and oneself may be one of them. A second signature must never be all that was missing to something else.
    fn decided_by_two(&self, act: &Act) -> Result<(), ClientError> {
        if self.directory.needed(act) != Authority::TwoOwnersOrOfficers {
            return Err(ClientError::Invalid("this is not something that two people decide"));
        }
        if self.device.is_some() || !matches!(self.role()?, Role::Owner | Role::PrivacyOfficer) {
            return Err(ClientError::Never);
        }
        Ok(())
    }

    /// Proposes an act that needs a second person's signature.
    ///
    /// # Errors
    /// Refusals.
    pub async fn propose(&mut self, act: Act) -> Result<(), ClientError> {
        self.sync().await?;
        self.decided_by_two(&act)?;
        let directive = self.directory.next(self.now(), act);
        let bytes: Bytes = Endorsed::sign(&[&self.keys.sign], &self.practice, &directive).to_bytes().into();
        self.conn.tell("POST", "/v1/approvals", Some(&Approvals { waiting: vec![bytes] }), Some(&self.session)).await
    }

    /// What waits for a second signature, verified, and only what fits the directory as it is.
    ///
    /// # Errors
    /// [`ClientError::ForgedDirectory`] for a proposal that its signers did not sign.
    pub async fn approvals(&mut self) -> Result<Vec<Proposal>, ClientError> {
        self.sync().await?;
        let list: Approvals = self.conn.get("/v1/approvals", Some(&self.session)).await?;
        let mut out = Vec::new();
        for bytes in list.waiting {
            let endorsed = Endorsed::<Directive>::from_bytes(&bytes).map_err(|_| ClientError::ForgedDirectory)?;
            let find = |kid: &subrosa_model::KeyId| self.directory.signer(kid).filter(|s| s.1.is_none()).map(|s| s.2);
            let (directive, kids) = endorsed.verify(find, &self.practice).map_err(|_| ClientError::ForgedDirectory)?;
            if directive.seq != self.directory.size() || directive.prev != self.directory.head() {
                continue;
            }
            if self.directory.needed(&directive.act) != Authority::TwoOwnersOrOfficers {
                continue;
            }
            let signers = kids.iter().filter_map(|k| self.directory.signer(k)).map(|s| s.0).collect();
            out.push(Proposal { bytes, directive, signers });
        }
        Ok(out)
    }

    /// Signs a colleague's proposal, which takes effect.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for something that two people do not decide, [`ClientError::Never`]; the directory's refusal.
    pub async fn approve(&mut self, proposal: &Proposal) -> Result<(), ClientError> {
        let mut endorsed = Endorsed::<Directive>::from_bytes(&proposal.bytes).map_err(|_| ClientError::ForgedDirectory)?;
        if endorsed.peek_unverified().map_err(|_| ClientError::ForgedDirectory)? != proposal.directive {
            return Err(ClientError::ForgedDirectory);
        }
        self.decided_by_two(&proposal.directive.act)?;
        endorsed.add_signature(&self.keys.sign, &self.practice);
        let bytes: Bytes = endorsed.to_bytes().into();
        let mut next = self.directory.clone();
        next.apply(&bytes)?;
        let append = DirectoryAppend { entries: vec![bytes], seals: Vec::new(), bundle: None };
        let _: DirectoryPage = self.conn.post("/v1/directory", &append, Some(&self.session)).await?;
        self.adopt(next)?;
        self.turn_epochs_if_needed().await
    }

    /// Uses of member kits that wait: one's own, and for owners and privacy officers everybody's. Show them at every sign-in.
    ///
    /// # Errors
    /// Refusals.
    pub async fn kit_uses(&self) -> Result<Vec<KitWaiting>, ClientError> {
        let uses: KitUses = self.conn.get("/v1/kit/uses", Some(&self.session)).await?;
        Ok(uses.waiting)
    }

    /// Stops a waiting use of a kit, or lets it go on at once as a second person.
    ///
    /// # Errors
    /// [`ClientError::GatePasskey`], [`ClientError::Never`], refusals.
    pub async fn answer_kit_use(&self, member: MemberId, go_on: bool) -> Result<(), ClientError> {
        self.conn.tell("POST", "/v1/kit/answer", Some(&KitAnswer { member, go_on }), Some(&self.session)).await
    }
}

/// The kinds of team that somebody in this role joins. A wrap to a team needs that team's key, so whoever makes charts is in all three.
pub fn team_kinds(role: Role) -> &'static [TeamKind] {
    match role {
        Role::Owner | Role::Supervisor | Role::Clinician => &[TeamKind::Care, TeamKind::FrontDesk, TeamKind::OnCall],
        Role::FrontDesk | Role::Billing => &[TeamKind::FrontDesk],
        Role::PrivacyOfficer => &[],
    }
}

/// Somebody who has opened an invitation's link.
pub struct Invited {
    conn: Connection,
    introduction: Introduction,
}

/// The invitation has been followed.
pub struct AcceptedInvite {
    /// To be compared aloud with the inviter's.
    pub six_words: String,
    /// Seven words that go with a passkey without PRF: shown once.
    pub words: Option<Zeroizing<String>>,
    /// Who one will be, once an owner has confirmed it.
    pub member: MemberId,
}

impl core::fmt::Debug for AcceptedInvite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AcceptedInvite({})", self.member)
    }
}

/// Reads the fragment of a link and holds it against the server that is spoken to.
pub(crate) async fn read_introduction(conn: &Connection, fragment: &str) -> Result<Introduction, ClientError> {
    let text = fragment.trim().trim_start_matches('#');
    let introduction = Introduction::from_text(text).map_err(|_| ClientError::Invalid("this is not an invitation's link"))?;
    let hello = conn.hello().await?;
    if hello.practice != Some(introduction.practice) {
        return Err(ClientError::ServerKeySubstituted);
    }
    Ok(introduction)
}

impl Invited {
    /// Reads the link's fragment.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when it is none, [`ClientError::ServerKeySubstituted`] when the server is another practice's.
    pub async fn read(conn: &Connection, fragment: &str) -> Result<Self, ClientError> {
        Ok(Invited { conn: conn.clone(), introduction: read_introduction(conn, fragment).await? })
    }

    /// Makes keys and a passkey and hands the public halves to the inviter. Then compare the six words, wait until they have confirmed, and sign in.
    ///
    /// # Errors
    /// The passkey's or the server's refusal.
    pub async fn accept(&self, passkey: &dyn Authenticator, name: &str) -> Result<AcceptedInvite, ClientError> {
        let (practice, id) = (self.introduction.practice, self.introduction.invitation);
        let member = MemberId(random::make_bytes());
        let session_key = SigningKey::make().public();
        let start = CeremonyStart { session_key, token: String::new(), member, label: name.to_owned() };
        let ceremony: Ceremony = self.conn.post(&format!("/v1/invitations/{id}/start"), &start, None).await?;
        let credential = passkey.create(&prepare(&ceremony, &session_key)?).await?;
        let (sign, hpke, bundle_key) = (SigningKey::make(), HpkeSecret::make(), BundleKey::make());
        let bundle = Bundle {
            sign_seed: *sign.seed(),
            hpke_seed: *hpke.seed(),
            root: sign.public(),
            directory_size: 0,
            directory_head: Hash32::default(),
            ledger: LedgerPin::default(),
            expect_root: Some(self.introduction.root),
        };
        let (sealed, _) = seal_bundle(&bundle_key, &BundleContext { practice, member, version: 1 }, &bundle);
        let (way_in, words) = wrap_for_passkey(passkey, &host_of(&ceremony), &credential, &bundle_key, practice, member).await?;
        let keys = NewKeys { who: Recipient::Member(member), sign: sign.public(), hpke: hpke.public(), name: name.to_owned() };
        let accept = InvitationAccept {
            mac: self.introduction.mac(&keys).to_vec().into(),
            finish: Some(CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json }),
            bundle: Some(SealedBundle { version: 1, sealed: sealed.into(), way_in }),
            keys: keys.clone(),
        };
        self.conn.tell("POST", &format!("/v1/invitations/{id}/accept"), Some(&accept), None).await?;
        Ok(AcceptedInvite { six_words: self.introduction.six_words(&keys), words, member })
    }
}
