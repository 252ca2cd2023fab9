//! X3: the trees of heights that may be the newest checkpoint, so that exits are proven against that and not against
//! a state that the base chain does not know.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use weft_ledger::BaseTrees;
use weft_types::Height;

/// Heights kept at a time, beside those that are anchored: as many checkpoint intervals may pass between a
/// certificate and its checkpoint. What they share is there once.
pub const PROVABLE_MAX: usize = 6;

/// B1: anchored heights kept at a time: so many checkpoint intervals deep may a reorganisation be that takes back
/// checkpoints along with a deposit, and an older one is left that the vault pays by.
pub const ANCHORED_MAX: usize = 16;

/// B1: heights kept at a time beside those: of each number of deposits the newest. What has deposits that the base chain
/// takes back is never paid by, and then the newest one without them is.
pub const EARLIER_MAX: usize = 32;

/// The trees of a height that is to be posted.
#[derive(Clone)]
pub struct Provable {
    pub height: Height,
    /// Credited up to there.
    pub deposits: u64,
    pub trees: BaseTrees,
}

#[derive(Default)]
pub(super) struct Provables {
    /// Ascending.
    kept: VecDeque<Provable>,
    /// Ascending, with fewer deposits each than the next.
    earlier: VecDeque<Provable>,
    /// B1: those from when the bridge was halted, of which one may be the last that the vault pays by.
    held: Vec<Provable>,
    shown: Arc<[Provable]>,
}

impl Provables {
    /// A height whose certificate is to be posted. `anchored` is the newest one on the base chain for good.
    pub fn add(&mut self, new: Provable, anchored: Height) {
        if let Some(last) = self.kept.back() {
            if last.height >= new.height {
                return;
            }
            if last.deposits < new.deposits {
                self.earlier.push_back(last.clone());
                let over = self.earlier.len().saturating_sub(EARLIER_MAX);
                self.earlier.drain(..over);
            }
        }
        self.kept.push_back(new);
        let anchored = self.kept.iter().filter(|p| p.height <= anchored).count();
        let over = anchored.saturating_sub(ANCHORED_MAX);
        self.kept.drain(..over);
        let anchored = anchored - over;
        while self.kept.len() - anchored > PROVABLE_MAX {
            self.kept.remove(anchored);
        }
        self.show();
    }

    /// What is kept now is kept on, whatever comes.
    pub fn hold(&mut self) {
        self.held = self.shown.to_vec();
    }

    fn show(&mut self) {
        let all = self.held.iter().chain(&self.earlier).chain(&self.kept);
        let by_height: BTreeMap<Height, &Provable> = all.map(|p| (p.height, p)).collect();
        self.shown = by_height.into_values().cloned().collect();
    }

    /// Ascending.
    pub fn shown(&self) -> Arc<[Provable]> {
        self.shown.clone()
    }
}

#[cfg(test)]
mod tests;
