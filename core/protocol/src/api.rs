//! The messages of the HTTP API, version 1.
//!
//! Every body exists in JSON (bytes as base64url, ids as hex) and in CBOR (`application/cbor`, bytes as they are); a request chooses by
//! `Content-Type` and `Accept`. Statements travel as the bytes that were signed.
//!
//! A signed-in request carries `Subrosa-Session: <session id>` and `Subrosa-Signature: <see session::RequestToSign>`, and every request
//! `Subrosa-Protocol: 1`. A write carries an idempotency key in its body.

use serde::{Deserialize, Serialize};
use subrosa_crypto::VerifyingKey;
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, EntryId, Hash32, InvitationId, KeyId, MemberId, PracticeId, RelationId, SessionId, Timestamp};

use crate::access::{Extension, HeadProof, ProvenLeaf};
use crate::chart::{RosterBlob, Wrap};
use crate::entry::EntryBlob;
use crate::keys::{EpochSeal, NewKeys, WayIn};

/// The protocol version spoken here.
pub const PROTOCOL: u32 = 1;
/// Media type of CBOR bodies.
pub const CBOR: &str = "application/cbor";

/// Any refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable code.
    pub code: String,
    /// What happened, what it means, what to do.
    pub message: String,
    /// Seconds to wait before trying again, if that helps.
    pub retry_after_s: Option<u64>,
}

/// `GET /v1/hello`: what anybody may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Lowest and highest protocol version served.
    pub protocol: (u32, u32),
    /// The practice, once set up.
    pub practice: Option<PracticeId>,
    /// Whether this is a demonstration that refuses real members for ever.
    pub demo: bool,
    /// The server's time.
    pub now: Timestamp,
    /// The relying-party id of passkeys: the lasting host name.
    pub host: String,
    /// The server's checkpoint key, which the founding statement names. After the founding only the directory's word counts.
    #[serde(default)]
    pub log_key: Option<VerifyingKey>,
}

/// `GET /v1/demo`: how anybody enters a demonstration; 404 where the practice is a real one.
///
/// This has no secret: a demonstration is served on one machine only, holds invented people and refuses real members for ever. The passphrase is the
/// same in every demonstration and stands in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoEntry {
    /// The keys of a device that is linked to the demonstration's owner, sealed as a device file.
    pub device: Bytes,
    /// Opens it.
    pub passphrase: String,
}

/// Begins any passkey ceremony. The answer is a [`Ceremony`].
/// `POST /v1/setup/start`, `/v1/signin/start`, `/v1/passkey/start` (signed in: a further passkey), `/v1/fresh/start` (signed in), `/v1/invitations/{id}/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyStart {
    /// The session key that the challenge is bound to.
    pub session_key: VerifyingKey,
    /// For set-up: the token that the server printed when it was started. Else empty.
    pub token: String,
    /// The member that a new passkey is for (set-up and invitation: made by the client). Ignored when signing in.
    pub member: MemberId,
    /// The name shown by the authenticator for a new passkey. Ignored when signing in.
    pub label: String,
}

/// What a passkey ceremony needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// Names the ceremony; used once, for ten minutes.
    pub ceremony: Hash32,
    /// The nonce in the challenge: `challenge = session::challenge(nonce, session_key)`. The client checks it.
    pub nonce: Bytes,
    /// WebAuthn `PublicKeyCredentialCreationOptions` or `...RequestOptions` as JSON text (`{"publicKey":{...}}`), without the PRF extension, which the client adds.
    pub options: String,
}

/// A finished ceremony: the credential as JSON text *without* PRF results. The server refuses one that has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeremonyFinish {
    /// From [`Ceremony`].
    pub ceremony: Hash32,
    /// The credential as JSON text.
    pub credential: String,
}

/// A bundle key wrapped for one way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedBundleKey {
    /// Which way in.
    pub way: WayIn,
    /// The sealed bundle key.
    pub sealed: Bytes,
    /// Salt of the seven words; empty for others.
    pub salt: Bytes,
}

