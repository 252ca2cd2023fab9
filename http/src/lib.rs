//! Serving HTTP/1.1 to strangers: what the node's API, the base chain's JSON-RPC and the faucet share.
//!
//! Nobody holds a connection for nothing. Connections are bounded in all and per address; one that
//! is idle, is slow to send a request's head or body, or takes nothing of an answer, is closed.
//! Whoever is refused before the body was read still gets to see the answer: the rest of the body is
//! read and dropped, within bounds, because closing a socket with unread bytes destroys what was sent.
//! Stopping waits for answers under way, for a while.

mod body;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use body::BodyTooSlow;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use body::{Rest, TimedBody};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::Guarded;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Longest head of a request that is read, in bytes; a longer one is answered with an empty 431. Hyper
/// keeps as much for every slow connection.
pub const HEAD_BYTES_MAX: usize = 32 << 10;
/// How long answers under way may take once the server stops.
pub const STOP_MAX: Duration = Duration::from_secs(5);
/// Pause after the system refuses to accept (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of a server's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Open connections in all, and of one address.
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    /// How long a connection may wait for the whole head of its next request, and for the client to
    /// accept a piece of an answer.
    pub stall_max: Duration,
    /// How long a request's body may take as a whole.
    pub body_max: Duration,
}

/// The address that a request came from, put among its extensions by the server.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Serves the routes until `shutdown` is cancelled, then waits for answers under way, at most
/// [`STOP_MAX`]. Nothing runs on after it has returned.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    // Ends what is left when the time is over, or when this future is dropped.
    let cut = CancellationToken::new();
    let _cut = cut.clone().drop_guard();
    let connections = Arc::new(Connections::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Beyond the bound the connection is closed without a word: an answer would cost as much
        // as what the bound is to save.
        let Some(place) = connections.enter(address.ip(), &limits) else {
            tracing::debug!(%address, "too many connections");
            continue;
        };
        let connection = connection(stream, address, router.clone(), limits, shutdown.clone());
        let cut = cut.clone();
        tasks.spawn(async move {
            let _place = place;
            tokio::select! {
                () = connection => {}
                () = cut.cancelled() => {}
            }
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(STOP_MAX, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "connections were cut off by the stop");
        cut.cancel();
        tasks.wait().await;
    }
}

/// What the innermost cause of an error says: for a body that failed, why, without the names of the
/// layers that it went through.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) {
    // Answers are small, and written whole.
    let _best_effort = stream.set_nodelay(true);
    let unread = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Guarded::new(stream, limits.stall_max, Arc::clone(&unread)));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        answer(
            router.clone(),
            request,
            address.ip(),
            limits.body_max,
            Arc::clone(&unread),
        )
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.stall_max)
        .max_buf_size(HEAD_BYTES_MAX);
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection ended early");
    }
}

async fn answer(
    router: Router,
    request: hyper::Request<Incoming>,
    address: IpAddr,
    body_max: Duration,
    unread: Arc<AtomicBool>,
) -> Result<Response, Infallible> {
    // Such a client may go on with the body or with another request: nobody knows where that begins.
    let expects = request.headers().contains_key(header::EXPECT);
    let rest = Rest::default();
    let mut request: Request = request.map(|incoming| {
        if incoming.is_end_stream() {
            axum::body::Body::empty()
        } else {
            axum::body::Body::new(TimedBody::new(incoming, body_max, rest.clone()))
        }
    });
    request.extensions_mut().insert(ClientAddress(address));
    let mut response = router.oneshot(request).await?;
    match rest.take() {
        body::Left::Nothing => unread.store(false, Ordering::Relaxed),
        body::Left::Little(incoming) if !expects => {
            unread.store(false, Ordering::Relaxed);
            tokio::spawn(body::drain(incoming));
        }
        body::Left::Little(_) | body::Left::Much => {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
    }
    Ok(response)
}

/// Open connections by address.
#[derive(Default)]
struct Connections(Mutex<HashMap<IpAddr, usize>>);

/// A place among the open connections, given back when dropped.
struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    fn enter(self: &Arc<Self>, address: IpAddr, limits: &ConnectionLimits) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= limits.connections_max {
            return None;
        }
        let of_address = open.entry(address).or_default();
        if *of_address >= limits.connections_per_address_max {
            return None;
        }
        *of_address += 1;
        Some(Place {
            connections: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .connections
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
