//! What several test files need.

use crate::store::Store;
use bytes::Bytes;
use prost::Message as _;
use tempfile::TempDir;
use weft_types::{
    Commit, CommitDigest, CommitIndex, Epoch, MemberIndex, MemberSet, Millis, NetworkId, Round,
    TransactionId, Vertex, VertexDigest, VertexRef, wire,
};

pub(crate) const NETWORK: NetworkId = NetworkId([1; 32]);

/// A new store in a folder of its own.
pub(crate) fn store() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = reopen(&folder);
    (folder, store)
}

/// The store in that folder once more; the one before has been dropped.
pub(crate) fn reopen(folder: &TempDir) -> Store {
    Store::open(&folder.path().join("db"), NETWORK).unwrap()
}

/// A vertex with `payload` bytes that do not compress. Nobody has signed it: the store does not ask.
pub(crate) fn vertex(epoch: u64, round: u64, author: u32, payload: usize) -> Vertex {
    let mut transaction = vec![0; payload];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&round.to_be_bytes());
    hasher.finalize_xof().fill(&mut transaction);
    let body = wire::VertexBody {
        network: Bytes::copy_from_slice(&NETWORK.0),
        epoch,
        round,
        author,
        transactions: vec![transaction.into()],
        ..wire::VertexBody::default()
    };
    let outer = wire::Vertex {
        body: body.encode_to_vec().into(),
        signature: Bytes::from_static(&[5; 64]),
    };
    Vertex::decode(outer.encode_to_vec().into()).unwrap()
}

pub(crate) fn commit(index: u64) -> Commit {
    Commit {
        index: CommitIndex(index),
        leader: VertexRef {
            round: Round(index),
            author: MemberIndex(0),
            digest: VertexDigest([3; 32]),
        },
        vertices: Vec::new(),
        timestamp: Millis(index),
        previous: CommitDigest([4; 32]),
        demoted: MemberSet::default(),
        convicted: MemberSet::default(),
    }
}

pub(crate) fn transaction(n: u64) -> TransactionId {
    let mut id = [6; 32];
    id[..8].copy_from_slice(&n.to_be_bytes());
    TransactionId(id)
}

pub(crate) const EPOCH: Epoch = Epoch(0);
