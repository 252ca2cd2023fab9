//! Giving an asset to the vault, once.

use crate::base::{Payer, Terms};
use crate::failure::Failure;
use crate::output::Output;
use weft_basechain::{AccountKey, BaseChain, Mined};
use weft_client::Client;
use weft_types::{Address, BaseAsset};

/// The transaction that gives the asset to the vault for an account: of now, or of an earlier command that did not hear of
/// it.
pub async fn hand_over(
    (client, chain, key): (&Client, &BaseChain, &AccountKey),
    (asset, account): (&BaseAsset, Address),
    terms: &Terms,
    output: &Output,
) -> Result<Mined, Failure> {
    let network = client.genesis().await?.network.id();
    let order = chain.deposit_order(asset, account);
    let mut payer = Payer::of((chain.endpoint(), key), network, terms, output)?;
    if let Some(mined) = payer.earlier(&order).await? {
        return Ok(mined);
    }
    if let Some(approval) = chain.approval_order(asset).await? {
        let quote = payer.quote(&approval).await?;
        payer.send(&approval, &quote).await?;
    }
    let quote = payer.quote(&order).await?;
    payer.send(&order, &quote).await
}
