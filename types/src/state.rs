//! The state tree: a sparse Merkle tree over 256-bit keys, in its compact form. A subtree with one
//! leaf is that leaf, an empty subtree is a constant. A proof is the siblings from the root down to
//! where the path ends: at the key's leaf (presence), at another leaf, or at an empty subtree
//! (absence). This file has the hashes and the check, the ledger has the tree.

use crate::hash::{Domain, blake3};
use crate::ids::{
    Address, BridgeId, CollectionId, ContentHash, DealId, EditionId, IdError, ItemId, OffendersId,
    Root, RosterId, SpentVoucherId, StateKey, TokenId, TransactionId, VoucherPoolId, WithdrawalId,
    WorkId,
};
use crate::voucher::VoucherKey;
use crate::wire;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest possible proof: one sibling a bit.
pub const PROOF_SIBLINGS_MAX: usize = 256;

/// Bytes of an [`ObjectId`] with its kind.
pub const OBJECT_ID_BYTES: usize = 33;

/// Names an object of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ObjectId {
    Account(Address),
    Collection(CollectionId),
    Edition(EditionId),
    Item(ItemId),
    Deal(DealId),
    Bridge(BridgeId),
    Withdrawal(WithdrawalId),
    Roster(RosterId),
    Offenders(OffendersId),
    Work(WorkId),
    VoucherPool(VoucherPoolId),
    SpentVoucher(SpentVoucherId),
    /// L55: by the hash of the data.
    Posted(ContentHash),
}

impl ObjectId {
    /// The number in state keys and in the store's keys.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Account(_) => 1,
            Self::Collection(_) => 2,
            Self::Edition(_) => 3,
            Self::Item(_) => 4,
            Self::Deal(_) => 5,
            Self::Bridge(_) => 6,
            Self::Withdrawal(_) => 7,
            Self::Roster(_) => 8,
            Self::Offenders(_) => 9,
            Self::Work(_) => 10,
            Self::VoucherPool(_) => 11,
            Self::SpentVoucher(_) => 12,
            Self::Posted(_) => 13,
        }
    }

    pub fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Account(id) => &id.0,
            Self::Collection(id) => &id.0,
            Self::Edition(id) => &id.0,
            Self::Item(id) => &id.0,
            Self::Deal(id) => &id.0,
            Self::Bridge(id) => &id.0,
            Self::Withdrawal(id) => &id.0,
            Self::Roster(id) => &id.0,
            Self::Offenders(id) => &id.0,
            Self::Work(id) => &id.0,
            Self::VoucherPool(id) => &id.0,
            Self::SpentVoucher(id) => &id.0,
            Self::Posted(hash) => &hash.0,
        }
    }

    /// Reads what `kind` and `bytes` wrote.
    pub fn from_parts(kind: u8, bytes: &[u8]) -> Option<Self> {
        Some(match kind {
            1 => Self::Account(Address::try_from(bytes).ok()?),
            2 => Self::Collection(CollectionId::try_from(bytes).ok()?),
            3 => Self::Edition(EditionId::try_from(bytes).ok()?),
            4 => Self::Item(ItemId::try_from(bytes).ok()?),
            5 => Self::Deal(DealId::try_from(bytes).ok()?),
            6 => Self::Bridge(BridgeId::try_from(bytes).ok()?),
            7 => Self::Withdrawal(WithdrawalId::try_from(bytes).ok()?),
            8 => Self::Roster(RosterId::try_from(bytes).ok()?),
            9 => Self::Offenders(OffendersId::try_from(bytes).ok()?),
            10 => Self::Work(WorkId::try_from(bytes).ok()?),
            11 => Self::VoucherPool(VoucherPoolId::try_from(bytes).ok()?),
            12 => Self::SpentVoucher(SpentVoucherId::try_from(bytes).ok()?),
            13 => Self::Posted(ContentHash::try_from(bytes).ok()?),
            _ => return None,
        })
    }

    /// A byte of kind, then the id.
    pub fn to_bytes(&self) -> [u8; OBJECT_ID_BYTES] {
        let mut bytes = [self.kind(); OBJECT_ID_BYTES];
        bytes[1..].copy_from_slice(self.bytes());
        bytes
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, id) = bytes.split_first()?;
        Self::from_parts(*kind, id)
    }

    /// Where the object stands in the state tree.
    pub fn state_key(&self) -> StateKey {
        StateKey(blake3(Domain::StateKey, &[&[self.kind()], self.bytes()]))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account {id}"),
            Self::Collection(id) => write!(f, "collection {id}"),
            Self::Edition(id) => write!(f, "edition {id}"),
            Self::Item(id) => write!(f, "item {id}"),
            Self::Deal(id) => write!(f, "deal {id}"),
            Self::Bridge(_) => f.write_str("bridge"),
            Self::Roster(_) => f.write_str("roster"),
            Self::Offenders(_) => f.write_str("offenders"),
            Self::Work(_) => f.write_str("work"),
            Self::VoucherPool(id) => write!(f, "voucher pool {id}"),
            Self::SpentVoucher(id) => write!(f, "spent voucher {id}"),
            Self::Posted(hash) => write!(f, "data {hash}"),
            Self::Withdrawal(id) => match id.index() {
                Some(index) => write!(f, "withdrawal {index}"),
                None => write!(f, "withdrawal {id}"),
            },
        }
    }
}

