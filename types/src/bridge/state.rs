//! The ledger's side of the bridge, an object of the state: so a snapshot has it, and a restart.

use super::{AppendTree, Deposit};
use crate::feed::Feed;

/// How far deposits are credited, the tree of withdrawals, and how many places of the exit tree are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    pub deposits: Feed,
    pub withdrawals: AppendTree,
    /// X3: the next holding's place.
    pub exit_places: u64,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            deposits: Feed::new(Deposit::digest_start()),
            withdrawals: AppendTree::default(),
            exit_places: 0,
        }
    }
}
