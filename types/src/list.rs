//! The hash of a list, for receipts: a binary Merkle tree whose leaves are hashed with their index and
//! whose last odd node moves up unchanged.

use crate::hash::{Domain, blake3};
use crate::ids::Root;
use crate::state::empty_hash;

/// Root over the entries; the empty list has a defined root that is not zero.
pub fn list_root<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Root {
    let entries = entries.into_iter().enumerate();
    let mut level: Vec<[u8; 32]> = entries
        .map(|(i, entry)| entry_hash(i as u64, entry))
        .collect();
    if level.is_empty() {
        return Root(empty_hash());
    }
    while level.len() > 1 {
        level = pairs(&level);
    }
    Root(level[0])
}

/// Entries that [`block_root`] takes together.
pub const LIST_BLOCK: usize = 64;

/// The hash over up to [`LIST_BLOCK`] neighbours of a list, the first of them number
/// `block * LIST_BLOCK`; `None` without entries.
pub fn block_root<'a>(block: u64, entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Root> {
    let first = block.saturating_mul(LIST_BLOCK as u64);
    let entries = (first..).zip(entries);
    let mut level: Vec<[u8; 32]> = entries.map(|(i, entry)| entry_hash(i, entry)).collect();
    while level.len() > 1 {
        level = pairs(&level);
    }
    level.first().map(|hash| Root(*hash))
}

/// The root of the list whose blocks have these roots: whole ones but for the last. Blocks begin at
/// powers of two, so a block is a subtree of the list's tree.
pub fn root_of_blocks(blocks: &[Root]) -> Root {
    let mut level: Vec<[u8; 32]> = blocks.iter().map(|block| block.0).collect();
    while level.len() > 1 {
        level = pairs(&level);
    }
    level.first().map_or(Root(empty_hash()), |hash| Root(*hash))
}

/// The siblings of entry `index`, from the leaf upwards; `None` beyond the list.
pub fn list_proof<'a>(
    entries: impl IntoIterator<Item = &'a [u8]>,
    index: usize,
) -> Option<Vec<Root>> {
    let entries = entries.into_iter().enumerate();
    let mut level: Vec<[u8; 32]> = entries
        .map(|(i, entry)| entry_hash(i as u64, entry))
        .collect();
    let mut place = (index < level.len()).then_some(index)?;
    let mut siblings = Vec::new();
    while level.len() > 1 {
        siblings.extend(level.get(place ^ 1).map(|s| Root(*s)));
        level = pairs(&level);
        place /= 2;
    }
    Some(siblings)
}

/// Whether `entry` is number `index` of the `count` entries under `root`.
pub fn verify_list_proof(
    root: &Root,
    count: usize,
    index: usize,
    entry: &[u8],
    siblings: &[Root],
) -> bool {
    let (mut place, mut width) = (index, count);
    let mut hash = entry_hash(index as u64, entry);
    let mut siblings = siblings.iter();
    if index >= count {
        return false;
    }
    while width > 1 {
        if place ^ 1 < width {
            let Some(sibling) = siblings.next() else {
                return false;
            };
            hash = if place % 2 == 0 {
                pair_hash(&hash, &sibling.0)
            } else {
                pair_hash(&sibling.0, &hash)
            };
        }
        (place, width) = (place / 2, width.div_ceil(2));
    }
    siblings.next().is_none() && hash == root.0
}

fn entry_hash(index: u64, entry: &[u8]) -> [u8; 32] {
    blake3(Domain::Receipt, &[&index.to_be_bytes(), entry])
}

fn pair_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    blake3(Domain::ListNode, &[left, right])
}

fn pairs(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => pair_hash(left, right),
            odd => odd[0],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_lists_of_every_small_length_has_a_proof_that_fits_it_alone() {
        for count in 1..=17usize {
            let entries: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; 3]).collect();
            let slices = || entries.iter().map(Vec::as_slice);
            let root = list_root(slices());
            for (i, entry) in entries.iter().enumerate() {
                let proof = list_proof(slices(), i).unwrap();
                assert!(verify_list_proof(&root, count, i, entry, &proof));
                assert!(!verify_list_proof(&root, count, i, b"other", &proof));
                assert!(!verify_list_proof(&root, count, i + 1, entry, &proof));
            }
            assert_eq!(list_proof(slices(), count), None);
        }
    }

    #[test]
    fn the_blocks_of_a_list_of_any_length_have_its_root() {
        for count in 0..=5 * LIST_BLOCK + 1 {
            let entries: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; 3]).collect();
            let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let blocks = (0..).zip(slices.chunks(LIST_BLOCK));
            let blocks = blocks.map(|(i, block)| block_root(i, block.iter().copied()).unwrap());
            let blocks: Vec<Root> = blocks.collect();
            assert_eq!(root_of_blocks(&blocks), list_root(slices), "{count}");
        }
        assert_eq!(block_root(0, []), None);
    }

    #[test]
    fn an_empty_list_has_a_root_that_is_not_zero() {
        assert!(!list_root([]).is_zero());
    }
}
