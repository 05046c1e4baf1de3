//! Reading what belongs to members: bundles, ways in, passkeys, kits, invitations, approvals; and the state of backup and witness.

use sqlx::any::AnyRow;
use subrosa_crypto::{VerifyingKey, Zeroizing, cbor};
use subrosa_model::{Bytes, Hash32, InvitationId, MemberId, Timestamp};
use subrosa_protocol::api::{BackupState, InvitationState, SealedBundle, WrappedBundleKey};

use crate::change::{Change, KitUseState, Log};
use crate::keys;
use crate::sql::{Columns, Value, bind, int, row, rows, run};
use crate::{Store, StoreError};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// SHA-256 of the credential id.
    pub credential: Hash32,
    /// Whose.
    pub member: MemberId,
    /// Its public state as JSON.
    pub json: String,
    /// Whether it may sign in.
    pub active: bool,
}

/// A member's newest kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitRow {
    /// Counts the kits printed.
    pub number: u32,
    /// Hash that its holder shows the preimage of.
    pub proof: Hash32,
    /// How far its use is, if somebody began to use it.
    pub used: Option<KitUseRow>,
}

/// How far the use of a kit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitUseRow {
    /// When it began.
    pub started: Timestamp,
    /// When the share may be given.
    pub ready_at: Timestamp,
    /// The session key to bind the first session to.
    pub session_key: VerifyingKey,
    /// How far it is.
    pub state: KitUseState,
}

/// An invitation or pairing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// Who invites.
    pub by: MemberId,
    /// As the inviter sees it.
    pub state: InvitationState,
    /// Whether it is finished or withdrawn.
    pub closed: bool,
    /// The new passkey, once accepted: hash of its id, and its public state as JSON.
    pub credential: Option<(Hash32, String)>,
    /// The new member's bundle and way in, once accepted.
    pub bundle: Option<SealedBundle>,
}

/// A signed checkpoint of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Number of leaves.
    pub size: u64,
    /// The note, with the newest cosignature if there is one.
    pub note: String,
    /// When it was made.
    pub at: Timestamp,
}

fn wrong_record(what: &str) -> StoreError {
    StoreError::damaged(format!("{what} points to another record"))
}

impl Store {
    async fn one(&self, sql: &'static str, mut values: Vec<Value>) -> Result<Option<AnyRow>, StoreError> {
        values.insert(0, Value::from(self.founded()?.as_bytes()));
        row(&mut *self.shared.main.reader().await?, sql, values).await
    }

    async fn many(&self, sql: &'static str, mut values: Vec<Value>) -> Result<Vec<AnyRow>, StoreError> {
        values.insert(0, Value::from(self.founded()?.as_bytes()));
        rows(&mut *self.shared.main.reader().await?, sql, values).await
    }

