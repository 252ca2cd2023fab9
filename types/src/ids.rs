//! Newtypes for everything that must not be mixed: numbers that count different things, and digests
//! of different things. None converts from a plain integer implicitly.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// A text, or a byte string, that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("{what} has {found} bytes, not {expected}")]
    Length {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("{what} is not hexadecimal: {text:?}")]
    NotHex { what: &'static str, text: String },
    #[error("address is not bech32m with the prefix {prefix:?}: {text:?}")]
    NotAddress { prefix: &'static str, text: String },
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            pub const ZERO: Self = Self(0);
            pub const MAX: Self = Self(<$inner>::MAX);

            /// The value after this one.
            ///
            /// # Panics
            /// At the type's maximum, which no run reaches: our own counters only.
            #[inline]
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("counter below its maximum"))
            }

            #[inline]
            #[must_use]
            pub fn saturating_add(self, n: $inner) -> Self {
                Self(self.0.saturating_add(n))
            }

            #[inline]
            #[must_use]
            pub fn saturating_sub(self, n: $inner) -> Self {
                Self(self.0.saturating_sub(n))
            }

            #[inline]
            pub fn checked_add(self, n: $inner) -> Option<Self> {
                self.0.checked_add(n).map(Self)
            }

            #[inline]
            pub fn checked_sub(self, n: $inner) -> Option<Self> {
                self.0.checked_sub(n).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A round of the DAG, from 0 (the unsigned vertices of an epoch) upwards.
    Round(u64)
);
number!(
    /// The period in which one committee is in office.
    Epoch(u64)
);
number!(
    /// The place of a commit in the total order, from 1 upwards; 0 is before the first.
    CommitIndex(u64)
);
number!(
    /// A certified commit's number, from 1 upwards; 0 is genesis.
    Height(u64)
);
number!(
    /// Voting weight, in whole bond units.
    Stake(u64)
);
number!(
    /// A member's place in its committee, ordered by the ids in the registry.
    MemberIndex(u32)
);
number!(
    /// An amount in an asset's smallest unit. For the native asset that is one gwei of the base
    /// chain's coin.
    Amount(u64)
);
number!(
    /// Milliseconds: since the Unix epoch as a time, else a duration.
    Millis(u64)
);

impl MemberIndex {
    /// For indexing a committee's tables.
    #[inline]
    pub fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// From received bytes, of the one length.
macro_rules! of_bytes {
    ($name:ident, $length:literal) => {
        impl TryFrom<&[u8]> for $name {
            type Error = $crate::ids::IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                let all = bytes.try_into().map(Self);
                all.map_err(|_| $crate::ids::IdError::Length {
                    what: stringify!($name),
                    expected: $length,
                    found: bytes.len(),
                })
            }
        }
    };
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            pub const ZERO: Self = Self([0; 32]);

            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            pub fn is_zero(&self) -> bool {
                self.0 == [0; 32]
            }
        }

        of_bytes!($name, 32);
    };
}

/// Bytes that people see as hexadecimal.
macro_rules! hex_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(&self.0[..4]))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let digits = text.strip_prefix("0x").unwrap_or(text);
                let bytes = hex::decode(digits).map_err(|_| $crate::ids::IdError::NotHex {
                    what: stringify!($name),
                    text: text.chars().take(80).collect(),
                })?;
                Self::try_from(bytes.as_slice())
            }
        }

        $crate::ids::text_serde!($name);
    };
}

