//! For drills only: what a thief would like to find. Compiled with the feature `drill-secrets`, which only the drills use.

use crate::vault::Vault;
use zeroize::Zeroizing;

impl Vault {
    /// Every secret key that this vault holds now, each with what it is: the drills search stolen copies for them.
    pub fn drill_secrets(&self) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
        let mut out: Vec<(&'static str, Zeroizing<Vec<u8>>)> = Vec::new();
        let mut put = |what, bytes: &[u8]| out.push((what, Zeroizing::new(bytes.to_vec())));
        put("signing seed", self.keys.sign.seed().as_slice());
        put("sealing seed", self.keys.hpke.seed().as_slice());
        put("session key", self.session.key.seed().as_slice());
        put("local key", self.local.expose());
        if let Some(bundle) = &self.bundle {
            put("bundle key", bundle.key.expose());
        }
        self.epochs.values().for_each(|key| put("epoch key", key.expose()));
        self.chart_keys.values().flatten().for_each(|held| put("compartment key", held.key.expose()));
        out
    }
}
