//! A server that lies: the real one, with somebody between it and the client who rewrites answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};
use subrosa_client::{ClientError, Fut, HttpTransport, Request, Response, Transport};
use subrosa_crypto::cbor;

/// Rewrites the body of an answer: the request's body and the answer's go in. None leaves it as it is.
pub type Rewrite = Arc<dyn Fn(&[u8], &[u8]) -> Option<Vec<u8>> + Send + Sync>;

struct Rule {
    path: String,
    rewrite: Rewrite,
    met: usize,
    changed: usize,
}

/// What a rule did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Answers that the rule was for.
    pub met: usize,
    /// Of them changed.
    pub changed: usize,
}

/// The transport of a client whose server lies.
pub struct Middle {
    inner: HttpTransport,
    rule: Mutex<Option<Rule>>,
    last: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Middle {
    /// In front of the server at `base`.
    ///
    /// # Errors
    /// When `base` is not an address.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Ok(Middle { inner: HttpTransport::new(base)?, rule: Mutex::new(None), last: Mutex::default() })
    }

    /// From now on answers to paths that begin with `path` are rewritten.
    pub fn lie(&self, path: &str, rewrite: Rewrite) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Some(Rule { path: path.to_owned(), rewrite, met: 0, changed: 0 });
    }

    /// Honest again. Says what was done.
    pub fn stop(&self) -> Done {
        let rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner).take();
        rule.map_or_else(Done::default, |r| Done { met: r.met, changed: r.changed })
    }

    /// The last good answer to this path (without its query), as it came.
    pub fn last(&self, path: &str) -> Option<Vec<u8>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn rewrite(&self, path: &str, request: &[u8], answer: Vec<u8>) -> Vec<u8> {
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rule) = rule.as_mut().filter(|r| path.starts_with(&r.path)) else { return answer };
        rule.met += 1;
        match (rule.rewrite)(request, &answer) {
            Some(new) => {
                rule.changed += usize::from(new != answer);
                new
            }
            None => answer,
        }
    }
}

impl Transport for Middle {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        let (path, body) = (request.path.clone(), request.body.clone());
        async move {
            let mut answer = self.inner.send(request).await?;
            if (200..300).contains(&answer.status) {
                let plain = path.split('?').next().unwrap_or_default().to_owned();
                self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(plain, answer.body.clone());
                answer.body = self.rewrite(&path, &body, answer.body);
            }
            Ok(answer)
        }
        .boxed()
    }
}

/// Reads a message as leniently as a client does.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    ciborium::de::from_reader(bytes).ok()
}

/// A rewrite that parses the answer as `T`, changes it, and writes it again. With `change` none it only parses and writes: the control.
pub fn rewrite<T, S>(stage: &Arc<S>, change: Option<fn(&S, &mut T) -> Option<()>>) -> Rewrite
where
    T: DeserializeOwned + Serialize + 'static,
    S: Send + Sync + 'static,
{
    let stage = Arc::clone(stage);
    Arc::new(move |_, answer| {
        let mut message: T = read(answer)?;
        if let Some(change) = change {
            change(&stage, &mut message)?;
        }
        Some(cbor::encode(&message))
    })
}
