//! `subrosa serve`: the server.

use std::path::PathBuf;

use subrosa_server::{Asset, Clock, Config, Layer, Running, Server};

use crate::assets;
use crate::out::{Failure, Out};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
}

/// Settings as flags. What is not said here is taken from `SUBROSA_*` variables, then from the file.
#[derive(clap::Args, Default)]
pub struct Settings {
    /// TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the databases, attachments and keys [default: subrosa-data; of a demonstration: .subrosa-demo].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:7110].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The lasting host name, to which passkeys are bound [default: localhost].
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Address that browsers use, if a proxy stands in front of the server.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// PostgreSQL address of the main database [default: SQLite in the data directory].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// PostgreSQL address of the key store.
    #[arg(long, value_name = "URL")]
    key_database: Option<String>,
    /// File of the store key [default: store.key in the data directory].
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// PEM file of the certificate chain.
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Public host name: certificates are got by ACME (HTTP-01 on port 80), and it is the host name.
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// E-mail address that the certificate authority may write to.
    #[arg(long, value_name = "ADDRESS")]
    acme_contact: Option<String>,
    /// Program that sets DNS records (`PROGRAM set|clear NAME VALUE`): DNS-01 instead of HTTP-01.
    #[arg(long, value_name = "PROGRAM")]
    acme_dns_hook: Option<PathBuf>,
    /// A demonstration: invented people, this machine only, refuses real members for ever.
    #[arg(long)]
    demo: bool,
    /// How much is logged: error, warn, info or debug [default: info].
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

impl Settings {
    /// Flags over variables over the file, checked.
    pub fn config(self) -> Result<Config, Failure> {
        let wrong = |e: subrosa_server::ConfigError| Failure::usage(e.code(), format!("The settings cannot be used: {e}"));
        let file = match self.config.or_else(|| std::env::var_os("SUBROSA_CONFIG").map(PathBuf::from)) {
            Some(path) => Layer::from_file(&path).map_err(wrong)?,
            None => Layer::default(),
        };
        let env = Layer::from_env(|name| std::env::var(name).ok()).map_err(wrong)?;
        let flags = Layer {
            data_dir: self.data_dir,
            listen: self.listen,
            host: self.host,
            origin: self.origin,
            database: self.database,
            key_database: self.key_database,
            key_file: self.key_file,
            tls_certificate: self.tls_certificate,
            tls_key: self.tls_key,
            domain: self.domain,
            acme_contact: self.acme_contact,
            acme_dns_hook: self.acme_dns_hook,
            demo: self.demo.then_some(true),
            log: self.log,
            ..Layer::default()
        };
        let mut all = flags.over(env).over(file);
        if all.demo == Some(true) && all.data_dir.is_none() {
            all.data_dir = Some(PathBuf::from(".subrosa-demo"));
        }
        all.finish().map_err(wrong)
    }
}

/// The embedded browser app, as the server takes it.
pub fn embedded(path: &str) -> Option<Asset> {
    if path == "/" && assets::all().is_empty() {
        let page = assets::MISSING_PAGE.as_bytes();
        return Some(Asset { bytes: page, brotli: None, content_type: "text/html; charset=utf-8", sha256: subrosa_crypto::sha256(&[page]), immutable: false });
    }
    let a = assets::get(path)?;
    Some(Asset { bytes: a.bytes, brotli: a.brotli, content_type: a.content_type, sha256: a.sha256, immutable: a.immutable })
}

/// Logs of the server only, to standard error: other crates print what they are given.
pub fn start_log(level: &str) {
    let filter = tracing_subscriber::EnvFilter::new(format!("off,subrosa_server={level}"));
    // The message of a fault may hold what was being worked on; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|fault| match fault.location() {
        Some(at) => eprintln!("internal fault at {}:{}", at.file(), at.line()),
        None => eprintln!("internal fault"),
    }));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let config = args.settings.config()?;
    start_log(&config.log);
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::failed("runtime", format!("The server could not start: {e}")))?;
    runtime.block_on(async {
        let clock = rehearsal_clock(config.listen.ip().is_loopback(), out);
        let running = Server::new(config)
            .with_assets(embedded)
            .with_clock(clock)
            .start()
            .await
            .map_err(|e| Failure::failed(e.code(), format!("The server could not start: {e}")))?;
        let stop = wait_for_stop();
        tokio::pin!(stop);
        if running.is_demo() {
            let filled = tokio::select! {
                filled = super::demo::fill(&running, out) => filled,
                () = &mut stop => Err(Failure::failed("cancelled", "Cancelled; the next start goes on with filling the demonstration.")),
            };
            if let Err(failure) = filled {
                running.stop().await;
                return Err(failure);
            }
        }
        announce(&running, out);
        stop.await;
        out.say("Stopping: finishing what is at work.");
        running.stop().await;
        Ok(())
    })
}

/// Rehearsals let days pass: `SUBROSA_CLOCK_AHEAD_MS` sets this server's clock ahead, on this machine only. Whoever can set it could set the machine's clock.
fn rehearsal_clock(loopback: bool, out: &Out) -> Clock {
    let clock = Clock::default();
    let ahead = std::env::var("SUBROSA_CLOCK_AHEAD_MS").ok().and_then(|t| t.parse::<i64>().ok()).filter(|ms| *ms > 0 && loopback);
    if let Some(ms) = ahead {
        out.say(&format!("A rehearsal: this server's clock is {} minutes ahead.", ms / 60_000));
        clock.advance(ms);
    }
    clock
}

fn announce(running: &Running, out: &Out) {
    let origin = running.origin().to_string();
    let setup = running.setup_link().filter(|_| !running.is_demo());
    let text = match setup {
        None if running.is_demo() => format!("A demonstration with invented people runs at {origin}\n\nOpen that address and choose \"Open the demonstration\". It is served on this machine only.\n"),
        Some(link) => format!("Subrosa runs at {origin}\n\nSet up the practice here (this link works once):\n  {link}\n"),
        None => format!("Subrosa runs at {origin}\n"),
    };
    out.result(&text, &serde_json::json!({ "ok": true, "address": running.address().to_string(), "origin": origin, "setup": setup, "demo": running.is_demo() }));
}

#[cfg(unix)]
async fn wait_for_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn wait_for_stop() {
    let _ = tokio::signal::ctrl_c().await;
}
