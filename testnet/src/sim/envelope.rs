//! A vertex on its way: with real signers the bytes that a network would carry, read and verified by
//! whoever gets them first. Verification is a function of the bytes and of the committee of the vertex's epoch, so
//! that the others who are in that epoch share the outcome, as they would come to it themselves.

use super::cast::{Cast, Known};
use super::plan::Signer;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;
use weft_types::{Epoch, Transaction, Verified, Vertex, verify_vertex};

/// Finds a transaction that was verified before.
type Lookup<'a> = dyn Fn(&Transaction) -> Option<Arc<Verified<Transaction>>> + 'a;

pub struct Envelope {
    content: Content,
    epoch: Epoch,
    bytes: u64,
    verified: OnceCell<Option<Verified<Vertex>>>,
}

enum Content {
    /// As a network carries it.
    Encoded(bytes::Bytes),
    /// With mock signers: mock signatures have no encoding that could be read.
    Vertex(Vertex),
}

impl Envelope {
    pub fn new(vertex: &Vertex, signer: Signer) -> Rc<Self> {
        let (content, bytes) = match signer {
            Signer::Real => {
                let encoded = vertex.encode();
                let bytes = encoded.len();
                (Content::Encoded(encoded), bytes)
            }
            Signer::Mock => (Content::Vertex(vertex.clone()), vertex.size()),
        };
        Rc::new(Self {
            content,
            epoch: vertex.epoch(),
            bytes: bytes as u64,
            verified: OnceCell::new(),
        })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What the driver's verifier makes of it in the vertex's epoch; `None` is refused.
    pub fn open(&self, cast: &Cast, known: &Known) -> Option<&Verified<Vertex>> {
        let verify = || self.verify(cast, &|t| known.get(t));
        self.verified.get_or_init(verify).as_ref()
    }

    /// The same once more, transactions too, only for what it costs.
    pub fn open_alone(&self, cast: &Cast) {
        drop(self.verify(cast, &|_| None));
    }

    fn verify(&self, cast: &Cast, known: &Lookup<'_>) -> Option<Verified<Vertex>> {
        let committee = &cast.seating(self.epoch)?.committee;
        let vertex = match &self.content {
            Content::Encoded(bytes) => Vertex::decode(bytes.clone()).ok()?,
            Content::Vertex(vertex) => vertex.clone(),
        };
        verify_vertex(vertex, cast.network, committee, known).ok()
    }
}
