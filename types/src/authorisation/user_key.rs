//! Keys that sign for accounts.

use super::ecdsa::{p256, secp256k1};
use super::{Authorisation, Message, Scheme};
use crate::ed25519;
use crate::ids::Address;
use bytes::Bytes;
use std::fmt;

/// A key that a program holds, with the scheme that it signs by. Passkeys do not leave their devices: what they give
/// is an [`super::Assertion`].
#[derive(Clone)]
pub enum UserKey {
    Ed25519(ed25519::SecretKey),
    Eip191(secp256k1::SecretKey),
    Eip712(secp256k1::SecretKey),
    P256(p256::SecretKey),
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserKey(of {})", self.address())
    }
}

impl From<&ed25519::SecretKey> for UserKey {
    fn from(key: &ed25519::SecretKey) -> Self {
        Self::Ed25519(key.clone())
    }
}

impl From<&UserKey> for UserKey {
    fn from(key: &UserKey) -> Self {
        key.clone()
    }
}

impl UserKey {
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Ed25519(_) => Scheme::Ed25519,
            Self::Eip191(_) => Scheme::Eip191,
            Self::Eip712(_) => Scheme::Eip712,
            Self::P256(_) => Scheme::P256,
        }
    }

    pub fn public(&self) -> Bytes {
        match self {
            Self::Ed25519(key) => Bytes::copy_from_slice(&key.public().0),
            Self::Eip191(key) | Self::Eip712(key) => key.public().into(),
            Self::P256(key) => key.public().into(),
        }
    }

    pub fn address(&self) -> Address {
        Address::of(self.scheme(), &self.public())
    }

    /// Signs for an account, its own or another.
    pub(crate) fn authorise(&self, signed: &impl Message, account: Address) -> Authorisation {
        let scheme = self.scheme();
        let signature = match self {
            Self::Ed25519(key) => key.sign(&signed.bytes()),
            Self::Eip191(key) | Self::Eip712(key) => key.sign(&signed.prehash(scheme)),
            Self::P256(key) => key.sign(&signed.prehash(scheme)),
        };
        Authorisation {
            scheme,
            public_key: self.public(),
            signature: Bytes::copy_from_slice(&signature),
            account: (account != self.address()).then_some(account),
        }
    }
}
