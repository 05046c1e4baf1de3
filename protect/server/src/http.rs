//! From a request to its handler and back: version, size, rate, session, headers, counters. Every refusal is an `ErrorBody`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use subrosa_protocol::api::PROTOCOL;

use crate::app::App;
use crate::auth;
use crate::call::{Call, Reply};
use crate::codec::Format;
use crate::error::Refusal;
use crate::log::{self, Word};
use crate::routes::{Auth, Found, Route};
use crate::{assets, headers as safe_headers, routes};

/// Lowest protocol version served. There is only one yet; from the next on, it is the one before.
pub const LOWEST_PROTOCOL: u32 = 1;
/// How long a request may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(120);

/// Bodies that may be larger than this, in bytes, are taken a few at a time.
const LARGE: usize = 8 * 1024 * 1024;

/// Told when too much is being worked on.
const BUSY: Refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy. Nothing was done; try again in a moment.").after(1);

/// Answers every request.
pub async fn answer(app: Arc<App>, request: Request, peer: SocketAddr) -> Response<Body> {
    let begun = Instant::now();
    app.metrics.begin();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let wanted = Format::of_accept(headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()));
    let (name, mut response) = match routes::find(&method, &path) {
        Found::Route(route, params) => (route.path, api(&app, route, params, request, peer, wanted).await),
        Found::OtherMethod => ("other-method", refused(&app, wanted, &Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This address is not used in this way."))),
        Found::None => ("files", file(&app, &method, &path, &headers, wanted)),
    };
    safe_headers::put(response.headers_mut(), app.config.secure());
    let status = response.status();
    app.metrics.end(word_of(&method), name, status.as_u16(), begun.elapsed());
    log_it(&method, name, status, begun.elapsed());
    response
}

fn word_of(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD"].into_iter().find(|m| *m == method.as_str()).unwrap_or("OTHER")
}

fn log_it(method: &Method, route: &'static str, status: StatusCode, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let fields: [log::Field<'_>; 4] = [("method", &Word(word_of(method))), ("route", &Word(route)), ("status", &status.as_u16()), ("ms", &ms)];
    if status.is_server_error() { log::warn("answered", &fields) } else { log::info("answered", &fields) }
}

fn refused(app: &App, wanted: Format, refusal: &Refusal) -> Response<Body> {
    app.metrics.refused(refusal.code);
    if refusal.status == StatusCode::INTERNAL_SERVER_ERROR {
        log::error("refused", &[("code", &Word(refusal.code))]);
    }
    let mut response = Response::new(Body::from(wanted.write(&refusal.body())));
    *response.status_mut() = refusal.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.media_type()));
    if let Some(seconds) = refusal.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn file(app: &App, method: &Method, path: &str, headers: &HeaderMap, wanted: Format) -> Response<Body> {
    let of_api = ["/v1/", "/log/"].iter().any(|start| path.starts_with(start));
    if (method == Method::GET || method == Method::HEAD) && !of_api
        && let Some(response) = assets::answer(app.assets, method, path, headers)
    {
        return response;
    }
    refused(app, wanted, &Refusal::missing("There is nothing at this address."))
}

async fn api(app: &Arc<App>, route: &'static Route, params: Vec<String>, request: Request, peer: SocketAddr, wanted: Format) -> Response<Body> {
    match serve(app, route, params, request, peer, wanted).await {
        Ok(reply) => {
            let mut response = Response::new(Body::from(reply.content));
            *response.status_mut() = reply.status;
            if !reply.media.is_empty() {
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media));
            }
            response
        }
        Err(refusal) => refused(app, wanted, &refusal),
    }
}

async fn serve(app: &Arc<App>, route: &'static Route, params: Vec<String>, request: Request, peer: SocketAddr, wanted: Format) -> Result<Reply, Refusal> {
    let now = app.clock.now();
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    check_protocol(route, headers)?;
    let peer = peer_of(app, peer.ip(), headers);
    let limited = |wait: u64| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many requests in a short time. Wait a moment, then try again.").after(wait);
    match route.auth {
        Auth::Strict => app.strict_rate.take(peer, now).map_err(limited)?,
        Auth::Open | Auth::Keeper => app.open_rate.take(peer, now).map_err(limited)?,
        Auth::Session | Auth::Restricted => {}
    }
    let sent = if route.raw { Format::Cbor } else { Format::of_content(headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()))? };
    let too_large = || Refusal::too_large("This is more than the server takes at once. Send it in smaller parts.");
    // Only somebody with a session may send much, and only a few at a time.
    let session = match route.auth {
        Auth::Session | Auth::Restricted => {
            let id = auth::session_named(headers).ok_or(auth::UNSIGNED)?;
            Some(app.store.session(&id).await?.ok_or(auth::ENDED)?)
        }
        _ => None,
    };
    let _room = if route.max_body > LARGE { Some(app.large_bodies.try_acquire().map_err(|_| BUSY)?) } else { None };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|n| n > route.max_body) {
        return Err(too_large());
    }
    let body = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, route.max_body))
        .await
        .map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "slow", "The request took too long to arrive. Try again on a better connection."))?
        .map_err(|_| too_large())?;
    let path = parts.uri.path_and_query().map_or(parts.uri.path(), |p| p.as_str());
    let covered = auth::Covered { method: parts.method.as_str(), path, body: &body };
    let who = match route.auth {
        Auth::Open | Auth::Strict => None,
        Auth::Keeper => {
            auth::check_keeper(app, headers, &covered, now).await?;
            None
        }
        kind @ (Auth::Session | Auth::Restricted) => {
            let who = auth::check(app, session.ok_or(auth::UNSIGNED)?, headers, &covered, kind, now).await?;
            app.session_rate.take(who.session.session, now).map_err(limited)?;
            Some(who)
        }
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let call = Call { app: Arc::clone(app), now, who, peer, params, query, body, sent, wanted };
    let permit = Arc::clone(&app.in_flight).try_acquire_owned().map_err(|_| BUSY)?;
    // In a task of its own: whoever hangs up leaves nothing half done, and a fault in one handler ends that request only.
    let work = tokio::spawn(async move {
        let _permit = permit;
        (route.handler)(call).await
    });
    work.await.unwrap_or_else(|_| Err(Refusal::internal("internal")))
}

/// Whence a request comes. Behind a proxy on this machine (an `origin` is set and the server itself speaks no TLS), as the proxy says in its last `X-Forwarded-For` entry.
fn peer_of(app: &App, direct: IpAddr, headers: &HeaderMap) -> IpAddr {
    let proxied = app.config.tls.is_none() && app.config.acme.is_none() && app.config.origin.is_some() && direct.is_loopback();
    let said = || headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim().parse().ok();
    if proxied { said().unwrap_or(direct) } else { direct }
}

fn check_protocol(route: &Route, headers: &HeaderMap) -> Result<(), Refusal> {
    if !route.versioned {
        return Ok(());
    }
    let version = headers.get("subrosa-protocol").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u32>().ok());
    if version.is_some_and(|v| (LOWEST_PROTOCOL..=PROTOCOL).contains(&v)) {
        Ok(())
    } else {
        Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "protocol",
            "The app and the server are of different versions. Reload the app; what you were writing is kept.",
        ))
    }
}
