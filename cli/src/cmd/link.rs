//! `subrosa link`: makes this computer a linked device of a signed-in member.

use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use subrosa_client::{ClientError, Connection, DeviceSecrets, HttpTransport, MIN_PASSPHRASE, PinnedTransport, SystemClock, Transport, device_signin, offer_device};
use subrosa_crypto::Zeroizing;

use crate::out::{Failure, Out};

/// The passphrase of the device file, for automation.
const PASSPHRASE: &str = "SUBROSA_PASSPHRASE";
/// A pairing can be followed for an hour; so long the browser is waited for.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Time between two looks whether the browser has confirmed; two requests each, well below what one address may ask.
const EVERY: Duration = Duration::from_secs(4);

/// Make this computer a linked device, for imports.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa link --server http://localhost:7110 --device office.device --name Office\n\nIn the browser: Devices, Link a device. Paste the text shown there here, compare the six words on both sides, then confirm in the browser.\nThe keys are kept in the file, sealed under a passphrase. Without a terminal, the text and the passphrase are read from standard input, one line each;\nSUBROSA_PASSPHRASE gives the passphrase instead.")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// New file for this device's keys.
    #[arg(long, value_name = "FILE")]
    device: PathBuf,
    /// What the list of devices calls this one; the server sees it.
    #[arg(long, default_value = "Linked computer")]
    name: String,
}

/// What went wrong on the member's side, with the exit code that it deserves.
pub fn failure(e: &ClientError) -> Failure {
    let code = e.server_code().unwrap_or(e.code()).to_owned();
    if e.is_attack() { Failure::refused(code, e.to_string()) } else { Failure::failed(code, e.to_string()) }
}

/// Where the server is.
#[derive(clap::Args)]
pub struct Place {
    /// Address of the server.
    #[arg(long, value_name = "URL", default_value = "http://localhost:7110")]
    pub server: String,
    /// The server's own certificate (PEM or DER), where this computer does not trust it anyway. No other is accepted then.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
}

impl Place {
    /// Speaks to it.
    pub fn connect(&self) -> Result<Connection, Failure> {
        let wrong = |_| Failure::usage("server", format!("{} is not an address such as https://records.example.", self.server));
        let away = self.server.contains('@') || self.server.starts_with("http:") && !["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|here| {
            self.server.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if away {
            return Err(Failure::usage("server", "Over a network the server is spoken to with https only. Without a certificate, use a tunnel (ssh -L 7110:localhost:7110 SERVER) and http://localhost:7110."));
        }
        let transport: Arc<dyn Transport> = match &self.certificate {
            None => Arc::new(HttpTransport::new(&self.server).map_err(wrong)?),
            Some(file) => {
                let bytes = std::fs::read(file).map_err(|e| Failure::usage("certificate", format!("{} cannot be read: {e}", file.display())))?;
                let der = der_of(bytes).ok_or_else(|| Failure::usage("certificate", format!("{} is not a certificate.", file.display())))?;
                Arc::new(PinnedTransport::new(&self.server, der).map_err(wrong)?)
            }
        };
        Ok(Connection::new(transport, Arc::new(SystemClock)))
    }
}

/// The first certificate of a PEM file, or the file itself where it is DER.
fn der_of(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    match std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once(begin)) {
        Some((_, rest)) => {
            let body: String = rest.split_once(end)?.0.split_ascii_whitespace().collect();
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).ok()
        }
        // DER: a sequence.
        None => (bytes.first() == Some(&0x30)).then_some(bytes),
    }
}

fn line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Failure::failed("stdin", format!("Standard input could not be read: {e}")))?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The passphrase of the device file: from the environment, from the terminal without echo (twice for a new one), else from standard input.
pub fn passphrase(new: bool) -> Result<Zeroizing<String>, Failure> {
    let short = || Failure::usage("passphrase", format!("A passphrase has at least {MIN_PASSPHRASE} characters; several words are easy to remember."));
    let long_enough = |p: &str| p.chars().count() >= MIN_PASSPHRASE;
    if let Ok(given) = std::env::var(PASSPHRASE) {
        return if !new || long_enough(&given) { Ok(Zeroizing::new(given)) } else { Err(short()) };
    }
    if !std::io::stdin().is_terminal() {
        let given = line()?;
        return if !new || long_enough(&given) { Ok(given) } else { Err(short()) };
    }
    let ask = |what: &str| rpassword::prompt_password(what).map(Zeroizing::new).map_err(|e| Failure::failed("terminal", format!("The passphrase could not be read: {e}")));
    if !new {
        return ask("Passphrase of the device file: ");
    }
    loop {
        let first = ask("New passphrase for the device file: ")?;
        if !long_enough(&first) {
            eprintln!("{}", short().message);
        } else if *ask("The same again: ")? == *first {
            return Ok(first);
        } else {
            eprintln!("The two were not the same.");
        }
    }
}

