//! How to compile for `wasm32-unknown-unknown` on this machine: with rustup's target, or where that is refused
//! with Debian's compiler, which can build the standard library from source.

use crate::{say, system, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const WASM: &str = "wasm32-unknown-unknown";
/// Set to `debian` to take Debian's compiler even where rustup has the target.
const FORCE: &str = "SUBROSA_WASM_TOOLCHAIN";

/// The way chosen.
#[derive(Debug)]
pub enum Toolchain {
    /// The target is installed beside the normal compiler.
    Rustup,
    /// Debian's `/usr/bin/rustc` with `-Zbuild-std`; the folder holds `rust-lld`.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// Finds a way, installing what is missing and allowed.
    pub fn find() -> Result<Self> {
        if std::env::var(FORCE).is_ok_and(|value| value == "debian") {
            say::line(&format!("{FORCE}=debian: taking Debian's compiler for the browser app"));
            return debian();
        }
        if has_target(WASM) {
            return Ok(Self::Rustup);
        }
        match rustup_add(WASM) {
            Ok(()) => Ok(Self::Rustup),
            Err(reason) => {
                say::line(&format!("{reason:#}; trying Debian's compiler instead"));
                debian().with_context(|| {
                    format!("the browser app needs the Rust target {WASM}: `rustup target add {WASM}`")
                })
            }
        }
    }

    /// A `cargo build` for the target, and the folder its profile folders lie in.
    pub fn build_command(&self) -> (Command, PathBuf) {
        let mut command = workspace::cargo();
        command.args(["build", "--target", WASM]);
        match self {
            Self::Rustup => (command, workspace::target().join(WASM)),
            Self::Debian { linker } => {
                let target = workspace::target().join("wasm-debian");
                command
                    .arg("-Zbuild-std=std,panic_abort")
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .env("CARGO_TARGET_DIR", &target)
                    // Set by cargo and rustup for their own compiler; Debian's must load its own libraries.
                    .env_remove("LD_LIBRARY_PATH")
                    .env_remove("RUSTUP_TOOLCHAIN");
                (command, target.join(WASM))
            }
        }
    }
}

/// Whether the compiler in use has the standard library of `target`.
pub fn has_target(target: &str) -> bool {
    let output = rustc().args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|out| {
        out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir()
    })
}

/// Adds a target with rustup; it must be there afterwards.
pub fn rustup_add(target: &str) -> Result<()> {
    if system::find_on_path("rustup").is_none() {
        bail!("the target {target} is missing and there is no rustup to add it");
    }
    say::line(&format!("adding the target {target} with rustup"));
    let status = Command::new("rustup")
        .args(["target", "add", target])
        .stdin(Stdio::null())
        .status()
        .context("could not start rustup")?;
    if !status.success() || !has_target(target) {
        bail!("rustup could not add the target {target}");
    }
    Ok(())
}

fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn debian() -> Result<Toolchain> {
    let source = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
    if !Path::new("/usr/bin/rustc").exists() || !Path::new(source).exists() {
        system::apt_install(&["rustc-web", "rust-web-src"])?;
    }
    let linker = linker()?;
    say::line("using /usr/bin/rustc and building the Rust standard library for the browser from source");
    Ok(Toolchain::Debian { linker })
}

/// `rust-lld` of the normal toolchain, or Debian's.
fn linker() -> Result<PathBuf> {
    for compiler in ["rustc", "/usr/bin/rustc"] {
        let Ok(output) = Command::new(compiler).args(["--print", "sysroot"]).output() else {
            continue;
        };
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let host = format!("lib/rustlib/{}-unknown-linux-gnu/bin/rust-lld", std::env::consts::ARCH);
        let linker = Path::new(&sysroot).join(host);
        if linker.is_file() {
            return Ok(linker);
        }
    }
    if let Some(linker) = system::find_on_path("rust-lld").or_else(|| system::find_on_path("wasm-ld")) {
        return Ok(linker);
    }
    system::apt_install(&["lld"])?;
    system::find_on_path("wasm-ld").context("no linker for WebAssembly: neither rust-lld nor wasm-ld is there")
}
