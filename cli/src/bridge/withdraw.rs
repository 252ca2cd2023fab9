//! `weft bridge withdraw`: assets leave the ledger, for somebody on the base chain.

use super::standing_still::{Still, refuse};
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::values::{nobodys, recipient};
use weft_basechain::BaseChain;
use weft_types::{Amount, AssetAmount, AssetId, BaseAddress, Bundle, ItemId, Operation};

#[derive(clap::Args)]
pub struct Withdraw {
    /// Who has it on the base chain: an address whose key you know to be somebody's
    #[arg(long, value_name = "ADDRESS", value_parser = recipient)]
    to: BaseAddress,
    /// How much of the native asset, or of --asset
    #[arg(long, required_unless_present = "item", value_parser = clap::value_parser!(u64).range(1..))]
    amount: Option<u64>,
    /// What is withdrawn; without it the native asset
    #[arg(long, value_name = "ID", requires = "amount")]
    asset: Option<AssetId>,
    /// A card that came over the bridge; repeat it for more
    #[arg(long, value_name = "ID")]
    item: Vec<ItemId>,
    /// Also while the node says that the bridge is halted: it may be wrong, and what is given up waits until it is not
    #[arg(long)]
    while_halted: bool,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    sender: Sender,
}

pub async fn withdraw(arguments: Withdraw, output: &Output) -> Result<(), Failure> {
    let asset = arguments.asset.unwrap_or(AssetId::NATIVE);
    let amount = arguments.amount.map(Amount);
    let session = arguments.sender.session().await?;
    nobodys(&session.client.genesis().await?, arguments.to)?;
    let known = (&arguments.sender.network, &session.client);
    let ask = async |chain: BaseChain| Ok(chain.latch().await?);
    let latch = match arguments.base.shown(known, output, ask).await {
        Ok(latch) => latch,
        Err(failure) if failure.kind != Kind::Unreachable => return Err(failure),
        Err(failure) => {
            output.say(format_args!(
                "The base chain was not asked, so that it is not known whether the way out is open or the bridge frozen: {}.",
                failure.message
            ));
            None
        }
    };
    let still = Still::judged(&session.client.bridge().await?, latch.as_ref());
    let waits = still.as_ref().map(Still::for_withdrawal);
    refuse(still, arguments.while_halted, "withdraw")?;
    let operation = Operation::Withdraw {
        recipient: arguments.to,
        gives: Bundle {
            assets: amount
                .map(|amount| AssetAmount { asset, amount })
                .into_iter()
                .collect(),
            items: arguments.item,
        },
    };
    let outcome = session.send(vec![operation], output).await?;
    output.data(&outcome, Outcome::text)?;
    for index in &outcome.withdrawals {
        output.say(match &waits {
            Some(waits) => format!("Withdrawal {index}: {waits}. `weft bridge status {index}` says where it stands."),
            None => format!(
                "`weft bridge status {index}` says when it can be paid, `weft bridge claim {index}` has it paid."
            ),
        });
    }
    Ok(())
}
