//! The file of proofs that is kept for the day on which no masternode answers any more. It has all that the way out
//! needs beside the base chain itself: where the contracts are, a checkpoint's statement, and leaves of its exit tree.

use crate::failure::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use weft_basechain::{Contracts, ProvenPlace};
use weft_types::{
    Address, AppendTree, Exit, Genesis, Root, Statement, TREE_DEPTH, tree_proof, tree_root_of,
};

/// Longest file that is read, in bytes: a whole tree of some four million places.
const KEPT_BYTES_MAX: u64 = 1 << 30;
/// Most places of a whole tree, which fit a file.
const PLACES_MAX: u64 = 1 << 22;
const VERSION: u32 = 1;

/// Proofs under one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    version: u32,
    pub chain_id: u64,
    pub contracts: Contracts,
    /// Whose holdings they are; empty for a whole tree.
    pub accounts: Vec<Address>,
    pub statement: Statement,
    /// Ascending by place.
    places: Vec<KeptPlace>,
    /// How many places the tree has, when all that are not empty are here, without their siblings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<u64>,
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

impl Kept {
    /// Of proofs as a node has given them.
    ///
    /// # Errors
    /// When one does not hold.
    pub fn new(
        genesis: &Genesis,
        accounts: Vec<Address>,
        statement: Statement,
        content: Content,
    ) -> Result<Self, Failure> {
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
        let kept = Self {
            version: VERSION,
            chain_id: genesis.network.chain_id,
            contracts: Contracts {
                registry: genesis.registry,
                manager: genesis.network.manager,
                vault: genesis.vault,
            },
            accounts,
            statement,
            places,
            whole,
        };
        kept.check().map_err(|e| Failure::new(Kind::Invalid, e))?;
        Ok(kept)
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        let named = |error: &dyn std::fmt::Display| {
            Failure::usage(format_args!("{}: {error}", path.display()))
        };
        let length = std::fs::metadata(path).map_err(|e| named(&e))?.len();
        if length > KEPT_BYTES_MAX {
            return Err(named(&format!(
                "{length} bytes are more than {KEPT_BYTES_MAX}"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
        let kept: Self = serde_json::from_str(&text).map_err(|e| named(&e))?;
        if kept.version != VERSION {
            let words = format!("version {}, and this program knows {VERSION}", kept.version);
            return Err(named(&words));
        }
        kept.check()
            .map_err(|e| Failure::new(Kind::Invalid, format_args!("{}: {e}", path.display())))?;
        Ok(kept)
    }

    /// Puts it in the place of an older one, whole or not at all. False when what is there is as new.
    ///
    /// # Errors
    /// When what is there is no such file, or of another network, or of other accounts.
    pub fn write(&self, path: &Path) -> Result<bool, Failure> {
        if path.exists() {
            let there = Self::read(path)?;
            if there.statement.network != self.statement.network {
                let words = format!("{} is of another network", path.display());
                return Err(Failure::usage(words).hint("name another file"));
            }
            let is_other = there.accounts != self.accounts
                || there.whole.is_some() != self.whole.is_some()
                || there.contracts != self.contracts;
            if is_other {
                let words = format!("{} has other accounts, or other contracts", path.display());
                return Err(Failure::usage(words).hint("name another file"));
            }
            if there.statement.height > self.statement.height || there == *self {
                return Ok(false);
            }
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = std::fs::File::create(&beside)?;
        serde_json::to_writer(&mut file, self).map_err(std::io::Error::from)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        Ok(true)
    }

    /// Whether the proofs lead to the statement's root.
    fn check(&self) -> Result<(), String> {
        if let Some(count) = self.whole {
            let beyond = self.places.last().is_some_and(|p| p.place >= count);
            if count > PLACES_MAX || beyond || !self.places.is_sorted_by(|a, b| a.place < b.place) {
                return Err(format!("a tree of {count} places has others, or too many"));
            }
            let mut tree = AppendTree::default();
            self.leaves(count).into_iter().for_each(|l| tree.push(l));
            return self.leads("the whole tree", tree.root());
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
        Ok(())
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

    /// What is at a place, proven; `None` when the file does not say.
    pub fn proven(&self, place: u64) -> Option<ProvenPlace> {
        let found = self.places.binary_search_by_key(&place, |p| p.place);
        let kept = found.ok().map(|i| &self.places[i]);
        let siblings = match self.whole {
            Some(count) => tree_proof(&self.leaves(count), usize::try_from(place).ok()?)?,
            None => siblings(kept?)?,
        };
        Some(ProvenPlace {
            place,
            exit: kept.and_then(|k| k.exit),
            siblings,
            statement: self.statement.clone(),
        })
    }

    /// What is owned, ascending by place.
    pub fn exits(&self) -> impl Iterator<Item = &Exit> {
        self.places.iter().filter_map(|p| p.exit.as_ref())
    }
}

fn siblings(kept: &KeptPlace) -> Option<[Root; TREE_DEPTH]> {
    kept.siblings.as_slice().try_into().ok()
}

#[cfg(test)]
mod tests;
