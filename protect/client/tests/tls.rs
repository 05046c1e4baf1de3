//! A native client with a pinned certificate, against the real server over TLS 1.3.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use subrosa_client::{Connection, PinnedTransport, SetupOptions, SoftPasskey, SystemClock, setup};
use subrosa_server::{Layer, Server};

#[tokio::test]
async fn only_the_pinned_certificate_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let layer = Layer {
        data_dir: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".into()),
        tls_certificate: Some(certificate),
        tls_key: Some(key),
        ..Layer::default()
    };
    let running = Server::new(layer.finish().unwrap()).start().await.unwrap();
    let base = format!("https://localhost:{}", running.address().port());
    let pinned = |der: &[u8]| Connection::new(Arc::new(PinnedTransport::new(&base, der.to_vec()).unwrap()), Arc::new(SystemClock));

    let stranger = pinned(other.cert.der()).hello().await.unwrap_err();
    assert_eq!(stranger.code(), "server-key-substituted");
    let conn = pinned(made.cert.der());
    assert_eq!(conn.hello().await.unwrap().host, "localhost");
    let passkey = SoftPasskey::new(&running.origin().origin().ascii_serialization());
    let options = SetupOptions { token: running.setup_token().unwrap().to_owned(), owner_name: "Ada".into(), time_zone: "UTC".into() };
    let mut vault = setup(&conn, &passkey, &options).await.unwrap().vault;
    vault.put_kit().await.unwrap();
    assert!(PinnedTransport::new("http://localhost", Vec::new()).is_err());
    running.stop().await;
}
