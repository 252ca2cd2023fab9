//! S2.3: the state in pieces. A piece is everything below a prefix of the keys, either as leaves or, where
//! these would be too many bytes, as the hashes of the sixteen subtrees one hexadecimal digit further down.
//!
//! Whoever knows the state root knows the hash below the empty prefix, and learns from each split the
//! hashes below the prefixes that it opens. So each piece is checked by itself, when it comes, against
//! a hash that was checked before: a lie is found in the piece that it is in. The keys are hashes, but
//! their owners choose what is hashed, so no fixed depth bounds a piece; hence the splits.

use bytes::Bytes;
use std::fmt;
use weft_types::{ObjectId, Root, StateKey, empty_hash, key_bit, leaf_hash, node_hash, value_hash};

/// Most bytes of ids and values in a piece of two leaves and more. A lone leaf is an object, which its
/// transaction bounds.
pub const PIECE_BYTES_MAX: usize = 1 << 20;
/// Subtrees that a split shows.
pub const PARTS: usize = 16;
/// Bits of one digit.
const DIGIT_BITS: usize = 4;
/// Digits of a whole key.
pub const DIGITS_MAX: usize = 64;

/// The first digits of keys, each below sixteen.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Vec<u8>);

impl Prefix {
    /// `None` when there are too many digits, or one is no digit.
    pub fn new(digits: &[u8]) -> Option<Self> {
        let fits = digits.len() <= DIGITS_MAX && digits.iter().all(|d| usize::from(*d) < PARTS);
        fits.then(|| Self(digits.to_vec()))
    }

    pub fn digits(&self) -> &[u8] {
        &self.0
    }

    /// Bits of the keys that are fixed.
    pub fn depth(&self) -> usize {
        self.0.len() * DIGIT_BITS
    }

    /// One digit longer.
    ///
    /// # Panics
    /// When it is a whole key already.
    #[must_use]
    pub fn child(&self, digit: u8) -> Self {
        assert!(self.0.len() < DIGITS_MAX && usize::from(digit) < PARTS);
        let mut digits = self.0.clone();
        digits.push(digit);
        Self(digits)
    }

    pub fn has(&self, key: &StateKey) -> bool {
        (0..self.depth()).all(|depth| self.bit(depth) == key_bit(key, depth))
    }

    pub(crate) fn bit(&self, depth: usize) -> bool {
        let digit = self.0[depth / DIGIT_BITS];
        digit & (8 >> (depth % DIGIT_BITS)) != 0
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit:x}"))
    }
}

/// A subtree as a split shows it. Whether it has one leaf or more decides how it is hashed beside an
/// empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Empty,
    Leaf(Root),
    Branch(Root),
}

impl Part {
    pub fn root(&self) -> Root {
        match self {
            Self::Empty => Root(empty_hash()),
            Self::Leaf(root) | Self::Branch(root) => *root,
        }
    }
}

/// What stands below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Objects with their encodings, ascending by state key.
    Leaves(Vec<(ObjectId, Bytes)>),
    Split(Box<[Part; PARTS]>),
}

/// A piece that is not what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PieceError {
    #[error("piece of {leaves} leaves has {bytes} bytes, more than {PIECE_BYTES_MAX}")]
    TooLong { leaves: usize, bytes: usize },
    #[error("piece has an object that does not belong there, or not in this place")]
    Place,
    #[error("piece has hash {found}, not {expected}")]
    Root { expected: Root, found: Root },
    #[error("piece splits what has no two leaves")]
    NoSplit,
}

impl Piece {
    /// Bytes of ids and values.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Leaves(leaves) => leaves.iter().map(leaf_bytes).sum(),
            Self::Split(_) => 0,
        }
    }

    /// Whether this is what stands below `prefix`, where the hash is `expected`.
    ///
    /// # Errors
    /// When anything in it is not as the members have hashed it, or it is over its bound.
    pub fn check(&self, prefix: &Prefix, expected: &Root) -> Result<(), PieceError> {
        let found = match self {
            Self::Leaves(leaves) => {
                let bytes = self.bytes();
                if leaves.len() > 1 && bytes > PIECE_BYTES_MAX {
                    let leaves = leaves.len();
                    return Err(PieceError::TooLong { leaves, bytes });
                }
                let hashed = |(id, value): &(ObjectId, Bytes)| {
                    let key = id.state_key();
                    (key, leaf_hash(&key, &value_hash(value)))
                };
                let hashed: Vec<(StateKey, [u8; 32])> = leaves.iter().map(hashed).collect();
                let ascend = hashed.windows(2).all(|pair| pair[0].0 < pair[1].0);
                if !ascend || !hashed.iter().all(|(key, _)| prefix.has(key)) {
                    return Err(PieceError::Place);
                }
                Root(root_of(&hashed, prefix.depth()))
            }
            Self::Split(_) if prefix.digits().len() == DIGITS_MAX => {
                return Err(PieceError::NoSplit);
            }
            Self::Split(parts) => match together(&parts[..]) {
                Part::Branch(root) => root,
                Part::Empty | Part::Leaf(_) => return Err(PieceError::NoSplit),
            },
        };
        if found != *expected {
            let expected = *expected;
            return Err(PieceError::Root { expected, found });
        }
        Ok(())
    }
}

/// What a leaf counts against [`PIECE_BYTES_MAX`].
pub(crate) fn leaf_bytes((_, value): &(ObjectId, Bytes)) -> usize {
    weft_types::OBJECT_ID_BYTES + value.len()
}

/// The hash of the subtree with these leaves, which ascend and share `depth` bits.
fn root_of(leaves: &[(StateKey, [u8; 32])], depth: usize) -> [u8; 32] {
    match leaves {
        [] => empty_hash(),
        [(_, hash)] => *hash,
        _ => {
            let right = leaves.partition_point(|(key, _)| !key_bit(key, depth));
            let (left, right) = leaves.split_at(right);
            node_hash(&root_of(left, depth + 1), &root_of(right, depth + 1))
        }
    }
}

/// The subtree above these, a power of two of them.
fn together(parts: &[Part]) -> Part {
    let [part] = parts else {
        let (left, right) = parts.split_at(parts.len() / 2);
        return match (together(left), together(right)) {
            (Part::Empty, Part::Empty) => Part::Empty,
            (leaf @ Part::Leaf(_), Part::Empty) | (Part::Empty, leaf @ Part::Leaf(_)) => leaf,
            (left, right) => Part::Branch(Root(node_hash(&left.root().0, &right.root().0))),
        };
    };
    *part
}

#[cfg(test)]
mod tests;
