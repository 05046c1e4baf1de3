//! Names of files and folders, one per line: each is in at most one group.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_records::documents::{group_paths, match_label};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let paths: Vec<&str> = text.lines().collect();
    let groups = group_paths(&paths);
    let mut seen = vec![false; paths.len()];
    for file in groups.iter().flat_map(|group| &group.files) {
        assert!(!std::mem::replace(&mut seen[file.index], true));
    }
    let cards: Vec<_> = groups.iter().map(|group| group.card()).collect();
    for group in groups.iter().take(20) {
        let _ = match_label(&group.label, &cards.iter().collect::<Vec<_>>());
    }
});
