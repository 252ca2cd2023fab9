//! The file of proofs that is kept for the day on which no masternode answers any more. It has all that the way out
//! needs beside the base chain itself: where the contracts are, and of some checkpoints the statement, leaves of the exit
//! tree, and withdrawals. Some, because the newest may turn out to count for nothing (X2).

mod generation;
mod withdrawals;

pub use generation::{Checked, Content, Generation, KeptPlace};
pub use withdrawals::KeptWithdrawals;

use crate::failure::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use weft_basechain::Contracts;
use weft_types::{Address, Genesis, Millis};

/// Longest file, in bytes: a whole tree of some four million places. Of trees that are larger together the fewer are kept.
const KEPT_BYTES_MAX: u64 = 1 << 30;
/// Of that for what is no generation: accounts, names.
const REST_BYTES_MAX: u64 = 1 << 20;
/// Most checkpoints in one file.
pub const GENERATIONS_MAX: usize = 64;
const VERSION: u32 = 3;
/// Without withdrawals. It is read all the same: nobody can keep proofs anew when the masternodes are gone.
const VERSION_OLDEST: u32 = 2;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    version: u32,
    pub chain_id: u64,
    pub contracts: Contracts,
    /// Whose holdings they are; empty for whole trees.
    pub accounts: Vec<Address>,
    /// Descending by height, never none.
    generations: Vec<Generation>,
}

/// Which of the older generations stay.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// At least 1.
    pub most: usize,
    /// What is so much older than the newest one counts whatever happens to the bridge now.
    pub hold: Millis,
}

impl Retention {
    /// While nothing in the file is old enough to count for sure, what is left spans the time since the oldest evenly: the
    /// newest ones alone might all be too young when the bridge is frozen.
    fn thin(self, generations: &mut Vec<Generation>) {
        while generations.len() > self.most.max(1) {
            let time = |i: usize| generations[i].statement.timestamp.0;
            let last = generations.len() - 1;
            let is_old = |i: usize| time(0).saturating_sub(time(i)) >= self.hold.0;
            let gap = |i: &usize| time(i - 1).saturating_sub(time(i + 1));
            let inner = (1..last).min_by_key(gap).filter(|_| !is_old(last - 1));
            generations.remove(inner.unwrap_or(last));
        }
    }
}

impl Kept {
    pub fn new(genesis: &Genesis, accounts: Vec<Address>, generation: Generation) -> Self {
        Self {
            version: VERSION,
            chain_id: genesis.network.chain_id,
            contracts: Contracts {
                registry: genesis.registry,
                manager: genesis.network.manager,
                vault: genesis.vault,
            },
            accounts,
            generations: vec![generation],
        }
    }

