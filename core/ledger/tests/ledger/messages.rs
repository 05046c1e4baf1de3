//! What the API and signed statements carry of the ledger.
use crate::common::*;
use subrosa_crypto::{cbor, sha256};
use subrosa_ledger::tree::{TreeHead, inclusion_proof};
use subrosa_ledger::*;
use subrosa_model::Hash32;

fn travels<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: T,
) {
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value);
    assert_eq!(cbor::decode::<T>(&cbor::encode(&value)).unwrap(), value);
}

#[test]
fn proofs_heads_edges_and_keys_travel_in_json_and_in_cbor() {
    let log = Log::of(37);
    let map: ChartMap = (0..9u8)
        .map(|n| (sha256(&[&[n]]), Hash32([n; 32])))
        .collect();
    travels(inclusion_proof(&log.nodes, 20, 37).unwrap());
    travels(log.frontier.clone());
    travels(Frontier::new());
    travels(log.frontier.head());
    travels(TreeHead::empty());
    travels(map.prove(&sha256(&[&[3]])));
    for n in 10..40u8 {
        travels(map.prove(&sha256(&[&[n]])));
    }
    travels(log_key());
    travels(witness_key(1));
    travels(origin());
}
