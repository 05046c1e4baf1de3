//! What lives shortly and is in no backup: sessions, ceremonies, nonces, drafts.

use sqlx::any::AnyRow;
use subrosa_crypto::{VerifyingKey, cbor};
use subrosa_model::{DeviceId, Hash32, MemberId, PracticeId, SessionId, Timestamp};
use subrosa_protocol::api::Draft;

use crate::keys::INSTALLATION;
use crate::sql::{Columns, bind, row, rows, run};
use crate::writer::find_practice;
use crate::{Store, StoreError};

/// How long a request's nonce and a remembered outcome are kept, in milliseconds.
const NONCE_MS: i64 = 10 * Timestamp::MINUTE;
/// How long the outcome of a request is remembered under its idempotency key, in milliseconds.
const OUTCOME_MS: i64 = 2 * Timestamp::DAY;
/// How long a draft is kept without being written again, in milliseconds.
const DRAFT_MS: i64 = 90 * Timestamp::DAY;

/// A signed-in session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub session: SessionId,
    /// Who signed in.
    pub member: MemberId,
    /// The linked device, if one.
    pub device: Option<DeviceId>,
    /// The key that signs its requests.
    pub key: VerifyingKey,
    /// Begun.
    pub since: Timestamp,
    /// Last used.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub until: Timestamp,
    /// When a passkey was last shown.
    pub passkey_at: Timestamp,
    /// Whether it may do nothing but enrol a passkey.
    pub restricted: bool,
}

const SESSION: &str = "session, member, device, session_key, since, seen, ends, passkey_at, restricted";

fn session_row(found: &AnyRow) -> Result<SessionRow, StoreError> {
    let device = found.maybe_blob(2)?.map(|d| DeviceId::from_slice(&d).ok_or_else(|| StoreError::damaged("a session's device"))).transpose()?;
    Ok(SessionRow {
        session: found.id(0, SessionId::from_slice)?,
        member: found.id(1, MemberId::from_slice)?,
        device,
        key: cbor::decode(&found.blob(3)?)?,
        since: Timestamp(found.int(4)?),
        seen: Timestamp(found.int(5)?),
        until: Timestamp(found.int(6)?),
        passkey_at: Timestamp(found.int(7)?),
        restricted: found.flag(8)?,
    })
}

impl Store {
    /// Ceremonies happen before the practice exists, too.
    fn owner(&self) -> PracticeId {
        self.practice().unwrap_or(INSTALLATION)
    }

