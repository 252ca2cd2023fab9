//! Bytes on a stream. A message is its length as an unsigned LEB128 number and that many bytes; a
//! frame is a message whose first byte says its kind. The length is checked against the limit
//! before anything is allocated for it.

use bytes::{Bytes, BytesMut};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;

/// Longest encoding of a length: 32 bits in groups of seven.
const LENGTH_BYTES_MAX: usize = 5;
/// What a frame costs a queue beside its payload, so that empty frames are bounded too.
pub(crate) const FRAME_OVERHEAD_BYTES: usize = 64;

/// What a frame is; the meaning is the node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKind(pub u8);

/// A frame in memory.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: FrameKind,
    pub(crate) payload: Bytes,
}

impl Frame {
    /// What it counts for in a queue.
    pub(crate) fn cost(&self) -> usize {
        cost(self.payload.len())
    }
}

/// What a payload counts for in a queue.
pub(crate) fn cost(payload_bytes: usize) -> usize {
    payload_bytes.saturating_add(FRAME_OVERHEAD_BYTES)
}

/// Why nothing more can be read from a stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The peer closed it between two messages.
    #[error("ended")]
    Ended,
    #[error("message of {bytes} bytes is longer than {bytes_max}")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("length is no number of 32 bits")]
    Length,
    #[error("frame without a kind")]
    NoKind,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads a length of at most `bytes_max`.
pub(crate) async fn read_length(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> Result<usize, ReadError> {
    let mut length: u64 = 0;
    for place in 0..LENGTH_BYTES_MAX {
        let mut byte = [0; 1];
        match stream.read(&mut byte).await? {
            0 if place == 0 => return Err(ReadError::Ended),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => {}
        }
        let [byte] = byte;
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let bytes = u32::try_from(length).map_err(|_| ReadError::Length)? as usize;
            if bytes > bytes_max {
                return Err(ReadError::TooLong { bytes, bytes_max });
            }
            return Ok(bytes);
        }
    }
    Err(ReadError::Length)
}

/// Reads exactly so many bytes.
pub(crate) async fn read_bytes(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> Result<Bytes, ReadError> {
    let mut bytes = BytesMut::zeroed(length);
    stream.read_exact(&mut bytes).await?;
    Ok(bytes.freeze())
}

/// Reads a whole message of at most `bytes_max`.
pub(crate) async fn read_message(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> Result<Bytes, ReadError> {
    let length = read_length(stream, bytes_max).await?;
    read_bytes(stream, length).await
}

/// Reads a frame's kind and the length of its payload, which is at most `payload_bytes_max`.
pub(crate) async fn read_frame_head(
    stream: &mut (impl AsyncRead + Unpin),
    payload_bytes_max: usize,
) -> Result<(FrameKind, usize), ReadError> {
    let length = match read_length(stream, payload_bytes_max + 1).await {
        Err(ReadError::TooLong { bytes, .. }) => {
            return Err(ReadError::TooLong {
                bytes: bytes - 1,
                bytes_max: payload_bytes_max,
            });
        }
        other => other?,
    };
    let payload = length.checked_sub(1).ok_or(ReadError::NoKind)?;
    let mut kind = [0; 1];
    stream.read_exact(&mut kind).await?;
    Ok((FrameKind(kind[0]), payload))
}

/// Writes a length, without flushing.
async fn write_length(stream: &mut (impl AsyncWrite + Unpin), length: usize) -> io::Result<()> {
    let mut left = u32::try_from(length)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "message of 4 GiB or more"))?;
    let mut bytes = [0; LENGTH_BYTES_MAX];
    let mut used = 0;
    for byte in &mut bytes {
        *byte = (left & 0x7f) as u8;
        left >>= 7;
        used += 1;
        if left == 0 {
            break;
        }
        *byte |= 0x80;
    }
    stream.write_all(&bytes[..used]).await
}

/// Writes a message, without flushing.
pub(crate) async fn write_message(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> io::Result<()> {
    write_length(stream, bytes.len()).await?;
    stream.write_all(bytes).await
}

/// Writes a frame, without flushing.
pub(crate) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &Frame,
) -> io::Result<()> {
    write_length(stream, frame.payload.len().saturating_add(1)).await?;
    stream.write_all(&[frame.kind.0]).await?;
    stream.write_all(&frame.payload).await
}

#[cfg(test)]
mod tests;
