//! B1: what comes from the base chain's vault and goes back to it, hashed as the vault hashes it.
//! Deposits are numbered from 1 and chained, so that a count and a digest name all of them;
//! withdrawals are the leaves of an append-only tree, so that a leaf keeps its place for good.

mod state;
mod tree;
mod wired;

pub use state::Bridge;
pub use tree::{
    AppendTree, TREE_DEPTH, TREE_PLACES, WholeTree, tree_empty, tree_node, tree_proof, tree_root_of,
};
pub use wired::BridgeError;

use crate::committee::{address_word, word};
use crate::feed::Chained;
use crate::hash::keccak;
use crate::ids::{
    Address, Amount, AssetId, BaseAddress, CollectionId, CommitIndex, EditionId, Root, TokenId,
};
use crate::operation::NewEdition;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Most deposits that are agreed upon at once, which is also the most that a vertex carries.
pub const DEPOSITS_MAX: u64 = 256;

/// An asset as the base chain names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BaseAsset {
    /// The base chain's coin, in gwei.
    Native {
        amount: Amount,
    },
    /// In the units that the vault lists the token in.
    Erc20 {
        token: BaseAddress,
        amount: Amount,
    },
    Erc721 {
        token: BaseAddress,
        id: TokenId,
    },
}

impl BaseAsset {
    /// The vault's number of the kind.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Native { .. } => 0,
            Self::Erc20 { .. } => 1,
            Self::Erc721 { .. } => 2,
        }
    }

    /// As the vault's `Asset`: kind, token, value.
    fn words(&self) -> [[u8; 32]; 3] {
        let (token, value) = match self {
            Self::Native { amount } => (word(0), word(amount.0)),
            Self::Erc20 { token, amount } => (address_word(&token.0), word(amount.0)),
            Self::Erc721 { token, id } => (address_word(&token.0), id.0),
        };
        [word(u64::from(self.kind())), token, value]
    }
}

/// A deposit into the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deposit {
    pub asset: BaseAsset,
    /// Who made it, on the base chain.
    pub sender: BaseAddress,
    /// Who has it in the ledger.
    pub account: Address,
}

impl Deposit {
    /// The running digest before the first deposit.
    pub fn digest_start() -> Root {
        static START: LazyLock<Root> = LazyLock::new(|| Root(keccak(&[b"WEFT-V01-DEPOSITS"])));
        *START
    }
}

impl Chained for Deposit {
    const AT_ONCE: u64 = DEPOSITS_MAX;

    fn extend(&self, previous: &Root, index: u64) -> Root {
        let [kind, token, value] = self.asset.words();
        let (sender, index) = (address_word(&self.sender.0), word(index));
        let account = &self.account.0;
        Root(keccak(&[
            &previous.0,
            &index,
            &kind,
            &token,
            &value,
            &sender,
            account,
        ]))
    }
}

/// What has left the ledger for the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Withdrawal {
    /// Its place in the tree, from 0.
    pub index: u64,
    pub asset: BaseAsset,
    /// Who is paid on the base chain.
    pub recipient: BaseAddress,
    /// Who gave it up in the ledger; no part of the leaf.
    pub account: Address,
    /// The commit that took it out, by which a statement's tree is known to have it; no part of the leaf.
    pub commit: CommitIndex,
}

impl Withdrawal {
    /// The leaf of the tree that the vault checks.
    pub fn leaf(&self) -> [u8; 32] {
        let [kind, token, value] = self.asset.words();
        let recipient = address_word(&self.recipient.0);
        keccak(&[&word(self.index), &kind, &token, &value, &recipient])
    }
}

/// X3: what the vault pays by this leaf if the network ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exit {
    /// In the exit tree, from 0.
    pub place: u64,
    pub asset: BaseAsset,
    /// Who is paid on the base chain.
    pub owner: BaseAddress,
}

impl Exit {
    /// The leaf of the tree that the vault checks.
    pub fn leaf(&self) -> [u8; 32] {
        static TAG: LazyLock<[u8; 32]> = LazyLock::new(|| keccak(&[b"WEFT-V01-EXIT"]));
        let [kind, token, value] = self.asset.words();
        let owner = address_word(&self.owner.0);
        keccak(&[&*TAG, &word(self.place), &kind, &token, &value, &owner])
    }
}

impl BaseAsset {
    /// How the base chain names an amount of the ledger; `None` for an asset that did not come from there.
    pub fn of_amount(asset: &AssetId, amount: Amount) -> Option<Self> {
        if *asset == AssetId::NATIVE {
            return Some(Self::Native { amount });
        }
        let token = asset.token()?;
        Some(Self::Erc20 { token, amount })
    }
}

impl AssetId {
    /// The ledger's name of an ERC-20: its contract, after twelve zeros. No hash is so short.
    pub fn erc20(token: BaseAddress) -> Self {
        Self(address_word(&token.0))
    }

    /// The token of an asset that came over the bridge, `None` for the native one and any other.
    pub fn token(&self) -> Option<BaseAddress> {
        let (zeros, token) = self.0.split_at(12);
        let token = BaseAddress(token.try_into().ok()?);
        (zeros == [0; 12] && token != BaseAddress::ZERO).then_some(token)
    }
}

impl CollectionId {
    /// The collection of all cards of an ERC-721 contract. The bridge is its creator, whose key nobody has.
    pub fn erc721(token: BaseAddress) -> Self {
        let mut idempotency = [0; 16];
        idempotency.copy_from_slice(&token.0[..16]);
        let rest: [u8; 4] = [token.0[16], token.0[17], token.0[18], token.0[19]];
        Self::derive(&Address::BRIDGE, &idempotency, u32::from_be_bytes(rest))
    }
}

impl EditionId {
    /// One card of an ERC-721 contract. Its serials count how often it has come in.
    pub fn erc721(token: BaseAddress, id: &TokenId) -> Self {
        Self::of_token(&CollectionId::erc721(token), id)
    }
}

/// The terms of a card's edition: what a reader needs to find it on the base chain.
pub fn erc721_edition(token: BaseAddress, id: &TokenId) -> NewEdition {
    NewEdition {
        collection: CollectionId::erc721(token),
        name: format!("#{id}"),
        cap: u64::MAX,
        traits: Vec::new(),
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        uses: 0,
        reference: format!("{token}/{id}"),
    }
}

/// The card whose edition this is, which has this id: `None` for one that did not come over the bridge. Anybody may
/// write such a reference, nobody else can make such an id.
pub fn erc721_of(id: &EditionId, terms: &NewEdition) -> Option<(BaseAddress, TokenId)> {
    let (token, number) = terms.reference.split_once('/')?;
    let (token, number) = (token.parse().ok()?, number.parse().ok()?);
    (*id == EditionId::erc721(token, &number)).then_some((token, number))
}

#[cfg(test)]
mod tests;
