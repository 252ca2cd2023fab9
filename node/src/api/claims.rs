//! What the base chain is shown of a leaf that a commit has appended to one of the statement's trees.

use crate::view::View;
use weft_storage::{Cursor, PageRequest, Store, StoreError};
use weft_types::api::LeafClaim;
use weft_types::{CommitIndex, Height, Root, TREE_DEPTH};

/// The proof of the leaf at `index`, which `commit` appended, under the first checkpoint that has it; `None` before
/// there is one. `prove` shows it in the tree as it was after a commit.
pub fn claim(
    (store, view): (&Store, &View),
    (commit, index): (CommitIndex, u64),
    prove: impl FnOnce(CommitIndex, u64) -> Option<[Root; TREE_DEPTH]>,
) -> Result<Option<LeafClaim>, StoreError> {
    let least = first_height(store, view, commit)?;
    let Some(height) = first_checkpoint(store, least)? else {
        return Ok(None);
    };
    let Some(statement) = store.statement(height)? else {
        return Ok(None);
    };
    let siblings = prove(statement.commit, index);
    Ok(siblings.map(|siblings| LeafClaim {
        height,
        statement,
        siblings: siblings.to_vec(),
    }))
}

/// The first height that has what a commit made; the next one where there is none.
pub fn first_height(store: &Store, view: &View, commit: CommitIndex) -> Result<Height, StoreError> {
    let (mut low, mut high) = (1, view.height.0.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match store.statement(Height(middle))? {
            Some(statement) if statement.commit >= commit => high = middle,
            _ => low = middle + 1,
        }
    }
    Ok(Height(low))
}

/// The first checkpoint from a height on: one asks by the same whenever one asks, so that its time for challenges never
/// begins again.
fn first_checkpoint(store: &Store, least: Height) -> Result<Option<Height>, StoreError> {
    let before = Cursor::height(Height(least.0.saturating_sub(1)));
    let page = store.checkpoints(&PageRequest::ascending(1).after(Some(before)))?;
    Ok(page.entries.first().map(|(height, _)| *height))
}