/// Writes a file that only its owner can read: whole or not at all, and durable.
pub fn write_private(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| Failure::failed("file", format!("{} could not be written: {e}", path.display()));
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".subrosa-").tempfile_in(folder).map_err(wrong)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(wrong)?;
    let done = if overwrite { file.persist(path).map(drop) } else { file.persist_noclobber(path).map(drop) };
    done.map_err(|e| wrong(e.error))?;
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(wrong)?;
    Ok(())
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    if args.device.exists() {
        return Err(Failure::usage("exists", format!("{} is there already; a device's keys are not overwritten. Name another file.", args.device.display())));
    }
    if args.name.trim().is_empty() || args.name.len() > 200 {
        return Err(Failure::usage("name", "A device's name has 1 to 200 characters."));
    }
    super::block_on(async {
        let conn = args.place.connect()?;
        conn.hello().await.map_err(|e| failure(&e))?;
        if std::io::stdin().is_terminal() {
            eprint!("Pairing text (in the browser: Devices, Link a device): ");
        }
        let text = line()?;
        // A link may have been pasted whole.
        let fragment = text.rsplit(['#', '=']).next().unwrap_or_default().trim();
        let passphrase = passphrase(true)?;
        let offered = offer_device(&conn, fragment, args.name.trim()).await.map_err(|e| failure(&e))?;
        let sealed = offered.secrets.seal(&passphrase).map_err(|e| failure(&e))?;
        // Kept before the browser confirms: a device that is trusted and whose keys are lost could only be revoked.
        write_private(&args.device, &sealed, false)?;
        out.say(&format!("\nCompare these six words with those in the browser. If they are the same, confirm there.\n\n    {}\n", offered.six_words));
        let confirmed = tokio::select! {
            done = confirmed(&conn, &offered.secrets) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::failed("cancelled", "Cancelled. If you have confirmed in the browser, revoke the device there.")),
        };
        if let Err(e) = confirmed {
            let _ = std::fs::remove_file(&args.device);
            return Err(e);
        }
        let text = format!("Linked. The keys are in {}, sealed under the passphrase.", args.device.display());
        out.result(&text, &json!({ "ok": true, "device": offered.secrets.device().to_string(), "file": args.device }));
        Ok(())
    })
}

/// Waits until the member has confirmed: only then the device can sign in.
async fn confirmed(conn: &Connection, secrets: &DeviceSecrets) -> Result<(), Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match device_signin(conn, secrets, None).await {
            Ok(vault) => {
                let _ = vault.sign_out().await;
                return Ok(());
            }
            // Not confirmed yet, a pause of the network, or too many questions.
            Err(ClientError::Unreachable | ClientError::Refused { status: 403 | 429 | 503, .. }) => {}
            Err(e) => return Err(failure(&e)),
        }
        tokio::time::sleep(EVERY).await;
    }
    Err(Failure::failed("not-confirmed", "Nobody confirmed this device within the hour for which a pairing holds. Begin again in the browser."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_server_elsewhere_is_spoken_to_over_tls_only() {
        let place = |server: &str| Place { server: server.to_owned(), certificate: None }.connect().err().map(|e| e.exit);
        for here in ["http://localhost:7110", "http://127.0.0.1:1/", "http://[::1]:7110", "https://records.example"] {
            assert_eq!(place(here), None, "{here}");
        }
        for away in ["http://records.example", "http://localhost.evil.example", "http://localhost:80@records.example", "http://10.0.0.5:7110", "nothing"] {
            assert_eq!(place(away), Some(2), "{away}");
        }
    }

    #[test]
    fn a_certificate_is_read_as_pem_and_as_der() {
        let pem = b"-----BEGIN CERTIFICATE-----\nMAEC\r\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMAED\n-----END CERTIFICATE-----\n";
        assert_eq!(der_of(pem.to_vec()), Some(vec![0x30, 1, 2]));
        assert_eq!(der_of(vec![0x30, 1, 2]), Some(vec![0x30, 1, 2]));
        assert_eq!(der_of(b"hello".to_vec()), None);
    }

    #[test]
    fn a_file_of_keys_is_private_whole_and_never_overwritten_by_accident() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.device");
        write_private(&path, b"one", false).unwrap();
        assert_eq!(write_private(&path, b"two", false).unwrap_err().exit, 1);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        write_private(&path, b"two", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    }
}
