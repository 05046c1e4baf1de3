//! Certificates by ACME (RFC 8555): HTTP-01, answered on port 80, or DNS-01, by a program that sets the record.
//!
//! Certificate, key and account lie in `tls/` of the data directory, readable by the server's user only. A certificate is renewed when a third of its
//! life is left. What speaks TLS looks at the files again every few minutes (see [`crate::tls`]).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, LetsEncrypt, NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use subrosa_model::Timestamp;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::{AcmeSettings, ConfigError, TlsFiles};
use crate::log;

/// How often the certificate's age is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_secs(6 * 3600);
/// How long an answer may wait for the world to see it: DNS records take their time.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(180);

/// Tokens that the certificate authority will ask for on port 80, with their answers.
type Tokens = Arc<Mutex<HashMap<String, String>>>;

/// Why no certificate was got.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The certificate authority, or the way to it.
    #[error("the certificate authority did not give a certificate: {0}")]
    Authority(String),
    /// The record could not be set.
    #[error("the program that sets DNS records failed: {0}")]
    Hook(String),
    /// A file.
    #[error("{0}")]
    File(String),
}

impl From<instant_acme::Error> for AcmeError {
    fn from(e: instant_acme::Error) -> Self {
        AcmeError::Authority(e.to_string())
    }
}

/// Gets certificates for one host name and keeps them new.
pub struct Acme {
    host: String,
    settings: AcmeSettings,
    folder: PathBuf,
    tokens: Tokens,
    plain: tokio::task::JoinHandle<()>,
}

impl Drop for Acme {
    fn drop(&mut self) {
        self.plain.abort();
    }
}

impl Acme {
    /// For a host name, with its files in the data directory. Begins to answer on port 80 (it also sends browsers on to https).
    ///
    /// # Errors
    /// `acme_listen` when the port is taken.
    pub async fn start(host: &str, settings: &AcmeSettings, data_dir: &Path) -> Result<Self, ConfigError> {
        let tokens = Tokens::default();
        let problem = |e: std::io::Error| ConfigError {
            setting: "acme_listen",
            what: format!("cannot listen on {} for the certificate authority and for browsers that begin with http: {e}", settings.listen),
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(problem)?;
        let router = Router::new().fallback(plain).with_state((Arc::clone(&tokens), host.to_owned()));
        let plain = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Acme { plain, host: host.to_owned(), settings: settings.clone(), folder: data_dir.join("tls"), tokens })
    }

