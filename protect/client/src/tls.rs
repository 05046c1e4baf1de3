use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, version};

use crate::ClientError;
use crate::transport::{Fut, MAX_ANSWER, Request, Response, Transport};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one exchange may take.
const EXCHANGE: Duration = Duration::from_secs(120);

/// Talks TLS 1.3 to a server whose certificate is known beforehand, byte for byte: what a native client does where browsers would not accept the certificate.
pub struct PinnedTransport {
    host: String,
    port: u16,
    connector: TlsConnector,
    idle: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// Accepts one certificate and no other; the handshake still proves that the server has its key.
#[derive(Debug)]
struct OnlyThis {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OnlyThis {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate { Ok(ServerCertVerified::assertion()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }
    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }
    fn verify_tls13_signature(&self, message: &[u8], cert: &CertificateDer<'_>, dss: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl PinnedTransport {
    /// A server at `base`, such as `https://practice.lan:7110`, with this certificate (DER).
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when `base` is not an https address.
    pub fn new(base: &str, certificate: Vec<u8>) -> Result<Self, ClientError> {
        let bad = ClientError::Invalid("the server's address");
        let url = url::Url::parse(base).map_err(|_| bad.clone())?;
        let host = url.host_str().ok_or(bad.clone())?.to_owned();
        if url.scheme() != "https" {
            return Err(bad);
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = OnlyThis { certificate: certificate.into(), provider: provider.clone() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|_| ClientError::Invalid("no TLS 1.3"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(PinnedTransport { host, port: url.port_or_known_default().unwrap_or(443), connector: TlsConnector::from(Arc::new(config)), idle: Mutex::new(None) })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let gone = |_| ClientError::Unreachable;
        let name = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let server = ServerName::try_from(name.clone()).map_err(|_| ClientError::Invalid("the server's address"))?;
        let connecting = async {
            let tcp = TcpStream::connect((name.as_str(), self.port)).await.map_err(gone)?;
            tcp.set_nodelay(true).map_err(gone)?;
            // The certificate is the one thing that TLS itself can tell us about: anything wrong here is another server.
            let tls = self.connector.connect(server, tcp).await.map_err(|e| match e.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
                Some(Error::InvalidCertificate(_)) => ClientError::ServerKeySubstituted,
                _ => ClientError::Unreachable,
            })?;
            handshake(TokioIo::new(tls)).await.map_err(|_| ClientError::Unreachable)
        };
        let (sender, connection) = tokio::time::timeout(CONNECT, connecting).await.map_err(|_| ClientError::Unreachable)??;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    async fn exchange(&self, request: Request) -> Result<Response, ClientError> {
        let mut kept = self.idle.lock().await.take();
        let alive = match kept.as_mut() {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        let mut sender = match kept.filter(|_| alive) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let mut built = hyper::Request::builder().method(request.method).uri(&request.path).header("host", format!("{}:{}", self.host, self.port));
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let built = built.body(Full::new(Bytes::from(request.body))).map_err(|_| ClientError::Invalid("request"))?;
        let answering = async {
            let answer = sender.send_request(built).await.map_err(|_| ClientError::Unreachable)?;
            let status = answer.status().as_u16();
            let headers = answer.headers().iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()))).collect();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|_| ClientError::Unreachable)?;
            Ok::<Response, ClientError>(Response { status, headers, body: body.to_bytes().to_vec() })
        };
        let answer = tokio::time::timeout(EXCHANGE, answering).await.map_err(|_| ClientError::Unreachable)??;
        *self.idle.lock().await = Some(sender);
        Ok(answer)
    }
}

impl Transport for PinnedTransport {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        self.exchange(request).boxed()
    }
}
