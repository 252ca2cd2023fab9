//! What several test files need.

use bytes::Bytes;
use prost::Message as _;
use weft_types::{NetworkId, Vertex, wire};

pub const NETWORK: NetworkId = NetworkId([7; 32]);

/// With so many bytes that do not compress. Not signed by anybody: a store takes what it is given.
pub fn vertex(round: u64, author: u32, payload: usize) -> Vertex {
    vertex_in(0, round, author, payload)
}

/// The same of another epoch.
pub fn vertex_in(epoch: u64, round: u64, author: u32, payload: usize) -> Vertex {
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
