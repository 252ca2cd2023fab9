//! What a vertex's bytes are spent on.

use super::Vertex;
use crate::wire;
use prost::Message as _;

/// The bytes of an encoded vertex, by what they carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VertexParts {
    /// Parents and weak links.
    pub links: usize,
    pub transactions: usize,
    /// Finality shares.
    pub shares: usize,
    /// Header, signature, what is seen of the base chain, and the encoding itself.
    pub rest: usize,
}

impl Vertex {
    /// How [`Vertex::size`] comes about.
    pub fn parts(&self) -> VertexParts {
        let links = self.links().map(|l| wire::VertexRef::from(l).encoded_len());
        let links = links.map(field).sum();
        let transactions = self.payload().iter().map(|t| field(t.len())).sum();
        let shares = self.shares().iter().map(wire::FinalityShare::from);
        let shares = shares.map(|s| field(s.encoded_len())).sum();
        let rest = self.size().saturating_sub(links + transactions + shares);
        VertexParts {
            links,
            transactions,
            shares,
            rest,
        }
    }
}

/// A field of a message: its tag, its length, and itself.
fn field(length: usize) -> usize {
    1 + prost::length_delimiter_len(length) + length
}
