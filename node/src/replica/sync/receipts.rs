//! S2.4: the receipts of the heights inside the window of validity, block by block.

use super::gather::Verdict;
use bytes::Bytes;
use std::collections::BTreeMap;
use weft_types::{
    Height, LIST_BLOCK, Receipt, Root, Statement, block_root, empty_hash, root_of_blocks,
};

#[derive(Debug, Default)]
pub struct Receipts {
    heights: BTreeMap<Height, OfHeight>,
}

#[derive(Debug)]
struct OfHeight {
    /// Of all blocks but the last.
    roots: Vec<Root>,
    /// Of these blocks, as far as they are here.
    receipts: Vec<Bytes>,
    last: Vec<Bytes>,
}

impl Receipts {
    /// Takes the last block of a height, and the roots of those before it.
    ///
    /// The last entry's number is hashed with it, and the way from it to the root turns right at every
    /// node, which is so for the last entry of a list alone. So the number of blocks is right, hence the
    /// shape of the tree above them, hence all of the roots.
    pub fn expect(&mut self, statement: &Statement, roots: &[Root], last: Vec<Bytes>) -> Verdict {
        let height = statement.height;
        let number = roots.len() as u64;
        let last_root = block_root(number, last.iter().map(|r| &r[..]));
        if last_root.is_none() && roots.is_empty() {
            if statement.receipts_root != Root(empty_hash()) {
                return Verdict::Lacks;
            }
        } else {
            let all: Vec<Root> = roots.iter().copied().chain(last_root).collect();
            let found = root_of_blocks(&all);
            if last.len() > LIST_BLOCK || last_root.is_none() || found != statement.receipts_root {
                return Verdict::Lie(format!("receipts of height {height} have another root"));
            }
        }
        let of_height = OfHeight {
            roots: roots.to_vec(),
            receipts: Vec::new(),
            last,
        };
        self.heights.insert(height, of_height);
        Verdict::Good
    }

    /// Takes blocks from number `block` on. Returns the next block that is missing.
    pub fn take(
        &mut self,
        height: Height,
        block: u64,
        receipts: &[Bytes],
    ) -> (Option<u64>, Verdict) {
        let Some(of_height) = self.heights.get_mut(&height) else {
            return (None, Verdict::Good);
        };
        let first = usize::try_from(block).unwrap_or(usize::MAX);
        let roots = of_height.roots.iter().skip(first);
        let mut next = block;
        for (root, found) in roots.zip(receipts.chunks(LIST_BLOCK)) {
            if block_root(next, found.iter().map(|r| &r[..])) != Some(*root) {
                let what = format!("block {next} of height {height}'s receipts is another");
                return (Some(next), Verdict::Lie(what));
            }
            of_height.receipts.extend_from_slice(found);
            next += 1;
        }
        if next == block {
            let what = format!("no receipts from block {block} of height {height} on");
            return (Some(next), Verdict::Lie(what));
        }
        let open = next < of_height.roots.len() as u64;
        (open.then_some(next), Verdict::Good)
    }

    /// Decoded, ascending, of these heights.
    pub fn in_order(
        mut self,
        heights: impl Iterator<Item = Height>,
    ) -> Result<Vec<Receipt>, String> {
        let mut receipts = Vec::new();
        for height in heights {
            let of_height = self.heights.remove(&height);
            let of_height = of_height.ok_or_else(|| format!("no receipts of height {height}"))?;
            let encoded = of_height.receipts.into_iter().chain(of_height.last);
            for receipt in encoded {
                receipts.push(Receipt::decode(receipt).map_err(|e| e.to_string())?);
            }
        }
        Ok(receipts)
    }
}

#[cfg(test)]
mod tests;
