//! Whether somebody other than the server has seen the same ledger lately.

use subrosa_ledger::{KeyName, LogKey, SignedCheckpoint, WitnessKey, tree};
use subrosa_model::Timestamp;
use subrosa_protocol::access::access_origin;
use subrosa_protocol::api::Witnessed;

use crate::ClientError;
use crate::vault::Vault;
use crate::verify;

/// How old a cosigned checkpoint may be before it is worth a warning, in milliseconds.
pub const WITNESS_WITHIN_MS: i64 = Timestamp::DAY;

/// What is known of witnesses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WitnessState {
    /// The witnesses that the directory names. With none, nobody but the server vouches for the ledger: say so.
    pub expected: Vec<String>,
    /// The newest cosignature that was verified: by whom, on how many leaves, when.
    pub newest: Option<(String, u64, Timestamp)>,
    /// Witnesses are expected and none has cosigned within a day: warn.
    pub overdue: bool,
}

impl Vault {
    /// Fetches the newest cosigned checkpoint and proves that it and everything seen here are of one log.
    ///
    /// # Errors
    /// [`ClientError::Fork`] when the witness was shown another ledger, [`ClientError::ForgedCheckpoint`] when signatures do not hold.
    pub async fn check_witness(&mut self) -> Result<WitnessState, ClientError> {
        let expected: Vec<String> = self.directory.witnesses().keys().cloned().collect();
        if expected.is_empty() {
            return Ok(WitnessState::default());
        }
        let answer = self.conn.get::<Witnessed>(&format!("/v1/witnessed?pin={}", self.pins.ledger.size), Some(&self.session)).await;
        let answer = match answer {
            Err(ClientError::Refused { status: 404, .. }) => return Ok(WitnessState { expected, newest: None, overdue: true }),
            other => other?,
        };
        let pin = verify::extension(&answer.extension, &self.practice, self.directory.log_key(), &self.pins.ledger)?;
        let forged = ClientError::ForgedCheckpoint;
        let origin: KeyName = access_origin(&self.practice).parse().map_err(|_| forged.clone())?;
        let log_key = *self.directory.log_key().ok_or(ClientError::ForgedDirectory)?;
        let cosigned = SignedCheckpoint::open(&answer.note, &[LogKey::new(origin, log_key)]).map_err(|_| forged.clone())?;
        let head = cosigned.checkpoint();
        let keys: Vec<WitnessKey> =
            self.directory.witnesses().iter().filter_map(|(name, key)| Some(WitnessKey::new(name.parse().ok()?, *key))).collect();
        let found = cosigned.cosignatures(&keys).map_err(|_| forged.clone())?;
        let newest = found.iter().max_by_key(|c| c.at).map(|c| (c.witness.to_string(), head.size, c.at)).ok_or(forged)?;
        // The witness's tree grows into the same newest tree that this device's pin grows into: one log.
        if head.size > pin.size {
            return Err(ClientError::Fork);
        }
        tree::verify_consistency(head.size, &head.root, pin.size, &pin.root, &answer.consistency).map_err(|_| ClientError::Fork)?;
        self.pins.ledger = pin;
        let overdue = self.now().since(newest.2) > WITNESS_WITHIN_MS;
        Ok(WitnessState { expected, newest: Some(newest), overdue })
    }
}
