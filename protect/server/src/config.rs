//! Settings: one TOML file, environment variables `SUBROSA_*`, and flags; the later ones win.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

/// Settings as given in one place. What is not given is taken from the place before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Folder of the databases, objects and keys.
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on.
    pub listen: Option<String>,
    /// The lasting host name, to which passkeys are bound.
    pub host: Option<String>,
    /// Address that browsers use, where it is not `http://HOST:PORT` (behind a proxy, for example).
    pub origin: Option<String>,
    /// PostgreSQL address of the main database; SQLite in the data directory if none.
    pub database: Option<String>,
    /// PostgreSQL address of the key store; the main database if none, but two are better.
    pub key_database: Option<String>,
    /// File of the store key; several servers over one PostgreSQL share one. In the data directory if none.
    pub key_file: Option<PathBuf>,
    /// PEM file of the certificate chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// A public host name for which certificates are got by ACME; it is the host name too.
    pub domain: Option<String>,
    /// Directory address of the certificate authority.
    pub acme_directory: Option<String>,
    /// E-mail address that the certificate authority may write to.
    pub acme_contact: Option<String>,
    /// Where the certificate authority asks over plain HTTP, and browsers are sent to https from.
    pub acme_listen: Option<String>,
    /// PEM file of the certificate authority's own root, where it is a private one.
    pub acme_root: Option<PathBuf>,
    /// Program that sets DNS records (`PROGRAM set|clear NAME VALUE`): DNS-01 instead of HTTP-01.
    pub acme_dns_hook: Option<PathBuf>,
    /// Requests that are worked on at the same time.
    pub max_in_flight: Option<usize>,
    /// Requests that one session may make in a minute.
    pub session_per_minute: Option<u32>,
    /// Requests without a session that one address may make in a minute.
    pub open_per_minute: Option<u32>,
    /// A demonstration: loopback only, invented people, refuses real members for ever.
    pub demo: Option<bool>,
    /// `error`, `warn`, `info` or `debug`.
    pub log: Option<String>,
}

macro_rules! every_setting {
    ($do:ident) => {
        $do!(data_dir, listen, host, origin, database, key_database, key_file, tls_certificate, tls_key, domain, acme_directory, acme_contact, acme_listen, acme_root, acme_dns_hook, max_in_flight, session_per_minute, open_per_minute, demo, log)
    };
}

