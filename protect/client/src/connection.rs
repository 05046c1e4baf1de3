//! Requests to one server: encoding, signing, and what its refusals mean.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use subrosa_crypto::{SigningKey, cbor, random, sha256};
use subrosa_model::{SessionId, Timestamp};
use subrosa_protocol::api::{CBOR, ErrorBody, Hello, PROTOCOL};
use subrosa_protocol::session::RequestToSign;

use crate::ClientError;
use crate::clock::Clock;
use crate::transport::{MAX_ANSWER, Request, Response, Transport};

/// A server that can be spoken to. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

/// What signs the requests of a session.
#[derive(Clone)]
pub(crate) struct SessionKey {
    pub(crate) id: SessionId,
    pub(crate) key: SigningKey,
}

/// For requests without a body, and answers that do not matter.
pub(crate) type Nothing = ();

impl Connection {
    /// Speaks through `transport`, with the time of `clock`.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Connection { transport, clock }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What anybody may know about the server.
    ///
    /// # Errors
    /// [`ClientError::Upgrade`] when it does not speak this protocol version.
    pub async fn hello(&self) -> Result<Hello, ClientError> {
        let hello: Hello = self.get("/v1/hello", None).await?;
        if hello.protocol.0 > PROTOCOL || hello.protocol.1 < PROTOCOL {
            return Err(ClientError::Upgrade);
        }
        Ok(hello)
    }

    /// How a demonstration is entered. It has no secret: [`subrosa_protocol::api::DemoEntry`].
    ///
    /// # Errors
    /// Refused where the server holds a real practice, or while it is being filled.
    pub async fn demo_entry(&self) -> Result<subrosa_protocol::api::DemoEntry, ClientError> {
        self.get("/v1/demo", None).await
    }

    pub(crate) async fn get<A: DeserializeOwned>(&self, path: &str, session: Option<&SessionKey>) -> Result<A, ClientError> {
        let answer = self.send("GET", path, Vec::new(), session).await?;
        read(&answer.body)
    }

    pub(crate) async fn post<Q: Serialize, A: DeserializeOwned>(&self, path: &str, body: &Q, session: Option<&SessionKey>) -> Result<A, ClientError> {
        let answer = self.send("POST", path, cbor::encode(body), session).await?;
        read(&answer.body)
    }

    /// Sends something whose answer does not matter.
    pub(crate) async fn tell<Q: Serialize>(&self, method: &'static str, path: &str, body: Option<&Q>, session: Option<&SessionKey>) -> Result<(), ClientError> {
        let body = body.map(cbor::encode).unwrap_or_default();
        self.send(method, path, body, session).await.map(|_| ())
    }

    /// Sends bytes as they are.
    pub(crate) async fn put_bytes(&self, path: &str, body: Vec<u8>, session: &SessionKey) -> Result<(), ClientError> {
        self.send_as("PUT", path, body, "application/octet-stream", Some(session)).await.map(|_| ())
    }

    /// Asks for bytes as they are.
    pub(crate) async fn fetch_bytes<Q: Serialize>(&self, path: &str, body: &Q, session: &SessionKey) -> Result<Vec<u8>, ClientError> {
        self.send("POST", path, cbor::encode(body), Some(session)).await.map(|a| a.body)
    }

    async fn send(&self, method: &'static str, path: &str, body: Vec<u8>, session: Option<&SessionKey>) -> Result<Response, ClientError> {
        self.send_as(method, path, body, CBOR, session).await
    }

    async fn send_as(
        &self,
        method: &'static str,
        path: &str,
        body: Vec<u8>,
        content_type: &str,
        session: Option<&SessionKey>,
    ) -> Result<Response, ClientError> {
        let mut headers = vec![("accept".to_owned(), CBOR.to_owned()), ("subrosa-protocol".to_owned(), PROTOCOL.to_string())];
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        if let Some(session) = session {
            let request = RequestToSign { session: session.id, method, path, body: sha256(&[&body]), at: self.now(), nonce: random::make_bytes() };
            headers.push(("subrosa-session".to_owned(), session.id.to_string()));
            headers.push(("subrosa-signature".to_owned(), request.sign(&session.key)));
        }
        let answer = self.transport.send(Request { method, path: path.to_owned(), headers, body }).await?;
        if answer.body.len() > MAX_ANSWER {
            return Err(ClientError::BadAnswer("too large"));
        }
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(refusal(&answer)) }
    }
}

/// Reads an answer. Messages are not signed as a whole, so any valid CBOR will do; what is signed inside is checked byte for byte.
pub(crate) fn read<A: DeserializeOwned>(body: &[u8]) -> Result<A, ClientError> {
    let body = if body.is_empty() { &[0xf6][..] } else { body };
    ciborium::de::from_reader_with_recursion_limit(body, 48).map_err(|_| ClientError::BadAnswer("not the expected message"))
}

fn refusal(answer: &Response) -> ClientError {
    let body: Option<ErrorBody> = read(&answer.body).ok().or_else(|| serde_json::from_slice(&answer.body).ok());
    let Some(body) = body else {
        return match answer.status {
            426 => ClientError::Upgrade,
            502..=504 => ClientError::Unreachable,
            status => ClientError::Refused {
                status,
                code: "unnamed".to_owned(),
                message: "The server refused without saying why. Try again; if it happens again, tell whoever runs the server.".to_owned(),
                retry_after_s: None,
            },
        };
    };
    match (answer.status, body.code.as_str()) {
        (426, _) => ClientError::Upgrade,
        (_, "gate-passkey") => ClientError::GatePasskey,
        (_, "gate-stop") => ClientError::GateStop,
        (_, "never") => ClientError::Never,
        (_, "session-over" | "session-unknown" | "session-ended" | "no-session") => ClientError::SessionOver,
        (_, "directory-out-of-sequence" | "epoch-turned") => ClientError::DirectoryBusy,
        // Texts of a server are shown to people: bounded, and without anything that moves a cursor.
        (status, _) => ClientError::Refused {
            status,
            code: body.code.chars().filter(|c| c.is_ascii_graphic()).take(64).collect(),
            message: body.message.chars().filter(|c| !c.is_control()).take(600).collect(),
            retry_after_s: body.retry_after_s,
        },
    }
}
