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
mod reclaim;
mod refute;
mod way_out;

use crate::failure::Failure;
use crate::network::Network;
use crate::output::Output;
use crate::sending::Sender;
use crate::values::lines;
use std::time::Duration;
use weft_types::api::{Bridge, BridgeStatus, Offenders, WithdrawalState, WithdrawalStatus};
use weft_types::{
    Amount, AssetAmount, AssetId, BaseAddress, BaseAsset, Bundle, Height, ItemId, Offender,
    Operation, Withdrawal,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Give an asset of the base chain to the vault, for an account of the ledger
    Deposit(deposit::Deposit),
    /// Take an asset out of the ledger, for somebody on the base chain
    Withdraw(Withdraw),
    /// Have the vault pay a withdrawal; anybody may
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
    /// Show the bridge, or how far a withdrawal has come
    Status(Status),
}

#[derive(clap::Args)]
pub struct Withdraw {
    /// Who has it on the base chain
    #[arg(long, value_name = "ADDRESS")]
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
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Status {
    /// A withdrawal; without it the whole bridge
    index: Option<u64>,
    #[command(flatten)]
    network: Network,
}

const LOOK_INTERVAL: Duration = Duration::from_millis(500);

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Deposit(arguments) => deposit::deposit(&arguments, output).await,
        Command::Withdraw(arguments) => withdraw(arguments, output).await,
        Command::Claim(arguments) => claim::claim(&arguments, output).await,
        Command::Status(arguments) => status(&arguments, output).await,
        Command::ExitAddress(arguments) => exit_address::name(arguments, output).await,
        Command::Keep(arguments) => keep::keep(&arguments, output).await,
        Command::Exit(arguments) => exit::exit(&arguments, output).await,
        Command::Reclaim(arguments) => reclaim::reclaim(&arguments, output).await,
        Command::Fetch(arguments) => fetch::fetch(&arguments, output).await,
        Command::Refute(arguments) => refute::refute(&arguments, output).await,
    }
}

async fn withdraw(arguments: Withdraw, output: &Output) -> Result<(), Failure> {
    let asset = arguments.asset.unwrap_or(AssetId::NATIVE);
    let amount = arguments.amount.map(Amount);
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
    arguments.sender.send(operation, output).await
}

async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    match arguments.index {
        Some(index) => output.data(&client.withdrawal(&index).await?, withdrawal_text),
        None => output.data(&client.bridge().await?, bridge_text),
    }
}

fn bridge_text(status: &BridgeStatus) -> String {
    let contracts = lines(&[
        ("vault", status.vault.to_string()),
        (
            "time for challenges",
            format!("{} s", status.challenge_window_s),
        ),
        (
            "halted",
            status.halted.clone().unwrap_or_else(|| "no".to_owned()),
        ),
    ]);
    format!("{}\n{contracts}", shown(&status.bridge))
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

fn withdrawal_text(status: &WithdrawalStatus) -> String {
    let next = match (status.state, &status.claim) {
        (WithdrawalState::Requested, _) => "a certificate, within a second".to_owned(),
        (WithdrawalState::Certified, _) => "a checkpoint on the base chain".to_owned(),
        (WithdrawalState::Posted, claim) => {
            let height = claim.as_ref().map_or(Height::ZERO, |c| c.height);
            let index = status.withdrawal.index;
            format!("`weft bridge claim {index}`, by the checkpoint of height {height}")
        }
    };
    let state = lines(&[
        ("state", format!("{:?}", status.state).to_lowercase()),
        ("next", next),
    ]);
    format!("{}\n{state}", withdrawal_shown(&status.withdrawal))
}
