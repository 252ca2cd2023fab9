//! The end of a height: what its statement says of the state.

use super::{Change, Ledger};
use crate::live::Objects as _;
use std::sync::Arc;
use weft_types::{CommitteeDigest, HeightRoots, Object, ObjectId, Roster, WorkId, list_root};

impl Ledger {
    /// F1: ends a height with the newest commit, `due` for posting on the base chain or not. Hashes
    /// what has changed since the last one. Work is written now (L22): `changes` are those of the commit, to which that
    /// is added.
    pub fn close_height(&mut self, due: bool, changes: &mut Vec<Change>) -> HeightRoots {
        self.write_work(changes);
        let receipts_root = list_root(self.receipts.iter().map(|r| r.as_ref()));
        self.receipts.clear();
        self.meta.height_commit = self.meta.index;
        self.meta.changed = false;
        self.meta.unposted &= !due;
        let bridge = self.bridge();
        let roster = self.roster();
        HeightRoots {
            state_root: self.tree.root(),
            receipts_root,
            offenders_root: self.offenders().root(),
            withdrawals_root: bridge.withdrawals.root(),
            exit_root: self.trees.exits.root(),
            deposits: bridge.deposits.taken(),
            registry_cursor: roster.as_ref().map_or(0, |r| r.cursor()),
            next_committee: closing(roster.as_deref()),
        }
    }

    fn write_work(&mut self, changes: &mut Vec<Change>) {
        let id = ObjectId::Work(WorkId::THE_ONE);
        let before = self.live.get(&id).cloned();
        let after = (!self.work.is_empty()).then(|| Object::Work(Arc::new(self.work.clone())));
        if before == after {
            return;
        }
        self.set(id, before.as_ref(), after.as_ref());
        match changes.binary_search_by_key(&id, |c| c.id) {
            // The commit has opened an epoch, and so removed it.
            Ok(place) => changes[place].after = after,
            Err(place) => changes.insert(
                place,
                Change {
                    id,
                    before,
                    after,
                    retired: None,
                },
            ),
        }
    }
}

/// E2: the next committee, in the statement that closes an epoch.
fn closing(roster: Option<&Roster>) -> CommitteeDigest {
    let closed = roster.filter(|r| r.closed);
    let next = closed.and_then(Roster::next_committee);
    next.map_or(CommitteeDigest::ZERO, |next| next.digest())
}
