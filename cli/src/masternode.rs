//! `weft masternode`: keys, and a bond on the base chain from the first coin to the last.

mod bonding;
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
        Command::Exit(arguments) => bonding::exit(&arguments, output).await,
        Command::Withdraw(arguments) => bonding::withdraw(&arguments, output).await,
    }
}

/// Wei as coins.
fn coins(wei: u128) -> String {
    decimal(wei, 18)
}

/// A number of units of which 10 to the power of `places` are one, without zeros at the end.
fn decimal(units: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let (whole, part) = (units / one, units % one);
    let text = format!("{whole}.{part:0width$}", width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COIN: u128 = 1_000_000_000_000_000_000;

    #[test]
    fn coins_are_shown_to_the_last_wei() {
        for (wei, shown) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (COIN, "1"),
            (COIN * 3 / 2, "1.5"),
            (120 * COIN, "120"),
        ] {
            assert_eq!(coins(wei), shown);
        }
        assert_eq!(decimal(1_500_000_007, 9), "1.500000007");
    }
}
