//! `weft bridge`: assets between the ledger and the base chain.

mod checking;
mod choosing;
mod claim;
mod deposit;
mod exit;
mod exit_address;
mod fetch;
mod hand_over;
mod keep;
mod kept;
mod kept_payouts;
mod list_token;
mod reclaim;
mod refute;
pub mod standing_still;
mod status;
mod way_out;
mod withdraw;

use crate::failure::Failure;
use crate::output::Output;
use crate::values::lines;
use std::time::Duration;
use weft_types::api::{Bridge, Offenders};
use weft_types::{BaseAsset, Offender, Withdrawal};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Give an asset of the base chain to the vault, for an account of the ledger
    Deposit(deposit::Deposit),
    /// Take an asset out of the ledger, for somebody on the base chain
    Withdraw(withdraw::Withdraw),
    /// Have the vault pay a withdrawal; anybody may, also by a kept proof
    Claim(claim::Claim),
    /// Name who has an account's assets on the base chain if the network ends
    ExitAddress(exit_address::ExitAddress),
    /// Save the proofs that `exit` needs, while there are masternodes to give them
    Keep(keep::Keep),
    /// Without masternodes: take out of the vault what kept proofs say, step by step. Trips the latch if it may be
    Exit(exit::Exit),
    /// Without masternodes: take back deposits that were never credited
    Reclaim(reclaim::Reclaim),
    /// Fetch what the vault could not pay out, and keeps for its recipient
    Fetch(fetch::Fetch),
    /// Show claims on the way out to be wrong, and earn their stakes
    Refute(refute::Refute),
    /// Let a token into the vault, for good: the curator's
    ListToken(list_token::ListToken),
    /// Show the bridge, or how far a withdrawal has come
    Status(status::Status),
}

const LOOK_INTERVAL: Duration = Duration::from_millis(500);

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Deposit(arguments) => deposit::deposit(&arguments, output).await,
        Command::Withdraw(arguments) => withdraw::withdraw(arguments, output).await,
        Command::Claim(arguments) => claim::claim(&arguments, output).await,
        Command::Status(arguments) => status::status(&arguments, output).await,
        Command::ExitAddress(arguments) => exit_address::name(arguments, output).await,
        Command::Keep(arguments) => keep::keep(&arguments, output).await,
        Command::Exit(arguments) => exit::exit(&arguments, output).await,
        Command::Reclaim(arguments) => reclaim::reclaim(&arguments, output).await,
        Command::Fetch(arguments) => fetch::fetch(&arguments, output).await,
        Command::ListToken(arguments) => list_token::list_token(&arguments, output).await,
        Command::Refute(arguments) => refute::refute(&arguments, output).await,
    }
}

pub fn shown(bridge: &Bridge) -> String {
    let agreed = bridge.agreed;
    let agreed = agreed.map_or("-".to_owned(), |a| a.count.to_string());
    lines(&[
        ("deposits credited", bridge.deposits.count.to_string()),
        ("agreed up to", agreed),
        ("members that report more", bridge.reports.len().to_string()),
        ("withdrawals requested", bridge.withdrawals.to_string()),
    ])
}

fn asset_shown(asset: &BaseAsset) -> String {
    match asset {
        BaseAsset::Native { amount } => format!("{amount} gwei"),
        BaseAsset::Erc20 { token, amount } => format!("{amount} units of {token}"),
        BaseAsset::Erc721 { token, id } => format!("card {id} of {token}"),
    }
}

pub fn withdrawal_shown(withdrawal: &Withdrawal) -> String {
    lines(&[
        ("withdrawal", withdrawal.index.to_string()),
        ("asset", asset_shown(&withdrawal.asset)),
        ("given up by", withdrawal.account.to_string()),
        ("recipient", withdrawal.recipient.to_string()),
    ])
}

/// One line a conviction.
pub fn offenders_shown(offenders: &Offenders) -> String {
    let line = |o: &Offender| {
        let Offender {
            id, epoch, round, ..
        } = o;
        format!("masternode {id} signed two vertices of round {round}, epoch {epoch}")
    };
    let shown: Vec<String> = offenders.offenders.iter().map(line).collect();
    shown.join("\n")
}