/// `POST /v1/setup/finish`: founds the practice. Answer: [`SignedIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupFinish {
    /// The first owner's passkey.
    pub finish: CeremonyFinish,
    /// The practice's id, made by the client.
    pub practice: PracticeId,
    /// The founding statements: found, admit owner, teams, epochs, bundle, in order.
    pub directory: Vec<Bytes>,
    /// Epoch keys sealed to their recipients.
    pub seals: Vec<EpochSeal>,
    /// The owner's sealed bundle.
    pub bundle: Bytes,
    /// Its key, wrapped for the passkey.
    pub way_in: WrappedBundleKey,
    /// Password of the backup repository, derived from the practice kit (its content is sealed besides).
    pub repository: Bytes,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Its id.
    pub session: SessionId,
    /// The practice.
    pub practice: PracticeId,
    /// Who signed in.
    pub member: MemberId,
    /// The sealed bundle, its version, and the way in that fits the passkey used. None for a linked device.
    pub bundle: Option<SealedBundle>,
    /// When the session ends at the latest.
    pub until: Timestamp,
    /// How many ways in the member has.
    pub ways_in: u32,
}

/// A member's sealed bundle and one way into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBundle {
    /// From 1.
    pub version: u64,
    /// The sealed bundle.
    pub sealed: Bytes,
    /// Its wrapped key.
    pub way_in: WrappedBundleKey,
}

/// `POST /v1/device/start`: a linked device begins to sign in. Answer: [`Ceremony`] with empty options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStart {
    /// The device.
    pub device: DeviceId,
    /// The session key.
    pub session_key: VerifyingKey,
}

/// `POST /v1/device/finish`. Answer: [`SignedIn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFinish {
    /// From [`Ceremony`].
    pub ceremony: Hash32,
    /// Signature over `session::device_challenge`, by the device's certified key.
    pub signature: Bytes,
}

/// `POST /v1/passkey/finish`: a further passkey of the signed-in member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyFinish {
    /// The new passkey.
    pub finish: CeremonyFinish,
    /// The bundle key wrapped for it.
    pub way_in: WrappedBundleKey,
}

/// `POST /v1/kit`: the member kit is stored. The server's share goes to the key store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitPut {
    /// The bundle key wrapped under HKDF(code || share).
    pub way_in: WrappedBundleKey,
    /// The server's share, 32 bytes, made by the client.
    pub share: Bytes,
    /// SHA-256 of "subrosa/1/kit-proof" and a subkey of the code: shows possession when the kit is used.
    pub proof: Hash32,
}

/// `POST /v1/kit/use`: somebody holds the member kit and nothing else. Starts the 24-hour wait and notices; answer: [`KitState`].
/// Repeated with the same content it reports the state; once `ready`, it answers with share and bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitUse {
    /// Whose kit.
    pub member: MemberId,
    /// The preimage of [`KitPut::proof`].
    pub proof: Bytes,
    /// The session key to bind a first session to, with which a new passkey is enrolled.
    pub session_key: VerifyingKey,
}

/// How far the use of a kit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitState {
    /// When the share may be given.
    pub ready_at: Timestamp,
    /// The server's share, once ready (or approved by a second person).
    pub share: Option<Bytes>,
    /// A session restricted to enrolling a passkey, with bundle, once ready.
    pub signed_in: Option<SignedIn>,
}

/// `GET /v1/directory?after=N`: the statements from N on. `POST /v1/directory`: [`DirectoryAppend`], answer the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryPage {
    /// Statements in order.
    pub entries: Vec<Bytes>,
    /// Size of the log.
    pub size: u64,
}

/// New directory statements, all or none. 409 `directory-out-of-sequence` if others came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryAppend {
    /// Statements in order.
    pub entries: Vec<Bytes>,
    /// Seals of the epochs among them.
    pub seals: Vec<EpochSeal>,
    /// A new sealed bundle, if a `SetBundle` is among them.
    pub bundle: Option<Bytes>,
}

