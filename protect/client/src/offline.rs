//! Without the server: the crisis sheet, the sealed roster and drafts open on this device with the passkey alone.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{BundleKey, DeviceKey, cbor, inspect, pad, seal};
use subrosa_model::{ChartId, Compartment, KeyId, MemberId, PracticeId, Timestamp};
use subrosa_protocol::api::{SealedBundle, WrappedBundleKey};
use subrosa_protocol::chart::RosterRow;
use subrosa_protocol::keys::{BundleContext, WayIn};

use crate::ClientError;
use crate::drafts::DraftBody;
use crate::local::{Owner, open_local, seal_local};
use crate::passkey::{Authenticator, local_options};
use crate::roster::{Roster, kept_rows};
use crate::vault::Vault;
use crate::ways::{Bring, local_key, open_way};

/// What a device keeps so that its own copies open without the server: the wrapped bundle key. Worth nothing without the passkey (or the seven words).
#[derive(Serialize, Deserialize)]
struct Door {
    v: u8,
    practice: PracticeId,
    member: MemberId,
    host: String,
    way: WrappedBundleKey,
    /// An empty envelope under the bundle key: names it, so that a wrong unwrap is noticed.
    probe: subrosa_model::Bytes,
}

/// Unlocked without a server: only this device's own copies.
pub struct Offline {
    owner: Owner,
    local: DeviceKey,
}

impl core::fmt::Debug for Offline {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Offline({})", self.owner.member)
    }
}

/// What helps in an emergency when nothing else works: contacts, safety plans, medication of the current caseload.
#[derive(Clone, Serialize, Deserialize)]
pub struct CrisisSheet {
    /// When it was drawn up.
    pub at: Timestamp,
    /// Per chart.
    pub charts: Vec<CrisisChart>,
}

impl core::fmt::Debug for CrisisSheet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CrisisSheet({} charts)", self.charts.len())
    }
}

/// One patient on the sheet.
#[derive(Clone, Serialize, Deserialize)]
pub struct CrisisChart {
    /// The chart.
    pub chart: ChartId,
    /// Name, birth date, contacts.
    pub row: RosterRow,
    /// Identity, safety plan, allergies, medication.
    pub items: Vec<CrisisItem>,
}

/// One thing on the sheet.
#[derive(Clone, Serialize, Deserialize)]
pub struct CrisisItem {
    /// Its title.
    pub title: String,
    /// When it happened.
    pub occurred: Option<String>,
    /// What kind of content.
    pub schema: String,
    /// Media type.
    pub content_type: String,
    /// The content.
    pub body: subrosa_model::Bytes,
}

/// Whether an entry belongs on the crisis sheet.
fn on_the_sheet(compartment: Compartment, schema: &str) -> bool {
    const RECORD: [&str; 9] = [
        "safety-plan/",
        "crisis-plan/",
        "medication/",
        "allergies/",
        "fhir-r4/MedicationRequest",
        "fhir-r4/MedicationStatement",
        "fhir-r4/AllergyIntolerance",
        "fhir-r4/CarePlan",
        "fhir-r4/Flag",
    ];
    match compartment {
        Compartment::Identity => true,
        Compartment::Record => RECORD.iter().any(|s| schema.starts_with(s)),
        _ => false,
    }
}

impl Vault {
    /// What to store beside the sealed copies so that they open offline. Renew it after signing in with another passkey.
    ///
    /// # Errors
    /// [`ClientError::NotHere`] on a linked device (its own file opens them) or after coming in with a kit.
    pub async fn offline_door(&self) -> Result<Vec<u8>, ClientError> {
        let held = self.bundle.as_ref().ok_or(ClientError::NotHere("a linked device opens its copies with its own keys"))?;
        let way = held.way.clone().ok_or(ClientError::NotHere("sign in with a passkey first"))?;
        let host = self.conn.hello().await?.host;
        let context = BundleContext { practice: self.practice, member: self.member, version: 0 };
        let probe = seal(&held.key, &context, &pad(&[], 256)).into();
        Ok(cbor::encode(&Door { v: 1, practice: self.practice, member: self.member, host, way, probe }))
    }

