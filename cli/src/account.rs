//! `weft account`: keys, balances, payments.

mod keys;

pub use keys::key as key_address;

use crate::failure::Failure;
use crate::network::Network;
use crate::output::{Output, fit, table};
use crate::sending::Sender;
use crate::time;
use crate::values::{Paging, lines, more, proof};
use crate::wallet::{self, KeyScheme, Wallet};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::{Client, Options};
use weft_types::api::{Account, History, Page};
use weft_types::{Address, Amount, AssetId, BaseAddress, Operation, Payment};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a key; its account exists from the first payment to it
    New(New),
    /// Show what an account holds
    Show(Whose),
    /// Print the proof of an account under the newest certificate, for `weft verify`
    Proof(Whose),
    /// Ask the testnet's faucet for money
    Fund(Fund),
    /// Pay
    Transfer(Transfer),
    /// List an account's items
    Items(List),
    /// List what happened to an account, newest first
    History(List),
    /// Show who has the say: owner, guardian, recovery, sessions
    Keys(Whose),
    /// Give the account another key; its address stays, and the old key has no say any more
    Rotate(keys::Rotate),
    /// Name the account that may give this one another owner, for when its key is lost
    Guardian(keys::SetGuardian),
    /// Keys that may do some things for the account, for a while
    #[command(subcommand)]
    Session(keys::Sessions),
    /// Give an account that yours guards another owner, unless its owner refuses it in time
    Recover(keys::Recover),
    /// Refuse the recovery that the guardian has started
    RefuseRecovery(keys::Refuse),
}

#[derive(clap::Args)]
pub struct New {
    /// File for the key; one that exists is never overwritten
    #[arg(long, value_name = "FILE", default_value = ".weft/wallet.key")]
    out: PathBuf,
    /// What it signs with
    #[arg(long, value_enum, default_value_t)]
    scheme: KeyScheme,
}

/// An account that is looked at.
#[derive(clap::Args)]
pub struct Whose {
    /// Whose account; without it the key file's
    address: Option<Address>,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    wallet: Wallet,
}

impl Whose {
    fn address(&self) -> Result<Address, Failure> {
        self.wallet.address_or_own(self.address)
    }

    /// Which it is, and who tells of it.
    fn asked(&self) -> Result<(Address, Client), Failure> {
        Ok((self.address()?, self.network.client()?))
    }
}

#[derive(clap::Args)]
pub struct Fund {
    /// How much, in the smallest unit; without it what the faucet usually gives
    #[arg(long)]
    amount: Option<u64>,
    /// URL of the faucet; without it that of the testnet in --dir
    #[arg(long, value_name = "URL")]
    faucet: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(clap::Args)]
pub struct Transfer {
    /// Who is paid
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// How much, in the smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,
    /// What is paid; without it the native asset
    #[arg(long, value_name = "ID")]
    asset: Option<AssetId>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    whose: Whose,
}

/// Longest wait for the faucet, which answers within 20 s.
const FUND_MAX: Duration = Duration::from_secs(25);

#[derive(Serialize)]
struct Created {
    address: Address,
    key_file: PathBuf,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new(&arguments, output),
        Command::Show(arguments) => {
            let (address, client) = arguments.asked()?;
            output.data(&client.account(&address).await?, shown)
        }
        Command::Proof(arguments) => {
            let (address, client) = arguments.asked()?;
            proof(&client.account_proof(&address).await?, "account", output)
        }
        Command::Fund(arguments) => fund(&arguments, output).await,
        Command::Transfer(arguments) => {
            let payment = Payment {
                to: arguments.to,
                asset: arguments.asset.unwrap_or(AssetId::NATIVE),
                amount: Amount(arguments.amount),
            };
            let payments = vec![payment];
            let items = vec![];
            let pay = Operation::Transfer { payments, items };
            arguments.sender.send(pay, output).await
        }
        Command::Items(arguments) => {
            let (address, client) = arguments.whose.asked()?;
            let page = arguments.paging.query();
            let items = client.account_items(&address, &page).await?;
            output.data(&items, crate::card::item_list)
        }
        Command::History(arguments) => {
            let (address, client) = arguments.whose.asked()?;
            let page = arguments.paging.query();
            let history = client.account_history(&address, &page).await?;
            output.data(&history, history_list)
        }
        Command::Keys(arguments) => keys::show(arguments, output).await,
        Command::Rotate(arguments) => keys::rotate(arguments, output).await,
        Command::Guardian(arguments) => keys::guardian(arguments, output).await,
        Command::Session(command) => keys::sessions(command, output).await,
        Command::Recover(arguments) => keys::recover(arguments, output).await,
        Command::RefuseRecovery(arguments) => keys::refuse(arguments, output).await,
    }
}

fn new(arguments: &New, output: &Output) -> Result<(), Failure> {
    let key = wallet::create(&arguments.out, arguments.scheme)?;
    let created = Created {
        address: key.address(),
        key_file: arguments.out.clone(),
    };
    output.data(&created, |c| c.address.to_string())?;
    output.say(format_args!(
        "The key is in {}. Whoever has the file has the account; nobody can restore it.",
        arguments.out.display()
    ));
    Ok(())
}

pub fn shown(account: &Account) -> String {
    let mut pairs = vec![("address", account.address.to_string())];
    if account.balances.is_empty() {
        pairs.push(("balance", "0".to_owned()));
    }
    for balance in &account.balances {
        let amount = balance.amount;
        pairs.push(match balance.asset {
            AssetId::NATIVE => ("balance", amount.to_string()),
            asset => ("other", format!("{amount} of {asset}")),
        });
    }
    pairs.push(("exit address", or_none(account.exit_address)));
    lines(&pairs)
}

/// X3: who has an account's assets on the base chain if the network ends.
pub fn or_none(exit_address: Option<BaseAddress>) -> String {
    let none = || "none: `weft bridge exit-address` names one".to_owned();
    exit_address.map_or_else(none, |a| a.to_string())
}

async fn fund(arguments: &Fund, output: &Output) -> Result<(), Failure> {
    let address = arguments.whose.address()?;
    let faucet = match &arguments.faucet {
        Some(url) => url.clone(),
        None => arguments.whose.network.faucet()?,
    };
    let amount = arguments.amount.map(Amount);
    // The faucet waits for the payment itself; asked again it would pay again.
    let options = Options {
        request_timeout: FUND_MAX,
        rounds: 1,
        ..Options::default()
    };
    let client = Client::with_options([faucet], options)?;
    let funded = client.fund(&address, amount).await?;
    output.data(&funded, |funded| {
        lines(&[
            ("address", funded.address.to_string()),
            ("amount", funded.amount.to_string()),
            ("transaction", funded.transaction.to_string()),
        ])
    })
}

pub fn history_list(history: &Page<History>) -> String {
    let mut table = table(&["time", "commit", "state", "operations", "transaction"]);
    for step in &history.items {
        let transaction = step.transaction.map(|t| t.to_string());
        table.add_row([
            time::utc(step.timestamp),
            step.commit.to_string(),
            step.state.as_str().to_owned(),
            step.operations.join(", "),
            transaction.unwrap_or_default(),
        ]);
    }
    format!("{}{}", fit(&table), more(history))
}
