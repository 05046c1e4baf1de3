//! Patient lists: every row that is not blank is taken or reported.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_records::{Limits, Options, roster};

fuzz_target!(|data: &[u8]| {
    let Ok(sheet) = roster::open(data, &Limits::default()) else {
        return;
    };
    let mut mapping = roster::suggest(&sheet).mapping;
    mapping.dates = Some(roster::DateOrder::DayMonthYear);
    if let Some(first) = mapping.columns.first_mut() {
        *first = Some(roster::Field::FullName);
    }
    if let Ok(batch) = roster::read_roster(
        &sheet,
        &mapping,
        &Options {
            this_year: Some(2026),
            ..Options::default()
        },
    ) {
        let rows = batch
            .items
            .iter()
            .filter(|item| item.schema == "roster-row")
            .count();
        assert_eq!(rows + batch.skipped.len(), sheet.len());
    }
});
