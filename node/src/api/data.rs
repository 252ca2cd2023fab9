//! Posted data (docs/spec/data.md): brought to a member, which keeps them and signs that it does; read, and proven to be
//! posted or not.

use super::ApiState;
use super::answer::{Failure, Segment, parameter};
use super::body::collect;
use super::content::{ContentBytes, shown};
use super::objects::proof;
use super::reading::Reading;
use crate::staging::{Brought, STAGED_BYTES_MAX, STAGED_MAX};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use weft_types::api::{Problem, ProblemCode, ProofBundle, SignedAvailability};
use weft_types::{Availability, CONTENT_BYTES_MAX, ContentHash, Millis, ObjectId, RETENTION_MAX};

/// Gives data to a member that are to be posted
///
/// The body is the bytes whose BLAKE3 hash is in the path, 1 byte to 256 KiB. The answer is this member's signature that
/// it has them; those of a quorum, summed, are what PostData takes. `until` and `by` are in milliseconds: until when the
/// data are kept, and before when they are posted, at most ten minutes ahead.
#[utoipa::path(put, path = "/v1/data/{hash}", tag = "data",
    params(("hash" = ContentHash, Path), ("until" = u64, Query), ("by" = u64, Query)),
    request_body(content = ContentBytes, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = SignedAvailability),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(state): State<ApiState>,
    Segment(hash): Segment,
    reading: Reading,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let hash: ContentHash = parameter("hash", &hash)?;
    let committee = state.committee.borrow().clone();
    let seat = reading.view.own.and(state.staging.member(&committee));
    let member = seat.ok_or_else(|| {
        let detail = "this node is no member in office: data are given to members";
        Failure::new(ProblemCode::NotAccepting, detail)
    })?;
    let now = reading.view.timestamp;
    let until = ahead(&reading, "until", now, RETENTION_MAX)?;
    let by = ahead(&reading, "by", now, STAGED_MAX)?;
    let (bytes, _budget) = collect(&state.gate, &headers, body, CONTENT_BYTES_MAX).await?;
    let found = ContentHash::of(&bytes);
    if found != hash || bytes.is_empty() {
        let detail = format!("the {} bytes have the hash {found}", bytes.len());
        return Err(Failure::new(ProblemCode::ContentMismatch, detail));
    }
    let claim = Availability {
        epoch: committee.epoch(),
        hash,
        size: bytes.len() as u64,
        until,
        by,
    };
    let of_node = state.clone();
    let bring = move || {
        let store = (&*of_node.store, of_node.content_bytes_max);
        of_node.staging.bring(store, &claim, &bytes, now)
    };
    let brought = tokio::task::spawn_blocking(bring);
    let full = |held: u64, max: u64| {
        let detail = format!("this node keeps {held} of {max} bytes");
        Failure::new(ProblemCode::ContentFull, detail)
    };
    match brought.await.map_err(Failure::internal)?? {
        Some(Brought::Signed(signature)) => Ok(reading.answer(&SignedAvailability {
            member,
            claim,
            signature,
        })),
        Some(Brought::Full(held)) => Err(full(held, STAGED_BYTES_MAX)
            .hint("many data wait for being posted here: try again in some minutes")),
        Some(Brought::StoreFull(held)) => Err(full(held, state.content_bytes_max)),
        None => Err(Failure::internal("a member without a key")),
    }
}

/// A time after `now`, at most so far ahead.
fn ahead(reading: &Reading, name: &str, now: Millis, most: Millis) -> Result<Millis, Failure> {
    let time = reading.parameter::<u64>(name)?.unwrap_or_default();
    let latest = now.saturating_add(most.0);
    if now.0 < time && time <= latest.0 {
        return Ok(Millis(time));
    }
    let detail = format!("{name} {time}: must be after {now} and at most {latest}");
    Err(Failure::new(ProblemCode::MalformedParameter, detail))
}

/// Posted data by their hash
///
/// Of this node, or of another that has them.
#[utoipa::path(get, path = "/v1/data/{hash}", tag = "data",
    params(("hash" = ContentHash, Path)),
    responses(
        (status = 200, description = "The bytes, as what they are found to be: an image, JSON, or octets", body = ContentBytes, content_type = "application/octet-stream"),
        (status = 304, description = "The asker has them (If-None-Match)"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn get(
    State(state): State<ApiState>,
    Segment(hash): Segment,
    _reading: Reading,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let hash: ContentHash = parameter("hash", &hash)?;
    shown(&state, &hash, &headers).await
}

/// The proof that data are posted, or are not
///
/// The record, with its proof; a proof of absence where there is none, or none any more.
#[utoipa::path(get, path = "/v1/data/{hash}/proof", tag = "data",
    params(("hash" = ContentHash, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn posted_proof(Segment(hash): Segment, reading: Reading) -> Result<Response, Failure> {
    let hash: ContentHash = parameter("hash", &hash)?;
    proof(&reading, ObjectId::Posted(hash))
}
