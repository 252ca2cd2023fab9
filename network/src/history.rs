//! History for observers: a stream for each request, one message there, one back, as members fetch
//! from each other, but by a protocol of its own and out of a budget of its own. Whatever observers
//! ask, members' fetches have their places, their bytes and their lanes.
//!
//! What is not let through is refused at once, by dropping the stream: the observer then asks
//! another member. What an answer says is the observer's to verify.

pub(crate) mod budget;
pub(crate) mod limits;

use crate::event::Event;
use crate::frame::{ReadError, cost, read_message, write_message};
use crate::inbox::{Inbox, Lane};
use crate::shared::Shared;
use budget::{Budget, Place};
use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use limits::HistoryLimits;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// The members' side.
#[derive(Debug)]
pub(crate) struct History {
    budget: Arc<Mutex<Budget>>,
    /// Requests that wait for the node: as many as may be under way.
    lane: Lane,
}

impl History {
    pub(crate) fn new(limits: &HistoryLimits, inbox: &Arc<Inbox>) -> Self {
        let waiting = cost(limits.request_bytes_max).saturating_mul(limits.total.in_flight_max);
        Self {
            budget: Arc::new(Mutex::new(Budget::new(limits, Instant::now()))),
            lane: inbox.lane(waiting),
        }
    }
}

/// Takes a stream that an observer has opened. Whether it was let through.
pub(crate) fn opened(
    shared: &Arc<Shared>,
    observer: PeerId,
    from: Option<IpAddr>,
    stream: Stream,
) -> bool {
    // A connection without an address is not admitted; none gets here.
    let Some(from) = from else {
        return false;
    };
    match Place::take(&shared.history.budget, observer, from, Instant::now()) {
        Ok(place) => {
            let task = answer(shared.clone(), stream, place);
            shared.tasks.spawn(task);
            true
        }
        Err(reason) => {
            tracing::debug!(peer = %observer, %reason, "history refused");
            shared.counters.history_refused.add(1);
            false
        }
    }
}

/// Answers one request, within the time-out.
async fn answer(shared: Arc<Shared>, stream: Stream, place: Place) {
    let counters = &shared.counters;
    match timeout(shared.limits.fetch_timeout, reply(&shared, stream, &place)).await {
        Ok(Ok(bytes)) => {
            counters.history_answered.add(1);
            counters.history_bytes.add(bytes as u64);
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "history not answered");
            counters.history_refused.add(1);
        }
        Err(_) => {
            tracing::debug!("history not answered in time");
            counters.history_refused.add(1);
        }
    }
}

/// Returns the length of the answer.
async fn reply(shared: &Shared, mut stream: Stream, place: &Place) -> Result<usize, ReadError> {
    let limits = &shared.limits.history;
    let request = read_message(&mut stream, limits.request_bytes_max);
    let request = timeout(limits.request_timeout, request).await;
    let request = request.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let Some(room) = shared.history.lane.try_room(cost(request.len())) else {
        return Err(io::Error::other("too many requests wait for this node").into());
    };
    let (reply, answer) = oneshot::channel();
    let event = Event::History { request, reply };
    shared.history.lane.push(event, room);
    let Ok(answer) = answer.await else {
        return Err(io::Error::other("refused by this node").into());
    };
    if answer.len() > limits.answer_bytes_max {
        // Ours, not the observer's: the node was to keep to the limit.
        return Err(io::Error::other(format!(
            "answer of {} bytes is longer than {}",
            answer.len(),
            limits.answer_bytes_max
        ))
        .into());
    }
    place.charge(answer.len());
    write_message(&mut stream, &answer).await?;
    stream.close().await?;
    Ok(answer.len())
}
