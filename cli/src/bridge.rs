//! `weft bridge`: assets between the ledger and the base chain.

mod exit;
mod exit_address;
mod keep;
mod kept;
mod reclaim;
mod refute;
mod way_out;

use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::sending::Sender;
use crate::values::lines;
use crate::wallet::Wallet;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weft_basechain::{AccountKey, At, BaseChain, Claim, ClientError};
use weft_client::Client;
use weft_types::api::{Bridge, BridgeStatus, Offenders, WithdrawalState, WithdrawalStatus};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, BaseAddress, BaseAsset, Bundle, Height, ItemId,
    Offender, Operation, TREE_DEPTH, TokenId, Withdrawal,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Give an asset of the base chain to the vault, for an account of the ledger
    Deposit(Deposit),
    /// Take an asset out of the ledger, for somebody on the base chain
    Withdraw(Withdraw),
    /// Have the vault pay a withdrawal; anybody may
    Claim(ClaimArguments),
    /// Name who has an account's assets on the base chain if the network ends
    ExitAddress(exit_address::ExitAddress),
    /// Save the proofs that `exit` needs, while there are masternodes to give them
    Keep(keep::Keep),
    /// Without masternodes: take out of the vault what kept proofs say, step by step. Trips the latch if it may be
    Exit(exit::Exit),
    /// Without masternodes: take back deposits that were never credited
    Reclaim(reclaim::Reclaim),
    /// Show claims on the way out to be wrong, and earn their stakes
    Refute(refute::Refute),
    /// Show the bridge, or how far a withdrawal has come
    Status(Status),
}

#[derive(clap::Args)]
pub struct Deposit {
    /// How much: gwei of the coin, or units of the token
    #[arg(long, required_unless_present = "erc721", value_parser = clap::value_parser!(u64).range(1..))]
    amount: Option<u64>,
    /// Contract of an ERC-20 that the vault lists; without it the coin
    #[arg(long, value_name = "ADDRESS", requires = "amount")]
    erc20: Option<BaseAddress>,
    /// Contract of an ERC-721 that the vault lists
    #[arg(long, value_name = "ADDRESS", requires = "token", conflicts_with_all = ["amount", "erc20"])]
    erc721: Option<BaseAddress>,
    /// Which card of the ERC-721
    #[arg(long, value_name = "NUMBER", value_parser = token_id, requires = "erc721")]
    token: Option<TokenId>,
    /// Who has it in the ledger; without it the key file's account
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// End once it is in a block, and do not wait until it is credited
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    wallet: Wallet,
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
pub struct ClaimArguments {
    /// The withdrawal
    index: u64,
    /// Longest wait for its checkpoint and the end of its time for challenges, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Status {
    /// A withdrawal; without it the whole bridge
    index: Option<u64>,
    #[command(flatten)]
    network: Network,
}

/// Longest wait until a deposit is credited.
const CREDIT_MAX: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct DepositOutcome {
    index: u64,
    account: Address,
    /// The base chain's block that it is in.
    base_block: u64,
    credited: bool,
}

#[derive(Serialize)]
struct Paid {
    index: u64,
    recipient: BaseAddress,
    /// Of the checkpoint that it was paid by.
    height: Height,
    base_block: u64,
    base_transaction: String,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Deposit(arguments) => deposit(&arguments, output).await,
        Command::Withdraw(arguments) => withdraw(arguments, output).await,
        Command::Claim(arguments) => claim(&arguments, output).await,
        Command::Status(arguments) => status(&arguments, output).await,
        Command::ExitAddress(arguments) => exit_address::name(arguments, output).await,
        Command::Keep(arguments) => keep::keep(&arguments, output).await,
        Command::Exit(arguments) => exit::exit(&arguments, output).await,
        Command::Reclaim(arguments) => reclaim::reclaim(&arguments, output).await,
        Command::Refute(arguments) => refute::refute(&arguments, output).await,
    }
}

impl Deposit {
    fn asset(&self) -> BaseAsset {
        let amount = Amount(self.amount.unwrap_or_default());
        match (self.erc20, self.erc721, self.token) {
            (_, Some(token), Some(id)) => BaseAsset::Erc721 { token, id },
            (Some(token), ..) => BaseAsset::Erc20 { token, amount },
            _ => BaseAsset::Native { amount },
        }
    }
}

async fn deposit(arguments: &Deposit, output: &Output) -> Result<(), Failure> {
    let account = arguments.wallet.address_or_own(arguments.account)?;
    let client = arguments.network.client()?;
    let (chain, key) = arguments.base.connect(&arguments.network, &client).await?;
    let asset = arguments.asset();
    if let BaseAsset::Erc20 { token, .. } | BaseAsset::Erc721 { token, .. } = asset
        && chain.unit_of(token).await? == 0
    {
        let words = format!("the vault does not list token {token}, and would refuse it");
        return Err(
            Failure::usage(words).hint("nothing was sent; the vault's curator lists tokens")
        );
    }
    chain.approve(&key, &asset).await?;
    let deposited = chain.deposit(&key, &asset, account).await?;
    let mut outcome = DepositOutcome {
        index: deposited.index,
        account,
        base_block: deposited.block,
        credited: false,
    };
    if !arguments.no_wait {
        output.say(format_args!(
            "Deposit {} is in block {} of the base chain; waiting until it is credited.",
            outcome.index, outcome.base_block
        ));
        outcome.credited = credited(&client, outcome.index).await?;
    }
    output.data(&outcome, |o| {
        lines(&[
            ("deposit", o.index.to_string()),
            ("account", o.account.to_string()),
            ("base block", o.base_block.to_string()),
            (
                "credited",
                if o.credited { "yes" } else { "not yet" }.to_owned(),
            ),
        ])
    })
}