    /// A member's newest sealed bundle with its version.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn bundle(&self, member: &MemberId) -> Result<Option<(u64, Bytes)>, StoreError> {
        let sql = "SELECT j.body FROM bundle b JOIN journal j ON j.practice = b.practice AND j.seq = b.seq WHERE b.practice = $1 AND b.member = $2 ORDER BY b.version DESC LIMIT 1";
        match self.one(sql, bind![member.as_bytes()]).await? {
            None => Ok(None),
            Some(found) => match Change::decode(&found.blob(0)?)? {
                Change::Bundle { version, sealed, .. } => Ok(Some((version, sealed))),
                _ => Err(wrong_record("a bundle")),
            },
        }
    }

    /// A member's ways in that may be used.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn ways_in(&self, member: &MemberId) -> Result<Vec<WrappedBundleKey>, StoreError> {
        let sql = "SELECT j.body FROM way_in w JOIN journal j ON j.practice = w.practice AND j.seq = w.seq WHERE w.practice = $1 AND w.member = $2 AND w.active = 1 ORDER BY w.seq";
        self.many(sql, bind![member.as_bytes()])
            .await?
            .iter()
            .map(|r| match Change::decode(&r.blob(0)?)? {
                Change::WayIn { wrapped, .. } => Ok(wrapped),
                _ => Err(wrong_record("a way in")),
            })
            .collect()
    }

    /// One passkey.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn credential(&self, credential: &Hash32) -> Result<Option<CredentialRow>, StoreError> {
        let sql = "SELECT j.body FROM credential c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.credential = $2";
        self.one(sql, bind![*credential]).await?.map(|r| credential_row(&r)).transpose()
    }

    /// A member's passkeys that may sign in.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn credentials(&self, member: &MemberId) -> Result<Vec<CredentialRow>, StoreError> {
        let sql = "SELECT j.body FROM credential c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.member = $2 AND c.active = 1 ORDER BY c.seq";
        self.many(sql, bind![member.as_bytes()]).await?.iter().map(credential_row).collect()
    }

    /// A member's newest kit and how far its use is.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn kit(&self, member: &MemberId) -> Result<Option<KitRow>, StoreError> {
        let sql = "SELECT j.body FROM kit k JOIN journal j ON j.practice = k.practice AND j.seq = k.seq WHERE k.practice = $1 AND k.member = $2";
        let Some(found) = self.one(sql, bind![member.as_bytes()]).await? else { return Ok(None) };
        let Change::Kit { number, proof, .. } = Change::decode(&found.blob(0)?)? else { return Err(wrong_record("a kit")) };
        let sql = "SELECT j.body FROM kit_use u JOIN journal j ON j.practice = u.practice AND j.seq = u.seq WHERE u.practice = $1 AND u.member = $2 AND u.number = $3";
        let used = match self.one(sql, bind![member.as_bytes(), i64::from(number)]).await? {
            None => None,
            Some(found) => match Change::decode(&found.blob(0)?)? {
                Change::KitUse { started, ready_at, session_key, state, .. } => Some(KitUseRow { started, ready_at, session_key, state }),
                _ => return Err(wrong_record("the use of a kit")),
            },
        };
        Ok(Some(KitRow { number, proof, used }))
    }

    /// The server's share of a member's kit, if this is the newest.
    ///
    /// # Errors
    /// `not-founded`, `store-key`, `unavailable`.
    pub async fn kit_share(&self, member: &MemberId, number: u32) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let practice = self.founded()?;
        let Some(value) = self.shared.keys.named(&practice, keys::KIT_SHARE, &keys::member_name(member)).await? else { return Ok(None) };
        let (of, share): (u32, Bytes) = cbor::decode(&value)?;
        Ok((of == number).then(|| Zeroizing::new(share.0)))
    }

    /// The password of the backup repository.
    ///
    /// # Errors
    /// `not-founded`, `store-key`, `unavailable`.
    pub async fn repository(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let practice = self.founded()?;
        self.shared.keys.named(&practice, keys::REPOSITORY, &[]).await
    }

    /// One invitation.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn invitation(&self, invitation: &InvitationId) -> Result<Option<InvitationRow>, StoreError> {
        let sql = "SELECT j.body, a.body, i.closed FROM invitation i JOIN journal j ON j.practice = i.practice AND j.seq = i.seq \
                   LEFT JOIN journal a ON a.practice = i.practice AND a.seq = i.accepted WHERE i.practice = $1 AND i.invitation = $2";
        self.one(sql, bind![invitation.as_bytes()]).await?.map(|r| invitation_row(&r)).transpose()
    }

    /// A member's invitations, oldest first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn invitations(&self, by: &MemberId) -> Result<Vec<InvitationRow>, StoreError> {
        let sql = "SELECT j.body, a.body, i.closed FROM invitation i JOIN journal j ON j.practice = i.practice AND j.seq = i.seq \
                   LEFT JOIN journal a ON a.practice = i.practice AND a.seq = i.accepted WHERE i.practice = $1 AND i.made_by = $2 ORDER BY i.seq";
        self.many(sql, bind![by.as_bytes()]).await?.iter().map(invitation_row).collect()
    }

    /// Directory statements that wait for a second signature.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn approvals(&self) -> Result<Vec<Bytes>, StoreError> {
        let sql = "SELECT j.body FROM approval a JOIN journal j ON j.practice = a.practice AND j.seq = a.seq WHERE a.practice = $1 AND a.is_open = 1 ORDER BY a.seq";
        self.many(sql, Vec::new())
            .await?
            .iter()
            .map(|r| match Change::decode(&r.blob(0)?)? {
                Change::Approval { statement, .. } => Ok(statement),
                _ => Err(wrong_record("an approval")),
            })
            .collect()
    }

    /// The newest checkpoint of a log.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn checkpoint(&self, log: Log) -> Result<Option<CheckpointRow>, StoreError> {
        let sql = "SELECT c.size, j.body, c.at FROM log_checkpoint c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.log = $2 ORDER BY c.size DESC LIMIT 1";
        let Some(found) = self.one(sql, bind![log.number()]).await? else { return Ok(None) };
        let (size, at) = (found.count(0)?, Timestamp(found.int(2)?));
        let sql = "SELECT j.body FROM log_cosignature c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.log = $2 AND c.size = $3 ORDER BY c.seq DESC LIMIT 1";
        let cosigned = self.one(sql, bind![log.number(), int(size)?]).await?;
        let body = match &cosigned {
            Some(newer) => newer.blob(0)?,
            None => found.blob(1)?,
        };
        match Change::decode(&body)? {
            Change::Checkpoint { note, .. } | Change::Cosignature { note, .. } => Ok(Some(CheckpointRow { size, note, at })),
            _ => Err(wrong_record("a checkpoint")),
        }
    }

    /// The newest cosigned checkpoint of the access ledger, with the time of the cosignature.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn cosigned(&self) -> Result<Option<CheckpointRow>, StoreError> {
        let sql = "SELECT c.size, j.body, c.at FROM log_cosignature c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.log = $2 ORDER BY c.size DESC, c.at DESC LIMIT 1";
        let Some(found) = self.one(sql, bind![Log::Access.number()]).await? else { return Ok(None) };
        match Change::decode(&found.blob(1)?)? {
            Change::Cosignature { note, .. } => Ok(Some(CheckpointRow { size: found.count(0)?, note, at: Timestamp(found.int(2)?) })),
            _ => Err(wrong_record("a cosignature")),
        }
    }

    /// State of backup and witness.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn backup_state(&self) -> Result<BackupState, StoreError> {
        let newest = self.one("SELECT journal FROM head WHERE practice = $1", Vec::new()).await?.ok_or(StoreError::NotFounded)?.count(0)?;
        let note = "SELECT number, at FROM note WHERE practice = $1 AND name = $2";
        let kept = self.one(note, bind!["kept"]).await?.map(|r| Ok::<_, StoreError>((r.count(0)?, Timestamp(r.int(1)?)))).transpose()?;
        let rehearsed = self.one(note, bind!["rehearsed"]).await?.map(|r| Ok::<_, StoreError>((Timestamp(r.int(1)?), r.flag(0)?))).transpose()?;
        let sql = "SELECT size, at, witness FROM log_cosignature WHERE practice = $1 AND log = $2 ORDER BY size DESC, at DESC LIMIT 1";
        let cosigned = self.one(sql, bind![Log::Access.number()]).await?.map(|r| Ok::<_, StoreError>((r.count(0)?, Timestamp(r.int(1)?), r.text(2)?))).transpose()?;
        Ok(BackupState { kept, newest, cosigned, rehearsed })
    }

    /// A keeper confirmed the journal up to `seq`.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn set_kept(&self, seq: u64, at: Timestamp) -> Result<(), StoreError> {
        self.set_note("kept", int(seq)?, at).await
    }

    /// A restore was rehearsed.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn set_rehearsed(&self, at: Timestamp, ok: bool) -> Result<(), StoreError> {
        self.set_note("rehearsed", i64::from(ok), at).await
    }

    async fn set_note(&self, name: &'static str, number: i64, at: Timestamp) -> Result<(), StoreError> {
        let practice = self.founded()?;
        run(
            &mut *self.shared.main.writer().await?,
            "INSERT INTO note (practice, name, at, number) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, name) DO UPDATE SET at = excluded.at, number = excluded.number",
            bind![practice.as_bytes(), name, at.0, number],
        )
        .await?;
        Ok(())
    }
}

fn credential_row(found: &AnyRow) -> Result<CredentialRow, StoreError> {
    match Change::decode(&found.blob(0)?)? {
        Change::Credential { credential, member, json, active } => Ok(CredentialRow { credential, member, json, active }),
        _ => Err(wrong_record("a passkey")),
    }
}

/// From the invitation's record, the acceptance's if there is one, and the sequence of its end.
fn invitation_row(found: &AnyRow) -> Result<InvitationRow, StoreError> {
    let Change::Invitation { by, put, until } = Change::decode(&found.blob(0)?)? else { return Err(wrong_record("an invitation")) };
    let closed = found.maybe_int(2)?.is_some();
    let (accepted, credential, bundle) = match found.maybe_blob(1)? {
        None => (None, None, None),
        Some(body) => match Change::decode(&body)? {
            Change::InvitationAccepted { keys, mac, credential, bundle, .. } => (Some((keys, mac)), credential, bundle),
            _ => return Err(wrong_record("an acceptance")),
        },
    };
    let state = InvitationState { invitation: put.invitation, purpose: put.purpose, until, sealed_secret: put.sealed_secret, accepted };
    Ok(InvitationRow { by, state, closed, credential, bundle })
}
