//! `subrosa drill`: an attack replayed against this program on a scratch practice, with its control.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use subrosa_drills::Options;

use crate::out::{Failure, Out};

#[derive(ClapArgs)]
pub struct Args {
    /// Which attack.
    name: Name,
    /// Folder of sample records (FHIR) to import besides the generated charts.
    #[arg(long, value_name = "DIR", env = "SUBROSA_CORPORA")]
    corpora: Option<PathBuf>,
    /// Leave everything in this new folder instead of removing it.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// A few charts only: seconds instead of minutes.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// The whole server is copied while it runs: how much can be read?
    Theft,
    /// The server lies: how much of what it says is believed?
    Tamper,
    /// A laptop is stolen, locked or unlocked: how much can be read before the gate stops it?
    Device,
    /// The machine is destroyed: is every note readable again from kit and backup?
    TotalLoss,
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let failed = |code: &str, message: String| Failure::failed(code, message);
    let binary = std::env::current_exe().map_err(|e| failed("drill-server", format!("This program cannot find itself: {e}")))?;
    let mut options = Options::new(binary);
    options.corpora = args.corpora;
    options.keep = args.keep;
    if args.quick {
        options = options.small();
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|e| failed("runtime", format!("The drill could not start: {e}")))?;
    let say = |line: &str| out.say(line);
    let outcome = runtime.block_on(async {
        match args.name {
            Name::Theft => subrosa_drills::theft::run(&options, &say).await,
            Name::Tamper => subrosa_drills::tamper::run(&options, &say).await,
            Name::Device => subrosa_drills::device::run(&options, &say).await,
            Name::TotalLoss => subrosa_drills::total_loss::run(&options, &say).await,
        }
    });
    let outcome = outcome.map_err(|e| failed(e.code(), format!("The drill could not be carried out, so nothing was shown: {e}")))?;
    outcome.lines.iter().for_each(|line| out.say(line));
    let verdict = if outcome.passed { "Drill passed." } else { "Drill FAILED." };
    out.result(verdict, &outcome.json);
    // The result above is the last line; a failure's own line would hide it.
    if outcome.passed { Ok(()) } else { std::process::exit(1) }
}