    /// Where the certificate lies.
    pub fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.folder.join("chain.pem"), key: self.folder.join("key.pem") }
    }

    /// Gets a certificate if there is none, or the one there is should be renewed. Says whether it got one.
    ///
    /// # Errors
    /// [`AcmeError`].
    pub async fn ensure(&self, now: Timestamp) -> Result<bool, AcmeError> {
        if std::fs::read(self.files().certificate).is_ok_and(|pem| !is_due(&pem, now)) && self.files().key.is_file() {
            return Ok(false);
        }
        let (chain, key) = self.order().await?;
        let files = self.files();
        // The key first: with the chain missing or old, the next look gets both anew.
        write_private(&files.key, key.as_bytes())?;
        write_private(&files.certificate, chain.as_bytes())?;
        Ok(true)
    }

    /// The same when the server starts: while there is a certificate, however old, a failure to renew it is no reason not to start.
    ///
    /// # Errors
    /// [`AcmeError`] when there is no certificate at all.
    pub async fn ensure_at_start(&self, now: Timestamp) -> Result<(), AcmeError> {
        match self.ensure(now).await {
            Err(_) if self.files().certificate.is_file() && self.files().key.is_file() => {
                log::warn("the certificate could not be renewed; it will be tried again in six hours", &[]);
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    /// Renews for as long as the server runs.
    pub async fn keep(self, clock: Clock, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
            match self.ensure(clock.now()).await {
                Ok(true) => log::info("the certificate was renewed", &[]),
                Ok(false) => {}
                Err(_) => log::warn("the certificate could not be renewed; it will be tried again in six hours", &[]),
            }
        }
    }

    async fn account(&self) -> Result<Account, AcmeError> {
        let builder = || match &self.settings.root {
            Some(root) => Account::builder_with_root(root),
            None => Account::builder(),
        };
        let file = self.folder.join("account.json");
        if let Ok(held) = std::fs::read(&file)
            && let Ok(credentials) = serde_json::from_slice::<AccountCredentials>(&held)
        {
            return Ok(builder()?.from_credentials(credentials).await?);
        }
        let directory = self.settings.directory.clone().unwrap_or_else(|| LetsEncrypt::Production.url().to_owned());
        let contact: Vec<String> = self.settings.contact.iter().map(|c| format!("mailto:{c}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder()?.create(&new, directory, None).await?;
        let text = serde_json::to_vec(&credentials).map_err(|e| AcmeError::File(e.to_string()))?;
        write_private(&file, &text)?;
        Ok(account)
    }

    async fn order(&self) -> Result<(String, String), AcmeError> {
        let account = self.account().await?;
        let names = [Identifier::Dns(self.host.clone())];
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let mut records = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let kind = if self.settings.dns_hook.is_some() { ChallengeType::Dns01 } else { ChallengeType::Http01 };
            let mut challenge = authorization.challenge(kind).ok_or_else(|| AcmeError::Authority("it does not offer this kind of challenge".to_owned()))?;
            let answer = challenge.key_authorization();
            if let Some(hook) = &self.settings.dns_hook {
                let record = (format!("_acme-challenge.{}", self.host), answer.dns_value());
                run_hook(hook, "set", &record).await?;
                records.push((hook.clone(), record));
            } else {
                self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(challenge.token.clone(), answer.as_str().to_owned());
            }
            challenge.set_ready().await?;
        }
        drop(authorizations);
        let patience = RetryPolicy::default().timeout(PATIENCE);
        let status = order.poll_ready(&patience).await;
        for (hook, record) in &records {
            let _ = run_hook(hook, "clear", record).await;
        }
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if status? != OrderStatus::Ready {
            return Err(AcmeError::Authority("it could not see the answer to its challenge; is this server reachable under its host name?".to_owned()));
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&patience).await?;
        Ok((chain, key))
    }
}

/// Runs `PROGRAM set|clear NAME VALUE`; it returns when the record is (no longer) served.
async fn run_hook(hook: &Path, what: &str, (name, value): &(String, String)) -> Result<(), AcmeError> {
    let done = tokio::process::Command::new(hook).args([what, name, value]).status().await.map_err(|e| AcmeError::Hook(e.to_string()))?;
    if done.success() { Ok(()) } else { Err(AcmeError::Hook(done.to_string())) }
}

/// Whether less than a third of a certificate's life is left, or it cannot be read.
fn is_due(pem: &[u8], now: Timestamp) -> bool {
    let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(pem) else { return true };
    let Ok(certificate) = pem.parse_x509() else { return true };
    let (from, to) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    to.saturating_sub(now.0 / 1000) < to.saturating_sub(from) / 3
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), AcmeError> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|e| AcmeError::File(format!("{} cannot be written: {e}", path.display())))
}

/// Port 80: answers the certificate authority, and sends everybody else to https.
async fn plain(State((tokens, host)): State<(Tokens, String)>, request: Request) -> Response<axum::body::Body> {
    let token = request.uri().path().strip_prefix("/.well-known/acme-challenge/");
    let known = token.and_then(|t| tokens.lock().unwrap_or_else(PoisonError::into_inner).get(t).cloned());
    let mut response = Response::new(axum::body::Body::empty());
    match (known, token) {
        (Some(answer), _) => *response.body_mut() = answer.into(),
        (None, Some(_)) => *response.status_mut() = StatusCode::NOT_FOUND,
        (None, None) => {
            let target = format!("https://{host}{}", request.uri().path_and_query().map_or("/", |p| p.as_str()));
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            if let Ok(target) = HeaderValue::from_str(&target) {
                response.headers_mut().insert(header::LOCATION, target);
            }
        }
    }
    response
}

#[cfg(test)]
mod tests;
