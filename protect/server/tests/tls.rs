//! TLS 1.3 with given certificate files, and what browsers are told over it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use subrosa_server::{Layer, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore};

#[tokio::test]
async fn a_server_with_a_certificate_speaks_tls_1_3_and_asks_browsers_to_stay_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["practice.test".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let layer = Layer {
        data_dir: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".into()),
        host: Some("practice.test".into()),
        tls_certificate: Some(certificate.clone()),
        tls_key: Some(key.clone()),
        ..Layer::default()
    };
    let running = Server::new(layer.clone().finish().unwrap()).start().await.unwrap();
    assert_eq!(running.origin().scheme(), "https");

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = tokio::net::TcpStream::connect(running.address()).await.unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("practice.test").unwrap(), tcp).await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    stream.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: practice.test\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let lower = answer.to_ascii_lowercase();
    for header in ["strict-transport-security: max-age=63072000", "content-security-policy: default-src 'none'", "x-content-type-options: nosniff", "referrer-policy: no-referrer"] {
        assert!(lower.contains(header), "{header} in {lower}");
    }

    // Plain HTTP on the same port gets nothing.
    let mut plain = tokio::net::TcpStream::connect(running.address()).await.unwrap();
    plain.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: practice.test\r\n\r\n").await.unwrap();
    let mut nothing = Vec::new();
    let _ = plain.read_to_end(&mut nothing).await;
    assert!(!nothing.starts_with(b"HTTP/"));
    running.stop().await;

    // A key that belongs to another certificate is named before anything is served.
    let other = rcgen::generate_simple_self_signed(vec!["other.test".to_owned()]).unwrap();
    std::fs::write(&key, other.signing_key.serialize_pem()).unwrap();
    let refused = Server::new(layer.finish().unwrap()).start().await.err().unwrap();
    assert!(refused.to_string().contains("tls_key"), "{refused}");
}
