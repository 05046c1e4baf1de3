//! How requests leave and answers arrive: one trait, so that the same client runs in a browser, natively, and against a hostile server in tests.

use crate::ClientError;

/// A boxed future: `Send` on native machines, not in the browser (which has one thread).
#[cfg(not(target_arch = "wasm32"))]
pub type Fut<'a, T> = futures::future::BoxFuture<'a, T>;
/// A boxed future: `Send` on native machines, not in the browser (which has one thread).
#[cfg(target_arch = "wasm32")]
pub type Fut<'a, T> = futures::future::LocalBoxFuture<'a, T>;

/// `Send + Sync` on native machines, nothing in the browser.
#[cfg(not(target_arch = "wasm32"))]
pub trait Shared: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> Shared for T {}
/// `Send + Sync` on native machines, nothing in the browser.
#[cfg(target_arch = "wasm32")]
pub trait Shared {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> Shared for T {}

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// One HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Upper-case method.
    pub method: &'static str,
    /// Path with query, beginning with a slash.
    pub path: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// One HTTP answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends requests to one server.
pub trait Transport: Shared {
    /// Sends one request and waits for the whole answer.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when there is no answer; an answer that says no is not an error here.
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>>;
}
