//! B1: the vault, from which assets come into the ledger and to which they go back.

use super::BaseChain;
use super::abi::vault::{Custody::Asset, IERC20, IERC721, Vault};
use super::checkpoints::encode;
use super::endpoint::At;
use super::error::ClientError;
use super::feed::Deposited;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::sol_types::{SolCall, SolEvent as _};
use weft_types::{
    Address as Account, Amount, BaseAddress, BaseAsset, Deposit, FeedReport, Root, Statement,
    TREE_DEPTH, TokenId, Withdrawal,
};

/// Wei in a unit of the native asset.
pub const NATIVE_UNIT: u128 = 1_000_000_000;

/// A withdrawal with what the vault pays it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub withdrawal: Withdrawal,
    pub siblings: [Root; TREE_DEPTH],
    /// A checkpoint whose tree has it.
    pub statement: Statement,
}

impl BaseChain {
    /// Gives an asset to the vault for an account of the ledger. A token has to be approved before, which
    /// [`approve`](Self::approve) does.
    pub async fn deposit(
        &self,
        key: &AccountKey,
        asset: &BaseAsset,
        account: Account,
    ) -> Result<Deposited, ClientError> {
        let order = self.deposit_order(asset, account);
        let mined = self.endpoint.send(key, order).await?;
        self.deposit_of(&mined)
    }

    /// What [`deposit`](Self::deposit) sends.
    pub fn deposit_order(&self, asset: &BaseAsset, account: Account) -> Order {
        let (value, input) = deposit_input(asset, account);
        Order {
            what: "deposit",
            to: TxKind::Call(self.contracts.vault.into()),
            value,
            input,
        }
    }

    /// The deposit that a transaction made.
    ///
    /// # Errors
    /// When it made none.
    pub fn deposit_of(&self, mined: &Mined) -> Result<Deposited, ClientError> {
        let vault = Address::from(self.contracts.vault);
        let mut events = mined.logs.iter().filter(|log| log.address == vault);
        let event = events.find_map(|log| Vault::Deposited::decode_log(log).ok());
        let event =
            event.ok_or_else(|| self.malformed("deposit", "the receipt has no Deposited event"))?;
        self.deposited(&event, mined.block)
    }

    /// Lets the vault take the asset from the account. The coin needs no leave.
    pub async fn approve(&self, key: &AccountKey, asset: &BaseAsset) -> Result<(), ClientError> {
        if let Some(order) = self.approval_order(asset).await? {
            self.endpoint.send(key, order).await?;
        }
        Ok(())
    }

    /// What [`approve`](Self::approve) sends, if anything.
    pub async fn approval_order(&self, asset: &BaseAsset) -> Result<Option<Order>, ClientError> {
        let vault = Address::from(self.contracts.vault);
        let (token, input) = match asset {
            BaseAsset::Native { .. } => return Ok(None),
            BaseAsset::Erc20 { token, amount } => {
                let listing = self.unit_of(*token).await?;
                let value = U256::from(amount.0) * U256::from(listing);
                let call = IERC20::approveCall {
                    spender: vault,
                    amount: value,
                };
                (token, call.abi_encode())
            }
            BaseAsset::Erc721 { token, id } => {
                let call = IERC721::approveCall {
                    to: vault,
                    tokenId: U256::from_be_bytes(id.0),
                };
                (token, call.abi_encode())
            }
        };
        Ok(Some(Order {
            what: "approval",
            to: TxKind::Call(token.0.into()),
            value: 0,
            input: input.into(),
        }))
    }

    /// Lists an ERC-20 in units of so many of its smallest parts, or an ERC-721 (`None`), for good. Only the vault's
    /// curator may.
    pub async fn list(
        &self,
        curator: &AccountKey,
        token: BaseAddress,
        unit: Option<u64>,
    ) -> Result<Mined, ClientError> {
        let order = self.list_order(token, unit);
        self.endpoint.send(curator, order).await
    }

    /// What [`list`](Self::list) sends.
    pub fn list_order(&self, token: BaseAddress, unit: Option<u64>) -> Order {
        let call = Vault::listCall {
            token: token.0.into(),
            kind: if unit.is_some() { 1 } else { 2 },
            unit: alloy::primitives::aliases::U88::from(unit.unwrap_or(1)),
        };
        Order {
            what: "listing",
            to: TxKind::Call(self.contracts.vault.into()),
            value: 0,
            input: call.abi_encode().into(),
        }
    }

    /// Who lists tokens; zero where nobody does, ever.
    pub async fn curator(&self) -> Result<BaseAddress, ClientError> {
        let (vault, call) = (self.contracts.vault, Vault::curatorCall {});
        let read = self.endpoint.read("curator", vault, call, At::Latest);
        Ok(BaseAddress(read.await?.into_array()))
    }

    /// How many of a token's smallest parts are one unit in the ledger; 0 for a token that is not listed.
    pub async fn unit_of(&self, token: BaseAddress) -> Result<u128, ClientError> {
        let call = Vault::listingsCall {
            token: token.0.into(),
        };
        let vault = self.contracts.vault;
        let read = self.endpoint.read("listing", vault, call, At::Latest);
        Ok(read.await?.unit.to::<u128>())
    }

