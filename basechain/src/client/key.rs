//! A base-chain account's key: an operator's, a submitter's, a deployer's.

use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use std::fmt;

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("account key is zero or not below the group's order")]
pub struct KeyError;

/// A secp256k1 key. `Debug` does not show it.
#[derive(Clone)]
pub struct AccountKey(PrivateKeySigner);

impl AccountKey {
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = PrivateKeySigner::from_bytes(&B256::from(bytes));
        key.map(Self).map_err(|_| KeyError)
    }

    /// The account.
    pub fn address(&self) -> [u8; 20] {
        self.account().into_array()
    }

    pub(crate) fn account(&self) -> Address {
        self.0.address()
    }

    pub(super) fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey(of {})", self.account())
    }
}
