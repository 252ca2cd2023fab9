//! A connection on which nothing comes any more is dead, although no packet says so: the peer lost
//! power, or a router forgot it. TCP alone would go on for a quarter of an hour, and even closing
//! would wait for what cannot be sent any more. Since both sides ping, silence is proof enough:
//! after a while of it every use of the connection fails, reading, writing and closing alike.

use futures::{AsyncRead, AsyncWrite};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A stream that fails after silence.
#[derive(Debug)]
pub(crate) struct Alive<S> {
    stream: S,
    silence_max: Duration,
    heard: Instant,
    /// Looks whether the silence is too long, and sleeps again if not. So hearing something costs
    /// no change of a timer.
    look: Pin<Box<Sleep>>,
}

impl<S> Alive<S> {
    pub(crate) fn new(stream: S, silence_max: Duration) -> Self {
        Self {
            stream,
            silence_max,
            heard: Instant::now(),
            look: Box::pin(sleep(silence_max)),
        }
    }

    /// Pending turns into an error when the silence is too long.
    fn unless_silent<T>(
        &mut self,
        result: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            return result;
        }
        while self.look.as_mut().poll(cx).is_ready() {
            let end = self.heard + self.silence_max;
            if end <= Instant::now() {
                let text = format!("nothing heard for {:?}", self.silence_max);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
            }
            self.look.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Alive<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if result.is_ready() {
            self.heard = Instant::now();
        }
        self.unless_silent(result, cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Alive<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buffer);
        self.unless_silent(result, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.unless_silent(result, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_close(cx);
        self.unless_silent(result, cx)
    }
}

#[cfg(test)]
mod tests;
