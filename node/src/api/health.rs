//! For supervisors: is the process alive, does it serve, and what do its figures say.

use super::ApiState;
use super::answer::Failure;
use crate::view::View;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use weft_types::api::{Problem, ProblemCode};

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", tag = "node", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the node takes transactions
///
/// An observer, which never does, is ready when what can be read from it is up to date: it is
/// connected to a member, and not catching up.
#[utoipa::path(get, path = "/readyz", tag = "node",
    responses(
        (status = 200, body = String),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn readyz(State(state): State<ApiState>) -> Result<&'static str, Failure> {
    let view = state.views.borrow().clone();
    let peers = *state.peers.borrow();
    match not_ready(&view, peers) {
        Some(reason) => Err(Failure::new(ProblemCode::NotAccepting, reason)),
        None => Ok("ready\n"),
    }
}

fn not_ready(view: &View, peers: u64) -> Option<String> {
    let alone = view.own.is_none() && peers == 0;
    let alone = alone.then(|| "connected to no member: what it shows may be old".to_owned());
    view.not_ready.clone().or(alone)
}

/// Figures for Prometheus, in the text format of OpenMetrics
#[utoipa::path(get, path = "/metrics", tag = "node", responses((status = 200, body = String)))]
pub async fn metrics(State(state): State<ApiState>) -> Response {
    let view = state.views.borrow().clone();
    let peers = *state.peers.borrow();
    let (tracked, streams) = (state.tracker.len(), state.events.streams());
    state.metrics.content_bytes(state.store.content_bytes());
    let text = state.metrics.render(&view, peers, tracked, streams);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
