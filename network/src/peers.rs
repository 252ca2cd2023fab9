//! Who is a member, for everything in the network that has to know.

use libp2p::PeerId;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The peers that are members, this node aside. One set: it changes for all at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers(Arc<RwLock<BTreeSet<PeerId>>>);

impl Peers {
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        let peers = self.0.read();
        peers.unwrap_or_else(PoisonError::into_inner).contains(peer)
    }

    pub(crate) fn set(&self, peers: impl IntoIterator<Item = PeerId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = peers.into_iter().collect();
    }
}
