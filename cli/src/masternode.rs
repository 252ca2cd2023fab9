//! `weft masternode`: keys, and a bond on the base chain from the first coin to the last.

mod bonding;
mod fees;
mod guard;
mod history;
mod keys;
mod next;
mod operator;
mod order;
mod refusing;
mod standing;

use crate::failure::Failure;
use crate::output::Output;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a node's keys, locked with a password; what is there stays
    Keys(keys::Keys),
    /// Bond a node's keys: it joins the committee with one of the next epochs
    Bond(bonding::Bond),
    /// Bond more
    TopUp(bonding::TopUp),
    /// Show where a masternode stands, and what comes next; needs no key
    Status(standing::Status),
    /// Show all masternodes that ever bonded; needs no key
    List(standing::List),
    /// The memory of what the keys have signed: carry it to another machine
    #[command(subcommand)]
    Guard(guard::Command),
    /// Show what a masternode has earned in the ledger, and have it paid out
    Fees(fees::Fees),
    /// Leave the committee: there is no way back with the same keys
    Exit(bonding::Plain),
    /// Have a bond paid out that is free
    Withdraw(bonding::Plain),
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Keys(arguments) => keys::run(&arguments, output),
        Command::Bond(arguments) => bonding::bond(&arguments, output).await,
        Command::TopUp(arguments) => bonding::top_up(&arguments, output).await,
        Command::Status(arguments) => standing::status(&arguments, output).await,
        Command::List(arguments) => standing::list(&arguments, output).await,
        Command::Guard(command) => guard::run(&command, output),
        Command::Fees(arguments) => fees::run(&arguments, output).await,
        Command::Exit(arguments) => bonding::exit(&arguments, output).await,
        Command::Withdraw(arguments) => bonding::withdraw(&arguments, output).await,
    }
}