impl Layer {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file and the line.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::new("config", format!("{} cannot be read: {e}", path.display())))?;
        toml::from_str(&text).map_err(|e| ConfigError::new("config", format!("{}: {}", path.display(), e.message())))
    }

    /// Reads the variables `SUBROSA_DATA_DIR`, `SUBROSA_LISTEN` and so on out of `get`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut layer = Layer::default();
        macro_rules! read {
            ($($name:ident),+) => { $(
                let variable = concat!("SUBROSA_", stringify!($name)).to_ascii_uppercase();
                if let Some(text) = get(&variable) {
                    layer.$name = Some(text.parse().map_err(|_| ConfigError::new(stringify!($name), format!("{variable} has a value of the wrong kind")))?);
                }
            )+ };
        }
        every_setting!(read);
        Ok(layer)
    }

    /// This layer where it says something, else `below`.
    #[must_use]
    pub fn over(self, below: Layer) -> Layer {
        macro_rules! merge {
            ($($name:ident),+) => { Layer { $($name: self.$name.or(below.$name)),+ } };
        }
        every_setting!(merge)
    }

    /// Checks everything and fills in what was not said.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting, what is wrong and what would be right.
    pub fn finish(self) -> Result<Config, ConfigError> {
        let listen_text = self.listen.unwrap_or_else(|| "127.0.0.1:7110".to_owned());
        let listen: SocketAddr = listen_text.parse().map_err(|_| ConfigError::new("listen", "an address and a port are needed, such as 127.0.0.1:7110"))?;
        if let (Some(domain), Some(host)) = (&self.domain, &self.host)
            && domain != host
        {
            return Err(ConfigError::new("domain", "the domain is the host name; leave host out, or give both the same"));
        }
        let acme_wanted = self.domain.is_some();
        let host = self.host.or(self.domain).unwrap_or_else(|| "localhost".to_owned());
        check_host(&host)?;
        let acme = if acme_wanted {
            let listen = self.acme_listen.unwrap_or_else(|| "0.0.0.0:80".to_owned());
            let listen = listen.parse().map_err(|_| ConfigError::new("acme_listen", "an address and a port are needed, such as 0.0.0.0:80"))?;
            if !host.contains('.') {
                return Err(ConfigError::new("domain", "certificates are given for public host names, such as practice.example.org"));
            }
            if self.tls_certificate.is_some() {
                return Err(ConfigError::new("domain", "either certificates by ACME (domain) or given ones (tls_certificate), not both"));
            }
            Some(AcmeSettings { directory: self.acme_directory, contact: self.acme_contact, listen, root: self.acme_root, dns_hook: self.acme_dns_hook })
        } else {
            None
        };
        let tls = match (self.tls_certificate, self.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            _ => return Err(ConfigError::new("tls_certificate", "a certificate needs its key and a key its certificate: give both or none")),
        };
        let origin = self.origin.map(|text| check_origin(&text, &host)).transpose()?;
        let demo = self.demo.unwrap_or(false);
        if demo && !listen.ip().is_loopback() {
            return Err(ConfigError::new("demo", "a demonstration listens on this machine only; use 127.0.0.1"));
        }
        let reached_over_tls = tls.is_some() || acme.is_some() || origin.as_ref().is_some_and(|o| o.scheme() == "https");
        if host != "localhost" && !reached_over_tls {
            return Err(ConfigError::new(
                "host",
                "browsers allow passkeys for a host name other than localhost only over TLS: give domain (certificates by ACME), or tls_certificate and tls_key, or an https origin if a proxy in front of the server speaks TLS",
            ));
        }
        if self.key_database.is_some() && self.database.is_none() {
            return Err(ConfigError::new("key_database", "the key store goes to PostgreSQL together with the main database: give database too"));
        }
        for (name, text) in [("database", &self.database), ("key_database", &self.key_database)] {
            if text.as_ref().is_some_and(|t| !t.starts_with("postgres://") && !t.starts_with("postgresql://")) {
                return Err(ConfigError::new(name, "an address that begins with postgres:// is needed; leave it out to use SQLite in the data directory"));
            }
        }
        let log = self.log.unwrap_or_else(|| "info".to_owned());
        if !["error", "warn", "info", "debug"].contains(&log.as_str()) {
            return Err(ConfigError::new("log", "one of error, warn, info, debug"));
        }
        let bounded = |name: &'static str, value: usize, most: usize| {
            if (1..=most).contains(&value) { Ok(value) } else { Err(ConfigError::new(name, format!("a number from 1 to {most}"))) }
        };
        Ok(Config {
            data_dir: self.data_dir.unwrap_or_else(|| PathBuf::from("subrosa-data")),
            listen,
            host,
            origin,
            database: self.database,
            key_database: self.key_database,
            key_file: self.key_file,
            tls,
            acme,
            max_in_flight: bounded("max_in_flight", self.max_in_flight.unwrap_or(256), 100_000)?,
            session_per_minute: bounded("session_per_minute", self.session_per_minute.unwrap_or(6000) as usize, 10_000_000)? as u32,
            open_per_minute: bounded("open_per_minute", self.open_per_minute.unwrap_or(120) as usize, 10_000_000)? as u32,
            demo,
            log,
        })
    }
}

/// Settings that were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the databases, objects and keys.
    pub data_dir: PathBuf,
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The lasting host name, to which passkeys are bound.
    pub host: String,
    /// Address that browsers use, if it was given.
    pub origin: Option<Url>,
    /// PostgreSQL address of the main database.
    pub database: Option<String>,
    /// PostgreSQL address of the key store.
    pub key_database: Option<String>,
    /// File of the store key, if not in the data directory.
    pub key_file: Option<PathBuf>,
    /// Certificate files.
    pub tls: Option<TlsFiles>,
    /// Certificates by ACME.
    pub acme: Option<AcmeSettings>,
    /// Requests that are worked on at the same time.
    pub max_in_flight: usize,
    /// Requests that one session may make in a minute.
    pub session_per_minute: u32,
    /// Requests without a session that one address may make in a minute.
    pub open_per_minute: u32,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// How much is logged.
    pub log: String,
}

/// How certificates are got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// Directory address of the certificate authority; Let's Encrypt if none.
    pub directory: Option<String>,
    /// E-mail address for it.
    pub contact: Option<String>,
    /// Where it asks over plain HTTP.
    pub listen: SocketAddr,
    /// Its root, if it is a private one.
    pub root: Option<PathBuf>,
    /// Program for DNS-01.
    pub dns_hook: Option<PathBuf>,
}

/// Where the certificate lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file of the certificate chain.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

