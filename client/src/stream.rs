//! The node's event stream. It goes on by itself: when a connection ends or falls silent, the client
//! comes back, to the same node or the next one, with the id of the last event, and the node sends
//! what was missed. When it cannot, it says so with a [`Event::Gap`].

use crate::client::{Client, Request};
use crate::error::ClientError;
use crate::sse::{Frame, Parser};
use std::collections::VecDeque;
use std::time::Duration;
use weft_types::api::{Event, Topic};

/// Longest silence, after which the connection counts as dead. Nodes send a comment every ten
/// seconds when there is nothing else.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(45);
/// Longest pause before coming back that a server may ask for.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Pause before coming back, unless the server asks for another.
const RETRY: Duration = Duration::from_millis(250);

/// One event with its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// To go on behind it in another process, see [`Client::stream_from`].
    pub id: Option<String>,
    pub event: Event,
}

/// Events of some topics. Dropping it ends the subscription.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    request: Request,
    connection: Option<Connection>,
    waiting: VecDeque<Frame>,
    last_id: Option<String>,
    /// Before the next connection is opened.
    pause: Option<Duration>,
}

#[derive(Debug)]
struct Connection {
    node: String,
    response: reqwest::Response,
    parser: Parser,
}

impl Client {
    /// Subscribes to topics from now on. The connection is opened with the first event asked for.
    pub fn stream(&self, topics: &[Topic]) -> EventStream {
        self.stream_from(topics, None)
    }

    /// Subscribes to topics from behind the event with this id.
    pub fn stream_from(&self, topics: &[Topic], last_id: Option<String>) -> EventStream {
        let topics: Vec<String> = topics.iter().map(ToString::to_string).collect();
        EventStream {
            client: self.clone(),
            request: Request {
                path: "v1/stream".to_owned(),
                query: vec![("topics", topics.join(","))],
                ..Request::default()
            },
            connection: None,
            waiting: VecDeque::new(),
            last_id,
            pause: None,
        }
    }
}

impl EventStream {
    /// The next event; waits for it.
    ///
    /// # Errors
    /// When no node gives the stream. Asking again begins again, behind the last event.
    pub async fn next(&mut self) -> Result<StreamEvent, ClientError> {
        loop {
            while let Some(frame) = self.waiting.pop_front() {
                if let Some(event) = self.event(frame)? {
                    return Ok(event);
                }
            }
            self.read().await?;
        }
    }

    /// Opens the connection before the first event is asked for, so that nothing after this call is
    /// missed.
    pub async fn open(&mut self) -> Result<(), ClientError> {
        if self.connection.is_some() {
            return Ok(());
        }
        if let Some(pause) = self.pause.take() {
            tokio::time::sleep(pause).await;
        }
        let last = self.last_id.as_deref();
        let (node, response) = self.client.response(&self.request, last).await?;
        self.connection = Some(Connection {
            node,
            response,
            parser: Parser::default(),
        });
        Ok(())
    }

    /// Reads one piece of the stream. A connection that ends is not an error.
    async fn read(&mut self) -> Result<(), ClientError> {
        self.open().await?;
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let piece = connection.response.chunk();
        let piece = tokio::time::timeout(STREAM_SILENCE_MAX, piece).await;
        let Ok(Ok(Some(piece))) = piece else {
            self.hang_up();
            return Ok(());
        };
        match connection.parser.feed(&piece) {
            Ok(frames) => self.waiting.extend(frames),
            Err(error) => {
                let node = connection.node.clone();
                self.hang_up();
                return Err(malformed(node, error.to_string()));
            }
        }
        Ok(())
    }

    /// `None` for what is the stream's own affair.
    fn event(&mut self, frame: Frame) -> Result<Option<StreamEvent>, ClientError> {
        if frame.id.is_some() {
            self.last_id.clone_from(&frame.id);
        }
        let event: Event = serde_json::from_str(&frame.data)
            .map_err(|e| malformed(self.client.node(), format!("event: {e}")))?;
        if matches!(event, Event::End { .. }) {
            self.hang_up();
            return Ok(None);
        }
        let id = frame.id;
        Ok(Some(StreamEvent { id, event }))
    }

    fn hang_up(&mut self) {
        let asked = self.connection.take().and_then(|c| c.parser.retry());
        self.pause = Some(asked.unwrap_or(RETRY).min(RETRY_MAX));
    }
}

fn malformed(node: String, reason: String) -> ClientError {
    ClientError::Malformed { node, reason }
}
