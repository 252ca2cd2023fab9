//! Server-sent events, as the HTML standard describes their parsing: from pieces of bytes, cut
//! anywhere, to whole events. What a server may make the client hold is bounded.

use std::time::Duration;

/// Longest event, and longest line, in bytes.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// An event that is too long; the stream is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {EVENT_BYTES_MAX} bytes")]
pub struct SseError;

/// A whole event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The last id that the stream has named, with this event or before.
    pub id: Option<String>,
    pub data: String,
}

/// Collects bytes until they make events.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    /// The last byte was a carriage return, so a line feed now belongs to it.
    after_return: bool,
    /// The first line may begin with a byte order mark.
    begun: bool,
    data: String,
    has_data: bool,
    id: Option<String>,
    retry: Option<Duration>,
}

impl Parser {
    /// Takes the next bytes of the stream and returns the events that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, SseError> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let second_half = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => frames.extend(self.end_of_line()?),
                _ if self.line.len() < EVENT_BYTES_MAX => self.line.push(byte),
                _ => return Err(SseError),
            }
        }
        Ok(frames)
    }

    /// How long the server asks to wait before coming back.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_of_line(&mut self) -> Result<Option<Frame>, SseError> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let first = !std::mem::replace(&mut self.begun, true);
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if first => rest,
            _ => &line,
        };
        if line.is_empty() {
            return Ok(self.end_of_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.data.len() + value.len() >= EVENT_BYTES_MAX {
                    return Err(SseError);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis),
            // Comments begin with a colon; the event's name is in its data as well.
            _ => {}
        }
        Ok(None)
    }

    fn end_of_event(&mut self) -> Option<Frame> {
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| Frame {
            id: self.id.clone().filter(|id| !id.is_empty()),
            data,
        })
    }
}

#[cfg(test)]
mod tests;
