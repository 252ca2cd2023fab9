//! The column families and the encodings of their keys. Numbers are big-endian, so that the order of
//! the bytes is the order of the numbers, and a scan is in the order that its caller means.

use weft_types::{CommitIndex, Epoch, MemberIndex, Round, TransactionId, VertexDigest, VertexRef};

/// Changes whenever a key or value changes its meaning, in the caller's index too.
pub const SCHEMA_VERSION: u32 = 4;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Vertices,
    Commits,
    Heights,
    Certificates,
    Checkpoints,
    State,
    Receipts,
    ReceiptsByCommit,
    Indexes,
    Meta,
    Contents,
    ContentBytes,
}

impl Family {
    pub const ALL: [Self; 12] = [
        Self::Vertices,
        Self::Commits,
        Self::Heights,
        Self::Certificates,
        Self::Checkpoints,
        Self::State,
        Self::Receipts,
        Self::ReceiptsByCommit,
        Self::Indexes,
        Self::Meta,
        Self::Contents,
        Self::ContentBytes,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Vertices => "vertices",
            Self::Commits => "commits",
            Self::Heights => "heights",
            Self::Certificates => "certificates",
            Self::Checkpoints => "checkpoints",
            Self::State => "state",
            Self::Receipts => "receipts",
            Self::ReceiptsByCommit => "receipts_by_commit",
            Self::Indexes => "indexes",
            Self::Meta => "meta",
            Self::Contents => "contents",
            Self::ContentBytes => "content_bytes",
        }
    }
}

/// Entries of the meta family that are the store's own. Those of the caller begin with [`CALLER`].
pub(crate) mod meta {
    pub const SCHEMA: &[u8] = b"store/schema";
    pub const NETWORK: &[u8] = b"store/network";
    pub const OWN_VERTEX: &[u8] = b"store/own-vertex";
    pub const VERTICES_FROM: &[u8] = b"store/vertices-from";
    pub const CALLER: &[u8] = b"node/";
}

/// Length of a vertex's key in bytes.
pub(crate) const VERTEX_KEY_BYTES: usize = 8 + 8 + 4 + 32;

pub(crate) fn vertex_key(epoch: Epoch, vertex: &VertexRef) -> [u8; VERTEX_KEY_BYTES] {
    let mut key = [0; VERTEX_KEY_BYTES];
    key[..16].copy_from_slice(&round_key(epoch, vertex.round));
    key[16..20].copy_from_slice(&vertex.author.0.to_be_bytes());
    key[20..].copy_from_slice(&vertex.digest.0);
    key
}

/// The prefix of a round's vertices, and where they begin.
pub(crate) fn round_key(epoch: Epoch, round: Round) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&epoch.0.to_be_bytes());
    key[8..].copy_from_slice(&round.0.to_be_bytes());
    key
}

pub(crate) fn read_round_key(key: &[u8]) -> Option<(Epoch, Round)> {
    let (epoch, round) = key.split_at_checked(8)?;
    Some((Epoch(read_number(epoch)?), Round(read_number(round)?)))
}

pub(crate) fn read_vertex_key(key: &[u8]) -> Option<(Epoch, VertexRef)> {
    let (place, rest) = key.split_at_checked(16)?;
    let (author, digest) = rest.split_at_checked(4)?;
    let (epoch, round) = read_round_key(place)?;
    let vertex = VertexRef {
        round,
        author: MemberIndex(u32::from_be_bytes(author.try_into().ok()?)),
        digest: VertexDigest::try_from(digest).ok()?,
    };
    Some((epoch, vertex))
}

/// The key of commits, heights, certificates and checkpoints.
pub(crate) fn number_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

pub(crate) fn read_number(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

/// A receipt's place: its commit and its position among the applied transactions of that commit.
pub(crate) fn place_key(commit: CommitIndex, position: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&commit.0.to_be_bytes());
    key[8..].copy_from_slice(&position.to_be_bytes());
    key
}

pub(crate) fn read_transaction_id(bytes: &[u8]) -> Option<TransactionId> {
    TransactionId::try_from(bytes).ok()
}

/// The first key after all that begin with `prefix`; `None` when there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests;
