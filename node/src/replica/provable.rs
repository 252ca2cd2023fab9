//! X3: the trees of heights that may be the newest checkpoint, so that exits are proven against that and not against
//! a state that the base chain does not know.

use std::collections::VecDeque;
use std::sync::Arc;
use weft_ledger::BaseTrees;
use weft_types::Height;

/// Heights kept at a time, beside the newest that is anchored: as many checkpoint intervals may pass between a
/// certificate and its checkpoint. What they share is there once.
pub const PROVABLE_MAX: usize = 6;

/// The trees of a height that is to be posted.
#[derive(Clone)]
pub struct Provable {
    pub height: Height,
    pub trees: BaseTrees,
}

#[derive(Default)]
pub(super) struct Provables {
    /// Ascending.
    kept: VecDeque<Provable>,
    /// B1: those from when the bridge was halted, of which one may be the last that the vault pays by.
    held: Vec<Provable>,
    shown: Arc<[Provable]>,
}

impl Provables {
    /// A height whose certificate is to be posted. `anchored` is the newest one on the base chain for good.
    pub fn add(&mut self, height: Height, trees: &BaseTrees, anchored: Height) {
        if self.kept.back().is_some_and(|last| last.height >= height) {
            return;
        }
        let trees = trees.clone();
        self.kept.push_back(Provable { height, trees });
        let below = self.kept.iter().filter(|p| p.height <= anchored).count();
        // Of those that are anchored the newest is enough.
        self.kept.drain(..below.saturating_sub(1));
        while self.kept.len() > PROVABLE_MAX + 1 {
            self.kept.remove(usize::from(below > 0));
        }
        self.show();
    }

    /// What is kept now is kept on, whatever comes.
    pub fn hold(&mut self) {
        self.held = self.kept.iter().cloned().collect();
    }

    fn show(&mut self) {
        let from = self.kept.front().map(|p| p.height);
        let held = self
            .held
            .iter()
            .filter(|p| from.is_none_or(|from| p.height < from));
        self.shown = held.chain(&self.kept).cloned().collect();
    }

    /// Ascending.
    pub fn shown(&self) -> Arc<[Provable]> {
        self.shown.clone()
    }
}

#[cfg(test)]
mod tests;
