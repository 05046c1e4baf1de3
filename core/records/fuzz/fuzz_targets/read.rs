//! Any file: the first byte picks the name's ending, the rest is the content. Covers detection and archives.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_records::{Limits, Options, plain_text, read, summary_of};

fuzz_target!(|data: &[u8]| {
    let Some((pick, bytes)) = data.split_first() else {
        return;
    };
    let name = [
        "a.json",
        "a.ndjson",
        "a.xml",
        "a.csv",
        "a.zip",
        "Doe, Jane/a.txt",
        "a.html",
        "a",
    ][usize::from(pick % 8)];
    let options = Options {
        limits: Limits {
            zip_total: 16 << 20,
            ..Limits::browser()
        },
        ..Options::default()
    };
    if let Ok(batch) = read(name, bytes, &options) {
        for item in &batch.items {
            let _ = summary_of(&item.schema, &item.body);
            let _ = plain_text(&item.schema, &item.content_type, &item.body);
        }
    }
});
