//! The convicted, an object of the state: so a snapshot has them, and a restart.

use crate::bridge::AppendTree;
use crate::committee::{Committee, MemberSet, word};
use crate::hash::keccak;
use crate::ids::{CommitIndex, Epoch, MemberIndex, Root, Round};
use serde::{Deserialize, Serialize};

/// A member of whom an offence is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offender {
    /// Its id in the registry.
    pub id: u64,
    pub epoch: Epoch,
    /// The round of which it signed two vertices: of the proof that was ordered first.
    pub round: Round,
    /// The commit that convicted it, by which a statement's tree is known to have it; no part of the leaf.
    pub commit: CommitIndex,
}

impl Offender {
    /// The leaf of the tree that the registry checks: keccak256 of the three words.
    pub fn leaf(&self) -> [u8; 32] {
        keccak(&[&word(self.id), &word(self.epoch.0), &word(self.round.0)])
    }
}

/// All offenders in the order of conviction, and the tree over them. At most one entry for each member
/// and epoch, so a committee's size bounds what an epoch adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offenders {
    list: Vec<Offender>,
    tree: AppendTree,
}

impl Offenders {
    pub fn list(&self) -> &[Offender] {
        &self.list
    }

    /// The root over the leaves, that of withdrawals' tree; not zero, even of none.
    pub fn root(&self) -> Root {
        self.tree.root()
    }

    /// Whether a member is on the list for an epoch.
    pub fn is_convicted(&self, id: u64, epoch: Epoch) -> bool {
        let of_epoch = self.list.iter().rev().take_while(|o| o.epoch == epoch);
        of_epoch.into_iter().any(|o| o.id == id)
    }

    /// V8.7: the members of a committee that were convicted in an epoch before its own. The same at any time of that
    /// epoch, since nobody is convicted in an earlier one any more.
    pub fn carried_into(&self, committee: &Committee) -> MemberSet {
        let earlier = self.list.iter().filter(|o| o.epoch < committee.epoch());
        let members = committee.members();
        let place = |o: &Offender| members.binary_search_by_key(&o.id, |m| m.id).ok();
        let places = earlier.filter_map(place);
        places.map(|place| MemberIndex(place as u32)).collect()
    }

    /// Appends one; `false`, and nothing is changed, if it is convicted in this epoch already, a later
    /// epoch has begun, or the tree is full.
    pub fn convict(&mut self, offender: Offender) -> bool {
        let last = self.list.last().map(|o| o.epoch);
        let past = last.is_some_and(|last| last > offender.epoch);
        if past || self.tree.is_full() || self.is_convicted(offender.id, offender.epoch) {
            return false;
        }
        self.tree.push(offender.leaf());
        self.list.push(offender);
        true
    }
}