    /// Pays a withdrawal out on the base chain, whoever asks.
    pub async fn withdraw(&self, key: &AccountKey, claim: &Claim) -> Result<Mined, ClientError> {
        let input = withdraw_input(claim);
        self.call_vault(key, "withdrawal", 0, input).await
    }

    /// Whether a withdrawal has been paid.
    pub async fn is_paid(&self, index: u64, at: At) -> Result<bool, ClientError> {
        let call = Vault::isPaidCall { index };
        let vault = self.contracts.vault;
        self.endpoint.read("withdrawal", vault, call, at).await
    }

    /// How many deposits there are, and their running digest.
    pub async fn deposits(&self, at: At) -> Result<FeedReport, ClientError> {
        let vault = self.contracts.vault;
        let read = self
            .endpoint
            .read("deposits", vault, Vault::depositCountCall {}, at);
        let count = read.await?;
        let call = Vault::depositDigestCall { count };
        let read = self.endpoint.read("deposits", vault, call, at);
        Ok(FeedReport {
            count,
            digest: Root(read.await?.0),
        })
    }

    /// The running digest of the first `count` deposits; `None` when there are not so many.
    pub async fn deposit_digest(&self, count: u64, at: At) -> Result<Option<Root>, ClientError> {
        let call = Vault::depositDigestCall { count };
        let vault = self.contracts.vault;
        match self.endpoint.read("deposits", vault, call, at).await {
            Ok(digest) => Ok(Some(Root(digest.0))),
            Err(ClientError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The deposits of some blocks, in their order.
    pub async fn deposits_between(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Vec<Deposited>, ClientError> {
        let feed = ("deposits", self.contracts.vault);
        self.placed_between(feed, (from, to), |event: &Vault::Deposited, block| {
            self.deposited(event, block)
        })
        .await
    }

    pub(super) async fn call_vault(
        &self,
        key: &AccountKey,
        what: &'static str,
        value: u128,
        input: Bytes,
    ) -> Result<Mined, ClientError> {
        let vault = self.contracts.vault;
        self.endpoint
            .execute(key, what, vault, value, input.into())
            .await
    }

    fn deposited(&self, event: &Vault::Deposited, block: u64) -> Result<Deposited, ClientError> {
        let asset = asset(&event.asset);
        let asset =
            asset.ok_or_else(|| self.malformed("deposits", "the asset is of no known kind"))?;
        Ok(Deposited {
            index: event.index,
            event: Deposit {
                asset,
                sender: BaseAddress(event.sender.into_array()),
                account: Account(event.account.0),
            },
            digest: Root(event.digest.0),
            block,
        })
    }
}

/// What the vault is called with to deposit, and the wei that go along.
pub(crate) fn deposit_input(asset: &BaseAsset, account: Account) -> (u128, Bytes) {
    let account = B256::from(account.0);
    match *asset {
        BaseAsset::Native { amount } => {
            let call = Vault::depositNativeCall { account };
            (u128::from(amount.0) * NATIVE_UNIT, call.abi_encode().into())
        }
        BaseAsset::Erc20 { token, amount } => {
            let call = Vault::depositERC20Call {
                token: token.0.into(),
                units: amount.0,
                account,
            };
            (0, call.abi_encode().into())
        }
        BaseAsset::Erc721 { token, id } => {
            let call = Vault::depositERC721Call {
                token: token.0.into(),
                tokenId: U256::from_be_bytes(id.0),
                account,
            };
            (0, call.abi_encode().into())
        }
    }
}

/// What the vault is called with to pay a withdrawal.
pub(crate) fn withdraw_input(claim: &Claim) -> Bytes {
    let call = Vault::withdrawCall {
        statement: encode(&claim.statement).into(),
        withdrawal: Vault::Withdrawal {
            index: claim.withdrawal.index,
            asset: asset_words(&claim.withdrawal.asset),
            recipient: claim.withdrawal.recipient.0.into(),
        },
        siblings: claim.siblings.map(|s| B256::from(s.0)),
    };
    call.abi_encode().into()
}

/// An asset as the vault names it.
pub(super) fn asset_words(asset: &BaseAsset) -> Asset {
    let (kind, token, value) = match *asset {
        BaseAsset::Native { amount } => (0, [0; 20], U256::from(amount.0)),
        BaseAsset::Erc20 { token, amount } => (1, token.0, U256::from(amount.0)),
        BaseAsset::Erc721 { token, id } => (2, token.0, U256::from_be_bytes(id.0)),
    };
    Asset {
        kind,
        token: token.into(),
        value,
    }
}

fn asset(asset: &Asset) -> Option<BaseAsset> {
    let token = BaseAddress(asset.token.into_array());
    let amount = || u64::try_from(asset.value).ok().map(Amount);
    Some(match asset.kind {
        0 => BaseAsset::Native { amount: amount()? },
        1 => BaseAsset::Erc20 {
            token,
            amount: amount()?,
        },
        2 => BaseAsset::Erc721 {
            token,
            id: TokenId(asset.value.to_be_bytes()),
        },
        _ => return None,
    })
}