    /// Draws up the crisis sheet of these charts (the current caseload) and seals it for this device. It counts as opening them, all in one request;
    /// show the passkey first ([`Vault::fresh`]).
    ///
    /// # Errors
    /// As [`Vault::open_charts`].
    pub async fn crisis_sheet(&mut self, charts: &[ChartId]) -> Result<Vec<u8>, ClientError> {
        let opened = self.open_charts(charts, &[Compartment::Identity, Compartment::Record]).await?;
        let mut sheet = CrisisSheet { at: self.now(), charts: Vec::with_capacity(opened.len()) };
        for chart in opened {
            let mut items = Vec::new();
            for entry in &chart.entries {
                if let Some(head) = entry.head().filter(|h| on_the_sheet(entry.compartment, &h.body.schema)) {
                    items.push(CrisisItem {
                        title: head.body.title.clone(),
                        occurred: head.body.occurred.clone(),
                        schema: head.body.schema.clone(),
                        content_type: head.body.content_type.clone(),
                        body: head.body.body.clone(),
                    });
                }
            }
            let row = self.roster.row(&chart.chart).cloned().unwrap_or_default();
            sheet.charts.push(CrisisChart { chart: chart.chart, row, items });
        }
        Ok(seal_local(&self.local, self.owner(), "crisis", &sheet))
    }

    /// Opens this device's crisis sheet while signed in.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`].
    pub fn open_crisis_sheet(&self, sealed: &[u8]) -> Result<CrisisSheet, ClientError> {
        open_local(&self.local, self.owner(), "crisis", sealed)
    }

    /// Seals a draft for this device, for when the server cannot be reached or the page has to reload.
    pub fn seal_local_draft(&self, draft: &DraftBody) -> Vec<u8> {
        seal_local(&self.local, self.owner(), "draft", draft)
    }

    /// Opens such a draft.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`].
    pub fn open_local_draft(&self, sealed: &[u8]) -> Result<DraftBody, ClientError> {
        open_local(&self.local, self.owner(), "draft", sealed)
    }
}

/// Unlocks this device's copies without the server. `seven_words` only where the passkey has no PRF.
///
/// # Errors
/// The passkey's refusal, [`ClientError::WrongWords`], [`ClientError::LocalCopy`].
pub async fn open_offline(passkey: &dyn Authenticator, seven_words: Option<&str>, door: &[u8]) -> Result<Offline, ClientError> {
    let door: Door = cbor::decode(door).map_err(|_| ClientError::LocalCopy)?;
    if door.v != 1 {
        return Err(ClientError::Downgrade);
    }
    // The same function that opens it after signing in; the probe stands in the bundle's place.
    let bundle = SealedBundle { version: 0, sealed: door.probe, way_in: door.way };
    let key: BundleKey = match (&bundle.way_in.way, seven_words) {
        (WayIn::Words { .. }, Some(words)) => open_way(&bundle, Bring::Words(words), door.practice, door.member)?,
        (WayIn::Words { .. }, None) => return Err(ClientError::PasskeyNoSecret),
        _ => {
            let credential = passkey.get(&local_options(&door.host, None)).await?;
            open_way(&bundle, Bring::Passkey(&credential), door.practice, door.member)?
        }
    };
    let named: KeyId = inspect(&bundle.sealed)?.key_id;
    if named != key.id() {
        return Err(ClientError::LocalCopy);
    }
    Ok(Offline { owner: Owner { practice: door.practice, member: door.member }, local: local_key(&key) })
}

impl Offline {
    /// Whose copies they are.
    pub fn member(&self) -> MemberId {
        self.owner.member
    }
    /// Opens the crisis sheet.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`].
    pub fn crisis_sheet(&self, sealed: &[u8]) -> Result<CrisisSheet, ClientError> {
        open_local(&self.local, self.owner, "crisis", sealed)
    }
    /// Opens the roster.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`].
    pub fn roster(&self, sealed: &[u8]) -> Result<Roster, ClientError> {
        kept_rows(&self.local, self.owner, sealed)
    }
    /// Seals a draft.
    pub fn seal_draft(&self, draft: &DraftBody) -> Vec<u8> {
        seal_local(&self.local, self.owner, "draft", draft)
    }
    /// Opens a draft.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`].
    pub fn open_draft(&self, sealed: &[u8]) -> Result<DraftBody, ClientError> {
        open_local(&self.local, self.owner, "draft", sealed)
    }
}