/// `GET /v1/epochs`: every epoch seal for the signed-in member or device, and the chains between epochs of those teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// Seals.
    pub seals: Vec<EpochSeal>,
}

/// `POST /v1/charts`: new charts with their keys. Answer: [`Recorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCharts {
    /// Charts.
    pub charts: Vec<NewChart>,
    /// Makes a repeated request harmless.
    pub idempotency: Bytes,
}

/// A new chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewChart {
    /// Its id, made by the client.
    pub chart: ChartId,
    /// Whether it is a canary (asked of owners only).
    pub canary: bool,
    /// The wrapped compartment keys.
    pub wraps: Vec<Wrap>,
    /// The signed care relation of its maker.
    pub relation: Bytes,
}

/// `POST /v1/wraps`: further wraps of charts that the signer can open (renewal, custody, a new team).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoreWraps {
    /// Wraps.
    pub wraps: Vec<Wrap>,
}

/// `POST /v1/entries`: new versions. Answer: [`EntriesAnswer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntries {
    /// Versions.
    pub entries: Vec<EntryBlob>,
    /// New roster rows, for versions in `identity`.
    pub rows: Vec<RosterBlob>,
    /// Makes a repeated request harmless.
    pub idempotency: Bytes,
}

/// What became of new versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntriesAnswer {
    /// In the order of the request.
    pub outcomes: Vec<EntryOutcome>,
    /// Receive time of the server.
    pub at: Timestamp,
}

/// What became of one new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryOutcome {
    /// It is the entry's head now.
    Head,
    /// Its predecessor was no longer the head: both are kept as a visible conflict.
    Conflict,
    /// It was there already.
    Known,
}

/// Something was recorded in the access ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Index of its last leaf.
    pub index: u64,
    /// Receive time of the server.
    pub at: Timestamp,
}

/// `POST /v1/release`: opens charts. Answer: [`Released`]; or 403 `gate-passkey`, `gate-stop`, `never`.
/// `POST /v1/roster`: the caseload; answer: [`RosterPage`]. `POST /v1/looked`: who has looked at one chart; answer: [`crate::access::ChartHistory`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The member's (or linked device's) signed [`crate::access::ReleaseRequest`].
    pub request: Bytes,
    /// Size of the newest checkpoint that the client has pinned.
    pub pin: u64,
    /// For a roster: only what changed after this cursor. For a chart: 0.
    pub after: u64,
}

/// A release with the proof that it was recorded first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// A checkpoint that extends the client's pin and covers the recorded leaves.
    pub extension: Extension,
    /// Proof per chart, in the order asked, that this request is the chart's newest leaf.
    pub heads: Vec<HeadProof>,
    /// The charts, in the order asked.
    pub charts: Vec<ReleasedChart>,
}

/// What is released of one chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedChart {
    /// Which chart.
    pub chart: ChartId,
    /// Wraps to the asker's teams or to the asker.
    pub wraps: Vec<Wrap>,
    /// Every version of every entry in the compartments asked for, oldest first.
    pub entries: Vec<StoredEntry>,
}

/// A version as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEntry {
    /// The signed, sealed version.
    pub blob: EntryBlob,
    /// When the server received it.
    pub received: Timestamp,
    /// It stands in conflict with another version.
    pub conflict: bool,
}

/// A page of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterPage {
    /// A checkpoint that extends the client's pin and covers the recorded leaf.
    pub extension: Extension,
    /// The leaf of this synchronisation.
    pub leaf: ProvenLeaf,
    /// Rows, by cursor.
    pub rows: Vec<RosterItem>,
    /// Cursor after the last row.
    pub cursor: u64,
    /// Whether more follow.
    pub more: bool,
}

