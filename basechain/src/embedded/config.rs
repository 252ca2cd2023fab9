//! What an embedded chain starts with.

use super::limits::STATES_KEPT_MAX;
use revm::primitives::keccak256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that decides a chain's history besides the transactions and their times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainConfig {
    /// EIP-155.
    pub chain_id: u64,
    /// Where PREVRANDAO comes from.
    pub seed: u64,
    /// Timestamp of block 0, in seconds since the Unix epoch.
    pub genesis_timestamp: u64,
    /// First balances, in wei.
    pub balances: BTreeMap<[u8; 20], u128>,
    /// How many blocks `finalized` is behind the head.
    pub finality_depth: u64,
}

/// A configuration that makes no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("chain id 0 is reserved")]
    ChainId,
    #[error(
        "finality depth is {0}, not in 0..{STATES_KEPT_MAX}: the finalized state could not be read"
    )]
    FinalityDepth(u64),
}

impl ChainConfig {
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.chain_id == 0 {
            return Err(ConfigError::ChainId);
        }
        if self.finality_depth >= STATES_KEPT_MAX {
            return Err(ConfigError::FinalityDepth(self.finality_depth));
        }
        Ok(())
    }

    /// Names the configuration, so that a journal is not replayed under another one.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(32 + 36 * self.balances.len());
        for number in [
            self.chain_id,
            self.seed,
            self.genesis_timestamp,
            self.finality_depth,
        ] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for (address, balance) in &self.balances {
            bytes.extend_from_slice(address);
            bytes.extend_from_slice(&balance.to_be_bytes());
        }
        keccak256(bytes).0
    }

    /// PREVRANDAO of a block.
    pub(super) fn randomness(&self, number: u64) -> [u8; 32] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        keccak256(bytes).0
    }
}
