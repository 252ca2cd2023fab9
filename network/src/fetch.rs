//! Asking one member for what is missing: a stream for each request, one message there, one back,
//! each with its limit, and a time-out over all of it. No answer is told apart from a broken link:
//! the member that refuses closes the stream without a byte.

use crate::config::Role;
use crate::error::FetchError;
use crate::event::Event;
use crate::frame::{ReadError, cost, read_bytes, read_length, read_message, write_message};
use crate::link::Link;
use crate::shared::Shared;
use crate::substreams::{Channel, OpenError};
use bytes::Bytes;
use futures::AsyncWriteExt;
use libp2p::Stream;
use std::io;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

/// How this node asks.
struct Terms {
    channel: Channel,
    request_bytes_max: usize,
    answer_bytes_max: usize,
    in_flight_max: usize,
}

impl Terms {
    fn of(shared: &Shared) -> Self {
        let limits = &shared.limits;
        match shared.role {
            Role::Member(_) => Self {
                channel: Channel::Fetch,
                request_bytes_max: limits.fetch_request_bytes_max,
                answer_bytes_max: limits.fetch_answer_bytes_max,
                in_flight_max: limits.fetches_in_flight_max,
            },
            Role::Observer => Self::of_outsiders(shared),
        }
    }

    fn of_outsiders(shared: &Shared) -> Self {
        let limits = &shared.limits.history;
        Self {
            channel: Channel::History,
            request_bytes_max: limits.request_bytes_max,
            answer_bytes_max: limits.answer_bytes_max,
            in_flight_max: limits.observer.in_flight_max,
        }
    }
}

/// Asks the member, and returns its answer.
pub(crate) async fn ask(shared: &Shared, link: &Link, request: &[u8]) -> Result<Bytes, FetchError> {
    ask_by(shared, link, request, Terms::of(shared)).await
}

/// Asks it as an outsider does, whatever this node is.
pub(crate) async fn ask_outside(
    shared: &Shared,
    link: &Link,
    request: &[u8],
) -> Result<Bytes, FetchError> {
    ask_by(shared, link, request, Terms::of_outsiders(shared)).await
}

async fn ask_by(
    shared: &Shared,
    link: &Link,
    request: &[u8],
    terms: Terms,
) -> Result<Bytes, FetchError> {
    let limits = &shared.limits;
    if request.len() > terms.request_bytes_max {
        return Err(FetchError::RequestTooLong {
            bytes: request.len(),
            bytes_max: terms.request_bytes_max,
        });
    }
    let Ok(_under_way) = link.fetches_out.try_acquire() else {
        return Err(FetchError::Busy(terms.in_flight_max));
    };
    let exchange = async {
        let mut stream = match shared.open(link, terms.channel).await {
            Ok(stream) => stream,
            Err(OpenError::NotConnected) => return Err(FetchError::NotConnected(link.member())),
            Err(error) => return Err(FetchError::Broken(error.to_string())),
        };
        exchange(&mut stream, request, terms.answer_bytes_max)
            .await
            .map_err(|error| failure(link, error))
    };
    let answer = tokio::select! {
        answer = timeout(limits.fetch_timeout, exchange) => {
            answer.unwrap_or(Err(FetchError::Timeout(limits.fetch_timeout)))
        }
        () = shared.stop.cancelled() => Err(FetchError::Closed),
    };
    // The end of the network breaks links before anybody else hears of it.
    match answer {
        Err(_) if shared.stop.is_cancelled() => Err(FetchError::Closed),
        answer => answer,
    }
}

async fn exchange(
    stream: &mut Stream,
    request: &[u8],
    answer_bytes_max: usize,
) -> Result<Bytes, ReadError> {
    write_message(stream, request).await?;
    stream.flush().await?;
    read_message(stream, answer_bytes_max).await
}

fn failure(link: &Link, error: ReadError) -> FetchError {
    link.blame(&error);
    match error {
        ReadError::Ended => FetchError::Refused(link.member()),
        ReadError::TooLong { bytes, bytes_max } => FetchError::AnswerTooLong { bytes, bytes_max },
        // A stream that is dropped unanswered is reset, perhaps while the request is still written.
        ReadError::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::WriteZero
            ) =>
        {
            FetchError::Refused(link.member())
        }
        other => FetchError::Broken(other.to_string()),
    }
}

/// Answers one request of the member, within the time-out.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    link: Arc<Link>,
    stream: Stream,
    _under_way: OwnedSemaphorePermit,
) {
    let limits = &shared.limits;
    match timeout(limits.fetch_timeout, reply(&shared, &link, stream)).await {
        Ok(Ok(())) => link.counters.fetches_answered.add(1),
        Ok(Err(error)) => {
            tracing::debug!(member = %link.member(), %error, "fetch not answered");
            link.blame(&error);
            link.counters.fetches_refused.add(1);
        }
        Err(_) => {
            tracing::debug!(member = %link.member(), "fetch not answered in time");
            link.counters.fetches_refused.add(1);
        }
    }
}

async fn reply(shared: &Shared, link: &Link, mut stream: Stream) -> Result<(), ReadError> {
    let limits = &shared.limits;
    let length = read_length(&mut stream, limits.fetch_request_bytes_max).await?;
    let room = link.lane.room(cost(length)).await;
    let request = read_bytes(&mut stream, length).await?;
    let (reply, answer) = oneshot::channel();
    let from = link.member();
    let event = Event::Fetch {
        from,
        request,
        reply,
    };
    link.lane.push(event, room);
    let Ok(answer) = answer.await else {
        return Err(io::Error::other("refused by this node").into());
    };
    if answer.len() > limits.fetch_answer_bytes_max {
        // Ours, not the peer's: the node was to keep to the limit.
        return Err(io::Error::other(format!(
            "answer of {} bytes is longer than {}",
            answer.len(),
            limits.fetch_answer_bytes_max
        ))
        .into());
    }
    write_message(&mut stream, &answer).await?;
    stream.close().await?;
    Ok(())
}
