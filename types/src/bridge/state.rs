//! The ledger's side of the bridge, an object of the state: so a snapshot has it, and a restart.

use super::{AppendTree, Deposit};
use crate::feed::Feed;

/// How far deposits are credited, and the tree of withdrawals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    pub deposits: Feed,
    pub withdrawals: AppendTree,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            deposits: Feed::new(Deposit::digest_start()),
            withdrawals: AppendTree::default(),
        }
    }
}
