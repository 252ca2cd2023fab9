//! A member's libp2p identity is its vertex key: whoever completes the handshake as that peer holds
//! the key that signs its vertices. No list of peer ids has to be kept beside the registry.

use crate::config::IdentitySeed;
use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};

/// The key pair of a seed.
pub(crate) fn keypair(seed: &IdentitySeed) -> Keypair {
    let mut bytes = seed.bytes();
    Keypair::ed25519_from_bytes(bytes.as_mut_slice()).expect("any 32 bytes are an Ed25519 seed")
}

/// The peer of a vertex key; `None` when the bytes are no point of the curve.
pub(crate) fn peer_of(vertex_key: &[u8; 32]) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(vertex_key).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}
