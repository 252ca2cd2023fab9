use super::*;
use futures::{AsyncReadExt, AsyncWriteExt};
use std::collections::VecDeque;

/// Gives one byte at each of these moments, then nothing; takes nothing ever.
struct Wire(VecDeque<Pin<Box<Sleep>>>);

impl Wire {
    fn with_bytes_at(milliseconds: &[u64]) -> Self {
        let at = |after: &u64| Box::pin(sleep(Duration::from_millis(*after)));
        Self(milliseconds.iter().map(at).collect())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0.front_mut().map(|next| next.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => {
                self.0.pop_front();
                Poll::Ready(Ok(1))
            }
            _ => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

const SILENCE: Duration = Duration::from_millis(100);
/// What a busy machine may add.
const LATE: Duration = Duration::from_secs(5);

/// Checks that the work fails for silence, so many milliseconds from now and not sooner.
async fn fails_after<T: std::fmt::Debug>(
    milliseconds: u64,
    work: impl Future<Output = io::Result<T>>,
) {
    let since = Instant::now();
    let error = work.await.expect_err("the wire goes dead");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let (took, expected) = (since.elapsed(), Duration::from_millis(milliseconds));
    assert!(took >= expected && took < expected + LATE, "{took:?}");
}

#[tokio::test]
async fn silence_ends_reading_counted_from_the_last_byte() {
    let mut stream = Alive::new(Wire::with_bytes_at(&[40, 130, 220]), SILENCE);
    let mut bytes = [0; 3];
    stream.read_exact(&mut bytes).await.expect("three bytes");
    fails_after(99, stream.read(&mut [0])).await;
}

#[tokio::test]
async fn silence_ends_writing_and_closing_too() {
    let mut stream = Alive::new(Wire::with_bytes_at(&[]), SILENCE);
    fails_after(99, stream.write(b"?")).await;
    fails_after(0, stream.close()).await;
}

#[tokio::test]
async fn a_writer_that_waits_is_not_cut_while_something_is_heard() {
    let stream = Alive::new(Wire::with_bytes_at(&[50, 100, 150]), SILENCE);
    let (mut reading, mut writing) = stream.split();
    tokio::join!(
        async { while reading.read(&mut [0]).await.is_ok() {} },
        fails_after(249, writing.write(b"?")),
    );
}
