//! `subrosa`: one binary, every function a subcommand.

mod assets;

fn main() {}
