//! The record of a guard, the rule what may be signed after it, and its bytes: a protobuf message.

use super::{GuardError, GuardFloor, STATEMENTS_REMEMBERED, SignedVertex};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::ed25519::PublicKey;
use weft_types::{Epoch, Height, NetworkId, Round, StatementDigest, VertexDigest};

/// All that the guard remembers, and the rule what may be signed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Counts the writes; its lowest bit is the slot.
    pub(super) sequence: u64,
    pub(super) network: NetworkId,
    pub(super) key: PublicKey,
    pub(super) vertex: Option<SignedVertex>,
    /// No statement at or below is signed, unless it is among the remembered.
    pub(super) floor: Height,
    /// S1: it was imported, and the others have not been asked since.
    pub(super) moved: bool,
    /// At most [`STATEMENTS_REMEMBERED`]. Shared between records, because most writes leave it alone.
    pub(super) statements: Arc<BTreeMap<Height, (Epoch, StatementDigest)>>,
}

impl Record {
    pub fn new(network: NetworkId, key: PublicKey, floor: GuardFloor) -> Self {
        let mut record = Self {
            sequence: 1,
            network,
            key,
            vertex: None,
            floor: Height::ZERO,
            moved: false,
            statements: Arc::default(),
        };
        record.raise(floor);
        record
    }

    pub fn raise(&mut self, floor: GuardFloor) {
        self.floor = self.floor.max(floor.height);
        let signed = self.vertex.map(|v| (v.epoch, v.round));
        if let Some((epoch, round)) = floor.vertex
            && signed < floor.vertex
        {
            self.vertex = Some(SignedVertex {
                epoch,
                round,
                digest: None,
            });
        }
    }

    /// V3: the record that must be kept before this vertex is signed; `None` when it is the identical
    /// one, which may be signed again.
    ///
    /// # Errors
    /// When something else was signed at this place or a later one.
    pub fn with_vertex(
        &self,
        epoch: Epoch,
        round: Round,
        digest: VertexDigest,
    ) -> Result<Option<Self>, GuardError> {
        if let Some(highest) = self.vertex
            && (epoch, round) <= (highest.epoch, highest.round)
        {
            let again = (epoch, round) == (highest.epoch, highest.round);
            if again && highest.digest == Some(digest) {
                return Ok(None);
            }
            return Err(GuardError::Vertex {
                epoch,
                round,
                highest_epoch: highest.epoch,
                highest_round: highest.round,
            });
        }
        let mut next = self.clone();
        next.vertex = Some(SignedVertex {
            epoch,
            round,
            digest: Some(digest),
        });
        Ok(Some(next))
    }

    /// V3: the same for a statement.
    ///
    /// # Errors
    /// When another statement was signed for this height, or it is too old to be remembered.
    pub fn with_statement(
        &self,
        epoch: Epoch,
        height: Height,
        digest: StatementDigest,
    ) -> Result<Option<Self>, GuardError> {
        if let Some((_, signed)) = self.statements.get(&height) {
            if *signed == digest {
                return Ok(None);
            }
            return Err(GuardError::Statement {
                height,
                signed: *signed,
                asked: digest,
            });
        }
        if height <= self.floor {
            return Err(GuardError::HeightBelowFloor {
                height,
                floor: self.floor,
            });
        }
        let mut next = self.clone();
        let statements = Arc::make_mut(&mut next.statements);
        statements.insert(height, (epoch, digest));
        while statements.len() > STATEMENTS_REMEMBERED {
            if let Some((forgotten, _)) = statements.pop_first() {
                next.floor = next.floor.max(forgotten);
            }
        }
        Ok(Some(next))
    }

    /// The highest place at which a vertex was signed or is forbidden.
    pub fn highest_vertex(&self) -> Option<SignedVertex> {
        self.vertex
    }

    /// The height up to which no statement is signed but for those that are remembered above it.
    pub fn height_floor(&self) -> Height {
        self.floor
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        Wire::from(self).encode_to_vec()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        Wire::decode(bytes).ok()?.into_record()
    }
}

/// The message in a slot.
#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(bytes = "vec", tag = "2")]
    network: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    key: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    vertex: Option<WireVertex>,
    #[prost(uint64, tag = "5")]
    floor: u64,
    #[prost(message, repeated, tag = "6")]
    statements: Vec<WireStatement>,
    #[prost(bool, tag = "7")]
    moved: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireVertex {
    #[prost(uint64, tag = "1")]
    epoch: u64,
    #[prost(uint64, tag = "2")]
    round: u64,
    /// Empty when the place is only forbidden.
    #[prost(bytes = "vec", tag = "3")]
    digest: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireStatement {
    #[prost(uint64, tag = "1")]
    epoch: u64,
    #[prost(uint64, tag = "2")]
    height: u64,
    #[prost(bytes = "vec", tag = "3")]
    digest: Vec<u8>,
}

impl From<&Record> for Wire {
    fn from(record: &Record) -> Self {
        let statement =
            |(height, (epoch, digest)): (&Height, &(Epoch, StatementDigest))| WireStatement {
                epoch: epoch.0,
                height: height.0,
                digest: digest.0.to_vec(),
            };
        Self {
            sequence: record.sequence,
            network: record.network.0.to_vec(),
            key: record.key.0.to_vec(),
            vertex: record.vertex.map(|v| WireVertex {
                epoch: v.epoch.0,
                round: v.round.0,
                digest: v.digest.map_or(Vec::new(), |d| d.0.to_vec()),
            }),
            floor: record.floor.0,
            statements: record.statements.iter().map(statement).collect(),
            moved: record.moved,
        }
    }
}

impl Wire {
    fn into_record(self) -> Option<Record> {
        let mut statements = BTreeMap::new();
        for s in &self.statements {
            let digest = StatementDigest::try_from(s.digest.as_slice()).ok()?;
            statements.insert(Height(s.height), (Epoch(s.epoch), digest));
        }
        if statements.len() > STATEMENTS_REMEMBERED {
            return None;
        }
        Some(Record {
            sequence: self.sequence,
            network: NetworkId::try_from(self.network.as_slice()).ok()?,
            key: PublicKey(self.key.try_into().ok()?),
            vertex: match self.vertex {
                None => None,
                Some(vertex) => Some(vertex.into_signed()?),
            },
            floor: Height(self.floor),
            moved: self.moved,
            statements: Arc::new(statements),
        })
    }
}

impl WireVertex {
    fn into_signed(self) -> Option<SignedVertex> {
        Some(SignedVertex {
            epoch: Epoch(self.epoch),
            round: Round(self.round),
            digest: match self.digest.as_slice() {
                [] => None,
                digest => Some(VertexDigest::try_from(digest).ok()?),
            },
        })
    }
}
