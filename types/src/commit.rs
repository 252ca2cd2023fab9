//! O3: a commit, an ordered piece of the DAG. Commits form a chain by their digests; the same chain
//! is made by every correct member.

use crate::committee::MemberSet;
use crate::hash::{Domain, blake3};
use crate::ids::{CommitDigest, CommitIndex, IdError, Millis};
use crate::vertex::VertexRef;
use crate::wire::{self, encode_bytes};
use bytes::Bytes;
use prost::Message as _;
use prost::encoding::uint64;
use serde::{Deserialize, Serialize};

/// The encoding of a vertex reference within a list is at least its digest with the digest's and its
/// own tag and length.
const VERTEX_REF_BYTES_MIN: usize = 32 + 2 + 2;

/// A committed leader with what its history brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub index: CommitIndex,
    pub leader: VertexRef,
    /// In order of output, the leader among them.
    pub vertices: Vec<VertexRef>,
    /// Never behind the previous commit's.
    pub timestamp: Millis,
    pub previous: CommitDigest,
    /// D5: the members that are out of the leader schedule from the round after the leader's on.
    #[serde(default, skip_serializing_if = "MemberSet::is_empty")]
    pub demoted: MemberSet,
    /// V8: the members of whom an offence is ordered in this epoch, by this commit or an earlier one.
    #[serde(default, skip_serializing_if = "MemberSet::is_empty")]
    pub convicted: MemberSet,
}

/// Bytes that are no commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("commit is no protobuf message: {0}")]
    Malformed(String),
    #[error("commit of {bytes} bytes cannot hold {vertices} vertices")]
    Vertices { bytes: usize, vertices: usize },
    #[error("commit names no leader")]
    NoLeader,
    #[error("commit has a bitmap of {0} bytes that is no set of members in its shortest form")]
    Bitmap(usize),
    #[error(transparent)]
    Id(#[from] IdError),
}

impl Commit {
    /// The encoding, of which the digest is taken.
    pub fn encode(&self) -> Bytes {
        self.encoded().into()
    }

    /// As prost writes a `wire::Commit`, straight from what is here: a commit is hashed by every member,
    /// and a copy of each digest would cost more than the hash.
    fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + 64 * self.vertices.len());
        if self.index.0 != 0 {
            uint64::encode(1, &self.index.0, &mut bytes);
        }
        self.leader.encode_field(2, &mut bytes);
        for vertex in &self.vertices {
            vertex.encode_field(3, &mut bytes);
        }
        if self.timestamp.0 != 0 {
            uint64::encode(4, &self.timestamp.0, &mut bytes);
        }
        encode_bytes(5, &self.previous.0, &mut bytes);
        if !self.demoted.is_empty() {
            encode_bytes(6, &self.demoted.to_shortest_bitmap(), &mut bytes);
        }
        if !self.convicted.is_empty() {
            encode_bytes(20, &self.convicted.to_shortest_bitmap(), &mut bytes);
        }
        bytes
    }

    /// Allocates in proportion to the bytes; their number is for the caller to bound.
    pub fn decode(bytes: Bytes) -> Result<Self, CommitError> {
        let malformed = |e: prost::DecodeError| CommitError::Malformed(e.to_string());
        let vertices = wire::occurrences(&bytes).map_err(malformed)?[3];
        if vertices > bytes.len() / VERTEX_REF_BYTES_MIN {
            let bytes = bytes.len();
            return Err(CommitError::Vertices { bytes, vertices });
        }
        let wire = wire::Commit::decode(bytes).map_err(malformed)?;
        let leader = wire.leader.ok_or(CommitError::NoLeader)?;
        let vertices = wire.vertices.iter().map(VertexRef::try_from);
        Ok(Self {
            index: CommitIndex(wire.index),
            leader: VertexRef::try_from(&leader)?,
            vertices: vertices.collect::<Result<_, _>>()?,
            timestamp: Millis(wire.timestamp_ms),
            previous: CommitDigest::try_from(wire.previous.as_ref())?,
            demoted: read_bitmap(&wire.demoted)?,
            convicted: read_bitmap(&wire.convicted)?,
        })
    }

    pub fn digest(&self) -> CommitDigest {
        CommitDigest(blake3(Domain::Commit, &[&self.encoded()]))
    }
}

fn read_bitmap(bitmap: &[u8]) -> Result<MemberSet, CommitError> {
    MemberSet::from_shortest_bitmap(bitmap).ok_or(CommitError::Bitmap(bitmap.len()))
}

#[cfg(test)]
mod tests;
