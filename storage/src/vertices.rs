//! V3: vertices. Those of others may wait in the operating system's buffers, for the network has
//! them; the own one is on the disk before a byte of it leaves.

use crate::error::StoreError;
use crate::page::{Page, PageRequest, Range};
use crate::schema::{Family, meta, read_vertex_key, round_key, vertex_key};
use crate::store::{Durability, Store, damaged};
use bytes::Bytes;
use rocksdb::WriteBatch;
use weft_types::{Epoch, Round, Vertex, VertexRef};

/// The latest own vertex: S1 compares it with the signing guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnVertex {
    pub epoch: Epoch,
    pub vertex: VertexRef,
}

impl Store {
    /// Writes vertices of others, in one batch.
    pub fn put_vertices<'a>(
        &self,
        vertices: impl IntoIterator<Item = &'a Vertex>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for vertex in vertices {
            self.add_vertex(&mut batch, vertex);
        }
        self.write(batch, durability)
    }

    /// V3: writes an own vertex and returns once it is on the disk. The signing guard has recorded
    /// its digest before.
    pub fn put_own_vertex(&self, vertex: &Vertex) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.add_vertex(&mut batch, vertex);
        let key = vertex_key(vertex.epoch(), &vertex.reference());
        self.put(&mut batch, Family::Meta, meta::OWN_VERTEX, key);
        self.write(batch, Durability::Synced)
    }

    /// The vertex that [`Store::put_own_vertex`] wrote last.
    pub fn own_vertex(&self) -> Result<Option<OwnVertex>, StoreError> {
        let Some(key) = self.get(Family::Meta, meta::OWN_VERTEX)? else {
            return Ok(None);
        };
        let (epoch, vertex) = read_vertex_key(&key)
            .ok_or_else(|| damaged(Family::Meta, "own vertex is no key".to_owned()))?;
        Ok(Some(OwnVertex { epoch, vertex }))
    }

    /// A vertex, not verified: the caller checks it as if it had come from the network, or trusts
    /// its own disk.
    pub fn vertex(&self, epoch: Epoch, vertex: &VertexRef) -> Result<Option<Vertex>, StoreError> {
        self.vertex_encoded(epoch, vertex)?
            .map(|bytes| decode(bytes).map_err(|reason| damaged(Family::Vertices, reason)))
            .transpose()
    }

    /// The encoding, to be handed to a peer.
    pub fn vertex_encoded(
        &self,
        epoch: Epoch,
        vertex: &VertexRef,
    ) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::Vertices, &vertex_key(epoch, vertex))
    }

    /// Vertices of an epoch from a round on, in the order of round, author and digest.
    pub fn vertices(
        &self,
        epoch: Epoch,
        from: Round,
        page: &PageRequest,
    ) -> Result<Page<Vertex>, StoreError> {
        let range = Range::from(&round_key(epoch, from), &epoch.0.to_be_bytes());
        self.scan(Family::Vertices, range, page, |_, value| {
            decode(Bytes::copy_from_slice(value))
        })
    }

    fn add_vertex(&self, batch: &mut WriteBatch, vertex: &Vertex) {
        let key = vertex_key(vertex.epoch(), &vertex.reference());
        self.put(batch, Family::Vertices, key, vertex.encode());
    }
}

fn decode(bytes: Bytes) -> Result<Vertex, String> {
    Vertex::decode(bytes).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests;
