//! What every request passes: a rate per address, a bound on its head, a look at its parameters, a
//! bound on requests in work, a time-out, and a net for panics. The guard also counts, and writes
//! problems.

use super::ApiState;
use super::answer::{Failure, write_problem};
use super::openapi::query_parameters;
use super::reading::REPEATED;
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use weft_http::ClientAddress;
use weft_types::api::ProblemCode;

/// Addresses whose rate is remembered; beyond it those that have been quiet are forgotten.
const ADDRESSES_MAX: usize = 65_536;

/// Longest head of a request, in bytes of its path and headers. The server reads twice as much, so that
/// there is a problem to answer with.
const HEAD_BYTES_MAX: usize = weft_http::HEAD_BYTES_MAX / 2;

/// Bounds of the API. The defaults are for a public node.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests a second of one address; as many may come at once.
    pub requests_per_second: NonZeroU32,
    /// Requests in work, those that wait for an outcome among them.
    pub requests_max: usize,
    /// Bodies being received or decoded, in bytes together: those that are small so far, and those
    /// that are not. Large or slow bodies never take the room of small ones.
    pub small_bodies_bytes_max: usize,
    pub large_bodies_bytes_max: usize,
    /// Readings of lists in work; more wait for their turn.
    pub lists_max: usize,
    /// Until a request has its answer.
    pub timeout: Duration,
    /// Longest waiting for a transaction's outcome (`?wait=`).
    pub wait_max: Duration,
    /// Longest waiting for `min_commit` or `min_height`.
    pub reading_wait_max: Duration,
    /// Open connections in all, and of one address.
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    /// How long a connection may wait for a request's head, and for a piece of an answer to be taken.
    pub stall_max: Duration,
    /// How long a request's body may take as a whole; within `timeout`.
    pub body_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: NonZeroU32::MIN.saturating_add(19_999),
            requests_max: 4_096,
            small_bodies_bytes_max: 8 << 20,
            large_bodies_bytes_max: 16 << 20,
            lists_max: 16,
            timeout: Duration::from_secs(15),
            wait_max: Duration::from_secs(10),
            reading_wait_max: Duration::from_secs(2),
            connections_max: 4_096,
            connections_per_address_max: 2_048,
            stall_max: Duration::from_secs(30),
            body_max: Duration::from_secs(12),
        }
    }
}

/// What the guard counts with.
pub struct Gate {
    rate: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    in_work: Semaphore,
    /// Permits are bytes of bodies.
    pub small_bodies: Arc<Semaphore>,
    pub large_bodies: Arc<Semaphore>,
    pub lists: Semaphore,
}

impl Gate {
    pub fn new(limits: &Limits) -> Self {
        Self {
            rate: RateLimiter::dashmap(Quota::per_second(limits.requests_per_second)),
            clock: DefaultClock::default(),
            in_work: Semaphore::new(limits.requests_max),
            small_bodies: Arc::new(Semaphore::new(limits.small_bodies_bytes_max)),
            large_bodies: Arc::new(Semaphore::new(limits.large_bodies_bytes_max)),
            lists: Semaphore::new(limits.lists_max),
        }
    }

    fn check_rate(&self, address: IpAddr) -> Result<(), Failure> {
        if self.rate.len() > ADDRESSES_MAX {
            self.rate.retain_recent();
        }
        let Err(until) = self.rate.check_key(&rated(address)) else {
            return Ok(());
        };
        let wait = until.wait_time_from(self.clock.now());
        let detail = format!(
            "{address} may make {} requests a second",
            until.quota().burst_size()
        );
        Err(Failure::new(ProblemCode::RateLimited, detail).retry_after(wait))
    }
}

/// Whoever has one address of IPv6 has its whole network of 64 bits.
fn rated(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 => v4,
    }
}

/// The address of a request; unspecified for one that came by no socket.
pub fn client_address(extensions: &axum::http::Extensions) -> IpAddr {
    let found = extensions.get::<ClientAddress>();
    found.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| a.0)
}

/// The middleware around every route.
pub async fn guard(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known_method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unknown".to_owned(), |m| m.as_str().to_owned());
    let path = request.uri().path().to_owned();
    let answer = answered(&state, &route, request, next).await;
    let response = write_problem(answer.unwrap_or_else(IntoResponse::into_response), &path);
    let status = response.status().as_u16();
    state
        .metrics
        .request(method, &route, status, begun.elapsed());
    response
}

async fn answered(
    state: &ApiState,
    route: &str,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let gate = &state.gate;
    gate.check_rate(client_address(request.extensions()))?;
    check_head(&request)?;
    check_parameters(request.method(), route, request.uri())?;
    let _in_work = gate.in_work.try_acquire().map_err(|_| {
        let limit = state.limits.requests_max;
        let detail = format!("{limit} requests are in work, as many as the node takes at a time");
        Failure::new(ProblemCode::Overloaded, detail)
    })?;
    let _counted = Counted::new(state);
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(state.limits.timeout, work).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            Err(Failure::internal(text.unwrap_or("a panic without a text")))
        }
        Err(_) => {
            let detail = format!("no answer within {} s", state.limits.timeout.as_secs());
            Err(Failure::new(ProblemCode::TimedOut, detail))
        }
    }
}

fn check_head(request: &Request) -> Result<(), Failure> {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
    let path = request
        .uri()
        .path_and_query()
        .map_or(0, |p| p.as_str().len());
    let bytes = path + headers.sum::<usize>();
    if bytes <= HEAD_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("path and headers have {bytes} bytes, at most {HEAD_BYTES_MAX} are taken");
    Err(Failure::new(ProblemCode::HeadTooLarge, detail))
}

/// A misspelt parameter that did nothing would answer another question than the one asked. Only of the
/// API proper: supervisors put what they like behind `/healthz`.
fn check_parameters(method: &Method, route: &str, uri: &Uri) -> Result<(), Failure> {
    if uri.query().is_none() || !route.starts_with("/v1/") {
        return Ok(());
    }
    let Some(known) = query_parameters(method, route) else {
        return Ok(());
    };
    let given = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|e| {
        let detail = format!("the query cannot be read: {e}");
        Failure::new(ProblemCode::MalformedParameter, detail)
    })?;
    let mut seen = BTreeSet::new();
    for (name, _) in &given.0 {
        let first = seen.insert(name) || name == REPEATED;
        let wrong = match (known.contains(name), first) {
            (true, true) => continue,
            (true, false) => "is there twice",
            (false, _) => "is not known",
        };
        let shown: String = name.chars().take(80).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let known = match &known[..] {
            [] => "no parameter".to_owned(),
            names => names.join(", "),
        };
        let detail = format!("{shown:?} {wrong}: {route} takes {known}");
        return Err(Failure::new(ProblemCode::UnknownParameter, detail));
    }
    Ok(())
}

/// Counts a request as in work until it is dropped, also when its client goes away.
struct Counted<'a>(&'a ApiState);

impl<'a> Counted<'a> {
    fn new(state: &'a ApiState) -> Self {
        state.metrics.request_begun();
        Self(state)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.metrics.request_done();
    }
}

/// Labels of metrics come from a fixed list, never from a client.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
