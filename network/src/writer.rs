//! Sends one member its frames. Small frames are gathered in a buffer that is flushed when nothing
//! more waits: a flush costs more than copying a small frame, and never delays one.
//!
//! The stream carries nothing the other way, so anything that comes, its end above all, says that
//! the peer has given it up: the writer learns it at once, not at its next frame.

use crate::frame::write_frame;
use crate::link::Link;
use crate::shared::Shared;
use crate::substreams::Channel;
use futures::io::BufWriter;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Small frames gathered into one write.
const WRITE_BUFFER_BYTES: usize = 64 << 10;
/// Pause before opening a stream again on a connection that stands, at first and at most.
const REOPEN_MIN: Duration = Duration::from_millis(20);
const REOPEN_MAX: Duration = Duration::from_secs(1);

/// What has waited longer than this when a stream opens is not sent any more.
const BACKLOG_MAX: Duration = Duration::from_millis(500);

/// Runs until cancelled.
pub(crate) async fn run(shared: Arc<Shared>, link: Arc<Link>) {
    let mut pause = REOPEN_MIN;
    loop {
        link.opened().await;
        match shared.open(&link, Channel::Vertex).await {
            Ok(stream) => {
                let since = Instant::now();
                let dropped = link.outbox.drop_older(BACKLOG_MAX);
                link.counters.dropped_frames.add(dropped);
                link.set_up(true);
                shared.inbox.link(&link, true);
                tokio::select! {
                    error = write(&link, stream) => {
                        tracing::debug!(member = %link.member(), %error, "outgoing stream ended");
                    }
                    () = link.shut() => {}
                }
                link.set_up(false);
                shared.inbox.link(&link, false);
                if since.elapsed() >= REOPEN_MAX {
                    pause = REOPEN_MIN;
                }
            }
            Err(error) => tracing::debug!(member = %link.member(), %error, "no outgoing stream"),
        }
        sleep(pause).await;
        pause = REOPEN_MAX.min(pause * 2);
    }
}

/// Writes until the stream ends.
async fn write(link: &Link, stream: Stream) -> io::Error {
    let (mut back, stream) = stream.split();
    let mut stream = BufWriter::with_capacity(WRITE_BUFFER_BYTES, stream);
    let frames = async {
        loop {
            let frame = match link.outbox.try_pop() {
                Some(frame) => frame,
                None => {
                    stream.flush().await?;
                    link.outbox.pop().await
                }
            };
            write_frame(&mut stream, &frame).await?;
            link.counters.sent_frames.add(1);
            link.counters.sent_bytes.add(frame.payload.len() as u64);
        }
    };
    let end = async {
        match back.read(&mut [0; 1]).await? {
            0 => Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "given up by the peer",
            )),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the peer wrote on it",
            )),
        }
    };
    let ended: Result<(), io::Error> = tokio::select! {
        result = frames => result,
        result = end => result,
    };
    match ended {
        Err(error) => error,
        Ok(()) => unreachable!("neither side returns without an error"),
    }
}
