//! W3: the bytes of evidence: records one after the other, each a kind, a length and a payload. Written and read as a
//! stream, so that a state of any size needs no room in memory for its file.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use weft_types::{
    Certificate, CertificateJson, Commit, Member, Network, OBJECT_ID_BYTES, ObjectId, Statement,
};

/// What every file begins with; the number is the form's.
pub const MAGIC: &[u8; 16] = b"weft evidence 1\n";
/// Most bytes of one record. Objects are the longest ones.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// A committee after the genesis', and what closed the epoch before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub members: Vec<Member>,
    pub by: CertificateJson,
}

/// One part of evidence, in the order in which they stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Network(Network),
    /// The certificate in question.
    Accused(Certificate),
    /// Another one of the same height, of which no more is needed.
    Rival(Certificate),
    /// What the watcher says of that height; absent if it has none of that number.
    Own(Statement),
    /// Of the next epoch, from the first one on.
    Epoch(Opened),
    /// The newest height before on which all agreed; absent if that is the genesis.
    Agreed(Certificate),
    /// Of the agreed state, ascending by state key.
    Object(ObjectId, Bytes),
    /// A height whose receipts follow: the heights up to the agreed one, as far back as receipts matter.
    Height(Certificate),
    Receipt(Bytes),
    /// Of the height before the one in question, if that is not the agreed one.
    Before(Certificate),
    /// The next commit, whose vertices follow in their order.
    Commit(Commit),
    Vertex(Bytes),
    /// Nothing follows.
    End,
}

/// Bytes that are no evidence.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("reading evidence: {0}")]
    Io(#[from] std::io::Error),
    #[error("this is no file of evidence, or one of another version")]
    Magic,
    #[error("record {0} has {1} bytes, more than {RECORD_BYTES_MAX}")]
    Length(u64, u64),
    #[error("the file ends in the middle of record {0}")]
    Truncated(u64),
    #[error("record {0}: {1}")]
    Malformed(u64, String),
}

impl Record {
    fn kind(&self) -> u8 {
        match self {
            Self::Network(_) => 1,
            Self::Accused(_) => 2,
            Self::Rival(_) => 3,
            Self::Own(_) => 4,
            Self::Epoch(_) => 5,
            Self::Agreed(_) => 6,
            Self::Object(..) => 7,
            Self::Height(_) => 8,
            Self::Receipt(_) => 9,
            Self::Before(_) => 10,
            Self::Commit(_) => 11,
            Self::Vertex(_) => 12,
            Self::End => 13,
        }
    }

    fn payload(&self) -> std::io::Result<Bytes> {
        Ok(match self {
            Self::Network(network) => serde_json::to_vec(network)?.into(),
            Self::Accused(c)
            | Self::Rival(c)
            | Self::Agreed(c)
            | Self::Height(c)
            | Self::Before(c) => c.encode(),
            Self::Own(statement) => Bytes::copy_from_slice(&statement.encode()),
            Self::Epoch(opened) => serde_json::to_vec(opened)?.into(),
            Self::Object(id, value) => [&id.to_bytes()[..], value].concat().into(),
            Self::Receipt(bytes) | Self::Vertex(bytes) => bytes.clone(),
            Self::Commit(commit) => commit.encode(),
            Self::End => Bytes::new(),
        })
    }

    fn read(kind: u8, payload: Bytes) -> Result<Self, String> {
        let certificate =
            |bytes: Bytes| Certificate::decode(bytes).map_err(|error| error.to_string());
        Ok(match kind {
            1 => Self::Network(serde_json::from_slice(&payload).map_err(|e| e.to_string())?),
            2 => Self::Accused(certificate(payload)?),
            3 => Self::Rival(certificate(payload)?),
            4 => Self::Own(Statement::decode(&payload).map_err(|e| e.to_string())?),
            5 => Self::Epoch(serde_json::from_slice(&payload).map_err(|e| e.to_string())?),
            6 => Self::Agreed(certificate(payload)?),
            7 => {
                let id = payload.get(..OBJECT_ID_BYTES);
                let id = id.and_then(ObjectId::from_bytes).ok_or("no object's id")?;
                Self::Object(id, payload.slice(OBJECT_ID_BYTES..))
            }
            8 => Self::Height(certificate(payload)?),
            9 => Self::Receipt(payload),
            10 => Self::Before(certificate(payload)?),
            11 => Self::Commit(Commit::decode(payload).map_err(|e| e.to_string())?),
            12 => Self::Vertex(payload),
            13 if payload.is_empty() => Self::End,
            kind => return Err(format!("kind {kind} is none, or not of that length")),
        })
    }
}