async fn credited(client: &Client, index: u64) -> Result<bool, Failure> {
    let until = Instant::now() + CREDIT_MAX;
    loop {
        let bridge = client.bridge().await?;
        if bridge.bridge.deposits.count >= index {
            return Ok(true);
        }
        if let Some(reason) = bridge.halted {
            let words = format!("the bridge is halted, deposit {index} is not credited: {reason}");
            return Err(Failure::new(Kind::Refused, words));
        }
        if Instant::now() >= until {
            let words = format!(
                "deposit {index} is not credited after {} s; it is in the vault, and will be",
                CREDIT_MAX.as_secs()
            );
            return Err(Failure::new(Kind::Unreachable, words).hint("look at `weft bridge status`"));
        }
        sleep(LOOK_INTERVAL).await;
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

async fn claim(arguments: &ClaimArguments, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let (chain, key) = arguments.base.connect(&arguments.network, &client).await?;
    let index = arguments.index;
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    if chain.is_paid(index, At::Latest).await? {
        return Err(Failure::new(
            Kind::Refused,
            format_args!("withdrawal {index} is paid already"),
        ));
    }
    let mut told = false;
    loop {
        let (error, waits) = match attempt(&client, &chain, &key, index).await {
            Ok(paid) => return output.data(&paid, paid_text),
            Err(Attempt::Later(words)) => (Failure::new(Kind::Refused, words), true),
            Err(Attempt::Failed(failure)) => (failure, false),
        };
        if !waits || Instant::now() >= until {
            return Err(error);
        }
        if !told {
            output.say(format_args!("{}; waiting.", error.message));
            told = true;
        }
        sleep(LOOK_INTERVAL).await;
    }
}

enum Attempt {
    /// It cannot be paid yet.
    Later(String),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn attempt(
    client: &Client,
    chain: &BaseChain,
    key: &AccountKey,
    index: u64,
) -> Result<Paid, Attempt> {
    let WithdrawalStatus {
        withdrawal, claim, ..
    } = client.withdrawal(&index).await?;
    let Some(shown) = claim else {
        return Err(Attempt::Later(format!(
            "withdrawal {index} is under no checkpoint on the base chain yet"
        )));
    };
    let siblings = shown.siblings.try_into();
    let siblings: [_; TREE_DEPTH] = siblings.map_err(|_| {
        let words = format!("the node's proof has not {TREE_DEPTH} siblings");
        Attempt::Failed(Failure::new(Kind::Invalid, words))
    })?;
    let claim = Claim {
        withdrawal,
        siblings,
        statement: shown.statement,
    };
    match chain.withdraw(key, &claim).await {
        Ok(mined) => Ok(Paid {
            index,
            recipient: withdrawal.recipient,
            height: shown.height,
            base_block: mined.block,
            base_transaction: format!("0x{}", hex::encode(mined.hash)),
        }),
        Err(ClientError::Refused { refusal, .. }) if refusal.name == "NotFinal" => {
            Err(Attempt::Later(format!(
                "the checkpoint of height {} still has its time for challenges",
                shown.height
            )))
        }
        Err(error) => Err(error.into()),
    }
}

fn paid_text(paid: &Paid) -> String {
    lines(&[
        ("withdrawal", paid.index.to_string()),
        ("paid to", paid.recipient.to_string()),
        ("by checkpoint", paid.height.to_string()),
        ("base block", paid.base_block.to_string()),
        ("base transaction", paid.base_transaction.clone()),
    ])
}

/// A token's number, decimal or hexadecimal after `0x`.
fn token_id(text: &str) -> Result<TokenId, String> {
    let mut bytes = [0; 32];
    if let Some(digits) = text.strip_prefix("0x") {
        let digits = format!("{digits:0>64}");
        hex::decode_to_slice(&digits, &mut bytes).map_err(|e| e.to_string())?;
        return Ok(TokenId(bytes));
    }
    let number: u128 = text
        .parse()
        .map_err(|_| "a number below 2^128, or up to 64 hexadecimal digits after 0x".to_owned())?;
    bytes[16..].copy_from_slice(&number.to_be_bytes());
    Ok(TokenId(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_number_is_decimal_or_hexadecimal() {
        let id = |text| token_id(text).map(|id| id.0[31]);
        assert_eq!((id("42"), id("0x2a")), (Ok(42), Ok(42)));
        assert_eq!(
            token_id(&format!("0x{}", "f".repeat(64))),
            Ok(TokenId([0xff; 32]))
        );
        for wrong in ["", "-1", "0xg", &format!("0x{}", "f".repeat(65))] {
            assert!(token_id(wrong).is_err(), "{wrong}");
        }
    }
}
