//! TLS 1.3, and nothing older, with certificate files that whoever runs the server gives and renews.
//!
//! The files are looked at again every few minutes: a renewed certificate is taken up without a restart, and a broken one leaves the old in place.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, version};

use crate::config::{ConfigError, TlsFiles};
use crate::log;

/// How often the files are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// The certificate in use.
#[derive(Debug)]
struct Current {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    key: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn load(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, ConfigError> {
    let wrong = |setting: &'static str, what: &str, path: &std::path::Path| ConfigError { setting, what: format!("{}: {what}", path.display()) };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| wrong("tls_certificate", "cannot be read as a PEM certificate chain", &files.certificate))?;
    if chain.is_empty() {
        return Err(wrong("tls_certificate", "holds no certificate", &files.certificate));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|_| wrong("tls_key", "cannot be read as a PEM private key", &files.key))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|_| wrong("tls_key", "does not belong to the certificate, or is of a kind that is not supported", &files.key))
}

/// Reads the certificate; gives what shakes hands with it, and keeps looking at the files until `stop`.
///
/// # Errors
/// `tls_certificate` or `tls_key`, naming the file and what is wrong with it.
pub fn acceptor(files: &TlsFiles, stop: watch::Receiver<bool>) -> Result<TlsAcceptor, ConfigError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let current = Arc::new(Current { key: RwLock::new(Arc::new(load(files, &provider)?)), files: files.clone(), provider: Arc::clone(&provider) });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|_| ConfigError { setting: "tls_certificate", what: "TLS 1.3 is not available".to_owned() })?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tokio::spawn(look_again(current, stop));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn look_again(current: Arc<Current>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        match load(&current.files, &current.provider) {
            Ok(key) => {
                let mut slot = current.key.write().unwrap_or_else(PoisonError::into_inner);
                if slot.cert != key.cert {
                    *slot = Arc::new(key);
                    log::info("a renewed certificate was taken up", &[]);
                }
            }
            Err(_) => log::warn("the certificate files cannot be used; the certificate in use stays", &[]),
        }
    }
}
