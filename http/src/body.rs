//! Bodies of requests: each has a time as a whole, and what a handler leaves of it comes back, so that
//! the connection knows what to do with the rest.

use axum::BoxError;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The rest of a body up to this length, in bytes, is read and dropped, and the connection goes on: a
/// client that is told to wait should not have to connect again.
const DRAINED_BYTES_MAX: u64 = 64 << 10;
/// How long that may take.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// A body that did not come in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyTooSlow {
    pub body_max: Duration,
}

impl std::fmt::Display for BodyTooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = self.body_max;
        write!(f, "the body did not come whole within {time:?}")
    }
}

impl std::error::Error for BodyTooSlow {}

/// What a handler has left of a body.
#[derive(Default)]
pub enum Left {
    #[default]
    Nothing,
    /// Up to [`DRAINED_BYTES_MAX`], by what the client announced.
    Little(Incoming),
    /// More, nobody knows how much, or what is too slow to wait for.
    Much,
}

/// Where a body is put when it is dropped before its end.
#[derive(Clone, Default)]
pub struct Rest(Arc<Mutex<Left>>);

impl Rest {
    pub fn take(&self) -> Left {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, left: Left) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

/// A body that fails with [`BodyTooSlow`] when its time is over.
pub struct TimedBody {
    /// Until its end.
    incoming: Option<Incoming>,
    body_max: Duration,
    until: Instant,
    /// Set while waiting for the client.
    over: Option<Pin<Box<Sleep>>>,
    rest: Rest,
}

impl TimedBody {
    pub fn new(incoming: Incoming, body_max: Duration, rest: Rest) -> Self {
        Self {
            incoming: Some(incoming),
            body_max,
            until: Instant::now() + body_max,
            over: None,
            rest,
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        match Pin::new(incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(error))) => {
                this.incoming = None;
                this.rest.put(Left::Much);
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                this.incoming = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let until = this.until;
                let over = this
                    .over
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
                ready!(over.as_mut().poll(context));
                this.incoming = None;
                this.rest.put(Left::Much);
                let body_max = this.body_max;
                Poll::Ready(Some(Err(BodyTooSlow { body_max }.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let none = || SizeHint::with_exact(0);
        self.incoming.as_ref().map_or_else(none, Body::size_hint)
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take().filter(|i| !i.is_end_stream()) else {
            return;
        };
        let announced = incoming.size_hint().upper();
        let little = announced.is_some_and(|bytes| bytes <= DRAINED_BYTES_MAX);
        self.rest.put(if little {
            Left::Little(incoming)
        } else {
            Left::Much
        });
    }
}

/// Reads what is left of a body, for nobody. When it is dropped before the end the connection closes.
pub async fn drain(mut incoming: Incoming) {
    let end = std::future::poll_fn(|context| {
        while let Some(Ok(_)) = ready!(Pin::new(&mut incoming).poll_frame(context)) {}
        Poll::Ready(())
    });
    let _late = tokio::time::timeout(DRAIN_MAX, end).await;
}
