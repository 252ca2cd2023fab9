//! Receives one member's frames. Room in the member's lane is had before a frame's payload is read,
//! so what a peer can make this node hold is bounded before it is sent, and the wait is felt by
//! that peer alone, through its own stream's window.

use crate::event::Event;
use crate::frame::{ReadError, cost, read_bytes, read_frame_head};
use crate::link::Link;
use crate::shared::Shared;
use futures::io::BufReader;
use libp2p::Stream;
use std::convert::Infallible;
use std::sync::Arc;

/// Read from the connection at once.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Runs until cancelled.
pub(crate) async fn run(shared: Arc<Shared>, link: Arc<Link>) {
    let mut stream = link.arrived.next().await;
    loop {
        let newer = tokio::select! {
            newer = link.arrived.next() => Some(newer),
            Err(error) = read(&link, stream, shared.limits.frame_bytes_max) => {
                tracing::debug!(member = %link.member(), %error, "incoming stream ended");
                link.blame(&error);
                None
            }
            () = link.shut() => None,
        };
        stream = match newer {
            Some(newer) => newer,
            None => link.arrived.next().await,
        };
    }
}

/// Reads until the stream ends. Dropping it resets it, so the peer learns of it.
async fn read(
    link: &Link,
    stream: Stream,
    payload_bytes_max: usize,
) -> Result<Infallible, ReadError> {
    let mut stream = BufReader::with_capacity(READ_BUFFER_BYTES, stream);
    loop {
        let (kind, length) = read_frame_head(&mut stream, payload_bytes_max).await?;
        let room = link.lane.room(cost(length)).await;
        let bytes = read_bytes(&mut stream, length).await?;
        link.counters.received_frames.add(1);
        link.counters.received_bytes.add(length as u64);
        let from = link.member();
        link.lane.push(Event::Frame { from, kind, bytes }, room);
    }
}
