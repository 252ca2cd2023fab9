//! V7: payouts that a recipient or a token has refused, which the vault keeps for the recipient.

use super::BaseChain;
use super::abi::vault::Vault;
use super::endpoint::At;
use super::error::ClientError;
use super::escape::LOG_BLOCKS_MAX;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use super::vault::asset_words;
use alloy::primitives::{Address, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolCall as _, SolEvent as _};
use weft_types::{Amount, BaseAddress, BaseAsset};

/// Windows that are searched for a payout: of blocks of 12 s, two months.
const WINDOWS_MAX: u32 = 256;

/// How a withdrawal was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    pub transaction: [u8; 32],
    pub block: u64,
    /// V7: it was refused, and is kept for the recipient.
    pub kept: bool,
}

impl BaseChain {
    /// The transaction that has paid a withdrawal; `None` while none has. It is looked for in blocks that are not earlier
    /// than `since` (Unix seconds), the newest windows of [`LOG_BLOCKS_MAX`] blocks at most.
    pub async fn payout_of(&self, index: u64, since: u64) -> Result<Option<Payout>, ClientError> {
        let head = self.endpoint.head().await?.number;
        let first = self.endpoint.first_block_at(since, head).await?;
        let mut to = head;
        for _ in 0..WINDOWS_MAX {
            let from = first.max(to.saturating_sub(LOG_BLOCKS_MAX - 1));
            let filter = Filter::new()
                .address(Address::from(self.contracts.vault))
                .event_signature(vec![
                    Vault::Withdrawn::SIGNATURE_HASH,
                    Vault::Credited::SIGNATURE_HASH,
                ])
                .topic1(U256::from(index))
                .from_block(from)
                .to_block(to);
            let logs = || self.endpoint.provider.get_logs(&filter);
            let logs = self.endpoint.ask("payout", logs).await?;
            if let Some(log) = logs.last() {
                let missing = || self.malformed("payout", "the event is of no transaction");
                return Ok(Some(Payout {
                    transaction: log.transaction_hash.ok_or_else(missing)?.0,
                    block: log.block_number.ok_or_else(missing)?,
                    kept: log.topic0() == Some(&Vault::Credited::SIGNATURE_HASH),
                }));
            }
            if from <= first {
                break;
            }
            to = from - 1;
        }
        Ok(None)
    }

    /// What is kept for an account: of the coin in gwei (`None`), of an ERC-20 in its units. Of cards the vault does not say;
    /// [`fetching`](Self::fetching) finds out.
    pub async fn kept_for(
        &self,
        owner: BaseAddress,
        token: Option<BaseAddress>,
    ) -> Result<Amount, ClientError> {
        let what = "kept payouts";
        let call = Vault::creditsCall {
            owner: owner.0.into(),
            token: token.unwrap_or(BaseAddress::ZERO).0.into(),
        };
        let read = self
            .endpoint
            .read(what, self.contracts.vault, call, At::Latest);
        let units = u64::try_from(read.await?);
        let units = units.map_err(|_| self.malformed(what, "more than the vault can hold"))?;
        Ok(Amount(units))
    }

    /// The most gas that it takes to fetch what is kept for the key's account; nothing is sent.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `NothingToClaim`, or with `TransferRefused` where it would be refused again.
    pub async fn fetching(
        &self,
        key: &AccountKey,
        asset: &BaseAsset,
        to: BaseAddress,
    ) -> Result<u64, ClientError> {
        let order = self.fetch_order(asset, to);
        let request = order.request(key.account());
        self.endpoint.gas_limit(order.what, &request).await
    }

    /// Fetches it, to whatever account: all of the coin or token, or the card.
    ///
    /// # Errors
    /// As [`fetching`](Self::fetching).
    pub async fn fetch(
        &self,
        key: &AccountKey,
        asset: &BaseAsset,
        to: BaseAddress,
    ) -> Result<Mined, ClientError> {
        self.endpoint.send(key, self.fetch_order(asset, to)).await
    }

    fn fetch_order(&self, asset: &BaseAsset, to: BaseAddress) -> Order {
        let call = Vault::claimCall {
            asset: asset_words(asset),
            to: to.0.into(),
        };
        Order {
            what: "kept payout",
            to: TxKind::Call(self.contracts.vault.into()),
            value: 0,
            input: call.abi_encode().into(),
        }
    }

    /// Whether the payout of a transaction was refused, and is kept.
    pub fn is_kept(&self, mined: &Mined) -> bool {
        let vault = Address::from(self.contracts.vault);
        let mut logs = mined.logs.iter().filter(|log| log.address == vault);
        logs.any(|log| {
            Vault::Credited::decode_log(log).is_ok()
                || Vault::Escaped::decode_log(log).is_ok_and(|e| e.kept)
                || Vault::Reclaimed::decode_log(log).is_ok_and(|e| e.kept)
        })
    }
}
