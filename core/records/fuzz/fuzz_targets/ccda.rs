//! C-CDA: header, sections, unstructured bodies.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_records::{Limits, Options, ccda};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let _ = ccda::sections(data, &limits);
    let _ = ccda::unstructured(data, &limits);
    if let Ok(batch) = ccda::read_ccda(data, &Options::default()) {
        assert_eq!(
            batch
                .items
                .iter()
                .chain(batch.unowned.iter().map(|u| &u.item))
                .filter(|item| item.body != data)
                .count(),
            0
        );
    }
});