impl CollectionId {
    /// Known before signing, so that one transaction can create a collection and use it. The creator
    /// chooses `idempotency`, and uses none twice; `operation` counts as in receipts.
    pub fn derive(creator: &Address, idempotency: &[u8; 16], operation: u32) -> Self {
        let operation = operation.to_be_bytes();
        Self(object_hash(2, &[&creator.0, idempotency, &operation]))
    }
}

impl EditionId {
    /// Editions of a collection are numbered from 1.
    pub fn derive(collection: &CollectionId, number: u64) -> Self {
        Self(object_hash(3, &[&collection.0, &number.to_be_bytes()]))
    }

    /// Editions of a collection that came over the bridge are named by their token.
    pub(crate) fn of_token(collection: &CollectionId, token: &TokenId) -> Self {
        Self(object_hash(3, &[&collection.0, &token.0]))
    }
}

impl ItemId {
    /// Items of an edition have serials from 1 to its cap.
    pub fn derive(edition: &EditionId, serial: u64) -> Self {
        Self(object_hash(4, &[&edition.0, &serial.to_be_bytes()]))
    }
}

impl DealId {
    /// Of the transaction that opens the deal: one id has one set of terms, for ever.
    pub fn derive(transaction: &TransactionId, operation: u32) -> Self {
        let operation = operation.to_be_bytes();
        Self(object_hash(5, &[&transaction.0, &operation]))
    }
}

impl VoucherPoolId {
    /// Of the pool's key: one key is one pool, for ever.
    pub fn derive(key: &VoucherKey) -> Self {
        Self(object_hash(11, &[&key.0]))
    }
}

impl SpentVoucherId {
    /// Of the pool and the account whose voucher it is.
    pub fn derive(pool: &VoucherPoolId, account: &Address) -> Self {
        Self(object_hash(12, &[&pool.0, &account.0]))
    }
}

/// Every kind has parts of fixed length.
fn object_hash(kind: u8, parts: &[&[u8]]) -> [u8; 32] {
    let kind = [kind];
    let parts: Vec<&[u8]> = std::iter::once(&kind[..])
        .chain(parts.iter().copied())
        .collect();
    blake3(Domain::ObjectId, &parts)
}

/// The hash of an empty subtree, and of an empty tree's root. Not zero, so that a zero root is
/// never a valid one.
pub fn empty_hash() -> [u8; 32] {
    blake3(Domain::EmptyTree, &[])
}

/// The hash of an object's encoding.
pub fn value_hash(value: &[u8]) -> [u8; 32] {
    blake3(Domain::StateLeaf, &[b"value", value])
}