/// Writes records; the first one begins the file.
pub struct Writer<W> {
    sink: W,
}

impl<W: Write> Writer<W> {
    pub fn new(mut sink: W) -> std::io::Result<Self> {
        sink.write_all(MAGIC)?;
        Ok(Self { sink })
    }

    /// # Errors
    /// When it is not written, or is longer than a record may be.
    pub fn write(&mut self, record: &Record) -> std::io::Result<()> {
        let payload = record.payload()?;
        let length = u32::try_from(payload.len()).ok();
        let length = length.filter(|_| payload.len() <= RECORD_BYTES_MAX);
        let too_long = || std::io::Error::other("a record is too long for evidence");
        self.sink.write_all(&[record.kind()])?;
        self.sink
            .write_all(&length.ok_or_else(too_long)?.to_be_bytes())?;
        self.sink.write_all(&payload)
    }

    /// Ends the file.
    pub fn finish(mut self) -> std::io::Result<W> {
        self.write(&Record::End)?;
        self.sink.flush()?;
        Ok(self.sink)
    }
}

/// Reads records one after the other, with a look at the next one.
pub struct Reader<R> {
    source: R,
    /// Of the next record, from 1.
    number: u64,
    next: Option<Record>,
}

impl<R: Read> Reader<R> {
    pub fn new(mut source: R) -> Result<Self, RecordError> {
        let mut magic = [0; MAGIC.len()];
        match source.read_exact(&mut magic) {
            Ok(()) if magic == *MAGIC => {}
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(error.into());
            }
            _ => return Err(RecordError::Magic),
        }
        Ok(Self {
            source,
            number: 0,
            next: None,
        })
    }

    pub fn peek(&mut self) -> Result<&Record, RecordError> {
        let next = match self.next.take() {
            Some(next) => next,
            None => self.read()?,
        };
        Ok(self.next.insert(next))
    }

    /// The next record, if it is of that kind.
    pub fn next_if(
        &mut self,
        wanted: impl FnOnce(&Record) -> bool,
    ) -> Result<Option<Record>, RecordError> {
        match wanted(self.peek()?) {
            true => Ok(self.next.take()),
            false => Ok(None),
        }
    }

    pub fn take(&mut self) -> Result<Record, RecordError> {
        match self.next.take() {
            Some(next) => Ok(next),
            None => self.read(),
        }
    }

    /// # Errors
    /// When something follows.
    pub fn ended(mut self) -> Result<(), RecordError> {
        let mut byte = [0];
        match self.source.read(&mut byte)? {
            0 => Ok(()),
            _ => Err(self.malformed("something follows the end".to_owned())),
        }
    }

    pub fn malformed(&self, reason: String) -> RecordError {
        RecordError::Malformed(self.number, reason)
    }

    fn read(&mut self) -> Result<Record, RecordError> {
        self.number += 1;
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u64::from(u32::from_be_bytes(length));
        if length > RECORD_BYTES_MAX as u64 {
            return Err(RecordError::Length(self.number, length));
        }
        // Grows with what is there, not with what is claimed.
        let mut payload = Vec::new();
        let read = self.source.by_ref().take(length);
        if { read }.read_to_end(&mut payload)? as u64 != length {
            return Err(RecordError::Truncated(self.number));
        }
        Record::read(kind, payload.into()).map_err(|reason| self.malformed(reason))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RecordError> {
        self.source.read_exact(bytes).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => RecordError::Truncated(self.number),
            _ => RecordError::Io(e),
        })
    }
}
