//! Who has looked: the verified history of a chart, and a proof file that anyone can check offline.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{VerifyingKey, cbor};
use subrosa_model::{ChartId, Compartment, MemberId, PracticeId};
use subrosa_protocol::access::{AccessEvent, ChartHistory, Extension, Purpose, What, access_origin};
use subrosa_protocol::keys::LedgerPin;

use crate::vault::Vault;
use crate::verify;
use crate::ClientError;

/// Everything that was ever recorded on a chart.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Newest first; none where the content was deleted after retention. The first is this very request.
    pub events: Vec<Option<AccessEvent>>,
    /// What the members in it are called.
    pub names: std::collections::BTreeMap<MemberId, String>,
    /// A file that proves it to anyone: see [`check_looked_proof`].
    pub proof: Vec<u8>,
}

/// A proof that can be kept and checked without any server: the chart's whole history under a signed checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LookedProof {
    /// Format: 1.
    pub v: u8,
    /// The practice.
    pub practice: PracticeId,
    /// The chart.
    pub chart: ChartId,
    /// The log's key, as the directory names it. Whoever checks compares it with what the practice published.
    pub log_key: VerifyingKey,
    /// The history.
    pub history: ChartHistory,
}

/// Checks a proof file. Gives it with its events, newest first.
///
/// # Errors
/// [`ClientError::TruncatedHistory`] or [`ClientError::ForgedCheckpoint`] when it does not hold; [`ClientError::Protocol`] when it is no such file.
pub fn check_looked_proof(bytes: &[u8]) -> Result<(LookedProof, Vec<Option<AccessEvent>>), ClientError> {
    let proof: LookedProof = cbor::decode(bytes)?;
    if proof.v != 1 {
        return Err(ClientError::Downgrade);
    }
    if !proof.history.extension.consistency.is_empty() {
        return Err(ClientError::TruncatedHistory);
    }
    let start = LedgerPin::default();
    verify::extension(&proof.history.extension, &proof.practice, Some(&proof.log_key), &start)?;
    let verified = proof.history.verify(&proof.practice, &proof.chart, &proof.log_key, &start);
    let (events, _) = verified.map_err(|_| ClientError::TruncatedHistory)?;
    Ok((proof, events))
}

impl Vault {
    /// Who has looked at a chart: every leaf that was ever recorded on it, proven complete.
    ///
    /// # Errors
    /// [`ClientError::TruncatedHistory`], [`ClientError::MissingLeaf`], [`ClientError::Fork`] and the other attacks by name; refusals.
    pub async fn who_has_looked(&mut self, chart: ChartId) -> Result<Looked, ClientError> {
        let compartments: [Compartment; 0] = [];
        let request = self.sign_request(&[chart], &compartments, Purpose::Audit, 0);
        let history: ChartHistory = self.conn.post("/v1/looked", &request.ask, Some(&self.session)).await?;
        let log_key = *self.directory.log_key().ok_or(ClientError::ForgedDirectory)?;
        // First the checkpoint by itself, so that a forged one is told apart from a shortened history.
        verify::extension(&history.extension, &self.practice, Some(&log_key), &self.pins.ledger)?;
        let (events, pin) = history.verify(&self.practice, &chart, &log_key, &self.pins.ledger).map_err(|_| ClientError::TruncatedHistory)?;
        let charts = [chart];
        let asked = self.asked(request.hash, &charts, &compartments, &[What::Audited]);
        verify::own_event(history.head.head.opened.event.as_ref(), Some(chart), &asked)?;
        self.pins.ledger = pin;
        let name = |m: &MemberId| self.directory.members().get(m).map(|i| (*m, i.name.clone()));
        let names = events.iter().flatten().filter_map(|e| e.member).filter_map(|m| name(&m)).collect();
        // Consistency was with this device's pin; in a file that stands by itself it would prove nothing.
        let extension = Extension { consistency: Vec::new(), ..history.extension };
        let proof = LookedProof { v: 1, practice: self.practice, chart, log_key, history: ChartHistory { extension, ..history } };
        Ok(Looked { events, names, proof: cbor::encode(&proof) })
    }
}

/// Name of the log that such a proof is about, for whoever prints it.
pub fn log_name(practice: &PracticeId) -> String {
    access_origin(practice)
}
