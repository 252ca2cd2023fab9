//! Hashing under domain tags. A tag's length precedes it, so that no tag is a prefix of another's
//! message, and nothing hashed for one purpose is valid for another.

use sha3::{Digest as _, Keccak256};

/// Messages up to this length are gathered before they are hashed.
const SHORT_BYTES: usize = 256;

/// What a digest is for. Part of the protocol: changing a text changes every digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Network,
    Genesis,
    Vertex,
    VertexBody,
    VertexSignature,
    Commit,
    Transaction,
    TransactionSignature,
    Address,
    ObjectId,
    StateKey,
    StateLeaf,
    StateNode,
    EmptyTree,
    Receipt,
    ListNode,
    Gossip,
    LeaderSchedule,
    Proposers,
    Ready,
    Pass,
    PassSignature,
    AllowList,
    DrawCommitment,
    DrawSeed,
    DrawNumber,
    ChannelState,
    ChannelSignature,
    Voucher,
    VoucherPool,
    Availability,
    Book,
}

impl Domain {
    /// The tag's bytes.
    pub const fn tag(self) -> &'static [u8] {
        match self {
            Self::Network => b"weft/v1/network",
            Self::Genesis => b"weft/v1/genesis",
            Self::Vertex => b"weft/v1/vertex",
            Self::VertexBody => b"weft/v1/vertex-body",
            Self::VertexSignature => b"weft/v1/vertex-signature",
            Self::Commit => b"weft/v1/commit",
            Self::Transaction => b"weft/v1/transaction",
            Self::TransactionSignature => b"weft/v1/transaction-signature",
            Self::Address => b"weft/v1/address",
            Self::ObjectId => b"weft/v1/object-id",
            Self::StateKey => b"weft/v1/state-key",
            Self::StateLeaf => b"weft/v1/state-leaf",
            Self::StateNode => b"weft/v1/state-node",
            Self::EmptyTree => b"weft/v1/empty-tree",
            Self::Receipt => b"weft/v1/receipt",
            Self::ListNode => b"weft/v1/list-node",
            Self::Gossip => b"weft/v1/gossip",
            Self::LeaderSchedule => b"weft/v1/leader-schedule",
            Self::Proposers => b"weft/v1/proposers",
            Self::Ready => b"weft/v1/ready",
            Self::Pass => b"weft/v1/pass",
            Self::PassSignature => b"weft/v1/pass-signature",
            Self::AllowList => b"weft/v1/allow-list",
            Self::DrawCommitment => b"weft/v1/draw-commitment",
            Self::DrawSeed => b"weft/v1/draw-seed",
            Self::DrawNumber => b"weft/v1/draw-number",
            Self::ChannelState => b"weft/v1/channel-state",
            Self::ChannelSignature => b"weft/v1/channel-signature",
            Self::Voucher => b"weft/v1/voucher",
            Self::VoucherPool => b"weft/v1/voucher-pool",
            Self::Availability => b"weft/v1/availability",
            Self::Book => b"weft/v1/book",
        }
    }
}

/// BLAKE3 over the tag (its length in one byte first) and the parts, one after the other. Parts of
/// variable length must be the last, or carry their length themselves.
pub fn blake3(domain: Domain, parts: &[&[u8]]) -> [u8; 32] {
    let (mut short, tag) = ([0; SHORT_BYTES], domain.tag());
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1 + tag.len();
    // In one piece it costs half as much, and nearly all that is hashed is short.
    if length <= SHORT_BYTES {
        let (mut end, mark) = (0, [tag.len() as u8]);
        for part in [&mark, tag].iter().chain(parts) {
            short[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        return *blake3::hash(&short[..end]).as_bytes();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[tag.len() as u8]);
    hasher.update(tag);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// keccak256 over the parts: what the base chain can check.
pub fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_the_bytes_however_they_are_cut_and_however_many() {
        let message: Vec<u8> = (0..600).map(|i| i as u8).collect();
        let tag = Domain::Commit.tag();
        for length in [0, 1, 100, 230, 240, 241, 242, 250, 256, 257, 600] {
            let message = &message[..length];
            let (head, tail) = message.split_at(length / 3);
            let whole = [&[tag.len() as u8], tag, message].concat();
            let expected = *blake3::hash(&whole).as_bytes();
            assert_eq!(blake3(Domain::Commit, &[message]), expected, "{length}");
            assert_eq!(blake3(Domain::Commit, &[head, tail]), expected, "{length}");
        }
    }
}
