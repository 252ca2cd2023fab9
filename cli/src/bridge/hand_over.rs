//! Giving an asset to the vault, once.

use crate::base::{Account, Terms};
use crate::failure::Failure;
use crate::output::Output;
use weft_basechain::{Mined, Quote};
use weft_types::{Address, BaseAsset};

/// The transaction that gives the asset to the vault for somebody: of now, or of an earlier command that did not hear of it.
pub async fn hand_over(
    account: &Account,
    (asset, receiver): (&BaseAsset, Address),
    terms: &Terms,
    output: &Output,
) -> Result<Mined, Failure> {
    let chain = &account.chain;
    let order = chain.deposit_order(asset, receiver);
    let mut payer = account.payer(terms, output)?;
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

/// What would be sent first, and what that costs: what comes after an approval cannot be tried before it.
pub async fn quoted(
    account: &Account,
    (asset, receiver): (&BaseAsset, Address),
    terms: &Terms,
    output: &Output,
) -> Result<(&'static str, Quote), Failure> {
    let chain = &account.chain;
    let payer = account.payer(terms, output)?;
    payer.mention();
    let first = match chain.approval_order(asset).await? {
        Some(approval) => approval,
        None => chain.deposit_order(asset, receiver),
    };
    let quote = payer.quote(&first).await?;
    Ok((first.what(), quote))
}