/// A chart in the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterItem {
    /// Which chart.
    pub chart: ChartId,
    /// Its row and the wrap of its identity key; none for a chart that has left the caseload or was erased.
    pub row: Option<RosterEntry>,
}

/// A roster row with what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The sealed row.
    pub blob: RosterBlob,
    /// The identity key, wrapped to one of the asker's teams.
    pub wrap: Wrap,
}

/// `POST /v1/relations`: a signed [`crate::chart::CareRelation`]. `POST /v1/relations/confirm`: a signed confirmation. Answer: [`RelationState`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationPut {
    /// The signed statement.
    pub signed: Bytes,
}

/// Whether a relation counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationState {
    /// Its id.
    pub relation: RelationId,
    /// From when it counts; none until somebody else confirms.
    pub counts_from: Option<Timestamp>,
}

/// `GET /v1/relations?chart=…` or own: relations as stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relations {
    /// Relations.
    pub relations: Vec<StoredRelation>,
}

/// A relation as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRelation {
    /// The signed relation.
    pub signed: Bytes,
    /// From when it counts.
    pub counts_from: Option<Timestamp>,
}

/// `PUT /v1/drafts/{entry}` (body) and `GET /v1/drafts` (list): one overwritten slot per author and entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The entry that it will become.
    pub entry: EntryId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment.
    pub compartment: Compartment,
    /// Id of the compartment key that the draft's key is derived from.
    pub key: KeyId,
    /// Sealed; empty removes it.
    pub sealed: Bytes,
}

/// Drafts of the signed-in member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafts {
    /// Drafts.
    pub drafts: Vec<Draft>,
}

/// `POST /v1/invitations` (owner). The secret is not in it; it travels in the link's fragment, outside the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationPut {
    /// Its id, made by the client.
    pub invitation: InvitationId,
    /// The secret sealed under the inviter's own bundle key, so that any of their devices can finish.
    pub sealed_secret: Bytes,
    /// What it is for.
    pub purpose: IntroductionPurpose,
}

/// What an introduction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntroductionPurpose {
    /// A new member.
    Member,
    /// A new device of the inviting member.
    Device,
}

/// `POST /v1/invitations/{id}/accept`: the invited person's new keys. For a member a passkey is enrolled with it ([`CeremonyFinish`]) and the bundle deposited; for a device not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationAccept {
    /// The new keys.
    pub keys: NewKeys,
    /// MAC of them under the introduction's secret.
    pub mac: Bytes,
    /// The new member's passkey; none for a device.
    pub finish: Option<CeremonyFinish>,
    /// The new member's sealed bundle (version 1) and way in; none for a device.
    pub bundle: Option<SealedBundle>,
}

/// `GET /v1/invitations` (own): state of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    /// Invitations.
    pub invitations: Vec<InvitationState>,
}

/// State of an invitation or pairing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationState {
    /// Its id.
    pub invitation: InvitationId,
    /// What it is for.
    pub purpose: IntroductionPurpose,
    /// Until when it can be accepted.
    pub until: Timestamp,
    /// The sealed secret.
    pub sealed_secret: Bytes,
    /// The new keys and their MAC, once accepted.
    pub accepted: Option<(NewKeys, Bytes)>,
}

/// `GET /v1/sessions` (own): what is signed in. `DELETE /v1/sessions/{id}` ends one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Sessions.
    pub sessions: Vec<SessionInfo>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Its id.
    pub session: SessionId,
    /// The linked device, if one.
    pub device: Option<DeviceId>,
    /// Begun.
    pub since: Timestamp,
    /// Last used.
    pub seen: Timestamp,
    /// Whether it is this one.
    pub this: bool,
}

/// `GET /v1/backup`: state of backup and witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupState {
    /// Last journal sequence that a keeper confirmed, and when.
    pub kept: Option<(u64, Timestamp)>,
    /// Last journal sequence here.
    pub newest: u64,
    /// Newest cosigned checkpoint of the access ledger: size, time, witness.
    pub cosigned: Option<(u64, Timestamp, String)>,
    /// Last rehearsed restore: when, and whether everything opened.
    pub rehearsed: Option<(Timestamp, bool)>,
}

