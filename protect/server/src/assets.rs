//! The browser app's files, handed in by whoever starts the server.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use subrosa_model::Hash32;

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The file itself.
    pub bytes: &'static [u8],
    /// The same, compressed with brotli.
    pub brotli: Option<&'static [u8]>,
    /// Value for `Content-Type`.
    pub content_type: &'static str,
    /// SHA-256 of `bytes`.
    pub sha256: Hash32,
    /// The name carries the content's hash, so the answer may be kept for ever.
    pub immutable: bool,
}

/// Finds the file of a path such as `/` or `/app.0123456789abcdef.js`.
pub type Assets = fn(&str) -> Option<Asset>;

/// No files: a server for native clients and tests.
pub fn none(_: &str) -> Option<Asset> {
    None
}

/// Answers a `GET` or `HEAD` for a file. Paths without a dot in their last part are places within the app and get its page.
pub fn answer(assets: Assets, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let in_app = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let asset = assets(path).or_else(|| if in_app { assets("/") } else { None })?;
    let accepts_brotli = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.split(',').any(|e| e.split(';').next().unwrap_or_default().trim() == "br" && !e.replace(' ', "").ends_with(";q=0")));
    let (bytes, packed) = match asset.brotli.filter(|_| accepts_brotli) {
        Some(brotli) => (brotli, true),
        None => (asset.bytes, false),
    };
    let tag = format!("\"{}{}\"", asset.sha256, if packed { "-br" } else { "" });
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|v| v.split(',').any(|t| t.trim().trim_start_matches("W/") == tag));
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let body = if known || method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
    let mut response = Response::new(body);
    *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if packed {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn files(path: &str) -> Option<Asset> {
        let asset = Asset { bytes: b"<!doctype html>", brotli: Some(b"packed"), content_type: "text/html; charset=utf-8", sha256: Hash32([1; 32]), immutable: false };
        (path == "/").then_some(asset)
    }

    fn ask(path: &str, headers: &[(header::HeaderName, &str)]) -> Option<Response<Body>> {
        let headers = headers.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect();
        answer(files, &Method::GET, path, &headers)
    }

    #[test]
    fn a_file_is_sent_packed_to_those_who_can_unpack_it() {
        let packed = ask("/", &[(header::ACCEPT_ENCODING, "gzip, br")]).unwrap();
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
        assert!(!ask("/", &[]).unwrap().headers().contains_key(header::CONTENT_ENCODING));
        assert!(!ask("/", &[(header::ACCEPT_ENCODING, "br;q=0")]).unwrap().headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let tag = ask("/", &[]).unwrap().headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(ask("/", &[(header::IF_NONE_MATCH, &tag)]).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask("/", &[(header::IF_NONE_MATCH, "\"other\"")]).unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn places_within_the_app_get_its_page_and_missing_files_nothing() {
        assert!(ask("/patients", &[]).is_some());
        assert!(ask("/missing.js", &[]).is_none());
    }
}
