//! Content that the ledger names by its hash (docs/spec/content.md): what the API asks of the task that fetches it from others.

use bytes::Bytes;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use weft_types::ContentHash;

/// Questions of the API that wait: more are refused.
const WANTED_MAX: usize = 64;
/// A4: how long others are asked for content that somebody waits for.
pub const FIND_MAX: Duration = Duration::from_secs(5);

/// Content that somebody waits for. Without an answer nobody has it.
pub struct Wanted {
    pub hash: ContentHash,
    pub answer: oneshot::Sender<Bytes>,
}

/// As many questions wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{WANTED_MAX} requests wait for content of other nodes, as many as may")]
pub struct Busy;

/// The end that asks.
#[derive(Debug, Clone)]
pub struct Finder(mpsc::Sender<Wanted>);

impl Finder {
    /// The two ends.
    pub fn channel() -> (Self, mpsc::Receiver<Wanted>) {
        let (sender, receiver) = mpsc::channel(WANTED_MAX);
        (Self(sender), receiver)
    }

    /// Content that is not here, from who has it. The caller knows that it is named.
    pub async fn find(&self, hash: ContentHash) -> Result<Option<Bytes>, Busy> {
        let (answer, answered) = oneshot::channel();
        let wanted = Wanted { hash, answer };
        match self.0.try_send(wanted) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return Err(Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => return Ok(None),
        }
        // Those before it may take as long.
        let answer = tokio::time::timeout(2 * FIND_MAX, answered).await;
        Ok(answer.ok().and_then(Result::ok))
    }
}
