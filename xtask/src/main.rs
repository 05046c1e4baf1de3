//! `cargo xtask`: everything that is built, tested, measured or packed, without a shell script and without a
//! tool to install first.
//!
//! It never touches a running vault and is no part of any of its crates; it only calls cargo and looks at what came out.

mod bench;
mod chromium;
mod counts;
mod deb;
mod dist;
mod house;
mod licences;
mod postgres;
mod run;
mod say;
mod soak;
mod system;
mod test;
mod toolchain;
mod web;
mod web_files;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  run [-- ARGS]   build the browser app and the server and start it on http://localhost:7110
                  (with --demo: a demo practice in ./.demo; else the data directory is ./data)
  test [FILTER]   every check and test; ends with one line of counts
  check           only the checks that need no compiler: licences, arrows, house rules
  bench [NAME]    the measurements of docs/benchmarks.md (release build)
  soak            random kills under load, and other long things
  dist            the static binary and the Debian package, in target/dist
  web             only the browser app, in target/web
";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let command = if args.is_empty() { String::new() } else { args.remove(0) };
    if args.first().is_some_and(|first| first == "--") {
        args.remove(0);
    }
    let outcome = match command.as_str() {
        "run" => run::run(&args),
        "test" => return test::test(&args),
        "check" => return test::check(),
        "bench" => bench::bench(&args),
        "soak" => soak::soak(&args),
        "dist" => dist::dist(),
        "web" => web::build().map(|_| ()),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("There is no command {other:?}.\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::line(&format!("failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
