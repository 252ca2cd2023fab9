//! Who signs for a base-chain account: its key, an operator's, a submitter's or a deployer's, or a signer elsewhere
//! that has it.

use super::signer::Signer;
use alloy::primitives::{Address, B256};
use alloy::signers::local::PrivateKeySigner;
use std::fmt;

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("account key is zero or not below the group's order")]
pub struct KeyError;

/// A secp256k1 key, or the signer that has it. `Debug` does not show it.
#[derive(Clone)]
pub struct AccountKey(Holder);

#[derive(Clone)]
pub(super) enum Holder {
    Here(PrivateKeySigner),
    Elsewhere(Signer),
}

impl AccountKey {
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = PrivateKeySigner::from_bytes(&B256::from(bytes));
        key.map(|key| Self(Holder::Here(key))).map_err(|_| KeyError)
    }

    /// The account.
    pub fn address(&self) -> [u8; 20] {
        self.account().into_array()
    }

    pub(crate) fn account(&self) -> Address {
        match &self.0 {
            Holder::Here(key) => key.address(),
            Holder::Elsewhere(signer) => signer.account(),
        }
    }

    pub(super) fn holder(&self) -> &Holder {
        &self.0
    }
}

impl From<Signer> for AccountKey {
    fn from(signer: Signer) -> Self {
        Self(Holder::Elsewhere(signer))
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey(of {})", self.account())
    }
}
