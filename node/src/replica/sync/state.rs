//! S2.3: the pieces of the state that are here, and who has split what.

use bytes::Bytes;
use std::collections::BTreeMap;
use weft_ledger::{PIECE_BYTES_MAX, Part, Piece, Prefix};
use weft_types::{MemberIndex, OBJECT_ID_BYTES, ObjectId, Root};

type Leaves = Vec<(ObjectId, Bytes)>;

#[derive(Debug, Default)]
pub struct State {
    /// With the hash that each was checked against.
    pieces: BTreeMap<Prefix, (Root, Leaves)>,
    bytes: usize,
    splits: Vec<Split>,
    /// Pieces of an earlier height, some of which may be this one's.
    known: BTreeMap<Prefix, (Root, Leaves)>,
    caught: Vec<MemberIndex>,
}

/// What stands below a prefix, and came as a split. An honest server splits what does not fit an
/// answer, and nothing else: who splits more makes many requests out of one.
#[derive(Debug)]
struct Split {
    by: MemberIndex,
    parent: Option<usize>,
    /// Parts that are not here.
    open: usize,
    bytes: usize,
}

impl State {
    /// What is here may be of use again.
    pub fn anew(self) -> Self {
        let mut known = self.known;
        known.extend(self.pieces);
        Self {
            known,
            ..Self::default()
        }
    }

    /// Takes a piece that was checked. Returns what it opens: prefixes with their hashes, and the split.
    pub fn take(
        &mut self,
        prefix: &Prefix,
        root: Root,
        split: Option<usize>,
        by: MemberIndex,
        piece: Piece,
    ) -> Vec<(Prefix, Root, usize)> {
        let parts = match piece {
            Piece::Leaves(leaves) => {
                self.put(prefix, root, split, leaves);
                return Vec::new();
            }
            Piece::Split(parts) => parts,
        };
        let number = self.splits.len();
        let parts = (0..).zip(parts.iter()).filter(|(_, p)| **p != Part::Empty);
        let opened = parts.map(|(digit, part)| (prefix.child(digit), part.root(), number));
        let opened: Vec<_> = opened.collect();
        self.splits.push(Split {
            by,
            parent: split,
            open: opened.len(),
            bytes: 0,
        });
        opened
    }

    /// Whether an earlier height had the same below the prefix. It is taken then.
    pub fn recall(&mut self, prefix: &Prefix, root: &Root, split: Option<usize>) -> bool {
        match self.known.remove(prefix) {
            Some((known, leaves)) if known == *root => {
                self.put(prefix, known, split, leaves);
                true
            }
            _ => false,
        }
    }

    fn put(&mut self, prefix: &Prefix, root: Root, split: Option<usize>, leaves: Leaves) {
        let bytes: usize = leaves.iter().map(|(_, v)| OBJECT_ID_BYTES + v.len()).sum();
        self.bytes += bytes;
        self.pieces.insert(prefix.clone(), (root, leaves));
        let mut next = split;
        let mut closes = true;
        while let Some(split) = next.and_then(|number| self.splits.get_mut(number)) {
            split.bytes += bytes;
            split.open -= usize::from(closes);
            closes &= split.open == 0;
            if closes && split.bytes <= PIECE_BYTES_MAX {
                self.caught.push(split.by);
            }
            next = split.parent;
        }
    }

    /// Servers that have split what fits an answer, since this was asked last.
    pub fn caught(&mut self) -> Vec<MemberIndex> {
        std::mem::take(&mut self.caught)
    }

    /// Pieces that are here, and their bytes.
    pub fn held(&self) -> (usize, usize) {
        (self.pieces.len(), self.bytes)
    }

    pub fn into_objects(self) -> Leaves {
        self.pieces.into_values().flat_map(|(_, l)| l).collect()
    }
}
