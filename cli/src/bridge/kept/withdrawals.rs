//! K5: what was given up and not paid yet, with proofs under a checkpoint's other root.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use weft_basechain::Claim;
use weft_types::api::ProvenWithdrawal;
use weft_types::{Root, Statement, TREE_DEPTH, WholeTree, Withdrawal, tree_root_of};

/// Most withdrawals of a whole tree, which fit a file.
const WITHDRAWALS_MAX: usize = 1 << 22;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptWithdrawals {
    /// Ascending by index.
    proven: Vec<ProvenWithdrawal>,
    /// Whether all of the checkpoint's tree are here, without their siblings.
    whole: bool,
    /// What follows from the rest and the statement, made once.
    #[serde(skip)]
    sound: OnceLock<Result<Option<WholeTree>, String>>,
}

fn siblings(of: &ProvenWithdrawal) -> Option<[Root; TREE_DEPTH]> {
    of.siblings.as_slice().try_into().ok()
}

impl KeptWithdrawals {
    /// Whether they hold is found out by [`sound`](Self::sound).
    pub fn new(mut proven: Vec<ProvenWithdrawal>, whole: bool) -> Self {
        proven.sort_by_key(|p| p.withdrawal.index);
        proven.dedup_by_key(|p| p.withdrawal.index);
        Self {
            proven,
            whole,
            sound: OnceLock::new(),
        }
    }

    pub fn is_same(&self, other: &Self) -> bool {
        (&self.proven, self.whole) == (&other.proven, other.whole)
    }

    pub fn len(&self) -> usize {
        self.proven.len()
    }

    /// Ascending by index.
    pub fn all(&self) -> impl Iterator<Item = &Withdrawal> {
        self.proven.iter().map(|p| &p.withdrawal)
    }

    /// Whether the proofs lead to the statement's root of withdrawals.
    ///
    /// # Errors
    /// In words, when they do not.
    pub fn sound(&self, statement: &Statement) -> Result<(), String> {
        let sound = self.sound.get_or_init(|| self.computed(statement));
        sound.as_ref().map(drop).map_err(Clone::clone)
    }

    fn computed(&self, statement: &Statement) -> Result<Option<WholeTree>, String> {
        let leads = |what: &str, root: Root| match root == statement.withdrawals_root {
            true => Ok(()),
            false => Err(format!(
                "{what} leads to root {root}, and the statement's of withdrawals is {}",
                statement.withdrawals_root
            )),
        };
        if self.whole {
            let mut indices = (0..).zip(self.all());
            if self.len() > WITHDRAWALS_MAX || indices.any(|(index, w)| index != w.index) {
                return Err("its withdrawals are not all, or too many".to_owned());
            }
            let tree = WholeTree::new(self.all().map(Withdrawal::leaf).collect());
            leads("the tree of withdrawals", tree.root())?;
            return Ok(Some(tree));
        }
        if !self.all().is_sorted_by(|a, b| a.index < b.index) {
            return Err("its withdrawals are not in their order".to_owned());
        }
        for of in &self.proven {
            let index = of.withdrawal.index;
            let siblings = siblings(of).ok_or_else(|| {
                format!("the proof of withdrawal {index} has not {TREE_DEPTH} siblings")
            })?;
            let root = tree_root_of(of.withdrawal.leaf(), index, &siblings);
            leads(&format!("withdrawal {index}"), root)?;
        }
        Ok(None)
    }

    /// What the vault pays a withdrawal by; `None` when it is not here, or the proofs do not hold.
    pub fn claim(&self, index: u64, statement: &Statement) -> Option<Claim> {
        let found = self
            .proven
            .binary_search_by_key(&index, |p| p.withdrawal.index);
        let kept = &self.proven[found.ok()?];
        let sound = self.sound.get_or_init(|| self.computed(statement));
        let siblings = match sound.as_ref().ok()? {
            Some(tree) => tree.prove(index)?,
            None => siblings(kept)?,
        };
        Some(Claim {
            withdrawal: kept.withdrawal,
            siblings,
            statement: statement.clone(),
        })
    }
}
