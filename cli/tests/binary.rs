//! The binary itself. That this file exists makes `cargo test` build `target/debug/subrosa`, which the drills drive.

use std::process::Command;

#[test]
fn the_binary_explains_itself() -> std::io::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_subrosa")).arg("--help").output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}