    /// Whether proofs hold is found out where they are used.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let named = |error: &dyn std::fmt::Display| {
            Failure::usage(format_args!("{}: {error}", path.display()))
        };
        let length = std::fs::metadata(path).map_err(|e| named(&e))?.len();
        if length > KEPT_BYTES_MAX {
            let words = format!("{length} bytes are more than {KEPT_BYTES_MAX}");
            return Err(named(&words));
        }
        let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
        let broken = |e: serde_json::Error| {
            named(&e).hint(
                "it should be a file that `weft bridge keep` has written, whole: use a copy of it",
            )
        };
        let Versioned { version } = serde_json::from_str(&text).map_err(broken)?;
        if !(VERSION_OLDEST..=VERSION).contains(&version) {
            let words =
                format!("version {version}, and this program knows {VERSION_OLDEST} to {VERSION}");
            return Err(named(&words).hint("keep the proofs anew, in another file"));
        }
        let kept: Self = serde_json::from_str(&text).map_err(broken)?;
        kept.check()
            .map_err(|e| Failure::new(Kind::Invalid, format_args!("{}: {e}", path.display())))?;
        Ok(kept)
    }

    fn check(&self) -> Result<(), String> {
        let generations = &self.generations;
        let count = generations.len();
        if count == 0 || count > GENERATIONS_MAX {
            return Err(format!("{count} checkpoints, not 1 to {GENERATIONS_MAX}"));
        }
        if !generations.is_sorted_by(|a, b| a.statement.height > b.statement.height) {
            return Err("its checkpoints are not in their order".to_owned());
        }
        let network = &self.newest().statement.network;
        let of_one = generations.iter().all(|g| g.statement.network == *network);
        if !of_one || network.chain_id != self.chain_id || network.manager != self.contracts.manager
        {
            return Err("its checkpoints are not of one network".to_owned());
        }
        Ok(())
    }

    /// Descending by height.
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    pub fn newest(&self) -> &Generation {
        &self.generations[0]
    }

    /// Puts it before what is there already, whole or not at all. False when what is there is as new. Is what the file has then.
    ///
    /// # Errors
    /// When what is there is no such file, or of another network, or of other accounts.
    pub fn write(&mut self, path: &Path, retention: Retention) -> Result<bool, Failure> {
        if path.exists() {
            let there = Self::read(path)?;
            self.fits(&there, path)?;
            let (new, old) = (self.newest(), there.newest());
            if old.statement.height > new.statement.height || old.is_same(new) {
                *self = there;
                return Ok(false);
            }
            let height = new.statement.height;
            let older = there.generations.into_iter();
            self.generations
                .extend(older.filter(|g| g.statement.height < height));
        }
        retention.thin(&mut self.generations);
        self.put(path)
    }

    /// As [`write`](Self::write), but beside what is newer there: the vault may never pay by that.
    ///
    /// # Errors
    /// As there.
    pub fn insert(&mut self, path: &Path, retention: Retention) -> Result<bool, Failure> {
        if path.exists() {
            let there = Self::read(path)?;
            self.fits(&there, path)?;
            if there.generations.iter().any(|g| g.is_same(self.newest())) {
                *self = there;
                return Ok(false);
            }
            let height = self.newest().statement.height;
            let others = there.generations.into_iter();
            let mut others: Vec<_> = others.filter(|g| g.statement.height != height).collect();
            let most = retention.most.saturating_sub(1);
            Retention { most, ..retention }.thin(&mut others);
            self.generations.extend(others);
            self.generations
                .sort_by_key(|g| Reverse(g.statement.height));
        }
        self.put(path)
    }

    fn put(&mut self, path: &Path) -> Result<bool, Failure> {
        self.fit()?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = io::BufWriter::new(std::fs::File::create(&beside)?);
        serde_json::to_writer(&mut file, self).map_err(io::Error::from)?;
        file.write_all(b"\n")?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&beside, path)?;
        Ok(true)
    }

    fn fits(&self, there: &Self, path: &Path) -> Result<(), Failure> {
        let what = if there.newest().statement.network != self.newest().statement.network {
            "is of another network"
        } else if there.accounts != self.accounts
            || there.newest().is_whole() != self.newest().is_whole()
            || there.contracts != self.contracts
        {
            "has other accounts, or other contracts"
        } else {
            return Ok(());
        };
        let words = format!("{} {what}", path.display());
        Err(Failure::usage(words).hint("name another file"))
    }

    /// Leaves out as many of the oldest as do not fit the file.
    fn fit(&mut self) -> Result<(), Failure> {
        let mut left = KEPT_BYTES_MAX - REST_BYTES_MAX;
        let mut fitting = 0;
        for generation in &self.generations {
            let mut length = Length(0);
            serde_json::to_writer(&mut length, generation).map_err(io::Error::from)?;
            match left.checked_sub(length.0) {
                Some(rest) => left = rest,
                None => break,
            }
            fitting += 1;
        }
        if fitting == 0 {
            let words = format!("the proofs take more than {KEPT_BYTES_MAX} bytes");
            return Err(Failure::new(Kind::Failed, words));
        }
        self.generations.truncate(fitting);
        Ok(())
    }
}

/// What any version of the file begins with.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Counts what is written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub mod tests;
