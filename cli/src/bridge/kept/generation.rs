//! Proofs under one checkpoint, of a file that keeps several of them.

use super::withdrawals::KeptWithdrawals;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use weft_basechain::{Claim, ProvenPlace};
use weft_types::{Exit, Root, Statement, TREE_DEPTH, WholeTree, Withdrawal, tree_root_of};

/// Most places of a whole tree, which fit a file.
const PLACES_MAX: u64 = 1 << 22;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    pub statement: Statement,
    /// By what the statement was known to be the network's when it was kept.
    pub checked: Checked,
    /// Ascending by place.
    places: Vec<KeptPlace>,
    /// How many places the tree has, when all that are not empty are here, without their siblings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<u64>,
    /// Absent in files of version 2, which had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawals: Option<KeptWithdrawals>,
    /// What follows from the rest, made once: of a tree of four million places it takes seconds.
    #[serde(skip)]
    sound: OnceLock<Result<Option<WholeTree>, String>>,
}

/// By what a statement was checked, without believing the node that showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Checked {
    /// The manager has its digest, since then, in Unix seconds.
    BaseChain { posted_at: u64 },
    /// A quorum of the genesis' committee has signed it.
    Certificate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPlace {
    pub place: u64,
    /// Absent when nothing is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<Root>,
}

/// What a file holds, and of what.
pub enum Content {
    Places(Vec<KeptPlace>),
    /// The leaves of a tree with so many places.
    Whole(Vec<Exit>, u64),
}

fn leaf(exit: Option<&Exit>) -> [u8; 32] {
    exit.map_or([0; 32], Exit::leaf)
}

fn siblings(kept: &KeptPlace) -> Option<[Root; TREE_DEPTH]> {
    kept.siblings.as_slice().try_into().ok()
}

impl Generation {
    /// Of proofs as a node has given them.
    ///
    /// # Errors
    /// When one does not hold.
    pub fn new(
        statement: Statement,
        checked: Checked,
        content: Content,
        withdrawals: KeptWithdrawals,
    ) -> Result<Self, String> {
        let (mut places, whole) = match content {
            Content::Places(places) => (places, None),
            Content::Whole(exits, count) => {
                let places = exits.into_iter().map(|exit| KeptPlace {
                    place: exit.place,
                    exit: Some(exit),
                    siblings: vec![],
                });
                (places.collect(), Some(count))
            }
        };
        places.sort_by_key(|p| p.place);
        places.dedup_by_key(|p| p.place);
        let generation = Self {
            statement,
            checked,
            places,
            whole,
            withdrawals: Some(withdrawals),
            sound: OnceLock::new(),
        };
        generation.sound()?;
        if let Some(withdrawals) = &generation.withdrawals {
            withdrawals.sound(&generation.statement)?;
        }
        Ok(generation)
    }

    /// Whether it is of a whole tree.
    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Whether it says the same, however it was checked.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = match (&self.withdrawals, &other.withdrawals) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        same && (&self.statement, &self.places, self.whole)
            == (&other.statement, &other.places, other.whole)
    }

    /// Whether the proofs lead to the statement's root: computed at the first call, and the nodes of a whole tree with it.
    ///
    /// # Errors
    /// In words, when they do not.
    pub fn sound(&self) -> Result<(), String> {
        let sound = self.sound.get_or_init(|| self.computed());
        sound.as_ref().map(drop).map_err(Clone::clone)
    }

    fn computed(&self) -> Result<Option<WholeTree>, String> {
        if !self.places.is_sorted_by(|a, b| a.place < b.place) {
            return Err("its places are not in their order".to_owned());
        }
        if let Some(count) = self.whole {
            let beyond = self.places.last().is_some_and(|p| p.place >= count);
            if count > PLACES_MAX || beyond {
                return Err(format!("a tree of {count} places has others, or too many"));
            }
            let tree = WholeTree::new(self.leaves(count));
            self.leads("the whole tree", tree.root())?;
            return Ok(Some(tree));
        }
        for kept in &self.places {
            let KeptPlace { place, exit, .. } = kept;
            if exit.is_some_and(|e| e.place != *place) {
                return Err(format!("what is at place {place} belongs elsewhere"));
            }
            let siblings = siblings(kept).ok_or_else(|| {
                format!("the proof of place {place} has not {TREE_DEPTH} siblings")
            })?;
            let root = tree_root_of(leaf(exit.as_ref()), *place, &siblings);
            self.leads(&format!("place {place}"), root)?;
        }
        Ok(None)
    }

    fn leads(&self, what: &str, root: Root) -> Result<(), String> {
        if root == self.statement.exit_root {
            return Ok(());
        }
        Err(format!(
            "{what} leads to root {root}, and the statement's is {}",
            self.statement.exit_root
        ))
    }

    /// Of a whole tree, zero where nothing is.
    fn leaves(&self, count: u64) -> Vec<[u8; 32]> {
        let mut leaves = vec![[0; 32]; usize::try_from(count).unwrap_or_default()];
        for kept in &self.places {
            let place = usize::try_from(kept.place).unwrap_or(usize::MAX);
            if let Some(at) = leaves.get_mut(place) {
                *at = leaf(kept.exit.as_ref());
            }
        }
        leaves
    }

    /// What is at a place, proven; `None` when it does not say, or is not sound.
    pub fn proven(&self, place: u64) -> Option<ProvenPlace> {
        let found = self.places.binary_search_by_key(&place, |p| p.place);
        let kept = found.ok().map(|i| &self.places[i]);
        let tree = self.sound.get_or_init(|| self.computed()).as_ref().ok()?;
        let siblings = match tree {
            Some(tree) => tree.prove(place)?,
            None => siblings(kept?)?,
        };
        Some(ProvenPlace {
            place,
            exit: kept.and_then(|k| k.exit),
            siblings,
            statement: self.statement.clone(),
        })
    }

    /// Ascending by index.
    pub fn withdrawals(&self) -> impl Iterator<Item = &Withdrawal> {
        self.withdrawals.iter().flat_map(KeptWithdrawals::all)
    }

    /// What the vault pays a withdrawal by; `None` when it does not say, or does not hold.
    pub fn claim(&self, index: u64) -> Option<Claim> {
        self.withdrawals.as_ref()?.claim(index, &self.statement)
    }

    /// What is owned, ascending by place.
    pub fn exits(&self) -> impl Iterator<Item = &Exit> {
        self.places.iter().filter_map(|p| p.exit.as_ref())
    }
}
