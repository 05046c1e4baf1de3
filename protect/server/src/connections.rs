//! Taking connections: so many at once, each with time limits, so that slow or idle ones cost nobody else anything.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// Connections at the same time; one more is closed at once.
const MOST: usize = 4096;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may be silent before the next request's head is complete.
const SILENT: Duration = Duration::from_secs(120);
/// Requests at the same time on one connection.
const STREAMS: u32 = 64;
/// How long requests that are being worked on may take after the stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until `stop` says so, then lets what is at work finish.
pub async fn serve<H, F>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: H, mut stop: watch::Receiver<bool>)
where
    H: Fn(Request, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MOST));
    let graceful = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            _ = stop.changed() => break,
            taken = listener.accept() => taken,
        };
        let Ok((stream, peer)) = taken else {
            // Out of file handles: some will come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let _ = stream.set_nodelay(true);
        let (tls, handler, watcher) = (tls.clone(), handler.clone(), graceful.watcher());
        tokio::spawn(async move {
            match tls {
                None => one(stream, peer, handler, watcher, place).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        one(stream, peer, handler, watcher, place).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn one<S, H, F>(stream: S, peer: SocketAddr, handler: H, watcher: hyper_util::server::graceful::Watcher, _place: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = handler(request.map(Body::new), peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(SILENT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(SILENT).max_concurrent_streams(STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let _ = watcher.watch(connection).await;
}
