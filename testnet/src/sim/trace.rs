//! The history of a run in one number: BLAKE3 over everything that members were handed and did, in
//! order and with its time. Two runs with one trace hash were the same run.

use super::time::Time;
use weft_types::VertexRef;

/// What a record is about.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub enum Mark {
    Vertex = 1,
    Tick = 2,
    FetchEnded = 3,
    Submit = 4,
    Broadcast = 5,
    Commit = 6,
    Certificate = 7,
    Crash = 8,
    Start = 9,
    Fault = 10,
    Halt = 11,
    Serve = 12,
    AskLatest = 13,
    Latest = 14,
    Floor = 15,
    BaseBlock = 16,
    Posting = 17,
    Anchored = 18,
    AskSync = 19,
    Sync = 20,
    TakeOver = 21,
    Later = 22,
    Queue = 23,
    Ready = 24,
    Closing = 25,
    Opened = 26,
    Bond = 27,
}

/// Records are hashed so many bytes at a time, which is several times as fast as one by one.
const BUFFER_BYTES: usize = 32 << 10;

pub struct Trace {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Trace {
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(b"weft simulation 1")
            .update(&seed.to_be_bytes());
        Self {
            hasher,
            buffer: Vec::with_capacity(BUFFER_BYTES),
        }
    }

    /// A record with up to 32 bytes that say what.
    pub fn record(&mut self, at: Time, node: usize, mark: Mark, what: &[u8]) {
        let mut record = [0; 48];
        record[..8].copy_from_slice(&at.0.to_be_bytes());
        record[8..12].copy_from_slice(&(node as u32).to_be_bytes());
        record[12] = mark as u8;
        let length = what.len().min(32);
        record[13] = length as u8;
        record[16..16 + length].copy_from_slice(&what[..length]);
        self.buffer.extend_from_slice(&record);
        if self.buffer.len() + record.len() > BUFFER_BYTES {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }

    pub fn vertex(&mut self, at: Time, node: usize, mark: Mark, vertex: &VertexRef) {
        self.record(at, node, mark, &vertex.digest.0);
    }

    pub fn number(&mut self, at: Time, node: usize, mark: Mark, number: u64) {
        self.record(at, node, mark, &number.to_be_bytes());
    }

    pub fn finish(&self) -> [u8; 32] {
        let mut hasher = self.hasher.clone();
        *hasher.update(&self.buffer).finalize().as_bytes()
    }
}