/// The hash of a leaf: its whole key, so that a leaf proves where it belongs.
pub fn leaf_hash(key: &StateKey, value_hash: &[u8; 32]) -> [u8; 32] {
    blake3(Domain::StateLeaf, &[b"leaf", &key.0, value_hash])
}

/// The hash of an inner node.
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    blake3(Domain::StateNode, &[left, right])
}

/// Bit `depth` of the key, from the most significant: `true` is right.
pub fn key_bit(key: &StateKey, depth: usize) -> bool {
    key.0[depth / 8] & (0x80 >> (depth % 8)) != 0
}

/// The siblings on a key's path, and what stands at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateProof {
    /// From the root downwards.
    pub siblings: Vec<Root>,
    /// Another key's leaf (key and value hash) at the end of the path: proves absence.
    pub other: Option<(StateKey, Root)>,
}

/// A proof that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("proof has {0} siblings, more than {PROOF_SIBLINGS_MAX}")]
    TooLong(usize),
    #[error("proof leads to root {found}, not {expected}")]
    Root { expected: Root, found: Root },
    #[error("the other leaf of a proof of absence does not stand on the key's path")]
    OtherLeaf,
    #[error("a proof of presence names another leaf")]
    Contradiction,
    #[error(transparent)]
    Id(#[from] IdError),
}

impl StateProof {
    /// Checks that under `root` the key has this value, or none.
    pub fn verify(
        &self,
        root: &Root,
        key: &StateKey,
        value: Option<&[u8]>,
    ) -> Result<(), ProofError> {
        let depth = self.siblings.len();
        if depth > PROOF_SIBLINGS_MAX {
            return Err(ProofError::TooLong(depth));
        }
        let mut hash = match (value, &self.other) {
            (Some(value), None) => leaf_hash(key, &value_hash(value)),
            (Some(_), Some(_)) => return Err(ProofError::Contradiction),
            (None, None) => empty_hash(),
            (None, Some((other, other_value))) => {
                let on_path = (0..depth).all(|d| key_bit(other, d) == key_bit(key, d));
                if other == key || !on_path {
                    return Err(ProofError::OtherLeaf);
                }
                leaf_hash(other, &other_value.0)
            }
        };
        for (d, sibling) in self.siblings.iter().enumerate().rev() {
            hash = if key_bit(key, d) {
                node_hash(&sibling.0, &hash)
            } else {
                node_hash(&hash, &sibling.0)
            };
        }
        if hash != root.0 {
            return Err(ProofError::Root {
                expected: *root,
                found: Root(hash),
            });
        }
        Ok(())
    }
}

impl From<&StateProof> for wire::StateProof {
    fn from(proof: &StateProof) -> Self {
        let bytes = |h: &[u8; 32]| Bytes::copy_from_slice(h);
        let (other_key, other_value_hash) = match &proof.other {
            Some((key, value)) => (bytes(&key.0), bytes(&value.0)),
            None => (Bytes::new(), Bytes::new()),
        };
        Self {
            siblings: proof.siblings.iter().map(|s| bytes(&s.0)).collect(),
            other_key,
            other_value_hash,
        }
    }
}

impl TryFrom<&wire::StateProof> for StateProof {
    type Error = ProofError;

    fn try_from(wire: &wire::StateProof) -> Result<Self, ProofError> {
        if wire.siblings.len() > PROOF_SIBLINGS_MAX {
            return Err(ProofError::TooLong(wire.siblings.len()));
        }
        let siblings = wire.siblings.iter().map(|s| Root::try_from(s.as_ref()));
        let other = match (wire.other_key.as_ref(), wire.other_value_hash.as_ref()) {
            ([], []) => None,
            (key, value) => Some((StateKey::try_from(key)?, Root::try_from(value)?)),
        };
        Ok(Self {
            siblings: siblings.collect::<Result<_, _>>()?,
            other,
        })
    }
}

#[cfg(test)]
mod tests;
