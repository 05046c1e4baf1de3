//! The Debian package, written without Debian's tools: an `ar` archive of two tar archives (deb(5)).

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

const UNIT: &[u8] = include_bytes!("../dist/subrosa.service");
const DEFAULTS: &[u8] = include_bytes!("../dist/default");
const SCRIPTS: [(&str, &[u8]); 3] = [
    ("postinst", include_bytes!("../dist/postinst")),
    ("prerm", include_bytes!("../dist/prerm")),
    ("postrm", include_bytes!("../dist/postrm")),
];
const COPYRIGHT: &[u8] = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
    Upstream-Name: subrosa\n\nFiles: *\nCopyright: The Subrosa authors\nLicense: MIT or Apache-2.0\n\
    \x20On Debian systems the Apache licence is in /usr/share/common-licenses/Apache-2.0.\n";

/// What goes into the package.
pub struct Package<'a> {
    /// Version of the product.
    pub version: &'a str,
    /// Debian's name of the processor.
    pub architecture: &'a str,
    /// Whether the program needs no C library.
    pub is_static: bool,
    /// The program itself.
    pub program: Vec<u8>,
    /// Seconds since 1970 that all files bear.
    pub time: u64,
}

/// Debian's name for Rust's name of a processor.
pub fn architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Package<'_> {
    /// The bytes of the `.deb`.
    pub fn build(&self) -> Result<Vec<u8>> {
        let mut archive = b"!<arch>\n".to_vec();
        self.member(&mut archive, "debian-binary", b"2.0\n");
        self.member(&mut archive, "control.tar.gz", &self.control()?);
        self.member(&mut archive, "data.tar.gz", &self.data()?);
        Ok(archive)
    }

    fn member(&self, archive: &mut Vec<u8>, name: &str, bytes: &[u8]) {
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", self.time, 0, 0, "100644", bytes.len());
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }

    fn control(&self) -> Result<Vec<u8>> {
        let depends = if self.is_static { "" } else { "Depends: libc6 (>= 2.36)\n" };
        let control = format!(
            "Package: subrosa\nVersion: {}\nArchitecture: {}\nMaintainer: The Subrosa authors <authors@subrosa.invalid>\n\
             Installed-Size: {}\n{depends}Section: web\nPriority: optional\n\
             Description: end-to-end encrypted vault for mental-health practices\n \
             The server, its database, its backups and its logs hold ciphertext; every\n \
             release of a key is in a tamper-evident ledger before the key leaves.\n",
            self.version,
            self.architecture,
            self.program.len().div_ceil(1024),
        );
        let mut tar = Archive::new(self.time);
        tar.folder("./")?;
        tar.file("./control", 0o644, control.as_bytes())?;
        tar.file("./conffiles", 0o644, b"/etc/default/subrosa\n")?;
        for (name, script) in SCRIPTS {
            tar.file(&format!("./{name}"), 0o755, script)?;
        }
        tar.finish()
    }

    fn data(&self) -> Result<Vec<u8>> {
        let mut tar = Archive::new(self.time);
        for folder in ["./", "./etc/", "./etc/default/", "./usr/", "./usr/bin/"] {
            tar.folder(folder)?;
        }
        tar.file("./etc/default/subrosa", 0o644, DEFAULTS)?;
        tar.file("./usr/bin/subrosa", 0o755, &self.program)?;
        for folder in ["./usr/lib/", "./usr/lib/systemd/", "./usr/lib/systemd/system/"] {
            tar.folder(folder)?;
        }
        tar.file("./usr/lib/systemd/system/subrosa.service", 0o644, UNIT)?;
        for folder in ["./usr/share/", "./usr/share/doc/", "./usr/share/doc/subrosa/"] {
            tar.folder(folder)?;
        }
        tar.file("./usr/share/doc/subrosa/copyright", 0o644, COPYRIGHT)?;
        tar.finish()
    }
}

/// A compressed tar archive whose files belong to root.
struct Archive {
    tar: tar::Builder<GzEncoder<Vec<u8>>>,
    time: u64,
}

impl Archive {
    fn new(time: u64) -> Self {
        Self { tar: tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best())), time }
    }

    fn folder(&mut self, path: &str) -> Result<()> {
        self.entry(path, 0o755, tar::EntryType::Directory, &[])
    }

    fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        self.entry(path, mode, tar::EntryType::Regular, bytes)
    }

    fn entry(&mut self, path: &str, mode: u32, kind: tar::EntryType, bytes: &[u8]) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        // `set_path` would take the leading "./" away, which dpkg's own packages have.
        let name = &mut header.as_gnu_mut().context("not a GNU header")?.name;
        name.get_mut(..path.len()).context("the path is too long")?.copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time);
        header.set_size(u64::try_from(bytes.len())?);
        header.set_cksum();
        Ok(self.tar.append(&header, bytes)?)
    }

    fn finish(self) -> Result<Vec<u8>> {
        Ok(self.tar.into_inner()?.finish()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    fn package() -> Package<'static> {
        Package { version: "1.2.3", architecture: "amd64", is_static: true, program: b"program".to_vec(), time: 1_700_000_000 }
    }

    #[test]
    fn the_same_source_gives_the_same_package() {
        assert_eq!(package().build().unwrap(), package().build().unwrap());
    }

    #[test]
    fn dpkg_reads_the_package_and_finds_the_hardened_unit() {
        if crate::system::find_on_path("dpkg-deb").is_none() {
            println!("skipped: there is no dpkg-deb here");
            return;
        }
        let file = std::env::temp_dir().join(format!("subrosa-test-{}.deb", std::process::id()));
        std::fs::write(&file, package().build().unwrap()).unwrap();
        let ask = |what: &str| {
            let output = Command::new("dpkg-deb").arg(what).arg(&file).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert!(ask("--info").contains("Version: 1.2.3"));
        let contents = ask("--contents");
        std::fs::remove_file(&file).unwrap();
        for path in ["./usr/bin/subrosa", "./usr/lib/systemd/system/subrosa.service", "./etc/default/subrosa"] {
            assert!(contents.contains(path), "{contents}");
        }
        assert!(contents.lines().all(|line| line.contains("root/root") || line.contains("0/0")), "{contents}");
    }
}
