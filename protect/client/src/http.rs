use futures::FutureExt;

use crate::ClientError;
use crate::transport::{Fut, MAX_ANSWER, Request, Response, Transport};

/// Talks HTTP to a server on this machine or behind a tunnel.
pub struct HttpTransport {
    base: String,
    client: reqwest::Client,
}

impl HttpTransport {
    /// A server at `base`, such as `http://localhost:7110`.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when `base` is not an address.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(std::time::Duration::from_secs(10))
            .timeout(std::time::Duration::from_secs(120))
            .build()
            .map_err(|_| ClientError::Invalid("no HTTP client"))?;
        reqwest::Url::parse(&base).map_err(|_| ClientError::Invalid("the server's address"))?;
        Ok(HttpTransport { base, client })
    }

    async fn exchange(&self, request: Request) -> Result<Response, ClientError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|_| ClientError::Invalid("method"))?;
        let mut builder = self.client.request(method, format!("{}{}", self.base, request.path)).body(request.body);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut answer = builder.send().await.map_err(|_| ClientError::Unreachable)?;
        let text = |(n, v): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()));
        let headers = answer.headers().iter().filter_map(text).collect();
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| ClientError::Unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(ClientError::BadAnswer("too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        self.exchange(request).boxed()
    }
}
