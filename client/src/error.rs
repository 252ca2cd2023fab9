//! Why a call has no result. Every error names the node that it is about.

use std::time::Duration;
use weft_types::api::Problem;

#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    #[error("no node to ask: give the URL of at least one")]
    NoNodes,
    #[error("{url:?} is no URL of a node: {reason}")]
    Url { url: String, reason: String },
    /// The node answered with a problem (RFC 9457).
    #[error("{node}: {problem} ({}); {}", .problem.code, .problem.hint)]
    Problem {
        node: String,
        problem: Box<Problem>,
        /// How long the node asks to wait.
        retry_after: Option<Duration>,
    },
    /// An error that no node made: of a proxy, or of something that is no node.
    #[error("{node}: answered with HTTP status {status} and no problem: {excerpt:?}")]
    Status {
        node: String,
        status: u16,
        excerpt: String,
    },
    #[error("{node}: cannot be reached: {reason}")]
    Unreachable { node: String, reason: String },
    #[error("{node}: no answer within {after:?}")]
    TimedOut { node: String, after: Duration },
    #[error("{node}: the answer cannot be read: {reason}")]
    Malformed { node: String, reason: String },
    #[error("{node}: the answer has more than {limit} bytes")]
    TooLong { node: String, limit: usize },
}

impl ClientError {
    /// Whether the same request may succeed later, or at another node.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoNodes | Self::Url { .. } | Self::Malformed { .. } | Self::TooLong { .. } => {
                false
            }
            Self::Problem { problem, .. } => problem.retryable,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 502 | 503 | 504),
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
        }
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { problem, .. } => Some(problem.status),
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The problem's stable code.
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|p| p.code.as_str())
    }

    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the node does not know what was asked for.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}
