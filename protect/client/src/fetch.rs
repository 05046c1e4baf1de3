use futures::FutureExt;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestCredentials, RequestInit, RequestMode, RequestRedirect};

use crate::ClientError;
use crate::transport::{Fut, MAX_ANSWER, Request, Response, Transport};

/// Talks to the server that the page came from, by `fetch`. In a window or a worker.
pub struct FetchTransport {
    base: String,
}

impl FetchTransport {
    /// `base` is empty for the page's own server.
    pub fn new(base: &str) -> Self {
        FetchTransport { base: base.trim_end_matches('/').to_owned() }
    }

    async fn exchange(&self, request: Request) -> Result<Response, ClientError> {
        let broken = |_: JsValue| ClientError::Unreachable;
        let headers = Headers::new().map_err(broken)?;
        for (name, value) in &request.headers {
            headers.append(name, value).map_err(broken)?;
        }
        let init = RequestInit::new();
        init.set_method(request.method);
        init.set_headers(&headers);
        init.set_mode(RequestMode::SameOrigin);
        init.set_credentials(RequestCredentials::Omit);
        init.set_cache(RequestCache::NoStore);
        init.set_redirect(RequestRedirect::Error);
        if !request.body.is_empty() {
            init.set_body(&js_sys::Uint8Array::from(request.body.as_slice()));
        }
        let url = format!("{}{}", self.base, request.path);
        let global = js_sys::global();
        let promise = if let Some(window) = global.dyn_ref::<web_sys::Window>() {
            window.fetch_with_str_and_init(&url, &init)
        } else if let Some(worker) = global.dyn_ref::<web_sys::WorkerGlobalScope>() {
            worker.fetch_with_str_and_init(&url, &init)
        } else {
            return Err(ClientError::Unreachable);
        };
        let answer: web_sys::Response = JsFuture::from(promise).await.map_err(broken)?.dyn_into().map_err(broken)?;
        let mut headers = Vec::new();
        for name in ["content-type", "retry-after"] {
            if let Ok(Some(value)) = answer.headers().get(name) {
                headers.push((name.to_owned(), value));
            }
        }
        let buffer = JsFuture::from(answer.array_buffer().map_err(broken)?).await.map_err(broken)?;
        let bytes = js_sys::Uint8Array::new(&buffer);
        if bytes.length() as usize > MAX_ANSWER {
            return Err(ClientError::BadAnswer("too large"));
        }
        Ok(Response { status: answer.status(), headers, body: bytes.to_vec() })
    }
}

impl Transport for FetchTransport {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        self.exchange(request).boxed_local()
    }
}