/// `GET /v1/witnessed?pin=N`: the newest checkpoint of the access ledger that a witness cosigned, and proof that it and what the asker has seen are of one log.
/// 404 when no witness has cosigned anything yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnessed {
    /// The cosigned note.
    pub note: String,
    /// From the asker's pin to the newest checkpoint.
    pub extension: Extension,
    /// From the cosigned checkpoint to the newest one.
    pub consistency: Vec<Hash32>,
}

/// `GET /v1/approvals`, `POST /v1/approvals`: directory statements that wait for a second signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// Endorsed statements with the signatures so far.
    pub waiting: Vec<Bytes>,
}

/// `GET /v1/kit/uses`: uses of member kits that wait. A member sees their own, owners and privacy officers everybody's: the notice that makes the wait worth something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitUses {
    /// Waiting uses.
    pub waiting: Vec<KitWaiting>,
}

/// A use of a member kit that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitWaiting {
    /// Whose kit.
    pub member: MemberId,
    /// When somebody began to use it.
    pub started: Timestamp,
    /// When the share may be given.
    pub ready_at: Timestamp,
}

/// `POST /v1/kit/answer`: stops a waiting use (the member, an owner or a privacy officer), or lets it go on at once (an owner or privacy officer who is somebody else, with a
/// fresh passkey).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitAnswer {
    /// Whose kit.
    pub member: MemberId,
    /// `true` lets it go on, `false` stops it.
    pub go_on: bool,
}

/// `POST /v1/objects/{hash}`: an attachment's ciphertext, as bytes. Recorded as a release of its chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectAsk {
    /// A signed [`crate::access::ReleaseRequest`] of one chart and the compartment of the entry.
    pub request: Bytes,
    /// The entry that names the attachment.
    pub entry: EntryId,
}

/// `GET /v1/keeper/journal?after=N&limit=M` (keeper): journal records after N.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalPage {
    /// Records in order, without gaps.
    pub records: Vec<JournalRow>,
    /// Last sequence number of the journal.
    pub newest: u64,
}

/// One journal record on its way to a keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRow {
    /// From 1, without gaps.
    pub seq: u64,
    /// What kind of change it is.
    pub kind: String,
    /// Receive time of the server.
    pub at: Timestamp,
    /// On which chart.
    pub chart: Option<ChartId>,
    /// The change ([`crate::journal::Change`], encoded).
    pub body: Bytes,
}

/// `GET /v1/keeper/keys?after=N` (keeper): a copy of the key store sealed to the practice kit; from 0 it is a full one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCopyPage {
    /// Cursor after which it begins.
    pub from: u64,
    /// Cursor that it reaches.
    pub to: u64,
    /// Whether there is more after it.
    pub more: bool,
    /// The sealed copy.
    pub copy: Bytes,
    /// Password of the backup repository, derived from the practice kit. The repository's content is sealed besides.
    pub repository: Bytes,
}

/// `POST /v1/keeper/report` (keeper): how far the copy reaches, and cosignatures of the checkpoints verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperReport {
    /// Last journal sequence that lies verified and durable at the keeper.
    pub kept: u64,
    /// Cosigned checkpoint of the access ledger, as a signed note; empty when nothing was cosigned.
    pub access: String,
    /// Cosigned checkpoint of the directory log; empty when nothing was cosigned.
    pub directory: String,
}

/// `GET /v1/ways`: one's own ways in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaysIn {
    /// Ways in that work.
    pub ways: Vec<WayIn>,
}

/// `POST /v1/ways/remove`: a way in stops working, for instance the passkey of a lost device. With a fresh passkey; the last way in stays. Every other session of the member ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayInRemove {
    /// Which.
    pub way: WayIn,
}
