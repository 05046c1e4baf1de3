//! A transport that keeps a copy of everything that passes: what a server, and whoever reads its traffic inside the TLS, gets to see.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use subrosa_client::{ClientError, Fut, HttpTransport, Request, Response, Transport};

use crate::drill::DrillError;

/// Names of the copies: one file for each route.
pub const ROUTES: [&str; 4] = ["url", "header", "body", "answer"];

/// Passes requests on, and writes each part to the file of its route.
pub struct Wire {
    inner: HttpTransport,
    files: Mutex<[File; 4]>,
}

impl Wire {
    /// To the server at `base`, copies in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(base: &str, folder: &Path) -> Result<Self, DrillError> {
        let inner = HttpTransport::new(base).map_err(|error| DrillError::Client { at: "connecting", error })?;
        let open = |name: &str| OpenOptions::new().create(true).append(true).open(folder.join(name));
        let files = Mutex::new([open("url")?, open("header")?, open("body")?, open("answer")?]);
        Ok(Wire { inner, files })
    }

    fn write(&self, route: usize, parts: &[&[u8]]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get_mut(route) {
            let _ = file.write_all(&parts.concat());
        }
    }

    fn headers(&self, headers: &[(String, String)]) {
        headers.iter().for_each(|(name, value)| self.write(1, &[name.as_bytes(), b": ", value.as_bytes(), b"\r\n"]));
    }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        self.write(0, &[request.method.as_bytes(), b" ", request.path.as_bytes(), b"\n"]);
        self.headers(&request.headers);
        self.write(2, &[&request.body, b"\r\n\r\n"]);
        async move {
            let answer = self.inner.send(request).await?;
            self.headers(&answer.headers);
            self.write(3, &[&answer.body, b"\r\n\r\n"]);
            Ok(answer)
        }
        .boxed()
    }
}
