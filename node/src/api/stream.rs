//! `GET /v1/stream`: events of many topics over one connection, as server-sent events.

use super::ApiState;
use super::answer::{Failure, Query, parameter};
use super::guard::client_address;
use crate::events::{Delivery, EventId, Subscription, TOPICS_MAX};
use axum::extract::{Request, State};
use axum::response::sse::{Event as ServerSent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use weft_types::api::{Event, Problem, ProblemCode, Topic};

/// After this long without an event a comment keeps the connection alive, and finds out dead ones.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const LAST_EVENT_ID: &str = "last-event-id";

/// Events as they happen
///
/// Server-sent events; the name is the `type` of the JSON in `data`. `topics` is a list with commas:
/// `item:ID`, `account:ADDRESS`, `collection:ID`, `commits`, `certificates`, `checkpoints`, `dag`. A
/// client that comes back with `Last-Event-ID` (or `last_event_id`) is sent what it missed, or a
/// `gap`. The node ends a stream with `end`.
#[utoipa::path(get, path = "/v1/stream", tag = "stream",
    params(
        ("topics" = String, Query),
        ("last_event_id" = Option<String>, Query, description = "For clients that cannot set a header"),
        ("Last-Event-ID" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn stream(State(state): State<ApiState>, request: Request) -> Result<Response, Failure> {
    let address = client_address(request.extensions());
    let (parts, _body) = request.into_parts();
    let Query(query) = Query::of(&parts)?;
    let topics = topics(query.get("topics").map_or("", String::as_str))?;
    let header = parts.headers.get(LAST_EVENT_ID);
    let header = header.and_then(|id| id.to_str().ok());
    let last = header.or_else(|| query.get("last_event_id").map(String::as_str));
    let last = last.filter(|id| !id.is_empty());
    let last = last.map(|id| parameter::<EventId>(LAST_EVENT_ID, id));
    let subscription = state.events.subscribe(topics, last.transpose()?, address);
    let subscription = subscription
        .map_err(|refused| Failure::new(ProblemCode::StreamsFull, refused.to_string()))?;
    let events = stream::unfold(subscription, deliver).flat_map(stream::iter);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

fn topics(text: &str) -> Result<BTreeSet<Topic>, Failure> {
    let names = text.split(',').map(str::trim).filter(|t| !t.is_empty());
    let topics: BTreeSet<Topic> = names
        .map(|name| parameter("topics", name))
        .collect::<Result<_, _>>()?;
    if (1..=TOPICS_MAX).contains(&topics.len()) {
        return Ok(topics);
    }
    let detail = format!("{} topics: must be 1 to {TOPICS_MAX}", topics.len());
    Err(Failure::new(ProblemCode::MalformedParameter, detail))
}

type Sent = Vec<Result<ServerSent, Infallible>>;

async fn deliver(mut subscription: Subscription) -> Option<(Sent, Subscription)> {
    let deliveries = subscription.next().await?;
    let sent = deliveries.into_iter().map(|delivery| Ok(sent(delivery)));
    Some((sent.collect(), subscription))
}

fn sent(delivery: Delivery) -> ServerSent {
    let own = |event: Event| {
        let json = serde_json::to_string(&event).unwrap_or_default();
        ServerSent::default().event(event.name()).data(json)
    };
    match delivery {
        Delivery::Event(id, entry) => ServerSent::default()
            .id(id.to_string())
            .event(entry.event.name())
            .data(entry.json()),
        Delivery::Gap(missed) => own(Event::Gap { missed }),
        Delivery::End(reason) => own(Event::End { reason }),
    }
}
