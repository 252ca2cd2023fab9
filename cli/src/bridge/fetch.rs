//! `weft bridge fetch`: what the vault could not pay out, and keeps for its recipient (V7).

use super::asset_shown;
use super::deposit::token_id;
use super::kept::Kept;
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::values::{lines, recipient};
use serde::Serialize;
use std::path::PathBuf;
use weft_basechain::{AccountKey, BaseChain, ClientError};
use weft_types::{Amount, BaseAddress, BaseAsset, TokenId};

#[derive(clap::Args)]
pub struct Fetch {
    /// Contract of the ERC-20; without it and --erc721 the coin
    #[arg(long, value_name = "ADDRESS")]
    erc20: Option<BaseAddress>,
    /// Contract of the ERC-721
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "token",
        conflicts_with = "erc20"
    )]
    erc721: Option<BaseAddress>,
    /// Which card of the ERC-721
    #[arg(long, value_name = "NUMBER", value_parser = token_id, requires = "erc721")]
    token: Option<TokenId>,
    /// Who gets it; without it the key's own account
    #[arg(long, value_name = "ADDRESS", value_parser = recipient)]
    to: Option<BaseAddress>,
    /// Show what there is and what it takes, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// What `weft bridge keep` has saved: says where the vault is when no masternode answers
    #[arg(long, value_name = "FILE")]
    kept: Option<PathBuf>,
    #[command(flatten)]
    base: Base,
}

#[derive(Serialize)]
struct Outcome {
    asset: BaseAsset,
    to: BaseAddress,
    /// The most that it takes.
    gas: u64,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_transaction: Option<String>,
}

pub async fn fetch(arguments: &Fetch, output: &Output) -> Result<(), Failure> {
    let (chain, key) = arguments.reach().await?;
    let owner = BaseAddress(key.address());
    let asset = arguments.asset(&chain, owner).await?;
    let to = arguments.to.unwrap_or(owner);
    let gas = chain.fetching(&key, &asset, to).await;
    let gas = gas.map_err(|error| explained(error, &asset, owner))?;
    let mut outcome = Outcome {
        asset,
        to,
        gas,
        base_transaction: None,
    };
    if !arguments.dry_run {
        output.say(format_args!(
            "The vault keeps {} for {owner}; it goes to {to}.",
            asset_shown(&asset)
        ));
        let fetched = chain.fetch(&key, &asset, to).await;
        let mined = fetched.map_err(|error| explained(error, &asset, owner))?;
        outcome.base_transaction = Some(format!("0x{}", hex::encode(mined.hash)));
    }
    output.data(&outcome, text)
}

impl Fetch {
    async fn reach(&self) -> Result<(BaseChain, AccountKey), Failure> {
        if let Some(path) = &self.kept {
            let kept = Kept::read(path)?;
            return self.base.reach(kept.chain_id, kept.contracts).await;
        }
        let account = self.base.connect().await?;
        Ok((account.chain, account.key))
    }

    async fn asset(&self, chain: &BaseChain, owner: BaseAddress) -> Result<BaseAsset, Failure> {
        if let (Some(token), Some(id)) = (self.erc721, self.token) {
            return Ok(BaseAsset::Erc721 { token, id });
        }
        let amount = chain.kept_for(owner, self.erc20).await?;
        let asset = match self.erc20 {
            Some(token) => BaseAsset::Erc20 { token, amount },
            None => BaseAsset::Native { amount },
        };
        match amount {
            Amount::ZERO => Err(nothing(&asset, owner)),
            _ => Ok(asset),
        }
    }
}

fn nothing(asset: &BaseAsset, owner: BaseAddress) -> Failure {
    let what = match asset {
        BaseAsset::Native { .. } => "none of the coin".to_owned(),
        BaseAsset::Erc20 { token, .. } => format!("nothing of token {token}"),
        card => format!("no {}", asset_shown(card)),
    };
    Failure::new(
        Kind::Refused,
        format_args!("the vault keeps {what} for {owner}"),
    )
    .hint("it keeps what a payout could not deliver; its recipient's key fetches that")
}

fn explained(error: ClientError, asset: &BaseAsset, owner: BaseAddress) -> Failure {
    match error.refusal().map(|r| r.name.as_str()) {
        Some("NothingToClaim") => nothing(asset, owner),
        Some("TransferRefused") => {
            Failure::from(error).hint("it stays in the vault; name another account with --to")
        }
        _ => error.into(),
    }
}

fn text(outcome: &Outcome) -> String {
    let sent = outcome.base_transaction.clone();
    lines(&[
        ("asset", asset_shown(&outcome.asset)),
        ("goes to", outcome.to.to_string()),
        ("gas at most", outcome.gas.to_string()),
        (
            "base transaction",
            sent.unwrap_or_else(|| "none: nothing was sent".to_owned()),
        ),
    ])
}
