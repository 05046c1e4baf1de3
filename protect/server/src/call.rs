//! One request on its way to its handler, and the answer on its way back.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subrosa_model::Timestamp;

use crate::app::{App, Who};
use crate::codec::Format;
use crate::error::Refusal;

/// A request whose size, rate and, where its route asks for one, session were checked.
pub struct Call {
    /// The server's state.
    pub app: Arc<App>,
    /// When it arrived.
    pub now: Timestamp,
    /// Who makes it; none on open routes.
    pub who: Option<Who>,
    /// Whence.
    pub peer: IpAddr,
    /// The parts of the path that its route leaves open, in order.
    pub params: Vec<String>,
    /// The query, without the question mark.
    pub query: String,
    /// The body as sent.
    pub body: Bytes,
    /// How the body is written.
    pub sent: Format,
    /// How the answer is to be written.
    pub wanted: Format,
}

/// What a handler gives back.
pub type Answer = Result<Reply, Refusal>;
/// A handler at work.
pub type Working = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Its media type.
    pub media: &'static str,
    /// Its content.
    pub content: Vec<u8>,
}

impl Call {
    /// Who makes the request.
    ///
    /// # Errors
    /// `signature` on a route that asks for no session.
    pub fn who(&self) -> Result<&Who, Refusal> {
        self.who.as_ref().ok_or(crate::auth::UNSIGNED)
    }

    /// Reads the body.
    ///
    /// # Errors
    /// `malformed`.
    pub fn read<T: DeserializeOwned + Serialize>(&self) -> Result<T, Refusal> {
        self.sent.read(&self.body)
    }

    /// An open part of the path.
    ///
    /// # Errors
    /// `malformed` when it is no such id.
    pub fn param<T: FromStr>(&self, at: usize) -> Result<T, Refusal> {
        self.params.get(at).and_then(|p| p.parse().ok()).ok_or_else(|| Refusal::bad("malformed", "The address holds something that is not a valid id."))
    }

    /// A value of the query.
    ///
    /// # Errors
    /// `malformed` when it is there and not of this kind.
    pub fn query<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let value = self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v);
        value.map(|v| v.parse().map_err(|_| Refusal::bad("malformed", "The address holds a value of the wrong kind."))).transpose()
    }

    /// An answer in the format that was asked for.
    ///
    /// # Errors
    /// None; the type is what handlers return.
    pub fn reply<T: Serialize>(&self, value: &T) -> Answer {
        Ok(Reply { status: StatusCode::OK, media: self.wanted.media_type(), content: self.wanted.write(value) })
    }
}

impl Reply {
    /// A plain text.
    pub fn text(content: impl Into<String>) -> Self {
        Reply { status: StatusCode::OK, media: "text/plain; charset=utf-8", content: content.into().into_bytes() }
    }
    /// Bytes as they are.
    pub fn bytes(content: Vec<u8>) -> Self {
        Reply { status: StatusCode::OK, media: "application/octet-stream", content }
    }
    /// Done, nothing to say.
    pub fn nothing() -> Self {
        Reply { status: StatusCode::NO_CONTENT, media: "", content: Vec::new() }
    }
}
