//! A connection's socket. Writes of which the client takes nothing fail after a time, and a socket is
//! closed with care: one that is closed over unread bytes is reset, and the answer under way with it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// What is read of a client that sends on although it has its answer: bytes, time, and time without
/// any byte.
const LINGER_BYTES_MAX: usize = 32 << 20;
const LINGER_MAX: Duration = Duration::from_secs(5);
const LINGER_QUIET_MAX: Duration = Duration::from_secs(2);
const LINGER_PIECE_BYTES: usize = 16 << 10;

pub struct Guarded {
    stream: TcpStream,
    stall_max: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Whether there came bytes that no answered request has taken. Whoever answers takes it back.
    unread: Arc<AtomicBool>,
    linger: Option<Linger>,
}

impl Guarded {
    pub fn new(stream: TcpStream, stall_max: Duration, unread: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            stall_max,
            stalled: None,
            unread,
            linger: None,
        }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.stalled = None;
            return write;
        }
        let until = Instant::now() + self.stall_max;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The end of a connection whose client may still be sending: the answer and its end are sent, and
/// what comes is dropped until the client closes, or one of the bounds is reached.
struct Linger {
    bytes: usize,
    over: Pin<Box<Sleep>>,
    quiet: Pin<Box<Sleep>>,
}

impl Linger {
    fn new() -> Self {
        Self {
            bytes: 0,
            over: Box::pin(tokio::time::sleep(LINGER_MAX)),
            quiet: Box::pin(tokio::time::sleep(LINGER_QUIET_MAX)),
        }
    }

    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut piece = [0; LINGER_PIECE_BYTES];
        while self.bytes < LINGER_BYTES_MAX {
            let mut buffer = ReadBuf::new(&mut piece);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.bytes += buffer.filled().len();
                    let until = Instant::now() + LINGER_QUIET_MAX;
                    self.quiet.as_mut().reset(until);
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    if self.over.as_mut().poll(context).is_ready() {
                        return Poll::Ready(());
                    }
                    return self.quiet.as_mut().poll(context);
                }
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.unread.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.watch(context, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.watch(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(Linger::new);
        linger.poll(&mut this.stream, context).map(Ok)
    }
}
