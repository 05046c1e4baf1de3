//! Finding the program under attack.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use subrosa_drills::Options;

/// The built program: `SUBROSA_BIN`, or `subrosa` in the same target directory; else one line says that the drill was skipped.
pub fn options() -> Option<Options> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("subrosa")));
    let binary = std::env::var_os("SUBROSA_BIN").map(PathBuf::from).or(beside).filter(|p| p.is_file());
    let Some(binary) = binary else {
        println!("skipped: the program `subrosa` is not built (cargo build -p subrosa)");
        return None;
    };
    let mut options = Options::new(binary).small();
    let corpora = std::env::var_os("SUBROSA_CORPORA").map(PathBuf::from).unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"));
    options.corpora = corpora.is_dir().then_some(corpora);
    Some(options)
}
