//! Bodies: JSON, or CBOR where the request asks for it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use subrosa_crypto::cbor;
use subrosa_protocol::api::CBOR;

use crate::error::Refusal;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`.
    Json,
    /// `application/cbor`, deterministic.
    Cbor,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Cbor => CBOR,
        }
    }

    /// From a `Content-Type`; none is JSON. Parameters are ignored.
    pub fn of_content(header: Option<&str>) -> Result<Self, Refusal> {
        let media = header.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/json") {
            Ok(Format::Json)
        } else if media.eq_ignore_ascii_case(CBOR) {
            Ok(Format::Cbor)
        } else {
            Err(Refusal::new(
                axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body has to be application/json or application/cbor.",
            ))
        }
    }

    /// From an `Accept`: CBOR if it is named there, else JSON.
    pub fn of_accept(header: Option<&str>) -> Self {
        let named = header.unwrap_or_default().split(',').any(|part| part.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(CBOR));
        if named { Format::Cbor } else { Format::Json }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// `malformed`. Where the body goes wrong is not said beyond its format: a parser's message may repeat what it read.
    pub fn read<T: DeserializeOwned + Serialize>(self, body: &[u8]) -> Result<T, Refusal> {
        match self {
            Format::Json => serde_json::from_slice(body).map_err(|_| malformed()),
            Format::Cbor => cbor::decode(body).map_err(|_| malformed()),
        }
    }

    /// Writes a body. Empty when a value cannot be written, which none of ours is.
    pub fn write<T: Serialize>(self, value: &T) -> Vec<u8> {
        match self {
            Format::Json => serde_json::to_vec(value).unwrap_or_default(),
            Format::Cbor => cbor::encode(value),
        }
    }
}

fn malformed() -> Refusal {
    Refusal::bad("malformed", "The server could not read this request. The app may be older than the server; reload it and try again.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use subrosa_protocol::api::ErrorBody;

    #[test]
    fn a_body_comes_back_the_same_in_both_formats() {
        let body = Refusal::missing("Nothing here.").after(3).body();
        for format in [Format::Json, Format::Cbor] {
            assert_eq!(format.read::<ErrorBody>(&format.write(&body)).unwrap(), body);
        }
    }

    #[test]
    fn the_refusal_of_a_malformed_body_repeats_nothing_of_it() {
        let refused = Format::Json.read::<ErrorBody>(br#"{"code": ["Anna Muster"]}"#).unwrap_err();
        assert_eq!(refused.code, "malformed");
        assert!(!refused.message.contains("Muster"));
    }

    #[test]
    fn formats_are_chosen_by_the_headers() {
        assert_eq!(Format::of_content(Some("Application/CBOR; x=1")).unwrap(), Format::Cbor);
        assert_eq!(Format::of_content(None).unwrap(), Format::Json);
        assert_eq!(Format::of_content(Some("text/html")).unwrap_err().status.as_u16(), 415);
        assert_eq!(Format::of_accept(Some("text/html, application/cbor;q=0.9")), Format::Cbor);
        assert_eq!(Format::of_accept(Some("*/*")), Format::Json);
    }
}