impl Config {
    /// The address that browsers use, given the port that the server got.
    pub fn origin_at(&self, port: u16) -> Option<Url> {
        if let Some(origin) = &self.origin {
            return Some(origin.clone());
        }
        let (scheme, usual) = if self.tls.is_some() || self.acme.is_some() { ("https", 443) } else { ("http", 80) };
        let text = if port == usual { format!("{scheme}://{}", self.host) } else { format!("{scheme}://{}:{port}", self.host) };
        Url::parse(&text).ok()
    }

    /// Whether browsers reach this server over TLS.
    pub fn secure(&self) -> bool {
        self.tls.is_some() || self.acme.is_some() || self.origin.as_ref().is_some_and(|o| o.scheme() == "https")
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {what}")]
pub struct ConfigError {
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl ConfigError {
    fn new(setting: &'static str, what: impl Into<String>) -> Self {
        ConfigError { setting, what: what.into() }
    }
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        "config"
    }
}

fn check_host(host: &str) -> Result<(), ConfigError> {
    let label = |l: &str| !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') && !l.starts_with('-') && !l.ends_with('-');
    let numeric = host.parse::<std::net::IpAddr>().is_ok();
    if host.len() <= 253 && !numeric && host.split('.').all(label) {
        Ok(())
    } else {
        Err(ConfigError::new("host", "a host name in lower case is needed, not a number or an address: passkeys are bound to it for good"))
    }
}

fn check_origin(text: &str, host: &str) -> Result<Url, ConfigError> {
    let bad = || ConfigError::new("origin", format!("an address such as https://{host} is needed: scheme, this host name and, if unusual, the port"));
    let url = Url::parse(text).map_err(|_| bad())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let of_host = url.host_str().is_some_and(|h| h == host || h.ends_with(&format!(".{host}")));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && host == "localhost");
    if plain && of_host && scheme { Ok(url) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_said_gives_a_server_for_this_machine_only() {
        let config = Layer::default().finish().unwrap();
        assert_eq!(config.origin_at(7110).unwrap().as_str(), "http://localhost:7110/");
        assert!(config.listen.ip().is_loopback() && !config.secure() && !config.demo);
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file: Layer = toml::from_str("listen = '127.0.0.1:1'\nhost = 'localhost'\nlog = 'warn'").unwrap();
        let env = Layer::from_env(|name| (name == "SUBROSA_LISTEN").then(|| "127.0.0.1:2".to_owned())).unwrap();
        let flags = Layer { listen: Some("127.0.0.1:3".to_owned()), ..Layer::default() };
        let config = flags.over(env.clone()).over(file.clone()).finish().unwrap();
        assert_eq!((config.listen.port(), config.log.as_str()), (3, "warn"));
        assert_eq!(env.over(file).finish().unwrap().listen.port(), 2);
    }

    #[test]
    fn a_misspelt_setting_is_an_error_and_not_ignored() {
        assert!(toml::from_str::<Layer>("lissten = '127.0.0.1:1'").is_err());
        let wrong = Layer::from_env(|name| (name == "SUBROSA_DEMO").then(|| "perhaps".to_owned())).unwrap_err();
        assert_eq!(wrong.setting, "demo");
    }

    #[test]
    fn settings_that_would_be_unsafe_or_cannot_work_are_refused_by_name() {
        let refused = |layer: Layer| layer.finish().unwrap_err().setting;
        let host = |h: &str| Layer { host: Some(h.to_owned()), ..Layer::default() };
        assert_eq!(refused(host("127.0.0.1")), "host");
        assert_eq!(refused(host("practice.example.org")), "host");
        assert_eq!(refused(host("Practice")), "host");
        assert_eq!(refused(Layer { demo: Some(true), listen: Some("0.0.0.0:7110".into()), ..Layer::default() }), "demo");
        assert_eq!(refused(Layer { tls_key: Some("k".into()), ..Layer::default() }), "tls_certificate");
        let domain = |d: &str| Layer { domain: Some(d.into()), ..Layer::default() };
        assert_eq!(refused(domain("practice")), "domain");
        assert_eq!(refused(Layer { host: Some("localhost".into()), ..domain("practice.example.org") }), "domain");
        assert!(domain("practice.example.org").finish().unwrap().secure());
        assert_eq!(refused(Layer { key_database: Some("postgres://a/b".into()), ..Layer::default() }), "key_database");
        assert_eq!(refused(Layer { database: Some("mysql://a/b".into()), ..Layer::default() }), "database");
        assert_eq!(refused(Layer { origin: Some("https://other.example".into()), ..host("practice.example.org") }), "origin");
        assert_eq!(refused(Layer { max_in_flight: Some(0), ..Layer::default() }), "max_in_flight");
        assert!(Layer { origin: Some("https://practice.example.org".into()), ..host("practice.example.org") }.finish().unwrap().secure());
    }
}
