//! V7: payouts that a recipient or a token has refused, which the vault keeps for the recipient.

use super::BaseChain;
use super::abi::vault::Vault;
use super::endpoint::At;
use super::error::ClientError;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use super::vault::asset_words;
use alloy::primitives::{Address, TxKind};
use alloy::sol_types::{SolCall as _, SolEvent as _};
use weft_types::{Amount, BaseAddress, BaseAsset};

impl BaseChain {
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
