//! Against a certificate authority in this process: it asks for the answer on the plain port, signs what it is sent, and its certificate is then served.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

struct Authority {
    base: String,
    plain: std::net::SocketAddr,
    issuer: Issuer<'static, KeyPair>,
    proven: AtomicBool,
    issued: Mutex<Option<String>>,
}

fn payload(body: &[u8]) -> Value {
    let jws: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let bytes = subrosa_crypto::from_base64url(jws["payload"].as_str().unwrap_or("")).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}

async fn authority(State(a): State<Arc<Authority>>, request: Request) -> Response<axum::body::Body> {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let url = |p: &str| format!("{}{p}", a.base);
    let mut location = None;
    let order = |status: &str| json!({ "status": status, "identifiers": [{"type": "dns", "value": "practice.test"}], "authorizations": [url("/authz")], "finalize": url("/finalize"), "certificate": url("/cert") });
    let challenge = |status: &str| json!({ "type": "http-01", "url": url("/challenge"), "token": "token-one", "status": status });
    let answer = match path.as_str() {
        "/directory" => json!({ "newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order-new"), "revokeCert": url("/x"), "keyChange": url("/x") }),
        "/account" => {
            location = Some(url("/account/1"));
            json!({ "status": "valid" })
        }
        "/order-new" => {
            location = Some(url("/order"));
            order("pending")
        }
        "/authz" => json!({ "status": "pending", "identifier": {"type": "dns", "value": "practice.test"}, "challenges": [challenge("pending")] }),
        "/challenge" => {
            // What a real authority does: it fetches the answer over plain HTTP.
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::net::TcpStream::connect(a.plain).await.unwrap();
            stream.write_all(b"GET /.well-known/acme-challenge/token-one HTTP/1.1\r\nhost: practice.test\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            a.proven.store(text.starts_with("HTTP/1.1 200") && text.contains("token-one."), Ordering::SeqCst);
            challenge("processing")
        }
        "/order" => order(if a.issued.lock().unwrap().is_some() { "valid" } else if a.proven.load(Ordering::SeqCst) { "ready" } else { "invalid" }),
        "/finalize" => {
            let csr = subrosa_crypto::from_base64url(payload(&body)["csr"].as_str().unwrap()).unwrap();
            let signed = CertificateSigningRequestParams::from_der(&csr.into()).unwrap().signed_by(&a.issuer).unwrap();
            *a.issued.lock().unwrap() = Some(signed.pem());
            order("valid")
        }
        _ => Value::Null,
    };
    let content = if path == "/cert" { a.issued.lock().unwrap().clone().unwrap() } else { answer.to_string() };
    let mut response = Response::new(axum::body::Body::from(content));
    *response.status_mut() = if location.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let headers = response.headers_mut();
    headers.insert("replay-nonce", HeaderValue::from_static("bm9uY2U"));
    if let Some(location) = location {
        headers.insert(header::LOCATION, HeaderValue::from_str(&location).unwrap());
    }
    response
}

#[tokio::test]
async fn a_certificate_is_got_kept_and_renewed_when_it_grows_old() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let root_file = folder.path().join("root.pem");
    std::fs::write(&root_file, root.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    // The authority's own server certificate, of the same root.
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&server_key, &issuer).unwrap();
    let files = TlsFiles { certificate: folder.path().join("ca.pem"), key: folder.path().join("ca-key.pem") };
    std::fs::write(&files.certificate, server.pem()).unwrap();
    std::fs::write(&files.key, server_key.serialize_pem()).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base = format!("https://localhost:{}", address.port());
    let settings = AcmeSettings { directory: Some(format!("{base}/directory")), contact: None, listen: plain, root: Some(root_file), dns_hook: None };
    let acme = Acme::start("practice.test", &settings, folder.path()).await.unwrap();
    let state = Arc::new(Authority { base, plain, issuer, proven: AtomicBool::new(false), issued: Mutex::new(None) });
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let tls = crate::tls::acceptor(&files, stopped.clone()).unwrap();
    let behind = Arc::clone(&state);
    tokio::spawn(crate::connections::serve(listener, Some(tls), move |request, _| authority(State(Arc::clone(&behind)), request), stopped.clone()));

    let now = Clock::default().now();
    assert!(acme.ensure(now).await.unwrap());
    assert!(state.proven.load(Ordering::SeqCst));
    let chain = std::fs::read_to_string(acme.files().certificate).unwrap();
    assert_eq!(Some(chain.clone()), *state.issued.lock().unwrap());
    assert!(crate::tls::acceptor(&acme.files(), stopped).is_ok());
    assert!(!acme.ensure(now).await.unwrap());

    // Old: within the last third of its life (rcgen's default ends in the year 4096).
    *state.issued.lock().unwrap() = None;
    assert!(acme.ensure(Timestamp(3_900 * 365 * Timestamp::DAY - 1_970 * 365 * Timestamp::DAY)).await.unwrap());
    assert_ne!(std::fs::read_to_string(acme.files().certificate).unwrap(), chain);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(acme.files().key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_plain_port_sends_browsers_to_https_and_knows_no_other_token() {
    let (tokens, host) = (Tokens::default(), "practice.test".to_owned());
    let ask = |path: &str| plain(State((Arc::clone(&tokens), host.clone())), Request::builder().uri(path).body(axum::body::Body::empty()).unwrap());
    let sent = ask("/patients?x=1").await;
    assert_eq!((sent.status(), &sent.headers()[header::LOCATION]), (StatusCode::PERMANENT_REDIRECT, &HeaderValue::from_static("https://practice.test/patients?x=1")));
    assert_eq!(ask("/.well-known/acme-challenge/guess").await.status(), StatusCode::NOT_FOUND);
}
