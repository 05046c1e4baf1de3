//! Refusals: what a request is told when it is not carried out.

use std::borrow::Cow;

use axum::http::StatusCode;
use subrosa_crypto::CryptoError;
use subrosa_protocol::ProtocolError;
use subrosa_protocol::api::ErrorBody;
use subrosa_store::StoreError;

/// Why a request was not carried out: a stable code, a sentence for a tired person, and when to try again.
///
/// The sentence is fixed text or comes from an error type that holds nothing personal; nothing of the request is repeated in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable code.
    pub code: &'static str,
    /// What happened, what it means, what to do.
    pub message: Cow<'static, str>,
    /// Seconds to wait, if waiting helps.
    pub retry_after_s: Option<u64>,
}

impl Refusal {
    /// A refusal with a fixed sentence.
    pub const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Refusal { status, code, message: Cow::Borrowed(message), retry_after_s: None }
    }
    /// 400.
    pub const fn bad(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }
    /// 401.
    pub const fn unsigned(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }
    /// 403.
    pub const fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }
    /// 404.
    pub const fn missing(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }
    /// 409.
    pub const fn conflict(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }
    /// 413.
    pub const fn too_large(message: &'static str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }
    /// 500: something that is ours to fix. The cause is counted and logged by its code, never told.
    pub const fn internal(code: &'static str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            code,
            "The server could not finish this. Nothing was half done; try again, and tell whoever runs the server if it stays so.",
        )
    }
    /// The same refusal with a time to wait.
    pub const fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
    /// 403: the passkey has to be shown again first.
    pub const fn passkey_first() -> Self {
        Self::forbidden("gate-passkey", "Please confirm with your passkey first, then this goes on.")
    }
    /// The body that is sent.
    pub fn body(&self) -> ErrorBody {
        ErrorBody { code: self.code.to_owned(), message: self.message.clone().into_owned(), retry_after_s: self.retry_after_s }
    }
}

impl From<ProtocolError> for Refusal {
    fn from(e: ProtocolError) -> Self {
        let status = match &e {
            ProtocolError::WrongSigner | ProtocolError::SecondPersonNeeded | ProtocolError::WrongPractice => StatusCode::FORBIDDEN,
            ProtocolError::OutOfSequence | ProtocolError::Fork => StatusCode::CONFLICT,
            ProtocolError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ProtocolError::NotAllowed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        Refusal { status, code: e.code(), message: Cow::Owned(format!("Refused: {e}.")), retry_after_s: None }
    }
}

impl From<CryptoError> for Refusal {
    fn from(e: CryptoError) -> Self {
        Refusal::from(ProtocolError::from(e))
    }
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        let told = |status: StatusCode| Refusal { status, code: e.code(), message: Cow::Owned(sentence(&e)), retry_after_s: None };
        match e.code() {
            "busy" => told(StatusCode::SERVICE_UNAVAILABLE).after(1),
            "disk-full" => told(StatusCode::INSUFFICIENT_STORAGE).after(60),
            "unavailable" => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The database does not answer. Nothing was done; try again in a moment.").after(5),
            "exists" | "directory-out-of-sequence" | "pin-ahead" | "already-founded" => told(StatusCode::CONFLICT),
            "not-founded" => crate::app::NOT_FOUNDED,
            "not-found" => told(StatusCode::NOT_FOUND),
            "unknown-chart" => crate::standing::NO_CHART,
            "erased" => crate::standing::ERASED,
            "too-large" => told(StatusCode::PAYLOAD_TOO_LARGE),
            code => Refusal::internal(code),
        }
    }
}

fn sentence(e: &StoreError) -> String {
    let text = e.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.'))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_store_and_a_full_disk_say_when_to_come_back_and_inner_faults_say_nothing() {
        let busy = Refusal::from(StoreError::Busy);
        assert_eq!((busy.status.as_u16(), busy.code, busy.retry_after_s), (503, "busy", Some(1)));
        let full = Refusal::from(StoreError::Full);
        assert_eq!((full.status.as_u16(), full.code), (507, "disk-full"));
        assert!(full.message.contains("Reading still works"));
        let inner = Refusal::from(StoreError::Damaged("row 7 of Anna Muster".to_owned()));
        assert_eq!(inner.status.as_u16(), 500);
        assert!(!inner.message.contains("Muster"));
    }
}
