//! `cargo xtask dist`: what is handed to a practice: one static binary and a Debian package.

use crate::deb::{self, Package};
use crate::{say, system, toolchain, web, web_files, workspace};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds with release optimisation and fills `target/dist`.
pub fn dist() -> Result<()> {
    web::build()?;
    let (binary, is_static) = build()?;
    let out = workspace::target().join("dist");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let arch = std::env::consts::ARCH;
    let version = env!("CARGO_PKG_VERSION");
    let plain = out.join(format!("subrosa-{version}-linux-{arch}"));
    fs::copy(&binary, &plain)?;
    let program = fs::read(&binary)?;
    let package = Package { version, architecture: deb::architecture(arch), is_static, program, time: time_of_source() };
    let debian = out.join(format!("subrosa_{version}_{}.deb", package.architecture));
    fs::write(&debian, package.build()?)?;
    checksums(&out, &[&plain, &debian])?;
    check_package(&debian)?;
    for file in web_files::list(&out)? {
        say::line(&format!("{:>6} KiB  target/dist/{file}", fs::metadata(out.join(&file))?.len() / 1024));
    }
    Ok(())
}

/// The release binary, and whether it needs no library of the system.
fn build() -> Result<(PathBuf, bool)> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut command = workspace::cargo();
    command.args(["build", "--release", "--package", "subrosa"]);
    match prepare_static(&target) {
        Ok(compiler) => {
            say::line(&format!("building the static binary for {target}"));
            let variable = target.replace('-', "_");
            command.args(["--target", &target]).env(format!("CC_{variable}"), compiler);
            system::run(&mut command)?;
            let binary = workspace::target().join(&target).join("release/subrosa");
            check_static(&binary)?;
            Ok((binary, true))
        }
        Err(reason) => {
            say::line(&format!("NO STATIC BINARY: {reason:#}. Building one that needs this system's C library instead"));
            system::run(&mut command)?;
            Ok((workspace::target().join("release/subrosa"), false))
        }
    }
}

/// The Rust target, and a C compiler for it (SQLite and the TLS library have C in them).
fn prepare_static(target: &str) -> Result<PathBuf> {
    if !toolchain::has_target(target) {
        toolchain::rustup_add(target)?;
    }
    if system::find_on_path("musl-gcc").is_none() {
        system::apt_install(&["musl-tools"]).context("musl-gcc is missing")?;
    }
    system::find_on_path("musl-gcc").context("musl-tools is installed but has no musl-gcc")
}

/// A static binary names no interpreter: no program header of type 3 in its ELF file.
fn check_static(binary: &Path) -> Result<()> {
    let file = fs::read(binary)?;
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let field = file.get(at..at + bytes)?;
        Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let headers = || -> Option<Vec<usize>> {
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|index| number(start + index * size, 4)).collect()
    };
    let headers = headers().context("the binary is not a whole ELF file")?;
    anyhow::ensure!(!headers.contains(&3), "{} is linked dynamically", binary.display());
    say::line("ok: the binary is static");
    Ok(())
}

/// The time of the last commit, so that the same source gives the same package.
fn time_of_source() -> u64 {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let commit = || {
        let git = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(workspace::root()).output();
        git.ok().map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
    };
    given.or_else(commit).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn checksums(out: &Path, files: &[&Path]) -> Result<()> {
    let mut lines = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        lines.push_str(&format!("{}  {name}\n", web_files::hex(&Sha256::digest(fs::read(file)?))));
    }
    fs::write(out.join("SHA256SUMS"), lines)?;
    Ok(())
}

/// Asks the system's own tools whether they can read the package and accept the unit, where they are there.
fn check_package(package: &Path) -> Result<()> {
    if system::find_on_path("dpkg-deb").is_none() {
        say::line("note: no dpkg-deb here to check the package with");
        return Ok(());
    }
    let list = system::output_of(Command::new("dpkg-deb").arg("--contents").arg(package))?;
    anyhow::ensure!(list.contains("./usr/bin/subrosa"), "dpkg-deb does not find the binary in the package");
    say::line("ok: dpkg-deb reads the package");
    if system::find_on_path("systemd-analyze").is_none() {
        say::line("note: no systemd-analyze here to check the unit with");
        return Ok(());
    }
    let unit = workspace::root().join("xtask/dist/subrosa.service");
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=20", "--no-pager"])
        .arg(unit)
        .output()?;
    let said = String::from_utf8_lossy(&security.stdout);
    let verdict = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    anyhow::ensure!(security.status.success(), "systemd-analyze security: {verdict}");
    say::line(&format!("ok: systemd-analyze security: {}", verdict.trim()));
    Ok(())
}