/// Digests that people see as hexadecimal.
macro_rules! hex_digest {
    ($(#[$doc:meta])* $name:ident) => {
        digest!($(#[$doc])* $name);
        hex_text!($name);
    };
}

macro_rules! text_serde {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {hex_text, of_bytes, text_serde};

/// An account or a contract on the base chain.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseAddress(pub [u8; 20]);

impl BaseAddress {
    pub const ZERO: Self = Self([0; 20]);
}

impl TryFrom<&[u8]> for BaseAddress {
    type Error = IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError::Length {
            what: "BaseAddress",
            expected: 20,
            found: bytes.len(),
        })
    }
}

impl fmt::Display for BaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for BaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BaseAddress {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let bytes = hex::decode(digits).map_err(|_| IdError::NotHex {
            what: "BaseAddress",
            text: text.chars().take(80).collect(),
        })?;
        Self::try_from(bytes.as_slice())
    }
}

text_serde!(BaseAddress);

hex_digest!(
    /// The number of an ERC-721 token: 256 bits, big-endian.
    TokenId
);
hex_digest!(
    /// The bridge in the ledger: there is one.
    BridgeId
);
hex_digest!(
    /// The list of offenders. There is one: see [`Self::THE_ONE`].
    OffendersId
);
hex_digest!(
    /// A withdrawal: its index, big-endian, after zeros.
    WithdrawalId
);
hex_digest!(
    /// Who is in office, and who will be: there is one.
    RosterId
);
hex_digest!(
    /// Who has carried how much of the order in this epoch: there is one.
    WorkId
);
hex_digest!(
    /// Names one Weft network: genesis, base chain and contract together.
    NetworkId
);
hex_digest!(
    /// Digest of the parameters and the ledger that a network starts with.
    GenesisDigest
);
hex_digest!(
    /// Digest of a vertex's body.
    VertexDigest
);
hex_digest!(
    /// Digest of a commit.
    CommitDigest
);
hex_digest!(
    /// A transaction's identity: the digest of its body.
    TransactionId
);
hex_digest!(
    /// keccak256 of a statement's fixed encoding: what BLS signs.
    StatementDigest
);
hex_digest!(
    /// keccak256 over an epoch's members, as the registry computes it.
    CommitteeDigest
);
hex_digest!(
    /// Root of a hash tree.
    Root
);
hex_digest!(
    /// A key of the state tree.
    StateKey
);
hex_digest!(
    /// A hash of content that lives beside the ledger (A1).
    ContentHash
);
hex_digest!(
    /// A fungible asset; all zeros is the native one.
    AssetId
);
hex_digest!(CollectionId);
hex_digest!(EditionId);
hex_digest!(
    /// A card or a ticket.
    ItemId
);
hex_digest!(DealId);
hex_digest!(
    /// What a buyer of a pack adds to its draw.
    Entropy
);
hex_digest!(
    /// What the giver of a series has committed to.
    DrawSecret
);
hex_digest!(
    /// SHA-256 of a [`Secret`], as on the base chain and in Lightning.
    SecretHash
);
hex_digest!(
    /// What opens a deal or a part of a channel that is locked by its hash. Public once it is used.
    Secret
);
hex_digest!(
    /// A pool of vouchers.
    VoucherPoolId
);
hex_digest!(
    /// The mark of a voucher that is spent.
    SpentVoucherId
);

impl BridgeId {
    pub const THE_ONE: Self = Self(Address::BRIDGE.0);
}

impl RosterId {
    pub const THE_ONE: Self = Self(*b"weft/v1/roster\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

impl OffendersId {
    pub const THE_ONE: Self = Self([0; 32]);
}

impl WorkId {
    pub const THE_ONE: Self = Self([0; 32]);
}

impl WithdrawalId {
    pub fn new(index: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&index.to_be_bytes());
        Self(bytes)
    }

    /// `None` for bytes that are no index.
    pub fn index(&self) -> Option<u64> {
        let (zeros, index) = self.0.split_at(24);
        (zeros == [0; 24]).then(|| index.try_into().ok().map(u64::from_be_bytes))?
    }
}

impl Secret {
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }
}

impl AssetId {
    pub const NATIVE: Self = Self::ZERO;
}

digest!(
    /// An account: the digest of a scheme and a public key. Its text is bech32m.
    Address
);

impl Address {
    /// The human-readable part of an address's text.
    pub const PREFIX: &'static str = "weft";

    /// Holds the fees until they are shared out. A text and no digest, so that it is no key's.
    pub const FEE_POOL: Self = Self(*b"weft/v1/fee-pool\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

    /// Stands as creator of what came over the bridge. No key's either.
    pub const BRIDGE: Self = Self(*b"weft/v1/bridge\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = bech32::Hrp::parse_unchecked(Self::PREFIX);
        bech32::encode_to_fmt::<bech32::Bech32m, _>(f, prefix, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refused = || IdError::NotAddress {
            prefix: Self::PREFIX,
            text: text.chars().take(80).collect(),
        };
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32m>(text)
            .map_err(|_| refused())?;
        if checked.hrp().as_str() != Self::PREFIX {
            return Err(refused());
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        Self::try_from(bytes.as_slice())
    }
}

text_serde!(Address);

#[cfg(test)]
mod tests;
