//! Answers and failures. A failure travels as a [`Problem`] beside an empty response, and the guard
//! writes it into the body, with the path that was asked for: so everything that fails, from an
//! unknown route to a panic, is a problem of the same form.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;
use weft_types::CommitIndex;
use weft_types::api::{PROBLEM_JSON, Problem, ProblemCode};

/// What clients are told to wait when the node cannot say better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request has no answer.
#[derive(Debug, Clone)]
pub struct Failure {
    pub problem: Box<Problem>,
    retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(code, detail)),
            retry_after: None,
        }
    }

    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// What to do about it, where the code's own hint does not fit.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.problem.hint);
        self
    }

    /// What `source` says is for the log; clients learn only that something failed.
    pub fn internal(source: impl std::fmt::Display) -> Self {
        tracing::error!(%source, "a request failed");
        Self::new(ProblemCode::Internal, "the request failed inside the node")
    }
}

impl From<weft_storage::StoreError> for Failure {
    fn from(error: weft_storage::StoreError) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        let status = StatusCode::from_u16(self.problem.status);
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Conflicts resolve by themselves at once or not at all; there is nothing to wait for.
        let waits = matches!(self.problem.status, 429 | 503);
        if self.problem.retryable && waits {
            let seconds = self.retry_after.unwrap_or(RETRY_AFTER).as_secs_f64().ceil();
            let value = HeaderValue::from(seconds.max(1.0) as u64);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response.extensions_mut().insert(*self.problem);
        response
    }
}

/// Writes the problem that a response carries into its body.
pub fn write_problem(mut response: Response, path: &str) -> Response {
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    problem.instance = Some(path.to_owned());
    let json = serde_json::to_vec(&problem).unwrap_or_default();
    let value = HeaderValue::from_static(PROBLEM_JSON);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    *response.body_mut() = Body::from(json);
    response
}

/// A JSON body.
pub fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(error) => Failure::internal(error).into_response(),
    }
}

/// The variable part of a path, as text.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        path(parts, state).await.map(Self)
    }
}

/// The two parameters of a route's path.
pub struct Segments(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let (first, second) = path(parts, state).await?;
        Ok(Self(first, second))
    }
}

async fn path<T, S>(parts: &mut Parts, state: &S) -> Result<T, Failure>
where
    T: serde::de::DeserializeOwned + Send,
    S: Send + Sync,
{
    let read = Path::<T>::from_request_parts(parts, state).await;
    read.map(|Path(read)| read).map_err(|e| {
        let detail = format!("the path cannot be read: {e}");
        Failure::new(ProblemCode::MalformedParameter, detail)
    })
}

/// The parameters after the `?`. The guard refuses those that the route does not describe.
pub struct Query(pub HashMap<String, String>);

impl Query {
    pub fn of(parts: &Parts) -> Result<Self, Failure> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|e| {
            let detail = format!("the query cannot be read: {e}");
            Failure::new(ProblemCode::MalformedParameter, detail)
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Self::of(parts)
    }
}

/// Reads a parameter, or names it and what is wrong with it.
pub fn parameter<T>(name: &str, text: &str) -> Result<T, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error: T::Err| {
        let shown: String = text.chars().take(80).collect();
        let detail = format!("{name} {shown:?}: {error}");
        Failure::new(ProblemCode::MalformedParameter, detail)
    })
}

pub fn not_found(what: impl std::fmt::Display) -> Failure {
    Failure::new(ProblemCode::NotFound, format!("{what} is not known here"))
}

/// The same of what may have been before this node's history begins.
pub fn not_kept(what: impl std::fmt::Display, history_from: CommitIndex) -> Failure {
    if history_from == CommitIndex::ZERO {
        return not_found(what);
    }
    let detail = format!(
        "{what} is not known here; this node's history begins with commit {history_from}, and another one's may before that"
    );
    Failure::new(ProblemCode::NotFound, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_all_history_says_where_its_own_begins() {
        let words = |from| not_kept("deal 7", CommitIndex(from)).problem.to_string();
        assert!(!words(0).contains("history"));
        assert!(words(9).contains("deal 7 is not known here") && words(9).contains("commit 9"));
    }
}
