//! FHIR JSON and NDJSON in and out: what was read must come out equal.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_records::{Options, attachments, fhir, plain_text, summary_of};

fuzz_target!(|data: &[u8]| {
    let options = Options::default();
    for batch in [
        fhir::read_json(data, &options),
        fhir::read_ndjson(data, &options),
    ]
    .into_iter()
    .flatten()
    {
        let all = || {
            batch
                .items
                .iter()
                .chain(batch.unowned.iter().map(|u| &u.item))
        };
        for item in all() {
            let _ = (
                summary_of(&item.schema, &item.body),
                plain_text(&item.schema, &item.content_type, &item.body),
                attachments(&item.schema, &item.body),
            );
        }
        let out = fhir::fhir_bundle(all().map(fhir::Resource::from))
            .expect("what was read can be written");
        let again = fhir::read_json(&out, &options).expect("what was written can be read");
        assert_eq!(
            again.items.len() + again.unowned.len() + again.skipped.len(),
            all()
                .map(|item| &item.body)
                .collect::<std::collections::HashSet<_>>()
                .len()
        );
    }
});