    /// Stores a new session.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn put_session(&self, s: &SessionRow) -> Result<(), StoreError> {
        let practice = self.founded()?;
        run(
            &mut *self.shared.main.writer().await?,
            "INSERT INTO session (practice, session, member, device, session_key, since, seen, ends, passkey_at, restricted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            bind![
                practice.as_bytes(),
                s.session.as_bytes(),
                s.member.as_bytes(),
                s.device.map(|d| d.0.to_vec()),
                cbor::encode(&s.key),
                s.since.0,
                s.seen.0,
                s.until.0,
                s.passkey_at.0,
                s.restricted
            ],
        )
        .await?;
        Ok(())
    }

    /// A session that was not ended. Whether it has run out is the caller's to see.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn session(&self, session: &SessionId) -> Result<Option<SessionRow>, StoreError> {
        let practice = self.founded()?;
        let sql = sqlx::AssertSqlSafe(format!("SELECT {SESSION} FROM session WHERE practice = $1 AND session = $2"));
        row(&mut *self.shared.main.reader().await?, sql, bind![practice.as_bytes(), session.as_bytes()]).await?.map(|r| session_row(&r)).transpose()
    }

    /// A member's sessions, oldest first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn sessions(&self, member: &MemberId) -> Result<Vec<SessionRow>, StoreError> {
        let practice = self.founded()?;
        let sql = sqlx::AssertSqlSafe(format!("SELECT {SESSION} FROM session WHERE practice = $1 AND member = $2 ORDER BY since, session"));
        rows(&mut *self.shared.main.reader().await?, sql, bind![practice.as_bytes(), member.as_bytes()]).await?.iter().map(session_row).collect()
    }

    /// The session was used.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn touch_session(&self, session: &SessionId, seen: Timestamp) -> Result<(), StoreError> {
        self.change("UPDATE session SET seen = $3 WHERE practice = $1 AND session = $2 AND seen < $3", session, Some(seen)).await.map(|_| ())
    }

    /// The session showed a passkey.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn fresh_session(&self, session: &SessionId, passkey_at: Timestamp) -> Result<(), StoreError> {
        self.change("UPDATE session SET passkey_at = $3 WHERE practice = $1 AND session = $2 AND passkey_at < $3", session, Some(passkey_at)).await.map(|_| ())
    }

    /// Ends a session; whether there was one.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn end_session(&self, session: &SessionId) -> Result<bool, StoreError> {
        Ok(self.change("DELETE FROM session WHERE practice = $1 AND session = $2", session, None).await? == 1)
    }

    async fn change(&self, sql: &'static str, session: &SessionId, at: Option<Timestamp>) -> Result<u64, StoreError> {
        let practice = self.founded()?;
        let mut values = bind![practice.as_bytes(), session.as_bytes()];
        values.extend(at.map(|t| t.0.into()));
        run(&mut *self.shared.main.writer().await?, sql, values).await
    }

    /// Ends a member's sessions: those of one linked device, or all. How many there were.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn end_sessions_of(&self, member: &MemberId, device: Option<DeviceId>) -> Result<u64, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.writer().await?;
        match device {
            None => run(&mut conn, "DELETE FROM session WHERE practice = $1 AND member = $2", bind![practice.as_bytes(), member.as_bytes()]).await,
            Some(device) => {
                let sql = "DELETE FROM session WHERE practice = $1 AND member = $2 AND device = $3";
                run(&mut conn, sql, bind![practice.as_bytes(), member.as_bytes(), device.as_bytes()]).await
            }
        }
    }

    /// Remembers a ceremony until it is taken or has run out.
    ///
    /// # Errors
    /// `exists`, `disk-full`, `unavailable`.
    pub async fn put_ceremony(&self, ceremony: &Hash32, until: Timestamp, body: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO ceremony (practice, ceremony, ends, body) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, ceremony) DO NOTHING";
        let new = run(&mut *self.shared.main.writer().await?, sql, bind![self.owner().as_bytes(), *ceremony, until.0, body]).await?;
        if new == 1 { Ok(()) } else { Err(StoreError::Exists("ceremony")) }
    }

    /// Takes a ceremony out: of two callers at once one gets it. None if it was taken, never was, or has run out.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn take_ceremony(&self, ceremony: &Hash32, now: Timestamp) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "DELETE FROM ceremony WHERE practice = $1 AND ceremony = $2 RETURNING ends, body";
        let taken = rows(&mut *self.shared.main.writer().await?, sql, bind![self.owner().as_bytes(), *ceremony]).await?;
        match taken.first() {
            Some(found) if found.int(0)? >= now.0 => Ok(Some(found.blob(1)?)),
            _ => Ok(None),
        }
    }

    /// Whether this nonce is new to the session. Kept for ten minutes.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn use_nonce(&self, session: &SessionId, nonce: &[u8], now: Timestamp) -> Result<bool, StoreError> {
        let practice = self.founded()?;
        let sql = "INSERT INTO nonce (practice, session, nonce, at) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, session, nonce) DO NOTHING";
        Ok(run(&mut *self.shared.main.writer().await?, sql, bind![practice.as_bytes(), session.as_bytes(), nonce, now.0]).await? == 1)
    }

    /// Overwrites an author's draft of an entry; an empty one removes it.
    ///
    /// # Errors
    /// `not-founded`, `disk-full`, `unavailable`.
    pub async fn put_draft(&self, member: &MemberId, draft: &Draft, at: Timestamp) -> Result<(), StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.writer().await?;
        if draft.sealed.is_empty() {
            let sql = "DELETE FROM draft WHERE practice = $1 AND member = $2 AND entry = $3";
            run(&mut conn, sql, bind![practice.as_bytes(), member.as_bytes(), draft.entry.as_bytes()]).await?;
        } else {
            let sql = "INSERT INTO draft (practice, member, entry, at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (practice, member, entry) DO UPDATE SET at = excluded.at, body = excluded.body";
            run(&mut conn, sql, bind![practice.as_bytes(), member.as_bytes(), draft.entry.as_bytes(), at.0, cbor::encode(draft)]).await?;
        }
        Ok(())
    }

    /// A member's drafts, the one written last first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn drafts(&self, member: &MemberId) -> Result<Vec<Draft>, StoreError> {
        let practice = self.founded()?;
        let sql = "SELECT body FROM draft WHERE practice = $1 AND member = $2 ORDER BY at DESC, entry";
        let found = rows(&mut *self.shared.main.reader().await?, sql, bind![practice.as_bytes(), member.as_bytes()]).await?;
        found.iter().map(|r| Ok(cbor::decode(&r.blob(0)?)?)).collect()
    }

    /// Drops what has run out: sessions, ceremonies, nonces, remembered outcomes, abandoned drafts. Also notices a practice that another server founded.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut conn = self.shared.main.writer().await?;
        for (sql, before) in [
            ("DELETE FROM session WHERE ends < $1", now),
            ("DELETE FROM ceremony WHERE ends < $1", now),
            ("DELETE FROM nonce WHERE at < $1", now.plus(-NONCE_MS)),
            ("DELETE FROM outcome WHERE at < $1", now.plus(-OUTCOME_MS)),
            ("DELETE FROM draft WHERE at < $1", now.plus(-DRAFT_MS)),
        ] {
            run(&mut conn, sql, bind![before.0]).await?;
        }
        if self.practice().is_none()
            && let Some(practice) = find_practice(&mut conn).await?
        {
            self.shared.set_practice(practice);
        }
        Ok(())
    }
}
